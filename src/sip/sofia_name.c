/* sofia_name.c - who the other end of a TLS connection has proved to be; see sofia_creds.h. */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <uthash.h>

#include "hotdesk/base/uri.h"
#include "sofia_creds.h"

/* A connection whose certificate leads to one of ours for servers. */
struct known {
	int fd;
	X509 *certificate;
	UT_hash_handle hh;
};

static _Thread_local struct known *known;

void hd_tls_forget(int fd)
{
	struct known *k;

	HASH_FIND_INT(known, &fd, k);
	if (!k)
		return;
	HASH_DEL(known, k);
	X509_free(k->certificate);
	free(k);
}

static bool leads_to(X509_STORE *store, SSL *ssl, X509 *certificate)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok;

	ok = ctx &&
	     X509_STORE_CTX_init(ctx, store, certificate, SSL_get_peer_cert_chain(ssl)) == 1 &&
	     X509_STORE_CTX_set_default(ctx, SSL_is_server(ssl) ? "ssl_client" : "ssl_server") ==
		     1 &&
	     X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

void hd_tls_remember(SSL *ssl, X509_STORE *store)
{
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	int fd = SSL_get_fd(ssl);
	struct known *k = NULL;

	hd_tls_forget(fd);
	if (certificate && leads_to(store, ssl, certificate))
		k = calloc(1, sizeof(*k));
	if (!k) {
		X509_free(certificate);
		return;
	}
	k->fd = fd;
	k->certificate = certificate;
	HASH_ADD_INT(known, fd, k);
}

static struct hd_slice text_of(const ASN1_STRING *string)
{
	return (struct hd_slice){ (const char *)ASN1_STRING_get0_data(string),
				  (size_t)ASN1_STRING_length(string) };
}

/* RFC 5922 7.1: names of the DNS count when there is no SIP URI; the common name never does. */
static bool is_for(const GENERAL_NAMES *names, const char *domain)
{
	bool by_uri = false, by_dns = false, has_uri = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
		struct hd_uri uri;

		if (one->type == GEN_DNS)
			by_dns = by_dns || hd_slice_caseis(text_of(one->d.dNSName), domain);
		if (one->type != GEN_URI ||
		    hd_uri_parse(&uri, text_of(one->d.uniformResourceIdentifier)) ||
		    uri.scheme != HD_URI_SIP || uri.user.len)
			continue;
		has_uri = true;
		by_uri = by_uri || hd_slice_caseis(uri.host, domain);
	}
	return has_uri ? by_uri : by_dns;
}

bool hd_tls_is_named(int fd, const char *domain)
{
	GENERAL_NAMES *names;
	struct known *k;
	bool named;

	HASH_FIND_INT(known, &fd, k);
	names = k ? X509_get_ext_d2i(k->certificate, NID_subject_alt_name, NULL, NULL) : NULL;
	named = names && is_for(names, domain);
	GENERAL_NAMES_free(names);
	return named;
}
