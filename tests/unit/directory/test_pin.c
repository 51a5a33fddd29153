/* test_pin.c - rules for new PINs. */
#include <stdlib.h>

#include "fixture.h"

static const struct hd_pin_policy policy = { .length_min = 6, .length_max = 32 };

static void test_good(void **state)
{
	static const char *const good[] = {
		"471147", "802615", "908172",	"135791",  "112358",
		"159752", "147259", "12345679", "4711471", "84920175638291047561829304756183"
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int err = hd_pin_check(&policy, hd_slice_of(good[i]), "201", &why);

		if (err)
			fail_msg("%s: %s", good[i], why);
		assert_string_equal(why, "");
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *pin, *number, *word; /* a word of the reason */
	} rows[] = {
		{ "", "201", "short" },
		{ "47114", "201", "short" },
		{ "849201756382910475618293047561831", "201", "long" },
		{ "47114a", "201", "digits" },
		{ "47 147", "201", "digits" },
		{ "471147#", "201", "digits" },
		{ "-47114", "201", "digits" },
		{ "411147", "201", "in a row" },
		{ "471444", "201", "in a row" },
		{ "474774", "201", "three different" },
		{ "771177", "201", "three different" },
		{ "120573", "120573", "number" },
		{ "375021", "120573", "number" },
		{ "912057", "12057", "number" },
		{ "975021", "12057", "number" },
		{ "408408", "201", "group" },
		{ "47124712", "201", "group" },
		{ "123456", "201", "up or down" },
		{ "987654", "201", "up or down" },
		{ "678901", "201", "up or down" },
		{ "210987", "201", "up or down" },
		{ "159753", "201", "keypad" },
		{ "147258", "201", "keypad" },
		{ "963852", "201", "keypad" },
		{ "2580369", "201", "keypad" },
		{ "0852147", "201", "keypad" },
		{ "147369456", "201", "keypad" },
	};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int err = hd_pin_check(&policy, hd_slice_of(rows[i].pin), rows[i].number, &why);

		if (err != HD_EACCESS || !strstr(why, rows[i].word))
			fail_msg("%s: %d, \"%s\"; expected \"%s\"", rows[i].pin, err, why,
				 rows[i].word);
	}
}

static void test_number_rule(void **state)
{
	const char *why;

	(void)state;
	/* Half of the PIN or less may be the number; one with other characters never matches. */
	assert_ok(hd_pin_check(&policy, hd_slice_of("857201"), "201", &why));
	assert_int_equal(hd_pin_check(&policy, hd_slice_of("857201"), "7201", &why), HD_EACCESS);
	assert_ok(hd_pin_check(&policy, hd_slice_of("120573"), "", &why));
	assert_ok(hd_pin_check(&policy, hd_slice_of("120573"), NULL, &why));
	assert_ok(hd_pin_check(&policy, hd_slice_of("120573"), "1205734", &why));
	assert_ok(hd_pin_check(&policy, hd_slice_of("120573"), "*20573", &why));
}

static void test_policy(void **state)
{
	struct hd_pin_policy p = { .length_min = 4, .length_max = 4, .trivial_allowed = true };
	const char *why;

	(void)state;
	assert_ok(hd_pin_check(&p, hd_slice_of("1111"), "1111", &why));
	assert_int_equal(hd_pin_check(&p, hd_slice_of("111"), "1", &why), HD_EACCESS);
	assert_int_equal(hd_pin_check(&p, hd_slice_of("11112"), "1", &why), HD_EACCESS);
	p.trivial_allowed = false;
	assert_int_equal(hd_pin_check(&p, hd_slice_of("2580"), "1", &why), HD_EACCESS);
	assert_int_equal(hd_pin_check(&p, hd_slice_of("0852"), "1", &why), HD_EACCESS);
	assert_ok(hd_pin_check(&p, hd_slice_of("2581"), "1", &why));

	/* Whatever the policy says: never empty, never more than a PIN can be typed. */
	p = (struct hd_pin_policy){ .length_max = 1000, .trivial_allowed = true };
	assert_int_equal(hd_pin_check(&p, hd_slice_of(""), "1", &why), HD_EACCESS);
	assert_int_equal(hd_pin_check(&p,
				      hd_slice_of("12345678901234567890123456789012345"
						  "678901234567890123456789012345"),
				      "1", &why),
			 HD_EACCESS);

	assert_int_equal(hd_pin_check(NULL, hd_slice_of("471147"), "1", &why), HD_EINVAL);
	assert_int_equal(hd_pin_check(&p, hd_slice_of("471147"), "1", NULL), HD_EINVAL);
}

/* Under the default policy only a small part of all six-digit PINs may be trivial. */
static void test_share(void **state)
{
	char pin[7] = "";
	const char *why;
	unsigned refused = 0;

	(void)state;
	for (unsigned n = 0; n < 1000000; n += 7) {
		for (unsigned i = 0, v = n; i < 6; i++, v /= 10)
			pin[5 - i] = (char)('0' + v % 10);
		if (hd_pin_check(&policy, hd_slice_of(pin), "201", &why))
			refused++;
	}
	assert_in_range(refused, 1000, 10000); /* of 142,858; about 4.5 % */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	    cmocka_unit_test(test_bad),
		cmocka_unit_test(test_number_rule), cmocka_unit_test(test_policy),
		cmocka_unit_test(test_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
