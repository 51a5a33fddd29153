/*
 * user_event.h - what event packages about the user of a phone are made of.
 *
 * Layer: 4 (notify).  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_USER_EVENT_H
#define HOTDESK_USER_EVENT_H

#include "hotdesk/desk.h"
#include "hotdesk/plan.h"
#include "hotdesk/settings.h"
#include "hotdesk/sip/notifier.h"

struct hd_user_event_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_notifier *notifier;
	struct hd_store *store;
	struct hd_desk *desk;
	struct hd_settings_store *settings;
	const char *domain;
	const struct hd_planner *planner; /* what the user's class forbids is refused */
	const struct hd_clock *clock;
};

#endif
