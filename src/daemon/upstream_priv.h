/* upstream_priv.h - the PBX or trunks behind us, as the rest of the daemon sees them. */
#ifndef HOTDESK_DAEMON_UPSTREAM_PRIV_H
#define HOTDESK_DAEMON_UPSTREAM_PRIV_H

#include "daemon_priv.h"
#include "hotdesk/upstream.h"

/** The PBX or trunks behind us (upstream.c); all but the last on the SIP thread. */
void daemon_start_upstream(struct daemon *d);
void daemon_stop_upstream(struct daemon *d);
/** New values out of a reload. */
void daemon_upstream_take(struct daemon *d, const struct hd_conf *conf);
/**
 * An initial request of a phone to whom nobody here is called.
 * @param phone or NULL: of somebody outside, and plan->diverted_by sends it there
 * @return false: it is for no upstream either, and still to be ended
 */
bool daemon_upstream_forward(struct daemon *d, struct hd_request *req, const char *phone,
			     struct hd_plan *plan);
/** Whether it is for a peer to say what a SUBSCRIBE is about: for nobody here, and one has it. */
bool daemon_upstream_is_asked(struct daemon *d, struct hd_msg *msg);
/**
 * A call for help that nothing here takes.
 * @param lines of its location, or ""
 * @return false: no peer takes the number either, and it is still to be ended
 */
bool daemon_upstream_emergency(struct daemon *d, struct hd_request *req, const char *phone,
			       struct hd_slice dialled, const char *lines);
/** Whether a number goes to one of the peers. */
bool daemon_upstream_has(const struct daemon *d, const struct hd_number *number);
/**
 * A call that was refused, or rings, goes on to plan->outside.
 * @param payer    who sends it there, and whose account at a peer it is
 * @param identity URI of the caller, or NULL: none of ours
 * @param lines    of RFC 5806
 * @return false: it cannot be sent; everything is as it was
 */
bool daemon_upstream_divert(struct daemon *d, const struct hd_call *call, const char *payer,
			    const struct hd_plan *plan, const char *identity, const char *lines);
/** Behind those of ours, if there are any, the ones that a peer has sent: it is believed. */
void daemon_keep_diversions(struct hd_buf *lines, struct hd_msg *msg);
/** An initial request from a peer: ends it. @return false: it is from nobody we know */
bool daemon_upstream_receive(struct daemon *d, struct hd_request *req);
/* A number that a peer calls, without what it puts in front of ours. @return 0 or HD_E* */
HD_MUSTCHECK int daemon_called_name(const struct hd_peer *peer, struct hd_slice user,
				    struct hd_buf *out);
/* summary.c. @return false: not what it is about */
bool daemon_summary_receive(struct daemon *d, struct hd_request *req, const struct hd_peer *peer);
/** For hd_proxy_new(): our account there. */
int daemon_upstream_credentials(void *arg, const char *account, struct hd_slice realm,
				struct hd_uac_credentials *credentials);
/**
 * Our account for a call for help: the user's, else the peer's; account has room for
 * HD_UPSTREAM_ACCOUNT_SIZE.
 * @param uri of a peer or of somebody else
 * @return false: it is nobody's we know
 */
bool daemon_upstream_account(struct daemon *d, const struct hd_uri *uri, const char *user,
			     char *account);
/** For hd_proxy_new(): whether a URI is the server's. */
bool daemon_upstream_is_server(void *arg, const char *account, const struct hd_uri *uri);
/** Adds GET /v1/upstreams (upstream_state.c). */
HD_MUSTCHECK int daemon_mount_upstreams(struct daemon *d);

#endif
