/* forward.c - what users have set, followed: from the user who is left to where the call goes. */
#include <stdio.h>
#include <string.h>

#include "plan_priv.h"

int plan_read_settings(struct walk *w, const char *number, struct hd_settings *settings)
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

static bool is_voicemail(const struct walk *w, const char *to)
{
	return w->planner->dialling && w->planner->dialling->voicemail[0] &&
	       strcmp(to, HD_FORWARD_VOICEMAIL) == 0;
}

/* sip:USER@PEER: as it stands, for that peer. */
static int enter_peer(const char *user, const char *peer, struct hd_plan *plan)
{
	struct hd_number *outside = &plan->outside;
	int err;

	*outside = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL }; /* no prefix to it */
	err = hd_str_copy(outside->dialled, sizeof(outside->dialled),
			  (struct hd_slice){ user, (size_t)(peer - user) });
	if (!err)
		err = hd_str_set(outside->peer, sizeof(outside->peer), peer + 1);
	if (err)
		return plan_decide(plan, HD_PLAN_UNKNOWN, "no such destination");
	return plan_decide(plan, HD_PLAN_OUTSIDE, "destination of the configuration");
}

/* Of a fallback: as it is dialled, without its peer. */
static void name_destination(struct hd_plan *plan, const char *text, size_t len)
{
	struct hd_plan_forward *f = plan->n_forwards ? &plan->forwards[plan->n_forwards - 1] : NULL;

	if (f && !f->voicemail && hd_str_copy(f->to, sizeof(f->to), (struct hd_slice){ text, len }))
		f->to[0] = '\0';
}

/* Of the configuration, for a user: nobody's rights are looked at. */
static int enter_destination(struct walk *w, const char *pattern, const char *number,
			     struct hd_plan *plan)
{
	static const char hole[] = "{number}", scheme[] = "sip:";
	const char *at = strstr(pattern, hole), *name, *peer;
	char text[HD_DESTINATION_SIZE + HD_NUMBER_SIZE];
	int n;

	n = at ? snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - pattern), pattern, number,
			  at + sizeof(hole) - 1)
	       : snprintf(text, sizeof(text), "%s", pattern);
	if (n < 0 || (size_t)n >= sizeof(text))
		return plan_decide(plan, HD_PLAN_UNKNOWN, "no such destination");
	peer = strncmp(text, scheme, sizeof(scheme) - 1) == 0 ? strrchr(text, '@') : NULL;
	name = peer ? text + sizeof(scheme) - 1 : text;
	name_destination(plan, name, peer ? (size_t)(peer - name) : strlen(name));
	return peer ? enter_peer(name, peer, plan) : plan_enter(w, name, plan);
}

static bool is_code(const struct walk *w, const char *to)
{
	struct hd_feature code;
	bool found = hd_feature_parse(&code, &w->planner->codes, hd_slice_of(to)) == 0;

	hd_feature_wipe(&code);
	return found;
}

/* What a target of a forwarding is for the class of who forwards. */
static void read_target(const struct walk *w, const char *to, struct hd_number *number)
{
	const struct hd_dialling *dialling = w->planner->dialling;

	if (!dialling || hd_number_read(number, &dialling->numbers, to))
		*number = (struct hd_number){ .kind = HD_NUMBER_KIND_INTERNAL };
}

/* From now on it is for somebody else. One walk leaves users for several plans (route.c). */
static void leave(struct walk *w, const char *to, const char *reason, struct hd_plan *plan)
{
	struct hd_plan_forward *f = &plan->forwards[plan->n_forwards++];
	char shown[HD_FORWARD_TO_SIZE + 4];

	memcpy(f->user, plan->user, sizeof(f->user));
	f->voicemail = is_voicemail(w, to);
	/* What the administrator set, or what was set when it was no code yet, may have a PIN. */
	hd_feature_mask(shown, sizeof(shown), &w->planner->codes, hd_slice_of(to));
	if (hd_str_set(f->to, sizeof(f->to), shown))
		f->to[0] = '\0';
	w->forwards++;
	w->cleaned = false;
	memcpy(plan->diverted_by, plan->user, sizeof(plan->diverted_by));
	plan->diverted_reason = reason;
	if (strcmp(plan->called, plan->user) == 0)
		plan->called_reason = reason;
	plan->user[0] = '\0';
}

int plan_enter_target(struct walk *w, const struct hd_user *by, const char *to,
		      struct hd_plan *plan)
{
	unsigned forwards = w->forwards;
	struct hd_number target;
	int err;

