/* test_keys.c - keys of users and phones, kept secrets, URLs: by API and by import. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void add_two(struct fixture *f)
{
	expect(f, "POST", "/v1/users", "{\"number\": \"201\", \"name\": \"Anna\"}", 201, "added");
	expect(f, "POST", "/v1/phones",
	       "{\"id\": \"desk-101\", \"secret\": \"s3cret-101\", \"model\": \"snom-d785\"}", 201,
	       "added");
}

/* What is kept of a phone: "" when no secret is. */
static void kept(struct fixture *f, const char *id, char secret[HD_SIP_SECRET_SIZE],
		 char token[HD_TOKEN_SIZE])
{
	struct hd_txn *txn;
	int err;

	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	err = hd_device_secret_get(f->device, txn, id, secret);
	assert_true(err == 0 || err == HD_ENOENT);
	assert_int_equal(hd_device_token(f->device, txn, id, token), 0);
	hd_store_end_read(txn);
}

static void assert_kept(struct fixture *f, const char *id, const char *secret)
{
	char got[HD_SIP_SECRET_SIZE], token[HD_TOKEN_SIZE];

	kept(f, id, got, token);
	assert_string_equal(got, secret);
}

static void test_put_and_remove(void **state)
{
	struct fixture f;
	int told;

	(void)state;
	fixture_open(&f);
	add_two(&f);
	expect(&f, "GET", "/v1/users/201/keys", NULL, 200, "{\"keys\": []}");
	told = atomic_load(&f.desk_changed);
	expect(&f, "PUT", "/v1/users/201/keys/3",
	       "{\"type\": \"blf\", \"label\": \"J\\u00f6rg & <Co>\", \"value\": \"202\"}", 200,
	       "put");
	assert_int_equal(atomic_load(&f.desk_changed), told + 1);
	expect(&f, "PUT", "/v1/users/201/keys/0", "{\"type\": \"url\", \"value\": \"https://x/\"}",
	       200, "put");
	expect(&f, "GET", "/v1/users/201", NULL, 200,
	       "\"keys\": [{\"place\": 3, \"type\": \"blf\", \"label\": \"J\xc3\xb6rg & <Co>\", "
	       "\"value\": \"202\"}, {\"place\": null, \"type\": \"url\", \"label\": null, "
	       "\"value\": \"https://x/\"}]");
	expect(&f, "PUT", "/v1/users/201/keys/3", "{\"type\": \"line\", \"value\": null}", 200,
	       "put");
	expect(&f, "DELETE", "/v1/users/201/keys/0", NULL, 200, "removed");
	expect(&f, "GET", "/v1/users/201/keys", NULL, 200,
	       "{\"keys\": [{\"place\": 3, \"type\": \"line\", \"label\": null, \"value\": "
	       "null}]}");
	expect(&f, "DELETE", "/v1/users/201/keys/3", NULL, 200, "removed");
	expect(&f, "DELETE", "/v1/users/201/keys/3", NULL, 404, "not-found");

	/* The phone itself is told, and so is the one where the user sits. */
	expect(&f, "PUT", "/v1/phones/desk-101/keys/1",
	       "{\"type\": \"speed-dial\", \"value\": \"0\"}", 200, "put");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": {\"epoch\"");
	assert_true(logged(&f, "phone desk-101: key put (uid="));
	fixture_close(&f);
}

static void test_told_where_the_user_sits(void **state)
{
	struct fixture f;
	struct hd_outbox_done done = { .phone = "desk-101", .epoch = UINT64_MAX };

	(void)state;
	fixture_open(&f);
	done.desk = f.desk;
	add_two(&f);
	expect(&f, "POST", "/v1/sessions/login", "{\"user\": \"201\", \"phone\": \"desk-101\"}",
	       200, "logged-in");
	execute(&f, hd_outbox_done, &done);
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": null");
	expect(&f, "PUT", "/v1/users/201/keys/1", "{\"type\": \"blf\", \"value\": \"202\"}", 200,
	       "put");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": {\"epoch\"");
	execute(&f, hd_outbox_done, &done);
	/* The same keys again are no change. */
	expect(&f, "POST", "/v1/import",
	       "users: [{number: \"201\", name: Anna, keys: [{type: blf, place: 1, value: "
	       "\"202\"}]}]",
	       200, "\"keys_changed\": 0");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": null");
	expect(&f, "POST", "/v1/import", "users: [{number: \"201\", name: Anna, keys: []}]", 200,
	       "\"keys_changed\": 1");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": {\"epoch\"");
	fixture_close(&f);
}

