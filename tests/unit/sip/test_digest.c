/* test_digest.c - what is accepted, challenged and refused; no digest twice, none of a stranger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/sip/digest.h"

#define REALM "hotdesk.local"
#define SOURCE "192.0.2.1"
#define URI "sip:hotdesk.local"

enum { VALUE_SIZE = 1024 };

static struct hd_fake_clock fake;
static struct hd_key key;
static int lookup_error;
static unsigned lookups;

static struct hd_slice S(const char *s) {
	return hd_slice_of(s);
}

static void
ha1_make(char *ha1, const char *user, const char *realm, const char *password,
	 enum hd_digest_algorithm algorithm)
{
	const struct hd_slice parts[] = { S(user), S(":"), S(realm), S(":"), S(password) };
	uint8_t sum[HD_SHA256_BYTES];

	if (algorithm == HD_DIGEST_SHA256) {
		hd_sha256(sum, parts, 5);
		hd_hex_format(ha1, sum, HD_SHA256_BYTES);
	} else {
		hd_md5(sum, parts, 5);
		hd_hex_format(ha1, sum, HD_MD5_BYTES);
	}
}

/* Knows desk-101 with the password "secret", and "empty" without a hash. */
static int lookup(void *arg, const char *username, enum hd_digest_algorithm algorithm,
		  char ha1[HD_DIGEST_HA1_SIZE])
{
	(void)arg;
	lookups++;
	if (lookup_error)
		return lookup_error;
	if (strcmp(username, "empty") == 0)
		return 0;
	if (strcmp(username, "desk-101") != 0)
		return HD_ENOENT;

	ha1_make(ha1, username, REALM, "secret", algorithm);
	return 0;
}

static struct hd_digest_options options(void)
{
	return (struct hd_digest_options){
		.realm = REALM,
		.md5 = true,
		.sha256 = true,
		.without_qop = true,
		.nonce_s = 300,
		.key = key,
		.clock = &fake.clock,
	};
}

static struct hd_digest *digest_new(void)
{
	struct hd_digest_options o = options();
	struct hd_digest *d;

	assert_int_equal(hd_digest_new(&d, &o), 0);
	return d;
}

/** An answer as a phone makes it; a field that is NULL is left out of the header. */
struct answer {
	const char *username, *realm, *nonce, *uri, *algorithm, *qop, *nc, *cnonce;
	const char *password;
	const char *method;
	const char *extra;    /* ",x=y" */
	const char *response; /* instead of the right one; "-" leaves it out */
};

static struct answer answer(const char *nonce)
{
	return (struct answer){
		.username = "desk-101",
		.realm = REALM,
		.nonce = nonce,
		.uri = URI,
		.algorithm = "MD5",
		.qop = "auth",
		.nc = "00000001",
		.cnonce = "0a4f113b",
		.password = "secret",
		.method = "REGISTER",
	};
}

static void add(struct hd_buf *b, const char *name, const char *value)
{
	if (value)
		hd_buf_addf(b, "%s%s=\"%s\"", b->len > 7 ? "," : "", name, value);
}

static void answer_write(char value[VALUE_SIZE], const struct answer *a)
{
	struct hd_buf b = { 0 };
	struct hd_credentials c;
	enum hd_digest_algorithm algorithm;
	char ha1[HD_DIGEST_HA1_SIZE];
	char response[HD_DIGEST_HA1_SIZE] = "0";

	hd_buf_adds(&b, "Digest ");
	add(&b, "username", a->username);
	add(&b, "realm", a->realm);
	add(&b, "nonce", a->nonce);
	add(&b, "uri", a->uri);
	add(&b, "algorithm", a->algorithm);
	add(&b, "qop", a->qop);
	add(&b, "nc", a->nc);
	add(&b, "cnonce", a->cnonce);
	if (hd_credentials_parse(&c, S(hd_buf_text(&b))) == 0) {
		algorithm = hd_credentials_algorithm(&c);
		ha1_make(ha1, a->username ? a->username : "", a->realm ? a->realm : "", a->password,
			 algorithm);
		if (hd_digest_response(response, &c, ha1, S(a->method)))
			snprintf(response, sizeof(response), "%032d", 0);
	}
	if (!a->response)
		add(&b, "response", response);
	else if (strcmp(a->response, "-") != 0)
		add(&b, "response", a->response);
	hd_buf_adds(&b, a->extra ? a->extra : "");

	assert_int_equal(hd_str_copy(value, VALUE_SIZE, S(hd_buf_text(&b))), 0);
	hd_buf_fini(&b);
}

