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
/**
 * It has rung and goes on to somebody else: whom it leaves has missed it.
 * @param to as that user has set it; "": it was picked up
 */
void daemon_record_left(struct daemon *d, const struct hd_call *call, int status, const char *to);
/**
 * The call that this INVITE is about to begin leaves the users of plan->forwards: each has an entry
 * that says so. It is no missed one when somebody else answers; the voicemail is nobody.
 */
void daemon_record_forwarding(struct daemon *d, struct hd_msg *invite, const struct hd_plan *plan);
/**
 * One that never began: the INVITE was refused here. Its other end, and who was to forward it, are
 * told as the plan found them, and an INVITE that comes again is the same call.
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
