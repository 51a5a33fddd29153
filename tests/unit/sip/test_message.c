/* test_message.c - what a registrar or proxy reads of a message. */
#include "msg_text.h"

static void test_request(void **state)
{
	struct hd_msg *m = invite_with("");
	struct hd_uri uri;

	(void)state;
	assert_int_equal(hd_msg_method(m), HD_METHOD_INVITE);
	assert_string_equal(hd_msg_method_name(m), "INVITE");
	assert_int_equal(hd_msg_status(m), 0);
	assert_string_equal(hd_msg_phrase(m), "");
	assert_string_equal(hd_msg_call_id(m), "c@192.0.2.1");
	assert_int_equal(hd_msg_cseq(m), 7);
	assert_int_equal(hd_msg_cseq_method(m), HD_METHOD_INVITE);
	assert_string_equal(hd_msg_from_tag(m), "f");
	assert_string_equal(hd_msg_to_tag(m), "");
	assert_string_equal(hd_msg_branch(m), "z9hG4bKa");
	assert_int_equal(hd_msg_via_count(m), 1);
	assert_int_equal(hd_msg_max_forwards(m), 70);
	assert_int_equal(hd_msg_expires(m), -1);
	assert_int_equal(hd_msg_body(m).len, 0);
	assert_string_equal(hd_msg_ruri_text(m), "sip:201@hotdesk.test");
	hd_msg_ruri(m, &uri);
	assert_slice_is(uri.user, "201");
	hd_msg_to_uri(m, &uri);
	assert_slice_is(uri.user, "201");
	hd_msg_from_uri(m, &uri);
	assert_slice_is(uri.user, "101");
	assert_slice_is(uri.host, "hotdesk.test");
	assert_int_equal(uri.scheme, HD_URI_SIP);
	hd_msg_free(m);
}

static void test_response(void **state)
{
	struct hd_msg *m = msg_from("SIP/2.0 486 Busy Here\r\n" COMMON_LINES
				    "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKb\r\n\r\n");
	struct hd_uri uri;

	(void)state;
	assert_int_equal(hd_msg_method(m), HD_METHOD_OTHER);
	assert_string_equal(hd_msg_method_name(m), "");
	assert_int_equal(hd_msg_status(m), 486);
	assert_string_equal(hd_msg_phrase(m), "Busy Here");
	assert_int_equal(hd_msg_via_count(m), 2);
	assert_string_equal(hd_msg_ruri_text(m), "");
	hd_msg_ruri(m, &uri);
	assert_int_equal(uri.host.len, 0);
	hd_msg_free(m);
}

/* A request that lacks what it must have is not one that crashes us. */
static void test_bare(void **state)
{
	struct hd_msg *m = msg_from("OPTIONS sip:x SIP/2.0\r\n\r\n");
	struct hd_buf b = { 0 };
	struct hd_uri uri;
	size_t n = 1;
	bool star = true;
	struct hd_contact c;

	(void)state;
	assert_string_equal(hd_msg_call_id(m), "");
	assert_int_equal(hd_msg_cseq(m), 0);
	assert_int_equal(hd_msg_cseq_method(m), HD_METHOD_OTHER);
	assert_string_equal(hd_msg_from_tag(m), "");
	assert_string_equal(hd_msg_to_tag(m), "");
	assert_string_equal(hd_msg_branch(m), "");
	assert_int_equal(hd_msg_via_count(m), 0);
	assert_false(hd_msg_via_address(m, 0, &b));
	assert_int_equal(hd_msg_max_forwards(m), -1);
	assert_null(hd_msg_header(m, "Via", 0));
	assert_null(hd_msg_route_text(m));
	assert_false(hd_msg_route(m, &uri));
	assert_false(hd_msg_last_route(m, &uri));
	assert_false(hd_msg_contact_uri(m, &uri));
	hd_msg_last_route_text(m, &b);
	assert_int_equal(b.len, 0);
	hd_msg_to_uri(m, &uri);
	assert_int_equal(uri.host.len, 0);
	hd_msg_from_uri(m, &uri);
	assert_int_equal(uri.host.len, 0);
	hd_msg_contacts(m, &c, &n, &star);
	assert_int_equal(n, 0);
	assert_false(star);
	hd_msg_pop_route(m);
	hd_msg_pop_last_route(m);
	assert_false(hd_msg_pop_via(m));
	hd_msg_free(m);
	hd_msg_free(NULL);
	assert_null(hd_msg_copy(NULL));
}

