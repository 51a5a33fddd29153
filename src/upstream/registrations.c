/*
 * registrations.c - what is to be registered, what is, and when what is sent; see upstream.h.
 *
 * One state machine with its turns: it is read as one.
 */
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "upstream_priv.h"

enum {
	LOOK_AT_ONCE = 200, /* desk sessions */
	LOOK_PAUSE_MS = 5,  /* before the next of them */
	PUMP_MS = 20,	    /* between two turns of sending while some wait */
	UNREGISTER_MAX = 8, /* tries; then it may run out by itself */
	LEAVE_MS = 300000,  /* the same of one that leaves where it was */
	CSEQ_STEP = 16,	    /* beyond requests that may be under way */
	DOUBLINGS_MAX = 16,
};

static struct hd_metric registered =
	HD_GAUGE("hotdeskd_upstream_registrations", NULL, "our registrations at upstreams");
static struct hd_metric failed = HD_COUNTER("hotdeskd_upstream_registers", "result=\"failed\"",
					    "REGISTER requests to upstreams");
static struct hd_metric ok = HD_COUNTER("hotdeskd_upstream_registers", "result=\"ok\"",
					"REGISTER requests to upstreams");

void registrations_metrics(void)
{
	hd_metric_register(&registered);
	hd_metric_register(&failed);
	hd_metric_register(&ok);
}

static void settle(struct registration *r);
static void pump_later(struct hd_upstreams *u);

/* ---- one of them ---------------------------------------------------------------------------- */

static void on_timer(void *arg);

static void make_call_id(struct registration *r)
{
	uint8_t random[16];

	hd_random_bytes(random, sizeof(random));
	hd_hex_format(r->call_id, random, sizeof(random));
}

/* In no list yet. */
static struct registration *registration_alloc(struct hd_upstreams *u, const char *key)
{
	struct registration *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->u = u;
	if (hd_str_set(r->key, sizeof(r->key), key) ||
	    hd_sip_timer_new(&r->timer, u->o.agent, on_timer, r)) {
		free(r);
		return NULL;
	}
	make_call_id(r);
	return r;
}

static struct registration *registration_new(struct hd_upstreams *u, const char *key)
{
	struct registration *r = registration_alloc(u, key);

	if (r)
		HASH_ADD_STR(u->registrations, key, r);
	return r;
}

static void count(struct registration *r, bool now)
{
	if (now != r->registered)
		hd_metric_add(&registered, now ? 1 : -1);
	r->registered = now;
}

void registration_free(struct registration *r)
{
	struct hd_upstreams *u = r->u;

	count(r, false);
	if (r->queued)
		DL_DELETE(u->queue, r);
	if (r->left)
		DL_DELETE2(u->leaving, r, younger, older);
	else
		HASH_DEL(u->registrations, r);
	hd_sip_timer_free(r->timer);
	hd_orq_free(r->orq);
	hd_uac_auth_free(r->auth);
	free(r->left);
	hd_wipe(&r->known, sizeof(r->known));
	free(r);
}

const struct hd_peer *registration_peer(const struct registration *r)
{
	const struct upstream_peer *p = r->left ? NULL : peer_of_account(r->u, r->key);

	return r->left ? r->left : p ? &p->peer : NULL;
}

static void enqueue(struct registration *r)
{
	struct hd_upstreams *u = r->u;

	if (r->queued || r->busy)
		return;
	DL_APPEND(u->queue, r);
	r->queued = true;
	pump_later(u);
}

static void on_timer(void *arg)
{
	enqueue(arg);
}

/* Between 75 % and 125 %: what failed together is not tried again together. */
static int64_t jittered_ms(uint64_t seconds)
{
	const uint64_t ms = seconds * 1000;

	return (int64_t)(ms * 3 / 4 + hd_random_u32((uint32_t)(ms / 2) + 1));
}

static int64_t retry_ms(const struct registration *r, uint32_t retry_after_s)
{
	const struct hd_upstream_policy *p = &r->u->policy;
	unsigned doublings = r->failures - 1 < DOUBLINGS_MAX ? r->failures - 1 : DOUBLINGS_MAX;
	uint64_t s = (uint64_t)p->retry_s << doublings;

	if (s > p->retry_max_s)
		s = p->retry_max_s;
	if (retry_after_s > s)
		s = retry_after_s < p->retry_max_s ? retry_after_s : p->retry_max_s;
	return jittered_ms(s);
}

