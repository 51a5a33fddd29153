/* recorder.c - calls of the proxy go to the call lists, in batches of soft commands; SIP thread. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"

enum {
	EVERY_MS = 1000,    /* calls that are shorter are written once */
	BATCH_MAX = 512,    /* then at once */
	WAITING_MAX = 64,   /* batches that the store has yet to write; more are lost */
	SWEEP_LOOKS = 2000, /* entries a second */
	DAY_S = 86400,
};

/* A call that is written as open, in this state. */
struct stored {
	uint64_t id;
	enum hd_call_state state;
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
	struct stored *stored;
	struct hd_sip_timer *timer;
	bool ticking;
	atomic_uint waiting;
	/* control thread */
	struct hd_calls_sweep sweep;
	struct hd_command sweep_command;
	bool sweeping;
};

static void stored_free(struct daemon_recorder *r, struct stored *s)
{
	HASH_DEL(r->stored, s);
	free(s);
}

/* ---- from a call to its record -------------------------------------------------------------- */

static void set_text(char *dst, size_t size, const char *src)
{
	if (hd_str_set(dst, size, src))
		dst[0] = '\0';
}

/* The user part, or what is dialled by tel:; a number that is longer than any is left out. */
static void number_of(char number[HD_CALLS_NUMBER_SIZE], const char *text)
{
	struct hd_uri uri;

	number[0] = '\0';
	if (strncmp(text, "tel:", 4) == 0) {
		text += 4;
		if (hd_str_copy(number, HD_CALLS_NUMBER_SIZE,
				(struct hd_slice){ text, strcspn(text, ";") }))
			number[0] = '\0';
		return;
	}
	if (hd_uri_parse(&uri, hd_slice_of(text)) || uri.scheme > HD_URI_SIPS)
		return;
	if (hd_uri_unescape(number, HD_CALLS_NUMBER_SIZE, uri.user) ||
	    !hd_utf8_is_text(hd_slice_of(number)))
		number[0] = '\0';
}

static void side_of(struct hd_calls_side *side, const struct hd_call_party *party)
{
	set_text(side->owner, sizeof(side->owner), party->user[0] ? party->user : party->phone);
	set_text(side->phone, sizeof(side->phone), party->phone);
	set_text(side->name, sizeof(side->name), party->name);
}

/* What begins as a feature code may hold a PIN, wherever it was sent. */
static void dialled_of(struct daemon *d, char number[HD_CALLS_NUMBER_SIZE],
		       const struct hd_call *call)
{
	char plain[HD_CALLS_NUMBER_SIZE];

	number_of(plain, call->dialled);
	hd_feature_mask(number, HD_CALLS_NUMBER_SIZE, &d->planner.codes, hd_slice_of(plain));
}

static void record_of(struct daemon *d, struct hd_calls_record *r, const struct hd_call *call)
{
	memset(r, 0, sizeof(*r));
	hd_calls_hash(r->hash, call->call_id, call->from_tag);
	r->final = call->state == HD_CALL_TERMINATED;
	r->learned = call->learned;
	r->answered_ms = call->answered_ms;
	/* Nobody knows when one that was lost has ended. */
	r->ended_ms = call->end == HD_CALL_LOST ? 0 : call->ended_ms;
	r->cause = call->cause;
	if (call->learned)
		return;
	side_of(&r->caller, &call->caller);
	side_of(&r->callee, &call->callee);
	if (call->caller.user[0])
		set_text(r->caller.number, sizeof(r->caller.number), call->caller.user);
	else
		number_of(r->caller.number, call->caller.uri);
	dialled_of(d, r->callee.number, call);
	number_of(r->forwarded_by, call->diverted_by);
	r->started_ms = call->started_ms;
	r->ringing_ms = call->ringing_ms;
	r->status = call->status;
	r->withheld = call->withheld;
	r->elsewhere = call->elsewhere;
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

	if (command->err)
		hd_warn("calls", "%zu calls not recorded: %s", b->calls.n,
			hd_strerror(command->err));
	atomic_fetch_sub(&b->recorder->waiting, 1);
	free(b);
}

static void flush(struct daemon_recorder *r)
{
	struct batch *b = r->batch;
	int err;

	if (!b)
		return;
	r->batch = NULL;
	b->recorder = r;
	b->calls.calls = r->d->calls;
	b->calls.records = b->records;
	b->owners.dir = r->d->dir;
	b->owners.policy = r->d->list_policy;
	b->calls.is_off = daemon_list_is_off;
	b->calls.arg = &b->owners;
	b->command.run = hd_calls_write;
	b->command.arg = &b->calls;
	b->command.done = on_written;
	atomic_fetch_add(&r->waiting, 1);
	err = hd_store_submit_soft(r->d->store, &b->command);
	if (!err)
		return;
	atomic_fetch_sub(&r->waiting, 1);
	hd_warn("calls", "%zu calls not recorded: %s", b->calls.n, hd_strerror(err));
	free(b);
}

/* NULL: it is lost, and said. */
static struct hd_calls_record *next_record(struct daemon_recorder *r, const struct hd_call *call)
{
	struct hd_calls_record *record;

	if (!r->batch) {
		r->batch =
			atomic_load(&r->waiting) < WAITING_MAX ? malloc(sizeof(*r->batch)) : NULL;
		if (!r->batch) {
			hd_log_call(HD_LOG_WARNING, "calls", call->call_id, "not recorded: %s",
				    hd_strerror(HD_EBUSY));
			return NULL;
		}
		memset(&r->batch->command, 0, sizeof(r->batch->command));
		r->batch->calls.n = 0;
	}
	record = &r->batch->records[r->batch->calls.n++];
	record_of(r->d, record, call);
	return record;
}

