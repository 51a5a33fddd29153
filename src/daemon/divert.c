/* divert.c - calls that go on to somebody else when their user is busy or does not answer. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "caller.h"
#include "hotdesk/base/log.h"
#include "recorder.h"
#include "upstream_priv.h"

enum { HOPS_MAX = 5 }; /* users that one call leaves */

/* A call that was diverted, or is going to be. */
struct diversion {
	struct daemon *d;
	uint64_t id;
	char left[HOPS_MAX][HD_NUMBER_SIZE]; /* whom it has left, in that order */
	size_t n_left;
	struct hd_buf lines;	      /* Diversion of those, the last one first */
	char ringing[HD_NUMBER_SIZE]; /* whose rings are counted */
	struct hd_sip_timer *timer;
	UT_hash_handle hh;
};

static void diversion_free(struct diversion *v)
{
	HASH_DEL(v->d->diversions, v);
	hd_sip_timer_free(v->timer);
	hd_buf_fini(&v->lines);
	free(v);
}

static struct diversion *find(const struct daemon *d, uint64_t id)
{
	struct diversion *v;

	HASH_FIND(hh, d->diversions, &id, sizeof(id), v);
	return v;
}

static struct diversion *diversion_of(struct daemon *d, uint64_t id)
{
	struct diversion *v = find(d, id);

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->d = d;
	v->id = id;
	HASH_ADD(hh, d->diversions, id, sizeof(v->id), v);
	return v;
}

/* ---- Diversion (RFC 5806) ------------------------------------------------------------------- */

static void add_line(struct hd_buf *lines, const char *user, const char *domain, const char *reason)
{
	hd_buf_adds(lines, "Diversion: <sip:");
	hd_uri_escape_user(lines, hd_slice_of(user));
	hd_buf_addf(lines, "@%s>;reason=%s\r\n", domain, reason);
}

void daemon_add_diversions(struct hd_buf *lines, const struct daemon *d, const struct hd_plan *plan)
{
	if (!plan->diverted_by[0])
		return;
	add_line(lines, plan->diverted_by, d->domain_copy, plan->diverted_reason);
	if (strcmp(plan->called, plan->diverted_by) != 0)
		add_line(lines, plan->called, d->domain_copy, plan->called_reason);
}

void daemon_keep_diversions(struct hd_buf *lines, struct hd_msg *msg)
{
	const char *value;

	for (unsigned i = 0; lines->len && (value = hd_msg_header(msg, "Diversion", i)); i++)
		hd_buf_addf(lines, "Diversion: %s\r\n", value);
}

/* Those of the plan, then whom it leaves now, then those before. */
static int add_left(struct diversion *v, const struct hd_call *call, const struct hd_plan *plan,
		    enum hd_forward_when when)
{
	struct hd_buf lines = { 0 };

	daemon_add_diversions(&lines, v->d, plan);
	add_line(&lines, call->callee.user, v->d->domain_copy, hd_forward_reason(when));
	hd_buf_adds(&lines, hd_buf_text(&v->lines));
	hd_buf_fini(&v->lines);
	v->lines = lines;
	memcpy(v->left[v->n_left++], call->callee.user, HD_NUMBER_SIZE);
	return hd_buf_error(&v->lines);
}

/* ---- where it goes -------------------------------------------------------------------------- */

/* Whoever it leaves has sent it outside before, and it came back. */
static bool is_sent_back(const struct hd_call *call)
{
	char name[HD_NUMBER_SIZE];
	struct hd_uri uri;

	return !hd_uri_parse(&uri, hd_slice_of(call->diverted_by)) &&
	       !hd_uri_unescape(name, sizeof(name), uri.user) &&
	       strcmp(name, call->callee.user) == 0;
}

static bool has_left(const struct diversion *v, const struct hd_call *call, const char *user)
{
	if (strcmp(user, call->callee.user) == 0)
		return true;
	for (size_t i = 0; i < v->n_left; i++)
		if (strcmp(v->left[i], user) == 0)
			return true;
	return false;
}

/* @return 0; HD_ENOENT: the user has not said so; the store's error */
static int find_forward(struct daemon *d, const char *user, enum hd_forward_when when,
			struct hd_settings *settings)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = hd_settings_get(d->settings, txn, user, settings);
	hd_store_end_read(txn);
	if (!err && !settings->forward[when].active)
		err = HD_ENOENT;
	return err;
}

/* A number of one of the peers. */
static bool is_outside(const struct daemon *d, const struct hd_plan *plan)
{
	return (plan->verdict == HD_PLAN_OUTSIDE || plan->verdict == HD_PLAN_UNKNOWN) &&
	       daemon_upstream_has(d, &plan->outside);
}

static int make_plan(struct daemon *d, const char *by, const char *to, struct hd_plan *plan)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (!err) {
		err = hd_plan_forwarded(&d->planner, txn, by, to, hd_clock_wall_ms(d->clock), plan);
		hd_store_end_read(txn);
	}
	if (err)
		return err;
	return plan->verdict == HD_PLAN_PHONE || is_outside(d, plan) ? 0 : HD_ENOENT;
}

