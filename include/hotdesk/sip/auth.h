/*
 * auth.h - who sent this request: digest authentication of a request, with the answers it needs.
 *
 * REGISTER is challenged with 401, everything else from phones with 407 (RFC 3261 22.2, 22.3).
 * Challenges are stateless. Over UDP a challenge is kept no larger than the request that asked for
 * it by leaving out SHA-256; what a request of a few hundred bytes gets can still be some bytes
 * larger than itself, and the limit on the requests of one source (sip.source_rate) is then what
 * keeps us from being an amplifier. Networks without that limit (sip.source_exempt) are trusted not
 * to be forged, and are always offered all algorithms.
 *
 * Layer: 3.  May include: base, sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_AUTH_H
#define HOTDESK_SIP_AUTH_H

#include "hotdesk/digest.h"
#include "hotdesk/sip/agent.h"

struct hd_auth;

/** Borrows the digest service. lookup as for hd_digest_check(). @return 0, HD_EINVAL or HD_ENOMEM
 */
HD_MUSTCHECK int hd_auth_new(struct hd_auth **ap, struct hd_digest *digest,
			     hd_digest_lookup_fn *lookup, void *arg);
void hd_auth_free(struct hd_auth *auth);
/**
 * Phones whose User-Agent begins with one of these, in upper or lower case, are offered MD5 alone
 * as long as the digest service has it: they give up when a challenge names another algorithm.
 * Copied; what there is no memory for is left out and logged.
 */
void hd_auth_set_md5_only(struct hd_auth *auth, const char *const *agents, size_t n);

/**
 * Authenticates a request. When it returns false the request has been answered and ended.
 * @param user      receives the authenticated name; room for HD_DIGEST_USER_SIZE
 * @param repeatedp receives true for a retransmission whose first copy was accepted; may be NULL
 */
HD_MUSTCHECK bool hd_auth_request(struct hd_auth *auth, struct hd_request *req, char *user,
				  bool *repeatedp);

#endif
