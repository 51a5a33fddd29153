/*
 * digest_priv.h - what digest.c is made of: nonces and the counts used with them.
 *
 * Layer: 1.  May include: base.  Thread: the one that owns the service.
 */
#ifndef DIGEST_PRIV_H
#define DIGEST_PRIV_H

#include "hotdesk/digest.h"

enum {
	HD_NONCE_ID_BYTES = 7,
	HD_NONCE_MAC_BYTES = 16,
	HD_NONCE_BYTES =
		4 + HD_NONCE_ID_BYTES + HD_NONCE_MAC_BYTES, /* 27: base64 has no spare bits */
	HD_NONCE_SIZE = HD_NONCE_BYTES / 3 * 4 + 1,
	HD_NONCE_WINDOW = 64,
	HD_NONCE_REPEATS = 4,
};

/** What a nonce is bound to. */
struct hd_nonce_scope {
	const struct hd_key *key;
	struct hd_slice realm;
	enum hd_digest_algorithm algorithm;
	struct hd_slice source;
};

struct hd_nonce {
	uint32_t minted_at_s; /* wall clock; the key may outlive the process */
	uint64_t id;	      /* random, HD_NONCE_ID_BYTES */
};

void hd_nonce_mint(char dst[HD_NONCE_SIZE], const struct hd_nonce_scope *scope, uint32_t now_s);
/** @return 0 or HD_EACCESS: not minted with this key for this scope */
HD_MUSTCHECK int hd_nonce_verify(struct hd_nonce *nonce, const struct hd_nonce_scope *scope,
				 struct hd_slice text);
/** True within life_s of its time. A time in the future (the clock was set back) is not live. */
bool hd_nonce_is_live(const struct hd_nonce *nonce, uint32_t now_s, uint32_t life_s);

/* ---- used nonces ---------------------------------------------------------------------------- */

#define HD_NONCE_ONCE UINT32_MAX /* the count of credentials without qop */

enum hd_nonce_use {
	HD_NONCE_FRESH,	    /* not seen before, now it is */
	HD_NONCE_SAME,	    /* seen, for the same request */
	HD_NONCE_SEEN,	    /* seen, or below the window */
	HD_NONCE_FORGOTTEN, /* as old as a nonce that was evicted: nobody knows */
};

struct hd_nonce_table;

/** Room for max nonces, rounded up. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int hd_nonce_table_new(struct hd_nonce_table **tp, uint32_t max);
void hd_nonce_table_free(struct hd_nonce_table *t);
/**
 * Notes a right use of a live nonce.
 * @param count   nc, 1..; or HD_NONCE_ONCE
 * @param request a hash of the request, to tell a retransmission
 * @param dead_s  nonces minted before this moment are no longer live
 */
enum hd_nonce_use hd_nonce_table_use(struct hd_nonce_table *t, const struct hd_nonce *nonce,
				     uint32_t count, uint32_t request, uint32_t dead_s);

/* ---- the service ---------------------------------------------------------------------------- */

struct hd_digest {
	struct hd_digest_options opt; /* realm points to the text below */
	char realm[HD_DIGEST_REALM_SIZE];
	struct hd_nonce_table *used;
	char dummy[HD_DIGEST_HA1_SIZE]; /* what unknown names are checked against */
	uint64_t seed;			/* of request hashes */
};

uint32_t hd_digest_now_s(const struct hd_digest *d);
struct hd_nonce_scope hd_digest_scope(const struct hd_digest *d, enum hd_digest_algorithm algorithm,
				      const char *source);
/** Of one digest: 16 or 32. */
size_t hd_digest_bytes(enum hd_digest_algorithm algorithm);

#endif
