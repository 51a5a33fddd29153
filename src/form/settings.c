/* settings.c - what the user at a phone has set, on its screen: from request to answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

static struct hd_metric shown =
	HD_COUNTER("hotdeskd_forms", "page=\"settings\"", "pages to phones");

struct hd_metric *form_settings_metric(void)
{
	return &shown;
}

/* A change on its way through the store, with whom it is answered to. */
struct writing {
	struct hd_form *form;
	struct hd_http_request *req;
	const struct hd_vendor *vendor;
	char phone[HD_PHONE_ID_SIZE];
	char user[HD_NUMBER_SIZE];	  /* found by the command */
	struct hd_settings_change change; /* unless: */
	char language[HD_LANGUAGE_SIZE];
	int64_t now_ms;
	struct hd_command command;
};

/* ---- what is there -------------------------------------------------------------------------- */

static int state_read(const struct hd_form *form, const char *phone, struct form_settings *page)
{
	const struct hd_form_options *o = &form->options;
	struct hd_desk_session session;
	struct hd_user user = { 0 };
	struct hd_txn *txn;
	int err;

	(void)snprintf(page->language, sizeof(page->language), "%s", form->language);
	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_desk_get_by_phone(o->desk, txn, phone, &session);
	if (!err)
		err = hd_user_get(o->directory, txn, session.user, &user);
	if (!err) {
		(void)snprintf(page->name, sizeof(page->name), "%s",
			       user.name[0] ? user.name : user.number);
		if (user.language[0])
			(void)snprintf(page->language, sizeof(page->language), "%s", user.language);
		err = hd_settings_get(o->settings, txn, user.number, &page->settings);
		err = err == HD_ECORRUPT ? 0 : err;
	} else if (err == HD_ENOENT) {
		page->nobody = true;
		err = 0;
	}
	hd_store_end_read(txn);
	hd_wipe(&user, sizeof(user));
	return err;
}

static void page_answer(struct hd_form *form, struct hd_http_request *req,
			const struct hd_vendor *vendor, const char *phone,
			struct form_settings *page)
{
	struct hd_buf out = { 0 };
	char url[HD_URL_SIZE];
	int err = form_url(form, phone, "settings", url);

	page->url = url;
	if (!err)
		err = state_read(form, phone, page);
	if (!err)
		err = form_settings_render(form->set, vendor, page, &out, NULL);
	if (err) {
		hd_error("form", "%s: no settings for it: %s", phone, hd_strerror(err));
		hd_http_answer_error(req, err, "not now");
	} else {
		hd_metric_add(&shown, 1);
		hd_http_answer(req, 200, vendor->form_type, (struct hd_slice){ out.data, out.len });
	}
	page->url = NULL;
	if (out.data)
		hd_wipe(out.data, out.size);
	hd_buf_fini(&out);
}

/* ---- changes -------------------------------------------------------------------------------- */

static int write_language(struct hd_txn *txn, struct writing *w)
{
	struct hd_directory *dir = w->form->options.directory;
	struct hd_user user;
	int err;

	err = hd_user_get(dir, txn, w->user, &user);
	if (!err) {
		memcpy(user.language, w->language, sizeof(user.language));
		err = hd_user_put(dir, txn, &user);
	}
	hd_wipe(&user, sizeof(user));
	return err;
}

/* What a phone shows may be another then. */
static int run(struct hd_txn *txn, void *arg)
{
	struct writing *w = arg;
	const struct hd_form_options *o = &w->form->options;
	struct hd_desk_session session;
	struct hd_settings after;
	int err;

	w->user[0] = '\0';
	err = hd_desk_get_by_phone(o->desk, txn, w->phone, &session);
	if (err)
		return err;
	memcpy(w->user, session.user, sizeof(w->user));
	err = w->language[0] ? write_language(txn, w)
			     : hd_settings_change(o->settings, txn, w->user, &w->change, &after);
	return err ? err : hd_outbox_put(o->desk, txn, w->phone, w->now_ms);
}

static void on_written(struct hd_command *command)
{
	struct writing *w = command->arg;
	const struct hd_form_options *o = &w->form->options;
	struct form_settings page = { .ask = -1, .failed = command->err != 0 };
	const char *what = w->language[0]		     ? "language"
			   : w->change.what == HD_CHANGE_DND ? "do not disturb"
							     : hd_forward_name(w->change.when);

	hd_log(command->err ? HD_LOG_NOTICE : HD_LOG_INFO, "settings",
	       "%s: %s %s by form at %s%s%s", w->user[0] ? w->user : "nobody", what,
	       w->language[0] ? w->language
	       : w->change.on ? "on"
			      : "off",
	       w->phone, command->err ? ": refused: " : "",
	       command->err ? hd_strerror(command->err) : "");
	if (!command->err && o->changed)
		o->changed(o->arg);
	page_answer(w->form, w->req, w->vendor, w->phone, &page);
	free(w);
}