/* What a phone shows: its label and owner, the name of who sits there or owns it. */
static void test_told_of_names(void **state)
{
	struct hd_outbox_done done = { .phone = "desk-101", .epoch = UINT64_MAX };
	static const struct {
		const char *method, *target, *body;
		int told;
	} rows[] = {
		{ "PATCH", "/v1/phones/desk-101", "{\"label\": \"Desk\"}", 1 },
		{ "PATCH", "/v1/users/201", "{\"name\": \"Anna B\"}", 0 },
		{ "PATCH", "/v1/phones/desk-101", "{\"owner\": \"201\"}", 1 },
		{ "PATCH", "/v1/users/201", "{\"name\": \"Anna C\"}", 1 },
		{ "PATCH", "/v1/users/201", "{\"roaming\": false}", 0 },
		{ "POST", "/v1/import", "users: [{number: \"201\", name: Anna D}]", 1 },
		{ "POST", "/v1/import", "users: [{number: \"201\", name: Anna D}]", 0 },
		{ "POST", "/v1/import", "users: [{number: \"202\", name: Ben}]", 0 },
		{ "POST", "/v1/import", "phones: [{id: desk-101, model: snom-d785, label: Other}]",
		  1 },
		{ "POST", "/v1/import", "phones: [{id: desk-101, model: snom-d785, label: Other}]",
		  0 },
		{ "POST", "/v1/import", "users: [{number: \"201\", name: Anna E}]", 0 },
		{ "POST", "/v1/sessions/login", "{\"user\": \"201\", \"phone\": \"desk-101\"}", 1 },
		{ "POST", "/v1/import", "users: [{number: \"201\", name: Anna F}]", 1 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	done.desk = f.desk;
	add_two(&f);
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": null");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		free(ask(&f, rows[i].method, rows[i].target, rows[i].body, 200));
		expect(&f, "GET", "/v1/phones/desk-101", NULL, 200,
		       rows[i].told ? "\"pending\": {\"epoch\"" : "\"pending\": null");
		execute(&f, hd_outbox_done, &done);
	}
	fixture_close(&f);
}

