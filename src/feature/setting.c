/* setting.c - what users set by code where they are logged in: from the request to its answer. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "feature_priv.h"
#include "hotdesk/audit.h"
#include "hotdesk/base/log.h"
#include "hotdesk/own_key.h"

static const struct hd_slice no_body = { NULL, 0 };

/* A change on its way through the store. */
struct setting {
	struct hd_features *features;
	struct hd_irq *irq; /* NULL: the caller has gone */
	bool invite;
	enum hd_user_code code;
	char phone[HD_PHONE_ID_SIZE], call_id[HD_CALL_ID_SIZE];
	char asked[HD_NUMBER_SIZE]; /* who may set it; "": nobody was there */
	char user[HD_NUMBER_SIZE];  /* whose it is: found by the command */
	struct hd_settings_change change;
	struct hd_settings after;
	struct hd_own_key_change key, key_done; /* of HD_USER_CODE_SPEED_DIAL */
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

/* "5*0891234"; "5": no longer. */
static int read_key(struct hd_own_key_change *key, const struct hd_feature *code)
{
	const char *star = strchr(code->number, '*');
	struct hd_slice place = hd_slice_of(code->number);
	uint64_t n = 0;

	if (star)
		place.len = (size_t)(star - code->number);
	if (hd_u64_parse(&n, place, HD_PHONE_KEYS_MAX) || n == 0)
		return HD_EPARSE;
	key->place = (uint8_t)n;
	key->type = HD_PHONE_KEY_SPEED_DIAL;
	key->what = star ? HD_OWN_KEY_NUMBER : HD_OWN_KEY_REMOVE;
	return star ? hd_str_set(key->text, sizeof(key->text), star + 1) : 0;
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

static bool is_key(const struct setting *s)
{
	return s->code == HD_USER_CODE_SPEED_DIAL;
}

/* @return 0; as hd_plan_may_forward() */
static int may_set(struct setting *s, struct hd_txn *txn)
{
	const struct hd_features_options *o = &s->features->options;
	int64_t now_ms = hd_clock_wall_ms(o->clock);
	struct hd_settings settings;
	const char *to = s->change.to;
	int err;

	if (is_key(s) && s->key.what == HD_OWN_KEY_NUMBER)
		return hd_plan_may_dial(o->planner, txn, s->asked, s->key.text, now_ms);
	if (is_key(s) || s->change.what != HD_CHANGE_FORWARD || s->change.on == HD_CHANGE_OFF)
		return 0;
	if (!to[0]) {
		err = hd_settings_get(o->settings, txn, s->asked, &settings);
		if (err)
			return err == HD_ECORRUPT ? 0 : err;
		to = settings.forward[s->change.when].to;
	}
	return to[0] ? hd_plan_may_forward(o->planner, txn, s->asked, to, now_ms) : 0;
}

/* Before it is written: classes of service are this thread's. */
static int check(struct setting *s)
{
	const struct hd_features_options *o = &s->features->options;
	struct hd_desk_session session;
	struct hd_txn *txn;
	int err;

	if (!o->planner)
		return 0;
	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_desk_get_by_phone(o->desk, txn, s->phone, &session);
	if (!err) {
		memcpy(s->asked, session.user, sizeof(s->asked));
		err = may_set(s, txn);
	} else if (err == HD_ENOENT) {
		err = 0;
	}
	hd_store_end_read(txn);
	return err;
}

static int write_key(struct hd_txn *txn, struct setting *s)
{
	const struct hd_features_options *o = &s->features->options;
	struct hd_phone phone;
	int err;

	err = hd_phone_get(o->dir, txn, s->phone, &phone);
	if (!err)
		err = hd_own_key_change(o->device, txn, s->user, &phone, &s->key_done);
	hd_wipe(&phone, sizeof(phone));
	return err ? err : hd_outbox_put(o->desk, txn, s->phone, hd_clock_wall_ms(o->clock));
}

static void describe(struct hd_buf *what, const struct setting *s, bool done)
{
	if (is_key(s))
		hd_own_key_describe(what, &s->key_done);
	else
		hd_settings_change_describe(what, &s->change, done ? &s->after : NULL);
}

static int write_audit(struct hd_txn *txn, const struct setting *s)
{
	const struct hd_features_options *o = &s->features->options;
	struct hd_buf what = { 0 };
	char to[HD_PHONE_ID_SIZE];
	struct hd_audit_setting entry = {
		.user = s->user,
		.phone = s->phone,
		.way = s->invite ? HD_DESK_WAY_INVITE : HD_DESK_WAY_INFO,
		.to = to,
		.at_ms = hd_clock_wall_ms(o->clock),
	};
	int err;

	describe(&what, s, true);
	hd_target_mask(to, sizeof(to),
		       is_key(s) ? s->key_done.text
				 : hd_settings_change_target(&s->change, &s->after));
	entry.what = hd_buf_text(&what);
	err = hd_buf_error(&what);
	if (!err)
		err = hd_audit_add_setting(o->desk, txn, &entry);
	hd_buf_fini(&what);
	return err;
}

/*
 * @return 0; HD_ENOENT: nobody is logged in there; HD_ESTATE: somebody else than was asked about;
 *         as hd_settings_change() and hd_own_key_change()
 */
static int run(struct hd_txn *txn, void *arg)
{
	struct setting *s = arg;
	const struct hd_features_options *o = &s->features->options;
	struct hd_desk_session session;
	int err;

	s->user[0] = '\0';
	s->key_done = s->key; /* it may be run again */
	err = hd_desk_get_by_phone(o->desk, txn, s->phone, &session);
	if (err)
		return err;
	memcpy(s->user, session.user, sizeof(s->user));
	if (o->planner && strcmp(s->user, s->asked) != 0)
		return HD_ESTATE;
	err = is_key(s) ? write_key(txn, s)
			: hd_settings_change(o->settings, txn, s->user, &s->change, &s->after);
	return err ? err : write_audit(txn, s);
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

static void on_written(struct hd_command *command)
{
	struct setting *s = command->arg;
	const struct hd_features_options *o = &s->features->options;
	struct hd_buf what = { 0 };

	describe(&what, s, !command->err);
	hd_log_call(command->err ? HD_LOG_NOTICE : HD_LOG_INFO, "settings", s->call_id,
		    "%s: %s by code at %s%s%s", s->user[0] ? s->user : "nobody", hd_buf_text(&what),
		    s->phone, command->err ? ": refused: " : "",
		    command->err ? hd_strerror(command->err) : "");
	hd_buf_fini(&what);
	if (!command->err && o->settings_changed)
		o->settings_changed(o->arg, s->phone, is_key(s));
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

/* What the caller can do nothing about by dialling again is said. */
static void refuse_target(struct hd_request *req, const char *phone, int err)
{
	bool forbidden = err == HD_EACCESS;
	const char *why = forbidden ? "target refused: its class of service does not allow it"
				    : "target refused: no code is dialled for anybody";

	hd_log_call(HD_LOG_NOTICE, "settings", hd_msg_call_id(hd_request_msg(req)), "%s: %s", phone,
		    why);
	hd_request_reply(req, 403, forbidden ? "Not Allowed By Class Of Service" : NULL,
			 forbidden ? "Reason: Q.850;cause=21;text=\"Outgoing call barred\"\r\n"
				     "Warning: 399 hotdeskd \"the class of service does not allow "
				     "this target\"\r\n"
				   : "Warning: 399 hotdeskd \"a feature code is no target\"\r\n");
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
	int err;

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
	s->key.max = f->keys_max;
	if (!f->options.settings || (is_key(s) ? !f->options.device || read_key(&s->key, code)
					       : read_code(&s->change, code))) {
		free(s);
		refuse(req, phone, "code of a user refused");
		return;
	}
	err = check(s);
	if (err) {
		free(s);
		if (err == HD_EACCESS || err == HD_EINVAL)
			refuse_target(req, phone, err);
		else
			hd_request_shed(req, HD_SHED_STORE);
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
