/*
 * digest.h - digest authentication of phones: RFC 3261 section 22, RFC 7616, RFC 8760.
 *
 * Works on header values as text and knows no message. One struct hd_digest serves a realm, for
 * 401 and 407 alike: both algorithms are offered, SHA-256 first, `qop=auth` with it, and clients
 * without qop (RFC 2069) are taken when that is configured.
 *
 * A nonce is stateless: time, random id, and a MAC over both, realm, algorithm and source
 * address. The address counts without the port, which a NAT may change between challenge and
 * answer. The key is the caller's, so that nonces outlive a restart when the key does. State is
 * kept only for nonces that were answered with a right digest, so strangers cannot fill it.
 *
 * The order of the work is part of the promise:
 *   1. syntax, our realm, an algorithm and qop that we offered, the URI: no secret is involved;
 *   2. the nonce's MAC and age: a nonce that is not ours, of another source, or too old is
 *      answered with a fresh challenge (stale=true) and costs no look-up; the next round decides
 *      about the password;
 *   3. the look-up, then the same digest work for a known and an unknown name; compared in
 *      constant time;
 *   4. the nonce count, for a right digest only.
 *
 * Replays. Each nonce remembers the highest count and the 64 below it; a count that was seen, or
 * is older, is HD_DIGEST_REPLAY. Without qop there is no count: a nonce is then good for one
 * request, and the next one is challenged with stale=true, which costs such phones a round trip
 * and is the only way to tell a replay from a reuse. A retransmission whose answer was lost
 * repeats the count under the same method, Call-ID and CSeq, of a REGISTER also the branch (other
 * requests may be merged ones, RFC 3261 8.2.2.2): it is HD_DIGEST_REPEATED, for the last four
 * counts of a nonce. When the table has no room, the oldest nonce of its set is
 * forgotten, and from then on every nonce not in the table that is as old or older is stale: a
 * replay never gets through, a phone may be asked again.
 *
 * Liberal in what phones send: values quoted or not, blanks, folding, any order, "DIGEST", lower
 * or upper case hexadecimal, a digest URI whose host, port or parameters differ from those of the
 * Request-URI (only the user parts must agree, where the digest URI has one: some phones sign the
 * server's address alone). Strict where it matters: duplicates of a parameter that counts, a
 * missing one, a wrong length are HD_DIGEST_MALFORMED. Not supported, and answered like missing
 * credentials: -sess, auth-int, userhash, other schemes.
 *
 * Layer: 1.  May include: base.  Thread: one thread a service; they may share realm and key.
 */
#ifndef HOTDESK_DIGEST_H
#define HOTDESK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/base/str.h"

enum {
	HD_DIGEST_USER_SIZE = 129,
	HD_DIGEST_REALM_SIZE = 129,
	HD_DIGEST_HA1_SIZE = 2 * HD_SHA256_BYTES + 1,
	HD_CHALLENGE_SIZE = 256,
	HD_CREDENTIALS_MAX = 4096,	/* bytes of one header value */
	HD_CREDENTIALS_PARAMS_MAX = 64, /* parameters in one header value */
	HD_CREDENTIALS_VALUES_MAX = 16, /* header values that are looked at in one request */
};

enum hd_digest_algorithm { HD_DIGEST_MD5, HD_DIGEST_SHA256, HD_DIGEST_OTHER };

/* ---- credentials: one Authorization or Proxy-Authorization value ---------------------------- */

/** Slices point into the parsed text, without quotes; a backslash stays as it was sent, which is
 * what the digest is computed over. An absent parameter has ptr NULL. */
struct hd_credentials {
	struct hd_slice username, realm, nonce, uri, response;
	struct hd_slice algorithm, qop, nc, cnonce, opaque, userhash;
};

/**
 * Parses one header value. Which parameters must be there is hd_digest_check()'s to judge.
 * @return 0; HD_EUNSUPPORTED: another scheme; HD_ENOENT: "Digest" and nothing more; HD_EPARSE:
 *         not a list of parameters, a control byte, or one of the parameters above twice;
 *         HD_ELIMIT: too long
 */
HD_MUSTCHECK int hd_credentials_parse(struct hd_credentials *c, struct hd_slice value);
/** Absent means MD5 (RFC 7616 3.4). */
enum hd_digest_algorithm hd_credentials_algorithm(const struct hd_credentials *c);

/** One WWW-Authenticate or Proxy-Authenticate value; slices as above. */
struct hd_challenge {
	struct hd_slice realm, nonce, opaque, algorithm, qop, stale;
};
/** @return as hd_credentials_parse() */
HD_MUSTCHECK int hd_challenge_parse(struct hd_challenge *c, struct hd_slice value);

/* ---- the arithmetic, RFC 7616 3.4.1-3.4.3 --------------------------------------------------- */

/**
 * The response that these credentials should carry, in lower-case hexadecimal.
 * @param out has room for HD_DIGEST_HA1_SIZE
 * @param ha1 hexadecimal, 32 or 64 digits
 * @return 0 or HD_EUNSUPPORTED (algorithm or qop)
 */
