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
#include "hotdesk/sip/resolver.h"
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

/* Where a name leads, and what of it has been tried. */
struct route {
	struct hd_lookup *lookup; /* while it is open */
	struct hd_hops hops;
	size_t next;
	int err; /* of the look-up */
	bool starting;
	struct hd_msg *msg; /* what each hop gets a copy of */
	char via[HD_FLOW_TEXT_SIZE], last[HD_FLOW_TEXT_SIZE];
	int (*prepare)(void *arg, struct hd_msg *msg, const struct hd_flow *hop, bool by_flow);
	struct hd_sip_timer *timer; /* cancelled before anything was sent */
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
	struct route *route; /* of a name; NULL: there is one hop alone */
	bool cancelled;
	uint32_t loop; /* of the target */
	hd_orq_fn *fn;
	void *arg;
};

static bool go_on(struct hd_orq *orq, int status, bool answered);

static void on_own_response(void *arg, int status, msg_t *response)
{
	struct hd_orq *orq = arg;

	if (!go_on(orq, status, true))
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
	if (!go_on(orq, status, msg != NULL))
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
	hd_random_id(raw + LOOP_BYTES, BRANCH_BYTES);
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

static int send_to(struct hd_orq *orq, struct hd_msg *msg, const struct hd_target *target)
{
	tport_t *tport = NULL;
	struct hd_flow hop;
	int err;

	err = hd_target_resolve(orq->agent, target, &tport, orq->url, sizeof(orq->url));
	if (!err && orq->route && orq->route->prepare) {
		err = hd_target_flow(orq->agent, target, &hop);
		if (!err)
			err = orq->route->prepare(orq->arg, msg, &hop, target->flow != NULL);
	}
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	prefer_tcp(orq, msg, target, &tport);
	return start(orq, msg, tport);
}

/* ---- a name: several hops (RFC 3263 4.3) ---------------------------------------------------- */

static int send_copy(struct hd_orq *orq, const struct hd_target *target)
{
	struct hd_msg *copy = hd_msg_copy(orq->route->msg);

	return copy ? send_to(orq, copy, target) : HD_ENOMEM;
}

/* @return 0; an error: no hop is left */
static int send_next(struct hd_orq *orq)
{
	struct route *route = orq->route;
	struct hd_target target = { .via = route->via };
	char uri[HD_HOP_TEXT_SIZE];
	int err = route->err ? route->err : HD_EGONE;

	target.uri = uri;
	while (route->next < route->hops.n) {
		hd_hop_format(uri, sizeof(uri), &route->hops.hops[route->next++]);
		err = send_copy(orq, &target);
		if (!err)
			return 0;
		hd_log_call(HD_LOG_INFO, "sip", hd_msg_call_id(route->msg), "%s: not sent: %s", uri,
			    hd_strerror(err));
	}
	if (route->hops.n || !route->last[0])
		return err;
	target.flow = route->last;
	err = send_copy(orq, &target);
	route->last[0] = '\0';
	return err;
}

static void stop(struct hd_orq *orq)
{
	drop_spare(orq);
	ict_free(orq->ict);
	if (orq->nta) {
		nta_outgoing_bind(orq->nta, NULL, NULL);
		nta_outgoing_destroy(orq->nta);
	}
	tport_unref(orq->tport);
	orq->ict = NULL;
	orq->nta = NULL;
	orq->tport = NULL;
}

/* @return true: what has come is not for the owner, another hop is tried */
static bool go_on(struct hd_orq *orq, int status, bool answered)
{
	struct route *route = orq->route;

	if (!route || orq->cancelled || route->next >= route->hops.n ||
	    (status != 503 && (answered || status != 408)))
		return false;
	hd_log_call(HD_LOG_INFO, "sip", hd_msg_call_id(route->msg), "%s: %s, on to the next",
		    orq->url,
		    answered	    ? "answered 503"
		    : status == 408 ? "no answer"
				    : "no way");
	stop(orq);
	if (send_next(orq))
		orq->fn(orq->arg, orq, 503, NULL);
	return true;
}

static void on_found(void *arg, int err, const struct hd_hops *hops)
{
	struct hd_orq *orq = arg;
	struct route *route = orq->route;

	route->err = err;
	route->hops = *hops;
	if (err)
		hd_log_call(HD_LOG_INFO, "sip", hd_msg_call_id(route->msg),
			    "next hop: no address: %s", hd_strerror(err));
	if (!route->starting && send_next(orq))
		orq->fn(orq->arg, orq, 503, NULL);
}

static void on_cancelled(void *arg)
{
	struct hd_orq *orq = arg;

	orq->fn(orq->arg, orq, 487, NULL);
}

static void route_free(struct route *route)
{
	if (!route)
		return;
	hd_lookup_cancel(route->lookup);
	hd_sip_timer_free(route->timer);
	hd_msg_free(route->msg);
	free(route);
}

/* msg is moved, also on error. */
static int begin_by_name(struct hd_orq *orq, struct hd_msg *msg, const struct hd_target *target)
{
	struct route *route = calloc(1, sizeof(*route));
	int err;

	if (!route) {
		hd_msg_free(msg);
		return HD_ENOMEM;
	}
	orq->route = route;
	route->msg = msg;
	route->prepare = target->prepare;
	err = hd_str_set(route->via, sizeof(route->via), target->via);
	if (!err)
		err = hd_str_set(route->last, sizeof(route->last), target->last);
	if (!err)
		err = hd_sip_timer_new(&route->timer, orq->agent, on_cancelled, orq);
	if (err)
		return err;
	route->starting = true;
	err = hd_resolver_find(&route->lookup, orq->agent->resolver, target->uri, on_found, orq);
	route->starting = false;
	if (err)
		route->err = err;
	if (route->lookup || (err == HD_EBUSY && !route->last[0]))
		return err;
	return send_next(orq);
}

/* ---- what others call ----------------------------------------------------------------------- */

int hd_orq_new(struct hd_orq **orqp, struct hd_agent *agent, struct hd_msg *msg,
	       const struct hd_target *target, hd_orq_fn *fn, void *arg)
{
	struct hd_orq *orq = calloc(1, sizeof(*orq));
	int err;

	if (!orq) {
		hd_msg_free(msg);
		return HD_ENOMEM;
	}
	orq->agent = agent;
	orq->fn = fn;
	orq->arg = arg;
	orq->loop = target->loop;
	err = hd_target_is_name(target) ? begin_by_name(orq, msg, target)
					: send_to(orq, msg, target);
	if (err)
		hd_orq_free(orq);
	else
		*orqp = orq;
	return err;
}

void hd_orq_cancel(struct hd_orq *orq, const char *reason)
{
	orq->cancelled = true;
	if (orq->ict) {
		ict_cancel(orq->ict, reason);
	} else if (orq->nta) {
		nta_outgoing_tcancel(orq->nta, NULL, NULL, NTATAG_CANCEL_408(0),
				     NTATAG_CANCEL_2543(0),
				     TAG_IF(reason, SIPTAG_REASON_STR(reason)), TAG_END());
	} else if (orq->route) { /* the owner is told later: it is not ready for it now */
		hd_lookup_cancel(orq->route->lookup);
		hd_sip_timer_set(orq->route->timer, 0);
	}
}

void hd_orq_free(struct hd_orq *orq)
{
	if (!orq)
		return;
	stop(orq);
	route_free(orq->route);
	free(orq);
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
	hd_url_trim(sip_object(msg)->sip_request->rq_url);
	msg_fragment_clear(sip_object(msg)->sip_request->rq_common);
	*msgp = msg_wrap(msg);
	return 0;
}
