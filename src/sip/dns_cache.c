/* dns_cache.c - answers of DNS servers as long as they are good, and who waits for them; see dns.h.
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "dns.h"
#include "hotdesk/base/str.h"

enum { FAILURE_S = 5 };

struct key {
	uint16_t type;
	char name[DNS_NAME_SIZE]; /* lower case, the rest zero */
};

struct dns_entry {
	struct key key;
	bool asking;  /* no answer yet */
	bool telling; /* its waiters are being told */
	int64_t until_ms;
	struct dns_answer answer;
	struct dns_record *records; /* owned */
	struct dns_waiter *waiters;
	struct dns_entry *dead; /* removed, to be freed with this one */
	UT_hash_handle hh;
};

struct dns_cache {
	const struct hd_clock *clock;
	dns_ask_fn *ask;
	void *arg;
	struct dns_limits limits;
	uint32_t asking;
	struct dns_entry *entries; /* the oldest in front */
};

int dns_cache_new(struct dns_cache **cp, const struct hd_clock *clock, dns_ask_fn *ask, void *arg)
{
	struct dns_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return HD_ENOMEM;
	cache->clock = clock;
	cache->ask = ask;
	cache->arg = arg;
	*cp = cache;
	return 0;
}

static void entry_free(struct dns_entry *e)
{
	free(e->records);
	free(e);
}

static void entry_remove(struct dns_cache *cache, struct dns_entry *e)
{
	HASH_DEL(cache->entries, e);
	entry_free(e);
}

void dns_cache_free(struct dns_cache *cache)
{
	struct dns_entry *e, *next;

	if (!cache)
		return;
	e = cache->entries;
	HASH_CLEAR(hh, cache->entries);
	for (; e; e = next) {
		next = e->hh.next;
		entry_free(e);
	}
	free(cache);
}

void dns_cache_set_limits(struct dns_cache *cache, const struct dns_limits *limits)
{
	cache->limits = *limits;
}

static int key_set(struct key *key, const char *name, enum dns_type type)
{
	int err;

	memset(key, 0, sizeof(*key));
	key->type = (uint16_t)type;
	err = hd_str_set(key->name, sizeof(key->name), name);
	for (char *c = key->name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return err;
}

/* Those that nobody waits for go, the oldest first, until there is room for one more. */
static void make_room(struct dns_cache *cache)
{
	struct dns_entry *e, *next, *dead = NULL;
	size_t n = HASH_COUNT(cache->entries);

	HASH_ITER (hh, cache->entries, e, next) {
		if (n < cache->limits.entries_max)
			break;
		if (e->asking || e->telling)
			continue;
		HASH_DEL(cache->entries, e);
		e->dead = dead;
		dead = e;
		n--;
	}
	for (; dead; dead = next) {
		next = dead->dead;
		entry_free(dead);
	}
}

static int entry_ask(struct dns_cache *cache, const struct key *key, struct dns_waiter *waiter)
{
	struct dns_entry *e;
	int err;

	if (cache->asking >= cache->limits.queries_max)
		return HD_EBUSY;
	make_room(cache);
	e = calloc(1, sizeof(*e));
	if (!e)
		return HD_ENOMEM;
	e->key = *key;
	e->asking = true;
	cache->asking++;
	HASH_ADD(hh, cache->entries, key, sizeof(e->key), e);
	waiter->entry = e;
	DL_APPEND(e->waiters, waiter);
	err = cache->ask(cache->arg, e->key.name, (enum dns_type)key->type, e);
	if (err) {
		waiter->entry = NULL;
		cache->asking--;
		entry_remove(cache, e);
	}
	return err;
}

int dns_cache_ask(struct dns_cache *cache, const char *name, enum dns_type type,
		  struct dns_waiter *waiter)
{
	struct dns_entry *e;
	struct key key;

	if (!dns_name_is_sound(name) || key_set(&key, name, type))
		return HD_EINVAL;
	HASH_FIND(hh, cache->entries, &key, sizeof(key), e);
	if (e && !e->asking && !e->telling && e->until_ms <= hd_clock_mono_ms(cache->clock)) {
		entry_remove(cache, e);
		e = NULL;
	}
	if (!e)
		return entry_ask(cache, &key, waiter);
	if (e->asking) {
		waiter->entry = e;
		DL_APPEND(e->waiters, waiter);
	} else {
		waiter->fn(waiter, &e->answer);
	}
	return 0;
}

void dns_waiter_cancel(struct dns_waiter *waiter)
{
	if (waiter->entry)
		DL_DELETE(waiter->entry->waiters, waiter);
	waiter->entry = NULL;
}

static uint32_t kept_s(const struct dns_cache *cache, const struct dns_answer *answer)
{
	const struct dns_limits *l = &cache->limits;

	if (!answer->err)
		return answer->ttl_s < l->ttl_max_s ? answer->ttl_s : l->ttl_max_s;
	if (answer->err != HD_ENOENT || answer->ttl_s == 0)
		return l->negative_s < FAILURE_S ? l->negative_s : FAILURE_S;
	return answer->ttl_s < l->negative_s ? answer->ttl_s : l->negative_s;
}

static void keep(struct dns_cache *cache, struct dns_entry *e, const struct dns_answer *answer)
{
	e->answer = *answer;
	e->answer.records = NULL;
	e->answer.n = 0;
	if (answer->n) {
		e->records = calloc(answer->n, sizeof(*e->records));
		if (e->records) {
			memcpy(e->records, answer->records, answer->n * sizeof(*e->records));
			e->answer.records = e->records;
			e->answer.n = answer->n;
		} else {
			e->answer.err = HD_ESYSTEM;
		}
	}
	e->answer.ttl_s = kept_s(cache, &e->answer);
	e->until_ms = hd_clock_mono_ms(cache->clock) + (int64_t)e->answer.ttl_s * 1000;
}

void dns_cache_answer(struct dns_cache *cache, struct dns_entry *e, const struct dns_answer *answer)
{
	struct dns_waiter *waiter;

	keep(cache, e, answer);
	e->asking = false;
	e->telling = true;
	cache->asking--;
	while ((waiter = e->waiters)) {
		dns_waiter_cancel(waiter);
		waiter->fn(waiter, &e->answer);
	}
	e->telling = false;
}
