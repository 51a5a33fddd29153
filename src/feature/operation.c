/* operation.c - one login, logout or toggle: snapshot, hash thread, store, answer; see
 * feature_priv.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

const char refusal_reason[] = "Reason: SIP;cause=403;text=\"Not possible\"\r\n";

static struct hd_metric logins[HD_DESK_RESULT_COUNT] = {
#define RESULT_METRIC(n, s) HD_COUNTER("hotdeskd_logins", "result=\"" s "\"", "logins and logouts"),
	HD_DESK_RESULT_LIST(RESULT_METRIC)
#undef RESULT_METRIC
};

static const struct hd_slice no_body = { NULL, 0 };

struct operation *operation_new(struct hd_features *f)
{
	struct operation *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	for (size_t i = 0; i < HD_DESK_RESULT_COUNT; i++)
		hd_metric_register(&logins[i]);
	op->features = f;
	DL_APPEND(f->operations, op);
	return op;
}

void operation_free(struct operation *op)
{
	if (op->dialog)
		op->dialog->operation = NULL;
	DL_DELETE(op->features->operations, op);
	hd_irq_free(op->irq);
	hd_wipe(op->pin, sizeof(op->pin));
	hd_wipe(&op->request, sizeof(op->request));
	free(op);
}

/* The caller has gone; what was asked for goes on, because it may be committed already. */
void operation_on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct operation *op = arg;

	(void)msg;
	if (event == HD_IRQ_ACK || op->irq != irq)
		return;
	if (event == HD_IRQ_CANCEL)
		hd_irq_reply(irq, 487, NULL, NULL, no_body);
	hd_irq_free(irq);
	op->irq = NULL;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void log_result(const struct operation *op)
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

static void report(const struct operation *op)
{
	struct hd_security_event ev = {
		.service = "HotDeskPIN",
		.account = op->request.user,
		.session = op->call_id,
	};
	char local[96], remote[96];

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
	/* The phone's digest was good: its source has proved its return path. */
	if (!op->irq)
		return;
	hd_irq_addresses(op->irq, local, remote, sizeof(local));
	ev.local_address = local;
	ev.remote_address = remote;
	hd_log_security(&ev);
}

static void answer_success(struct operation *op)
{
	struct hd_irq *irq = op->irq;

	if (op->dialog) {
		if (irq)
			hd_irq_reply(irq, 200, NULL, NULL, no_body);
		dialog_close(op->dialog, "");
	} else if (!irq) {
		return; /* cancelled, or gone */
	} else if (op->invite) {
		op->irq = NULL; /* taken */
		if (!dialog_open(op->features, irq, op->request.phone, op->request.event, true))
			hd_log_call(HD_LOG_INFO, "feature", op->call_id,
				    "%s: done, but its INVITE could not be answered",
				    op->request.phone);
	} else {
		hd_irq_reply(irq, 200, NULL, NULL, no_body);
	}
}

static void answer(struct operation *op, int err)
{
	struct hd_features_options *o = &op->features->options;
	bool changed = !err && op->request.result <= HD_DESK_RESULT_LOGGED_OUT;

	if (!err) {
		log_result(op);
		report(op);
	} else {
		/* Of overload the log is told by itself, in fewer lines. */
		hd_log_call(hd_shed_is(err) ? HD_LOG_DEBUG : HD_LOG_ERROR, "desk", op->call_id,
			    "%s: %s not done: %s", op->request.phone,
			    hd_desk_event_name(op->request.event), hd_strerror(err));
	}
	if (!err && hd_desk_result_is_success(op->request.result)) {
		answer_success(op);
	} else {
		if (op->irq && err)
			hd_irq_shed(op->irq, op->full);
		else if (op->irq)
			hd_irq_reply(op->irq, 403, NULL, refusal_reason, no_body);
		if (op->dialog)
			dialog_close(op->dialog, err ? "" : refusal_reason);
	}
	operation_free(op);
	if (changed && o->changed)
		o->changed(o->arg);
}

/* ---- the steps ------------------------------------------------------------------------------ */

static void on_committed(struct hd_command *command)
{
	struct operation *op =
		(struct operation *)((char *)command - offsetof(struct operation, command));

	op->full = hd_shed_of(command->err);
	answer(op, command->err);
}

