/*
 * conn.c - counts connections and gives each a deadline, which evhttp 2.1 does not.
 *
 * evhttp 2.1 says nothing of a connection that ends without a request. So each bufferevent is held
 * by a reference of ours, and is known to be let go when its callbacks have been taken off: evhttp
 * has then shut the socket down, and our last reference closes it. Nor does it tell who is there
 * before it has a request: we look as soon as the socket is in its bufferevent, which is before
 * anything is read from it, a TLS handshake for example.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/log.h"

#include "http_priv.h"

/* Beyond what evhttp has to hold at once: a whole request. */
enum { INPUT_SLACK = 65536, SWEPT_BY_ACCEPT = 16 };

/* evhttp sees the end of the stream and clears up by its own rules. */
static void conn_end(struct http_conn *conn, const char *why)
{
	evutil_socket_t fd = bufferevent_getfd(conn->bev);

	hd_debug("http", "a connection is closed: %s", why);
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

static void on_deadline(void *arg)
{
	conn_end(arg, "no request in time");
}

static bool conn_has_ended(const struct http_conn *conn)
{
	bufferevent_event_cb on_event = NULL;

	bufferevent_getcb(conn->bev, NULL, NULL, &on_event, NULL);
	return !on_event;
}

void http_conn_sent(struct http_conn *conn, bool sent)
{
	hd_http_sent_fn *fn = conn->sent;

	conn->sent = NULL;
	if (fn)
		fn(conn->sent_arg, sent);
}

void http_conn_free(struct http_conn *conn)
{
	TAILQ_REMOVE(&conn->http->conns, conn, link);
	conn->http->n_conns--;
	if (conn->request)
		conn->request->conn = NULL;
	http_conn_sent(conn, false);
	hd_timer_free(conn->deadline);
	if (conn->start)
		event_free(conn->start);
	(void)bufferevent_decref(conn->bev);
	free(conn);
}

void http_conns_sweep(struct hd_http *http, uint32_t max)
{
	struct http_conn *conn = TAILQ_FIRST(&http->conns), *next;

	for (uint32_t i = 0; conn && i < max; i++, conn = next) {
		next = TAILQ_NEXT(conn, link);
		if (conn_has_ended(conn)) {
			http_conn_free(conn);
			continue;
		}
		/* Others are looked at the next time. */
		TAILQ_REMOVE(&http->conns, conn, link);
		TAILQ_INSERT_TAIL(&http->conns, conn, link);
	}
	if (http->paused && http->n_conns < http->limits.connections_max)
		http_listeners_enable(http, true);
}

/* ---- limits of one source -------------------------------------------------------------------- */

static bool is_limited(const struct http_conn *conn)
{
	return conn->address.family && !hd_networks_have(&conn->http->exempt, &conn->address);
}

bool http_conn_may_ask(struct http_conn *conn)
{
	if (!is_limited(conn))
		return true;
	if (conn->paid) {
		conn->paid = false;
		return true;
	}
	return hd_buckets_take(conn->http->buckets, &conn->address,
			       hd_clock_mono_ms(hd_clock_system()));
}

static uint32_t count_source(const struct http_conn *like)
{
	const struct http_conn *conn;
	uint32_t n = 0;

	TAILQ_FOREACH (conn, &like->http->conns, link)
		n += conn->address.family == like->address.family &&
		     memcmp(&conn->address, &like->address, sizeof(conn->address)) == 0 &&
		     !conn_has_ended(conn);
	return n;
}

/* Whoever is over a limit gets a reset, which costs us neither a handshake nor a TIME_WAIT. */
static void conn_refuse(struct http_conn *conn, const char *why)
{
	const struct linger now = { .l_onoff = 1 };

	(void)setsockopt(bufferevent_getfd(conn->bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	conn_end(conn, why);
}

static void on_start(evutil_socket_t fd, short what, void *arg)
{
	const struct hd_http_limits *limits;
	struct http_conn *conn = arg;
	socklen_t len = sizeof(conn->remote);
	const int on = 1;

	(void)what;
	limits = &conn->http->limits;
	fd = bufferevent_getfd(conn->bev);
	if (fd < 0 || getpeername(fd, (struct sockaddr *)&conn->remote, &len))
		return;
	len = sizeof(conn->local);
	(void)getsockname(fd, (struct sockaddr *)&conn->local, &len);
	hd_address_set(&conn->address, (struct sockaddr *)&conn->remote);
	/* An answer does not wait for the ACK of the session tickets before it. */
	if (conn->address.family)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!is_limited(conn))
		return;
	conn->paid = http_conn_may_ask(conn);
	if (!conn->paid)
		conn_refuse(conn, "its source makes too many");
	else if (limits->connections_per_source &&
		 count_source(conn) > limits->connections_per_source)
		conn_refuse(conn, "its source has too many");
}

/* ---- life ------------------------------------------------------------------------------------ */

static int conn_open(struct http_conn *conn, struct http_side *side, struct event_base *base)
{
	int err;

	err = hd_timer_new(&conn->deadline, side->http->loop, on_deadline, conn);
	if (err)
		return err;
	conn->start = event_new(base, -1, 0, on_start, conn);
	if (!conn->start)
		return HD_ENOMEM;
	conn->bev = side->tls ? http_tls_bufferevent(side->http->tls, base)
			      : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	return conn->bev ? 0 : HD_ENOMEM;
}

struct bufferevent *http_conn_new(struct event_base *base, void *arg)
{
	struct http_side *side = arg;
	struct hd_http *http = side->http;
	struct http_conn *conn;

	/* Before: evhttp has not set the callbacks of a new one yet. */
	http_conns_sweep(http, http->n_conns + 1 < http->limits.connections_max ? SWEPT_BY_ACCEPT
										: http->n_conns);
	conn = calloc(1, sizeof(*conn));
	if (!conn || conn_open(conn, side, base))
		goto out;
	/* It bounds what a peer may still send while its end waits for our look. */
	bufferevent_setwatermark(conn->bev, EV_READ, 0,
				 (size_t)http->limits.header_max_bytes +
					 http->limits.body_max_bytes + INPUT_SLACK);
	bufferevent_incref(conn->bev);
	conn->http = http;
	conn->tls = side->tls;
	TAILQ_INSERT_HEAD(&http->conns, conn, link);
	if (++http->n_conns >= http->limits.connections_max)
		http_listeners_enable(http, false);
	http_conn_expect(conn, true);
	event_active(conn->start, EV_TIMEOUT, 0);
	return conn->bev;

out:
	/* With NULL evhttp makes a bufferevent of its own: uncounted, and plain. */
	hd_warn("http", "out of memory: a connection is not counted");
	if (conn)
		hd_timer_free(conn->deadline);
	if (conn && conn->start)
		event_free(conn->start);
	free(conn);
	return NULL;
}

struct http_conn *http_conn_find(struct hd_http *http, struct evhttp_request *evreq)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(evreq);
	struct bufferevent *bev = evcon ? evhttp_connection_get_bufferevent(evcon) : NULL;
	struct http_conn *conn;

	TAILQ_FOREACH (conn, &http->conns, link)
		if (bev && conn->bev == bev)
			return conn;
	return NULL;
}

void http_conn_expect(struct http_conn *conn, bool expecting)
{
	if (!expecting)
		hd_timer_cancel(conn->deadline);
	else if (hd_timer_set(conn->deadline, (int64_t)conn->http->limits.timeout_s * 1000))
		hd_warn("http", "a connection is left without a deadline");
}
