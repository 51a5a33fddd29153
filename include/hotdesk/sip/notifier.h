/*
 * notifier.h - the notifier of SIP events (RFC 6665): subscriptions of phones to what we know.
 *
 * A package says who may subscribe to what, and what is to be told of it now. The notifier does the
 * rest: SUBSCRIBE and its refusals, the dialog, expiry, and NOTIFYs. At most one NOTIFY of a
 * subscription is under way; what changes meanwhile is told by the next one, as it is then. Each
 * SUBSCRIBE is answered and followed by a NOTIFY at once; all others are spread out, because phones
 * drop what comes too fast (Auerswald: more than 10 a second).
 *
 * A subscription ends by `Expires: 0`, by its time, when its resource is no more, when the phone
 * says that it knows nothing of it (481 and what else RFC 5057 counts to that), and when a NOTIFY
 * is not answered at all. One whose connection is closed waits for its phone to register again, and
 * goes on where that is. Subscriptions do not outlive the process: at its end phones are told to
 * come back (`terminated;reason=probation`), and after a crash a refresh gets 481.
 *
 * Layer: 3.  May include: base, sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_NOTIFIER_H
#define HOTDESK_SIP_NOTIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/sip/agent.h"

struct hd_notifier;
struct hd_subscription;
struct hd_uac_auth;

enum { HD_PACKAGES_MAX = 8, HD_RESOURCE_SIZE = 128 };

/** What a phone asks to be told. */
struct hd_subscribe {
	const char *phone;	/* authenticated */
	struct hd_slice user;	/* of the Request-URI, escaped as it came */
	const char *parameters; /* of the Event header field, ";id=1"; "" for none */
};

enum {
	HD_NOTIFY_LATER = 1, /* hd_package.receive: 200 now, NOTIFY by hd_subscription_push() */
};

struct hd_package {
	const char *event;	  /* "dialog"; static, as the next */
	const char *content_type; /* the one that a phone without Accept takes */
	/**
	 * Whether a phone may subscribe, and to what.
	 * @param resource receives a key of the package's own, for hd_notifier_push()
	 * @return 200; 202 when somebody has yet to decide (hd_subscription_approve()); else the
	 *         status of a refusal
	 */
	int (*may)(void *arg, const struct hd_subscribe *subscribe,
		   char resource[HD_RESOURCE_SIZE]);
	/**
	 * What there is to tell now, all of it.
	 * @param type receives another Content-Type than content_type, if need be
	 * @return 0; HD_ENOENT: the resource is no more, which ends the subscription; another error
	 *         puts the NOTIFY off
	 */
	int (*body)(void *arg, struct hd_subscription *subscription, struct hd_buf *body,
		    struct hd_buf *type);
	/**
	 * A SUBSCRIBE with a body; NULL: they get 415.
	 * @return 200, HD_NOTIFY_LATER, or the status of a refusal: then nothing has changed
	 */
	int (*receive)(void *arg, struct hd_subscription *subscription, struct hd_msg *msg);
	/** The subscription is about to be freed; or NULL. It may not be pushed here. */
	void (*ended)(void *arg, struct hd_subscription *subscription);
	void *arg;
};

/** A `may`: a phone asks for itself, by its own address or none; the resource is its id. */
int hd_subscribe_may_self(void *arg, const struct hd_subscribe *subscribe,
			  char resource[HD_RESOURCE_SIZE]);

/** Values that a reload may change. */
struct hd_notifier_limits {
	uint32_t expires_min_s, expires_max_s, expires_default_s;
	uint32_t subscriptions_max; /* of all phones */
	uint32_t phone_max;	    /* of one phone */
	uint32_t notify_rate;	    /* NOTIFYs a second to one phone; 0: no limit */
	uint32_t retry_after_min_s, retry_after_max_s; /* at our end: a random time between */
};

/** Where a phone is that has registered from elsewhere. */
struct hd_moved {
	char contact_uri[520], flow[HD_FLOW_TEXT_SIZE];
};

