/* test_render.c - strict rendering, the check by a model, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/template.h"

static struct hd_template *parsed(const char *text)
{
	struct hd_buf errors = { 0 };
	struct hd_template *t = NULL;

	if (hd_template_parse(&t, "t", hd_slice_of(text), &errors))
		fail_msg("expected to be parsed, got %s", hd_buf_text(&errors));
	return t;
}

/* a: text, no: false, none: empty list, o: {x}, l: [{y}] */
static struct hd_view *sample(void)
{
	struct hd_view *view;
	struct hd_value *root, *list;

	assert_int_equal(hd_view_new(&view), 0);
	root = hd_view_root(view);
	hd_view_text(view, root, "a", "1<2");
	hd_view_bool(view, root, "no", false);
	hd_view_list(view, root, "none");
	hd_view_text(view, hd_view_object(view, root, "o"), "x", "X");
	list = hd_view_list(view, root, "l");
	hd_view_int(view, hd_view_object(view, list, NULL), "y", -7);
	assert_int_equal(hd_view_error(view), 0);
	return view;
}

static const struct hd_template_options strict = { .escape = HD_TEMPLATE_XML, .strict = true };

static void expect(const char *text, int want_err, const char *want_out, const char *want_errors)
{
	struct hd_view *view = sample();
	struct hd_template *t = parsed(text);
	struct hd_buf out = { 0 }, errors = { 0 };

	assert_int_equal(hd_template_render(t, hd_view_root(view), &strict, &out, &errors),
			 want_err);
	if (want_out)
		assert_string_equal(hd_buf_text(&out), want_out);
	assert_string_equal(hd_buf_text(&errors), want_errors);
	hd_buf_fini(&out);
	hd_buf_fini(&errors);
	hd_template_free(t);
	hd_view_free(view);
}

static void test_strict(void **state)
{
	(void)state;
	expect("{{a}} {{o.x}} {{#l}}{{y}}{{a}}{{/l}} {{no}}", 0, "1&lt;2 X -71&lt;2 false", "");
	expect("{{^no}}n{{/no}}{{^none}}e{{/none}}{{#none}}{{/none}}", 0, "ne", "");
	expect("x\n{{b}}", HD_ENOENT, "x\n", "t:2: unknown name: b\n");
	expect("{{o.y}}", HD_ENOENT, "", "t:1: unknown name: o.y\n");
	expect("{{#b}}{{/b}}", HD_ENOENT, "", "t:1: unknown name: b\n");
	expect("{{^b}}{{/b}}", HD_ENOENT, "", "t:1: unknown name: b\n");
	expect("{{o}}", HD_ENOENT, "", "t:1: not a text: o\n");
	expect("{{>p}}", HD_ENOENT, "", "t:1: no such file: p\n");
	expect("{{{a}}}", HD_EACCESS, "", "t:1: unescaped values are not allowed: a\n");
	expect("{{&a}}", HD_EACCESS, "", "t:1: unescaped values are not allowed: a\n");
}

/* All mistakes at once, also where rendering would not come by. */
static void test_check(void **state)
{
	struct hd_view *view = sample();
	struct hd_buf errors = { 0 };
	struct hd_template *t;

	(void)state;
	t = parsed("{{a}}\n{{#no}}\n{{b}}\n{{/no}}\n{{#l}}{{y}}{{z}}{{/l}}\n{{^a}}{{c}}{{/"
		   "a}}\n{{&a}}");
	assert_int_equal(hd_template_check(t, hd_view_root(view), &strict, &errors), HD_ENOENT);
	assert_string_equal(hd_buf_text(&errors), "t:3: unknown name: b\nt:5: unknown name: z\n"
						  "t:6: unknown name: c\n"
						  "t:7: unescaped values are not allowed: a\n");
	hd_buf_fini(&errors);
	hd_template_free(t);
	t = parsed("{{a}}{{#no}}{{o.x}}{{/no}}{{#l}}{{y}}{{/l}}");
	assert_int_equal(hd_template_check(t, hd_view_root(view), &strict, &errors), 0);
	assert_string_equal(hd_buf_text(&errors), "");
	hd_template_free(t);
	hd_view_free(view);
	hd_buf_fini(&errors);
}

