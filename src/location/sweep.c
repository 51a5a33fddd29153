/* sweep.c - removes what has expired, by the index; see hd_location_sweep(). */
#include <string.h>

#include "hotdesk/base/log.h"

#include "location_priv.h"

enum { EXPIRY_KEY_MIN = 9, EXPIRY_KEY_SIZE = 8 + HD_PHONE_ID_SIZE, KEY_SIZE = 512 };

static bool entry_is_sound(struct hd_slice key)
{
	return key.len >= EXPIRY_KEY_MIN && key.len < EXPIRY_KEY_SIZE;
}

/* The first entry of the index when it is due. @return 0, HD_ENOENT, or the store's error */
static int first_due(struct hd_location *loc, struct hd_txn *txn, int64_t now_ms,
		     struct hd_slice *keyp)
{
	struct hd_slice value;
	uint64_t at_ms;
	int err;

	err = hd_txn_next(txn, loc->expiries, (struct hd_slice){ NULL, 0 }, keyp, &value);
	/* The entry is its key; whether the empty value is damaged matters to nobody. */
	if (err && err != HD_ECORRUPT)
		return err;
	if (!entry_is_sound(*keyp))
		return 0;

	at_ms = hd_key_get_u64((const uint8_t *)keyp->ptr);
	return now_ms >= 0 && at_ms <= (uint64_t)now_ms ? 0 : HD_ENOENT;
}

/* Drops the expired bindings behind one entry, and the entry with them. */
static int sweep_one(struct hd_txn *txn, struct hd_location_sweep *sweep, struct hd_slice entry)
{
	struct hd_binding items[HD_BINDINGS_MAX];
	struct hd_binding_list list = { .items = items,
					.room = HD_BINDINGS_MAX,
					.now_ms = sweep->now_ms };
	struct hd_slice aor = { entry.ptr + 8, entry.len - 8 };
	int64_t old_ms;
	int err;

	err = hd_location_load(sweep->loc, txn, aor, &list);
	if (err == HD_ECORRUPT)
		hd_warn("location", "%.*s: removed a damaged record", (int)aor.len, aor.ptr);
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	if (err)
		list.n = 0;

	old_ms = err ? 0 : list.earliest_ms;
	if (!err)
		sweep->removed += list.expired;
	if (err || list.expired > 0) {
		err = hd_location_save(sweep->loc, txn, aor, &list, old_ms);
		if (err)
			return err;
	}

	err = hd_txn_del(txn, sweep->loc->expiries, entry);
	return err == HD_ENOENT ? 0 : err;
}

int hd_location_sweep(struct hd_txn *txn, void *arg)
{
	struct hd_location_sweep *sweep = arg;
	char entry[KEY_SIZE];
	struct hd_slice key;
	uint32_t runs = 0;
	int err;

	if (!txn || !sweep || !sweep->loc)
		return HD_EINVAL;

	sweep->removed = 0;
	sweep->more = false;
	for (;;) {
		err = first_due(sweep->loc, txn, sweep->now_ms, &key);
		if (err)
			return err == HD_ENOENT ? 0 : err;
		if (runs++ >= sweep->max) {
			sweep->more = true;
			return 0;
		}
		if (key.len > sizeof(entry))
			return HD_ECORRUPT;
		memcpy(entry, key.ptr, key.len); /* it is gone after the first write */
		key.ptr = entry;
		err = entry_is_sound(key) ? sweep_one(txn, sweep, key)
					  : hd_txn_del(txn, sweep->loc->expiries, key);
		if (err)
			return err;
	}
}

bool hd_location_has_expired(struct hd_location *loc, struct hd_txn *txn, int64_t now_ms)
{
	struct hd_slice key;

	return loc && txn && !first_due(loc, txn, now_ms, &key);
}
