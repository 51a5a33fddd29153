/* events.c - what phones subscribe to, wired to those who know it. */
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/sip/uac_auth.h"
#include "hotdesk/summary_event.h"
#include "missed.h"

/* ---- where a phone is ----------------------------------------------------------------------- */

static size_t read_bindings(struct daemon *d, const char *phone,
			    struct hd_binding bindings[HD_BINDINGS_MAX])
{
	size_t n = HD_BINDINGS_MAX;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return 0;
	err = hd_location_get(d->location, txn, phone, hd_clock_wall_ms(d->clock), bindings, &n);
	hd_store_end_read(txn);
	return err ? 0 : n;
}

static bool is_there(const struct hd_binding *bindings, size_t n, const char *flow)
{
	for (size_t i = 0; i < n; i++)
		if (hd_flow_eq(bindings[i].flow, flow))
			return true;
	return false;
}

static bool is_bound(void *arg, const char *phone, const char *flow)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];

	return is_there(bindings, read_bindings(arg, phone, bindings), flow);
}

static bool moved(void *arg, const char *phone, const struct hd_moved *from, int64_t since_ms,
		  struct hd_moved *to)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	size_t n = read_bindings(arg, phone, bindings);
	const struct hd_binding *now;

	if (is_there(bindings, n, from->flow))
		return false;
	now = hd_binding_moved(bindings, n, from->contact_uri, since_ms);
	return now && !hd_str_set(to->contact_uri, sizeof(to->contact_uri), now->contact_uri) &&
	       !hd_str_set(to->flow, sizeof(to->flow), now->flow);
}

/* ---- phones that challenge ------------------------------------------------------------------ */

struct account {
	struct hd_phone phone;
	char secret[HD_SIP_SECRET_SIZE];
};

/* An hd_uac_lookup_fn: the phone's own account, whatever realm it names. */
static int find_account(void *arg, struct hd_slice realm, struct hd_uac_credentials *c)
{
	const struct account *a = arg;

	c->username = a->phone.id;
	if (a->secret[0])
		c->secret = a->secret;
	else if (hd_slice_is(realm, a->phone.realm))
		c->ha1_md5 = a->phone.ha1_md5, c->ha1_sha256 = a->phone.ha1_sha256;
	else
		return HD_ENOENT;
	return 0;
}

static int challenged(void *arg, const char *phone, struct hd_uac_auth *auth,
		      struct hd_msg *response)
{
	struct daemon *d = arg;
	struct account account;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = hd_phone_get(d->dir, txn, phone, &account.phone);
	if (!err && hd_device_secret_get(d->device, txn, phone, account.secret))
		account.secret[0] = '\0';
	hd_store_end_read(txn);
	if (!err)
		err = hd_uac_auth_take(auth, response, find_account, &account);
	hd_wipe(&account, sizeof(account));
	return err;
}

/* ---- what changes --------------------------------------------------------------------------- */

void daemon_dialogue(void *arg, const char *phone, bool running)
{
	struct daemon *d = arg;

	if (d->lamps) /* else it is over */
		hd_lamps_set_dialogue(d->lamps, phone, running);
	if (d->notify && !running)
		hd_notify_idle(d->notify, phone);
}

void daemon_settings_changed(void *arg, const char *phone, bool key)
{
	struct daemon *d = arg;

	if (key)
		daemon_desk_changed(d);
	if (d->settings_events)
		hd_settings_events_phone_changed(d->settings_events, phone);
}

/* A change of the desk writes the phones concerned into the outbox, with its epoch. */
void daemon_tell_watchers(struct daemon *d)
{
	char after[HD_PHONE_ID_SIZE] = "";
	uint64_t newest = d->told_epoch;
	struct hd_outbox_entry entry;
	struct hd_txn *txn;

	if (!d->notifier || hd_store_begin_read(d->store, &txn))
		return;
	while (!hd_outbox_next(d->desk, txn, after, &entry)) {
		memcpy(after, entry.phone, sizeof(after));
		if (entry.epoch <= d->told_epoch)
			continue;
		hd_lamps_phone_changed(d->lamps, entry.phone);
		hd_hoteling_phone_changed(d->hoteling, entry.phone);
		hd_settings_events_phone_changed(d->settings_events, entry.phone);
		hd_summary_events_phone_changed(d->summary_events, entry.phone);
		daemon_missed_desk_changed(d, entry.phone, entry.epoch);
		if (entry.epoch > newest)
			newest = entry.epoch;
	}
	hd_store_end_read(txn);
	d->told_epoch = newest;
}

void daemon_call_changed(void *arg, const struct hd_call *call)
{
	struct daemon *d = arg;

	if (!d->lamps)
		return;
	hd_lamps_calls_changed(d->lamps, call->caller.user, call->caller.phone);
	hd_lamps_calls_changed(d->lamps, call->callee.user, call->callee.phone);
	if (call->moved_from[0])
		hd_lamps_calls_changed(d->lamps, call->callee.user, call->moved_from);
}

/* ---- calls, as one side sees them ----------------------------------------------------------- */

struct side {
	const char *user, *phone; /* one is NULL */
	hd_lamp_call_fn *fn;
	void *arg;
	uint64_t last; /* a call to oneself comes twice */
};