static const struct hd_template *itself(const void *arg, struct hd_slice name)
{
	return hd_slice_is(name, "p") ? arg : NULL;
}

static void test_recursion(void **state)
{
	struct hd_view *view = sample();
	struct hd_template *t = parsed("x{{>p}}");
	struct hd_template_options o = { .escape = HD_TEMPLATE_XML, .partial = itself, .arg = t };
	struct hd_buf out = { 0 }, errors = { 0 };

	(void)state;
	assert_int_equal(hd_template_render(t, hd_view_root(view), &o, &out, &errors), HD_ELIMIT);
	assert_string_equal(hd_buf_text(&errors), "t:1: too deep: p\n");
	hd_buf_fini(&errors);
	assert_int_equal(hd_template_check(t, hd_view_root(view), &o, &errors), HD_ELIMIT);
	assert_string_equal(hd_buf_text(&errors), "t:1: includes itself: p\n");
	hd_buf_fini(&errors);
	hd_buf_fini(&out);
	hd_template_free(t);
	hd_view_free(view);
}

static void test_output_limit(void **state)
{
	struct hd_view *view = sample();
	struct hd_template *t = parsed("0123456789{{a}}");
	struct hd_template_options o = strict;
	struct hd_buf out = { 0 };

	(void)state;
	hd_buf_adds(&out, "before");
	o.output_max = 16; /* 1<2 is 6 when escaped */
	assert_int_equal(hd_template_render(t, hd_view_root(view), &o, &out, NULL), 0);
	hd_buf_fini(&out);
	o.output_max = 15;
	assert_int_equal(hd_template_render(t, hd_view_root(view), &o, &out, NULL), HD_ELIMIT);
	hd_buf_fini(&out);
	hd_template_free(t);
	hd_view_free(view);
}

/* 10 to the power of 9 elements, and not one byte of output. */
static void test_steps(void **state)
{
	struct hd_view *view;
	struct hd_value *list;
	struct hd_buf text = { 0 }, errors = { 0 }, out = { 0 };
	struct hd_template *t;

	(void)state;
	assert_int_equal(hd_view_new(&view), 0);
	list = hd_view_list(view, hd_view_root(view), "l");
	for (int i = 0; i < 10; i++)
		hd_view_int(view, list, NULL, i);
	for (int i = 0; i < 9; i++)
		hd_buf_adds(&text, "{{#l}}");
	hd_buf_adds(&text, "{{^l}}{{/l}}");
	for (int i = 0; i < 9; i++)
		hd_buf_adds(&text, "{{/l}}");
	t = parsed(hd_buf_text(&text));
	assert_int_equal(hd_template_render(t, hd_view_root(view), &strict, &out, &errors),
			 HD_ELIMIT);
	assert_string_equal(hd_buf_text(&errors), "t:1: too many lists in lists: l\n");
	assert_int_equal(out.len, 0);
	hd_template_free(t);
	hd_view_free(view);
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
	hd_buf_fini(&out);
}

static void test_long_values(void **state)
{
	struct hd_view *view;
	struct hd_template *t = parsed("{{a}}{{b}}");
	struct hd_buf text = { 0 }, out = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++)
		hd_buf_adds(&text, "y");
	assert_int_equal(hd_view_new(&view), 0);
	hd_view_text(view, hd_view_root(view), "a", hd_buf_text(&text));
	hd_view_text(view, hd_view_root(view), "b", "z");
	assert_int_equal(hd_template_render(t, hd_view_root(view), &strict, &out, NULL), 0);
	assert_int_equal(out.len, 20001);
	hd_buf_fini(&out);
	hd_buf_fini(&text);
	hd_view_free(view);
	hd_template_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),	    cmocka_unit_test(test_check),
		cmocka_unit_test(test_recursion),   cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_long_values), cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
