/* operation.c - see hotdesk/desk_operation.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "desk_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/desk_operation.h"

enum { CALL_ID_SIZE = 257, ADDRESS_SIZE = 96 };

struct hd_operations {
	struct hd_operations_options options;
	struct hd_operation *list;
	size_t n;
};

struct hd_operation {
	struct hd_operations *all;
	struct hd_desk_request request;
	char pin[HD_PIN_SIZE];
	int verified;
	struct hd_operation_result result;
	hd_operation_fn *done; /* NULL: the asker is gone */
	void *arg;
	char call_id[CALL_ID_SIZE];
	char local_address[ADDRESS_SIZE], remote_address[ADDRESS_SIZE];
	struct hd_job job;
	struct hd_command command;
	struct hd_task task;
	struct hd_operation *prev, *next;
};

static struct hd_metric logins[HD_DESK_RESULT_COUNT] = {
#define RESULT_METRIC(n, s) HD_COUNTER("hotdeskd_logins", "result=\"" s "\"", "logins and logouts"),
	HD_DESK_RESULT_LIST(RESULT_METRIC)
#undef RESULT_METRIC
};

#define OF(member, p) ((struct hd_operation *)((char *)(p)-offsetof(struct hd_operation, member)))

int hd_operations_new(struct hd_operations **osp, const struct hd_operations_options *o)
{
	struct hd_operations *os;

	if (!osp || !o || !o->store || !o->dir || !o->desk || !o->worker || !o->mailbox ||
	    !o->clock)
		return HD_EINVAL;
	os = calloc(1, sizeof(*os));
	if (!os)
		return HD_ENOMEM;
	os->options = *o;
	for (size_t i = 0; i < HD_DESK_RESULT_COUNT; i++)
		hd_metric_register(&logins[i]);
	*osp = os;
	return 0;
}

static void operation_free(struct hd_operation *op)
{
	DL_DELETE(op->all->list, op);
	op->all->n--;
	hd_wipe(op->pin, sizeof(op->pin));
	hd_wipe(&op->request, sizeof(op->request));
	free(op);
}

void hd_operations_free(struct hd_operations *os)
{
	if (!os)
		return;
	while (os->list)
		operation_free(os->list);
	hd_wipe(&os->options.pepper, sizeof(os->options.pepper));
	free(os);
}

void hd_operations_set_policy(struct hd_operations *os, const struct hd_desk_policy *policy)
{
	os->options.policy = *policy;
}

size_t hd_operations_count(const struct hd_operations *os)
{
	return os->n;
}

