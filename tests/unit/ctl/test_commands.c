/* test_commands.c - every command against the real API, in one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl_priv.h"
#include "unit/admin/fixture.h"

enum { WORDS_MAX = 16 };

struct said {
	char *out, *err;
	enum ctl_exit code;
};

static void said_free(struct said *s)
{
	free(s->out);
	free(s->err);
}

/* Words are separated by single blanks, '' is an empty one and _ within a word a blank. */
static struct said ctl_run(const char *socket, const char *line, const char *input)
{
	struct said s = { 0 };
	size_t out_len, err_len;
	char *argv[WORDS_MAX] = { (char *)"hotdeskctl" };
	char *copy = strdup(line);
	char *save = NULL;
	int argc = 1;
	struct ctl ctl = { .socket = socket };

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX);
		for (char *u = w; (u = strchr(u, '_'));)
			*u = ' ';
		argv[argc++] = strcmp(w, "''") == 0 ? (char *)"" : w;
	}
	ctl.out = open_memstream(&s.out, &out_len);
	ctl.err = open_memstream(&s.err, &err_len);
	ctl.in = fmemopen((void *)(input && *input ? input : "\n"),
			  input && *input ? strlen(input) : 1, "r");
	assert_true(ctl.out && ctl.err && ctl.in);
	s.code = ctl_main(&ctl, argc, argv);
	(void)fclose(ctl.in);
	(void)fclose(ctl.out);
	(void)fclose(ctl.err);
	free(copy);
	return s;
}

struct row {
	const char *line;
	enum ctl_exit code;
	const char *out; /* part of standard output */
	const char *err; /* part of standard error */
};

static void row_check(const struct row *r, const struct said *s)
{
	if (s->code != r->code || !strstr(s->out, r->out ? r->out : "") ||
	    !strstr(s->err, r->err ? r->err : ""))
		fail_msg("%s: expected %d, \"%s\", \"%s\"; got %d\n--- out\n%s--- err\n%s", r->line,
			 r->code, r->out ? r->out : "", r->err ? r->err : "", s->code, s->out,
			 s->err);
	if (r->code != CTL_OK && s->out[0])
		fail_msg("%s: refused, but wrote: %s", r->line, s->out);
	if (r->code == CTL_OK && s->err[0])
		fail_msg("%s: done, but complained: %s", r->line, s->err);
}

static void rows_run(struct fixture *f, const struct row *rows, size_t n)
{
	struct said s;

	for (size_t i = 0; i < n; i++) {
		s = ctl_run(f->h.path, rows[i].line, NULL);
		row_check(&rows[i], &s);
		said_free(&s);
	}
}
#define RUN(f, rows) rows_run(f, rows, sizeof(rows) / sizeof((rows)[0]))

static void test_users(void **state)
{
	static const struct row rows[] = {
		{ "user add 201 --name Anna_Berg --pin 471147", CTL_OK, "user 201: added\n", NULL },
		{ "user add 201", CTL_REFUSED, NULL, "hotdeskctl: user 201: exists already\n" },
		{ "user add 202 --pin 123456", CTL_REFUSED, NULL, "hotdeskctl: user 202: " },
		{ "user add 202 --roaming no --language de", CTL_OK, "added", NULL },
		{ "user list", CTL_OK,
		  "NUMBER  NAME       PHONE  ROAMING  PIN  DISABLED\n"
		  "201     Anna Berg  -      yes      yes  no\n"
		  "202                -      no       no   no\n",
		  NULL },
		{ "user set 202 --name Ben --roaming yes", CTL_OK, "user 202: changed\n", NULL },
		{ "user set 202", CTL_USAGE, NULL, "nothing to set" },
		{ "user set 202 --pin 1 --no-pin", CTL_USAGE, NULL, "contradicts" },
		{ "user set 299 --name x", CTL_REFUSED, NULL, "user 299: not found" },
		{ "user show 202", CTL_OK,
		  "name: Ben\nlanguage: de\nlogout: -\ngroup: -\ncall_list: -\nclass: -\nroaming: "
		  "yes\n",
		  NULL },
		{ "user show 202", CTL_OK, "lock.failures: 0\n", NULL },
		{ "user show 299", CTL_REFUSED, NULL, "user 299: not found" },
		{ "user set 201 --no-pin", CTL_OK, "changed", NULL },
		{ "user show 201", CTL_OK, "has_pin: no\n", NULL },
		{ "user add *1#", CTL_OK, "user *1#: added", NULL },
		{ "user unlock *1#", CTL_OK, "user *1#: unchanged", NULL },
		{ "user remove *1#", CTL_OK, "user *1#: removed", NULL },
		{ "user remove *1#", CTL_REFUSED, NULL, "not found" },
		{ "--json user list", CTL_OK, "\"number\": \"202\"", NULL },
		{ "--json user add 201", CTL_REFUSED, NULL, "\"error\": \"exists\"" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	RUN(&f, rows);
	fixture_close(&f);
}

static void test_pages(void **state)
{
	struct hd_buf b = { 0 };
	struct fixture f;
	struct said s;
	json_t *json;

	(void)state;
	fixture_open(&f);
	hd_buf_adds(&b, "users:\n");
	for (int i = 0; i < 2345; i++)
		hd_buf_addf(&b, "  - {number: \"%d\"}\n", 10000 + i);
	s = ctl_run(f.h.path, "import -", hd_buf_text(&b));
	assert_string_equal(s.out, "imported: 2345 added, 0 changed, 0 unchanged, "
				   "0 desk sessions ended\n");
	said_free(&s);
	hd_buf_fini(&b);
	s = ctl_run(f.h.path, "user list --json", NULL);
	json = json_loads(s.out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "users")), 2345);
	json_decref(json);
	said_free(&s);
	fixture_close(&f);
}

