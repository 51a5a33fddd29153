/* test_digest.c - one answer: what is accepted, challenged and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest_phone.h"

static struct hd_slice str(const char *s)
{
	return hd_slice_of(s);
}

/* ---- challenges ---------------------------------------------------------------------------- */

static void test_challenge(void **state)
{
	struct hd_digest_options o = phone_options();
	struct hd_digest *d = phone_digest();
	char text[HD_CHALLENGE_SIZE];
	char first[64];
	char nonce[64];

	(void)state;
	assert_int_equal(hd_digest_challenge_count(d), 2);
	assert_int_equal(hd_digest_challenge(text, d, 0, SOURCE, false), 0);
	assert_non_null(strstr(text, "Digest realm=\"" REALM "\", nonce=\""));
	assert_non_null(strstr(text, ", algorithm=SHA-256, qop=\"auth\""));
	assert_null(strstr(text, "stale"));
	assert_true(strlen(text) <= 120);
	assert_int_equal(hd_digest_challenge(text, d, 1, SOURCE, true), 0);
	assert_non_null(strstr(text, ", algorithm=MD5, qop=\"auth\", stale=true"));
	assert_int_equal(hd_digest_challenge(text, d, 2, SOURCE, false), HD_EINVAL);

	phone_nonce(first, d, 0, SOURCE);
	for (int i = 0; i < 6; i++) {
		phone_nonce(nonce, d, 0, SOURCE);
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
	struct hd_digest_options o = phone_options();
	struct hd_digest *d = phone_digest();
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
	o = phone_options();
	o.md5 = o.sha256 = false;
	assert_int_equal(hd_digest_set_options(d, &o), HD_EINVAL);
	o = phone_options();
	o.nonce_s = 0;
	assert_int_equal(hd_digest_new(&d, &o), HD_EINVAL);
	hd_digest_free(d);
	hd_digest_free(NULL);
}

/* ---- one answer ---------------------------------------------------------------------------- */

static void test_right(void **state)
{
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	assert_verdict("MD5", phone_check(d, &a), HD_DIGEST_OK);
	assert_string_equal(phone_result.username, "desk-101");
	assert_int_equal(phone_result.algorithm, HD_DIGEST_MD5);
	assert_true(phone_result.source_proved);

	a.nc = "00000002";
	a.algorithm = NULL;
	assert_verdict("no algorithm is MD5", phone_check(d, &a), HD_DIGEST_OK);

	phone_nonce(nonce, d, 0, SOURCE);
	a = phone_answer(nonce);
	a.algorithm = "SHA-256";
	assert_verdict("SHA-256", phone_check(d, &a), HD_DIGEST_OK);
	assert_int_equal(phone_result.algorithm, HD_DIGEST_SHA256);
	a.nc = "0000000a";
	a.algorithm = "sha-256";
	assert_verdict("lower case", phone_check(d, &a), HD_DIGEST_OK);
	a.nc = "0000000B";
	a.extra = ",userhash=false,opaque=\"\",foo=bar";
	assert_verdict("more parameters", phone_check(d, &a), HD_DIGEST_OK);
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
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		a = phone_answer(nonce);
		*(const char **)((char *)&a + changes[i].offset) = changes[i].value;
		phone_lookups = 0;
		assert_verdict(changes[i].what, phone_check(d, &a), changes[i].want);
		/* Only a live nonce of ours is worth a look-up, and then always one. */
		if (strcmp(changes[i].what, "username \"desk-101\\\\\\\"\"") != 0)
			assert_int_equal(phone_lookups, changes[i].want == HD_DIGEST_WRONG);
		assert_int_equal(phone_result.source_proved, changes[i].want == HD_DIGEST_WRONG);
	}
	/* None of them has used the count up. */
	a = phone_answer(nonce);
	assert_verdict("unchanged", phone_check(d, &a), HD_DIGEST_OK);
	hd_digest_free(d);
}

