/* route.c - where a request to our domain goes; see hd_plan_route(). */
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/plan.h"

static int decide(struct hd_plan *plan, enum hd_plan_verdict verdict, const char *why)
{
	plan->verdict = verdict;
	plan->why = why;
	return 0;
}

/* The phone's own state: there, enabled, registered. */
static int route_phone(const struct hd_planner *planner, struct hd_txn *txn, int64_t now_ms,
		       struct hd_plan *plan)
{
	size_t n = HD_BINDINGS_MAX;
	int err;

	err = hd_location_get(planner->loc, txn, plan->phone, now_ms, plan->bindings, &n);
	if (err)
		return err;
	plan->n_bindings = n;
	if (n == 0)
		return decide(plan, HD_PLAN_UNAVAILABLE, "phone is not registered");
	return decide(plan, HD_PLAN_PHONE, plan->user[0] ? "user is logged in" : "phone");
}

static int route_user(const struct hd_planner *planner, struct hd_txn *txn, int64_t now_ms,
		      struct hd_plan *plan)
{
	struct hd_desk_session session;
	struct hd_phone phone;
	int err;

	err = hd_desk_get_by_user(planner->desk, txn, plan->user, &session);
	if (err == HD_ENOENT)
		return decide(plan, HD_PLAN_UNAVAILABLE, "user is logged out");
	if (!err)
		err = hd_phone_get(planner->dir, txn, session.phone, &phone);
	if (err == HD_ENOENT)
		return decide(plan, HD_PLAN_UNAVAILABLE, "user's phone is gone");
	if (err)
		return err;
	if (phone.disabled)
		return decide(plan, HD_PLAN_UNAVAILABLE, "user's phone is disabled");

	memcpy(plan->phone, phone.id, sizeof(plan->phone));
	return route_phone(planner, txn, now_ms, plan);
}

/* A number or a phone's id: they never coincide. */
static int route_name(const struct hd_planner *planner, struct hd_txn *txn, const char *name,
		      int64_t now_ms, struct hd_plan *plan)
{
	struct hd_user user;
	struct hd_phone phone;
	int err;

	err = hd_user_get(planner->dir, txn, name, &user);
	if (!err) {
		memcpy(plan->user, user.number, sizeof(plan->user));
		if (user.disabled)
			return decide(plan, HD_PLAN_UNAVAILABLE, "user is disabled");
		return route_user(planner, txn, now_ms, plan);
	}
	if (err != HD_ENOENT)
		return err;

	err = hd_phone_get(planner->dir, txn, name, &phone);
	if (err == HD_ENOENT)
		return decide(plan, HD_PLAN_UNKNOWN, "no such number");
	if (err)
		return err;
	if (phone.disabled)
		return decide(plan, HD_PLAN_UNAVAILABLE, "phone is disabled");
	memcpy(plan->phone, phone.id, sizeof(plan->phone));
	return route_phone(planner, txn, now_ms, plan);
}

int hd_plan_route(const struct hd_planner *planner, struct hd_txn *txn, struct hd_slice user,
		  int64_t now_ms, struct hd_plan *plan)
{
	char name[HD_PHONE_ID_SIZE];
	int err;

	if (!planner || !txn || !plan)
		return HD_EINVAL;

	/* Not the whole of it: the bindings are large, and only those that count are set. */
	plan->user[0] = plan->phone[0] = '\0';
	plan->n_bindings = 0;
	err = hd_feature_parse(&plan->feature, &planner->codes, user);
	if (!err)
		return decide(plan, HD_PLAN_FEATURE,
			      plan->feature.malformed ? "malformed feature code" : "feature code");

	if (hd_uri_unescape(name, sizeof(name), user))
		return decide(plan, HD_PLAN_UNKNOWN, "no such number");
	return route_name(planner, txn, name, now_ms, plan);
}
