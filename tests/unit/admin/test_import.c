/* test_import.c - whole directories in and out: all or nothing, idempotent, without credentials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static const char office[] =
	"users:\n"
	"  - {number: \"201\", name: Anna Berg, pin: \"471147\", roaming: true}\n"
	"  - {number: \"202\", name: Ben Kaya, pin: \"802615\", roaming: false}\n"
	"phones:\n"
	"  - {id: desk-101, secret: s3cret-101, mac: \"00:04:13:aa:bb:01\", model: snom-d785}\n"
	"  - {id: home-201, secret: s3cret-h1, label: \"Home \\\"Anna\\\"\", owner: \"201\"}\n";

static void test_idempotent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/import?name=office.yaml", office, 200,
	       "\"added\": 4, \"changed\": 0, \"unchanged\": 0");
	expect(&f, "POST", "/v1/import", office, 200,
	       "\"added\": 0, \"changed\": 0, \"unchanged\": 4");
	expect(&f, "POST", "/v1/import", "users:\n  - {number: \"201\", name: Anna B}\n", 200,
	       "\"added\": 0, \"changed\": 1, \"unchanged\": 0");
	/* No PIN in the file keeps the stored one; a new one replaces it. */
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"has_pin\": true");
	expect(&f, "POST", "/v1/import",
	       "users:\n  - {number: \"201\", name: Anna B, pin: \"583016\"}\n", 200,
	       "\"changed\": 1");
	expect(&f, "POST", "/v1/import",
	       "users:\n  - {number: \"201\", name: Anna B, pin: \"583016\"}\n", 200,
	       "\"unchanged\": 1");
	assert_true(logged(&f, "import office.yaml: 4 added, 0 changed, 0 unchanged (uid="));
	assert_false(logged(&f, "471147"));
	assert_false(logged(&f, "s3cret"));
	fixture_close(&f);
}

static const struct {
	const char *text;
	const char *has; /* line numbers included */
} bad[] = {
	{ "users:\n  - {number: \"301\", pin: \"471147\"}\n  - {number: \"302\", pin: "
	  "\"123456\"}\n",
	  "f.yaml:3: 302: " },
	{ "users:\n  - {number: \"301\"}\nphones:\n  - {id: p1, owner: \"999\"}\n",
	  "f.yaml:4: p1: its owner is not a user" },
	{ "users:\n  - {number: \"301\"}\nphones:\n  - {id: \"202\"}\n",
	  "f.yaml:4: 202: there is a user" },
	{ "users:\n  - {number: \"301\"}\n  - {number: desk-101}\n",
	  "f.yaml:3: desk-101: there is a phone" },
	{ "users:\n  - {number: \"301\"}\nphones:\n  - {id: p1, mac: 000413aabb01}\n",
	  "f.yaml:4: p1: there is a user with this number, or another phone with this MAC" },
	{ "users:\n  - {number: \"301\", colour: blue}\n", "f.yaml:2:" },
	{ "users: [\n", "f.yaml:" },
	{ "\xff\xfe", "f.yaml:" },
};

static void test_all_or_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/import", office, 200, "imported");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect(&f, "POST", "/v1/import?name=f.yaml", bad[i].text, 422, "import-refused");
		expect(&f, "POST", "/v1/import?name=f.yaml", bad[i].text, 422, bad[i].has);
		expect(&f, "GET", "/v1/users/301", NULL, 404, "not-found");
	}
	assert_false(logged(&f, "123456"));
	fixture_close(&f);
}

static void test_sessions_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/import", office, 200, "imported");
	expect(&f, "POST", "/v1/sessions/login", "{\"user\": \"201\", \"phone\": \"desk-101\"}",
	       200, "logged-in");
	bind_phone(&f, "desk-101", "sip:d@192.0.2.1");
	expect(&f, "POST", "/v1/import", "phones:\n  - {id: desk-101, disabled: true}\n", 200,
	       "\"sessions_ended\": 1");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": []");
	expect(&f, "GET", "/v1/bindings", NULL, 200, "{\"bindings\": []");
	fixture_close(&f);
}

