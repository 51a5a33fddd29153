/* digest_check.c - see digest.h: the judgement of credentials. */
#include <string.h>

#include "digest_priv.h"
#include "hotdesk/base/uri.h"

enum { COUNT_DIGITS = 8 };

/** One judgement on its way. */
struct check {
	struct hd_digest *d;
	const struct hd_digest_request *req;
	struct hd_digest_result *res;
	struct hd_credentials c;
	uint32_t count;
};

static enum hd_digest_verdict end(struct check *ck, enum hd_digest_verdict verdict, const char *why)
{
	ck->res->verdict = verdict;
	ck->res->why = why;
	return verdict;
}

/* Credentials that answer no challenge of ours are as good as none. */
static const char *why_unusable(const struct check *ck)
{
	const enum hd_digest_algorithm algorithm = hd_credentials_algorithm(&ck->c);

	if ((algorithm == HD_DIGEST_MD5 && !ck->d->opt.md5) ||
	    (algorithm == HD_DIGEST_SHA256 && !ck->d->opt.sha256) || algorithm == HD_DIGEST_OTHER)
		return "algorithm not offered";
	if (ck->c.qop.ptr && !hd_slice_caseis(ck->c.qop, "auth"))
		return "qop not offered";
	if (!ck->c.qop.ptr && !ck->d->opt.without_qop)
		return "without qop";
	if (ck->c.userhash.ptr && !hd_slice_caseis(ck->c.userhash, "false"))
		return "userhash not offered";

	return NULL;
}

/* The first credentials for our realm that we can use; else sets the verdict. */
static bool credentials_find(struct check *ck)
{
	const char *unusable = "no credentials";
	const char *malformed = NULL;
	size_t n = ck->req->n_values;

	if (n > HD_CREDENTIALS_VALUES_MAX)
		n = HD_CREDENTIALS_VALUES_MAX;
	for (size_t i = 0; i < n; i++) {
		switch (hd_credentials_parse(&ck->c, ck->req->values[i])) {
		case 0:
			break;
		case HD_EUNSUPPORTED:
			unusable = "scheme not offered";
			continue;
		case HD_ENOENT:
			continue;
		default:
			malformed = "credentials cannot be parsed";
			continue;
		}
		if (!ck->c.realm.ptr) {
			malformed = "realm missing";
		} else if (!hd_slice_is(ck->c.realm, ck->d->realm)) {
			unusable = "other realm";
		} else {
			unusable = why_unusable(ck);
			if (!unusable)
				return true;
		}
	}

	if (malformed)
		(void)end(ck, HD_DIGEST_MALFORMED, malformed);
	else
		(void)end(ck, HD_DIGEST_NO_CREDENTIALS, unusable);
	return false;
}

/* nc is eight digits, and never 0 (RFC 7616 3.4). */
static int count_parse(uint32_t *countp, struct hd_slice nc)
{
	uint8_t raw[COUNT_DIGITS / 2];
	uint32_t count = 0;

	if (hd_hex_parse(raw, sizeof(raw), nc))
		return HD_EPARSE;
	for (size_t i = 0; i < sizeof(raw); i++)
		count = count << 8 | raw[i];

	*countp = count;
	return count > 0 ? 0 : HD_EPARSE;
}

static bool users_match(const struct hd_uri *a, const struct hd_uri *b)
{
	char user_a[HD_CREDENTIALS_MAX / 4];
	char user_b[HD_CREDENTIALS_MAX / 4];

	if (hd_slice_eq(a->user, b->user))
		return true;
	if (hd_uri_unescape(user_a, sizeof(user_a), a->user) ||
	    hd_uri_unescape(user_b, sizeof(user_b), b->user))
		return false;

	return strcmp(user_a, user_b) == 0;
}

/* Phones write the address they dial or the one they registered with, and proxies on the way
 * change host and parameters (RFC 3261 22.4 item 5): what must agree is who is called. Some sign
 * the server's address alone, whoever they call; that is theirs to choose, and takes nothing from
 * the others. */
static bool uri_matches(struct hd_slice digest_uri, struct hd_slice request_uri)
{
	struct hd_uri a;
	struct hd_uri b;

	if (hd_slice_eq(digest_uri, request_uri))
		return true;
	if (hd_uri_parse(&a, digest_uri) || hd_uri_parse(&b, request_uri))
		return false;
	if (a.scheme == HD_URI_OTHER || b.scheme == HD_URI_OTHER)
		return false;

	return a.user.len == 0 || users_match(&a, &b);
}

/* @return what is wrong with the form, or NULL */
static const char *why_malformed(struct check *ck)
{
	const struct hd_credentials *c = &ck->c;
	uint8_t raw[HD_SHA256_BYTES];

	if (!c->username.len || !c->nonce.len || !c->uri.len || !c->response.len)
		return "username, nonce, uri or response missing";
	if (hd_hex_parse(raw, hd_digest_bytes(ck->res->algorithm), c->response))
		return "response has a wrong form";
	if (!uri_matches(c->uri, ck->req->uri))
		return "uri is not the request's";

	ck->count = HD_NONCE_ONCE;
	if (!c->qop.ptr)
		return NULL;
	if (!c->cnonce.len)
		return "cnonce missing";
	if (count_parse(&ck->count, c->nc))
		return "nc missing or malformed";

	return NULL;
}

/* 0 or the look-up's error. Without a usable HA1 the dummy is in its place, so that the same work
 * follows; *knownp tells. A name too long for a phone is not looked up. */
