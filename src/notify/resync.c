/* resync.c - one phone, from the outbox to told; see notify.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "notify_priv.h"

/* Calls end with an event; this is for one that got lost. */
enum { BUSY_CHECK_MS = 60000 };

#define RESYNCS(result)                                                                            \
	HD_COUNTER("hotdeskd_resyncs", "result=\"" result "\"",                                    \
		   "NOTIFYs that made a phone fetch its configuration")

static struct hd_metric told = RESYNCS("told");
/* By enum resync_failure. */
static struct hd_metric failed[] = { RESYNCS("retry"), RESYNCS("refused"), RESYNCS("unfetched") };
static struct hd_metric deaf =
	HD_GAUGE("hotdeskd_phones_deaf", NULL, "Phones that were told in vain too often");
static struct hd_metric took = HD_HISTOGRAM("hotdeskd_resync_seconds", NULL,
					    "From a change of a desk until its phone was told");

void resync_metrics_register(void)
{
	hd_metric_register(&told);
	for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++)
		hd_metric_register(&failed[i]);
	hd_metric_register(&deaf);
	hd_metric_register(&took);
}

static const char *state_name(enum resync_state state)
{
#define RESYNC_STATE_NAME(name, text) [RESYNC_##name] = (text),
	static const char *const names[] = { RESYNC_STATE_LIST(RESYNC_STATE_NAME) };
#undef RESYNC_STATE_NAME

	return names[state];
}

/* The only writer of r->state. */
static void enter(struct resync *r, enum resync_state state)
{
	if (r->state != state)
		hd_debug("notify", "%s: %s -> %s", r->phone, state_name(r->state),
			 state_name(state));
	r->state = state;
	r->was_away = r->was_away || state == RESYNC_AWAY;
	hd_sip_timer_cancel(r->timer);
}

static void on_timer(void *arg);

static void set_timer(struct resync *r, int64_t in_ms)
{
	if (!r->timer && hd_sip_timer_new(&r->timer, r->notify->options.agent, on_timer, r)) {
		hd_error("notify", "%s: no memory for a timer: told at its next change", r->phone);
		return;
	}
	hd_sip_timer_set(r->timer, in_ms);
}

static int64_t mono_ms(const struct resync *r)
{
	return hd_clock_mono_ms(r->notify->options.clock);
}

static void set_reported(struct resync *r, bool reported)
{
	if (r->reported != reported)
		hd_metric_add(&deaf, reported ? 1 : -1);
	r->reported = reported;
}

void resync_free(struct resync *r)
{
	HASH_DEL(r->notify->resyncs, r);
	set_reported(r, false);
	ask_forget(r);
	hd_sip_timer_free(r->timer);
	free(r);
}

/* ---- without success ------------------------------------------------------------------------- */

static uint32_t pause_s(const struct resync *r)
{
	const struct hd_notify_policy *p = &r->notify->options.policy;
	uint64_t in_s = p->retry_s;

	/* One that was not there may be there again; one that does not obey will go on so. */
	if (r->reported && r->why != RESYNC_UNANSWERED)
		return p->rare_s;
	for (uint32_t i = 0; i < r->tries && in_s < p->retry_max_s; i++)
		in_s *= 2;
	return in_s < p->retry_max_s ? (uint32_t)in_s : p->retry_max_s;
}

static void report(struct resync *r)
{
	static const char *const texts[] = {
		[RESYNC_UNANSWERED] = "does not answer the NOTIFY to fetch its configuration",
		[RESYNC_REFUSED] = "refuses the NOTIFY to fetch its configuration",
		[RESYNC_UNFETCHED] = "answers the NOTIFY and does not fetch its configuration",
	};

	set_reported(r, true);
	hd_warn("notify", "%s: %s: %u times, last answer %d; it may show the wrong keys", r->phone,
		texts[r->why], r->tries, r->last_status);
}

