/* irq.c - server transactions; see hotdesk/sip/agent.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>

#include "hotdesk/base/log.h"
#include "sip_priv.h"

static const char magic_cookie[] = "z9hG4bK";

struct hd_irq {
	bool answered; /* finally: what is left are retransmissions */
	struct hd_agent *agent;
	nta_incoming_t *nta;
	msg_t *msg;		  /* a reference of ours */
	const char *via_protocol; /* as the request's Via has it */
	hd_irq_fn *fn;
	void *arg;
	char flow[HD_FLOW_TEXT_SIZE];
};

static int on_event(struct hd_irq *irq, nta_incoming_t *nta, sip_t const *sip)
{
	enum hd_irq_event event;
	msg_t *msg;

	if (!sip)
		event = HD_IRQ_GONE;
	else if (sip->sip_request && sip->sip_request->rq_method == sip_method_cancel)
		event = HD_IRQ_CANCEL;
	else
		event = HD_IRQ_ACK;
	msg = sip ? nta_incoming_getrequest_ackcancel(nta) : NULL;
	irq->fn(irq->arg, irq, event, msg ? msg_wrap(msg) : NULL);
	if (msg)
		msg_destroy(msg);
	return 0;
}

/*
 * A lost connection is replaced by one to the source's address and the port of sent-by (RFC 3261
 * 18.2.2), and rport is not that port; so the library does not see it here.
 */
static nta_incoming_t *create_nta(struct hd_agent *agent, msg_t *msg, tport_t *tport)
{
	sip_t *sip = sip_object(msg);
	sip_via_t *via = sip->sip_via;
	sip_require_t *require = sip->sip_require;
	const char *rport = via->v_rport, *protocol = via->v_protocol;
	nta_incoming_t *nta;

	if (tport_is_reliable(tport))
		via->v_rport = NULL;
	via->v_protocol = hd_via_protocol(tport); /* the library reads in it where to send */
	sip->sip_require = NULL; /* with 100rel it would make a callee's 1xx reliable itself */
	nta = nta_incoming_create(agent->nta, NULL, msg, sip, NTATAG_TPORT(tport), TAG_END());
	sip->sip_require = require;
	via->v_rport = rport;
	via->v_protocol = protocol;
	return nta;
}

static int create(struct hd_irq **irqp, struct hd_request *req, hd_irq_fn *fn, void *arg)
{
	struct hd_irq *irq = calloc(1, sizeof(*irq));
	tport_t *tport = NULL;
	msg_t *msg;

	if (!irq) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return HD_ENOMEM;
	}
	msg = hd_request_take(req, &irq->agent, &tport, irq->flow);
	irq->msg = msg_ref(msg);
	irq->via_protocol = sip_object(msg)->sip_via->v_protocol;
	irq->nta = create_nta(irq->agent, msg, tport);
	tport_unref(tport);
	if (!irq->nta) {
		msg_destroy(irq->msg);
		free(irq);
		return HD_ENOMEM;
	}
	irq->fn = fn;
	irq->arg = arg;
	nta_incoming_bind(irq->nta, on_event, irq);
	atomic_fetch_add_explicit(&irq->agent->open_irqs, 1, memory_order_relaxed);
	irq->agent->overload.born++;
	*irqp = irq;
	return 0;
}

int hd_irq_new(struct hd_irq **irqp, struct hd_request *req, hd_irq_fn *fn, void *arg)
{
	if (!overload_admits(hd_request_agent(req), sip_of(hd_request_msg(req)))) {
		hd_request_shed(req, HD_SHED_TRANSACTIONS);
		return HD_EBUSY;
	}
	return create(irqp, req, fn, arg);
}

struct hd_agent *hd_irq_agent(struct hd_irq *irq)
{
	return irq->agent;
}

void hd_irq_bind(struct hd_irq *irq, hd_irq_fn *fn, void *arg)
{
	irq->fn = fn;
	irq->arg = arg;
}

void hd_irq_addresses(struct hd_irq *irq, char *local, char *remote, size_t size)
{
	struct hd_flow flow;

	local[0] = remote[0] = '\0';
	if (!hd_flow_parse(&flow, irq->flow))
		hd_flow_addresses(irq->agent, &flow, local, remote, size);
}

struct hd_msg *hd_irq_msg(struct hd_irq *irq)
{
	return msg_wrap(irq->msg);
}

const char *hd_irq_flow(struct hd_irq *irq)
{
	return irq->flow;
}

const char *hd_irq_tag(struct hd_irq *irq)
{
	const char *tag = nta_incoming_tag(irq->nta, NULL);

	return tag ? tag : "";
}

static void note_final(struct hd_irq *irq, int status)
{
	if (status < 200 || irq->answered)
		return;
	irq->answered = true;
	atomic_fetch_sub_explicit(&irq->agent->open_irqs, 1, memory_order_relaxed);
}

void hd_irq_reply(struct hd_irq *irq, int status, const char *phrase, const char *lines,
		  struct hd_slice body)
{
	msg_t *msg;
	sip_payload_t *payload;

	msg = nta_incoming_create_response(irq->nta, status,
					   phrase ? phrase : sip_status_phrase(status));
	if (!msg)
		return;
	if (sip_object(msg)->sip_via)
		sip_object(msg)->sip_via->v_protocol = irq->via_protocol;
	if (status > 100 && !sip_object(msg)->sip_to->a_tag &&
	    sip_to_tag(msg_home(msg), sip_object(msg)->sip_to, hd_irq_tag(irq)) < 0) {
		msg_destroy(msg);
		return;
	}
	if (lines && msg_header_add_str(msg, NULL, lines) < 0)
		hd_error("sip", "response %d: header lines refused by the library", status);
	if (body.len) {
		payload = sip_payload_create(msg_home(msg), body.ptr, (isize_t)body.len);
		if (!payload || msg_header_insert(msg, NULL, (msg_header_t *)payload) < 0) {
			msg_destroy(msg);
			return;
		}
	}
	if (nta_incoming_mreply(irq->nta, msg) < 0)
		hd_debug("sip", "%s: response %d not sent", irq->flow, status);
	note_final(irq, status);
}

/* The ACK of a client without the magic cookie is known by the To tag (RFC 3261 17.2.3). */
static void note_tag(struct hd_irq *irq, const sip_t *response)
{
	const char *branch = sip_object(irq->msg)->sip_via->v_branch;

	if (branch && strncasecmp(branch, magic_cookie, strlen(magic_cookie)) == 0)
		return;
	if (response->sip_to && response->sip_to->a_tag)
		(void)nta_incoming_tag(irq->nta, response->sip_to->a_tag);
}

void hd_irq_forward(struct hd_irq *irq, struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);
	int status = sip->sip_status ? sip->sip_status->st_status : 0;

	/* The library asserts on both. */
	if (!sip->sip_via || !sip->sip_cseq || !sip->sip_status ||
	    sip->sip_cseq->cs_method != sip_object(irq->msg)->sip_cseq->cs_method) {
		msg_destroy(msg_of(msg));
		return;
	}
	note_tag(irq, sip);
	if (nta_incoming_mreply(irq->nta, msg_of(msg)) < 0)
		hd_debug("sip", "%s: response not forwarded", irq->flow);
	note_final(irq, status);
}

void hd_irq_free(struct hd_irq *irq)
{
	if (!irq)
		return;
	note_final(irq, 200);
	nta_incoming_bind(irq->nta, NULL, NULL);
	nta_incoming_destroy(irq->nta);
	msg_destroy(irq->msg);
	free(irq);
}
