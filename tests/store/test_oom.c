/* test_oom.c - the life of a store with each allocation failing in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotdesk/base/log.h"
#include "store_test.h"
#include "support/oom.h"

typedef int open_fn(struct hd_store **sp, const struct hd_store_options *options);

struct life {
	open_fn *open;
	char dir[TEST_DIR_BYTES];
};

static void no_log(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
}

static int use(struct hd_store *store, unsigned table)
{
	char value[8];
	int err;

	err = test_put(store, table, "a", "1");
	if (!err)
		err = hd_store_start(store);
	if (!err)
		err = test_put(store, table, "b", "2");
	if (!err)
		err = test_put(store, table, "a", "3");
	if (!err)
		err = test_del(store, table, "b");
	return err ? err : test_get(store, table, "a", value, sizeof(value));
}

static int live(void *arg)
{
	struct life *life = arg;
	struct hd_store_options options = { .path = life->dir };
	struct hd_store *store = NULL;
	unsigned table = 0;
	int err;

	err = life->open(&store, &options);
	if (!err)
		err = hd_store_table(store, "records", &table);
	if (!err)
		err = use(store, table);
	hd_store_close(store);
	return err;
}

static void test_mem(void **state)
{
	struct life life = { .open = hd_store_open_mem };

	(void)state;
	oom_loop(live, &life);
}

static void test_lmdb(void **state)
{
	struct life life = { .open = hd_store_open_lmdb };

	(void)state;
	test_dir_make(life.dir);
	oom_loop(live, &life);
	test_dir_remove(life.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_lmdb),
	};

	hd_log_set_sink(no_log, NULL);
	return cmocka_run_group_tests_name("oom", tests, NULL, NULL);
}
