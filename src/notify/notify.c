/* notify.c - see hotdesk/notify.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/notify.h"

/* One phone that has yet to be told. */
struct resync {
	struct hd_notify *notify;
	char phone[HD_PHONE_ID_SIZE];
	uint64_t epoch; /* told up to here by the NOTIFY under way */
	uint32_t tries;
	struct hd_orq *orq;	    /* NOTIFY under way */
	struct hd_sip_timer *timer; /* next try */
	struct hd_command command;
	struct hd_outbox_done done;
	bool writing;
	bool waiting; /* for the phone to register */
	UT_hash_handle hh;
};

struct hd_notify {
	struct hd_notify_options options;
	struct resync *resyncs;
};

static struct hd_metric told = HD_COUNTER("hotdeskd_resyncs", "result=\"told\"",
					  "NOTIFYs that made a phone fetch its configuration");
static struct hd_metric failed = HD_COUNTER("hotdeskd_resyncs", "result=\"retry\"",
					    "NOTIFYs that made a phone fetch its configuration");

int hd_notify_new(struct hd_notify **np, const struct hd_notify_options *options)
{
	struct hd_notify *n;

	if (!options || !options->agent || !options->store || !options->desk || !options->location)
		return HD_EINVAL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return HD_ENOMEM;
	n->options = *options;
	hd_metric_register(&told);
	hd_metric_register(&failed);
	*np = n;
	return 0;
}

static void resync_free(struct resync *r)
{
	HASH_DEL(r->notify->resyncs, r);
	hd_orq_free(r->orq);
	hd_sip_timer_free(r->timer);
	free(r);
}

void hd_notify_free(struct hd_notify *n)
{
	struct resync *r, *next;

	if (!n)
		return;
	HASH_ITER (hh, n->resyncs, r, next)
		resync_free(r);
	free(n);
}

void hd_notify_set_retry(struct hd_notify *n, uint32_t retry_s, uint32_t retry_max_s)
{
	n->options.retry_s = retry_s;
	n->options.retry_max_s = retry_max_s;
}

static void send_notify(struct resync *r);

static void on_timer(void *arg)
{
	send_notify(arg);
}

static void retry_later(struct resync *r)
{
	uint64_t in_s = r->notify->options.retry_s;

	for (uint32_t i = 0; i < r->tries && in_s < r->notify->options.retry_max_s; i++)
		in_s *= 2;
	if (in_s > r->notify->options.retry_max_s)
		in_s = r->notify->options.retry_max_s;
	r->tries++;
	hd_metric_add(&failed, 1);
	if (!r->timer && hd_sip_timer_new(&r->timer, r->notify->options.agent, on_timer, r))
		return;
	hd_sip_timer_set(r->timer, (int64_t)in_s * 1000);
}

/* ---- striking out --------------------------------------------------------------------------- */

static void on_struck_out(struct hd_command *command)
{
	struct resync *r = command->arg;

	r->writing = false;
	if (command->err) {
		retry_later(r);
		return;
	}
	/* A newer change may have come meanwhile: look again. */
	send_notify(r);
}

static int run_done(struct hd_txn *txn, void *arg)
{
	struct resync *r = arg;

	return hd_outbox_done(txn, &r->done);
}

static void strike_out(struct resync *r)
{
	r->done.desk = r->notify->options.desk;
	memcpy(r->done.phone, r->phone, sizeof(r->done.phone));
	r->done.epoch = r->epoch;
	r->command.run = run_done;
	r->command.arg = r;
	r->command.done = on_struck_out;
	r->command.reply_to = hd_agent_mailbox(r->notify->options.agent);
	r->writing = true;
	if (hd_store_submit(r->notify->options.store, &r->command)) {
		r->writing = false;
		retry_later(r);
	}
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct resync *r = arg;

	if (status < 200)
		return;
	hd_orq_free(orq);
	r->orq = NULL;
	/* Any answer from the phone itself shows that it was told; what it makes of it is its own.
	 */
	if (!response || status == 408 || status == 503 || status == 500) {
		hd_log(HD_LOG_INFO, "notify", "%s: resync not answered (%d), try %u", r->phone,
		       status, r->tries + 1);
		retry_later(r);
		return;
	}
	hd_log(status < 300 ? HD_LOG_INFO : HD_LOG_WARNING, "notify", "%s: resync answered %d",
	       r->phone, status);
	hd_metric_add(&told, 1);
	strike_out(r);
}

/* ---- sending -------------------------------------------------------------------------------- */

