/* http_priv.h - what the files of http/ know of each other. */
#ifndef HTTP_PRIV_H
#define HTTP_PRIV_H

#include <sys/queue.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "hotdesk/event.h"
#include "hotdesk/http.h"

/* ---- router.c -------------------------------------------------------------------------------- */

struct http_table {
	const struct hd_http_route *routes;
	size_t n;
	void *arg;
};

struct http_match {
	const struct hd_http_route *route;
	void *arg;
	unsigned allowed; /* methods of the routes whose path matches; 0: unknown path */
	unsigned n_params;
	char params[HD_HTTP_PARAMS_MAX][HD_HTTP_PARAM_SIZE];
};
/** @return 0; HD_ENOENT; HD_EUNSUPPORTED (not this method: see allowed); HD_EPARSE (bad escape) */
HD_MUSTCHECK int http_route(struct http_match *m, const struct http_table *tables, size_t n,
			    unsigned method, struct hd_slice path);

/* ---- conn.c: counted connections with a deadline --------------------------------------------- */

struct http_conn {
	LIST_ENTRY(http_conn) link;
	struct hd_http *http;
	struct bufferevent *bev;
	struct hd_timer *deadline;
	struct hd_http_request *request; /* in a handler's hands, or NULL */
};
/** evhttp's hook: makes the bufferevent of a connection that was just accepted. */
struct bufferevent *http_conn_new(struct event_base *base, void *http);
/** The connection of a request, NULL when it has gone. */
struct http_conn *http_conn_find(struct hd_http *http, struct evhttp_request *evreq);
/** Starts the time the peer has for its next request, or stops it while we work. */
void http_conn_expect(struct http_conn *conn, bool expecting);
/** Lets go of a connection; the last reference closes it. */
void http_conn_free(struct http_conn *conn);
/** Frees those that evhttp has let go of; accepts again when there is room. */
void http_conns_sweep(struct hd_http *http);

/* ---- listener.c ------------------------------------------------------------------------------ */

struct http_listener {
	LIST_ENTRY(http_listener) link;
	struct evhttp_bound_socket *bound;
	char *path;
	dev_t dev;
	ino_t ino;
};
void http_listeners_enable(struct hd_http *http, bool enable);
/**
 * A timer's function, each second: what ended is freed, a listener that was out of descriptors
 * tries again.
 */
void http_listeners_wake(void *http);
void http_listener_free(struct hd_http *http, struct http_listener *l);

/* ---- request.c, answer.c --------------------------------------------------------------------- */

struct hd_http_request {
	LIST_ENTRY(hd_http_request) link;
	struct hd_http *http;	      /* NULL after hd_http_stop(): answers are dropped */
	struct http_conn *conn;	      /* NULL when the client has gone */
	struct evhttp_request *evreq; /* NULL with http */
	struct evkeyvalq query;
	bool has_query;
	struct http_match match;
	struct hd_http_peer peer;
};
/** evhttp's hook: one complete request. */
void http_request_take(struct evhttp_request *evreq, void *http);
void http_request_free(struct hd_http_request *req);
/** Answers with 503 in the handler's place. */
void http_request_abandon(struct hd_http_request *req);

/* ---- server.c -------------------------------------------------------------------------------- */

struct hd_http {
	struct hd_loop *loop;
	struct evhttp *evhttp;
	struct hd_http_limits limits;
	struct http_table tables[HD_HTTP_TABLES_MAX];
	size_t n_tables;
	LIST_HEAD(, http_listener) listeners;
	LIST_HEAD(, http_conn) conns;
	LIST_HEAD(, hd_http_request) requests;
	uint32_t n_conns;
	bool paused; /* at the limit of connections: not accepting */
	struct hd_timer *wake;
};

#endif
