/* uac_auth.c - see hotdesk/sip/uac_auth.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/uac_auth.h"

enum {
	REALMS_MAX = 4, /* of one peer and the proxies on the way to it */
	STALE_MAX = 3,	/* nonces in a row that were stale at once */
	CNONCE_BYTES = 8,
	COUNT_SIZE = 9,
};

enum qop { QOP_NONE, QOP_AUTH, QOP_AUTH_INT };

/* What one realm asks for, and what it is answered. */
struct realm {
	bool by_proxy;
	char *name, *nonce, *opaque, *algorithm; /* opaque, algorithm: or NULL */
	char username[HD_DIGEST_USER_SIZE];
	char ha1[HD_DIGEST_HA1_SIZE];
	enum qop qop;
	uint32_t count;	 /* requests with this nonce */
	bool answered;	 /* the request under way has carried an answer */
	uint8_t n_stale; /* in a row */
	bool asked;	 /* by the response that is being read */
};

struct hd_uac_auth {
	struct realm realms[REALMS_MAX];
	size_t n;
};

int hd_uac_auth_new(struct hd_uac_auth **ap)
{
	struct hd_uac_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return HD_ENOMEM;
	*ap = auth;
	return 0;
}

static void realm_fini(struct realm *r)
{
	free(r->name);
	free(r->nonce);
	free(r->opaque);
	free(r->algorithm);
	hd_wipe(r, sizeof(*r));
}

void hd_uac_auth_free(struct hd_uac_auth *auth)
{
	if (!auth)
		return;
	for (size_t i = 0; i < auth->n; i++)
		realm_fini(&auth->realms[i]);
	free(auth);
}

void hd_uac_auth_accepted(struct hd_uac_auth *auth)
{
	for (size_t i = 0; i < auth->n; i++) {
		auth->realms[i].answered = false;
		auth->realms[i].n_stale = 0;
	}
}

/* ---- challenges ------------------------------------------------------------------------------ */

static bool list_has(struct hd_slice list, const char *word)
{
	while (list.len > 0) {
		const char *comma = memchr(list.ptr, ',', list.len);
		size_t n = comma ? (size_t)(comma - list.ptr) : list.len;

		if (hd_slice_caseis(hd_slice_trim((struct hd_slice){ list.ptr, n }), word))
			return true;
		n += comma != NULL;
		list = (struct hd_slice){ list.ptr + n, list.len - n };
	}
	return false;
}

/* @return false: it offers none that we know */
static bool qop_choose(enum qop *qop, struct hd_slice offered)
{
	*qop = QOP_NONE;
	if (hd_slice_trim(offered).len == 0)
		return true;
	if (list_has(offered, "auth"))
		*qop = QOP_AUTH;
	else if (list_has(offered, "auth-int"))
		*qop = QOP_AUTH_INT;
	return *qop != QOP_NONE;
}

static enum hd_digest_algorithm algorithm_of(const struct hd_challenge *c)
{
	const struct hd_credentials as = { .algorithm = c->algorithm };

	return hd_credentials_algorithm(&as);
}

/* Whether it can stand between quotes as it is: what came without them may end in a backslash. */
static bool is_quotable(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\\' && ++i == s.len)
			return false;
	return true;
}

/* @return 0 or HD_ENOENT: the credentials are no good for this algorithm */
static int ha1_make(char ha1[HD_DIGEST_HA1_SIZE], enum hd_digest_algorithm algorithm,
		    struct hd_slice realm, const struct hd_uac_credentials *c)
{
	const struct hd_slice colon = { ":", 1 };
	const char *known = algorithm == HD_DIGEST_SHA256 ? c->ha1_sha256 : c->ha1_md5;

	if (c->secret) {
		const struct hd_slice a1[] = { hd_slice_of(c->username), colon, realm, colon,
					       hd_slice_of(c->secret) };
		hd_digest_hex(ha1, algorithm, a1, sizeof(a1) / sizeof(a1[0]));
		return 0;
	}
	return known && known[0] && !hd_str_set(ha1, HD_DIGEST_HA1_SIZE, known) ? 0 : HD_ENOENT;
}

