/* pickup.c - a call that rings elsewhere is taken by code; see pickup.h. */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "caller.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "hotdesk/sip/overload.h"
#include "pickup.h"
#include "recorder.h"

/* A phone whose own call is being ended, and the call that it is to have. */
struct pickup {
	struct daemon *d;
	uint64_t id;
	char left_phone[HD_PHONE_ID_SIZE]; /* where it rings */
	char left_user[HD_NUMBER_SIZE];
	char phone[HD_PHONE_ID_SIZE];
	char user[HD_NUMBER_SIZE]; /* who is there; "": nobody */
	struct pickup *prev, *next;
};

static void pickup_free(struct pickup *p)
{
	DL_DELETE(p->d->pickups, p);
	free(p);
}

void daemon_pickups_free(struct daemon *d)
{
	struct pickup *p, *next;

	DL_FOREACH_SAFE(d->pickups, p, next)
	free(p);
	d->pickups = NULL;
}

/* ---- which call ----------------------------------------------------------------------------- */

struct search {
	struct daemon *d;
	struct hd_txn *txn;
	const char *phone;		/* who asks */
	char user[HD_NUMBER_SIZE];	/* who is there */
	char group[HD_LIST_GROUP_SIZE]; /* and in which group */
	const char *number;		/* whose call is wanted; "": of the group */
	struct hd_call call;
	bool found;
};

static bool is_being_picked_up(const struct daemon *d, uint64_t id)
{
	const struct pickup *p;

	DL_FOREACH (d->pickups, p)
		if (p->id == id)
			return true;
	return false;
}

static int64_t since_ms(const struct hd_call *call)
{
	return call->ringing_ms ? call->ringing_ms : call->started_ms;
}

static bool is_wanted(const struct search *s, const char *user)
{
	struct hd_user record;
	bool same;

	if (s->number[0])
		return strcmp(user, s->number) == 0;
	same = !hd_user_get(s->d->dir, s->txn, user, &record) &&
	       strcmp(record.group, s->group) == 0;
	hd_wipe(&record, sizeof(record));
	return same;
}

static void consider(void *arg, const struct hd_call *call)
{
	struct search *s = arg;

	if (call->state != HD_CALL_EARLY || !call->callee.user[0] ||
	    strcmp(call->callee.phone, s->phone) == 0 ||
	    strcmp(call->caller.phone, s->phone) == 0 || is_being_picked_up(s->d, call->id))
		return;
	if ((s->found && since_ms(&s->call) <= since_ms(call)) || !is_wanted(s, call->callee.user))
		return;
	s->call = *call;
	s->found = true;
}

static bool may_call_here(const struct search *s)
{
	const struct hd_number here = { .kind = HD_NUMBER_KIND_INTERNAL };
	char class[HD_CLASS_SIZE];

	return !hd_plan_class(&s->d->planner, s->txn, s->phone, class) &&
	       hd_rights_allow(s->d->dialling->rights, class, &here);
}

static int read_picker(struct search *s)
{
	struct hd_desk_session session;
	struct hd_user user;
	int err;

	err = hd_desk_get_by_phone(s->d->desk, s->txn, s->phone, &session);
	if (!err)
		err = hd_user_get(s->d->dir, s->txn, session.user, &user);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	memcpy(s->user, user.number, sizeof(s->user));
	memcpy(s->group, user.group, sizeof(s->group));
	hd_wipe(&user, sizeof(user));
	return 0;
}

/* @return 0, or the status of the answer */
static int judge(struct search *s)
{
	struct hd_user user;
	bool foreign;
	int err;

	if (read_picker(s))
		return 500;
	if (!may_call_here(s))
		return 403;
	if (!s->number[0])
		return 0;
	err = hd_user_get(s->d->dir, s->txn, s->number, &user);
	if (err)
		return err == HD_ENOENT ? 404 : 500;
	foreign = strcmp(user.group, s->group) != 0;
	hd_wipe(&user, sizeof(user));
	return foreign && !s->d->dialling->pickup_everybody ? 403 : 0;
}

static int find(struct search *s)
{
	int status;

	if (hd_store_begin_read(s->d->store, &s->txn))
		return 500;
	status = judge(s);
	if (!status && s->number[0])
		hd_proxy_walk_calls_of_user(s->d->proxy, s->number, consider, s);
	else if (!status)
		hd_proxy_walk_calls(s->d->proxy, consider, s);
	hd_store_end_read(s->txn);
	return !status && !s->found ? 480 : status;
}

/* ---- and there it goes ---------------------------------------------------------------------- */

struct taking {
	const struct pickup *pickup;
	struct hd_call call;
	bool found;
};

