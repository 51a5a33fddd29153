/*
 * test_spec.c - the tests of the Mustache specification (spec/, see its LICENSE), and in extra.json
 * what its later versions ask for, in our words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "hotdesk/template.h"

static void value_fill(struct hd_view *view, struct hd_value *to, const char *name, json_t *json);

static void object_fill(struct hd_view *view, struct hd_value *to, json_t *json)
{
	const char *key;
	json_t *v;

	json_object_foreach(json, key, v) value_fill(view, to, key, v);
}

static void list_fill(struct hd_view *view, struct hd_value *to, json_t *json)
{
	size_t i;
	json_t *v;

	json_array_foreach(json, i, v) value_fill(view, to, NULL, v);
}

static void value_fill(struct hd_view *view, struct hd_value *to, const char *name, json_t *json)
{
	char number[32];

	if (json_is_object(json)) {
		object_fill(view, hd_view_object(view, to, name), json);
	} else if (json_is_array(json)) {
		list_fill(view, hd_view_list(view, to, name), json);
	} else if (json_is_string(json)) {
		hd_view_text(view, to, name, json_string_value(json));
	} else if (json_is_integer(json)) {
		hd_view_int(view, to, name, json_integer_value(json));
	} else if (json_is_real(json)) {
		(void)snprintf(number, sizeof(number), "%g", json_real_value(json));
		hd_view_text(view, to, name, number);
	} else {
		hd_view_bool(view, to, name, json_is_true(json));
	}
}

struct partials {
	struct hd_template *templates[8];
	const char *names[8];
	size_t n;
};

static const struct hd_template *partial(const void *arg, struct hd_slice name)
{
	const struct partials *p = arg;

	for (size_t i = 0; i < p->n; i++)
		if (hd_slice_is(name, p->names[i]))
			return p->templates[i];
	return NULL;
}

static struct hd_template *parsed(const char *name, json_t *text)
{
	struct hd_buf errors = { 0 };
	struct hd_template *t = NULL;
	struct hd_slice s = { json_string_value(text), json_string_length(text) };

	if (hd_template_parse(&t, name, s, &errors))
		fail_msg("%s: expected to be parsed, got %s", name, hd_buf_text(&errors));
	return t;
}

/* Whether one test passes; says what it expected and got when it does not. */
static bool passes(const char *file, json_t *test)
{
	const char *name = json_string_value(json_object_get(test, "name"));
	const char *want = json_string_value(json_object_get(test, "expected")), *key;
	struct partials p = { .n = 0 };
	struct hd_template_options options = {
		.escape = HD_TEMPLATE_HTML,
		.partial = partial,
		.arg = &p,
	};
	struct hd_buf out = { 0 };
	struct hd_template *t;
	struct hd_view *view;
	json_t *v;
	int err;

	json_object_foreach(json_object_get(test, "partials"), key, v)
	{
		assert_true(p.n < 8);
		p.names[p.n] = key;
		p.templates[p.n++] = parsed(key, v);
	}
	assert_int_equal(hd_view_new(&view), 0);
	object_fill(view, hd_view_root(view), json_object_get(test, "data"));
	assert_int_equal(hd_view_error(view), 0);
	t = parsed(name, json_object_get(test, "template"));
	err = hd_template_render(t, hd_view_root(view), &options, &out, NULL);
	bool good = !err && strcmp(hd_buf_text(&out), want) == 0;

	if (!good)
		print_error("%s: %s: expected \"%s\", got \"%s\" (%d)\n", file, name, want,
			    hd_buf_text(&out), err);
	hd_buf_fini(&out);
	hd_template_free(t);
	for (size_t i = 0; i < p.n; i++)
		hd_template_free(p.templates[i]);
	hd_view_free(view);
	return good;
}

/* @return the number of tests */
static size_t run_file(const char *file)
{
	json_error_t why;
	json_t *json = json_load_file(file, 0, &why), *tests, *test;
	size_t i, n, bad = 0;

	if (!json)
		fail_msg("%s:%d: %s", file, why.line, why.text);
	tests = json_object_get(json, "tests");
	n = json_array_size(tests);
	json_array_foreach(tests, i, test) bad += !passes(file, test);
	json_decref(json);
	assert_int_equal(bad, 0);
	return n;
}

static void test_comments(void **state)
{
	(void)state;
	assert_int_equal(run_file("spec/comments.json"), 11);
}

static void test_delimiters(void **state)
{
	(void)state;
	assert_int_equal(run_file("spec/delimiters.json"), 14);
}

static void test_interpolation(void **state)
{
	(void)state;
	assert_int_equal(run_file("spec/interpolation.json"), 30);
}

static void test_inverted(void **state)
{
	(void)state;
	assert_int_equal(run_file("spec/inverted.json"), 21);
}

static void test_partials(void **state)
{
	(void)state;
	assert_int_equal(run_file("spec/partials.json"), 10);
}

static void test_sections(void **state)
{
	(void)state;
	assert_int_equal(run_file("spec/sections.json"), 25);
}

static void test_extra(void **state)
{
	(void)state;
	assert_int_equal(run_file("extra.json"), 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments),      cmocka_unit_test(test_delimiters),
		cmocka_unit_test(test_interpolation), cmocka_unit_test(test_inverted),
		cmocka_unit_test(test_partials),      cmocka_unit_test(test_sections),
		cmocka_unit_test(test_extra),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
