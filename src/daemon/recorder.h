/* recorder.h - call lists: what is written of the calls. */
#ifndef HOTDESK_DAEMON_RECORDER_H
#define HOTDESK_DAEMON_RECORDER_H

#include "daemon_priv.h"

/**
 * Call lists (recorder.c): each call of the proxy, SIP thread; retention, control thread, once a
 * second; what is still to be written, before the store stops, while the SIP thread runs.
 */
HD_MUSTCHECK int daemon_recorder_new(struct daemon *d);
void daemon_record_call(struct daemon *d, const struct hd_call *call);
/** It goes on to somebody else: whom it leaves has missed it. */
void daemon_record_left(struct daemon *d, const struct hd_call *call, int status);
/**
 * One that never began: the INVITE was refused here, with 480 or 486. Its other end is told as the
 * plan found it, and an INVITE that comes again is the same call.
 * @param phone who calls; NULL: a peer
 * @param user who sits there; "": nobody
 */
void daemon_record_refused(struct daemon *d, struct hd_msg *invite, const struct hd_plan *plan,
			   const char *phone, const char *user, int status);
/** For the list of either side (record.c). */
void daemon_record_of(struct daemon *d, struct hd_calls_record *record, const struct hd_call *call);
void daemon_recorder_sweep(struct daemon *d);
void daemon_recorder_finish(struct daemon *d);
/** SIP thread: nothing comes any more. */
void daemon_recorder_stop(struct daemon *d);
void daemon_recorder_free(struct daemon *d);

#endif
