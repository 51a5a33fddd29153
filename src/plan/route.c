/* route.c - where a request to our domain goes; see hd_plan_route(). */
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/plan.h"
#include "plan_priv.h"

int plan_decide(struct hd_plan *plan, enum hd_plan_verdict verdict, const char *why)
{
	plan->verdict = verdict;
	plan->why = why;
	return 0;
}

static void walk_add(struct walk *w, const char *phone)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->phones[i], phone) == 0) {
			w->looped = true;
			return;
		}
	if (w->n < PHONES_MAX)
		memcpy(w->phones[w->n++], phone, strlen(phone) + 1);
}

/* The same number as a user here may have it, or NULL. */
static const char *other_form(const struct hd_number *number, const struct hd_number_plan *numbers,
			      const char *name)
{
	const char *form = number->e164;

	if (number->kind == HD_NUMBER_KIND_INTERNAL || (!form[0] && !numbers->outside[0]))
		form = number->dialled;
	return form[0] && strcmp(form, name) != 0 ? form : NULL;
}

/* Nobody here is called so. */
static int enter_outside(struct walk *w, const char *name, struct hd_plan *plan)
{
	const struct hd_dialling *dialling = w->call && !w->cleaned ? w->planner->dialling : NULL;
	unsigned forwards = w->forwards;
	struct hd_number number;
	const char *form;
	int err = 0;

	(void)plan_decide(plan, HD_PLAN_UNKNOWN, "no such number");
	if (!dialling || hd_number_read(&number, &dialling->numbers, name))
		return 0;
	form = other_form(&number, &dialling->numbers, name);
	if (form) {
		w->cleaned = true;
		err = plan_enter(w, form, plan);
		w->cleaned = false;
	}
	if (err || plan->verdict != HD_PLAN_UNKNOWN || w->forwards != forwards)
		return err;
	plan->outside = number;
	if (number.kind < HD_NUMBER_KIND_LOCAL || !dialling->outside)
		return 0;
	return plan_decide(plan, HD_PLAN_OUTSIDE, "number outside");
}

static int enter_phone(struct walk *w, const char *id, struct hd_plan *plan)
{
	struct hd_phone phone;
	int err;

	err = hd_phone_get(w->planner->dir, w->txn, id, &phone);
	if (err == HD_ENOENT && plan->user[0])
		return plan_decide(plan, HD_PLAN_UNAVAILABLE, "user's phone is gone");
	if (err == HD_ENOENT)
		return enter_outside(w, id, plan);
	if (err)
		return err;
	if (phone.disabled)
		return plan_decide(plan, HD_PLAN_UNAVAILABLE,
				   plan->user[0] ? "user's phone is disabled"
						 : "phone is disabled");
	memcpy(plan->phone, phone.id, sizeof(plan->phone));
	walk_add(w, phone.id);
	return plan_decide(plan, HD_PLAN_PHONE, plan->user[0] ? "user is logged in" : "phone");
}

/* Whether the user has called for help of late, and at which phone. */
static bool is_called_back(const struct walk *w, const char *number, char phone[HD_PHONE_ID_SIZE])
{
	return w->call && w->planner->callbacks &&
	       !hd_callback_get(w->planner->callbacks, w->txn, number, w->now_ms, phone);
}

