/* control.c - the control thread: admin API, signals, sweeps, watchdog, status file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "daemon_priv.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "recorder.h"
#include "upstream_priv.h"

enum { SWEEP_MAX = 256, READERS_EVERY_S = 60, STUCK_MS = 5000 };

static struct hd_metric phones =
	HD_GAUGE("hotdeskd_registered_phones", NULL, "phones with a binding");
static struct hd_metric sessions = HD_GAUGE("hotdeskd_desk_sessions", NULL, "users logged in");
static struct hd_metric bad = HD_COUNTER("hotdeskd_bad_messages", NULL, "SIP messages not parsed");

static struct hd_metric pins_waiting =
	HD_GAUGE("hotdeskd_queued", "queue=\"pin\"", "work that waits for its thread");
static struct hd_metric commands_waiting =
	HD_GAUGE("hotdeskd_queued", "queue=\"store\"", "work that waits for its thread");

/* ---- admin API ------------------------------------------------------------------------------ */

static void count(struct daemon *d, uint64_t *bindingsp, uint64_t *sessionsp)
{
	struct hd_txn *txn;

	*bindingsp = *sessionsp = 0;
	if (hd_store_begin_read(d->store, &txn))
		return;
	if (hd_location_count(d->location, txn, bindingsp))
		*bindingsp = 0;
	if (hd_desk_count(d->desk, txn, sessionsp))
		*sessionsp = 0;
	hd_store_end_read(txn);
}

static void add_listeners(const struct daemon *d, struct hd_json *json)
{
	const struct hd_listener *l;
	char text[96];
	size_t n;

	char http[DAEMON_HTTP_LISTENERS_MAX][DAEMON_LISTENER_SIZE];

	l = hd_agent_listeners(d->agent, &n);
	hd_json_array(json, "listen");
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), strchr(l[i].host, ':') ? "%s:[%s]:%u" : "%s:%s:%u",
			 l[i].transport, l[i].host, l[i].port);
		hd_json_str(json, NULL, text);
	}
	n = daemon_provision_listeners(d, http, DAEMON_HTTP_LISTENERS_MAX);
	for (size_t i = 0; i < n; i++)
		hd_json_str(json, NULL, http[i]);
	hd_json_array_end(json);
}

/* What is written of calls: entries of lists, and calls that go on. */
static void add_calls(struct daemon *d, struct hd_json *json)
{
	uint64_t entries = 0, open = 0;
	struct hd_txn *txn;

	if (hd_store_begin_read(d->store, &txn))
		return;
	if (!hd_calls_count(d->calls, txn, &entries, &open)) {
		hd_json_uint(json, "call_entries", entries);
		hd_json_uint(json, "calls_open", open);
	}
	hd_store_end_read(txn);
}

static void on_status(void *arg, struct hd_json *json)
{
	struct daemon *d = arg;
	struct hd_agent_stats stats;

	hd_agent_get_stats(d->agent, &stats);
	hd_json_str(json, "version", HD_VERSION);
	hd_json_str(json, "sofia", hd_agent_sofia_version());
	hd_json_int(json, "pid", getpid());
	hd_json_time(json, "started", d->started_at_ms);
	hd_json_str(json, "domain", d->domain_copy);
	add_listeners(d, json);
	hd_json_uint(json, "open_transactions", stats.open_transactions);
	hd_json_uint(json, "messages_received", stats.received);
	hd_json_uint(json, "messages_sent", stats.sent);
	add_calls(d, json);
}

static int on_reload(void *arg, struct hd_buf *report)
{
	return daemon_reload(arg, report);
}

static void fill_policies(struct hd_admin_policies *p, const struct hd_conf *conf)
{
	p->url[0] = '\0';
	p->pin.length_min = conf->pin.length_min;
	p->pin.length_max = conf->pin.length_max;
	p->pin.trivial_allowed = conf->pin.trivial;
	conf_desk_policy(&p->desk, conf);
	p->keep_secrets = conf->provision.keep_secrets;
}

void daemon_control_take(struct daemon *d)
{
	struct hd_admin_policies policies;

	fill_policies(&policies, d->conf);
	policies.cost = d->pin_cost;
	daemon_url(d, d->conf, policies.url);
	hd_admin_set_policies(d->admin, &policies);
	daemon_logouts_take(d);
	hd_operations_set_policy(d->control_operations, &policies.desk);
	daemon_pnp_take(d);
}

