/* test_security.c - the line fail2ban reads, what cannot be smuggled into it, the rate limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hotdesk/base/log.h"

static char got[8192];
static enum hd_log_level got_level;

static void sink(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	got_level = level;
	(void)snprintf(got, sizeof(got), "%s", text);
}

static struct hd_security_event event(void)
{
	return (struct hd_security_event){
		.event = "InvalidPassword",
		.service = "SIP",
		.account = "desk-101",
		.session = "c1@x",
		.local_address = "IPV4/UDP/192.0.2.1/5060",
		.remote_address = "IPV4/UDP/192.0.2.12/5062",
	};
}

/* The line without its time, which must have the form of one. */
static const char *without_time(void)
{
	static char text[8192];
	static const char form[] = "0000-00-00T00:00:00.000+0000\"";
	char *time = strstr(got, "EventTV=\"");

	assert_non_null(time);
	time += strlen("EventTV=\"");
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		bool same = form[i] == '0' && i < 24 ? time[i] >= '0' && time[i] <= '9'
						     : time[i] == form[i];

		if (!same)
			fail_msg("time: expected %s, got %s", form, time);
	}
	(void)snprintf(text, sizeof(text), "%.*s%s", (int)(time - got), got, time + 28);
	return text;
}

static void test_line(void **state)
{
	struct hd_security_event ev = event();
	char expected[512];

	(void)state;
	hd_log_security(&ev);
	(void)snprintf(expected, sizeof(expected),
		       "SECURITY[%ld] security.c: SecurityEvent=\"InvalidPassword\",EventTV=\"\","
		       "Severity=\"Error\",Service=\"SIP\",EventVersion=\"1\","
		       "AccountID=\"desk-101\",SessionID=\"c1@x\","
		       "LocalAddress=\"IPV4/UDP/192.0.2.1/5060\","
		       "RemoteAddress=\"IPV4/UDP/192.0.2.12/5062\"",
		       (long)getpid());
	assert_string_equal(without_time(), expected);
	assert_int_equal(got_level, HD_LOG_NOTICE);
}

static void test_level_does_not_silence(void **state)
{
	struct hd_security_event ev = event();

	(void)state;
	got[0] = '\0';
	hd_log_set_level(HD_LOG_ERROR);
	hd_log_security(&ev);
	hd_log_set_level(HD_LOG_INFO);
	assert_non_null(strstr(got, "SecurityEvent="));
}

static void test_untrusted_fields(void **state)
{
	static const char *const cases[][2] = {
		{ "a\",RemoteAddress=\"IPV4/UDP/198.51.100.1/5060",
		  "AccountID=\"a,RemoteAddress=IPV4/UDP/198.51.100.1/5060\"" },
		{ "a\r\nb\tc\x7f\x1b", "AccountID=\"abc\"" },
		{ "it's \\\"x\\\"", "AccountID=\"its x\"" },
		{ "J\xc3\xbcrgen", "AccountID=\"J\xc3\xbcrgen\"" },
		{ "J\xfcrgen\xc3", "AccountID=\"Jrgen\"" },
		{ "x\xc2\x9by", "AccountID=\"xy\"" },
		{ "*771*201*471147", "AccountID=\"*771*201*****\"" },
		{ "", "AccountID=\"\"" },
		{ NULL, "AccountID=\"\"" },
	};
	struct hd_security_event ev = event();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ev.account = cases[i][0];
		hd_log_security(&ev);
		if (!strstr(got, cases[i][1]))
			fail_msg("expected %s in %s", cases[i][1], got);
		/* each of the nine fields has its two quotes and there are no others */
		{
			int quotes = 0;

			for (const char *p = got; *p; p++)
				quotes += *p == '"';
			assert_int_equal(quotes, 18);
		}
	}
}

static void test_long_fields(void **state)
{
	struct hd_security_event ev = event();
	char text[20000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ev.account = text;
	ev.session = text;
	hd_log_security(&ev);
	assert_true(strlen(got) < 1000);
	assert_non_null(strstr(got, ",RemoteAddress=\"IPV4/UDP/192.0.2.12/5062\""));
	hd_log_security(NULL);
	hd_log_security(&(struct hd_security_event){ 0 });
	assert_non_null(strstr(got, "SecurityEvent=\"\""));
}

static void test_ratelimit(void **state)
{
	struct hd_ratelimit rl = { 0 };
	uint32_t suppressed = 99;

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_true(hd_ratelimit_allow(&rl, 1000000, &suppressed));
		assert_int_equal(suppressed, 0);
	}
	for (int i = 0; i < 7; i++)
		assert_false(hd_ratelimit_allow(&rl, 1000000 + i, &suppressed));
	assert_false(hd_ratelimit_allow(&rl, 1000099, &suppressed));
	assert_true(hd_ratelimit_allow(&rl, 1000100, &suppressed)); /* one token each 100 ms */
	assert_int_equal(suppressed, 8);
	assert_false(hd_ratelimit_allow(&rl, 1000199, &suppressed));
	assert_true(hd_ratelimit_allow(&rl, 1000200, NULL));
	assert_true(hd_ratelimit_allow(&rl, 2000000, &suppressed));
	assert_int_equal(suppressed, 0);
}

/* Whatever the rhythm: never more than the burst and the rate. */
static void test_ratelimit_rate(void **state)
{
	(void)state;
	for (int step = 1; step <= 50; step++) {
		struct hd_ratelimit rl = { .per_second = 3 };
		int64_t last = INT64_C(1) << 40;
		int64_t end = last + 10000;
		int allowed = 0;

		for (; last < end; last += step)
			allowed += hd_ratelimit_allow(&rl, last, NULL);
		if (allowed < 30 || allowed > 33)
			fail_msg("every %d ms: expected 30..33, got %d", step, allowed);
	}
}

static void test_ratelimit_clock_goes_back(void **state)
{
	struct hd_ratelimit rl = { .per_second = 1 };

	(void)state;
	assert_true(hd_ratelimit_allow(&rl, 5000, NULL));
	assert_false(hd_ratelimit_allow(&rl, 5001, NULL));
	assert_true(hd_ratelimit_allow(&rl, 10, NULL));
	assert_false(hd_ratelimit_allow(&rl, 11, NULL));
	assert_true(hd_ratelimit_allow(&rl, INT64_MAX, NULL));
}

static int setup(void **state)
{
	(void)state;
	hd_log_set_sink(sink, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_level_does_not_silence),
		cmocka_unit_test(test_untrusted_fields),
		cmocka_unit_test(test_long_fields),
		cmocka_unit_test(test_ratelimit),
		cmocka_unit_test(test_ratelimit_rate),
		cmocka_unit_test(test_ratelimit_clock_goes_back),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
