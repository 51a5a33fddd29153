/*
 * http.h - an HTTP/1.1 server on the control loop: listeners, TLS, router, limits, JSON.
 *
 * One hd_http is one set of routes with its listeners; the admin socket and the phones' HTTPS are
 * two of them on the same loop, so that no route can be reached from the wrong side. A handler
 * answers its request exactly once, at once or later (after a commit); a client that has gone by
 * then costs nothing. Requests that no route takes are answered here, as JSON: 404, 405 with Allow,
 * 400. What is not HTTP at all, or larger than the limits, gets libevent's own error page.
 *
 * Layer: 3 (libevent, OpenSSL, jansson).  May include: base, event.  Thread: the control thread
 * only, but for what says so.
 */
#ifndef HOTDESK_HTTP_H
#define HOTDESK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hotdesk/base/error.h"
#include "hotdesk/base/source.h"
#include "hotdesk/base/str.h"

struct hd_http;
struct hd_http_request;
struct hd_loop;

struct hd_http_limits {
	uint32_t header_max_bytes; /* 0 means 16384 */
	uint32_t body_max_bytes;   /* 0 means 4 MiB */
	/* from the accept, or from an answer, to the end of the next request; 0 means 30 */
	uint32_t timeout_s;
	uint32_t connections_max; /* further ones wait in the backlog; 0 means 64 */
	/* Of TCP alone; 0: no limit. A request, or a connection that makes none, counts as one. */
	uint32_t connections_per_source;
	uint32_t source_rate, source_burst; /* a second, at once */
	const char *const *source_exempt;   /* networks without these; copied */
	size_t n_source_exempt;
};

/** SIGPIPE is ignored from here on, unless it has a handler. @return 0, HD_ENOMEM or HD_ESYSTEM */
HD_MUSTCHECK int hd_http_new(struct hd_http **hp, struct hd_loop *loop,
			     const struct hd_http_limits *limits);
/**
 * Listens on a Unix socket. The socket appears at the path with its mode and ready to accept, or
 * not at all. A socket that nobody listens on is replaced; anything else at the path is left alone.
 * @return 0, HD_EEXIST (in use, or not a socket), HD_ELIMIT (path too long), HD_EACCESS,
 *         HD_ESYSTEM; the reason is in the log
 */
HD_MUSTCHECK int hd_http_listen_unix(struct hd_http *http, const char *path, mode_t mode);
/** The limits of sources, connections and time; the sizes stay as they were. Copied. */
void hd_http_set_limits(struct hd_http *http, const struct hd_http_limits *limits);

/* ---- TCP and TLS ---------------------------------------------------------------------------- */

/** PEM files. */
struct hd_http_tls_files {
	const char *certificate; /* ours, then the intermediate ones */
	const char *key;
	/* That clients' certificates are checked against, or NULL. None is asked for in earnest: a
	 * client without one, or with one that is not good, is served as one without. */
	const char *client_ca;
};
struct hd_http_tls;
/**
 * Reads and checks them. TLS 1.2 and 1.3. Any thread.
 * @param errors receives one line when they are refused
 * @return 0, HD_EINVAL or HD_ENOMEM
 */
HD_MUSTCHECK int hd_http_tls_new(struct hd_http_tls **tp, const struct hd_http_tls_files *files,
				 struct hd_buf *errors);
/** NULL-safe. */
void hd_http_tls_free(struct hd_http_tls *tls);
/** For the connections that come from now on; tls is moved. */
void hd_http_set_tls(struct hd_http *http, struct hd_http_tls *tls);

struct hd_http_listener {
	bool tls;
	char host[64]; /* literal address, IPv6 without [] */
	uint16_t port; /* 0 asks for a free one */
};
/**
 * Listens on a TCP address; tls needs hd_http_set_tls() before.
 * @return 0, HD_EINVAL, HD_EEXIST (in use), HD_EACCESS, HD_ESYSTEM; the reason is in the log
 */
HD_MUSTCHECK int hd_http_listen_tcp(struct hd_http *http, const struct hd_http_listener *where);
/** Where it really listens on TCP, in the order of the calls. @return how many were written */
size_t hd_http_listeners(const struct hd_http *http, struct hd_http_listener *listeners,
			 size_t max);

/**
 * Stops listening, removes its sockets, answers what is open with 503. Later answers are dropped.
 */
void hd_http_stop(struct hd_http *http);
/** Stops, closes every connection. Open requests stay valid until they are answered. NULL-safe. */
void hd_http_free(struct hd_http *http);
/** Open connections. */
uint32_t hd_http_connections(struct hd_http *http);

/* ---- routes --------------------------------------------------------------------------------- */

enum hd_http_method {
	HD_HTTP_GET = 1, /* HEAD as well */
	HD_HTTP_POST = 2,
	HD_HTTP_PUT = 4,
	HD_HTTP_PATCH = 8,
	HD_HTTP_DELETE = 16,
};
enum { HD_HTTP_PARAMS_MAX = 4, HD_HTTP_PARAM_SIZE = 129, HD_HTTP_TABLES_MAX = 8 };

typedef void hd_http_fn(struct hd_http_request *req, void *arg);

/**
 * A segment of the path that begins with ':' takes any one non-empty segment as a parameter. The
 * path "*" takes whatever comes, which the handler reads with hd_http_target().
 */
struct hd_http_route {
	enum hd_http_method method;
	const char *path; /* "/v1/users/:number/unlock" */
	hd_http_fn *fn;
};
/** Adds a table of routes, borrowed. The first match wins. @return 0 or HD_ELIMIT */
HD_MUSTCHECK int hd_http_add_routes(struct hd_http *http, const struct hd_http_route *routes,
				    size_t n, void *arg);

