/* features.c - see hotdesk/feature.h. */
#include <stdlib.h>
#include <string.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/sip/overload.h"

int hd_features_new(struct hd_features **fp, const struct hd_features_options *options)
{
	struct hd_features *f;

	if (!options || !options->agent || !options->store || !options->desk ||
	    !options->operations || !options->clock || (options->media && !options->prompts))
		return HD_EINVAL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return HD_ENOMEM;
	f->options = *options;
	*fp = f;
	return 0;
}

void hd_features_free(struct hd_features *f)
{
	struct dialog *d, *next;

	if (!f)
		return;
	while (f->operations)
		operation_free(f->operations);
	HASH_ITER (hh, f->dialogs, d, next) {
		d->ended = NULL;
		dialog_free(d);
	}
	settings_free(f);
	hd_prompts_unref(f->options.prompts);
	free(f);
}

void hd_features_set_policy(struct hd_features *f, const struct hd_feature_codes *codes,
			    uint32_t dialogue_s, uint32_t dialogues_max)
{
	f->options.codes = *codes;
	f->options.dialogue_s = dialogue_s;
	f->options.dialogues_max = dialogues_max;
}

void hd_features_set_dialogue(struct hd_features *f, const struct hd_dialogue_policy *policy,
			      struct hd_prompts *prompts)
{
	f->options.dialogue = *policy;
	if (!prompts)
		return;
	hd_prompts_unref(f->options.prompts);
	f->options.prompts = prompts;
}

void hd_features_set_voicemail(struct hd_features *f, bool has_voicemail)
{
	f->has_voicemail = has_voicemail;
}

void hd_features_set_keys_max(struct hd_features *f, uint32_t keys_max)
{
	f->keys_max = keys_max;
}

static bool is_occupied(struct hd_features *f, const char *phone)
{
	struct hd_desk_session session;
	struct hd_txn *txn;
	bool occupied;

	if (hd_store_begin_read(f->options.store, &txn))
		return false;
	occupied = hd_desk_get_by_phone(f->options.desk, txn, phone, &session) == 0;
	hd_store_end_read(txn);
	return occupied;
}

/* The code alone, by INVITE: number and PIN are still to come. */
static bool wants_dialogue(struct hd_features *f, const char *phone, const struct hd_feature *code)
{
	if (code->has_arguments || code->event == HD_DESK_EVENT_LOGOUT)
		return false;
	return code->event == HD_DESK_EVENT_LOGIN || !is_occupied(f, phone);
}

/* Before a transaction is spent on it. @return true: refused, and ended */
static bool is_shed(struct hd_features *f, struct hd_request *req, const struct hd_feature *code,
		    bool dialogue)
{
	bool by_pin = code->has_arguments && code->event != HD_DESK_EVENT_LOGOUT;

	if (dialogue && HASH_COUNT(f->dialogs) >= f->options.dialogues_max)
		hd_request_shed(req, HD_SHED_TRANSACTIONS);
	else if (by_pin && !hd_operations_admit(f->options.operations, true))
		hd_request_shed(req, HD_SHED_HASH);
	else if (!dialogue && !hd_operations_admit(f->options.operations, false))
		hd_request_shed(req, HD_SHED_STORE);
	else
		return false;
	return true;
}

static void refuse(struct hd_request *req, const char *phone, const char *why)
{
	hd_log_call(HD_LOG_NOTICE, "feature", hd_msg_call_id(hd_request_msg(req)), "%s: %s", phone,
		    why);
	hd_request_reply(req, 403, NULL, refusal_reason);
}

