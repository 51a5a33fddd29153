/* dialog_receive.c - requests inside a dialog of ours. */
#include <string.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"

static const struct hd_slice no_body = { NULL, 0 };

int status_of(int err)
{
	switch (err) {
	case HD_EUNSUPPORTED:
		return 488;
	case HD_EPARSE:
	case HD_ELIMIT:
		return 400;
	default:
		return 500;
	}
}

/* ---- requests inside ------------------------------------------------------------------------ */

static void begin_operation(struct dialog *d, struct hd_request *req, const struct hd_feature *code)
{
	struct hd_irq *irq;
	struct operation *op = operation_new(d->features, req, &irq);

	if (!op)
		return;
	hd_sip_timer_cancel(d->limit);
	operation_begin(op, irq, d, d->phone, code);
}

static void receive_info(struct dialog *d, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_feature code = { 0 };
	struct hd_uri uri;
	bool again = false;
	char digit = 0;

	hd_msg_ruri(msg, &uri);
	if (d->operation || d->state == CLOSING || d->kind == DIALOG_SILENT) {
		hd_request_reply(req, 481, NULL, NULL);
	} else if (!hd_feature_parse(&code, &d->features->options.codes, uri.user) &&
		   code.code == HD_USER_CODE_NONE && code.has_arguments && !code.malformed) {
		begin_operation(d, req, &code);
	} else {
		digit = digit_of_info(hd_msg_header(msg, "Content-Type", 0), hd_msg_body(msg));
		/* Its answer was lost and needs no transaction: a digit counts once. */
		again = digit && d->taken;
		d->taken = digit;
		if (!digit)
			hd_request_reply(req, 415, NULL,
					 "Accept: application/dtmf-relay, application/dtmf, "
					 "application/vnd.nortelnetworks.digits\r\n");
		else
			hd_request_reply(req, 200, NULL, NULL);
	}
	hd_feature_wipe(&code);
	if (digit && !again)
		talk_key(d, digit, KEY_BY_INFO); /* may be its end */
}

/* ---- another offer (RFC 3261 14, RFC 3311) -------------------------------------------------- */

static void refuse_offer(struct dialog *d, struct hd_irq *irq, int err)
{
	/* 488 keeps the session as it is. */
	int status = status_of(err);
	struct hd_buf lines = { 0 };

	hd_buf_addf(&lines, "Contact: <%s>\r\n", d->local_contact);
	hd_irq_reply(irq, status, NULL, hd_buf_text(&lines), no_body);
	hd_buf_fini(&lines);
	hd_irq_free(irq);
}

/* One offer at a time (RFC 3261 14.2, RFC 3311 5.2). @return true: answered */
static bool is_too_early(struct dialog *d, struct hd_request *req)
{
	if (d->state == CLOSING)
		hd_request_reply(req, 481, NULL, NULL);
	else if (d->session.offered)
		hd_request_reply(req, 491, NULL, NULL);
	else if (d->irq && hd_msg_method(hd_request_msg(req)) == HD_METHOD_INVITE)
		hd_request_reply(req, 500, NULL, "Retry-After: 1\r\n");
	else
		return false;
	return true;
}

static void on_other_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	(void)arg;
	(void)irq;
	(void)event;
	(void)msg;
}

/* The target refresh of 12.2.2: where requests of ours go from now on. */
static void take_contact(struct dialog *d, struct hd_msg *msg)
{
	struct hd_contact contact;
	size_t n = 1;
	bool star;

	hd_msg_contacts(msg, &contact, &n, &star);
	if (n == 1 && !star && strlen(contact.uri_text) < sizeof(d->remote_contact))
		memcpy(d->remote_contact, contact.uri_text, strlen(contact.uri_text) + 1);
}

static void receive_reinvite(struct dialog *d, struct hd_request *req)
{
	struct hd_irq *irq;
	int err;

	if (is_too_early(d, req) || hd_irq_new(&irq, req, on_other_irq, NULL))
		return;
	err = session_change(d, hd_msg_body(hd_irq_msg(irq)));
	if (err) {
		refuse_offer(d, irq, err);
		return;
	}
	take_contact(d, hd_irq_msg(irq));
	hd_irq_bind(irq, dialog_on_irq, d);
	d->irq = irq;
	d->invite_cseq = hd_msg_cseq(hd_irq_msg(irq));
	d->waited_ms = 0;
	d->interval_ms = d->features->options.t1_ms;
	dialog_send_ok(d);
	hd_sip_timer_set(d->timer, d->interval_ms);
}

static void receive_update(struct dialog *d, struct hd_request *req)
{
	struct hd_buf lines = { 0 };
	struct hd_slice offer, answer = { 0 };
	struct hd_irq *irq;
	int err = 0;

	if (is_too_early(d, req) || hd_irq_new(&irq, req, on_other_irq, NULL))
		return;
	offer = hd_msg_body(hd_irq_msg(irq));
	if (offer.len)
		err = session_change(d, offer);
	if (err) {
		refuse_offer(d, irq, err);
		return;
	}
	take_contact(d, hd_irq_msg(irq));
	hd_buf_addf(&lines, "Contact: <%s>\r\n", d->local_contact);
	if (offer.len) {
		hd_buf_adds(&lines, "Content-Type: application/sdp\r\n");
		answer = hd_slice_of(d->session.text);
	}
	hd_irq_reply(irq, 200, NULL, hd_buf_text(&lines), answer);
	hd_buf_fini(&lines);
	hd_irq_free(irq);
}

static void on_ack(struct dialog *d, struct hd_msg *ack)
{
	bool first = d->state == WAITING_ACK;

	if (d->state == CLOSING || hd_msg_cseq(ack) != d->invite_cseq || (!d->irq && !first))
		return;
	d->state = OPEN;
	hd_sip_timer_cancel(d->timer);
	hd_irq_free(d->irq);
	d->irq = NULL;
	if (d->session.offered && session_answered(d, hd_msg_body(ack)))
		dialog_close(d, "Reason: SIP;cause=488;text=\"Not Acceptable Here\"\r\n");
	else if (d->close_on_ack)
		dialog_close(d, "");
	else if (first)
		talk_begin(d);
}

/* RFC 3261 12.2.2 */
static bool is_out_of_order(struct dialog *d, uint32_t cseq)
{
	if (cseq > d->remote_cseq) {
		d->remote_cseq = cseq;
		d->taken = false;
	}
	return cseq < d->remote_cseq;
}

void dialog_receive(struct dialog *d, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);

	if (hd_msg_method(msg) != HD_METHOD_ACK && is_out_of_order(d, hd_msg_cseq(msg))) {
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	switch (hd_msg_method(msg)) {
	case HD_METHOD_ACK:
		on_ack(d, msg);
		hd_request_drop(req);
		return;
	case HD_METHOD_BYE:
		hd_request_reply(req, 200, NULL, NULL);
		dialog_free(d);
		return;
	case HD_METHOD_INFO:
		receive_info(d, req);
		return;
	case HD_METHOD_INVITE:
		receive_reinvite(d, req);
		return;
	case HD_METHOD_UPDATE:
		receive_update(d, req);
		return;
	case HD_METHOD_OPTIONS:
		hd_request_reply(req, 200, NULL, NULL);
		return;
	default:
		hd_request_reply(req, 405, NULL,
				 "Allow: INVITE, ACK, BYE, CANCEL, INFO, OPTIONS, UPDATE\r\n");
		return;
	}
}