static int64_t refresh_ms(uint32_t granted_s)
{
	const uint64_t ms = (uint64_t)granted_s * 1000;

	return (int64_t)(ms / 2 + hd_random_u32((uint32_t)(ms * 3 / 10) + 1));
}

/* ---- what is written down ------------------------------------------------------------------- */

static struct registration *of_command(struct hd_command *command)
{
	return (struct registration *)((char *)command - offsetof(struct registration, command));
}

/* On the store thread: the key and what is to be noted do not change while it is busy. */
static int run_note(struct hd_txn *txn, void *arg)
{
	const struct registration *r = arg;

	return hd_accounts_note(r->u->o.accounts, txn, r->key, r->note);
}

static void turn_end(struct registration *r)
{
	r->busy = false;
	r->u->in_flight--;
	settle(r);
}

static void send(struct registration *r)
{
	int err = register_send(r);

	if (err) {
		hd_warn("upstream", "%s: REGISTER not sent: %s", r->key, hd_strerror(err));
		register_done(r, 503, 0);
	}
}

static void on_noted(struct hd_command *command)
{
	struct registration *r = of_command(command);

	if (command->err)
		hd_warn("upstream", "%s: not written down: %s", r->key, hd_strerror(command->err));
	/* What was not struck out is unregistered once more at the start. */
	r->noted = r->note && !command->err;
	if (r->noted)
		send(r);
	else if (r->note)
		register_done(r, 503, 0);
	else
		turn_end(r);
}

static void note(struct registration *r, bool what)
{
	int err;

	r->note = what;
	r->command = (struct hd_command){
		.run = run_note,
		.arg = r,
		.reply_to = hd_agent_mailbox(r->u->o.agent),
		.done = on_noted,
	};
	err = hd_store_submit(r->u->o.store, &r->command);
	if (!err)
		return;
	r->command.err = err;
	on_noted(&r->command);
}

/* ---- turns ---------------------------------------------------------------------------------- */

static void take_turn(struct registration *r)
{
	r->busy = true;
	if (r->again) {
		hd_uac_auth_free(r->auth);
		r->auth = NULL;
		r->again = false;
	}
	r->u->in_flight++;
	hd_sip_timer_cancel(r->timer);
	if (!registration_peer(r)) { /* it is configured no more */
		count(r, false);
		note(r, false);
	} else if (r->wanted && !r->noted) {
		note(r, true);
	} else if (r->wanted || r->registered) {
		send(r);
	} else {
		note(r, false);
	}
}

static void on_pump(void *arg)
{
	struct hd_upstreams *u = arg;
	const int64_t now = hd_clock_mono_ms(u->o.clock);
	const double rate = u->policy.register_rate, room = rate / 10 > 1 ? rate / 10 : 1;
	struct registration *r;

	u->tokens += rate * (double)(now - u->filled_ms) / 1000;
	u->filled_ms = now;
	if (u->tokens > room)
		u->tokens = room;
	while ((r = u->queue) && u->tokens >= 1 && u->in_flight < u->policy.register_max) {
		DL_DELETE(u->queue, r);
		r->queued = false;
		u->tokens -= 1;
		take_turn(r);
	}
	if (u->queue)
		hd_sip_timer_set(u->pump, PUMP_MS);
}

static void pump_later(struct hd_upstreams *u)
{
	hd_sip_timer_set(u->pump, 1);
}

/* Now, whatever came of it before. */
static void renew(struct registration *r)
{
	r->failures = 0;
	r->again = true;
	hd_sip_timer_cancel(r->timer);
	enqueue(r);
}

/*
 * What has come instead of one that left may be at the same server, under another name of it or
 * there again; the Contact that was taken away there is then its own.
 */
static void renew_after(const struct registration *old)
{
	struct registration *r;

	HASH_FIND_STR(old->u->registrations, old->key, r);
	if (r && r->wanted && (r->registered || r->busy) &&
	    strcmp(r->known.user, old->known.user) == 0)
		renew(r);
}

/* What is next for one that is not busy; it may be gone afterwards. */
static void settle(struct registration *r)
{
	if (r->busy || r->queued)
		return;
	if (!r->wanted && !r->registered && !r->noted) {
		if (r->left)
			renew_after(r);
		registration_free(r);
		return;
	}
	if (r->again || (r->failures == 0 && (!r->wanted || !r->registered)))
		enqueue(r);
}

static bool is_at(const struct registration *r, const char *peer)
{
	size_t len = strlen(peer);

	return strncmp(r->key, peer, len) == 0 && (!r->key[len] || r->key[len] == '/');
}

