/* test_users.c - users through the API, from the socket to the store and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static const char anna[] = "{\"number\": \"201\", \"name\": \"Anna Berg\", \"pin\": \"471147\"}";

static int user_fetch(struct hd_txn *txn, void *arg)
{
	struct {
		struct fixture *f;
		struct hd_user user;
	} *x = arg;

	return hd_user_get(x->f->directory, txn, "201", &x->user);
}

static struct hd_user stored_201(struct fixture *f)
{
	struct {
		struct fixture *f;
		struct hd_user user;
	} x = { .f = f };

	execute(f, user_fetch, &x);
	return x.user;
}

static void test_add_show_list(void **state)
{
	struct fixture f;
	struct hd_user user;

	(void)state;
	fixture_open(&f);
	expect(&f, "GET", "/v1/users", NULL, 200, "{\"users\": [], \"next\": null}");
	expect(&f, "POST", "/v1/users", anna, 201, "\"result\": \"added\"");
	expect(&f, "POST", "/v1/users", anna, 409, "\"error\": \"exists\"");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"name\": \"Anna Berg\"");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"has_pin\": true");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"roaming\": true, \"disabled\": false");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"session\": null");
	expect(&f, "GET", "/v1/users/201", NULL, 200,
	       "\"lock\": {\"failures\": 0, \"locked\": false, \"until\": null}");
	expect(&f, "GET", "/v1/users", NULL, 200, "\"phone\": null}], \"next\": null}");
	expect(&f, "GET", "/v1/users/299", NULL, 404, "\"error\": \"not-found\"");
	user = stored_201(&f);
	assert_int_equal(hd_pin_verify(user.pin_hash, hd_slice_of("471147"), &f.pepper), 0);
	/* Neither the API nor the log shows what must stay secret. */
	expect_not(&f, "/v1/users/201", "argon2");
	expect_not(&f, "/v1/users", "argon2");
	expect_not(&f, "/v1/users/201", "471147");
	assert_true(logged(&f, "user 201: added (uid="));
	assert_true(logged(&f, "user 201: refused: exists already"));
	assert_false(logged(&f, "471147"));
	fixture_close(&f);
}

static void test_change(void **state)
{
	struct fixture f;
	struct hd_user before, after;

	(void)state;
	fixture_open(&f);
	expect(&f, "PATCH", "/v1/users/201", "{\"name\": \"x\"}", 404, "not-found");
	expect(&f, "PUT", "/v1/users/201", "{\"name\": \"Anna\", \"pin\": \"471147\"}", 201,
	       "added");
	before = stored_201(&f);
	/* PATCH changes only what it names. */
	expect(&f, "PATCH", "/v1/users/201", "{\"roaming\": false}", 200, "changed");
	after = stored_201(&f);
	assert_false(after.roaming);
	assert_string_equal(after.name, "Anna");
	assert_string_equal(after.pin_hash, before.pin_hash);
	/* PUT replaces, but for the PIN, which nobody can read back. */
	expect(&f, "PUT", "/v1/users/201", "{\"language\": \"de\"}", 200, "changed");
	after = stored_201(&f);
	assert_true(after.roaming);
	assert_string_equal(after.name, "");
	assert_string_equal(after.language, "de");
	assert_string_equal(after.pin_hash, before.pin_hash);
	/* A new PIN, and none. */
	expect(&f, "PATCH", "/v1/users/201", "{\"pin\": \"802615\"}", 200, "changed");
	after = stored_201(&f);
	assert_int_equal(hd_pin_verify(after.pin_hash, hd_slice_of("802615"), &f.pepper), 0);
	expect(&f, "PATCH", "/v1/users/201", "{\"pin\": null}", 200, "changed");
	after = stored_201(&f);
	assert_string_equal(after.pin_hash, "");
	fixture_close(&f);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
		const char *has;
	} rows[] = {
		{ "POST", "/v1/users", "", 400, "malformed" },
		{ "POST", "/v1/users", "{}", 400, "number: missing" },
		{ "POST", "/v1/users", "{\"number\": 201}", 400, "number: expected a string" },
		{ "POST", "/v1/users", "{\"number\": \"2 1\"}", 400, "not a number" },
		{ "POST", "/v1/users", "{\"number\": \"201\", \"pn\": \"1\"}", 400,
		  "pn: no such field" },
		{ "POST", "/v1/users", "{\"number\": \"201\", \"pin\": \"12345\"}", 422,
		  "pin-refused" },
		{ "POST", "/v1/users", "{\"number\": \"201\", \"pin\": \"123456\"}", 422,
		  "pin-refused" },
		{ "POST", "/v1/users", "{\"number\": \"201\", \"pin\": \"47114a\"}", 422,
		  "pin-refused" },
		{ "PUT", "/v1/users/201", "{\"number\": \"202\"}", 400, "another number" },
		{ "PUT", "/v1/users/2%201", "{}", 400, "not a number" },
		{ "PUT", "/v1/users/333333333333333333333333333333333333333", "{}", 400,
		  "too long" },
		{ "DELETE", "/v1/users/201", NULL, 404, "not-found" },
		{ "POST", "/v1/users/201/unlock", NULL, 404, "not-found" },
		{ "GET", "/v1/users?limit=0", NULL, 400, "limit" },
		{ "GET", "/v1/users?limit=x", NULL, 400, "limit" },
		{ "POST", "/v1/users/201", "{}", 405, "method-not-allowed" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&f, rows[i].method, rows[i].target, rows[i].body, rows[i].status,
		       rows[i].has);
	expect(&f, "GET", "/v1/users", NULL, 200, "{\"users\": []");
	assert_false(logged(&f, "123456"));
	fixture_close(&f);
}

