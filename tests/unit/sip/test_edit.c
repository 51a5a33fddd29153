/* test_edit.c - what a proxy changes, and what it leaves byte for byte. */
#include "msg_text.h"

static void test_untouched(void **state)
{
	static const char lines[] = "subject:  odd   spacing \r\nX-A: 1\r\nX-B:2\r\nX-a: 3\r\n"
				    "Accept: a/b;q=0.3 , c/d\r\n";
	struct hd_msg *m = invite_with(lines);
	struct hd_msg *copy = hd_msg_copy(m);

	(void)state;
	assert_int_equal(hd_msg_step_max_forwards(copy, 70), 0);
	assert_int_equal(hd_msg_set_ruri(copy, "sip:desk-1@192.0.2.5:5070"), 0);
	assert_text_has(copy, lines);
	assert_text_has(copy, "INVITE sip:desk-1@192.0.2.5:5070 SIP/2.0\r\n");
	assert_text_has(copy, "Max-Forwards: 69\r\n");
	/* the copy's changes are its own */
	assert_string_equal(hd_msg_ruri_text(m), "sip:201@hotdesk.test");
	assert_int_equal(hd_msg_max_forwards(m), 70);
	hd_msg_free(copy);
	hd_msg_free(m);
}

static void test_max_forwards(void **state)
{
	static const struct {
		const char *line;
		int after;
	} cases[] = {
		{ "", 33 },
		{ "Max-Forwards: 70\r\n", 69 },
		{ "Max-Forwards: 1\r\n", 0 },
		{ "Max-Forwards: 0\r\n", 0 },
		{ "Max-Forwards: 255\r\n", 254 },
		{ "Max-Forwards: 1000\r\n", 254 },
	};
	char text[256], expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_msg *m;

		snprintf(text, sizeof(text), "OPTIONS sip:x SIP/2.0\r\n%s\r\n", cases[i].line);
		m = msg_from(text);
		assert_int_equal(hd_msg_step_max_forwards(m, 33), 0);
		assert_int_equal(hd_msg_max_forwards(m), cases[i].after);
		snprintf(expected, sizeof(expected), "Max-Forwards: %d\r\n", cases[i].after);
		assert_text_has(m, expected);
		hd_msg_free(m);
	}
}

static void test_add_and_remove(void **state)
{
	struct hd_msg *m = invite_with("P-Asserted-Identity: <sip:boss@hotdesk.test>\r\n"
				       "Remote-Party-ID: <sip:boss@hotdesk.test>\r\n"
				       "X-Keep: 1\r\np-asserted-identity: tel:+1\r\n");

	(void)state;
	assert_int_equal(hd_msg_remove(m, "P-Asserted-Identity"), 2);
	assert_int_equal(hd_msg_remove(m, "Remote-Party-ID"), 1);
	assert_int_equal(hd_msg_remove(m, "P-Asserted-Identity"), 0);
	assert_text_lacks(m, "boss");
	assert_text_lacks(m, "tel:+1");
	assert_text_has(m, "X-Keep: 1\r\n");
	assert_int_equal(hd_msg_add(m, NULL), 0);
	assert_int_equal(hd_msg_add(m, ""), 0);
	assert_int_equal(hd_msg_add(m, "X-New: a\r\nReason: SIP;cause=200\r\n"), 0);
	assert_text_has(m, "X-New: a\r\n");
	assert_text_has(m, "Reason: SIP;cause=200\r\n");
	hd_msg_free(m);
}

/* Above the body, and behind those of the same name. */
static void test_add_above_body(void **state)
{
	struct hd_msg *m = msg_from(INVITE_LINE COMMON_LINES
				    "X-A: 1\r\nProxy-Authenticate: Digest realm=\"a\"\r\n"
				    "Content-Length: 2\r\n\r\nab");
	struct hd_msg *other = invite_with("X-A: 2\r\nX-A: 3\r\nX-B: 4\r\n"
					   "Proxy-Authenticate: Digest realm=\"b\"\r\n");

	(void)state;
	assert_int_equal(hd_msg_copy_headers(m, other, "X-A"), 0);
	assert_int_equal(hd_msg_copy_headers(m, other, "Proxy-Authenticate"), 0);
	assert_int_equal(hd_msg_copy_headers(m, other, "X-None"), 0);
	assert_text_has(m, "X-A: 2\r\nX-A: 3\r\n");
	assert_text_has(m, "realm=\"b\"\r\n");
	assert_text_lacks(m, "X-B");
	assert_text_has(m, "\r\n\r\nab");
	assert_string_equal(hd_msg_header(m, "Proxy-Authenticate", 1), "Digest realm=\"b\"");
	assert_int_equal(hd_msg_add(m, "No header\r\n"), HD_EPARSE);
	hd_msg_free(m);
	hd_msg_free(other);
}

