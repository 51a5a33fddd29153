/* test_sessions.c - logins and logouts by an administrator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

static void people(struct fixture *f)
{
	expect(f, "PUT", "/v1/users/201", "{\"roaming\": true}", 201, "added");
	expect(f, "PUT", "/v1/users/202", "{\"roaming\": false}", 201, "added");
	expect(f, "PUT", "/v1/phones/desk-101", "{}", 201, "added");
	expect(f, "PUT", "/v1/phones/desk-102", "{}", 201, "added");
	expect(f, "PUT", "/v1/phones/home", "{\"owner\": \"202\"}", 201, "added");
}

#define LOGIN "/v1/sessions/login"
#define LOGOUT "/v1/sessions/logout"

static void test_life(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	people(&f);
	expect(&f, "POST", LOGIN, "{\"user\": \"201\", \"phone\": \"desk-101\"}", 200,
	       "{\"result\": \"logged-in\", \"session\": {\"user\": \"201\", \"phone\": "
	       "\"desk-101\"");
	expect(&f, "POST", LOGIN, "{\"user\": \"201\", \"phone\": \"desk-101\"}", 200, "unchanged");
	expect(&f, "POST", LOGIN, "{\"user\": \"201\", \"phone\": \"desk-102\"}", 200,
	       "\"left_phone\": \"desk-101\"");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "\"way\": \"admin\"");
	expect(&f, "POST", LOGIN, "{\"user\": \"202\", \"phone\": \"desk-102\"}", 200,
	       "\"left_user\": \"201\"");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": [{\"user\": \"202\"");
	expect(&f, "POST", LOGOUT, "{\"user\": \"202\"}", 200, "\"result\": \"logged-out\"");
	expect(&f, "POST", LOGOUT, "{\"user\": \"202\"}", 200, "\"result\": \"unchanged\"");
	expect(&f, "POST", LOGIN, "{\"user\": \"202\", \"phone\": \"home\"}", 200, "logged-in");
	expect(&f, "POST", LOGOUT, "{\"phone\": \"home\"}", 200, "logged-out");
	expect(&f, "POST", LOGOUT, "{\"phone\": \"home\"}", 200, "unchanged");
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": [], \"next\": null}");
	assert_true(atomic_load(&f.desk_changed) >= 6);
	assert_true(logged(&f, "user 201: logged-in at desk-101 (uid="));
	assert_true(logged(&f, "user 202: logged-out at desk-102 (uid="));
	fixture_close(&f);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *target, *body;
		int status;
		const char *has;
	} rows[] = {
		{ LOGIN, "{\"user\": \"201\"}", 400, "phone: missing" },
		{ LOGIN, "{\"user\": \"999\", \"phone\": \"desk-101\"}", 404, "unknown-user" },
		{ LOGIN, "{\"user\": \"201\", \"phone\": \"nope\"}", 404, "unknown-phone" },
		{ LOGIN, "{\"user\": \"201\", \"phone\": \"home\"}", 409, "closed" },
		{ LOGOUT, "{}", 400, "either a user or a phone" },
		{ LOGOUT, "{\"user\": \"201\", \"phone\": \"desk-101\"}", 400, "either" },
		{ LOGOUT, "{\"user\": \"999\"}", 404, "unknown-user" },
		{ LOGOUT, "{\"phone\": \"nope\"}", 404, "unknown-phone" },
		{ LOGOUT, "[]", 400, "expected a JSON object" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f);
	people(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&f, "POST", rows[i].target, rows[i].body, rows[i].status, rows[i].has);
	expect(&f, "GET", "/v1/sessions", NULL, 200, "{\"sessions\": []");
	fixture_close(&f);
}

static void test_pages(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	people(&f);
	expect(&f, "POST", LOGIN, "{\"user\": \"201\", \"phone\": \"desk-101\"}", 200, "logged-in");
	expect(&f, "POST", LOGIN, "{\"user\": \"202\", \"phone\": \"home\"}", 200, "logged-in");
	expect(&f, "GET", "/v1/sessions?limit=1", NULL, 200, "\"next\": \"201\"");
	expect(&f, "GET", "/v1/sessions?limit=1&after=201", NULL, 200, "\"user\": \"202\"");
	expect(&f, "GET", "/v1/sessions?limit=1&after=201", NULL, 200, "\"next\": null");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
