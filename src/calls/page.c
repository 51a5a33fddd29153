/* page.c - call lists: reading and removing; see hotdesk/calls.h. */
#include <string.h>

#include "calls_priv.h"

/* Everything with a greater key is of this owner and began before `until`, or of another owner. */
static struct hd_slice begin_key(uint8_t key[HD_CALLS_KEY_MAX], const struct hd_calls_query *query)
{
	static const uint8_t last[HASH_IN_KEY] = { 0xff, 0xff, 0xff, 0xff };
	size_t n;

	if (query->after.len)
		return query->after;
	if (!query->owner || !*query->owner)
		return (struct hd_slice){ NULL, 0 };
	if (query->until_ms > 0)
		n = calls_key(key, query->owner, query->until_ms, last);
	else
		n = strlen(query->owner) + 1, memcpy(key, query->owner, n);
	return (struct hd_slice){ (const char *)key, n };
}

static bool is_of(struct hd_slice key, const char *owner)
{
	return !owner || !*owner ||
	       (calls_key_owner(key) == strlen(owner) &&
		memcmp(key.ptr, owner, strlen(owner)) == 0);
}

static bool fits(const struct hd_calls_query *query, const struct hd_calls_entry *entry)
{
	if (query->kinds && !(query->kinds & 1U << entry->kind))
		return false;
	if (entry->started_ms < query->from_ms ||
	    (query->until_ms > 0 && entry->started_ms >= query->until_ms))
		return false;
	if (query->shown && entry->hidden)
		return false;
	return !query->phone || !*query->phone || strcmp(query->phone, entry->phone) == 0;
}

static int take(struct hd_calls_entry *entry, struct hd_slice key, struct hd_slice value)
{
	size_t n = calls_key_owner(key);

	memset(entry, 0, sizeof(*entry));
	if (n == 0)
		return HD_ECORRUPT;
	memcpy(entry->owner, key.ptr, n);
	memcpy(entry->key, key.ptr, key.len);
	entry->key_len = key.len;
	return calls_entry_decode(entry, value);
}

int hd_calls_page(struct hd_calls *calls, struct hd_txn *txn, const struct hd_calls_query *query,
		  struct hd_calls_entry *entries, size_t *np)
{
	uint8_t begin[HD_CALLS_KEY_MAX];
	bool one = query->owner && *query->owner;
	struct hd_slice key, value, after;
	size_t n = 0, room = *np;
	int err = 0;

	*np = 0;
	if (one && strlen(query->owner) >= HD_CALLS_OWNER_SIZE)
		return 0;
	after = begin_key(begin, query);
	for (uint32_t looks = 0; n < room && (!query->looks || looks < query->looks); looks++) {
		err = hd_txn_next(txn, calls->entries, after, &key, &value);
		if ((err && err != HD_ECORRUPT) || !is_of(key, query->owner))
			break;
		after = key;
		if (one && calls_key_time(key) < query->from_ms)
			break;
		if (!err && !take(&entries[n], key, value) && fits(query, &entries[n]))
			n++;
	}
	*np = n;
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

int calls_count(struct hd_calls *calls, struct hd_txn *txn, const struct hd_calls_query *query,
		uint32_t *np)
{
	uint8_t begin[HD_CALLS_KEY_MAX];
	struct hd_calls_entry entry;
	struct hd_slice key, value, after = begin_key(begin, query);
	uint32_t n = 0, enough = *np;
	int err = 0;

	for (uint32_t looks = 0; n < enough && (!query->looks || looks < query->looks); looks++) {
		err = hd_txn_next(txn, calls->entries, after, &key, &value);
		if ((err && err != HD_ECORRUPT) || !is_of(key, query->owner))
			break;
		after = key;
		if (!err && !take(&entry, key, value) && fits(query, &entry))
			n++;
	}
	*np = n;
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

int hd_calls_remove(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
		    uint64_t *removedp)
{
	uint8_t begin[HD_CALLS_KEY_MAX], gone[HD_CALLS_KEY_MAX];
	const struct hd_calls_query query = { .owner = owner };
	struct hd_slice key, value, after;
	uint64_t removed = 0;
	int err;

	if (!*owner || strlen(owner) >= HD_CALLS_OWNER_SIZE)
		return 0;
	after = begin_key(begin, &query);
	while (!(err = hd_txn_next(txn, calls->entries, after, &key, &value)) ||
	       err == HD_ECORRUPT) {
		if (!is_of(key, owner))
			break;
		memcpy(gone, key.ptr, key.len);
		err = hd_txn_del(txn, calls->entries, (struct hd_slice){ (char *)gone, key.len });
		if (err)
			return err;
		removed++;
	}
	if (removedp)
		*removedp = removed;
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	return calls_unseen_forget(calls, txn, owner, NULL);
}

/* ---- retention ------------------------------------------------------------------------------ */

static void find(struct hd_calls_sweep *sweep, struct hd_slice key)
{
	const struct hd_slice at = { (const char *)sweep->at, sweep->at_len };
	size_t owner = calls_key_owner(key);

	if (at.len && owner == calls_key_owner(at) && memcmp(at.ptr, key.ptr, owner) == 0)
		sweep->rank++;
	else
		sweep->rank = 1;
	memcpy(sweep->at, key.ptr, key.len);
	sweep->at_len = key.len;
	if (owner && calls_key_time(key) >= sweep->older_than_ms && sweep->rank <= sweep->max)
		return;
	memcpy(sweep->keys[sweep->n], key.ptr, key.len);
	sweep->lens[sweep->n++] = key.len;
}

int hd_calls_look(struct hd_txn *txn, struct hd_calls_sweep *sweep)
{
	struct hd_slice key, value;
	int err = 0;

	sweep->n = 0;
	for (uint32_t i = 0; i < sweep->looks && sweep->n < HD_CALLS_SWEEP_MAX; i++) {
		const struct hd_slice at = { (const char *)sweep->at, sweep->at_len };

		err = hd_txn_next(txn, sweep->calls->entries, at, &key, &value);
		if (err && err != HD_ECORRUPT)
			break;
		if (key.len > sizeof(sweep->at))
			return HD_ECORRUPT;
		find(sweep, key);
		err = 0;
	}
	if (err == HD_ENOENT)
		sweep->at_len = 0; /* from the start again */
	return err == HD_ENOENT ? 0 : err;
}

int hd_calls_sweep(struct hd_txn *txn, void *arg)
{
	const struct hd_calls_sweep *sweep = arg;
	int err = 0;

	for (size_t i = 0; !err && i < sweep->n; i++) {
		err = hd_txn_del(txn, sweep->calls->entries,
				 (struct hd_slice){ (const char *)sweep->keys[i], sweep->lens[i] });
		if (err == HD_ENOENT)
			err = 0;
	}
	return err;
}