	if (is_voicemail(w, to))
		return enter_destination(w, w->planner->dialling->voicemail, by->number, plan);
	if (is_code(w, to))
		return plan_decide(plan, HD_PLAN_UNKNOWN, "no code is dialled for anybody");
	read_target(w, to, &target);
	if (target.kind == HD_NUMBER_KIND_EMERGENCY)
		return plan_decide(plan, HD_PLAN_FORBIDDEN, "forwarding to an emergency number");
	err = plan_enter(w, to, plan);
	if (err || plan->verdict == HD_PLAN_FORBIDDEN)
		return err;
	if (plan->verdict == HD_PLAN_OUTSIDE && w->forwards == forwards)
		target = plan->outside;
	else
		target.kind = HD_NUMBER_KIND_INTERNAL;
	if (!plan_allows(w->planner, plan_class_of(w->planner, by), &target, plan))
		return plan_decide(plan, HD_PLAN_FORBIDDEN, "who forwards may not call there");
	return 0;
}

/* ---- before it is set ----------------------------------------------------------------------- */

/* As the class of this user would be asked if it were dialled now. */
static int judge(struct walk *w, const char *by, const char *to, struct hd_number *target)
{
	struct hd_plan plan;
	struct hd_user user;
	int err;

	err = hd_user_get(w->planner->dir, w->txn, by, &user);
	if (err)
		return err;
	plan_clear(&plan);
	err = plan_enter(w, to, &plan);
	if (err)
		return err;
	if ((plan.verdict == HD_PLAN_OUTSIDE || plan.verdict == HD_PLAN_UNKNOWN) && !w->forwards)
		*target = plan.outside;
	else
		target->kind = HD_NUMBER_KIND_INTERNAL;
	return plan_allows(w->planner, plan_class_of(w->planner, &user), target, &plan)
		       ? 0
		       : HD_EACCESS;
}

int hd_plan_may_forward(const struct hd_planner *planner, struct hd_txn *txn, const char *by,
			const char *to, int64_t now_ms)
{
	struct walk w = { .planner = planner, .txn = txn, .now_ms = now_ms, .call = true };
	struct hd_number target;

	if (!planner || !txn || !by || !to)
		return HD_EINVAL;
	if (strcmp(to, HD_FORWARD_VOICEMAIL) == 0)
		return 0;
	if (is_code(&w, to))
		return HD_EINVAL;
	read_target(&w, to, &target);
	if (target.kind == HD_NUMBER_KIND_EMERGENCY)
		return HD_EACCESS;
	return judge(&w, by, to, &target);
}

int hd_plan_may_dial(const struct hd_planner *planner, struct hd_txn *txn, const char *by,
		     const char *to, int64_t now_ms)
{
	struct walk w = { .planner = planner, .txn = txn, .now_ms = now_ms, .call = true };
	struct hd_feature code;
	struct hd_number target;
	bool usable;

	if (!planner || !txn || !by || !to)
		return HD_EINVAL;
	if (!hd_feature_parse(&code, &planner->codes, hd_slice_of(to))) {
		usable = !code.malformed && !code.pin[0];
		hd_feature_wipe(&code);
		return usable ? 0 : HD_EINVAL;
	}
	read_target(&w, to, &target);
	return target.kind == HD_NUMBER_KIND_EMERGENCY ? 0 : judge(&w, by, to, &target);
}

/* ---- followed ------------------------------------------------------------------------------- */

int plan_forward(struct walk *w, const struct hd_user *by, const char *to, const char *reason,
		 struct hd_plan *plan)
{
	if (w->forwards == HD_PLAN_FORWARDS_MAX || strcmp(to, plan->called) == 0)
		return plan_decide(plan, HD_PLAN_LOOP, "forwarding leads back to itself");
	leave(w, to, reason, plan);
	return plan_enter_target(w, by, to, plan);
}

int plan_go_elsewhere(struct walk *w, const struct hd_user *user,
		      const struct hd_settings *settings, const char *why, struct hd_plan *plan)
{
	const struct hd_forward *f = &settings->forward[HD_FORWARD_NOT_LOGGED_IN];
	const char *reason = hd_forward_reason(HD_FORWARD_NOT_LOGGED_IN);
	const char *fallback = w->planner->dialling ? w->planner->dialling->fallback : "";
	int err;

	if (!w->call)
		return plan_decide(plan, HD_PLAN_UNAVAILABLE, why);
	if (f->active)
		return plan_forward(w, user, f->to, reason, plan);
	if (!fallback[0] || w->fell_back || w->forwards == HD_PLAN_FORWARDS_MAX ||
	    strcmp(fallback, user->number) == 0)
		return plan_decide(plan, HD_PLAN_UNAVAILABLE, why);
	w->fell_back = true;
	leave(w, fallback, reason, plan);
	if (is_voicemail(w, fallback))
		fallback = w->planner->dialling->voicemail;
	err = enter_destination(w, fallback, user->number, plan);
	/* The caller has dialled a number that is somebody's. */
	if (!err && plan->verdict == HD_PLAN_UNKNOWN)
		return plan_decide(plan, HD_PLAN_UNAVAILABLE, why);
	return err;
}
