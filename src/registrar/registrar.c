/*
 * registrar.c - see hotdesk/registrar.h. 600 lines: one REGISTER through its steps to its answer.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/registrar.h"
#include "hotdesk/sip/overload.h"
#include "outbound.h"
#include "recent.h"
#include "sight.h"

enum { KEY_SIZE = HD_SHA256_BYTES };

/* One REGISTER on its way to the disk. */
struct pending {
	struct hd_registrar *registrar;
	struct hd_request *req;
	struct hd_location_change change;
	struct hd_command command;
	bool soft;
	bool repeated;		  /* a retransmission: what it asks for has been done */
	bool listed;		  /* nothing was to be changed */
	char serial[HD_MAC_SIZE]; /* X-Serialnumber, or "" */
	uint8_t key[KEY_SIZE];	  /* of Call-ID, branch, CSeq and source */
	UT_hash_handle hh;
};

struct hd_registrar {
	struct hd_registrar_options options;
	struct pending *pending;
	struct recent_table recent;
};

static struct hd_metric registered =
	HD_COUNTER("hotdeskd_registers", "result=\"ok\"", "REGISTER requests by result");
static struct hd_metric unwritten =
	HD_COUNTER("hotdeskd_registers", "result=\"unwritten\"", "REGISTER requests by result");
static struct hd_metric refused =
	HD_COUNTER("hotdeskd_registers", "result=\"refused\"", "REGISTER requests by result");

int hd_registrar_new(struct hd_registrar **rp, const struct hd_registrar_options *options)
{
	struct hd_registrar *r;

	if (!options || !options->agent || !options->auth || !options->store || !options->location)
		return HD_EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return HD_ENOMEM;
	r->options = *options;
	hd_metric_register(&registered);
	hd_metric_register(&unwritten);
	hd_metric_register(&refused);
	*rp = r;
	return 0;
}

void hd_registrar_free(struct hd_registrar *r)
{
	if (!r)
		return;
	recent_fini(&r->recent);
	free(r);
}

void hd_registrar_set_policy(struct hd_registrar *r, const struct hd_registrar_policy *policy)
{
	r->options.policy = *policy;
}

size_t hd_registrar_pending(const struct hd_registrar *r)
{
	return HASH_COUNT(r->pending);
}

/* A refresh that was answered at once is on the disk by then, with as much again to spare. */
static int64_t soft_wait_ms(const struct hd_registrar *r)
{
	return 2 * (int64_t)r->options.soft_delay_ms;
}

static void refuse(struct hd_request *req, int status, const char *phrase, const char *lines)
{
	hd_metric_add(&refused, 1);
	hd_request_reply(req, status, phrase, lines);
}

static void key_of(uint8_t key[KEY_SIZE], struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	uint32_t cseq = hd_msg_cseq(msg);
	struct hd_slice parts[] = {
		hd_slice_of(hd_msg_call_id(msg)),
		hd_slice_of(hd_msg_branch(msg)),
		{ (const char *)&cseq, sizeof(cseq) },
		hd_slice_of(hd_request_flow(req)),
	};

	hd_sha256(key, parts, sizeof(parts) / sizeof(parts[0]));
}

/* ---- the answer (10.3 step 8) --------------------------------------------------------------- */

static void add_contact(struct hd_buf *lines, const struct hd_binding *b, int64_t now_ms)
{
	int64_t left_s = (b->expires_at_ms - now_ms + 999) / 1000;

	hd_buf_addf(lines, "Contact: <%s>%s;expires=%lld\r\n", b->contact_uri, b->contact_params,
		    (long long)(left_s > 0 ? left_s : 0));
}