static void nonce_get(char nonce[64], const struct hd_digest *d, size_t i, const char *source)
{
	char challenge[HD_CHALLENGE_SIZE];
	struct hd_credentials c;

	assert_int_equal(hd_digest_challenge(challenge, d, i, source, false), 0);
	assert_int_equal(hd_credentials_parse(&c, S(challenge)), 0);
	assert_int_equal(hd_str_copy(nonce, 64, c.nonce), 0);
}

static struct hd_digest_request request(const struct hd_slice *values, size_t n)
{
	return (struct hd_digest_request){
		.method = S("REGISTER"),
		.uri = S(URI),
		.source = SOURCE,
		.call_id = S("call-1"),
		.cseq = 1,
		.values = values,
		.n_values = n,
	};
}

static struct hd_digest_result result;

static enum hd_digest_verdict check_text(struct hd_digest *d, const char *text)
{
	const struct hd_slice value = S(text);
	struct hd_digest_request req = request(&value, 1);

	return hd_digest_check(d, &req, lookup, NULL, &result);
}

static enum hd_digest_verdict check(struct hd_digest *d, const struct answer *a)
{
	char value[VALUE_SIZE];

	answer_write(value, a);
	return check_text(d, value);
}

static void assert_verdict(const char *what, enum hd_digest_verdict got,
			   enum hd_digest_verdict want)
{
	if (got != want)
		fail_msg("%s: expected %s, got %s (%s)", what, hd_digest_verdict_name(want),
			 hd_digest_verdict_name(got), result.why);
}

/* ---- challenges ----------------------------------------------------------------------------------- */

static void test_challenge(void **state)
{
	struct hd_digest_options o = options();
	struct hd_digest *d = digest_new();
	char text[HD_CHALLENGE_SIZE];
	char first[64];
	char nonce[64];

	(void)state;
	assert_int_equal(hd_digest_challenge_count(d), 2);
	assert_int_equal(hd_digest_challenge(text, d, 0, SOURCE, false), 0);
	assert_non_null(strstr(text, "Digest realm=\"" REALM "\",nonce=\""));
	assert_non_null(strstr(text, ",algorithm=SHA-256,qop=\"auth\""));
	assert_null(strstr(text, "stale"));
	assert_true(strlen(text) <= 120);
	assert_int_equal(hd_digest_challenge(text, d, 1, SOURCE, true), 0);
	assert_non_null(strstr(text, ",algorithm=MD5,qop=\"auth\",stale=true"));
	assert_int_equal(hd_digest_challenge(text, d, 2, SOURCE, false), HD_EINVAL);

	nonce_get(first, d, 0, SOURCE);
	for (int i = 0; i < 6; i++) {
		nonce_get(nonce, d, 0, SOURCE);
		assert_string_not_equal(first, nonce);
	}

	o.sha256 = false;
	assert_int_equal(hd_digest_set_options(d, &o), 0);
	assert_int_equal(hd_digest_challenge_count(d), 1);
	assert_int_equal(hd_digest_challenge(text, d, 0, SOURCE, false), 0);
	assert_non_null(strstr(text, "algorithm=MD5"));
	hd_digest_free(d);
}

/* The longest realm still fits. */
static void test_options(void **state)
{
	struct hd_digest_options o = options();
	struct hd_digest *d = digest_new();
	char realm[HD_DIGEST_REALM_SIZE + 1];
	char text[HD_CHALLENGE_SIZE];

	(void)state;
	memset(realm, 'r', sizeof(realm));
	realm[HD_DIGEST_REALM_SIZE] = '\0';
	o.realm = realm;
	assert_int_equal(hd_digest_set_options(d, &o), HD_EINVAL);
	realm[HD_DIGEST_REALM_SIZE - 1] = '\0';
	assert_int_equal(hd_digest_set_options(d, &o), 0);
	assert_int_equal(hd_digest_challenge(text, d, 0, SOURCE, true), 0);
	assert_non_null(strstr(text, "stale=true"));

	static const char *const bad[] = { "", "a\"b", "a\\b", "a\r\nb", "a\x7f" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		o.realm = bad[i];
		assert_int_equal(hd_digest_set_options(d, &o), HD_EINVAL);
	}
	o = options();
	o.md5 = o.sha256 = false;
	assert_int_equal(hd_digest_set_options(d, &o), HD_EINVAL);
	o = options();
	o.nonce_s = 0;
	assert_int_equal(hd_digest_new(&d, &o), HD_EINVAL);
	hd_digest_free(d);
	hd_digest_free(NULL);
}