/* What is exported imports as it was, and says nothing that must stay secret. */
static void test_export_round_trip(void **state)
{
	static const char odd[] = "{\"number\": \"*1#\", \"name\": \"\\u00c4 \\\"q\\\" \\\\ "
				  "\\u2028 \\ufeff \\u0085 # : {x}\","
				  " \"language\": \"de\", \"roaming\": false, \"disabled\": true}";
	struct fixture f;
	char *first, *second;

	(void)state;
	fixture_open(&f);
	expect(&f, "GET", "/v1/export", NULL, 200, "users: []\nphones: []\n");
	first = ask(&f, "GET", "/v1/export", NULL, 200);
	expect(&f, "POST", "/v1/import", first, 200, "\"added\": 0");
	free(first);
	expect(&f, "POST", "/v1/import", office, 200, "imported");
	expect(&f, "POST", "/v1/users", odd, 201, "added");
	first = ask(&f, "GET", "/v1/export", NULL, 200);
	expect(&f, "POST", "/v1/import", first, 200,
	       "\"added\": 0, \"changed\": 0, \"unchanged\": 5");
	assert_null(strstr(first, "argon2"));
	assert_null(strstr(first, "pin"));
	assert_null(strstr(first, "ha1"));
	assert_null(strstr(first, "secret:"));
	/* Also into a store that has none of it. */
	expect(&f, "DELETE", "/v1/phones/home-201", NULL, 200, "removed");
	expect(&f, "DELETE", "/v1/users/%2A1%23", NULL, 200, "removed");
	expect(&f, "POST", "/v1/import", first, 200,
	       "\"added\": 2, \"changed\": 0, \"unchanged\": 3");
	second = ask(&f, "GET", "/v1/export", NULL, 200);
	assert_string_equal(strstr(second, "users:"), strstr(first, "users:"));
	free(first);
	free(second);
	fixture_close(&f);
}

static void test_many(void **state)
{
	struct hd_buf b = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	hd_buf_adds(&b, "users:\n");
	for (int i = 0; i < 300; i++)
		hd_buf_addf(&b, "  - {number: \"%d\", name: User %d%s}\n", 3000 + i, i,
			    i % 10 ? "" : ", pin: \"590316\"");
	assert_int_equal(hd_buf_error(&b), 0);
	expect(&f, "POST", "/v1/import", hd_buf_text(&b), 200, "\"added\": 300");
	expect(&f, "POST", "/v1/import", hd_buf_text(&b), 200, "\"unchanged\": 300");
	hd_buf_fini(&b);
	fixture_close(&f);
}

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

struct seed {
	struct fixture *f;
	char path[128];
	struct hd_buf report;
	int err;
};
static void seed_run(void *arg)
{
	struct seed *s = arg;

	s->err = hd_admin_seed(s->f->admin, s->path, &s->report);
}

static void test_seed(void **state)
{
	struct fixture f;
	struct seed s = { .f = &f };

	(void)state;
	fixture_open(&f);
	(void)snprintf(s.path, sizeof(s.path), "%s/seed.yaml", f.h.dir);
	file_write(s.path, office);
	harness_call(&f.h, seed_run, &s);
	assert_int_equal(s.err, 0);
	assert_non_null(strstr(hd_buf_text(&s.report), "4 added"));
	expect(&f, "GET", "/v1/users/202", NULL, 200, "\"has_pin\": true");
	hd_buf_fini(&s.report);
	file_write(s.path, bad[1].text);
	harness_call(&f.h, seed_run, &s);
	assert_int_equal(s.err, HD_ENOENT);
	assert_non_null(strstr(hd_buf_text(&s.report), "seed.yaml:4: p1: its owner"));
	hd_buf_fini(&s.report);
	assert_int_equal(unlink(s.path), 0);
	harness_call(&f.h, seed_run, &s);
	assert_int_equal(s.err, HD_ESYSTEM);
	hd_buf_fini(&s.report);
	fixture_close(&f);
}

static void test_csv(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/import?format=csv&name=o.csv",
	       "number,name,pin,language,phone,phone_secret,phone_owner\n"
	       "201,Anna Berg,471147,de,home-201,s3cret-h1,201\n"
	       "202,Ben Kaya,802615,,,,\n",
	       200, "\"added\": 3, \"changed\": 0, \"unchanged\": 0");
	/* What has no column stays, an empty cell of a column takes away. */
	expect(&f, "POST", "/v1/import?format=csv", "number,language\n201,\n202,tr\n", 200,
	       "\"added\": 0, \"changed\": 2");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"name\": \"Anna Berg\"");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"language\": null");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"has_pin\": true");
	expect(&f, "POST", "/v1/import?format=csv", "phone,phone_label\nhome-201,Home\n", 200,
	       "\"changed\": 1");
	expect(&f, "GET", "/v1/phones/home-201", NULL, 200, "\"owner\": \"201\"");
	expect(&f, "POST", "/v1/import?format=csv", "number,language\n201,\n202,tr\n", 200,
	       "\"added\": 0, \"changed\": 0, \"unchanged\": 2");
	expect(&f, "POST", "/v1/import?format=csv&name=o.csv",
	       "number,name,phone,phone_owner\n203,X,,\n,,p1,999\n", 422,
	       "o.csv:3: p1: its owner is not a user");
	expect(&f, "GET", "/v1/users/203", NULL, 404, "not-found");
	expect(&f, "POST", "/v1/import?format=csv", "number,a,b\n204,x,y\n", 422, "unknown column");
	expect(&f, "POST", "/v1/import?format=csv&unknown_columns=ignore", "number,a,b\n204,x,y\n",
	       200, "\"added\": 1");
	expect(&f, "POST", "/v1/import?format=xls", "", 400, "format: expected yaml or csv");
	assert_false(logged(&f, "471147"));
	fixture_close(&f);
}

