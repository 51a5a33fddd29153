/* test_docs.c - the man page and the shell's completion know every command and option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_priv.h"

static char *file_read(const char *name)
{
	const char *source = getenv("HD_SOURCE");
	struct hd_buf path = { 0 };
	char *text = calloc(1, 1 << 18);
	FILE *in;

	assert_non_null(source);
	assert_non_null(text);
	hd_buf_addf(&path, "%s/%s", source, name);
	in = fopen(hd_buf_text(&path), "re");
	if (!in)
		fail_msg("%s: cannot be opened", hd_buf_text(&path));
	assert_true(fread(text, 1, (1 << 18) - 1, in) > 0);
	(void)fclose(in);
	hd_buf_fini(&path);
	return text;
}

static void test_man_page(void **state)
{
	char *text = file_read("src/ctl/hotdeskctl.1");
	const struct ctl_command *c;
	char want[64];

	(void)state;
	for (size_t i = 0; i < ctl_n_commands; i++) {
		c = &ctl_commands[i];
		(void)snprintf(want, sizeof(want), ".It Cm %s%s%s", c->noun, c->verb ? " " : "",
			       c->verb ? c->verb : "");
		if (!strstr(text, want))
			fail_msg("the man page lacks \"%s\"", want);
		for (size_t o = 0; o < c->n_options; o++) {
			(void)snprintf(want, sizeof(want), "Fl -%s", c->options[o].name);
			if (!strstr(text, want))
				fail_msg("the man page lacks \"%s\"", want);
		}
	}
	free(text);
}

static void test_completion(void **state)
{
	char *text = file_read("conf/bash-completion/hotdeskctl");
	const struct ctl_command *c;
	char want[64];

	(void)state;
	for (size_t i = 0; i < ctl_n_commands; i++) {
		c = &ctl_commands[i];
		if (!strstr(text, c->noun) || (c->verb && !strstr(text, c->verb)))
			fail_msg("the completion lacks %s %s", c->noun, c->verb ? c->verb : "");
		for (size_t o = 0; o < c->n_options; o++) {
			(void)snprintf(want, sizeof(want), "--%s", c->options[o].name);
			if (!strstr(text, want))
				fail_msg("the completion lacks %s", want);
		}
	}
	free(text);
}

static void test_help_lists_all(void **state)
{
	struct ctl ctl = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	ctl_help(&ctl, out);
	assert_int_equal(fclose(out), 0);
	for (size_t i = 0; i < ctl_n_commands; i++)
		assert_non_null(strstr(text, ctl_commands[i].help));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_man_page),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_help_lists_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