/* ---- one answer ----------------------------------------------------------------------------------- */

static void test_right(void **state)
{
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	assert_verdict("MD5", check(d, &a), HD_DIGEST_OK);
	assert_string_equal(result.username, "desk-101");
	assert_int_equal(result.algorithm, HD_DIGEST_MD5);
	assert_true(result.source_proved);

	a.nc = "00000002";
	a.algorithm = NULL;
	assert_verdict("no algorithm is MD5", check(d, &a), HD_DIGEST_OK);

	nonce_get(nonce, d, 0, SOURCE);
	a = answer(nonce);
	a.algorithm = "SHA-256";
	assert_verdict("SHA-256", check(d, &a), HD_DIGEST_OK);
	assert_int_equal(result.algorithm, HD_DIGEST_SHA256);
	a.nc = "0000000a";
	a.algorithm = "sha-256";
	assert_verdict("lower case", check(d, &a), HD_DIGEST_OK);
	a.nc = "0000000B";
	a.extra = ",userhash=false,opaque=\"\",foo=bar";
	assert_verdict("more parameters", check(d, &a), HD_DIGEST_OK);
	hd_digest_free(d);
}

struct change {
	const char *what;
	size_t offset;
	const char *value;
	enum hd_digest_verdict want;
};
#define CHANGE(field, value, want)                                                                 \
	{                                                                                          \
#field " " #value, offsetof(struct answer, field), value, HD_DIGEST_##want         \
	}

/* DIG-03, 10, 13, 14, 15, 18, 21, 32: the right answer but for one thing */
static void test_one_thing_wrong(void **state)
{
	static const struct change changes[] = {
		CHANGE(password, "Secret", WRONG),
		CHANGE(username, "desk-999", WRONG),
		CHANGE(username, "empty", WRONG),
		CHANGE(username, "desk-101\\\"", WRONG),
		CHANGE(method, "INVITE", WRONG),
		CHANGE(response, "00000000000000000000000000000000", WRONG),
		CHANGE(username, NULL, MALFORMED),
		CHANGE(username, "", MALFORMED),
		CHANGE(realm, NULL, MALFORMED),
		CHANGE(nonce, NULL, MALFORMED),
		CHANGE(nonce, "", MALFORMED),
		CHANGE(uri, NULL, MALFORMED),
		CHANGE(uri, "sip:201@hotdesk.local", MALFORMED),
		CHANGE(uri, "http://hotdesk.local", MALFORMED),
		CHANGE(nc, NULL, MALFORMED),
		CHANGE(nc, "", MALFORMED),
		CHANGE(nc, "zzzzzzzz", MALFORMED),
		CHANGE(nc, "0", MALFORMED),
		CHANGE(nc, "00000000", MALFORMED),
		CHANGE(nc, "-0000001", MALFORMED),
		CHANGE(nc, "0x000001", MALFORMED),
		CHANGE(nc, "00000000000000001", MALFORMED),
		CHANGE(cnonce, NULL, MALFORMED),
		CHANGE(cnonce, "", MALFORMED),
		CHANGE(response, "-", MALFORMED),
		CHANGE(response, "", MALFORMED),
		CHANGE(response, "0123456789abcdef0123456789abcde", MALFORMED),
		CHANGE(response, "0123456789abcdef0123456789abcdef0", MALFORMED),
		CHANGE(response, "0123456789abcdef0123456789abcdeg", MALFORMED),
		CHANGE(extra, ",username=\"desk-101\"", MALFORMED),
		CHANGE(extra, ",response=\"\"", MALFORMED),
		CHANGE(extra, ",\"", MALFORMED),
		CHANGE(extra, ",userhash=true", NO_CREDENTIALS),
		CHANGE(realm, "other.example.org", NO_CREDENTIALS),
		CHANGE(realm, "HOTDESK.LOCAL", NO_CREDENTIALS),
		CHANGE(qop, "auth-int", NO_CREDENTIALS),
		CHANGE(qop, "foo", NO_CREDENTIALS),
		CHANGE(qop, "", NO_CREDENTIALS),
		CHANGE(algorithm, "MD5-sess", NO_CREDENTIALS),
		CHANGE(algorithm, "FOO-512", NO_CREDENTIALS),
		CHANGE(algorithm, "", NO_CREDENTIALS),
		CHANGE(nonce, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STALE),
		CHANGE(nonce, "fish", STALE),
	};
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		a = answer(nonce);
		*(const char **)((char *)&a + changes[i].offset) = changes[i].value;
		lookups = 0;
		assert_verdict(changes[i].what, check(d, &a), changes[i].want);
		/* Only a live nonce of ours is worth a look-up, and then always one. */
		if (strcmp(changes[i].what, "username \"desk-101\\\\\\\"\"") != 0)
			assert_int_equal(lookups, changes[i].want == HD_DIGEST_WRONG);
		assert_int_equal(result.source_proved, changes[i].want == HD_DIGEST_WRONG);
	}
	/* None of them has used the count up. */
	a = answer(nonce);
	assert_verdict("unchanged", check(d, &a), HD_DIGEST_OK);
	hd_digest_free(d);
}