/* @return 0; HD_ENOENT: nothing to tell; HD_EGONE: not registered */
static int look(struct resync *r, struct hd_binding *binding)
{
	const struct hd_notify_options *o = &r->notify->options;
	struct hd_outbox_entry entry;
	struct hd_txn *txn;
	size_t n = 1;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_outbox_get(o->desk, txn, r->phone, &entry);
	if (!err) {
		r->epoch = entry.epoch;
		err = hd_location_get(o->location, txn, r->phone, hd_clock_wall_ms(o->clock),
				      binding, &n);
		if (!err && n == 0)
			err = HD_EGONE;
	}
	hd_store_end_read(txn);
	return err;
}

static int make(struct resync *r, const struct hd_binding *b, struct hd_msg **msgp)
{
	char from[2 * HD_PHONE_ID_SIZE + HD_REALM_SIZE], to[sizeof(from)], local[160];
	const char *domain = r->notify->options.domain;
	struct hd_buf lines = { 0 };
	struct hd_new_request nr = { .method = "NOTIFY", .cseq = 1 };
	struct hd_flow flow;
	int err;

	err = hd_flow_parse(&flow, b->flow);
	if (!err)
		err = hd_flow_local_uri(r->notify->options.agent, &flow, local, sizeof(local));
	if (err)
		return err;
	snprintf(from, sizeof(from), "<sip:%s@%s>;tag=%08x", r->phone, domain,
		 hd_random_u32(UINT32_MAX));
	snprintf(to, sizeof(to), "<sip:%s@%s>", r->phone, domain);
	hd_buf_addf(&lines,
		    "Contact: <%s>\r\nEvent: check-sync;reboot=false\r\n"
		    "Subscription-State: terminated\r\n",
		    local);
	nr.ruri = b->contact_uri;
	nr.from = from;
	nr.to = to;
	nr.lines = hd_buf_text(&lines);
	err = hd_buf_error(&lines);
	if (!err)
		err = hd_msg_new_request(msgp, &nr);
	hd_buf_fini(&lines);
	return err;
}

static void send_notify(struct resync *r)
{
	struct hd_binding binding;
	struct hd_target target;
	struct hd_way way;
	struct hd_msg *msg;
	int err;

	if (r->orq || r->writing)
		return;
	err = look(r, &binding);
	if (err == HD_ENOENT) {
		resync_free(r);
		return;
	}
	r->waiting = err == HD_EGONE;
	if (r->waiting)
		return;
	if (!err)
		err = make(r, &binding, &msg);
	if (!err) {
		way = (struct hd_way){ binding.flow, binding.contact_uri, binding.path,
				       binding.reg_id != 0 };
		err = hd_msg_route_to(r->notify->options.agent, msg, &way, &target);
		if (err)
			hd_msg_free(msg);
	}
	if (!err) {
		err = hd_orq_new(&r->orq, r->notify->options.agent, msg, &target, on_response, r);
	}
	if (err) {
		hd_info("notify", "%s: resync not sent: %s", r->phone, hd_strerror(err));
		retry_later(r);
	}
}

static struct resync *resync_of(struct hd_notify *n, const char *phone, bool *newp)
{
	struct resync *r;

	HASH_FIND_STR(n->resyncs, phone, r);
	*newp = !r;
	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r || hd_str_set(r->phone, sizeof(r->phone), phone)) {
		free(r);
		return NULL;
	}
	r->notify = n;
	HASH_ADD_STR(n->resyncs, phone, r);
	return r;
}

/* The outbox in one snapshot; what is there already is under way. @return true for a new one */
static bool next_new(struct hd_notify *n, char after[HD_PHONE_ID_SIZE], struct resync **rp)
{
	struct hd_outbox_entry entry;
	struct hd_txn *txn;
	bool fresh = false;
	int err;

	if (hd_store_begin_read(n->options.store, &txn))
		return false;
	do {
		err = hd_outbox_next(n->options.desk, txn, after, &entry);
		if (err)
			break;
		memcpy(after, entry.phone, HD_PHONE_ID_SIZE);
		*rp = resync_of(n, entry.phone, &fresh);
		if (*rp && !fresh && (*rp)->waiting)
			fresh = true;
	} while (!fresh);
	hd_store_end_read(txn);
	return fresh && *rp;
}

void hd_notify_wake(struct hd_notify *n)
{
	char after[HD_PHONE_ID_SIZE] = "";
	struct resync *r = NULL;

	while (next_new(n, after, &r))
		send_notify(r);
}

void hd_notify_bound(struct hd_notify *n, const char *phone)
{
	struct resync *r;

	HASH_FIND_STR(n->resyncs, phone, r);
	if (!r)
		return;
	r->tries = 0;
	if (r->timer)
		hd_sip_timer_cancel(r->timer);
	send_notify(r);
}