static void test_methods(void **state)
{
	static const struct {
		const char *name;
		enum hd_method method;
	} cases[] = {
		{ "INVITE", HD_METHOD_INVITE },	      { "ACK", HD_METHOD_ACK },
		{ "CANCEL", HD_METHOD_CANCEL },	      { "BYE", HD_METHOD_BYE },
		{ "OPTIONS", HD_METHOD_OPTIONS },     { "REGISTER", HD_METHOD_REGISTER },
		{ "INFO", HD_METHOD_INFO },	      { "PRACK", HD_METHOD_PRACK },
		{ "UPDATE", HD_METHOD_UPDATE },	      { "MESSAGE", HD_METHOD_MESSAGE },
		{ "SUBSCRIBE", HD_METHOD_SUBSCRIBE }, { "NOTIFY", HD_METHOD_NOTIFY },
		{ "REFER", HD_METHOD_REFER },	      { "PUBLISH", HD_METHOD_PUBLISH },
		{ "NEWMETHOD", HD_METHOD_OTHER },     { "invite", HD_METHOD_OTHER },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_msg *m;

		snprintf(text, sizeof(text), "%s sip:x SIP/2.0\r\nCSeq: 1 %s\r\n\r\n",
			 cases[i].name, cases[i].name);
		m = msg_from(text);
		assert_int_equal(hd_msg_method(m), cases[i].method);
		assert_int_equal(hd_msg_cseq_method(m), cases[i].method);
		assert_string_equal(hd_msg_method_name(m), cases[i].name);
		hd_msg_free(m);
	}
}

static void test_via_address(void **state)
{
	struct hd_msg *m =
		invite_with("Via: SIP/2.0/TCP phone;received=192.0.2.3;rport=77;branch=b\r\n");
	struct hd_buf b = { 0 };

	(void)state;
	assert_true(hd_msg_via_address(m, 0, &b));
	hd_buf_adds(&b, "|");
	assert_true(hd_msg_via_address(m, 1, &b));
	assert_false(hd_msg_via_address(m, 2, &b));
	assert_string_equal(hd_buf_text(&b), "SIP/2.0/UDP 192.0.2.1:5060;;;z9hG4bKa|"
					     "SIP/2.0/TCP phone:;192.0.2.3;77;b");
	hd_buf_fini(&b);
	hd_msg_free(m);
}

static void test_header(void **state)
{
	struct hd_msg *m = invite_with("X-Desk: one\r\nx-desk:two \r\nSubject: a\r\n b\r\n"
				       "Require: 100rel, timer\r\nRequire: foo\r\n"
				       "Event:check-sync;reboot=false\r\n"
				       "Record-Route: <sip:a;lr>, <sip:b;lr>\r\n");

	(void)state;
	assert_string_equal(hd_msg_header(m, "X-Desk", 0), "one");
	assert_string_equal(hd_msg_header(m, "X-DESK", 1), "two");
	assert_null(hd_msg_header(m, "X-Desk", 2));
	assert_null(hd_msg_header(m, "X-Des", 0));
	assert_string_equal(hd_msg_header(m, "Subject", 0), "a   b");
	assert_string_equal(hd_msg_header(m, "Record-Route", 0), "<sip:a;lr>");
	assert_string_equal(hd_msg_header(m, "Record-Route", 1), "<sip:b;lr>");
	assert_string_equal(hd_msg_header(m, "Event", 0), "check-sync;reboot=false");
	assert_string_equal(hd_msg_header(m, "From", 0), "\"A\" <sip:101@hotdesk.test>;tag=f");
	assert_true(hd_msg_has_option(m, "Require", "100rel"));
	assert_true(hd_msg_has_option(m, "Require", "TIMER"));
	assert_true(hd_msg_has_option(m, "Require", "foo"));
	assert_false(hd_msg_has_option(m, "Require", "fo"));
	assert_false(hd_msg_has_option(m, "Supported", "foo"));
	hd_msg_free(m);
}