static bool send_to_phone(struct diversion *v, const struct hd_call *call,
			  const struct hd_plan *plan, const char *identity)
{
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	size_t n = daemon_targets(targets, plan, identity);

	for (size_t i = 0; i < n; i++) {
		targets[i].caller = call->caller.phone[0] ? call->caller.phone : NULL;
		targets[i].caller_user = call->caller.user;
		targets[i].callee_user = plan->user;
		targets[i].diversion = hd_buf_text(&v->lines);
	}
	return n > 0 && hd_proxy_divert(v->d->proxy, call->id, targets, n);
}

/* Whom it leaves, or the last who forwards it then, calls outside, and pays. */
static bool send_outside(struct diversion *v, const struct hd_call *call, const char *left,
			 const struct hd_plan *plan, const char *identity)
{
	return daemon_upstream_divert(v->d, call, plan->diverted_by[0] ? plan->diverted_by : left,
				      plan, identity, hd_buf_text(&v->lines));
}

static int identify(struct daemon *d, const struct hd_call *call, struct daemon_caller *caller)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = daemon_caller_of_call(caller, d, txn, call);
	hd_store_end_read(txn);
	return err;
}

static bool send(struct diversion *v, const struct hd_call *call, const struct hd_plan *plan)
{
	struct daemon_caller caller = { 0 };
	const char *identity;
	bool sent = false;

	if (!identify(v->d, call, &caller)) {
		identity = daemon_caller_identity(&caller);
		sent = plan->verdict == HD_PLAN_PHONE
			       ? send_to_phone(v, call, plan, identity)
			       : send_outside(v, call, v->left[v->n_left - 1], plan, identity);
	}
	daemon_caller_fini(&caller);
	return sent;
}

static bool divert(struct daemon *d, const struct hd_call *call, enum hd_forward_when when,
		   int status)
{
	const struct hd_call left = *call;
	struct hd_settings settings;
	struct diversion *v;
	struct hd_plan plan;
	const char *to = settings.forward[when].to;

	if (!call->to_user || !call->callee.user[0] ||
	    find_forward(d, call->callee.user, when, &settings))
		return false;
	v = diversion_of(d, call->id);
	if (!v || v->n_left == HOPS_MAX || is_sent_back(call) || has_left(v, call, to) ||
	    make_plan(d, call->callee.user, to, &plan) ||
	    (plan.user[0] && has_left(v, call, plan.user))) {
		hd_log_call(HD_LOG_INFO, "route", call->call_id,
			    "%s: forwarding (%s) to %s leads nowhere", call->callee.user,
			    hd_forward_name(when), to);
		return false;
	}
	if (add_left(v, call, &plan, when) || !send(v, call, &plan))
		return false;
	daemon_record_left(d, &left, status, to);
	daemon_call_changed(d, &left); /* of whom it has left, too */
	return true;
}

bool daemon_refused(void *arg, const struct hd_call *call, int status)
{
	switch (status) {
	case 486:
	case 600:
		return divert(arg, call, HD_FORWARD_BUSY, status);
	case 408:
	case 480:
		return divert(arg, call, HD_FORWARD_NO_ANSWER, status);
	default:
		return false;
	}
}

/* ---- so many rings -------------------------------------------------------------------------- */

struct search {
	uint64_t id;
	struct hd_call call;
	bool found;
};

static void on_call(void *arg, const struct hd_call *call)
{
	struct search *search = arg;

	if (call->id != search->id || call->state >= HD_CALL_CONFIRMED)
		return;
	search->call = *call;
	search->found = true;
}

static void on_rings(void *arg)
{
	struct diversion *v = arg;
	struct search search = { .id = v->id };

	hd_proxy_walk_calls_of_user(v->d->proxy, v->ringing, on_call, &search);
	if (search.found && strcmp(search.call.callee.user, v->ringing) == 0 &&
	    !divert(v->d, &search.call, HD_FORWARD_NO_ANSWER, 480))
		hd_log_call(HD_LOG_INFO, "route", search.call.call_id,
			    "%s: not answered, and rings on", v->ringing);
}

static void count_rings(struct daemon *d, const struct hd_call *call)
{
	struct diversion *v = find(d, call->id);
	struct hd_settings settings;

	if ((v && strcmp(v->ringing, call->callee.user) == 0) ||
	    find_forward(d, call->callee.user, HD_FORWARD_NO_ANSWER, &settings))
		return;
	v = diversion_of(d, call->id);
	if (!v || (!v->timer && hd_sip_timer_new(&v->timer, d->agent, on_rings, v)))
		return;
	memcpy(v->ringing, call->callee.user, sizeof(v->ringing));
	hd_sip_timer_set(v->timer, (int64_t)settings.rings * d->ring_s * 1000);
}

void daemon_divert_note(struct daemon *d, const struct hd_call *call)
{
	struct diversion *v;

	if (call->state < HD_CALL_CONFIRMED) {
		if (call->ringing_ms && call->to_user && call->callee.user[0])
			count_rings(d, call);
		return;
	}
	v = find(d, call->id);
	if (v)
		diversion_free(v);
}

void daemon_divert_fini(struct daemon *d)
{
	struct diversion *v, *next;

	HASH_ITER (hh, d->diversions, v, next)
		diversion_free(v);
}
