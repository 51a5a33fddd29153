/*
 * notify.h - telling phones: the NOTIFY that makes a phone fetch its configuration anew.
 *
 * What is to be told stands in the store's outbox, written with the login or logout itself; so a
 * phone is told at least once, also after a restart. The NOTIFY is its vendor's (hotdesk/device.h),
 * over the flow it registered on, and goes on to carry credentials when the phone asks for them:
 * the phone's id with its secret, or with its HA1 where the realm is the one that this is for.
 *
 * An entry is struck out when the phone was told: it has answered, and, if it is of those that
 * fetch and there is something to fetch (a server, and the phone's secret, without which it gets
 * no configuration), it has fetched since it was asked. A phone that does
 * not is asked again, later and later; after `tries` times that is reported once (log, gauge,
 * `phone show`), and from then on it is asked rarely. One that is not registered is told when it
 * registers. One whose vendor would cut a call is told after its calls. Several changes of a phone
 * become one NOTIFY; a change that comes while a phone is expected to fetch is told at once.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_NOTIFY_H
#define HOTDESK_NOTIFY_H

#include "hotdesk/desk.h"
#include "hotdesk/device.h"
#include "hotdesk/location.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/store.h"

struct hd_notify;

/** What a reload may change. */
struct hd_notify_policy {
	uint32_t retry_s, retry_max_s; /* between NOTIFYs, doubling */
	uint32_t fetch_s;	       /* for the fetch, after the answer */
	uint32_t tries;		       /* without success, until the phone is reported */
	uint32_t rare_s;	       /* between NOTIFYs to one that was reported */
	bool fetching;		       /* phones can fetch from us; else an answer is enough */
};

struct hd_notify_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_store *store;
	struct hd_desk *desk;
	struct hd_location *location;
	struct hd_directory *directory;
	struct hd_device *device;
	const char *domain;
	const struct hd_clock *clock;
	struct hd_notify_policy policy;
	/**
	 * Appends the keys of a phone as its vendor wants them in a NOTIFY (HD_RESYNC_PATCH); or
	 * NULL: such phones are asked to fetch.
	 * @return 0 or an error: it is asked to fetch
	 */
	int (*patch)(void *arg, const char *phone, struct hd_buf *body);
	/** Whether a phone has a call, ringing ones included; or NULL: nobody knows. */
	bool (*busy)(void *arg, const char *phone);
	void *arg;
};
HD_MUSTCHECK int hd_notify_new(struct hd_notify **np, const struct hd_notify_options *options);
void hd_notify_free(struct hd_notify *notify);
void hd_notify_set_policy(struct hd_notify *notify, const struct hd_notify_policy *policy);

/** Something may have been added to the outbox: look and send. At start, too. */
void hd_notify_wake(struct hd_notify *notify);
/** A phone has registered anew: what waits for it goes now. */
void hd_notify_bound(struct hd_notify *notify, const char *phone);
enum { HD_NOTIFY_TEXT_SIZE = 160 };
/**
 * Shows a line of UTF-8 text on a phone, if it can: by a NOTIFY with the XML screen of its vendor,
 * and where there is none or it is refused, by MESSAGE (RFC 3428); once, whatever it answers then.
 * @return 0; HD_EGONE: not registered; HD_EBUSY, HD_ENOMEM, HD_ELIMIT, the store's error
 */
HD_MUSTCHECK int hd_notify_text(struct hd_notify *notify, const char *phone, const char *text);
/**
 * What a line on the phone's idle screen says from now on, "": nothing, and whether its lamp calls
 * for attention; by the NOTIFY of its vendor, where the vendor has such a line or lamp. A phone
 * that is not registered, or does not answer, is told when it registers anew, or when there is more
 * to tell; what changes meanwhile once, as it is then. A challenge is answered as at a resync.
 * @return 0, HD_ENOMEM or HD_ELIMIT
 */
HD_MUSTCHECK int hd_notify_status(struct hd_notify *notify, const char *phone, const char *text);
/** In the same way: the phone is to forget the calls in its own lists, where it can. */
HD_MUSTCHECK int hd_notify_forget_calls(struct hd_notify *notify, const char *phone);
/** A phone has no call any more. */
void hd_notify_idle(struct hd_notify *notify, const char *phone);
/**
 * A phone has fetched its configuration.
 * @param at_ms wall clock, taken before what it got was read from the store
 */
void hd_notify_fetched(struct hd_notify *notify, const char *phone, int64_t at_ms);

#endif
