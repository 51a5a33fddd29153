/*
 * op.c - the last operations of a phone, so that one that comes again (a retransmission after the
 * commit) is answered as before and neither done nor counted twice.
 */
#include <string.h>

#include "hotdesk/base/log.h"

#include "desk_priv.h"

static const uint8_t no_opid[HD_OPID_BYTES];

int hd_op_list_encode(struct hd_encoder *e, const struct hd_op_list *list, struct hd_slice *out)
{
	hd_encode_u8(e, (uint8_t)list->n);
	for (size_t i = 0; i < list->n; i++) {
		const struct hd_op *op = &list->items[i];

		hd_encode_bytes(e, op->opid, sizeof(op->opid));
		hd_encode_u8(e, (uint8_t)op->result);
		hd_encode_u8(e, op->locked_now ? 1 : 0);
		hd_encode_i64(e, op->retry_at_ms);
		hd_session_encode(e, &op->session);
		hd_encode_str(e, op->left_phone);
		hd_encode_str(e, op->left_user);
	}
	return hd_encoder_finish(e, out);
}

int hd_op_list_decode(struct hd_op_list *list, struct hd_slice record)
{
	struct hd_decoder d;
	size_t n;

	memset(list, 0, sizeof(*list));
	hd_decoder_init(&d, record, HD_OP_VERSION);
	n = hd_decode_u8(&d);
	if (n > HD_OPS_KEPT)
		return HD_ECORRUPT;

	for (size_t i = 0; i < n; i++) {
		struct hd_op *op = &list->items[i];

		hd_decode_bytes(&d, op->opid, sizeof(op->opid));
		op->result = (enum hd_desk_result)hd_decode_u8(&d);
		op->locked_now = hd_decode_u8(&d) != 0;
		op->retry_at_ms = hd_decode_i64(&d);
		hd_session_decode(&d, &op->session);
		hd_decode_str(&d, op->left_phone, sizeof(op->left_phone));
		hd_decode_str(&d, op->left_user, sizeof(op->left_user));
		if (op->result >= HD_DESK_RESULT_COUNT)
			return HD_ECORRUPT;
	}
	list->n = n;
	return hd_decoder_finish(&d);
}

static int op_list_load(struct hd_txn *txn, const struct hd_desk_request *request,
			struct hd_op_list *list)
{
	struct hd_slice record;
	int err;

	memset(list, 0, sizeof(*list));
	err = hd_txn_get(txn, request->desk->ops, hd_slice_of(request->phone), &record);
	if (!err)
		err = hd_op_list_decode(list, record);
	if (err == HD_ECORRUPT) {
		/* A phone must not be locked out by what is only a memory; it is written anew. */
		hd_warn("desk", "%s: forgot its last operations, the record is damaged",
			request->phone);
		memset(list, 0, sizeof(*list));
		err = 0;
	}
	return err == HD_ENOENT ? 0 : err;
}

int hd_op_recall(struct hd_txn *txn, struct hd_desk_request *request)
{
	struct hd_op_list list;
	int err;

	if (memcmp(request->opid, no_opid, sizeof(no_opid)) == 0 ||
	    !hd_phone_id_is_valid(hd_slice_of(request->phone)))
		return 0;
	err = op_list_load(txn, request, &list);
	if (err)
		return err;

	for (size_t i = 0; i < list.n; i++) {
		const struct hd_op *op = &list.items[i];

		if (memcmp(op->opid, request->opid, sizeof(op->opid)) != 0)
			continue;
		request->result = op->result;
		request->locked_now = op->locked_now;
		request->retry_at_ms = op->retry_at_ms;
		request->session = op->session;
		memcpy(request->left_phone, op->left_phone, sizeof(request->left_phone));
		memcpy(request->left_user, op->left_user, sizeof(request->left_user));
		request->repeated = true;
		return 1;
	}
	return 0;
}

int hd_op_remember(struct hd_txn *txn, const struct hd_desk_request *request)
{
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_op_list list;
	struct hd_encoder e;
	struct hd_slice record;
	struct hd_op *op = &list.items[0];
	int err;

	if (memcmp(request->opid, no_opid, sizeof(no_opid)) == 0)
		return 0;
	err = op_list_load(txn, request, &list);
	if (err)
		return err;

	if (list.n < HD_OPS_KEPT)
		list.n++;
	memmove(&list.items[1], &list.items[0], (list.n - 1) * sizeof(list.items[0]));
	*op = (struct hd_op){ .result = request->result,
			      .locked_now = request->locked_now,
			      .retry_at_ms = request->retry_at_ms,
			      .session = request->session };
	memcpy(op->opid, request->opid, sizeof(op->opid));
	memcpy(op->left_phone, request->left_phone, sizeof(op->left_phone));
	memcpy(op->left_user, request->left_user, sizeof(op->left_user));

	hd_encoder_init(&e, buf, sizeof(buf), HD_OP_VERSION);
	err = hd_op_list_encode(&e, &list, &record);
	return err ? err : hd_txn_put(txn, request->desk->ops, hd_slice_of(request->phone), record);
}
