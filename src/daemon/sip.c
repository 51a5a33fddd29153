/* sip.c - the agent and what works on its thread, wired together. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"
#include "missed.h"
#include "pickup.h"
#include "recorder.h"
#include "upstream_priv.h"

static void on_bound(void *arg, const char *phone)
{
	struct daemon *d = arg;

	hd_notify_bound(d->notify, phone);
	daemon_missed_bound(d, phone);
	daemon_follow(d);
	hd_notifier_bound(d->notifier, phone);
}

void daemon_desk_changed(void *arg)
{
	struct daemon *d = arg;

	if (!d->notify) /* it is over, and the next start tells the phones */
		return;
	daemon_tell_watchers(d);
	hd_upstreams_changed(d->upstreams);
	hd_notify_wake(d->notify);
	daemon_follow(d);
}

static void run_wake(struct hd_task *task)
{
	struct daemon *d = (struct daemon *)((char *)task - offsetof(struct daemon, wake_task));

	atomic_store(&d->wake_pending, 0);
	daemon_desk_changed(d);
}

void daemon_wake_notify(void *arg)
{
	struct daemon *d = arg;

	if (!d->agent)
		return; /* what was in the control mailbox at the end: the outbox keeps it */
	/* One task object: a wake that is on its way serves for this one, too. */
	if (atomic_exchange(&d->wake_pending, 1))
		return;
	d->wake_task.run = run_wake;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &d->wake_task);
}

static void on_response(void *arg, struct hd_msg *msg)
{
	struct daemon *d = arg;

	hd_proxy_response(d->proxy, msg);
}

static void fill_agent_options(struct hd_agent_options *o, struct daemon *d)
{
	static const char *const names[] = { "udp", "tcp", "tls" };
	const struct hd_conf_sip *c = &d->conf->sip;

	memset(o, 0, sizeof(*o));
	o->domain = d->domain_copy;
	o->aliases = (const char *const *)c->aliases;
	o->n_aliases = c->n_aliases;
	for (size_t i = 0; i < c->n_listen && i < HD_LISTENERS_MAX; i++) {
		struct hd_listener *l = &o->listeners[o->n_listeners++];

		memcpy(l->transport, names[c->listen[i].transport], sizeof(l->transport));
		memcpy(l->host, c->listen[i].host, sizeof(l->host));
		l->port = c->listen[i].port;
	}
	o->tls_certificate = c->tls_certificate;
	o->tls_key = c->tls_key;
	o->tls_ca = c->tls_ca;
	o->tls_servers_ca = d->conf->upstream.tls_ca;
	o->dns_servers = (const char *const *)c->dns_servers;
	o->n_dns_servers = c->n_dns_servers;
	o->dns_timeout_ms = c->dns_timeout_ms;
	o->t1_ms = c->t1_ms;
	o->t2_ms = c->t2_ms;
	o->t4_ms = c->t4_ms;
	o->idle_s = c->idle_s;
	o->message_max_bytes = c->message_max_bytes;
	o->udp_receive_bytes = c->udp_receive_bytes;
	o->send_queue_max = c->send_queue_max;
	o->sofia_guard = c->sofia_guard;
	o->sofia_log_level = c->sofia_log_level;
	o->clock = d->clock;
	o->request = daemon_route;
	o->response = on_response;
	o->arg = d;
	conf_limits(&o->limits, d->conf);
}

static int open_agent(struct daemon *d)
{
	struct hd_agent_options options;
	char tls_dir[512];

	fill_agent_options(&options, d);
	if (options.n_listeners < d->conf->sip.n_listen) {
		hd_error("daemon", "sip.listen: more than %d listeners", HD_LISTENERS_MAX);
		return HD_ELIMIT;
	}
	snprintf(tls_dir, sizeof(tls_dir), "%s/tls", d->conf->store.path);
	options.tls_dir = tls_dir;
	return hd_agent_new(&d->agent, &options);
}