bool hd_operations_admit(struct hd_operations *os, bool by_pin)
{
	return by_pin ? !hd_worker_is_full(os->options.worker)
		      : !hd_store_is_busy(os->options.store);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void log_result(const struct hd_operation *op)
{
	const struct hd_desk_request *r = &op->request;

	hd_metric_add(&logins[r->result], 1);
	hd_log_call(HD_LOG_NOTICE, "desk", op->call_id, "%s: %s%s%s by %s: %s%s%s%s%s", r->phone,
		    hd_desk_event_name(r->event), r->user[0] ? " of " : "", r->user,
		    hd_desk_way_name(r->way), hd_desk_result_name(r->result),
		    r->left_phone[0] ? ", left " : "", r->left_phone,
		    !r->left_user[0]			     ? ""
		    : r->result == HD_DESK_RESULT_LOGGED_OUT ? ", was "
							     : ", replaced ",
		    r->left_user);
	if (r->locked_now)
		hd_log_call(HD_LOG_WARNING, "desk", op->call_id,
			    "%s: locked after wrong PINs at %s", r->user, r->phone);
}

static void report(const struct hd_operation *op)
{
	struct hd_security_event ev = {
		.service = "HotDeskPIN",
		.account = op->request.user,
		.session = op->call_id,
		.local_address = op->local_address,
		.remote_address = op->remote_address,
	};

	switch (op->request.result) {
	case HD_DESK_RESULT_WRONG_PIN:
		ev.event = "InvalidPassword";
		break;
	case HD_DESK_RESULT_UNKNOWN_USER:
		ev.event = "InvalidAccountID";
		break;
	case HD_DESK_RESULT_NO_PERMISSION:
	case HD_DESK_RESULT_DISABLED:
		ev.event = "FailedACL";
		break;
	default:
		return;
	}
	if (op->remote_address[0])
		hd_log_security(&ev);
}

/* Of overload the log is told by itself, in fewer lines. */
static bool is_overload(int err)
{
	return err == HD_EBUSY || err == HD_EFULL || err == HD_ESHUTDOWN || err == HD_ENOMEM;
}

static void name_user(struct hd_operation *op, struct hd_txn *txn, char name[HD_NAME_SIZE],
		      const char *number)
{
	struct hd_operation_result *r = &op->result;
	struct hd_user user;
	int err;

	err = hd_user_get(op->all->options.dir, txn, number, &user);
	if (err || hd_str_set(name, HD_NAME_SIZE, user.name[0] ? user.name : number))
		err = hd_str_set(name, HD_NAME_SIZE, number);
	if (!err && !r->language[0])
		memcpy(r->language, user.language, sizeof(r->language));
	hd_wipe(&user, sizeof(user));
}

static void name_phone(struct hd_operation *op, struct hd_txn *txn)
{
	struct hd_operation_result *r = &op->result;
	struct hd_phone phone;

	if (hd_phone_get(op->all->options.dir, txn, r->left_phone, &phone) || !phone.label[0] ||
	    hd_str_set(r->left_phone_name, sizeof(r->left_phone_name), phone.label))
		memcpy(r->left_phone_name, r->left_phone, sizeof(r->left_phone));
	hd_wipe(&phone, sizeof(phone));
}

/* Best effort: without a snapshot the numbers have to do. */
static void find_names(struct hd_operation *op)
{
	struct hd_operation_result *r = &op->result;
	struct hd_txn *txn;

	memcpy(r->user_name, r->session.user, sizeof(r->session.user));
	memcpy(r->left_user_name, r->left_user, sizeof(r->left_user));
	memcpy(r->left_phone_name, r->left_phone, sizeof(r->left_phone));
	if (hd_store_begin_read(op->all->options.store, &txn))
		return;
	if (r->session.user[0]) /* first: its language counts */
		name_user(op, txn, r->user_name, r->session.user);
	if (r->left_user[0])
		name_user(op, txn, r->left_user_name, r->left_user);
	if (r->left_phone[0])
		name_phone(op, txn);
	hd_store_end_read(txn);
}

static void fill_result(struct hd_operation *op)
{
	const struct hd_desk_request *q = &op->request;
	struct hd_operation_result *r = &op->result;

	r->result = q->result;
	if (r->err || !hd_desk_result_is_success(q->result))
		return;
	r->session = q->session;
	memcpy(r->left_phone, q->left_phone, sizeof(r->left_phone));
	memcpy(r->left_user, q->left_user, sizeof(r->left_user));
	find_names(op);
}

static void finish(struct hd_operation *op)
{
	struct hd_operations *os = op->all;
	int err = op->result.err;
	bool changed = !err && op->request.result <= HD_DESK_RESULT_LOGGED_OUT;

	op->result.locked_now = op->request.locked_now;
	if (!err) {
		log_result(op);
		report(op);
	} else {
		hd_log_call(is_overload(err) ? HD_LOG_DEBUG : HD_LOG_ERROR, "desk", op->call_id,
			    "%s: %s not done: %s", op->request.phone,
			    hd_desk_event_name(op->request.event), hd_strerror(err));
	}
	if (op->done) {
		fill_result(op);
		op->done(op->arg, &op->result);
	}
	operation_free(op);
	if (changed && os->options.changed)
		os->options.changed(os->options.arg);
}

static void on_task(struct hd_task *task)
{
	finish(OF(task, task));
}

/* Never from within the call that began it. */
static void finish_later(struct hd_operation *op, int err)
{
	op->result.err = err;
	op->task.run = on_task;
	hd_mailbox_post(op->all->options.mailbox, &op->task);
}

/* ---- the steps ------------------------------------------------------------------------------ */

static void on_committed(struct hd_command *command)
{
	struct hd_operation *op = OF(command, command);

	op->result.err = command->err;
	finish(op);
}

static int submit(struct hd_operation *op)
{
	op->command.run = hd_desk_apply;
	op->command.arg = &op->request;
	op->command.reply_to = op->all->options.mailbox;
	op->command.done = on_committed;
	return hd_store_submit(op->all->options.store, &op->command);
}

static void verify(struct hd_job *job)
{
	struct hd_operation *op = OF(job, job);

	op->verified =
		hd_pin_verify(op->request.pin_hash, hd_slice_of(op->pin), &op->all->options.pepper);
	hd_wipe(op->pin, sizeof(op->pin));
}

static void on_verified(struct hd_job *job)
{
	struct hd_operation *op = OF(job, job);

	if (op->verified && op->verified != HD_EACCESS) {
		op->result.err = op->verified;
		op->result.at_hash = true;
		finish(op);
		return;
	}
	op->request.pin_ok = op->verified == 0;
	op->result.err = submit(op);
	if (op->result.err)
		finish(op);
}

static int hash(struct hd_operation *op)
{
	int err;

	op->job.run = verify;
	op->job.done = on_verified;
	op->job.reply_to = op->all->options.mailbox;
	err = hd_worker_submit(op->all->options.worker, &op->job);
	op->result.at_hash = err != 0;
	return err;
}

static int prepare(struct hd_operation *op)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(op->all->options.store, &txn);
	if (err)
		return err;
	err = hd_desk_prepare(txn, &op->request);
	hd_store_end_read(txn);
	return err;
}

