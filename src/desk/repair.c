/* repair.c - makes both tables of desk sessions agree again; see hd_desk_repair(). */
#include <string.h>

#include "hotdesk/base/log.h"

#include "desk_priv.h"

enum { KEY_SIZE = 512 }; /* no back end has longer keys */

struct repair {
	struct hd_desk *desk;
	struct hd_txn *txn;
	int64_t now_ms;
	uint32_t mended;
};

static bool is_same(const struct hd_desk_session *a, const struct hd_desk_session *b)
{
	return strcmp(a->user, b->user) == 0 && strcmp(a->phone, b->phone) == 0 &&
	       a->epoch == b->epoch;
}

/* What a phone shows may be wrong now: it is told. */
static int tell(struct repair *r, const char *phone)
{
	struct hd_phone row;
	int err;

	if (!hd_phone_id_is_valid(hd_slice_of(phone)))
		return 0;
	err = hd_phone_get(r->desk->dir, r->txn, phone, &row);
	if (err)
		return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
	return hd_outbox_put(r->desk, r->txn, phone, r->now_ms);
}

static int drop(struct repair *r, unsigned table, struct hd_slice key, const char *what)
{
	int err = hd_txn_del(r->txn, table, key);

	if (err)
		return err == HD_ENOENT ? 0 : err;
	hd_warn("desk", "%.*s: repair removed %s", (int)key.len, key.ptr, what);
	r->mended++;
	if (table == r->desk->phones)
		return tell(r, key.ptr);
	return 0;
}

static int restore(struct repair *r, const struct hd_desk_session *session)
{
	int err = hd_session_begin(r->desk, r->txn, session);

	if (err)
		return err;
	hd_warn("desk", "user %s: repair restored the desk session at phone %s", session->user,
		session->phone);
	r->mended++;
	return tell(r, session->phone);
}

/* The other table's record; an unreadable one or another key's is as good as none. */
static int twin_get(struct repair *r, unsigned table, const char *key, struct hd_desk_session *twin)
{
	const bool of_user = table == r->desk->users;
	int err = of_user ? hd_desk_get_by_user(r->desk, r->txn, key, twin)
			  : hd_desk_get_by_phone(r->desk, r->txn, key, twin);

	if (!err && strcmp(of_user ? twin->user : twin->phone, key) != 0)
		err = HD_ECORRUPT;
	return err == HD_ECORRUPT ? HD_ENOENT : err;
}

static int mend_user(struct repair *r, struct hd_slice key, struct hd_desk_session *session)
{
	struct hd_desk_session at_phone, of_other;
	int err = twin_get(r, r->desk->phones, session->phone, &at_phone);

	if (!err && is_same(session, &at_phone)) {
		if (session->epoch <= hd_txn_epoch(r->txn))
			return 0;
		session->epoch = hd_txn_epoch(r->txn);
		return restore(r, session);
	}
	if (err == HD_ENOENT)
		return restore(r, session);
	if (err)
		return err;

	/* Somebody else's phone: theirs when both their records say so, or when they came later. */
	err = twin_get(r, r->desk->users, at_phone.user, &of_other);
	if (err && err != HD_ENOENT)
		return err;
	if ((!err && is_same(&at_phone, &of_other) && strcmp(at_phone.user, session->user) != 0) ||
	    at_phone.epoch > session->epoch)
		return drop(r, r->desk->users, key, "a desk session that its phone denies");
	return restore(r, session);
}

static int mend_phone(struct repair *r, struct hd_slice key, struct hd_desk_session *session)
{
	struct hd_desk_session of_user;
	int err = twin_get(r, r->desk->users, session->user, &of_user);

	if (err == HD_ENOENT)
		return restore(r, session);
	if (err || is_same(session, &of_user))
		return err;
	return drop(r, r->desk->phones, key, "a desk session that its user denies");
}

static int mend_table(struct repair *r, unsigned table,
		      int (*mend)(struct repair *, struct hd_slice, struct hd_desk_session *))
{
	const bool users = table == r->desk->users;
	struct hd_desk_session session;
	struct hd_slice key = { NULL, 0 }, record;
	char name[KEY_SIZE];
	int err, damaged;

	for (;;) {
		err = hd_txn_next(r->txn, table, key, &key, &record);
		if (err == HD_ENOENT)
			return 0;
		if (err && err != HD_ECORRUPT)
			return err;
		damaged = err;
		/* The record is about to change: its key must outlive it. */
		if (hd_str_copy(name, sizeof(name), key))
			return HD_ECORRUPT;
		key = hd_slice_of(name);
		if (!damaged)
			damaged = hd_session_parse(&session, record);
		if (!damaged && strcmp(users ? session.user : session.phone, name) != 0)
			damaged = HD_ECORRUPT;
		err = damaged ? drop(r, table, key, "a damaged record") : mend(r, key, &session);
		if (err)
			return err;
	}
}

int hd_desk_repair(struct hd_txn *txn, void *arg)
{
	struct hd_desk_repair *request = arg;
	struct repair r = { request->desk, txn, request->now_ms, 0 };
	int err;

	err = mend_table(&r, r.desk->users, mend_user);
	if (!err)
		err = mend_table(&r, r.desk->phones, mend_phone);
	if (!err)
		err = hd_desk_settle(r.desk, txn, request->now_ms, HD_DESK_WAY_ADMIN,
				     &request->ended);
	request->mended = r.mended;
	return err;
}