static void add_date(struct hd_buf *lines, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	char text[40];
	struct tm tm;

	if (gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		hd_buf_addf(lines, "Date: %s\r\n", text);
}

static void write_lines(struct hd_registrar *r, struct hd_request *req,
			const struct hd_location_change *change, struct hd_buf *lines)
{
	int64_t now_ms = hd_clock_wall_ms(r->options.clock);

	for (size_t i = 0; i < change->n_result; i++)
		add_contact(lines, &change->result[i], now_ms);
	hd_outbound_write(lines, &r->options, req, change);
	add_date(lines, now_ms);
}

static void reply_ok(struct hd_request *req, struct hd_buf *lines)
{
	hd_metric_add(&registered, 1);
	hd_request_reply(req, 200, NULL, hd_buf_text(lines));
	hd_buf_fini(lines);
}

static void accept(struct hd_registrar *r, struct hd_request *req,
		   const struct hd_location_change *change)
{
	struct hd_buf lines = { 0 };

	write_lines(r, req, change, &lines);
	reply_ok(req, &lines);
}

static void answer_error(struct hd_request *req, const char *aor, int err)
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
		refuse(req, 500, "Out Of Order", "Retry-After: 1\r\n");
		return;
	case HD_ELIMIT:
		refuse(req, 403, "Too Many Contacts", NULL);
		return;
	default:
		refuse(req, 500, NULL, NULL);
		return;
	}
}

/*
 * There is no room to write a mere refresh, and the phone is known: it gets the time that its
 * binding has left, which is true, and comes again before it is over. @return false: not answered
 */
static bool accept_unwritten(struct hd_registrar *r, struct pending *p, int err)
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
	accept(r, p->req, c);
	return true;
}

/* ---- the commit ----------------------------------------------------------------------------- */

static void log_change(const struct pending *p)
{
	const struct hd_location_change *c = &p->change;
	const char *call_id = p->req ? hd_msg_call_id(hd_request_msg(p->req)) : c->call_id;

	if (c->n_result)
		hd_log_call(HD_LOG_INFO, "registrar", call_id, "%s: bound to %s over %s for %lld s",
			    c->aor, c->result[0].contact_uri, c->result[0].flow,
			    (long long)((c->result[0].expires_at_ms - c->now_ms) / 1000));
	else
		hd_log_call(HD_LOG_INFO, "registrar", call_id, "%s: unbound", c->aor);
}

static void on_committed(struct hd_command *command)
{
	struct pending *p = command->arg;
	struct hd_registrar *r = p->registrar;

	HASH_DEL(r->pending, p);
	recent_release(&r->recent, p->change.aor);
	if (command->err) {
		if (!accept_unwritten(r, p, command->err))
			answer_error(p->req, p->change.aor, command->err);
	} else {
		if (p->change.changed)
			log_change(p);
		accept(r, p->req, &p->change);
		if (p->change.changed && p->change.n_result && r->options.bound)
			r->options.bound(r->options.arg, p->change.aor);
	}
	free(p);
}

/* What is asked for, or only the list when it is a retransmission of what has been done. */
static int change_or_list(struct hd_txn *txn, struct pending *p, hd_command_fn *change)
{
	struct hd_location_change *c = &p->change;
	const size_t n = c->n_contacts;
	const bool all = c->remove_all;
	int err = change(txn, c);

	p->listed = err == HD_ESTALE && p->repeated;
	if (!p->listed)
		return err;
	c->n_contacts = 0;
	c->remove_all = false;
	err = hd_location_preview(txn, c);
	c->n_contacts = n;
	c->remove_all = all;
	return err;
}

static int run_change(struct hd_txn *txn, void *arg)
{
	struct pending *p = arg;
	int err = change_or_list(txn, p, hd_location_change);

	return err ? err : sight_note(txn, p->registrar->options.device, &p->change, p->serial);
}

static int run_preview(struct hd_txn *txn, void *arg)
{
	return hd_location_preview(txn, arg);
}

static void on_soft_written(struct hd_command *command)
{
	struct pending *p = command->arg;

	/* Out of order or full: a newer REGISTER of the phone won, or the next one will. */
	if (command->err)
		hd_debug("registrar", "%s: refresh not written: %s", p->change.aor,
			 hd_strerror(command->err));
	free(p);
}

