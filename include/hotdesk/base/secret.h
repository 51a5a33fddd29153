/*
 * secret.h - secrets: they wipe themselves, compare in constant time and have no formatter.
 *
 * One master key of 32 bytes lives in a file outside the database (0600, or a systemd credential).
 * Every other key is derived from it by purpose, so that the database alone gives nobody a PIN.
 *
 * Layer: 0 (libsodium, OpenSSL).  Thread: any; hd_pin_* are slow on purpose: hash thread only.
 */
#ifndef HOTDESK_BASE_SECRET_H
#define HOTDESK_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/error.h"
#include "hotdesk/base/str.h"

enum {
	HD_KEY_BYTES = 32,
	HD_PIN_HASH_SIZE = 128, /* crypto_pwhash_STRBYTES: text with its NUL */
	HD_MD5_BYTES = 16,
	HD_SHA256_BYTES = 32,
	HD_MAC_BYTES = 32,
	HD_OPID_BYTES = 16,
	HD_SEAL_BYTES = 40, /* that a sealed text is longer: nonce and tag */
};

struct hd_key {
	uint8_t bytes[HD_KEY_BYTES];
};

/** Must be called once before anything else here. @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_secret_init(void);
void hd_random_bytes(void *dst, size_t n);
/** As many that shall be unlike all others but are no secret: drawn from the kernel in stock. */
void hd_random_id(void *dst, size_t n);
/** Uniform in [0, below). */
uint32_t hd_random_u32(uint32_t below);
void hd_wipe(void *p, size_t n);
/** Constant time for equal lengths. */
bool hd_secret_eq(const void *a, const void *b, size_t n);

/**
 * Reads the master key, or makes it (0600, synced, directory synced) when the file is not there.
 * @return 0, HD_EACCESS (readable by others, wrong size), HD_ESYSTEM
 */
HD_MUSTCHECK int hd_key_load(struct hd_key *key, const char *path);
/** HMAC-SHA256(master, purpose). */
void hd_key_derive(struct hd_key *key, const struct hd_key *master, const char *purpose);

/** HMAC-SHA256 over the n slices one after the other, each preceded by its length. */
void hd_hmac_sha256(uint8_t out[HD_SHA256_BYTES], const struct hd_key *key,
		    const struct hd_slice *parts, size_t n);
/**
 * Keyed BLAKE2b (RFC 7693) over the same: for what only we ourselves check, at a fifth of the price
 * of an HMAC; several a request.
 */
void hd_mac(uint8_t out[HD_MAC_BYTES], const struct hd_key *key, const struct hd_slice *parts,
	    size_t n);
/** Plain digests over the concatenation of the slices. */
void hd_md5(uint8_t out[HD_MD5_BYTES], const struct hd_slice *parts, size_t n);
void hd_sha256(uint8_t out[HD_SHA256_BYTES], const struct hd_slice *parts, size_t n);
uint32_t hd_crc32c(const void *data, size_t n);

/**
 * Encrypts and authenticates (XChaCha20-Poly1305, random nonce).
 * @param sealed room for text.len + HD_SEAL_BYTES
 * @param about what the text belongs to: it is authenticated, too, and not part of `sealed`
 */
void hd_seal(uint8_t *sealed, const struct hd_key *key, struct hd_slice text,
	     struct hd_slice about);
/**
 * The reverse.
 * @param text room for sealed.len - HD_SEAL_BYTES; zeroed when it fails
 * @return 0 or HD_EACCESS (another key, another `about`, or damaged)
 */
HD_MUSTCHECK int hd_unseal(uint8_t *text, const struct hd_key *key, struct hd_slice sealed,
			   struct hd_slice about);

/** Cost of one PIN hash. */
struct hd_pin_cost {
	uint32_t memory_kib; /* 19456 by default */
	uint32_t passes;     /* 2 by default */
};
/**
 * Argon2id over HMAC-SHA256(pepper, pin), as libsodium's printable string.
 * @return 0, HD_EINVAL or HD_ENOMEM
 */
HD_MUSTCHECK int hd_pin_hash(char out[HD_PIN_HASH_SIZE], struct hd_slice pin,
			     const struct hd_key *pepper, const struct hd_pin_cost *cost);
/** A hash that no PIN matches, of the same cost: what an unknown number is verified against. */
HD_MUSTCHECK int hd_pin_dummy(char out[HD_PIN_HASH_SIZE], const struct hd_pin_cost *cost);
/** @return 0, HD_EACCESS (does not match) or HD_ENOMEM */
HD_MUSTCHECK int hd_pin_verify(const char *hash, struct hd_slice pin, const struct hd_key *pepper);

#endif
