/* location.c - the location service's tables and its reading side; see location.h. */
#include <stdlib.h>
#include <string.h>

#include "location_priv.h"

/* u64 time, aor */
struct expiry_key {
	char text[8 + HD_PHONE_ID_SIZE];
	struct hd_slice slice;
};

static void expiry_key_set(struct expiry_key *key, int64_t at_ms, struct hd_slice aor)
{
	hd_key_put_u64((uint8_t *)key->text, (uint64_t)at_ms);
	memcpy(key->text + 8, aor.ptr, aor.len);
	key->slice = (struct hd_slice){ key->text, 8 + aor.len };
}

int hd_location_new(struct hd_location **lp, struct hd_store *store)
{
	struct hd_location *loc;
	int err;

	if (!lp || !store)
		return HD_EINVAL;

	loc = calloc(1, sizeof(*loc));
	if (!loc)
		return HD_ENOMEM;

	err = hd_store_table(store, "binding", &loc->bindings);
	if (!err)
		err = hd_store_table(store, "binding_expiry", &loc->expiries);
	if (err) {
		free(loc);
		return err;
	}

	*lp = loc;
	return 0;
}

void hd_location_free(struct hd_location *loc)
{
	free(loc);
}

int hd_location_load(struct hd_location *loc, struct hd_txn *txn, struct hd_slice aor,
		     struct hd_binding_list *list)
{
	struct hd_slice record;
	int err;

	list->n = 0;
	list->earliest_ms = 0;
	list->expired = 0;
	err = hd_txn_get(txn, loc->bindings, aor, &record);
	return err ? err : hd_binding_list_decode(list, record);
}

int hd_location_unindex(struct hd_location *loc, struct hd_txn *txn, struct hd_slice aor,
			int64_t at_ms)
{
	struct expiry_key key;
	int err;

	expiry_key_set(&key, at_ms, aor);
	err = hd_txn_del(txn, loc->expiries, key.slice);
	return err == HD_ENOENT ? 0 : err;
}

static int location_write(struct hd_location *loc, struct hd_txn *txn, struct hd_slice aor,
			  struct hd_binding_list *list)
{
	uint8_t buf[HD_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	if (list->n == 0) {
		err = hd_txn_del(txn, loc->bindings, aor);
		return err == HD_ENOENT ? 0 : err;
	}

	hd_encoder_init(&e, buf, sizeof(buf), HD_BINDING_VERSION);
	err = hd_binding_list_encode(&e, list, &record);
	return err ? err : hd_txn_put(txn, loc->bindings, aor, record);
}

int hd_location_save(struct hd_location *loc, struct hd_txn *txn, struct hd_slice aor,
		     struct hd_binding_list *list, int64_t old_ms)
{
	struct expiry_key key;
	int err;

	list->earliest_ms = 0;
	for (size_t i = 0; i < list->n; i++) {
		int64_t at_ms = list->items[i].expires_at_ms;

		if (list->earliest_ms == 0 || at_ms < list->earliest_ms)
			list->earliest_ms = at_ms;
	}

	err = location_write(loc, txn, aor, list);
	if (err || old_ms == list->earliest_ms)
		return err;

	if (old_ms > 0)
		err = hd_location_unindex(loc, txn, aor, old_ms);
	if (!err && list->earliest_ms > 0) {
		expiry_key_set(&key, list->earliest_ms, aor);
		err = hd_txn_put(txn, loc->expiries, key.slice, (struct hd_slice){ NULL, 0 });
	}
	return err;
}

int hd_location_get(struct hd_location *loc, struct hd_txn *txn, const char *aor, int64_t now_ms,
		    struct hd_binding *bindings, size_t *np)
{
	struct hd_binding_list list = { .items = bindings, .now_ms = now_ms };
	struct hd_slice key = hd_slice_of(aor);
	int err;

	if (!loc || !txn || !np || (!bindings && *np > 0))
		return HD_EINVAL;

	list.room = *np;
	*np = 0;
	if (!hd_phone_id_is_valid(key))
		return 0;

	err = hd_location_load(loc, txn, key, &list);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	*np = list.n;
	return 0;
}

int hd_location_next(struct hd_location *loc, struct hd_txn *txn, const char *after, int64_t now_ms,
		     char aor[HD_PHONE_ID_SIZE], struct hd_binding *bindings, size_t *np)
{
	struct hd_binding_list list = { .items = bindings, .now_ms = now_ms };
	struct hd_slice key, record;
	int err, damaged;

	if (!loc || !txn || !aor || !np || (!bindings && *np > 0))
		return HD_EINVAL;

	list.room = *np;
	*np = 0;
	aor[0] = '\0';
	err = hd_txn_next(txn, loc->bindings, hd_slice_of(after), &key, &record);
	if (err && err != HD_ECORRUPT)
		return err;

	damaged = err;
	err = hd_str_copy(aor, HD_PHONE_ID_SIZE, key);
	if (err || damaged)
		return HD_ECORRUPT;
	err = hd_binding_list_decode(&list, record);
	if (!err)
		*np = list.n;
	return err;
}

int hd_location_remove(struct hd_location *loc, struct hd_txn *txn, const char *aor)
{
	/* At the end of time all have expired: one scratch item is enough to learn the earliest. */
	struct hd_binding item;
	struct hd_binding_list list = { .items = &item, .room = 1, .now_ms = INT64_MAX };
	struct hd_slice key = hd_slice_of(aor);
	int err;

	if (!loc || !txn)
		return HD_EINVAL;
	if (!hd_phone_id_is_valid(key))
		return 0;

	err = hd_location_load(loc, txn, key, &list);
	if (err == HD_ENOENT)
		return 0;
	/* The entry that a damaged record leaves in the index goes with the sweep. */
	if (err && err != HD_ECORRUPT)
		return err;
	return hd_location_save(loc, txn, key, &list, err ? 0 : list.earliest_ms);
}

int hd_location_count(struct hd_location *loc, struct hd_txn *txn, uint64_t *np)
{
	if (!loc || !txn || !np)
		return HD_EINVAL;
	return hd_txn_count(txn, loc->bindings, np);
}
