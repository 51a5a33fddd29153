/* orq.c - client transactions and requests of our own; see hotdesk/sip/agent.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "ict.h"
#include "large.h"
#include "sip_priv.h"
#include "sofia_priv.h"

enum {
	INTERNAL_MSG = 1 << 15, /* nta_internal.h: a response that the library made itself */
	BRANCH_BYTES = 12,
	LOOP_BYTES = 4,
	BRANCH_SIZE = sizeof(HD_BRANCH_FORWARDED) + 2UL * (LOOP_BYTES + BRANCH_BYTES),
};

struct hd_orq {
	struct hd_agent *agent;
	nta_outgoing_t *nta; /* the library's transaction, or else our own */
	struct ict *ict;
	tport_t *tport; /* referenced */
	char url[160];
	struct hd_msg *spare; /* for UDP, while TCP is only tried */
	tport_t *spare_tport;
	struct hd_sip_timer *timer;
	bool cancelled;
	uint32_t loop; /* of the target */
	hd_orq_fn *fn;
	void *arg;
};

static void on_own_response(void *arg, int status, msg_t *response)
{
	struct hd_orq *orq = arg;

	orq->fn(orq->arg, orq, status, msg_wrap(response));
}

static void drop_spare(struct hd_orq *orq)
{
	hd_msg_free(orq->spare);
	hd_sip_timer_free(orq->timer);
	orq->spare = NULL;
	orq->timer = NULL;
}

/*
 * A provisional response has come for an INVITE: from here on ict.h is smaller. Or the 2xx, over a
 * stream: its repetitions (13.3.1.4) would not be ours any more.
 */
static void take_over(struct hd_orq *orq)
{
	msg_t *request = nta_outgoing_getrequest(orq->nta);
	nta_outgoing_t *nta = orq->nta;

	if (!request)
		return;
	orq->ict = ict_new(orq->agent->icts, request, orq->tport, orq->url, on_own_response, orq);
	if (!orq->ict)
		return;
	orq->nta = NULL;
	nta_outgoing_bind(nta, NULL, NULL);
	nta_outgoing_destroy(nta);
}

static bool fall_back(struct hd_orq *orq);

static int on_response(struct hd_orq *orq, nta_outgoing_t *nta, sip_t const *sip)
{
	msg_t *msg;
	int status;

	if (!orq || !sip || !sip->sip_status)
		return 0;
	status = sip->sip_status->st_status;
	msg = sip->sip_flags & INTERNAL_MSG ? NULL : nta_outgoing_getresponse(nta);
	if (!msg && status == 503 && fall_back(orq))
		return 0;
	drop_spare(orq);
	if (msg && !orq->cancelled && nta_outgoing_method(nta) == sip_method_invite &&
	    (status < 200 || (status < 300 && tport_is_reliable(orq->tport))))
		take_over(orq);
	orq->fn(orq->arg, orq, status, msg ? msg_wrap(msg) : NULL);
	if (msg)
		msg_destroy(msg);
	return 0;
}

static const size_t prefix_len = sizeof(HD_BRANCH_FORWARDED) - 1;

static void branch_format(char branch[BRANCH_SIZE], uint32_t loop)
{
	uint8_t raw[LOOP_BYTES + BRANCH_BYTES];

	memcpy(raw, &loop, LOOP_BYTES);
	hd_random_bytes(raw + LOOP_BYTES, BRANCH_BYTES);
	memcpy(branch, HD_BRANCH_FORWARDED, prefix_len);
	hd_hex_format(branch + prefix_len, raw, sizeof(raw));
}

bool hd_agent_has_sent(const struct hd_agent *agent, const struct hd_msg *msg, uint32_t loop)
{
	char begin[sizeof(HD_BRANCH_FORWARDED) + 2UL * LOOP_BYTES];
	const size_t n = sizeof(begin) - 1;

	memcpy(begin, HD_BRANCH_FORWARDED, prefix_len);
	hd_hex_format(begin + prefix_len, (const uint8_t *)&loop, LOOP_BYTES);
	for (const sip_via_t *via = sip_of(msg)->sip_via; via; via = via->v_next)
		if (via->v_branch && strncmp(via->v_branch, begin, n) == 0 &&
		    hd_via_is_own(agent, via))
			return true;
	return false;
}

/* msg is moved. */
static int start(struct hd_orq *orq, struct hd_msg *msg, tport_t *tport)
{
	const bool forwarded = sip_of(msg)->sip_via != NULL;
	char branch[BRANCH_SIZE];

	if (forwarded)
		branch_format(branch, orq->loop);
	orq->tport = tport_ref(tport);
	orq->nta = nta_outgoing_mcreate(orq->agent->nta, on_response, orq,
					URL_STRING_MAKE(orq->url), msg_of(msg), NTATAG_TPORT(tport),
					TAG_IF(forwarded, NTATAG_BRANCH_KEY(branch)), TAG_END());
	if (orq->nta)
		return 0;
	tport_unref(orq->tport);
	orq->tport = NULL;
	hd_msg_free(msg);
	return HD_EINVAL;
}

