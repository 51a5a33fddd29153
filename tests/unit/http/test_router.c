/* test_router.c - which route takes a method and a path, and what its parameters are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "http/http_priv.h"

static void nothing(struct hd_http_request *req, void *arg)
{
	(void)req;
	(void)arg;
}

static const struct hd_http_route first[] = {
	{ HD_HTTP_GET, "/", nothing },
	{ HD_HTTP_GET, "/v1/users", nothing },
	{ HD_HTTP_POST, "/v1/users", nothing },
	{ HD_HTTP_GET, "/v1/users/:number", nothing },
	{ HD_HTTP_POST, "/v1/users/:number/unlock", nothing },
};
static const struct hd_http_route second[] = {
	{ HD_HTTP_DELETE, "/v1/users/:number", nothing },
	{ HD_HTTP_GET, "/a/:x/b/:y", nothing },
};
static int first_arg, second_arg;
static const struct http_table tables[] = {
	{ first, sizeof(first) / sizeof(first[0]), &first_arg },
	{ second, sizeof(second) / sizeof(second[0]), &second_arg },
};

static const struct {
	enum hd_http_method method;
	const char *path;
	int err;
	const struct hd_http_route *route;
	const char *params[2];
	unsigned allowed;
} rows[] = {
	{ HD_HTTP_GET, "/", 0, &first[0], { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users", 0, &first[1], { 0 }, 0 },
	{ HD_HTTP_POST, "/v1/users", 0, &first[2], { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users/201", 0, &first[3], { "201" }, 0 },
	{ HD_HTTP_GET, "/v1/users/a%2Fb", 0, &first[3], { "a/b" }, 0 },
	{ HD_HTTP_GET, "/v1/users/%2A1%23", 0, &first[3], { "*1#" }, 0 },
	{ HD_HTTP_POST, "/v1/users/201/unlock", 0, &first[4], { "201" }, 0 },
	{ HD_HTTP_DELETE, "/v1/users/201", 0, &second[0], { "201" }, 0 },
	{ HD_HTTP_GET, "/a/1/b/2", 0, &second[1], { "1", "2" }, 0 },
	{ HD_HTTP_PUT, "/v1/users", HD_EUNSUPPORTED, NULL, { 0 }, HD_HTTP_GET | HD_HTTP_POST },
	{ HD_HTTP_PUT, "/v1/users/1", HD_EUNSUPPORTED, NULL, { 0 }, HD_HTTP_GET | HD_HTTP_DELETE },
	{ HD_HTTP_GET, "", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "v1/users", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "//v1/users", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users/", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users/201/", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users/201/unlock/x", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "/V1/users", HD_ENOENT, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users/%zz", HD_EPARSE, NULL, { 0 }, 0 },
	{ HD_HTTP_GET, "/v1/users/%00", HD_EPARSE, NULL, { 0 }, 0 },
};

static void test_rows(void **state)
{
	struct http_match m;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = http_route(&m, tables, 2, rows[i].method, hd_slice_of(rows[i].path));
		if (err != rows[i].err)
			fail_msg("%s: expected %d, got %d", rows[i].path, rows[i].err, err);
		if (err == 0 && m.route != rows[i].route)
			fail_msg("%s: wrong route %s", rows[i].path, m.route->path);
		if (err == HD_EUNSUPPORTED)
			assert_int_equal(m.allowed, rows[i].allowed);
		for (unsigned p = 0; p < 2 && err == 0 && rows[i].params[p]; p++)
			assert_string_equal(m.params[p], rows[i].params[p]);
	}
}

static void test_argument_is_its_tables(void **state)
{
	struct http_match m;

	(void)state;
	assert_int_equal(http_route(&m, tables, 2, HD_HTTP_GET, hd_slice_of("/")), 0);
	assert_ptr_equal(m.arg, &first_arg);
	assert_int_equal(http_route(&m, tables, 2, HD_HTTP_DELETE, hd_slice_of("/v1/users/1")), 0);
	assert_ptr_equal(m.arg, &second_arg);
}

static void test_parameter_too_long(void **state)
{
	char path[300] = "/v1/users/";
	struct http_match m;
	size_t prefix = strlen(path);

	(void)state;
	memset(path + prefix, '7', HD_HTTP_PARAM_SIZE - 1);
	assert_int_equal(http_route(&m, tables, 2, HD_HTTP_GET, hd_slice_of(path)), 0);
	assert_int_equal(strlen(m.params[0]), HD_HTTP_PARAM_SIZE - 1);
	memset(path + prefix, '7', HD_HTTP_PARAM_SIZE);
	assert_int_equal(http_route(&m, tables, 2, HD_HTTP_GET, hd_slice_of(path)), HD_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_argument_is_its_tables),
		cmocka_unit_test(test_parameter_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
