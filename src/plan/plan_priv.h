/* plan_priv.h - what the files of plan/ share. */
#ifndef PLAN_PRIV_H
#define PLAN_PRIV_H

#include "hotdesk/plan.h"

/* The class of a user's record. */
const char *plan_class_of(const struct hd_planner *planner, const struct hd_user *user);
/* Asks a class; its name is kept in the plan. True where nothing is configured. */
bool plan_allows(const struct hd_planner *planner, const char *class,
		 const struct hd_number *number, struct hd_plan *plan);

enum { PHONES_MAX = 16 };

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
	bool fell_back;	   /* to the configured one, which is done once */
	unsigned forwards; /* so many forwardings were followed */
};

/* A verdict, and why, for the log. @return 0 */
int plan_decide(struct hd_plan *plan, enum hd_plan_verdict verdict, const char *why);
/* Nothing is planned yet. */
void plan_clear(struct hd_plan *plan);
/* A number or a phone's id (they never coincide) to the phone, which enters the walk. */
HD_MUSTCHECK int plan_enter(struct walk *w, const char *name, struct hd_plan *plan);

/* ---- forward.c ------------------------------------------------------------------------------ */

/* A damaged record must not make a user unreachable. */
HD_MUSTCHECK int plan_read_settings(struct walk *w, const char *number,
				    struct hd_settings *settings);
/* From plan->user on to somebody else. Users who forward to each other end here, too. */
HD_MUSTCHECK int plan_forward(struct walk *w, const struct hd_user *by, const char *to,
			      const char *reason, struct hd_plan *plan);
/* The target of a forwarding of this user's, who has been left; by the rights of the class. */
HD_MUSTCHECK int plan_enter_target(struct walk *w, const struct hd_user *by, const char *to,
				   struct hd_plan *plan);
/* Nobody is there: where the user has said, else where the administrator has. */
HD_MUSTCHECK int plan_go_elsewhere(struct walk *w, const struct hd_user *user,
				   const struct hd_settings *settings, const char *why,
				   struct hd_plan *plan);

#endif
