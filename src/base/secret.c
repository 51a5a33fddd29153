/* secret.c - random bytes, digests and PIN hashes; see secret.h. */
#include "hotdesk/base/secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "hotdesk/base/log.h"

enum { PIN_MAX_BYTES = 256, PIN_MIN_KIB = 8 };

_Static_assert(HD_PIN_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's text");
_Static_assert(HD_KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES, "libsodium's key");
_Static_assert(HD_SHA256_BYTES == crypto_hash_sha256_BYTES, "libsodium's digest");

/*
 * MD5 comes from OpenSSL: fetched once, with one context for each thread, because a fetch and an
 * allocation cost more than the digest of a REGISTER. Written by hd_secret_init() only.
 */
static EVP_MD *md5_method;
static pthread_key_t md5_key;

static void md5_context_free(void *arg)
{
	EVP_MD_CTX_free(arg);
}

int hd_secret_init(void)
{
	if (sodium_init() < 0)
		return HD_ESYSTEM;
	if (md5_method)
		return 0;
	if (pthread_key_create(&md5_key, md5_context_free))
		return HD_ESYSTEM;
	md5_method = EVP_MD_fetch(NULL, "MD5", NULL);
	if (!md5_method) {
		(void)pthread_key_delete(md5_key);
		return HD_ESYSTEM;
	}
	return 0;
}

void hd_random_bytes(void *dst, size_t n)
{
	randombytes_buf(dst, n);
}

uint32_t hd_random_u32(uint32_t below)
{
	return randombytes_uniform(below);
}

void hd_wipe(void *p, size_t n)
{
	if (p)
		sodium_memzero(p, n);
}

bool hd_secret_eq(const void *a, const void *b, size_t n)
{
	return n == 0 || sodium_memcmp(a, b, n) == 0;
}

static void hmac_update(crypto_auth_hmacsha256_state *state, const void *p, size_t n)
{
	/* libsodium's HMAC and SHA-256 never fail: they return 0 for the sake of other versions. */
	if (n > 0)
		(void)crypto_auth_hmacsha256_update(state, p, n);
}

void hd_key_derive(struct hd_key *key, const struct hd_key *master, const char *purpose)
{
	crypto_auth_hmacsha256_state state;

	(void)crypto_auth_hmacsha256_init(&state, master->bytes, sizeof(master->bytes));
	hmac_update(&state, purpose, strlen(purpose));
	(void)crypto_auth_hmacsha256_final(&state, key->bytes);
	hd_wipe(&state, sizeof(state));
}

void hd_hmac_sha256(uint8_t out[HD_SHA256_BYTES], const struct hd_key *key,
		    const struct hd_slice *parts, size_t n)
{
	crypto_auth_hmacsha256_state state;

	(void)crypto_auth_hmacsha256_init(&state, key->bytes, sizeof(key->bytes));
	for (size_t i = 0; i < n; i++) {
		uint8_t len[8];

		for (size_t k = 0; k < sizeof(len); k++)
			len[k] = (uint8_t)((uint64_t)parts[i].len >> (8 * k));
		hmac_update(&state, len, sizeof(len));
		hmac_update(&state, parts[i].ptr, parts[i].len);
	}
	(void)crypto_auth_hmacsha256_final(&state, out);
	hd_wipe(&state, sizeof(state));
}

void hd_sha256(uint8_t out[HD_SHA256_BYTES], const struct hd_slice *parts, size_t n)
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

/* This thread's context; NULL when there is no memory for it. */
static EVP_MD_CTX *md5_context(void)
{
	EVP_MD_CTX *ctx = pthread_getspecific(md5_key);

	if (ctx)
		return ctx;
	ctx = EVP_MD_CTX_new();
	if (ctx && pthread_setspecific(md5_key, ctx)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

static bool md5_digest(uint8_t out[HD_MD5_BYTES], const struct hd_slice *parts, size_t n)
{
	EVP_MD_CTX *ctx = md5_method ? md5_context() : NULL;

	if (!ctx || EVP_DigestInit_ex2(ctx, md5_method, NULL) != 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
			return false;
	return EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

void hd_md5(uint8_t out[HD_MD5_BYTES], const struct hd_slice *parts, size_t n)
{
	if (md5_digest(out, parts, n))
		return;
	/* Nobody can know these bytes, so whatever is compared with them is refused. */
	hd_random_bytes(out, HD_MD5_BYTES);
	hd_error("secret", "MD5 cannot be computed: refusing instead");
}

int hd_pin_hash(char out[HD_PIN_HASH_SIZE], struct hd_slice pin, const struct hd_key *pepper,
		const struct hd_pin_cost *cost)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	int err = 0;

	if (!out || !pepper || !cost || pin.len == 0 || pin.len > PIN_MAX_BYTES ||
	    cost->memory_kib < PIN_MIN_KIB || cost->passes == 0)
		return HD_EINVAL;
	(void)crypto_auth_hmacsha256(mac, (const uint8_t *)pin.ptr, pin.len, pepper->bytes);
	if (crypto_pwhash_str_alg(out, (const char *)mac, sizeof(mac), cost->passes,
				  (size_t)cost->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13))
		err = errno == EINVAL ? HD_EINVAL : HD_ENOMEM;
	hd_wipe(mac, sizeof(mac));
	return err;
}

int hd_pin_dummy(char out[HD_PIN_HASH_SIZE], const struct hd_pin_cost *cost)
{
	struct hd_key pepper;
	char pin[HD_KEY_BYTES];
	int err;

	hd_random_bytes(&pepper, sizeof(pepper));
	hd_random_bytes(pin, sizeof(pin));
	err = hd_pin_hash(out, (struct hd_slice){ .ptr = pin, .len = sizeof(pin) }, &pepper, cost);
	hd_wipe(&pepper, sizeof(pepper));
	hd_wipe(pin, sizeof(pin));
	return err;
}

int hd_pin_verify(const char *hash, struct hd_slice pin, const struct hd_key *pepper)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	int err = 0;

	if (!hash || !pepper || pin.len > PIN_MAX_BYTES)
		return HD_EACCESS;
	(void)crypto_auth_hmacsha256(mac, (const uint8_t *)pin.ptr, pin.len, pepper->bytes);
	errno = 0;
	if (crypto_pwhash_str_verify(hash, (const char *)mac, sizeof(mac)))
		err = errno == ENOMEM ? HD_ENOMEM : HD_EACCESS;
	hd_wipe(mac, sizeof(mac));
	return err;
}
