/* ict.c - see ict.h. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include <sofia-sip/nta_tag.h>

#include "hotdesk/base/log.h"
#include "ict.h"

enum { BRANCH_SIZE = 48 };

struct ict {
	struct ict_table *table;
	char branch[BRANCH_SIZE];
	msg_t *request; /* until a final response */
	char *ack;	/* text of the ACK, after a final response other than 2xx */
	tport_t *tport;
	char url[160];
	ict_fn *fn; /* NULL when the owner has gone */
	void *arg;
	bool cancelled;
	int64_t until_ms; /* Timer D; 0 before a final response other than 2xx */
	UT_hash_handle hh;
};

struct ict_table {
	struct hd_agent *agent;
	struct ict *by_branch;
};

struct ict_table *ict_table_new(struct hd_agent *agent)
{
	struct ict_table *table = calloc(1, sizeof(*table));

	if (table)
		table->agent = agent;
	return table;
}

static void release(struct ict *ict)
{
	HASH_DEL(ict->table->by_branch, ict);
	if (ict->request)
		msg_destroy(ict->request);
	tport_unref(ict->tport);
	free(ict->ack);
	free(ict);
}

void ict_table_free(struct ict_table *table)
{
	struct ict *ict, *next;

	if (!table)
		return;
	HASH_ITER (hh, table->by_branch, ict, next)
		release(ict);
	free(table);
}

struct ict *ict_new(struct ict_table *table, msg_t *request, tport_t *tport, const char *url,
		    ict_fn *fn, void *arg)
{
	const char *branch = sip_object(request)->sip_via->v_branch;
	struct ict *ict = calloc(1, sizeof(*ict));

	if (!ict || !branch || hd_str_set(ict->branch, sizeof(ict->branch), branch) ||
	    hd_str_set(ict->url, sizeof(ict->url), url)) {
		msg_destroy(request);
		free(ict);
		return NULL;
	}
	ict->table = table;
	ict->request = request;
	ict->tport = tport_ref(tport);
	ict->fn = fn;
	ict->arg = arg;
	HASH_ADD_STR(table->by_branch, branch, ict);
	return ict;
}

/* ---- ACK and CANCEL (RFC 3261 9.1, 17.1.1.3): what they share with the INVITE --------------- */

static void add_header(struct hd_buf *text, su_home_t *home, const char *name, const void *header)
{
	const char *value = header ? hd_header_text(home, header) : NULL;

	if (value)
		hd_buf_addf(text, "%s: %s\r\n", name, value);
}

static char *derive(const struct ict *ict, const char *method, const sip_to_t *to, const char *line)
{
	const sip_t *sip = sip_object(ict->request);
	su_home_t *home = msg_home(ict->request);
	const char *ruri = url_as_string(home, sip->sip_request->rq_url);
	struct hd_buf text = { 0 };

	hd_buf_addf(&text, "%s %s SIP/2.0\r\n", method, ruri ? ruri : "");
	add_header(&text, home, "Via", sip->sip_via);
	for (const sip_route_t *r = sip->sip_route; r; r = r->r_next)
		add_header(&text, home, "Route", r);
	add_header(&text, home, "From", sip->sip_from);
	add_header(&text, home, "To", to);
	hd_buf_addf(&text, "Call-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n%s",
		    sip->sip_call_id->i_id, sip->sip_cseq->cs_seq, method, line);
	hd_buf_adds(&text, "Content-Length: 0\r\n\r\n");
	return hd_buf_take(&text);
}

static msg_t *parse(const char *text)
{
	msg_t *msg = text ? msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text)) : NULL;

	if (msg && sip_object(msg)->sip_request && sip_object(msg)->sip_via)
		return msg;
	if (msg)
		msg_destroy(msg);
	return NULL;
}

void ict_cancel(struct ict *ict, const char *reason)
{
	struct hd_buf line = { 0 };
	nta_outgoing_t *orq = NULL;
	msg_t *msg = NULL;
	char *text;

	if (ict->cancelled || !ict->request)
		return;
	ict->cancelled = true;
	if (reason)
		hd_buf_addf(&line, "Reason: %s\r\n", reason);
	text = derive(ict, "CANCEL", sip_object(ict->request)->sip_to, hd_buf_text(&line));
	msg = parse(text);
	if (msg)
		orq = nta_outgoing_mcreate(ict->table->agent->nta, NULL, NULL,
					   URL_STRING_MAKE(ict->url), msg, NTATAG_TPORT(ict->tport),
					   NTATAG_USER_VIA(1), TAG_END());
	if (msg && !orq)
		msg_destroy(msg);
	if (!orq)
		hd_warn("sip", "CANCEL not sent");
	free(text);
	hd_buf_fini(&line);
}

static void send_ack(struct ict *ict)
{
	msg_t *msg = parse(ict->ack);

	if (msg && nta_msg_tsend(ict->table->agent->nta, msg, URL_STRING_MAKE(ict->url),
				 NTATAG_TPORT(ict->tport), NTATAG_USER_VIA(1), TAG_END()) < 0)
		hd_debug("sip", "ACK not sent");
}

/* ---- responses ------------------------------------------------------------------------------ */

static void on_failure(struct ict *ict, const sip_t *sip)
{
	if (!ict->ack) {
		ict->ack = derive(ict, "ACK", sip->sip_to, "");
		ict->until_ms = hd_clock_mono_ms(ict->table->agent->options.clock) +
				64 * (int64_t)ict->table->agent->options.t1_ms; /* Timer D */
	}
	send_ack(ict);
}

bool ict_receive(struct ict_table *table, msg_t *msg, const sip_t *sip)
{
	int status = sip->sip_status->st_status;
	struct ict *ict = NULL;
	bool first;

	if (!sip->sip_via || !sip->sip_via->v_branch || !sip->sip_cseq)
		return false;
	HASH_FIND_STR(table->by_branch, sip->sip_via->v_branch, ict);
	if (!ict)
		return false;
	if (sip->sip_cseq->cs_method != sip_method_invite)
		return sip->sip_cseq->cs_method == sip_method_cancel;
	first = ict->request != NULL;
	if (status >= 300 && (first || ict->ack))
		on_failure(ict, sip);
	if (status >= 200 && first) {
		msg_destroy(ict->request);
		ict->request = NULL;
	} else if (!first && (status < 200 || status >= 300)) {
		return true; /* after a final response only 2xx count */
	}
	if (ict->fn)
		ict->fn(ict->arg, status, msg);
	return true;
}

void ict_free(struct ict *ict)
{
	if (!ict)
		return;
	ict->fn = NULL;
	if (!ict->until_ms || tport_is_reliable(ict->tport))
		release(ict);
}

void ict_sweep(struct ict_table *table, int64_t mono_ms)
{
	struct ict *ict, *next;

	HASH_ITER (hh, table->by_branch, ict, next) {
		if (!ict->fn && ict->until_ms && mono_ms >= ict->until_ms)
			release(ict);
	}
}
