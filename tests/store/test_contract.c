/* test_contract.c - the contract of store.h, one suite run against every back end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"

enum { CASES_MAX = 64 };

static const struct backend backends[] = {
	{ "lmdb", hd_store_open_lmdb, true },
	{ "mem", hd_store_open_mem, false },
};

void fixture_open(struct fixture *f)
{
	f->options.path = f->dir;
	assert_int_equal(f->backend->open(&f->store, &f->options), 0);
	assert_int_equal(hd_store_table(f->store, "records", &f->table), 0);
	assert_int_equal(hd_store_table(f->store, "other", &f->other), 0);
}

void fixture_reopen(struct fixture *f)
{
	hd_store_close(f->store);
	f->store = NULL;
	fixture_open(f);
}

void fixture_options(struct fixture *f, struct hd_store_options options)
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

void submit(struct fixture *f, struct test_op *op)
{
	test_op_reply(op, f->mailbox, &f->replies);
	assert_int_equal(hd_store_submit(f->store, &op->command), 0);
}

void submit_soft(struct fixture *f, struct test_op *op)
{
	test_op_reply(op, f->mailbox, &f->replies);
	assert_int_equal(hd_store_submit_soft(f->store, &op->command), 0);
}

void holds(struct fixture *f, const char *key, const char *value)
{
	char now[64];

	(void)test_get(f->store, f->table, key, now, sizeof(now));
	assert_string_equal(now, value);
}

static size_t add(struct CMUnitTest *tests, size_t n, const struct contract_case *cases,
		  const struct backend *backend)
{
	for (; cases->name; cases++) {
		assert_true(n < CASES_MAX);
		tests[n++] = (struct CMUnitTest){ cases->name, cases->run, setup, teardown,
						  (void *)(uintptr_t)backend };
	}
	return n;
}

static int run_group(const struct backend *backend)
{
	struct CMUnitTest tests[CASES_MAX];
	size_t n;

	n = add(tests, 0, contract_records, backend);
	n = add(tests, n, contract_commands, backend);
	n = add(tests, n, contract_space, backend);
	return _cmocka_run_group_tests(backend->name, tests, n, NULL, NULL);
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		failed += run_group(&backends[i]);
	return failed;
}
