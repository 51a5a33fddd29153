/*
 * test_service.c - status, probes, metrics, backup, check, reload; and an end in the middle of
 * work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static void make_unready(void *arg)
{
	hd_admin_set_ready(arg, false);
}

static void test_probes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "GET", "/healthz", NULL, 200, "ok");
	expect(&f, "GET", "/readyz", NULL, 200, "ready");
	harness_call(&f.h, make_unready, f.admin);
	expect(&f, "GET", "/readyz", NULL, 503, "not ready");
	expect(&f, "GET", "/healthz", NULL, 200, "ok");
	fixture_close(&f);
}

static void test_status_and_metrics(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "PUT", "/v1/users/201", "{}", 201, "added");
	expect(&f, "PUT", "/v1/phones/a", "{}", 201, "added");
	bind_phone(&f, "a", "sip:a@192.0.2.1");
	expect(&f, "GET", "/v1/status", NULL, 200, "\"version\": \"1.2.3\"");
	expect(&f, "GET", "/v1/status", NULL, 200,
	       "\"users\": 1, \"phones\": 1, \"desk_sessions\": 0, \"bound_phones\": 1");
	expect(&f, "GET", "/v1/status", NULL, 200, "\"full\": false");
	expect(&f, "GET", "/metrics", NULL, 200, "\nhotdeskd_users 1\n");
	expect(&f, "GET", "/metrics", NULL, 200, "\nhotdeskd_phones 1\n");
	expect(&f, "GET", "/metrics", NULL, 200, "# EOF\n");
	fixture_close(&f);
}

static void test_reload_and_check(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	expect(&f, "POST", "/v1/reload", "", 200, "\"report\": \"pin.length_min changed\"");
	assert_true(logged(&f, "configuration: reloaded (uid="));
	f.reload_err = HD_EPARSE;
	expect(&f, "POST", "/v1/reload", "", 422, "hotdeskd.yaml:3: bad");
	expect(&f, "POST", "/v1/check", "", 200,
	       "{\"sessions\": 0, \"violations\": 0, \"first\": null, \"keys\": 0, \"secrets\": "
	       "0}");
	expect(&f, "POST", "/v1/repair", "", 200,
	       "{\"result\": \"repaired\", \"mended\": 0, \"ended\": 0, \"removed\": 0}");
	expect(&f, "GET", "/v1/reload", NULL, 405, "method");
	fixture_close(&f);
}

static void lmdb_remove(const char *dir)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char path[160];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void test_backup(void **state)
{
	char lmdb[] = "/tmp/hd-admin-XXXXXX";
	struct fixture f;
	struct stat st;
	char path[128];
	char body[200];

	(void)state;
	assert_non_null(mkdtemp(lmdb));
	fixture_open_at(&f, lmdb);
	(void)snprintf(path, sizeof(path), "%s/backup", f.h.dir);
	(void)snprintf(body, sizeof(body), "{\"path\": \"%s\"}", path);
	expect(&f, "PUT", "/v1/users/201", "{}", 201, "added");
	expect(&f, "POST", "/v1/backup", body, 200, "{\"result\": \"written\"}");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size >= 4096);
	assert_int_equal(unlink(path), 0);
	assert_true(logged(&f, "/backup: written (uid="));
	expect(&f, "POST", "/v1/backup", "{\"path\": \"relative\"}", 400, "absolute");
	expect(&f, "POST", "/v1/backup", "{\"path\": \"/nowhere/at/all\"}", 404, "not-found");
	expect(&f, "POST", "/v1/backup", "{}", 400, "path: missing");
	fixture_close(&f);
	lmdb_remove(lmdb);
}

struct blocker {
	struct hd_job job; /* first */
	sem_t gate;
};
static void block(struct hd_job *job)
{
	struct blocker *b = (struct blocker *)job;

	while (sem_wait(&b->gate))
		;
}
static void unblocked(struct hd_job *job)
{
	(void)job;
}

/* Closing while PINs wait to be hashed: nothing leaks, nothing is touched that has gone. */
static void test_end_in_the_middle(void **state)
{
	static const char request[] =
		"POST /v1/users HTTP/1.1\r\nHost: t\r\nContent-Length: 34\r\n\r\n"
		"{\"number\": \"201\", \"pin\": \"471147\"}";
	struct blocker b = { .job = { .run = block, .done = unblocked } };
	struct fixture f;
	int fds[4];

	(void)state;
	fixture_open(&f);
	assert_int_equal(sem_init(&b.gate, 0, 0), 0);
	f.gate = &b.gate;
	b.job.reply_to = hd_loop_mailbox(f.h.loop);
	assert_int_equal(hd_worker_submit(f.worker, &b.job), 0);
	while (hd_worker_queued(f.worker) > 0)
		(void)sched_yield();
	for (int i = 0; i < 4; i++) {
		fds[i] = client_connect(f.h.path);
		assert_true(fds[i] >= 0);
		assert_int_equal(client_send(fds[i], request, strlen(request)), 0);
	}
	for (int i = 0; i < 1000000 && hd_worker_queued(f.worker) < 4; i++)
		(void)sched_yield();
	assert_int_equal(hd_worker_queued(f.worker), 4);
	fixture_close(&f);
	for (int i = 0; i < 4; i++)
		(void)close(fds[i]);
	(void)sem_destroy(&b.gate);
}

/* More PINs than the hash queue takes: some are told to come again, none is lost. */
static void test_hash_queue_full(void **state)
{
	struct blocker b = { .job = { .run = block, .done = unblocked } };
	const char *body = "{\"number\": \"201\", \"pin\": \"471147\"}";
	struct blocker fill[8];
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(sem_init(&b.gate, 0, 0), 0);
	b.job.reply_to = hd_loop_mailbox(f.h.loop);
	assert_int_equal(hd_worker_submit(f.worker, &b.job), 0);
	while (hd_worker_queued(f.worker) > 0)
		(void)sched_yield();
	for (int i = 0; i < 8; i++) {
		fill[i] = b;
		assert_int_equal(sem_init(&fill[i].gate, 0, 1), 0);
		assert_int_equal(hd_worker_submit(f.worker, &fill[i].job), 0);
	}
	expect(&f, "POST", "/v1/users", body, 503, "\"error\": \"busy\"");
	/* A change without a PIN needs no hash. */
	expect(&f, "POST", "/v1/users", "{\"number\": \"202\"}", 201, "added");
	(void)sem_post(&b.gate);
	while (hd_worker_queued(f.worker) > 0)
		(void)sched_yield();
	expect(&f, "POST", "/v1/users", body, 201, "added");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_status_and_metrics),
		cmocka_unit_test(test_reload_and_check),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_end_in_the_middle),
		cmocka_unit_test(test_hash_queue_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
