/*
 * upstream.h - the PBX or trunks behind us: which of them a number goes to, whether they answer,
 * whose requests are theirs, and our registrations there.
 *
 * A peer (hotdesk/base/peer.h) is down when an OPTIONS of ours is not answered, or with 503; any
 * other answer shows that it is up. One that is not probed counts as up.
 *
 * Registrations: one for a peer with mode=register; for a peer with mode=user one for each user who
 * is logged in and has an account there. They follow the desk sessions, not the logins: at every
 * change, and at the start, all sessions are looked through, some at a time, and what is registered
 * becomes what should be. That a user is registered is written down before the first REGISTER and
 * struck out after the last one, so that a crash between a logout and its REGISTER loses nothing.
 * At most `register_rate` a second are sent and `register_max` are without an answer, whatever
 * happens; refreshed between 50 % and 80 % of the lifetime that was granted; after a failure tried
 * again after retry_s, twice that, ... retry_max_s, or what Retry-After says, all of it jittered;
 * but at once when its account or the peer's URI has changed. What was registered by another name,
 * at another URI or at a peer that is configured no more is unregistered there as it was, in its
 * turn among the others and for no longer than five minutes; then, and when we end or did not run
 * in that moment, it runs out by itself.
 * At our end they stay: the users are still logged in, and the next start takes them over.
 *
 * Layer: 4.  May include: sip, L2.  Thread: the SIP thread.
 */
#ifndef HOTDESK_UPSTREAM_H
#define HOTDESK_UPSTREAM_H

#include "hotdesk/account.h"
#include "hotdesk/base/peer.h"
#include "hotdesk/desk.h"
#include "hotdesk/number.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/sip/uac_auth.h"

struct hd_upstreams;

struct hd_upstream_policy {
	uint32_t register_rate, register_max, retry_s, retry_max_s;
};
struct hd_upstreams_options {
	struct hd_agent *agent; /* all borrowed */
	struct hd_store *store;
	struct hd_desk *desk;
	struct hd_accounts *accounts;
	const char *domain;
	const struct hd_clock *clock;
};
HD_MUSTCHECK int hd_upstreams_new(struct hd_upstreams **up,
				  const struct hd_upstreams_options *options);
/** NULL-safe. */
void hd_upstreams_free(struct hd_upstreams *u);
/**
 * The peers of a configuration, in its order; copied. Those that stay keep what is known of them.
 * @return 0 or HD_ENOMEM: the old ones stay
 */
HD_MUSTCHECK int hd_upstreams_set(struct hd_upstreams *u, const struct hd_peer *peers, size_t n,
				  const struct hd_upstream_policy *policy);
/** Desk sessions or accounts may have changed. */
void hd_upstreams_changed(struct hd_upstreams *u);

/**
 * The peer that a request is from: by its address, or by its certificate. Only within the
 * function that the agent calls for it. @return NULL: of nobody
 */
const struct hd_peer *hd_upstreams_from(const struct hd_upstreams *u, struct hd_request *req);
/**
 * The peers for a number, in the order in which they are to be asked: those that are down last.
 * @return how many
 */
size_t hd_upstreams_find(const struct hd_upstreams *u, const struct hd_number *number,
			 const struct hd_peer *peers[HD_PEERS_MAX]);
/** The peer whose URI has the host and port of this one, or NULL. */
const struct hd_peer *hd_upstreams_at(const struct hd_upstreams *u, const struct hd_uri *uri);
/** Whether a URI names the host of the peer that an account is for, or an address of its. */
bool hd_upstreams_is_at(const struct hd_upstreams *u, const char *account,
			const struct hd_uri *uri);
/**
 * Our account for a request of this user, or of nobody (""), at a peer: "pbx/201", "pbx".
 * dst has room for HD_UPSTREAM_ACCOUNT_SIZE.
 */
enum { HD_UPSTREAM_ACCOUNT_SIZE = HD_PEER_NAME_SIZE + HD_NUMBER_SIZE };
void hd_upstream_account(char *dst, const struct hd_peer *peer, const char *user);
/** What it is made of; good until the next time. @return 0, HD_ENOENT or the store's error */
HD_MUSTCHECK int hd_upstreams_credentials(struct hd_upstreams *u, const char *account,
					  struct hd_uac_credentials *credentials);

/** What is known of a peer. */
struct hd_upstream_state {
	char name[HD_PEER_NAME_SIZE], uri[HD_PEER_URI_SIZE];
	enum hd_peer_mode mode;
	bool probed, up;
	int status;	    /* of the last answer to OPTIONS; 0: none yet; 408, 503: of our own */
	int64_t changed_ms; /* wall clock, of up or down; 0: never */
	size_t registered, wanted, failing;
};
/** @return how many there are */
size_t hd_upstreams_state(const struct hd_upstreams *u,
			  struct hd_upstream_state states[HD_PEERS_MAX]);

#endif
