/*
 * summary_event.h - `Event: message-summary` (RFC 3842): the message lamp goes where the user is.
 *
 * The PBX tells us by NOTIFY, sent to the contact that we registered, asked for or not. What it
 * said last is kept with the user. A phone subscribes here, by its own address or by the number of
 * who sits there, and is told of whoever that is: at a login, at a logout (nothing waits for
 * nobody), and when the PBX says something new.
 *
 * Layer: 4 (notify).  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SUMMARY_EVENT_H
#define HOTDESK_SUMMARY_EVENT_H

#include "hotdesk/summary.h"
#include "hotdesk/user_event.h"

struct hd_summary_events;

/** Adds the package to the notifier. @return 0, HD_EINVAL, HD_ENOMEM or as hd_notifier_add() */
HD_MUSTCHECK int hd_summary_events_new(struct hd_summary_events **ep,
				       const struct hd_user_event_options *options);
/** After the notifier, and after the mailbox was emptied or will not be. NULL-safe. */
void hd_summary_events_free(struct hd_summary_events *events);
/** Another user, or nobody, sits at a phone. */
void hd_summary_events_phone_changed(struct hd_summary_events *events, const char *phone);

/** Whether a request is a NOTIFY of this event. */
bool hd_summary_events_is(struct hd_msg *msg);
/** Such a one about a user, from somebody who may say so; ends the request. */
void hd_summary_events_receive(struct hd_summary_events *events, struct hd_request *req,
			       const char *number);

#endif
