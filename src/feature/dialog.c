/* dialog.c - the INVITE dialogs of feature codes, we being the UAS (RFC 3261 12, 13.3, 15). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/sip/overload.h"
#include "hotdesk/sip/sdp.h"

static const struct hd_slice no_body = { NULL, 0 };

static void id_of(uint8_t id[DIALOG_ID_SIZE], const char *call_id, const char *tag)
{
	struct hd_slice parts[] = { hd_slice_of(call_id), hd_slice_of(tag) };

	hd_sha256(id, parts, 2);
}

struct dialog *dialog_find(struct hd_features *f, struct hd_msg *msg)
{
	uint8_t id[DIALOG_ID_SIZE];
	struct dialog *d;

	id_of(id, hd_msg_call_id(msg), hd_msg_to_tag(msg));
	HASH_FIND(hh, f->dialogs, id, DIALOG_ID_SIZE, d);
	return d && strcmp(d->remote_tag, hd_msg_from_tag(msg)) == 0 ? d : NULL;
}

void dialog_free(struct dialog *d)
{
	HASH_DEL(d->features->dialogs, d);
	if (d->operation)
		d->operation->dialog = NULL;
	hd_irq_free(d->irq);
	hd_orq_free(d->bye);
	hd_sip_timer_free(d->timer);
	hd_wipe(d->digits, sizeof(d->digits));
	free(d->routes);
	free(d->answer);
	free(d);
}

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

static void send_ok(struct dialog *d)
{
	struct hd_buf lines = { 0 };

	hd_buf_addf(&lines,
		    "Contact: <%s>\r\nAllow: INVITE, ACK, BYE, CANCEL, INFO, OPTIONS\r\n"
		    "Content-Type: application/sdp\r\n",
		    d->local_contact);
	hd_irq_reply(d->irq, 200, NULL, hd_buf_text(&lines), hd_slice_of(d->answer));
	hd_buf_fini(&lines);
}

static void on_timer(void *arg)
{
	struct dialog *d = arg;
	uint32_t t1 = d->features->options.t1_ms, t2 = d->features->options.t2_ms;

	if (d->state == OPEN) {
		hd_log_call(HD_LOG_INFO, "feature", d->call_id, "%s: dialogue timed out", d->phone);
		dialog_close(d, refusal_reason);
		return;
	}
	if (d->state != WAITING_ACK)
		return;
	d->waited_ms += d->interval_ms;
	if (!d->irq || d->waited_ms >= 64 * t1) {
		d->state = OPEN; /* RFC 3261 13.3.1.4: no ACK, end it */
		dialog_close(d, "");
		return;
	}
	send_ok(d);
	d->interval_ms = d->interval_ms * 2 < t2 ? d->interval_ms * 2 : t2;
	if (d->interval_ms > 64 * t1 - d->waited_ms)
		d->interval_ms = 64 * t1 - d->waited_ms;
	hd_sip_timer_set(d->timer, d->interval_ms);
}

static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct dialog *d = arg;

	(void)msg;
	if (event != HD_IRQ_GONE || d->irq != irq)
		return;
	hd_irq_free(irq);
	d->irq = NULL;
}

static void on_ack(struct dialog *d)
{
	if (d->state != WAITING_ACK)
		return;
	d->state = OPEN;
	hd_sip_timer_cancel(d->timer);
	hd_irq_free(d->irq);
	d->irq = NULL;
	if (d->close_on_ack)
		dialog_close(d, "");
	else
		hd_sip_timer_set(d->timer, (int64_t)d->features->options.dialogue_s * 1000);
}

/* ---- opening -------------------------------------------------------------------------------- */

static int uri_text(char *dst, size_t size, const struct hd_uri *uri)
{
	int n = snprintf(dst, size, "%s:%.*s@%.*s%s%.*s",
			 uri->scheme == HD_URI_SIPS ? "sips" : "sip", (int)uri->user.len,
			 uri->user.ptr, (int)uri->host.len, uri->host.ptr, uri->port.len ? ":" : "",
			 (int)uri->port.len, uri->port.ptr);

	return n < 0 || (size_t)n >= size ? HD_ELIMIT : 0;
}

