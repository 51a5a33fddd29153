/* test_phones.c - phones and bindings through the API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static const char desk[] =
	"{\"id\": \"desk-101\", \"secret\": \"s3cret-101\", \"label\": \"Desk 101\","
	" \"mac\": \"00:04:13:AA:bb:01\", \"model\": \"snom-d785\"}";

struct fetch {
	struct fixture *f;
	struct hd_phone phone;
};
static int phone_fetch(struct hd_txn *txn, void *arg)
{
	struct fetch *x = arg;

	return hd_phone_get(x->f->directory, txn, "desk-101", &x->phone);
}
static struct hd_phone stored(struct fixture *f)
{
	struct fetch x = { .f = f };

	execute(f, phone_fetch, &x);
	return x.phone;
}

static void test_add_show_list(void **state)
{
	struct hd_phone want = { .id = "desk-101" };
	struct hd_phone have;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/phones", desk, 201, "added");
	expect(&f, "POST", "/v1/phones", desk, 409, "exists");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"mac\": \"000413aabb01\"");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"has_secret\": true");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": null, \"bindings\": []");
	expect(&f, "GET", "/v1/phones", NULL, 200, "\"user\": null, \"registered\": false}]");
	expect(&f, "GET", "/v1/phones/desk-102", NULL, 404, "not-found");
	have = stored(&f);
	hd_phone_set_secret(&want, "hotdesk.local", hd_slice_of("s3cret-101"));
	assert_string_equal(have.ha1_md5, want.ha1_md5);
	assert_string_equal(have.ha1_sha256, want.ha1_sha256);
	expect_not(&f, "/v1/phones/desk-101", want.ha1_md5);
	expect_not(&f, "/v1/phones/desk-101", want.ha1_sha256);
	expect_not(&f, "/v1/phones", "ha1");
	assert_true(logged(&f, "phone desk-101: added (uid="));
	assert_false(logged(&f, "s3cret"));
	assert_false(logged(&f, want.ha1_md5));
	fixture_close(&f);
}

static void test_change(void **state)
{
	struct hd_phone before, after;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"label\": \"x\"}", 404, "not-found");
	expect(&f, "POST", "/v1/phones", desk, 201, "added");
	before = stored(&f);
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"mac\": null}", 200, "changed");
	after = stored(&f);
	assert_string_equal(after.mac, "");
	assert_string_equal(after.label, "Desk 101");
	assert_string_equal(after.ha1_md5, before.ha1_md5);
	expect(&f, "PUT", "/v1/phones/desk-101", "{\"label\": \"New\"}", 200, "changed");
	after = stored(&f);
	assert_string_equal(after.label, "New");
	assert_string_equal(after.model, "");
	assert_string_equal(after.ha1_sha256, before.ha1_sha256);
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"secret\": \"other\"}", 200, "changed");
	after = stored(&f);
	assert_string_not_equal(after.ha1_sha256, before.ha1_sha256);
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"secret\": null}", 200, "changed");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"has_secret\": false");
	fixture_close(&f);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
		const char *has;
	} rows[] = {
		{ "POST", "/v1/phones", "{}", 400, "id: missing" },
		{ "POST", "/v1/phones", "{\"id\": \"a b\"}", 400, "not an id" },
		{ "POST", "/v1/phones", "{\"id\": \"x\", \"mac\": \"12\"}", 400, "mac: expected" },
		{ "POST", "/v1/phones", "{\"id\": \"x\", \"owner\": \"999\"}", 422,
		  "owner-unknown" },
		{ "POST", "/v1/phones", "{\"id\": \"201\"}", 409, "exists" },
		{ "PUT", "/v1/phones/y", "{\"id\": \"x\"}", 400, "another id" },
		{ "DELETE", "/v1/phones/y", NULL, 404, "not-found" },
		{ "POST", "/v1/phones/y/unlock", NULL, 404, "not-found" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/users", "{\"number\": \"201\"}", 201, "added");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&f, rows[i].method, rows[i].target, rows[i].body, rows[i].status,
		       rows[i].has);
	expect(&f, "POST", "/v1/phones", desk, 201, "added");
	expect(&f, "POST", "/v1/phones", "{\"id\": \"z\", \"mac\": \"000413aabb01\"}", 409, "MAC");
	expect(&f, "GET", "/v1/phones?limit=1", NULL, 200, "\"next\": null");
	fixture_close(&f);
}

static void sit_down(struct fixture *f)
{
	expect(f, "PUT", "/v1/users/201", "{}", 201, "added");
	expect(f, "PUT", "/v1/users/202", "{}", 201, "added");
	expect(f, "PUT", "/v1/phones/desk-101", "{}", 201, "added");
	expect(f, "POST", "/v1/sessions/login", "{\"user\": \"201\", \"phone\": \"desk-101\"}", 200,
	       "logged-in");
	bind_phone(f, "desk-101", "sip:desk-101@192.0.2.1:5060");
}

static void test_remove(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	sit_down(&f);
	expect(&f, "GET", "/v1/phones", NULL, 200, "\"user\": \"201\", \"registered\": true");
	expect(&f, "DELETE", "/v1/phones/desk-101", NULL, 200, "removed");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": []");
	expect(&f, "GET", "/v1/bindings", NULL, 200, "{\"bindings\": []");
	/* Nothing of the old one is left for a new phone of the same id. */
	expect(&f, "PUT", "/v1/phones/desk-101", "{}", 201, "added");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": null, \"bindings\": []");
	expect(&f, "POST", "/v1/check", "", 200, "\"violations\": 0");
	fixture_close(&f);
}

static void test_session_ends(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	sit_down(&f);
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"owner\": \"201\"}", 200,
	       "\"sessions_ended\": 0");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"owner\": \"202\"}", 200,
	       "\"sessions_ended\": 1");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": []");
	expect(&f, "GET", "/v1/bindings", NULL, 200, "sip:desk-101@192.0.2.1:5060");
	expect(&f, "PATCH", "/v1/phones/desk-101", "{\"owner\": null, \"disabled\": true}", 200,
	       "\"sessions_ended\": 0");
	expect(&f, "GET", "/v1/bindings", NULL, 200, "{\"bindings\": []");
	expect(&f, "POST", "/v1/check", "", 200, "\"violations\": 0");
	fixture_close(&f);
}

static void test_bindings(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	bind_phone(&f, "a", "sip:a@192.0.2.1");
	bind_phone(&f, "b", "sip:b@192.0.2.2");
	expect(&f, "GET", "/v1/bindings", NULL, 200,
	       "\"phone\": \"a\", \"contact\": \"sip:a@192.0.2.1\"");
	expect(&f, "GET", "/v1/bindings", NULL, 200, "\"user_agent\": \"Phone\xef\xbf\xbd/1\"");
	expect(&f, "GET", "/v1/bindings?limit=1", NULL, 200, "\"next\": \"a\"");
	expect(&f, "GET", "/v1/bindings?limit=1&after=a", NULL, 200, "\"phone\": \"b\"");
	expect(&f, "GET", "/v1/bindings?limit=1&after=a", NULL, 200, "\"next\": null");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_show_list), cmocka_unit_test(test_change),
		cmocka_unit_test(test_refusals),      cmocka_unit_test(test_remove),
		cmocka_unit_test(test_session_ends),  cmocka_unit_test(test_bindings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
