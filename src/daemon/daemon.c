/* daemon.c - start in order, run, stop in the reverse order. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "daemon_priv.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "recorder.h"

enum { EXIT_DISK = 75 };

/* The disk lies or dies: what it really has is read by the restart. Runs on the store thread. */
static void on_disk_error(void *arg, int err)
{
	(void)arg;
	hd_error("store", "commit failed: %s: ending, to be restarted", hd_strerror(err));
	_exit(EXIT_DISK);
}

/* Phones of an older version, or with another master key, have no URL yet. */
static int enroll_phones(struct hd_txn *txn, void *arg)
{
	struct daemon *d = arg;

	return hd_device_enroll_all(d->device, txn, d->dir);
}

static int open_store(struct daemon *d)
{
	const struct hd_conf_store *c = &d->conf->store;
	struct hd_store_options options = {
		.path = c->path,
		.map_bytes = (uint64_t)c->map_mib << 20,
		.map_max_bytes = (uint64_t)c->map_max_mib << 20,
		.batch_max = c->batch_max,
		.batch_wait_us = c->batch_wait_us,
		.soft_delay_ms = c->soft_delay_ms,
		.queue_max = c->queue_max,
		.clock = d->clock,
		.fatal = on_disk_error,
	};
	int err;

	err = hd_store_open_lmdb(&d->store, &options);
	if (!err)
		err = hd_directory_new(&d->dir, d->store);
	if (!err)
		err = hd_location_new(&d->location, d->store);
	if (!err)
		err = hd_desk_new(&d->desk, d->store, d->dir);
	if (!err)
		err = hd_device_new(&d->device, d->store, &d->master);
	if (!err)
		err = hd_calls_new(&d->calls, d->store);
	/* Without it the calls of a former life are missing from the lists, and nothing else. */
	if (!err && hd_store_execute(d->store, daemon_close_calls, d))
		hd_warn("calls", "what a former life has left open is not closed");
	if (!err)
		err = hd_settings_new(&d->settings, d->store, &d->master);
	if (!err)
		err = hd_callbacks_new(&d->callbacks, d->store);
	if (!err)
		err = hd_accounts_new(&d->accounts, d->store, &d->master);
	/* Without it phones go on calling; on a full disk only this is missing. */
	if (!err && hd_store_execute(d->store, enroll_phones, d))
		hd_warn("daemon", "some phones have no URL for their configuration yet");
	if (!err)
		err = hd_store_start(d->store);
	if (err)
		hd_error("daemon", "%s: store not opened: %s", c->path, hd_strerror(err));
	return err;
}

static int open_keys(struct daemon *d)
{
	int err;

	err = hd_secret_init();
	if (!err)
		err = hd_key_load(&d->master, d->conf->key_file);
	if (err)
		hd_error("daemon", "%s: %s (must be 32 bytes, for us alone)", d->conf->key_file,
			 hd_strerror(err));
	else
		hd_key_derive(&d->pepper, &d->master, "pin pepper");
	return err;
}

static int open_worker(struct daemon *d)
{
	char dummy[HD_PIN_HASH_SIZE];
	int err;

	d->pin_cost = (struct hd_pin_cost){ d->conf->pin.memory_kib, d->conf->pin.passes };
	err = hd_pin_dummy(dummy, &d->pin_cost);
	if (err)
		return err;
	hd_desk_set_dummy(d->desk, dummy);
	hd_desk_set_audit_max(d->desk, d->conf->desk.audit_max);
	return hd_worker_new(&d->worker, d->conf->pin.threads, d->conf->pin.queue_max);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* No PIN or key in a core dump (promise 6). */
	limit.rlim_cur = limit.rlim_max = 0;
	(void)setrlimit(RLIMIT_CORE, &limit);
}

/*
 * Arenas of threads grow a page at a time, with a system call and a fault for each, and give back
 * as eagerly: 1.6 calls into the kernel for every SIP call. The common one grows by what is said
 * here; it has one heavy user.
 */
