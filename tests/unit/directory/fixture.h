/* fixture.h - a memory store and short ways to run something inside its transactions. */
#ifndef UNIT_DIRECTORY_FIXTURE_H
#define UNIT_DIRECTORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/directory.h"
#include "hotdesk/store.h"

#define assert_ok(expr) assert_int_equal((expr), 0)

typedef int in_txn_fn(struct hd_txn *txn, void *arg);

static inline struct hd_store *fixture_store(void)
{
	const struct hd_store_options options = { 0 };
	struct hd_store *store = NULL;

	assert_ok(hd_store_open_mem(&store, &options));
	return store;
}

static inline int fixture_read(struct hd_store *store, in_txn_fn *fn, void *arg)
{
	struct hd_txn *txn = NULL;
	int err;

	assert_ok(hd_store_begin_read(store, &txn));
	err = fn(txn, arg);
	hd_store_end_read(txn);
	return err;
}

/* One raw record, to plant damage or to look behind the interface. */
struct fixture_raw {
	unsigned table;
	struct hd_slice key, value;
};

static inline int fixture_put_raw(struct hd_txn *txn, void *arg)
{
	const struct fixture_raw *raw = arg;

	return hd_txn_put(txn, raw->table, raw->key, raw->value);
}

static inline void fixture_set(char *dst, size_t size, const char *src)
{
	assert_ok(hd_str_set(dst, size, src));
}

#endif