void registrations_renew(struct hd_upstreams *u, const char *peer)
{
	struct registration *r, *next;

	HASH_ITER (hh, u->registrations, r, next)
		if (r->wanted && is_at(r, peer))
			renew(r);
}

/* What it is now goes where it was, in its turn; what it will be begins as a new one. */
static void leave(struct registration *r, const struct hd_peer *peer)
{
	struct hd_upstreams *u = r->u;
	struct registration *old;

	if (!r->registered || !r->known.user[0])
		return;
	old = registration_alloc(u, r->key);
	if (old)
		old->left = malloc(sizeof(*old->left));
	if (!old || !old->left) {
		if (old)
			hd_sip_timer_free(old->timer);
		free(old);
		hd_warn("upstream", "%s: no memory: not unregistered; it will run out", r->key);
		return;
	}
	*old->left = *peer;
	old->known = r->known;
	old->expires_s = r->expires_s;
	old->cseq = r->cseq + CSEQ_STEP;
	memcpy(old->call_id, r->call_id, sizeof(old->call_id));
	old->leave_until_ms = hd_clock_mono_ms(u->o.clock) + LEAVE_MS;
	DL_APPEND2(u->leaving, old, younger, older);
	count(old, true);
	count(r, false);
	make_call_id(r);
	enqueue(old);
}

void registrations_leave(struct hd_upstreams *u, const struct hd_peer *peer)
{
	struct registration *r, *next;

	HASH_ITER (hh, u->registrations, r, next)
		if (is_at(r, peer->name))
			leave(r, peer);
}

static void succeeded(struct registration *r, uint32_t granted_s)
{
	hd_metric_add(&ok, 1);
	if (r->failures)
		hd_notice("upstream", "%s: registered again", r->key);
	r->failures = 0;
	if (!granted_s) { /* the last one, or it was taken away there */
		count(r, false);
		hd_info("upstream", "%s: unregistered", r->key);
		return;
	}
	if (!r->registered)
		hd_info("upstream", "%s: registered for %u s", r->key, granted_s);
	count(r, true);
	hd_sip_timer_set(r->timer, refresh_ms(granted_s));
}

static void has_failed(struct registration *r, int status, uint32_t retry_after_s)
{
	int64_t in_ms;

	hd_metric_add(&failed, 1);
	if (r->failures < UINT32_MAX)
		r->failures++;
	in_ms = retry_ms(r, retry_after_s);
	if (!r->wanted &&
	    (r->failures >= UNREGISTER_MAX ||
	     (r->left && hd_clock_mono_ms(r->u->o.clock) + in_ms > r->leave_until_ms))) {
		hd_warn("upstream", "%s: not unregistered: %d; it will run out", r->key, status);
		r->failures = 0;
		count(r, false);
		return;
	}
	if (r->failures == 1)
		hd_warn("upstream", "%s: REGISTER: %d; again in %lld s", r->key, status,
			(long long)in_ms / 1000);
	hd_sip_timer_set(r->timer, in_ms);
}

void register_done(struct registration *r, int status, uint32_t value_s)
{
	struct hd_upstreams *u = r->u;

	if (status < 300 && (value_s || !r->wanted))
		succeeded(r, r->wanted ? value_s : 0);
	else
		has_failed(r, status, value_s);
	turn_end(r); /* it may be gone */
	pump_later(u);
}

/* ---- which there are to be ------------------------------------------------------------------ */

/* @param account hash of u->account */
static void want(struct hd_upstreams *u, const char *key, uint32_t account)
{
	struct registration *r;

	HASH_FIND_STR(u->registrations, key, r);
	if (!r)
		r = registration_new(u, key);
	if (!r) {
		hd_error("upstream", "%s: no memory: not registered", key);
		return;
	}
	r->pass = u->pass;
	if (r->wanted && r->account != account) {
		/* Of another name there it is another registration. */
		if (strcmp(r->known.user, u->account.user) != 0)
			leave(r, registration_peer(r));
		renew(r);
	}
	r->account = account;
	if (r->wanted)
		return;
	r->wanted = true;
	r->failures = 0;
	hd_sip_timer_cancel(r->timer);
	enqueue(r); /* also when it still is: nobody refreshes it by now */
}

static void want_no_more(struct registration *r)
{
	if (!r->wanted && r->noted && !r->failures && !r->queued && !r->busy) {
		enqueue(r); /* of a former life */
		return;
	}
	if (!r->wanted)
		return;
	r->wanted = false;
	r->failures = 0;
	hd_sip_timer_cancel(r->timer);
	settle(r);
}

