/*
 * store_test.h - what the tests of the store share: a folder that goes away, commands for common
 * cases, waiting for replies with a deadline.
 */
#ifndef HOTDESK_TESTS_STORE_TEST_H
#define HOTDESK_TESTS_STORE_TEST_H

#include "hotdesk/store.h"

enum { TEST_DEADLINE_MS = 20000, TEST_DIR_BYTES = 128 };

/** A new folder below $TMPDIR or /tmp. Fails the test when there is none. */
void test_dir_make(char dir[TEST_DIR_BYTES]);
/** Removes the files of a store and the folder. */
void test_dir_remove(const char *dir);

int64_t test_now_ms(void);

/** Drains until *counter has reached n. @return false after TEST_DEADLINE_MS */
bool test_drain_until(struct hd_mailbox *m, const unsigned *counter, unsigned n);

/** One command of the tests: writes or reads a record, perhaps fails; counts its reply. */
struct test_op {
	struct hd_command command;
	unsigned table;
	char key[32];
	char value[64];
	bool write;	   /* put key, value */
	bool remove;	   /* del key */
	int fail_before;   /* returned before writing */
	int fail_after;	   /* returned after writing */
	unsigned runs;	   /* how often it ran */
	unsigned *counter; /* of replies */
	char seen[64];	   /* what key held before the write */
	uint64_t epoch;
};

int test_op_run(struct hd_txn *txn, void *arg);
/** Fills in a put of key = value with its reply. */
void test_op_put(struct test_op *op, unsigned table, const char *key, const char *value);
void test_op_reply(struct test_op *op, struct hd_mailbox *m, unsigned *counter);

/** In a snapshot of its own. @return 0 or the store's error; value "" when it is not there */
int test_get(struct hd_store *store, unsigned table, const char *key, char *value, size_t size);
/** Executes a put. */
int test_put(struct hd_store *store, unsigned table, const char *key, const char *value);
int test_del(struct hd_store *store, unsigned table, const char *key);
/** Waits until key holds value. @return false after TEST_DEADLINE_MS */
bool test_wait_value(struct hd_store *store, unsigned table, const char *key, const char *value);

#endif
