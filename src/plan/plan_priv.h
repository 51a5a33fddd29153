/* plan_priv.h - what the files of plan/ share. */
#ifndef PLAN_PRIV_H
#define PLAN_PRIV_H

#include "hotdesk/plan.h"

/* The class of a user's record. */
const char *plan_class_of(const struct hd_planner *planner, const struct hd_user *user);
/* Asks a class; its name is kept in the plan. True where nothing is configured. */
bool plan_allows(const struct hd_planner *planner, const char *class,
		 const struct hd_number *number, struct hd_plan *plan);

#endif
