/*
 * logout.h - rules of when somebody is logged out by itself: at a time of day, after a time, after
 * a time without a registration; as text for configuration and directory, and when that is.
 *
 * "at 20:00, after 10h, unregistered 30m", in any order; "never" instead of a value, or of all. A
 * part that is not named is inherited: of the phone from the user, of the user from the
 * configuration. Times are 1s to 366d (s, m, h, d); the time of day is local (TZ, /etc/localtime),
 * whatever daylight saving does: once on each date, also where the clock skips or repeats it.
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_LOGOUT_H
#define HOTDESK_BASE_LOGOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/str.h"

enum {
	HD_LOGOUT_SIZE = 64,   /* of the text */
	HD_LOGOUT_INHERIT = 0, /* not named */
	HD_LOGOUT_NEVER = -1,
	HD_LOGOUT_MIDNIGHT = 1, /* at: minutes of the day are counted from here */
};

/** The zero value inherits everything. */
struct hd_logout_rule {
	int32_t at;		/* HD_LOGOUT_MIDNIGHT to HD_LOGOUT_MIDNIGHT + 1439 */
	int64_t after_s;	/* since the login */
	int64_t unregistered_s; /* since the phone's last binding ended */
};

/** "" gives the zero value. @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_logout_rule_parse(struct hd_logout_rule *rule, struct hd_slice text);
/** What is not named in rule becomes what it is in another. */
void hd_logout_rule_inherit(struct hd_logout_rule *rule, const struct hd_logout_rule *from);

enum hd_logout_why { HD_LOGOUT_AT, HD_LOGOUT_AFTER, HD_LOGOUT_UNREGISTERED };
/** @return "time of day", "time since the login", "phone not registered" */
const char *hd_logout_why_name(enum hd_logout_why why);

/**
 * When it is due: the earliest of its parts; of a time of day, the first one after the login.
 * @param since_ms wall clock, of the login
 * @param unregistered_ms of the end of the last binding; 0: the phone is registered
 * @param whyp receives which part that is; may be NULL
 * @return wall clock; INT64_MAX: never
 */
int64_t hd_logout_due(const struct hd_logout_rule *rule, int64_t since_ms, int64_t unregistered_ms,
		      enum hd_logout_why *whyp);

#endif
