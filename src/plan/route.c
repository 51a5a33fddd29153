/* route.c - where a request to our domain goes; see hd_plan_route(). */
#include <string.h>

#include "hotdesk/base/uri.h"
#include "hotdesk/plan.h"
#include "plan_priv.h"

static int decide(struct hd_plan *plan, enum hd_plan_verdict verdict, const char *why)
{
	plan->verdict = verdict;
	plan->why = why;
	return 0;
}

enum { PHONES_MAX = 16, FORWARDS_MAX = 10 };

/* Phones in the order in which they are to be looked at, each of them once. */
struct walk {
	const struct hd_planner *planner;
	struct hd_txn *txn;
	int64_t now_ms;
	char phones[PHONES_MAX][HD_PHONE_ID_SIZE];
	size_t n;
	bool looped;
	bool call;	   /* settings count */
	bool cleaned;	   /* its number in another form is being looked for */
	unsigned forwards; /* so many forwardings were followed */
};

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

static int enter_name(struct walk *w, const char *name, struct hd_plan *plan);

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

	(void)decide(plan, HD_PLAN_UNKNOWN, "no such number");
	if (!dialling || hd_number_read(&number, &dialling->numbers, name))
		return 0;
	form = other_form(&number, &dialling->numbers, name);
	if (form) {
		w->cleaned = true;
		err = enter_name(w, form, plan);
		w->cleaned = false;
	}
	if (err || plan->verdict != HD_PLAN_UNKNOWN || w->forwards != forwards)
		return err;
	plan->outside = number;
	if (number.kind < HD_NUMBER_KIND_LOCAL || !dialling->outside)
		return 0;
	return decide(plan, HD_PLAN_OUTSIDE, "number outside");
}

static int enter_phone(struct walk *w, const char *id, struct hd_plan *plan)
{
	struct hd_phone phone;
	int err;

	err = hd_phone_get(w->planner->dir, w->txn, id, &phone);
	if (err == HD_ENOENT && plan->user[0])
		return decide(plan, HD_PLAN_UNAVAILABLE, "user's phone is gone");
	if (err == HD_ENOENT)
		return enter_outside(w, id, plan);
	if (err)
		return err;
	if (phone.disabled)
		return decide(plan, HD_PLAN_UNAVAILABLE,
			      plan->user[0] ? "user's phone is disabled" : "phone is disabled");
	memcpy(plan->phone, phone.id, sizeof(plan->phone));
	walk_add(w, phone.id);
	return decide(plan, HD_PLAN_PHONE, plan->user[0] ? "user is logged in" : "phone");
}

/* A damaged record must not make a user unreachable. */
static int read_settings(struct walk *w, const char *number, struct hd_settings *settings)
{
	int err;

	if (!w->call || !w->planner->settings) {
		hd_settings_standard(settings);
		return 0;
	}
	err = hd_settings_get(w->planner->settings, w->txn, number, settings);
	if (err == HD_ECORRUPT)
		hd_settings_standard(settings);
	return err == HD_ECORRUPT ? 0 : err;
}

/* What a target of a forwarding is for the class of who forwards. */
static void read_target(const struct walk *w, const char *to, struct hd_number *number)
{
	const struct hd_dialling *dialling = w->planner->dialling;

	if (!dialling || hd_number_read(number, &dialling->numbers, to))
		*number = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL };
}

/* Users who forward to each other end here, too. */
static int forward(struct walk *w, const struct hd_user *by, const char *to, struct hd_plan *plan)
{
	struct hd_number target;
	unsigned forwards;
	int err;

	if (w->forwards++ == FORWARDS_MAX || strcmp(to, plan->called) == 0)
		return decide(plan, HD_PLAN_LOOP, "forwarding leads back to itself");
	read_target(w, to, &target);
	if (target.kind == HD_NUMBER_KIND_EMERGENCY)
		return decide(plan, HD_PLAN_FORBIDDEN, "forwarding to an emergency number");
	forwards = w->forwards;
	w->cleaned = false;
	memcpy(plan->diverted_by, plan->user, sizeof(plan->diverted_by));
	plan->user[0] = '\0';
	err = enter_name(w, to, plan);
	if (err || plan->verdict == HD_PLAN_FORBIDDEN)
		return err;
	if (plan->verdict == HD_PLAN_OUTSIDE && w->forwards == forwards)
		target = plan->outside;
	else
		target.kind = HD_NUMBER_KIND_INTERNAL;
	if (!plan_allows(w->planner, plan_class_of(w->planner, by), &target, plan))
		return decide(plan, HD_PLAN_FORBIDDEN, "who forwards may not call there");
	return 0;
}

