/* test_tree.c - YAML that is broken, strange or hostile ends in the tree, with its line. */
#include "conf_support.h"

#define INDENTED ", expected \"key: value\" lines, indented alike\n"

static const struct refused broken[] = {
	{ "a: &x 1\n", "t:1: an anchor (&name), expected plain YAML without it\n" },
	{ "a: &x [1]\n", "t:1: an anchor (&name), expected plain YAML without it\n" },
	{ "a: &x {b: 1}\n", "t:1: an anchor (&name), expected plain YAML without it\n" },
	{ "a: 1\nb: *x\n", "t:2: an alias (*name), expected plain YAML without it\n" },
	{ "desk:\n  login_code: *771\n",
	  "t:2: an alias (*name), expected plain YAML without it\n" },
	{ "a: !!str 1\n", "t:1: a tag (!name), expected plain YAML without it\n" },
	{ "--- !foo\n{}\n", "t:1: a tag (!name), expected plain YAML without it\n" },
	{ "a: 1\n---\nb: 2\n", "t:2: a second document, expected only one\n" },
	{ "---\n---\n", "t:2: a second document, expected only one\n" },
	{ "? [a]\n: b\n", "t:1: a list or mapping as a key, expected a name\n" },
	{ "a: 1\n{b: 1}: 2\n", "t:2: a list or mapping as a key, expected a name\n" },
	{ "[[[[[[[[1]]]]]]]]\n", NULL },
	{ "\n[[[[[[[[[1]]]]]]]]]\n", "t:2: nested too deep, expected at most 8 levels\n" },
	{ "a: 1\nb:\n\tc: 2\n",
	  "t:3: not YAML: found character that cannot start any token, expected a name or a value "
	  "(and spaces, not tabs, in front of it)\n" },
	{ "a: 1\n b: 2\n",
	  "t:2: not YAML: mapping values are not allowed in this context" INDENTED },
	{ "a:\n  b: 1\n c: 2\n", "t:3: not YAML: did not find expected key while parsing a block "
				 "mapping that begins in line "
				 "1" INDENTED },
	{ "a: [1, 2\nb: 3\n", "t:2: not YAML: did not find expected ',' or ']' while parsing a "
			      "flow sequence that begins "
			      "in line 1" INDENTED },
	{ "a: \"x\n",
	  "t:2: not YAML: found unexpected end of stream while scanning a quoted scalar "
	  "that begins in line 1" INDENTED },
	{ "a: b\nc: d\x01\n", "t:2: control characters are not allowed, expected UTF-8 text\n" },
	{ "a: b\n\nc: \xff\n", "t:3: invalid leading UTF-8 octet, expected UTF-8 text\n" },
	{ "a: \xc3\n", "t:1: invalid trailing UTF-8 octet, expected UTF-8 text\n" },
	{ "%FOO\n---\na: 1\n", "t:1: not YAML: found unknown directive name while scanning a "
			       "directive that begins in line 1" INDENTED },
	{ "%YAML 1.3\n---\na: 1\n", "t:1: not YAML: found incompatible YAML document" INDENTED },
};

/* @return what was said, to be released with hd_buf_fini(). */
static int parse(struct hd_buf *errors, struct hd_slice text, uint32_t nodes_max)
{
	struct hd_report report = { .out = errors, .name = "t" };
	struct hd_tree tree = { 0 };
	int err = hd_tree_parse(&tree, text, nodes_max, &report);

	hd_tree_fini(&tree);
	return err;
}

static void test_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const char *expected = broken[i].errors ? broken[i].errors : "";
		struct hd_buf errors = { 0 };
		int err = parse(&errors, hd_slice_of(broken[i].text), 1000);

		if (strcmp(hd_buf_text(&errors), expected) != 0)
			print_error("text %zu: %s\n", i, broken[i].text);
		assert_string_equal(hd_buf_text(&errors), expected);
		assert_int_equal(err, broken[i].errors ? HD_EPARSE : 0);
		hd_buf_fini(&errors);
	}
}

static void test_nul(void **state)
{
	struct hd_buf errors = { 0 };

	(void)state;
	assert_int_equal(parse(&errors, (struct hd_slice){ "a: b\nc\0: d\n", 11 }, 10), HD_EPARSE);
	assert_string_equal(hd_buf_text(&errors),
			    "t:2: control characters are not allowed, expected UTF-8 text\n");
	hd_buf_fini(&errors);
}

