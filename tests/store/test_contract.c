/*
 * test_contract.c - the contract of store.h, one suite run against every back end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/record.h"
#include "store_test.h"

struct backend {
	const char *name;
	int (*open)(struct hd_store **sp, const struct hd_store_options *options);
	bool durable;
};

static const struct backend backends[] = {
	{ "lmdb", hd_store_open_lmdb, true },
	{ "mem", hd_store_open_mem, false },
};

/* What each test works on; the back end is that of the running group. */
struct fixture {
	const struct backend *backend;
	struct hd_store_options options;
	struct hd_store *store;
	struct hd_mailbox *mailbox;
	unsigned table, other;
	unsigned replies;
	char dir[TEST_DIR_BYTES];
};

static void fixture_open(struct fixture *f)
{
	f->options.path = f->dir;
	assert_int_equal(f->backend->open(&f->store, &f->options), 0);
	assert_int_equal(hd_store_table(f->store, "records", &f->table), 0);
	assert_int_equal(hd_store_table(f->store, "other", &f->other), 0);
}

static void fixture_reopen(struct fixture *f)
{
	hd_store_close(f->store);
	f->store = NULL;
	fixture_open(f);
}

/* Replaces the empty store by one with other options. */
static void fixture_options(struct fixture *f, struct hd_store_options options)
{
	f->options = options;
	fixture_reopen(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->backend = *state;
	test_dir_make(f->dir);
	if (hd_mailbox_new(&f->mailbox) != 0)
		return -1;
	fixture_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hd_store_close(f->store);
	hd_mailbox_free(f->mailbox);
	test_dir_remove(f->dir);
	*state = (void *)(uintptr_t)f->backend;
	free(f);
	return 0;
}

static void submit(struct fixture *f, struct test_op *op)
{
	test_op_reply(op, f->mailbox, &f->replies);
	assert_int_equal(hd_store_submit(f->store, &op->command), 0);
}

static void submit_soft(struct fixture *f, struct test_op *op)
{
	test_op_reply(op, f->mailbox, &f->replies);
	assert_int_equal(hd_store_submit_soft(f->store, &op->command), 0);
}

static void holds(struct fixture *f, const char *key, const char *value)
{
	char now[64];

	(void)test_get(f->store, f->table, key, now, sizeof(now));
	assert_string_equal(now, value);
}

/* ---- records ------------------------------------------------------------------------------------ */

static void test_records(void **state)
{
	struct fixture *f = *state;
	char value[64];

	assert_int_equal(test_get(f->store, f->table, "a", value, sizeof(value)), HD_ENOENT);
	assert_int_equal(test_put(f->store, f->table, "a", "1"), 0);
	holds(f, "a", "1");
	assert_int_equal(test_put(f->store, f->table, "a", "a longer one"), 0);
	holds(f, "a", "a longer one");
	assert_int_equal(test_get(f->store, f->other, "a", value, sizeof(value)), HD_ENOENT);
	assert_int_equal(test_put(f->store, f->table, "empty", ""), 0);
	assert_int_equal(test_get(f->store, f->table, "empty", value, sizeof(value)), 0);
	assert_int_equal(test_del(f->store, f->table, "a"), 0);
	assert_int_equal(test_get(f->store, f->table, "a", value, sizeof(value)), HD_ENOENT);
	assert_int_equal(test_del(f->store, f->table, "a"), HD_ENOENT);
}

static int run_limits(struct hd_txn *txn, void *arg)
{
	struct fixture *f = arg;
	static char big[HD_RECORD_MAX + 1];
	struct hd_slice value = { big, HD_RECORD_MAX };
	struct hd_slice key = { big, 511 };
	struct hd_slice got;
	int err;

	memset(big, 'x', sizeof(big));
	err = hd_txn_put(txn, f->table, key, value);
	if (err)
		return err; /* the map grows and this runs again */
	assert_int_equal(hd_txn_get(txn, f->table, key, &got), 0);
	assert_true(hd_slice_eq(got, value));
	value.len++;
	assert_int_equal(hd_txn_put(txn, f->table, key, value), HD_EINVAL);
	key.len++;
	value.len = 1;
	assert_int_equal(hd_txn_put(txn, f->table, key, value), HD_EINVAL);
	assert_int_equal(hd_txn_get(txn, f->table, key, &got), HD_EINVAL);
	assert_int_equal(hd_txn_del(txn, f->table, key), HD_EINVAL);
	key.len = 0;
	assert_int_equal(hd_txn_put(txn, f->table, key, value), HD_EINVAL);
	assert_int_equal(hd_txn_put(txn, 99, hd_slice_of("k"), value), HD_EINVAL);
	return 0;
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	struct hd_slice got;
	struct hd_txn *txn;

	assert_int_equal(hd_store_execute(f->store, run_limits, f), 0);
	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	assert_int_equal(hd_txn_put(txn, f->table, hd_slice_of("k"), hd_slice_of("v")), HD_EINVAL);
	assert_int_equal(hd_txn_del(txn, f->table, hd_slice_of("k")), HD_EINVAL);
	assert_int_equal(hd_txn_get(txn, f->table, hd_slice_of("k"), &got), HD_ENOENT);
	hd_store_end_read(txn);
	hd_store_end_read(NULL);
}

static void test_walk(void **state)
{
	static const char *const unsorted[] = { "b", "a", "ab", "c", "aa", "B", "\xff", "\x7f" };
	static const char *const sorted[] = { "B", "a", "aa", "ab", "b", "c", "\x7f", "\xff" };
	struct fixture *f = *state;
	struct hd_slice key = { NULL, 0 };
	struct hd_slice value;
	struct hd_txn *txn;
	uint64_t n;

	for (size_t i = 0; i < 8; i++)
		assert_int_equal(test_put(f->store, f->table, unsorted[i], unsorted[i]), 0);
	assert_int_equal(test_put(f->store, f->other, "x", "y"), 0);
	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	assert_int_equal(hd_txn_count(txn, f->table, &n), 0);
	assert_int_equal(n, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(hd_txn_next(txn, f->table, key, &key, &value), 0);
		assert_true(hd_slice_is(key, sorted[i]));
		assert_true(hd_slice_is(value, sorted[i]));
	}
	assert_int_equal(hd_txn_next(txn, f->table, key, &key, &value), HD_ENOENT);
	assert_int_equal(hd_txn_next(txn, f->table, hd_slice_of("aaa"), &key, &value), 0);
	assert_true(hd_slice_is(key, "ab"));
	assert_int_equal(hd_txn_next(txn, f->other, hd_slice_of(NULL), &key, &value), 0);
	assert_true(hd_slice_is(key, "x"));
	assert_int_equal(hd_txn_next(txn, f->table, hd_slice_of("ab"), &key, &value), 0);
	assert_true(hd_slice_is(key, "b"));
	hd_store_end_read(txn);
}

/* Deletes while walking, copies a record from the place it was read at. */
static int run_walk_and_write(struct hd_txn *txn, void *arg)
{
	struct fixture *f = arg;
	struct hd_slice key = { NULL, 0 };
	struct hd_slice value;
	char last[64] = "";
	int err;

	while ((err = hd_txn_next(txn, f->table, hd_slice_of(last), &key, &value)) == 0) {
		err = hd_str_copy(last, sizeof(last), key);
		if (!err)
			err = hd_txn_put(txn, f->other, key, value);
		if (!err)
			err = hd_txn_get(txn, f->other, hd_slice_of(last), &value);
		if (!err)
			err = hd_txn_put(txn, f->table, hd_slice_of(last), value);
		if (!err)
			err = hd_txn_next(txn, f->table, hd_slice_of(last), &key, &value);
		if (!err)
			err = hd_txn_del(txn, f->table, key);
		if (err)
			return err == HD_ENOENT ? 0 : err;
	}
	return err == HD_ENOENT ? 0 : err;
}

static int run_fill(struct hd_txn *txn, void *arg)
{
	struct fixture *f = arg;
	char key[16];

	for (unsigned i = 0; i < 1000; i++) {
		int err;

		snprintf(key, sizeof(key), "%05u", i);
		err = hd_txn_put(txn, f->table, hd_slice_of(key), hd_slice_of(key));
		if (err)
			return err;
	}
	return 0;
}

static void test_walk_and_write(void **state)
{
	struct fixture *f = *state;
	struct hd_txn *txn;
	uint64_t n;

	assert_int_equal(hd_store_execute(f->store, run_fill, f), 0);
	assert_int_equal(hd_store_execute(f->store, run_walk_and_write, f), 0);
	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	assert_int_equal(hd_txn_count(txn, f->table, &n), 0);
	assert_int_equal(n, 500);
	assert_int_equal(hd_txn_count(txn, f->other, &n), 0);
	assert_int_equal(n, 500);
	hd_store_end_read(txn);
	holds(f, "00998", "00998");
	holds(f, "00999", "");
}

static void test_tables(void **state)
{
	struct fixture *f = *state;
	unsigned again, extra;
	char name[16];

	assert_int_equal(hd_store_table(f->store, "records", &again), 0);
	assert_int_equal(again, f->table);
	assert_int_equal(hd_store_table(f->store, "", &extra), HD_EINVAL);
	assert_int_equal(hd_store_table(f->store, "_meta", &extra), HD_EINVAL);
	for (unsigned i = 2; i < HD_STORE_TABLES_MAX; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(hd_store_table(f->store, name, &extra), 0);
	}
	assert_int_equal(hd_store_table(f->store, "one more", &extra), HD_ELIMIT);
	assert_int_equal(hd_store_table(f->store, "other", &again), 0);
	assert_int_equal(again, f->other);
	assert_int_equal(test_put(f->store, extra, "k", "v"), 0);
	assert_int_equal(hd_store_start(f->store), 0);
	assert_int_equal(hd_store_start(f->store), HD_ESTATE);
	assert_int_equal(hd_store_table(f->store, "records", &again), HD_ESTATE);
}

/* ---- commands ----------------------------------------------------------------------------------- */

/* Everything submitted before the start is one batch, so that these cases need no luck. */
static void test_batch_is_one_commit(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats before, after;
	struct test_op ops[20];
	char key[16];

	hd_store_get_stats(f->store, &before);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		test_op_put(&ops[i], f->table, key, "v");
		submit(f, &ops[i]);
	}
	hd_store_get_stats(f->store, &after);
	assert_int_equal(after.queued, 20);
	holds(f, "k0", "");
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 20));
	hd_store_get_stats(f->store, &after);
	assert_int_equal(after.commits - before.commits, 1);
	assert_int_equal(after.commands - before.commands, 20);
	assert_int_equal(after.batch_max_seen, 20);
	assert_int_equal(after.epoch, before.epoch + 1);
	assert_int_equal(after.queued, 0);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(ops[i].command.err, 0);
		assert_int_equal(ops[i].runs, 1);
		assert_int_equal(ops[i].epoch, after.epoch);
		holds(f, ops[i].key, "v");
	}
}

