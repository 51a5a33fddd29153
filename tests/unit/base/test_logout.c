/* test_logout.c - rules of when somebody is logged out by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "hotdesk/base/logout.h"

static struct hd_logout_rule rule_of(const char *text)
{
	struct hd_logout_rule rule;

	if (hd_logout_rule_parse(&rule, hd_slice_of(text)))
		fail_msg("\"%s\" is refused", text);
	return rule;
}

static void test_good(void **state)
{
	struct hd_logout_rule rule;

	(void)state;
	rule = rule_of("");
	assert_int_equal(rule.at, HD_LOGOUT_INHERIT);
	rule = rule_of("never");
	assert_int_equal(rule.at, HD_LOGOUT_NEVER);
	assert_int_equal(rule.after_s, HD_LOGOUT_NEVER);
	assert_int_equal(rule.unregistered_s, HD_LOGOUT_NEVER);
	rule = rule_of(" at 00:00 ,after 10h, unregistered  30m ");
	assert_int_equal(rule.at, HD_LOGOUT_MIDNIGHT);
	assert_int_equal(rule.after_s, 36000);
	assert_int_equal(rule.unregistered_s, 1800);
	rule = rule_of("after 366d");
	assert_int_equal(rule.at, HD_LOGOUT_INHERIT);
	assert_int_equal(rule.after_s, 366 * 86400);
	rule = rule_of("unregistered never, at 23:59");
	assert_int_equal(rule.at, HD_LOGOUT_MIDNIGHT + 1439);
	assert_int_equal(rule.unregistered_s, HD_LOGOUT_NEVER);
}

static void test_bad(void **state)
{
	static const char *const texts[] = {
		"at",
		"at 24:00",
		"at 9:00",
		"at 09:60",
		"at 09-00",
		"after",
		"after 0s",
		"after 1",
		"after 1w",
		"after -1h",
		"after 367d",
		"after h",
		"after 10h,",
		",at 10:00",
		"at 10:00 at 11:00",
		"sometimes",
		"never, at",
		"NEVER",
		"after 1h,after 2h",
		"after 99999999999999999999s",
		"at 10:00,,after 1h",
		"at never never",
	};
	struct hd_logout_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (hd_logout_rule_parse(&rule, hd_slice_of(texts[i])) != HD_EPARSE)
			fail_msg("\"%s\" is taken", texts[i]);
}

static void test_inherit(void **state)
{
	struct hd_logout_rule phone = rule_of("after never"), user = rule_of("at 18:00, after 1h"),
			      all = rule_of("at 20:00, unregistered 5m");

	(void)state;
	hd_logout_rule_inherit(&phone, &user);
	hd_logout_rule_inherit(&phone, &all);
	assert_int_equal(phone.at, HD_LOGOUT_MIDNIGHT + 18 * 60);
	assert_int_equal(phone.after_s, HD_LOGOUT_NEVER);
	assert_int_equal(phone.unregistered_s, 300);
}

static int64_t at(const char *zone, int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900,
			 .tm_mon = month - 1,
			 .tm_mday = day,
			 .tm_hour = hour,
			 .tm_min = minute };

	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
	return (int64_t)timegm(&tm) * 1000; /* UTC */
}

static void test_time_of_day(void **state)
{
	static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
	static const struct {
		const char *rule;
		int since[5], due[5]; /* UTC */
	} rows[] = {
		{ "at 20:00", { 2026, 1, 10, 8, 0 }, { 2026, 1, 10, 19, 0 } },
		{ "at 20:00", { 2026, 7, 10, 8, 0 }, { 2026, 7, 10, 18, 0 } },
		/* Logged in on the minute: the next day. */
		{ "at 20:00", { 2026, 7, 10, 18, 0 }, { 2026, 7, 11, 18, 0 } },
		{ "at 20:00", { 2026, 12, 31, 19, 1 }, { 2027, 1, 1, 19, 0 } },
		{ "at 00:00", { 2026, 2, 28, 12, 0 }, { 2026, 2, 28, 23, 0 } },
		/* The clock goes on by an hour on 29 March, and back on 25 October. */
		{ "at 20:00", { 2026, 3, 28, 20, 0 }, { 2026, 3, 29, 18, 0 } },
		{ "at 20:00", { 2026, 10, 24, 19, 0 }, { 2026, 10, 25, 19, 0 } },
	};
	struct hd_logout_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int *s = rows[i].since, *d = rows[i].due;
		int64_t since = at(berlin, s[0], s[1], s[2], s[3], s[4]);
		enum hd_logout_why why = HD_LOGOUT_AFTER;

		rule = rule_of(rows[i].rule);
		assert_int_equal(hd_logout_due(&rule, since, 0, &why),
				 at(berlin, d[0], d[1], d[2], d[3], d[4]));
		assert_int_equal(why, HD_LOGOUT_AT);
	}
}

/* 02:30 is not there on one night and there twice on another: due once on each. */
static void test_skipped_and_repeated(void **state)
{
	static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
	struct hd_logout_rule rule = rule_of("at 02:30");
	int64_t since, due, next;

	(void)state;
	since = at(berlin, 2026, 3, 28, 12, 0);
	due = hd_logout_due(&rule, since, 0, NULL);
	assert_in_range(due, (uint64_t)at(berlin, 2026, 3, 29, 0, 30),
			(uint64_t)at(berlin, 2026, 3, 29, 1, 30));
	next = hd_logout_due(&rule, due, 0, NULL);
	assert_int_equal(next, at(berlin, 2026, 3, 30, 0, 30));

	since = at(berlin, 2026, 10, 24, 12, 0);
	due = hd_logout_due(&rule, since, 0, NULL);
	assert_in_range(due, (uint64_t)at(berlin, 2026, 10, 25, 0, 30),
			(uint64_t)at(berlin, 2026, 10, 25, 1, 30));
	next = hd_logout_due(&rule, due, 0, NULL);
	assert_int_equal(next, at(berlin, 2026, 10, 26, 1, 30));
}

static void test_earliest(void **state)
{
	const int64_t since = at("UTC", 2026, 5, 4, 9, 0);
	struct hd_logout_rule rule = rule_of("at 20:00, after 10h, unregistered 30m");
	enum hd_logout_why why;

	(void)state;
	assert_int_equal(hd_logout_due(&rule, since, 0, &why), since + 10 * 3600 * 1000);
	assert_int_equal(why, HD_LOGOUT_AFTER);
	assert_int_equal(hd_logout_due(&rule, since, since + 60000, &why), since + 31 * 60000);
	assert_int_equal(why, HD_LOGOUT_UNREGISTERED);
	rule.after_s = 12 * 3600;
	assert_int_equal(hd_logout_due(&rule, since, 0, &why), since + 11 * 3600 * 1000);
	assert_int_equal(why, HD_LOGOUT_AT);
	rule = rule_of("never");
	assert_int_equal(hd_logout_due(&rule, since, since, NULL), INT64_MAX);
	rule = rule_of("");
	assert_int_equal(hd_logout_due(&rule, since, since, NULL), INT64_MAX);
	assert_string_equal(hd_logout_why_name(HD_LOGOUT_AT), "time of day");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_inherit),
		cmocka_unit_test(test_time_of_day),
		cmocka_unit_test(test_skipped_and_repeated),
		cmocka_unit_test(test_earliest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
