/* sofia_tls.c - see hotdesk/sip/guard.h: OpenSSL as Sofia-SIP gets it. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sofia_creds.h"
#include "sofia_hook_priv.h"

enum { KEEP_ALIVES = 16 }; /* read at once; others want their turn */

static _Thread_local SSL *shut_ssl; /* by tls_free(), which frees its BIO next */
static _Thread_local BIO *shut_bio;

static void prepare(SSL *ssl)
{
	hd_tls_prepare(ssl);
	if (!hd_guard_is_on())
		return;
	/* The error queue is the thread's: an old error would end another peer's connection. */
	ERR_clear_error();
	/* A peer that hangs up without a farewell is no error: SIP has lengths of its own. */
	SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

int hook_ssl_accept(SSL *ssl)
{
	int done;

	if (FROM_SOFIA())
		prepare(ssl);
	if (FROM_SOFIA() && hd_guard_is_on())
		hd_guard_set_tls(SSL_get_fd(ssl));
	done = REAL(ssl_accept)(ssl);
	if (done == 1 && FROM_SOFIA())
		hd_tls_connected(ssl);
	return done;
}

int hook_ssl_connect(SSL *ssl)
{
	int done;

	if (FROM_SOFIA())
		prepare(ssl);
	done = REAL(ssl_connect)(ssl);
	if (done == 1 && FROM_SOFIA())
		hd_tls_connected(ssl);
	return done;
}

/* Keep-alives, in a read of their own, and not within a message. */
static bool is_blank(SSL *ssl, const char *data, int n)
{
	for (int i = 0; i < n; i++)
		if (data[i] != '\r' && data[i] != '\n')
			return false;
	return n > 0 && !hd_guard_is_half(SSL_get_fd(ssl));
}

/*
 * RFC 5626 4.4.1. Not while the library waits to write a message, which it must repeat as it is;
 * then that is the sign of life.
 */
static void pong(SSL *ssl, const char *data, int n)
{
	static const char ping[] = "\r\n\r\n";
	const int len = (int)sizeof(ping) - 1;

	if (n >= len && memcmp(data, ping, (size_t)len) == 0 && !SSL_want_write(ssl))
		(void)REAL(ssl_write)(ssl, ping, 2);
	ERR_clear_error();
}

/*
 * On TLS, unlike TCP, the library neither answers a ping nor knows one: it would take it for the
 * beginning of a message, and close the connection when no more of that came.
 */
int hook_ssl_read(SSL *ssl, void *buf, int size)
{
	int n = 0;

	if (!FROM_SOFIA() || !hd_guard_is_on())
		return REAL(ssl_read)(ssl, buf, size);
	ERR_clear_error();
	hd_hook_set_current(SSL_get_fd(ssl));
	for (int i = 0; i < KEEP_ALIVES; i++) {
		n = REAL(ssl_read)(ssl, buf, size);
		if (!is_blank(ssl, buf, n))
			return n;
		pong(ssl, buf, n);
	}
	return n;
}

int hook_ssl_write(SSL *ssl, const void *buf, int size)
{
	if (FROM_SOFIA() && hd_guard_is_on())
		ERR_clear_error();
	return REAL(ssl_write)(ssl, buf, size);
}

int hook_ssl_shutdown(SSL *ssl)
{
	if (FROM_SOFIA() && hd_guard_is_on()) {
		shut_ssl = ssl;
		shut_bio = SSL_get_rbio(ssl);
	}
	return REAL(ssl_shutdown)(ssl);
}

/*
 * The library collects the alternative names of a certificate and frees the list without what is in
 * it. Nobody asks it for them, and without one it is content.
 */
X509 *hook_ssl_certificate(const SSL *ssl)
{
	return FROM_SOFIA() && hd_guard_is_on() ? NULL : REAL(ssl_certificate)(ssl);
}

/* A library that frees by itself, as later ones do, is not freed for twice. */
void hook_ssl_free(SSL *ssl)
{
	if (FROM_SOFIA() && ssl == shut_ssl) {
		shut_ssl = NULL;
		shut_bio = NULL;
	}
	REAL(ssl_free)(ssl);
}

/*
 * tls_free() calls SSL_shutdown(), SSL_CTX_free() and then this. The SSL owns the BIO, so freeing
 * the SSL is right and frees both. SSL_CTX_free() has already given back the reference that
 * SSL_new() took, hence one more for SSL_free() to give back.
 */
int hook_bio_free(BIO *bio)
{
	SSL *ssl = shut_ssl;

	if (!FROM_SOFIA() || !bio || !ssl || bio != shut_bio)
		return REAL(bio_free)(bio);
	shut_ssl = NULL;
	shut_bio = NULL;
	if (!SSL_CTX_up_ref(SSL_get_SSL_CTX(ssl)))
		return REAL(bio_free)(bio);
	REAL(ssl_free)(ssl);
	ERR_clear_error();
	hd_guard_ssl_freed();
	return 1;
}