static void test_utf16(void **state)
{
	struct hd_buf errors = { 0 };

	(void)state;
	assert_int_equal(parse(&errors,
			       (struct hd_slice){ "\xff\xfe"
						  "a\0:\0",
						  6 },
			       10),
			 HD_EPARSE);
	assert_string_equal(hd_buf_text(&errors),
			    "t:1: invalid leading UTF-8 octet, expected UTF-8 text\n");
	hd_buf_fini(&errors);
}

static struct hd_slice repeated(struct hd_buf *b, const char *first, const char *again, size_t n)
{
	hd_buf_adds(b, first);
	for (size_t i = 0; i < n; i++)
		hd_buf_adds(b, again);
	return (struct hd_slice){ b->data, b->len };
}

static void test_limits(void **state)
{
	static const struct {
		const char *first, *again;
		size_t n;
		const char *error;
	} cases[] = {
		{ "", "[", 100000, "t:1: nested too deep, expected at most 8 levels\n" },
		{ "", "{a: ", 100000, "t:1: nested too deep, expected at most 8 levels\n" },
		{ "", "- ", 100000, "t:1: nested too deep, expected at most 8 levels\n" },
		{ "", "? ", 100000, "t:1: a list or mapping as a key, expected a name\n" },
		{ "a: ", "x", 4097, "t:1: a value of 4097 bytes, expected at most 4096\n" },
		{ "", "x", 5000, "t:1: a value of 5000 bytes, expected at most 4096\n" },
		{ "a: [1", ", 1", 2000, "t:1: too many values, expected at most 1000\n" },
		{ "", "- a\n", 2000, "t:1000: too many values, expected at most 1000\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_buf text = { 0 }, errors = { 0 };
		int err = parse(&errors,
				repeated(&text, cases[i].first, cases[i].again, cases[i].n), 1000);

		assert_string_equal(hd_buf_text(&errors), cases[i].error);
		assert_int_equal(err, HD_EPARSE);
		hd_buf_fini(&text);
		hd_buf_fini(&errors);
	}
}

/* Escapes that are shorter than what they stand for fill the text of the tree to its end. */
static void test_escapes(void **state)
{
	struct hd_buf text = { 0 }, errors = { 0 };
	struct hd_report report = { .out = &errors, .name = "t" };
	struct hd_tree tree = { 0 };

	(void)state;
	repeated(&text, "\"", "\\L", 1000);
	hd_buf_adds(&text, "\"");
	assert_int_equal(hd_tree_parse(&tree, hd_slice_of(hd_buf_text(&text)), 10, &report), 0);
	assert_int_equal(tree.n, 1);
	assert_int_equal(tree.nodes[0].value.len, 3000);
	hd_tree_fini(&tree);
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
}

static void test_shape(void **state)
{
	struct hd_buf errors = { 0 };
	struct hd_report report = { .out = &errors, .name = "t" };
	struct hd_tree t = { 0 };

	(void)state;
	assert_int_equal(hd_tree_parse(&t, hd_slice_of("a:\n  - x\n  - 'y'\nb:\n  c:\n    ~\nd:\n"),
				       10, &report),
			 0);
	assert_int_equal(t.n, 7);
	assert_int_equal(t.nodes[0].kind, HD_NODE_MAPPING);
	assert_int_equal(t.nodes[0].child, 1);
	assert_true(hd_slice_is(t.nodes[1].key, "a"));
	assert_int_equal(t.nodes[1].kind, HD_NODE_SEQUENCE);
	assert_int_equal(t.nodes[1].child, 2);
	assert_int_equal(t.nodes[1].next, 4);
	assert_true(t.nodes[2].plain && !t.nodes[3].plain);
	assert_int_equal(t.nodes[2].next, 3);
	assert_int_equal(t.nodes[3].line, 3);
	assert_true(hd_slice_is(t.nodes[5].key, "c"));
	assert_int_equal(t.nodes[5].line, 5); /* of the key */
	assert_true(hd_node_is_null(&t.nodes[5]));
	assert_int_equal(t.nodes[6].line, 7);
	assert_true(hd_node_is_null(&t.nodes[6]));
	assert_int_equal(t.nodes[6].next, 0);
	hd_tree_fini(&t);
	hd_buf_fini(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken),	cmocka_unit_test(test_nul),
		cmocka_unit_test(test_utf16),	cmocka_unit_test(test_limits),
		cmocka_unit_test(test_escapes), cmocka_unit_test(test_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