struct hd_notifier_options {
	struct hd_agent *agent; /* borrowed, with the clock */
	const struct hd_clock *clock;
	struct hd_notifier_limits limits;
	/** Whether a phone is registered by this flow. */
	bool (*is_bound)(void *arg, const char *phone, const char *flow);
	/**
	 * Where a phone has moved to that was registered by this flow and is not any more.
	 * @param since_ms wall clock of its last SUBSCRIBE
	 */
	bool (*moved)(void *arg, const char *phone, const struct hd_moved *from, int64_t since_ms,
		      struct hd_moved *to);
	/**
	 * Takes the challenge of a 401 or 407 to a NOTIFY into what answers it (uac_auth.h); or
	 * NULL: a challenge is a refusal.
	 * @return 0: the NOTIFY is repeated
	 */
	int (*challenged)(void *arg, const char *phone, struct hd_uac_auth *auth,
			  struct hd_msg *response);
	void *arg;
};

/** @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int hd_notifier_new(struct hd_notifier **np,
				 const struct hd_notifier_options *options);
/**
 * Tells every phone that its subscriptions end here, and that it shall come back in a while. On the
 * SIP thread, last: the NOTIFYs are sent once, nobody waits for answers.
 */
void hd_notifier_stop(struct hd_notifier *notifier);
/** NULL-safe. Says nothing to anybody. */
void hd_notifier_free(struct hd_notifier *notifier);
void hd_notifier_set_limits(struct hd_notifier *notifier, const struct hd_notifier_limits *limits);
/** Copied. @return 0, HD_ELIMIT or HD_EEXIST */
HD_MUSTCHECK int hd_notifier_add(struct hd_notifier *notifier, const struct hd_package *package);
/** "dialog, x-broadworks-hoteling": for Allow-Events. Borrowed. */
const char *hd_notifier_events(const struct hd_notifier *notifier);
/** Whether a SUBSCRIBE names an event of ours. */
bool hd_notifier_serves(const struct hd_notifier *notifier, struct hd_msg *msg);

/** An initial SUBSCRIBE of an authenticated phone; ends the request. */
void hd_notifier_receive(struct hd_notifier *notifier, struct hd_request *req, const char *phone);
/**
 * A request inside a dialog, of an authenticated phone.
 * @return false: not of a dialog of ours, and not ended
 */
HD_MUSTCHECK bool hd_notifier_receive_in_dialog(struct hd_notifier *notifier,
						struct hd_request *req, const char *phone);
/** 489 with Allow-Events; ends the request. */
void hd_notifier_refuse_event(struct hd_notifier *notifier, struct hd_request *req);

/** A resource of a package has changed: who is subscribed to it is told. */
void hd_notifier_push(struct hd_notifier *notifier, const char *event, const char *resource);
/** Every resource of a package may have changed, or NULL: of all. */
void hd_notifier_push_all(struct hd_notifier *notifier, const char *event);
/** A phone has registered anew: NOTIFYs that wait for it go there. */
void hd_notifier_bound(struct hd_notifier *notifier, const char *phone);
/** How many there are. */
size_t hd_notifier_count(const struct hd_notifier *notifier);

/* ---- one subscription, for its package ------------------------------------------------------ */

const char *hd_subscription_phone(const struct hd_subscription *s);
const char *hd_subscription_resource(const struct hd_subscription *s);
/** Of the SUBSCRIBE, without parameters: "sip:*771@example.com". */
const char *hd_subscription_uri(const struct hd_subscription *s);
/** NOTIFYs that were made before: 0 for the first (RFC 4235 3.9, "version"). */
uint32_t hd_subscription_version(const struct hd_subscription *s);
/** Seconds left. */
uint32_t hd_subscription_left_s(const struct hd_subscription *s);
/** Where its phone is, as hd_request_addresses(). */
void hd_subscription_addresses(const struct hd_subscription *s, char *local, char *remote,
			       size_t size);
/** A pointer of the package's, NULL at first; `ended` is where it is freed. */
void hd_subscription_set_data(struct hd_subscription *s, void *data);
void *hd_subscription_data(const struct hd_subscription *s);
/** Something to be told to this one alone, ahead of what is spread out. */
void hd_subscription_push(struct hd_subscription *s);
/** Pending becomes active, and is told so. */
void hd_subscription_approve(struct hd_subscription *s);
/** Ends it with a reason of RFC 6665 4.1.3 ("rejected", "noresource"; static). */
void hd_subscription_end(struct hd_subscription *s, const char *reason);

#endif