static void test_failed_undone_alone(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats stats;
	struct test_op ops[6];

	test_op_put(&ops[0], f->table, "a", "1");
	test_op_put(&ops[1], f->table, "a", "2");
	ops[1].fail_after = HD_ESTATE;
	test_op_put(&ops[2], f->table, "b", "3");
	ops[2].fail_before = HD_EACCESS;
	test_op_put(&ops[3], f->table, "a", "4");
	test_op_put(&ops[4], f->table, "c", "5");
	ops[4].fail_after = HD_ECONFLICT;
	test_op_put(&ops[5], f->table, "d", "6");
	for (size_t i = 0; i < 6; i++)
		submit(f, &ops[i]);
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 6));
	assert_int_equal(ops[0].command.err, 0);
	assert_int_equal(ops[1].command.err, HD_ESTATE);
	assert_int_equal(ops[2].command.err, HD_EACCESS);
	assert_int_equal(ops[3].command.err, 0);
	assert_int_equal(ops[4].command.err, HD_ECONFLICT);
	assert_int_equal(ops[5].command.err, 0);
	assert_string_equal(ops[1].seen, "1");
	assert_string_equal(ops[3].seen, "1");
	holds(f, "a", "4");
	holds(f, "b", "");
	holds(f, "c", "");
	holds(f, "d", "6");
	hd_store_get_stats(f->store, &stats);
	assert_int_equal(stats.failed, 3);
	assert_int_equal(stats.commits, 1);
}

