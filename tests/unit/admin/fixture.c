/* fixture.c - see fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"

#include "fixture.h"

static void on_log(void *arg, enum hd_log_level level, const char *text)
{
	struct fixture *f = arg;

	(void)level;
	(void)pthread_mutex_lock(&f->mutex);
	hd_buf_addf(&f->log, "%s\n", text);
	(void)pthread_mutex_unlock(&f->mutex);
}

int logged(struct fixture *f, const char *text)
{
	int found;

	(void)pthread_mutex_lock(&f->mutex);
	found = strstr(hd_buf_text(&f->log), text) != NULL;
	(void)pthread_mutex_unlock(&f->mutex);
	return found;
}

static void on_status(void *arg, struct hd_json *j)
{
	(void)arg;
	hd_json_str(j, "version", "1.2.3");
}

static void on_desk_changed(void *arg)
{
	struct fixture *f = arg;

	atomic_fetch_add(&f->desk_changed, 1);
}

static int on_reload(void *arg, struct hd_buf *report)
{
	struct fixture *f = arg;

	hd_buf_adds(report, f->reload_err ? "hotdeskd.yaml:3: bad" : "pin.length_min changed");
	return f->reload_err;
}

static void layers_open(struct fixture *f, const char *lmdb)
{
	struct hd_store_options options = { .path = lmdb, .map_bytes = 1 << 24 };

	assert_int_equal(lmdb ? hd_store_open_lmdb(&f->store, &options)
			      : hd_store_open_mem(&f->store, &options),
			 0);
	assert_int_equal(hd_directory_new(&f->directory, f->store), 0);
	assert_int_equal(hd_location_new(&f->location, f->store), 0);
	assert_int_equal(hd_desk_new(&f->desk, f->store, f->directory), 0);
	assert_int_equal(hd_device_new(&f->device, f->store, &f->pepper), 0);
	assert_int_equal(hd_settings_new(&f->settings, f->store, &f->pepper), 0);
	assert_int_equal(hd_accounts_new(&f->accounts, f->store, &f->pepper), 0);
	hd_desk_set_dummy(f->desk, "nobody's");
	assert_int_equal(hd_store_start(f->store), 0);
	assert_int_equal(hd_worker_new(&f->worker, 1, 8), 0);
}

void fixture_open(struct fixture *f)
{
	fixture_open_at(f, NULL);
}

void fixture_open_at(struct fixture *f, const char *lmdb)
{
	struct hd_admin_options o = {
		.clock = hd_clock_system(),
		.pepper = &f->pepper,
		.realm = "hotdesk.local",
		.policies = { .pin = { 6, 32, false },
			      .cost = { 64, 1 },
			      .desk = { false, 5, 900, 86400, 50, 10, 600, 600, 100 } },
		.arg = f,
		.status = on_status,
		.desk_changed = on_desk_changed,
		.reload = on_reload,
	};

	memset(f, 0, sizeof(*f));
	(void)pthread_mutex_init(&f->mutex, NULL);
	hd_log_set_sink(on_log, f);
	assert_int_equal(hd_secret_init(), 0);
	memset(&f->pepper, 7, sizeof(f->pepper));
	harness_init(&f->h, NULL);
	layers_open(f, lmdb);
	o.loop = f->h.loop;
	o.store = f->store;
	o.directory = f->directory;
	o.location = f->location;
	o.desk = f->desk;
	o.device = f->device;
	o.settings = f->settings;
	o.accounts = f->accounts;
	o.worker = f->worker;
	assert_int_equal(hd_admin_new(&f->admin, &o), 0);
	assert_int_equal(hd_admin_mount(f->admin, f->h.http), 0);
	hd_admin_set_ready(f->admin, true);
	harness_start(&f->h);
}

/* The order in which the daemon ends. */
void fixture_close(struct fixture *f)
{
	harness_stop(&f->h);
	hd_http_free(f->h.http);
	f->h.http = NULL;
	hd_admin_free(f->admin);
	if (f->gate)
		(void)sem_post(f->gate);
	hd_worker_free(f->worker);
	hd_store_close(f->store);
	while (hd_mailbox_drain(hd_loop_mailbox(f->h.loop)))
		;
	hd_settings_free(f->settings);
	hd_accounts_free(f->accounts);
	hd_device_free(f->device);
	hd_desk_free(f->desk);
	hd_location_free(f->location);
	hd_directory_free(f->directory);
	harness_fini(&f->h);
	hd_log_set_sink(NULL, NULL);
	hd_buf_fini(&f->log);
	(void)pthread_mutex_destroy(&f->mutex);
}

char *ask(struct fixture *f, const char *method, const char *target, const char *body, int status)
{
	struct reply r = client_ask(f->h.path, method, target, body);
	char *text = r.body;

	if (r.status != status)
		fail_msg("%s %s: expected %d, got %d: %s", method, target, status, r.status,
			 r.body);
	r.body = NULL;
	reply_free(&r);
	return text;
}

void expect(struct fixture *f, const char *method, const char *target, const char *body, int status,
	    const char *has)
{
	char *text = ask(f, method, target, body, status);

	if (!strstr(text, has))
		fail_msg("%s %s: expected %s in: %s", method, target, has, text);
	free(text);
}

void expect_not(struct fixture *f, const char *target, const char *has_not)
{
	char *text = ask(f, "GET", target, NULL, 200);

	if (strstr(text, has_not))
		fail_msg("%s: did not expect %s in: %s", target, has_not, text);
	free(text);
}

void execute(struct fixture *f, hd_command_fn *run, void *arg)
{
	assert_int_equal(hd_store_execute(f->store, run, arg), 0);
}

void bind_phone(struct fixture *f, const char *id, const char *contact)
{
	struct hd_location_change *c = calloc(1, sizeof(*c));
	int64_t now_ms = hd_clock_wall_ms(hd_clock_system());

	assert_non_null(c);
	c->loc = f->location;
	c->n_contacts = 1;
	c->max_contacts = 1;
	c->now_ms = now_ms;
	c->cseq = 1;
	assert_int_equal(hd_str_set(c->aor, sizeof(c->aor), id), 0);
	assert_int_equal(hd_str_set(c->call_id, sizeof(c->call_id), "call-1"), 0);
	assert_int_equal(hd_str_set(c->contacts[0].contact_uri, HD_CONTACT_SIZE, contact), 0);
	assert_int_equal(hd_str_set(c->contacts[0].call_id, HD_CALL_ID_SIZE, "call-1"), 0);
	/* As a phone may say it: not UTF-8. */
	assert_int_equal(hd_str_set(c->contacts[0].user_agent, HD_AGENT_SIZE, "Phone\xff/1"), 0);
	c->contacts[0].cseq = 1;
	c->contacts[0].q_permille = 1000;
	c->contacts[0].expires_at_ms = now_ms + 3600000;
	c->contacts[0].registered_at_ms = now_ms;
	execute(f, hd_location_change, c);
	free(c);
}
