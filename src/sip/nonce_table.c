/*
 * nonce_table.c - the counts that were used with each nonce; see digest_priv.h.
 *
 * Sets of eight entries, chosen by the nonce's random id: no chains, no allocation, eviction by a
 * look at eight entries. The ids are ours and authenticated, so nobody can aim at a set.
 */
#include <stdlib.h>

#include "digest_priv.h"

enum { WAYS = 8, SETS_MAX = 1 << 20 };

struct entry {
	uint64_t id;
	uint64_t seen;	      /* bit i: count_max - i */
	uint32_t minted_at_s; /* 0: free */
	uint32_t count_max;
	uint32_t requests[HD_NONCE_REPEATS]; /* of the last counts, at count % HD_NONCE_REPEATS */
};

struct hd_nonce_table {
	struct entry *entries;
	uint32_t sets;	      /* a power of two */
	uint32_t forgotten_s; /* the youngest live nonce that was evicted */
};

int hd_nonce_table_new(struct hd_nonce_table **tp, uint32_t max)
{
	struct hd_nonce_table *t;
	uint32_t sets = 1;

	while (sets < SETS_MAX && sets * WAYS < max)
		sets *= 2;

	t = calloc(1, sizeof(*t));
	if (!t)
		return HD_ENOMEM;
	t->sets = sets;
	t->entries = calloc((size_t)sets * WAYS, sizeof(*t->entries));
	if (!t->entries) {
		free(t);
		return HD_ENOMEM;
	}

	*tp = t;
	return 0;
}

void hd_nonce_table_free(struct hd_nonce_table *t)
{
	if (!t)
		return;

	free(t->entries);
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

enum hd_nonce_use hd_nonce_table_use(struct hd_nonce_table *t, const struct hd_nonce *nonce,
				     uint32_t count, uint32_t request, uint32_t dead_s)
{
	struct entry *set = &t->entries[(nonce->id & (t->sets - 1)) * WAYS];
	struct entry *oldest = set;

	for (struct entry *e = set; e < set + WAYS; e++) {
		if (e->minted_at_s == nonce->minted_at_s && e->id == nonce->id)
			return use_again(e, count, request);
		if (e->minted_at_s < oldest->minted_at_s)
			oldest = e;
	}
	if (nonce->minted_at_s <= t->forgotten_s)
		return HD_NONCE_FORGOTTEN;

	if (oldest->minted_at_s >= dead_s && oldest->minted_at_s > t->forgotten_s)
		t->forgotten_s = oldest->minted_at_s;
	*oldest = (struct entry){
		.id = nonce->id,
		.seen = 1,
		.minted_at_s = nonce->minted_at_s,
		.count_max = count,
	};
	oldest->requests[count % HD_NONCE_REPEATS] = request;
	return HD_NONCE_FRESH;
}
