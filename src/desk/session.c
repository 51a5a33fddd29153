/* session.c - desk sessions as records: one by user and the same one by phone; see desk.h. */
#include <string.h>

#include "desk_priv.h"

void hd_session_encode(struct hd_encoder *e, const struct hd_desk_session *session)
{
	hd_encode_str(e, session->user);
	hd_encode_str(e, session->phone);
	hd_encode_u64(e, session->epoch);
	hd_encode_i64(e, session->since_ms);
	hd_encode_u8(e, (uint8_t)session->way);
}

void hd_session_decode(struct hd_decoder *d, struct hd_desk_session *session)
{
	hd_decode_str(d, session->user, sizeof(session->user));
	hd_decode_str(d, session->phone, sizeof(session->phone));
	session->epoch = hd_decode_u64(d);
	session->since_ms = hd_decode_i64(d);
	session->way = (enum hd_desk_way)hd_decode_u8(d);
}

int hd_session_parse(struct hd_desk_session *session, struct hd_slice record)
{
	struct hd_decoder d;
	int err;

	memset(session, 0, sizeof(*session));
	hd_decoder_init(&d, record, HD_SESSION_VERSION);
	hd_session_decode(&d, session);
	err = hd_decoder_finish(&d);
	if (!err && (!session->user[0] || !session->phone[0]))
		err = HD_ECORRUPT;
	return err;
}

int hd_session_begin(struct hd_desk *desk, struct hd_txn *txn,
		     const struct hd_desk_session *session)
{
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_SESSION_VERSION);
	hd_session_encode(&e, session);
	err = hd_encoder_finish(&e, &record);
	if (!err)
		err = hd_txn_put(txn, desk->users, hd_slice_of(session->user), record);
	if (!err)
		err = hd_txn_put(txn, desk->phones, hd_slice_of(session->phone), record);
	return err;
}

int hd_session_end(struct hd_desk *desk, struct hd_txn *txn, const struct hd_desk_session *session)
{
	int err;

	err = hd_txn_del(txn, desk->users, hd_slice_of(session->user));
	if (err && err != HD_ENOENT)
		return err;
	err = hd_txn_del(txn, desk->phones, hd_slice_of(session->phone));
	return err == HD_ENOENT ? 0 : err;
}

static int session_get(struct hd_txn *txn, unsigned table, struct hd_slice key,
		       struct hd_desk_session *session)
{
	struct hd_slice record;
	int err;

	memset(session, 0, sizeof(*session));
	if (!hd_phone_id_is_valid(key)) /* which a number is too, as far as a key goes */
		return HD_ENOENT;
	err = hd_txn_get(txn, table, key, &record);
	return err ? err : hd_session_parse(session, record);
}

int hd_desk_get_by_user(struct hd_desk *desk, struct hd_txn *txn, const char *number,
			struct hd_desk_session *session)
{
	if (!desk || !txn || !session)
		return HD_EINVAL;
	return session_get(txn, desk->users, hd_slice_of(number), session);
}

int hd_desk_get_by_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
			 struct hd_desk_session *session)
{
	if (!desk || !txn || !session)
		return HD_EINVAL;
	return session_get(txn, desk->phones, hd_slice_of(phone), session);
}

int hd_desk_next(struct hd_desk *desk, struct hd_txn *txn, const char *after,
		 struct hd_desk_session *session)
{
	struct hd_slice key, record;
	int err, damaged;

	if (!desk || !txn || !session)
		return HD_EINVAL;

	memset(session, 0, sizeof(*session));
	err = hd_txn_next(txn, desk->users, hd_slice_of(after), &key, &record);
	if (err && err != HD_ECORRUPT)
		return err;

	damaged = err;
	if (!damaged)
		damaged = hd_session_parse(session, record);
	/* The key rules: a walk goes on from it. */
	if (hd_str_copy(session->user, sizeof(session->user), key))
		return HD_ECORRUPT;
	return damaged;
}

int hd_desk_count(struct hd_desk *desk, struct hd_txn *txn, uint64_t *np)
{
	if (!desk || !txn || !np)
		return HD_EINVAL;
	return hd_txn_count(txn, desk->users, np);
}
