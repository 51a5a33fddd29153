/* sofia_creds.c - see sofia_creds.h. */
#include "sofia_creds.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

struct hd_tls {
	SSL_CTX *ctx; /* holds what was read; no connection is made from it */
	X509_STORE *servers;
	bool checks_peers;
};

static _Thread_local struct hd_tls *current;
static const unsigned char session_context[] = { 'h', 'o', 't', 'd', 'e', 's', 'k', 'd' };

static int fail(struct hd_buf *errors, const char *file, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	hd_buf_addf(errors, "%s: %s%s%s", file, what, reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
	return HD_EINVAL;
}

static int read_ca(struct hd_tls *tls, const char *file, struct hd_buf *errors)
{
	STACK_OF(X509_NAME) * names;

	if (!file)
		return 0;
	if (SSL_CTX_load_verify_file(tls->ctx, file) != 1)
		return fail(errors, file, "no certificates to check a phone's one against");
	names = SSL_load_client_CA_file(file);
	if (!names)
		return fail(errors, file, "no certificates to check a phone's one against");
	SSL_CTX_set_client_CA_list(tls->ctx, names);
	tls->checks_peers = true;
	return 0;
}

static int read_servers_ca(struct hd_tls *tls, const char *file, struct hd_buf *errors)
{
	STACK_OF(X509_NAME) * names;

	if (!file)
		return 0;
	tls->servers = X509_STORE_new();
	names = SSL_dup_CA_list(SSL_CTX_get_client_CA_list(tls->ctx));
	if (!names)
		names = sk_X509_NAME_new_null();
	if (!tls->servers || !names || X509_STORE_load_file(tls->servers, file) != 1 ||
	    SSL_add_file_cert_subjects_to_stack(names, file) != 1 ||
	    (tls->checks_peers && SSL_CTX_load_verify_file(tls->ctx, file) != 1)) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return fail(errors, file, "no certificates to check a server's one against");
	}
	SSL_CTX_set_client_CA_list(tls->ctx, names);
	return 0;
}

static int read_files(struct hd_tls *tls, const struct hd_tls_files *files, struct hd_buf *errors)
{
	if (!files->certificate || !files->key)
		return fail(errors, "sip.tls_certificate, sip.tls_key",
			    "a tls listener needs both");
	if (SSL_CTX_use_certificate_chain_file(tls->ctx, files->certificate) != 1)
		return fail(errors, files->certificate, "no certificate");
	if (SSL_CTX_use_PrivateKey_file(tls->ctx, files->key, SSL_FILETYPE_PEM) != 1)
		return fail(errors, files->key, "no private key for the certificate");
	return read_ca(tls, files->ca, errors) ? HD_EINVAL
					       : read_servers_ca(tls, files->servers_ca, errors);
}

int hd_tls_new(struct hd_tls **tp, const struct hd_tls_files *files, struct hd_buf *errors)
{
	struct hd_tls *tls = calloc(1, sizeof(*tls));
	int err;

	if (!tls)
		return HD_ENOMEM;
	ERR_clear_error();
	tls->ctx = SSL_CTX_new(TLS_method());
	err = tls->ctx ? read_files(tls, files, errors) : HD_ENOMEM;
	if (err) {
		hd_tls_free(tls);
		return err;
	}
	*tp = tls;
	return 0;
}

void hd_tls_free(struct hd_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	X509_STORE_free(tls->servers);
	free(tls);
}

void hd_tls_use(struct hd_tls *tls)
{
	hd_tls_free(current);
	current = tls;
}

/* The library's own callback lets everything pass. */
static int verify(int ok, X509_STORE_CTX *store)
{
	(void)store;
	return ok;
}

/* Phones come without a certificate, or with one of their vendor's. */
static int let_pass(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static bool set_certificate(SSL *ssl, SSL_CTX *ctx)
{
	STACK_OF(X509) *chain = NULL;

	SSL_certs_clear(ssl);
	return SSL_CTX_get0_chain_certs(ctx, &chain) == 1 &&
	       SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(ctx),
				    SSL_CTX_get0_privatekey(ctx), chain, 1) == 1;
}

/* When something of it fails the handshake does, for want of a certificate. */
void hd_tls_prepare(SSL *ssl)
{
	SSL_CTX *ctx = current ? current->ctx : NULL;

	if (!ctx || !SSL_in_before(ssl))
		return;
	if (SSL_set_min_proto_version(ssl, TLS1_2_VERSION) != 1 || !set_certificate(ssl, ctx))
		SSL_certs_clear(ssl);
	if (!current->checks_peers && !current->servers) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, verify);
		return;
	}
	SSL_set_client_CA_list(ssl, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(ctx)));
	if (!current->checks_peers) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, let_pass);
		/* Who asks for certificates must say whose sessions are resumed. */
		if (SSL_set_session_id_context(ssl, session_context, sizeof(session_context)) != 1)
			SSL_certs_clear(ssl);
		return;
	}
	SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	if (SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(ctx)) != 1)
		SSL_certs_clear(ssl);
}

void hd_tls_connected(SSL *ssl)
{
	if (current && current->servers)
		hd_tls_remember(ssl, current->servers);
}

void hd_agent_set_tls(struct hd_agent *agent, struct hd_tls *tls)
{
	(void)agent;
	hd_tls_use(tls);
}
