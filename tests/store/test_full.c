/*
 * test_full.c - a disk that is really full: a small tmpfs in a mount namespace of this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hotdesk/base/record.h"
#include "store_test.h"

enum { DISK_BYTES = 2 << 20, BALLAST_BYTES = 512 << 10, SKIPPED = 77 };

struct fixture {
	char dir[TEST_DIR_BYTES]; /* where the tmpfs is */
	char store_dir[TEST_DIR_BYTES + 16];
	char ballast[TEST_DIR_BYTES + 16];
	struct hd_store *store;
	struct hd_mailbox *mailbox;
	unsigned table, replies;
};

static bool private_mounts(void)
{
	if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void make_ballast(const struct fixture *f)
{
	int fd = open(f->ballast, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, BALLAST_BYTES), 0);
	assert_int_equal(close(fd), 0);
}

static void open_store(struct fixture *f)
{
	struct hd_store_options options = { .path = f->store_dir, .soft_delay_ms = 20 };

	assert_int_equal(hd_store_open_lmdb(&f->store, &options), 0);
	assert_int_equal(hd_store_table(f->store, "records", &f->table), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char size[32];

	if (!f || hd_mailbox_new(&f->mailbox) != 0)
		return -1;
	test_dir_make(f->dir);
	snprintf(size, sizeof(size), "size=%d,mode=700", DISK_BYTES);
	if (mount("none", f->dir, "tmpfs", 0, size) != 0)
		return -1;
	snprintf(f->store_dir, sizeof(f->store_dir), "%s/store", f->dir);
	snprintf(f->ballast, sizeof(f->ballast), "%s/ballast", f->dir);
	make_ballast(f);
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hd_store_close(f->store);
	hd_mailbox_free(f->mailbox);
	if (umount2(f->dir, MNT_DETACH) != 0)
		return -1;
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static int run_put_big(struct hd_txn *txn, void *arg)
{
	static char big[HD_RECORD_MAX];
	struct test_op *op = arg;

	return hd_txn_put(txn, op->table, hd_slice_of(op->key),
			  (struct hd_slice){ big, sizeof(big) });
}

/* @return how many records fitted */
static unsigned fill(struct fixture *f)
{
	struct test_op op;
	unsigned n = 0;
	int err = 0;

	for (n = 0; n < 1000 && !err; n++) {
		test_op_put(&op, f->table, "", "");
		snprintf(op.key, sizeof(op.key), "big %03u", n);
		err = hd_store_execute(f->store, run_put_big, &op);
	}
	assert_int_equal(err, HD_EFULL);
	return n - 1;
}

static void expect_records(struct fixture *f, unsigned n)
{
	struct hd_slice value;
	struct hd_txn *txn;
	char key[16];
	uint64_t count;

	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	assert_int_equal(hd_txn_count(txn, f->table, &count), 0);
	assert_int_equal(count, n);
	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "big %03u", i);
		assert_int_equal(hd_txn_get(txn, f->table, hd_slice_of(key), &value), 0);
		assert_int_equal(value.len, HD_RECORD_MAX);
	}
	hd_store_end_read(txn);
}

static void test_writes_refused_reads_go_on(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats stats;
	unsigned n;

	assert_int_equal(hd_store_start(f->store), 0);
	n = fill(f);
	assert_true(n > 20);
	hd_store_get_stats(f->store, &stats);
	assert_true(stats.full);
	expect_records(f, n);
	hd_store_close(f->store);
	open_store(f); /* also with the disk full */
	expect_records(f, n);
	assert_int_equal(unlink(f->ballast), 0);
	assert_int_equal(test_put(f->store, f->table, "x", "1"), 0);
	hd_store_get_stats(f->store, &stats);
	assert_false(stats.full);
}

/* Batches of many, of which some fit: what is acknowledged is there, what is refused is not. */
static void test_batches_on_full_disk(void **state)
{
	enum { MANY = 300 };
	struct fixture *f = *state;
	static struct test_op ops[MANY];
	unsigned written = 0;
	struct hd_txn *txn;
	struct hd_slice got;

	for (unsigned i = 0; i < MANY; i++) {
		test_op_put(&ops[i], f->table, "", "");
		snprintf(ops[i].key, sizeof(ops[i].key), "batch %03u", i);
		ops[i].command.run = run_put_big;
		test_op_reply(&ops[i], f->mailbox, &f->replies);
		assert_int_equal(hd_store_submit(f->store, &ops[i].command), 0);
	}
	assert_int_equal(hd_store_start(f->store), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, MANY));
	hd_store_close(f->store);
	open_store(f);
	assert_int_equal(hd_store_begin_read(f->store, &txn), 0);
	for (unsigned i = 0; i < MANY; i++) {
		int err = ops[i].command.err;

		assert_true(err == 0 || err == HD_EFULL);
		written += err == 0;
		assert_int_equal(hd_txn_get(txn, f->table, hd_slice_of(ops[i].key), &got),
				 err ? HD_ENOENT : 0);
	}
	hd_store_end_read(txn);
	assert_true(written > 20 && written < MANY);
}

/* Nobody asks: the pending soft command alone finds out that there is space again. */
static void test_soft_recovers_by_itself(void **state)
{
	struct fixture *f = *state;
	struct hd_store_stats stats;
	struct test_op soft;

	assert_int_equal(hd_store_start(f->store), 0);
	(void)fill(f);
	test_op_put(&soft, f->table, "big soft", "");
	soft.command.run = run_put_big;
	test_op_reply(&soft, f->mailbox, &f->replies);
	assert_int_equal(hd_store_submit_soft(f->store, &soft.command), 0);
	assert_int_equal(test_put(f->store, f->table, "behind", "1"), HD_EFULL);
	assert_int_equal(hd_mailbox_drain(f->mailbox), 0);
	assert_int_equal(unlink(f->ballast), 0);
	assert_true(test_drain_until(f->mailbox, &f->replies, 1));
	assert_int_equal(soft.command.err, 0);
	hd_store_get_stats(f->store, &stats);
	assert_false(stats.full);
	assert_int_equal(test_put(f->store, f->table, "behind", "1"), 0);
}

static void test_backup_on_full_disk(void **state)
{
	struct fixture *f = *state;
	char path[TEST_DIR_BYTES + 32];
	struct stat st;

	(void)fill(f);
	snprintf(path, sizeof(path), "%s/backup.mdb", f->dir);
	assert_int_equal(hd_store_backup(f->store, path), HD_EFULL);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(unlink(f->ballast), 0);
	assert_int_equal(test_put(f->store, f->table, "x", "1"), 0);
}

/* A store cannot be made on a full disk; it can as soon as there is space. */
static void test_create_on_full_disk(void **state)
{
	struct fixture *f = *state;
	struct hd_store_options options = { 0 };
	char path[TEST_DIR_BYTES + 32];
	struct hd_store *store;

	(void)fill(f);
	snprintf(path, sizeof(path), "%s/second", f->dir);
	options.path = path;
	assert_int_equal(hd_store_open_lmdb(&store, &options), HD_EFULL);
	assert_int_equal(unlink(f->ballast), 0);
	assert_int_equal(hd_store_open_lmdb(&store, &options), 0);
	hd_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_writes_refused_reads_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batches_on_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_soft_recovers_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backup_on_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_on_full_disk, setup, teardown),
	};

	if (!private_mounts()) {
		printf("skipped: no private mount namespace: %s\n", strerror(errno));
		return SKIPPED;
	}
	return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
