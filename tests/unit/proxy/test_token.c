/* test_token.c - the token in our Record-Route: whole, cut, bent and stolen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"
#include "proxy/proxy_priv.h"

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char call_id[] = "call-1@192.0.2.1";

static struct hd_key key_of(uint8_t fill)
{
	struct hd_key key;

	memset(&key, fill, sizeof(key));
	return key;
}

static struct route_token token_of(const char *caller, const char *callee)
{
	struct route_token token = { .caller_tag = route_tag_hash("from-tag") };

	assert_int_equal(hd_flow_parse(&token.caller, caller), 0);
	assert_int_equal(hd_flow_parse(&token.callee, callee), 0);
	return token;
}

static void assert_flow(const struct hd_flow *got, const char *want)
{
	char text[HD_FLOW_TEXT_SIZE];

	hd_flow_format(text, sizeof(text), got);
	assert_string_equal(text, want);
}

static void test_round(void **state)
{
	static const char *const flows[] = {
		"udp/0/192.0.2.1:5060",
		"tcp/15/192.0.2.2:65535",
		"tls/3/[2001:db8::1]:5061",
		"udp/1@2001:db8::2/[2001:db8::1]:1",
		"udp/15@198.51.100.7/192.0.2.1:5060",
	};
	const struct hd_key key = key_of(1);
	struct route_token token, got;
	char text[TOKEN_SIZE];

	(void)state;
	for (size_t i = 0; i < 4 * 5 * 5; i++) {
		token = token_of(flows[i % 5], flows[i / 5 % 5]);
		token.caller_flow_only = i / 25 % 2;
		token.callee_flow_only = i / 50 % 2;
		token.since_ms = i % 3 ? INT64_C(1790000000123) : 0;
		memset(token.caller_phone, 'a', i % HD_PHONE_ID_SIZE);
		memset(token.callee_phone, 'b', i * 7 % HD_PHONE_ID_SIZE);
		memset(token.account, 'c', i * 11 % HD_PROXY_ACCOUNT_SIZE);
		token.caller_is_server = token.account[0] && i % 2;
		token.caller_private = i % 7 < 3;
		memset(text, 'x', sizeof(text));
		route_token_format(text, &key, call_id, &token);
		assert_true(strlen(text) < TOKEN_SIZE);
		/* fits a user part without an escape */
		assert_int_equal(text[0] == '.', token.caller_private);
		assert_int_equal(strspn(text + token.caller_private, base64url),
				 strlen(text) - token.caller_private);
		memset(&got, 0xAA, sizeof(got));
		assert_int_equal(route_token_parse(&got, &key, call_id, hd_slice_of(text)), 0);
		assert_flow(&got.caller, flows[i % 5]);
		assert_flow(&got.callee, flows[i / 5 % 5]);
		assert_int_equal(got.caller_flow_only, token.caller_flow_only);
		assert_int_equal(got.callee_flow_only, token.callee_flow_only);
		assert_int_equal(got.caller_tag, token.caller_tag);
		assert_int_equal(got.since_ms, token.since_ms);
		assert_string_equal(got.caller_phone, token.caller_phone);
		assert_string_equal(got.callee_phone, token.callee_phone);
		assert_string_equal(got.account, token.account);
		assert_int_equal(got.caller_is_server, token.caller_is_server);
		assert_int_equal(got.caller_private, token.caller_private);
	}
}

static void test_none(void **state)
{
	const struct hd_key key = key_of(1);
	struct route_token got;

	(void)state;
	assert_int_equal(route_token_parse(&got, &key, call_id, (struct hd_slice){ NULL, 0 }),
			 HD_ENOENT);
}

static void test_stolen(void **state)
{
	const struct hd_key key = key_of(1), other = key_of(2);
	struct route_token token = token_of("udp/0/192.0.2.1:5060", "udp/0/192.0.2.2:5060"), got;
	char text[TOKEN_SIZE];

	(void)state;
	route_token_format(text, &key, call_id, &token);
	assert_int_equal(route_token_parse(&got, &key, "call-2@192.0.2.1", hd_slice_of(text)),
			 HD_EACCESS);
	assert_int_equal(route_token_parse(&got, &key, "", hd_slice_of(text)), HD_EACCESS);
	assert_int_equal(route_token_parse(&got, &key, "CALL-1@192.0.2.1", hd_slice_of(text)),
			 HD_EACCESS);
	assert_int_equal(route_token_parse(&got, &other, call_id, hd_slice_of(text)), HD_EACCESS);
}