static void look(void *arg, const struct hd_call *call)
{
	struct taking *t = arg;

	if (call->id != t->pickup->id || call->state >= HD_CALL_CONFIRMED ||
	    strcmp(call->callee.phone, t->pickup->left_phone) != 0)
		return;
	t->call = *call;
	t->found = true;
}

static int plan_phone(struct pickup *p, const struct hd_call *call, struct hd_plan *plan,
		      struct daemon_caller *caller)
{
	struct daemon *d = p->d;
	struct hd_buf name = { 0 };
	struct hd_txn *txn;
	int err;

	hd_uri_escape_user(&name, hd_slice_of(p->phone));
	err = hd_buf_error(&name);
	if (!err)
		err = hd_store_begin_read(d->store, &txn);
	if (!err) {
		err = hd_plan_route(&d->planner, txn, hd_slice_of(hd_buf_text(&name)),
				    hd_clock_wall_ms(d->clock), plan);
		if (!err)
			err = daemon_caller_of_call(caller, d, txn, call);
		hd_store_end_read(txn);
	}
	hd_buf_fini(&name);
	return err ? err : plan->verdict == HD_PLAN_PHONE ? 0 : HD_ENOENT;
}

/* What one vendor or another goes by; the last one is RFC 5373. */
static void write_alert(struct hd_buf *alert, const char *domain)
{
	hd_buf_addf(alert,
		    "Alert-Info: <http://%s>;info=alert-autoanswer;delay=0\r\n"
		    "Call-Info: <sip:%s>;answer-after=0\r\n"
		    "Answer-Mode: Auto\r\n",
		    domain, domain);
}

static bool take(struct pickup *p, const struct hd_call *call)
{
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	struct daemon_caller caller = { 0 };
	struct hd_buf alert = { 0 };
	struct hd_plan plan;
	bool taken;
	size_t n = 0;

	write_alert(&alert, p->d->domain_copy);
	if (!hd_buf_error(&alert) && !plan_phone(p, call, &plan, &caller))
		n = daemon_targets(targets, &plan, daemon_caller_identity(&caller));
	for (size_t i = 0; i < n; i++) {
		targets[i].caller = call->caller.phone[0] ? call->caller.phone : NULL;
		targets[i].caller_user = call->caller.user;
		targets[i].callee_user = p->user;
		targets[i].alert = hd_buf_text(&alert);
	}
	taken = n > 0 && hd_proxy_pick_up(p->d->proxy, call->id, targets, n);
	daemon_caller_fini(&caller);
	hd_buf_fini(&alert);
	return taken;
}

/* Where it rang it is answered elsewhere, which is not missed. */
static void leave(struct daemon *d, struct hd_call *left)
{
	left->elsewhere = true;
	daemon_record_left(d, left, 487, "");
	daemon_call_changed(d, left);
}

static void on_ended(void *arg)
{
	struct pickup *p = arg;
	struct taking t = { .pickup = p };

	hd_proxy_walk_calls_of_user(p->d->proxy, p->left_user, look, &t);
	if (t.found && take(p, &t.call))
		leave(p->d, &t.call);
	else
		hd_log(HD_LOG_INFO, "route", "%s: the call that it picks up has gone", p->phone);
	pickup_free(p);
}

/* ---- the code ------------------------------------------------------------------------------- */

static void refuse(struct hd_request *req, const char *phone, const char *number, int status)
{
	hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(hd_request_msg(req)),
		    "%s: picks up %s: %d", phone, number[0] ? number : "in its group", status);
	hd_request_reply(req, status, status == 480 ? "Nothing To Pick Up" : NULL, NULL);
}

static struct pickup *pickup_new(const struct search *s)
{
	struct pickup *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->d = s->d;
	p->id = s->call.id;
	memcpy(p->left_phone, s->call.callee.phone, sizeof(p->left_phone));
	memcpy(p->left_user, s->call.callee.user, sizeof(p->left_user));
	memcpy(p->user, s->user, sizeof(p->user));
	if (hd_str_set(p->phone, sizeof(p->phone), s->phone)) {
		free(p);
		return NULL;
	}
	DL_APPEND(s->d->pickups, p);
	return p;
}

void daemon_pick_up(struct daemon *d, struct hd_request *req, const char *phone, const char *number)
{
	struct search s = { .d = d, .phone = phone, .number = number };
	int status = find(&s);
	struct pickup *p;

	if (status) {
		refuse(req, phone, number, status);
		return;
	}
	p = pickup_new(&s);
	if (!p) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return;
	}
	hd_log_call(HD_LOG_INFO, "route", s.call.call_id, "%s: picks up what rings at %s", phone,
		    p->left_phone);
	if (!hd_features_answer(d->features, req, phone, d->planner.codes.user[HD_USER_CODE_PICKUP],
				on_ended, p))
		pickup_free(p);
}
