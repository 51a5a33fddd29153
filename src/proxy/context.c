/* context.c - response contexts (RFC 3261 16.7): one server and one client transaction each. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/sip/overload.h"
#include "proxy_priv.h"

enum { KEY_SIZE = 132, CALL_ID_SIZE = 120 };

struct response_context {
	struct hd_proxy *proxy;
	struct hd_irq *irq;
	struct hd_orq *orq;
	struct hd_sip_timer
		*timer; /* Timer C, then the wait for a final or for retransmitted 2xx */
	enum { TRYING, PROCEEDING, CANCELLED, ACCEPTED } state;
	bool invite;
	bool hashed;
	char key[KEY_SIZE]; /* cut Call-ID and CSeq */
	char what[40];
	UT_hash_handle hh;
	struct response_context *prev, *next;
};

static struct hd_metric calls =
	HD_COUNTER("hotdeskd_requests_forwarded", NULL, "requests that became a response context");
static struct hd_metric open_contexts =
	HD_GAUGE("hotdeskd_response_contexts", NULL, "requests being forwarded");

static void key_format(char key[KEY_SIZE], const char *call_id, uint32_t cseq)
{
	size_t n = strlen(call_id);

	memset(key, 0, KEY_SIZE);
	if (n > CALL_ID_SIZE)
		n = CALL_ID_SIZE;
	memcpy(key, call_id, n);
	memcpy(key + CALL_ID_SIZE + 4, &cseq, sizeof(cseq));
}

static void context_free(struct response_context *rc)
{
	struct hd_proxy *proxy = rc->proxy;

	if (rc->hashed)
		HASH_DEL(proxy->contexts, rc);
	if (rc->prev)
		rc->prev->next = rc->next;
	else
		proxy->open = rc->next;
	if (rc->next)
		rc->next->prev = rc->prev;
	proxy->n_open--;
	hd_metric_set(&open_contexts, (int64_t)proxy->n_open);
	hd_sip_timer_free(rc->timer);
	hd_orq_free(rc->orq);
	hd_irq_free(rc->irq);
	free(rc);
}

static void final(struct response_context *rc, int status, const char *phrase)
{
	struct hd_slice none = { NULL, 0 };

	hd_irq_reply(rc->irq, status, phrase, NULL, none);
	context_free(rc);
}

static void set_timer(struct response_context *rc, int64_t in_ms);

/* Timer C (16.8), a CANCEL that is never answered (9.1), or no more 2xx to expect (RFC 6026). */
static void on_timer(void *arg)
{
	struct response_context *rc = arg;

	switch (rc->state) {
	case ACCEPTED:
		context_free(rc);
		return;
	case CANCELLED:
		final(rc, 487, NULL);
		return;
	case PROCEEDING:
		hd_log_call(HD_LOG_NOTICE, "proxy", hd_msg_call_id(hd_irq_msg(rc->irq)),
			    "%s: rang too long, cancelled (Timer C)", rc->what);
		hd_orq_cancel(rc->orq, "SIP;cause=408;text=\"Timer C\"");
		rc->state = CANCELLED;
		set_timer(rc, 64 * (int64_t)rc->proxy->options.t1_ms);
		return;
	case TRYING:
	default:
		final(rc, 408, NULL);
		return;
	}
}

static void set_timer(struct response_context *rc, int64_t in_ms)
{
	if (!rc->timer && hd_sip_timer_new(&rc->timer, rc->proxy->options.agent, on_timer, rc))
		return;
	hd_sip_timer_set(rc->timer, in_ms);
}

static void forward_response(struct response_context *rc, struct hd_msg *response)
{
	struct hd_msg *copy = hd_msg_copy(response);

	if (!copy)
		return;
	if (!hd_msg_pop_via(copy)) {
		hd_msg_free(copy);
		return;
	}
	identity_clean(rc->proxy, copy, response);
	hd_irq_forward(rc->irq, copy);
}

