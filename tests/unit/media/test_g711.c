/* test_g711.c - A-law and mu-law: values of the standard, and that nothing is lost twice. */
#include "rtp_support.h"

/* ITU-T G.711 tables 1a and 2a: the decision values' neighbours. */
static void test_known(void **state)
{
	(void)state;
	assert_int_equal(g711_encode(HD_LAW_A, 0), 0xd5);
	assert_int_equal(g711_encode(HD_LAW_A, -1), 0x55);
	assert_int_equal(g711_encode(HD_LAW_A, 32767), 0xaa);
	assert_int_equal(g711_encode(HD_LAW_A, -32768), 0x2a);
	assert_int_equal(g711_encode(HD_LAW_MU, 0), 0xff);
	assert_int_equal(g711_encode(HD_LAW_MU, -1), 0x7f);
	assert_int_equal(g711_encode(HD_LAW_MU, 32767), 0x80);
	assert_int_equal(g711_encode(HD_LAW_MU, -32768), 0x00);
	assert_int_equal(g711_decode(HD_LAW_A, 0xd5), 8);
	assert_int_equal(g711_decode(HD_LAW_A, 0x2a), -32256);
	assert_int_equal(g711_decode(HD_LAW_MU, 0xff), 0);
	assert_int_equal(g711_decode(HD_LAW_MU, 0x00), -32124);
	assert_int_equal(g711_decode(HD_LAW_A, SILENCE_A), 8);
	assert_int_equal(g711_decode(HD_LAW_MU, SILENCE_MU), 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int law = 0; law < 2; law++)
		for (int octet = 0; octet < 256; octet++) {
			int16_t v = g711_decode((enum hd_law)law, (uint8_t)octet);
			uint8_t back = g711_encode((enum hd_law)law, v);

			/* mu-law has two zeros */
			if (law == HD_LAW_MU && octet == 0x7f)
				assert_int_equal(back, 0xff);
			else
				assert_int_equal(back, octet);
		}
}

/* Rising samples give rising levels, and the error stays below a step (13 and 14 bits). */
static void test_every_sample(void **state)
{
	(void)state;
	for (int law = 0; law < 2; law++)
		for (int v = -32768; v < 32768; v++) {
			int16_t got = g711_decode((enum hd_law)law,
						  g711_encode((enum hd_law)law, (int16_t)v));
			int error = v > got ? v - got : got - v, size = v < 0 ? -v : v;

			if (error > 16 + size / 16)
				fail_msg("law %d: %d became %d", law, v, got);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
