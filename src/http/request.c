/* request.c - one request: who asks, what for, with what. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"

#include "http_priv.h"

static const struct {
	enum evhttp_cmd_type theirs;
	enum hd_http_method ours;
	const char *name;
} methods[] = {
	{ EVHTTP_REQ_GET, HD_HTTP_GET, "GET" },
	{ EVHTTP_REQ_HEAD, HD_HTTP_GET, "HEAD" },
	{ EVHTTP_REQ_POST, HD_HTTP_POST, "POST" },
	{ EVHTTP_REQ_PUT, HD_HTTP_PUT, "PUT" },
	{ EVHTTP_REQ_PATCH, HD_HTTP_PATCH, "PATCH" },
	{ EVHTTP_REQ_DELETE, HD_HTTP_DELETE, "DELETE" },
};
enum { N_METHODS = sizeof(methods) / sizeof(methods[0]) };

static unsigned method_of(struct evhttp_request *evreq)
{
	for (size_t i = 0; i < N_METHODS; i++)
		if (methods[i].theirs == evhttp_request_get_command(evreq))
			return methods[i].ours;
	return 0;
}

static void peer_of_unix(struct hd_http_peer *peer, const struct http_conn *conn)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	evutil_socket_t fd = bufferevent_getfd(conn->bev);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return;
	peer->has_uid = true;
	peer->uid = cred.uid;
	peer->pid = cred.pid;
	(void)snprintf(peer->text, sizeof(peer->text), "uid=%u pid=%d", (unsigned)cred.uid,
		       (int)cred.pid);
}

static uint16_t address_format(char host[INET6_ADDRSTRLEN], const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)(const void *)ss;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)ss;

	host[0] = '\0';
	if (ss->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &sin->sin_addr, host, INET6_ADDRSTRLEN);
		return ntohs(sin->sin_port);
	}
	if (ss->ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &sin6->sin6_addr, host, INET6_ADDRSTRLEN);
		return ntohs(sin6->sin6_port);
	}
	return 0;
}

static void peer_find(struct hd_http_peer *peer, const struct http_conn *conn)
{
	char host[INET6_ADDRSTRLEN];

	(void)snprintf(peer->text, sizeof(peer->text), "unknown");
	if (!conn)
		return;
	if (!conn->address.family) {
		peer_of_unix(peer, conn);
		return;
	}
	peer->tls = conn->tls;
	peer->address = conn->address;
	peer->port = address_format(host, &conn->remote);
	(void)snprintf(peer->text, sizeof(peer->text), strchr(host, ':') ? "[%s]:%u" : "%s:%u",
		       host, (unsigned)peer->port);
}

void hd_http_addresses(const struct hd_http_request *req, char *local, char *remote, size_t size)
{
	const struct http_conn *conn = req->conn;
	const char *transport = req->peer.tls ? "TLS" : "TCP";
	char *const texts[] = { local, remote };
	char host[INET6_ADDRSTRLEN];
	uint16_t port;

	for (int i = 0; i < 2; i++) {
		const struct sockaddr_storage *ss = !conn ? NULL : i ? &conn->remote : &conn->local;

		port = ss ? address_format(host, ss) : 0;
		(void)snprintf(texts[i], size, "%s/%s/%s/%u",
			       ss && ss->ss_family == AF_INET6 ? "IPV6" : "IPV4", transport,
			       ss ? host : "", (unsigned)port);
	}
}

size_t hd_http_certificate_names(const struct hd_http_request *req, char names[][HD_HTTP_NAME_SIZE],
				 size_t max)
{
	return req->conn && req->conn->tls ? http_tls_names(req->conn->bev, names, max) : 0;
}

const char *hd_http_method_name(const struct hd_http_request *req)
{
	for (size_t i = 0; req->evreq && i < N_METHODS; i++)
		if (methods[i].theirs == evhttp_request_get_command(req->evreq))
			return methods[i].name;
	return "";
}

const char *hd_http_target(const struct hd_http_request *req)
{
	const char *target = req->evreq ? evhttp_request_get_uri(req->evreq) : NULL;

	return target ? target : "";
}

const char *hd_http_header(const struct hd_http_request *req, const char *name)
{
	return req->evreq ? evhttp_find_header(evhttp_request_get_input_headers(req->evreq), name)
			  : NULL;
}

/* "GET, HEAD, PATCH": what a path that exists would have taken. */
static void allow_add(struct evhttp_request *evreq, unsigned allowed)
{
	struct hd_buf b = { 0 };

	for (size_t i = 0; i < N_METHODS; i++)
		if (allowed & methods[i].ours)
			hd_buf_addf(&b, "%s%s", b.len ? ", " : "", methods[i].name);
	if (!hd_buf_error(&b))
		(void)evhttp_add_header(evhttp_request_get_output_headers(evreq), "Allow",
					hd_buf_text(&b));
	hd_buf_fini(&b);
}

static struct hd_http_request *request_new(struct evhttp_request *evreq, struct hd_http *http)
{
	struct hd_http_request *req = calloc(1, sizeof(*req));

