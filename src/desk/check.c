/* check.c - whether what must always hold of desk sessions does; see hd_desk_check(). */
#include <stdio.h>
#include <string.h>

#include "desk_priv.h"

struct check {
	struct hd_desk *desk;
	struct hd_txn *txn;
	struct hd_desk_audit *audit;
};

static void violation(struct check *c, const char *subject, const char *what)
{
	if (c->audit->violations++ == 0)
		(void)snprintf(c->audit->first, sizeof(c->audit->first), "%s: %s", subject, what);
}

static bool is_equal(const struct hd_desk_session *a, const struct hd_desk_session *b)
{
	return strcmp(a->user, b->user) == 0 && strcmp(a->phone, b->phone) == 0 &&
	       a->epoch == b->epoch && a->since_ms == b->since_ms && a->way == b->way;
}

/* @return 0, or an error that is not about the record */
static int check_directory(struct check *c, const struct hd_desk_session *session)
{
	struct hd_user user;
	struct hd_phone phone;
	int err;

	err = hd_user_get(c->desk->dir, c->txn, session->user, &user);
	if (err == HD_ENOENT || err == HD_ECORRUPT)
		violation(c, session->user, "has a desk session and is no user");
	else if (err)
		return err;

	err = hd_phone_get(c->desk->dir, c->txn, session->phone, &phone);
	if (err == HD_ENOENT || err == HD_ECORRUPT)
		violation(c, session->phone, "has a desk session and is no phone");
	else if (err)
		return err;
	else if (phone.owner[0] && strcmp(phone.owner, session->user) != 0)
		violation(c, session->phone, "has a desk session of somebody who is not its owner");
	return 0;
}

static int check_session(struct check *c, struct hd_slice key, struct hd_slice record)
{
	struct hd_desk_session session, twin;
	char name[HD_NUMBER_SIZE];
	int err;

	if (hd_str_copy(name, sizeof(name), key)) {
		violation(c, "desk_user", "has a key that is no number");
		return 0;
	}
	err = hd_session_parse(&session, record);
	if (err) {
		violation(c, name, hd_strerror(err));
		return 0;
	}
	if (strcmp(session.user, name) != 0) {
		violation(c, name, "has the desk session of another user");
		return 0;
	}
	if (session.epoch > hd_txn_epoch(c->txn))
		violation(c, name, "has a desk session of a later epoch than the store's");

	err = hd_desk_get_by_phone(c->desk, c->txn, session.phone, &twin);
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	if (err || !is_equal(&session, &twin))
		violation(c, name, "sits at a phone that does not say so");
	return check_directory(c, &session);
}

static int check_phone(struct check *c, struct hd_slice key, struct hd_slice record)
{
	struct hd_desk_session session, twin;
	char name[HD_PHONE_ID_SIZE];
	int err;

	if (hd_str_copy(name, sizeof(name), key)) {
		violation(c, "desk_phone", "has a key that is no phone id");
		return 0;
	}
	err = hd_session_parse(&session, record);
	if (!err && strcmp(session.phone, name) != 0)
		err = HD_ECORRUPT;
	if (err) {
		violation(c, name, hd_strerror(err));
		return 0;
	}

	err = hd_desk_get_by_user(c->desk, c->txn, session.user, &twin);
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	if (err || !is_equal(&session, &twin))
		violation(c, name, "is the phone of a user who does not sit there");
	return 0;
}

/* Walks a table; a record that cannot be read is a violation and the walk goes on. */
static int check_table(struct check *c, unsigned table,
		       int (*fn)(struct check *, struct hd_slice, struct hd_slice))
{
	struct hd_slice key = { NULL, 0 }, record;
	int err;

	for (;;) {
		err = hd_txn_next(c->txn, table, key, &key, &record);
		if (err == HD_ECORRUPT) {
			violation(c, "a record", hd_strerror(err));
			continue;
		}
		if (err)
			return err == HD_ENOENT ? 0 : err;
		err = fn(c, key, record);
		if (err)
			return err;
	}
}

int hd_desk_check(struct hd_desk *desk, struct hd_txn *txn, struct hd_desk_audit *audit)
{
	struct check c = { .desk = desk, .txn = txn, .audit = audit };
	int err;

	if (!desk || !txn || !audit)
		return HD_EINVAL;

	memset(audit, 0, sizeof(*audit));
	err = hd_txn_count(txn, desk->users, &audit->sessions);
	if (!err)
		err = check_table(&c, desk->users, check_session);
	if (!err)
		err = check_table(&c, desk->phones, check_phone);
	return err;
}