/* No connection has come about: by UDP, whatever the size. @return false: nothing was sent */
static bool fall_back(struct hd_orq *orq)
{
	nta_outgoing_t *nta = orq->nta;
	struct hd_msg *msg = orq->spare;

	if (!msg || orq->cancelled)
		return false;
	orq->spare = NULL;
	drop_spare(orq);
	orq->nta = NULL;
	nta_outgoing_bind(nta, NULL, NULL);
	nta_outgoing_destroy(nta);
	tport_unref(orq->tport);
	memcpy(orq->url + strlen(orq->url) - 3, "udp", 3);
	if (!start(orq, msg, orq->spare_tport))
		return true;
	orq->fn(orq->arg, orq, 503, NULL);
	return true;
}

static void on_timer(void *arg)
{
	struct hd_orq *orq = arg;
	tport_t *tport = nta_outgoing_transport(orq->nta);
	bool connected = tport && tport_is_connected(tport);

	tport_unref(tport);
	if (!connected)
		fall_back(orq);
}

/* Both ways are kept open until the first one leads somewhere. */
static void prefer_tcp(struct hd_orq *orq, struct hd_msg *msg, const struct hd_target *target,
		       tport_t **tportp)
{
	struct hd_agent *agent = orq->agent;

	orq->spare_tport = *tportp;
	if (!large_move_to_tcp(agent, msg, target, orq->url, tportp))
		return;
	orq->spare = hd_msg_copy(msg);
	if (orq->spare && !hd_sip_timer_new(&orq->timer, agent, on_timer, orq))
		hd_sip_timer_set(orq->timer, 2 * (int64_t)agent->options.t1_ms);
}

int hd_orq_new(struct hd_orq **orqp, struct hd_agent *agent, struct hd_msg *msg,
	       const struct hd_target *target, hd_orq_fn *fn, void *arg)
{
	struct hd_orq *orq = calloc(1, sizeof(*orq));
	tport_t *tport = NULL;
	int err = HD_ENOMEM;

	if (!orq)
		goto failed;
	err = hd_target_resolve(agent, target, &tport, orq->url, sizeof(orq->url));
	if (err)
		goto failed;
	orq->agent = agent;
	orq->fn = fn;
	orq->arg = arg;
	orq->loop = target->loop;
	prefer_tcp(orq, msg, target, &tport);
	err = start(orq, msg, tport);
	msg = NULL;
	if (err)
		goto failed;
	*orqp = orq;
	return 0;
failed:
	hd_msg_free(msg);
	hd_orq_free(orq);
	return err;
}

void hd_orq_cancel(struct hd_orq *orq, const char *reason)
{
	orq->cancelled = true;
	if (orq->ict)
		ict_cancel(orq->ict, reason);
	else
		nta_outgoing_tcancel(orq->nta, NULL, NULL, NTATAG_CANCEL_408(0),
				     NTATAG_CANCEL_2543(0),
				     TAG_IF(reason, SIPTAG_REASON_STR(reason)), TAG_END());
}

void hd_orq_free(struct hd_orq *orq)
{
	if (!orq)
		return;
	drop_spare(orq);
	ict_free(orq->ict);
	if (orq->nta) {
		nta_outgoing_bind(orq->nta, NULL, NULL);
		nta_outgoing_destroy(orq->nta);
	}
	tport_unref(orq->tport);
	free(orq);
}

int hd_agent_send(struct hd_agent *agent, struct hd_msg *msg, const struct hd_target *target,
		  const char *branch)
{
	tport_t *tport = NULL;
	char url[160];
	int err;

	err = hd_target_resolve(agent, target, &tport, url, sizeof(url));
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	return nta_msg_tsend(agent->nta, msg_of(msg), URL_STRING_MAKE(url), NTATAG_TPORT(tport),
			     TAG_IF(branch, NTATAG_BRANCH_KEY(branch)), TAG_END()) < 0
		       ? HD_EGONE
		       : 0;
}

int hd_agent_send_response(struct hd_agent *agent, struct hd_msg *msg)
{
	/* Removes the topmost Via by itself. */
	return nta_msg_tsend(agent->nta, msg_of(msg), NULL, TAG_END()) < 0 ? HD_EGONE : 0;
}

int hd_msg_new_request(struct hd_msg **msgp, const struct hd_new_request *request)
{
	struct hd_buf text = { 0 };
	uint8_t random[12];
	char call_id[2 * sizeof(random) + 1];
	msg_t *msg = NULL;
	int err;

	hd_random_bytes(random, sizeof(random));
	hd_hex_format(call_id, random, sizeof(random));
	hd_buf_addf(&text, "%s %s SIP/2.0\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n",
		    request->method, request->ruri, request->from, request->to);
	hd_buf_addf(&text, "Call-ID: %s\r\nCSeq: %u %s\r\n",
		    request->call_id ? request->call_id : call_id, request->cseq, request->method);
	hd_buf_addf(&text, "%sContent-Length: %zu\r\n\r\n", request->lines ? request->lines : "",
		    request->body.len);
	hd_buf_add(&text, request->body);
	err = hd_buf_error(&text);
	if (!err) {
		msg = msg_make(sip_default_mclass(), 0, hd_buf_text(&text), (ssize_t)text.len);
		err = msg && sip_object(msg)->sip_request && sip_object(msg)->sip_cseq ? 0
										       : HD_EPARSE;
	}
	hd_buf_fini(&text);
	if (err) {
		msg_destroy(msg);
		return err;
	}
	*msgp = msg_wrap(msg);
	return 0;
}
