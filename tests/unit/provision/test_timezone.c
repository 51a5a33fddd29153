/* test_timezone.c - POSIX TZ to offsets and rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hotdesk/render.h"

static void test_good(void **state)
{
	static const struct {
		const char *posix;
		int32_t offset_s, dst_offset_s;
		struct hd_timezone_rule begin, end;
	} rows[] = {
		{ "UTC0", 0, 0, { 0 }, { 0 } },
		{ "<+0545>-5:45", 20700, 0, { 0 }, { 0 } },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 3600, 3600, { 3, 5, 0, 2 }, { 10, 5, 0, 3 } },
		{ "EST5EDT,M3.2.0,M11.1.0", -18000, 3600, { 3, 2, 0, 2 }, { 11, 1, 0, 2 } },
		{ "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		  37800,
		  1800,
		  { 10, 1, 0, 2 },
		  { 4, 1, 0, 2 } },
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", 3600, -3600, { 10, 5, 0, 2 }, { 3, 5, 0, 1 } },
	};
	struct hd_timezone z;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hd_timezone_parse(&z, rows[i].posix), 0);
		assert_string_equal(z.posix, rows[i].posix);
		assert_int_equal(z.offset_s, rows[i].offset_s);
		assert_int_equal(z.has_dst, rows[i].dst_offset_s != 0);
		assert_int_equal(z.dst_offset_s, rows[i].dst_offset_s);
		assert_memory_equal(&z.dst_begin, &rows[i].begin, sizeof(z.dst_begin));
		assert_memory_equal(&z.dst_end, &rows[i].end, sizeof(z.dst_end));
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *posix;
		int want;
	} rows[] = {
		{ "", HD_EPARSE },
		{ "CE-1", HD_EPARSE },
		{ "CET", HD_EPARSE },
		{ "<CET-1", HD_EPARSE },
		{ "CET-1CEST", HD_EPARSE },
		{ "CET-1CEST,M3.5.0", HD_EPARSE },
		{ "CET-1CEST,M13.5.0,M10.5.0", HD_EPARSE },
		{ "CET-1CEST,M3.5.0,M10.5.0x", HD_EPARSE },
		{ "CET-1CEST,J60,J300", HD_EUNSUPPORTED },
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", HD_EUNSUPPORTED },
		{ "CET-200", HD_EPARSE },
	};
	struct hd_timezone z;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(hd_timezone_parse(&z, rows[i].posix), rows[i].want);
}

static void test_names(void **state)
{
	struct hd_timezone z;

	(void)state;
	assert_int_equal(hd_timezone_load(&z, "Mars/Olympus"), HD_ENOENT);
	assert_int_equal(hd_timezone_load(&z, "../../../etc/passwd"), HD_ENOENT);
	assert_int_equal(hd_timezone_load(&z, "/etc/passwd"), HD_ENOENT);
	assert_int_equal(hd_timezone_load(&z, ""), HD_ENOENT);
	/* Whatever the machine has: never an error. */
	assert_int_equal(hd_timezone_load(&z, NULL), 0);
	if (hd_timezone_load(&z, "Europe/Berlin"))
		skip(); /* no tzdata here */
	assert_string_equal(z.name, "Europe/Berlin");
	assert_int_equal(z.offset_s, 3600);
	assert_true(z.has_dst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