static void test_refused(void **state)
{
	static const struct {
		const char *target, *body;
		int status;
		const char *has;
	} rows[] = {
		{ "/v1/users/999/keys/1", "{\"type\": \"line\"}", 404, "not-found" },
		{ "/v1/phones/none/keys/1", "{\"type\": \"line\"}", 404, "not-found" },
		{ "/v1/users/201/keys/121", "{\"type\": \"line\"}", 400, "place: expected 1" },
		{ "/v1/users/201/keys/x", "{\"type\": \"line\"}", 400, "place: expected 1" },
		{ "/v1/users/201/keys/1", "{\"type\": \"LINE\"}", 400, "type: expected" },
		{ "/v1/users/201/keys/1", "{\"value\": \"1\"}", 400, "type: missing" },
		{ "/v1/users/201/keys/1", "{\"type\": \"blf\"}", 400, "value: missing" },
		{ "/v1/users/201/keys/1", "{\"type\": \"blf\", \"value\": \"<2>\"}", 400,
		  "value: expected" },
		{ "/v1/users/201/keys/1", "{\"type\": \"url\", \"value\": \"ftp://x\"}", 400,
		  "http://" },
		{ "/v1/users/201/keys/1", "[]", 400, "expected a JSON object" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	add_two(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&f, "PUT", rows[i].target, rows[i].body, rows[i].status, rows[i].has);
	expect(&f, "GET", "/v1/users/999/keys", NULL, 404, "not-found");
	expect(&f, "DELETE", "/v1/users/999/keys/1", NULL, 404, "not-found");
	expect(&f, "GET", "/v1/users/201/keys", NULL, 200, "{\"keys\": []}");
	fixture_close(&f);
}

static void test_import_and_export(void **state)
{
	static const char text[] =
		"users:\n"
		"  - number: \"201\"\n"
		"    name: Anna\n"
		"    keys:\n"
		"      - {type: blf, place: 2, label: \"J\xc3\xb6rg \\\"J\\\"\", value: \"202\"}\n"
		"      - {type: speed-dial, value: \"0\"}\n"
		"phones:\n"
		"  - {id: desk-101, secret: s3cret-101, model: snom-d785, keys: [{type: line}]}\n";
	struct fixture f;
	char *exported, *again;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/import?name=k.yaml", text, 200, "\"keys_changed\": 2");
	assert_true(logged(&f, "2 added, 0 changed, 0 unchanged, keys of 2 changed"));
	expect(&f, "POST", "/v1/import", text, 200, "\"keys_changed\": 0");
	exported = ask(&f, "GET", "/v1/export", NULL, 200);
	assert_non_null(strstr(exported, "{type: blf, place: 2, label: \"J\xc3\xb6rg \\\"J\\\"\", "
					 "value: \"202\"}"));
	assert_null(strstr(exported, "s3cret"));
	expect(&f, "POST", "/v1/import", exported, 200, "\"unchanged\": 2, \"keys_changed\": 0");
	/* A file that does not speak of keys leaves them. */
	expect(&f, "POST", "/v1/import", "users: [{number: \"201\", name: Anna}]", 200,
	       "\"keys_changed\": 0");
	expect(&f, "GET", "/v1/users/201/keys", NULL, 200, "speed-dial");

	/* What is removed takes its keys along, and the file brings them back. */
	expect(&f, "DELETE", "/v1/users/201", NULL, 200, "removed");
	expect(&f, "DELETE", "/v1/phones/desk-101", NULL, 200, "removed");
	expect(&f, "POST", "/v1/check", "", 200, "\"violations\": 0, \"first\": null, \"keys\": 0");
	expect(&f, "POST", "/v1/users", "{\"number\": \"201\"}", 201, "added");
	expect(&f, "GET", "/v1/users/201/keys", NULL, 200, "{\"keys\": []}");
	expect(&f, "POST", "/v1/import", exported, 200, "\"keys_changed\": 2");
	again = ask(&f, "GET", "/v1/export", NULL, 200);
	assert_string_equal(strstr(again, "users:"), strstr(exported, "users:"));
	free(exported);
	free(again);
	fixture_close(&f);
}

/* All or nothing, with the line of the one whose keys are too much. */
static void test_import_too_long(void **state)
{
	struct hd_buf b = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	hd_buf_adds(&b, "users:\n  - {number: \"201\"}\n  - number: \"202\"\n    keys:\n");
	for (int i = 0; i < 100; i++) {
		hd_buf_adds(&b, "      - {type: blf, value: \"");
		for (int n = 0; n < 256; n++)
			hd_buf_adds(&b, "1");
		hd_buf_adds(&b, "\"}\n");
	}
	expect(&f, "POST", "/v1/import?name=f.yaml", hd_buf_text(&b), 422,
	       "f.yaml:3: 202: its keys are longer than 16 KiB altogether");
	expect(&f, "GET", "/v1/users/201", NULL, 404, "not-found");
	hd_buf_fini(&b);
	fixture_close(&f);
}

/* A secret is kept where there is a model, and nowhere else unless the configuration says so. */
static void test_secrets_kept(void **state)
{
	struct hd_admin_policies policies = { .pin = { 6, 32, false }, .cost = { 64, 1 } };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	add_two(&f);
	assert_kept(&f, "desk-101", "s3cret-101");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"keeps_secret\": true");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"label\": \"x\"}", 200, "changed");
	assert_kept(&f, "desk-101", "s3cret-101");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"secret\": \"other\"}", 200, "changed");
	assert_kept(&f, "desk-101", "other");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"model\": null}", 200, "changed");
	assert_kept(&f, "desk-101", "");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"keeps_secret\": false");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"model\": \"snom\", \"secret\": \"s2\"}", 200,
	       "changed");
	assert_kept(&f, "desk-101", "s2");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"secret\": null}", 200, "changed");
	assert_kept(&f, "desk-101", "");

	expect(&f, "POST", "/v1/import",
	       "phones:\n  - {id: p1, secret: s3cret-p1}\n"
	       "  - {id: p2, secret: s3cret-p2, model: yealink-t46u}\n",
	       200, "imported");
	assert_kept(&f, "p1", "");
	assert_kept(&f, "p2", "s3cret-p2");
	policies.keep_secrets = true;
	hd_admin_set_policies(f.admin, &policies);
	expect(&f, "POST", "/v1/import", "phones:\n  - {id: p1, secret: s3cret-p1}\n", 200,
	       "\"unchanged\": 1");
	assert_kept(&f, "p1", "s3cret-p1");
	policies.keep_secrets = false;
	hd_admin_set_policies(f.admin, &policies);
	expect(&f, "POST", "/v1/import", "phones:\n  - {id: p1}\n  - {id: p2, model: yealink}\n",
	       200, "imported");
	assert_kept(&f, "p1", "");
	assert_kept(&f, "p2", "s3cret-p2");
	expect(&f, "POST", "/v1/check", "", 200,
	       "\"violations\": 0, \"first\": null, \"keys\": 0, \"secrets\": 1");
	assert_false(logged(&f, "s3cret"));
	fixture_close(&f);
}

static void test_token(void **state)
{
	char secret[HD_SIP_SECRET_SIZE], first[HD_TOKEN_SIZE], second[HD_TOKEN_SIZE];
	struct fixture f;

	(void)state;
	fixture_open(&f);
	add_two(&f);
	kept(&f, "desk-101", secret, first);
	expect(&f, "POST", "/v1/phones/desk-101/token", "", 200, "{\"result\": \"token renewed\"}");
	kept(&f, "desk-101", secret, second);
	assert_string_not_equal(first, second);
	assert_string_equal(secret, "s3cret-101");
	expect(&f, "POST", "/v1/phones/none/token", "", 404, "not-found");
	expect(&f, "DELETE", "/v1/phones/desk-101", NULL, 200, "removed");
	expect(&f, "POST", "/v1/check", "", 200,
	       "\"violations\": 0, \"first\": null, \"keys\": 0, \"secrets\": 0");
	assert_false(logged(&f, first));
	assert_false(logged(&f, second));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_and_remove),
		cmocka_unit_test(test_told_where_the_user_sits),
		cmocka_unit_test(test_told_of_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_import_and_export),
		cmocka_unit_test(test_import_too_long),
		cmocka_unit_test(test_secrets_kept),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
