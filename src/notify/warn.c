/* warn.c - a line of text on a phone's screen, by MESSAGE (RFC 3428); see hotdesk/notify.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "notify_priv.h"

enum { WARNINGS_MAX = 256 };

struct warning {
	struct hd_notify *notify;
	struct hd_orq *orq;
	char phone[HD_PHONE_ID_SIZE];
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

/* Phones that show no messages say so: 405, 415, 501. There is nothing to be done about it. */
static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct warning *w = arg;

	(void)orq;
	(void)response;
	if (status < 200)
		return;
	hd_debug("notify", "%s: message answered %d", w->phone, status);
	warning_free(w);
}

static int read_binding(struct hd_notify *notify, const char *phone, struct hd_binding *binding)
{
	const struct hd_notify_options *o = &notify->options;
	size_t n = 1;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_location_get(o->location, txn, phone, hd_clock_wall_ms(o->clock), binding, &n);
	hd_store_end_read(txn);
	return err ? err : n == 0 ? HD_EGONE : 0;
}

static int make(struct hd_msg **msgp, const struct hd_notify *notify, const char *phone,
		const struct hd_binding *binding, const char *text)
{
	char from[2 * HD_PHONE_ID_SIZE + HD_REALM_SIZE], to[sizeof(from)];
	struct hd_new_request r = {
		.method = "MESSAGE",
		.ruri = binding->contact_uri,
		.from = from,
		.to = to,
		.cseq = 1,
		.lines = "Content-Type: text/plain;charset=UTF-8\r\n",
		.body = hd_slice_of(text),
	};

	snprintf(from, sizeof(from), "<sip:%s>;tag=%08x", notify->options.domain,
		 hd_random_u32(UINT32_MAX));
	snprintf(to, sizeof(to), "<sip:%s@%s>", phone, notify->options.domain);
	return hd_msg_new_request(msgp, &r);
}

static int send(struct warning *w, const char *text)
{
	struct hd_agent *agent = w->notify->options.agent;
	struct hd_binding binding;
	struct hd_target target;
	struct hd_msg *msg;
	struct hd_way way;
	int err;

	err = read_binding(w->notify, w->phone, &binding);
	if (!err)
		err = make(&msg, w->notify, w->phone, &binding, text);
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
		err = send(w, text);
	if (err)
		warning_free(w);
	return err;
}