/* RFC 3261 12.1.1: the route set is the Record-Route of the request, in its order. */
static int keep_routes(struct dialog *d, struct hd_msg *msg)
{
	struct hd_buf lines = { 0 };
	const char *value;

	for (unsigned i = 0; (value = hd_msg_header(msg, "Record-Route", i)); i++)
		hd_buf_addf(&lines, "Route: %s\r\n", value);
	if (!lines.len)
		return hd_buf_error(&lines);
	d->routes = hd_buf_take(&lines);
	return d->routes ? 0 : HD_ENOMEM;
}

/* The address part of "sip:HOST:PORT;...", without []. */
static void host_of(char *dst, size_t size, const char *uri_text_in)
{
	struct hd_slice host = { "127.0.0.1", 9 };
	struct hd_uri uri;

	if (!hd_uri_parse(&uri, hd_slice_of(uri_text_in)))
		host = uri.host;
	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	if (hd_str_copy(dst, size, host))
		dst[0] = '\0';
}

static int keep_answer(struct dialog *d, struct hd_msg *msg, const char *local)
{
	struct hd_buf answer = { 0 };
	char host[64];
	int err;

	host_of(host, sizeof(host), local);
	err = hd_sdp_inactive(&answer, hd_msg_body(msg), host);
	if (!err)
		d->answer = hd_buf_take(&answer);
	hd_buf_fini(&answer);
	if (err == HD_EPARSE)
		return HD_EUNSUPPORTED;
	return err ? err : d->answer ? 0 : HD_ENOMEM;
}

/* The code without number and PIN: what our Contact says is seen on screens and in logs. */
static const char *code_of(const struct hd_features *f, enum hd_desk_event event)
{
	return event == HD_DESK_EVENT_LOGIN    ? f->options.codes.login
	       : event == HD_DESK_EVENT_LOGOUT ? f->options.codes.logout
					       : f->options.codes.toggle;
}

static int fill(struct dialog *d, struct hd_irq *irq, const char *phone)
{
	struct hd_msg *msg = hd_irq_msg(irq);
	struct hd_contact contact;
	struct hd_buf user = { 0 };
	struct hd_uri uri;
	struct hd_flow flow;
	char local[160];
	size_t n = 1;
	bool star;
	int err;

	hd_msg_contacts(msg, &contact, &n, &star);
	if (n != 1 || star)
		return HD_EPARSE;
	err = hd_flow_parse(&flow, hd_irq_flow(irq));
	if (!err)
		err = hd_flow_local_uri(d->features->options.agent, &flow, local, sizeof(local));
	if (!err)
		err = hd_str_set(d->remote_contact, sizeof(d->remote_contact), contact.uri_text);
	if (!err)
		err = hd_str_set(d->phone, sizeof(d->phone), phone);
	if (!err)
		err = hd_str_set(d->call_id, sizeof(d->call_id), hd_msg_call_id(msg));
	if (!err)
		err = hd_str_set(d->local_tag, sizeof(d->local_tag), hd_irq_tag(irq));
	if (!err)
		err = hd_str_set(d->remote_tag, sizeof(d->remote_tag), hd_msg_from_tag(msg));
	if (!err)
		err = hd_str_set(d->flow, sizeof(d->flow), hd_irq_flow(irq));
	hd_msg_to_uri(msg, &uri);
	if (!err)
		err = uri_text(d->local_uri, sizeof(d->local_uri), &uri);
	hd_msg_from_uri(msg, &uri);
	if (!err)
		err = uri_text(d->remote_uri, sizeof(d->remote_uri), &uri);
	hd_uri_escape_user(&user, hd_slice_of(code_of(d->features, d->event)));
	snprintf(d->local_contact, sizeof(d->local_contact), "sip:%s@%s", hd_buf_text(&user),
		 local + strlen("sip:"));
	hd_buf_fini(&user);
	if (!err)
		err = keep_routes(d, msg);
	return err ? err : keep_answer(d, msg, local);
}

static int status_of(int err)
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

bool dialog_open(struct hd_features *f, struct hd_irq *irq, const char *phone,
		 enum hd_desk_event event, bool close_on_ack)
{
	struct dialog *d = calloc(1, sizeof(*d));
	int err;

