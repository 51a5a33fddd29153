/*
 * registrar.h - REGISTER (RFC 3261 10.3), in the order of its steps.
 *
 * A phone registers its own address-of-record and no other. A new or changed binding is answered
 * after its commit; a mere refresh may be answered at once and is written within seconds. A
 * retransmission that arrives before the commit is recognised and dropped: the answer to the first
 * copy serves both.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_REGISTRAR_H
#define HOTDESK_REGISTRAR_H

#include "hotdesk/device.h"
#include "hotdesk/location.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/sip/auth.h"
#include "hotdesk/store.h"

struct hd_registrar;

struct hd_registrar_policy {
	uint32_t expires_min_s, expires_max_s, expires_default_s;
	uint32_t contacts_max;
	bool soft_refresh;
	bool service_route;
	uint32_t flow_timer_s; /* 0: none is told */
};

struct hd_registrar_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_auth *auth;
	struct hd_store *store;
	struct hd_location *location;
	struct hd_device *device; /* takes what a phone shows of itself; or NULL */
	const struct hd_clock *clock;
	struct hd_registrar_policy policy;
	uint32_t soft_delay_ms; /* the store's: how long a refresh may wait to be written */
	/** A phone has a binding that it had not, or elsewhere; after the commit. */
	void (*bound)(void *arg, const char *phone);
	void *arg;
};
HD_MUSTCHECK int hd_registrar_new(struct hd_registrar **rp,
				  const struct hd_registrar_options *options);
/** After the store has stopped and the mailbox was drained: nothing is pending. NULL-safe. */
void hd_registrar_free(struct hd_registrar *registrar);
void hd_registrar_set_policy(struct hd_registrar *registrar,
			     const struct hd_registrar_policy *policy);

/** Answers a REGISTER to our domain, now or after its commit; ends it. */
void hd_registrar_receive(struct hd_registrar *registrar, struct hd_request *req);
/** REGISTERs that wait for their commit. */
size_t hd_registrar_pending(const struct hd_registrar *registrar);

#endif
