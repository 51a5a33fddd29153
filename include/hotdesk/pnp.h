/*
 * pnp.h - SIP plug and play: a phone without configuration asks for its URL (SUBSCRIBE, Event:
 * ua-profile, RFC 6080 as phones do it), by multicast to 224.0.1.75 or to us, and gets it by
 * NOTIFY.
 *
 * Nobody has said who he is, and a MAC is no secret: so a phone that the directory knows by its
 * MAC gets the URL that all its vendor's phones get, which is worth nothing without a client
 * certificate or a password. Only where the configuration names networks for it, a phone that has
 * never fetched gets the URL with its token. Other MACs get no answer at all.
 *
 * Layer: 4 (notify).  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_PNP_H
#define HOTDESK_PNP_H

#include "hotdesk/device.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/store.h"

struct hd_pnp;

struct hd_pnp_policy { /* copied */
	bool enabled;
	const char *url; /* what URLs of phones begin with, or "": nothing is served */
	const char *const *interfaces; /* of the multicast group; none: all */
	size_t n_interfaces;
	const char *const *token_networks; /* who is there gets its token, once */
	size_t n_token_networks;
};

struct hd_pnp_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_store *store;
	struct hd_directory *directory;
	struct hd_device *device;
	const struct hd_clock *clock;
};
/** Not enabled until hd_pnp_set_policy(). @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int hd_pnp_new(struct hd_pnp **pp, const struct hd_pnp_options *options);
/** NULL-safe. */
void hd_pnp_free(struct hd_pnp *pnp);
/** Joins or leaves the group; what cannot be opened is logged, and asked for again by a reload. */
void hd_pnp_set_policy(struct hd_pnp *pnp, const struct hd_pnp_policy *policy);
/**
 * Takes a SUBSCRIBE for ua-profile that came to us alone.
 * @return false: it is not one, or not ours to answer; req is still the caller's
 */
bool hd_pnp_receive(struct hd_pnp *pnp, struct hd_request *req);

#endif