static void change(struct hd_form *form, struct hd_http_request *req,
		   const struct hd_vendor *vendor, const char *phone, const struct writing *what)
{
	struct writing *w = malloc(sizeof(*w));
	int err = w ? 0 : HD_ENOMEM;

	if (!err) {
		*w = *what;
		w->form = form;
		w->req = req;
		w->vendor = vendor;
		w->now_ms = hd_clock_wall_ms(form->options.clock);
		w->command.run = run;
		w->command.arg = w;
		w->command.done = on_written;
		w->command.reply_to = form->options.mailbox;
		err = hd_str_set(w->phone, sizeof(w->phone), phone);
	}
	if (!err)
		err = hd_store_submit(form->options.store, &w->command);
	if (!err)
		return;
	free(w);
	hd_warn("form", "%s: nothing began: %s", phone, hd_strerror(err));
	hd_http_answer_error(req, err, "not now");
}

/* ---- requests ------------------------------------------------------------------------------- */

/* @return HD_FORWARD_COUNT: none of them */
static unsigned when_parse(const char *text)
{
	unsigned when = 0;

	while (when < HD_FORWARD_COUNT &&
	       strcmp(text, hd_forward_name((enum hd_forward_when)when)) != 0)
		when++;
	return when;
}

/* @return 0; HD_ENOENT: nothing is to be changed; HD_EPARSE */
static int change_read(struct writing *w, struct hd_http_request *req, const char *what)
{
	const char *to = hd_http_field(req, "to");
	unsigned when = when_parse(what);

	if (!to)
		return HD_ENOENT;
	if (strcmp(what, "language") == 0)
		return form_language_is_ours(to) &&
				       !hd_str_set(w->language, sizeof(w->language), to)
			       ? 0
			       : HD_EPARSE;
	w->change.what = when < HD_FORWARD_COUNT ? HD_CHANGE_FORWARD : HD_CHANGE_DND;
	if (when == HD_FORWARD_COUNT) {
		w->change.on = strcmp(to, "on") == 0 ? HD_CHANGE_ON : HD_CHANGE_OFF;
		return w->change.on == HD_CHANGE_ON || strcmp(to, "off") == 0 ? 0 : HD_EPARSE;
	}
	w->change.when = (enum hd_forward_when)when;
	w->change.on = to[0] ? HD_CHANGE_ON : HD_CHANGE_OFF;
	if (to[0] && !hd_forward_to_is_valid(hd_slice_of(to)))
		return HD_EPARSE;
	return hd_str_set(w->change.to, sizeof(w->change.to), to) ? HD_EPARSE : 0;
}

static bool is_known(const char *what)
{
	return !*what || strcmp(what, "dnd") == 0 || strcmp(what, "language") == 0 ||
	       when_parse(what) < HD_FORWARD_COUNT;
}

bool form_settings_serve(struct hd_form *form, struct hd_http_request *req,
			 const struct hd_phone *phone, const struct hd_vendor *vendor,
			 const char *rest)
{
	struct form_settings page = { .ask = -1 };
	const char *method = hd_http_method_name(req);
	struct writing w = { .change = { .on = HD_CHANGE_OFF } };
	unsigned when;
	int err = HD_ENOENT;

	rest += sizeof("settings") - 1;
	if (!form->options.settings || !vendor->settings || (*rest && *rest != '/'))
		return false;
	rest += *rest == '/';
	if (!is_known(rest))
		return false;
	/* A HEAD is only a look, and changes nothing. */
	if (*rest && (strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0))
		err = change_read(&w, req, rest);
	when = when_parse(rest);
	if (!*rest && strcmp(method, "POST") == 0) {
		hd_http_add_header(req, "Allow", "GET, HEAD");
		hd_http_refuse(req, 405, "method-not-allowed", "not with this method");
	} else if (!err) {
		change(form, req, vendor, phone->id, &w);
	} else {
		page.failed = err == HD_EPARSE;
		page.ask = when < HD_FORWARD_COUNT && !page.failed ? (int)when : -1;
		page_answer(form, req, vendor, phone->id, &page);
	}
	return true;
}