static void test_execute(void **state)
{
	struct fixture *f = *state;
	struct test_op op;

	test_op_put(&op, f->table, "a", "1");
	op.fail_after = HD_ELIMIT;
	assert_int_equal(hd_store_execute(f->store, test_op_run, &op), HD_ELIMIT);
	holds(f, "a", "");
	assert_int_equal(hd_store_start(f->store), 0);
	assert_int_equal(hd_store_execute(f->store, test_op_run, &op), HD_ELIMIT);
	holds(f, "a", "");
	op.fail_after = 0;
	assert_int_equal(hd_store_execute(f->store, test_op_run, &op), 0);
	holds(f, "a", "1");
	assert_int_equal(hd_store_execute(f->store, NULL, &op), HD_EINVAL);
}

/* Before the start, execute() runs what was submitted before it. */
static void test_execute_keeps_order(void **state)
{
	struct fixture *f = *state;
	struct test_op first, second;

	test_op_put(&first, f->table, "a", "1");
	test_op_put(&second, f->table, "a", "2");
	submit(f, &first);
	assert_int_equal(hd_store_execute(f->store, test_op_run, &second), 0);
	assert_string_equal(second.seen, "1");
	assert_int_equal(hd_mailbox_drain(f->mailbox), 1);
	assert_int_equal(first.command.err, 0);
	holds(f, "a", "2");
}

