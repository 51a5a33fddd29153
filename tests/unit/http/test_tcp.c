/* test_tcp.c - listeners on TCP: who is there, limits of one source, what becomes of an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "harness.h"

struct fixture {
	struct harness h;
	uint16_t port;
	sem_t told;
	int sent; /* of the last answer: 1, 0; -1: not told */
	struct hd_http_request *held;
};

static void on_sent(void *arg, bool sent)
{
	struct fixture *f = arg;

	f->sent = sent;
	(void)sem_post(&f->told);
}

static void whole(struct hd_http_request *req, void *arg)
{
	const struct hd_http_peer *peer = hd_http_peer_get(req);
	char local[96], remote[96], names[2][HD_HTTP_NAME_SIZE];
	const char *agent = hd_http_header(req, "user-agent"), *a = hd_http_field(req, "a");
	struct hd_buf b = { 0 };

	hd_http_addresses(req, local, remote, sizeof(local));
	hd_buf_addf(&b, "%s %s family=%u tls=%d uid=%d %s %s agent=%s a=%s names=%zu",
		    hd_http_method_name(req), hd_http_target(req), peer->address.family, peer->tls,
		    peer->has_uid, local, remote, agent ? agent : "-", a ? a : "-",
		    hd_http_certificate_names(req, names, 2));
	hd_http_add_header(req, "X-One", "1");
	hd_http_on_sent(req, on_sent, arg);
	hd_http_answer(req, 200, "text/plain", (struct hd_slice){ hd_buf_text(&b), b.len });
	hd_buf_fini(&b);
}

static void hold(struct hd_http_request *req, void *arg)
{
	struct fixture *f = arg;

	hd_http_on_sent(req, on_sent, f);
	f->held = req;
	(void)sem_post(&f->told);
}

static const struct hd_http_route routes[] = {
	{ HD_HTTP_GET, "/hold", hold },
	{ HD_HTTP_GET, "*", whole },
	{ HD_HTTP_POST, "*", whole },
};

static void fixture_open(struct fixture *f, const struct hd_http_limits *limits)
{
	struct hd_http_listener where = { .host = "127.0.0.1" };

	memset(f, 0, sizeof(*f));
	f->sent = -1;
	(void)sem_init(&f->told, 0, 0);
	harness_init(&f->h, limits);
	assert_int_equal(
		hd_http_add_routes(f->h.http, routes, sizeof(routes) / sizeof(routes[0]), f), 0);
	assert_int_equal(hd_http_listen_tcp(f->h.http, &where), 0);
	assert_int_equal(hd_http_listeners(f->h.http, &where, 1), 1);
	assert_true(where.port > 0);
	f->port = where.port;
	harness_start(&f->h);
}

static void fixture_close(struct fixture *f)
{
	harness_fini(&f->h);
	(void)sem_destroy(&f->told);
}

static int wait_told(struct fixture *f)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLIENT_DEADLINE_S;
	return sem_timedwait(&f->told, &until);
}

static int tcp_connect(uint16_t port, const char *from)
{
	struct timeval deadline = { .tv_sec = CLIENT_DEADLINE_S };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in source = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, from, &source.sin_addr), 1);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

/* One request on a connection of its own. */
static struct reply ask(uint16_t port, const char *from, const char *text, int has_body)
{
	int fd = tcp_connect(port, from);
	struct reply r = { -1, NULL, NULL };

	if (!client_send(fd, text, strlen(text)))
		r = client_read(fd, has_body);
	(void)close(fd);
	return r;
}

static void expect(struct reply r, int status, const char *head, const char *body)
{
	if (r.status != status || !strstr(r.head, head) || !strstr(r.body, body))
		fail_msg("expected %d with %s and %s, got %d:\n%s\n%s", status, head, body,
			 r.status, r.head, r.body);
	reply_free(&r);
}

#define GET "GET /a/b?a=1%202 HTTP/1.1\r\nHost: x\r\nUser-Agent: Phone 1\r\n\r\n"

static void test_what_is_told(void **state)
{
	struct fixture f;
	char remote[64];

	(void)state;
	fixture_open(&f, NULL);
	(void)snprintf(remote, sizeof(remote), "IPV4/TCP/127.0.0.1/%u IPV4/TCP/127.0.0.2/",
		       (unsigned)f.port);
	expect(ask(f.port, "127.0.0.2", GET, 1), 200, "X-One: 1\r\n",
	       "GET /a/b?a=1%202 family=4 tls=0 uid=0");
	expect(ask(f.port, "127.0.0.2", GET, 1), 200, "", remote);
	expect(ask(f.port, "127.0.0.2", GET, 1), 200, "", "agent=Phone 1 a=1 2 names=0");
	expect(ask(f.port, "127.0.0.2", "HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", 0), 200,
	       "Content-Length: ", "");
	expect(ask(f.port, "127.0.0.2",
		   "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n"
		   "Content-Type: application/x-www-form-urlencoded\r\n\r\na=%2a+b",
		   1),
	       200, "", "POST /x family=4 tls=0 uid=0");
	expect(ask(f.port, "127.0.0.2",
		   "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n"
		   "Content-Type: application/x-www-form-urlencoded\r\n\r\na=%2a+b",
		   1),
	       200, "", "a=* b ");
	expect(ask(f.port, "127.0.0.2",
		   "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
		   "Content-Type: text/plain\r\n\r\na=1",
		   1),
	       200, "", "a=- ");
	fixture_close(&f);
}

