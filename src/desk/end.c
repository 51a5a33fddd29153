/* end.c - desk sessions that end because of what an administrator did; see desk.h. */
#include <string.h>

#include "desk_priv.h"

static int end_session(struct hd_desk *desk, struct hd_txn *txn,
		       const struct hd_desk_session *session, int64_t now_ms, enum hd_desk_way way)
{
	struct hd_audit_entry entry = { .at_ms = now_ms,
					.event = HD_DESK_EVENT_LOGOUT,
					.way = way,
					.result = HD_DESK_RESULT_LOGGED_OUT };
	int err;

	memcpy(entry.user, session->user, sizeof(entry.user));
	memcpy(entry.phone, session->phone, sizeof(entry.phone));
	err = hd_session_end(desk, txn, session);
	if (!err)
		err = hd_outbox_put(desk, txn, session->phone, now_ms);
	return err ? err : hd_audit_add(desk, txn, &entry);
}

int hd_desk_end_user(struct hd_desk *desk, struct hd_txn *txn, const char *number, int64_t now_ms,
		     enum hd_desk_way way)
{
	struct hd_desk_session session;
	int err;

	err = hd_desk_get_by_user(desk, txn, number, &session);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	return end_session(desk, txn, &session, now_ms, way);
}

int hd_desk_end_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone, int64_t now_ms,
		      enum hd_desk_way way)
{
	struct hd_desk_session session;
	int err;

	err = hd_desk_get_by_phone(desk, txn, phone, &session);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	return end_session(desk, txn, &session, now_ms, way);
}

/* Whether the directory still lets them be together. @return 1, 0, or the store's error */
static int may_stay(struct hd_desk *desk, struct hd_txn *txn, const struct hd_desk_session *session)
{
	struct hd_user user;
	struct hd_phone phone;
	int err;

	err = hd_user_get(desk->dir, txn, session->user, &user);
	if (!err)
		err = hd_phone_get(desk->dir, txn, session->phone, &phone);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	return !user.disabled && !phone.disabled &&
	       (!phone.owner[0] || strcmp(phone.owner, session->user) == 0);
}

int hd_desk_settle(struct hd_desk *desk, struct hd_txn *txn, int64_t now_ms, enum hd_desk_way way,
		   uint32_t *endedp)
{
	struct hd_desk_session session;
	char last[HD_NUMBER_SIZE] = "";
	int err, stay;

	if (!desk || !txn || !endedp)
		return HD_EINVAL;

	*endedp = 0;
	while (!(err = hd_desk_next(desk, txn, last, &session))) {
		memcpy(last, session.user, sizeof(last));
		stay = may_stay(desk, txn, &session);
		if (stay < 0)
			return stay;
		if (stay)
			continue;
		err = end_session(desk, txn, &session, now_ms, way);
		if (err)
			return err;
		++*endedp;
	}
	return err == HD_ENOENT ? 0 : err;
}

static int ignore_absent(int err)
{
	return err == HD_ENOENT ? 0 : err;
}

int hd_desk_forget_user(struct hd_desk *desk, struct hd_txn *txn, const char *number,
			int64_t now_ms, enum hd_desk_way way)
{
	int err;

	if (!desk || !txn || !hd_number_is_valid(hd_slice_of(number)))
		return HD_EINVAL;

	err = hd_desk_end_user(desk, txn, number, now_ms, way);
	return err ? err : ignore_absent(hd_lockout_clear(desk, txn, 'u', number));
}

int hd_desk_forget_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
			 int64_t now_ms, enum hd_desk_way way)
{
	struct hd_slice key = hd_slice_of(phone);
	int err;

	if (!desk || !txn || !hd_phone_id_is_valid(key))
		return HD_EINVAL;

	err = hd_desk_end_phone(desk, txn, phone, now_ms, way);
	if (!err)
		err = ignore_absent(hd_txn_del(txn, desk->ops, key));
	if (!err)
		err = ignore_absent(hd_txn_del(txn, desk->outbox, key));
	return err ? err : ignore_absent(hd_lockout_clear(desk, txn, 'p', phone));
}