static void test_schemes(void **state)
{
	static const char *const lines[] = { "", "Basic QTpC", "Bearer x", "Foo a=b", "Digest" };
	struct hd_digest *d = phone_digest();
	struct hd_digest_request req = phone_request(NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_verdict(lines[i], phone_check_text(d, lines[i]), HD_DIGEST_NO_CREDENTIALS);
	assert_verdict("none", hd_digest_check(d, &req, phone_lookup, NULL, &phone_result),
		       HD_DIGEST_NO_CREDENTIALS);
	assert_string_equal(phone_result.username, "");
	hd_digest_free(d);
}

/* DIG-32: upper-case digits are the same number. */
static void test_response_case(void **state)
{
	struct hd_digest *d = phone_digest();
	char value[VALUE_SIZE];
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	phone_answer_write(value, &a);
	for (char *p = strstr(value, "response=\"") + 10; *p != '"'; p++)
		*p = (char)(*p >= 'a' && *p <= 'f' ? *p - 'a' + 'A' : *p);
	assert_verdict("upper case", phone_check_text(d, value), HD_DIGEST_OK);
	hd_digest_free(d);
}

/* DIG-17, 20: foreign ones are passed over, the first of ours counts */
static void test_several(void **state)
{
	struct hd_digest *d = phone_digest();
	char foreign[VALUE_SIZE];
	char right[VALUE_SIZE];
	char wrong[VALUE_SIZE];
	struct hd_slice values[40];
	struct hd_digest_request req = phone_request(values, 0);
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	phone_answer_write(right, &a);
	a.nc = "00000002";
	a.password = "wrong";
	phone_answer_write(wrong, &a);
	a = phone_answer("n");
	a.realm = "far.example.net";
	phone_answer_write(foreign, &a);

	values[0] = str(foreign);
	values[1] = str("Digest broken");
	values[2] = str("Basic QTpC");
	values[3] = str(right);
	values[4] = str(wrong);
	req.n_values = 5;
	assert_verdict("ours is fourth",
		       hd_digest_check(d, &req, phone_lookup, NULL, &phone_result), HD_DIGEST_OK);

	values[2] = str(wrong);
	assert_verdict("the first of ours",
		       hd_digest_check(d, &req, phone_lookup, NULL, &phone_result),
		       HD_DIGEST_WRONG);
	req.n_values = 1;
	assert_verdict("foreign only", hd_digest_check(d, &req, phone_lookup, NULL, &phone_result),
		       HD_DIGEST_NO_CREDENTIALS);
	req.n_values = 2;
	assert_verdict("and a broken one",
		       hd_digest_check(d, &req, phone_lookup, NULL, &phone_result),
		       HD_DIGEST_MALFORMED);

	for (size_t i = 0; i < 40; i++)
		values[i] = str(foreign);
	values[39] = str(right);
	req.n_values = 40;
	assert_verdict("too many", hd_digest_check(d, &req, phone_lookup, NULL, &phone_result),
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
		{ "sip:192.0.2.9:5060", "sip:201@hotdesk.local", HD_DIGEST_OK },
		{ "sip:201@hotdesk.local", "sip:hotdesk.local", HD_DIGEST_MALFORMED },
		{ "sip:Anna@h", "sip:anna@h", HD_DIGEST_MALFORMED },
		{ "urn:service:sos", "urn:service:fire", HD_DIGEST_MALFORMED },
		{ "*", "sip:201@hotdesk.local", HD_DIGEST_MALFORMED },
	};
	struct hd_digest *d = phone_digest();
	char value[VALUE_SIZE];
	char nonce[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_digest_request req;
		struct hd_slice v;
		struct answer a;

		phone_nonce(nonce, d, 1, SOURCE);
		a = phone_answer(nonce);
		a.uri = cases[i].digest_uri;
		phone_answer_write(value, &a);
		v = str(value);
		req = phone_request(&v, 1);
		req.uri = str(cases[i].request_uri);
		assert_verdict(cases[i].digest_uri,
			       hd_digest_check(d, &req, phone_lookup, NULL, &phone_result),
			       cases[i].want);
	}
	hd_digest_free(d);
}

/* DIG-19: a hash of one algorithm under the name of the other, the nonce of the other challenge */
static void test_algorithms_apart(void **state)
{
	struct hd_digest_options o = phone_options();
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 0, SOURCE);
	a = phone_answer(nonce);
	a.algorithm = "SHA-256";
	a.response = "0123456789abcdef0123456789abcdef";
	assert_verdict("MD5 called SHA-256", phone_check(d, &a), HD_DIGEST_MALFORMED);
	a = phone_answer(nonce);
	assert_verdict("MD5 over SHA-256's nonce", phone_check(d, &a), HD_DIGEST_STALE);

	o.md5 = false;
	assert_int_equal(hd_digest_set_options(d, &o), 0);
	assert_verdict("MD5 not offered", phone_check(d, &a), HD_DIGEST_NO_CREDENTIALS);
	hd_digest_free(d);
}

static void test_lookup_fails(void **state)
{
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	phone_lookup_error = HD_EIO;
	assert_verdict("input/output error", phone_check(d, &a), HD_DIGEST_FAILED);
	phone_lookup_error = 0;
	assert_verdict("afterwards", phone_check(d, &a), HD_DIGEST_OK);
	assert_int_equal(hd_digest_check(d, NULL, phone_lookup, NULL, &phone_result),
			 HD_DIGEST_FAILED);
	assert_int_equal(hd_digest_check(d, NULL, phone_lookup, NULL, NULL), HD_DIGEST_FAILED);
	hd_digest_free(d);
}

/* DIG-04: nothing but the log text differs between an unknown name and a wrong password. */
static void test_unknown_is_wrong(void **state)
{
	struct hd_digest *d = phone_digest();
	struct hd_digest_result known;
	struct answer a;
	char long_name[400];
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	a.password = "wrong";
	assert_verdict("wrong password", phone_check(d, &a), HD_DIGEST_WRONG);
	known = phone_result;
	a.username = "desk-000";
	assert_verdict("unknown name", phone_check(d, &a), HD_DIGEST_WRONG);
	assert_int_equal(known.source_proved, phone_result.source_proved);
	assert_int_equal(known.algorithm, phone_result.algorithm);

	memset(long_name, 'u', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	a.username = long_name;
	assert_verdict("name too long", phone_check(d, &a), HD_DIGEST_WRONG);
	assert_string_equal(phone_result.username, "");
	hd_digest_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_challenge, phone_setup),
		cmocka_unit_test_setup(test_options, phone_setup),
		cmocka_unit_test_setup(test_right, phone_setup),
		cmocka_unit_test_setup(test_one_thing_wrong, phone_setup),
		cmocka_unit_test_setup(test_schemes, phone_setup),
		cmocka_unit_test_setup(test_response_case, phone_setup),
		cmocka_unit_test_setup(test_several, phone_setup),
		cmocka_unit_test_setup(test_uri, phone_setup),
		cmocka_unit_test_setup(test_algorithms_apart, phone_setup),
		cmocka_unit_test_setup(test_lookup_fails, phone_setup),
		cmocka_unit_test_setup(test_unknown_is_wrong, phone_setup),
	};

	if (hd_secret_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
