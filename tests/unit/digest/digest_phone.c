/* digest_phone.c - see digest_phone.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest_phone.h"

struct hd_fake_clock phone_clock;
static struct hd_key key;
int phone_lookup_error;
unsigned phone_lookups;

static struct hd_slice str(const char *s)
{
	return hd_slice_of(s);
}

static void ha1_make(char *ha1, const char *user, const char *realm, const char *password,
		     enum hd_digest_algorithm algorithm)
{
	const struct hd_slice parts[] = { str(user), str(":"), str(realm), str(":"),
					  str(password) };
	uint8_t sum[HD_SHA256_BYTES];

	if (algorithm == HD_DIGEST_SHA256) {
		hd_sha256(sum, parts, 5);
		hd_hex_format(ha1, sum, HD_SHA256_BYTES);
	} else {
		hd_md5(sum, parts, 5);
		hd_hex_format(ha1, sum, HD_MD5_BYTES);
	}
}

int phone_lookup(void *arg, const char *username, enum hd_digest_algorithm algorithm,
		 char ha1[HD_DIGEST_HA1_SIZE])
{
	(void)arg;
	phone_lookups++;
	if (phone_lookup_error)
		return phone_lookup_error;
	if (strcmp(username, "empty") == 0)
		return 0;
	if (strcmp(username, "desk-101") != 0)
		return HD_ENOENT;

	ha1_make(ha1, username, REALM, "secret", algorithm);
	return 0;
}

struct hd_digest_options phone_options(void)
{
	return (struct hd_digest_options){
		.realm = REALM,
		.md5 = true,
		.sha256 = true,
		.without_qop = true,
		.nonce_s = 300,
		.key = key,
		.clock = &phone_clock.clock,
	};
}

struct hd_digest *phone_digest(void)
{
	struct hd_digest_options o = phone_options();
	struct hd_digest *d;

	assert_int_equal(hd_digest_new(&d, &o), 0);
	return d;
}

struct answer phone_answer(const char *nonce)
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

void phone_answer_write(char value[VALUE_SIZE], const struct answer *a)
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
	if (hd_credentials_parse(&c, str(hd_buf_text(&b))) == 0) {
		algorithm = hd_credentials_algorithm(&c);
		ha1_make(ha1, a->username ? a->username : "", a->realm ? a->realm : "", a->password,
			 algorithm);
		if (hd_digest_response(response, &c, ha1, str(a->method)))
			snprintf(response, sizeof(response), "%032d", 0);
	}
	if (!a->response)
		add(&b, "response", response);
	else if (strcmp(a->response, "-") != 0)
		add(&b, "response", a->response);
	hd_buf_adds(&b, a->extra ? a->extra : "");

	assert_int_equal(hd_str_copy(value, VALUE_SIZE, str(hd_buf_text(&b))), 0);
	hd_buf_fini(&b);
}

void phone_nonce(char nonce[NONCE_SIZE], const struct hd_digest *d, size_t i, const char *source)
{
	char challenge[HD_CHALLENGE_SIZE];
	struct hd_credentials c;

	assert_int_equal(hd_digest_challenge(challenge, d, i, source, false), 0);
	assert_int_equal(hd_credentials_parse(&c, str(challenge)), 0);
	assert_int_equal(hd_str_copy(nonce, NONCE_SIZE, c.nonce), 0);
}

const char *phone_branch = "z9hG4bK1";

struct hd_digest_request phone_request(const struct hd_slice *values, size_t n)
{
	return (struct hd_digest_request){
		.method = str("REGISTER"),
		.uri = str(URI),
		.source = SOURCE,
		.call_id = str("call-1"),
		.branch = str(phone_branch),
		.cseq = 1,
		.values = values,
		.n_values = n,
	};
}

struct hd_digest_result phone_result;

enum hd_digest_verdict phone_check_text(struct hd_digest *d, const char *text)
{
	const struct hd_slice value = str(text);
	struct hd_digest_request req = phone_request(&value, 1);

	return hd_digest_check(d, &req, phone_lookup, NULL, &phone_result);
}

enum hd_digest_verdict phone_check(struct hd_digest *d, const struct answer *a)
{
	char value[VALUE_SIZE];

	phone_answer_write(value, a);
	return phone_check_text(d, value);
}

void assert_verdict(const char *what, enum hd_digest_verdict got, enum hd_digest_verdict want)
{
	if (got != want)
		fail_msg("%s: expected %s, got %s (%s)", what, hd_digest_verdict_name(want),
			 hd_digest_verdict_name(got), phone_result.why);
}

enum hd_digest_verdict phone_check_as(struct hd_digest *d, const struct answer *a,
				      const char *call_id, uint32_t cseq)
{
	char value[VALUE_SIZE];
	struct hd_slice v;
	struct hd_digest_request req;

	phone_answer_write(value, a);
	v = str(value);
	req = phone_request(&v, 1);
	req.call_id = str(call_id);
	req.cseq = cseq;
	return hd_digest_check(d, &req, phone_lookup, NULL, &phone_result);
}

int phone_setup(void **state)
{
	(void)state;
	hd_fake_clock_init(&phone_clock, INT64_C(1795000000000));
	phone_lookup_error = 0;
	hd_random_bytes(&key, sizeof(key));
	return 0;
}
