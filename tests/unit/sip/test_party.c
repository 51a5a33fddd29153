/* test_party.c - who calls whom, as presented in a message. */
#include "msg_text.h"

static void test_privacy(void **state)
{
	static const struct {
		const char *lines;
		unsigned kinds;
	} cases[] = {
		{ "", 0 },
		{ "Privacy: none\r\n", 0 },
		{ "Privacy: id\r\n", HD_PRIVACY_ID },
		{ "privacy:  User ; ID\r\n", HD_PRIVACY_USER | HD_PRIVACY_ID },
		{ "Privacy: header;critical\r\n", HD_PRIVACY_HEADER },
		{ "Privacy: identity;users;headers\r\n", 0 },
		{ "Privacy: header\r\nPrivacy: id\r\n", HD_PRIVACY_HEADER | HD_PRIVACY_ID },
		{ "Privacy: ;;,id,\r\n", HD_PRIVACY_ID },
		{ "Privacy: \r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_msg *m = invite_with(cases[i].lines);

		if (hd_msg_privacy(m) != cases[i].kinds)
			fail_msg("%s: expected %u, got %u", cases[i].lines, cases[i].kinds,
				 hd_msg_privacy(m));
		assert_int_equal(hd_msg_is_withheld(m), cases[i].kinds != 0);
		hd_msg_free(m);
	}
}

/* ---- display name and URI as one text ------------------------------------------------------- */

static struct hd_msg *message(const char *from, const char *to)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 INVITE_LINE "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: %s\r\nTo: %s\r\n"
			     "Call-ID: c\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
		 from, to);
	return msg_from(text);
}

static void assert_party(struct hd_msg *m, bool to, const char *want)
{
	struct hd_buf text = { 0 };

	hd_msg_party(m, to, &text);
	assert_string_equal(hd_buf_text(&text), want);
	hd_buf_fini(&text);
}

static void test_party(void **state)
{
	static const struct {
		const char *header, *party;
	} cases[] = {
		{ "<sip:a@b>;tag=1", "<sip:a@b>" },
		{ "sip:a@b;tag=1", "<sip:a@b>" },
		{ "\"A \\\" B\" <sip:a%20c@b:5070;user=phone>;x=y;tag=1",
		  "\"A \\\" B\" <sip:a%20c@b:5070;user=phone>" },
		{ "Anna  Berg<sip:a@b>;tag=1", "Anna  Berg <sip:a@b>" },
		{ "\"folded\r\n\t name\" <tel:+4930>", "\"folded name\" <tel:+4930>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_msg *m = message(cases[i].header, "<sip:x@y>"),
			      *other = message("<sip:x@y>", cases[i].header);

		assert_party(m, false, cases[i].party);
		assert_party(other, true, cases[i].party);
		hd_msg_free(m);
		hd_msg_free(other);
	}
}

static void test_set_party(void **state)
{
	struct hd_msg *m = message("\"A\" <sip:a@b>;tag=1;epid=\"x;y\"", "sip:c@d;tag=2"),
		      *copy = hd_msg_copy(m);
	char *text;

	(void)state;
	assert_non_null(copy);
	assert_int_equal(hd_msg_set_party(copy, false, "\"An\\\"na\" <sip:201@b;user=phone>"), 0);
	assert_int_equal(hd_msg_set_party(copy, true, "<sip:202@b>"), 0);
	assert_string_equal(hd_msg_from_tag(copy), "1");
	assert_string_equal(hd_msg_to_tag(copy), "2");
	text = msg_text(copy);
	assert_non_null(strstr(text, "\r\nFrom: \"An\\\"na\" <sip:201@b;user=phone>;tag=1;"
				     "epid=\"x;y\"\r\n"));
	assert_non_null(strstr(text, "\r\nTo: <sip:202@b>;tag=2\r\n"));
	free(text);
	text = msg_text(m);
	assert_non_null(strstr(text, "\r\nFrom: \"A\" <sip:a@b>;tag=1;epid=\"x;y\"\r\n"));
	assert_non_null(strstr(text, "\r\nTo: sip:c@d;tag=2\r\n"));
	free(text);
	assert_int_equal(hd_msg_set_party(copy, false, ""), HD_EPARSE);
	assert_party(copy, false, "\"An\\\"na\" <sip:201@b;user=phone>");
	hd_msg_free(copy);
	hd_msg_free(m);
}

static void test_party_is(void **state)
{
	static const struct {
		const char *header, *party;
		bool same;
	} cases[] = {
		{ "<sip:201@b>;tag=1", "<sip:201@b>", true },
		{ "Anna <sip:201@B>;tag=1", "\"Anna\" <sip:201@b>", true },
		{ "\"An\\na\" <sip:201@b>;tag=1", "\"Anna\" <sip:201@b>", true },
		{ "<sip:201@b>;tag=1", "\"Anna\" <sip:201@b>", false },
		{ "\"Anna\" <sip:201@b>;tag=1", "<sip:201@b>", false },
		{ "\"Anna\" <sip:202@b>;tag=1", "\"Anna\" <sip:201@b>", false },
		{ "\"Anna\" <sip:201@b:5070>;tag=1", "\"Anna\" <sip:201@b>", false },
		{ "\"Anna\" <sip:201@b;user=phone>;tag=1", "\"Anna\" <sip:201@b>", false },
		{ "<sip:201@b>;tag=1", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_msg *m = message(cases[i].header, "<sip:x@y>");

		if (hd_msg_party_is(m, false, cases[i].party) != cases[i].same)
			fail_msg("%s and %s", cases[i].header, cases[i].party);
		hd_msg_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privacy),
		cmocka_unit_test(test_party),
		cmocka_unit_test(test_set_party),
		cmocka_unit_test(test_party_is),
	};

	return cmocka_run_group_tests(tests, msg_init, NULL);
}
