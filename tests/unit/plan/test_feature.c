/* test_feature.c - the grammar of feature codes, and what of them a log may show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/plan.h"

static const struct hd_feature_codes codes = { .login = "*771",
					       .logout = "*772",
					       .toggle = "*770" };
/* One code is the beginning of another; one is switched off. */
static const struct hd_feature_codes nested = { .login = "*77", .logout = "*77*9", .toggle = "" };

enum form { NONE, INVALID, BARE, ARGS, MALFORMED };

struct row {
	const char *user;
	enum form form;
	enum hd_desk_event event;
	const char *number, *pin;
};

#define IN HD_DESK_EVENT_LOGIN
#define OUT HD_DESK_EVENT_LOGOUT
#define TOG HD_DESK_EVENT_TOGGLE

static const char pin64[] = "1234567890123456789012345678901234567890123456789012345678901234";

static const struct row rows[] = {
	{ "*771", BARE, IN, "", "" },
	{ "*772", BARE, OUT, "", "" },
	{ "*770", BARE, TOG, "", "" },
	{ "*771#", BARE, IN, "", "" },
	{ "*771%23", BARE, IN, "", "" },
	{ "%2A771", BARE, IN, "", "" },
	{ "%2a%37%37%31", BARE, IN, "", "" },
	{ "*771*201*471147", ARGS, IN, "201", "471147" },
	{ "*771*201*471147#", ARGS, IN, "201", "471147" },
	{ "*771*201*471147%23", ARGS, IN, "201", "471147" },
	{ "%2a771%2A201%2a471147%23", ARGS, IN, "201", "471147" },
	{ "*770*201*471147#", ARGS, TOG, "201", "471147" },
	{ "*772*201*471147", ARGS, OUT, "201", "471147" },
	{ "*771*+49.30-1_a*1", ARGS, IN, "+49.30-1_a", "1" },
	{ "*771*12345678901234567890123456789012*1", ARGS, IN, "12345678901234567890123456789012",
	  "1" },
	{ "*771*201*1234567890123456789012345678901234567890123456789012345678901234#", ARGS, IN,
	  "201", pin64 },
	/* Begin as a code and are none of the forms: refused, never routed on. */
	{ "*771*", MALFORMED, IN, "", "" },
	{ "*771**", MALFORMED, IN, "", "" },
	{ "*771***", MALFORMED, IN, "", "" },
	{ "*771*201", MALFORMED, IN, "", "" },
	{ "*771*201#", MALFORMED, IN, "", "" },
	{ "*771*201*", MALFORMED, IN, "", "" },
	{ "*771*201*#", MALFORMED, IN, "", "" },
	{ "*771*201*4711##", MALFORMED, IN, "", "" },
	{ "*771*201*47#11", MALFORMED, IN, "", "" },
	{ "*771**4711", MALFORMED, IN, "", "" },
	{ "*771*201*4711*", MALFORMED, IN, "", "" },
	{ "*771*201*47*11", MALFORMED, IN, "", "" },
	{ "*771*2#1*4711", MALFORMED, IN, "", "" },
	{ "*771*2 1*4711", MALFORMED, IN, "", "" },
	{ "*771*201*47a1", MALFORMED, IN, "", "" },
	{ "*771*201*4711;phone-context=x", MALFORMED, IN, "", "" },
	{ "*771*123456789012345678901234567890123*1", MALFORMED, IN, "", "" },
	{ "*771*201*12345678901234567890123456789012345678901234567890123456789012345", MALFORMED,
	  IN, "", "" },
	{ "*771*201*4711%", MALFORMED, IN, "", "" },
	{ "*771*201*4711%2", MALFORMED, IN, "", "" },
	{ "*771*201*47%zz11", MALFORMED, IN, "", "" },
	{ "*771*201*4711%00", MALFORMED, IN, "", "" },
	{ "*771#201", MALFORMED, IN, "", "" },
	{ "*771##", MALFORMED, IN, "", "" },
	{ "*772*", MALFORMED, OUT, "", "" },
	/* No code. */
	{ "", NONE, IN, "", "" },
	{ "201", NONE, IN, "", "" },
	{ "*", NONE, IN, "", "" },
	{ "*77", NONE, IN, "", "" },
	{ "*7712", NONE, IN, "", "" },
	{ "*771201", NONE, IN, "", "" },
	{ "**771", NONE, IN, "", "" },
	{ "771*201*4711", NONE, IN, "", "" },
	{ " *771", NONE, IN, "", "" },
	{ "*773*201*4711", NONE, IN, "", "" },
	/* Cannot be read. */
	{ "20%1", INVALID, IN, "", "" },
	{ "%", INVALID, IN, "", "" },
	{ "*771%zz", INVALID, IN, "", "" },
	{ "20%001", INVALID, IN, "", "" },
};