static int open_auth(struct daemon *d)
{
	struct hd_digest_options options;
	int err;

	err = conf_digest_options(&options, d, d->conf);
	if (!err)
		err = hd_digest_new(&d->digest, &options);
	hd_wipe(&options, sizeof(options));
	if (!err)
		err = hd_auth_new(&d->auth, d->digest, daemon_lookup, d);
	if (!err)
		hd_auth_set_md5_only(d->auth, (const char *const *)d->conf->auth.md5_only_agents,
				     d->conf->auth.n_md5_only_agents);
	return err;
}

static int open_registrar(struct daemon *d)
{
	struct hd_registrar_options o = {
		.agent = d->agent,
		.auth = d->auth,
		.store = d->store,
		.location = d->location,
		.device = d->device,
		.clock = d->clock,
		.soft_delay_ms = d->conf->store.soft_delay_ms,
		.bound = on_bound,
		.arg = d,
	};

	conf_registrar_policy(&o.policy, d->conf);
	return hd_registrar_new(&d->registrar, &o);
}

static int open_proxy(struct daemon *d)
{
	struct hd_proxy_options o = {
		.agent = d->agent,
		.realm = d->realm_copy,
		.t1_ms = d->conf->sip.t1_ms,
		.t2_ms = d->conf->sip.t2_ms,
		.clock = d->clock,
		.store = d->store,
		.location = d->location,
		.call_max_s = d->conf->sip.call_max_s,
		.call = daemon_on_call,
		.refused = daemon_refused,
		.credentials = daemon_upstream_credentials,
		.is_server = daemon_upstream_is_server,
		.arg = d,
	};
	int err;

	conf_proxy_limits(&o.limits, d->conf);
	hd_key_derive(&o.key, &d->master, "route token");
	err = hd_proxy_new(&d->proxy, &o);
	hd_wipe(&o, sizeof(o));
	return err;
}

static int open_media(struct daemon *d)
{
	struct hd_media_options o;

	conf_media(&o, d, d->conf);
	return hd_media_new(&d->media, &o);
}

static void on_media(void *arg)
{
	hd_media_turn(arg);
}

static int open_features(struct daemon *d)
{
	struct hd_features_options o = {
		.agent = d->agent,
		.store = d->store,
		.dir = d->dir,
		.desk = d->desk,
		.clock = d->clock,
		.media = d->media,
		.operations = d->operations,
		.dialogue_s = d->conf->desk.dialogue_s,
		.dialogues_max = d->conf->desk.dialogues_max,
		.t1_ms = d->conf->sip.t1_ms,
		.t2_ms = d->conf->sip.t2_ms,
		.settings = d->settings,
		.device = d->device,
		.planner = &d->planner,
		.running = daemon_dialogue,
		.settings_changed = daemon_settings_changed,
		.arg = d,
	};

	int err;

	conf_codes(&o.codes, d->conf);
	conf_dialogue(&o.dialogue, d->conf);
	err = hd_prompts_load(&o.prompts, d->conf->dialogue.prompts);
	if (!err)
		err = hd_features_new(&d->features, &o);
	if (!err)
		hd_features_set_voicemail(d->features, d->dialling && d->dialling->voicemail[0]);
	if (!err)
		hd_features_set_keys_max(d->features, d->conf->desk.own_keys);
	if (err)
		hd_prompts_unref(o.prompts);
	return err;
}

static int open_notify(struct daemon *d)
{
	struct hd_notify_options o = {
		.agent = d->agent,
		.store = d->store,
		.desk = d->desk,
		.location = d->location,
		.directory = d->dir,
		.device = d->device,
		.domain = d->domain_copy,
		.clock = d->clock,
		.patch = daemon_patch,
		.busy = daemon_is_busy,
		.arg = d,
	};

	conf_notify_policy(&o.policy, d->conf);
	return hd_notify_new(&d->notify, &o);
}

