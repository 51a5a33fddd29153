/* test_error.c - every code has a text of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/error.h"

static void test_texts(void **state)
{
	(void)state;
	assert_string_equal(hd_strerror(0), "success");
	assert_string_equal(hd_strerror(HD_EINVAL), "invalid argument");
	assert_string_equal(hd_strerror(HD_ESHUTDOWN), "shutting down");
	assert_string_equal(hd_strerror(1), "unknown error");
	assert_string_equal(hd_strerror(-1000), "unknown error");
}

static void test_texts_differ(void **state)
{
	(void)state;
	for (int a = HD_EINVAL; a >= HD_ESHUTDOWN; a--) {
		assert_string_not_equal(hd_strerror(a), "unknown error");
		for (int b = a - 1; b >= HD_ESHUTDOWN; b--)
			assert_string_not_equal(hd_strerror(a), hd_strerror(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_texts_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
