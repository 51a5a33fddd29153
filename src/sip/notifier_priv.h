/* notifier_priv.h - what the notifier's files share: packages, watchers, subscriptions. */
#ifndef HOTDESK_SIP_NOTIFIER_PRIV_H
#define HOTDESK_SIP_NOTIFIER_PRIV_H

#include <uthash.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/notifier.h"

enum { SUBSCRIPTION_ID_SIZE = HD_SHA256_BYTES };

struct package {
	struct hd_package p;
};

/** What is watched: the subscriptions to one resource of one package. */
struct topic {
	char *key; /* package's event, NUL-free, a blank, the resource */
	struct hd_subscription *subscriptions;
	UT_hash_handle hh;
};

/** A phone that watches. */
struct watcher {
	struct hd_notifier *notifier;
	char *phone;
	struct hd_subscription *subscriptions;
	size_t n;
	int64_t paced_ms;	    /* mono: when its allowance of NOTIFYs is whole again */
	struct hd_sip_timer *timer; /* for those that are paced */
	UT_hash_handle hh;
};

enum subscription_state { SUBSCRIPTION_PENDING, SUBSCRIPTION_ACTIVE, SUBSCRIPTION_TERMINATED };

struct hd_subscription {
	struct hd_notifier *notifier;
	struct package *package;
	struct watcher *watcher;
	struct topic *topic;
	uint8_t id[SUBSCRIPTION_ID_SIZE]; /* hash of Call-ID and our tag */

	/* the dialog (RFC 3261 12.1.1) */
	char *call_id, *local_tag, *remote_tag;
	char *local_uri, *remote_uri; /* To and From of the SUBSCRIBE, without <> */
	char *target;		      /* its Contact */
	char *contact;		      /* ours */
	char *routes;		      /* route set as "Route: ...\r\n" lines, or NULL */
	char flow[HD_FLOW_TEXT_SIZE];
	bool bound; /* the phone was registered by that flow: it can move */
	uint32_t remote_cseq, cseq;

	char *parameters; /* of Event, to be echoed: ";id=1" or "" */
	enum subscription_state state;
	const char *reason;
	uint32_t retry_after_s;
	uint32_t made;	  /* NOTIFYs */
	int64_t until_ms; /* mono */
	int64_t since_ms; /* wall clock of the last SUBSCRIBE */
	struct hd_sip_timer *expiry;

	struct hd_orq *notify;	  /* under way */
	bool final;		  /* it says that the subscription is terminated */
	struct hd_uac_auth *auth; /* of a phone that challenges */
	bool due;		  /* there is something newer to tell */
	bool held;		  /* until the phone registers: its connection is closed */
	bool queued, paced;	  /* in the notifier's queue; or not yet, for its phone's sake */
	int64_t not_before_ms;	  /* mono; of a paced one */

	void *data;
	UT_hash_handle hh;
	struct hd_subscription *prev, *next;	 /* of the watcher */
	struct hd_subscription *t_prev, *t_next; /* of the topic */
	struct hd_subscription *q_prev, *q_next; /* of the queue */
};

struct hd_notifier {
	struct hd_notifier_options options;
	struct package packages[HD_PACKAGES_MAX];
	size_t n_packages;
	struct hd_buf events;
	struct hd_subscription *subscriptions; /* by id */
	struct topic *topics;
	struct watcher *watchers;
	struct hd_subscription *queue; /* due, in the order of their turn */
	struct hd_sip_timer *turn;
	bool turning;
};

/** The package of an Event header field, or NULL. */
struct package *notifier_package(const struct hd_notifier *n, struct hd_msg *msg);
/** ";id=1" of an Event header field, "" for none; points into the message. */
const char *event_parameters(struct hd_msg *msg);

/**
 * A subscription to a resource, in the dialog that the transaction's request begins.
 * @return 0, HD_EPARSE (Contact) or HD_ENOMEM
 */
HD_MUSTCHECK int subscription_new(struct hd_subscription **sp, struct hd_notifier *n,
				  struct package *package, struct hd_irq *irq,
				  const struct hd_subscribe *ask, const char *resource);
/** Takes it out of everything. */
void subscription_free(struct hd_subscription *s);
/** Contact and flow of a SUBSCRIBE inside the dialog (RFC 3261 12.2.2). @return 0 or an error */
HD_MUSTCHECK int subscription_retarget(struct hd_subscription *s, struct hd_msg *msg,
				       const char *flow);
/** From now on, for so many seconds; 0 ends it. */
void subscription_extend(struct hd_subscription *s, uint32_t expires_s);
struct hd_subscription *subscription_find(struct hd_notifier *n, struct hd_msg *msg);

/** There is something to tell: now, or when the NOTIFY under way is answered. May free s. */
void subscription_notify(struct hd_subscription *s);
/** The same, in its turn. */
void notifier_enqueue(struct hd_subscription *s);
void notifier_dequeue(struct hd_subscription *s);
/** Not before in_ms. */
void notifier_wait(struct hd_subscription *s, int64_t in_ms);
/** A NOTIFY goes to this phone now. */
void watcher_count(struct watcher *w);
/** At the first notifier. */
void notification_register_metrics(void);
/** Tells that it ends, without a transaction (hd_notifier_stop()). */
void subscription_say_goodbye(struct hd_subscription *s);

#endif
