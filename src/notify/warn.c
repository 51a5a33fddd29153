/* warn.c - a line of text on a phone's screen; see hotdesk/notify.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/device.h"
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
	if (w->refused || (w->vendor && !w->vendor->screen_begin))
		w->vendor = NULL;
	return err ? err : n == 0 ? HD_EGONE : 0;
}

/* RFC 3428, for those without a screen of their vendor's. */
static int make_text(struct hd_msg **msgp, const struct warning *w,
		     const struct hd_binding *binding, const char *tag)
{
	char from[HD_REALM_SIZE + 32], to[HD_PHONE_ID_SIZE + HD_REALM_SIZE + 8];
	const char *domain = w->notify->options.domain;
	const struct hd_new_request r = {
		.method = "MESSAGE",
		.ruri = binding->contact_uri,
		.from = from,
		.to = to,
		.cseq = 1,
		.lines = "Content-Type: text/plain;charset=UTF-8\r\n",
		.body = hd_slice_of(w->text),
	};

	snprintf(from, sizeof(from), "<sip:%s>;tag=%s", domain, tag);
	snprintf(to, sizeof(to), "<sip:%s@%s>", w->phone, domain);
	return hd_msg_new_request(msgp, &r);
}

static int make(struct hd_msg **msgp, const struct warning *w, const struct hd_binding *binding)
{
	struct notify_document d = { .phone = w->phone, .binding = binding, .cseq = 1 };
	char tag[9];

	snprintf(tag, sizeof(tag), "%08x", hd_random_u32(UINT32_MAX));
	if (!w->vendor)
		return make_text(msgp, w, binding, tag);
	d.vendor = w->vendor;
	d.begin = w->vendor->screen_begin;
	d.text = w->text;
	d.end = w->vendor->screen_end;
	d.from_tag = tag;
	return notify_document(w->notify, &d, msgp);
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
