/* logout.c - users are logged out by themselves, by the rules of hotdesk/base/logout.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"

enum { LOOKS = 256 }; /* desk sessions a second: bounded whatever their number */

/* What must be remembered of a desk session; gone when that is over. */
struct watched {
	char phone[HD_PHONE_ID_SIZE];
	uint64_t epoch;
	int64_t unregistered_mono_ms; /* seen to be so since; 0: registered */
	int64_t warned_mono_ms;	      /* 0: not yet */
	uint32_t round;
	struct watched *over; /* forget()'s list */
	UT_hash_handle hh;
};

struct due {
	char user[HD_NUMBER_SIZE];
	uint64_t epoch;
	enum hd_logout_why why;
	bool warn; /* only that, this time */
	bool german;
};

struct daemon_logouts {
	struct daemon *d;
	struct hd_logout_rule rule; /* of the configuration */
	int64_t warning_ms;
	char after[HD_NUMBER_SIZE]; /* where the next look goes on */
	uint32_t round;		    /* of looks at all of them */
	struct watched *watched;
	bool asking;
	size_t n;
	struct due due[LOOKS];
	char phones[LOOKS][HD_PHONE_ID_SIZE];
	unsigned busy[LOOKS];
	struct hd_calls_question question;
};

/* ---- what is remembered --------------------------------------------------------------------- */

static struct watched *watched_of(struct daemon_logouts *l, const struct hd_desk_session *session,
				  bool make)
{
	struct watched *w;

	HASH_FIND_STR(l->watched, session->phone, w);
	if (!w && make) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return NULL;
		memcpy(w->phone, session->phone, sizeof(w->phone));
		w->epoch = session->epoch;
		HASH_ADD_STR(l->watched, phone, w);
	}
	if (w && w->epoch != session->epoch) {
		w->epoch = session->epoch;
		w->warned_mono_ms = w->unregistered_mono_ms = 0;
	}
	if (w)
		w->round = l->round;
	return w;
}

static void forget(struct daemon_logouts *l, bool all)
{
	struct watched *w, *next, *over = NULL;

	HASH_ITER (hh, l->watched, w, next) {
		if (!all && w->round == l->round)
			continue;
		HASH_DEL(l->watched, w);
		w->over = over;
		over = w;
	}
	for (; over; over = next) {
		next = over->over;
		free(over);
	}
}

/* ---- looking -------------------------------------------------------------------------------- */

/* A user or a phone that cannot be read says nothing. */
static void read_rule(struct daemon_logouts *l, struct hd_txn *txn,
		      const struct hd_desk_session *session, struct hd_logout_rule *rule,
		      bool *germanp)
{
	struct hd_logout_rule of_user = { 0 };
	struct hd_phone phone;
	struct hd_user user;

	memset(rule, 0, sizeof(*rule));
	*germanp = false;
	if (!hd_phone_get(l->d->dir, txn, session->phone, &phone) &&
	    hd_logout_rule_parse(rule, hd_slice_of(phone.logout)))
		hd_warn("desk", "%s: logout rule not understood", session->phone);
	hd_wipe(&phone, sizeof(phone));
	if (!hd_user_get(l->d->dir, txn, session->user, &user)) {
		*germanp = hd_language_is_german(user.language);
		if (hd_logout_rule_parse(&of_user, hd_slice_of(user.logout)))
			hd_warn("desk", "%s: logout rule not understood", session->user);
	}
	hd_wipe(&user, sizeof(user));
	hd_logout_rule_inherit(rule, &of_user);
	hd_logout_rule_inherit(rule, &l->rule);
}

/* @return wall clock since when the phone has no binding; 0: it has one */
static int64_t read_unregistered(struct daemon_logouts *l, struct hd_txn *txn,
				 const struct hd_desk_session *session)
{
	int64_t now_ms = hd_clock_wall_ms(l->d->clock), mono_ms = hd_clock_mono_ms(l->d->clock);
	struct hd_binding binding;
	struct watched *w;
	size_t n = 1;

	if (hd_location_get(l->d->location, txn, session->phone, now_ms, &binding, &n) || n > 0) {
		w = watched_of(l, session, false);
		if (w)
			w->unregistered_mono_ms = 0;
		return 0;
	}
	w = watched_of(l, session, true);
	if (!w)
		return 0;
	if (!w->unregistered_mono_ms)
		w->unregistered_mono_ms = mono_ms;
	return now_ms - (mono_ms - w->unregistered_mono_ms);
}

static void look(struct daemon_logouts *l, struct hd_txn *txn,
		 const struct hd_desk_session *session)
{
	int64_t unregistered_ms = read_unregistered(l, txn, session), due_ms;
	int64_t now_ms = hd_clock_wall_ms(l->d->clock), mono_ms = hd_clock_mono_ms(l->d->clock);
	struct due *due = &l->due[l->n];
	struct hd_logout_rule rule;
	struct watched *w;
	bool may_warn;

	memset(due, 0, sizeof(*due));
	read_rule(l, txn, session, &rule, &due->german);
	due_ms = hd_logout_due(&rule, session->since_ms, unregistered_ms, &due->why);
	if (due_ms == INT64_MAX)
		return;
	may_warn = l->warning_ms > 0 && !unregistered_ms;
	if (now_ms < due_ms - (may_warn ? l->warning_ms : 0))
		return;
	w = watched_of(l, session, may_warn);
	due->warn = may_warn && w && !w->warned_mono_ms;
	if (!due->warn &&
	    (now_ms < due_ms || (may_warn && w && mono_ms < w->warned_mono_ms + l->warning_ms)))
		return;
	memcpy(due->user, session->user, sizeof(due->user));
	due->epoch = session->epoch;
	memcpy(l->phones[l->n], session->phone, sizeof(l->phones[0]));
	l->n++;
}

