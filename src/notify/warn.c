/* warn.c - a line of text on a phone's screen; see hotdesk/notify.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/device.h"
#include "hotdesk/xml.h"
#include "notify_priv.h"

enum { WARNINGS_MAX = 256 };

struct warning {
	struct hd_notify *notify;
	struct hd_orq *orq;
	char phone[HD_PHONE_ID_SIZE];
	char text[HD_NOTIFY_TEXT_SIZE];
	const struct hd_vendor *vendor; /* of its own way, or NULL: MESSAGE */
	bool refused;			/* its own way was */
	struct warning *prev, *next;
};

static void warning_free(struct warning *w)
{
	DL_DELETE(w->notify->warnings, w);
	w->notify->n_warnings--;
	hd_orq_free(w->orq);
	free(w);
}

void warn_end_all(struct hd_notify *notify)
{
	struct warning *w, *next;

	for (w = notify->warnings; w; w = next) {
		next = w->next;
		hd_orq_free(w->orq);
		free(w);
	}
	notify->warnings = NULL;
	notify->n_warnings = 0;
}

static int send(struct warning *w);

/* Phones that show no messages say so: 405, 415, 501. There is nothing to be done about it. */
static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct warning *w = arg;

	(void)orq;
	(void)response;
	if (status < 200)
		return;
	hd_debug("notify", "%s: message answered %d", w->phone, status);
	if (w->vendor && status >= 300) {
		w->refused = true;
		hd_orq_free(w->orq);
		w->orq = NULL;
		if (!send(w))
			return;
	}
	warning_free(w);
}

/* Where the phone is, and what its vendor's phones understand. */
static int look_up(struct warning *w, struct hd_binding *binding)
{
	const struct hd_notify_options *o = &w->notify->options;
	struct hd_phone phone;
	size_t n = 1;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_location_get(o->location, txn, w->phone, hd_clock_wall_ms(o->clock), binding, &n);
	if (!err && n > 0 && !hd_phone_get(o->directory, txn, w->phone, &phone))
		w->vendor = hd_vendor_of_model(phone.model);
	hd_store_end_read(txn);
	if (w->refused || (w->vendor && !w->vendor->screen_event))
		w->vendor = NULL;
	return err ? err : n == 0 ? HD_EGONE : 0;
}

static void add_screen(struct hd_buf *lines, struct hd_buf *body, const struct warning *w)
{
	const struct hd_vendor *v = w->vendor;

	hd_buf_addf(lines,
		    "Event: %s\r\nSubscription-State: terminated;reason=timeout\r\n"
		    "Content-Type: %s\r\n",
		    v->screen_event, v->screen_type);
	hd_buf_adds(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
	hd_buf_adds(body, v->screen_begin);
	hd_xml_escape(body, hd_slice_of(w->text));
	hd_buf_adds(body, v->screen_end);
}

static int make(struct hd_msg **msgp, const struct warning *w, const struct hd_binding *binding)
{
	const struct hd_notify_options *o = &w->notify->options;
	char from[2 * HD_PHONE_ID_SIZE + HD_REALM_SIZE], to[sizeof(from)];
	struct hd_buf lines = { 0 }, body = { 0 };
	struct hd_new_request r = {
		.method = w->vendor ? "NOTIFY" : "MESSAGE",
		.ruri = binding->contact_uri,
		.from = from,
		.to = to,
		.cseq = 1,
	};
	int err;

	snprintf(from, sizeof(from), "<sip:%s>;tag=%08x", o->domain, hd_random_u32(UINT32_MAX));
	snprintf(to, sizeof(to), "<sip:%s@%s>", w->phone, o->domain);
	if (w->vendor) {
		add_screen(&lines, &body, w);
	} else {
		hd_buf_adds(&lines, "Content-Type: text/plain;charset=UTF-8\r\n");
		hd_buf_adds(&body, w->text);
	}
	err = hd_buf_error(&lines) || hd_buf_error(&body) ? HD_ENOMEM : 0;
	if (!err) {
		r.lines = hd_buf_text(&lines);
		r.body = (struct hd_slice){ hd_buf_text(&body), body.len };
		err = hd_msg_new_request(msgp, &r);
	}
	hd_buf_fini(&lines);
	hd_buf_fini(&body);
	return err;
}

static int send(struct warning *w)
{
	struct hd_agent *agent = w->notify->options.agent;
	struct hd_binding binding;
	struct hd_target target;
	struct hd_msg *msg;
	struct hd_way way;
	int err;

	err = look_up(w, &binding);
	if (!err)
		err = make(&msg, w, &binding);
	if (err)
		return err;
	way = (struct hd_way){ binding.flow, binding.contact_uri, binding.path,
			       binding.reg_id != 0 };
	err = hd_msg_route_to(agent, msg, &way, &target);
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	return hd_orq_new(&w->orq, agent, msg, &target, on_response, w);
}

int hd_notify_text(struct hd_notify *notify, const char *phone, const char *text)
{
	struct warning *w;
	int err;

	if (notify->n_warnings >= WARNINGS_MAX)
		return HD_EBUSY;
	w = calloc(1, sizeof(*w));
	if (!w)
		return HD_ENOMEM;
	w->notify = notify;
	err = hd_str_set(w->phone, sizeof(w->phone), phone);
	DL_APPEND(notify->warnings, w);
	notify->n_warnings++;
	if (!err)
		err = hd_str_set(w->text, sizeof(w->text), text);
	if (!err)
		err = send(w);
	if (err)
		warning_free(w);
	return err;
}
