/* answer.c - what a REGISTER is answered (10.3 step 8). */
#include <time.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/sip/overload.h"
#include "outbound.h"
#include "registrar_priv.h"

static struct hd_metric registered =
	HD_COUNTER("hotdeskd_registers", "result=\"ok\"", "REGISTER requests by result");
static struct hd_metric unwritten =
	HD_COUNTER("hotdeskd_registers", "result=\"unwritten\"", "REGISTER requests by result");
static struct hd_metric refused =
	HD_COUNTER("hotdeskd_registers", "result=\"refused\"", "REGISTER requests by result");

void answer_metrics(void)
{
	hd_metric_register(&registered);
	hd_metric_register(&unwritten);
	hd_metric_register(&refused);
}

void answer_refuse(struct hd_request *req, int status, const char *phrase, const char *lines)
{
	hd_metric_add(&refused, 1);
	hd_request_reply(req, status, phrase, lines);
}

static void add_contact(struct hd_buf *lines, const struct hd_binding *b, int64_t now_ms)
{
	int64_t left_s = (b->expires_at_ms - now_ms + 999) / 1000;

	char left[HD_U32_SIZE];

	hd_u32_format(left, left_s > 0 ? (uint32_t)left_s : 0);
	hd_buf_join(lines,
		    (const char *const[]){ "Contact: <", b->contact_uri, ">", b->contact_params,
					   ";expires=", left, "\r\n", NULL });
}

static void add_date(struct hd_registrar *r, struct hd_buf *lines, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;

	if (now != r->date_of) {
		r->date_of = now;
		if (!gmtime_r(&now, &tm) ||
		    !strftime(r->date, sizeof(r->date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm))
			r->date[0] = '\0';
	}
	hd_buf_adds(lines, r->date);
}

void answer_write(struct hd_registrar *r, struct hd_request *req,
		  const struct hd_location_change *change, struct hd_buf *lines)
{
	int64_t now_ms = hd_clock_wall_ms(r->options.clock);

	for (size_t i = 0; i < change->n_result; i++)
		add_contact(lines, &change->result[i], now_ms);
	hd_outbound_write(lines, &r->options, req, change);
	add_date(r, lines, now_ms);
}

void answer_send(struct hd_request *req, struct hd_buf *lines)
{
	if (hd_buf_error(lines)) { /* a 200 that lacks a Contact would say that it is not bound */
		hd_metric_add(&refused, 1);
		hd_request_shed(req, HD_SHED_MEMORY);
	} else {
		hd_metric_add(&registered, 1);
		hd_request_reply(req, 200, NULL, hd_buf_text(lines));
	}
	hd_buf_fini(lines);
}

void answer_ok(struct hd_registrar *r, struct hd_request *req,
	       const struct hd_location_change *change)
{
	struct hd_buf lines = { 0 };

	answer_write(r, req, change, &lines);
	answer_send(req, &lines);
}

void answer_error(struct hd_request *req, const char *aor, int err)
{
	/* Of overload the log is told by itself, in fewer lines. */
	hd_log_call(hd_shed_is(err)    ? HD_LOG_DEBUG
		    : err == HD_ESTALE ? HD_LOG_INFO
				       : HD_LOG_WARNING,
		    "registrar", hd_msg_call_id(hd_request_msg(req)), "%s: not registered: %s", aor,
		    hd_strerror(err));
	if (hd_shed_is(err)) {
		hd_metric_add(&refused, 1);
		hd_request_shed(req, hd_shed_of(err));
		return;
	}
	switch (err) {
	case HD_ESTALE:
		answer_refuse(req, 500, "Out Of Order", "Retry-After: 1\r\n");
		return;
	case HD_ELIMIT:
		answer_refuse(req, 403, "Too Many Contacts", NULL);
		return;
	default:
		answer_refuse(req, 500, NULL, NULL);
		return;
	}
}

bool answer_unwritten(struct hd_registrar *r, struct pending *p, int err)
{
	struct hd_location_change *c = &p->change;
	struct hd_txn *txn;

	if (!p->soft || (err != HD_EBUSY && err != HD_EFULL) ||
	    hd_store_begin_read(r->options.store, &txn))
		return false;
	c->n_contacts = 0;
	c->remove_all = false;
	err = hd_location_preview(txn, c);
	hd_store_end_read(txn);
	if (err || c->n_result == 0)
		return false;
	hd_metric_add(&unwritten, 1);
	hd_log_call(HD_LOG_DEBUG, "registrar", hd_msg_call_id(hd_request_msg(p->req)),
		    "%s: refresh not written, the binding keeps its time", c->aor);
	answer_ok(r, p->req, c);
	return true;
}
