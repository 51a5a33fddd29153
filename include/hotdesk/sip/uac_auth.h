/*
 * uac_auth.h - answering challenges: digest as a client (RFC 3261 22.2, RFC 7616, RFC 8760).
 *
 * One struct hd_uac_auth belongs to one peer and outlives its requests: it keeps the challenges of
 * a 401 or 407 and how often each nonce was used, so that the next request can carry credentials
 * from the start. A request that is challenged is sent again by its owner, with the same Call-ID
 * and From, the next CSeq, and what hd_uac_auth_add() puts into it.
 *
 * Of several challenges for one realm the topmost is taken that we can answer (RFC 8760 2.4);
 * different realms are all answered (RFC 3261 22.3). MD5 and SHA-256; qop auth, auth-int where
 * nothing else is offered, and none (RFC 2069). Not supported, and passed over: -sess, userhash.
 *
 * Layer: 3.  May include: base, event, sofia-sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_UAC_AUTH_H
#define HOTDESK_SIP_UAC_AUTH_H

#include "hotdesk/digest.h"
#include "hotdesk/sip/message.h"

/** Who we are for a realm. Borrowed until the function that asked returns. */
struct hd_uac_credentials {
	const char *username;
	const char *secret;		  /* or NULL: */
	const char *ha1_md5, *ha1_sha256; /* hexadecimal, of this name and realm; NULL, "": none */
};
/** @return 0; HD_ENOENT: nobody for this realm; another error ends the attempt */
typedef int hd_uac_lookup_fn(void *arg, struct hd_slice realm,
			     struct hd_uac_credentials *credentials);

struct hd_uac_auth;

HD_MUSTCHECK int hd_uac_auth_new(struct hd_uac_auth **ap);
/** Wipes what it was told. NULL-safe. */
void hd_uac_auth_free(struct hd_uac_auth *auth);
/**
 * Takes the challenges of a 401 or 407.
 * @return 0: send the request again; HD_EACCESS: our answer was refused (asked again, and not for
 *         a stale nonce; or for a stale one time after time); HD_ENOENT: nobody for these realms;
 *         HD_EUNSUPPORTED: none that we can answer; HD_ENOMEM; an error of the look-up
 */
HD_MUSTCHECK int hd_uac_auth_take(struct hd_uac_auth *auth, struct hd_msg *response,
				  hd_uac_lookup_fn *lookup, void *arg);
/**
 * Puts Authorization and Proxy-Authorization into a request that is complete otherwise, and counts
 * the nonces up. Without challenges it does nothing.
 * @return 0, HD_EPARSE or HD_ENOMEM
 */
HD_MUSTCHECK int hd_uac_auth_add(struct hd_uac_auth *auth, struct hd_msg *request);
/** The request was answered with anything else: a later challenge is about a later request. */
void hd_uac_auth_accepted(struct hd_uac_auth *auth);

#endif