/* ---- a request; everything borrowed until it is answered ------------------------------------ */

/** Who asks. */
struct hd_http_peer {
	bool has_uid; /* a Unix socket told us (SO_PEERCRED) */
	uid_t uid;
	pid_t pid;
	bool tls;
	struct hd_address address; /* of TCP; else family 0 */
	uint16_t port;
	char text[64]; /* "uid=1000 pid=4711"; "192.0.2.1:40000", "[2001:db8::1]:40000" */
};
const struct hd_http_peer *hd_http_peer_get(const struct hd_http_request *req);
/** "IPV4/TLS/192.0.2.1/443", as struct hd_security_event has it: ours and the peer's. */
void hd_http_addresses(const struct hd_http_request *req, char *local, char *remote, size_t size);
enum { HD_HTTP_NAME_SIZE = 256 };
/**
 * The names in the client's certificate: common names, then DNS names, URIs and mail addresses of
 * the subjectAltName. None without a certificate that the client CA vouches for.
 */
size_t hd_http_certificate_names(const struct hd_http_request *req, char names[][HD_HTTP_NAME_SIZE],
				 size_t max);
/** "GET" ...; a HEAD comes to the handlers of GET. */
const char *hd_http_method_name(const struct hd_http_request *req);
/** The request's target as it was sent, escapes, query and all. */
const char *hd_http_target(const struct hd_http_request *req);
/** The first header field of that name, any case; NULL when there is none. */
const char *hd_http_header(const struct hd_http_request *req, const char *name);
/** The i-th ':' segment, unescaped; "" when there is none. */
const char *hd_http_param(const struct hd_http_request *req, unsigned i);
/** An argument of the query string, unescaped; NULL when it is not there. */
const char *hd_http_query(struct hd_http_request *req, const char *name);
/**
 * The same of the query string, or of a body that is application/x-www-form-urlencoded. Both are
 * wiped when the request is answered.
 */
const char *hd_http_field(struct hd_http_request *req, const char *name);
/** One as a number. @return 0 (also when absent: *vp keeps its value), HD_EPARSE, HD_ELIMIT */
HD_MUSTCHECK int hd_http_query_u64(struct hd_http_request *req, const char *name, uint64_t max,
				   uint64_t *vp);
/** Wiped when the request is answered. */
struct hd_slice hd_http_body(struct hd_http_request *req);

/** A field of the answer to come; what there is no memory for is left out and logged. */
void hd_http_add_header(struct hd_http_request *req, const char *name, const char *value);
/** The connection ends with the answer. */
void hd_http_set_close(struct hd_http_request *req);
/**
 * Calls fn once: true when the last byte of the answer was given to the network, false when it
 * never will be. Before the answer.
 */
typedef void hd_http_sent_fn(void *arg, bool sent);
void hd_http_on_sent(struct hd_http_request *req, hd_http_sent_fn *fn, void *arg);

/* Every answer ends the request. To a HEAD goes what a GET would have got, without the body. */
void hd_http_answer(struct hd_http_request *req, unsigned status, const char *type,
		    struct hd_slice body);
/** Moves a finished JSON text in; out of memory while it was written gives a 503. */
void hd_http_answer_json(struct hd_http_request *req, unsigned status, struct hd_buf *json);
/** {"error": "not-found", "detail": "..."} with the status of an HD_E* code. */
void hd_http_answer_error(struct hd_http_request *req, int err, const char *fmt, ...)
	HD_PRINTF(3, 4);
/** The same with a status and an error word of the caller. */
void hd_http_refuse(struct hd_http_request *req, unsigned status, const char *word, const char *fmt,
		    ...) HD_PRINTF(4, 5);

/** The one table from HD_E* to an HTTP status and a word; 500 "internal" for unknown codes. */
unsigned hd_http_status(int err, const char **wordp);

/* ---- JSON ----------------------------------------------------------------------------------- */

/**
 * Writes JSON as it goes, without a tree. Bytes that are not UTF-8 (they may come from the wire)
 * become U+FFFD. Inside an object every call has a key, inside an array key is NULL. Errors stick
 * to the buffer.
 */
struct hd_json {
	struct hd_buf *buf; /* borrowed */
	bool comma;
};
void hd_json_init(struct hd_json *j, struct hd_buf *buf);
void hd_json_object(struct hd_json *j, const char *key);
void hd_json_object_end(struct hd_json *j);
void hd_json_array(struct hd_json *j, const char *key);
void hd_json_array_end(struct hd_json *j);
void hd_json_str(struct hd_json *j, const char *key, const char *s); /* NULL gives null */
void hd_json_int(struct hd_json *j, const char *key, int64_t v);
void hd_json_uint(struct hd_json *j, const char *key, uint64_t v);
void hd_json_bool(struct hd_json *j, const char *key, bool v);
void hd_json_null(struct hd_json *j, const char *key);
/** RFC 3339 in UTC; null for 0. */
void hd_json_time(struct hd_json *j, const char *key, int64_t at_ms);

enum hd_json_type { HD_JSON_TEXT, HD_JSON_BOOL };
struct hd_json_field {
	const char *name;
	enum hd_json_type type;
	void *dst; /* char[size] for text, bool for bool; untouched when the field is absent */
	size_t size;
	bool required;
	bool nullable; /* text only: null gives "" and counts as given */
	bool *givenp;  /* may be NULL */
};
/**
 * Reads one flat object of known fields. Text is UTF-8 without control characters.
 * @param why receives one line for the caller: which field, what was expected
 * @return 0, HD_EPARSE, HD_ELIMIT (text too long) or HD_ENOMEM
 */
HD_MUSTCHECK int hd_json_read(struct hd_slice text, const struct hd_json_field *fields, size_t n,
			      struct hd_buf *why);

#endif
