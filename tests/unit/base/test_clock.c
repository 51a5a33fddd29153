/* test_clock.c - the system's clock, the one tests move, and the text of a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/clock.h"

static void test_system(void **state)
{
	const struct hd_clock *clock = hd_clock_system();
	int64_t before = hd_clock_mono_ms(clock);

	(void)state;
	/* 2020-01-01 .. 2200-01-01: milliseconds, not seconds or microseconds */
	assert_true(hd_clock_wall_ms(clock) > INT64_C(1577836800000));
	assert_true(hd_clock_wall_ms(clock) < INT64_C(7258118400000));
	for (int i = 0; i < 1000; i++) {
		int64_t now = hd_clock_mono_ms(clock);

		assert_true(now >= before);
		before = now;
	}
}

static void test_fake(void **state)
{
	struct hd_fake_clock fake;

	(void)state;
	hd_fake_clock_init(&fake, 5000);
	assert_int_equal(hd_clock_wall_ms(&fake.clock), 5000);
	assert_int_equal(hd_clock_mono_ms(&fake.clock), 5000);
	hd_fake_clock_advance(&fake, 250);
	assert_int_equal(hd_clock_wall_ms(&fake.clock), 5250);
	assert_int_equal(hd_clock_mono_ms(&fake.clock), 5250);
	fake.wall_ms = 1; /* somebody sets the wall clock back */
	assert_int_equal(hd_clock_wall_ms(&fake.clock), 1);
	assert_int_equal(hd_clock_mono_ms(&fake.clock), 5250);
}

static void test_format(void **state)
{
	static const struct {
		int64_t at_ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ INT64_C(1795462242123), "2026-11-23T19:30:42.123Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ INT64_C(253402300800000), "" },
		{ INT64_MAX, "" },
		{ INT64_MIN, "" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hd_time_format(text, sizeof(text), cases[i].at_ms);
		assert_string_equal(text, cases[i].text);
	}
	hd_time_format(text, 24, 0); /* one byte short */
	assert_string_equal(text, "");
	hd_time_format(text, 25, 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_fake),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
