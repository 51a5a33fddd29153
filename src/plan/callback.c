/* callback.c - who called for help, and from where; see hotdesk/callback.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/record.h"
#include "hotdesk/callback.h"

enum { CALLBACK_VERSION = 1, RECORD_MAX = 128, LOOKS = 64 };

struct hd_callbacks {
	unsigned table;
};

int hd_callbacks_new(struct hd_callbacks **cp, struct hd_store *store)
{
	struct hd_callbacks *c;
	int err;

	if (!cp || !store)
		return HD_EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return HD_ENOMEM;
	err = hd_store_table(store, "emergency_callback", &c->table);
	if (err) {
		free(c);
		return err;
	}
	*cp = c;
	return 0;
}

void hd_callbacks_free(struct hd_callbacks *callbacks)
{
	free(callbacks);
}

static int decode(struct hd_slice value, char phone[HD_PHONE_ID_SIZE], int64_t *until_msp)
{
	struct hd_decoder d;

	hd_decoder_init(&d, value, CALLBACK_VERSION);
	hd_decode_str(&d, phone, HD_PHONE_ID_SIZE);
	*until_msp = hd_decode_i64(&d);
	return hd_decoder_finish(&d);
}

/* A table of a few entries: some are looked at each time, so that it stays one. */
static int remove_old(struct hd_txn *txn, const struct hd_callback *cb)
{
	char after[HD_NUMBER_SIZE] = "", phone[HD_PHONE_ID_SIZE];
	struct hd_slice key, value;
	int64_t until_ms;
	int err = 0;

	for (int i = 0; !err && i < LOOKS; i++) {
		err = hd_txn_next(txn, cb->callbacks->table, hd_slice_of(after), &key, &value);
		if (!err)
			err = hd_str_copy(after, sizeof(after), key);
		if (!err && (decode(value, phone, &until_ms) || until_ms < cb->now_ms))
			err = hd_txn_del(txn, cb->callbacks->table, hd_slice_of(after));
	}
	return err == HD_ENOENT ? 0 : err;
}

int hd_callback_put(struct hd_txn *txn, void *arg)
{
	struct hd_callback *cb = arg;
	uint8_t buf[RECORD_MAX];
	struct hd_slice value;
	struct hd_encoder e;
	int err;

	err = remove_old(txn, cb);
	if (err)
		return err;
	hd_encoder_init(&e, buf, sizeof(buf), CALLBACK_VERSION);
	hd_encode_str(&e, cb->phone);
	hd_encode_i64(&e, cb->until_ms);
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, cb->callbacks->table, hd_slice_of(cb->number), value);
}

int hd_callback_get(struct hd_callbacks *callbacks, struct hd_txn *txn, const char *number,
		    int64_t now_ms, char phone[HD_PHONE_ID_SIZE])
{
	struct hd_slice value;
	int64_t until_ms;
	int err;

	err = hd_txn_get(txn, callbacks->table, hd_slice_of(number), &value);
	if (!err)
		err = decode(value, phone, &until_ms);
	return err ? err : until_ms < now_ms ? HD_ENOENT : 0;
}