/* RFC 3261 8.2.2.3; we know no extension. @return true: refused, and ended */
static bool requires_more(struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_buf lines = { 0 };
	const char *tags;

	for (unsigned i = 0; (tags = hd_msg_header(msg, "Require", i)); i++)
		if (*tags)
			hd_buf_addf(&lines, "Unsupported: %s\r\n", tags);
	if (!lines.len || hd_msg_method(msg) == HD_METHOD_ACK) {
		hd_buf_fini(&lines);
		return false;
	}
	hd_request_reply(req, 420, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
	return true;
}

/* What a number of ours can do, and says when it is asked or is asked for more (11.2, 21.4.6). */
static const char capabilities[] =
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\nAccept: application/sdp\r\n";

static void on_other_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	(void)arg;
	(void)irq;
	(void)event;
	(void)msg;
}

bool hd_features_answer(struct hd_features *f, struct hd_request *req, const char *phone,
			const char *code, void (*ended)(void *arg), void *arg)
{
	const struct dialog_plan plan = {
		.phone = phone,
		.code = code,
		.kind = DIALOG_SILENT,
		.ended = ended,
		.arg = arg,
	};
	struct hd_irq *irq;

	return !requires_more(req) && !hd_irq_new(&irq, req, on_other_irq, NULL) &&
	       dialog_open(f, irq, &plan);
}

void hd_features_receive(struct hd_features *f, struct hd_request *req, const char *phone,
			 const struct hd_feature *code)
{
	enum hd_method method = hd_msg_method(hd_request_msg(req));
	const struct dialog_plan plan = {
		.phone = phone,
		.event = HD_DESK_EVENT_LOGIN,
		.kind = DIALOG_LOGIN,
	};
	struct operation *op;
	struct hd_irq *irq;
	bool dialogue;

	if (method != HD_METHOD_INVITE && method != HD_METHOD_INFO) {
		hd_request_reply(req, method == HD_METHOD_OPTIONS ? 200 : 405, NULL, capabilities);
		return;
	}
	if (requires_more(req))
		return;
	if (code->malformed) {
		refuse(req, phone, "malformed feature code refused");
		return;
	}
	if (code->code != HD_USER_CODE_NONE) {
		setting_begin(f, req, phone, code);
		return;
	}
	dialogue = wants_dialogue(f, phone, code);
	if (dialogue && method == HD_METHOD_INFO) {
		refuse(req, phone, "feature code without number and PIN refused");
		return;
	}
	if (is_shed(f, req, code, dialogue))
		return;
	op = operation_new(f, req, &irq);
	if (!op)
		return;
	if (!dialogue) {
		operation_begin(op, irq, NULL, phone, code);
		return;
	}
	operation_free(op);
	dialogs_make_room(f, phone);
	if (!dialog_open(f, irq, &plan))
		hd_info("feature", "%s: login dialogue not opened", phone);
}

static bool is_same_flow(const struct hd_flow *one, const struct hd_flow *other)
{
	return one->transport == other->transport && one->listener == other->listener &&
	       one->port == other->port &&
	       memcmp(one->address, other->address, sizeof(one->address)) == 0;
}

/* An ACK cannot be challenged; that it comes from where the phone is must do. */
static bool vouches(const struct dialog *d, struct hd_request *req)
{
	struct hd_flow theirs, ours;

	if (hd_flow_parse(&theirs, hd_request_flow(req)) || hd_flow_parse(&ours, d->flow))
		return false;
	if (hd_msg_method(hd_request_msg(req)) == HD_METHOD_ACK)
		return memcmp(theirs.address, ours.address, sizeof(ours.address)) == 0;
	return is_same_flow(&theirs, &ours);
}

enum hd_features_claim hd_features_receive_in_dialog(struct hd_features *f, struct hd_request *req,
						     const char *phone)
{
	struct dialog *d = dialog_find(f, hd_request_msg(req));

	if (!d)
		return HD_FEATURES_NOT_OURS;
	/* Tags are no secret on a shared wire. */
	if (phone ? strcmp(phone, d->phone) != 0 : !vouches(d, req)) {
		if (!phone)
			return HD_FEATURES_UNPROVED;
		hd_request_reply(req, 481, NULL, NULL);
	} else if (!requires_more(req)) {
		dialog_receive(d, req);
	}
	return HD_FEATURES_ENDED;
}
