/* dialog_send.c - what a dialog of ours sends: the 200 until its ACK, and BYE. */
#include <stdio.h>
#include <string.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"

/* ---- BYE ------------------------------------------------------------------------------------ */

static void on_bye_answered(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	(void)orq;
	(void)response;
	if (status >= 200)
		dialog_free(arg);
}

void dialog_close(struct dialog *d, const char *reason)
{
	char from[sizeof(d->local_uri) + TAG_SIZE + 16], to[sizeof(d->remote_uri) + 160];
	struct hd_buf lines = { 0 };
	struct hd_new_request nr = { .method = "BYE" };
	struct hd_target target;
	struct hd_msg *msg;
	int err;

	if (d->state == CLOSING)
		return;
	if (d->state == WAITING_ACK) { /* not before the ACK: RFC 3261 15 */
		d->close_on_ack = true;
		return;
	}
	d->state = CLOSING;
	talk_end(d);
	session_close(&d->session);
	hd_sip_timer_cancel(d->timer);
	hd_sip_timer_cancel(d->limit);
	hd_irq_free(d->irq);
	d->irq = NULL;
	snprintf(from, sizeof(from), "<%s>;tag=%s", d->local_uri, d->local_tag);
	snprintf(to, sizeof(to), "<%s>;tag=%s", d->remote_uri, d->remote_tag);
	hd_buf_adds(&lines, d->routes ? d->routes : "");
	hd_buf_adds(&lines, reason);
	nr.ruri = d->remote_contact;
	nr.from = from;
	nr.to = to;
	nr.call_id = d->call_id;
	nr.cseq = ++d->cseq;
	nr.lines = hd_buf_text(&lines);
	err = hd_buf_error(&lines);
	if (!err)
		err = hd_msg_new_request(&msg, &nr);
	hd_buf_fini(&lines);
	if (!err) {
		hd_flow_target(d->features->options.agent, d->flow, d->remote_contact, &target);
		err = hd_orq_new(&d->bye, d->features->options.agent, msg, &target, on_bye_answered,
				 d);
	}
	if (err) {
		hd_log_call(HD_LOG_INFO, "feature", d->call_id, "%s: BYE not sent: %s", d->phone,
			    hd_strerror(err));
		dialog_free(d);
	}
}

/* ---- the 200, until its ACK ----------------------------------------------------------------- */

void dialog_send_ok(struct dialog *d)
{
	struct hd_buf lines = { 0 };

	hd_buf_addf(&lines,
		    "Contact: <%s>\r\nAllow: INVITE, ACK, BYE, CANCEL, INFO, OPTIONS, UPDATE\r\n"
		    "Content-Type: application/sdp\r\n",
		    d->local_contact);
	hd_irq_reply(d->irq, 200, NULL, hd_buf_text(&lines), hd_slice_of(d->session.text));
	hd_buf_fini(&lines);
}

void dialog_on_limit(void *arg)
{
	struct dialog *d = arg;

	if (d->state != OPEN)
		return;
	hd_log_call(HD_LOG_INFO, "feature", d->call_id, "%s: dialogue timed out", d->phone);
	dialog_close(d, refusal_reason);
}

void dialog_on_timer(void *arg)
{
	struct dialog *d = arg;
	uint32_t t1 = d->features->options.t1_ms, t2 = d->features->options.t2_ms;

	if (d->state == CLOSING)
		return;
	d->waited_ms += d->interval_ms;
	if (!d->irq || d->waited_ms >= 64 * t1) {
		d->state = OPEN; /* RFC 3261 13.3.1.4: no ACK, end it */
		dialog_close(d, "");
		return;
	}
	dialog_send_ok(d);
	d->interval_ms = d->interval_ms * 2 < t2 ? d->interval_ms * 2 : t2;
	if (d->interval_ms > 64 * t1 - d->waited_ms)
		d->interval_ms = 64 * t1 - d->waited_ms;
	hd_sip_timer_set(d->timer, d->interval_ms);
}

void dialog_on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct dialog *d = arg;

	(void)msg;
	if (event != HD_IRQ_GONE || d->irq != irq)
		return;
	hd_irq_free(irq);
	d->irq = NULL;
}
