/* test_number.c - dialled digits to numbers and back, in tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/number.h"

static const char *const emergency[] = { "112", "110" };

/* Berlin, a line by 0; Berlin without a line prefix; the north American plan; nothing known. */
static const struct hd_number_plan berlin = { "49", "30", "0", "0", "00", emergency, 2, "+493055" };
static const struct hd_number_plan direct = { "49", "30", "", "0", "00", emergency, 2, "" };
static const struct hd_number_plan boston = { "1", "617", "9", "1", "011", emergency, 2, "" };
static const struct hd_number_plan bare = { .emergency = emergency, .n_emergency = 2 };

enum {
	EMG = HD_NUMBER_KIND_EMERGENCY,
	INT = HD_NUMBER_KIND_INTERNAL,
	LOC = HD_NUMBER_KIND_LOCAL,
	NAT = HD_NUMBER_KIND_NATIONAL,
	FAR = HD_NUMBER_KIND_INTERNATIONAL
};

static const struct row {
	const struct hd_number_plan *plan;
	const char *user;
	int err, kind;
	const char *dialled, *e164;
} rows[] = {
	{ &berlin, "112", 0, EMG, "112", "" },
	{ &berlin, "0112", 0, EMG, "112", "" },
	{ &berlin, "00112", 0, NAT, "0112", "+49112" },
	{ &berlin, "1%312", 0, EMG, "112", "" },
	{ &berlin, "201", 0, INT, "201", "" },
	{ &berlin, "0", 0, INT, "0", "" },
	{ &berlin, "*21*5%23", 0, INT, "*21*5#", "" },
	{ &berlin, "0123456", 0, LOC, "123456", "+4930123456" },
	{ &berlin, "00171555", 0, NAT, "0171555", "+49171555" },
	{ &berlin, "00301234", 0, LOC, "0301234", "+49301234" },
	{ &berlin, "0003312345", 0, FAR, "003312345", "+3312345" },
	{ &berlin, "000493012345", 0, LOC, "00493012345", "+493012345" },
	{ &berlin, "+33-1-23.45", 0, FAR, "+3312345", "+3312345" },
	{ &berlin, "+49 (30) 1234", 0, LOC, "+49301234", "+49301234" },
	{ &berlin, "%2B49171;phone-context=x", 0, NAT, "+49171", "+49171" },
	{ &berlin, "0*21*5#", 0, LOC, "*21*5#", "" },
	{ &berlin, "+493055201", 0, INT, "201", "" },
	{ &berlin, "055-201", 0, INT, "201", "" },
	{ &berlin, "003055201", 0, INT, "201", "" },
	{ &berlin, "+493055", 0, LOC, "+493055", "+493055" },
	{ &direct, "+493055201", 0, LOC, "+493055201", "+493055201" },
	{ &direct, "123456", 0, LOC, "123456", "+4930123456" },
	{ &direct, "0171555", 0, NAT, "0171555", "+49171555" },
	{ &direct, "112", 0, EMG, "112", "" },
	{ &direct, "1121", 0, LOC, "1121", "+49301121" },
	{ &boston, "95551234", 0, LOC, "5551234", "+16175551234" },
	{ &boston, "912125551234", 0, NAT, "12125551234", "+12125551234" },
	{ &boston, "901149301234", 0, FAR, "01149301234", "+49301234" },
	{ &bare, "0171555", 0, LOC, "0171555", "" },
	{ &bare, "+49171555", 0, FAR, "+49171555", "+49171555" },
	/* what is no number, or none that can be */
	{ &berlin, "", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "+", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "--", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "anna", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "12+3", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "12%0", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "12%00", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "+4930x", HD_EPARSE, 0, NULL, NULL },
	{ &berlin, "+1234567890123456", HD_ELIMIT, 0, NULL, NULL },
	{ &berlin, "00012345678901234567", HD_ELIMIT, 0, NULL, NULL },
	{ &berlin, "123456789012345678901234567890123", HD_ELIMIT, 0, NULL, NULL },
};