static void test_phones(void **state)
{
	static const struct row rows[] = {
		{ "user add 201", CTL_OK, "added", NULL },
		{ "phone add desk-101 --secret s3cret-101 --label Desk_101 --mac 00:04:13:aa:bb:01",
		  CTL_OK, "phone desk-101: added\n", NULL },
		{ "phone add x --owner 999", CTL_REFUSED, NULL,
		  "phone x: its owner is not a user" },
		{ "phone set desk-101 --owner 201 --model snom-d785", CTL_OK, "changed", NULL },
		{ "phone list", CTL_OK,
		  "ID        LABEL     USER  OWNER  REGISTERED  MAC           MODEL      DISABLED\n"
		  "desk-101  Desk 101  -     201    no          000413aabb01  snom-d785  no\n",
		  NULL },
		{ "phone set desk-101 --owner ''", CTL_OK, "changed", NULL },
		{ "phone show desk-101", CTL_OK, "owner: -\n", NULL },
		{ "phone show desk-101", CTL_OK, "has_secret: yes\n", NULL },
		{ "phone set desk-101 --no-secret", CTL_OK, "changed", NULL },
		{ "phone show desk-101", CTL_OK, "has_secret: no\n", NULL },
		{ "phone unlock desk-101", CTL_OK, "phone desk-101: unchanged", NULL },
		{ "session login 201 desk-101", CTL_OK, "logged-in: user 201 at phone desk-101\n",
		  NULL },
		{ "phone set desk-101 --disabled yes", CTL_OK,
		  "phone desk-101: changed, 1 desk session ended\n", NULL },
		{ "phone remove desk-101", CTL_OK, "removed", NULL },
		{ "binding list", CTL_OK, "PHONE  CONTACT  EXPIRES  FLOW  AGENT\n", NULL },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	RUN(&f, rows);
	fixture_close(&f);
}

static void test_generated_secret(void **state)
{
	struct fixture f;
	struct said first, second;
	const char *secret;

	(void)state;
	fixture_open(&f);
	first = ctl_run(f.h.path, "phone add a --secret generate", NULL);
	assert_int_equal(first.code, CTL_OK);
	secret = strstr(first.out, "secret: ");
	assert_non_null(secret);
	assert_int_equal(strlen(secret), strlen("secret: \n") + 20);
	second = ctl_run(f.h.path, "phone set a --secret generate", NULL);
	assert_int_equal(second.code, CTL_OK);
	assert_string_not_equal(strstr(second.out, "secret: "), secret);
	said_free(&second);
	said_free(&first);
	first = ctl_run(f.h.path, "--json phone add b --secret=generate", NULL);
	assert_non_null(strstr(first.out, "\"secret\": \""));
	said_free(&first);
	fixture_close(&f);
}

static void test_secrets_from_stdin(void **state)
{
	struct fixture f;
	struct said s;

	(void)state;
	fixture_open(&f);
	s = ctl_run(f.h.path, "user add 201 --pin -", "471147\n");
	assert_int_equal(s.code, CTL_OK);
	said_free(&s);
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"has_pin\": true");
	s = ctl_run(f.h.path, "phone add a --secret -", "s3cret without newline");
	assert_int_equal(s.code, CTL_OK);
	said_free(&s);
	s = ctl_run(f.h.path, "user add 202 --pin -", "\n");
	assert_int_not_equal(s.code, CTL_OK);
	assert_non_null(strstr(s.err, "the pin is empty"));
	said_free(&s);
	expect(&f, "GET", "/v1/users/202", NULL, 404, "not-found");
	fixture_close(&f);
}

