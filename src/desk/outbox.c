/* outbox.c - phones that have yet to be told that somebody came or went; see desk.h. */
#include <string.h>

#include "desk_priv.h"

static int outbox_decode(struct hd_outbox_entry *entry, struct hd_slice record)
{
	struct hd_decoder d;

	hd_decoder_init(&d, record, HD_OUTBOX_VERSION);
	entry->epoch = hd_decode_u64(&d);
	entry->since_ms = hd_decode_i64(&d);
	return hd_decoder_finish(&d);
}

int hd_outbox_put(struct hd_desk *desk, struct hd_txn *txn, const char *phone, int64_t now_ms)
{
	uint8_t buf[32];
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_OUTBOX_VERSION);
	hd_encode_u64(&e, hd_txn_epoch(txn));
	hd_encode_i64(&e, now_ms);
	err = hd_encoder_finish(&e, &record);
	return err ? err : hd_txn_put(txn, desk->outbox, hd_slice_of(phone), record);
}

int hd_outbox_get(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
		  struct hd_outbox_entry *entry)
{
	struct hd_slice key = hd_slice_of(phone);
	struct hd_slice record;
	int err;

	if (!desk || !txn || !entry)
		return HD_EINVAL;

	memset(entry, 0, sizeof(*entry));
	if (!hd_phone_id_is_valid(key))
		return HD_ENOENT;
	err = hd_txn_get(txn, desk->outbox, key, &record);
	if (!err)
		err = outbox_decode(entry, record);
	if (!err)
		err = hd_str_copy(entry->phone, sizeof(entry->phone), key);
	return err;
}

int hd_outbox_next(struct hd_desk *desk, struct hd_txn *txn, const char *after,
		   struct hd_outbox_entry *entry)
{
	struct hd_slice key, record;
	int err;

	if (!desk || !txn || !entry)
		return HD_EINVAL;

	memset(entry, 0, sizeof(*entry));
	err = hd_txn_next(txn, desk->outbox, hd_slice_of(after), &key, &record);
	if (err && err != HD_ECORRUPT)
		return err;
	if (hd_str_copy(entry->phone, sizeof(entry->phone), key))
		return HD_ECORRUPT;

	/* That there is an entry says enough: told once too often is right, told never is not. */
	if (err || outbox_decode(entry, record)) {
		entry->epoch = hd_txn_epoch(txn);
		entry->since_ms = 0;
	}
	return 0;
}

int hd_outbox_done(struct hd_txn *txn, void *arg)
{
	const struct hd_outbox_done *done = arg;
	struct hd_outbox_entry entry;
	int err;

	if (!txn || !done || !done->desk)
		return HD_EINVAL;

	err = hd_outbox_get(done->desk, txn, done->phone, &entry);
	if (err == HD_ENOENT || (!err && entry.epoch > done->epoch))
		return 0;
	if (err && err != HD_ECORRUPT)
		return err;
	return hd_txn_del(txn, done->desk->outbox, hd_slice_of(done->phone));
}
