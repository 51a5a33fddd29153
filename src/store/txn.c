/*
 * txn.c - reading and writing inside a transaction: arguments, the frame of each record; see
 * store.h.
 */
#include <string.h>

#include "hotdesk/base/secret.h"
#include "store_priv.h"

static bool key_is_valid(const struct hd_txn *txn, unsigned table, struct hd_slice key)
{
	return txn && table < txn->store->tables && key.ptr && key.len > 0 &&
	       key.len <= HD_STORE_KEY_MAX;
}

static int unframe(struct hd_slice framed, struct hd_slice *valuep)
{
	const uint8_t *p = (const uint8_t *)framed.ptr;
	uint32_t sum;

	if (framed.len < HD_STORE_FRAME) {
		hd_store_count_corrupt();
		return HD_ECORRUPT;
	}
	sum = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	if (hd_crc32c(p + HD_STORE_FRAME, framed.len - HD_STORE_FRAME) != sum) {
		hd_store_count_corrupt();
		return HD_ECORRUPT;
	}
	valuep->ptr = framed.ptr + HD_STORE_FRAME;
	valuep->len = framed.len - HD_STORE_FRAME;
	return 0;
}

/*
 * Into the store's own bytes: the caller's value or key may point into a page that the write
 * moves.
 */
static struct hd_slice frame(struct hd_store *store, struct hd_slice value)
{
	uint32_t sum;

	if (value.len > 0)
		memcpy(store->frame + HD_STORE_FRAME, value.ptr, value.len);
	sum = hd_crc32c(store->frame + HD_STORE_FRAME, value.len);
	store->frame[0] = (uint8_t)sum;
	store->frame[1] = (uint8_t)(sum >> 8);
	store->frame[2] = (uint8_t)(sum >> 16);
	store->frame[3] = (uint8_t)(sum >> 24);
	return (struct hd_slice){ (const char *)store->frame, value.len + HD_STORE_FRAME };
}

static struct hd_slice own_key(struct hd_store *store, struct hd_slice key)
{
	memmove(store->key, key.ptr, key.len);
	return (struct hd_slice){ store->key, key.len };
}

int hd_txn_get(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice *valuep)
{
	struct hd_slice framed;
	int err;

	if (!valuep || !key_is_valid(txn, table, key))
		return HD_EINVAL;
	err = txn->store->ops->get(txn, table, key, &framed);
	return err ? err : unframe(framed, valuep);
}

int hd_txn_put(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice value)
{
	struct hd_store *store;
	int err;

	if (!key_is_valid(txn, table, key) || !txn->write || value.len > HD_RECORD_MAX ||
	    (!value.ptr && value.len > 0))
		return HD_EINVAL;
	if (txn->err)
		return txn->err;
	store = txn->store;
	value = frame(store, value);
	txn->dirty = true;
	err = store->ops->put(txn, table, own_key(store, key), value);
	if (err)
		txn->err = err;
	return err;
}

int hd_txn_del(struct hd_txn *txn, unsigned table, struct hd_slice key)
{
	struct hd_store *store;
	int err;

	if (!key_is_valid(txn, table, key) || !txn->write)
		return HD_EINVAL;
	if (txn->err)
		return txn->err;
	store = txn->store;
	err = store->ops->del(txn, table, own_key(store, key));
	if (err == HD_ENOENT)
		return err;
	txn->dirty = true;
	if (err)
		txn->err = err;
	return err;
}

int hd_txn_next(struct hd_txn *txn, unsigned table, struct hd_slice after, struct hd_slice *keyp,
		struct hd_slice *valuep)
{
	struct hd_slice framed;
	int err;

	if (!txn || table >= txn->store->tables || !keyp || !valuep ||
	    after.len > HD_STORE_KEY_MAX || (!after.ptr && after.len > 0))
		return HD_EINVAL;
	err = txn->store->ops->next(txn, table, after, keyp, &framed);
	return err ? err : unframe(framed, valuep);
}

int hd_txn_count(struct hd_txn *txn, unsigned table, uint64_t *countp)
{
	if (!txn || table >= txn->store->tables || !countp)
		return HD_EINVAL;
	return txn->store->ops->count(txn, table, countp);
}

uint64_t hd_txn_epoch(const struct hd_txn *txn)
{
	return txn->epoch;
}