static int run_nothing(struct hd_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

struct on_thread {
	struct hd_command command;
	struct hd_store *store;
	int err;
	bool done;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

static void execute_on_store_thread(struct hd_command *command)
{
	struct on_thread *o = (struct on_thread *)(void *)command;
	int err = hd_store_execute(o->store, run_nothing, NULL);

	pthread_mutex_lock(&o->lock);
	o->err = err;
	o->done = true;
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
}

static void test_execute_on_store_thread(void **state)
{
	struct fixture *f = *state;
	struct on_thread o = { .store = f->store,
			       .lock = PTHREAD_MUTEX_INITIALIZER,
			       .wake = PTHREAD_COND_INITIALIZER,
			       .command = { .run = run_nothing, .done = execute_on_store_thread } };

	assert_int_equal(hd_store_start(f->store), 0);
	assert_int_equal(hd_store_submit_soft(f->store, &o.command), 0);
	assert_int_equal(test_put(f->store, f->table, "a", "1"), 0); /* takes it along */
	pthread_mutex_lock(&o.lock);
	while (!o.done)
		pthread_cond_wait(&o.wake, &o.lock);
	pthread_mutex_unlock(&o.lock);
	assert_int_equal(o.err, HD_ESTATE);
}

static void test_bad_submits(void **state)
{
	struct fixture *f = *state;
	struct test_op op;

	test_op_put(&op, f->table, "a", "1");
	assert_int_equal(hd_store_submit(f->store, &op.command), HD_EINVAL);
	test_op_reply(&op, f->mailbox, &f->replies);
	op.command.run = NULL;
	assert_int_equal(hd_store_submit(f->store, &op.command), HD_EINVAL);
	assert_int_equal(hd_store_submit_soft(f->store, &op.command), HD_EINVAL);
}

static void test_queue_full(void **state)
{
	struct fixture *f = *state;
	struct test_op ops[9];

	fixture_options(f, (struct hd_store_options){ .queue_max = 8 });
	for (unsigned i = 0; i < 9; i++) {
		char key[8];

		snprintf(key, sizeof(key), "%u", i);
		test_op_put(&ops[i], f->table, key, "v");
		test_op_reply(&ops[i], f->mailbox, &f->replies);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(hd_store_submit_soft(f->store, &ops[i].command), 0);
	assert_int_equal(hd_store_submit_soft(f->store, &ops[4].command), HD_EBUSY);
	for (unsigned i = 4; i < 8; i++)
		assert_int_equal(hd_store_submit(f->store, &ops[i].command), 0);
	assert_int_equal(hd_store_submit(f->store, &ops[8].command), HD_EBUSY);
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 8));
	assert_int_equal(hd_store_submit(f->store, &ops[8].command), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 9));
	assert_int_equal(ops[8].command.err, 0);
	holds(f, "8", "v");
}

static int run_increment(struct hd_txn *txn, void *arg)
{
	struct fixture *f = arg;
	struct hd_slice value;
	uint64_t n = 0;
	char text[32];
	int err;

	err = hd_txn_get(txn, f->table, hd_slice_of("counter"), &value);
	if (!err)
		err = hd_u64_parse(&n, value, UINT64_MAX);
	if (err && err != HD_ENOENT)
		return err;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)n + 1);
	return hd_txn_put(txn, f->table, hd_slice_of("counter"), hd_slice_of(text));
}