/* Cut at every length, and with more behind. */
static void cut(const char *caller, const char *callee, bool private)
{
	const struct hd_key key = key_of(1);
	struct route_token token = token_of(caller, callee), got;
	char text[TOKEN_SIZE + 16];
	size_t len;
	char *exact;

	token.caller_private = private;
	route_token_format(text, &key, call_id, &token);
	len = strlen(text);
	for (size_t n = 1; n < len; n++) {
		exact = malloc(n);
		assert_non_null(exact);
		memcpy(exact, text, n);
		assert_int_equal(
			route_token_parse(&got, &key, call_id, (struct hd_slice){ exact, n }),
			HD_EACCESS);
		free(exact);
	}
	memcpy(text + len, "AAAAAAAAAAAA", 13);
	for (size_t n = len + 1; n < len + 12; n++)
		assert_int_equal(
			route_token_parse(&got, &key, call_id, (struct hd_slice){ text, n }),
			HD_EACCESS);
}

static void test_cut(void **state)
{
	(void)state;
	cut("udp/0/192.0.2.1:5060", "udp/0/192.0.2.2:5060", false);
	cut("tls/2/[2001:db8::1]:5060", "udp/0/192.0.2.2:5060", false);
	cut("tls/2/[2001:db8::1]:5060", "tcp/3/[2001:db8::2]:5060", false);
	cut("udp/0/192.0.2.1:5060", "udp/0/192.0.2.2:5060", true);
	cut("udp/2@2001:db8::3/[2001:db8::1]:5060", "tcp/3@198.51.100.7/192.0.2.2:5060", false);
}

/* Every other character at every place: no token, and none of another meaning. */
static void bend(bool private)
{
	const struct hd_key key = key_of(1);
	struct route_token token = token_of("udp/0/192.0.2.1:5060", "udp/0/[2001:db8::2]:5060"),
			   got;
	char text[TOKEN_SIZE], bent[TOKEN_SIZE];

	token.caller_private = private;
	route_token_format(text, &key, call_id, &token);
	for (size_t i = 0; text[i]; i++) {
		for (const char *c = base64url; *c; c++) {
			if (*c == text[i])
				continue;
			memcpy(bent, text, sizeof(bent));
			bent[i] = *c;
			if (!route_token_parse(&got, &key, call_id, hd_slice_of(bent)))
				fail_msg("accepted with %c at %zu", *c, i);
		}
	}
}

static void test_bent(void **state)
{
	(void)state;
	bend(false);
	bend(true);
}

/* Who gets a sealed one reads neither ids nor addresses in it, and no two are alike. */
static void test_sealed(void **state)
{
	const struct hd_key key = key_of(1);
	struct route_token token = token_of("udp/0/192.0.2.1:5060", "udp/0/192.0.2.2:5060");
	char text[TOKEN_SIZE], again[TOKEN_SIZE];
	uint8_t raw[TOKEN_SIZE];
	size_t n = sizeof(raw);

	(void)state;
	token.caller_private = true;
	memcpy(token.caller_phone, "desk-101", 9);
	route_token_format(text, &key, call_id, &token);
	route_token_format(again, &key, call_id, &token);
	assert_string_not_equal(text, again);
	assert_int_equal(hd_base64url_parse(raw, &n, hd_slice_of(text + 1)), 0);
	assert_null(memmem(raw, n, "desk-101", 8));
	assert_null(memmem(raw, n, &token.caller.address, 4));
}

static void test_garbage(void **state)
{
	static const char *const users[] = {
		"201", "*771*201*471147", "a b", "%00", "====", "AAAA", ".", ".A", ".AAAA", "..",
	};
	const struct hd_key key = key_of(1);
	struct route_token got;
	char huge[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		assert_int_equal(route_token_parse(&got, &key, call_id, hd_slice_of(users[i])),
				 HD_EACCESS);
	memset(huge, 'A', sizeof(huge));
	assert_int_equal(
		route_token_parse(&got, &key, call_id, (struct hd_slice){ huge, sizeof(huge) }),
		HD_EACCESS);
}

static void test_tag_hash(void **state)
{
	(void)state;
	assert_int_equal(route_tag_hash("a"), route_tag_hash("a"));
	assert_int_not_equal(route_tag_hash("a"), route_tag_hash("b"));
	assert_int_not_equal(route_tag_hash("a"), route_tag_hash(""));
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),	cmocka_unit_test(test_none),
		cmocka_unit_test(test_stolen),	cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bent),	cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_garbage), cmocka_unit_test(test_tag_hash),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
