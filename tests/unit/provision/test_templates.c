/* test_templates.c - loading: ours, the administrator's, and every mistake in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hotdesk/render.h"

struct fixture {
	char ours[512], own[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *source = getenv("HD_SOURCE");

	assert_non_null(f);
	assert_non_null(source);
	(void)snprintf(f->ours, sizeof(f->ours), "%s/conf/provision", source);
	(void)snprintf(f->own, sizeof(f->own), "/tmp/hd-templates-XXXXXX");
	assert_non_null(mkdtemp(f->own));
	*state = f;
	return 0;
}

static void path_of(char *dst, size_t size, const struct fixture *f, const char *name)
{
	(void)snprintf(dst, size, "%s/%s", f->own, name);
}

static int teardown(void **state)
{
	static const char *const names[] = { "generic.cfg", "snom.xml", "mine" };
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, sizeof(path), f, names[i]);
		if (unlink(path))
			(void)rmdir(path);
	}
	assert_int_equal(rmdir(f->own), 0);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	path_of(path, sizeof(path), f, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Loads with the administrator's folder; what is said must have this in it. */
static void expect(const struct fixture *f, int want, const char *words)
{
	struct hd_templates *t = NULL;
	struct hd_buf errors = { 0 };
	int err = hd_templates_load(&t, f->own, f->ours, &errors);

	if (err != want || (words && !strstr(hd_buf_text(&errors), words)))
		fail_msg("expected %d \"%s\", got %d \"%s\"", want, words ? words : "", err,
			 hd_buf_text(&errors));
	assert_int_equal(!err, errors.len == 0);
	hd_templates_free(t);
	hd_buf_fini(&errors);
}

static void test_ours(void **state)
{
	expect(*state, 0, NULL);
}

static void test_own(void **state)
{
	put(*state, "generic.cfg", "{{>mine}}");
	put(*state, "mine", "x = {{account.user}}\n");
	expect(*state, 0, NULL);
}

static void test_mistakes(void **state)
{
	put(*state, "generic.cfg", "a\nb {{nobody}}\n{{#closed}}\n{{user.pin}}\n{{/closed}}\n");
	expect(*state, HD_ENOENT, "/generic.cfg:2: unknown name: nobody\n");
	expect(*state, HD_ENOENT, "/generic.cfg:4: unknown name: user.pin\n");
	put(*state, "generic.cfg", "{{#keys}}");
	expect(*state, HD_EPARSE, "/generic.cfg:1: section is not closed: keys\n");
	put(*state, "generic.cfg", "{{{account.secret}}}");
	expect(*state, HD_EACCESS,
	       "/generic.cfg:1: unescaped values are not allowed: account.secret\n");
	put(*state, "generic.cfg", "{{>none}}");
	expect(*state, HD_ENOENT, "none: no such file in ");
	put(*state, "generic.cfg", "{{>../../etc/passwd}}");
	expect(*state, HD_ELIMIT, "../../etc/passwd: not the name of a file\n");
	put(*state, "generic.cfg", "{{>mine}}");
	put(*state, "mine", "{{>generic.cfg}}");
	expect(*state, HD_ELIMIT, "/mine:1: includes itself: generic.cfg\n");
}

static void test_no_file(void **state)
{
	const struct fixture *f = *state;
	struct hd_templates *t = NULL;
	struct hd_buf errors = { 0 };
	char path[128];

	path_of(path, sizeof(path), f, "snom.xml");
	assert_int_equal(mkdir(path, 0700), 0);
	expect(f, HD_ESYSTEM, "/snom.xml: cannot be read: ");
	assert_int_equal(hd_templates_load(&t, f->own, NULL, &errors), HD_ENOENT);
	assert_non_null(strstr(hd_buf_text(&errors), "yealink.cfg: no such file in /tmp/"));
	hd_buf_fini(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
