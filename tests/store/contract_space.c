/* contract_space.c - the contract: growing, full, and the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"
#include "hotdesk/base/record.h"

/* ---- the map ----------------------------------------------------------------------- */

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

/* ---- the end ----------------------------------------------------------------------- */

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

const struct contract_case contract_space[] = {
	{ "map_grows", test_map_grows },
	{ "full", test_full },
	{ "full_keeps_soft", test_full_keeps_soft },
	{ "close_writes_what_is_queued", test_close_writes_what_is_queued },
	{ "submit_while_closing", test_submit_while_closing },
	{ NULL, NULL },
};
