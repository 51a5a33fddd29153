/* operation.c - the SIP side of a login, logout or toggle: from the request to its answer. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"

const char refusal_reason[] = "Reason: SIP;cause=403;text=\"Not possible\"\r\n";

static const struct hd_slice no_body = { NULL, 0 };

void operation_free(struct operation *op)
{
	if (op->dialog)
		op->dialog->operation = NULL;
	DL_DELETE(op->features->operations, op);
	hd_operation_leave(op->desk);
	hd_irq_free(op->irq);
	free(op);
}

/* The caller has gone; what was asked for goes on, because it may be committed already. */
static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
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

struct operation *operation_new(struct hd_features *f, struct hd_request *req, struct hd_irq **irqp)
{
	struct operation *op = calloc(1, sizeof(*op));

	if (!op) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return NULL;
	}
	op->features = f;
	DL_APPEND(f->operations, op);
	if (!hd_irq_new(irqp, req, on_irq, op))
		return op;
	operation_free(op);
	return NULL;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void answer_success(struct operation *op, const struct hd_operation_result *result)
{
	struct hd_irq *irq = op->irq;
	/* Who has typed it all into one number wants no answer; the code alone says goodbye. */
	const struct dialog_plan plan = {
		.phone = op->phone,
		.event = op->event,
		.kind = op->code_alone ? DIALOG_RESULT : DIALOG_SILENT,
		.result = op->code_alone ? result : NULL,
	};

	if (op->dialog) {
		if (irq)
			hd_irq_reply(irq, 200, NULL, NULL, no_body);
		dialog_close(op->dialog, "");
	} else if (!irq) {
		return; /* cancelled, or gone */
	} else if (op->invite) {
		op->irq = NULL; /* taken */
		if (!dialog_open(op->features, irq, &plan))
			hd_info("feature", "%s: done, but its INVITE could not be answered",
				op->phone);
	} else {
		hd_irq_reply(irq, 200, NULL, NULL, no_body);
	}
}

static void answer_refusal(struct operation *op)
{
	if (op->irq)
		hd_irq_reply(op->irq, 403, NULL, refusal_reason, no_body);
	if (op->dialog)
		dialog_close(op->dialog, refusal_reason);
}

static void answer_not_now(struct operation *op, enum hd_shed why)
{
	if (op->irq)
		hd_irq_shed(op->irq, why);
	if (op->dialog)
		dialog_close(op->dialog, "");
}

static void on_done(void *arg, const struct hd_operation_result *result)
{
	struct operation *op = arg;

	op->desk = NULL; /* gone */
	if (hd_operation_is_success(result))
		answer_success(op, result);
	else if (!result->err)
		answer_refusal(op);
	else
		answer_not_now(op, result->err == HD_EBUSY && result->at_hash
					   ? HD_SHED_HASH
					   : hd_shed_of(result->err));
	operation_free(op);
}

/* ---- the question --------------------------------------------------------------------------- */

static void make_opid(uint8_t opid[HD_OPID_BYTES], struct hd_msg *msg, const char *phone)
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
	memcpy(opid, digest, HD_OPID_BYTES);
}

static int ask_desk(struct operation *op, const struct hd_feature *code)
{
	struct hd_msg *msg = hd_irq_msg(op->irq);
	char local[96], remote[96];
	struct hd_desk_ask ask = {
		.event = code->event,
		.phone = op->phone,
		.user = code->number,
		.pin = hd_slice_of(code->pin),
		.call_id = hd_msg_call_id(msg),
		/* The phone's digest was good: its source has proved its return path. */
		.local_address = local,
		.remote_address = remote,
	};

	ask.way = op->dialog   ? HD_DESK_WAY_DIALOGUE
		  : op->invite ? HD_DESK_WAY_INVITE
			       : HD_DESK_WAY_INFO;
	make_opid(ask.opid, msg, op->phone);
	hd_irq_addresses(op->irq, local, remote, sizeof(local));
	return hd_operation_begin(&op->desk, op->features->options.operations, &ask, on_done, op);
}

void operation_begin(struct operation *op, struct hd_irq *irq, struct dialog *dialog,
		     const char *phone, const struct hd_feature *code)
{
	int err;

	op->irq = irq;
	op->invite = hd_msg_method(hd_irq_msg(irq)) == HD_METHOD_INVITE;
	op->event = code->event;
	op->code_alone = !code->has_arguments;
	op->dialog = dialog;
	if (dialog)
		dialog->operation = op;
	err = hd_str_set(op->phone, sizeof(op->phone), phone);
	if (!err)
		err = ask_desk(op, code);
	if (!err)
		return;
	if (hd_shed_is(err))
		answer_not_now(op, hd_shed_of(err));
	else
		answer_refusal(op);
	operation_free(op);
}