static void submit(struct operation *op)
{
	int err;

	op->command.run = hd_desk_apply;
	op->command.arg = &op->request;
	op->command.reply_to = hd_agent_mailbox(op->features->options.agent);
	op->command.done = on_committed;
	err = hd_store_submit(op->features->options.store, &op->command);
	op->full = hd_shed_of(err);
	if (err)
		answer(op, err);
}

static void verify(struct hd_job *job)
{
	struct operation *op = (struct operation *)((char *)job - offsetof(struct operation, job));

	op->verified = hd_pin_verify(op->request.pin_hash, hd_slice_of(op->pin),
				     &op->features->options.pepper);
}

static void on_verified(struct hd_job *job)
{
	struct operation *op = (struct operation *)((char *)job - offsetof(struct operation, job));

	hd_wipe(op->pin, sizeof(op->pin));
	if (op->verified && op->verified != HD_EACCESS) {
		op->full = HD_SHED_MEMORY;
		answer(op, op->verified);
		return;
	}
	op->request.pin_ok = op->verified == 0;
	submit(op);
}

static void hash(struct operation *op)
{
	int err;

	op->job.run = verify;
	op->job.done = on_verified;
	op->job.reply_to = hd_agent_mailbox(op->features->options.agent);
	err = hd_worker_submit(op->features->options.worker, &op->job);
	op->full = err == HD_EBUSY ? HD_SHED_HASH : hd_shed_of(err);
	if (err)
		answer(op, err);
}

static int prepare(struct operation *op)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(op->features->options.store, &txn);
	if (err)
		return err;
	err = hd_desk_prepare(txn, &op->request);
	hd_store_end_read(txn);
	return err;
}

static void make_opid(struct operation *op, struct hd_msg *msg, const char *phone)
{
	uint32_t cseq = hd_msg_cseq(msg);
	struct hd_slice parts[] = {
		hd_slice_of(hd_msg_call_id(msg)),
		hd_slice_of(hd_msg_from_tag(msg)),
		hd_slice_of(phone),
		{ (const char *)&cseq, sizeof(cseq) },
	};
	uint8_t digest[HD_SHA256_BYTES];

	hd_sha256(digest, parts, sizeof(parts) / sizeof(parts[0]));
	memcpy(op->request.opid, digest, HD_OPID_BYTES);
}

static int fill(struct operation *op, struct hd_irq *irq, const char *phone,
		const struct hd_feature *code)
{
	struct hd_features_options *o = &op->features->options;
	struct hd_desk_request *r = &op->request;
	struct hd_msg *msg = hd_irq_msg(irq);
	int err;

	op->irq = irq;
	op->invite = hd_msg_method(msg) == HD_METHOD_INVITE;
	r->desk = o->desk;
	r->policy = o->policy;
	r->event = code->event;
	r->way = op->dialog   ? HD_DESK_WAY_DIALOGUE
		 : op->invite ? HD_DESK_WAY_INVITE
			      : HD_DESK_WAY_INFO;
	r->now_ms = hd_clock_wall_ms(o->clock);
	make_opid(op, msg, phone);
	err = hd_str_set(r->phone, sizeof(r->phone), phone);
	if (!err)
		err = hd_str_set(r->user, sizeof(r->user), code->number);
	if (!err)
		err = hd_str_set(op->pin, sizeof(op->pin), code->pin);
	if (err || hd_str_set(op->call_id, sizeof(op->call_id), hd_msg_call_id(msg)))
		op->call_id[0] = '\0';
	return err;
}

void operation_begin(struct operation *op, struct hd_irq *irq, struct dialog *dialog,
		     const char *phone, const struct hd_feature *code)
{
	bool by_pin = code->has_arguments && code->event != HD_DESK_EVENT_LOGOUT;
	int err;

	op->dialog = dialog;
	if (dialog)
		dialog->operation = op;
	op->full = HD_SHED_STORE;
	err = fill(op, irq, phone, code);
	if (!err && by_pin)
		err = prepare(op);
	if (err)
		answer(op, err);
	else if (!by_pin)
		submit(op);
	else if (op->request.result == HD_DESK_RESULT_AGAIN)
		hash(op);
	else
		answer(op, 0);
}
