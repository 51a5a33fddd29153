/*
 * conn.c - counts connections and gives each a deadline, which evhttp 2.1 does not.
 *
 * evhttp 2.1 says nothing of a connection that ends without a request. So each bufferevent is held
 * by a reference of ours, and is known to be let go when its callbacks have been taken off: evhttp
 * has then shut the socket down, and our last reference closes it.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>

#include "hotdesk/base/log.h"

#include "http_priv.h"

/* Beyond what evhttp has to hold at once: a whole request. */
enum { INPUT_SLACK = 65536 };

static void on_deadline(void *arg)
{
	struct http_conn *conn = arg;
	evutil_socket_t fd = bufferevent_getfd(conn->bev);

	hd_debug("http", "a connection is closed: no request within %u s",
		 conn->http->limits.timeout_s);
	/* evhttp sees the end of the stream and clears up by its own rules. */
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

static bool conn_has_ended(const struct http_conn *conn)
{
	bufferevent_event_cb on_event = NULL;

	bufferevent_getcb(conn->bev, NULL, NULL, &on_event, NULL);
	return !on_event;
}

void http_conn_free(struct http_conn *conn)
{
	LIST_REMOVE(conn, link);
	conn->http->n_conns--;
	if (conn->request)
		conn->request->conn = NULL;
	hd_timer_free(conn->deadline);
	(void)bufferevent_decref(conn->bev);
	free(conn);
}

void http_conns_sweep(struct hd_http *http)
{
	struct http_conn *conn = LIST_FIRST(&http->conns);
	struct http_conn *next;

	for (; conn; conn = next) {
		next = LIST_NEXT(conn, link);
		if (conn_has_ended(conn))
			http_conn_free(conn);
	}
	if (http->paused && http->n_conns < http->limits.connections_max)
		http_listeners_enable(http, true);
}

struct bufferevent *http_conn_new(struct event_base *base, void *arg)
{
	struct hd_http *http = arg;
	struct http_conn *conn;

	http_conns_sweep(http);
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		goto out;
	if (hd_timer_new(&conn->deadline, http->loop, on_deadline, conn))
		goto out;
	conn->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!conn->bev)
		goto out;
	/* It bounds what a peer may still send while its end waits for our look. */
	bufferevent_setwatermark(conn->bev, EV_READ, 0,
				 (size_t)http->limits.header_max_bytes +
					 http->limits.body_max_bytes + INPUT_SLACK);
	bufferevent_incref(conn->bev);
	conn->http = http;
	LIST_INSERT_HEAD(&http->conns, conn, link);
	if (++http->n_conns >= http->limits.connections_max)
		http_listeners_enable(http, false);
	http_conn_expect(conn, true);
	return conn->bev;

out:
	/* With NULL evhttp makes a bufferevent of its own: uncounted, but served. */
	hd_warn("http", "out of memory: a connection is not counted");
	if (conn)
		hd_timer_free(conn->deadline);
	free(conn);
	return NULL;
}

struct http_conn *http_conn_find(struct hd_http *http, struct evhttp_request *evreq)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(evreq);
	struct bufferevent *bev = evcon ? evhttp_connection_get_bufferevent(evcon) : NULL;
	struct http_conn *conn;

	LIST_FOREACH (conn, &http->conns, link)
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
