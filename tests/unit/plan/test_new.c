/* test_new.c - opening directory, location and desk without memory or without room for a table. */
#include <stdio.h>

#include "support/oom.h"
#include "unit/directory/fixture.h"

#include "hotdesk/plan.h"

static int life(void *arg)
{
	struct hd_store *store = arg;
	struct hd_directory *dir = NULL;
	struct hd_location *loc = NULL;
	struct hd_desk *desk = NULL;
	int err;

	err = hd_directory_new(&dir, store);
	if (!err)
		err = hd_location_new(&loc, store);
	if (!err)
		err = hd_desk_new(&desk, store, dir);
	hd_desk_free(desk);
	hd_location_free(loc);
	hd_directory_free(dir);
	return err;
}

static void test_no_memory(void **state)
{
	struct hd_store *store = fixture_store();

	(void)state;
	assert_ok(life(store)); /* the tables are there from now on */
	oom_loop(life, store);
	hd_store_close(store);
}

/* A store with room for `room` tables more. */
static struct hd_store *store_with_room(int room)
{
	struct hd_store *store = fixture_store();
	char name[32];
	unsigned table;

	for (int i = room; i < HD_STORE_TABLES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "other-%d", i);
		assert_ok(hd_store_table(store, name, &table));
	}
	return store;
}

static void test_no_room(void **state)
{
	enum { TABLES = 4 + 2 + 6 };

	(void)state;
	for (int room = 0; room <= TABLES; room++) {
		struct hd_store *store = store_with_room(room);
		int err = life(store);

		if (err != (room < TABLES ? HD_ELIMIT : 0))
			fail_msg("room for %d tables: %d", room, err);
		hd_store_close(store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
