/*
 * unknown.c - counters of numbers that do not exist: kept like those of users, but bounded.
 *
 * Beside each x:NUMBER stands o:TIME NUMBER, so that the one whose last failure is the oldest
 * goes when there are too many; n: holds how many there are.
 */
#include <string.h>

#include "desk_priv.h"

enum { ORDER_PREFIX = 2, ORDER_HEAD = ORDER_PREFIX + 8 };

struct order_key {
	char text[ORDER_HEAD + HD_NUMBER_SIZE];
	struct hd_slice slice;
};

static void order_key_set(struct order_key *key, int64_t at_ms, const char *number)
{
	size_t len = strlen(number);

	key->text[0] = 'o';
	key->text[1] = ':';
	hd_key_put_u64((uint8_t *)key->text + ORDER_PREFIX, (uint64_t)at_ms);
	memcpy(key->text + ORDER_HEAD, number, len);
	key->slice = (struct hd_slice){ key->text, ORDER_HEAD + len };
}

static int count_load(struct hd_desk *desk, struct hd_txn *txn, uint32_t *np)
{
	struct hd_slice record;
	struct hd_decoder d;
	int err;

	*np = 0;
	err = hd_txn_get(txn, desk->lockouts, hd_slice_of("n:"), &record);
	if (err)
		return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
	hd_decoder_init(&d, record, HD_LOCKOUT_VERSION);
	*np = hd_decode_u32(&d);
	err = hd_decoder_finish(&d);
	/* Begun anew, so that damage keeps nobody out; there may be twice as many then. */
	return err == HD_ECORRUPT ? 0 : err;
}

static int count_save(struct hd_desk *desk, struct hd_txn *txn, uint32_t n)
{
	uint8_t buf[8];
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_LOCKOUT_VERSION);
	hd_encode_u32(&e, n);
	err = hd_encoder_finish(&e, &record);
	return err ? err : hd_txn_put(txn, desk->lockouts, hd_slice_of("n:"), record);
}

/* Removes the oldest counter. @return 0, HD_ENOENT when there is none, or the store's error */
static int evict(struct hd_desk *desk, struct hd_txn *txn)
{
	char number[HD_NUMBER_SIZE];
	struct order_key order;
	struct hd_slice key, value;
	int err;

	err = hd_txn_next(txn, desk->lockouts, hd_slice_of("o:"), &key, &value);
	if (err && err != HD_ECORRUPT)
		return err;
	if (key.len <= ORDER_HEAD || key.len > sizeof(order.text) || memcmp(key.ptr, "o:", 2) != 0)
		return HD_ENOENT;

	memcpy(order.text, key.ptr, key.len);
	order.slice = (struct hd_slice){ order.text, key.len };
	err = hd_str_copy(number, sizeof(number),
			  (struct hd_slice){ order.text + ORDER_HEAD, key.len - ORDER_HEAD });
	if (!err)
		err = hd_lockout_clear(desk, txn, 'x', number);
	return err && err != HD_ENOENT ? err : hd_txn_del(txn, desk->lockouts, order.slice);
}

/* Makes room for one more below max; tells how many there are then. */
static int make_room(struct hd_desk *desk, struct hd_txn *txn, uint32_t max, uint32_t *np)
{
	int err = 0;

	while (!err && *np >= max) {
		err = evict(desk, txn);
		if (!err)
			--*np;
	}
	if (err == HD_ENOENT)
		*np = 0;
	return err == HD_ENOENT ? 0 : err;
}

int hd_unknown_save(struct hd_txn *txn, const struct hd_desk_request *request,
		    const struct hd_lockout *old, const struct hd_lockout *lockout)
{
	struct hd_desk *desk = request->desk;
	struct order_key order;
	uint32_t n;
	int err;

	if (request->policy.unknown_max == 0)
		return 0;

	if (old->last_ms != 0) {
		order_key_set(&order, old->last_ms, request->user);
		err = hd_txn_del(txn, desk->lockouts, order.slice);
		if (err && err != HD_ENOENT)
			return err;
	} else {
		err = count_load(desk, txn, &n);
		if (!err)
			err = make_room(desk, txn, request->policy.unknown_max, &n);
		if (!err)
			err = count_save(desk, txn, n + 1);
		if (err)
			return err;
	}

	order_key_set(&order, lockout->last_ms, request->user);
	err = hd_txn_put(txn, desk->lockouts, order.slice, (struct hd_slice){ NULL, 0 });
	return err ? err : hd_lockout_save(desk, txn, 'x', request->user, lockout);
}

int hd_unknown_clear(struct hd_desk *desk, struct hd_txn *txn, const char *name)
{
	struct hd_lockout old;
	struct order_key order;
	uint32_t n;
	int err;

	err = hd_lockout_load(desk, txn, 'x', name, &old);
	if (err && err != HD_ECORRUPT)
		return err;
	if (!err && old.last_ms != 0) {
		order_key_set(&order, old.last_ms, name);
		err = hd_txn_del(txn, desk->lockouts, order.slice);
		if (err && err != HD_ENOENT)
			return err;
	}

	err = hd_lockout_clear(desk, txn, 'x', name);
	if (err)
		return err;
	err = count_load(desk, txn, &n);
	return err || n == 0 ? err : count_save(desk, txn, n - 1);
}
