/* settings_write.c - a change that a user makes on a phone's screen, through the store. */
#include <stdlib.h>
#include <string.h>

#include "form_priv.h"
#include "hotdesk/audit.h"
#include "hotdesk/base/log.h"

struct writing {
	struct form_visit visit;
	char asked[HD_NUMBER_SIZE]; /* who may set it; "": nobody was there */
	char user[HD_NUMBER_SIZE];  /* found by the command */
	/* One of: */
	struct hd_settings_change change;
	struct hd_settings after;
	struct hd_own_key_change key, key_done;
	char text[HD_NAME_SIZE]; /* language, name */
	int64_t now_ms;
	struct hd_command command;
};

/* The phone's record is no business of whoever gets the memory next. */
static void writing_free(struct writing *w)
{
	hd_wipe(w, sizeof(*w));
	free(w);
}

static bool is_key(const struct writing *w)
{
	return w->visit.what.item >= FORM_ITEM_KEYS;
}

static bool is_setting(const struct writing *w)
{
	return w->visit.what.item == FORM_ITEM_DND || w->visit.what.item == FORM_ITEM_FORWARD;
}

/* ---- what is asked for ---------------------------------------------------------------------- */

static bool key_read(struct writing *w, const char *to)
{
	struct hd_own_key_change *key = &w->key;

	key->place = w->visit.what.place;
	key->max = w->visit.form->own.keys;
	switch (w->visit.what.item) {
	case FORM_ITEM_KEY_NUMBER:
		key->what = HD_OWN_KEY_NUMBER;
		return !hd_str_set(key->text, sizeof(key->text), to);
	case FORM_ITEM_KEY_LABEL:
		key->what = HD_OWN_KEY_LABEL;
		return !hd_str_set(key->text, sizeof(key->text), to);
	case FORM_ITEM_KEY_TYPE:
		key->what = HD_OWN_KEY_TYPE;
		return !hd_phone_key_parse(&key->type, to);
	default:
		key->what = HD_OWN_KEY_REMOVE;
		return strcmp(to, "yes") == 0;
	}
}

static bool forward_read(struct writing *w, const char *to)
{
	const struct hd_planner *planner = w->visit.form->options.planner;

	w->change.what = HD_CHANGE_FORWARD;
	w->change.when = w->visit.what.when;
	w->change.on = to[0] ? HD_CHANGE_ON : HD_CHANGE_OFF;
	w->change.has_voicemail = planner && planner->dialling && planner->dialling->voicemail[0];
	return (!to[0] || hd_forward_to_is_valid(hd_slice_of(to))) &&
	       !hd_str_set(w->change.to, sizeof(w->change.to), to);
}

static bool name_read(struct writing *w, const char *to)
{
	struct hd_slice name = hd_slice_trim(hd_slice_of(to));

	return name.len > 0 && hd_utf8_is_text(name) &&
	       !hd_str_copy(w->text, sizeof(w->text), name);
}

static bool take(struct writing *w, const char *to)
{
	switch (w->visit.what.item) {
	case FORM_ITEM_DND:
		w->change.what = HD_CHANGE_DND;
		w->change.on = strcmp(to, "on") == 0 ? HD_CHANGE_ON : HD_CHANGE_OFF;
		return w->change.on == HD_CHANGE_ON || strcmp(to, "off") == 0;
	case FORM_ITEM_FORWARD:
		return forward_read(w, to);
	case FORM_ITEM_LANGUAGE:
		return form_language_is_ours(to) && !hd_str_set(w->text, HD_LANGUAGE_SIZE, to);
	case FORM_ITEM_NAME:
		return name_read(w, to);
	default:
		return key_read(w, to);
	}
}

/* ---- whether it may be: classes of service are the control thread's ------------------------- */

static int may_set(const struct writing *w, struct hd_txn *txn)
{
	const struct hd_planner *planner = w->visit.form->options.planner;

	if (w->visit.what.item == FORM_ITEM_FORWARD && w->change.on == HD_CHANGE_ON)
		return hd_plan_may_forward(planner, txn, w->asked, w->change.to, w->now_ms);
	if (w->visit.what.item == FORM_ITEM_KEY_NUMBER)
		return hd_plan_may_dial(planner, txn, w->asked, w->key.text, w->now_ms);
	return 0;
}

static bool is_of(const struct writing *w, const struct hd_desk_session *session)
{
	return !w->visit.epoch || w->visit.epoch == session->epoch;
}

static int check(struct writing *w)
{
	const struct hd_form_options *o = &w->visit.form->options;
	struct hd_desk_session session;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_desk_get_by_phone(o->desk, txn, w->visit.phone.id, &session);
	if (!err) {
		memcpy(w->asked, session.user, sizeof(w->asked));
		if (!is_of(w, &session))
			err = HD_ESTATE;
		else if (o->planner)
			err = may_set(w, txn);
	}
	hd_store_end_read(txn);
	return err;
}

/* ---- writing -------------------------------------------------------------------------------- */