int daemon_open_admin(struct daemon *d)
{
	struct hd_admin_options options = {
		.loop = d->loop,
		.store = d->store,
		.directory = d->dir,
		.location = d->location,
		.desk = d->desk,
		.device = d->device,
		.calls = d->calls,
		.settings = d->settings,
		.accounts = d->accounts,
		.clock = d->clock,
		.worker = d->worker,
		.pepper = &d->pepper,
		.realm = d->realm_copy,
		.arg = d,
		.status = on_status,
		.desk_changed = daemon_wake_notify,
		.has_class = daemon_has_class,
		.render = daemon_show,
		.reload = on_reload,
	};

	fill_policies(&options.policies, d->conf);
	options.policies.cost = d->pin_cost;
	return hd_admin_new(&d->admin, &options);
}

int daemon_seed(struct daemon *d)
{
	const char *path = d->conf->directory_seed;
	struct hd_buf report = { 0 };
	uint64_t users = 1, phones_known = 1;
	struct hd_txn *txn;
	int err;

	if (!path)
		return 0;
	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = hd_directory_count(d->dir, txn, &users, &phones_known);
	hd_store_end_read(txn);
	if (err || users || phones_known)
		return err;
	err = hd_admin_seed(d->admin, path, &report);
	hd_log(err ? HD_LOG_ERROR : HD_LOG_NOTICE, "daemon", "directory.seed: %s",
	       report.len ? hd_buf_text(&report) : hd_strerror(err));
	hd_buf_fini(&report);
	return err;
}

/* ---- sweeps and watchdog -------------------------------------------------------------------- */

static void on_swept(struct hd_command *command)
{
	struct daemon *d = command->arg;

	d->sweeping = false;
	if (command->err)
		hd_warn("daemon", "expired bindings not removed: %s", hd_strerror(command->err));
	else if (d->sweep.removed)
		hd_info("daemon", "%u expired bindings removed", d->sweep.removed);
}

static int run_sweep(struct hd_txn *txn, void *arg)
{
	struct daemon *d = arg;

	return hd_location_sweep(txn, &d->sweep);
}

static void sweep(struct daemon *d)
{
	int64_t now_ms = hd_clock_wall_ms(d->clock);
	struct hd_txn *txn;
	bool expired;

	/* While it is under way the store thread owns d->sweep. */
	if (d->sweeping || hd_store_begin_read(d->store, &txn))
		return;
	expired = hd_location_has_expired(d->location, txn, now_ms);
	hd_store_end_read(txn);
	if (!expired)
		return;
	d->sweep.loc = d->location;
	d->sweep.now_ms = now_ms;
	d->sweep.max = SWEEP_MAX;
	d->sweep_command.run = run_sweep;
	d->sweep_command.arg = d;
	d->sweep_command.reply_to = hd_loop_mailbox(d->loop);
	d->sweep_command.done = on_swept;
	d->sweeping = hd_store_submit(d->store, &d->sweep_command) == 0;
}

static void take_metrics(struct daemon *d)
{
	struct hd_agent_stats stats;
	struct hd_store_stats store;
	uint64_t n_bindings, n_sessions;

	count(d, &n_bindings, &n_sessions);
	hd_agent_get_stats(d->agent, &stats);
	hd_metric_set(&phones, (int64_t)n_bindings);
	hd_metric_set(&sessions, (int64_t)n_sessions);
	hd_metric_set(&bad, (int64_t)stats.bad_message);
	hd_metric_set(&pins_waiting, hd_worker_queued(d->worker));
	hd_store_get_stats(d->store, &store);
	hd_metric_set(&commands_waiting, store.queued);
}

static void on_second(void *arg)
{
	struct daemon *d = arg;

	sweep(d);
	daemon_logouts_look(d);
	daemon_recorder_sweep(d);
	take_metrics(d);
	if (++d->seconds % READERS_EVERY_S == 0)
		hd_store_check_readers(d->store);
	if (hd_timer_set(d->second, 1000))
		hd_error("daemon", "second timer stopped");
}

static int run_nothing(struct hd_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

static void on_pong(struct hd_command *command)
{
	struct daemon *d = command->arg;

	d->pinging = false;
}

/* All three threads must be alive for the dog: the loop runs this, SIP ticks, the store answers. */
static void on_watchdog(void *arg)
{
	struct daemon *d = arg;
	struct hd_agent_stats stats;

	hd_agent_get_stats(d->agent, &stats);
	if (d->pinging)
		hd_warn("daemon", "store thread has not answered");
	else if (hd_clock_mono_ms(d->clock) - stats.tick_mono_ms > STUCK_MS)
		hd_warn("daemon", "SIP thread has not ticked");
	else
		(void)sd_notify(0, "WATCHDOG=1");
	if (!d->pinging) {
		d->ping_command.run = run_nothing;
		d->ping_command.arg = d;
		d->ping_command.reply_to = hd_loop_mailbox(d->loop);
		d->ping_command.done = on_pong;
		d->pinging = hd_store_submit(d->store, &d->ping_command) == 0;
	}
	if (hd_timer_set(d->watchdog, (int64_t)(d->watchdog_us / 3000)))
		hd_error("daemon", "watchdog timer stopped");
}

/* ---- signals, start and end ----------------------------------------------------------------- */

static void on_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	if (signo == SIGHUP) {
		(void)daemon_reload(d, NULL);
		return;
	}
	if (signo == SIGUSR1) {
		struct hd_buf text = { 0 };

		hd_metric_write(&text);
		hd_notice("daemon", "state: %s", hd_buf_text(&text));
		hd_buf_fini(&text);
		return;
	}
	hd_notice("daemon", "%s: stopping", signo == SIGTERM ? "SIGTERM" : "SIGINT");
	hd_loop_stop(d->loop);
}