static const struct row nested_rows[] = {
	{ "*77", BARE, IN, "", "" },
	{ "*77*9", BARE, OUT, "", "" },
	{ "*77*9#", BARE, OUT, "", "" },
	{ "*77*201*4711", ARGS, IN, "201", "4711" },
	{ "*77*9*201*4711", ARGS, OUT, "201", "4711" },
	{ "*77*91*4711", ARGS, IN, "91", "4711" },
	{ "*77*8", MALFORMED, IN, "", "" },
	{ "", NONE, IN, "", "" },
	{ "*", NONE, IN, "", "" },
	{ "*201*4711", NONE, IN, "", "" },
	{ "#", NONE, IN, "", "" },
};

/* Codes of users among those of the desk. */
static const struct hd_feature_codes users = {
	.login = "*771",
	.logout = "*772",
	.toggle = "*770",
	.user = { [HD_USER_CODE_DND_ON] = "*78",
		  [HD_USER_CODE_FORWARD_ALWAYS] = "*72",
		  [HD_USER_CODE_FORWARD_ALWAYS_OFF] = "*73",
		  [HD_USER_CODE_RINGS] = "#7",
		  [HD_USER_CODE_PICKUP] = "*8",
		  [HD_USER_CODE_SPEED_DIAL] = "*75" },
};

static const struct {
	const char *user;
	enum hd_user_code code;
	enum form form;
	const char *number, *shown;
} user_rows[] = {
	{ "*78", HD_USER_CODE_DND_ON, BARE, "", "*78" },
	{ "*78#", HD_USER_CODE_DND_ON, BARE, "", "*78#" },
	{ "%2a78%23", HD_USER_CODE_DND_ON, BARE, "", "*78#" },
	{ "*78*", HD_USER_CODE_DND_ON, MALFORMED, "", "*78..." },
	{ "*78*201", HD_USER_CODE_DND_ON, MALFORMED, "", "*78..." },
	{ "*78*201*471147", HD_USER_CODE_DND_ON, MALFORMED, "", "*78..." },
	{ "*78*4711#47", HD_USER_CODE_DND_ON, MALFORMED, "", "*78..." },
	{ "*781", HD_USER_CODE_NONE, NONE, "", "*781" },
	{ "*72202", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "202", "*72202" },
	{ "*72*202", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "202", "*72*202" },
	{ "*72202#", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "202", "*72202#" },
	{ "*72*+4930123%23", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "+4930123", "*72*+4930123#" },
	{ "*72**97", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "*97", "*72..." },
	{ "*72", HD_USER_CODE_FORWARD_ALWAYS, BARE, "", "*72" },
	{ "*72*", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*72*#", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*7220+2", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*72+", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*72anna", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*72201*471147", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "201*471147", "*72..." },
	{ "*72201*471147*", HD_USER_CODE_FORWARD_ALWAYS, ARGS, "201*471147*", "*72..." },
	{ "*72#201#471147", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*72202%zz", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "", "*72..." },
	{ "*72123456789012345678901234567890123", HD_USER_CODE_FORWARD_ALWAYS, MALFORMED, "",
	  "*72..." },
	{ "*73", HD_USER_CODE_FORWARD_ALWAYS_OFF, BARE, "", "*73" },
	{ "*73202", HD_USER_CODE_NONE, NONE, "", "*73202" },
	{ "#75", HD_USER_CODE_RINGS, ARGS, "5", "#75" },
	{ "*8", HD_USER_CODE_PICKUP, BARE, "", "*8" },
	{ "*8201", HD_USER_CODE_PICKUP, ARGS, "201", "*8201" },
	{ "*8*201*471147", HD_USER_CODE_PICKUP, ARGS, "201*471147", "*8..." },
	{ "*755*0891234", HD_USER_CODE_SPEED_DIAL, ARGS, "5*0891234", "*75..." },
	{ "*75*5**8#", HD_USER_CODE_SPEED_DIAL, ARGS, "5**8", "*75..." },
	{ "*7512", HD_USER_CODE_SPEED_DIAL, ARGS, "12", "*7512" },
	{ "*75", HD_USER_CODE_SPEED_DIAL, BARE, "", "*75" },
	/* As before. */
	{ "*771*201*471147", HD_USER_CODE_NONE, ARGS, "201", "*771*201*..." },
	{ "*7712014711", HD_USER_CODE_NONE, NONE, "", "*771..." },
	{ "*77*201*4711", HD_USER_CODE_NONE, NONE, "", "*77*201*..." },
	{ "*774711", HD_USER_CODE_NONE, NONE, "", "*774711" },
};

static void test_user_codes(void **state)
{
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(user_rows) / sizeof(user_rows[0]); i++) {
		struct hd_slice user = hd_slice_of(user_rows[i].user);
		enum form form = user_rows[i].form;
		struct hd_feature f;
		int err = hd_feature_parse(&f, &users, user);

		if (err != (form == NONE ? HD_ENOENT : 0) || f.code != user_rows[i].code)
			fail_msg("\"%s\": %d, code %d", user_rows[i].user, err, (int)f.code);
		if (f.malformed != (form == MALFORMED) || f.has_arguments != (form == ARGS))
			fail_msg("\"%s\": malformed %d, arguments %d", user_rows[i].user,
				 f.malformed, f.has_arguments);
		assert_string_equal(f.number, user_rows[i].number);
		hd_feature_mask(text, sizeof(text), &users, user);
		assert_string_equal(text, user_rows[i].shown);
	}
}

static void test_targets(void **state)
{
	static const char *const targets[][2] = {
		{ "0891234", "0891234" },
		{ "+4930", "+4930" },
		{ "desk-1", "desk-1" },
		{ "", "" },
		{ "*97", "*..." },
		{ "201*471147", "201*..." },
		{ "*771*201*471147", "*..." },
		{ "201#471147", "201#..." },
	};
	char text[64], small[12];

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		hd_target_mask(text, sizeof(text), targets[i][0]);
		assert_string_equal(text, targets[i][1]);
	}
	hd_target_mask(small, sizeof(small), "0123456789012");
	assert_string_equal(small, "01234567...");
	hd_target_mask(small, sizeof(small), "012345678*12");
	assert_string_equal(small, "01234567...");
	hd_target_mask(small, 5, "1");
	assert_string_equal(small, "");
}

