/* commit.c - what a REGISTER asks for is written: before its answer or, a refresh, after it. */
#include <stdlib.h>

#include "hotdesk/base/log.h"
#include "registrar_priv.h"
#include "sight.h"

/* A refresh that was answered at once is on the disk by then, with as much again to spare. */
static int64_t soft_wait_ms(const struct hd_registrar *r)
{
	return 2 * (int64_t)r->options.soft_delay_ms;
}

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
		if (!answer_unwritten(r, p, command->err))
			answer_error(p->req, p->change.aor, command->err);
	} else {
		if (p->change.changed)
			log_change(p);
		answer_ok(r, p->req, &p->change);
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

	answer_write(r, req, &p->change, &lines);
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
	answer_send(req, &lines);
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
		if (!answer_unwritten(r, p, err))
			answer_error(p->req, p->change.aor, err);
		free(p);
		return;
	}
	recent_hold(&r->recent, p->change.aor);
	HASH_ADD(hh, r->pending, key, REGISTRAR_KEY_SIZE, p);
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

void commit_start(struct pending *p)
{
	struct hd_registrar *r = p->registrar;
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
		answer_ok(r, p->req, &p->change);
		free(p);
	} else {
		submit(r, p);
	}
}