static int ha1_get(char ha1[HD_DIGEST_HA1_SIZE], bool *knownp, const struct check *ck,
		   hd_digest_lookup_fn *lookup, void *arg)
{
	const size_t digits = 2 * hd_digest_bytes(ck->res->algorithm);
	int err = HD_ENOENT;

	memset(ha1, 0, HD_DIGEST_HA1_SIZE);
	if (ck->res->username[0])
		err = lookup(arg, ck->res->username, ck->res->algorithm, ha1);
	if (err && err != HD_ENOENT)
		return err;

	*knownp = !err && strnlen(ha1, HD_DIGEST_HA1_SIZE) == digits;
	if (!*knownp) {
		memcpy(ha1, ck->d->dummy, digits);
		ha1[digits] = '\0';
	}
	return 0;
}

/* Constant time in the bytes; the form was checked before. */
static bool response_matches(const struct check *ck, const char *ha1)
{
	const size_t n = hd_digest_bytes(ck->res->algorithm);
	char hex[HD_DIGEST_HA1_SIZE];
	uint8_t want[HD_SHA256_BYTES];
	uint8_t got[HD_SHA256_BYTES];

	if (hd_digest_response(hex, &ck->c, ha1, ck->req->method) ||
	    hd_hex_parse(want, n, (struct hd_slice){ hex, 2 * n }) ||
	    hd_hex_parse(got, n, ck->c.response))
		return false;

	return hd_secret_eq(want, got, n);
}

static uint64_t fnv1a(uint64_t hash, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);

	return hash;
}

/* Tells a retransmission only; who forges it gets an old answer again. */
static uint32_t request_hash(const struct check *ck)
{
	uint64_t hash = ck->d->seed;

	hash = fnv1a(hash, ck->req->method.ptr, ck->req->method.len);
	hash = fnv1a(hash, &ck->req->cseq, sizeof(ck->req->cseq));
	hash = fnv1a(hash, ck->req->call_id.ptr, ck->req->call_id.len);
	/* Other requests may come on several ways, each with a branch of its own. */
	if (hd_slice_eq(ck->req->method, hd_slice_of("REGISTER")))
		hash = fnv1a(hash, ck->req->branch.ptr, ck->req->branch.len);

	return (uint32_t)(hash ^ hash >> 32);
}

static enum hd_digest_verdict count_use(struct check *ck, const struct hd_nonce *nonce)
{
	const uint32_t now = hd_digest_now_s(ck->d);
	const uint32_t dead_s = now > ck->d->opt.nonce_s ? now - ck->d->opt.nonce_s : 0;

	switch (hd_nonce_table_use(ck->d->used, nonce, ck->count, request_hash(ck), dead_s)) {
	case HD_NONCE_FRESH:
		return end(ck, HD_DIGEST_OK, "right digest");
	case HD_NONCE_SAME:
		return end(ck, HD_DIGEST_REPEATED, "retransmission");
	case HD_NONCE_FORGOTTEN:
		return end(ck, HD_DIGEST_STALE, "older than the nonces remembered");
	case HD_NONCE_SEEN:
		break;
	}

	return end(ck, HD_DIGEST_REPLAY, ck->c.qop.ptr ? "nonce count was used" : "nonce was used");
}

static enum hd_digest_verdict judge(struct check *ck, hd_digest_lookup_fn *lookup, void *arg)
{
	struct hd_nonce_scope scope;
	struct hd_nonce nonce;
	char ha1[HD_DIGEST_HA1_SIZE];
	const char *why;
	bool known = false;
	bool right;
	int err;

	if (!credentials_find(ck))
		return ck->res->verdict;
	ck->res->algorithm = hd_credentials_algorithm(&ck->c);
	if (hd_str_copy(ck->res->username, sizeof(ck->res->username), ck->c.username))
		ck->res->username[0] = '\0';
	why = why_malformed(ck);
	if (why)
		return end(ck, HD_DIGEST_MALFORMED, why);

	scope = hd_digest_scope(ck->d, ck->res->algorithm, ck->req->source);
	if (hd_nonce_verify(&nonce, &scope, ck->c.nonce))
		return end(ck, HD_DIGEST_STALE, "nonce is not ours or of another source");
	if (!hd_nonce_is_live(&nonce, hd_digest_now_s(ck->d), ck->d->opt.nonce_s))
		return end(ck, HD_DIGEST_STALE, "nonce expired");
	ck->res->source_proved = true;

	err = ha1_get(ha1, &known, ck, lookup, arg);
	if (err)
		return end(ck, HD_DIGEST_FAILED, hd_strerror(err));
	right = response_matches(ck, ha1);
	hd_wipe(ha1, sizeof(ha1));
	if (!known || !right)
		return end(ck, HD_DIGEST_WRONG, known ? "wrong response" : "unknown name");

	return count_use(ck, &nonce);
}

enum hd_digest_verdict hd_digest_check(struct hd_digest *d, const struct hd_digest_request *request,
				       hd_digest_lookup_fn *lookup, void *arg,
				       struct hd_digest_result *result)
{
	struct check ck = { .d = d, .req = request, .res = result };

	if (!result)
		return HD_DIGEST_FAILED;
	*result = (struct hd_digest_result){ .algorithm = HD_DIGEST_OTHER };
	if (!d || !request || !lookup || !request->source ||
	    (!request->values && request->n_values))
		return end(&ck, HD_DIGEST_FAILED, "invalid argument");

	return judge(&ck, lookup, arg);
}
