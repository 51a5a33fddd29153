/*
 * nonce_table.c - the counts that were used with each nonce; see digest_priv.h.
 *
 * A hash table whose least recently used entry makes room. So a busy table forgets the nonces of
 * phones that are silent, and one that answers at once is never asked twice. The ids are ours and
 * authenticated, so nobody can aim at a chain.
 */
#include <stdlib.h>

#include "digest_priv.h"

enum { ENTRIES_MIN = 8, ENTRIES_MAX = 1 << 23 };

struct entry {
	uint64_t id;
	uint64_t seen;	      /* bit i: count_max - i */
	uint32_t minted_at_s; /* 0: free */
	uint32_t count_max;
	uint32_t requests[HD_NONCE_REPEATS]; /* of the last counts, at count % HD_NONCE_REPEATS */
	uint32_t next;			     /* in its chain: index + 1, 0 ends */
	uint32_t older, newer;		     /* by last use: indexes, in a ring */
};

struct hd_nonce_table {
	struct entry *entries;
	uint32_t *chains;     /* index + 1 of the first, 0: empty */
	uint32_t size;	      /* of both, a power of two */
	uint32_t oldest;      /* of the ring: the next to go */
	uint32_t forgotten_s; /* the youngest live nonce that was evicted */
};

int hd_nonce_table_new(struct hd_nonce_table **tp, uint32_t max)
{
	struct hd_nonce_table *t;
	uint32_t size = ENTRIES_MIN;

	while (size < ENTRIES_MAX && size < max)
		size *= 2;

	t = calloc(1, sizeof(*t));
	if (!t)
		return HD_ENOMEM;
	t->size = size;
	t->entries = calloc(size, sizeof(*t->entries));
	t->chains = calloc(size, sizeof(*t->chains));
	if (!t->entries || !t->chains) {
		hd_nonce_table_free(t);
		return HD_ENOMEM;
	}

	for (uint32_t i = 0; i < size; i++) {
		t->entries[i].older = (i - 1) & (size - 1);
		t->entries[i].newer = (i + 1) & (size - 1);
	}
	*tp = t;
	return 0;
}

void hd_nonce_table_free(struct hd_nonce_table *t)
{
	if (!t)
		return;

	free(t->entries);
	free(t->chains);
	free(t);
}

static enum hd_nonce_use use_again(struct entry *e, uint32_t count, uint32_t request)
{
	uint32_t behind;

	if (count > e->count_max) {
		behind = count - e->count_max;
		e->seen = behind < HD_NONCE_WINDOW ? e->seen << behind | 1 : 1;
		e->count_max = count;
		e->requests[count % HD_NONCE_REPEATS] = request;
		return HD_NONCE_FRESH;
	}

	behind = e->count_max - count;
	if (behind >= HD_NONCE_WINDOW)
		return HD_NONCE_SEEN;
	if (e->seen >> behind & 1) {
		if (behind < HD_NONCE_REPEATS && e->requests[count % HD_NONCE_REPEATS] == request)
			return HD_NONCE_SAME;
		return HD_NONCE_SEEN;
	}

	e->seen |= UINT64_C(1) << behind;
	if (behind < HD_NONCE_REPEATS)
		e->requests[count % HD_NONCE_REPEATS] = request;
	return HD_NONCE_FRESH;
}

static uint32_t *chain_of(struct hd_nonce_table *t, uint64_t id)
{
	return &t->chains[id & (t->size - 1)];
}

static void unlink_entry(struct hd_nonce_table *t, uint32_t number)
{
	uint32_t *p = chain_of(t, t->entries[number - 1].id);

	while (*p && *p != number)
		p = &t->entries[*p - 1].next;
	if (*p)
		*p = t->entries[number - 1].next;
}

/* The newest stands before the oldest. */
static void make_newest(struct hd_nonce_table *t, uint32_t index)
{
	struct entry *e = &t->entries[index], *oldest;

	if (index == t->oldest) {
		t->oldest = e->newer;
		return;
	}
	t->entries[e->older].newer = e->newer;
	t->entries[e->newer].older = e->older;
	oldest = &t->entries[t->oldest];
	e->older = oldest->older;
	e->newer = t->oldest;
	t->entries[e->older].newer = index;
	oldest->older = index;
}

/* Takes the oldest entry out of its chain. @return its index */
static uint32_t evict(struct hd_nonce_table *t, uint32_t dead_s)
{
	const struct entry *e = &t->entries[t->oldest];

	if (e->minted_at_s) {
		unlink_entry(t, t->oldest + 1);
		if (e->minted_at_s >= dead_s && e->minted_at_s > t->forgotten_s)
			t->forgotten_s = e->minted_at_s;
	}
	return t->oldest;
}

enum hd_nonce_use hd_nonce_table_use(struct hd_nonce_table *t, const struct hd_nonce *nonce,
				     uint32_t count, uint32_t request, uint32_t dead_s)
{
	uint32_t *chain = chain_of(t, nonce->id);
	struct entry *e;
	uint32_t index;

	for (uint32_t i = *chain; i; i = e->next) {
		e = &t->entries[i - 1];
		if (e->id == nonce->id && e->minted_at_s == nonce->minted_at_s) {
			make_newest(t, i - 1);
			return use_again(e, count, request);
		}
	}
	if (nonce->minted_at_s <= t->forgotten_s)
		return HD_NONCE_FORGOTTEN;

	index = evict(t, dead_s);
	e = &t->entries[index];
	e->id = nonce->id;
	e->seen = 1;
	e->minted_at_s = nonce->minted_at_s;
	e->count_max = count;
	e->requests[count % HD_NONCE_REPEATS] = request;
	e->next = *chain;
	*chain = index + 1;
	make_newest(t, index);
	return HD_NONCE_FRESH;
}
