/* test_server.c - the server on a real Unix socket: answers, limits, late answers, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "harness.h"

struct fixture {
	struct harness h;
	struct hd_http_request *held; /* loop thread only */
	int seen;		      /* of held, by held_look() */
};

static void hello(struct hd_http_request *req, void *arg)
{
	struct hd_buf b = { 0 };
	struct hd_json j;
	uint64_t limit = 7;

	(void)arg;
	if (hd_http_query_u64(req, "limit", 100, &limit)) {
		hd_http_answer_error(req, HD_EPARSE, "limit");
		return;
	}
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "name", hd_http_param(req, 0));
	hd_json_str(&j, "after", hd_http_query(req, "after"));
	hd_json_uint(&j, "limit", limit);
	hd_json_str(&j, "peer", hd_http_peer_get(req)->text);
	hd_json_object_end(&j);
	hd_http_answer_json(req, 200, &b);
}

static void echo(struct hd_http_request *req, void *arg)
{
	(void)arg;
	hd_http_answer(req, 201, "text/plain", hd_http_body(req));
}

static void hold(struct hd_http_request *req, void *arg)
{
	struct fixture *f = arg;

	f->held = req;
}

static const struct hd_http_route routes[] = {
	{ HD_HTTP_GET, "/hello/:name", hello },
	{ HD_HTTP_POST, "/echo", echo },
	{ HD_HTTP_POST, "/hold", hold },
	{ HD_HTTP_GET, "/hold", hold },
};

static void fixture_open(struct fixture *f, const struct hd_http_limits *limits)
{
	memset(f, 0, sizeof(*f));
	harness_init(&f->h, limits);
	assert_int_equal(
		hd_http_add_routes(f->h.http, routes, sizeof(routes) / sizeof(routes[0]), f), 0);
	harness_start(&f->h);
}

static void expect(struct reply r, int status, const char *body)
{
	if (r.status != status || (body && !strstr(r.body, body)))
		fail_msg("expected %d with %s, got %d:\n%s\n%s", status, body ? body : "anything",
			 r.status, r.head, r.body);
	reply_free(&r);
}

static void test_answers(void **state)
{
	struct fixture f;
	char peer[64];
	char *s;

	(void)state;
	fixture_open(&f, NULL);
	s = f.h.path;
	(void)snprintf(peer, sizeof(peer), "\"peer\": \"uid=%u pid=%d\"", (unsigned)getuid(),
		       (int)getpid());
	expect(client_ask(s, "GET", "/hello/Anna%20B", NULL), 200, "\"name\": \"Anna B\"");
	expect(client_ask(s, "GET", "/hello/x", NULL), 200, peer);
	expect(client_ask(s, "GET", "/hello/x?after=a%2Bb&limit=9", NULL), 200,
	       "\"after\": \"a+b\", \"limit\": 9");
	expect(client_ask(s, "GET", "/hello/x?limit=101", NULL), 400, "malformed");
	expect(client_ask(s, "GET", "/hello/x?limit=-1", NULL), 400, NULL);
	expect(client_ask(s, "HEAD", "/hello/x", NULL), 200, NULL);
	expect(client_ask(s, "POST", "/echo", "body text"), 201, "body text");
	expect(client_ask(s, "POST", "/echo", NULL), 201, NULL);
	expect(client_ask(s, "GET", "/nowhere", NULL), 404, "{\"error\": \"not-found\"");
	expect(client_ask(s, "GET", "/hello/%zz", NULL), 400, "malformed");
	expect(client_ask(s, "BREW", "/echo", NULL), 501, NULL);
	harness_fini(&f.h);
}

static void test_wrong_method(void **state)
{
	struct fixture f;
	struct reply r;

	(void)state;
	fixture_open(&f, NULL);
	r = client_ask(f.h.path, "DELETE", "/hold", NULL);
	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.head, "Allow: GET, HEAD, POST\r\n"));
	assert_non_null(strstr(r.head, "Content-Type: application/json\r\n"));
	reply_free(&r);
	harness_fini(&f.h);
}

static void test_keep_alive_and_pipelining(void **state)
{
	static const char two[] = "GET /hello/one HTTP/1.1\r\nHost: t\r\n\r\n"
				  "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
				  "GET /hello/two HTTP/1.1\r\nHost: t\r\n\r\n";
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	fd = client_connect(f.h.path);
	assert_int_equal(client_send(fd, two, strlen(two)), 0);
	expect(client_read(fd, 1), 200, "one");
	expect(client_read(fd, 1), 201, "abc");
	expect(client_read(fd, 1), 200, "two");
	(void)close(fd);
	harness_fini(&f.h);
}

