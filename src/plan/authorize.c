/* authorize.c - who may call what: classes of service of phones and users; see hotdesk/plan.h. */
#include <string.h>

#include "plan_priv.h"

const char *plan_class_of(const struct hd_planner *planner, const struct hd_user *user)
{
	if (user->class[0] || !planner->dialling)
		return user->class;
	return planner->dialling->users;
}

bool plan_allows(const struct hd_planner *planner, const char *class,
		 const struct hd_number *number, struct hd_plan *plan)
{
	if (!planner->dialling)
		return true;
	if (hd_str_set(plan->class, sizeof(plan->class), class))
		plan->class[0] = '\0';
	return hd_rights_allow(planner->dialling->rights, class, number);
}

static int set_class(char class[HD_CLASS_SIZE], const char *name)
{
	return hd_str_set(class, HD_CLASS_SIZE, name);
}

static bool is_unreadable(int err)
{
	return err == HD_ENOENT || err == HD_ECORRUPT || err == HD_EVERSION;
}

int hd_plan_class_of_user(const struct hd_planner *planner, struct hd_txn *txn, const char *number,
			  char class[HD_CLASS_SIZE])
{
	struct hd_user user;
	int err;

	class[0] = '\0';
	if (!planner->dialling)
		return 0;
	err = hd_user_get(planner->dir, txn, number, &user);
	if (is_unreadable(err))
		return set_class(class, planner->dialling->closed);
	return err ? err : set_class(class, plan_class_of(planner, &user));
}

int hd_plan_class(const struct hd_planner *planner, struct hd_txn *txn, const char *phone,
		  char class[HD_CLASS_SIZE])
{
	struct hd_desk_session session;
	struct hd_phone record;
	int err;

	class[0] = '\0';
	if (!planner->dialling)
		return 0;
	err = hd_desk_get_by_phone(planner->desk, txn, phone, &session);
	if (!err)
		return hd_plan_class_of_user(planner, txn, session.user, class);
	if (!is_unreadable(err))
		return err;
	err = hd_phone_get(planner->dir, txn, phone, &record);
	if (err && !is_unreadable(err))
		return err;
	return set_class(class, !err && !record.owner[0] ? planner->dialling->free
							 : planner->dialling->closed);
}

void hd_plan_authorize(const struct hd_planner *planner, const char *class, struct hd_plan *plan)
{
	if (plan->verdict == HD_PLAN_FEATURE || plan->verdict == HD_PLAN_EMERGENCY ||
	    plan->verdict == HD_PLAN_FORBIDDEN)
		return;
	if (plan_allows(planner, class, &plan->number, plan))
		return;
	plan->verdict = HD_PLAN_FORBIDDEN;
	plan->why = "its class of service does not allow it";
}
