/* test_log.c - levels, the shape of a line, what is escaped and what is masked. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/log.h"

#include "base/base_priv.h"

static struct {
	int lines;
	enum hd_log_level level;
	char text[8192];
} got;

static void sink(void *arg, enum hd_log_level level, const char *text)
{
	assert_ptr_equal(arg, &got);
	got.lines++;
	got.level = level;
	(void)snprintf(got.text, sizeof(got.text), "%s", text);
}

static int setup(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	hd_log_set_sink(sink, &got);
	hd_log_set_level(HD_LOG_INFO);
	hd_log_clear_subsystem_levels();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hd_log_set_sink(NULL, NULL);
	return 0;
}

static void test_line(void **state)
{
	(void)state;
	hd_info("registrar", "%s: bound for %u s", "desk-101", 3600u);
	assert_string_equal(got.text, "registrar: desk-101: bound for 3600 s");
	assert_int_equal(got.level, HD_LOG_INFO);
	hd_warn("store", "disk: %d%% full", 99);
	assert_string_equal(got.text, "store: disk: 99% full");
	assert_int_equal(got.level, HD_LOG_WARNING);
	hd_error("store", "x");
	assert_int_equal(got.level, HD_LOG_ERROR);
	hd_notice("store", "x");
	assert_int_equal(got.level, HD_LOG_NOTICE);
	hd_debug("store", "not shown");
	assert_int_equal(got.lines, 4);
}

static void test_call_id(void **state)
{
	(void)state;
	hd_log_call(HD_LOG_INFO, "proxy", "a84b4c76e66710@pc33", "%s: ringing", "201");
	assert_string_equal(got.text, "proxy: 201: ringing call-id=a84b4c76e66710@pc33");
	hd_log_call(HD_LOG_INFO, "proxy", NULL, "201: ringing");
	assert_string_equal(got.text, "proxy: 201: ringing");
	hd_log_call(HD_LOG_INFO, "proxy", "a b\"\r\nc", "x");
	assert_string_equal(got.text, "proxy: x call-id=a\\x20b\\x22\\x0d\\x0ac");
	hd_log_call(HD_LOG_DEBUG, "proxy", "c", "x");
	assert_int_equal(got.lines, 3);
}

static void test_levels(void **state)
{
	(void)state;
	assert_true(hd_log_enabled("proxy", HD_LOG_INFO));
	assert_false(hd_log_enabled("proxy", HD_LOG_DEBUG));
	hd_log_set_level(HD_LOG_ERROR);
	assert_false(hd_log_enabled("proxy", HD_LOG_WARNING));
	assert_int_equal(hd_log_set_subsystem_level("proxy", HD_LOG_DEBUG), 0);
	assert_true(hd_log_enabled("proxy", HD_LOG_DEBUG));
	assert_false(hd_log_enabled("prox", HD_LOG_WARNING));
	assert_false(hd_log_enabled("proxy2", HD_LOG_WARNING));
	assert_false(hd_log_enabled(NULL, HD_LOG_WARNING));
	assert_int_equal(hd_log_set_subsystem_level("proxy", HD_LOG_NOTICE), 0);
	assert_false(hd_log_enabled("proxy", HD_LOG_INFO));
	hd_log_clear_subsystem_levels();
	assert_false(hd_log_enabled("proxy", HD_LOG_NOTICE));
	assert_true(hd_log_enabled("proxy", HD_LOG_ERROR));
}

static void test_subsystem_limit(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 32; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(hd_log_set_subsystem_level(name, HD_LOG_DEBUG), 0);
	}
	assert_int_equal(hd_log_set_subsystem_level("one-more", HD_LOG_DEBUG), HD_ELIMIT);
	assert_int_equal(hd_log_set_subsystem_level("s31", HD_LOG_ERROR), 0);
	assert_true(hd_log_enabled("s30", HD_LOG_DEBUG));
	assert_false(hd_log_enabled("s31", HD_LOG_WARNING));
	assert_int_equal(hd_log_set_subsystem_level("", HD_LOG_DEBUG), HD_EINVAL);
	assert_int_equal(hd_log_set_subsystem_level(NULL, HD_LOG_DEBUG), HD_EINVAL);
	assert_int_equal(
		hd_log_set_subsystem_level("a-name-that-is-much-too-long-for-it", HD_LOG_DEBUG),
		HD_EINVAL);
}

static void test_level_names(void **state)
{
	enum hd_log_level level = HD_LOG_ERROR;

	(void)state;
	assert_int_equal(hd_log_level_parse(&level, "debug"), 0);
	assert_int_equal(level, HD_LOG_DEBUG);
	assert_int_equal(hd_log_level_parse(&level, "error"), 0);
	assert_int_equal(level, HD_LOG_ERROR);
	assert_int_equal(hd_log_level_parse(&level, "warning"), 0);
	assert_int_equal(hd_log_level_parse(&level, "notice"), 0);
	assert_int_equal(hd_log_level_parse(&level, "info"), 0);
	assert_int_equal(level, HD_LOG_INFO);
	assert_int_equal(hd_log_level_parse(&level, "Info"), HD_EPARSE);
	assert_int_equal(hd_log_level_parse(&level, ""), HD_EPARSE);
	assert_int_equal(hd_log_level_parse(&level, NULL), HD_EPARSE);
}

static void test_escapes(void **state)
{
	static const char *const cases[][2] = {
		{ "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\x9e", /* letters stay */
		  "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\x9e" },
		{ "a\r\n<3>forged: line", "a\\x0d\\x0a<3>forged: line" },
		{ "\x1b[31mred\x7f\t", "\\x1b[31mred\\x7f\\x09" },
		{ "say \"hi\" it's", "say \\x22hi\\x22 it's" },
		{ "J\xfcrgen \xc3", "J\\xfcrgen \\xc3" },
		{ "\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80" },
		{ "\xc2\x85\xc2\x9b", "\\xc2\\x85\\xc2\\x9b" },	     /* C1 controls */
		{ "\xe2\x80\xaetxt.exe", "\\xe2\\x80\\xaetxt.exe" }, /* right-to-left override */
		{ "\xe2\x80\xa8\xe2\x81\xa6", "\\xe2\\x80\\xa8\\xe2\\x81\\xa6" },
		{ "\xe2\x80\x93", "\xe2\x80\x93" }, /* a dash is no control */
	};
	char expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hd_info("sip", "%s", cases[i][0]);
		(void)snprintf(expected, sizeof(expected), "sip: %s", cases[i][1]);
		assert_string_equal(got.text, expected);
	}
}

