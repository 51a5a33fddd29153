/* missed.h - missed calls that a user has not looked at, where the user is; see missed.c. */
#ifndef HOTDESK_DAEMON_MISSED_H
#define HOTDESK_DAEMON_MISSED_H

#include "daemon_priv.h"

/** SIP thread: there may be more, or fewer. */
void daemon_missed_changed(struct daemon *d, const char *user);
/** SIP thread: a phone is in the outbox, of this epoch. */
void daemon_missed_desk_changed(struct daemon *d, const char *phone, uint64_t epoch);
/** SIP thread: it has registered anew. */
void daemon_missed_bound(struct daemon *d, const char *phone);
/** Control thread, for hd_form_options. @param phone NULL: all of the user */
void daemon_missed_seen(void *daemon, const char *user, const char *phone);
/** Control thread: the user's list is gone. */
void daemon_missed_cleared(struct daemon *d, const char *user);

#endif