static void walk(struct daemon_logouts *l, struct hd_txn *txn)
{
	struct hd_desk_session session;
	int err = 0;

	l->n = 0;
	for (int i = 0; !err && i < LOOKS; i++) {
		err = hd_desk_next(l->d->desk, txn, l->after, &session);
		if (err)
			break;
		memcpy(l->after, session.user, sizeof(l->after));
		look(l, txn, &session);
	}
	if (!err)
		return;
	if (err != HD_ENOENT)
		hd_warn("desk", "desk sessions cannot be looked at: %s", hd_strerror(err));
	l->after[0] = '\0';
	forget(l, false);
	l->round++;
}

/* ---- doing ---------------------------------------------------------------------------------- */

struct text_task {
	struct hd_task task;
	struct daemon *d;
	char phone[HD_PHONE_ID_SIZE];
	char text[160];
};

static void run_text(struct hd_task *task)
{
	struct text_task *t = (struct text_task *)task;
	int err = t->d->notify ? hd_notify_text(t->d->notify, t->phone, t->text) : HD_ESHUTDOWN;

	if (err)
		hd_info("notify", "%s: not warned of its logout: %s", t->phone, hd_strerror(err));
	free(t);
}

static void warn(struct daemon_logouts *l, const struct due *due, const char *phone)
{
	struct text_task *t = calloc(1, sizeof(*t));
	long seconds = (long)(l->warning_ms / 1000);
	struct watched *w;

	HASH_FIND_STR(l->watched, phone, w);
	if (w && w->epoch == due->epoch)
		w->warned_mono_ms = hd_clock_mono_ms(l->d->clock);
	if (!t)
		return;
	t->d = l->d;
	t->task.run = run_text;
	memcpy(t->phone, phone, sizeof(t->phone));
	if (due->german)
		snprintf(t->text, sizeof(t->text), "%s wird in %ld %s abgemeldet.", due->user,
			 seconds >= 120 ? seconds / 60 : seconds,
			 seconds >= 120 ? "Minuten" : "Sekunden");
	else
		snprintf(t->text, sizeof(t->text), "%s will be logged out in %ld %s.", due->user,
			 seconds >= 120 ? seconds / 60 : seconds,
			 seconds >= 120 ? "minutes" : "seconds");
	hd_mailbox_post(hd_agent_mailbox(l->d->agent), &t->task);
}

static void on_logged_out(void *arg, const struct hd_operation_result *result)
{
	(void)arg;
	(void)result; /* the operation has logged it; what failed is due in the next round */
}

static void log_out(struct daemon_logouts *l, const struct due *due, const char *phone)
{
	const struct hd_desk_ask ask = {
		.event = HD_DESK_EVENT_LOGOUT,
		.way = HD_DESK_WAY_POLICY,
		.phone = phone,
		.user = due->user,
		.proof = HD_DESK_PROOF_GOOD,
	};
	int err;

	hd_info("desk", "%s: %s is logged out by itself: %s", phone, due->user,
		hd_logout_why_name(due->why));
	err = hd_operation_begin(NULL, l->d->control_operations, &ask, on_logged_out, l);
	if (err)
		hd_warn("desk", "%s: not logged out: %s", phone, hd_strerror(err));
}

static void on_answer(struct hd_calls_question *question)
{
	struct daemon_logouts *l =
		(struct daemon_logouts *)((char *)question -
					  offsetof(struct daemon_logouts, question));

	l->asking = false;
	if (question->err || !l->d->agent)
		return; /* without an agent: we are ending */
	for (size_t i = 0; i < l->n; i++) {
		if (l->busy[i])
			continue; /* after the call */
		if (l->due[i].warn)
			warn(l, &l->due[i], l->phones[i]);
		else
			log_out(l, &l->due[i], l->phones[i]);
	}
}

void daemon_logouts_look(struct daemon *d)
{
	struct daemon_logouts *l = d->logouts;
	struct hd_txn *txn;

	if (l->asking || hd_store_begin_read(d->store, &txn))
		return;
	walk(l, txn);
	hd_store_end_read(txn);
	if (l->n == 0)
		return;
	l->question.reply_to = hd_loop_mailbox(d->loop);
	l->question.done = on_answer;
	l->question.phones = (const char(*)[HD_PHONE_ID_SIZE])l->phones;
	l->question.n_phones = l->n;
	l->question.busy = l->busy;
	l->asking = true;
	hd_calls_ask(hd_agent_mailbox(d->agent), &d->proxy, &l->question);
}

void daemon_logouts_take(struct daemon *d)
{
	struct daemon_logouts *l = d->logouts;

	if (hd_logout_rule_parse(&l->rule, hd_slice_of(d->conf->desk.logout)))
		hd_error("desk", "desk.logout: not understood");
	l->warning_ms = (int64_t)d->conf->desk.logout_warning_s * 1000;
}

int daemon_logouts_new(struct daemon *d)
{
	d->logouts = calloc(1, sizeof(*d->logouts));
	if (!d->logouts)
		return HD_ENOMEM;
	d->logouts->d = d;
	daemon_logouts_take(d);
	return 0;
}

void daemon_logouts_free(struct daemon *d)
{
	if (!d->logouts)
		return;
	forget(d->logouts, true);
	free(d->logouts);
	d->logouts = NULL;
}