static void test_masks_pins(void **state)
{
	static const char *const cases[][2] = {
		{ "sip:*771*201*471147@hotdesk", "sip:*771*201*****@hotdesk" },
		{ "sip:*771*201*471147#@hotdesk", "sip:*771*201*****@hotdesk" },
		{ "sip:*771*201*471147%23@hotdesk", "sip:*771*201*****@hotdesk" },
		{ "sip:%2A771%2A201%2A471147@hotdesk", "sip:%2A771%2A201%2A****@hotdesk" },
		{ "sip:%2a771%2a201%2a471147%23@h", "sip:%2a771%2a201%2a****@h" },
		{ "sip:*771*%32%30%31*%34%37%31147@h", "sip:*771*%32%30%31*****@h" },
		{ "%2A%37%37%31%2a201*471147", "%2A%37%37%31%2a201*****" },
		{ "*770*+49-30.201*1234;x=y", "*770*+49-30.201*****;x=y" },
		{ "*771*201*47*11*47 rest", "*771*201***** rest" },
		{ "*771*201*1", "*771*201**" },
		{ "a *771*201*471147 b *771*202*802615 c", "a *771*201***** b *771*202***** c" },
		{ "**771*201*471147", "**771*201*****" },
		{ "*1*771*201*471147", "*1*771*****" },
		{ "<*771*201*471147>", "<*771*201*****>" },
		/* nothing to hide */
		{ "Contact: *", "Contact: *" },
		{ "*771", "*771" },
		{ "*771*201", "*771*201" },
		{ "*771*201*", "*771*201*" },
		{ "*771*201* 4712", "*771*201* 4712" },
		{ "2*3 and 4*5*6", "2*3 and 4*5*6" },
		{ "%2", "%2" },
		{ "100%", "100%" },
		{ "*%%%*%", "*%%%*%" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[256];

		hd_info("feature", "%s", cases[i][0]);
		(void)snprintf(expected, sizeof(expected), "feature: %s", cases[i][1]);
		assert_string_equal(got.text, expected);
		assert_null(strstr(got.text, "471147"));
	}
	hd_log_call(HD_LOG_INFO, "feature", "*771*201*471147@pc", "%s", "x");
	assert_string_equal(got.text, "feature: x call-id=*771*201*****@pc");
}

/* A PIN at the very place where a long text is cut. */
static void test_masks_at_the_cut(void **state)
{
	char text[4096];

	(void)state;
	for (size_t pad = 2000; pad < 2060; pad++) {
		memset(text, 'x', pad);
		(void)snprintf(text + pad, sizeof(text) - pad, "*771*201*471147@h");
		hd_info("feature", "%s", text);
		if (strstr(got.text, "*4") || strstr(got.text, "471"))
			fail_msg("pad %zu: %s", pad, got.text + 1990);
	}
}

static void test_long_text(void **state)
{
	char text[9000];
	char id[2000];
	size_t len;

	(void)state;
	memset(text, '\x01', sizeof(text) - 1); /* four times as long when escaped */
	text[sizeof(text) - 1] = '\0';
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	hd_log_call(HD_LOG_INFO, "sip", id, "%s", text);
	len = strlen(got.text);
	assert_true(len < HD_LOG_LINE_MAX);
	assert_true(len > 3000);
	assert_non_null(strstr(got.text, "\\x01 call-id=iii"));

	memset(text, 'y', sizeof(text) - 1);
	hd_info("sip", "%s", text);
	assert_int_equal(strlen(got.text), strlen("sip: ") + HD_LOG_RAW_MAX - 1);
}

static void nested_sink(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	if (!strstr(text, "again"))
		hd_info("sink", "again");
	got.lines++;
}

static void test_sink_may_log(void **state)
{
	(void)state;
	hd_log_set_sink(nested_sink, NULL);
	hd_info("x", "y");
	assert_int_equal(got.lines, 2);
}

static void *logger_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++)
		hd_debug("mix", "line %d", i);
	return NULL;
}

static void null_sink(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
}

/* A reload sets levels while others log; for the race detector. */
static void test_levels_change_while_logging(void **state)
{
	pthread_t threads[3];

	(void)state;
	hd_log_set_sink(null_sink, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, logger_main, NULL), 0);
	for (int i = 0; i < 200; i++) {
		hd_log_clear_subsystem_levels();
		assert_int_equal(hd_log_set_subsystem_level("mix", HD_LOG_DEBUG), 0);
		hd_log_set_level(HD_LOG_DEBUG);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#define WITH_SINK(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SINK(test_line),
		WITH_SINK(test_call_id),
		WITH_SINK(test_levels),
		WITH_SINK(test_subsystem_limit),
		WITH_SINK(test_level_names),
		WITH_SINK(test_escapes),
		WITH_SINK(test_masks_pins),
		WITH_SINK(test_masks_at_the_cut),
		WITH_SINK(test_long_text),
		WITH_SINK(test_sink_may_log),
		WITH_SINK(test_levels_change_while_logging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
