/*
 * tls.c - TLS of the connections: certificates, and what clients' certificates say.
 *
 * OpenSSL's queue of errors is the thread's, and what is left in it would end another peer's
 * connection: each function here leaves it empty.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http_priv.h"

struct hd_http_tls {
	SSL_CTX *ctx;
};

static int fail(struct hd_buf *errors, const char *file, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	hd_buf_addf(errors, "%s: %s%s%s", file, what, reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
	return HD_EINVAL;
}

/* What cannot be vouched for counts as no certificate, see http_tls_names(). */
static int let_pass(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int read_ca(SSL_CTX *ctx, const char *file, struct hd_buf *errors)
{
	STACK_OF(X509_NAME) * names;

	if (!file)
		return 0;
	if (SSL_CTX_load_verify_file(ctx, file) != 1)
		return fail(errors, file, "no certificates to check a phone's one against");
	names = SSL_load_client_CA_file(file);
	if (!names)
		return fail(errors, file, "no certificates to check a phone's one against");
	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, let_pass);
	return 0;
}

static int read_files(SSL_CTX *ctx, const struct hd_http_tls_files *files, struct hd_buf *errors)
{
	static const unsigned char id[] = "hotdeskd";

	if (!files->certificate || !files->key)
		return fail(errors, "provision.tls_certificate, provision.tls_key",
			    "an https listener needs both");
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) != 1)
		return fail(errors, "TLS 1.2", "not to be had");
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					       SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
		return fail(errors, files->certificate, "no certificate");
	if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1)
		return fail(errors, files->key, "no private key for the certificate");
	return read_ca(ctx, files->client_ca, errors);
}

int hd_http_tls_new(struct hd_http_tls **tp, const struct hd_http_tls_files *files,
		    struct hd_buf *errors)
{
	struct hd_http_tls *tls;
	int err;

	if (!tp || !files || !errors)
		return HD_EINVAL;
	tls = calloc(1, sizeof(*tls));
	if (!tls)
		return HD_ENOMEM;
	ERR_clear_error();
	tls->ctx = SSL_CTX_new(TLS_server_method());
	err = tls->ctx ? read_files(tls->ctx, files, errors) : HD_ENOMEM;
	if (err) {
		hd_http_tls_free(tls);
		return err;
	}
	*tp = tls;
	return 0;
}

void hd_http_tls_free(struct hd_http_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

struct bufferevent *http_tls_bufferevent(struct hd_http_tls *tls, struct event_base *base)
{
	SSL *ssl = tls ? SSL_new(tls->ctx) : NULL;
	struct bufferevent *bev = NULL;

	if (ssl)
		bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						     BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	ERR_clear_error();
	return bev;
}

void http_tls_farewell(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl && SSL_is_init_finished(ssl))
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

/* ---- names ----------------------------------------------------------------------------------- */

struct names {
	char (*list)[HD_HTTP_NAME_SIZE];
	size_t n, max;
};

/* A name with a NUL in it is somebody's trick, and no name. */
static void take(struct names *names, const ASN1_STRING *s)
{
	unsigned char *text = NULL;
	int len = s && names->n < names->max ? ASN1_STRING_to_UTF8(&text, s) : -1;

	if (len > 0 && !hd_str_copy(names->list[names->n], HD_HTTP_NAME_SIZE,
				    (struct hd_slice){ (const char *)text, (size_t)len }))
		names->n++;
	OPENSSL_free(text);
}

static void take_common_names(struct names *names, X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int i = -1;

	while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0)
		take(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

static void take_alternatives(struct names *names, X509 *cert)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *name;

	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		name = sk_GENERAL_NAME_value(list, i);
		if (name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL)
			take(names, name->d.ia5);
	}
	GENERAL_NAMES_free(list);
}

size_t http_tls_names(struct bufferevent *bev, char list[][HD_HTTP_NAME_SIZE], size_t max)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	X509 *cert = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
	struct names names = { list, 0, max };

	if (cert && SSL_get_verify_result(ssl) == X509_V_OK) {
		take_common_names(&names, cert);
		take_alternatives(&names, cert);
	}
	X509_free(cert);
	ERR_clear_error();
	return names.n;
}
