/*
 * test_lmdb.c - what only the LMDB store promises: the file, its schema, damage, readers of dead
 * processes, growing under readers, backup.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <lmdb.h>

#include "hotdesk/base/log.h"
#include "store_test.h"

struct fixture {
	char dir[TEST_DIR_BYTES];
	char log[4096]; /* what was logged */
	struct hd_store *store;
	unsigned table;
};

static void keep_log(void *arg, enum hd_log_level level, const char *text)
{
	struct fixture *f = arg;
	size_t len = strlen(f->log);

	(void)level;
	snprintf(f->log + len, sizeof(f->log) - len, "%s\n", text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	test_dir_make(f->dir);
	hd_log_set_sink(keep_log, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hd_store_close(f->store);
	hd_log_set_sink(NULL, NULL);
	test_dir_remove(f->dir);
	free(f);
	return 0;
}

static int open_with(struct fixture *f, uint64_t map_bytes)
{
	struct hd_store_options options = { .path = f->dir, .map_bytes = map_bytes };
	int err = hd_store_open_lmdb(&f->store, &options);

	return err ? err : hd_store_table(f->store, "records", &f->table);
}

static void close_store(struct fixture *f)
{
	hd_store_close(f->store);
	f->store = NULL;
}

static mode_t mode_of(const char *dir, const char *name)
{
	char path[TEST_DIR_BYTES + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* ---- opening ----------------------------------------------------------------------- */

static void test_creates_private_files(void **state)
{
	struct fixture *f = *state;
	char dir[TEST_DIR_BYTES];
	struct stat st;

	assert_int_equal(rmdir(f->dir), 0);
	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(mode_of(f->dir, "."), 0700);
	assert_int_equal(mode_of(f->dir, "data.mdb"), 0600);
	assert_int_equal(mode_of(f->dir, "lock.mdb"), 0600);
	snprintf(dir, sizeof(dir), "%.100s/new", f->dir);
	assert_int_equal(stat(dir, &st), -1);
}

/* A creation that was cut by the power leaves a half file in "new": it is thrown away. */
static void test_half_created(void **state)
{
	struct fixture *f = *state;
	char path[TEST_DIR_BYTES + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/new", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new/data.mdb", f->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs("half", file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(test_put(f->store, f->table, "a", "1"), 0);
}

static void raw_put(const char *dir, const char *table, MDB_val key, MDB_val value)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void test_newer_schema(void **state)
{
	struct fixture *f = *state;
	unsigned char newer[4] = { HD_STORE_SCHEMA + 1, 0, 0, 0 };

	assert_int_equal(open_with(f, 0), 0);
	close_store(f);
	raw_put(f->dir, "_meta", (MDB_val){ 6, "schema" }, (MDB_val){ sizeof(newer), newer });
	assert_int_equal(open_with(f, 0), HD_EVERSION);
	assert_non_null(strstr(f->log, "written by a newer hotdeskd (schema 3"));
}

/* An older store is taken over, and from then on no older daemon opens it. */
static void test_older_schema(void **state)
{
	struct fixture *f = *state;
	unsigned char older[4] = { HD_STORE_SCHEMA - 1, 0, 0, 0 };

	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(test_put(f->store, f->table, "a", "1"), 0);
	close_store(f);
	raw_put(f->dir, "_meta", (MDB_val){ 6, "schema" }, (MDB_val){ sizeof(older), older });
	assert_int_equal(open_with(f, 0), 0);
	assert_non_null(strstr(f->log, "schema 1 becomes 2"));
	close_store(f);
	f->log[0] = '\0';
	assert_int_equal(open_with(f, 0), 0);
	assert_null(strstr(f->log, "schema"));
	close_store(f);
	older[0] = 0;
	raw_put(f->dir, "_meta", (MDB_val){ 6, "schema" }, (MDB_val){ sizeof(older), older });
	assert_int_not_equal(open_with(f, 0), 0);
}

static void test_foreign_file(void **state)
{
	struct fixture *f = *state;

	raw_put(f->dir, "theirs", (MDB_val){ 1, "k" }, (MDB_val){ 1, "v" });
	assert_int_equal(open_with(f, 0), HD_ECORRUPT);
	assert_non_null(strstr(f->log, "not a store of hotdeskd"));
}

static void test_garbage_file(void **state)
{
	struct fixture *f = *state;
	char path[TEST_DIR_BYTES + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	for (unsigned i = 0; i < 20000; i++)
		assert_int_not_equal(fputc('x', file), EOF);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(open_with(f, 0), HD_ECORRUPT);
	assert_string_not_equal(f->log, "");
}

static void test_cut_off_file(void **state)
{
	struct fixture *f = *state;
	char path[TEST_DIR_BYTES + 32];

	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(test_put(f->store, f->table, "a", "1"), 0);
	close_store(f);
	snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	assert_int_equal(truncate(path, 3 * sysconf(_SC_PAGESIZE)), 0);
	assert_int_equal(open_with(f, 0), HD_ECORRUPT);
	assert_non_null(strstr(f->log, "cut off"));
}

static void test_no_folder(void **state)
{
	struct fixture *f = *state;
	struct hd_store_options options = { .path = "/proc/none/store" };
	struct hd_store *store;

	(void)f;
	assert_int_not_equal(hd_store_open_lmdb(&store, &options), 0);
	assert_string_not_equal(f->log, "");
	options.path = NULL;
	assert_int_equal(hd_store_open_lmdb(&store, &options), HD_EINVAL);
}

/* ---- damage ------------------------------------------------------------------------ */

static void test_damaged_record(void **state)
{
	struct fixture *f = *state;
	struct hd_slice key = { NULL, 0 };
	struct hd_slice value;
	char text[64];
	struct hd_txn *txn;

	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(test_put(f->store, f->table, "a", "one"), 0);
	assert_int_equal(test_put(f->store, f->table, "b", "two"), 0);
	assert_int_equal(test_put(f->store, f->table, "c", "three"), 0);
	close_store(f);
	raw_put(f->dir, "records", (MDB_val){ 1, "b" }, (MDB_val){ 7, "\1\2\3\4twp" });
	raw_put(f->dir, "records", (MDB_val){ 2, "bb" }, (MDB_val){ 2, "\1\2" });
	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(test_get(f->store, f->table, "a", text, sizeof(text)), 0);
	assert_int_equal(test_get(f->store, f->table, "b", text, sizeof(text)), HD_ECORRUPT);
	assert_int_equal(test_get(f->store, f->table, "bb", text, sizeof(text)), HD_ECORRUPT);
	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	assert_int_equal(hd_txn_next(txn, f->table, key, &key, &value), 0);
	assert_int_equal(hd_txn_next(txn, f->table, key, &key, &value), HD_ECORRUPT);
	assert_int_equal(hd_txn_next(txn, f->table, key, &key, &value), HD_ECORRUPT);
	assert_int_equal(hd_txn_next(txn, f->table, key, &key, &value), 0);
	assert_true(hd_slice_is(key, "c"));
	hd_store_end_read(txn);
	assert_int_equal(test_put(f->store, f->table, "b", "mended"), 0);
	assert_int_equal(test_get(f->store, f->table, "b", text, sizeof(text)), 0);
	assert_string_equal(text, "mended");
}

/* ---- readers ----------------------------------------------------------------------- */

/* A killed process leaves its slots taken; they would keep old pages alive for ever. */
static void test_readers_of_dead_process(void **state)
{
	struct fixture *f = *state;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(open_with(f, 0), 0);
	close_store(f);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct hd_txn *txn;

		if (open_with(f, 0) != 0 || hd_store_begin_read(f->store, &txn) != 0 ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	hd_store_check_readers(f->store);
	assert_non_null(strstr(f->log, "readers: 1 of dead processes removed"));
	close(ready[0]);
	close(ready[1]);
}

static void test_many_readers(void **state)
{
	enum { MANY = 2000 };
	struct fixture *f = *state;
	static struct hd_txn *txns[MANY];
	unsigned n = 0;
	int err = 0;

#ifdef __SANITIZE_THREAD__
	skip(); /* TSan counts to 64 locks held by a thread */
#endif
	assert_int_equal(open_with(f, 0), 0);
	while (n < MANY && (err = hd_store_begin_read(f->store, &txns[n])) == 0)
		n++;
	assert_int_equal(err, HD_EBUSY);
	assert_true(n > 100);
	while (n > 0)
		hd_store_end_read(txns[--n]);
	assert_int_equal(hd_store_begin_read(f->store, &txns[0]), 0);
	hd_store_end_read(txns[0]);
}

struct reader {
	struct fixture *f;
	_Atomic bool *stop;
	unsigned walks;
	bool failed;
};

/* All records of one snapshot carry the same number. */
static void *walk_until_stopped(void *arg)
{
	struct reader *r = arg;

	while (!atomic_load(r->stop)) {
		struct hd_slice key = { NULL, 0 };
		struct hd_slice value;
		struct hd_txn *txn;
		char first[8] = "";

		if (hd_store_begin_read(r->f->store, &txn) != 0) {
			r->failed = true;
			break;
		}
		while (hd_txn_next(txn, r->f->table, key, &key, &value) == 0) {
			if (first[0] == '\0')
				memcpy(first, value.ptr, 4);
			r->failed = r->failed || memcmp(first, value.ptr, 4) != 0;
		}
		hd_store_end_read(txn);
		r->walks++;
	}
	return NULL;
}

struct round {
	unsigned table, number;
};

static int run_round(struct hd_txn *txn, void *arg)
{
	const struct round *round = arg;
	char key[16], value[512];
	int err = 0;

	memset(value, 'x', sizeof(value));
	snprintf(value, sizeof(value), "%04u", round->number);
	for (unsigned i = 0; i < 20 * round->number && !err; i++) {
		snprintf(key, sizeof(key), "%05u", i);
		err = hd_txn_put(txn, round->table, hd_slice_of(key),
				 (struct hd_slice){ value, sizeof(value) });
	}
	return err;
}

static void test_grows_under_readers(void **state)
{
	struct fixture *f = *state;
	_Atomic bool stop = false;
	struct reader readers[3];
	pthread_t threads[3];
	struct hd_store_stats stats;

	assert_int_equal(open_with(f, 65536), 0);
	assert_int_equal(hd_store_start(f->store), 0);
	for (size_t i = 0; i < 3; i++) {
		readers[i] = (struct reader){ .f = f, .stop = &stop };
		assert_int_equal(pthread_create(&threads[i], NULL, walk_until_stopped, &readers[i]),
				 0);
	}
	for (unsigned i = 1; i <= 100; i++) {
		struct round round = { f->table, i };

		assert_int_equal(hd_store_execute(f->store, run_round, &round), 0);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(readers[i].failed);
		assert_true(readers[i].walks > 0);
	}
	hd_store_get_stats(f->store, &stats);
	assert_true(stats.map_bytes >= 16 * 65536);
}

/* ---- backup ------------------------------------------------------------------------ */

struct writer {
	struct fixture *f;
	_Atomic bool *stop;
};

static void *write_until_stopped(void *arg)
{
	struct writer *w = arg;
	uintptr_t failed = 0;

	for (unsigned i = 0; !atomic_load(w->stop); i++) {
		struct round round = { w->f->table, 1 + i % 50 };

		failed += hd_store_execute(w->f->store, run_round, &round) != 0;
	}
	return (void *)failed;
}

static void restore(struct fixture *f, const char *backup)
{
	char path[TEST_DIR_BYTES + 32];

	close_store(f);
	snprintf(path, sizeof(path), "%s/lock.mdb", f->dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	assert_int_equal(rename(backup, path), 0);
}

static void test_backup_under_load(void **state)
{
	struct fixture *f = *state;
	char path[TEST_DIR_BYTES + 32];
	struct hd_store_stats stats;
	_Atomic bool stop = false;
	struct writer w = { f, &stop };
	pthread_t thread;
	uint64_t before;
	void *failed;
	struct test_op op;

	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(test_put(f->store, f->table, "99999", "kept"), 0);
	hd_store_get_stats(f->store, &stats);
	before = stats.epoch;
	assert_int_equal(hd_store_start(f->store), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_until_stopped, &w), 0);
	snprintf(path, sizeof(path), "%s/backup.mdb", f->dir);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(hd_store_backup(f->store, path), 0);
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(mode_of(f->dir, "backup.mdb"), 0600);

	restore(f, path);
	assert_int_equal(open_with(f, 0), 0);
	test_op_put(&op, f->table, "99999", "again");
	assert_int_equal(hd_store_execute(f->store, test_op_run, &op), 0);
	assert_string_equal(op.seen, "kept");
	assert_true(op.epoch > before); /* the copy goes on counting where the store was */
}

static void test_backup_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_with(f, 0), 0);
	assert_int_equal(hd_store_backup(f->store, "/nowhere/at/all/backup.mdb"), HD_ENOENT);
	assert_int_equal(hd_store_backup(f->store, "/dev/full/backup.mdb"), HD_ENOENT);
	assert_int_equal(hd_store_backup(f->store, NULL), HD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_creates_private_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_created, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_off_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_readers_of_dead_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_readers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grows_under_readers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backup_under_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backup_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("lmdb", tests, NULL, NULL);
}