int plan_enter(struct walk *w, const char *name, struct hd_plan *plan)
{
	struct hd_desk_session session;
	struct hd_settings settings;
	char phone[HD_PHONE_ID_SIZE];
	struct hd_user user;
	int err;

	err = hd_user_get(w->planner->dir, w->txn, name, &user);
	if (err == HD_ENOENT)
		return enter_phone(w, name, plan);
	if (err)
		return err;
	memcpy(plan->user, user.number, sizeof(plan->user));
	if (!plan->called[0])
		memcpy(plan->called, user.number, sizeof(plan->called));
	if (user.disabled)
		return plan_decide(plan, HD_PLAN_UNAVAILABLE, "user is disabled");
	err = plan_read_settings(w, plan->user, &settings);
	if (err)
		return err;
	/* Who called for help can be called back. */
	if ((settings.dnd || settings.forward[HD_FORWARD_ALWAYS].active) &&
	    is_called_back(w, plan->user, phone))
		hd_settings_standard(&settings);
	if (settings.forward[HD_FORWARD_ALWAYS].active)
		return plan_forward(w, &user, settings.forward[HD_FORWARD_ALWAYS].to,
				    hd_forward_reason(HD_FORWARD_ALWAYS), plan);
	if (settings.dnd && settings.forward[HD_FORWARD_BUSY].active)
		return plan_forward(w, &user, settings.forward[HD_FORWARD_BUSY].to,
				    "do-not-disturb", plan);
	if (settings.dnd)
		return plan_decide(plan, HD_PLAN_BUSY, "user does not want to be disturbed");
	err = hd_desk_get_by_user(w->planner->desk, w->txn, plan->user, &session);
	if (err == HD_ENOENT && is_called_back(w, plan->user, phone))
		return enter_phone(w, phone, plan);
	if (err == HD_ENOENT)
		return plan_go_elsewhere(w, &user, &settings, "user is logged out", plan);
	return err ? err : enter_phone(w, session.phone, plan);
}

static bool is_known(const struct hd_plan *plan, const struct hd_binding *binding)
{
	for (size_t i = 0; i < plan->n_bindings; i++)
		if (strcmp(plan->bindings[i].contact_uri, binding->contact_uri) == 0)
			return true;
	return false;
}

/* A binding whose Contact is an address of ours: whom it names is looked at in turn. */
static int follow(struct walk *w, const struct hd_uri *uri)
{
	struct hd_plan there = { 0 };
	char name[HD_PHONE_ID_SIZE];

	if (hd_uri_unescape(name, sizeof(name), uri->user))
		return 0;
	return plan_enter(w, name, &there);
}

static bool is_ours(const struct hd_planner *planner, const struct hd_binding *b,
		    struct hd_uri *uri)
{
	return planner->is_us && !hd_uri_parse(uri, hd_slice_of(b->contact_uri)) &&
	       uri->scheme <= HD_URI_SIPS && planner->is_us(planner->arg, uri);
}

static int add_bindings(struct walk *w, const char *phone, struct hd_plan *plan)
{
	size_t first = plan->n_bindings, n = HD_BINDINGS_MAX - first;
	int err;

	if (n == 0)
		return 0;
	err = hd_location_get(w->planner->loc, w->txn, phone, w->now_ms, &plan->bindings[first],
			      &n);
	for (size_t i = first; !err && i < first + n; i++) {
		const struct hd_binding *b = &plan->bindings[i];
		struct hd_uri uri;

		if (is_ours(w->planner, b, &uri)) {
			err = follow(w, &uri);
		} else if (!is_known(plan, b)) {
			if (plan->n_bindings < i)
				plan->bindings[plan->n_bindings] = *b;
			plan->n_bindings++;
		}
	}
	return err;
}

/* Each phone's own are in order already. */
static void sort_by_q(struct hd_plan *plan)
{
	for (size_t i = 1; i < plan->n_bindings; i++) {
		struct hd_binding b = plan->bindings[i];
		size_t j = i;

		for (; j > 0 && plan->bindings[j - 1].q_permille < b.q_permille; j--)
			plan->bindings[j] = plan->bindings[j - 1];
		if (j < i)
			plan->bindings[j] = b;
	}
}

/* It is where the user is logged in, and as good as logged out. */
static int leave_phone(struct walk *w, struct hd_plan *plan)
{
	static const char why[] = "phone is not registered";
	char phone[HD_PHONE_ID_SIZE];
	struct hd_settings settings;
	struct hd_user user;
	int err;

	w->n = 0;
	if (w->looped)
		return plan_decide(plan, HD_PLAN_LOOP, "its bindings lead back to itself");
	if (!plan->user[0])
		return plan_decide(plan, HD_PLAN_UNAVAILABLE, why);
	err = hd_user_get(w->planner->dir, w->txn, plan->user, &user);
	if (!err)
		err = plan_read_settings(w, plan->user, &settings);
	if (err)
		return err;
	if (is_called_back(w, plan->user, phone))
		hd_settings_standard(&settings);
	return plan_go_elsewhere(w, &user, &settings, why, plan);
}

