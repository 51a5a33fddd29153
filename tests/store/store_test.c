/* store_test.c - see store_test.h. */
#include "store_test.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void test_dir_make(char dir[TEST_DIR_BYTES])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, TEST_DIR_BYTES, "%s/hd-store.XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
}

void test_dir_remove(const char *dir)
{
	static const char *const names[] = { "new/data.mdb", "new/lock.mdb", "new", "data.mdb",
					     "lock.mdb",     "backup.mdb",   "" };
	char path[TEST_DIR_BYTES + 32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
}

int64_t test_now_ms(void)
{
	return hd_clock_mono_ms(hd_clock_system());
}

bool test_drain_until(struct hd_mailbox *m, const unsigned *counter, unsigned n)
{
	int64_t until = test_now_ms() + TEST_DEADLINE_MS;
	struct pollfd fd = { .fd = hd_mailbox_fd(m), .events = POLLIN };

	while (*counter < n && test_now_ms() < until) {
		if (poll(&fd, 1, 100) > 0)
			(void)hd_mailbox_drain(m);
	}
	return *counter >= n;
}

int test_op_run(struct hd_txn *txn, void *arg)
{
	struct test_op *op = arg;
	struct hd_slice key = hd_slice_of(op->key);
	struct hd_slice value;
	int err;

	op->runs++;
	op->seen[0] = '\0';
	op->epoch = hd_txn_epoch(txn);
	if (hd_txn_get(txn, op->table, key, &value) == 0 && value.len < sizeof(op->seen)) {
		err = hd_str_copy(op->seen, sizeof(op->seen), value);
		if (err)
			return err;
	}
	if (op->fail_before)
		return op->fail_before;
	err = 0;
	if (op->write)
		err = hd_txn_put(txn, op->table, key, hd_slice_of(op->value));
	if (!err && op->remove)
		err = hd_txn_del(txn, op->table, key);
	return err ? err : op->fail_after;
}

static void op_done(struct hd_command *command)
{
	struct test_op *op = (struct test_op *)(void *)command;

	if (op->counter)
		(*op->counter)++;
}

void test_op_put(struct test_op *op, unsigned table, const char *key, const char *value)
{
	*op = (struct test_op){ .table = table, .write = true };
	snprintf(op->key, sizeof(op->key), "%s", key);
	snprintf(op->value, sizeof(op->value), "%s", value);
	op->command.run = test_op_run;
	op->command.arg = op;
}

void test_op_reply(struct test_op *op, struct hd_mailbox *m, unsigned *counter)
{
	op->command.reply_to = m;
	op->command.done = op_done;
	op->counter = counter;
}

int test_get(struct hd_store *store, unsigned table, const char *key, char *value, size_t size)
{
	struct hd_txn *txn;
	struct hd_slice v;
	int err;

	value[0] = '\0';
	err = hd_store_begin_read(store, &txn);
	if (err)
		return err;
	err = hd_txn_get(txn, table, hd_slice_of(key), &v);
	if (!err)
		err = hd_str_copy(value, size, v);
	hd_store_end_read(txn);
	return err;
}

int test_put(struct hd_store *store, unsigned table, const char *key, const char *value)
{
	struct test_op op;

	test_op_put(&op, table, key, value);
	return hd_store_execute(store, test_op_run, &op);
}

int test_del(struct hd_store *store, unsigned table, const char *key)
{
	struct test_op op;

	test_op_put(&op, table, key, "");
	op.write = false;
	op.remove = true;
	return hd_store_execute(store, test_op_run, &op);
}

bool test_wait_value(struct hd_store *store, unsigned table, const char *key, const char *value)
{
	int64_t until = test_now_ms() + TEST_DEADLINE_MS;
	char now[64] = "";

	while (test_now_ms() < until) {
		(void)test_get(store, table, key, now, sizeof(now));
		if (strcmp(now, value) == 0)
			return true;
		(void)poll(NULL, 0, 1);
	}
	print_error("%s: expected %s, got %s\n", key, value, now);
	return false;
}
