/* test_digit.c - digits as phones send them by INFO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/feature_priv.h"

#define RELAY "application/dtmf-relay"
#define DTMF "application/dtmf"

static const struct {
	const char *type, *body;
	char digit;
} cases[] = {
	{ RELAY, "Signal=5\r\nDuration=160\r\n", '5' },
	{ RELAY, "Signal= 5\r\nDuration= 160", '5' },
	{ RELAY, "Duration=160\nSignal = #\n", '#' },
	{ RELAY, "signal=*", '*' },
	{ RELAY, "SIGNAL=d\r\n", 'D' },
	{ RELAY, "\r\n\r\nSignal=0\r\n", '0' },
	{ RELAY, "Signal=10\r\n", '*' },
	{ RELAY, "Signal=11\r\n", '#' },
	{ RELAY, "Signal=12\r\n", 'A' },
	{ RELAY, "Signal=15\r\n", 'D' },
	{ RELAY, "Signal=16\r\n", 0 },
	{ RELAY, "Signal=05\r\n", 0 },
	{ RELAY, "Signal=E\r\n", 0 },
	{ RELAY, "Signal=\r\n", 0 },
	{ RELAY, "Signal 5\r\n", 0 },
	{ RELAY, "Signals=5\r\n", 0 },
	{ RELAY, "Signal=55\r\n", 0 },
	{ RELAY, "Signal=5;x\r\n", 0 },
	{ RELAY, "Duration=160\r\n", 0 },
	{ RELAY, "5", 0 },
	{ RELAY, "", 0 },
	{ RELAY "; charset=utf-8", "Signal=7\r\n", '7' },
	{ "Application/DTMF-Relay", "Signal=7\r\n", '7' },
	{ " application/dtmf-relay ;x", "Signal=7\r\n", '7' },
	{ DTMF, "5", '5' },
	{ DTMF, " 5\r\n", '5' },
	{ DTMF, "10", '*' },
	{ DTMF, "11", '#' },
	{ DTMF, "#", '#' },
	{ DTMF, "a", 'A' },
	{ DTMF, "123", 0 },
	{ DTMF, "Signal=5", 0 },
	{ DTMF, "", 0 },
	{ "application/sdp", "5", 0 },
	{ "text/plain", "Signal=5", 0 },
	{ "", "5", 0 },
	{ NULL, "5", 0 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got = digit_of_info(cases[i].type, hd_slice_of(cases[i].body));

		if (got != cases[i].digit)
			fail_msg("%s, %s: expected %d, got %d", cases[i].type ? cases[i].type : "-",
				 cases[i].body, cases[i].digit, got);
	}
}

static void test_long(void **state)
{
	char body[300];
	struct hd_slice s = { body, sizeof(body) };

	(void)state;
	memset(body, ' ', sizeof(body));
	memcpy(body, "Signal=5\r\n", 10);
	assert_int_equal(digit_of_info(RELAY, s), 0);
	s.len = 256;
	assert_int_equal(digit_of_info(RELAY, s), '5');
}

/* Bytes that are no text, at exact length: nothing is read behind them. */
static void test_exact(void **state)
{
	static const char body[] = "Duration=1\0\xFF\r\nSignal \t=\t\0005";
	char *exact;

	(void)state;
	assert_int_equal(digit_of_info(RELAY, (struct hd_slice){ NULL, 0 }), 0);
	for (size_t n = 1; n < sizeof(body); n++) {
		exact = malloc(n);
		assert_non_null(exact);
		memcpy(exact, body, n);
		assert_int_equal(digit_of_info(RELAY, (struct hd_slice){ exact, n }), 0);
		assert_int_equal(digit_of_info(DTMF, (struct hd_slice){ exact, n }),
				 n == 1 ? 'D' : 0);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