static void add(struct daemon_recorder *r, const struct hd_call *call)
{
	if (next_record(r, call) && r->batch->calls.n == BATCH_MAX)
		flush(r);
}

static void add_open(void *arg, const struct hd_call *call)
{
	struct daemon_recorder *r = arg;
	struct stored *s;

	if (call->learned)
		return; /* what the store knows of it is more */
	HASH_FIND(hh, r->stored, &call->id, sizeof(call->id), s);
	if (s && s->state == call->state)
		return;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return;
		s->id = call->id;
		HASH_ADD(hh, r->stored, id, sizeof(s->id), s);
	}
	s->state = call->state;
	add(r, call);
}

static void on_timer(void *arg)
{
	struct daemon_recorder *r = arg;

	if (r->d->conf_calls.record)
		hd_proxy_walk_calls(r->d->proxy, add_open, r);
	flush(r);
	r->ticking = hd_proxy_calls(r->d->proxy) > 0;
	if (r->ticking)
		hd_sip_timer_set(r->timer, EVERY_MS);
}

static void tick(struct daemon_recorder *r)
{
	if (r->ticking)
		return;
	if (!r->timer && hd_sip_timer_new(&r->timer, r->d->agent, on_timer, r)) {
		hd_warn("calls", "not recorded: %s", hd_strerror(HD_ENOMEM));
		return;
	}
	r->ticking = true;
	hd_sip_timer_set(r->timer, EVERY_MS);
}

void daemon_record_call(struct daemon *d, const struct hd_call *call)
{
	struct daemon_recorder *r = d->recorder;
	struct stored *s;
	bool was_open;

	if (!r)
		return;
	tick(r);
	if (call->state != HD_CALL_TERMINATED)
		return;
	HASH_FIND(hh, r->stored, &call->id, sizeof(call->id), s);
	was_open = s != NULL;
	if (s)
		stored_free(r, s);
	if ((d->conf_calls.record && !is_tried_again(call)) || was_open)
		add(r, call);
}

void daemon_record_left(struct daemon *d, const struct hd_call *call, int status)
{
	enum { USER_BUSY = 17, NO_ANSWER = 19 };
	struct daemon_recorder *r = d->recorder;
	struct hd_call left = *call;
	struct hd_calls_record *record;

	if (!r || !d->conf_calls.record || call->learned)
		return;
	tick(r);
	left.state = HD_CALL_TERMINATED;
	left.end = HD_CALL_REFUSED;
	left.status = status;
	left.cause = status == 486 || status == 600 ? USER_BUSY : NO_ANSWER;
	left.answered_ms = 0;
	left.ended_ms = hd_clock_wall_ms(d->clock);
	record = next_record(r, &left);
	if (!record)
		return;
	/* The call itself goes on, with its caller, under its own hash. */
	record->caller.owner[0] = '\0';
	hd_calls_hash(record->hash, call->call_id, call->callee.user);
	if (r->batch->calls.n == BATCH_MAX)
		flush(r);
}

/* ---- retention: control thread -------------------------------------------------------------- */

static void on_swept(struct hd_command *command)
{
	struct daemon_recorder *r = command->arg;

	r->sweeping = false;
	if (command->err)
		hd_warn("calls", "old entries not removed: %s", hd_strerror(command->err));
}

static int run_sweep(struct hd_txn *txn, void *arg)
{
	struct daemon_recorder *r = arg;

	return hd_calls_sweep(txn, &r->sweep);
}

void daemon_recorder_sweep(struct daemon *d)
{
	struct daemon_recorder *r = d->recorder;
	const struct hd_conf_calls *c = &d->conf->calls;
	struct hd_txn *txn;
	int err;

	if (!r || r->sweeping || hd_store_begin_read(d->store, &txn))
		return;
	r->sweep.calls = d->calls;
	r->sweep.older_than_ms = hd_clock_wall_ms(d->clock) - (int64_t)c->keep_days * DAY_S * 1000;
	r->sweep.max = c->keep_max;
	r->sweep.looks = SWEEP_LOOKS;
	err = hd_calls_look(txn, &r->sweep);
	hd_store_end_read(txn);
	if (err)
		hd_warn("calls", "old entries not looked for: %s", hd_strerror(err));
	if (err || r->sweep.n == 0)
		return;
	r->sweep_command.run = run_sweep;
	r->sweep_command.arg = r;
	r->sweep_command.reply_to = hd_loop_mailbox(d->loop);
	r->sweep_command.done = on_swept;
	r->sweeping = hd_store_submit(d->store, &r->sweep_command) == 0;
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
	d->recorder->d = d;
	d->conf_calls = d->conf->calls;
	conf_list_policy(&d->list_policy, d->conf);
	return 0;
}

static void run_finish(struct hd_task *task)
{
	struct finish *f = (struct finish *)task;
	struct daemon_recorder *r = f->d->recorder;

	if (f->d->proxy && r->timer)
		on_timer(r);
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
	r->ticking = true; /* nothing is recorded from here on */
}

void daemon_recorder_free(struct daemon *d)
{
	struct stored *s, *next;

	if (!d->recorder)
		return;
	s = d->recorder->stored;
	HASH_CLEAR(hh, d->recorder->stored);
	for (; s; s = next) {
		next = s->hh.next;
		free(s);
	}
	free(d->recorder->batch);
	free(d->recorder);
	d->recorder = NULL;
}