static void test_pages(void **state)
{
	struct fixture f;
	char body[64];

	(void)state;
	fixture_open(&f);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(body, sizeof(body), "{\"number\": \"20%d\"}", i);
		expect(&f, "POST", "/v1/users", body, 201, "added");
	}
	expect(&f, "GET", "/v1/users?limit=2", NULL, 200, "\"next\": \"201\"");
	expect(&f, "GET", "/v1/users?limit=2&after=201", NULL, 200, "\"number\": \"202\"");
	expect(&f, "GET", "/v1/users?limit=2&after=201", NULL, 200, "\"next\": \"203\"");
	expect(&f, "GET", "/v1/users?limit=2&after=203", NULL, 200, "\"next\": null");
	expect(&f, "GET", "/v1/users?limit=5", NULL, 200, "\"next\": null");
	expect(&f, "GET", "/v1/users?after=999", NULL, 200, "{\"users\": [], \"next\": null}");
	fixture_close(&f);
}

static void sit_down(struct fixture *f)
{
	expect(f, "POST", "/v1/users", anna, 201, "added");
	expect(f, "POST", "/v1/phones", "{\"id\": \"desk-101\"}", 201, "added");
	expect(f, "POST", "/v1/sessions/login", "{\"user\": \"201\", \"phone\": \"desk-101\"}", 200,
	       "logged-in");
	expect(f, "GET", "/v1/users/201", NULL, 200,
	       "\"session\": {\"user\": \"201\", \"phone\": \"desk-101\"");
}

/* Who is removed or disabled does not stay at a desk. */
static void test_session_ends(void **state)
{
	struct fixture f;
	int calls;

	(void)state;
	fixture_open(&f);
	sit_down(&f);
	calls = atomic_load(&f.desk_changed);
	expect(&f, "PATCH", "/v1/users/201", "{\"disabled\": true}", 200, "\"sessions_ended\": 1");
	assert_int_equal(atomic_load(&f.desk_changed), calls + 1);
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": []");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"pending\": {\"epoch\"");
	expect(&f, "PATCH", "/v1/users/201", "{\"disabled\": false}", 200, "\"sessions_ended\": 0");
	expect(&f, "POST", "/v1/sessions/login", "{\"user\": \"201\", \"phone\": \"desk-101\"}",
	       200, "logged-in");
	expect(&f, "DELETE", "/v1/users/201", NULL, 200, "removed");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": []");
	expect(&f, "GET", "/v1/users/201", NULL, 404, "not-found");
	expect(&f, "POST", "/v1/check", "", 200, "\"violations\": 0");
	fixture_close(&f);
}

/* All or nothing: the refused removal must not have logged the user out. */
static void test_owner_stays(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	sit_down(&f);
	expect(&f, "POST", "/v1/phones", "{\"id\": \"home\", \"owner\": \"201\"}", 201, "added");
	expect(&f, "GET", "/v1/users/201", NULL, 200, "\"owns\": [\"home\"]");
	expect(&f, "DELETE", "/v1/users/201", NULL, 409, "owns a phone");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "\"user\": \"201\"");
	fixture_close(&f);
}

static int fail_logins(struct hd_txn *txn, void *arg)
{
	struct fixture *f = arg;
	struct hd_desk_request r = {
		.desk = f->desk,
		.policy = { false, 5, 900, 86400, 50, 100, 600, 600, 100 },
		.event = HD_DESK_EVENT_LOGIN,
		.way = HD_DESK_WAY_INVITE,
		.now_ms = hd_clock_wall_ms(hd_clock_system()),
	};
	int err = hd_str_set(r.phone, sizeof(r.phone), "desk-101");

	if (!err)
		err = hd_str_set(r.user, sizeof(r.user), "201");
	for (int i = 0; i < 5 && !err; i++) {
		hd_random_bytes(r.opid, sizeof(r.opid));
		err = hd_desk_prepare(txn, &r);
		if (!err)
			err = hd_desk_apply(txn, &r);
	}
	return err;
}

static void test_unlock(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/users", anna, 201, "added");
	expect(&f, "POST", "/v1/phones", "{\"id\": \"desk-101\"}", 201, "added");
	expect(&f, "POST", "/v1/users/201/unlock", NULL, 200, "{\"result\": \"unchanged\"}");
	execute(&f, fail_logins, &f);
	expect(&f, "GET", "/v1/users/201", NULL, 200,
	       "\"lock\": {\"failures\": 5, \"locked\": true, \"until\": \"2");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"lock\": {\"failures\": 5,");
	expect(&f, "POST", "/v1/users/201/unlock", NULL, 200, "{\"result\": \"unlocked\"}");
	expect(&f, "POST", "/v1/phones/desk-101/unlock", NULL, 200, "{\"result\": \"unlocked\"}");
	expect(&f, "GET", "/v1/users/201", NULL, 200,
	       "\"lock\": {\"failures\": 0, \"locked\": false");
	expect(&f, "GET", "/v1/phones/desk-101", NULL, 200, "\"lock\": {\"failures\": 0,");
	assert_true(logged(&f, "user 201: unlocked (uid="));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_show_list), cmocka_unit_test(test_change),
		cmocka_unit_test(test_refusals),      cmocka_unit_test(test_pages),
		cmocka_unit_test(test_session_ends),  cmocka_unit_test(test_owner_stays),
		cmocka_unit_test(test_unlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
