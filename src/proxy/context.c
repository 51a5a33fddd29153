/* context.c - response contexts (RFC 3261 16.7): one server transaction and its branches. */
#include <stdlib.h>
#include <string.h>

#include "alias.h"
#include "call_priv.h"
#include "context_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/sip/overload.h"
#include "veil.h"

static struct hd_metric calls =
	HD_COUNTER("hotdeskd_requests_forwarded", NULL, "requests that became a response context");
static struct hd_metric open_contexts =
	HD_GAUGE("hotdeskd_response_contexts", NULL, "requests being forwarded");

void response_context_metrics(void)
{
	hd_metric_register(&calls);
	hd_metric_register(&open_contexts);
}

static void on_timer(void *arg);
static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response);

static void key_format(char key[KEY_SIZE], const char *call_id, uint32_t cseq)
{
	size_t n = strlen(call_id);

	memset(key, 0, KEY_SIZE);
	if (n > CALL_ID_SIZE)
		n = CALL_ID_SIZE;
	memcpy(key, call_id, n);
	memcpy(key + CALL_ID_SIZE + 4, &cseq, sizeof(cseq));
}

static void branch_fini(struct branch *b)
{
	hd_sip_timer_free(b->timer);
	hd_orq_free(b->orq);
	forward_free(b->later);
	upstream_free(b->upstream);
	hd_msg_free(b->response);
	if (b->separate)
		free(b);
}

static void context_free(struct response_context *rc)
{
	struct hd_proxy *proxy = rc->proxy;

	if (rc->call) /* nobody waits for an answer any more */
		call_refused(rc->call, 408, NULL);
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
	for (struct branch *b = rc->branches, *next; b; b = next) {
		next = b->next;
		branch_fini(b);
	}
	hd_irq_free(rc->irq);
	free(rc);
}

static void set_timer(struct branch *b, int64_t in_ms)
{
	if (!b->timer && hd_sip_timer_new(&b->timer, b->rc->proxy->options.agent, on_timer, b))
		return;
	hd_sip_timer_set(b->timer, in_ms);
}

bool branch_is_pending(const struct branch *b)
{
	return b->state >= TRYING && b->state <= CANCELLED;
}

/* ---- branches ------------------------------------------------------------------------------- */

void branch_end(struct branch *b, int status, const char *phrase)
{
	b->state = ENDED;
	b->status = status;
	b->phrase = phrase;
	if (b->rc->invite)
		hd_sip_timer_cancel(b->timer);
}

/* A name has led to a hop: now it is known who it is, and which Record-Route fits. */
static int on_hop(void *arg, struct hd_msg *msg, const struct hd_flow *hop, bool by_flow)
{
	struct branch *b = arg;
	int err = identity_at_hop(b->rc->proxy, msg, &b->record, hop);

	if (err || !b->record.wanted)
		return err;
	b->record.token.callee = *hop;
	b->record.token.callee_flow_only = by_flow;
	return record_route(b->rc->proxy, msg, &b->record, hd_irq_msg(b->rc->irq));
}

static const char too_many[] = "Too Many Look-Ups";

void branch_send(struct branch *b, struct forward *fwd)
{
	int err;

	b->state = TRYING;
	b->record = fwd->record;
	b->emergency = fwd->emergency;
	b->rc->renamed |= fwd->record.renamed;
	b->rc->veiled |= fwd->record.veiled;
	if (fwd->account[0] && !b->upstream)
		b->upstream = upstream_new(fwd);
	fwd->target.prepare = on_hop;
	err = hd_orq_new(&b->orq, b->rc->proxy->options.agent, fwd->msg, &fwd->target, on_response,
			 b);
	fwd->msg = NULL;
	if (err == HD_EGONE)
		branch_end(b, 480, "Phone Is Not Connected");
	else if (err == HD_EBUSY)
		branch_end(b, 503, too_many);
	else if (err)
		branch_end(b, b->upstream ? 503 : 500, "Next Hop Cannot Be Reached");
	else if (b->rc->invite && fwd->answer_ms)
		set_timer(b, fwd->answer_ms);
}

void branch_add(struct response_context *rc, struct branch *b)
{
	b->rc = rc;
	b->next = rc->branches;
	rc->branches = b;
	rc->n_branches++;
}

/* RFC 3261 9.1: who does not answer a CANCEL for 64*T1 is taken to have ended. */
void branch_cancel(struct branch *b, const char *reason)
{
	if (b->state == WAITING) {
		branch_end(b, 487, NULL);
	} else if (b->state < CANCELLED && b->rc->invite) {
		hd_orq_cancel(b->orq, reason);
		b->state = CANCELLED;
		set_timer(b, 64 * (int64_t)b->rc->proxy->options.t1_ms);
	}
}