/* Compact forms are the same field. */
static void test_compact(void **state)
{
	struct hd_msg *m =
		msg_from("INVITE sip:x SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKc\r\n"
			 "f: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: cid\r\nCSeq: 1 INVITE\r\n"
			 "m: <sip:a@192.0.2.1>\r\nk: path\r\nc: application/sdp\r\n"
			 "l: 3\r\n\r\nabc");

	(void)state;
	assert_string_equal(hd_msg_branch(m), "z9hG4bKc");
	assert_string_equal(hd_msg_call_id(m), "cid");
	assert_string_equal(hd_msg_header(m, "Content-Type", 0), "application/sdp");
	assert_string_equal(hd_msg_header(m, "Contact", 0), "<sip:a@192.0.2.1>");
	assert_true(hd_msg_has_option(m, "Supported", "path"));
	assert_slice_is(hd_msg_body(m), "abc");
	hd_msg_free(m);
}

static void test_expires(void **state)
{
	static const struct {
		const char *line;
		int64_t expires;
	} cases[] = {
		{ "Expires: 0\r\n", 0 },
		{ "Expires: 3600\r\n", 3600 },
		{ "Expires: 4294967295\r\n", INT32_MAX },
		{ "Expires: soon\r\n", -1 },
		{ "Expires: -1\r\n", -1 },
		{ "Expires: Mon, 23 Nov 2026 19:00:00 GMT\r\n", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_msg *m = invite_with(cases[i].line);

		if (hd_msg_expires(m) != cases[i].expires)
			fail_msg("%s: expected %lld, got %lld", cases[i].line,
				 (long long)cases[i].expires, (long long)hd_msg_expires(m));
		hd_msg_free(m);
	}
}

static void test_new_request(void **state)
{
	struct hd_new_request nr = {
		.method = "NOTIFY",
		.ruri = "sip:desk-1@192.0.2.1:5070;transport=tcp",
		.from = "<sip:desk-1@hotdesk.test>;tag=x",
		.to = "<sip:desk-1@hotdesk.test>",
		.cseq = 3,
		.lines = "Event: check-sync;reboot=false\r\nContent-Type: text/plain\r\n",
		.body = { "hello", 5 },
	};
	struct hd_msg *m = NULL, *other = NULL;

	(void)state;
	assert_int_equal(hd_msg_new_request(&m, &nr), 0);
	assert_int_equal(hd_msg_method(m), HD_METHOD_NOTIFY);
	assert_int_equal(hd_msg_cseq(m), 3);
	assert_string_equal(hd_msg_ruri_text(m), nr.ruri);
	assert_slice_is(hd_msg_body(m), "hello");
	assert_int_equal(hd_msg_max_forwards(m), 70);
	assert_int_equal(hd_msg_new_request(&other, &nr), 0);
	assert_string_not_equal(hd_msg_call_id(m), hd_msg_call_id(other));
	hd_msg_free(m);
	hd_msg_free(other);
	nr.call_id = "mine";
	assert_int_equal(hd_msg_new_request(&m, &nr), 0);
	assert_string_equal(hd_msg_call_id(m), "mine");
	hd_msg_free(m);
	nr.method = "no method";
	assert_int_equal(hd_msg_new_request(&m, &nr), HD_EPARSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),	    cmocka_unit_test(test_response),
		cmocka_unit_test(test_bare),	    cmocka_unit_test(test_methods),
		cmocka_unit_test(test_via_address), cmocka_unit_test(test_header),
		cmocka_unit_test(test_compact),	    cmocka_unit_test(test_expires),
		cmocka_unit_test(test_new_request),
	};

	return cmocka_run_group_tests(tests, msg_init, NULL);
}