	if (!d) {
		hd_irq_reply(irq, 500, NULL, NULL, no_body);
		hd_irq_free(irq);
		return false;
	}
	d->features = f;
	d->event = event;
	d->close_on_ack = close_on_ack;
	d->irq = irq;
	d->interval_ms = f->options.t1_ms;
	d->remote_cseq = hd_msg_cseq(hd_irq_msg(irq));
	hd_irq_bind(irq, on_irq, d);
	err = fill(d, irq, phone);
	id_of(d->id, d->call_id, d->local_tag);
	HASH_ADD(hh, f->dialogs, id, DIALOG_ID_SIZE, d);
	if (!err)
		err = hd_sip_timer_new(&d->timer, f->options.agent, on_timer, d);
	if (err) {
		hd_irq_reply(irq, status_of(err), NULL, NULL, no_body);
		dialog_free(d);
		return false;
	}
	send_ok(d);
	hd_sip_timer_set(d->timer, d->interval_ms);
	return true;
}

/* ---- requests inside ------------------------------------------------------------------------ */

static void begin_operation(struct dialog *d, struct hd_request *req, const struct hd_feature *code)
{
	struct operation *op = operation_new(d->features);
	struct hd_irq *irq;

	if (!op) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return;
	}
	if (hd_irq_new(&irq, req, operation_on_irq, op)) {
		operation_free(op);
		return;
	}
	if (d->state == OPEN) /* else it repeats the 200 until the ACK */
		hd_sip_timer_cancel(d->timer);
	operation_begin(op, irq, d, d->phone, code);
}

/* @return true when number and PIN are complete */
static bool take_digit(struct dialog *d, char digit)
{
	if (digit == '*') {
		hd_wipe(d->digits, sizeof(d->digits));
		d->n_digits = d->n_hash = 0;
		return false;
	}
	if (d->n_digits + 1 < sizeof(d->digits))
		d->digits[d->n_digits++] = digit;
	if (digit == '#')
		d->n_hash++;
	return d->n_hash == 2;
}

/* "201#471147#" */
static int digits_to_code(struct dialog *d, struct hd_feature *code)
{
	char *hash = strchr(d->digits, '#');
	struct hd_slice number = { d->digits, (size_t)(hash - d->digits) };
	struct hd_slice pin = { hash + 1, strcspn(hash + 1, "#") };
	int err;

	memset(code, 0, sizeof(*code));
	code->event = d->event;
	code->has_arguments = true;
	err = hd_str_copy(code->number, sizeof(code->number), number);
	if (!err)
		err = hd_str_copy(code->pin, sizeof(code->pin), pin);
	hd_wipe(d->digits, sizeof(d->digits));
	d->n_digits = d->n_hash = 0;
	return err;
}

static void receive_info(struct dialog *d, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_feature code = { 0 };
	struct hd_uri uri;
	bool again;
	char digit;

	hd_msg_ruri(msg, &uri);
	if (d->operation || d->state == CLOSING || d->close_on_ack) {
		hd_request_reply(req, 481, NULL, NULL);
	} else if (!hd_feature_parse(&code, &d->features->options.codes, uri.user) &&
		   code.has_arguments && !code.malformed) {
		begin_operation(d, req, &code);
	} else {
		digit = digit_of_info(hd_msg_header(msg, "Content-Type", 0), hd_msg_body(msg));
		/* Its answer was lost and needs no transaction: a digit counts once. */
		again = digit && d->taken;
		d->taken = digit;
		if (!digit)
			hd_request_reply(req, 415, NULL,
					 "Accept: application/dtmf-relay, application/dtmf\r\n");
		else if (again || !take_digit(d, digit))
			hd_request_reply(req, 200, NULL, NULL);
		else if (digits_to_code(d, &code))
			hd_request_reply(req, 400, NULL, NULL);
		else
			begin_operation(d, req, &code);
	}
	hd_feature_wipe(&code);
}

static void receive_reinvite(struct dialog *d, struct hd_request *req)
{
	struct hd_buf lines = { 0 };

	/* The offer may have changed, what we have to say has not: 488 keeps the session as it is.
	 */
	hd_buf_addf(&lines, "Contact: <%s>\r\n", d->local_contact);
	hd_request_reply(req, 488, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
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
		hd_request_drop(req);
		on_ack(d);
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
	case HD_METHOD_OPTIONS:
		hd_request_reply(req, 200, NULL, NULL);
		return;
	default:
		hd_request_reply(req, 405, NULL,
				 "Allow: INVITE, ACK, BYE, CANCEL, INFO, OPTIONS\r\n");
		return;
	}
}
