/* pickup.h - calls that ring elsewhere and are taken by code: pickup.c. */
#ifndef HOTDESK_DAEMON_PICKUP_H
#define HOTDESK_DAEMON_PICKUP_H

#include "daemon_priv.h"

/**
 * An INVITE of a phone to the code of pick-up; ends it. When there is such a call, the phone's own
 * is answered and ended, and then the one that rang goes on there, in its own transaction, with
 * header fields that make the phone answer by itself: a proxy cannot join two INVITEs. Whoever is
 * first has it; it is not missed where it rang.
 * @param number of the user whose call it is; "": that of the group which has rung longest
 */
void daemon_pick_up(struct daemon *d, struct hd_request *req, const char *phone,
		    const char *number);
void daemon_pickups_free(struct daemon *d);

#endif