/* A code that a careless administrator has made the beginning of a login's hides no less. */
static void test_mask_of_short_codes(void **state)
{
	struct hd_feature_codes short_codes = users;
	char text[64], usual[64];

	(void)state;
	memcpy(short_codes.user[HD_USER_CODE_PICKUP], "*77", 4);
	memcpy(short_codes.user[HD_USER_CODE_RINGS], "*", 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_slice user = hd_slice_of(rows[i].user);

		hd_feature_mask(usual, sizeof(usual), &codes, user);
		hd_feature_mask(text, sizeof(text), &short_codes, user);
		if (strlen(text) > strlen(usual))
			fail_msg("\"%s\": %s, without them %s", rows[i].user, text, usual);
	}
}

static void check_row(const struct hd_feature_codes *c, const struct row *row)
{
	struct hd_feature f;
	int err = hd_feature_parse(&f, c, hd_slice_of(row->user));
	int want = row->form == NONE ? HD_ENOENT : row->form == INVALID ? HD_EINVAL : 0;

	if (err != want)
		fail_msg("\"%s\": %d, expected %d", row->user, err, want);
	if (err)
		return;
	if (f.malformed != (row->form == MALFORMED) || f.has_arguments != (row->form == ARGS) ||
	    f.event != row->event)
		fail_msg("\"%s\": malformed %d, arguments %d, event %d", row->user, f.malformed,
			 f.has_arguments, (int)f.event);
	assert_string_equal(f.number, row->number);
	assert_string_equal(f.pin, row->pin);
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_row(&codes, &rows[i]);
	for (size_t i = 0; i < sizeof(nested_rows) / sizeof(*nested_rows); i++)
		check_row(&nested, &nested_rows[i]);
}

/* Whatever follows "CODE*" in whatever escaping: it is never left to routing. */
static void test_never_routed_on(void **state)
{
	static const char alphabet[] = "0*#a%\x01\xff;";
	struct hd_feature f;
	char user[16] = "*771*";
	unsigned n = 0;

	(void)state;
	for (unsigned v = 0; v < 8 * 8 * 8 * 8; v++) {
		for (unsigned i = 0, rest = v; i < 4; i++, rest /= 8)
			user[5 + i] = alphabet[rest % 8];
		for (size_t len = 5; len <= 9; len++, n++)
			if (hd_feature_parse(&f, &codes, (struct hd_slice){ user, len }))
				fail_msg("%.*s would be routed", (int)len, user);
	}
	assert_int_equal(n, 5 * 4096);
}

