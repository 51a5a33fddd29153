/*
 * contract.h - the contract suite between its files: what each case works on, and the lists of
 * cases.
 */
#ifndef HOTDESK_TESTS_STORE_CONTRACT_H
#define HOTDESK_TESTS_STORE_CONTRACT_H

#include "store_test.h"

struct backend {
	const char *name;
	int (*open)(struct hd_store **sp, const struct hd_store_options *options);
	bool durable;
};

/** What each test works on; the back end is that of the running group. */
struct fixture {
	const struct backend *backend;
	struct hd_store_options options;
	struct hd_store *store;
	struct hd_mailbox *mailbox;
	unsigned table, other;
	unsigned replies;
	char dir[TEST_DIR_BYTES];
};

struct contract_case {
	const char *name;
	void (*run)(void **state);
};

/** Ended by an empty one. */
extern const struct contract_case contract_records[];
extern const struct contract_case contract_commands[];
extern const struct contract_case contract_space[];

void fixture_open(struct fixture *f);
/** Replaces the empty store by one with other options. */
void fixture_options(struct fixture *f, struct hd_store_options options);
/** Closes and opens again. */
void fixture_reopen(struct fixture *f);
void submit(struct fixture *f, struct test_op *op);
void submit_soft(struct fixture *f, struct test_op *op);
/** Fails the test when key does not hold value ("" for nothing). */
void holds(struct fixture *f, const char *key, const char *value);

/** Commands: the longest key and value; a thousand small records. arg is the fixture. */
int run_limits(struct hd_txn *txn, void *arg);
int run_fill(struct hd_txn *txn, void *arg);
/** Reads and writes nothing. */
int run_nothing(struct hd_txn *txn, void *arg);

#endif
