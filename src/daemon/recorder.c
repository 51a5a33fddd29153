/* recorder.c - calls of the proxy go to the call lists, in batches of soft commands; SIP thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>
#include <utlist.h>

#include "daemon_priv.h"
#include "forwarders.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "missed.h"
#include "recorder.h"
#include "removal.h"
#include "retention.h"

enum {
	AFTER_MS = 200,	  /* a change is written; calls that are shorter are written once */
	TURNS = 5,	  /* of these, then also what nobody waits for */
	BATCH_MAX = 512,  /* then at once */
	WAITING_MAX = 64, /* batches that the store has yet to write; more are lost */
	REFUSED_MAX = 64, /* INVITEs whose repetition is known */
};

/* A call in progress that is written as open, or will be. */
struct known {
	uint64_t id;
	const struct hd_call *call; /* the proxy's */
	bool changed;		    /* in the list of those */
	bool written;
	unsigned blank; /* parts of it that are to be told no more */
	struct forwarders *forwarders;
	struct known *prev, *next;
	UT_hash_handle hh;
};

struct batch {
	struct hd_command command;
	struct hd_calls_batch calls;
	struct daemon_recorder *recorder;
	struct daemon_list_owners owners;
	struct hd_calls_record records[BATCH_MAX];
};

struct daemon_recorder {
	struct daemon *d;
	struct batch *batch; /* being filled; or NULL */
	struct known *known, *changed;
	struct hd_sip_timer *timer;
	bool armed, stopped;
	uint8_t refused[REFUSED_MAX][HD_CALLS_HASH_BYTES]; /* the last ones */
	unsigned n_refused;
	struct forwarding forwarding; /* of the call that is about to begin */
	bool urgent;		      /* the batch has a call that goes on, or was missed */
	unsigned turns;
	unsigned waiting;
	size_t n_changed, n_records; /* in batches */
	/* An empty command that does not wait: the soft ones before it go with its commit. */
	struct hd_command kick;
	bool kicking, again;
	struct retention retention; /* the control thread's */
};

static struct hd_metric unwritten =
	HD_GAUGE("hotdeskd_calls_unwritten", NULL, "changes of calls that a crash would lose");

static void count(struct daemon_recorder *r, size_t *np, int more)
{
	*np += (size_t)more;
	hd_metric_set(&unwritten, (int64_t)(r->n_changed + r->n_records));
}

static struct known *known_of(struct daemon_recorder *r, const struct hd_call *call, bool make)
{
	struct known *k;

	HASH_FIND(hh, r->known, &call->id, sizeof(call->id), k);
	if (k || !make)
		return k;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->id = call->id;
	k->call = call;
	k->forwarders = forwarding_take(&r->forwarding, call);
	HASH_ADD(hh, r->known, id, sizeof(k->id), k);
	return k;
}

static void unchanged(struct daemon_recorder *r, struct known *k)
{
	if (!k->changed)
		return;
	DL_DELETE(r->changed, k);
	k->changed = false;
	count(r, &r->n_changed, -1);
}

static void known_free(struct daemon_recorder *r, struct known *k)
{
	unchanged(r, k);
	HASH_DEL(r->known, k);
	free(k->forwarders);
	free(k);
}

/* The same call comes again, with credentials or in another form. */
static bool is_tried_again(const struct hd_call *call)
{
	static const int statuses[] = { 401, 407, 415, 420, 421, 422, 494 };

	for (size_t i = 0; call->end == HD_CALL_REFUSED && i < sizeof(statuses) / sizeof(int); i++)
		if (call->status == statuses[i])
			return true;
	return false;
}

/* ---- whose list is off: store thread -------------------------------------------------------- */

bool daemon_list_is_off(const void *arg, struct hd_txn *txn, const char *owner)
{
	const struct daemon_list_owners *owners = arg;
	struct hd_user user;
	bool off = false;

	/* A phone's own list is nobody's, and is shown to nobody. */
	if (!hd_user_get(owners->dir, txn, owner, &user))
		off = hd_list_policy_mode(&owners->policy, user.call_list, user.group) ==
		      HD_LIST_OFF;
	hd_wipe(&user, sizeof(user));
	return off;
}

