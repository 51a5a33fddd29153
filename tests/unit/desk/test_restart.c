/* test_restart.c - what the desk knows survives a restart: closed and opened again on LMDB. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

struct restart {
	struct test t;
	char path[64];
};

static void open_store(struct restart *r)
{
	const struct hd_store_options options = { .path = r->path, .map_bytes = 16 << 20 };

	assert_ok(hd_store_open_lmdb(&r->t.store, &options));
	open_desk(&r->t);
}

static void close_store(struct restart *r)
{
	hd_desk_free(r->t.desk);
	hd_directory_free(r->t.dir);
	hd_store_close(r->t.store);
}

static void restart(struct restart *r)
{
	close_store(r);
	open_store(r);
}

static int setup_lmdb(void **state)
{
	const char *base = getenv("TMPDIR");
	struct restart *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	(void)snprintf(r->path, sizeof(r->path), "%s/desk-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(r->path));
	r->t.policy = default_policy;
	r->t.now_ms = START_MS;
	r->t.way = HD_DESK_WAY_ADMIN;
	open_store(r);
	furnish(&r->t);
	*state = r;
	return 0;
}

static int teardown_lmdb(void **state)
{
	struct restart *r = *state;
	DIR *dir;
	struct dirent *entry;

	close_store(r);
	dir = opendir(r->path);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(r->path);
	free(r);
	return 0;
}

static void test_sessions(void **state)
{
	struct restart *r = *state;
	struct test *t = &r->t;
	uint64_t epoch;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_result(login(t, "d2", "202"), LOGGED_IN);
	assert_result(login(t, "d3", "201"), MOVED);
	epoch = t->r.session.epoch;
	restart(r);
	assert_string_equal(sitting(t, "d1"), "");
	assert_string_equal(sitting(t, "d2"), "202");
	assert_string_equal(sitting(t, "d3"), "201");
	assert_sound(t);
	/* What was left to be told still is. */
	assert_true(is_in_outbox(t, "d1"));
	assert_true(is_in_outbox(t, "d2"));
	assert_true(is_in_outbox(t, "d3"));
	/* Epochs go on. */
	assert_result(login(t, "d1", "201"), MOVED);
	assert_true(t->r.session.epoch > epoch);
}

static void test_operations(void **state)
{
	struct restart *r = *state;
	struct test *t = &r->t;
	struct hd_desk_request first;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	first = t->r;
	restart(r);
	t->r.desk = t->desk;
	assert_result(play(t, true), LOGGED_IN);
	assert_true(t->r.repeated);
	assert_int_equal(t->r.session.epoch, first.session.epoch);
}

static void test_locks(void **state)
{
	static const char *const numbers[] = { "201", "999" };
	struct restart *r = *state;
	struct test *t = &r->t;

	for (size_t i = 0; i < 2; i++) {
		for (unsigned n = 0; n < 4; n++) {
			(void)guess(t, n % 2 ? "d1" : "d2", numbers[i]);
			restart(r);
			assert_int_equal(failures(t, 'u', numbers[i]), n + 1);
		}
		(void)guess(t, "d3", numbers[i]);
		assert_true(t->r.locked_now);
		restart(r);
		assert_result(login(t, "d3", numbers[i]), USER_LOCKED);
		assert_int_equal(t->r.retry_at_ms, t->now_ms + 900000);
	}
	t->now_ms += 900000;
	restart(r);
	assert_result(login(t, "d3", "201"), LOGGED_IN);

	for (unsigned n = 0; n < 10; n++) {
		(void)guess(t, "d1", n % 2 ? "202" : "203");
		restart(r);
	}
	assert_result(login(t, "d1", "202"), PHONE_LOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sessions, setup_lmdb, teardown_lmdb),
		cmocka_unit_test_setup_teardown(test_operations, setup_lmdb, teardown_lmdb),
		cmocka_unit_test_setup_teardown(test_locks, setup_lmdb, teardown_lmdb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
