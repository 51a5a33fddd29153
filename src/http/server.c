/* server.c - see http.h: the server, its limits and its end. */
#include <signal.h>
#include <stdlib.h>

#include "hotdesk/base/log.h"

#include "http_priv.h"

enum { HEADER_MAX = 16384, BODY_MAX = 4 << 20, TIMEOUT_S = 30, CONNECTIONS_MAX = 64 };
/* All that the router can name, so that a wrong method gets our 405. */
enum {
	METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
		  EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE
};

static struct hd_http_limits limits_fill(const struct hd_http_limits *from)
{
	struct hd_http_limits l = { 0 };

	if (from)
		l = *from;
	if (!l.header_max_bytes)
		l.header_max_bytes = HEADER_MAX;
	if (!l.body_max_bytes)
		l.body_max_bytes = BODY_MAX;
	if (!l.timeout_s)
		l.timeout_s = TIMEOUT_S;
	if (!l.connections_max)
		l.connections_max = CONNECTIONS_MAX;
	return l;
}

/* libevent writes with writev(2): a peer that has gone would end the process. */
static int sigpipe_ignore(void)
{
	struct sigaction sa;

	if (sigaction(SIGPIPE, NULL, &sa))
		return HD_ESYSTEM;
	if (sa.sa_handler != SIG_DFL)
		return 0;
	sa.sa_handler = SIG_IGN;
	return sigaction(SIGPIPE, &sa, NULL) ? HD_ESYSTEM : 0;
}

static int side_open(struct http_side *side, struct hd_http *http, bool tls)
{
	struct evhttp *evhttp = evhttp_new(hd_loop_base(http->loop));

	if (!evhttp)
		return HD_ENOMEM;
	side->evhttp = evhttp;
	side->http = http;
	side->tls = tls;
	evhttp_set_max_headers_size(evhttp, (ev_ssize_t)http->limits.header_max_bytes);
	evhttp_set_max_body_size(evhttp, (ev_ssize_t)http->limits.body_max_bytes);
	evhttp_set_allowed_methods(evhttp, METHODS);
	evhttp_set_default_content_type(evhttp, NULL);
	/* Reads on to the end of a body that is too large, so that the peer sees the 413. */
	if (evhttp_set_flags(evhttp, EVHTTP_SERVER_LINGERING_CLOSE))
		return HD_ESYSTEM;
	evhttp_set_bevcb(evhttp, http_conn_new, side);
	evhttp_set_gencb(evhttp, http_request_take, http);
	return 0;
}

/* The lists are the caller's. */
static void limits_take(struct hd_http *http, const struct hd_http_limits *from)
{
	http->limits = limits_fill(from);
	hd_buckets_set(http->buckets, http->limits.source_rate, 1000, http->limits.source_burst);
	hd_networks_set(&http->exempt, "http", http->limits.source_exempt,
			http->limits.n_source_exempt);
	http->limits.source_exempt = NULL;
	http->limits.n_source_exempt = 0;
}

void hd_http_set_limits(struct hd_http *http, const struct hd_http_limits *limits)
{
	struct hd_http_limits now;

	if (!http || !limits)
		return;
	now = *limits;
	now.header_max_bytes = http->limits.header_max_bytes;
	now.body_max_bytes = http->limits.body_max_bytes;
	limits_take(http, &now);
}

void hd_http_set_tls(struct hd_http *http, struct hd_http_tls *tls)
{
	hd_http_tls_free(http->tls);
	http->tls = tls;
}

int hd_http_new(struct hd_http **hp, struct hd_loop *loop, const struct hd_http_limits *limits)
{
	struct hd_http *http;
	int err;

	if (!hp || !loop)
		return HD_EINVAL;
	http = calloc(1, sizeof(*http));
	if (!http)
		return HD_ENOMEM;
	http->loop = loop;
	TAILQ_INIT(&http->listeners);
	TAILQ_INIT(&http->conns);
	LIST_INIT(&http->requests);
	http->buckets = hd_buckets_new();
	err = http->buckets ? 0 : HD_ENOMEM;
	if (err)
		goto out;
	limits_take(http, limits);
	err = sigpipe_ignore();
	if (err)
		goto out;
	err = hd_timer_new(&http->wake, loop, http_listeners_wake, http);
	if (err)
		goto out;
	for (int i = 0; !err && i < 2; i++)
		err = side_open(&http->sides[i], http, i != 0);
	if (err)
		goto out;
	http_listeners_wake(http);
	*hp = http;
	return 0;

out:
	hd_http_free(http);
	return err;
}

int hd_http_add_routes(struct hd_http *http, const struct hd_http_route *routes, size_t n,
		       void *arg)
{
	if (!http || (!routes && n > 0))
		return HD_EINVAL;
	if (http->n_tables == HD_HTTP_TABLES_MAX)
		return HD_ELIMIT;
	http->tables[http->n_tables++] = (struct http_table){ routes, n, arg };
	return 0;
}

uint32_t hd_http_connections(struct hd_http *http)
{
	if (!http)
		return 0;
	http_conns_sweep(http, http->n_conns);
	return http->n_conns;
}

void hd_http_stop(struct hd_http *http)
{
	if (!http)
		return;
	while (!TAILQ_EMPTY(&http->listeners))
		http_listener_free(http, TAILQ_FIRST(&http->listeners));
	while (!LIST_EMPTY(&http->requests))
		http_request_abandon(LIST_FIRST(&http->requests));
}

void hd_http_free(struct hd_http *http)
{
	if (!http)
		return;
	hd_http_stop(http);
	for (int i = 0; i < 2; i++)
		if (http->sides[i].evhttp)
			evhttp_free(http->sides[i].evhttp);
	while (!TAILQ_EMPTY(&http->conns))
		http_conn_free(TAILQ_FIRST(&http->conns));
	hd_http_tls_free(http->tls);
	hd_buckets_free(http->buckets);
	hd_timer_free(http->wake);
	free(http);
}