/* A final response of our own or of the phone, other than 2xx. */
static void on_failure(struct response_context *rc, int status, struct hd_msg *response)
{
	if (response && status != 503) {
		forward_response(rc, response);
		context_free(rc);
		return;
	}
	if (rc->state == CANCELLED)
		final(rc, 487, NULL);
	else if (status == 408) /* for a non-INVITE the library sends none: RFC 4320 4.2 */
		final(rc, 408, NULL);
	else /* 16.7 step 6: a 503 is not passed on */
		final(rc, 500, response ? NULL : "Phone Cannot Be Reached");
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct response_context *rc = arg;

	(void)orq;
	if (response && hd_msg_via_count(response) < 2)
		return; /* 16.7 step 3: nobody to send it to */
	if (status < 200) {
		if (!response || rc->state == ACCEPTED)
			return;
		if (status == 100 && rc->state != TRYING)
			return;
		/* A 100 ends Timer B, so Timer C must watch from here on: 16.7 step 2, 16.8. */
		if (rc->invite && rc->state != CANCELLED) {
			rc->state = PROCEEDING;
			set_timer(rc, (int64_t)rc->proxy->options.timer_c_s * 1000);
		}
		if (status > 100)
			forward_response(rc, response);
		return;
	}
	if (rc->state == ACCEPTED && status >= 300)
		return;
	if (status >= 300) {
		/* RFC 4320 4.2: a phone's own 408 for a non-INVITE is not passed on either. */
		on_failure(rc, status, status == 408 && !rc->invite ? NULL : response);
		return;
	}
	if (!response)
		return;
	forward_response(rc, response);
	if (!rc->invite) {
		context_free(rc);
		return;
	}
	if (rc->state == ACCEPTED)
		return;
	rc->state = ACCEPTED;
	set_timer(rc, 64 * (int64_t)rc->proxy->options.t1_ms);
}

static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct response_context *rc = arg;

	(void)irq;
	if (event == HD_IRQ_CANCEL && rc->invite && rc->state < CANCELLED) {
		hd_orq_cancel(rc->orq, msg ? hd_msg_header(msg, "Reason", 0) : NULL);
		rc->state = CANCELLED;
		set_timer(rc, 64 * (int64_t)rc->proxy->options.t1_ms);
	} else if (event == HD_IRQ_GONE && rc->state != ACCEPTED) {
		if (rc->invite && rc->orq && rc->state < CANCELLED)
			hd_orq_cancel(rc->orq, NULL);
		context_free(rc);
	}
}

static int context_new(struct response_context **rcp, struct hd_proxy *proxy,
		       struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct response_context *rc = calloc(1, sizeof(*rc)), *known;
	int err;

	if (!rc) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return HD_ENOMEM;
	}
	rc->proxy = proxy;
	rc->invite = hd_msg_method(msg) == HD_METHOD_INVITE;
	key_format(rc->key, hd_msg_call_id(msg), hd_msg_cseq(msg));
	err = hd_irq_new(&rc->irq, req, on_irq, rc);
	if (err) {
		free(rc);
		return err;
	}
	if (rc->invite) {
		HASH_FIND(hh, proxy->contexts, rc->key, KEY_SIZE, known);
		rc->hashed = known == NULL;
		if (rc->hashed)
			HASH_ADD(hh, proxy->contexts, key, KEY_SIZE, rc);
	}
	rc->next = proxy->open;
	if (rc->next)
		rc->next->prev = rc;
	proxy->open = rc;
	proxy->n_open++;
	*rcp = rc;
	return 0;
}

void response_context_begin(struct hd_proxy *proxy, struct hd_request *req, struct forward *fwd)
{
	struct hd_slice none = { NULL, 0 };
	struct response_context *rc;
	int err;

	hd_metric_register(&calls);
	hd_metric_register(&open_contexts);
	if (context_new(&rc, proxy, req)) {
		hd_msg_free(fwd->msg);
		return;
	}
	hd_metric_add(&calls, 1);
	hd_metric_set(&open_contexts, (int64_t)proxy->n_open);
	if (hd_str_set(rc->what, sizeof(rc->what), fwd->what))
		rc->what[0] = '\0';
	if (rc->invite)
		hd_irq_reply(rc->irq, 100, NULL, NULL, none);
	err = hd_orq_new(&rc->orq, proxy->options.agent, fwd->msg, &fwd->target, on_response, rc);
	if (err == HD_EGONE)
		final(rc, 480, "Phone Is Not Connected");
	else if (err)
		final(rc, 500, "Next Hop Cannot Be Reached");
}

void response_context_acked(struct hd_proxy *proxy, const char *call_id, uint32_t cseq)
{
	struct response_context *rc;
	char key[KEY_SIZE];

	key_format(key, call_id, cseq);
	HASH_FIND(hh, proxy->contexts, key, KEY_SIZE, rc);
	if (rc &&
	    rc->state == ACCEPTED) /* A lost ACK shows within two retransmissions of the 2xx. */
		set_timer(rc, 4 * (int64_t)proxy->options.t1_ms);
}

void response_context_end_all(struct hd_proxy *proxy)
{
	struct response_context *rc, *next;

	for (rc = proxy->open; rc; rc = next) {
		next = rc->next;
		if (rc->invite && rc->state < CANCELLED) { /* else the phone rings on by itself */
			hd_orq_cancel(rc->orq, NULL);
			hd_irq_shed(rc->irq, HD_SHED_STOPPING);
		}
		context_free(rc);
	}
}
