/*
 * settings_event.h - settings that phone and user share, by the event package as-feature-event.
 *
 * A phone subscribes to its own address and is told do not disturb and forwarding of the user who
 * sits there; of nobody, all is off. A SUBSCRIBE with SetDoNotDisturb or SetForwarding (ECMA-323,
 * in the form that BroadWorks has given it) changes them for the user, and what they are then is
 * told. What was changed elsewhere, and another user's settings after a login, are pushed. One
 * change is a document of its own; all of them are a multipart/mixed with a part for each.
 *
 * Layer: 4 (notify).  May include: sip, xml, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SETTINGS_EVENT_H
#define HOTDESK_SETTINGS_EVENT_H

#include "hotdesk/user_event.h"

struct hd_settings_events;

/** Adds the package to the notifier. @return 0, HD_EINVAL, HD_ENOMEM or as hd_notifier_add() */
HD_MUSTCHECK int hd_settings_events_new(struct hd_settings_events **ep,
					const struct hd_user_event_options *options);
/** After the notifier; changes under way are waited for by the mailbox's drain. NULL-safe. */
void hd_settings_events_free(struct hd_settings_events *events);
/** Who sits at a phone has changed, or what the user there has set. */
void hd_settings_events_phone_changed(struct hd_settings_events *events, const char *phone);

#endif
