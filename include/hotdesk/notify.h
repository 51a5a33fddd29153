/*
 * notify.h - telling phones: the NOTIFY that makes a phone fetch its configuration anew.
 *
 * What is to be told stands in the store's outbox, written with the login or logout itself; so a
 * phone is told at least once, also after a restart. An entry is struck out when the phone has
 * answered its NOTIFY; one that does not answer is asked again, later and later; one that is not
 * registered is told when it registers. Several changes of a phone become one NOTIFY.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_NOTIFY_H
#define HOTDESK_NOTIFY_H

#include "hotdesk/desk.h"
#include "hotdesk/location.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/store.h"

struct hd_notify;

struct hd_notify_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_store *store;
	struct hd_desk *desk;
	struct hd_location *location;
	const char *domain;
	const struct hd_clock *clock;
	uint32_t retry_s, retry_max_s;
};
HD_MUSTCHECK int hd_notify_new(struct hd_notify **np, const struct hd_notify_options *options);
void hd_notify_free(struct hd_notify *notify);
void hd_notify_set_retry(struct hd_notify *notify, uint32_t retry_s, uint32_t retry_max_s);

/** Something may have been added to the outbox: look and send. At start, too. */
void hd_notify_wake(struct hd_notify *notify);
/** A phone has registered anew: what waits for it goes now. */
void hd_notify_bound(struct hd_notify *notify, const char *phone);

#endif