static void cancel_all(struct response_context *rc, const char *reason)
{
	for (struct branch *b = rc->branches; b; b = b->next)
		branch_cancel(b, reason);
}

/* @return false: none is left to try */
static bool try_next(struct response_context *rc)
{
	unsigned q = 0;
	bool found = false;

	for (struct branch *b = rc->branches; b; b = b->next) {
		if (b->state != WAITING || !b->later || (found && b->later->q_permille != q))
			continue;
		found = true;
		q = b->later->q_permille;
		branch_send(b, b->later);
		forward_free(b->later);
		b->later = NULL;
	}
	return found;
}

/* ---- the final response (16.7 steps 6 to 9) ------------------------------------------------- */

static void reply(struct response_context *rc, int status, const char *phrase)
{
	struct hd_slice none = { NULL, 0 };

	hd_irq_reply(rc->irq, status, phrase, NULL, none);
}

static struct hd_msg *copy_response(struct response_context *rc, struct hd_msg *response)
{
	struct hd_msg *copy = hd_msg_copy(response);

	if (!copy)
		return NULL;
	if (!hd_msg_pop_via(copy)) {
		hd_msg_free(copy);
		return NULL;
	}
	/* An answer with another name is better than none. */
	if (rc->renamed && alias_put_back(copy, hd_irq_msg(rc->irq)))
		hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(response),
			    "%s: From and To are not put back", rc->what);
	if (rc->veiled && veil_contact(rc->proxy, copy)) {
		hd_msg_free(copy);
		return NULL;
	}
	if (identity_clean(rc->proxy, copy, response))
		identity_withhold(copy,
				  hd_msg_is_trusted(rc->proxy->options.agent, hd_irq_msg(rc->irq)));
	return copy;
}

static void forward_response(struct response_context *rc, struct hd_msg *response)
{
	struct hd_msg *copy = copy_response(rc, response);

	if (copy)
		hd_irq_forward(rc->irq, copy);
}

/*
 * RFC 4320 4.2: no 408 for a non-INVITE, not even when it is repeated. So the server transaction
 * is kept open until the client has given up.
 */
static bool keep_silent(struct response_context *rc)
{
	if (rc->closed) /* it has been, for long enough */
		return false;
	rc->closed = true;
	if (rc->tried)
		set_timer(rc->branches, 64 * (int64_t)rc->proxy->options.t1_ms);
	return true;
}

/* A final failure, ours or one from downstream, is going to the caller. */
static void note_failure(struct response_context *rc, int status, struct hd_msg *response)
{
	if (rc->call)
		call_refused(rc->call, status, response);
	else
		calls_note_response(rc->proxy, hd_irq_msg(rc->irq), response, status);
}

/* Before it is refused: the called user may have said where it goes then. */
static bool goes_on(const struct response_context *rc, int status)
{
	const struct hd_proxy_options *o = &rc->proxy->options;

	return rc->call && !rc->closed && !rc->accepted && o->refused &&
	       o->refused(o->arg, &rc->call->call, status);
}

/* @return false: there is to be none yet */
static bool answer(struct response_context *rc)
{
	struct branch *best = best_branch(rc);

	if (best->status == 408 && !rc->invite && keep_silent(rc))
		return false;
	if (goes_on(rc, best->status))
		return false;
	note_failure(rc, best->status, best->response);
	if (!best->response) {
		reply(rc, best->status == 503 ? 500 : best->status, best->phrase);
		return true;
	}
	best_add_challenges(rc, best);
	hd_irq_forward(rc->irq, best->response);
	best->response = NULL;
	return true;
}

void response_context_settle(struct response_context *rc)
{
	bool open;

	do {
		open = false;
		for (const struct branch *b = rc->branches; b; b = b->next)
			if (branch_is_pending(b) || b->state == ACCEPTED)
				return;
		if (!rc->accepted && !rc->closed)
			open = try_next(rc);
	} while (open);
	if (!rc->accepted && !answer(rc))
		return;
	context_free(rc);
}

/* ---- what happens --------------------------------------------------------------------------- */

/* RFC 4320 4.1: a 100 when the client has waited long; and then what keep_silent() waits for. */
static void on_other_timer(struct response_context *rc)
{
	if (rc->tried) {
		response_context_settle(rc);
		return;
	}
	rc->tried = true;
	reply(rc, 100, NULL);
	if (rc->closed)
		set_timer(rc->branches, 64 * (int64_t)rc->proxy->options.t1_ms);
}

