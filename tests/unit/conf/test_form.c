/* test_form.c - what single values must look like, by example and counter-example. */
#include "conf_support.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define A65 A64 "a"
#define A128 A64 A64
#define A129 A128 "a"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"
#define A32 A16 A16
#define A33 A32 "a"

struct form {
	const char *name;
	bool (*form)(struct hd_slice s);
	const char *good[12], *bad[16];
};

static const struct form forms[] = {
	{ "text",
	  hd_form_text,
	  { "a", "A b", "\xc3\xa9", A128 },
	  { "", A129, "a\nb", "a\tb", "\xc3", "\x7f", "\xed\xa0\x80", "\xc0\x80" } },
	{ "interface",
	  hd_form_interface,
	  { "eth0", "vlan.20", "a23456789012345" },
	  { "", "a/b", "a b", "a234567890123456" } },
	{ "path", hd_form_path, { "/", "a b", "../x" }, { "", "a\x01" } },
	{ "realm", hd_form_realm, { "hotdesk.local", "A realm" }, { "", "a\"", "a\\b" } },
	{ "host",
	  hd_form_host,
	  { "a", "example.org", "a-b.c1", "10.0.0.1", "[::1]", "[2001:db8::1]", "1a.b",
	    "localhost" },
	  { "", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a_b", "10.0.0", "10.0.0.256", "::1",
	    "[::1", "[]", "a:1", "[10.0.0.1]" } },
	{ "label of 63", hd_form_host, { A63 }, { A64, A64 ".b" } },
	{ "alias",
	  hd_form_alias,
	  { "a", "a:1", "10.0.0.1:65535", "[::1]:5060", "[::1]" },
	  { "", ":", "a:", "a:0", "a:65536", "a:-1", "::1", "a:b", "a:1:2", "a:000001" } },
	{ "listen",
	  hd_form_listen,
	  { "udp:0.0.0.0:5060", "tcp:[::]:0", "tls:127.0.0.1:65535" },
	  { "", "udp", "udp:", "udp:0.0.0.0", "UDP:0.0.0.0:1", "udp:a:1",
	    "udp:0.0.0.0:", "udp:[::1]:x", "udp:::1:5060", "ws:0.0.0.0:1", "udp:0.0.0.0:65536",
	    "udp: 0.0.0.0:1", "udp:[0.0.0.0]:1", "udp:[::1%lo]:1" } },
	{ "network",
	  hd_form_network,
	  { "0.0.0.0/0", "10.0.0.0/8", "10.0.0.1/32", "::/0", "2001:db8::/32", "::1/128",
	    "10.128.0.0/9" },
	  { "", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.1/8", "10.128.0.0/8", "10.0.0.0/33",
	    "::/129", "::1/127", "10.0.0/8", "[::1]/128", "10.0.0.0/8/8", "10.0.0.0/-1", "a/8" } },
	{ "server",
	  hd_form_server,
	  { "192.0.2.1", "192.0.2.1:53", "[::1]", "[2001:db8::1]:65535" },
	  { "", "::1", "a.example", "a.example:53", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
	    "[::1]:x", "[::1", "192.0.2.1, 192.0.2.2", "192.0.2.1:53:53" } },
	{ "code",
	  hd_form_code,
	  { "*771", "#", "0123456789ABCD*#" },
	  { "", "*77a", "0123456789ABCD*#1", "E", "*7 " } },
	{ "mode",
	  hd_form_mode,
	  { "660", "0660", "000", "0777" },
	  { "", "66", "0", "06", "1660", "00660", "680", "66o" } },
	{ "subsystem", hd_form_subsystem, { "sip", "a_b-1" }, { "", "a b", "a.b" } },
	{ "number",
	  hd_form_number,
	  { "201", "0201", "*1#", "a.b_c-d", A32 },
	  { "", A33, "2 1", "+1", "2@1", "\xc3\xa9", "a;b" } },
	{ "phone id", hd_form_phone_id, { "desk-101", A64 }, { "", A65, "a/b", "a:b" } },
	{ "destination",
	  hd_form_destination,
	  { "200", "reception", "voicemail", "*97{number}", "{number}#", "+4930123",
	    "sip:*97{number}@pbx", "sip:mailbox@pbx.2", "sip:{number}@p" },
	  { "", "{number}{number}", "{numbers}", "*97{", "sip:@pbx", "sip:200@", "sip:200", "20 0",
	    "sip:200@pbx;transport=tcp", "tel:200", "sip:" A32 "@pbx", "sips:200@pbx",
	    "sip:2@" A33 } },
	{ "pin", hd_form_pin, { "1", "471147", "0000" }, { "", "12a", "12 34", "-1" } },
	{ "logout",
	  hd_form_logout,
	  { "never", "at 20:00, after 10h" },
	  { "", "at noon", "after 1h after 2h" } },
	{ "list", hd_form_list_mode, { "central", "local", "off" }, { "", "on", "Local" } },
	{ "group's list",
	  hd_form_group_list,
	  { "sales=local", "A.b_c-1=off" },
	  { "", "a", "=off", "a=" } },
	{ "language", hd_form_language, { "de", "pt-BR" }, { "", "de_DE.utf8", "deutschland" } },
	{ "mac",
	  hd_form_mac,
	  { "000413aabb01", "00:04:13:AA:bb:01", "00-04-13-aa-bb-01" },
	  { "", "000413aabb0", "000413aabb011", "00:04:13:aa:bb-01", "00.04.13.aa.bb.01",
	    "0:004:13:aa:bb:01", "00:04:13:aa:bb:0g", "00:04:13:aa:bb:01:" } },
	{ "model", hd_form_model, { "snom-d785", "T46U 1/2+" }, { "", "a\"b", "<x>" } },
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *f = &forms[i];

		for (size_t j = 0; j < 12 && f->good[j]; j++) {
			if (!f->form(hd_slice_of(f->good[j])))
				fail_msg("%s: \"%s\" refused, expected good", f->name, f->good[j]);
		}
		for (size_t j = 0; j < 16 && f->bad[j]; j++) {
			if (f->form(hd_slice_of(f->bad[j])))
				fail_msg("%s: \"%s\" taken, expected refused", f->name, f->bad[j]);
		}
		assert_false(f->form((struct hd_slice){ NULL, 0 }));
		assert_false(f->form((struct hd_slice){ "1\0", 2 }));
	}
}

static void test_listen(void **state)
{
	struct hd_listen l;

	(void)state;
	assert_int_equal(hd_listen_parse(&l, hd_slice_of("tls:[2001:db8::1]:5061")), 0);
	assert_int_equal(l.transport, HD_TLS);
	assert_string_equal(l.host, "2001:db8::1");
	assert_int_equal(l.port, 5061);
}

static void test_quote(void **state)
{
	char dst[HD_QUOTE_SIZE];
	struct hd_buf longer = { 0 };

	(void)state;
	assert_string_equal(hd_quote(dst, hd_slice_of("a\"b\n\x1b[31m\xc3\xa9")),
			    "\"a?b??[31m??\"");
	for (int i = 0; i < 100; i++)
		hd_buf_adds(&longer, "x");
	hd_quote(dst, hd_slice_of(hd_buf_text(&longer)));
	assert_true(strlen(dst) < HD_QUOTE_SIZE);
	assert_string_equal(dst + strlen(dst) - 5, "x...\"");
	hd_buf_fini(&longer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