static void test_schemes(void **state)
{
	static const char *const lines[] = { "", "Basic QTpC", "Bearer x", "Foo a=b", "Digest" };
	struct hd_digest *d = digest_new();
	struct hd_digest_request req = request(NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_verdict(lines[i], check_text(d, lines[i]), HD_DIGEST_NO_CREDENTIALS);
	assert_verdict("none", hd_digest_check(d, &req, lookup, NULL, &result),
		       HD_DIGEST_NO_CREDENTIALS);
	assert_string_equal(result.username, "");
	hd_digest_free(d);
}

/* DIG-32: upper-case digits are the same number. */
static void test_response_case(void **state)
{
	struct hd_digest *d = digest_new();
	char value[VALUE_SIZE];
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	answer_write(value, &a);
	for (char *p = strstr(value, "response=\"") + 10; *p != '"'; p++)
		*p = (char)(*p >= 'a' && *p <= 'f' ? *p - 'a' + 'A' : *p);
	assert_verdict("upper case", check_text(d, value), HD_DIGEST_OK);
	hd_digest_free(d);
}

/* DIG-17, 20: foreign ones are passed over, the first of ours counts */
static void test_several(void **state)
{
	struct hd_digest *d = digest_new();
	char foreign[VALUE_SIZE];
	char right[VALUE_SIZE];
	char wrong[VALUE_SIZE];
	struct hd_slice values[40];
	struct hd_digest_request req = request(values, 0);
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	answer_write(right, &a);
	a.nc = "00000002";
	a.password = "wrong";
	answer_write(wrong, &a);
	a = answer("n");
	a.realm = "far.example.net";
	answer_write(foreign, &a);

	values[0] = S(foreign);
	values[1] = S("Digest broken");
	values[2] = S("Basic QTpC");
	values[3] = S(right);
	values[4] = S(wrong);
	req.n_values = 5;
	assert_verdict("ours is fourth", hd_digest_check(d, &req, lookup, NULL, &result),
		       HD_DIGEST_OK);

	values[2] = S(wrong);
	assert_verdict("the first of ours", hd_digest_check(d, &req, lookup, NULL, &result),
		       HD_DIGEST_WRONG);
	req.n_values = 1;
	assert_verdict("foreign only", hd_digest_check(d, &req, lookup, NULL, &result),
		       HD_DIGEST_NO_CREDENTIALS);
	req.n_values = 2;
	assert_verdict("and a broken one", hd_digest_check(d, &req, lookup, NULL, &result),
		       HD_DIGEST_MALFORMED);

	for (size_t i = 0; i < 40; i++)
		values[i] = S(foreign);
	values[39] = S(right);
	req.n_values = 40;
	assert_verdict("too many", hd_digest_check(d, &req, lookup, NULL, &result),
		       HD_DIGEST_NO_CREDENTIALS);
	hd_digest_free(d);
}

static void test_uri(void **state)
{
	static const struct {
		const char *digest_uri;
		const char *request_uri;
		enum hd_digest_verdict want;
	} cases[] = {
		{ "sip:hotdesk.local", "sip:hotdesk.local", HD_DIGEST_OK },
		{ "sip:hotdesk.local;transport=udp", "sip:hotdesk.local", HD_DIGEST_OK },
		{ "sip:192.0.2.9:5060", "sip:hotdesk.local", HD_DIGEST_OK },
		{ "sip:201@192.0.2.9", "sip:201@hotdesk.local:5060;user=phone", HD_DIGEST_OK },
		{ "sips:201@hotdesk.local", "sip:201@hotdesk.local", HD_DIGEST_OK },
		{ "sip:*771*201*1%23@h", "sip:*771*201*1#@h", HD_DIGEST_OK },
		{ "sip:%32%30%31@h", "sip:201@h", HD_DIGEST_OK },
		{ "urn:service:sos", "urn:service:sos", HD_DIGEST_OK },
		{ "sip:202@hotdesk.local", "sip:201@hotdesk.local", HD_DIGEST_MALFORMED },
		{ "sip:hotdesk.local", "sip:201@hotdesk.local", HD_DIGEST_MALFORMED },
		{ "sip:Anna@h", "sip:anna@h", HD_DIGEST_MALFORMED },
		{ "urn:service:sos", "urn:service:fire", HD_DIGEST_MALFORMED },
		{ "*", "sip:201@hotdesk.local", HD_DIGEST_MALFORMED },
	};
	struct hd_digest *d = digest_new();
	char value[VALUE_SIZE];
	char nonce[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_digest_request req;
		struct hd_slice v;
		struct answer a;

		nonce_get(nonce, d, 1, SOURCE);
		a = answer(nonce);
		a.uri = cases[i].digest_uri;
		answer_write(value, &a);
		v = S(value);
		req = request(&v, 1);
		req.uri = S(cases[i].request_uri);
		assert_verdict(cases[i].digest_uri, hd_digest_check(d, &req, lookup, NULL, &result),
			       cases[i].want);
	}
	hd_digest_free(d);
}

/* DIG-19: a hash of one algorithm under the name of the other, and the nonce of the other challenge */
static void test_algorithms_apart(void **state)
{
	struct hd_digest_options o = options();
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 0, SOURCE);
	a = answer(nonce);
	a.algorithm = "SHA-256";
	a.response = "0123456789abcdef0123456789abcdef";
	assert_verdict("MD5 called SHA-256", check(d, &a), HD_DIGEST_MALFORMED);
	a = answer(nonce);
	assert_verdict("MD5 over SHA-256's nonce", check(d, &a), HD_DIGEST_STALE);

	o.md5 = false;
	assert_int_equal(hd_digest_set_options(d, &o), 0);
	assert_verdict("MD5 not offered", check(d, &a), HD_DIGEST_NO_CREDENTIALS);
	hd_digest_free(d);
}