static bool has_account(struct hd_upstreams *u, struct hd_txn *txn, enum hd_account_kind kind,
			const char *name, uint32_t *hashp)
{
	int err = hd_accounts_get(u->o.accounts, txn, kind, name, &u->account);

	*hashp = err ? 0 : hd_crc32c(&u->account, sizeof(u->account));
	hd_wipe(u->account.secret, sizeof(u->account.secret));
	if (err && err != HD_ENOENT)
		hd_warn("upstream", "%s: account cannot be read: %s", name, hd_strerror(err));
	return !err;
}

static void want_user(struct hd_upstreams *u, struct hd_txn *txn, const char *user)
{
	char key[REGISTRATION_KEY_SIZE];
	uint32_t account;

	if (!has_account(u, txn, HD_ACCOUNT_OF_USER, user, &account))
		return;
	for (size_t i = 0; i < u->n_peers; i++)
		if (u->peers[i]->peer.mode == HD_PEER_USER) {
			hd_upstream_account(key, &u->peers[i]->peer, user);
			want(u, key, account);
		}
}

static void want_peers(struct hd_upstreams *u, struct hd_txn *txn)
{
	for (size_t i = 0; i < u->n_peers; i++) {
		const struct hd_peer *peer = &u->peers[i]->peer;
		uint32_t account;

		if (peer->mode == HD_PEER_REGISTER &&
		    has_account(u, txn, HD_ACCOUNT_OF_PEER, peer->name, &account))
			want(u, peer->name, account);
	}
}

/* What a former life left: as far as we know it is registered. */
static void load(struct hd_upstreams *u, struct hd_txn *txn)
{
	char key[REGISTRATION_KEY_SIZE] = "";
	struct registration *r;

	while (!hd_accounts_next_noted(u->o.accounts, txn, key, key, sizeof(key))) {
		HASH_FIND_STR(u->registrations, key, r);
		if (r || !(r = registration_new(u, key)))
			continue;
		r->noted = true;
		count(r, true);
	}
	u->loaded = true;
}

static void look_end(struct hd_upstreams *u)
{
	struct registration *r, *next;

	HASH_ITER (hh, u->registrations, r, next)
		if (r->pass != u->pass)
			want_no_more(r);
	u->looking = false;
	if (u->again)
		hd_upstreams_changed(u);
}

static void on_look(void *arg)
{
	struct hd_upstreams *u = arg;
	struct hd_desk_session session;
	struct hd_txn *txn;
	int err = 0;

	if (hd_store_begin_read(u->o.store, &txn)) {
		hd_sip_timer_set(u->look, 1000);
		return;
	}
	if (!u->loaded)
		load(u, txn);
	if (!u->after[0])
		want_peers(u, txn);
	for (unsigned i = 0; i < LOOK_AT_ONCE; i++) {
		err = hd_desk_next(u->o.desk, txn, u->after, &session);
		if (err && err != HD_ECORRUPT)
			break;
		memcpy(u->after, session.user, sizeof(session.user));
		if (!err)
			want_user(u, txn, session.user);
	}
	hd_store_end_read(txn);
	if (err == HD_ENOENT)
		look_end(u);
	else if (err && err != HD_ECORRUPT)
		hd_sip_timer_set(u->look, 1000);
	else
		hd_sip_timer_set(u->look, LOOK_PAUSE_MS);
}

void hd_upstreams_changed(struct hd_upstreams *u)
{
	if (!u)
		return;
	if (u->looking) {
		u->again = true;
		return;
	}
	u->again = false;
	if (u->n_peers == 0 && !u->registrations && u->loaded)
		return;
	u->looking = true;
	u->pass++;
	u->after[0] = '\0';
	hd_sip_timer_set(u->look, 1);
}

int registrations_init(struct hd_upstreams *u)
{
	int err = hd_sip_timer_new(&u->pump, u->o.agent, on_pump, u);

	if (!err)
		err = hd_sip_timer_new(&u->look, u->o.agent, on_look, u);
	if (err)
		hd_sip_timer_free(u->pump);
	u->filled_ms = hd_clock_mono_ms(u->o.clock);
	return err;
}

void registrations_fini(struct hd_upstreams *u)
{
	struct registration *r, *next;

	HASH_ITER (hh, u->registrations, r, next)
		registration_free(r);
	DL_FOREACH_SAFE2(u->leaving, r, next, older)
	registration_free(r);
	hd_sip_timer_free(u->pump);
	hd_sip_timer_free(u->look);
}