static void test_bad_arguments(void **state)
{
	struct hd_feature f;

	(void)state;
	assert_int_equal(hd_feature_parse(NULL, &codes, hd_slice_of("*771")), HD_EINVAL);
	assert_int_equal(hd_feature_parse(&f, NULL, hd_slice_of("*771")), HD_EINVAL);
	assert_int_equal(hd_feature_parse(&f, &codes, (struct hd_slice){ NULL, 3 }), HD_EINVAL);
	assert_int_equal(hd_feature_parse(&f, &codes, (struct hd_slice){ NULL, 0 }), HD_ENOENT);
}

static void test_wipe(void **state)
{
	static const struct hd_feature zero;
	struct hd_feature f;

	(void)state;
	assert_int_equal(hd_feature_parse(&f, &codes, hd_slice_of("*771*201*471147")), 0);
	hd_feature_wipe(&f);
	assert_memory_equal(&f, &zero, sizeof(f));
	hd_feature_wipe(NULL);
}

static void test_mask(void **state)
{
	static const struct {
		const char *user, *want;
	} masks[] = {
		{ "*771*201*471147", "*771*201*..." },
		{ "*771*201*471147#", "*771*201*..." },
		{ "%2A771*201%2a471147%23", "*771*201*..." },
		{ "*770*201*471147", "*770*201*..." },
		{ "*771", "*771" },
		{ "*771#", "*771#" },
		{ "*771*", "*771*" },
		{ "*771*471147", "*771*..." },
		{ "*771*471147#", "*771*..." },
		{ "*771**471147", "*771*..." },
		{ "*771*2#1*471147", "*771*..." },
		{ "*771*201*", "*771*201*" },
		{ "*771*201*47%zz", "*771*201*..." },
		{ "*771*201*%zz", "*771*201*..." },
		{ "*771#471147", "*771..." },
		{ "*771201471147", "*771..." },
		{ "*77120", "*77120" },
		/* Mistyped codes hold PINs too. */
		{ "771*201*471147", "771*201*..." },
		{ "*77*201*471147", "*77*201*..." },
		{ "**771*201*471147", "**771*..." },
		{ "*773*201*471147#", "*773*201*..." },
		{ "201", "201" },
		{ "desk-101", "desk-101" },
		{ "a%20b%01%7f%ff", "a?b???" },
		{ "20%00", "20..." },
		{ "", "" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		hd_feature_mask(text, sizeof(text), &codes, hd_slice_of(masks[i].user));
		if (strcmp(text, masks[i].want) != 0)
			fail_msg("\"%s\": \"%s\", expected \"%s\"", masks[i].user, text,
				 masks[i].want);
	}
}

static void test_mask_room(void **state)
{
	char text[64], user[300];

	(void)state;
	memset(user, '7', sizeof(user));
	for (size_t size = 4; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		hd_feature_mask(text, size, &codes, (struct hd_slice){ user, sizeof(user) });
		assert_int_equal(strlen(text), size - 1);
		assert_string_equal(text + size - 4, "...");
	}
	hd_feature_mask(text, 3, &codes, hd_slice_of("201"));
	assert_string_equal(text, "");
	hd_feature_mask(text, sizeof(text), NULL, hd_slice_of("201"));
	assert_string_equal(text, "");
	hd_feature_mask(text, sizeof(text), &codes, (struct hd_slice){ NULL, 3 });
	assert_string_equal(text, "");
	hd_feature_mask(NULL, 0, &codes, hd_slice_of("201"));
}

/* No digit of a PIN at its place in any well-formed login comes through. */
static void test_mask_never_shows_a_pin(void **state)
{
	static const char *const forms[] = { "*771*%s*987654", "*772*%s*987654#",
					     "*770*%s*987654%%23", "%%2a771%%2a%s%%2a987654" };
	char user[128], text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		for (int len = 1; len <= 40; len++) {
			char number[41] = "";

			memset(number, '1', (size_t)len);
			/* The format is one of ours above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(user, sizeof(user), forms[i], number);
#pragma GCC diagnostic pop
			hd_feature_mask(text, sizeof(text), &codes, hd_slice_of(user));
			if (strpbrk(text, "98654"))
				fail_msg("%s", text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_user_codes),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_mask_of_short_codes),
		cmocka_unit_test(test_never_routed_on),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_mask_room),
		cmocka_unit_test(test_mask_never_shows_a_pin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