static void test_lookup_fails(void **state)
{
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	lookup_error = HD_EIO;
	assert_verdict("input/output error", check(d, &a), HD_DIGEST_FAILED);
	lookup_error = 0;
	assert_verdict("afterwards", check(d, &a), HD_DIGEST_OK);
	assert_int_equal(hd_digest_check(d, NULL, lookup, NULL, &result), HD_DIGEST_FAILED);
	assert_int_equal(hd_digest_check(d, NULL, lookup, NULL, NULL), HD_DIGEST_FAILED);
	hd_digest_free(d);
}

/* DIG-04: nothing but the log text differs between an unknown name and a wrong password. */
static void test_unknown_is_wrong(void **state)
{
	struct hd_digest *d = digest_new();
	struct hd_digest_result known;
	struct answer a;
	char long_name[400];
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	a.password = "wrong";
	assert_verdict("wrong password", check(d, &a), HD_DIGEST_WRONG);
	known = result;
	a.username = "desk-000";
	assert_verdict("unknown name", check(d, &a), HD_DIGEST_WRONG);
	assert_int_equal(known.source_proved, result.source_proved);
	assert_int_equal(known.algorithm, result.algorithm);

	memset(long_name, 'u', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	a.username = long_name;
	assert_verdict("name too long", check(d, &a), HD_DIGEST_WRONG);
	assert_string_equal(result.username, "");
	hd_digest_free(d);
}

/* ---- nonces and counts ------------------------------------------------------------------------------ */

static void test_other_source(void **state)
{
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, "198.51.100.7");
	a = answer(nonce);
	lookups = 0;
	assert_verdict("of another source", check(d, &a), HD_DIGEST_STALE);
	assert_int_equal(lookups, 0);
	assert_false(result.source_proved);
	hd_digest_free(d);
}

