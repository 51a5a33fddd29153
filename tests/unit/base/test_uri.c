/* test_uri.c - taking URIs apart: the RFC's examples, what phones really send, and rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/uri.h"

#define NONE NULL

struct parts {
	const char *text;
	enum hd_uri_scheme scheme;
	const char *user;
	const char *password;
	const char *host;
	const char *port;
	const char *params;
	const char *headers;
};

static const struct parts good[] = {
	/* RFC 3261 19.1.3 */
	{ "sip:alice@atlanta.com", HD_URI_SIP, "alice", NONE, "atlanta.com", NONE, NONE, NONE },
	{ "sip:alice:secretword@atlanta.com;transport=tcp", HD_URI_SIP, "alice", "secretword",
	  "atlanta.com", NONE, "transport=tcp", NONE },
	{ "sips:alice@atlanta.com?subject=project%20x&priority=urgent", HD_URI_SIPS, "alice", NONE,
	  "atlanta.com", NONE, NONE, "subject=project%20x&priority=urgent" },
	{ "sip:+1-212-555-1212:1234@gateway.com;user=phone", HD_URI_SIP, "+1-212-555-1212", "1234",
	  "gateway.com", NONE, "user=phone", NONE },
	{ "sips:1212@gateway.com", HD_URI_SIPS, "1212", NONE, "gateway.com", NONE, NONE, NONE },
	{ "sip:alice@192.0.2.4", HD_URI_SIP, "alice", NONE, "192.0.2.4", NONE, NONE, NONE },
	{ "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", HD_URI_SIP, NONE, NONE,
	  "atlanta.com", NONE, "method=REGISTER", "to=alice%40atlanta.com" },
	{ "sip:alice;day=tuesday@atlanta.com", HD_URI_SIP, "alice;day=tuesday", NONE, "atlanta.com",
	  NONE, NONE, NONE },
	/* RFC 4475 3.1.1.2, 3.1.1.3, 3.1.1.4 */
	{ "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
	  ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
	  HD_URI_SIP, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
	  "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)", "example.com", NONE, NONE, NONE },
	{ "sip:sips%3Auser%40example.com@example.net", HD_URI_SIP, "sips%3Auser%40example.com",
	  NONE, "example.net", NONE, NONE, NONE },
	{ "sip:null-%00-null@example.com", HD_URI_SIP, "null-%00-null", NONE, "example.com", NONE,
	  NONE, NONE },
	/* numbers and feature codes */
	{ "sip:+1234;phone-context=example.com@h;user=phone", HD_URI_SIP,
	  "+1234;phone-context=example.com", NONE, "h", NONE, "user=phone", NONE },
	{ "sip:*771*201*471147#@hotdesk", HD_URI_SIP, "*771*201*471147#", NONE, "hotdesk", NONE,
	  NONE, NONE },
	{ "sip:*771%23@hotdesk:5070", HD_URI_SIP, "*771%23", NONE, "hotdesk", "5070", NONE, NONE },
	/* addresses */
	{ "sip:[2001:db8::10]", HD_URI_SIP, NONE, NONE, "[2001:db8::10]", NONE, NONE, NONE },
	{ "sip:[2001:db8::9:1]:5070;lr", HD_URI_SIP, NONE, NONE, "[2001:db8::9:1]", "5070", "lr",
	  NONE },
	{ "sips:201@[::ffff:192.0.2.10]:19823", HD_URI_SIPS, "201", NONE, "[::ffff:192.0.2.10]",
	  "19823", NONE, NONE },
	{ "SIP:desk-101@10.0.0.1:5060;line=a1;ob", HD_URI_SIP, "desk-101", NONE, "10.0.0.1", "5060",
	  "line=a1;ob", NONE },
	/* liberal: underscores, a final dot, empty items, UTF-8, a bare '@' behind the host */
	{ "sip:h_1.example.", HD_URI_SIP, NONE, NONE, "h_1.example.", NONE, NONE, NONE },
	{ "sip:a@b;;x=;;", HD_URI_SIP, "a", NONE, "b", NONE, ";x=;;", NONE },
	{ "sip:a:@b?", HD_URI_SIP, "a", "", "b", NONE, NONE, "" },
	{ "sip:J\xc3\xbcrgen@b", HD_URI_SIP, "J\xc3\xbcrgen", NONE, "b", NONE, NONE, NONE },
	{ "sip:201@h?Replaces=c1@10.0.0.1;to-tag=x", HD_URI_SIP, "201", NONE, "h", NONE, NONE,
	  "Replaces=c1@10.0.0.1;to-tag=x" },
	{ "tel:+1-201-555-0123;phone-context=x", HD_URI_TEL, "+1-201-555-0123", NONE, NONE, NONE,
	  "phone-context=x", NONE },
	{ "TEL:7042", HD_URI_TEL, "7042", NONE, NONE, NONE, NONE, NONE },
	{ "http://example.com/x", HD_URI_OTHER, NONE, NONE, NONE, NONE, NONE, NONE },
	{ "urn:service:sos", HD_URI_OTHER, NONE, NONE, NONE, NONE, NONE, NONE },
	{ "nobodyKnowsThisScheme:totallyopaquecontent", HD_URI_OTHER, NONE, NONE, NONE, NONE, NONE,
	  NONE },
};