/* @return 0 or HD_ENOMEM; an absent parameter gives NULL */
static int dup(char **textp, struct hd_slice s)
{
	*textp = s.ptr ? strndup(s.ptr, s.len) : NULL;
	return s.ptr && !*textp ? HD_ENOMEM : 0;
}

/* @return the realm, a new one with an empty name; NULL: there are too many */
static struct realm *realm_of(struct hd_uac_auth *auth, bool by_proxy, struct hd_slice name)
{
	for (size_t i = 0; i < auth->n; i++)
		if (auth->realms[i].by_proxy == by_proxy && hd_slice_is(name, auth->realms[i].name))
			return &auth->realms[i];
	return auth->n < REALMS_MAX ? &auth->realms[auth->n] : NULL;
}

/* Whether this is a second refusal, by what stood before. */
static bool is_refusal(const struct realm *r, const struct hd_challenge *c)
{
	return r->answered && (!hd_slice_caseis(c->stale, "true") || r->n_stale >= STALE_MAX);
}

/* A challenge that we can answer takes the place of the realm's older one. */
static int realm_set(struct realm *r, const struct hd_challenge *c, const struct realm *with)
{
	struct realm fresh = *with;
	int err;

	fresh.n_stale = r->answered ? (uint8_t)(r->n_stale + 1) : 0;
	fresh.asked = true;
	err = dup(&fresh.name, c->realm);
	if (!err)
		err = dup(&fresh.nonce, c->nonce);
	if (!err)
		err = dup(&fresh.opaque, c->opaque);
	if (!err)
		err = dup(&fresh.algorithm, c->algorithm);
	if (err) {
		realm_fini(&fresh);
		return err;
	}
	realm_fini(r);
	*r = fresh;
	hd_wipe(&fresh, sizeof(fresh));
	return 0;
}

static int take_one(struct hd_uac_auth *auth, bool by_proxy, const struct hd_challenge *c,
		    hd_uac_lookup_fn *lookup, void *arg)
{
	struct hd_uac_credentials credentials = { 0 };
	struct realm with = { .by_proxy = by_proxy }, *r;
	int err;

	if (!c->realm.ptr || !c->nonce.ptr || algorithm_of(c) == HD_DIGEST_OTHER ||
	    !qop_choose(&with.qop, c->qop) || !is_quotable(c->realm) || !is_quotable(c->nonce) ||
	    !is_quotable(c->opaque))
		return HD_EUNSUPPORTED;
	r = realm_of(auth, by_proxy, c->realm);
	if (!r)
		return HD_ELIMIT;
	if (r->asked)
		return 0; /* the one above it is better */
	if (is_refusal(r, c))
		return HD_EACCESS;
	err = lookup(arg, c->realm, &credentials);
	if (!err)
		err = ha1_make(with.ha1, algorithm_of(c), c->realm, &credentials);
	if (!err)
		err = hd_str_set(with.username, sizeof(with.username), credentials.username);
	if (!err)
		err = realm_set(r, c, &with);
	if (!err && r == &auth->realms[auth->n])
		auth->n++;
	hd_wipe(&with, sizeof(with));
	return err;
}

/* Of several reasons not to go on the one that says most. */
static int worse(int a, int b)
{
	static const int order[] = { HD_EACCESS, HD_ENOENT, HD_ELIMIT, HD_EUNSUPPORTED };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a ? a : b;
}

static bool is_reason(int err)
{
	return err == HD_EACCESS || err == HD_ENOENT || err == HD_ELIMIT || err == HD_EUNSUPPORTED;
}