/* @return false when the queue is full: then it may not be acknowledged yet */
static bool submit_soft(struct hd_registrar *r, struct pending *p)
{
	struct hd_request *req = p->req;
	struct hd_buf lines = { 0 };

	write_lines(r, req, &p->change, &lines);
	recent_refresh(&r->recent, p->change.aor,
		       hd_clock_mono_ms(r->options.clock) + soft_wait_ms(r), p->change.call_id,
		       p->change.cseq);
	p->req = NULL;
	p->command.reply_to = NULL; /* nobody waits: the store thread frees it */
	p->command.done = on_soft_written;
	if (hd_store_submit_soft(r->options.store, &p->command)) {
		p->req = req;
		hd_buf_fini(&lines);
		return false;
	}
	reply_ok(req, &lines);
	return true;
}

static void submit(struct hd_registrar *r, struct pending *p)
{
	int err;

	p->command.run = run_change;
	p->command.arg = p;
	if (p->soft && submit_soft(r, p))
		return;
	p->command.reply_to = hd_agent_mailbox(r->options.agent);
	p->command.done = on_committed;
	err = hd_store_submit(r->options.store, &p->command);
	if (err) {
		if (!accept_unwritten(r, p, err))
			answer_error(p->req, p->change.aor, err);
		free(p);
		return;
	}
	recent_hold(&r->recent, p->change.aor);
	HASH_ADD(hh, r->pending, key, KEY_SIZE, p);
}

/* ---- what is asked for (10.3 steps 6 and 7) ------------------------------------------------- */

struct wish {
	struct hd_contact contacts[HD_LOCATION_CHANGES_MAX];
	size_t n;
	bool star;
	int64_t expires_s; /* header field; -1 */
};

/* @return the granted seconds, or -1: too brief */
static int64_t grant(const struct hd_registrar_policy *policy, int64_t wanted_s)
{
	if (wanted_s < 0)
		wanted_s = policy->expires_default_s;
	if (wanted_s == 0)
		return 0;
	if (wanted_s < policy->expires_min_s)
		return -1;
	return wanted_s > policy->expires_max_s ? policy->expires_max_s : wanted_s;
}

static void refuse_brief(struct hd_request *req, const struct hd_registrar_policy *policy)
{
	struct hd_buf lines = { 0 };

	hd_buf_addf(&lines, "Min-Expires: %u\r\n", policy->expires_min_s);
	refuse(req, 423, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
}

/* @return 0, or a status */
static int fill_binding(struct hd_binding *b, const struct hd_contact *c, struct hd_request *req,
			int64_t now_ms)
{
	struct hd_msg *msg = hd_request_msg(req);
	const char *agent = hd_msg_header(msg, "User-Agent", 0);
	struct hd_uri uri;

	/* The parser lets pass what no request could be sent to: it is read again. */
	if (hd_uri_parse(&uri, hd_slice_of(c->uri_text)) || uri.scheme > HD_URI_SIPS ||
	    c->q_permille == -2)
		return 400;
	if (hd_str_set(b->contact_uri, sizeof(b->contact_uri), c->uri_text) ||
	    hd_str_set(b->contact_params, sizeof(b->contact_params), c->params_text) ||
	    hd_str_set(b->instance_id, sizeof(b->instance_id), c->instance_id) ||
	    hd_str_set(b->call_id, sizeof(b->call_id), hd_msg_call_id(msg)) ||
	    hd_str_set(b->flow, sizeof(b->flow), hd_request_flow(req)))
		return 400;
	if (agent && strlen(agent) < sizeof(b->user_agent))
		(void)!hd_str_set(b->user_agent, sizeof(b->user_agent), agent);
	b->cseq = hd_msg_cseq(msg);
	b->q_given = c->q_permille >= 0;
	b->q_permille = (uint16_t)(b->q_given ? c->q_permille : 1000);
	b->reg_id = c->reg_id;
	b->registered_at_ms = now_ms;
	return 0;
}

/* @return true when the change is ready to be applied; false when the request was answered */
static bool fill_change(struct hd_registrar *r, struct hd_location_change *change,
			const struct wish *wish, struct hd_request *req)
{
	struct hd_outbound outbound;
	const char *phrase = "Bad Contact";
	int64_t granted_s;
	int status;

	status = hd_outbound_read(&outbound, req, &phrase);
	if (status) {
		refuse(req, status, phrase, NULL);
		return false;
	}
	for (size_t i = 0; i < wish->n; i++) {
		const struct hd_contact *c = &wish->contacts[i];
		struct hd_binding *b = &change->contacts[i];

		memset(b, 0, sizeof(*b));
		granted_s = grant(&r->options.policy,
				  c->expires_s >= 0 ? c->expires_s : wish->expires_s);
		if (granted_s < 0) {
			refuse_brief(req, &r->options.policy);
			return false;
		}
		status = fill_binding(b, c, req, change->now_ms);
		if (!status)
			status = hd_outbound_apply(&outbound, b, &phrase);
		if (status) {
			refuse(req, status, phrase, NULL);
			return false;
		}
		b->expires_at_ms = granted_s ? change->now_ms + granted_s * 1000 : 0;
	}
	change->n_contacts = wish->n;
	return true;
}

static bool read_wish(struct wish *wish, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);

	wish->n = HD_LOCATION_CHANGES_MAX;
	wish->expires_s = hd_msg_expires(msg);
	hd_msg_contacts(msg, wish->contacts, &wish->n, &wish->star);
	if (wish->n > HD_LOCATION_CHANGES_MAX) {
		refuse(req, 403, "Too Many Contacts", NULL);
		return false;
	}
	if (wish->star && (wish->n != 1 || wish->expires_s != 0)) {
		refuse(req, 400, "Contact: * Needs Expires: 0 And Nothing Else", NULL);
		return false;
	}
	return true;
}

