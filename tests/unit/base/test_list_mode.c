/* test_list_mode.c - which calls a user finds on a phone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotdesk/base/list_mode.h"

static void test_text(void **state)
{
	enum hd_list_mode mode;

	(void)state;
	for (int i = 0; i < HD_LIST_MODES; i++) {
		assert_int_equal(hd_list_mode_parse(&mode, hd_slice_of(hd_list_mode_name(
								   (enum hd_list_mode)i))),
				 0);
		assert_int_equal(mode, i);
	}
	assert_int_equal(hd_list_mode_parse(&mode, hd_slice_of("Central")), HD_EPARSE);
	assert_int_equal(hd_list_mode_parse(&mode, hd_slice_of("offf")), HD_EPARSE);
}

static void test_policy(void **state)
{
	struct hd_list_policy policy = { 0 };

	(void)state;
	assert_int_equal(hd_list_policy_mode(&policy, "", ""), HD_LIST_CENTRAL);
	policy.standard = HD_LIST_OFF;
	assert_int_equal(hd_list_policy_add(&policy, hd_slice_of("sales=local")), 0);
	assert_int_equal(hd_list_policy_mode(&policy, "", ""), HD_LIST_OFF);
	assert_int_equal(hd_list_policy_mode(&policy, "", "sale"), HD_LIST_OFF);
	assert_int_equal(hd_list_policy_mode(&policy, "", "sales"), HD_LIST_LOCAL);
	assert_int_equal(hd_list_policy_mode(&policy, "central", "sales"), HD_LIST_CENTRAL);
	/* What a newer version may have written is no mode here. */
	assert_int_equal(hd_list_policy_mode(&policy, "shared", "sales"), HD_LIST_LOCAL);
}

static void test_bad(void **state)
{
	static const char *const bad[] = { "",	      "=",    "sales",	"sales=",     "=off",
					   "a b=off", "a=on", "a=off ", "a=b=central" };
	struct hd_list_policy policy = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hd_list_policy_add(&policy, hd_slice_of(bad[i])) != HD_EPARSE)
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(policy.n_groups, 0);
	for (size_t i = 0; i < HD_LIST_GROUPS_MAX; i++)
		assert_int_equal(hd_list_policy_add(&policy, hd_slice_of("a=off")), 0);
	assert_int_equal(hd_list_policy_add(&policy, hd_slice_of("b=off")), HD_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