/* The bindings of the phones that were entered; of others when they have none. */
static int find_bindings(struct walk *w, struct hd_plan *plan)
{
	int err = 0;

	do {
		for (size_t i = 0; !err && i < w->n; i++)
			err = add_bindings(w, w->phones[i], plan);
		if (err || plan->verdict != HD_PLAN_PHONE || plan->n_bindings)
			break;
		err = leave_phone(w, plan);
	} while (!err && plan->verdict == HD_PLAN_PHONE);
	if (w->n > 1)
		sort_by_q(plan);
	return err;
}

static int route_name(struct walk *w, const char *name, struct hd_plan *plan)
{
	int err = plan_enter(w, name, plan);

	return err ? err : find_bindings(w, plan);
}

/* Not the whole of it: the bindings are large, and only those that count are set. */
void plan_clear(struct hd_plan *plan)
{
	plan->user[0] = plan->phone[0] = plan->called[0] = plan->diverted_by[0] = '\0';
	plan->called_reason = plan->diverted_reason = NULL;
	plan->class[0] = '\0';
	plan->number = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL };
	plan->outside = plan->number;
	plan->n_bindings = 0;
	plan->n_forwards = 0;
}

static int route(struct walk *w, struct hd_slice user, struct hd_plan *plan)
{
	const struct hd_planner *planner = w->planner;
	char name[HD_PHONE_ID_SIZE];
	int err;

	if (!planner || !w->txn || !plan)
		return HD_EINVAL;

	plan_clear(plan);
	if (w->call && planner->dialling &&
	    !hd_number_parse(&plan->number, &planner->dialling->numbers, user) &&
	    plan->number.kind == HD_NUMBER_KIND_EMERGENCY)
		return plan_decide(plan, HD_PLAN_EMERGENCY, "emergency number");
	err = hd_feature_parse(&plan->feature, &planner->codes, user);
	if (!err)
		return plan_decide(plan, HD_PLAN_FEATURE,
				   plan->feature.malformed ? "malformed feature code"
							   : "feature code");

	if (hd_uri_unescape(name, sizeof(name), user))
		return plan_decide(plan, HD_PLAN_UNKNOWN, "no such number");
	err = route_name(w, name, plan);
	if (plan->verdict != HD_PLAN_OUTSIDE || plan->diverted_by[0])
		plan->number.kind = HD_NUMBER_KIND_INTERNAL;
	return err;
}

int hd_plan_route(const struct hd_planner *planner, struct hd_txn *txn, struct hd_slice user,
		  int64_t now_ms, struct hd_plan *plan)
{
	struct walk w = { .planner = planner, .txn = txn, .now_ms = now_ms };

	return route(&w, user, plan);
}

int hd_plan_call(const struct hd_planner *planner, struct hd_txn *txn, struct hd_slice user,
		 int64_t now_ms, struct hd_plan *plan)
{
	struct walk w = { .planner = planner, .txn = txn, .now_ms = now_ms, .call = true };

	return route(&w, user, plan);
}

int hd_plan_forwarded(const struct hd_planner *planner, struct hd_txn *txn, const char *by,
		      const char *to, int64_t now_ms, struct hd_plan *plan)
{
	struct walk w = { .planner = planner, .txn = txn, .now_ms = now_ms, .call = true };
	struct hd_user user;
	int err;

	if (!planner || !txn || !by || !to || !plan)
		return HD_EINVAL;
	plan_clear(plan);
	err = hd_user_get(planner->dir, txn, by, &user);
	if (err)
		return err == HD_ENOENT ? plan_decide(plan, HD_PLAN_UNKNOWN, "no such user") : err;
	err = plan_enter_target(&w, &user, to, plan);
	return err ? err : find_bindings(&w, plan);
}