static void test_limits(void **state)
{
	const struct hd_http_limits limits = { .header_max_bytes = 1000, .body_max_bytes = 2000 };
	struct fixture f;
	char *big = calloc(1, 100001);
	char request[4000];
	int fd;

	(void)state;
	assert_non_null(big);
	fixture_open(&f, &limits);
	memset(big, 'x', 2000);
	expect(client_ask(f.h.path, "POST", "/echo", big), 201, big);
	memset(big, 'x', 2001);
	expect(client_ask(f.h.path, "POST", "/echo", big), 413, NULL);
	memset(big, 'x', 100000);
	expect(client_ask(f.h.path, "POST", "/echo", big), 413, NULL);
	fd = client_connect(f.h.path);
	(void)snprintf(request, sizeof(request), "GET /hello/x HTTP/1.1\r\nX: %.1200s\r\n\r\n",
		       big);
	(void)client_send(fd, request, strlen(request));
	expect(client_read(fd, 1), 400, NULL);
	(void)close(fd);
	expect(client_ask(f.h.path, "GET", "/hello/alive", NULL), 200, "alive");
	free(big);
	harness_fini(&f.h);
}

/* Bodies beyond any buffer's first size, up to the limit and over it. */
static void test_large_bodies(void **state)
{
	static const size_t sizes[] = { 65535, 65536, 65537, 200000, 1000000 };
	const struct hd_http_limits limits = { .body_max_bytes = 1000000 };
	struct fixture f;
	char *big = calloc(1, 3000001);

	(void)state;
	assert_non_null(big);
	fixture_open(&f, &limits);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(big, 'x', sizes[i]);
		expect(client_ask(f.h.path, "POST", "/echo", big), 201, big);
	}
	memset(big, 'x', 1000001);
	expect(client_ask(f.h.path, "POST", "/echo", big), 413, NULL);
	memset(big, 'x', 3000000);
	expect(client_ask(f.h.path, "POST", "/echo", big), 413, NULL);
	free(big);
	harness_fini(&f.h);
}

static const char *const garbage[] = {
	"\r\n\r\n",
	"GET\r\n\r\n",
	"GET /hello/x HTTP/9.9\r\n\r\n",
	"\x16\x03\x01\x02\x01\x01\xff\xff\r\n\r\n",
	"POST /echo HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
	"POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
	"GET http://[::1/ HTTP/1.1\r\n\r\n",
	"GET /hello/x HTTP/1.1\r\nno colon\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\n\r\n",
	"TRACE / HTTP/1.1\r\n\r\n",
};

static void test_garbage(void **state)
{
	struct fixture f;
	struct reply r;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		fd = client_connect(f.h.path);
		assert_true(fd >= 0);
		(void)client_send(fd, garbage[i], strlen(garbage[i]));
		(void)shutdown(fd, SHUT_WR);
		r = client_read(fd, 1);
		if (r.status != 0 && (r.status < 400 || r.status > 599))
			fail_msg("%s: expected a refusal or a close, got %d", garbage[i], r.status);
		reply_free(&r);
		(void)close(fd);
	}
	expect(client_ask(f.h.path, "GET", "/hello/alive", NULL), 200, "alive");
	harness_fini(&f.h);
}

/* ---- late answers ---------------------------------------------------------------------------- */

static void held_answer(void *arg)
{
	struct fixture *f = arg;

	hd_http_answer(f->held, 200, "text/plain", hd_slice_of("late"));
	f->held = NULL;
}

static void held_look(void *arg)
{
	struct fixture *f = arg;

	f->seen = f->held != NULL;
}

static void held_wait(struct fixture *f)
{
	f->seen = 0;
	for (int i = 0; i < 100000 && !f->seen; i++)
		harness_call(&f->h, held_look, f);
	assert_true(f->seen);
}

static void ask_hold(int fd, const char *more)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n%s", more);
	assert_int_equal(client_send(fd, text, strlen(text)), 0);
}

static void test_late_answer(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	fd = client_connect(f.h.path);
	/* What comes while we work waits for its turn. */
	ask_hold(fd, "GET /hello/next HTTP/1.1\r\nHost: t\r\n\r\n");
	held_wait(&f);
	assert_int_equal(client_send(fd, "GET /hello/third HTTP/1.1\r\n\r\n", 29), 0);
	harness_call(&f.h, held_answer, &f);
	expect(client_read(fd, 1), 200, "late");
	expect(client_read(fd, 1), 200, "next");
	expect(client_read(fd, 1), 200, "third");
	(void)close(fd);
	harness_fini(&f.h);
}

static void test_client_gone(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	fd = client_connect(f.h.path);
	ask_hold(fd, "");
	held_wait(&f);
	(void)close(fd);
	harness_call(&f.h, held_answer, &f);
	expect(client_ask(f.h.path, "GET", "/hello/alive", NULL), 200, "alive");
	harness_fini(&f.h);
}

static void stop_http(void *arg)
{
	hd_http_stop(arg);
}

static void test_stop_while_held(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	fd = client_connect(f.h.path);
	ask_hold(fd, "");
	held_wait(&f);
	harness_call(&f.h, stop_http, f.h.http);
	expect(client_read(fd, 1), 503, NULL);
	assert_int_equal(access(f.h.path, F_OK), -1);
	harness_stop(&f.h);
	hd_http_free(f.h.http);
	f.h.http = NULL;
	held_answer(&f); /* after the server's end: nothing happens, nothing leaks */
	(void)close(fd);
	harness_fini(&f.h);
}