static bool is_side(const struct side *side, const struct hd_call_party *party)
{
	return side->user ? strcmp(side->user, party->user) == 0
			  : strcmp(side->phone, party->phone) == 0;
}

static void on_call(void *arg, const struct hd_call *call)
{
	struct side *side = arg;
	bool called = is_side(side, &call->callee);
	const struct hd_call_party *remote;
	struct hd_lamp_call shown;

	if (called && is_side(side, &call->caller))
		called = call->id == side->last;
	side->last = call->id;
	remote = called ? &call->caller : &call->callee;
	shown = (struct hd_lamp_call){
		.id = 2 * call->id + called,
		.state = call->state == HD_CALL_TRYING	? HD_LAMP_TRYING
			 : call->state == HD_CALL_EARLY ? HD_LAMP_EARLY
							: HD_LAMP_CONFIRMED,
		.recipient = called,
		.remote_uri = remote->uri,
		.remote_name = remote->name,
		.withheld = called && call->withheld,
		.answered_ms = call->answered_ms,
	};
	if (call->state != HD_CALL_TERMINATED)
		side->fn(side->arg, &shown);
}

static void walk_calls(void *arg, const char *user, const char *phone, hd_lamp_call_fn *fn,
		       void *fn_arg)
{
	struct side side = { .user = user, .phone = phone, .fn = fn, .arg = fn_arg };
	struct daemon *d = arg;

	if (user)
		hd_proxy_walk_calls_of_user(d->proxy, user, on_call, &side);
	else
		hd_proxy_walk_calls_of_phone(d->proxy, phone, on_call, &side);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void fill_limits(struct hd_notifier_limits *limits, const struct hd_conf *conf)
{
	const struct hd_conf_events *c = &conf->events;

	*limits = (struct hd_notifier_limits){
		.expires_min_s = c->expires_min_s,
		.expires_max_s = c->expires_max_s,
		.expires_default_s = c->expires_default_s,
		.subscriptions_max = c->subscriptions_max,
		.phone_max = c->phone_max,
		.notify_rate = c->notify_rate,
		.retry_after_min_s = conf->sip.retry_after_min_s,
		.retry_after_max_s = conf->sip.retry_after_max_s,
	};
}

static int open_notifier(struct daemon *d)
{
	struct hd_notifier_options o = {
		.agent = d->agent,
		.clock = d->clock,
		.is_bound = is_bound,
		.moved = moved,
		.challenged = challenged,
		.arg = d,
	};

	fill_limits(&o.limits, d->conf);
	return hd_notifier_new(&d->notifier, &o);
}

static int open_lamps(struct daemon *d)
{
	struct hd_lamps_options o = {
		.notifier = d->notifier,
		.store = d->store,
		.directory = d->dir,
		.desk = d->desk,
		.clock = d->clock,
		.codes = d->planner.codes,
		.walk_calls = walk_calls,
		.arg = d,
	};

	return hd_lamps_new(&d->lamps, &o);
}

static int open_hoteling(struct daemon *d)
{
	struct hd_hoteling_options o = {
		.agent = d->agent,
		.notifier = d->notifier,
		.store = d->store,
		.desk = d->desk,
		.settings = d->settings,
		.operations = d->operations,
		.clock = d->clock,
		.nonce_s = d->conf->auth.nonce_s,
		.association_s = d->conf->desk.guest_s,
		.busy = daemon_is_busy,
		.arg = d,
	};

	return hd_hoteling_new(&d->hoteling, &o);
}

static int open_user_events(struct daemon *d)
{
	const struct hd_user_event_options o = {
		.agent = d->agent,
		.notifier = d->notifier,
		.store = d->store,
		.desk = d->desk,
		.settings = d->settings,
		.domain = d->domain_copy,
		.planner = &d->planner,
		.clock = d->clock,
	};
	int err = hd_settings_events_new(&d->settings_events, &o);

	return err ? err : hd_summary_events_new(&d->summary_events, &o);
}

int daemon_open_events(struct daemon *d)
{
	int err = open_notifier(d);

	d->ring_s = d->conf->plan.ring_s;
	if (!err)
		err = open_lamps(d);
	if (!err)
		err = open_hoteling(d);
	return err ? err : open_user_events(d);
}

void daemon_start_events(struct daemon *d)
{
	hd_hoteling_start(d->hoteling);
}

void daemon_close_events(struct daemon *d)
{
	hd_notifier_free(d->notifier);
	hd_lamps_free(d->lamps);
	hd_hoteling_free(d->hoteling);
	hd_settings_events_free(d->settings_events);
	hd_summary_events_free(d->summary_events);
	d->notifier = NULL;
	d->lamps = NULL;
	d->hoteling = NULL;
	d->settings_events = NULL;
	d->summary_events = NULL;
}

void daemon_events_take(struct daemon *d, const struct hd_conf *conf)
{
	struct hd_notifier_limits limits;

	fill_limits(&limits, conf);
	d->ring_s = conf->plan.ring_s;
	hd_notifier_set_limits(d->notifier, &limits);
	hd_lamps_set_codes(d->lamps, &d->planner.codes);
	hd_hoteling_set_limits(d->hoteling, conf->auth.nonce_s, conf->desk.guest_s);
}
