/* digest.c - see digest.h: the service's life, its challenges, and the arithmetic. */
#include <stdlib.h>
#include <string.h>

#include "digest_priv.h"

enum { USED_DEFAULT = 16384 };

/* ---- life ----------------------------------------------------------------------------------- */

static bool options_are_valid(const struct hd_digest_options *o)
{
	size_t len;

	if (!o->realm || !o->clock || o->nonce_s == 0 || (!o->md5 && !o->sha256))
		return false;

	len = strlen(o->realm);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)o->realm[i] < 0x20 || strchr("\"\\\x7f", o->realm[i]))
			return false;
	}

	return len > 0 && len < HD_DIGEST_REALM_SIZE;
}

static void options_take(struct hd_digest *d, const struct hd_digest_options *options)
{
	d->opt = *options;
	memmove(d->realm, options->realm, strlen(options->realm) + 1);
	d->opt.realm = d->realm;
}

int hd_digest_new(struct hd_digest **dp, const struct hd_digest_options *options)
{
	struct hd_digest *d;
	uint8_t random[HD_SHA256_BYTES];

	if (!dp || !options || !options_are_valid(options))
		return HD_EINVAL;

	d = calloc(1, sizeof(*d));
	if (!d)
		return HD_ENOMEM;
	if (hd_nonce_table_new(&d->used, options->used_max ? options->used_max : USED_DEFAULT)) {
		free(d);
		return HD_ENOMEM;
	}
	options_take(d, options);
	hd_random_bytes(random, sizeof(random));
	hd_hex_format(d->dummy, random, sizeof(random));
	hd_random_bytes(&d->seed, sizeof(d->seed));

	*dp = d;
	return 0;
}

void hd_digest_free(struct hd_digest *d)
{
	if (!d)
		return;

	hd_nonce_table_free(d->used);
	hd_wipe(d, sizeof(*d));
	free(d);
}

int hd_digest_set_options(struct hd_digest *d, const struct hd_digest_options *options)
{
	if (!d || !options || !options_are_valid(options))
		return HD_EINVAL;

	options_take(d, options);
	return 0;
}

/* ---- challenge ------------------------------------------------------------------------------ */

uint32_t hd_digest_now_s(const struct hd_digest *d)
{
	return (uint32_t)(hd_clock_wall_ms(d->opt.clock) / 1000);
}

struct hd_nonce_scope hd_digest_scope(const struct hd_digest *d, enum hd_digest_algorithm algorithm,
				      const char *source)
{
	return (struct hd_nonce_scope){
		.key = &d->opt.key,
		.realm = hd_slice_of(d->realm),
		.algorithm = algorithm,
		.source = hd_slice_of(source),
	};
}

size_t hd_digest_challenge_count(const struct hd_digest *d)
{
	return d ? (size_t)d->opt.sha256 + (size_t)d->opt.md5 : 0;
}

int hd_digest_challenge(char dst[HD_CHALLENGE_SIZE], const struct hd_digest *d, size_t i,
			const char *source, bool stale)
{
	enum hd_digest_algorithm algorithm;
	struct hd_nonce_scope scope;
	char nonce[HD_NONCE_SIZE];

	if (!dst || !d || !source || i >= hd_digest_challenge_count(d))
		return HD_EINVAL;

	algorithm = i == 0 && d->opt.sha256 ? HD_DIGEST_SHA256 : HD_DIGEST_MD5;
	scope = hd_digest_scope(d, algorithm, source);
	hd_nonce_mint(nonce, &scope, hd_digest_now_s(d));
	return hd_str_join(
		       dst, HD_CHALLENGE_SIZE,
		       (const char *const[]){
			       "Digest realm=\"", d->realm, "\", nonce=\"", nonce,
			       "\", algorithm=", algorithm == HD_DIGEST_SHA256 ? "SHA-256" : "MD5",
			       ", qop=\"auth\"", stale ? ", stale=true" : "", NULL })
		       ? HD_EINVAL
		       : 0;
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

size_t hd_digest_bytes(enum hd_digest_algorithm algorithm)
{
	return algorithm == HD_DIGEST_SHA256 ? HD_SHA256_BYTES : HD_MD5_BYTES;
}

void hd_digest_hex(char *out, enum hd_digest_algorithm algorithm, const struct hd_slice *parts,
		   size_t n)
{
	uint8_t sum[HD_SHA256_BYTES];

	if (algorithm == HD_DIGEST_SHA256)
		hd_sha256(sum, parts, n);
	else
		hd_md5(sum, parts, n);
	hd_hex_format(out, sum, hd_digest_bytes(algorithm));
}

void hd_digest_combine(char *out, const struct hd_credentials *c, const char *ha1, const char *ha2)
{
	const struct hd_slice colon = { ":", 1 };
	const enum hd_digest_algorithm algorithm = hd_credentials_algorithm(c);

	if (c->qop.ptr) {
		const struct hd_slice parts[] = {
			hd_slice_of(ha1),
			colon,
			c->nonce,
			colon,
			c->nc,
			colon,
			c->cnonce,
			colon,
			c->qop,
			colon,
			hd_slice_of(ha2),
		};
		hd_digest_hex(out, algorithm, parts, sizeof(parts) / sizeof(parts[0]));
	} else {
		const struct hd_slice parts[] = { hd_slice_of(ha1), colon, c->nonce, colon,
						  hd_slice_of(ha2) };
		hd_digest_hex(out, algorithm, parts, sizeof(parts) / sizeof(parts[0]));
	}
}

int hd_digest_response(char *out, const struct hd_credentials *c, const char *ha1,
		       struct hd_slice method)
{
	const enum hd_digest_algorithm algorithm = hd_credentials_algorithm(c);
	const struct hd_slice a2[] = { method, { ":", 1 }, c->uri };
	char ha2[HD_DIGEST_HA1_SIZE];

	if (algorithm == HD_DIGEST_OTHER || (c->qop.ptr && !hd_slice_caseis(c->qop, "auth")))
		return HD_EUNSUPPORTED;

	hd_digest_hex(ha2, algorithm, a2, sizeof(a2) / sizeof(a2[0]));
	hd_digest_combine(out, c, ha1, ha2);
	return 0;
}

const char *hd_digest_verdict_name(enum hd_digest_verdict verdict)
{
	static const char *const names[] = {
		[HD_DIGEST_OK] = "ok",
		[HD_DIGEST_REPEATED] = "repeated",
		[HD_DIGEST_NO_CREDENTIALS] = "no-credentials",
		[HD_DIGEST_STALE] = "stale",
		[HD_DIGEST_REPLAY] = "replay",
		[HD_DIGEST_WRONG] = "wrong",
		[HD_DIGEST_MALFORMED] = "malformed",
		[HD_DIGEST_FAILED] = "failed",
	};

	if ((size_t)verdict >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[verdict];
}
