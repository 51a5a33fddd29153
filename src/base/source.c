/* source.c - see source.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/base/source.h"
#include "hotdesk/base/str.h"

enum { TABLE_SIZE = 16384, WAYS = 4, TOKEN = 1000000000 };

/* ---- addresses and networks ------------------------------------------------------------------ */

void hd_address_set(struct hd_address *address, const struct sockaddr *from)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	memset(address, 0, sizeof(*address));
	if (from->sa_family == AF_INET) {
		memcpy(&sin, from, sizeof(sin));
		address->family = 4;
		memcpy(address->bytes, &sin.sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		memcpy(&sin6, from, sizeof(sin6));
		address->family = IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr) ? 4 : 6;
		if (address->family == 4)
			memcpy(address->bytes, sin6.sin6_addr.s6_addr + 12, 4);
		else
			memcpy(address->bytes, &sin6.sin6_addr, 16);
	}
}

int hd_network_parse(struct hd_network *net, const char *text)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	struct hd_slice part = { text, slash ? (size_t)(slash - text) : strlen(text) };
	uint64_t bits;

	if (hd_str_copy(host, sizeof(host), part))
		return HD_EPARSE;
	memset(net, 0, sizeof(*net));
	net->address.family = strchr(host, ':') ? 6 : 4;
	if (inet_pton(net->address.family == 6 ? AF_INET6 : AF_INET, host, net->address.bytes) != 1)
		return HD_EPARSE;
	bits = net->address.family == 6 ? 128 : 32;
	if (slash && hd_u64_parse(&bits, hd_slice_of(slash + 1), bits))
		return HD_EPARSE;
	net->bits = (uint8_t)bits;
	return 0;
}

void hd_networks_set(struct hd_networks *networks, const char *subsystem, const char *const *texts,
		     size_t n)
{
	networks->n = 0;
	for (size_t i = 0; i < n && networks->n < HD_NETWORKS_MAX; i++) {
		if (hd_network_parse(&networks->nets[networks->n], texts[i]))
			hd_warn(subsystem, "%s: not a network, left out", texts[i]);
		else
			networks->n++;
	}
}

static bool network_has(const struct hd_network *net, const struct hd_address *address)
{
	size_t whole = net->bits / 8, rest = net->bits % 8;

	if (net->address.family != address->family ||
	    memcmp(net->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       (net->address.bytes[whole] >> (8 - rest)) == (address->bytes[whole] >> (8 - rest));
}

bool hd_networks_have(const struct hd_networks *networks, const struct hd_address *address)
{
	for (size_t i = 0; i < networks->n; i++)
		if (network_has(&networks->nets[i], address))
			return true;
	return false;
}

/* ---- token buckets --------------------------------------------------------------------------- */

struct bucket {
	uint64_t source;
	int64_t at_ms;
	uint64_t tokens; /* in thousand millionths */
	bool used;
};

struct hd_buckets {
	struct bucket buckets[TABLE_SIZE];
	uint64_t per_ms, full;
	uint64_t seed; /* so that nobody can choose colliding addresses */
};

struct hd_buckets *hd_buckets_new(void)
{
	struct hd_buckets *b = calloc(1, sizeof(*b));

	if (b)
		hd_random_bytes(&b->seed, sizeof(b->seed));
	return b;
}

void hd_buckets_free(struct hd_buckets *b)
{
	free(b);
}

void hd_buckets_set(struct hd_buckets *b, uint32_t amount, uint32_t period_ms, uint32_t burst)
{
	b->per_ms = (uint64_t)amount * TOKEN / (period_ms ? period_ms : 1);
	/* What is very slow is not without limit. */
	if (amount && !b->per_ms)
		b->per_ms = 1;
	b->full = (uint64_t)(burst ? burst : amount) * TOKEN;
}

static struct bucket *bucket_of(struct hd_buckets *b, uint64_t source)
{
	uint64_t hash = (source ^ b->seed) * UINT64_C(0x9E3779B97F4A7C15);
	struct bucket *set = &b->buckets[(hash >> 40) % (TABLE_SIZE / WAYS) * WAYS];
	struct bucket *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].source == source)
			return &set[i];
		if (!set[i].used || (oldest->used && set[i].at_ms < oldest->at_ms))
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

/* The bucket with what has run in since it was looked at last. */
static struct bucket *bucket_fill(struct hd_buckets *b, const struct hd_address *address,
				  int64_t mono_ms)
{
	uint64_t source, passed_ms, refill;
	struct bucket *bucket;

	memcpy(&source, address->bytes, sizeof(source));
	bucket = bucket_of(b, source);
	if (!bucket->used) {
		bucket->used = true;
		bucket->source = source;
		bucket->tokens = b->full;
		bucket->at_ms = mono_ms;
	}
	passed_ms = mono_ms > bucket->at_ms ? (uint64_t)(mono_ms - bucket->at_ms) : 0;
	refill = passed_ms > b->full / b->per_ms ? b->full : passed_ms * b->per_ms;
	bucket->tokens = bucket->tokens + refill > b->full ? b->full : bucket->tokens + refill;
	bucket->at_ms = mono_ms;
	return bucket;
}

bool hd_buckets_have(struct hd_buckets *b, const struct hd_address *address, int64_t mono_ms)
{
	return !b->per_ms || bucket_fill(b, address, mono_ms)->tokens >= TOKEN;
}

bool hd_buckets_take(struct hd_buckets *b, const struct hd_address *address, int64_t mono_ms)
{
	struct bucket *bucket;

	if (!b->per_ms)
		return true;
	bucket = bucket_fill(b, address, mono_ms);
	if (bucket->tokens < TOKEN)
		return false;
	bucket->tokens -= TOKEN;
	return true;
}

void hd_buckets_give(struct hd_buckets *b, const struct hd_address *address, int64_t mono_ms)
{
	struct bucket *bucket;

	if (!b->per_ms)
		return;
	bucket = bucket_fill(b, address, mono_ms);
	bucket->tokens = bucket->tokens + TOKEN > b->full ? b->full : bucket->tokens + TOKEN;
}
