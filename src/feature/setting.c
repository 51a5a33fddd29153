/* setting.c - what users set by code where they are logged in: from the request to its answer. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"

static const struct hd_slice no_body = { NULL, 0 };

/* A change on its way through the store. */
struct setting {
	struct hd_features *features;
	struct hd_irq *irq; /* NULL: the caller has gone */
	bool invite;
	enum hd_user_code code;
	char phone[HD_PHONE_ID_SIZE], call_id[HD_CALL_ID_SIZE];
	char user[HD_NUMBER_SIZE]; /* whose it is: found by the command */
	struct hd_settings_change change;
	struct hd_command command;
	struct setting *prev, *next;
};

static void setting_free(struct setting *s)
{
	DL_DELETE(s->features->settings, s);
	hd_irq_free(s->irq);
	free(s);
}

void settings_free(struct hd_features *f)
{
	while (f->settings)
		setting_free(f->settings);
}

/* ---- what it changes ------------------------------------------------------------------------ */

static int read_rings(struct hd_settings_change *change, const struct hd_feature *code)
{
	uint64_t n = 0;

	change->what = HD_CHANGE_RINGS;
	if (hd_u64_parse(&n, hd_slice_of(code->number), HD_RINGS_MAX) || n == 0)
		return HD_EPARSE;
	change->rings = (uint8_t)n;
	return 0;
}

/* @return 0 or HD_EPARSE */
static int read_code(struct hd_settings_change *change, const struct hd_feature *code)
{
	static const struct {
		enum hd_user_code on, off;
	} forwards[HD_FORWARD_COUNT] = {
		{ HD_USER_CODE_FORWARD_ALWAYS, HD_USER_CODE_FORWARD_ALWAYS_OFF },
		{ HD_USER_CODE_FORWARD_BUSY, HD_USER_CODE_FORWARD_BUSY_OFF },
		{ HD_USER_CODE_FORWARD_NO_ANSWER, HD_USER_CODE_FORWARD_NO_ANSWER_OFF },
		{ HD_USER_CODE_FORWARD_NOT_LOGGED_IN, HD_USER_CODE_FORWARD_NOT_LOGGED_IN_OFF },
	};

	if (code->code == HD_USER_CODE_RINGS)
		return read_rings(change, code);
	change->on = code->code == HD_USER_CODE_DND_TOGGLE ? HD_CHANGE_TOGGLE
		     : code->code == HD_USER_CODE_DND_ON   ? HD_CHANGE_ON
							   : HD_CHANGE_OFF;
	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++) {
		if (code->code != forwards[i].on && code->code != forwards[i].off)
			continue;
		change->what = HD_CHANGE_FORWARD;
		change->when = i;
		change->on = code->code == forwards[i].on ? HD_CHANGE_ON : HD_CHANGE_OFF;
		return hd_str_set(change->to, sizeof(change->to), code->number) ? HD_EPARSE : 0;
	}
	return code->code <= HD_USER_CODE_DND_TOGGLE ? 0 : HD_EPARSE;
}

