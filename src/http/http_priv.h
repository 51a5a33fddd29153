/* http_priv.h - what the files of http/ know of each other. */
#ifndef HTTP_PRIV_H
#define HTTP_PRIV_H

#include <sys/queue.h>
#include <sys/stat.h>

#include <event2/bufferevent.h>
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

/* ---- tls.c ----------------------------------------------------------------------------------- */

/** A bufferevent without a socket yet that will accept TLS; NULL without memory. */
struct bufferevent *http_tls_bufferevent(struct hd_http_tls *tls, struct event_base *base);
/** Tells the peer that no more will come. */
void http_tls_farewell(struct bufferevent *bev);
size_t http_tls_names(struct bufferevent *bev, char names[][HD_HTTP_NAME_SIZE], size_t max);

/* ---- conn.c: counted connections with a deadline --------------------------------------------- */

/** evhttp has one hook for all its listeners, so TLS ones have an evhttp of their own. */
struct http_side {
	struct hd_http *http;
	struct evhttp *evhttp;
	bool tls;
};

struct http_conn {
	TAILQ_ENTRY(http_conn) link;
	struct hd_http *http;
	struct bufferevent *bev;
	struct hd_timer *deadline;
	struct event *start;		 /* active until the peer is known */
	struct hd_http_request *request; /* in a handler's hands, or NULL */
	struct sockaddr_storage local, remote;
	struct hd_address address;
	bool tls;
	bool paid;   /* the connection's own count has paid for a request */
	bool closes; /* with the answer that is under way */
	hd_http_sent_fn *sent;
	void *sent_arg;
};
/** evhttp's hook: makes the bufferevent of a connection that was just accepted. */
struct bufferevent *http_conn_new(struct event_base *base, void *side);
/** The connection of a request, NULL when it has gone. */
struct http_conn *http_conn_find(struct hd_http *http, struct evhttp_request *evreq);
/** Starts the time the peer has for its next request, or stops it while we work. */
void http_conn_expect(struct http_conn *conn, bool expecting);
/** Whether its source may make one more request. */
bool http_conn_may_ask(struct http_conn *conn);
/** The answer is with the network, or never will be. */
void http_conn_sent(struct http_conn *conn, bool sent);
/** Lets go of a connection; the last reference closes it. */
void http_conn_free(struct http_conn *conn);
/** Frees those that evhttp has let go of, of the oldest `max`; accepts again when there is room. */
void http_conns_sweep(struct hd_http *http, uint32_t max);

/* ---- listener.c, socket.c -------------------------------------------------------------------- */

struct http_listener {
	TAILQ_ENTRY(http_listener) link;
	struct http_side *side;
	struct evhttp_bound_socket *bound;
	char *name; /* the path of a Unix socket, or "https:0.0.0.0:8443" */
	bool is_unix;
	dev_t dev; /* of the path */
	ino_t ino;
	struct hd_http_listener where; /* of TCP */
};
/** Hands the descriptor to evhttp, which owns it from here, and closes it on an error. */
HD_MUSTCHECK int http_listener_add(struct http_side *side, int fd, struct http_listener **lp);
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
	struct hd_http *http;		/* NULL after hd_http_stop(): answers are dropped */
	struct http_conn *conn;		/* NULL when the client has gone */
	struct evhttp_request *evreq;	/* NULL with http */
	struct evkeyvalq query, fields; /* fields: of the body */
	bool has_query, has_fields;
	struct http_match match;
	struct hd_http_peer peer;
};
/** evhttp's hook: one complete request. */
void http_request_take(struct evhttp_request *evreq, void *http);
void http_request_free(struct hd_http_request *req);
/** What was sent with it may be secret. */
void http_request_wipe(struct hd_http_request *req);
/** Answers with 503 in the handler's place. */
void http_request_abandon(struct hd_http_request *req);

/* ---- server.c -------------------------------------------------------------------------------- */

struct hd_http {
	struct hd_loop *loop;
	struct http_side sides[2]; /* plain, TLS */
	struct hd_http_tls *tls;
	struct hd_http_limits limits; /* without its lists */
	struct hd_buckets *buckets;
	struct hd_networks exempt;
	struct http_table tables[HD_HTTP_TABLES_MAX];
	size_t n_tables;
	TAILQ_HEAD(, http_listener) listeners;
	TAILQ_HEAD(http_conns, http_conn) conns;
	LIST_HEAD(, hd_http_request) requests;
	uint32_t n_conns;
	bool paused; /* at the limit of connections: not accepting */
	struct hd_timer *wake;
};

#endif
