/*
 * peer.h - a PBX or trunk behind us, as one line of the configuration (upstream.peers).
 *
 * "NAME URI [KEY=VALUE]...", in any order after the URI:
 *
 *     pbx sip:pbx.example.com;transport=tcp mode=user from=192.0.2.0/28 routes=+~,2XX form=e164
 *
 *     mode=trust|register|user  it knows us by our address; one registration of ours for all; one
 *                               for every user who is logged in. Without it: trust
 *     from=NETWORK,...          where its requests come from; without it, from nowhere
 *     certificate=DOMAIN,...    or by TLS from anywhere, with a certificate for one of these
 *     routes=PATTERN,...        numbers it is given (hotdesk/number.h); without it, none. "~": all
 *     form=e164|plain|national|dialled  how it writes numbers; without it: e164
 *     strip=PREFIX,...          what numbers that it calls begin with before the user's own
 *     order=N                   0 to 65535: lower ones are tried first; equal ones as they stand
 *     expires=SECONDS           of a registration: 60 to 86400; without it: 3600
 *     probe=SECONDS             between OPTIONS, 1 to 3600, 0: none; without it: 30
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_PEER_H
#define HOTDESK_BASE_PEER_H

#include "hotdesk/base/source.h"
#include "hotdesk/base/str.h"

enum {
	HD_PEER_NAME_SIZE = 33,
	HD_PEER_URI_SIZE = 256,
	HD_PEER_PATTERN_SIZE = 34,
	HD_PEER_ROUTES_MAX = 32,
	HD_PEER_STRIPS_MAX = 8,
	HD_PEER_CERTIFICATES_MAX = 4,
	HD_PEER_DOMAIN_SIZE = 254,
	HD_PEERS_MAX = 16,
};

enum hd_peer_mode { HD_PEER_TRUST, HD_PEER_REGISTER, HD_PEER_USER };
/** "trust", "register", "user". */
const char *hd_peer_mode_name(enum hd_peer_mode mode);

struct hd_peer {
	char name[HD_PEER_NAME_SIZE];
	char uri[HD_PEER_URI_SIZE]; /* without user part */
	enum hd_peer_mode mode;
	struct hd_networks from;
	char certificates[HD_PEER_CERTIFICATES_MAX][HD_PEER_DOMAIN_SIZE];
	size_t n_certificates;
	char routes[HD_PEER_ROUTES_MAX][HD_PEER_PATTERN_SIZE];
	size_t n_routes;
	char strips[HD_PEER_STRIPS_MAX][HD_PEER_PATTERN_SIZE];
	size_t n_strips;
	char form[9];
	uint32_t order, expires_s, probe_s;
};

/**
 * @param whyp receives what is wrong and what was expected, static text; may be NULL
 * @return 0 or HD_EPARSE
 */
HD_MUSTCHECK int hd_peer_parse(struct hd_peer *peer, struct hd_slice line, const char **whyp);
/** "sip:USER@HOST..." of a peer's URI; user is escaped here. */
void hd_peer_uri(struct hd_buf *out, const struct hd_peer *peer, const char *user);
/** Its host, with port, without parameters: the domain of its users. */
struct hd_slice hd_peer_domain(const struct hd_peer *peer);

#endif