HD_MUSTCHECK int hd_digest_response(char *out, const struct hd_credentials *c, const char *ha1,
				    struct hd_slice method);

/** H() over the slices, in lower-case hexadecimal; out has room for HD_DIGEST_HA1_SIZE. */
void hd_digest_hex(char *out, enum hd_digest_algorithm algorithm, const struct hd_slice *parts,
		   size_t n);
/** The response for H(A1) and H(A2), whatever the qop; c without one: as RFC 2069. */
void hd_digest_combine(char *out, const struct hd_credentials *c, const char *ha1, const char *ha2);

/* ---- the service ---------------------------------------------------------------------------- */

struct hd_digest;

struct hd_digest_options {
	const char *realm; /* copied; 1..128 bytes, no quote, backslash or control byte */
	bool md5, sha256;  /* at least one */
	bool without_qop;  /* take RFC 2069 clients */
	uint32_t nonce_s;  /* life of a nonce; 300 */
	uint32_t used_max; /* used nonces remembered, 60 bytes each; 0: 16384; fixed by new */
	struct hd_key key; /* hd_key_derive(..., "digest nonce"); copied */
	const struct hd_clock *clock; /* borrowed */
};

/** @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int hd_digest_new(struct hd_digest **dp, const struct hd_digest_options *options);
/** Wipes the key. NULL-safe. */
void hd_digest_free(struct hd_digest *d);
/** For a reload; used nonces stay remembered. @return 0, or HD_EINVAL and nothing changes */
HD_MUSTCHECK int hd_digest_set_options(struct hd_digest *d,
				       const struct hd_digest_options *options);

/** How many challenges an answer carries, one header field each. */
size_t hd_digest_challenge_count(const struct hd_digest *d);
/**
 * The value of WWW-Authenticate or Proxy-Authenticate, about 100 bytes with the realm. A caller
 * whose answer would be larger than the request leaves out the first ones: MD5, which every phone
 * can, is last.
 * @param i      0..count-1, in the order they are to be sent
 * @param source hd_request_source(): an address without a port, always written the same way
 * @return 0, HD_EINVAL
 */
HD_MUSTCHECK int hd_digest_challenge(char dst[HD_CHALLENGE_SIZE], const struct hd_digest *d,
				     size_t i, const char *source, bool stale);

/** What became of the credentials. Everything but OK and REPEATED is refused. */
enum hd_digest_verdict {
	HD_DIGEST_OK,
	HD_DIGEST_REPEATED,	  /* right, but a retransmission: answer again, do nothing again */
	HD_DIGEST_NO_CREDENTIALS, /* none for our realm that we can use: challenge */
	HD_DIGEST_STALE,  /* nonce not ours, of another source or too old: challenge, stale=true */
	HD_DIGEST_REPLAY, /* right digest, used count: challenge, stale=true */
	HD_DIGEST_WRONG,  /* wrong response or unknown name, not told apart: challenge */
	HD_DIGEST_MALFORMED, /* for our realm, but not by the RFC: 400 */
	HD_DIGEST_FAILED,    /* the look-up failed: 500 */
};
/** "ok", "stale", ... for logs and metrics; static. */
const char *hd_digest_verdict_name(enum hd_digest_verdict verdict);

/** The request as far as digest sees it; all borrowed for the call. */
struct hd_digest_request {
	struct hd_slice method;
	struct hd_slice uri; /* Request-URI as received */
	const char *source;  /* as for hd_digest_challenge() */
	struct hd_slice call_id;
	struct hd_slice branch; /* of the topmost Via */
	uint32_t cseq;
	const struct hd_slice *values; /* Authorization (REGISTER) or Proxy-Authorization values */
	size_t n_values;
};

/**
 * Gives the HA1 of a name for our realm and an algorithm, as lower-case hexadecimal.
 * @return 0; HD_ENOENT: unknown, or may not authenticate; another error: HD_DIGEST_FAILED
 */
typedef int hd_digest_lookup_fn(void *arg, const char *username, enum hd_digest_algorithm algorithm,
				char ha1[HD_DIGEST_HA1_SIZE]);

struct hd_digest_result {
	enum hd_digest_verdict verdict;
	enum hd_digest_algorithm algorithm;
	/** The name that was claimed, "": none; who it is only with OK or REPEATED. */
	char username[HD_DIGEST_USER_SIZE];
	/** The nonce is live and was minted for this very source: a datagram to that address
	 * arrived. Only then may a refusal be reported as a security event. */
	bool source_proved;
	const char *why; /* for the log: static, one clause; never for the wire */
};

/**
 * Judges a request. The first usable credentials for our realm count; those for other realms are
 * not ours to look at (RFC 3261 22.3).
 * @return the verdict, also in result; HD_DIGEST_FAILED for bad arguments
 */
enum hd_digest_verdict hd_digest_check(struct hd_digest *d, const struct hd_digest_request *request,
				       hd_digest_lookup_fn *lookup, void *arg,
				       struct hd_digest_result *result);

#endif