static void start(struct hd_operation *op, const struct hd_desk_ask *ask)
{
	bool by_pin = op->request.event != HD_DESK_EVENT_LOGOUT &&
		      (op->request.user[0] || ask->proof != HD_DESK_PROOF_PIN || ask->pin.len > 0);
	int err = by_pin ? prepare(op) : 0;

	if (err || (by_pin && op->request.result != HD_DESK_RESULT_AGAIN)) {
		finish_later(op, err);
		return;
	}
	if (by_pin && op->request.pin_hash[0] && ask->proof == HD_DESK_PROOF_PIN) {
		err = hash(op);
	} else {
		op->request.pin_ok = ask->proof == HD_DESK_PROOF_GOOD;
		err = submit(op);
	}
	if (err)
		finish_later(op, err);
}

static int fill(struct hd_operation *op, const struct hd_desk_ask *ask)
{
	struct hd_operations_options *o = &op->all->options;
	struct hd_desk_request *r = &op->request;

	r->desk = o->desk;
	r->policy = o->policy;
	r->event = ask->event;
	r->way = ask->way;
	r->now_ms = hd_clock_wall_ms(o->clock);
	memcpy(r->opid, ask->opid, sizeof(r->opid));
	/* These are for the log only. */
	if (hd_str_set(op->call_id, sizeof(op->call_id), ask->call_id) ||
	    hd_str_set(op->local_address, sizeof(op->local_address), ask->local_address) ||
	    hd_str_set(op->remote_address, sizeof(op->remote_address), ask->remote_address))
		hd_debug("desk", "%s: a name that is too long for the log", ask->phone);
	if (hd_str_set(r->phone, sizeof(r->phone), ask->phone) ||
	    hd_str_set(r->user, sizeof(r->user), ask->user) ||
	    hd_str_copy(op->pin, sizeof(op->pin), ask->pin))
		return HD_ELIMIT;
	return 0;
}

int hd_operation_begin(struct hd_operation **opp, struct hd_operations *os,
		       const struct hd_desk_ask *ask, hd_operation_fn *done, void *arg)
{
	struct hd_operation *op = calloc(1, sizeof(*op));

	if (!op)
		return HD_ENOMEM;
	op->all = os;
	op->done = done;
	op->arg = arg;
	DL_APPEND(os->list, op);
	os->n++;
	if (fill(op, ask)) {
		operation_free(op);
		return HD_ELIMIT;
	}
	start(op, ask);
	if (opp)
		*opp = op;
	return 0;
}

void hd_operation_leave(struct hd_operation *op)
{
	if (op)
		op->done = NULL;
}
