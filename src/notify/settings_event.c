/* settings_event.c - the package as-feature-event; see hotdesk/settings_event.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/audit.h"
#include "hotdesk/base/log.h"
#include "hotdesk/settings_event.h"
#include "settings_xml.h"
#include "user_event.h"

#define EVENT "as-feature-event"

enum { ALL_ITEMS = (1U << SETTINGS_ITEMS) - 1 };

/* A change on its way through the store. */
struct writing {
	struct hd_settings_events *events;
	struct follower *follower; /* NULL: its subscription has ended */
	char user[HD_NUMBER_SIZE], phone[HD_PHONE_ID_SIZE];
	struct settings_change change;
	struct hd_settings_store *settings;
	struct hd_command command;
	struct writing *prev, *next;
};

/* A subscription, and what its phone was told. */
struct follower {
	struct hd_subscription *subscription;
	bool told;
	char user[HD_NUMBER_SIZE];
	struct hd_settings settings;
	struct writing *writing;
};

struct hd_settings_events {
	struct hd_user_event_options options; /* the first: user_event_open() */
	struct writing *writings;
};

static struct follower *follower_of(struct hd_subscription *s)
{
	struct follower *f = hd_subscription_data(s);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->subscription = s;
	hd_subscription_set_data(s, f);
	return f;
}

static void ended(void *arg, struct hd_subscription *s)
{
	struct follower *f = hd_subscription_data(s);

	(void)arg;
	if (f && f->writing)
		f->writing->follower = NULL;
	free(f);
}

/* ---- the state ------------------------------------------------------------------------------ */

/* @return 0 (user "" and the standard for nobody), or the store's error */
static int find(struct hd_settings_events *e, const char *phone, char user[HD_NUMBER_SIZE],
		struct hd_settings *settings)
{
	struct hd_txn *txn;
	int err;

	hd_settings_standard(settings);
	err = user_event_begin(&e->options, phone, user, &txn);
	if (err)
		return err;
	if (user[0])
		err = hd_settings_get(e->options.settings, txn, user, settings);
	hd_store_end_read(txn);
	return err;
}

static void add_part(struct hd_buf *out, struct hd_slice document, const char *boundary,
		     const char *id)
{
	hd_buf_addf(out,
		    "--%s\r\nContent-Type: " SETTINGS_XML_TYPE "\r\nContent-Length: %zu\r\n"
		    "Content-ID: <%s>\r\n\r\n",
		    boundary, document.len, id);
	hd_buf_add(out, document);
	hd_buf_adds(out, "\r\n");
}

/* RFC 2046: no document has a line that begins with the boundary, which nobody can guess. */
static int write_parts(struct hd_settings_events *e, struct follower *f, unsigned items,
		       struct hd_buf *out, struct hd_buf *type)
{
	static const char letters[SETTINGS_ITEMS] = "ibnd";
	const char *phone = hd_subscription_phone(f->subscription);
	struct hd_buf document = { 0 }, id = { 0 };
	uint8_t random[8];
	char boundary[2 * sizeof(random) + 1];
	int err = 0;

	hd_random_bytes(random, sizeof(random));
	hd_hex_format(boundary, random, sizeof(random));
	for (unsigned i = 0; i < SETTINGS_ITEMS && !err; i++) {
		if (!(items & 1U << i))
			continue;
		settings_xml_write(&document, &f->settings, i, phone);
		hd_uri_escape_user(&id, hd_slice_of(phone));
		hd_buf_addf(&id, "%c@%s", letters[i], e->options.domain);
		err = hd_buf_error(&document) ? HD_ENOMEM : hd_buf_error(&id);
		add_part(out, (struct hd_slice){ hd_buf_text(&document), document.len }, boundary,
			 hd_buf_text(&id));
		hd_buf_fini(&document);
		hd_buf_fini(&id);
	}
	hd_buf_addf(out, "--%s--\r\n", boundary);
	hd_buf_addf(type, "multipart/mixed;boundary=\"%s\"", boundary);
	return err;
}