static int open_pnp(struct daemon *d)
{
	const struct hd_pnp_options o = {
		.agent = d->agent,
		.store = d->store,
		.directory = d->dir,
		.device = d->device,
		.clock = d->clock,
	};

	return hd_pnp_new(&d->pnp, &o);
}

/* The first thing on the SIP thread: what a former life left to be told. */
static void on_ready(void *arg)
{
	struct daemon *d = arg;

	daemon_render_set(&d->sip_render, d, d->conf, &d->sip_render.supply);
	daemon_start_events(d);
	daemon_start_upstream(d);
	daemon_tell_watchers(d);
	hd_notify_wake(d->notify);
	if (hd_sip_io_new(&d->media_io, d->agent, hd_media_fd(d->media), on_media, d->media))
		hd_error("daemon", "media: not served: login dialogues are without sound");
}

static bool is_us(const void *arg, const struct hd_uri *uri)
{
	const struct daemon *d = arg;

	return hd_agent_is_reached(d->agent, uri);
}

int daemon_open_sip(struct daemon *d)
{
	int err;

	d->planner.dir = d->dir;
	d->planner.loc = d->location;
	d->planner.desk = d->desk;
	d->planner.settings = d->settings;
	conf_codes(&d->planner.codes, d->conf);
	d->planner.is_us = is_us;
	d->planner.arg = d;
	err = daemon_recorder_new(d);
	if (!err)
		err = open_agent(d);
	if (!err)
		err = open_auth(d);
	if (!err)
		err = open_registrar(d);
	if (!err)
		err = open_proxy(d);
	if (!err)
		err = daemon_open_operations(d, &d->operations, hd_agent_mailbox(d->agent));
	if (!err)
		err = open_media(d);
	if (!err)
		err = open_features(d);
	if (!err)
		err = open_notify(d);
	if (!err)
		err = daemon_open_events(d);
	if (!err)
		err = open_pnp(d);
	if (!err)
		err = hd_agent_start(d->agent, on_ready);
	if (err)
		daemon_close_sip(d);
	return err;
}

/* On the SIP thread, while Sofia still lives: these hold its transactions and timers. */
static void on_stopping(void *arg)
{
	struct daemon *d = arg;

	hd_sip_timer_free(d->follow);
	d->follow = NULL;
	daemon_stop_upstream(d);
	daemon_recorder_stop(d);
	hd_notifier_stop(d->notifier);
	daemon_divert_fini(d);
	daemon_pickups_free(d);
	daemon_close_events(d);
	hd_pnp_free(d->pnp);
	hd_notify_free(d->notify);
	d->notify = NULL; /* who ends now has nobody to tell */
	hd_features_free(d->features);
	hd_sip_io_free(d->media_io);
	d->media_io = NULL;
	hd_proxy_free(d->proxy);
	hd_registrar_free(d->registrar);
	d->pnp = NULL;
	d->notify = NULL;
	d->features = NULL;
	d->proxy = NULL;
	d->registrar = NULL;
}

void daemon_close_sip(struct daemon *d)
{
	if (d->agent)
		hd_agent_stop(d->agent, on_stopping);
	daemon_close_events(d);
	hd_pnp_free(d->pnp);
	hd_notify_free(d->notify);
	d->notify = NULL; /* who ends now has nobody to tell */
	hd_features_free(d->features);
	hd_media_free(d->media);
	d->media = NULL;
	hd_proxy_free(d->proxy);
	hd_registrar_free(d->registrar);
	hd_auth_free(d->auth);
	hd_digest_free(d->digest);
	hd_agent_free(d->agent);
	hd_operations_free(d->operations);
	d->operations = NULL;
	d->pnp = NULL;
	d->notify = NULL;
	d->features = NULL;
	d->proxy = NULL;
	d->registrar = NULL;
	d->auth = NULL;
	d->digest = NULL;
	d->agent = NULL;
}
