/* digest.c - MD5, SHA-256 and HMAC of slices; see secret.h. */
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"

#include "base_priv.h"

enum { SHA256_BLOCK = 64 };

_Static_assert(HD_SHA256_BYTES == crypto_hash_sha256_BYTES, "libsodium's digest");
_Static_assert(HD_MAC_BYTES >= crypto_generichash_BYTES_MIN &&
		       HD_MAC_BYTES <= crypto_generichash_BYTES_MAX &&
		       HD_KEY_BYTES >= crypto_generichash_KEYBYTES_MIN &&
		       HD_KEY_BYTES <= crypto_generichash_KEYBYTES_MAX,
	       "BLAKE2b's sizes");

/*
 * OpenSSL, because it uses the processor's SHA instructions (thrice as fast as libsodium at the
 * size of a nonce). Methods are fetched once and each thread keeps its contexts: a fetch or an
 * allocation costs more than a digest. Both are written by hd_secret_init() only.
 */
enum method { MD5, SHA256, METHODS };
static EVP_MD *methods[METHODS];
static pthread_key_t contexts_key;

struct contexts {
	EVP_MD_CTX *of[METHODS];
};

static void contexts_free(void *arg)
{
	struct contexts *c = arg;

	if (!c)
		return;
	for (int i = 0; i < METHODS; i++)
		EVP_MD_CTX_free(c->of[i]);
	free(c);
}

int hd_digest_init(void)
{
	EVP_MD *md5;
	EVP_MD *sha256;

	if (methods[MD5])
		return 0;
	if (pthread_key_create(&contexts_key, contexts_free))
		return HD_ESYSTEM;
	md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!md5 || !sha256) {
		EVP_MD_free(md5);
		EVP_MD_free(sha256);
		(void)pthread_key_delete(contexts_key);
		return HD_ESYSTEM;
	}
	methods[MD5] = md5;
	methods[SHA256] = sha256;
	return 0;
}

static struct contexts *contexts_new(void)
{
	struct contexts *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	for (int i = 0; i < METHODS; i++) {
		c->of[i] = EVP_MD_CTX_new();
		if (!c->of[i])
			goto fail;
	}
	if (pthread_setspecific(contexts_key, c))
		goto fail;
	return c;

fail:
	contexts_free(c);
	return NULL;
}

/* This thread's context, begun anew; NULL without memory or before hd_secret_init(). */
static EVP_MD_CTX *begin(enum method method)
{
	struct contexts *c;

	if (!methods[method])
		return NULL;
	c = pthread_getspecific(contexts_key);
	if (!c)
		c = contexts_new();
	if (!c || EVP_DigestInit_ex2(c->of[method], methods[method], NULL) != 1)
		return NULL;
	return c->of[method];
}

static bool digest(uint8_t *out, enum method method, const struct hd_slice *parts, size_t n)
{
	EVP_MD_CTX *ctx = begin(method);

	if (!ctx)
		return false;
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
			return false;
	return EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

void hd_md5(uint8_t out[HD_MD5_BYTES], const struct hd_slice *parts, size_t n)
{
	if (digest(out, MD5, parts, n))
		return;
	/* Nobody can know these bytes, so whatever is compared with them is refused. */
	hd_random_bytes(out, HD_MD5_BYTES);
	hd_error("secret", "MD5 cannot be computed: refusing instead");
}

/* libsodium's way needs no memory and never fails. */
void hd_sha256_sodium(uint8_t out[HD_SHA256_BYTES], const struct hd_slice *parts, size_t n)
{
	crypto_hash_sha256_state state;

	(void)crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < n; i++)
		if (parts[i].len > 0)
			(void)crypto_hash_sha256_update(&state, (const uint8_t *)parts[i].ptr,
							parts[i].len);
	(void)crypto_hash_sha256_final(&state, out);
	hd_wipe(&state, sizeof(state));
}

void hd_sha256(uint8_t out[HD_SHA256_BYTES], const struct hd_slice *parts, size_t n)
{
	if (!digest(out, SHA256, parts, n))
		hd_sha256_sodium(out, parts, n);
}

/* What is written before each part, so that no two lists of parts give the same bytes. */
static void length_encode(uint8_t dst[8], size_t len)
{
	for (size_t i = 0; i < 8; i++)
		dst[i] = (uint8_t)((uint64_t)len >> (8 * i));
}

static bool hmac(uint8_t out[HD_SHA256_BYTES], uint8_t pad[SHA256_BLOCK],
		 const struct hd_slice *parts, size_t n)
{
	EVP_MD_CTX *ctx = begin(SHA256);
	uint8_t inner[HD_SHA256_BYTES];
	uint8_t len[8];

	if (!ctx || EVP_DigestUpdate(ctx, pad, SHA256_BLOCK) != 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		length_encode(len, parts[i].len);
		if (EVP_DigestUpdate(ctx, len, sizeof(len)) != 1 ||
		    EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
			return false;
	}
	if (EVP_DigestFinal_ex(ctx, inner, NULL) != 1)
		return false;

	for (size_t i = 0; i < SHA256_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	ctx = begin(SHA256);
	return ctx && EVP_DigestUpdate(ctx, pad, SHA256_BLOCK) == 1 &&
	       EVP_DigestUpdate(ctx, inner, sizeof(inner)) == 1 &&
	       EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

void hd_hmac_sha256_sodium(uint8_t out[HD_SHA256_BYTES], const struct hd_key *key,
			   const struct hd_slice *parts, size_t n)
{
	crypto_auth_hmacsha256_state state;
	uint8_t len[8];

	(void)crypto_auth_hmacsha256_init(&state, key->bytes, sizeof(key->bytes));
	for (size_t i = 0; i < n; i++) {
		length_encode(len, parts[i].len);
		(void)crypto_auth_hmacsha256_update(&state, len, sizeof(len));
		if (parts[i].len > 0)
			(void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)parts[i].ptr,
							    parts[i].len);
	}
	(void)crypto_auth_hmacsha256_final(&state, out);
	hd_wipe(&state, sizeof(state));
}

void hd_hmac_sha256(uint8_t out[HD_SHA256_BYTES], const struct hd_key *key,
		    const struct hd_slice *parts, size_t n)
{
	uint8_t pad[SHA256_BLOCK];

	/* RFC 2104; a key of ours is always shorter than a block */
	memset(pad, 0x36, sizeof(pad));
	for (size_t i = 0; i < sizeof(key->bytes); i++)
		pad[i] ^= key->bytes[i];
	if (!hmac(out, pad, parts, n))
		hd_hmac_sha256_sodium(out, key, parts, n);
	hd_wipe(pad, sizeof(pad));
}

void hd_mac(uint8_t out[HD_MAC_BYTES], const struct hd_key *key, const struct hd_slice *parts,
	    size_t n)
{
	crypto_generichash_state state;
	uint8_t len[8];

	/* libsodium's BLAKE2b needs no memory and fails for wrong sizes only. */
	(void)crypto_generichash_init(&state, key->bytes, sizeof(key->bytes), HD_MAC_BYTES);
	for (size_t i = 0; i < n; i++) {
		length_encode(len, parts[i].len);
		(void)crypto_generichash_update(&state, len, sizeof(len));
		if (parts[i].len > 0)
			(void)crypto_generichash_update(&state, (const uint8_t *)parts[i].ptr,
							parts[i].len);
	}
	(void)crypto_generichash_final(&state, out, HD_MAC_BYTES);
	hd_wipe(&state, sizeof(state));
}