static int body(void *arg, struct hd_subscription *s, struct hd_buf *out, struct hd_buf *type)
{
	struct follower *f = follower_of(s);
	struct hd_settings settings;
	char user[HD_NUMBER_SIZE];
	unsigned items = ALL_ITEMS;
	int err;

	if (!f)
		return HD_ENOMEM;
	err = find(arg, hd_subscription_phone(s), user, &settings);
	if (err)
		return err;
	if (f->told && strcmp(f->user, user) == 0)
		items = settings_xml_differ(&f->settings, &settings);
	f->settings = settings;
	memcpy(f->user, user, sizeof(f->user));
	f->told = true;
	for (unsigned i = 0; i < SETTINGS_ITEMS; i++)
		if (items == 1U << i) {
			settings_xml_write(out, &settings, i, hd_subscription_phone(s));
			return 0;
		}
	return write_parts(arg, f, items ? items : ALL_ITEMS, out, type);
}

/* ---- changes by the phone ------------------------------------------------------------------- */

static int write_audit(struct hd_txn *txn, const struct writing *w,
		       const struct hd_settings *settings)
{
	bool forward = w->change.item < SETTINGS_FORWARDS;
	const struct hd_settings_change change = {
		.what = forward ? HD_CHANGE_FORWARD : HD_CHANGE_DND,
		.when = forward ? w->change.item : HD_FORWARD_ALWAYS,
	};
	struct hd_buf what = { 0 };
	char to[HD_PHONE_ID_SIZE];
	struct hd_audit_setting entry = {
		.user = w->user,
		.phone = w->phone,
		.way = HD_DESK_WAY_SUBSCRIBE,
		.to = to,
		.at_ms = hd_clock_wall_ms(w->events->options.clock),
	};
	int err;

	hd_settings_change_describe(&what, &change, settings);
	entry.what = hd_buf_text(&what);
	hd_target_mask(to, sizeof(to), hd_settings_change_target(&change, settings));
	err = hd_buf_error(&what);
	if (!err)
		err = hd_audit_add_setting(w->events->options.desk, txn, &entry);
	hd_buf_fini(&what);
	return err;
}

static int run(struct hd_txn *txn, void *arg)
{
	struct writing *w = arg;
	struct hd_settings settings;
	int err;

	err = hd_settings_get(w->settings, txn, w->user, &settings);
	if (err == HD_ECORRUPT) {
		hd_settings_standard(&settings);
		err = 0;
	}
	if (err)
		return err;
	settings_change_apply(&w->change, &settings);
	err = hd_settings_put(w->settings, txn, w->user, &settings);
	return err ? err : write_audit(txn, w, &settings);
}

static void on_written(struct hd_command *command)
{
	struct writing *w = command->arg;
	struct follower *f = w->follower;

	hd_log(command->err ? HD_LOG_NOTICE : HD_LOG_INFO, "settings", "%s: %s %s at %s%s%s",
	       w->user,
	       w->change.item == SETTINGS_ITEM_DND ? "do not disturb"
						   : hd_forward_name(w->change.item),
	       w->change.on ? "on" : "off", w->phone, command->err ? ": refused: " : "",
	       command->err ? hd_strerror(command->err) : "");
	DL_DELETE(w->events->writings, w);
	if (f) {
		f->writing = NULL;
		/* It believes what it has asked for: tell it all when that did not come about. */
		f->told = f->told && !command->err;
		hd_subscription_push(f->subscription);
	}
	free(w);
}