/* @return 0; HD_ENOENT: nobody is logged in there; as hd_settings_change() */
static int run(struct hd_txn *txn, void *arg)
{
	struct setting *s = arg;
	const struct hd_features_options *o = &s->features->options;
	struct hd_desk_session session;
	struct hd_settings after;
	int err;

	s->user[0] = '\0';
	err = hd_desk_get_by_phone(o->desk, txn, s->phone, &session);
	if (err)
		return err;
	memcpy(s->user, session.user, sizeof(s->user));
	return hd_settings_change(o->settings, txn, s->user, &s->change, &after);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void answer(struct setting *s, int err)
{
	const struct dialog_plan plan = {
		.phone = s->phone,
		.code = s->features->options.codes.user[s->code],
		.kind = DIALOG_SILENT,
	};
	struct hd_irq *irq = s->irq;

	if (!irq)
		return;
	if (!err && s->invite) {
		s->irq = NULL; /* taken */
		if (!dialog_open(s->features, irq, &plan))
			hd_info("feature", "%s: done, but its INVITE could not be answered",
				s->phone);
	} else if (!err) {
		hd_irq_reply(irq, 200, NULL, NULL, no_body);
	} else if (hd_shed_is(err)) {
		hd_irq_shed(irq, hd_shed_of(err));
	} else {
		hd_irq_reply(irq, 403, NULL, refusal_reason, no_body);
	}
}

static void describe(struct hd_buf *what, const struct hd_settings_change *change)
{
	if (change->what == HD_CHANGE_RINGS)
		hd_buf_addf(what, "%u rings", change->rings);
	else if (change->what == HD_CHANGE_DND)
		hd_buf_adds(what, "do not disturb");
	else
		hd_buf_addf(what, "forward %s", hd_forward_name(change->when));
	if (change->what != HD_CHANGE_RINGS)
		hd_buf_adds(what, change->on == HD_CHANGE_OFF  ? " off"
				  : change->on == HD_CHANGE_ON ? " on"
							       : " on or off");
}

static void on_written(struct hd_command *command)
{
	struct setting *s = command->arg;
	const struct hd_features_options *o = &s->features->options;
	struct hd_buf what = { 0 };

	describe(&what, &s->change);
	hd_log_call(command->err ? HD_LOG_NOTICE : HD_LOG_INFO, "settings", s->call_id,
		    "%s: %s by code at %s%s%s", s->user[0] ? s->user : "nobody", hd_buf_text(&what),
		    s->phone, command->err ? ": refused: " : "",
		    command->err ? hd_strerror(command->err) : "");
	hd_buf_fini(&what);
	if (!command->err && o->settings_changed)
		o->settings_changed(o->arg, s->phone);
	answer(s, command->err);
	setting_free(s);
}

/* The caller has gone; what was asked for goes on, because it may be committed already. */
static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct setting *s = arg;

	(void)msg;
	if (event == HD_IRQ_ACK || s->irq != irq)
		return;
	if (event == HD_IRQ_CANCEL)
		hd_irq_reply(irq, 487, NULL, NULL, no_body);
	hd_irq_free(irq);
	s->irq = NULL;
}

/* ---- the question --------------------------------------------------------------------------- */

static void refuse(struct hd_request *req, const char *phone, const char *why)
{
	hd_log_call(HD_LOG_NOTICE, "settings", hd_msg_call_id(hd_request_msg(req)), "%s: %s", phone,
		    why);
	hd_request_reply(req, 403, NULL, refusal_reason);
}

static int fill(struct setting *s, struct hd_features *f, struct hd_msg *msg, const char *phone)
{
	s->features = f;
	s->invite = hd_msg_method(msg) == HD_METHOD_INVITE;
	s->command.run = run;
	s->command.arg = s;
	s->command.done = on_written;
	s->command.reply_to = hd_agent_mailbox(f->options.agent);
	if (hd_str_set(s->call_id, sizeof(s->call_id), hd_msg_call_id(msg)))
		s->call_id[0] = '\0'; /* for the log alone */
	return hd_str_set(s->phone, sizeof(s->phone), phone);
}

void setting_begin(struct hd_features *f, struct hd_request *req, const char *phone,
		   const struct hd_feature *code)
{
	struct setting *s;

	if (!hd_operations_admit(f->options.operations, false)) {
		hd_request_shed(req, HD_SHED_STORE);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s || fill(s, f, hd_request_msg(req), phone)) {
		free(s);
		hd_request_shed(req, HD_SHED_MEMORY);
		return;
	}
	s->code = code->code;
	s->change.has_voicemail = f->has_voicemail;
	if (!f->options.settings || read_code(&s->change, code)) {
		free(s);
		refuse(req, phone, "code of a user refused");
		return;
	}
	if (hd_irq_new(&s->irq, req, on_irq, s)) {
		free(s);
		return;
	}
	DL_APPEND(f->settings, s);
	if (hd_store_submit(f->options.store, &s->command)) {
		hd_irq_shed(s->irq, HD_SHED_STORE);
		setting_free(s);
	}
}