/* A dry run says what the import then does, refuses what it would refuse, and changes nothing. */
static void test_dry_run(void **state)
{
	static const char next[] = "number,name,pin,phone,phone_label,phone_secret\n"
				   "201,Anna B,583016,desk-101,Desk 101,s3cret-101\n"
				   "202,Ben Kaya,802615,home-201,\"Home \"\"Anna\"\"\",s3cret-xx\n"
				   "203,Cem,905172,,,\n";
	struct fixture f;
	int told;
	char *before, *after;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/import", office, 200, "\"added\": 4");
	before = ask(&f, "GET", "/v1/phones", NULL, 200);
	told = f.desk_changed;
	for (int i = 0; i < 2; i++) {
		static const char target[] = "/v1/import?format=csv&dry_run=yes&name=n.csv";

		expect(&f, "POST", target, next, 200,
		       "{\"line\": 2, \"kind\": \"user\", \"name\": \"201\", \"changes\": "
		       "[{\"field\": \"name\", \"from\": \"Anna Berg\", \"to\": \"Anna B\"}, "
		       "{\"field\": \"pin\"}], \"result\": \"changed\"}");
		expect(&f, "POST", target, next, 200,
		       "\"name\": \"202\", \"changes\": [], \"result\": \"unchanged\"");
		expect(&f, "POST", target, next, 200,
		       "{\"line\": 4, \"kind\": \"user\", \"name\": \"203\", \"changes\": "
		       "[{\"field\": \"pin\"}], \"result\": \"added\"}");
		expect(&f, "POST", target, next, 200,
		       "\"changes\": [{\"field\": \"label\", \"from\": \"\", \"to\": \"Desk "
		       "101\"}], \"result\": \"changed\"");
		expect(&f, "POST", target, next, 200,
		       "\"name\": \"home-201\", \"changes\": [{\"field\": \"secret\"}]");
		expect(&f, "POST", target, next, 200,
		       "\"added\": 1, \"changed\": 3, \"unchanged\": 1");
	}
	expect(&f, "POST", "/v1/import?dry_run=yes&name=f.yaml",
	       "users: [{number: \"301\"}]\nphones: [{id: p1, owner: \"999\"}]\n", 422,
	       "f.yaml:2: p1: its owner is not a user");
	expect(&f, "POST", "/v1/import?dry_run=yes",
	       "users: [{number: \"202\", name: Ben Kaya, roaming: false, hoteling: true, keys: "
	       "[{type: blf, value: \"201\"}]}]",
	       200, "[{\"field\": \"hoteling\"}, {\"field\": \"keys\"}], \"result\": \"changed\"");
	expect(&f, "GET", "/v1/users/203", NULL, 404, "not-found");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"name\": \"Anna Berg\"");
	after = ask(&f, "GET", "/v1/phones", NULL, 200);
	assert_string_equal(before, after);
	assert_int_equal(f.desk_changed, told);
	assert_true(logged(&f, "import n.csv: dry run: 1 added, 3 changed, 1 unchanged"));
	expect(&f, "POST", "/v1/import?format=csv", next, 200,
	       "\"added\": 1, \"changed\": 3, \"unchanged\": 1");
	expect(&f, "POST", "/v1/import?format=csv&dry_run=yes", next, 200,
	       "\"added\": 0, \"changed\": 0, \"unchanged\": 5");
	free(before);
	free(after);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),	     cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_idempotent),   cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_sessions_end), cmocka_unit_test(test_export_round_trip),
		cmocka_unit_test(test_many),	     cmocka_unit_test(test_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