static void fail(struct resync *r, enum resync_failure why)
{
	uint32_t in_s;

	r->why = why;
	hd_metric_add(&failed[why], 1);
	if (why == RESYNC_UNANSWERED)
		r->turn++;
	in_s = pause_s(r);
	if (r->tries < UINT32_MAX)
		r->tries++;
	if (r->tries >= r->notify->options.policy.tries && !r->reported) {
		report(r);
		in_s = pause_s(r);
	}
	enter(r, RESYNC_PAUSED);
	r->due_mono_ms = mono_ms(r) + (int64_t)in_s * 1000;
	set_timer(r, (int64_t)in_s * 1000);
}

/* ---- told ------------------------------------------------------------------------------------ */

static void succeed(struct resync *r)
{
	hd_metric_add(&told, 1);
	if (r->since_ms && !r->was_away)
		hd_metric_observe_us(
			&took, (hd_clock_wall_ms(r->notify->options.clock) - r->since_ms) * 1000);
	if (r->must_fetch)
		hd_info("notify", "%s: has fetched its configuration", r->phone);
	if (r->reported)
		hd_notice("notify", "%s: has its configuration again", r->phone);
	set_reported(r, false);
	r->tries = 0;
	enter(r, RESYNC_STRIKING);
	if (note_told(r))
		fail(r, RESYNC_UNANSWERED);
}