static void check_part(const char *text, const char *name, struct hd_slice got, const char *want)
{
	if (!got.ptr != !want || !hd_slice_is(got, want))
		fail_msg("%s: %s: expected %s, got %.*s", text, name, want ? want : "none",
			 (int)got.len, got.ptr ? got.ptr : "none");
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct parts *p = &good[i];
		struct hd_uri uri;

		memset(&uri, 0x55, sizeof(uri));
		if (hd_uri_parse(&uri, hd_slice_of(p->text)))
			fail_msg("%s was refused", p->text);
		assert_int_equal(uri.scheme, p->scheme);
		check_part(p->text, "user", uri.user, p->user);
		check_part(p->text, "password", uri.password, p->password);
		check_part(p->text, "host", uri.host, p->host);
		check_part(p->text, "port", uri.port, p->port);
		check_part(p->text, "params", uri.params, p->params);
		check_part(p->text, "headers", uri.headers, p->headers);
	}
}

static const char *const bad[] = {
	"",
	"sip",
	"sip:",
	":",
	"1sip:a@b",
	"s ip:a@b",
	"alice@atlanta.com",
	"//x",
	"sip:@b",
	"sip::pw@b",
	"sip:a@",
	"sip:a@b@c",
	"sip:a@@b",
	/* hosts */
	"sip:a@.b",
	"sip:a@b..c",
	"sip:a@-b",
	"sip:a@b.-c",
	"sip:a@b c",
	"sip:a@b#",
	"sip:a@b/c",
	"sip:a@\xc3\xa4.de",
	"sip:a@b%41",
	"sip:*",
	"sip:a@*",
	/* IPv6 needs its brackets, all of them, around an address */
	"sip:a@2001:db8::1",
	"sip:a@[2001:db8::1",
	"sip:a@2001:db8::1]",
	"sip:a@[]",
	"sip:a@[",
	"sip:a@[::1]x",
	"sip:a@[192.0.2.1]",
	"sip:a@[1:2:3]",
	"sip:a@[::1]]",
	"sip:a@[fe80::1%eth0]",
	"sip:a@[::1 ]",
	/* ports */
	"sip:a@b:",
	"sip:a@b:x",
	"sip:a@b:50 60",
	"sip:a@b:-1",
	"sip:a@b:65536",
	"sip:a@b:5060x",
	"sip:a@b:99999999999999999999",
	"sip:a@b:5060:5061",
	/* escapes and bytes that may stand nowhere */
	"sip:a%@b",
	"sip:a%4@b",
	"sip:a%4g@b",
	"sip:a@b;x=%",
	"sip:a@b?y=%zz",
	"sip:a\r\n@b",
	"sip:a@b;x=\x01",
	"sip:a\x7f@b",
	"sip:a\xff@b",
	"sip:\xc3@b",
	" sip:a@b",
	"sip:a@b ",
	"<sip:a@b>",
	"sip:a\"@b",
	"sip:a@b;x=<y>",
	"tel:",
	"tel:;x",
	"tel:+1 2",
};

