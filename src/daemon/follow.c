/* follow.c - calls that ring at a phone whose user has moved go on ringing where the user is. */
#include <string.h>

#include "caller.h"
#include "hotdesk/base/log.h"

enum {
	/* The phone that the login came from may still be in the call that asked for it. */
	SOON_MS = 300,
	AT_ONCE = 32, /* calls a round; more have theirs in the next */
};

struct ringing {
	struct daemon *d;
	struct hd_txn *txn;
	struct hd_call calls[AT_ONCE];
	size_t n;
	bool more;
};

/* A user who is nowhere was logged out: that cuts nothing, and the phone rings on. */
static void collect(void *arg, const struct hd_call *call)
{
	struct ringing *ringing = arg;
	struct hd_desk_session session;

	if (call->state >= HD_CALL_CONFIRMED || !call->to_user || !call->callee.user[0])
		return;
	if (hd_desk_get_by_user(ringing->d->desk, ringing->txn, call->callee.user, &session) ||
	    strcmp(session.phone, call->callee.phone) == 0)
		return;
	ringing->more = ringing->n == AT_ONCE;
	if (!ringing->more)
		ringing->calls[ringing->n++] = *call;
}

static int plan_again(struct daemon *d, const struct hd_call *call, struct hd_plan *plan,
		      struct daemon_caller *caller)
{
	struct hd_buf user = { 0 };
	struct hd_txn *txn;
	int err;

	hd_uri_escape_user(&user, hd_slice_of(call->callee.user));
	err = hd_buf_error(&user);
	if (!err)
		err = hd_store_begin_read(d->store, &txn);
	if (!err) {
		err = hd_plan_route(&d->planner, txn, hd_slice_of(hd_buf_text(&user)),
				    hd_clock_wall_ms(d->clock), plan);
		if (!err)
			err = daemon_caller_of_call(caller, d, txn, call);
		hd_store_end_read(txn);
	}
	hd_buf_fini(&user);
	if (!err &&
	    (plan->verdict != HD_PLAN_PHONE || strcmp(plan->phone, call->callee.phone) == 0))
		err = HD_ENOENT;
	return err;
}

static bool move(struct daemon *d, const struct hd_call *call)
{
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	struct daemon_caller caller = { 0 };
	struct hd_plan plan;
	size_t n = 0;
	bool moved;

	if (!plan_again(d, call, &plan, &caller))
		n = daemon_targets(targets, &plan, daemon_caller_identity(&caller));
	for (size_t i = 0; i < n; i++) {
		targets[i].caller = call->caller.phone[0] ? call->caller.phone : NULL;
		targets[i].caller_user = call->caller.user;
		targets[i].callee_user = call->callee.user;
	}
	moved = n > 0 && hd_proxy_move(d->proxy, call->id, targets, n);
	if (!moved)
		hd_log_call(HD_LOG_INFO, "route", call->call_id,
			    "%s: has moved to where no call can ring; it rings on at %s",
			    call->callee.user, call->callee.phone);
	daemon_caller_fini(&caller);
	return moved;
}

static void on_timer(void *arg)
{
	struct daemon *d = arg;
	struct ringing ringing = { .d = d };
	size_t n_moved = 0;

	d->follows = false;
	if (hd_store_begin_read(d->store, &ringing.txn))
		return;
	hd_proxy_walk_calls(d->proxy, collect, &ringing);
	hd_store_end_read(ringing.txn);
	for (size_t i = 0; i < ringing.n; i++)
		n_moved += move(d, &ringing.calls[i]);
	if (ringing.more && n_moved > 0)
		daemon_follow(d);
}

void daemon_follow(struct daemon *d)
{
	if (d->follows || !d->proxy || hd_proxy_calls(d->proxy) == 0)
		return;
	if (!d->follow && hd_sip_timer_new(&d->follow, d->agent, on_timer, d)) {
		hd_warn("daemon", "calls do not follow: %s", hd_strerror(HD_ENOMEM));
		return;
	}
	d->follows = true;
	hd_sip_timer_set(d->follow, SOON_MS);
}