static int write_user(struct hd_txn *txn, const struct writing *w)
{
	struct hd_directory *dir = w->visit.form->options.directory;
	bool name = w->visit.what.item == FORM_ITEM_NAME;
	struct hd_user user;
	int err;

	err = hd_user_get(dir, txn, w->user, &user);
	if (!err)
		err = hd_str_set(name ? user.name : user.language,
				 name ? sizeof(user.name) : sizeof(user.language), w->text);
	if (!err) {
		user.changed_at_ms = w->now_ms;
		err = hd_user_put(dir, txn, &user);
	}
	hd_wipe(&user, sizeof(user));
	return err;
}

static int put(struct hd_txn *txn, struct writing *w)
{
	const struct hd_form_options *o = &w->visit.form->options;

	if (is_setting(w))
		return hd_settings_change(o->settings, txn, w->user, &w->change, &w->after);
	if (!is_key(w))
		return write_user(txn, w);
	return hd_own_key_change(o->device, txn, w->user, &w->visit.phone, &w->key_done);
}

static void describe(struct hd_buf *out, const struct writing *w, bool done)
{
	if (is_setting(w))
		hd_settings_change_describe(out, &w->change, done ? &w->after : NULL);
	else if (is_key(w))
		hd_own_key_describe(out, &w->key_done);
	else
		hd_buf_adds(out, w->visit.what.item == FORM_ITEM_NAME ? "name" : "language");
}

static int write_audit(struct hd_txn *txn, const struct writing *w)
{
	struct hd_buf what = { 0 };
	char to[HD_PHONE_ID_SIZE];
	struct hd_audit_setting entry = {
		.user = w->user,
		.phone = w->visit.phone.id,
		.way = HD_DESK_WAY_FORM,
		.to = to,
		.at_ms = w->now_ms,
	};
	int err;

	describe(&what, w, true);
	entry.what = hd_buf_text(&what);
	hd_target_mask(to, sizeof(to),
		       is_setting(w) ? hd_settings_change_target(&w->change, &w->after)
		       : is_key(w)   ? w->key_done.text
				     : "");
	if (!is_setting(w) && !is_key(w))
		entry.to = w->text;
	err = hd_buf_error(&what);
	if (!err)
		err = hd_audit_add_setting(w->visit.form->options.desk, txn, &entry);
	hd_buf_fini(&what);
	return err;
}

/* What a phone shows may be another then. */
static int run(struct hd_txn *txn, void *arg)
{
	struct writing *w = arg;
	const struct hd_form_options *o = &w->visit.form->options;
	const char *phone = w->visit.phone.id;
	struct hd_desk_session session;
	int err;

	w->user[0] = '\0';
	w->key_done = w->key; /* it may be run again */
	err = hd_desk_get_by_phone(o->desk, txn, phone, &session);
	if (err)
		return err;
	memcpy(w->user, session.user, sizeof(w->user));
	if (strcmp(w->user, w->asked) != 0 || !is_of(w, &session))
		return HD_ESTATE;
	err = put(txn, w);
	if (!err)
		err = write_audit(txn, w);
	return err ? err : hd_outbox_put(o->desk, txn, phone, w->now_ms);
}

static void say(const struct writing *w, int err)
{
	struct hd_buf what = { 0 };

	describe(&what, w, !err);
	hd_log(err ? HD_LOG_NOTICE : HD_LOG_INFO, "settings", "%s: %s by form at %s%s%s",
	       w->asked[0] ? w->asked : "nobody", hd_buf_text(&what), w->visit.phone.id,
	       err ? ": refused: " : "", err ? hd_strerror(err) : "");
	hd_buf_fini(&what);
}

/* The page that is shown then: what there is now. */
static void answer(struct writing *w, int err)
{
	struct form_what *what = &w->visit.what;
	bool gone = what->item == FORM_ITEM_KEY_REMOVE || (err && !what->place);

	if (is_key(w)) {
		what->item = gone ? FORM_ITEM_KEYS : FORM_ITEM_KEY;
		what->place = w->key_done.place;
	} else {
		what->item = FORM_ITEM_MENU;
	}
	form_settings_answer(&w->visit, err);
}

static void on_written(struct hd_command *command)
{
	struct writing *w = command->arg;
	const struct hd_form_options *o = &w->visit.form->options;

	say(w, command->err);
	if (!command->err && o->changed)
		o->changed(o->arg);
	answer(w, command->err);
	writing_free(w);
}

bool form_settings_write(const struct form_visit *visit, const char *to)
{
	const struct hd_form_options *o = &visit->form->options;
	struct writing *w = calloc(1, sizeof(*w));
	int err;

	if (!w) {
		hd_http_answer_error(visit->req, HD_ENOMEM, "not now");
		return true;
	}
	w->visit = *visit;
	w->now_ms = hd_clock_wall_ms(o->clock);
	w->command = (struct hd_command){
		.run = run, .arg = w, .done = on_written, .reply_to = o->mailbox
	};
	if (!take(w, to)) {
		writing_free(w);
		return false;
	}
	w->key_done = w->key;
	err = check(w);
	if (err == HD_ENOENT || err == HD_EACCESS || err == HD_EINVAL || err == HD_ESTATE) {
		say(w, err);
		answer(w, err);
		writing_free(w);
		return true;
	}
	if (!err)
		err = hd_store_submit(o->store, &w->command);
	if (err) {
		hd_warn("form", "%s: nothing began: %s", visit->phone.id, hd_strerror(err));
		hd_http_answer_error(visit->req, err, "not now");
		writing_free(w);
	}
	return true;
}
