/* answer.c - the end of a request. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "hotdesk/base/log.h"

#include "http_priv.h"

static const char json_type[] = "application/json";

/* Those that libevent's own table lacks; NULL takes libevent's. */
static const char *reason_of(unsigned status)
{
	switch (status) {
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 507:
		return "Insufficient Storage";
	default:
		return NULL;
	}
}

static void headers_add(struct evhttp_request *evreq, const char *type)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(evreq);
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (evhttp_add_header(out, rows[i].name, rows[i].value))
			hd_warn("http", "an answer goes without %s", rows[i].name);
	if (type && evhttp_add_header(out, "Content-Type", type))
		hd_warn("http", "an answer goes without its type");
}

void hd_http_add_header(struct hd_http_request *req, const char *name, const char *value)
{
	/* Refused, too, is what has a line break in it. */
	if (req->evreq &&
	    evhttp_add_header(evhttp_request_get_output_headers(req->evreq), name, value))
		hd_warn("http", "an answer goes without %s", name);
}

void hd_http_set_close(struct hd_http_request *req)
{
	hd_http_add_header(req, "Connection", "close");
}

void hd_http_on_sent(struct hd_http_request *req, hd_http_sent_fn *fn, void *arg)
{
	if (!req->conn) {
		fn(arg, false);
		return;
	}
	http_conn_sent(req->conn, false);
	req->conn->sent = fn;
	req->conn->sent_arg = arg;
}

/* evhttp writes it where the connection goes on; a HEAD, and HTTP/1.0, are owed it as well. */
static void length_add(struct evhttp_request *evreq, unsigned status, size_t len)
{
	char text[24];

	if (status == 204 || status == 304)
		return;
	(void)snprintf(text, sizeof(text), "%zu", len);
	if (evhttp_add_header(evhttp_request_get_output_headers(evreq), "Content-Length", text))
		hd_warn("http", "an answer goes without its length");
}

static bool has_close(struct evkeyvalq *headers)
{
	const char *value = evhttp_find_header(headers, "Connection");

	return value && strcasecmp(value, "close") == 0;
}

/* evhttp ends the connection after this, if it is to end. */
static void on_complete(struct evhttp_request *evreq, void *arg)
{
	struct http_conn *conn = arg;

	http_conn_sent(conn, true);
	if (conn->tls && (has_close(evhttp_request_get_input_headers(evreq)) ||
			  has_close(evhttp_request_get_output_headers(evreq))))
		http_tls_farewell(conn->bev);
}

void hd_http_answer(struct hd_http_request *req, unsigned status, const char *type,
		    struct hd_slice body)
{
	struct evhttp_request *evreq = req->evreq;
	struct evbuffer *out;
	bool head;

	if (!evreq) {
		free(req);
		return;
	}
	head = evhttp_request_get_command(evreq) == EVHTTP_REQ_HEAD;
	out = evbuffer_new();
	if (!out || (body.len && !head && evbuffer_add(out, body.ptr, body.len))) {
		hd_warn("http", "out of memory for an answer of %zu bytes", body.len);
		status = 503;
		body.len = 0;
	}
	if (req->conn)
		evhttp_request_set_on_complete_cb(evreq, on_complete, req->conn);
	http_request_free(req);
	headers_add(evreq, type);
	length_add(evreq, status, body.len);
	evhttp_send_reply(evreq, (int)status, reason_of(status), out);
	if (out)
		evbuffer_free(out);
}

void hd_http_answer_json(struct hd_http_request *req, unsigned status, struct hd_buf *json)
{
	struct hd_slice body;
	int err = hd_buf_error(json);

	if (err) {
		hd_http_answer_error(req, err, "no memory for the answer");
	} else {
		hd_buf_adds(json, "\n");
		body = (struct hd_slice){ hd_buf_text(json), json->len };
		hd_http_answer(req, status, json_type, body);
	}
	hd_buf_fini(json);
}

static void refuse(struct hd_http_request *req, unsigned status, const char *word, const char *fmt,
		   va_list ap)
{
	struct hd_buf detail = { 0 };
	struct hd_buf text = { 0 };
	struct hd_json j;
	struct hd_slice body;

	hd_buf_vaddf(&detail, fmt, ap);
	hd_json_init(&j, &text);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "error", word);
	hd_json_str(&j, "detail", hd_buf_text(&detail));
	hd_json_object_end(&j);
	hd_buf_adds(&text, "\n");
	/* Without memory for the words the status still tells. */
	body = (struct hd_slice){ hd_buf_text(&text), hd_buf_error(&text) ? 0 : text.len };
	hd_http_answer(req, status, json_type, body);
	hd_buf_fini(&text);
	hd_buf_fini(&detail);
}

void hd_http_refuse(struct hd_http_request *req, unsigned status, const char *word, const char *fmt,
		    ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(req, status, word, fmt, ap);
	va_end(ap);
}

void hd_http_answer_error(struct hd_http_request *req, int err, const char *fmt, ...)
{
	const char *word;
	unsigned status = hd_http_status(err, &word);
	va_list ap;

	va_start(ap, fmt);
	refuse(req, status, word, fmt, ap);
	va_end(ap);
}

void http_request_abandon(struct hd_http_request *req)
{
	struct evhttp_request *evreq = req->evreq;
	struct http_conn *conn = req->conn;

	/* The handler keeps req, which now leads nowhere. */
	LIST_REMOVE(req, link);
	http_request_wipe(req);
	req->http = NULL;
	req->evreq = NULL;
	req->conn = NULL;
	if (conn) {
		conn->request = NULL;
		http_conn_expect(conn, true);
	}
	headers_add(evreq, json_type);
	evhttp_send_reply(evreq, 503, NULL, NULL);
}