static void test_set_ruri(void **state)
{
	static const struct {
		const char *uri, *ruri;
	} cases[] = {
		{ "sip:desk-1@192.0.2.5", "sip:desk-1@192.0.2.5" },
		{ "sip:desk-1@[2001:db8::5]:5070;transport=tcp;ob",
		  "sip:desk-1@[2001:db8::5]:5070;transport=tcp;ob" },
		{ "sip:d%2Fe%23@192.0.2.5;x=%20y?Subject=a%20b", "sip:d%2Fe%23@192.0.2.5;x=%20y" },
		{ "sips:desk-1@192.0.2.5?Route=%3Csip:x%3E", "sips:desk-1@192.0.2.5" },
		{ "sip:desk-1@192.0.2.5;method=INVITE", "sip:desk-1@192.0.2.5" },
		{ "sip:desk-1@192.0.2.5;a=1;method=INVITE;methods=2;lr",
		  "sip:desk-1@192.0.2.5;a=1;methods=2;lr" },
	};
	struct hd_msg *m;
	char expected[160];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = invite_with("");
		assert_int_equal(hd_msg_set_ruri(m, cases[i].uri), 0);
		snprintf(expected, sizeof(expected), "INVITE %s SIP/2.0\r\n", cases[i].ruri);
		assert_text_has(m, expected);
		hd_msg_free(m);
	}
	m = msg_from("SIP/2.0 200 OK\r\n\r\n");
	assert_int_equal(hd_msg_set_ruri(m, cases[0].uri), HD_EPARSE);
	hd_msg_free(m);
}

static void test_routes(void **state)
{
	struct hd_msg *m =
		invite_with("Route: <sip:a;lr>,\r\n <sip:b;lr>;x=1\r\nRoute: <sip:c>\r\n");
	struct hd_buf b = { 0 };
	struct hd_uri uri;

	(void)state;
	assert_true(hd_msg_route(m, &uri));
	assert_slice_is(uri.host, "a");
	assert_string_equal(hd_msg_route_text(m), "sip:a;lr");
	assert_true(hd_msg_last_route(m, &uri));
	assert_slice_is(uri.host, "c");
	hd_msg_last_route_text(m, &b);
	assert_string_equal(hd_buf_text(&b), "sip:c");
	hd_buf_fini(&b);
	hd_msg_pop_route(m);
	assert_string_equal(hd_msg_route_text(m), "sip:b;lr");
	hd_msg_pop_last_route(m);
	assert_int_equal(hd_msg_append_route(m, "sip:d@192.0.2.9;lr"), 0);
	assert_text_lacks(m, "<sip:a;lr>");
	assert_text_lacks(m, "<sip:c>");
	assert_text_has(m, "Route: <sip:b;lr>;x=1");
	assert_true(hd_msg_last_route(m, &uri));
	assert_slice_is(uri.host, "192.0.2.9");
	hd_msg_pop_route(m);
	hd_msg_pop_route(m);
	assert_false(hd_msg_route(m, &uri));
	assert_text_lacks(m, "Route:");
	hd_msg_free(m);
}

static void test_record_route(void **state)
{
	struct hd_msg *m = invite_with("Record-Route: <sip:old;lr>\r\n");
	char *text;

	(void)state;
	assert_int_equal(hd_msg_add_record_route(m, "sip:token@192.0.2.9:5060;lr"), 0);
	assert_string_equal(hd_msg_header(m, "Record-Route", 0), "<sip:token@192.0.2.9:5060;lr>");
	assert_string_equal(hd_msg_header(m, "Record-Route", 1), "<sip:old;lr>");
	text = msg_text(m);
	assert_true(strstr(text, "token@") < strstr(text, "sip:old"));
	free(text);
	hd_msg_free(m);
}

/* RFC 3261 22.3: ours are taken off, another proxy's stay. */
static void test_credentials(void **state)
{
#define CREDENTIALS(realm)                                                                         \
	"Proxy-Authorization: Digest username=\"u\", realm=" realm                                 \
	", nonce=\"n\", uri=\"sip:x\", "                                                           \
	"response=\"0\"\r\n"
	struct hd_msg *m = invite_with(
		CREDENTIALS("\"other\"") CREDENTIALS("\"hotdesk.test\"")
			CREDENTIALS("\"hotdesk.test.evil\"")
				CREDENTIALS("hotdesk.test") "Proxy-Authorization: Digest "
							    "username=\"norealm\"\r\n");

	(void)state;
	hd_msg_remove_credentials(m, "hotdesk.test");
	assert_text_lacks(m, "realm=\"hotdesk.test\"");
	assert_text_lacks(m, "realm=hotdesk.test,");
	assert_text_has(m, "realm=\"other\"");
	assert_text_has(m, "realm=\"hotdesk.test.evil\"");
	assert_text_has(m, "norealm");
	hd_msg_free(m);
}

static void test_pop_via(void **state)
{
	struct hd_msg *m = msg_from("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1, "
				    "SIP/2.0/UDP b;branch=z9hG4bK2\r\n"
				    "Via: SIP/2.0/UDP c;branch=z9hG4bK3\r\n\r\n");

	(void)state;
	assert_int_equal(hd_msg_via_count(m), 3);
	assert_true(hd_msg_pop_via(m));
	assert_string_equal(hd_msg_branch(m), "z9hG4bK2");
	assert_text_lacks(m, "z9hG4bK1");
	assert_true(hd_msg_pop_via(m));
	assert_string_equal(hd_msg_branch(m), "z9hG4bK3");
	assert_false(hd_msg_pop_via(m));
	hd_msg_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_untouched),      cmocka_unit_test(test_max_forwards),
		cmocka_unit_test(test_add_and_remove), cmocka_unit_test(test_add_above_body),
		cmocka_unit_test(test_set_ruri),       cmocka_unit_test(test_routes),
		cmocka_unit_test(test_record_route),   cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_pop_via),
	};

	return cmocka_run_group_tests(tests, msg_init, NULL);
}