static void test_bad(void **state)
{
	char text[2100];
	struct hd_uri uri = { .scheme = HD_URI_SIPS };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hd_uri_parse(&uri, hd_slice_of(bad[i])) != HD_EPARSE)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ "sip:a\0b@c", 9 }), HD_EPARSE);
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ "sip:a@b\0", 8 }), HD_EPARSE);
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ 0 }), HD_EPARSE);
	assert_int_equal(hd_uri_parse(NULL, hd_slice_of("sip:a@b")), HD_EPARSE);

	memset(text, 'a', sizeof(text));
	memcpy(text, "sip:", 4);
	text[2046] = '@';
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ text, 2049 }), HD_EPARSE);
	assert_int_equal(uri.scheme, HD_URI_SIPS); /* untouched by any of them */
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ text, 2048 }), 0);
	text[100] = '@';
	text[2046] = 'a';
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ text, 101 + 256 }), HD_EPARSE);
	assert_int_equal(hd_uri_parse(&uri, (struct hd_slice){ text, 101 + 255 }), 0);
}

/* 32 parameters and 32 headers are taken, one more is not. */
static void test_item_limits(void **state)
{
	struct hd_uri uri;
	struct hd_buf b = { 0 };

	(void)state;
	for (int headers = 0; headers < 2; headers++) {
		hd_buf_adds(&b, headers ? "sip:a@b;x?" : "sip:a@b;");
		for (int i = 0; i < 32; i++)
			hd_buf_addf(&b, "%sp%d=1", i == 0 ? "" : headers ? "&" : ";", i);
		assert_int_equal(hd_uri_parse(&uri, hd_slice_of(hd_buf_text(&b))), 0);
		hd_buf_adds(&b, headers ? "&p" : ";p");
		assert_int_equal(hd_uri_parse(&uri, hd_slice_of(hd_buf_text(&b))), HD_EPARSE);
		hd_buf_fini(&b);
	}
}

/* Nothing behind the end is looked at, whatever prefix of a URI it is. */
static void test_every_prefix(void **state)
{
	static const char text[] = "sips:+1;x=%41:pw@[2001:db8::1]:5061;a=%62;lr?c=%63&d";
	char copy[sizeof(text)];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct hd_slice s = { copy, n };
		struct hd_uri uri;

		memset(copy, '%', sizeof(copy));
		memcpy(copy, text, n);
		if (hd_uri_parse(&uri, s) == 0 && uri.scheme == HD_URI_SIPS)
			assert_true(uri.host.ptr + uri.host.len <= copy + n);
	}
}

static void test_port(void **state)
{
	static const struct {
		const char *text;
		uint16_t port;
	} cases[] = {
		{ "sip:h", 5060 },	 { "sips:h", 5061 },	   { "sip:h:5061", 5061 },
		{ "sips:h:1", 1 },	 { "sip:h:65535", 65535 }, { "sip:h:0", 0 },
		{ "sip:h:05060", 5060 }, { "tel:1", 0 },	   { "http:x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_uri uri;

		assert_int_equal(hd_uri_parse(&uri, hd_slice_of(cases[i].text)), 0);
		assert_int_equal(hd_uri_port(&uri), cases[i].port);
	}
	assert_int_equal(hd_uri_port(NULL), 0);
	assert_int_equal(hd_uri_port(&(struct hd_uri){ .port = { "x", 1 } }), 0);
}

static void test_param(void **state)
{
	struct hd_uri uri;
	struct hd_slice value = { "x", 1 };

	(void)state;
	assert_int_equal(hd_uri_parse(&uri, hd_slice_of("sip:h;;Transport=TCP;lr;x=;=y;lr=on")), 0);
	assert_true(hd_uri_param(&uri, "transport", &value));
	assert_true(hd_slice_is(value, "TCP"));
	assert_true(hd_uri_param(&uri, "LR", &value)); /* the first one */
	assert_null(value.ptr);
	assert_true(hd_uri_param(&uri, "x", &value));
	assert_non_null(value.ptr);
	assert_int_equal(value.len, 0);
	assert_true(hd_uri_param(&uri, "lr", NULL));
	assert_false(hd_uri_param(&uri, "transpor", &value));
	assert_false(hd_uri_param(&uri, "y", &value));
	assert_false(hd_uri_param(&uri, "", &value));
	assert_false(hd_uri_param(NULL, "x", &value));
	assert_false(hd_uri_param(&uri, NULL, &value));
}

static void test_unescape(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *plain;
	} cases[] = {
		{ "", 0, "" },
		{ "a%20b", 0, "a b" },
		{ "%61%6C%6c", 0, "all" },
		{ "%2A771%23", 0, "*771#" },
		{ "%2541", 0, "%41" },
		{ "%c3%BC", 0, "\xc3\xbc" },
		{ "%00", HD_EPARSE, "" },
		{ "a%", HD_EPARSE, "" },
		{ "a%4", HD_EPARSE, "" },
		{ "a%4x", HD_EPARSE, "" },
		{ "1234567", 0, "1234567" },
		{ "12345678", HD_ELIMIT, "" },
	};
	char dst[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(dst, 'x', sizeof(dst));
		assert_int_equal(hd_uri_unescape(dst, sizeof(dst), hd_slice_of(cases[i].text)),
				 cases[i].err);
		assert_string_equal(dst, cases[i].plain);
	}
	assert_int_equal(hd_uri_unescape(dst, sizeof(dst), (struct hd_slice){ "a\0", 2 }),
			 HD_EPARSE);
	assert_int_equal(hd_uri_unescape(dst, 0, hd_slice_of("")), HD_ELIMIT);
	/* an escape that the slice cuts off is not read beyond it */
	assert_int_equal(hd_uri_unescape(dst, sizeof(dst), (struct hd_slice){ "%41", 2 }),
			 HD_EPARSE);
}

