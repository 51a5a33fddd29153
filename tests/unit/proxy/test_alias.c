/* test_alias.c - both names of a caller in our Record-Route: whole, cut, bent and stolen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"
#include "proxy/alias.h"

static const char call_id[] = "call-1@192.0.2.1";
static const char token[] = "EAAAtoken";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct hd_key key_of(uint8_t fill)
{
	struct hd_key token_key, key;

	memset(&token_key, fill, sizeof(token_key));
	alias_key_derive(&key, &token_key);
	return key;
}

static struct alias alias_of(const char *own, const char *shown)
{
	struct alias alias;

	assert_int_equal(hd_str_set(alias.own, sizeof(alias.own), own), 0);
	assert_int_equal(hd_str_set(alias.shown, sizeof(alias.shown), shown), 0);
	return alias;
}

/* Beside a sealed token it is sealed, too. */
static void sealed_round_trip(const char *own, const char *shown)
{
	static const char sealed_token[] = ".EAAAtoken";
	const struct hd_key key = key_of(1);
	const struct alias alias = alias_of(own, shown);
	char text[ALIAS_SIZE];
	struct alias got;

	alias_format(text, &key, call_id, sealed_token, &alias);
	assert_true(strlen(text) < ALIAS_SIZE);
	assert_int_equal(text[0], '.');
	assert_int_equal(strspn(text + 1, base64url), strlen(text) - 1);
	assert_int_equal(
		alias_parse(&got, &key, call_id, hd_slice_of(sealed_token), hd_slice_of(text)), 0);
	assert_string_equal(got.own, own);
	assert_string_equal(got.shown, shown);
	assert_int_equal(
		alias_parse(&got, &key, "other", hd_slice_of(sealed_token), hd_slice_of(text)),
		HD_EACCESS);
	text[strlen(text) / 2] ^= 1;
	assert_int_equal(
		alias_parse(&got, &key, call_id, hd_slice_of(sealed_token), hd_slice_of(text)),
		HD_EACCESS);
}

static size_t round_trip(const char *own, const char *shown)
{
	const struct hd_key key = key_of(1);
	const struct alias alias = alias_of(own, shown);
	char text[ALIAS_SIZE];
	struct alias got;

	memset(text, 'x', sizeof(text));
	memset(&got, 0xAA, sizeof(got));
	alias_format(text, &key, call_id, token, &alias);
	assert_true(strlen(text) < ALIAS_SIZE);
	/* fits a parameter without an escape */
	assert_int_equal(strspn(text, base64url), strlen(text));
	assert_int_equal(alias_parse(&got, &key, call_id, hd_slice_of(token), hd_slice_of(text)),
			 0);
	assert_string_equal(got.own, own);
	assert_string_equal(got.shown, shown);
	return strlen(text);
}

static void test_round(void **state)
{
	static const char *const names[] = {
		"",
		"<sip:desk-101@example.org>",
		"\"Anna Berg\" <sip:201@example.org>",
		"\"Anonymous\" <sip:anonymous@anonymous.invalid>",
		"Zo\xc3\xab <sip:201@example.org>",
		"<sip:201@example.org>",
		"<sip:201201@example.org>",
		"<tel:+4930123>",
		"a",
		"aaaaaaaa",
	};
	enum { N = sizeof(names) / sizeof(names[0]) };

	(void)state;
	for (size_t i = 0; i < (size_t)N * N; i++) {
		(void)round_trip(names[i % N], names[i / N]);
		sealed_round_trip(names[i % N], names[i / N]);
	}
	/* What is common is carried once. */
	assert_true(round_trip("<sip:desk-101@phones.example.org>",
			       "\"Anna\" <sip:201@phones.example.org>") < 90);
}

static void test_longest(void **state)
{
	char one[ALIAS_PARTY_SIZE], two[ALIAS_PARTY_SIZE];

	(void)state;
	for (size_t n = 0; n < ALIAS_PARTY_SIZE; n++) {
		memset(one, 'a', n);
		memset(two, 'b', ALIAS_PARTY_SIZE - 1 - n);
		one[n] = two[ALIAS_PARTY_SIZE - 1 - n] = '\0';
		(void)round_trip(one, two);
		(void)round_trip(two, one);
		(void)round_trip(one, one);
	}
	memset(one, 'a', ALIAS_PARTY_SIZE - 1);
	memset(two, 'b', ALIAS_PARTY_SIZE - 1);
	one[ALIAS_PARTY_SIZE - 1] = two[ALIAS_PARTY_SIZE - 1] = '\0';
	(void)round_trip(one, two);
}

static int parse(const struct hd_key *key, const char *of_call, const char *of_token,
		 struct hd_slice value)
{
	struct alias got;

	return alias_parse(&got, key, of_call, hd_slice_of(of_token), value);
}

static void test_stolen(void **state)
{
	const struct hd_key key = key_of(1), other = key_of(2);
	const struct alias alias = alias_of("<sip:a@b>", "<sip:201@b>");
	char text[ALIAS_SIZE];
	struct hd_slice value;

	(void)state;
	alias_format(text, &key, call_id, token, &alias);
	value = hd_slice_of(text);
	assert_int_equal(parse(&key, call_id, token, value), 0);
	assert_int_equal(parse(&key, "call-2@192.0.2.1", token, value), HD_EACCESS);
	assert_int_equal(parse(&key, "", token, value), HD_EACCESS);
	assert_int_equal(parse(&key, call_id, "EAAAtokeN", value), HD_EACCESS);
	assert_int_equal(parse(&key, call_id, "", value), HD_EACCESS);
	assert_int_equal(parse(&other, call_id, token, value), HD_EACCESS);
}

static void test_cut_and_bent(void **state)
{
	const struct hd_key key = key_of(1);
	const struct alias alias = alias_of("<sip:desk-1@b>", "\"A\" <sip:201@b>");
	char text[ALIAS_SIZE], bent[2 * ALIAS_SIZE];
	size_t len;

	(void)state;
	alias_format(text, &key, call_id, token, &alias);
	len = strlen(text);
	for (size_t n = 0; n < len; n++) {
		char *exact = malloc(n + 1);

		assert_non_null(exact);
		memcpy(exact, text, n);
		assert_int_equal(parse(&key, call_id, token, (struct hd_slice){ exact, n }),
				 HD_EACCESS);
		free(exact);
	}
	for (size_t i = 0; i < len; i++) {
		for (const char *c = base64url; *c; c++) {
			memcpy(bent, text, len + 1);
			bent[i] = *c;
			if (*c != text[i] && !parse(&key, call_id, token, hd_slice_of(bent)))
				fail_msg("accepted with %c at %zu", *c, i);
		}
	}
	memset(bent, 'A', sizeof(bent));
	memcpy(bent, text, len);
	for (size_t n = len + 1; n < sizeof(bent); n += n < len + 8 ? 1 : 97)
		assert_int_equal(parse(&key, call_id, token, (struct hd_slice){ bent, n }),
				 HD_EACCESS);
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_stolen),
		cmocka_unit_test(test_cut_and_bent),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
