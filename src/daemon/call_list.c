/* call_list.c - call lists in the admin API: pages, CSV. */
#include <stdlib.h>
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"
#include "removal.h"

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000 };

struct list_request {
	struct hd_calls_query query;
	uint64_t from_ms, until_ms, limit;
	uint8_t after[HD_CALLS_KEY_MAX];
	bool csv;
};

/* ---- what is asked for ---------------------------------------------------------------------- */

static bool read_kinds(const char *text, unsigned *kindsp)
{
	for (int kind = 0; text && kind < HD_CALL_KIND_COUNT; kind++) {
		if (strcmp(text, hd_call_kind_name(kind)) == 0) {
			*kindsp = 1U << kind;
			return true;
		}
	}
	return !text || strcmp(text, "all") == 0;
}

static bool read_after(const char *text, struct list_request *l)
{
	size_t n = text ? strlen(text) / 2 : 0;

	if (n == 0)
		return !text || !*text;
	if (n > sizeof(l->after) || hd_hex_parse(l->after, n, hd_slice_of(text)))
		return false;
	l->query.after = (struct hd_slice){ (const char *)l->after, n };
	return true;
}

static bool read_request(struct hd_http_request *req, struct list_request *l)
{
	const char *format = hd_http_query(req, "format");
	const char *why = NULL;

	memset(l, 0, sizeof(*l));
	l->limit = PAGE_DEFAULT;
	l->csv = format && strcmp(format, "csv") == 0;
	l->query.owner = hd_http_param(req, 0);
	l->query.phone = hd_http_query(req, "phone");
	if (hd_http_query_u64(req, "limit", PAGE_MAX, &l->limit) || l->limit == 0)
		why = "limit: expected 1 to 1000";
	else if (hd_http_query_u64(req, "from", INT64_MAX, &l->from_ms) ||
		 hd_http_query_u64(req, "until", INT64_MAX, &l->until_ms))
		why = "from, until: expected milliseconds since 1970";
	else if (!read_kinds(hd_http_query(req, "kind"), &l->query.kinds))
		why = "kind: expected all, dialled, received or missed";
	else if (!read_after(hd_http_query(req, "after"), l))
		why = "after: expected the next of the page before";
	else if (format && !l->csv && strcmp(format, "json") != 0)
		why = "format: expected json or csv";
	l->query.from_ms = (int64_t)l->from_ms;
	l->query.until_ms = (int64_t)l->until_ms;
	if (why)
		hd_http_answer_error(req, HD_EPARSE, "%s", why);
	return !why;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

static void show_entry(struct hd_json *j, const struct hd_calls_entry *e)
{
	hd_json_object(j, NULL);
	hd_json_str(j, "owner", e->owner);
	hd_json_str(j, "kind", hd_call_kind_name(e->kind));
	hd_json_str(j, "number", or_null(e->number));
	hd_json_str(j, "name", or_null(e->name));
	hd_json_bool(j, "withheld", e->withheld);
	hd_json_str(j, "identity", or_null(e->identity));
	hd_json_str(j, "phone", or_null(e->phone));
	hd_json_str(j, "forwarded_by", or_null(e->forwarded_by));
	hd_json_str(j, "forwarded_to", or_null(e->forwarded_to));
	hd_json_time(j, "started", e->started_ms);
	hd_json_uint(j, "ring_ms", e->ring_ms);
	if (e->incomplete)
		hd_json_null(j, "duration_s");
	else
		hd_json_uint(j, "duration_s", e->duration_s);
	hd_json_bool(j, "answered", e->answered);
	hd_json_bool(j, "elsewhere", e->elsewhere);
	hd_json_bool(j, "hidden", e->hidden);
	hd_json_int(j, "status", e->status);
	hd_json_int(j, "cause", e->cause);
	hd_json_object_end(j);
}

static void write_json(struct hd_buf *b, const struct hd_calls_entry *entries, size_t n,
		       const char *next)
{
	struct hd_json j;

	hd_json_init(&j, b);
	hd_json_object(&j, NULL);
	hd_json_array(&j, "calls");
	for (size_t i = 0; i < n; i++)
		show_entry(&j, &entries[i]);
	hd_json_array_end(&j);
	hd_json_str(&j, "next", next);
	hd_json_object_end(&j);
}

/* ---- CSV (RFC 4180) ------------------------------------------------------------------------- */

/* Quoted whatever it holds; a cell that a spreadsheet would take for a formula is made text. */
static void cell(struct hd_buf *b, const char *text)
{
	hd_buf_adds(b, strchr("=+-@\t\r", text[0]) && text[0] ? ",\"'" : ",\"");
	for (; *text; text++) {
		if (*text == '"')
			hd_buf_adds(b, "\"");
		hd_buf_add(b, (struct hd_slice){ text, 1 });
	}
	hd_buf_adds(b, "\"");
}

static void write_csv(struct hd_buf *b, const struct hd_calls_entry *entries, size_t n,
		      bool with_head)
{
	char started[32];

	if (with_head)
		hd_buf_adds(b, "started,duration_s,ring_ms,answered,status,cause,owner,kind,number,"
			       "name,identity,phone,forwarded_by,forwarded_to\r\n");
	for (size_t i = 0; i < n; i++) {
		const struct hd_calls_entry *e = &entries[i];

		hd_time_format(started, sizeof(started), e->started_ms);
		hd_buf_adds(b, started);
		if (e->incomplete)
			hd_buf_adds(b, ",");
		else
			hd_buf_addf(b, ",%u", e->duration_s);
		hd_buf_addf(b, ",%u,%s,%d,%d", e->ring_ms, e->answered ? "yes" : "no", e->status,
			    e->cause);
		cell(b, e->owner);
		cell(b, hd_call_kind_name(e->kind));
		cell(b, e->number);
		cell(b, e->name);
		cell(b, e->identity);
		cell(b, e->phone);
		cell(b, e->forwarded_by);
		cell(b, e->forwarded_to);
		hd_buf_adds(b, "\r\n");
	}
}

/* ---- handlers ------------------------------------------------------------------------------- */

/* Where no name was presented, the one that the directory knows. */
static int read_page(struct daemon *d, struct list_request *l, struct hd_calls_entry *entries,
		     size_t *np)
{
	struct hd_txn *txn;
	int err = hd_store_begin_read(d->store, &txn);

	if (err)
		return err;
	err = hd_calls_page(d->calls, txn, &l->query, entries, np);
	for (size_t i = 0; !err && i < *np; i++) {
		struct hd_calls_entry *e = &entries[i];

		if (!e->name[0] && !e->withheld && e->number[0])
			hd_directory_name(d->dir, txn, e->number, e->name);
	}
	hd_store_end_read(txn);
	return err;
}

static void answer(struct hd_http_request *req, const struct list_request *l,
		   const struct hd_calls_entry *entries, size_t n)
{
	char next[2 * HD_CALLS_KEY_MAX + 1] = "";
	struct hd_buf b = { 0 };

	if (n == l->limit)
		hd_hex_format(next, entries[n - 1].key, entries[n - 1].key_len);
	if (!l->csv) {
		write_json(&b, entries, n, or_null(next));
		hd_http_answer_json(req, 200, &b);
		return;
	}
	write_csv(&b, entries, n, l->query.after.len == 0);
	if (hd_buf_error(&b))
		hd_http_answer_error(req, HD_ENOMEM, "out of memory");
	else
		hd_http_answer(req, 200, "text/csv; charset=utf-8",
			       (struct hd_slice){ hd_buf_text(&b), b.len });
	hd_buf_fini(&b);
}

static void list_get(struct hd_http_request *req, void *arg)
{
	struct hd_calls_entry *entries;
	struct list_request l;
	size_t n;
	int err;

	if (!read_request(req, &l))
		return;
	n = l.limit;
	entries = calloc(n, sizeof(*entries));
	err = entries ? read_page(arg, &l, entries, &n) : HD_ENOMEM;
	if (err)
		hd_http_answer_error(req, err, "calls: %s", hd_strerror(err));
	else
		answer(req, &l, entries, n);
	free(entries);
}

int daemon_mount_call_lists(struct daemon *d)
{
	static const struct hd_http_route routes[] = {
		{ HD_HTTP_GET, "/v1/calls", list_get },
		{ HD_HTTP_GET, "/v1/calls/of/:owner", list_get },
		{ HD_HTTP_DELETE, "/v1/calls/of/:owner", daemon_calls_delete },
	};

	return hd_http_add_routes(d->http, routes, sizeof(routes) / sizeof(routes[0]), d);
}
