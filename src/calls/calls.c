/* calls.c - call lists: writing them; see hotdesk/calls.h. */
#include <stdlib.h>
#include <string.h>

#include "calls_priv.h"
#include "hotdesk/base/log.h"

const char *hd_call_kind_name(enum hd_call_kind kind)
{
	static const char *const names[] = {
#define NAME(n, s) s,
		HD_CALL_KIND_LIST(NAME)
#undef NAME
	};

	return names[kind];
}

int hd_calls_new(struct hd_calls **cp, struct hd_store *store)
{
	struct hd_calls *calls = calloc(1, sizeof(*calls));
	int err;

	if (!calls)
		return HD_ENOMEM;
	err = hd_store_table(store, "call", &calls->entries);
	if (!err)
		err = hd_store_table(store, "call_open", &calls->open);
	if (!err)
		err = hd_store_table(store, "call_unseen", &calls->unseen);
	if (err)
		free(calls);
	else
		*cp = calls;
	return err;
}

void hd_calls_free(struct hd_calls *calls)
{
	free(calls);
}

/* ---- entries of a call ---------------------------------------------------------------------- */

/* Clocks jump: no time is before the begin, none is longer than fits. */
static uint32_t between(int64_t from_ms, int64_t to_ms, int64_t unit_ms)
{
	int64_t n = from_ms && to_ms > from_ms ? (to_ms - from_ms) / unit_ms : 0;

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void fill_times(struct hd_calls_entry *entry, const struct hd_calls_record *r)
{
	int64_t rang_until = r->answered_ms ? r->answered_ms : r->ended_ms;

	entry->started_ms = r->started_ms > 0 ? r->started_ms : 0;
	entry->answered = r->answered_ms != 0;
	entry->ring_ms = between(r->ringing_ms, rang_until, 1);
	entry->duration_s = between(r->answered_ms, r->ended_ms, 1000);
	entry->incomplete = !r->ended_ms;
	entry->status = r->status > 0 && r->status < 700 ? r->status : 0;
	entry->cause = r->cause > 0 && r->cause < 128 ? r->cause : 0;
	entry->withheld = r->withheld;
	entry->elsewhere = r->elsewhere;
	memcpy(entry->forwarded_by, r->forwarded_by, sizeof(entry->forwarded_by));
}

static bool is_missed(const struct hd_calls_entry *entry)
{
	return entry->kind == HD_CALL_MISSED && !entry->hidden;
}

/* A call that is told twice, or completed after a crash, has been counted. */
static int count_missed(struct hd_calls *calls, struct hd_txn *txn, struct hd_slice key,
			const struct hd_calls_entry *entry, bool *newp)
{
	struct hd_calls_entry before = { 0 };
	struct hd_slice value;
	int err = hd_txn_get(txn, calls->entries, key, &value);
	bool was, is = is_missed(entry);

	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	was = !err && !calls_entry_decode(&before, value) && is_missed(&before);
	*newp = is && !was;
	return is == was ? 0
			 : calls_unseen_add(calls, txn, entry->owner, entry->phone, is ? 1 : -1);
}

/* @param newp receives whether it is a missed call that was not there; NULL: it is none */
static int put_entry(const struct hd_calls_batch *batch, struct hd_txn *txn,
		     struct hd_calls_entry *entry, const struct hd_calls_record *r, bool *newp)
{
	uint8_t bytes[HD_CALLS_KEY_MAX], record_bytes[CALLS_RECORD_MAX];
	struct hd_slice key = { (const char *)bytes, 0 }, record;
	struct hd_encoder e;
	int err = 0;

	key.len = calls_key(bytes, entry->owner, r->started_ms, r->hash);
	if (key.len == 0)
		return 0;
	entry->hidden = batch->is_off && batch->is_off(batch->arg, txn, entry->owner);
	/* One that was answered may have been missed before in one that is learned again only. */
	if (newp && (is_missed(entry) || r->learned))
		err = count_missed(batch->calls, txn, key, entry, newp);
	hd_encoder_init(&e, record_bytes, sizeof(record_bytes), CALLS_ENTRY_VERSION);
	if (!err)
		err = calls_entry_encode(&e, entry, &record);
	return err ? err : hd_txn_put(txn, batch->calls->entries, key, record);
}

static int put_entries(const struct hd_calls_batch *batch, struct hd_txn *txn,
		       struct hd_calls_record *r)
{
	const struct hd_calls_side *caller = &r->caller, *callee = &r->callee;
	struct hd_calls_entry entry;
	int err;

	r->missed = false;
	memset(&entry, 0, sizeof(entry));
	fill_times(&entry, r);
	entry.kind = HD_CALL_DIALLED;
	memcpy(entry.owner, caller->owner, sizeof(entry.owner));
	memcpy(entry.phone, caller->phone, sizeof(entry.phone));
	memcpy(entry.number, callee->number, sizeof(entry.number));
	memcpy(entry.name, callee->name, sizeof(entry.name));
	memcpy(entry.identity, caller->number, sizeof(entry.identity));
	err = put_entry(batch, txn, &entry, r, NULL);
	/* Who calls the own number has one entry, that of the call. */
	if (err || strcmp(caller->owner, callee->owner) == 0)
		return err;
	entry.kind = entry.answered || entry.elsewhere ? HD_CALL_RECEIVED : HD_CALL_MISSED;
	memcpy(entry.owner, callee->owner, sizeof(entry.owner));
	memcpy(entry.phone, callee->phone, sizeof(entry.phone));
	memcpy(entry.number, caller->number, sizeof(entry.number));
	memcpy(entry.name, caller->name, sizeof(entry.name));
	memcpy(entry.identity, callee->number, sizeof(entry.identity));
	memcpy(entry.forwarded_to, r->forwarded_to, sizeof(entry.forwarded_to));
	if (r->withheld)
		entry.number[0] = entry.name[0] = '\0';
	return put_entry(batch, txn, &entry, r, &r->missed);
}

/* ---- commands ------------------------------------------------------------------------------- */

static struct hd_slice hash_key(const struct hd_calls_record *r)
{
	return (struct hd_slice){ (const char *)r->hash, HD_CALLS_HASH_BYTES };
}

static int put_open(struct hd_calls *calls, struct hd_txn *txn, const struct hd_calls_record *r,
		    bool closed)
{
	uint8_t bytes[CALLS_RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;
	int err;

	hd_encoder_init(&e, bytes, sizeof(bytes), CALLS_OPEN_VERSION);
	err = calls_record_encode(&e, r, closed, &record);
	return err ? err : hd_txn_put(txn, calls->open, hash_key(r), record);
}

/* @return 0; HD_ENOENT: nothing of it is known */
static int recall(struct hd_calls *calls, struct hd_txn *txn, struct hd_calls_record *r)
{
	struct hd_calls_record known = { 0 };
	struct hd_slice bytes;
	bool closed;
	int err = hd_txn_get(txn, calls->open, hash_key(r), &bytes);

	if (!err)
		err = calls_record_decode(&known, &closed, bytes);
	if (err)
		return err;
	memcpy(known.hash, r->hash, sizeof(known.hash));
	known.learned = r->learned;
	known.ended_ms = r->ended_ms;
	known.cause = r->cause;
	/* It is known to have been answered: requests inside it have passed. */
	if (!known.answered_ms && r->answered_ms)
		known.answered_ms = r->answered_ms;
	*r = known;
	return 0;
}

static int write_end(const struct hd_calls_batch *batch, struct hd_txn *txn,
		     struct hd_calls_record *end)
{
	struct hd_calls_record r = *end;
	int err = 0;

	if (r.learned)
		err = recall(batch->calls, txn, &r);
	if (!err)
		err = put_entries(batch, txn, &r);
	end->missed = !err && r.missed;
	if (err)
		return err == HD_ENOENT || err == HD_ECORRUPT || err == HD_EVERSION ? 0 : err;
	err = hd_txn_del(txn, batch->calls->open, hash_key(&r));
	return err == HD_ENOENT ? 0 : err;
}

int hd_calls_write(struct hd_txn *txn, void *arg)
{
	struct hd_calls_batch *batch = arg;
	int err = 0;

	for (size_t i = 0; !err && i < batch->n; i++) {
		struct hd_calls_record *r = &batch->records[i];

		r->missed = false;
		err = r->final ? write_end(batch, txn, r) : put_open(batch->calls, txn, r, false);
	}
	return err;
}

int hd_calls_close(struct hd_txn *txn, void *arg)
{
	uint8_t last[HD_CALLS_HASH_BYTES];
	struct hd_slice after = { NULL, 0 }, key, bytes;
	const struct hd_calls_batch *batch = arg;
	struct hd_calls *calls = batch->calls;
	struct hd_calls_record r;
	bool closed;
	int err;

	while (!(err = hd_txn_next(txn, calls->open, after, &key, &bytes)) || err == HD_ECORRUPT) {
		if (key.len != sizeof(last))
			return HD_ECORRUPT;
		memcpy(last, key.ptr, sizeof(last));
		after = (struct hd_slice){ (const char *)last, sizeof(last) };
		memset(&r, 0, sizeof(r));
		if (!err)
			err = calls_record_decode(&r, &closed, bytes);
		memcpy(r.hash, last, sizeof(r.hash));
		if (err) {
			hd_warn("calls", "a call that was in progress cannot be read: left out");
			err = hd_txn_del(txn, calls->open, after);
		} else if (closed) { /* in the life before that one: nobody ends it any more */
			err = hd_txn_del(txn, calls->open, after);
		} else {
			err = put_entries(batch, txn, &r);
			if (!err)
				err = put_open(calls, txn, &r, true);
		}
		if (err)
			return err;
	}
	return err == HD_ENOENT ? 0 : err;
}

int hd_calls_count(struct hd_calls *calls, struct hd_txn *txn, uint64_t *entriesp, uint64_t *openp)
{
	int err = hd_txn_count(txn, calls->entries, entriesp);

	return err ? err : hd_txn_count(txn, calls->open, openp);
}