static void test_sessions(void **state)
{
	static const struct row rows[] = {
		{ "user add 201", CTL_OK, NULL, NULL },
		{ "user add 202", CTL_OK, NULL, NULL },
		{ "phone add a", CTL_OK, NULL, NULL },
		{ "phone add b", CTL_OK, NULL, NULL },
		{ "session login 201 a", CTL_OK, "logged-in: user 201 at phone a\n", NULL },
		{ "session login 201 b", CTL_OK, "user 201 at phone b, no longer at a\n", NULL },
		{ "session login 202 b", CTL_OK, "user 202 at phone b, user 201 was logged out\n",
		  NULL },
		{ "session list", CTL_OK, "USER  PHONE  SINCE", NULL },
		{ "session list", CTL_OK, "202   b      2", NULL },
		{ "session logout 202", CTL_OK, "logged-out", NULL },
		{ "session logout 202", CTL_OK, "unchanged\n", NULL },
		{ "session logout --phone b", CTL_OK, "unchanged\n", NULL },
		{ "session logout", CTL_USAGE, NULL, "expected USER or --phone ID" },
		{ "session logout 202 --phone b", CTL_USAGE, NULL, "expected USER or" },
		{ "session logout 299", CTL_REFUSED, NULL, "user 299: " },
		{ "session login 299 a", CTL_REFUSED, NULL, "user 299: " },
		{ "--json session login 299 a", CTL_REFUSED, NULL, "\"error\": \"unknown-user\"" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	RUN(&f, rows);
	fixture_close(&f);
}

static void test_care(void **state)
{
	static const struct row rows[] = {
		{ "status", CTL_OK, "version: 1.2.3\n", NULL },
		{ "status", CTL_OK, "store.full: no\n", NULL },
		{ "status --json", CTL_OK, "\"version\": \"1.2.3\"", NULL },
		{ "check", CTL_OK, "violations: 0\n", NULL },
		{ "repair", CTL_OK, "mended: 0\n", NULL },
		{ "reload", CTL_OK, "reloaded: pin.length_min changed\n", NULL },
		{ "metrics", CTL_OK, "hotdeskd_users 0\n", NULL },
		{ "metrics --json", CTL_OK, "\"openmetrics\": \"", NULL },
		{ "backup /nowhere/x", CTL_REFUSED, NULL, "not supported" },
		{ "import /nowhere/x", CTL_REFUSED, NULL, "/nowhere/x: No such file" },
		{ "export /nowhere/x", CTL_REFUSED, NULL, "/nowhere/x: No such file" },
		{ "export", CTL_OK, "users: []\nphones: []\n", NULL },
		{ "-V", CTL_OK, "hotdeskctl " HD_VERSION "\n", NULL },
		{ "--help", CTL_OK, "session logout [USER]", NULL },
		{ "phone add --help", CTL_OK, "--secret SECRET|-|generate", NULL },
		{ "user -h", CTL_OK, "user unlock NUMBER", NULL },
	};
	struct fixture f;
	struct said s;

	(void)state;
	fixture_open(&f);
	RUN(&f, rows);
	f.reload_err = HD_EPARSE;
	s = ctl_run(f.h.path, "reload", NULL);
	assert_int_equal(s.code, CTL_REFUSED);
	assert_non_null(strstr(s.err, "hotdeskctl: hotdeskd.yaml:3: bad\n"));
	said_free(&s);
	fixture_close(&f);
}

static void test_import_export(void **state)
{
	static const char bad[] =
		"users:\n  - {number: \"301\"}\nphones:\n  - {id: p, owner: \"9\"}\n";
	struct fixture f;
	struct said s;
	char *big;
	char line[160];
	char path[128];

	(void)state;
	fixture_open(&f);
	s = ctl_run(f.h.path, "import -", bad);
	assert_int_equal(s.code, CTL_REFUSED);
	assert_string_equal(s.err, "hotdeskctl: refused, nothing was changed:\n"
				   "stdin:4: p: its owner is not a user\n");
	said_free(&s);
	s = ctl_run(f.h.path, "import -", "users:\n  - {number: \"301\", name: X}\n");
	assert_int_equal(s.code, CTL_OK);
	said_free(&s);
	big = calloc(1, (5 << 20) + 1);
	assert_non_null(big);
	memset(big, '#', 5 << 20);
	s = ctl_run(f.h.path, "import -", big);
	assert_int_equal(s.code, CTL_REFUSED);
	assert_non_null(strstr(s.err, "larger than the daemon takes"));
	said_free(&s);
	free(big);
	(void)snprintf(path, sizeof(path), "%s/out.yaml", f.h.dir);
	(void)snprintf(line, sizeof(line), "export %s", path);
	s = ctl_run(f.h.path, line, NULL);
	assert_int_equal(s.code, CTL_OK);
	assert_string_equal(s.out, "");
	said_free(&s);
	(void)snprintf(line, sizeof(line), "import %s", path);
	s = ctl_run(f.h.path, line, NULL);
	assert_non_null(strstr(s.out, "0 added, 0 changed, 1 unchanged"));
	said_free(&s);
	assert_int_equal(unlink(path), 0);
	fixture_close(&f);
}

static void test_import_csv(void **state)
{
	static const char first[] = "number;name;pin\n201;Anna;471147\n202;Ben;802615\n";
	static const char next[] = "number;name;roaming\n201;\"Anna B\";no\n202;Ben;\n203;;\n";
	struct fixture f;
	struct said s;

	(void)state;
	fixture_open(&f);
	s = ctl_run(f.h.path, "import --csv -", first);
	assert_string_equal(s.out, "imported: 2 added, 0 changed, 0 unchanged, 0 desk sessions "
				   "ended\n");
	said_free(&s);
	for (int i = 0; i < 2; i++) {
		s = ctl_run(f.h.path, "import --csv --dry-run -", next);
		assert_string_equal(s.err, "");
		assert_string_equal(
			s.out, "line 2: user 201: changed: name \"Anna\" -> \"Anna B\", "
			       "roaming yes -> no\n"
			       "line 3: user 202: unchanged\n"
			       "line 4: user 203: added\n"
			       "would import: 1 added, 1 changed, 1 unchanged, 0 desk sessions "
			       "ended\n");
		said_free(&s);
	}
	s = ctl_run(f.h.path, "import --csv -", "extension,voicemail\n203,yes\n");
	assert_int_equal(s.code, CTL_REFUSED);
	assert_non_null(strstr(s.err, "stdin:1: unknown column \"voicemail\", expected number, "));
	said_free(&s);
	s = ctl_run(f.h.path, "import --csv --ignore-unknown -", "extension,voicemail\n203,yes\n");
	assert_int_equal(s.code, CTL_OK);
	said_free(&s);
	fixture_close(&f);
}

static void test_unreachable(void **state)
{
	char dir[] = "/tmp/hd-ctl-XXXXXX";
	char path[64];
	char line[128];
	char want[160];
	struct said s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	s = ctl_run(path, "status", NULL);
	(void)snprintf(
		want, sizeof(want),
		"hotdeskctl: no hotdeskd at %s: is it running? (No such file or directory)\n",
		path);
	assert_int_equal(s.code, CTL_UNREACHABLE);
	assert_string_equal(s.err, want);
	said_free(&s);
	/* The option goes before the environment. */
	(void)snprintf(line, sizeof(line), "status --socket %s", path);
	s = ctl_run("/nowhere", line, NULL);
	assert_int_equal(s.code, CTL_UNREACHABLE);
	assert_string_equal(s.err, want);
	said_free(&s);
	assert_int_equal(rmdir(dir), 0);
}

static void *accept_and_close(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);
	char c;

	if (fd >= 0) {
		/* The connection stands: curl has begun to send. */
		(void)read(fd, &c, 1);
		(void)close(fd);
	}
	return NULL;
}

/* As when the daemon is killed in the middle of a request. */
static void test_daemon_goes_away(void **state)
{
	char dir[] = "/tmp/hd-ctl-XXXXXX";
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t thread;
	struct said s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, accept_and_close, &fd), 0);
	s = ctl_run(sun.sun_path, "status", NULL);
	assert_int_equal(s.code, CTL_UNREACHABLE);
	assert_non_null(strstr(s.err, "gave no answer"));
	said_free(&s);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(fd);
	assert_int_equal(unlink(sun.sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_phones),
		cmocka_unit_test(test_generated_secret),
		cmocka_unit_test(test_secrets_from_stdin),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_care),
		cmocka_unit_test(test_import_export),
		cmocka_unit_test(test_import_csv),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_daemon_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
