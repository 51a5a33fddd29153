/*
 * missed.c - missed calls that a user has not looked at: how many, on the idle screen of the phone
 * where the user is; and the phone's own lists of calls, which go with the user. SIP thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "missed.h"

static void make_text(char text[HD_NOTIFY_TEXT_SIZE], uint32_t n, bool german)
{
	const char *more = n >= HD_CALLS_UNSEEN_MAX ? "+" : "";

	n = *more ? HD_CALLS_UNSEEN_MAX - 1 : n;
	if (n == 0)
		text[0] = '\0';
	else if (german)
		snprintf(text, HD_NOTIFY_TEXT_SIZE, "%u%s %s", n, more,
			 n == 1 ? "verpasster Anruf" : "verpasste Anrufe");
	else
		snprintf(text, HD_NOTIFY_TEXT_SIZE, "%u%s missed %s", n, more,
			 n == 1 ? "call" : "calls");
}

/* What a phone has to say of its user; nothing when the user's list is off. */
static void read_text(struct daemon *d, struct hd_txn *txn, const struct hd_desk_session *session,
		      char text[HD_NOTIFY_TEXT_SIZE])
{
	enum hd_list_mode mode = HD_LIST_OFF;
	struct hd_user user;
	bool german = false;
	uint32_t n = 0;
	int err = 0;

	if (!hd_user_get(d->dir, txn, session->user, &user)) {
		mode = hd_list_policy_mode(&d->list_policy, user.call_list, user.group);
		german = hd_language_is_german(user.language);
		hd_wipe(&user, sizeof(user));
	}
	if (mode != HD_LIST_OFF)
		err = hd_calls_unseen(d->calls, txn, session->user,
				      mode == HD_LIST_LOCAL ? session->phone : NULL, &n);
	if (err)
		hd_warn("calls", "%s: missed calls not counted: %s", session->user,
			hd_strerror(err));
	make_text(text, n, german);
}

static void say(struct daemon *d, const char *phone, const char *text)
{
	int err = d->conf_calls.missed_on_phones ? hd_notify_status(d->notify, phone, text) : 0;

	if (err)
		hd_warn("calls", "%s: missed calls not shown: %s", phone, hd_strerror(err));
}

void daemon_missed_changed(struct daemon *d, const char *user)
{
	char text[HD_NOTIFY_TEXT_SIZE];
	struct hd_desk_session session;
	struct hd_txn *txn;
	int err;

	if (!d->notify || hd_store_begin_read(d->store, &txn))
		return;
	err = hd_desk_get_by_user(d->desk, txn, user, &session);
	if (!err)
		read_text(d, txn, &session, text);
	hd_store_end_read(txn);
	if (!err)
		say(d, session.phone, text);
}

/* An owned phone has one user: what it keeps of calls is that user's. */
static bool is_to_forget(struct daemon *d, struct hd_txn *txn, const char *phone_id)
{
	struct hd_phone phone;
	bool is = d->conf_calls.clear_phones && !hd_phone_get(d->dir, txn, phone_id, &phone) &&
		  !phone.owner[0];

	hd_wipe(&phone, sizeof(phone));
	return is;
}

void daemon_missed_desk_changed(struct daemon *d, const char *phone, uint64_t epoch)
{
	char text[HD_NOTIFY_TEXT_SIZE] = "";
	struct hd_desk_session session;
	bool forget = false;
	struct hd_txn *txn;
	int err;

	if (!d->notify || hd_store_begin_read(d->store, &txn))
		return;
	err = hd_desk_get_by_phone(d->desk, txn, phone, &session);
	/* Not when only keys or settings have changed. */
	if (err == HD_ENOENT || (!err && session.epoch == epoch))
		forget = is_to_forget(d, txn, phone);
	if (!err)
		read_text(d, txn, &session, text);
	hd_store_end_read(txn);
	if (err && err != HD_ENOENT)
		return;
	if (forget && hd_notify_forget_calls(d->notify, phone))
		hd_warn("calls", "%s: keeps its own lists of calls", phone);
	say(d, phone, text);
}

void daemon_missed_bound(struct daemon *d, const char *phone)
{
	char text[HD_NOTIFY_TEXT_SIZE] = "";
	struct hd_desk_session session;
	struct hd_txn *txn;

	if (!d->conf_calls.missed_on_phones || hd_store_begin_read(d->store, &txn))
		return;
	if (!hd_desk_get_by_phone(d->desk, txn, phone, &session))
		read_text(d, txn, &session, text);
	hd_store_end_read(txn);
	if (text[0])
		say(d, phone, text);
}

/* ---- looked at: control thread -------------------------------------------------------------- */

struct looked {
	struct hd_command command;
	struct daemon *d;
	struct hd_calls_seen seen;
};

/* SIP thread */
static void on_seen(struct hd_command *command)
{
	struct looked *l = (struct looked *)command;

	if (command->err)
		hd_warn("calls", "%s: has looked at missed calls, not written: %s", l->seen.owner,
			hd_strerror(command->err));
	else
		daemon_missed_changed(l->d, l->seen.owner);
	free(l);
}

static bool has_unseen(struct daemon *d, const char *user, const char *phone)
{
	struct hd_txn *txn;
	uint32_t n = 0;

	if (hd_store_begin_read(d->store, &txn))
		return false;
	if (hd_calls_unseen(d->calls, txn, user, phone, &n))
		n = 0;
	hd_store_end_read(txn);
	return n > 0;
}

void daemon_missed_seen(void *arg, const char *user, const char *phone)
{
	struct daemon *d = arg;
	struct looked *l;
	int err;

	if (!has_unseen(d, user, phone))
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	l->d = d;
	l->seen.calls = d->calls;
	err = hd_str_set(l->seen.owner, sizeof(l->seen.owner), user);
	if (!err)
		err = hd_str_set(l->seen.phone, sizeof(l->seen.phone), phone ? phone : "");
	l->command.run = hd_calls_seen;
	l->command.arg = &l->seen;
	l->command.reply_to = hd_agent_mailbox(d->agent);
	l->command.done = on_seen;
	if (!err)
		err = hd_store_submit(d->store, &l->command);
	if (err)
		free(l);
}

struct told {
	struct hd_task task;
	struct daemon *d;
	char user[HD_CALLS_OWNER_SIZE];
};

static void run_told(struct hd_task *task)
{
	struct told *t = (struct told *)task;

	daemon_missed_changed(t->d, t->user);
	free(t);
}

void daemon_missed_cleared(struct daemon *d, const char *user)
{
	struct told *t = d->agent ? calloc(1, sizeof(*t)) : NULL;

	if (!t || hd_str_set(t->user, sizeof(t->user), user)) {
		free(t);
		return;
	}
	t->d = d;
	t->task.run = run_told;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &t->task);
}
