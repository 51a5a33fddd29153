/*
 * test_docs.c - the reference file, the manual page and the table of keys are one list: same keys,
 * same defaults, same marks.
 */
#include "conf_support.h"

/* The reference file says nothing but defaults. */
static void test_reference_is_default(void **state)
{
	char *text = read_source("conf/hotdeskd.yaml");
	struct hd_conf *reference = load_good(text), *empty = load_good("");
	struct hd_buf diff = { 0 };

	(void)state;
	hd_conf_diff(empty, reference, &diff, &diff);
	assert_string_equal(hd_buf_text(&diff), "");
	hd_buf_fini(&diff);
	hd_conf_free(reference);
	hd_conf_free(empty);
	free(text);
}

/* ... and all of them, in the order of the table. */
static void test_reference_is_complete(void **state)
{
	char *text = read_source("conf/hotdeskd.yaml");
	struct hd_buf errors = { 0 }, expected = { 0 }, found = { 0 };
	struct hd_report report = { .out = &errors, .name = "hotdeskd.yaml" };
	struct hd_tree tree = { 0 };

	(void)state;
	assert_int_equal(hd_tree_parse(&tree, hd_slice_of(text), HD_CONF_NODES_MAX, &report), 0);
	for (uint32_t s = tree.nodes[0].child; s; s = tree.nodes[s].next) {
		for (uint32_t k = tree.nodes[s].child; k; k = tree.nodes[k].next)
			hd_buf_addf(&found, "%.*s.%.*s\n", (int)tree.nodes[s].key.len,
				    tree.nodes[s].key.ptr, (int)tree.nodes[k].key.len,
				    tree.nodes[k].key.ptr);
	}
	hd_conf_keys(&expected);
	assert_string_equal(hd_buf_text(&found), hd_buf_text(&expected));
	hd_tree_fini(&tree);
	hd_buf_fini(&errors);
	hd_buf_fini(&expected);
	hd_buf_fini(&found);
	free(text);
}

/* The line "  key:" of a section. */
static const char *find_key(const char *text, const struct hd_key_info *key)
{
	char line[80];
	const char *p;

	snprintf(line, sizeof(line), "\n%s:\n", key->section);
	p = strstr(text, line);
	assert_non_null(p);
	snprintf(line, sizeof(line), "\n  %s:", key->name);
	p = strstr(p, line);
	assert_non_null(p);
	return p + 1;
}

/* The comment lines right above a key. */
static struct hd_slice comment_above(const char *text, const char *key)
{
	const char *begin = key;

	while (begin > text) {
		const char *line = begin - 1;

		while (line > text && line[-1] != '\n')
			line--;
		if (strncmp(line, "  #", 3) != 0)
			break;
		begin = line;
	}
	return (struct hd_slice){ begin, (size_t)(key - begin) };
}

static bool holds(struct hd_slice text, const char *words)
{
	return memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

static void test_reference_explains(void **state)
{
	char *text = read_source("conf/hotdeskd.yaml");

	(void)state;
	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];
		struct hd_slice comment = comment_above(text, find_key(text, key));

		if (comment.len < 10)
			fail_msg("%s.%s has no comment", key->section, key->name);
		if (holds(comment, "(restart)") == key->live)
			fail_msg("%s.%s: the mark (restart) is %s", key->section, key->name,
				 key->live ? "there, expected none" : "missing");
	}
	free(text);
}

/* ---- the manual page ------------------------------------------------------------------------- */

/* The item of a key: from its .It to the next, within the section's .Ss. */
static struct hd_slice find_item(const char *page, const struct hd_key_info *key)
{
	char line[80];
	const char *section, *end, *item, *next;

	snprintf(line, sizeof(line), "\n.Ss %s\n", key->section);
	section = strstr(page, line);
	if (!section) {
		fail_msg("hotdeskd.yaml.5: no section %s", key->section);
		return (struct hd_slice){ NULL, 0 };
	}
	end = strstr(section + 1, "\n.S");
	snprintf(line, sizeof(line), "\n.It Ic %s\n", key->name);
	item = strstr(section, line);
	if (!item || !end || item > end) {
		fail_msg("hotdeskd.yaml.5: no %s in section %s", key->name, key->section);
		return (struct hd_slice){ NULL, 0 };
	}
	next = strstr(item + 1, "\n.It ");
	if (!next || next > end)
		next = end;
	return (struct hd_slice){ item, (size_t)(next + 1 - item) };
}

/* "Default 500, from 10 to 10000; needs a restart." as it must stand there. */
static void facts(struct hd_buf *out, const struct hd_key_info *key)
{
	hd_buf_addf(out, "\nDefault %s", key->standard);
	if (key->type == HD_KEY_NUMBER)
		hd_buf_addf(out, ", from %u to %u", key->min, key->max);
	hd_buf_addf(out, "%s.\n", key->live ? "" : "; needs a restart");
}

static void test_manual(void **state)
{
	char *page = read_source("src/conf/hotdeskd.yaml.5");
	size_t items = 0;

	(void)state;
	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];
		struct hd_slice item = find_item(page, key);
		struct hd_buf expected = { 0 };

		facts(&expected, key);
		if (!holds(item, hd_buf_text(&expected)))
			fail_msg("hotdeskd.yaml.5: %s.%s does not say \"%s\"", key->section,
				 key->name, hd_buf_text(&expected) + 1);
		hd_buf_fini(&expected);
	}
	for (const char *p = page; (p = strstr(p, "\n.It Ic ")); p++)
		items++;
	assert_int_equal(items, hd_n_keys);
	free(page);
}

/* ---- the demo -------------------------------------------------------------------------------- */

static void test_demo(void **state)
{
	char *text = read_source("conf/demo.yaml");
	struct hd_conf *conf = NULL;
	struct hd_buf errors = { 0 };

	(void)state;
	assert_int_equal(hd_conf_parse(&conf, hd_slice_of(text), "/demo/demo.yaml", &errors), 0);
	for (size_t i = 0; i < conf->sip.n_listen; i++)
		assert_string_equal(conf->sip.listen[i].host, "127.0.0.1");
	assert_string_equal(conf->store.path, "/demo/store");
	assert_string_equal(conf->key_file, "/demo/master.key");
	assert_string_equal(conf->admin.socket, "/demo/admin.sock");
	assert_string_equal(conf->directory_seed, "/demo/demo-directory.yaml");
	assert_string_equal(conf->status_file, "/demo/status.json");
	hd_conf_free(conf);
	hd_buf_fini(&errors);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_is_default),
		cmocka_unit_test(test_reference_is_complete),
		cmocka_unit_test(test_reference_explains),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_demo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
