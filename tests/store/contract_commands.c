/* contract_commands.c - the contract: batches, failures, order, the two classes. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"

/* ---- commands ---------------------------------------------------------------------- */

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

int run_nothing(struct hd_txn *txn, void *arg)
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

/* ---- the soft class ---------------------------------------------------------------- */

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

const struct contract_case contract_commands[] = {
	{ "batch_is_one_commit", test_batch_is_one_commit },
	{ "failed_undone_alone", test_failed_undone_alone },
	{ "execute", test_execute },
	{ "execute_keeps_order", test_execute_keeps_order },
	{ "execute_on_store_thread", test_execute_on_store_thread },
	{ "bad_submits", test_bad_submits },
	{ "queue_full", test_queue_full },
	{ "several_submitters", test_several_submitters },
	{ "soft_goes_alone", test_soft_goes_alone },
	{ "soft_goes_along_in_order", test_soft_goes_along_in_order },
	{ "many_soft_do_not_wait", test_many_soft_do_not_wait },
	{ NULL, NULL },
};