int hd_uac_auth_take(struct hd_uac_auth *auth, struct hd_msg *response, hd_uac_lookup_fn *lookup,
		     void *arg)
{
	const bool by_proxy = hd_msg_status(response) == 407;
	const char *name = by_proxy ? "Proxy-Authenticate" : "WWW-Authenticate", *value;
	struct hd_challenge challenge;
	int err, why = HD_EUNSUPPORTED;
	bool any = false;

	for (size_t i = 0; i < auth->n; i++)
		auth->realms[i].asked = false;
	for (unsigned i = 0;
	     i < HD_CREDENTIALS_VALUES_MAX && (value = hd_msg_header(response, name, i)); i++) {
		err = hd_challenge_parse(&challenge, hd_slice_of(value));
		if (err)
			continue;
		err = take_one(auth, by_proxy, &challenge, lookup, arg);
		if (err == HD_EACCESS || (err && !is_reason(err)))
			return err;
		if (err)
			why = worse(why, err);
		any = any || !err;
	}
	return any ? 0 : why;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void add_quoted(struct hd_buf *b, const char *name, const char *text)
{
	hd_buf_addf(b, ", %s=\"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			hd_buf_adds(b, "\\");
		hd_buf_add(b, (struct hd_slice){ text, 1 });
	}
	hd_buf_adds(b, "\"");
}

/* H(A2), RFC 7616 3.4.3 */
static void ha2_make(char ha2[HD_DIGEST_HA1_SIZE], const struct realm *r,
		     enum hd_digest_algorithm algorithm, struct hd_msg *request)
{
	const struct hd_slice colon = { ":", 1 }, body = hd_msg_body(request);
	char body_hash[HD_DIGEST_HA1_SIZE];
	struct hd_slice a2[5] = { hd_slice_of(hd_msg_method_name(request)), colon,
				  hd_slice_of(hd_msg_ruri_text(request)), colon };

	if (r->qop == QOP_AUTH_INT) {
		hd_digest_hex(body_hash, algorithm, &body, 1);
		a2[4] = hd_slice_of(body_hash);
	}
	hd_digest_hex(ha2, algorithm, a2, r->qop == QOP_AUTH_INT ? 5 : 3);
}

static int add_answer(struct realm *r, struct hd_msg *request)
{
	static const char *const qops[] = { NULL, "auth", "auth-int" };
	char ha2[HD_DIGEST_HA1_SIZE], response[HD_DIGEST_HA1_SIZE];
	char cnonce[2 * CNONCE_BYTES + 1], count[COUNT_SIZE];
	struct hd_credentials c = { 0 };
	uint8_t random[CNONCE_BYTES];
	struct hd_buf b = { 0 };
	uint32_t nc = r->count + 1;
	uint8_t be[4] = { (uint8_t)(nc >> 24), (uint8_t)(nc >> 16), (uint8_t)(nc >> 8),
			  (uint8_t)nc };
	int err;

	hd_random_bytes(random, sizeof(random));
	hd_hex_format(cnonce, random, sizeof(random));
	hd_hex_format(count, be, sizeof(be));
	c.nonce = hd_slice_of(r->nonce);
	c.algorithm = hd_slice_of(r->algorithm);
	c.qop = hd_slice_of(qops[r->qop]);
	c.nc = hd_slice_of(count);
	c.cnonce = hd_slice_of(cnonce);
	ha2_make(ha2, r, hd_credentials_algorithm(&c), request);
	hd_digest_combine(response, &c, r->ha1, ha2);

	/* realm, nonce and opaque are kept as they came, with their backslashes. */
	hd_buf_addf(&b, "%s: Digest realm=\"%s\", nonce=\"%s\"",
		    r->by_proxy ? "Proxy-Authorization" : "Authorization", r->name, r->nonce);
	add_quoted(&b, "username", r->username);
	hd_buf_addf(&b, ", uri=\"%s\", response=\"%s\"", hd_msg_ruri_text(request), response);
	if (r->algorithm)
		hd_buf_addf(&b, ", algorithm=%s", r->algorithm);
	if (r->qop != QOP_NONE)
		hd_buf_addf(&b, ", qop=%s, nc=%s, cnonce=\"%s\"", qops[r->qop], count, cnonce);
	if (r->opaque)
		hd_buf_addf(&b, ", opaque=\"%s\"", r->opaque);
	err = hd_buf_error(&b);
	if (!err)
		err = hd_msg_add(request, hd_buf_text(&b));
	hd_buf_fini(&b);
	if (!err) {
		r->count = nc;
		r->answered = true;
	}
	return err;
}

int hd_uac_auth_add(struct hd_uac_auth *auth, struct hd_msg *request)
{
	int err = 0;

	for (size_t i = 0; !err && i < auth->n; i++)
		err = add_answer(&auth->realms[i], request);
	return err;
}
