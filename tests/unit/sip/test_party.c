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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privacy),
	};

	return cmocka_run_group_tests(tests, msg_init, NULL);
}
