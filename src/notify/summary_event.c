/* summary_event.c - the package message-summary; see hotdesk/summary_event.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/summary_event.h"
#include "user_event.h"

#define EVENT "message-summary"
#define TYPE "application/simple-message-summary"

enum {
	WRITINGS_MAX = 20000, /* a PBX that tells of everybody at once */
	WRITINGS_FEW = 64,    /* more are not looked through */
};

/* A summary on its way through the store. */
struct writing {
	struct hd_summary_events *events;
	struct hd_settings_store *settings;
	char user[HD_NUMBER_SIZE];
	struct hd_summary summary;
	struct hd_command command;
	struct writing *prev, *next;
};

struct hd_summary_events {
	struct hd_user_event_options options; /* the first: user_event_open() */
	struct writing *writings;
	size_t n_writings;
};

/* ---- the state ------------------------------------------------------------------------------ */

/* @return 0 (user "" for nobody), or the store's error */
static int find(struct hd_summary_events *e, const char *phone, char user[HD_NUMBER_SIZE],
		struct hd_summary *summary)
{
	struct hd_txn *txn;
	int err;

	memset(summary, 0, sizeof(*summary));
	err = user_event_begin(&e->options, phone, user, &txn);
	if (err)
		return err;
	if (user[0])
		err = hd_summary_get(e->options.settings, txn, user, summary);
	hd_store_end_read(txn);
	/* A damaged one is as good as none: the next one that the PBX tells replaces it. */
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

static int may(void *arg, const struct hd_subscribe *subscribe, char resource[HD_RESOURCE_SIZE])
{
	char name[HD_NUMBER_SIZE], user[HD_NUMBER_SIZE];
	struct hd_summary summary;
	int status = hd_subscribe_may_self(NULL, subscribe, resource);

	if (status == 200)
		return status;
	if (hd_uri_unescape(name, sizeof(name), subscribe->user))
		return 403;
	if (find(arg, subscribe->phone, user, &summary))
		return 500;
	if (!user[0] || strcmp(name, user) != 0)
		return 403;
	return hd_str_set(resource, HD_RESOURCE_SIZE, subscribe->phone) ? 403 : 200;
}

static int body(void *arg, struct hd_subscription *s, struct hd_buf *out, struct hd_buf *type)
{
	struct hd_summary_events *e = arg;
	struct hd_summary summary;
	char user[HD_NUMBER_SIZE];
	int err;

	(void)type;
	err = find(e, hd_subscription_phone(s), user, &summary);
	if (!err)
		hd_summary_format(out, &summary, e->options.domain);
	return err;
}

/* ---- what the PBX says ---------------------------------------------------------------------- */

static int run(struct hd_txn *txn, void *arg)
{
	struct writing *w = arg;

	return hd_summary_put(w->settings, txn, w->user, &w->summary);
}

static void push_user(struct hd_summary_events *e, const char *user)
{
	struct hd_desk_session session;
	struct hd_txn *txn;
	int err;

	if (hd_store_begin_read(e->options.store, &txn))
		return;
	err = hd_desk_get_by_user(e->options.desk, txn, user, &session);
	hd_store_end_read(txn);
	if (!err)
		hd_notifier_push(e->options.notifier, EVENT, session.phone);
}

static void on_written(struct hd_command *command)
{
	struct writing *w = command->arg;
	struct hd_summary_events *e = w->events;

	if (command->err)
		hd_notice("summary", "%s: not kept: %s", w->user, hd_strerror(command->err));
	else
		push_user(e, w->user);
	DL_DELETE(e->writings, w);
	e->n_writings--;
	free(w);
}

static int submit(struct hd_summary_events *e, const char *user, const struct hd_summary *summary)
{
	struct writing *w = e->n_writings < WRITINGS_MAX ? calloc(1, sizeof(*w)) : NULL;
	int err;

	if (!w)
		return HD_EBUSY;
	w->events = e;
	w->settings = e->options.settings;
	w->summary = *summary;
	err = hd_str_set(w->user, sizeof(w->user), user);
	w->command.run = run;
	w->command.arg = w;
	w->command.done = on_written;
	w->command.reply_to = hd_agent_mailbox(e->options.agent);
	if (!err)
		err = hd_store_submit(e->options.store, &w->command);
	if (err) {
		free(w);
		return err;
	}
	DL_APPEND(e->writings, w);
	e->n_writings++;
	return 0;
}

/* PBXes tell it again and again: what is known already costs no write. */
static bool is_known(struct hd_summary_events *e, const char *user,
		     const struct hd_summary *summary)
{
	struct hd_summary stored;
	const struct writing *w;
	struct hd_txn *txn;
	bool known;

	if (e->n_writings > WRITINGS_FEW)
		return false;
	DL_FOREACH (e->writings, w)
		if (strcmp(w->user, user) == 0)
			return false;
	if (hd_store_begin_read(e->options.store, &txn))
		return false;
	known = !hd_summary_get(e->options.settings, txn, user, &stored) &&
		hd_summary_eq(&stored, summary);
	hd_store_end_read(txn);
	return known;
}

static bool is_value(const char *value, const char *wanted)
{
	struct hd_slice s = { value, value ? strcspn(value, ";") : 0 };

	return hd_slice_caseis(hd_slice_trim(s), wanted);
}

bool hd_summary_events_is(struct hd_msg *msg)
{
	return hd_msg_method(msg) == HD_METHOD_NOTIFY &&
	       is_value(hd_msg_header(msg, "Event", 0), EVENT);
}

void hd_summary_events_receive(struct hd_summary_events *e, struct hd_request *req,
			       const char *number)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_slice text = hd_msg_body(msg);
	struct hd_summary summary;
	int err;

	/* A subscription without news, or that ends, says nothing. */
	if (!text.len) {
		hd_request_reply(req, 200, NULL, NULL);
		return;
	}
	if (!is_value(hd_msg_header(msg, "Content-Type", 0), TYPE)) {
		hd_request_reply(req, 415, NULL, "Accept: " TYPE "\r\n");
		return;
	}
	err = hd_summary_parse(&summary, text);
	if (err) {
		hd_log_call(HD_LOG_NOTICE, "summary", hd_msg_call_id(msg), "%s: body refused: %s",
			    number, hd_strerror(err));
		hd_request_reply(req, err == HD_ELIMIT ? 413 : 400, NULL, NULL);
		return;
	}
	err = is_known(e, number, &summary) ? 0 : submit(e, number, &summary);
	hd_request_reply(req, err ? 503 : 200, NULL, NULL);
}

/* ---- life ----------------------------------------------------------------------------------- */

void hd_summary_events_phone_changed(struct hd_summary_events *e, const char *phone)
{
	hd_notifier_push(e->options.notifier, EVENT, phone);
}

int hd_summary_events_new(struct hd_summary_events **ep,
			  const struct hd_user_event_options *options)
{
	const struct hd_package package = {
		.event = EVENT,
		.content_type = TYPE,
		.may = may,
		.body = body,
	};
	void *e;
	int err = user_event_open(&e, sizeof(**ep), options, &package);

	if (!err)
		*ep = e;
	return err;
}

void hd_summary_events_free(struct hd_summary_events *e)
{
	struct writing *w, *next;

	if (!e)
		return;
	DL_FOREACH_SAFE(e->writings, w, next)
	free(w);
	free(e);
}