/*
 * A mere refresh may be written later, unless its loss, or the wait, were worse than a shorter
 * life: what is stored must last until it is written, and not longer than what was asked for.
 */
static bool may_wait(struct hd_registrar *r, struct hd_txn *txn,
		     const struct hd_location_change *change)
{
	struct hd_binding stored[HD_BINDINGS_MAX];
	size_t n = HD_BINDINGS_MAX;
	int64_t soonest_ms = INT64_MAX, latest_ms = 0;

	if (change->changed || !r->options.policy.soft_refresh ||
	    hd_location_get(r->options.location, txn, change->aor, change->now_ms, stored, &n))
		return false;
	for (size_t i = 0; i < n && i < HD_BINDINGS_MAX; i++) {
		if (stored[i].expires_at_ms < soonest_ms)
			soonest_ms = stored[i].expires_at_ms;
		if (stored[i].expires_at_ms > latest_ms)
			latest_ms = stored[i].expires_at_ms;
	}
	for (size_t i = 0; i < change->n_contacts; i++)
		if (change->contacts[i].expires_at_ms < latest_ms)
			return false;
	return soonest_ms > change->now_ms + soft_wait_ms(r);
}

/* After a refresh that is not yet written, only one of the same contacts can be judged. */
static bool is_next_refresh(struct hd_registrar *r, const struct pending *p)
{
	const struct hd_location_change *c = &p->change;

	return p->soft && c->n_result == c->n_contacts &&
	       recent_is_in_order(&r->recent, c->aor, c->call_id, c->cseq);
}

static void apply(struct hd_registrar *r, struct pending *p)
{
	const int64_t now_ms = hd_clock_mono_ms(r->options.clock);
	const bool refreshed = recent_has_refresh(&r->recent, p->change.aor, now_ms);
	struct hd_txn *txn;
	int err;

	if (recent_is_held(&r->recent, p->change.aor)) {
		submit(r, p);
		return;
	}
	err = hd_store_begin_read(r->options.store, &txn);
	if (!err) {
		err = change_or_list(txn, p, run_preview);
		p->soft = !err && may_wait(r, txn, &p->change);
		hd_store_end_read(txn);
	}
	if (refreshed && !is_next_refresh(r, p)) {
		p->soft = false;
		submit(r, p);
	} else if (err) {
		answer_error(p->req, p->change.aor, err);
		free(p);
	} else if (p->listed || (p->change.n_contacts == 0 && !p->change.remove_all)) {
		accept(r, p->req, &p->change);
		free(p);
	} else {
		submit(r, p);
	}
}

/* ---- steps 1 to 5 --------------------------------------------------------------------------- */

