/* test_parse.c - the grammar of the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_priv.h"

enum { WORDS_MAX = 12 };

struct parsed {
	struct ctl ctl;
	enum ctl_exit code;
	char *err;
	size_t err_len;
	char line[256];
	char *argv[WORDS_MAX + 1];
};

/* Splits at blanks; "''" is an empty word. */
static void parse(struct parsed *p, const char *line)
{
	int argc = 0;
	char *save = NULL;

	memset(p, 0, sizeof(*p));
	assert_true(strlen(line) < sizeof(p->line));
	memcpy(p->line, line, strlen(line));
	p->argv[argc++] = (char *)"hotdeskctl";
	for (char *w = strtok_r(p->line, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX);
		p->argv[argc++] = strcmp(w, "''") == 0 ? (char *)"" : w;
	}
	p->ctl.err = open_memstream(&p->err, &p->err_len);
	assert_non_null(p->ctl.err);
	p->code = ctl_parse(&p->ctl, argc, p->argv);
	assert_int_equal(fclose(p->ctl.err), 0);
}

static void parsed_free(struct parsed *p)
{
	free(p->err);
}

static void test_commands(void **state)
{
	static const struct {
		const char *line, *noun, *verb, *first, *second;
	} rows[] = {
		{ "status", "status", NULL, NULL, NULL },
		{ "user list", "user", "list", NULL, NULL },
		{ "user add 201", "user", "add", "201", NULL },
		{ "--json user show 201", "user", "show", "201", NULL },
		{ "user --json show 201 --socket /x", "user", "show", "201", NULL },
		{ "session login 201 desk-101", "session", "login", "201", "desk-101" },
		{ "session logout", "session", "logout", NULL, NULL },
		{ "user show -- -5", "user", "show", "-5", NULL },
		{ "import -", "import", NULL, "-", NULL },
		{ "export", "export", NULL, NULL, NULL },
		{ "export file", "export", NULL, "file", NULL },
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(&p, rows[i].line);
		if (p.code || !p.ctl.command)
			fail_msg("%s: expected a command, got %d: %s", rows[i].line, p.code, p.err);
		assert_string_equal(p.ctl.command->noun, rows[i].noun);
		assert_true(!p.ctl.command->verb == !rows[i].verb);
		if (rows[i].verb)
			assert_string_equal(p.ctl.command->verb, rows[i].verb);
		assert_int_equal(p.ctl.n_args, (rows[i].first != NULL) + (rows[i].second != NULL));
		if (rows[i].first)
			assert_string_equal(p.ctl.args[0], rows[i].first);
		if (rows[i].second)
			assert_string_equal(p.ctl.args[1], rows[i].second);
		parsed_free(&p);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "", "a command is missing" },
		{ "--json", "a command is missing" },
		{ "nonsense", "nonsense: no such command" },
		{ "user", "user: what about it?" },
		{ "user dance", "user dance: no such command" },
		{ "user add", "expected NUMBER" },
		{ "user add 201 202", "202: one argument too many" },
		{ "user list 201", "201: one argument too many" },
		{ "session login 201", "expected USER PHONE" },
		{ "user add 201 --label x", "--label: no such option of this command" },
		{ "--name x user add 201", "--name: no such option before a command" },
		{ "user add 201 -n x", "-n: no such option" },
		{ "user add 201 --name", "--name: expected TEXT" },
		{ "user add 201 --name a --name b", "--name: given twice" },
		{ "user add 201 --no-pin=1", "--no-pin: takes no value" },
		{ "user add 201 --roaming maybe", "--roaming: expected yes or no" },
		{ "--socket", "--socket: expected a path" },
		{ "--socket= status", "--socket: expected a path" },
		{ "user add 201 --pinn=471147", "--pinn: no such option" },
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(&p, rows[i].line);
		if (p.code != CTL_USAGE || !strstr(p.err, rows[i].why))
			fail_msg("%s: expected %d \"%s\", got %d \"%s\"", rows[i].line, CTL_USAGE,
				 rows[i].why, p.code, p.err);
		assert_non_null(strstr(p.err, "Try: hotdeskctl "));
		assert_null(strstr(p.err, "471147"));
		parsed_free(&p);
	}
}

static void test_options(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "user --socket=/a add --name=Anna=B 201 --roaming no --no-pin --language ''");
	assert_int_equal(p.code, CTL_OK);
	assert_string_equal(p.ctl.socket, "/a");
	assert_string_equal(ctl_value(&p.ctl, "name"), "Anna=B");
	assert_string_equal(ctl_value(&p.ctl, "roaming"), "no");
	assert_string_equal(ctl_value(&p.ctl, "no-pin"), "");
	assert_string_equal(ctl_value(&p.ctl, "language"), "");
	assert_null(ctl_value(&p.ctl, "pin"));
	assert_null(ctl_value(&p.ctl, "label"));
	assert_false(p.ctl.json);
	parsed_free(&p);
	parse(&p, "user add 201 --pin -");
	assert_int_equal(p.code, CTL_OK);
	assert_string_equal(ctl_value(&p.ctl, "pin"), "-");
	parsed_free(&p);
}

static void test_help_needs_nothing_else(void **state)
{
	static const char *const lines[] = { "-h", "user --help", "user add -h", "-V",
					     "--version" };
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		parse(&p, lines[i]);
		assert_int_equal(p.code, CTL_OK);
		assert_true(p.ctl.help || p.ctl.version);
		parsed_free(&p);
	}
}

static void test_table(void **state)
{
	const struct ctl_command *c;

	(void)state;
	for (size_t i = 0; i < ctl_n_commands; i++) {
		c = &ctl_commands[i];
		assert_true(c->n_options <= CTL_OPTIONS_MAX);
		assert_true(c->args_max <= CTL_ARGS_MAX);
		assert_true(c->args_min <= c->args_max);
		assert_non_null(c->run);
		for (size_t o = 0; o < c->n_options; o++) {
			/* A flag is for the command itself, or makes a field null. */
			assert_true(
				(c->options[o].arg == NULL) ==
				(c->options[o].kind == CTL_NULL || c->options[o].kind == CTL_FLAG));
			assert_true((c->options[o].field == NULL) ==
				    (c->options[o].kind == CTL_PLAIN ||
				     c->options[o].kind == CTL_FLAG));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_options),	 cmocka_unit_test(test_help_needs_nothing_else),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