enum { SUBMITTERS = 4, INCREMENTS = 50 };

static void *submitter(void *arg)
{
	struct fixture *f = arg;
	uintptr_t failed = 0;

	for (unsigned i = 0; i < INCREMENTS; i++) {
		char value[64];

		failed += hd_store_execute(f->store, run_increment, f) != 0;
		failed += test_get(f->store, f->table, "counter", value, sizeof(value)) != 0;
	}
	return (void *)failed;
}

static void test_several_submitters(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[SUBMITTERS];
	char want[32];

	fixture_options(f, (struct hd_store_options){ .batch_wait_us = 200 });
	assert_int_equal(hd_store_start(f->store), 0);
	for (size_t i = 0; i < SUBMITTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submitter, f), 0);
	for (size_t i = 0; i < SUBMITTERS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	snprintf(want, sizeof(want), "%d", SUBMITTERS * INCREMENTS);
	holds(f, "counter", want);
}

/* ---- snapshots and epochs ----------------------------------------------------------------------- */

static void test_snapshot(void **state)
{
	struct fixture *f = *state;
	struct hd_txn *before, *after;
	struct hd_slice value;

	assert_int_equal(test_put(f->store, f->table, "a", "old"), 0);
	assert_int_equal(hd_store_begin_read(f->store, &before), 0);
	assert_int_equal(test_put(f->store, f->table, "a", "new"), 0);
	assert_int_equal(test_put(f->store, f->table, "b", "new"), 0);
	assert_int_equal(hd_store_begin_read(f->store, &after), 0);
	assert_int_equal(hd_txn_get(before, f->table, hd_slice_of("a"), &value), 0);
	assert_true(hd_slice_is(value, "old"));
	assert_int_equal(hd_txn_get(before, f->table, hd_slice_of("b"), &value), HD_ENOENT);
	assert_int_equal(hd_txn_get(after, f->table, hd_slice_of("a"), &value), 0);
	assert_true(hd_slice_is(value, "new"));
	assert_int_equal(hd_txn_epoch(after), hd_txn_epoch(before) + 2);
	hd_store_end_read(before);
	hd_store_end_read(after);
	holds(f, "a", "new");
}

static void test_epoch_grows(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats stats;
	uint64_t last = 0;
	struct test_op op;

	for (unsigned i = 0; i < 10; i++) {
		if (i == 5 && f->backend->durable)
			fixture_reopen(f);
		test_op_put(&op, f->table, "a", "1");
		assert_int_equal(hd_store_execute(f->store, test_op_run, &op), 0);
		assert_true(op.epoch > last);
		last = op.epoch;
		hd_store_get_stats(f->store, &stats);
		assert_int_equal(stats.epoch, last);
		op.fail_after = HD_ESTATE;
		assert_int_equal(hd_store_execute(f->store, test_op_run, &op), HD_ESTATE);
		op.write = false;
		op.fail_after = 0;
		assert_int_equal(hd_store_execute(f->store, test_op_run, &op), 0);
		hd_store_get_stats(f->store, &stats);
		assert_int_equal(stats.epoch, last);
	}
}

/* ---- the soft class ----------------------------------------------------------------------------- */

static void test_soft_goes_alone(void **state)
{
	struct fixture *f = *state;
	struct test_op op;

	fixture_options(f, (struct hd_store_options){ .soft_delay_ms = 5 });
	assert_int_equal(hd_store_start(f->store), 0);
	test_op_put(&op, f->table, "a", "1");
	submit_soft(f, &op);
	assert_true(test_drain_until(f->mailbox, &f->replies, 1));
	assert_int_equal(op.command.err, 0);
	holds(f, "a", "1");
}