static int submit(struct hd_settings_events *e, struct follower *f, const char *user,
		  const struct settings_change *change)
{
	struct writing *w = calloc(1, sizeof(*w));

	if (!w)
		return HD_ENOMEM;
	w->events = e;
	w->follower = f;
	w->settings = e->options.settings;
	w->change = *change;
	memcpy(w->user, user, sizeof(w->user));
	if (hd_str_set(w->phone, sizeof(w->phone), hd_subscription_phone(f->subscription)))
		w->phone[0] = '\0';
	w->command.run = run;
	w->command.arg = w;
	w->command.done = on_written;
	w->command.reply_to = hd_agent_mailbox(e->options.agent);
	if (hd_store_submit(e->options.store, &w->command)) {
		free(w);
		return HD_EBUSY;
	}
	f->writing = w;
	DL_APPEND(e->writings, w);
	return 0;
}

static bool is_type(struct hd_msg *msg)
{
	const char *value = hd_msg_header(msg, "Content-Type", 0);
	struct hd_slice type = { value, value ? strcspn(value, ";") : 0 };

	return hd_slice_caseis(hd_slice_trim(type), SETTINGS_XML_TYPE);
}

/* @return 0; as hd_plan_may_forward() */
static int may_set(struct hd_settings_events *e, const char *user,
		   const struct settings_change *change, const struct hd_settings *settings)
{
	const struct hd_user_event_options *o = &e->options;
	struct hd_txn *txn;
	const char *to;
	int err;

	if (change->item >= SETTINGS_FORWARDS || !change->on)
		return 0;
	to = change->to[0] ? change->to : settings->forward[change->item].to;
	if (!to[0])
		return 0;
	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_plan_may_forward(o->planner, txn, user, to, hd_clock_wall_ms(o->clock));
	hd_store_end_read(txn);
	return err;
}

static int receive(void *arg, struct hd_subscription *s, struct hd_msg *msg)
{
	struct follower *f = follower_of(s);
	struct settings_change change;
	struct hd_settings settings;
	char user[HD_NUMBER_SIZE];
	int err;

	if (!is_type(msg))
		return 415;
	if (!f)
		return 500;
	if (f->writing)
		return 491;
	err = settings_change_read(&change, hd_msg_body(msg));
	if (err) {
		hd_log_call(HD_LOG_INFO, "settings", hd_msg_call_id(msg), "%s: body refused: %s",
			    hd_subscription_phone(s), hd_strerror(err));
		return err == HD_ENOMEM ? 500 : err == HD_ELIMIT ? 413 : 400;
	}
	if (find(arg, hd_subscription_phone(s), user, &settings))
		return 500;
	if (!user[0]) { /* nobody's settings stay off */
		f->told = false;
		return 200;
	}
	err = may_set(arg, user, &change, &settings);
	if (err) { /* the body that follows tells what holds */
		hd_log_call(HD_LOG_NOTICE, "settings", hd_msg_call_id(msg),
			    "%s: forward %s at %s: refused: %s", user, hd_forward_name(change.item),
			    hd_subscription_phone(s), hd_strerror(err));
		f->told = false;
		return 200;
	}
	return submit(arg, f, user, &change) ? 503 : HD_NOTIFY_LATER;
}

/* ---- life ----------------------------------------------------------------------------------- */

void hd_settings_events_phone_changed(struct hd_settings_events *e, const char *phone)
{
	hd_notifier_push(e->options.notifier, EVENT, phone);
}

int hd_settings_events_new(struct hd_settings_events **ep,
			   const struct hd_user_event_options *options)
{
	const struct hd_package package = {
		.event = EVENT,
		.content_type = SETTINGS_XML_TYPE,
		.may = hd_subscribe_may_self,
		.body = body,
		.receive = receive,
		.ended = ended,
	};
	void *e;
	int err = user_event_open(&e, sizeof(**ep), options, &package);

	if (!err)
		*ep = e;
	return err;
}

void hd_settings_events_free(struct hd_settings_events *e)
{
	struct writing *w, *next;

	if (!e)
		return;
	DL_FOREACH_SAFE(e->writings, w, next)
	free(w);
	free(e);
}