static void on_timer(void *arg)
{
	struct branch *b = arg;
	struct response_context *rc = b->rc;

	if (!rc->invite) {
		on_other_timer(rc);
		return;
	}
	if (b->state == PROCEEDING) { /* 16.8 */
		hd_log_call(HD_LOG_NOTICE, "proxy", hd_msg_call_id(hd_irq_msg(rc->irq)),
			    "%s: rang too long, cancelled (Timer C)", rc->what);
		branch_cancel(b, "SIP;cause=408;text=\"Timer C\"");
		return;
	}
	if (b->state == TRYING) { /* answer_ms: whatever it says now comes too late */
		hd_log_call(HD_LOG_NOTICE, "proxy", hd_msg_call_id(hd_irq_msg(rc->irq)),
			    "%s: %s is silent", rc->what,
			    b->upstream ? b->upstream->account : "who was asked");
		hd_orq_cancel(b->orq, NULL);
		branch_end(b, b->upstream ? 503 : 408,
			   b->upstream ? "Upstream Does Not Answer" : NULL);
	} else {
		branch_end(b, 487, NULL);
	}
	response_context_settle(rc);
}

static void on_provisional(struct branch *b, int status, struct hd_msg *response)
{
	struct response_context *rc = b->rc;

	if (!response || !rc->invite || b->state == ACCEPTED)
		return; /* of a non-INVITE, none is passed on: RFC 4320 4.1 */
	if (status == 100 && b->state != TRYING)
		return;
	/* A 100 ends Timer B, so Timer C must watch from here on: 16.7 step 2, 16.8. */
	if (b->state != CANCELLED) {
		b->state = PROCEEDING;
		set_timer(b, (int64_t)rc->proxy->options.limits.timer_c_s * 1000);
	}
	if (status > 100 && !rc->accepted) {
		if (rc->call && !b->moved)
			call_provisional(rc->call, status, response);
		forward_response(rc, response);
	}
}

static void on_success(struct branch *b, struct hd_msg *response)
{
	struct response_context *rc = b->rc;

	if (!response)
		return;
	if (rc->call)
		call_answered(rc->call, response, &b->record.token);
	else if (b->state != ACCEPTED)
		calls_note_response(rc->proxy, hd_irq_msg(rc->irq), response, 200);
	forward_response(rc, response);
	if (!rc->invite) {
		context_free(rc);
		return;
	}
	if (b->state == ACCEPTED)
		return;
	b->state = ACCEPTED;
	rc->accepted = true;
	b->until_ms =
		hd_clock_mono_ms(rc->proxy->options.clock) + 64 * (int64_t)rc->proxy->options.t1_ms;
	if (hd_str_set(b->via, sizeof(b->via), hd_msg_branch(response)))
		b->via[0] = '\0';
	set_timer(b, 64 * (int64_t)rc->proxy->options.t1_ms);
	if (rc->n_branches > 1)
		cancel_all(rc, "SIP;cause=200;text=\"Call completed elsewhere\"");
}

/* Another server would only be asked the same again. */
static void pass_over_others(struct response_context *rc)
{
	for (struct branch *b = rc->branches; b; b = b->next)
		if (b->state == WAITING && b->upstream == NULL && b->later && b->later->account[0])
			branch_end(b, 503, NULL);
}

static void on_failure(struct branch *b, int status, struct hd_msg *response)
{
	struct response_context *rc = b->rc;
	const char *phrase = NULL;

	if (b->upstream && response && b->state != CANCELLED && (status == 401 || status == 407)) {
		if (upstream_challenged(b, response)) {
			if (!branch_is_pending(b))
				response_context_settle(rc);
			return;
		}
		status = b->upstream->fwd.in_dialog ? 403 : 503;
		phrase = "Upstream Refused Us";
		response = NULL;
	}
	/* 16.7 step 6: a 503 is not passed on. RFC 4320 4.2: nor is a 408 for a non-INVITE. */
	if (status == 503 && !response && !phrase)
		phrase = "Phone Cannot Be Reached";
	if (status == 503 || (status == 408 && !rc->invite))
		response = NULL;
	if (!response && b->state == CANCELLED)
		status = 487;
	branch_end(b, status, phrase);
	if (b->upstream && !b->emergency && status != 503 && status != 408)
		pass_over_others(rc);
	if (response && rc->n_branches == 1) {
		if (goes_on(rc, status))
			return;
		note_failure(rc, status, response);
		forward_response(rc, response);
		context_free(rc);
		return;
	}
	if (response)
		b->response = copy_response(rc, response);
	if (status >= 600 && !rc->accepted && !b->moved && !b->emergency) {
		rc->closed = true;
		cancel_all(rc, "SIP;cause=603;text=\"Declined elsewhere\"");
	}
	response_context_settle(rc);
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct branch *b = arg;

	(void)orq;
	if (b->state == ENDED)
		return;
	if (response && hd_msg_via_count(response) < 2)
		return; /* 16.7 step 3: nobody to send it to */
	if (status < 200)
		on_provisional(b, status, response);
	else if (status < 300)
		on_success(b, response);
	else if (b->state != ACCEPTED)
		on_failure(b, status, response);
}