int daemon_close_calls(struct hd_txn *txn, void *arg)
{
	struct daemon *d = arg;
	struct daemon_list_owners owners = { .dir = d->dir };
	struct hd_calls_batch batch = {
		.calls = d->calls,
		.is_off = daemon_list_is_off,
		.arg = &owners,
	};

	conf_list_policy(&owners.policy, d->conf);
	return hd_calls_close(txn, &batch);
}

/* ---- batches -------------------------------------------------------------------------------- */

static void on_written(struct hd_command *command)
{
	struct batch *b = (struct batch *)command;
	struct daemon_recorder *r = b->recorder;

	r->waiting--;
	count(r, &r->n_records, -(int)b->calls.n);
	if (command->err)
		hd_warn("calls", "%zu calls not recorded: %s", b->calls.n,
			hd_strerror(command->err));
	for (size_t i = 0; !command->err && i < b->calls.n; i++)
		if (b->records[i].missed)
			daemon_missed_changed(r->d, b->records[i].callee.owner);
	free(b);
}

static int do_nothing(struct hd_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

static void on_kicked(struct hd_command *command);

static void kick(struct daemon_recorder *r)
{
	r->again = r->kicking;
	if (r->kicking)
		return;
	r->kick = (struct hd_command){
		.run = do_nothing,
		.arg = r,
		.reply_to = hd_agent_mailbox(r->d->agent),
		.done = on_kicked,
	};
	/* Without it they are written a little later. */
	r->kicking = hd_store_submit(r->d->store, &r->kick) == 0;
}

static void on_kicked(struct hd_command *command)
{
	struct daemon_recorder *r = command->arg;

	r->kicking = false;
	if (r->again)
		kick(r);
}

static void flush(struct daemon_recorder *r)
{
	struct batch *b = r->batch;
	int err;

	if (!b)
		return;
	r->batch = NULL;
	r->turns = 0;
	b->recorder = r;
	b->calls.calls = r->d->calls;
	b->calls.records = b->records;
	b->owners.dir = r->d->dir;
	b->owners.policy = r->d->list_policy;
	b->calls.is_off = daemon_list_is_off;
	b->calls.arg = &b->owners;
	b->command.run = hd_calls_write;
	b->command.arg = &b->calls;
	b->command.reply_to = hd_agent_mailbox(r->d->agent);
	b->command.done = on_written;
	err = hd_store_submit_soft(r->d->store, &b->command);
	if (!err) {
		r->waiting++;
		if (r->urgent)
			kick(r);
		r->urgent = false;
		return;
	}
	hd_warn("calls", "%zu calls not recorded: %s", b->calls.n, hd_strerror(err));
	count(r, &r->n_records, -(int)b->calls.n);
	free(b);
}

/* Ends of calls that were answered are many, and their loss tells no less than a crash does. */
static bool is_urgent(const struct hd_calls_record *record)
{
	return !record->final ||
	       (!record->answered_ms && !record->elsewhere && record->callee.owner[0]);
}

/* NULL: it is lost, and said. */
static struct hd_calls_record *next_record(struct daemon_recorder *r, const struct hd_call *call,
					   unsigned blank)
{
	struct hd_calls_record *record;

	if (!r->batch) {
		r->batch = r->waiting < WAITING_MAX ? malloc(sizeof(*r->batch)) : NULL;
		if (!r->batch) {
			hd_log_call(HD_LOG_WARNING, "calls", call->call_id, "not recorded: %s",
				    hd_strerror(HD_EBUSY));
			return NULL;
		}
		memset(&r->batch->command, 0, sizeof(r->batch->command));
		r->batch->calls.n = 0;
	}
	record = &r->batch->records[r->batch->calls.n++];
	daemon_record_of(r->d, record, call);
	hd_calls_blank_parts(record, blank);
	r->urgent |= is_urgent(record);
	count(r, &r->n_records, 1);
	return record;
}

static void flush_full(struct daemon_recorder *r)
{
	if (r->batch->calls.n == BATCH_MAX)
		flush(r);
}

static bool add(struct daemon_recorder *r, const struct hd_call *call, unsigned blank)
{
	bool added = next_record(r, call, blank) != NULL;

	if (added)
		flush_full(r);
	return added;
}

static void add_forwarders(struct daemon_recorder *r, const struct hd_call *call,
			   const struct forwarders *f)
{
	struct hd_calls_record *record;

	for (size_t i = 0; f && i < f->n; i++) {
		record = next_record(r, call, 0);
		if (!record)
			return;
		forwarders_record(f, i, call, record);
		r->urgent |= is_urgent(record);
		flush_full(r);
	}
}

static void take_changed(struct daemon_recorder *r)
{
	struct known *k;

	while ((k = r->changed) != NULL) {
		unchanged(r, k);
		if (!r->d->conf_calls.record || !add(r, k->call, k->blank))
			continue;
		k->written = true;
		add_forwarders(r, k->call, k->forwarders);
	}
}

static void on_timer(void *arg);

static void arm(struct daemon_recorder *r)
{
	if (r->armed)
		return;
	if (!r->timer && hd_sip_timer_new(&r->timer, r->d->agent, on_timer, r)) {
		hd_warn("calls", "not recorded: %s", hd_strerror(HD_ENOMEM));
		return;
	}
	r->armed = true;
	hd_sip_timer_set(r->timer, AFTER_MS);
}

static void on_timer(void *arg)
{
	struct daemon_recorder *r = arg;

	r->armed = false;
	take_changed(r);
	if (r->urgent || ++r->turns >= TURNS)
		flush(r);
	else if (r->batch)
		arm(r);
}

static void note_open(struct daemon_recorder *r, const struct hd_call *call)
{
	struct known *k;

	/* What the store knows of one that is learned again is more. */
	if (!r->d->conf_calls.record || call->learned)
		return;
	k = known_of(r, call, true);
	if (!k || k->changed)
		return;
	k->changed = true;
	DL_APPEND(r->changed, k);
	count(r, &r->n_changed, 1);
	arm(r);
}

void daemon_record_call(struct daemon *d, const struct hd_call *call)
{
	struct daemon_recorder *r = d->recorder;
	struct known *k;

	if (!r)
		return;
	if (call->state != HD_CALL_TERMINATED) {
		note_open(r, call);
		return;
	}
	k = known_of(r, call, false);
	if (((d->conf_calls.record && !is_tried_again(call)) || (k && k->written)) &&
	    add(r, call, k ? k->blank : 0)) {
		add_forwarders(r, call, k ? k->forwarders : NULL);
		arm(r);
	}
	if (k)
		known_free(r, k);
}

void daemon_record_left(struct daemon *d, const struct hd_call *call, int status, const char *to)
{
	enum { USER_BUSY = 17, NO_ANSWER = 19 };
	struct daemon_recorder *r = d->recorder;
	struct hd_call left = *call;
	struct hd_calls_record *record;
	struct known *k;

	if (!r || !d->conf_calls.record || call->learned)
		return;
	left.state = HD_CALL_TERMINATED;
	left.end = HD_CALL_REFUSED;
	left.status = status;
	left.cause = status == 486 || status == 600 ? USER_BUSY : NO_ANSWER;
	left.answered_ms = 0;
	left.ended_ms = hd_clock_wall_ms(d->clock);
	k = known_of(r, call, false);
	record = next_record(r, &left, k ? k->blank : 0);
	if (!record)
		return;
	/* The call itself goes on, with its caller, under its own hash. */
	record->caller.owner[0] = '\0';
	if (k && k->blank & HD_CALLS_CALLEE)
		k->blank = (k->blank & ~(unsigned)HD_CALLS_CALLEE) | HD_CALLS_FORWARDER;
	hd_calls_hash(record->hash, call->call_id, call->callee.user);
	hd_feature_mask(record->forwarded_to, sizeof(record->forwarded_to), &d->planner.codes,
			hd_slice_of(to));
	flush_full(r);
	arm(r);
}

static bool was_refused(struct daemon_recorder *r, const struct hd_call *call)
{
	uint8_t hash[HD_CALLS_HASH_BYTES];

	hd_calls_hash(hash, call->call_id, call->from_tag);
	for (size_t i = 0; i < REFUSED_MAX; i++)
		if (memcmp(r->refused[i], hash, sizeof(hash)) == 0)
			return true;
	memcpy(r->refused[r->n_refused++ % REFUSED_MAX], hash, sizeof(hash));
	return false;
}

/* Q.850, by RFC 3398 8.2.6.1 the other way round. */
static int cause_of(int status)
{
	switch (status) {
	case 403:
		return 21;
	case 404:
		return 1;
	case 482:
		return 25;
	case 486:
		return 17;
	default:
		return 20; /* subscriber absent */
	}
}

void daemon_record_refused(struct daemon *d, struct hd_msg *invite, const struct hd_plan *plan,
			   const char *phone, const char *user, int status)
{
	struct daemon_recorder *r = d->recorder;
	struct hd_call call = { .state = HD_CALL_TERMINATED, .end = HD_CALL_REFUSED };
	struct forwarders left;

	if (!r || r->stopped || !d->conf_calls.record)
		return;
	hd_call_describe(&call, invite);
	if (was_refused(r, &call))
		return;
	snprintf(call.caller.phone, sizeof(call.caller.phone), "%s", phone ? phone : "");
	snprintf(call.caller.user, sizeof(call.caller.user), "%s", user);
	forwarders_set(&left, &call, plan->forwards, plan->n_forwards);
	/* Where users forward in circles, the last one may have an entry as one of them. */
	if (!forwarders_have(&left, plan->user))
		snprintf(call.callee.user, sizeof(call.callee.user), "%s", plan->user);
	if (plan->diverted_by[0])
		snprintf(call.diverted_by, sizeof(call.diverted_by), "sip:%s@%s", plan->diverted_by,
			 d->domain_copy);
	call.status = status;
	call.cause = cause_of(status);
	call.started_ms = call.ended_ms = hd_clock_wall_ms(d->clock);
	if (add(r, &call, 0)) {
		add_forwarders(r, &call, &left);
		arm(r);
	}
}

void daemon_record_forwarding(struct daemon *d, struct hd_msg *invite, const struct hd_plan *plan)
{
	if (d->recorder && !d->recorder->stopped)
		forwarding_set(&d->recorder->forwarding, invite, plan);
}

void daemon_recorder_blank(struct daemon *d, const char *number)
{
	struct daemon_recorder *r = d->recorder;
	struct hd_calls_record record;

	if (!r || r->stopped)
		return;
	take_changed(r);
	flush(r);
	for (struct known *k = r->known; k; k = k->hh.next) {
		daemon_record_of(d, &record, k->call);
		k->blank |= hd_calls_parts(&record, number);
		forwarders_blank(k->forwarders, k->call, &record, number);
	}
}

void daemon_recorder_sweep(struct daemon *d)
{
	if (d->recorder)
		retention_sweep(&d->recorder->retention, d);
}

/* ---- begin and end -------------------------------------------------------------------------- */

struct finish {
	struct hd_task task;
	struct daemon *d;
	atomic_bool done;
};

int daemon_recorder_new(struct daemon *d)
{
	d->recorder = calloc(1, sizeof(*d->recorder));
	if (!d->recorder)
		return HD_ENOMEM;
	hd_metric_register(&unwritten);
	d->recorder->d = d;
	d->conf_calls = d->conf->calls;
	conf_list_policy(&d->list_policy, d->conf);
	return 0;
}

static void run_finish(struct hd_task *task)
{
	struct finish *f = (struct finish *)task;
	struct daemon_recorder *r = f->d->recorder;

	if (f->d->proxy) {
		take_changed(r);
		flush(r);
	}
	atomic_store(&f->done, true);
}

void daemon_recorder_finish(struct daemon *d)
{
	const struct timespec step = { .tv_nsec = 1000000 };
	struct finish *f;

	if (!d->recorder || !d->proxy)
		return;
	f = calloc(1, sizeof(*f));
	if (!f)
		return;
	f->d = d;
	f->task.run = run_finish;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &f->task);
	for (int i = 0; i < 2000 && !atomic_load(&f->done); i++)
		nanosleep(&step, NULL);
	/* Of a SIP thread that hangs nothing else will be freed, either. */
	if (atomic_load(&f->done))
		free(f);
}

void daemon_recorder_stop(struct daemon *d)
{
	struct daemon_recorder *r = d->recorder;

	if (!r)
		return;
	hd_sip_timer_free(r->timer);
	r->timer = NULL;
	r->stopped = r->armed = true; /* nothing is recorded from here on */
}

void daemon_recorder_free(struct daemon *d)
{
	struct known *k, *next;

	if (!d->recorder)
		return;
	k = d->recorder->known;
	HASH_CLEAR(hh, d->recorder->known);
	for (; k; k = next) {
		next = k->hh.next;
		free(k->forwarders);
		free(k);
	}
	free(d->recorder->batch);
	free(d->recorder);
	d->recorder = NULL;
}
