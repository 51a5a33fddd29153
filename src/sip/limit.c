/*
 * limit.c - how many requests a second one source may send: a token bucket per IPv4 /32 or IPv6
 * /64.
 *
 * A fixed table, so that a flood from many addresses cannot eat memory: an address whose slots are
 * all taken by busier ones takes over the one that was idle longest.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "sip_priv.h"

enum { TABLE_SIZE = 16384, WAYS = 4, NETWORKS_MAX = 64 };

struct bucket {
	uint64_t address;
	int64_t at_ms;
	uint32_t milli_tokens;
	bool used;
};

struct network {
	uint8_t bytes[16];
	uint8_t family;
	uint8_t bits;
};

struct source_table {
	struct bucket buckets[TABLE_SIZE];
	struct network exempt[NETWORKS_MAX], trusted[NETWORKS_MAX];
	size_t n_exempt, n_trusted;
	uint32_t rate, burst;
	uint64_t seed; /* so that nobody can choose colliding addresses */
};

struct source_table *hd_source_table_new(void)
{
	struct source_table *t = calloc(1, sizeof(*t));

	if (t)
		hd_random_bytes(&t->seed, sizeof(t->seed));
	return t;
}

void hd_source_table_free(struct source_table *t)
{
	free(t);
}

static int network_parse(struct network *net, const char *text)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	struct hd_slice part = { text, slash ? (size_t)(slash - text) : strlen(text) };
	uint64_t bits;

	if (hd_str_copy(host, sizeof(host), part))
		return HD_EPARSE;
	memset(net, 0, sizeof(*net));
	net->family = strchr(host, ':') ? 6 : 4;
	if (inet_pton(net->family == 6 ? AF_INET6 : AF_INET, host, net->bytes) != 1)
		return HD_EPARSE;
	bits = net->family == 6 ? 128 : 32;
	if (slash && hd_u64_parse(&bits, hd_slice_of(slash + 1), bits))
		return HD_EPARSE;
	net->bits = (uint8_t)bits;
	return 0;
}

static size_t networks_parse(struct network *nets, const char *const *texts, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n && used < NETWORKS_MAX; i++) {
		if (network_parse(&nets[used], texts[i]))
			hd_warn("sip", "%s: not a network, left out", texts[i]);
		else
			used++;
	}
	return used;
}

void hd_source_table_set(struct source_table *t, const struct hd_agent_limits *limits)
{
	t->rate = limits->source_rate;
	t->burst = limits->source_burst ? limits->source_burst : limits->source_rate;
	t->n_exempt = networks_parse(t->exempt, limits->source_exempt, limits->n_source_exempt);
	t->n_trusted = networks_parse(t->trusted, limits->trusted, limits->n_trusted);
}

static bool network_has(const struct network *net, uint8_t family, const uint8_t *bytes)
{
	size_t whole = net->bits / 8, rest = net->bits % 8;

	if (net->family != family || memcmp(net->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || (net->bytes[whole] >> (8 - rest)) == (bytes[whole] >> (8 - rest));
}

static struct bucket *bucket_of(struct source_table *t, uint64_t address)
{
	uint64_t hash = (address ^ t->seed) * UINT64_C(0x9E3779B97F4A7C15);
	struct bucket *set = &t->buckets[(hash >> 40) % (TABLE_SIZE / WAYS) * WAYS];
	struct bucket *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].address == address)
			return &set[i];
		if (!set[i].used || (oldest->used && set[i].at_ms < oldest->at_ms))
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

/* @return the family, 4 or 6 */
static uint8_t address_of(uint8_t bytes[16], const su_sockaddr_t *from)
{
	bool mapped = from->su_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from->su_sin6.sin6_addr);

	memset(bytes, 0, 16);
	if (mapped)
		memcpy(bytes, from->su_sin6.sin6_addr.s6_addr + 12, 4);
	else if (from->su_family == AF_INET6)
		memcpy(bytes, &from->su_sin6.sin6_addr, 16);
	else
		memcpy(bytes, &from->su_sin.sin_addr, 4);
	return from->su_family == AF_INET6 && !mapped ? 6 : 4;
}

bool hd_source_is_exempt(const struct source_table *t, const su_sockaddr_t *from)
{
	uint8_t bytes[16];
	uint8_t family = address_of(bytes, from);

	for (size_t i = 0; i < t->n_exempt; i++)
		if (network_has(&t->exempt[i], family, bytes))
			return true;
	return false;
}

bool hd_source_is_trusted(const struct source_table *t, uint8_t family, const uint8_t *bytes)
{
	for (size_t i = 0; i < t->n_trusted; i++)
		if (network_has(&t->trusted[i], family, bytes))
			return true;
	return false;
}

bool hd_msg_is_trusted(struct hd_agent *agent, const struct hd_msg *msg)
{
	uint8_t bytes[16];
	uint8_t family = address_of(bytes, msg_addr(msg_of(msg)));

	return hd_source_is_trusted(agent->sources, family, bytes);
}

bool hd_source_allow(struct source_table *t, const su_sockaddr_t *from, int64_t mono_ms)
{
	uint8_t bytes[16];
	uint64_t address, refill, full = (uint64_t)t->burst * 1000;
	struct bucket *b;

	if (t->rate == 0 || hd_source_is_exempt(t, from))
		return true;
	address_of(bytes, from);
	memcpy(&address, bytes, sizeof(address));
	b = bucket_of(t, address);
	if (!b->used) {
		b->used = true;
		b->address = address;
		b->milli_tokens = (uint32_t)full;
		b->at_ms = mono_ms;
	}
	refill = (uint64_t)(mono_ms > b->at_ms ? mono_ms - b->at_ms : 0) * t->rate;
	b->milli_tokens =
		(uint32_t)(b->milli_tokens + refill > full ? full : b->milli_tokens + refill);
	b->at_ms = mono_ms;
	if (b->milli_tokens < 1000)
		return false;
	b->milli_tokens -= 1000;
	return true;
}