/* @return 0 when the address-of-record is the phone's own, or a status */
static int check_aor(struct hd_registrar *r, struct hd_msg *msg, const char *phone)
{
	char user[HD_PHONE_ID_SIZE];
	struct hd_uri to;

	hd_msg_to_uri(msg, &to);
	if (to.scheme > HD_URI_SIPS || !hd_agent_is_us(r->options.agent, &to))
		return 404;
	if (hd_uri_unescape(user, sizeof(user), to.user) || strcmp(user, phone) != 0)
		return 403;
	return 0;
}

static void add_unsupported(struct hd_buf *lines, const char *tags)
{
	while (*tags) {
		size_t n = strcspn(tags, ",");
		struct hd_slice tag = hd_slice_trim((struct hd_slice){ tags, n });

		if (tag.len && !hd_registrar_knows(tag))
			hd_buf_addf(lines, "Unsupported: %.*s\r\n", (int)tag.len, tag.ptr);
		tags += n + (tags[n] == ',');
	}
}

static bool check_extensions(struct hd_request *req)
{
	struct hd_buf lines = { 0 };
	const char *tags;

	for (unsigned i = 0; (tags = hd_msg_header(hd_request_msg(req), "Require", i)); i++)
		add_unsupported(&lines, tags);
	if (!lines.len)
		return true;
	refuse(req, 420, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
	return false;
}

/* Cleared but for the room of contacts, which is large and filled as far as it is used. */
static struct pending *pending_new(void)
{
	const size_t contacts = offsetof(struct pending, change.contacts);
	const size_t wish = offsetof(struct pending, change.n_contacts);
	const size_t result = offsetof(struct pending, change.result);
	const size_t rest = offsetof(struct pending, change.n_result);
	struct pending *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, contacts);
	memset((char *)p + wish, 0, result - wish);
	memset((char *)p + rest, 0, sizeof(*p) - rest);
	return p;
}

struct sender {
	char phone[HD_DIGEST_USER_SIZE];
	uint8_t key[KEY_SIZE];
	bool repeated;
};

static void receive_authentic(struct hd_registrar *r, struct hd_request *req,
			      const struct sender *sender)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct wish wish;
	struct pending *p;
	int status;

	status = check_aor(r, msg, sender->phone);
	if (status) {
		hd_log_call(HD_LOG_NOTICE, "registrar", hd_msg_call_id(msg),
			    "%s: REGISTER for another address-of-record refused", sender->phone);
		refuse(req, status, NULL, NULL);
		return;
	}
	if (!read_wish(&wish, req))
		return;
	p = pending_new();
	if (!p) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return;
	}
	p->registrar = r;
	p->req = req;
	p->repeated = sender->repeated;
	memcpy(p->key, sender->key, KEY_SIZE);
	p->change.loc = r->options.location;
	p->change.now_ms = hd_clock_wall_ms(r->options.clock);
	p->change.max_contacts = r->options.policy.contacts_max;
	p->change.cseq = hd_msg_cseq(msg);
	p->change.remove_all = wish.star;
	(void)!hd_device_by_instance(p->serial,
				     hd_slice_of(hd_msg_header(msg, "X-Serialnumber", 0)));
	if (hd_str_set(p->change.aor, sizeof(p->change.aor), sender->phone) ||
	    hd_str_set(p->change.call_id, sizeof(p->change.call_id), hd_msg_call_id(msg))) {
		refuse(req, 400, "Call-ID Too Long", NULL);
		free(p);
		return;
	}
	if (!wish.star && !fill_change(r, &p->change, &wish, req)) {
		free(p);
		return;
	}
	apply(r, p);
}

void hd_registrar_receive(struct hd_registrar *r, struct hd_request *req)
{
	struct sender sender;
	struct pending *known;

	key_of(sender.key, req);
	HASH_FIND(hh, r->pending, sender.key, KEY_SIZE, known);
	if (known) {
		hd_request_drop(req);
		return;
	}
	if (check_extensions(req) &&
	    hd_auth_request(r->options.auth, req, sender.phone, &sender.repeated))
		receive_authentic(r, req, &sender);
}