static void drop_held(void *arg)
{
	struct fixture *f = arg;

	hd_http_answer(f->held, 200, NULL, (struct hd_slice){ NULL, 0 });
}

static void test_sent_or_not(void **state)
{
	static const char hold_it[] = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
	const struct linger now = { .l_onoff = 1 };
	struct fixture f;
	int fd;

	(void)state;
	fixture_open(&f, NULL);
	expect(ask(f.port, "127.0.0.1", GET, 1), 200, "", "");
	assert_int_equal(wait_told(&f), 0);
	assert_int_equal(f.sent, 1);
	/* The client resets the connection while its answer is being made. */
	fd = tcp_connect(f.port, "127.0.0.1");
	assert_int_equal(client_send(fd, hold_it, strlen(hold_it)), 0);
	assert_int_equal(wait_told(&f), 0); /* held */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	(void)close(fd);
	harness_call(&f.h, drop_held, &f);
	assert_int_equal(wait_told(&f), 0);
	assert_int_equal(f.sent, 0);
	fixture_close(&f);
}

static void test_rate_of_a_source(void **state)
{
	static const char *const nets[] = { "127.0.0.9/32" };
	const struct hd_http_limits limits = {
		.source_rate = 1,
		.source_burst = 4,
		.source_exempt = nets,
		.n_source_exempt = 1,
	};
	struct fixture f;
	struct reply r;
	int answered = 0;
	int fd;

	(void)state;
	fixture_open(&f, &limits);
	for (int i = 0; i < 10; i++) {
		r = ask(f.port, "127.0.0.3", GET, 1);
		answered += r.status == 200;
		reply_free(&r);
	}
	assert_in_range(answered, 4, 8);
	for (int i = 0; i < 20; i++)
		expect(ask(f.port, "127.0.0.9", GET, 1), 200, "", "");
	/* On one connection: 429, and its end. */
	fd = tcp_connect(f.port, "127.0.0.4");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(client_send(fd, GET, strlen(GET)), 0);
		expect(client_read(fd, 1), 200, "", "");
	}
	for (r = (struct reply){ 200, NULL, NULL }; r.status == 200; reply_free(&r)) {
		assert_int_equal(client_send(fd, GET, strlen(GET)), 0);
		r = client_read(fd, 1);
		if (r.status != 200)
			break;
	}
	expect(r, 429, "Retry-After: 1\r\n", "too-many-requests");
	assert_int_equal(client_wait_closed(fd), 0);
	(void)close(fd);
	fixture_close(&f);
}

static void test_connections_of_a_source(void **state)
{
	const struct hd_http_limits limits = { .connections_per_source = 2 };
	struct fixture f;
	struct reply r;
	int fds[2];

	(void)state;
	fixture_open(&f, &limits);
	for (int i = 0; i < 2; i++) {
		fds[i] = tcp_connect(f.port, "127.0.0.5");
		assert_int_equal(client_send(fds[i], GET, strlen(GET)), 0);
		expect(client_read(fds[i], 1), 200, "", "");
	}
	r = ask(f.port, "127.0.0.5", GET, 1);
	assert_int_not_equal(r.status, 200);
	reply_free(&r);
	expect(ask(f.port, "127.0.0.6", GET, 1), 200, "", "");
	(void)close(fds[0]);
	do { /* the end of the other one is seen when the loop comes to it */
		r = ask(f.port, "127.0.0.5", GET, 1);
		reply_free(&r);
	} while (r.status != 200);
	(void)close(fds[1]);
	fixture_close(&f);
}

static void test_listeners(void **state)
{
	struct hd_http_listener where = { .host = "::1" }, found[4];
	struct harness h;

	(void)state;
	harness_init(&h, NULL);
	assert_int_equal(hd_http_listen_tcp(h.http, &where), 0);
	assert_int_equal(hd_http_listeners(h.http, found, 4), 1);
	assert_string_equal(found[0].host, "::1");
	where = found[0];
	assert_int_equal(hd_http_listen_tcp(h.http, &where), HD_EEXIST);
	(void)snprintf(where.host, sizeof(where.host), "localhost");
	assert_int_equal(hd_http_listen_tcp(h.http, &where), HD_EINVAL);
	/* Without a certificate. */
	where = (struct hd_http_listener){ .tls = true, .host = "127.0.0.1" };
	assert_int_equal(hd_http_listen_tcp(h.http, &where), HD_EINVAL);
	harness_fini(&h);
}

static void test_certificates_that_are_none(void **state)
{
	static const struct {
		struct hd_http_tls_files files;
		const char *why;
	} rows[] = {
		{ { NULL, NULL, NULL }, "an https listener needs both" },
		{ { "/nonexistent/a.pem", "/nonexistent/a.key", NULL },
		  "/nonexistent/a.pem: no certificate" },
		{ { "/dev/null", "/dev/null", NULL }, "/dev/null: no certificate" },
	};
	struct hd_http_tls *tls = NULL;
	struct hd_buf errors;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&errors, 0, sizeof(errors));
		assert_int_equal(hd_http_tls_new(&tls, &rows[i].files, &errors), HD_EINVAL);
		assert_null(tls);
		assert_non_null(strstr(hd_buf_text(&errors), rows[i].why));
		hd_buf_fini(&errors);
	}
	hd_http_tls_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_told),
		cmocka_unit_test(test_sent_or_not),
		cmocka_unit_test(test_rate_of_a_source),
		cmocka_unit_test(test_connections_of_a_source),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_certificates_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
