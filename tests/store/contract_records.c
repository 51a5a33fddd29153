/* contract_records.c - the contract: records, walks, tables, snapshots, epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"
#include "hotdesk/base/record.h"

/* ---- records ----------------------------------------------------------------------- */

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

int run_limits(struct hd_txn *txn, void *arg)
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

int run_fill(struct hd_txn *txn, void *arg)
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

/* ---- snapshots and epochs ---------------------------------------------------------- */

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

const struct contract_case contract_records[] = {
	{ "records", test_records },
	{ "limits", test_limits },
	{ "walk", test_walk },
	{ "walk_and_write", test_walk_and_write },
	{ "tables", test_tables },
	{ "snapshot", test_snapshot },
	{ "epoch_grows", test_epoch_grows },
	{ NULL, NULL },
};
