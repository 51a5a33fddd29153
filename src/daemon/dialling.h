/* dialling.h - numbers and classes of service, wired: dialling.c. */
#ifndef HOTDESK_DAEMON_DIALLING_H
#define HOTDESK_DAEMON_DIALLING_H

#include "daemon_priv.h"

/**
 * Numbers and classes of service (dialling.c); one a thread, made before both. The configuration is
 * borrowed. @param errors receives lines. @return 0 or HD_E*
 */
HD_MUSTCHECK int daemon_dialling_new(struct hd_dialling **dp, const struct hd_conf *conf,
				     struct hd_buf *errors);
void daemon_dialling_free(struct hd_dialling *dialling); /* NULL-safe */
HD_MUSTCHECK int daemon_open_dialling(struct daemon *d);
/** For the admin API: whether there is such a class; control thread. */
bool daemon_has_class(void *daemon, const char *name);
/** After a reload; moved. SIP thread. */
void daemon_dialling_take(struct daemon *d, struct hd_dialling *dialling);
/** 403 to a call that is HD_PLAN_FORBIDDEN; ends it. */
void daemon_forbid(struct daemon *d, struct hd_request *req, const char *phone,
		   const struct hd_plan *plan);

/** A call for help (emergency.c), from whichever phone; ends it. */
void daemon_emergency(struct daemon *d, struct hd_request *req, const char *phone);
/** Where it goes; the configuration is borrowed. SIP thread. */
void daemon_emergency_take(struct daemon *d, const struct hd_conf *conf);
void daemon_emergency_register_metrics(void);

#endif