/* ---- connections ----------------------------------------------------------------------------- */

struct count {
	struct hd_http *http;
	uint32_t n;
};
static void count_take(void *arg)
{
	struct count *c = arg;

	c->n = hd_http_connections(c->http);
}

static void count_wait(struct fixture *f, uint32_t want)
{
	struct count c = { f->h.http, UINT32_MAX };

	for (int i = 0; i < 200000 && c.n != want; i++)
		harness_call(&f->h, count_take, &c);
	assert_int_equal(c.n, want);
}

static void test_connection_limit(void **state)
{
	const struct hd_http_limits limits = { .connections_max = 3 };
	struct fixture f;
	int fds[5];

	(void)state;
	fixture_open(&f, &limits);
	for (int i = 0; i < 5; i++) {
		fds[i] = client_connect(f.h.path);
		assert_true(fds[i] >= 0);
	}
	count_wait(&f, 3);
	/* The fourth is served when one of the first goes. */
	assert_int_equal(client_send(fds[3], "GET /hello/four HTTP/1.1\r\n\r\n", 28), 0);
	(void)close(fds[0]);
	expect(client_read(fds[3], 1), 200, "four");
	for (int i = 1; i < 5; i++)
		(void)close(fds[i]);
	count_wait(&f, 0);
	expect(client_ask(f.h.path, "GET", "/hello/alive", NULL), 200, "alive");
	harness_fini(&f.h);
}

static void test_deadline(void **state)
{
	const struct hd_http_limits limits = { .timeout_s = 1 };
	struct fixture f;
	int silent, half, held;

	(void)state;
	fixture_open(&f, &limits);
	held = client_connect(f.h.path);
	ask_hold(held, "");
	held_wait(&f);
	silent = client_connect(f.h.path);
	half = client_connect(f.h.path);
	assert_int_equal(
		client_send(half, "POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 43), 0);
	assert_int_equal(client_wait_closed(silent), 0);
	assert_int_equal(client_wait_closed(half), 0);
	/* Our own work does not count against the peer. */
	count_wait(&f, 1);
	harness_call(&f.h, held_answer, &f);
	expect(client_read(held, 1), 200, "late");
	assert_int_equal(client_wait_closed(held), 0);
	(void)close(silent);
	(void)close(half);
	(void)close(held);
	count_wait(&f, 0);
	harness_fini(&f.h);
}

/* ---- the socket's path ----------------------------------------------------------------------- */

static void stale_make(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	(void)close(fd); /* as after kill -9: the path stays */
}

static void test_socket_path(void **state)
{
	struct hd_http *second = NULL;
	struct fixture f;
	struct stat st;
	char longer[200];
	FILE *file;

	(void)state;
	memset(&f, 0, sizeof(f));
	harness_init(&f.h, NULL);
	assert_int_equal(hd_http_new(&second, f.h.loop, NULL), 0);
	stale_make(f.h.path);
	assert_int_equal(hd_http_listen_unix(f.h.http, f.h.path, 0640), 0);
	assert_int_equal(stat(f.h.path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0640);
	/* In use: the second must not take it over. */
	assert_int_equal(hd_http_listen_unix(second, f.h.path, 0640), HD_EEXIST);
	hd_http_stop(f.h.http);
	assert_int_equal(access(f.h.path, F_OK), -1);
	/* Not a socket: left alone. */
	file = fopen(f.h.path, "w");
	assert_non_null(file);
	(void)fclose(file);
	assert_int_equal(hd_http_listen_unix(second, f.h.path, 0640), HD_EEXIST);
	assert_int_equal(unlink(f.h.path), 0);
	(void)snprintf(longer, sizeof(longer), "%s/%0120d", f.h.dir, 0);
	assert_int_equal(hd_http_listen_unix(second, longer, 0640), HD_ELIMIT);
	assert_int_equal(hd_http_listen_unix(second, "/nowhere/at/all.sock", 0640), HD_ESYSTEM);
	hd_http_free(second);
	harness_fini(&f.h);
}

static void test_successor_keeps_its_socket(void **state)
{
	struct hd_http *second = NULL;
	struct fixture f;

	(void)state;
	memset(&f, 0, sizeof(f));
	harness_init(&f.h, NULL);
	assert_int_equal(hd_http_new(&second, f.h.loop, NULL), 0);
	assert_int_equal(hd_http_listen_unix(f.h.http, f.h.path, 0600), 0);
	assert_int_equal(unlink(f.h.path), 0);
	assert_int_equal(hd_http_listen_unix(second, f.h.path, 0600), 0);
	hd_http_stop(f.h.http);
	assert_int_equal(access(f.h.path, F_OK), 0);
	hd_http_free(second);
	assert_int_equal(access(f.h.path, F_OK), -1);
	harness_fini(&f.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_wrong_method),
		cmocka_unit_test(test_keep_alive_and_pipelining),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_large_bodies),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_stop_while_held),
		cmocka_unit_test(test_connection_limit),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_socket_path),
		cmocka_unit_test(test_successor_keeps_its_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
