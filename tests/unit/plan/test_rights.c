/* test_rights.c - classes of service, in a table, and what is no class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/number.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char *const emergency[] = { "112" };
static const struct hd_number_plan plan = { "49", "30", "0", "0", "00", emergency, 1, "" };

static const char *const lists[] = {
	"mobile: +4915~ +4916~, +4917~",
	"premium: +49900~ +49137~",
	"branch: +33140XX",
	"night:",
};
static const char *const classes[] = {
	"desk: allow internal",
	"office: deny premium; allow internal local mobile national",
	"boss:allow branch deny international,allow internal local national",
	"late: deny +491771~ allow mobile",
	"nothing:",
};

static const struct {
	const char *name, *dialled;
	bool allowed;
} rows[] = {
	{ "desk", "201", true },	 { "desk", "0123456", false },
	{ "desk", "112", true },	 { "desk", "0112", true },
	{ "desk", "*21#", true },	 { "office", "201", true },
	{ "office", "0123456", true },	 { "office", "00177123", true },
	{ "office", "00900123", false }, { "office", "00137123", false },
	{ "office", "00892345", true },	 { "office", "0003314012", false },
	{ "boss", "0003314012", true },	 { "boss", "00033140123", false },
	{ "boss", "+4989123", true },	 { "boss", "0004989123", true },
	{ "late", "001771234", false },	 { "late", "001721234", true },
	{ "late", "201", false },	 { "nothing", "201", false },
	{ "nothing", "112", true },	 { "nobody", "201", false },
	{ "nobody", "112", true },	 { "", "201", false },
};

static void test_table(void **state)
{
	struct hd_rights *rights = NULL;
	struct hd_number number;
	struct hd_buf why = { 0 };

	(void)state;
	assert_int_equal(hd_rights_new(&rights, lists, N(lists), classes, N(classes), &why), 0);
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(hd_number_parse(&number, &plan, hd_slice_of(rows[i].dialled)), 0);
		if (hd_rights_allow(rights, rows[i].name, &number) != rows[i].allowed)
			fail_msg("row %zu: %s dials %s: expected %s", i, rows[i].name,
				 rows[i].dialled, rows[i].allowed ? "allowed" : "refused");
	}
	assert_true(hd_rights_has_class(rights, "office"));
	assert_false(hd_rights_has_class(rights, "mobile"));
	assert_string_equal(hd_buf_text(&why), "");
	hd_rights_free(rights);
}

static void test_bad(void **state)
{
	static const struct {
		const char *list, *class;
		int err;
		const char *word;
	} bad[] = {
		{ "mobile +4915~", "a: allow internal", HD_EPARSE, "NAME" },
		{ "Mobile: +4915~", "a: allow internal", HD_EPARSE, "NAME" },
		{ ": +4915~", "a: allow internal", HD_EPARSE, "NAME" },
		{ "internal: 2XX", "a: allow internal", HD_EEXIST, "taken" },
		{ "m: 49+15", "a: allow internal", HD_EPARSE, "patterns" },
		{ "m: 4~9", "a: allow internal", HD_EPARSE, "patterns" },
		{ "m: 123456789012345678901234567890123", "a: allow m", HD_EPARSE, "patterns" },
		{ "m: 1", "m: allow internal", HD_EEXIST, "taken" },
		{ "m: 1", "a: internal", HD_EPARSE, "allow or deny" },
		{ "m: 1", "a: allow mobil", HD_ENOENT, "names of lists" },
		{ "m: 1", "allow: allow m", HD_EPARSE, "NAME" },
		{ "m: 1", "", HD_EPARSE, "NAME" },
	};

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		struct hd_rights *rights = NULL;
		struct hd_buf why = { 0 };
		int err = hd_rights_new(&rights, &bad[i].list, 1, &bad[i].class, 1, &why);

		if (err != bad[i].err || rights || !strstr(hd_buf_text(&why), bad[i].word))
			fail_msg("row %zu: got %d \"%s\"", i, err, hd_buf_text(&why));
		hd_buf_fini(&why);
	}
	hd_rights_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
