/*
 * removal.c - somebody's calls are removed: the own list, and where that is asked for the number in
 * all others, in calls that go on, and, when no user has it any more, in the audit.
 *
 * One step after the other, each a short command, so that others' commands pass in between.
 */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/audit.h"
#include "hotdesk/base/log.h"
#include "missed.h"
#include "removal.h"

enum { LOOKS = 2000 };
_Static_assert((int)HD_CALLS_NUMBER_SIZE == (int)HD_CALLS_OWNER_SIZE, "copied");

enum stage { LIST, OTHERS, AUDIT, DONE };

struct removal {
	struct hd_command command;
	struct hd_task task;
	struct daemon *d;
	struct hd_http_request *req;
	char owner[HD_CALLS_OWNER_SIZE], who[64];
	uint64_t removed, blanked, audited;
	bool everywhere;
	enum stage stage;
	bool is_user; /* still, or again */
	struct hd_calls_blank blank;
	struct hd_audit_blank audit;
};

/* ---- stages: store thread ------------------------------------------------------------------- */

static int run_list(struct hd_txn *txn, void *arg)
{
	struct removal *r = arg;
	struct hd_user user;
	int err;

	err = hd_user_get(r->d->dir, txn, r->owner, &user);
	hd_wipe(&user, sizeof(user));
	r->is_user = err != HD_ENOENT || !r->audit.number[0];
	return hd_calls_remove(r->d->calls, txn, r->owner, &r->removed);
}

/* ---- control thread ------------------------------------------------------------------------- */

static void answer(struct removal *r, int err)
{
	struct hd_buf b = { 0 };
	struct hd_json j;

	if (err) {
		hd_http_answer_error(r->req, err, "calls: %s", hd_strerror(err));
		return;
	}
	hd_notice("admin",
		  "calls of %s: %llu removed, %llu of others and %llu of the audit "
		  "blanked (%s)",
		  r->owner, (unsigned long long)r->removed, (unsigned long long)r->blanked,
		  (unsigned long long)r->audited, r->who);
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", "removed");
	hd_json_uint(&j, "removed", r->removed);
	hd_json_uint(&j, "blanked", r->blanked);
	hd_json_uint(&j, "audit_blanked", r->audited);
	hd_json_object_end(&j);
	hd_http_answer_json(r->req, 200, &b);
}

static void on_step(struct hd_command *command);

static int submit(struct removal *r, hd_command_fn *run, void *arg)
{
	r->command = (struct hd_command){
		.run = run,
		.arg = arg,
		.reply_to = hd_loop_mailbox(r->d->loop),
		.done = on_step,
	};
	return hd_store_submit(r->d->store, &r->command);
}

/* What was done counts; the stage ends when it has gone through everything. */
static void take(struct removal *r)
{
	if (r->stage == LIST) {
		r->stage = r->everywhere ? OTHERS : DONE;
		daemon_missed_cleared(r->d, r->owner);
	} else if (r->stage == OTHERS) {
		r->blanked += r->blank.blanked;
		memcpy(r->blank.from, r->blank.at, sizeof(r->blank.from));
		r->blank.from_len = r->blank.at_len;
		r->blank.from_open = r->blank.open;
		if (r->blank.done)
			r->stage = r->is_user ? DONE : AUDIT;
	} else {
		r->audited += r->audit.blanked;
		r->audit.from.epoch = r->audit.at.epoch;
		r->audit.from.sequence = r->audit.at.sequence;
		if (r->audit.done)
			r->stage = DONE;
	}
}

static void on_step(struct hd_command *command)
{
	struct removal *r = (struct removal *)command;
	int err = command->err;

	if (!err)
		take(r);
	if (!err && r->stage == OTHERS)
		err = submit(r, hd_calls_blank, &r->blank);
	else if (!err && r->stage == AUDIT)
		err = submit(r, hd_audit_blank, &r->audit);
	else
		r->stage = DONE;
	if (!err && r->stage != DONE)
		return;
	answer(r, err);
	free(r);
}

static void begin(struct hd_task *task)
{
	struct removal *r = (struct removal *)((char *)task - offsetof(struct removal, task));
	int err = submit(r, run_list, r);

	if (!err)
		return;
	answer(r, err);
	free(r);
}

/* SIP thread: what it has not written yet is written before, and of calls that go on less after. */
static void mark(struct hd_task *task)
{
	struct removal *r = (struct removal *)((char *)task - offsetof(struct removal, task));

	daemon_recorder_blank(r->d, r->owner);
	r->task.run = begin;
	hd_mailbox_post(hd_loop_mailbox(r->d->loop), &r->task);
}

void daemon_calls_delete(struct hd_http_request *req, void *arg)
{
	struct daemon *d = arg;
	struct removal *r = calloc(1, sizeof(*r));
	const char *everywhere = hd_http_query(req, "everywhere");
	int err = r ? 0 : HD_ENOMEM;

	if (!err)
		err = hd_str_set(r->owner, sizeof(r->owner), hd_http_param(req, 0));
	if (!err)
		err = hd_str_set(r->who, sizeof(r->who), hd_http_peer_get(req)->text);
	if (err) {
		free(r);
		hd_http_answer_error(req, err, "calls: %s", hd_strerror(err));
		return;
	}
	r->everywhere = everywhere && strcmp(everywhere, "true") == 0;
	r->blank.calls = d->calls;
	r->blank.looks = r->audit.looks = LOOKS;
	memcpy(r->blank.number, r->owner, sizeof(r->blank.number));
	r->audit.desk = d->desk;
	/* One that is longer is in no audit. */
	if (hd_str_set(r->audit.number, sizeof(r->audit.number), r->owner))
		r->audit.number[0] = '\0';
	r->d = d;
	r->req = req;
	r->task.run = begin;
	if (r->everywhere) {
		r->task.run = mark;
		hd_mailbox_post(hd_agent_mailbox(d->agent), &r->task);
	} else {
		begin(&r->task);
	}
}