void resync_struck_out(struct resync *r, int err)
{
	if (r->state != RESYNC_STRIKING)
		return;
	if (err) {
		hd_warn("notify", "%s: told, but not struck out: %s", r->phone, hd_strerror(err));
		fail(r, RESYNC_UNANSWERED);
		return;
	}
	enter(r, RESYNC_IDLE);
	/* A newer change may have come meanwhile. */
	resync_look(r);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* Without its secret there is no configuration for it: it has one from elsewhere. */
static bool can_fetch(const struct resync *r, const struct resync_phone *phone)
{
	return r->notify->options.policy.fetching && phone->secret[0];
}

/* Nobody there, or somebody who could not do it just now. */
static bool is_unanswered(const struct hd_msg *response, int status)
{
	return !response || status == 408 || status == 480 || status == 486 || status == 491 ||
	       status == 500 || status == 503 || status == 504 || status == 600;
}

void resync_answered(struct resync *r, const struct hd_msg *response, int status)
{
	if (r->fetched) {
		succeed(r);
	} else if (is_unanswered(response, status)) {
		hd_info("notify", "%s: resync not answered (%d), try %u", r->phone, status,
			r->tries + 1);
		note_asked(r);
		fail(r, RESYNC_UNANSWERED);
	} else if (status < 300 && r->must_fetch) {
		hd_info("notify", "%s: resync answered %d, to fetch", r->phone, status);
		note_asked(r);
		enter(r, RESYNC_FETCHING);
		set_timer(r, (int64_t)r->notify->options.policy.fetch_s * 1000);
	} else if (status < 300 || (!r->can_fetch && status != 401 && status != 407)) {
		/* What a phone makes of it is its own when nobody can see whether it fetches. */
		hd_log(status < 300 ? HD_LOG_INFO : HD_LOG_WARNING, "notify",
		       "%s: resync answered %d", r->phone, status);
		succeed(r);
	} else {
		hd_info("notify", "%s: resync refused (%d), try %u", r->phone, status,
			r->tries + 1);
		note_asked(r);
		fail(r, RESYNC_REFUSED);
	}
	if (r->changed && r->state != RESYNC_STRIKING)
		resync_look(r);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* @return 0 or HD_ENOENT: nothing to tell */
static int read_entry(struct resync *r)
{
	const struct hd_notify_options *o = &r->notify->options;
	struct hd_outbox_entry entry;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = hd_outbox_get(o->desk, txn, r->phone, &entry);
	/* That there is one says enough. */
	if (err == HD_ECORRUPT) {
		entry.epoch = hd_txn_epoch(txn);
		entry.since_ms = 0;
		err = 0;
	}
	hd_store_end_read(txn);
	if (err)
		return err;
	r->epoch = entry.epoch;
	r->since_ms = entry.since_ms;
	r->changed = false;
	return 0;
}

static bool is_busy(const struct resync *r, const struct hd_vendor *vendor)
{
	const struct hd_notify_options *o = &r->notify->options;

	return vendor->interrupts && o->busy && o->busy(o->arg, r->phone);
}

void resync_look(struct resync *r)
{
	struct resync_phone phone;
	int err;

	if (r->state == RESYNC_ASKING && r->orq)
		return;
	err = read_entry(r);
	if (err == HD_ENOENT) {
		resync_free(r);
		return;
	}
	if (!err)
		err = ask_read(r->notify, r->phone, r->turn, &phone);
	/* Whoever removes a phone takes it out of the outbox, or will have. */
	if (err == HD_EGONE || err == HD_ENOENT) {
		enter(r, RESYNC_AWAY);
		return;
	}
	if (!err && is_busy(r, phone.vendor)) {
		if (r->state != RESYNC_BUSY)
			hd_info("notify", "%s: resync waits for the end of its call", r->phone);
		enter(r, RESYNC_BUSY);
		set_timer(r, BUSY_CHECK_MS);
		hd_wipe(&phone, sizeof(phone));
		return;
	}
	if (!err) {
		r->last_status = 0;
		r->fetched = false;
		r->asked_at_ms = hd_clock_wall_ms(r->notify->options.clock);
		enter(r, RESYNC_ASKING);
		r->can_fetch = can_fetch(r, &phone);
		err = ask_send(r, &phone);
		r->must_fetch = r->can_fetch && (phone.vendor->fetches || !r->whole);
		hd_wipe(&phone, sizeof(phone));
	}
	if (err) {
		hd_info("notify", "%s: resync not sent: %s", r->phone, hd_strerror(err));
		fail(r, RESYNC_UNANSWERED);
	}
}

/* ---- what happens ---------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
	struct resync *r = arg;

	if (r->state == RESYNC_FETCHING) {
		hd_info("notify", "%s: has not fetched its configuration, try %u", r->phone,
			r->tries + 1);
		fail(r, RESYNC_UNFETCHED);
	} else if (r->state == RESYNC_PAUSED || r->state == RESYNC_BUSY) {
		resync_look(r);
	}
}

void resync_wake(struct resync *r, uint64_t epoch)
{
	if (r->state != RESYNC_IDLE && epoch <= r->epoch)
		return;
	r->changed = true;
	switch (r->state) {
	case RESYNC_IDLE:
	case RESYNC_FETCHING:
	case RESYNC_PAUSED:
		resync_look(r);
		break;
	case RESYNC_ASKING:   /* after the answer */
	case RESYNC_STRIKING: /* after that */
	case RESYNC_BUSY:
	case RESYNC_AWAY:
	default:
		break;
	}
}

void resync_bound(struct resync *r)
{
	const int64_t in_ms = r->due_mono_ms - mono_ms(r);

	if (r->state != RESYNC_AWAY && r->state != RESYNC_PAUSED)
		return;
	/* One that restarts over being asked, and does not fetch, would go on so for ever. */
	if (r->tries > 0 && r->why != RESYNC_UNANSWERED && in_ms > 0) {
		enter(r, RESYNC_PAUSED);
		set_timer(r, in_ms);
		return;
	}
	if (r->why == RESYNC_UNANSWERED) {
		r->tries = 0;
		set_reported(r, false);
	}
	resync_look(r);
}

void resync_idle(struct resync *r)
{
	if (r->state == RESYNC_BUSY)
		resync_look(r);
}

void resync_fetched(struct resync *r, int64_t at_ms)
{
	if (!r->asked_at_ms || at_ms < r->asked_at_ms)
		return;
	r->fetched = true;
	if (r->state == RESYNC_FETCHING || r->state == RESYNC_PAUSED)
		succeed(r);
}
