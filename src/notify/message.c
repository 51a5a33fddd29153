/* message.c - the NOTIFY that a vendor's phones obey; phones.md 2d. */
#include <stdio.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/xml.h"
#include "notify_priv.h"

/* The keys themselves, if they fit a way to this phone. @return whether there is a body */
static bool add_patch(const struct resync *r, const struct resync_phone *phone, struct hd_buf *body)
{
	const struct hd_notify_options *o = &r->notify->options;

	if (phone->vendor->resync != HD_RESYNC_PATCH || !o->patch)
		return false;
	/* In vain: perhaps it is too large for the way there, or not to the phone's liking. */
	if (r->can_fetch && r->tries % 2 == 1)
		return false;
	if (!o->patch(o->arg, r->phone, body) && !hd_buf_error(body) && body->len > 0)
		return true;
	hd_info("notify", "%s: no keys for the NOTIFY: it is asked to fetch", r->phone);
	hd_buf_fini(body);
	*body = (struct hd_buf){ 0 };
	return false;
}

static int make(const struct resync *r, const struct resync_phone *phone, const char *local,
		struct hd_slice body, struct hd_msg **msgp)
{
	char from[2 * HD_PHONE_ID_SIZE + HD_REALM_SIZE], to[sizeof(from)];
	const struct hd_vendor *v = phone->vendor;
	const char *domain = r->notify->options.domain;
	struct hd_new_request nr = { .method = "NOTIFY", .cseq = r->cseq, .call_id = r->call_id };
	struct hd_buf lines = { 0 };
	int err;

	snprintf(from, sizeof(from), "<sip:%s@%s>;tag=%s", r->phone, domain, r->from_tag);
	snprintf(to, sizeof(to), "<sip:%s@%s>", r->phone, domain);
	hd_buf_addf(&lines, "Contact: <%s>\r\nEvent: %s\r\nSubscription-State: terminated\r\n",
		    local, v->event);
	/* Of a patch that is not there the type would be a lie; elsewhere phones look for it. */
	if (v->event_type && (body.len > 0 || v->resync != HD_RESYNC_PATCH))
		hd_buf_addf(&lines, "Content-Type: %s\r\n", v->event_type);
	nr.ruri = phone->binding.contact_uri;
	nr.from = from;
	nr.to = to;
	nr.lines = hd_buf_text(&lines);
	nr.body = body;
	err = hd_buf_error(&lines);
	if (!err)
		err = hd_msg_new_request(msgp, &nr);
	hd_buf_fini(&lines);
	return err;
}

int notify_message(struct resync *r, const struct resync_phone *phone, struct hd_msg **msgp)
{
	char local[160];
	struct hd_buf body = { 0 };
	struct hd_flow flow;
	int err;

	err = hd_flow_parse(&flow, phone->binding.flow);
	if (!err)
		err = hd_flow_local_uri(r->notify->options.agent, &flow, local, sizeof(local));
	if (err)
		return err;
	r->whole = add_patch(r, phone, &body);
	err = make(r, phone, local, (struct hd_slice){ body.data, body.len }, msgp);
	hd_buf_fini(&body);
	return err;
}

int notify_document(const struct hd_notify *notify, const struct notify_document *d,
		    struct hd_msg **msgp)
{
	char from[HD_REALM_SIZE + 32], to[HD_PHONE_ID_SIZE + HD_REALM_SIZE + 8];
	const char *domain = notify->options.domain;
	struct hd_buf lines = { 0 }, body = { 0 };
	struct hd_new_request r = {
		.method = "NOTIFY",
		.ruri = d->binding->contact_uri,
		.from = from,
		.to = to,
		.call_id = d->call_id,
		.cseq = d->cseq,
	};
	int err;

	snprintf(from, sizeof(from), "<sip:%s>;tag=%s", domain, d->from_tag);
	snprintf(to, sizeof(to), "<sip:%s@%s>", d->phone, domain);
	hd_buf_addf(&lines,
		    "Event: %s\r\nSubscription-State: terminated;reason=timeout\r\n"
		    "Content-Type: %s\r\n",
		    d->vendor->screen_event, d->vendor->screen_type);
	hd_buf_adds(&body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
	hd_buf_adds(&body, d->begin);
	hd_xml_escape(&body, hd_slice_of(d->text));
	hd_buf_adds(&body, d->end);
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