static int open_signals(struct daemon *d)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT, SIGUSR1 };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal(signals[i], SIG_IGN); /* what holds again once the loop is gone */
		err = hd_loop_signal(d->loop, signals[i], on_signal, d);
	}
	return err;
}

static int open_timers(struct daemon *d)
{
	int err;

	err = hd_timer_new(&d->second, d->loop, on_second, d);
	if (!err)
		err = hd_timer_set(d->second, 1000);
	if (err || sd_watchdog_enabled(0, &d->watchdog_us) <= 0)
		return err;
	err = hd_timer_new(&d->watchdog, d->loop, on_watchdog, d);
	return err ? err : hd_timer_set(d->watchdog, 1);
}

int daemon_open_control(struct daemon *d)
{
	/* As large as a directory file may be: what was exported can be imported. */
	const struct hd_http_limits limits = {
		.body_max_bytes = 32u << 20,
		.timeout_s = d->conf->admin.timeout_s,
		.connections_max = d->conf->admin.connections_max,
	};
	int err;

	hd_metric_register(&phones);
	hd_metric_register(&sessions);
	hd_metric_register(&bad);
	hd_metric_register(&pins_waiting);
	hd_metric_register(&commands_waiting);
	daemon_render_set(&d->control_render, d, d->conf, &d->control_render.supply);
	err = hd_http_new(&d->http, d->loop, &limits);
	if (!err)
		err = hd_admin_mount(d->admin, d->http);
	if (!err)
		err = daemon_mount_calls(d);
	if (!err)
		err = daemon_mount_upstreams(d);
	if (!err)
		err = daemon_mount_call_lists(d);
	if (!err)
		err = hd_http_listen_unix(d->http, d->conf->admin.socket,
					  (mode_t)d->conf->admin.socket_mode);
	if (err) {
		hd_error("daemon", "%s: cannot listen: %s", d->conf->admin.socket,
			 hd_strerror(err));
		return err;
	}
	err = daemon_logouts_new(d);
	if (!err)
		err = open_signals(d);
	if (!err)
		err = open_timers(d);
	if (err)
		return err;
	daemon_control_take(d);
	hd_admin_set_ready(d->admin, true);
	return 0;
}

void daemon_close_control(struct daemon *d)
{
	hd_http_free(d->http);
	hd_admin_free(d->admin);
	if (d->loop)
		hd_mailbox_drain(hd_loop_mailbox(d->loop));
	daemon_close_provision(d);
	daemon_logouts_free(d);
	hd_timer_free(d->second);
	hd_timer_free(d->watchdog);
	d->http = NULL;
	d->admin = NULL;
	d->second = NULL;
	d->watchdog = NULL;
}

int daemon_write_status(struct daemon *d)
{
	const char *path = d->conf->status_file;
	struct hd_buf text = { 0 }, temp = { 0 };
	struct hd_json json;
	int fd, err = HD_ESYSTEM;

	if (!path)
		return 0;
	hd_json_init(&json, &text);
	hd_json_object(&json, NULL);
	hd_json_int(&json, "pid", getpid());
	hd_json_str(&json, "version", HD_VERSION);
	add_listeners(d, &json);
	hd_json_str(&json, "admin", d->conf->admin.socket);
	hd_json_object_end(&json);
	hd_buf_addf(&temp, "%s.new", path);
	if (hd_buf_error(&text) || hd_buf_error(&temp))
		goto out;
	fd = open(hd_buf_text(&temp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		goto out;
	if (write(fd, text.data, text.len) == (ssize_t)text.len && write(fd, "\n", 1) == 1)
		err = 0;
	if (close(fd) || err || rename(hd_buf_text(&temp), path))
		err = HD_ESYSTEM;
	if (!err)
		d->status_path = strdup(path);
out:
	hd_buf_fini(&text);
	hd_buf_fini(&temp);
	return err;
}