/* Every byte: escaped or not, it comes back; what is not escaped is what the grammar allows. */
static void test_escape_user(void **state)
{
	static const char allowed[] = "-_.!~*'()&=+$,;?/";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || (c && strchr(allowed, c));
		struct hd_buf b = { 0 };
		char expected[4];

		(void)snprintf(expected, sizeof(expected), plain ? "%c" : "%%%02X", c);
		hd_uri_escape_user(&b, (struct hd_slice){ &byte, 1 });
		assert_string_equal(hd_buf_text(&b), expected);
		hd_buf_fini(&b);
	}
}

static void test_bare_user(void **state)
{
	static const char *const rows[][2] = {
		{ "201", "201" },
		{ "sip:201@example.org", "201" },
		{ "SIP:201", "201" },
		{ "201@x@y", "201" },
		{ "sip:@example.org", "" },
		{ "sip:", "" },
		{ "si", "si" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_slice s = hd_uri_bare_user(hd_slice_of(rows[i][0]));

		assert_int_equal(s.len, strlen(rows[i][1]));
		if (s.len)
			assert_memory_equal(s.ptr, rows[i][1], s.len);
	}
}

static void test_aor(void **state)
{
	static const char *const cases[][2] = {
		{ "sip:alice@atlanta.com", "sip:alice@atlanta.com" },
		{ "SIP:%61lice:pw@AtLanTa.CoM:5070;transport=tcp?x=y",
		  "sip:alice@atlanta.com:5070" },
		{ "sips:Alice@h;user=phone", "sips:Alice@h" },
		{ "sip:a%40b%3Bc@h", "sip:a%40b;c@h" }, /* '@' may not stand bare, ';' may */
		{ "sip:*771#@h", "sip:*771%23@h" },
		{ "sip:[2001:DB8::1]", "sip:[2001:db8::1]" },
	};
	struct hd_uri uri;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hd_uri_parse(&uri, hd_slice_of(cases[i][0])), 0);
		assert_int_equal(hd_uri_aor_format(text, sizeof(text), &uri), 0);
		assert_string_equal(text, cases[i][1]);
	}
	assert_int_equal(hd_uri_parse(&uri, hd_slice_of("sip:alice@atlanta.com")), 0);
	assert_int_equal(hd_uri_aor_format(text, 21, &uri), HD_ELIMIT);
	assert_string_equal(text, "");
	assert_int_equal(hd_uri_aor_format(text, 22, &uri), 0);
	assert_int_equal(hd_uri_parse(&uri, hd_slice_of("sip:a%00@h")), 0);
	assert_int_equal(hd_uri_aor_format(text, sizeof(text), &uri), HD_EPARSE);
	assert_int_equal(hd_uri_parse(&uri, hd_slice_of("tel:201")), 0);
	assert_int_equal(hd_uri_aor_format(text, sizeof(text), &uri), HD_EUNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	    cmocka_unit_test(test_bad),
		cmocka_unit_test(test_item_limits), cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_port),	    cmocka_unit_test(test_param),
		cmocka_unit_test(test_unescape),    cmocka_unit_test(test_escape_user),
		cmocka_unit_test(test_aor),	    cmocka_unit_test(test_bare_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
