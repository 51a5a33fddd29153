/* test_buf.c - the growing text, also without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/str.h"
#include "support/oom.h"

static void test_empty(void **state)
{
	struct hd_buf b = { 0 };
	char *text;

	(void)state;
	assert_string_equal(hd_buf_text(&b), "");
	hd_buf_adds(&b, "");
	hd_buf_adds(&b, NULL);
	hd_buf_addf(&b, "%s", "");
	assert_string_equal(hd_buf_text(&b), "");
	assert_int_equal(hd_buf_error(&b), 0);
	text = hd_buf_take(&b);
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
	hd_buf_fini(&b);
	hd_buf_fini(NULL);
}

static void test_add(void **state)
{
	struct hd_buf b = { 0 };
	char *text;

	(void)state;
	hd_buf_adds(&b, "one ");
	hd_buf_add(&b, (struct hd_slice){ "twos", 3 });
	hd_buf_addf(&b, " %d %s", 3, "four");
	assert_string_equal(hd_buf_text(&b), "one two 3 four");
	assert_int_equal(b.len, 14);
	text = hd_buf_take(&b);
	assert_string_equal(text, "one two 3 four");
	free(text);
	assert_string_equal(hd_buf_text(&b), "");
	hd_buf_adds(&b, "again");
	assert_string_equal(hd_buf_text(&b), "again");
	hd_buf_fini(&b);
}

/* RFC 3261 25.1 */
static void test_quoted(void **state)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{ "", "\"\"" },
		{ "Anna Berg", "\"Anna Berg\"" },
		{ "\"A\\\"", "\"\\\"A\\\\\\\"\"" },
		{ "Zo\xc3\xab\r\nX: y\x7f\t", "\"Zo\xc3\xabX: y\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_buf b = { 0 };

		hd_buf_add_quoted(&b, hd_slice_of(cases[i].text));
		assert_string_equal(hd_buf_text(&b), cases[i].quoted);
		hd_buf_fini(&b);
	}
}

static void test_grow(void **state)
{
	struct hd_buf b = { 0 };
	char piece[300];

	(void)state;
	memset(piece, 'x', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	for (size_t i = 1; i <= 1000; i++) {
		hd_buf_addf(&b, "%.*s", (int)(i % sizeof(piece)), piece);
		assert_int_equal(strlen(hd_buf_text(&b)), b.len);
	}
	assert_int_equal(hd_buf_error(&b), 0);
	assert_int_equal(b.len, 139600);
	hd_buf_fini(&b);
}

static void test_absurd_length(void **state)
{
	struct hd_buf b = { 0 };

	(void)state;
	hd_buf_adds(&b, "x");
	hd_buf_add(&b, (struct hd_slice){ "y", SIZE_MAX - 1 });
	assert_int_equal(hd_buf_error(&b), HD_ENOMEM);
	hd_buf_adds(&b, "z"); /* sticks */
	assert_string_equal(hd_buf_text(&b), "x");
	assert_null(hd_buf_take(&b));
	assert_string_equal(hd_buf_text(&b), "");
}

static int build_text(void *arg)
{
	struct hd_buf b = { 0 };
	char *text;
	int err;

	(void)arg;
	for (int i = 0; i < 200; i++) {
		hd_buf_adds(&b, "0123456789");
		hd_buf_addf(&b, "%d", i);
	}
	err = hd_buf_error(&b);
	text = hd_buf_take(&b);
	if (!text != (err != 0))
		err = HD_EINVAL;
	free(text);
	return err;
}

static int take_empty(void *arg)
{
	struct hd_buf b = { 0 };
	char *text = hd_buf_take(&b);
	int err = text ? 0 : HD_ENOMEM;

	(void)arg;
	free(text);
	return err;
}

/* Lines that are taken to the letter never end in the middle. */
static int join_lines(void *arg)
{
	static const char name[] = "Contact: <sip:", rest[] = ">;expires=60\r\n";
	struct hd_buf b = { 0 };
	char uri[500];
	size_t whole;
	int err;

	(void)arg;
	memset(uri, 'a', sizeof(uri) - 1);
	uri[sizeof(uri) - 1] = '\0';
	whole = strlen(name) + strlen(uri) + strlen(rest);
	for (int i = 0; i < 3; i++)
		hd_buf_join(&b, (const char *const[]){ name, uri, rest, NULL });
	err = hd_buf_error(&b);
	if (b.len % whole || (!err && b.len != 3 * whole))
		err = HD_EINVAL;
	hd_buf_fini(&b);
	return err;
}

static void test_without_memory(void **state)
{
	(void)state;
	oom_loop(build_text, NULL);
	oom_loop(take_empty, NULL);
	oom_loop(join_lines, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	       cmocka_unit_test(test_add),
		cmocka_unit_test(test_grow),	       cmocka_unit_test(test_absurd_length),
		cmocka_unit_test(test_without_memory), cmocka_unit_test(test_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
