/* limit.c - how many requests a second one source may send, and which networks are special. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/source.h"
#include "sip_priv.h"

struct source_table {
	struct hd_buckets *buckets;
	struct hd_networks exempt, trusted;
	uint32_t rate;
};

struct source_table *hd_source_table_new(void)
{
	struct source_table *t = calloc(1, sizeof(*t));

	if (t)
		t->buckets = hd_buckets_new();
	if (t && !t->buckets) {
		free(t);
		return NULL;
	}
	return t;
}

void hd_source_table_free(struct source_table *t)
{
	if (!t)
		return;
	hd_buckets_free(t->buckets);
	free(t);
}

void hd_source_table_set(struct source_table *t, const struct hd_agent_limits *limits)
{
	t->rate = limits->source_rate;
	hd_buckets_set(t->buckets, limits->source_rate, 1000, limits->source_burst);
	hd_networks_set(&t->exempt, "sip", limits->source_exempt, limits->n_source_exempt);
	hd_networks_set(&t->trusted, "sip", limits->trusted, limits->n_trusted);
}

bool hd_source_is_exempt(const struct source_table *t, const su_sockaddr_t *from)
{
	struct hd_address address;

	hd_address_set(&address, &from->su_sa);
	return hd_networks_have(&t->exempt, &address);
}

bool hd_source_is_trusted(const struct source_table *t, uint8_t family, const uint8_t *bytes)
{
	struct hd_address address = { .family = family };

	memcpy(address.bytes, bytes, family == 4 ? 4 : 16);
	return hd_networks_have(&t->trusted, &address);
}

bool hd_msg_is_trusted(struct hd_agent *agent, const struct hd_msg *msg)
{
	struct hd_address address;

	hd_address_set(&address, &msg_addr(msg_of(msg))->su_sa);
	return hd_networks_have(&agent->sources->trusted, &address);
}

bool hd_source_allow(struct source_table *t, const su_sockaddr_t *from, int64_t mono_ms)
{
	struct hd_address address;

	if (t->rate == 0 || hd_source_is_exempt(t, from))
		return true;
	hd_address_set(&address, &from->su_sa);
	return hd_buckets_take(t->buckets, &address, mono_ms);
}