static void test_parse(void **state)
{
	struct hd_number n;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		err = hd_number_parse(&n, r->plan, hd_slice_of(r->user));
		if (err != r->err ||
		    (!err && ((int)n.kind != r->kind || strcmp(n.dialled, r->dialled) != 0 ||
			      strcmp(n.e164, r->e164) != 0)))
			fail_msg("row %zu \"%s\": got %d %s \"%s\" \"%s\"", i, r->user, err,
				 hd_number_kind_name(n.kind), n.dialled, n.e164);
	}
}

static void test_500_digits(void **state)
{
	char digits[501];
	struct hd_number n;

	(void)state;
	memset(digits, '7', sizeof(digits) - 1);
	digits[500] = '\0';
	assert_int_equal(hd_number_parse(&n, &berlin, hd_slice_of(digits)), HD_ELIMIT);
}

static void test_format(void **state)
{
	static const struct {
		const struct hd_number_plan *plan;
		const char *user;
		const char *forms[HD_NUMBER_FORM_COUNT]; /* e164, plain, national, dialled */
	} back[] = {
		{ &berlin, "0123456", { "+4930123456", "4930123456", "030123456", "0030123456" } },
		{ &berlin, "0003312345", { "+3312345", "3312345", "003312345", "0003312345" } },
		{ &direct, "0171555", { "+49171555", "49171555", "0171555", "0171555" } },
		{ &boston,
		  "901149301234",
		  { "+49301234", "49301234", "01149301234", "901149301234" } },
		{ &bare, "0171555", { "0171555", "0171555", "0171555", "0171555" } },
		{ &bare, "+49171", { "+49171", "49171", "+49171", "+49171" } },
		{ &berlin, "201", { "201", "201", "201", "201" } },
		{ &berlin, "0*21#", { "*21#", "*21#", "*21#", "0*21#" } },
		{ &berlin, "0112", { "112", "112", "112", "112" } },
	};
	struct hd_number n;
	char text[HD_DIALLED_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		assert_int_equal(hd_number_parse(&n, back[i].plan, hd_slice_of(back[i].user)), 0);
		for (int form = 0; form < HD_NUMBER_FORM_COUNT; form++) {
			assert_int_equal(hd_number_format(text, sizeof(text), back[i].plan, &n,
							  (enum hd_number_form)form),
					 0);
			assert_string_equal(text, back[i].forms[form]);
		}
	}
	assert_int_equal(hd_number_parse(&n, &berlin, hd_slice_of("0123456")), 0);
	assert_int_equal(hd_number_format(text, 5, &berlin, &n, HD_NUMBER_FORM_E164), HD_ELIMIT);
	assert_string_equal(text, "");
}

/* What is written for a phone here and dialled there is the same number again. */
static void test_round_trip(void **state)
{
	struct hd_number n, again;
	char text[HD_DIALLED_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err || !rows[i].e164[0])
			continue;
		assert_int_equal(hd_number_parse(&n, rows[i].plan, hd_slice_of(rows[i].user)), 0);
		assert_int_equal(hd_number_format(text, sizeof(text), rows[i].plan, &n,
						  HD_NUMBER_FORM_DIALLED),
				 0);
		assert_int_equal(hd_number_parse(&again, rows[i].plan, hd_slice_of(text)), 0);
		assert_string_equal(again.e164, n.e164);
		assert_int_equal(again.kind, n.kind);
	}
}

static void test_patterns(void **state)
{
	(void)state;
	assert_true(hd_number_matches("+4915~", "+4915"));
	assert_true(hd_number_matches("+4915~", "+49151234"));
	assert_false(hd_number_matches("+4915~", "+491"));
	assert_true(hd_number_matches("1XX", "112"));
	assert_false(hd_number_matches("1XX", "11"));
	assert_false(hd_number_matches("1XX", "1123"));
	assert_false(hd_number_matches("1X", "1*"));
	assert_true(hd_number_matches("*21~", "*21*5#"));
	assert_true(hd_number_matches("~", ""));
	assert_false(hd_number_matches("", "1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	 cmocka_unit_test(test_500_digits),
		cmocka_unit_test(test_format),	 cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