static void set_allocator(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TOP_PAD, 1 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

static int keep_names(struct daemon *d)
{
	const struct hd_conf_sip *c = &d->conf->sip;
	int err;

	err = hd_str_set(d->domain_copy, sizeof(d->domain_copy), c->domain);
	if (!err)
		err = hd_str_set(d->realm_copy, sizeof(d->realm_copy),
				 c->realm ? c->realm : c->domain);
	return err;
}

int daemon_open(struct daemon *d)
{
	int err;

	conf_log(d->conf);
	signal(SIGPIPE, SIG_IGN);
	/* Until the loop takes them they must not end us: what they ask for is being done. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	raise_descriptor_limit();
	set_allocator();
	d->clock = hd_clock_system();
	d->started_at_ms = hd_clock_wall_ms(d->clock);
	hd_notice("daemon", "hotdeskd %s on %s, configuration %s", HD_VERSION,
		  hd_agent_sofia_version(), d->conf_path);
	err = keep_names(d);
	if (!err)
		err = open_keys(d);
	if (!err)
		err = open_store(d);
	if (!err)
		err = open_worker(d);
	if (!err)
		err = hd_loop_new(&d->loop);
	if (!err)
		err = daemon_open_operations(d, &d->control_operations, hd_loop_mailbox(d->loop));
	if (!err)
		err = daemon_open_dialling(d);
	if (!err)
		err = daemon_open_admin(d);
	if (!err)
		err = daemon_seed(d);
	if (!err)
		err = daemon_open_render(d);
	/* Its ports are what phones are told. Nobody is served before the loop runs. */
	if (!err)
		err = daemon_open_provision(d);
	if (!err)
		err = daemon_open_sip(d);
	if (!err)
		err = daemon_open_control(d);
	if (err)
		daemon_close(d);
	return err;
}

void daemon_close(struct daemon *d)
{
	(void)sd_notify(0, "STOPPING=1");
	if (d->agent)
		hd_agent_drain(d->agent, (int64_t)d->conf->drain_s * 1000);
	if (d->agent)
		daemon_recorder_finish(d);
	/* Replies of both go to the mailboxes of threads that still run. */
	hd_worker_stop(d->worker);
	hd_store_stop(d->store);
	daemon_close_sip(d);
	if (d->loop)
		hd_mailbox_drain(hd_loop_mailbox(d->loop));
	daemon_close_control(d);
	daemon_close_render(d);
	hd_loop_free(d->loop);
	hd_operations_free(d->control_operations);
	hd_worker_free(d->worker);
	hd_desk_free(d->desk);
	hd_settings_free(d->settings);
	hd_callbacks_free(d->callbacks);
	hd_accounts_free(d->accounts);
	hd_device_free(d->device);
	hd_calls_free(d->calls);
	hd_location_free(d->location);
	hd_directory_free(d->dir);
	hd_store_close(d->store);
	daemon_recorder_free(d);
	daemon_dialling_free(d->control_dialling);
	daemon_dialling_free(d->dialling);
	hd_wipe(&d->master, sizeof(d->master));
	hd_wipe(&d->pepper, sizeof(d->pepper));
	if (d->status_path)
		unlink(d->status_path);
	free(d->status_path);
	d->status_path = NULL;
	hd_notice("daemon", "ended");
}

void daemon_listeners(const struct daemon *d, struct hd_buf *out)
{
	char http[DAEMON_HTTP_LISTENERS_MAX][DAEMON_LISTENER_SIZE];
	const struct hd_listener *l;
	size_t n;

	l = hd_agent_listeners(d->agent, &n);
	for (size_t i = 0; i < n; i++)
		hd_buf_addf(out, strchr(l[i].host, ':') ? "%s%s:[%s]:%u" : "%s%s:%s:%u",
			    i ? " " : "", l[i].transport, l[i].host, l[i].port);
	n = daemon_provision_listeners(d, http, DAEMON_HTTP_LISTENERS_MAX);
	for (size_t i = 0; i < n; i++)
		hd_buf_addf(out, " %s", http[i]);
}

int daemon_run(struct daemon *d)
{
	struct hd_buf listeners = { 0 };
	int err;

	daemon_listeners(d, &listeners);
	err = daemon_write_status(d);
	if (err)
		hd_error("daemon", "%s: status not written: %s", d->conf->status_file,
			 hd_strerror(err));
	hd_notice("daemon", "ready: %s, admin %s", hd_buf_text(&listeners), d->conf->admin.socket);
	hd_buf_fini(&listeners);
	(void)sd_notify(0, "READY=1");
	err = hd_loop_run(d->loop);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