static void test_soft_goes_along_in_order(void **state)
{
	struct fixture *f = *state;
	struct test_op soft1, durable, soft2, soft3;
	struct hd_store_stats stats;

	fixture_options(f, (struct hd_store_options){ .soft_delay_ms = 3600000 });
	test_op_put(&soft1, f->table, "a", "soft1");
	test_op_put(&durable, f->table, "a", "durable");
	test_op_put(&soft2, f->table, "a", "soft2");
	test_op_put(&soft3, f->table, "b", "soft3");
	soft3.fail_after = HD_ESTALE;
	submit_soft(f, &soft1);
	submit(f, &durable);
	submit_soft(f, &soft2);
	submit_soft(f, &soft3);
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 4));
	assert_int_equal(soft3.command.err, HD_ESTALE);
	assert_string_equal(durable.seen, "soft1");
	assert_string_equal(soft2.seen, "durable");
	holds(f, "a", "soft2");
	holds(f, "b", "");
	hd_store_get_stats(f->store, &stats);
	assert_int_equal(stats.commits, 1);
}

static void test_many_soft_do_not_wait(void **state)
{
	struct fixture *f = *state;
	struct test_op ops[8];

	fixture_options(f, (struct hd_store_options){ .soft_delay_ms = 3600000, .batch_max = 8 });
	assert_int_equal(hd_store_start(f->store), 0);
	for (unsigned i = 0; i < 8; i++) {
		test_op_put(&ops[i], f->table, "a", "1");
		submit_soft(f, &ops[i]);
	}
	assert_true(test_drain_until(f->mailbox, &f->replies, 8));
}

/* ---- the end ------------------------------------------------------------------------------------ */

static void test_close_writes_what_is_queued(void **state)
{
	struct fixture *f = *state;
	struct test_op durable, soft;

	for (unsigned started = 0; started < 2; started++) {
		fixture_options(f, (struct hd_store_options){ .soft_delay_ms = 3600000 });
		test_op_put(&soft, f->table, started ? "a" : "c", "soft");
		test_op_put(&durable, f->table, started ? "b" : "d", "durable");
		f->replies = 0;
		submit_soft(f, &soft);
		submit(f, &durable);
		if (started)
			assert_int_equal(hd_store_start(f->store), 0);
		hd_store_close(f->store);
		f->store = NULL;
		assert_int_equal(hd_mailbox_drain(f->mailbox), 2);
		assert_int_equal(f->replies, 2);
		assert_int_equal(soft.command.err, 0);
		assert_int_equal(durable.command.err, 0);
		fixture_open(f);
	}
	if (f->backend->durable) {
		holds(f, "a", "soft");
		holds(f, "b", "durable");
		holds(f, "c", "soft");
		holds(f, "d", "durable");
	}
	hd_store_close(NULL);
}

struct late {
	struct hd_command command;
	struct hd_store *store;
	struct test_op op;
	int err;
};

static void submit_late(struct hd_command *command)
{
	struct late *late = (struct late *)(void *)command;

	late->err = hd_store_submit(late->store, &late->op.command);
}

static void test_submit_while_closing(void **state)
{
	struct fixture *f = *state;
	struct late late = { .store = f->store,
			     .command = { .run = run_nothing, .done = submit_late } };

	test_op_put(&late.op, f->table, "a", "1");
	test_op_reply(&late.op, f->mailbox, &f->replies);
	assert_int_equal(hd_store_submit_soft(f->store, &late.command), 0);
	hd_store_close(f->store); /* runs the soft command, whose reply submits */
	f->store = NULL;
	assert_int_equal(late.err, HD_ESHUTDOWN);
}

/* ---- the map ------------------------------------------------------------------------------------ */

static void test_map_grows(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats before, after;

	fixture_options(f, (struct hd_store_options){ .map_bytes = 65536 });
	hd_store_get_stats(f->store, &before);
	assert_int_equal(before.map_bytes, 65536);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(hd_store_execute(f->store, run_limits, f), 0);
	assert_int_equal(hd_store_execute(f->store, run_fill, f), 0);
	for (unsigned i = 0; i < 1000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "more %u", i);
		assert_int_equal(
			test_put(f->store, f->other, key,
				 "sixty bytes of text, or nearly so, to fill some space.."),
			0);
	}
	hd_store_get_stats(f->store, &after);
	assert_true(after.map_bytes > before.map_bytes);
	assert_true(after.used_bytes <= after.map_bytes);
	assert_false(after.full);
	holds(f, "00500", "00500");
}