/* With the reasons that the caller gives: RFC 3326. */
static void cancel_all_as(struct response_context *rc, struct hd_msg *cancel)
{
	struct hd_buf reasons = { 0 };
	const char *value;

	for (unsigned i = 0; cancel && (value = hd_msg_header(cancel, "Reason", i)); i++)
		hd_buf_addf(&reasons, "%s%s", i ? ", " : "", value);
	cancel_all(rc, reasons.len && !hd_buf_error(&reasons) ? hd_buf_text(&reasons) : NULL);
	hd_buf_fini(&reasons);
}

static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct response_context *rc = arg;

	(void)irq;
	if (event == HD_IRQ_CANCEL && rc->invite && !rc->accepted) {
		rc->closed = true;
		if (rc->call)
			call_cancelled(rc->call, msg);
		cancel_all_as(rc, msg);
	} else if (event == HD_IRQ_GONE && !rc->accepted) {
		cancel_all(rc, NULL);
		context_free(rc);
	}
}

/* ---- begin and end -------------------------------------------------------------------------- */

static int context_new(struct response_context **rcp, struct hd_proxy *proxy,
		       struct hd_request *req, size_t n)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct response_context *rc = calloc(1, sizeof(*rc) + n * sizeof(rc->own[0])), *known;
	int err;

	if (!rc) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return HD_ENOMEM;
	}
	rc->proxy = proxy;
	rc->invite = hd_msg_method(msg) == HD_METHOD_INVITE;
	for (size_t i = n; i-- > 0;)
		branch_add(rc, &rc->own[i]);
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

/* When a client's Timer E reaches T2; from then on silence would get us blacklisted: RFC 4320. */
static int64_t trying_after_ms(const struct hd_proxy *proxy)
{
	int64_t interval = proxy->options.t1_ms, sum = 0;

	for (; interval < proxy->options.t2_ms; interval *= 2)
		sum += interval;
	return sum > 0 ? sum : interval;
}

void response_context_begin(struct hd_proxy *proxy, struct hd_request *req, struct forward *fwd,
			    size_t n)
{
	struct response_context *rc;

	if (context_new(&rc, proxy, req, n)) {
		for (size_t i = 0; i < n; i++)
			hd_msg_free(fwd[i].msg);
		return;
	}
	hd_metric_add(&calls, 1);
	hd_metric_set(&open_contexts, (int64_t)proxy->n_open);
	if (hd_str_set(rc->what, sizeof(rc->what), fwd->what))
		rc->what[0] = '\0';
	if (rc->invite)
		reply(rc, 100, NULL);
	if (rc->invite && fwd[0].initial)
		call_begin(&rc->call, proxy, hd_irq_msg(rc->irq), &fwd[0]);
	for (size_t i = 0; i < n; i++) {
		struct branch *b = &rc->own[i];

		if (fwd[i].q_permille == fwd[0].q_permille)
			branch_send(b, &fwd[i]);
		else if (forward_keep(&b->later, &fwd[i]))
			branch_end(b, 500, NULL);
	}
	if (n == 1 && rc->branches->phrase == too_many) {
		if (rc->call)
			call_refused(rc->call, 503, NULL);
		hd_irq_shed(rc->irq, HD_SHED_DNS);
		context_free(rc);
		return;
	}
	if (!rc->invite)
		set_timer(rc->branches, trying_after_ms(proxy));
	response_context_settle(rc);
}

void response_context_acked(struct hd_proxy *proxy, const char *call_id, uint32_t cseq)
{
	struct response_context *rc;
	struct hd_flow caller;
	char key[KEY_SIZE];

	key_format(key, call_id, cseq);
	HASH_FIND(hh, proxy->contexts, key, KEY_SIZE, rc);
	if (!rc || rc->n_branches != 1 || rc->branches->state != ACCEPTED ||
	    hd_flow_parse(&caller, hd_irq_flow(rc->irq)) || caller.transport != 0)
		return;
	/* An ACK that is lost behind us shows within one interval of the callee's repetitions. */
	set_timer(rc->branches, (int64_t)proxy->options.t2_ms + 2 * (int64_t)proxy->options.t1_ms);
	if (!rc->acked)
		accepted_add(
			proxy, hd_irq_msg(rc->irq), &caller, rc->branches->via,
			&(struct accepted_how){ rc->branches->until_ms, rc->renamed, rc->veiled });
	rc->acked = true;
}

void response_context_end_all(struct hd_proxy *proxy)
{
	struct response_context *rc, *next;

	for (rc = proxy->open; rc; rc = next) {
		next = rc->next;
		if (rc->invite && !rc->accepted &&
		    !rc->closed) { /* else the phone rings on by itself */
			cancel_all(rc, NULL);
			if (rc->call)
				call_refused(rc->call, 503, NULL);
			hd_irq_shed(rc->irq, HD_SHED_STOPPING);
		}
		context_free(rc);
	}
}