/* Whether the user has called for help of late, and at which phone. */
static bool is_called_back(const struct walk *w, const char *number, char phone[HD_PHONE_ID_SIZE])
{
	return w->call && w->planner->callbacks &&
	       !hd_callback_get(w->planner->callbacks, w->txn, number, w->now_ms, phone);
}

/* A number or a phone's id (they never coincide) to the phone, which enters the walk. */
static int enter_name(struct walk *w, const char *name, struct hd_plan *plan)
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
		return decide(plan, HD_PLAN_UNAVAILABLE, "user is disabled");
	err = read_settings(w, plan->user, &settings);
	if (err)
		return err;
	/* Who called for help can be called back. */
	if ((settings.dnd || settings.forward[HD_FORWARD_ALWAYS].active) &&
	    is_called_back(w, plan->user, phone))
		hd_settings_standard(&settings);
	if (settings.forward[HD_FORWARD_ALWAYS].active)
		return forward(w, &user, settings.forward[HD_FORWARD_ALWAYS].to, plan);
	if (settings.dnd && settings.forward[HD_FORWARD_BUSY].active)
		return forward(w, &user, settings.forward[HD_FORWARD_BUSY].to, plan);
	if (settings.dnd)
		return decide(plan, HD_PLAN_BUSY, "user does not want to be disturbed");
	err = hd_desk_get_by_user(w->planner->desk, w->txn, plan->user, &session);
	if (err == HD_ENOENT && is_called_back(w, plan->user, phone))
		return enter_phone(w, phone, plan);
	if (err == HD_ENOENT)
		return decide(plan, HD_PLAN_UNAVAILABLE, "user is logged out");
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
	return enter_name(w, name, &there);
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

static int route_name(struct walk *w, const char *name, struct hd_plan *plan)
{
	int err;

	err = enter_name(w, name, plan);
	for (size_t i = 0; !err && i < w->n; i++)
		err = add_bindings(w, w->phones[i], plan);
	if (w->n > 1)
		sort_by_q(plan);
	if (err || plan->verdict != HD_PLAN_PHONE || plan->n_bindings)
		return err;
	if (w->looped)
		return decide(plan, HD_PLAN_LOOP, "its bindings lead back to itself");
	return decide(plan, HD_PLAN_UNAVAILABLE, "phone is not registered");
}

static int route(struct walk *w, struct hd_slice user, struct hd_plan *plan)
{
	const struct hd_planner *planner = w->planner;
	char name[HD_PHONE_ID_SIZE];
	int err;

	if (!planner || !w->txn || !plan)
		return HD_EINVAL;

	/* Not the whole of it: the bindings are large, and only those that count are set. */
	plan->user[0] = plan->phone[0] = plan->called[0] = plan->diverted_by[0] = '\0';
	plan->class[0] = '\0';
	plan->number = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL };
	plan->outside = plan->number;
	plan->n_bindings = 0;
	if (w->call && planner->dialling &&
	    !hd_number_parse(&plan->number, &planner->dialling->numbers, user) &&
	    plan->number.kind == HD_NUMBER_KIND_EMERGENCY)
		return decide(plan, HD_PLAN_EMERGENCY, "emergency number");
	err = hd_feature_parse(&plan->feature, &planner->codes, user);
	if (!err)
		return decide(plan, HD_PLAN_FEATURE,
			      plan->feature.malformed ? "malformed feature code" : "feature code");

	if (hd_uri_unescape(name, sizeof(name), user))
		return decide(plan, HD_PLAN_UNKNOWN, "no such number");
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