static int run_put_big(struct hd_txn *txn, void *arg)
{
	struct test_op *op = arg;
	static char big[HD_RECORD_MAX];
	struct hd_slice value = { big, sizeof(big) };

	(void)!hd_txn_put(txn, op->table, hd_slice_of(op->key), value);
	return 0; /* does not look: the store must */
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats stats;
	struct test_op op, small, big;
	unsigned n = 0;
	int err;

	fixture_options(f,
			(struct hd_store_options){ .map_bytes = 262144, .map_max_bytes = 524288 });
	do {
		test_op_put(&op, f->table, "", "");
		snprintf(op.key, sizeof(op.key), "big %02u", n++);
		err = hd_store_execute(f->store, run_put_big, &op);
	} while (!err && n < 100);
	assert_int_equal(err, HD_EFULL);
	assert_true(n > 5 && n < 40);
	hd_store_get_stats(f->store, &stats);
	assert_true(stats.full);
	assert_int_equal(stats.map_bytes, 524288);
	holds(f, op.key, "");

	/* In one batch with one that does not fit, the other is written all the same. */
	test_op_put(&big, f->table, op.key, "");
	big.command.run = run_put_big;
	test_op_put(&small, f->table, "small", "1");
	submit(f, &big);
	submit(f, &small);
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 2));
	assert_int_equal(big.command.err, HD_EFULL);
	assert_int_equal(small.command.err, 0);
	holds(f, "small", "1");

	/* Deleting makes room again. LMDB reuses a page two transactions later. */
	for (unsigned i = 0; i < 4; i++) {
		snprintf(op.key, sizeof(op.key), "big %02u", i);
		assert_int_equal(test_del(f->store, f->table, op.key), 0);
	}
	assert_int_equal(test_put(f->store, f->table, "small", "2"), 0);
	assert_int_equal(hd_store_execute(f->store, run_put_big, &op), 0);
	hd_store_get_stats(f->store, &stats);
	assert_false(stats.full);
}

/* A soft command that finds no room stays, keeps its place, and is written when there is room. */
static void test_full_keeps_soft(void **state)
{
	struct fixture *f = *state;
	struct test_op op, soft, behind;
	unsigned n = 0;
	int err;

	fixture_options(f, (struct hd_store_options){ .map_bytes = 262144,
						      .map_max_bytes = 262144,
						      .soft_delay_ms = 20 });
	do {
		test_op_put(&op, f->table, "", "");
		snprintf(op.key, sizeof(op.key), "big %02u", n++);
		err = hd_store_execute(f->store, run_put_big, &op);
	} while (!err && n < 100);
	assert_int_equal(err, HD_EFULL);
	test_op_put(&soft, f->table, "big soft", "");
	soft.command.run = run_put_big;
	submit_soft(f, &soft);
	test_op_put(&behind, f->table, "behind", "1");
	submit(f, &behind);
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 1));
	assert_int_equal(behind.command.err, HD_EFULL);
	assert_int_equal(f->replies, 1);
	hd_store_close(f->store); /* gives it up */
	f->store = NULL;
	assert_int_equal(hd_mailbox_drain(f->mailbox), 1);
	assert_int_equal(soft.command.err, HD_EFULL);
}

static int run_group(const struct backend *backend)
{
#define CASE(fn)                                                                                   \
	{                                                                                          \
		"store/" #fn, fn, setup, teardown, (void *)(uintptr_t)backend                      \
	}
	const struct CMUnitTest tests[] = {
		CASE(test_records),
		CASE(test_limits),
		CASE(test_walk),
		CASE(test_walk_and_write),
		CASE(test_tables),
		CASE(test_batch_is_one_commit),
		CASE(test_failed_undone_alone),
		CASE(test_execute),
		CASE(test_execute_keeps_order),
		CASE(test_execute_on_store_thread),
		CASE(test_bad_submits),
		CASE(test_queue_full),
		CASE(test_several_submitters),
		CASE(test_snapshot),
		CASE(test_epoch_grows),
		CASE(test_soft_goes_alone),
		CASE(test_soft_goes_along_in_order),
		CASE(test_many_soft_do_not_wait),
		CASE(test_close_writes_what_is_queued),
		CASE(test_submit_while_closing),
		CASE(test_map_grows),
		CASE(test_full),
		CASE(test_full_keeps_soft),
	};
#undef CASE
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		failed += run_group(&backends[i]);
	return failed;
}