/* DIG-09; and before the time comes it works */
static void test_expired(void **state)
{
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	hd_fake_clock_advance(&fake, 299 * 1000);
	assert_verdict("young", check(d, &a), HD_DIGEST_OK);
	hd_fake_clock_advance(&fake, 2 * 1000);
	a.nc = "00000002";
	lookups = 0;
	assert_verdict("old", check(d, &a), HD_DIGEST_STALE);
	a.password = "wrong";
	assert_verdict("old, wrong password", check(d, &a), HD_DIGEST_STALE);
	assert_int_equal(lookups, 0);
	assert_false(result.source_proved);
	hd_digest_free(d);
}

/* A restart with the same key takes the nonces of before; a new realm or key does not. */
static void test_restart(void **state)
{
	struct hd_digest_options o = options();
	struct hd_digest *before = digest_new();
	struct hd_digest *after = digest_new();
	struct hd_digest *stranger;
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, before, 1, SOURCE);
	a = answer(nonce);
	assert_verdict("same key", check(after, &a), HD_DIGEST_OK);

	o.key.bytes[0] ^= 1;
	assert_int_equal(hd_digest_new(&stranger, &o), 0);
	assert_verdict("other key", check(stranger, &a), HD_DIGEST_STALE);
	hd_digest_free(stranger);

	o = options();
	o.realm = "other.example.org";
	assert_int_equal(hd_digest_new(&stranger, &o), 0);
	a.realm = "other.example.org";
	assert_verdict("other realm", check(stranger, &a), HD_DIGEST_STALE);
	hd_digest_free(stranger);
	hd_digest_free(before);
	hd_digest_free(after);
}

static enum hd_digest_verdict check_as(struct hd_digest *d, const struct answer *a,
				       const char *call_id, uint32_t cseq)
{
	char value[VALUE_SIZE];
	struct hd_slice v;
	struct hd_digest_request req;

	answer_write(value, a);
	v = S(value);
	req = request(&v, 1);
	req.call_id = S(call_id);
	req.cseq = cseq;
	return hd_digest_check(d, &req, lookup, NULL, &result);
}

/* DIG-05, 06 */
static void test_replay(void **state)
{
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	assert_verdict("first", check_as(d, &a, "c", 1), HD_DIGEST_OK);
	assert_verdict("retransmitted", check_as(d, &a, "c", 1), HD_DIGEST_REPEATED);
	assert_string_equal(result.username, "desk-101");
	assert_verdict("other CSeq", check_as(d, &a, "c", 2), HD_DIGEST_REPLAY);
	assert_true(result.source_proved);
	assert_verdict("other Call-ID", check_as(d, &a, "d", 1), HD_DIGEST_REPLAY);
	a.nc = "00000002";
	assert_verdict("second", check_as(d, &a, "c", 2), HD_DIGEST_OK);
	a.nc = "00000001";
	assert_verdict("first again", check_as(d, &a, "c", 3), HD_DIGEST_REPLAY);
	a.nc = "00000100";
	assert_verdict("gap", check_as(d, &a, "c", 4), HD_DIGEST_OK);
	a.nc = "000000f0";
	assert_verdict("late", check_as(d, &a, "c", 5), HD_DIGEST_OK);
	a.nc = "00000003";
	assert_verdict("too late", check_as(d, &a, "c", 6), HD_DIGEST_REPLAY);
	a.password = "wrong";
	assert_verdict("wrong, used count", check_as(d, &a, "c", 7), HD_DIGEST_WRONG);
	hd_digest_free(d);
}

