/* secret.c - random bytes, derived keys and PIN hashes; see secret.h. */
#include "hotdesk/base/secret.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base_priv.h"

enum { PIN_MAX_BYTES = 256, PIN_MIN_KIB = 8, STOCK_BYTES = 512 };

_Static_assert(HD_PIN_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's text");
_Static_assert(HD_KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES, "libsodium's key");

int hd_secret_init(void)
{
	if (sodium_init() < 0)
		return HD_ESYSTEM;
	return hd_digest_init();
}

void hd_random_bytes(void *dst, size_t n)
{
	randombytes_buf(dst, n);
}

void hd_random_id(void *dst, size_t n)
{
	static _Thread_local uint8_t stock[STOCK_BYTES];
	static _Thread_local size_t left;

	if (n > sizeof(stock)) {
		hd_random_bytes(dst, n);
		return;
	}
	if (n > left) {
		hd_random_bytes(stock, sizeof(stock));
		left = sizeof(stock);
	}
	left -= n;
	memcpy(dst, stock + left, n);
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

void hd_key_derive(struct hd_key *key, const struct hd_key *master, const char *purpose)
{
	/* libsodium's HMAC never fails; it returns 0 for the sake of other versions. */
	(void)crypto_auth_hmacsha256(key->bytes, (const uint8_t *)purpose, strlen(purpose),
				     master->bytes);
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
