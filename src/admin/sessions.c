/* sessions.c - desk sessions: the list, and logins and logouts in an administrator's name. */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"

static int page_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const struct page *page)
{
	char last[HD_NUMBER_SIZE] = "";
	struct hd_desk_session s;
	uint64_t n = 0;
	int err;

	err = hd_desk_next(admin->o.desk, txn, page->after, &s);
	hd_json_object(j, NULL);
	hd_json_array(j, "sessions");
	while (!err && n++ < page->limit) {
		show_session(j, NULL, &s);
		memcpy(last, s.user, sizeof(last));
		err = hd_desk_next(admin->o.desk, txn, last, &s);
	}
	hd_json_array_end(j);
	hd_json_str(j, "next", err == HD_ENOENT ? NULL : last);
	hd_json_object_end(j);
	return err == HD_ENOENT ? 0 : err;
}

void sessions_list(struct hd_http_request *req, void *arg)
{
	page_answer(req, arg, "sessions", page_show);
}

struct session_op {
	struct admin_op op; /* first */
	struct hd_desk_request desk;
	char user[HD_NUMBER_SIZE];
	char phone[HD_PHONE_ID_SIZE];
	char what[160];
};

/* HTTP statuses of the desk's refusals. */
static unsigned status_of(enum hd_desk_result result)
{
	if (hd_desk_result_is_success(result))
		return 200;
	if (result == HD_DESK_RESULT_UNKNOWN_USER || result == HD_DESK_RESULT_UNKNOWN_PHONE)
		return 404;
	return 409;
}

static void done(struct admin_op *op)
{
	struct session_op *s = (struct session_op *)op;
	const struct hd_desk_request *d = &s->desk;
	const char *result = hd_desk_result_name(d->result);
	struct hd_buf b = { 0 };
	struct hd_json j;

	if (!hd_desk_result_is_success(d->result)) {
		op_refuse(op, status_of(d->result), result, "the desk refused it");
		return;
	}
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", result);
	if (d->session.user[0])
		show_session(&j, "session", &d->session);
	else
		hd_json_null(&j, "session");
	hd_json_str(&j, "left_phone", d->left_phone[0] ? d->left_phone : NULL);
	hd_json_str(&j, "left_user", d->left_user[0] ? d->left_user : NULL);
	hd_json_object_end(&j);
	(void)snprintf(s->what, sizeof(s->what), "%s%s%s", result, d->phone[0] ? " at " : "",
		       d->phone);
	op->what = s->what;
	op_finish(op, 200, &b);
}

static struct session_op *session_op_new(struct hd_http_request *req, struct hd_admin *admin,
					 enum hd_desk_event event)
{
	struct session_op *s = op_new(admin, req, sizeof(*s));

	if (!s)
		return NULL;
	s->op.desk_changed = true;
	s->op.done = done;
	s->desk.desk = admin->o.desk;
	s->desk.policy = admin->o.policies.desk;
	s->desk.event = event;
	s->desk.way = HD_DESK_WAY_ADMIN;
	s->desk.by_admin = true;
	s->desk.now_ms = s->op.now_ms;
	memcpy(s->desk.opid, s->op.opid, sizeof(s->desk.opid));
	return s;
}

static bool login_body(struct hd_http_request *req, struct hd_desk_request *d)
{
	const struct hd_json_field fields[] = {
		{ "user", HD_JSON_TEXT, d->user, sizeof(d->user), true, false, NULL },
		{ "phone", HD_JSON_TEXT, d->phone, sizeof(d->phone), true, false, NULL },
	};

	return body_read(req, fields, 2);
}

void session_login(struct hd_http_request *req, void *arg)
{
	struct session_op *s = session_op_new(req, arg, HD_DESK_EVENT_LOGIN);

	if (!s)
		return;
	if (!login_body(req, &s->desk)) {
		op_free(&s->op);
		return;
	}
	op_subject(&s->op, "user", s->desk.user);
	op_submit(&s->op, hd_desk_apply, &s->desk);
}

/* The desk logs out phones; which one a user sits at is looked up in the same transaction. */
static int logout_run(struct hd_txn *txn, void *arg)
{
	struct session_op *s = arg;
	struct hd_admin *admin = s->op.admin;
	struct hd_desk_session session;
	struct hd_user user;
	int err;

	if (!s->user[0])
		return hd_desk_apply(txn, &s->desk);
	err = hd_desk_get_by_user(admin->o.desk, txn, s->user, &session);
	if (!err) {
		memcpy(s->desk.phone, session.phone, sizeof(s->desk.phone));
		return hd_desk_apply(txn, &s->desk);
	}
	if (err != HD_ENOENT)
		return err;
	s->desk.phone[0] = '\0';
	s->desk.result = HD_DESK_RESULT_UNCHANGED;
	err = hd_user_get(admin->o.directory, txn, s->user, &user);
	if (err == HD_ENOENT) {
		s->desk.result = HD_DESK_RESULT_UNKNOWN_USER;
		err = 0;
	}
	return err;
}

static bool logout_body(struct hd_http_request *req, struct session_op *s)
{
	const struct hd_json_field fields[] = {
		{ "user", HD_JSON_TEXT, s->user, sizeof(s->user), false, false, NULL },
		{ "phone", HD_JSON_TEXT, s->phone, sizeof(s->phone), false, false, NULL },
	};

	return body_read(req, fields, 2);
}

void session_logout(struct hd_http_request *req, void *arg)
{
	struct session_op *s = session_op_new(req, arg, HD_DESK_EVENT_LOGOUT);

	if (!s)
		return;
	if (!logout_body(req, s)) {
		op_free(&s->op);
		return;
	}
	if (s->user[0])
		op_subject(&s->op, "user", s->user);
	else
		op_subject(&s->op, "phone", s->phone);
	if (!s->user[0] == !s->phone[0]) {
		op_fail(&s->op, HD_EINVAL, "expected either a user or a phone");
		return;
	}
	memcpy(s->desk.phone, s->phone, sizeof(s->desk.phone));
	op_submit(&s->op, logout_run, s);
}
