/*
 * sofia_creds.h - our certificate, and what a peer's one is checked against, for new connections.
 *
 * The library reads its files once, at the start, takes the first certificate of a file only, and
 * accepts any protocol and any peer; what stands here is put into each connection before its
 * handshake instead. So a new certificate takes effect with the next connection, and those that
 * are open go on with theirs.
 */
#ifndef HOTDESK_SIP_SOFIA_CREDS_H
#define HOTDESK_SIP_SOFIA_CREDS_H

#include <openssl/ssl.h>

#include "hotdesk/sip/tls.h"

/** For this thread's connections; owned from here on. NULL: none. */
void hd_tls_use(struct hd_tls *tls);
/** Before the handshake of a connection; later calls do nothing. */
void hd_tls_prepare(SSL *ssl);
/** Its handshake is done: whether it is one of hd_tls_files.servers_ca is found out. */
void hd_tls_connected(SSL *ssl);

/* ---- sofia_name.c --------------------------------------------------------------------------- */

/** Keeps the certificate of the other end, when it leads to one in the store. */
void hd_tls_remember(SSL *ssl, X509_STORE *store);
/** The descriptor of a connection is about to be closed. */
void hd_tls_forget(int fd);
/** Whether the certificate that is kept of a connection is for a domain. */
bool hd_tls_is_named(int fd, const char *domain);

#endif
