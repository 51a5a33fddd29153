/* move.c - a call that rings where its user sits no more is taken along; see hotdesk/proxy.h. */
#include <stdlib.h>
#include <string.h>

#include "call_priv.h"
#include "context_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

/* What makes phones leave it out of their list of missed calls, and nothing else does. */
static const char elsewhere[] = "SIP;cause=200;text=\"Call completed elsewhere\"";

static struct hd_metric moved_calls =
	HD_COUNTER("hotdeskd_calls_moved", NULL, "calls that followed their user while they rang");

static struct hd_metric diverted_calls =
	HD_COUNTER("hotdeskd_calls_diverted", NULL, "calls that went on to somebody else");

static struct hd_metric picked_up = HD_COUNTER("hotdeskd_calls_picked_up", NULL,
					       "calls that somebody else took while they rang");

/* Its user has moved; it goes on to somebody else; somebody else takes it. */
enum way { MOVE, DIVERT, PICK_UP };

void moves_init(void)
{
	hd_metric_register(&picked_up);
	hd_metric_register(&diverted_calls);
	hd_metric_register(&moved_calls);
}

static struct response_context *find_ringing(struct hd_proxy *proxy, uint64_t id)
{
	struct response_context *rc = proxy->open;

	while (rc && (!rc->call || rc->call->call.id != id))
		rc = rc->next;
	return rc && !rc->accepted && !rc->closed ? rc : NULL;
}

/* Those that were asked before, in whatever order. reason: or NULL */
static void leave(struct response_context *rc, const char *reason)
{
	for (struct branch *b = rc->branches; b; b = b->next) {
		b->moved = true;
		if (branch_is_pending(b) || b->state == WAITING)
			branch_cancel(b, reason);
	}
}

static bool branches_new(struct branch *branches[HD_PROXY_TARGETS_MAX], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		branches[i] = calloc(1, sizeof(*branches[i]));
		if (!branches[i]) {
			while (i-- > 0)
				free(branches[i]);
			return false;
		}
		branches[i]->separate = true;
	}
	return true;
}

static void go_on(struct response_context *rc, struct branch *const branches[], struct forward *fwd,
		  size_t n)
{
	for (size_t i = n; i-- > 0;)
		branch_add(rc, branches[i]);
	for (size_t i = 0; i < n; i++) {
		if (fwd[i].q_permille == fwd[0].q_permille)
			branch_send(branches[i], &fwd[i]);
		else if (forward_keep(&branches[i]->later, &fwd[i]))
			branch_end(branches[i], 500, NULL);
	}
}

static void free_copies(struct forward *fwd, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		hd_msg_free(fwd[i].msg);
}

/* A server that calls is asked for credentials of ours wherever the call goes. */
static const char *account_of_caller(const struct response_context *rc)
{
	for (const struct branch *b = rc->branches; b; b = b->next)
		if (b->record.token.caller_is_server)
			return b->record.token.account;
	return NULL;
}

/* @return how many copies there are to send */
static size_t make_copies(struct response_context *rc, struct forward *fwd,
			  const struct hd_proxy_target *targets, size_t n)
{
	const struct received received = { hd_irq_msg(rc->irq), hd_irq_flow(rc->irq) };
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += !forward_copy(&fwd[used], rc->proxy, &received, &targets[i]);
	if (used > 1)
		forward_sort(fwd, used);
	if (used > 1 && !forward_share_breadth(fwd, used, rc->proxy->options.limits.max_breadth)) {
		free_copies(fwd, 1, used);
		used = 1;
	}
	return used;
}

static void log_move(const struct response_context *rc, const struct hd_proxy_target *target,
		     enum way way)
{
	const struct hd_call *call = &rc->call->call;

	if (way == DIVERT)
		hd_log_call(HD_LOG_INFO, "proxy", call->call_id, "%s: goes on to %s at %s",
			    rc->what, target->user,
			    target->account ? target->account : target->phone);
	else if (way == PICK_UP)
		hd_log_call(HD_LOG_INFO, "proxy", call->call_id, "%s: picked up at %s, from %s",
			    rc->what, target->phone, call->callee.phone);
	else
		hd_log_call(HD_LOG_INFO, "proxy", call->call_id,
			    "%s: rings at %s now, no longer at %s", rc->what, target->phone,
			    call->callee.phone);
}

static bool take_along(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		       size_t n, enum way way)
{
	static struct hd_metric *const counters[] = { &moved_calls, &diverted_calls, &picked_up };
	struct response_context *rc = find_ringing(proxy, id);
	struct branch *branches[HD_PROXY_TARGETS_MAX];
	struct hd_proxy_target own[HD_PROXY_TARGETS_MAX];
	struct forward fwd[HD_PROXY_TARGETS_MAX];
	size_t used;

	if (!rc)
		return false;
	if (n > HD_PROXY_TARGETS_MAX)
		n = HD_PROXY_TARGETS_MAX;
	for (size_t i = 0; i < n; i++) {
		own[i] = targets[i];
		own[i].caller_account = account_of_caller(rc);
	}
	used = make_copies(rc, fwd, own, n);
	if (used == 0)
		return false;
	if (!branches_new(branches, used)) {
		free_copies(fwd, 0, used);
		return false;
	}
	log_move(rc, &targets[0], way);
	call_moved(rc->call, &fwd[0], way != MOVE);
	hd_metric_add(counters[way], 1);
	leave(rc, way == DIVERT ? NULL : elsewhere);
	go_on(rc, branches, fwd, used);
	response_context_settle(rc);
	return true;
}

bool hd_proxy_move(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		   size_t n)
{
	return take_along(proxy, id, targets, n, MOVE);
}

bool hd_proxy_divert(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		     size_t n)
{
	return take_along(proxy, id, targets, n, DIVERT);
}

bool hd_proxy_pick_up(struct hd_proxy *proxy, uint64_t id, const struct hd_proxy_target *targets,
		      size_t n)
{
	return take_along(proxy, id, targets, n, PICK_UP);
}
