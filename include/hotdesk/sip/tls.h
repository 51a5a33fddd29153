/*
 * tls.h - our certificate for TLS, and what the certificates of phones are checked against.
 *
 * Layer: 3.  May include: base, sip.  Thread: as said at each function.
 */
#ifndef HOTDESK_SIP_TLS_H
#define HOTDESK_SIP_TLS_H

#include "hotdesk/base/error.h"
#include "hotdesk/base/str.h"
#include "hotdesk/sip/agent.h"

/** PEM files of TLS. */
struct hd_tls_files {
	const char *certificate; /* ours, then the intermediate ones */
	const char *key;
	const char *ca; /* that peers' certificates are checked against; NULL: peers need none */
	/*
	 * With it peers are asked for a certificate, and may have none: hd_request_is_from() knows
	 * those that lead to one of these. NULL: it knows nobody.
	 */
	const char *servers_ca;
};
struct hd_tls;
/**
 * Reads and checks them. Any thread.
 * @param errors receives one line when they are refused
 * @return 0, HD_EINVAL or HD_ENOMEM
 */
HD_MUSTCHECK int hd_tls_new(struct hd_tls **tp, const struct hd_tls_files *files,
			    struct hd_buf *errors);
/** NULL-safe. */
void hd_tls_free(struct hd_tls *tls);
/** For the connections that come from now on; tls is moved. SIP thread. */
void hd_agent_set_tls(struct hd_agent *agent, struct hd_tls *tls);
/**
 * True when it came by TLS, and the certificate of the other end leads to one of servers_ca and
 * is for this domain (RFC 5922 7.1). Only within hd_agent_options.request, on the SIP thread.
 */
bool hd_request_is_from(const struct hd_request *req, const char *domain);

#endif