/* 100,000 uses of counts that grow, jump, fall back and repeat, over more nonces than are remembered:
 * none passes twice. */
static void test_replay_many(void **state)
{
	enum { ROUNDS = 100000, NONCES = 50, COUNTS = ROUNDS / 4 + 64 };
	static bool passed[NONCES][COUNTS];
	struct hd_digest_options o = options();
	struct hd_digest *d;
	char nonces[NONCES][64];
	unsigned accepted = 0;
	uint32_t random = 1;

	(void)state;
	o.used_max = 1;
	assert_int_equal(hd_digest_new(&d, &o), 0);
	/* The last and youngest is number 0, which is never forgotten. */
	for (size_t i = NONCES; i-- > 0; hd_fake_clock_advance(&fake, 1000))
		nonce_get(nonces[i], d, 1, SOURCE);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct answer a;
		uint32_t count;
		size_t n;
		char nc[9];

		random = random * 1664525 + 1013904223;
		n = random >> 16 & 7 ? 0 : i % NONCES;
		count = i / 4 + 1 + (random >> 20 & 31);
		snprintf(nc, sizeof(nc), "%08x", count);
		a = answer(nonces[n]);
		a.nc = nc;
		if (check_as(d, &a, "c", i) != HD_DIGEST_OK)
			continue;
		if (passed[n][count])
			fail_msg("nonce %zu, count %u passed twice", n, count);
		passed[n][count] = true;
		accepted++;
	}
	assert_in_range(accepted, ROUNDS / 8, ROUNDS / 2);
	hd_digest_free(d);
}

/* DIG-12: no count, so one request for each nonce */
static void test_without_qop(void **state)
{
	struct hd_digest_options o = options();
	struct hd_digest *d = digest_new();
	struct answer a;
	char nonce[64];

	(void)state;
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	a.qop = a.nc = a.cnonce = NULL;
	a.password = "wrong";
	assert_verdict("wrong", check_as(d, &a, "c", 1), HD_DIGEST_WRONG);
	a.password = "secret";
	assert_verdict("first", check_as(d, &a, "c", 1), HD_DIGEST_OK);
	assert_verdict("retransmitted", check_as(d, &a, "c", 1), HD_DIGEST_REPEATED);
	assert_verdict("again", check_as(d, &a, "c", 2), HD_DIGEST_REPLAY);
	a = answer(nonce);
	assert_verdict("with qop now", check_as(d, &a, "c", 3), HD_DIGEST_REPLAY);

	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	assert_verdict("with qop", check_as(d, &a, "c", 4), HD_DIGEST_OK);

	o.without_qop = false;
	assert_int_equal(hd_digest_set_options(d, &o), 0);
	nonce_get(nonce, d, 1, SOURCE);
	a = answer(nonce);
	a.qop = a.nc = a.cnonce = NULL;
	assert_verdict("not configured", check_as(d, &a, "c", 5), HD_DIGEST_NO_CREDENTIALS);
	hd_digest_free(d);
}

static int setup(void **state)
{
	(void)state;
	hd_fake_clock_init(&fake, INT64_C(1795000000000));
	lookup_error = 0;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_challenge, setup),
		cmocka_unit_test_setup(test_options, setup),
		cmocka_unit_test_setup(test_right, setup),
		cmocka_unit_test_setup(test_one_thing_wrong, setup),
		cmocka_unit_test_setup(test_schemes, setup),
		cmocka_unit_test_setup(test_response_case, setup),
		cmocka_unit_test_setup(test_several, setup),
		cmocka_unit_test_setup(test_uri, setup),
		cmocka_unit_test_setup(test_algorithms_apart, setup),
		cmocka_unit_test_setup(test_lookup_fails, setup),
		cmocka_unit_test_setup(test_unknown_is_wrong, setup),
		cmocka_unit_test_setup(test_other_source, setup),
		cmocka_unit_test_setup(test_expired, setup),
		cmocka_unit_test_setup(test_restart, setup),
		cmocka_unit_test_setup(test_replay, setup),
		cmocka_unit_test_setup(test_replay_many, setup),
		cmocka_unit_test_setup(test_without_qop, setup),
	};

	if (hd_secret_init())
		return 1;
	hd_random_bytes(&key, sizeof(key));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