	if (!req)
		return NULL;
	req->http = http;
	req->evreq = evreq;
	LIST_INSERT_HEAD(&http->requests, req, link);
	req->conn = http_conn_find(http, evreq);
	if (req->conn) {
		req->conn->request = req;
		http_conn_expect(req->conn, false);
	}
	peer_find(&req->peer, req->conn);
	return req;
}

static void dispatch(struct hd_http_request *req)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req->evreq);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	int err;

	if (req->conn && !http_conn_may_ask(req->conn)) {
		hd_http_add_header(req, "Retry-After", "1");
		hd_http_set_close(req);
		hd_http_refuse(req, 429, "too-many-requests", "too many requests from there");
		return;
	}
	err = http_route(&req->match, req->http->tables, req->http->n_tables, method_of(req->evreq),
			 hd_slice_of(path));
	switch (err) {
	case 0:
		req->match.route->fn(req, req->match.arg);
		break;
	case HD_EUNSUPPORTED:
		allow_add(req->evreq, req->match.allowed);
		hd_http_refuse(req, 405, "method-not-allowed", "not with this method");
		break;
	case HD_ENOENT:
		hd_http_refuse(req, 404, "not-found", "no such resource");
		break;
	default:
		hd_http_answer_error(req, HD_EPARSE,
				     "a segment of the path is malformed or too long");
		break;
	}
}

void http_request_take(struct evhttp_request *evreq, void *arg)
{
	struct hd_http_request *req = request_new(evreq, arg);

	if (req)
		dispatch(req);
	else
		evhttp_send_error(evreq, 503, "Service Unavailable");
}

/* The body has been moved to one piece by hd_http_body(), or was never looked at. */
static void body_wipe(struct evhttp_request *evreq)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(evreq);
	size_t n = evbuffer_get_length(in);
	unsigned char *p = n ? evbuffer_pullup(in, -1) : NULL;

	if (p)
		hd_wipe(p, n);
}

static void text_wipe(const char *text)
{
	if (text)
		hd_wipe((char *)(uintptr_t)text, strlen(text));
}

/* A form that is sent by GET has a PIN there. */
static void query_wipe(struct evhttp_request *evreq)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(evreq);
	const char *target = evhttp_request_get_uri(evreq);

	text_wipe(uri ? evhttp_uri_get_query(uri) : NULL);
	text_wipe(target ? strchr(target, '?') : NULL);
}

static void list_wipe(struct evkeyvalq *list)
{
	struct evkeyval *kv;

	TAILQ_FOREACH (kv, list, next)
		text_wipe(kv->value);
	evhttp_clear_headers(list);
}

void http_request_wipe(struct hd_http_request *req)
{
	if (req->evreq) {
		body_wipe(req->evreq);
		query_wipe(req->evreq);
	}
	if (req->has_query)
		list_wipe(&req->query);
	if (req->has_fields)
		list_wipe(&req->fields);
	req->has_query = req->has_fields = false;
}

void http_request_free(struct hd_http_request *req)
{
	LIST_REMOVE(req, link);
	http_request_wipe(req);
	if (req->conn) {
		req->conn->request = NULL;
		http_conn_expect(req->conn, true);
	}
	free(req);
}

const struct hd_http_peer *hd_http_peer_get(const struct hd_http_request *req)
{
	return &req->peer;
}

const char *hd_http_param(const struct hd_http_request *req, unsigned i)
{
	return i < req->match.n_params ? req->match.params[i] : "";
}

const char *hd_http_query(struct hd_http_request *req, const char *name)
{
	const char *text;

	if (!req->evreq)
		return NULL;
	if (!req->has_query) {
		text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req->evreq));
		/* Leaves the list empty and sound when it cannot be parsed. */
		TAILQ_INIT(&req->query);
		req->has_query = !text || !evhttp_parse_query_str(text, &req->query);
	}
	return req->has_query ? evhttp_find_header(&req->query, name) : NULL;
}

const char *hd_http_field(struct hd_http_request *req, const char *name)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *found = hd_http_query(req, name);
	const char *type = hd_http_header(req, "Content-Type");
	struct hd_slice body;
	char *text;

	if (found || !type || strncasecmp(type, form, sizeof(form) - 1) != 0)
		return found;
	if (!req->has_fields) {
		body = hd_http_body(req);
		text = body.len ? strndup(body.ptr, body.len) : NULL;
		TAILQ_INIT(&req->fields);
		req->has_fields = !text || !evhttp_parse_query_str(text, &req->fields);
		if (text)
			hd_wipe(text, strlen(text));
		free(text);
	}
	return req->has_fields ? evhttp_find_header(&req->fields, name) : NULL;
}

int hd_http_query_u64(struct hd_http_request *req, const char *name, uint64_t max, uint64_t *vp)
{
	const char *text = hd_http_query(req, name);

	return text ? hd_u64_parse(vp, hd_slice_of(text), max) : 0;
}

struct hd_slice hd_http_body(struct hd_http_request *req)
{
	struct hd_slice s = { NULL, 0 };
	struct evbuffer *in;

	if (!req->evreq)
		return s;
	in = evhttp_request_get_input_buffer(req->evreq);
	s.len = evbuffer_get_length(in);
	s.ptr = s.len ? (const char *)evbuffer_pullup(in, -1) : NULL;
	if (!s.ptr)
		s.len = 0;
	return s;
}
