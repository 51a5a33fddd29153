/* retention.h - old entries of call lists go, a few a second. Control thread. */
#ifndef HOTDESK_DAEMON_RETENTION_H
#define HOTDESK_DAEMON_RETENTION_H

#include "daemon_priv.h"

/** Where it is in the table. Zero-initialised begins at the start. */
struct retention {
	struct hd_calls_sweep sweep;
	struct hd_command command;
	bool busy;
};
/** Looks at some more, and removes what is beyond calls.keep_days and keep_max. */
void retention_sweep(struct retention *retention, struct daemon *d);

#endif
