/* test_user.c - user records. */
#include <stdlib.h>

#include "fixture.h"

#include "directory/directory_priv.h"

struct test {
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_user user;
	struct hd_phone phone;
	const char *name;
	uint64_t users, phones;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_ok(hd_secret_init());
	t->store = fixture_store();
	assert_ok(hd_directory_new(&t->dir, t->store));
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	hd_directory_free(t->dir);
	hd_store_close(t->store);
	free(t);
	return 0;
}

static int put_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_put(t->dir, txn, &t->user);
}

static int put_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_put(t->dir, txn, &t->phone);
}

static int remove_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_remove(t->dir, txn, t->name);
}

static int get_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_get(t->dir, txn, t->name, &t->user);
}

static int next_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_next(t->dir, txn, t->name, &t->user);
}

static int remove_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_remove(t->dir, txn, t->name);
}

static int count(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_directory_count(t->dir, txn, &t->users, &t->phones);
}

static void add_user(struct test *t, const char *number, const char *name)
{
	memset(&t->user, 0, sizeof(t->user));
	fixture_set(t->user.number, sizeof(t->user.number), number);
	fixture_set(t->user.name, sizeof(t->user.name), name);
	assert_ok(hd_store_execute(t->store, put_user, t));
}

static void add_phone(struct test *t, const char *id, const char *owner)
{
	memset(&t->phone, 0, sizeof(t->phone));
	fixture_set(t->phone.id, sizeof(t->phone.id), id);
	fixture_set(t->phone.owner, sizeof(t->phone.owner), owner);
	assert_ok(hd_store_execute(t->store, put_phone, t));
}

static int find(struct test *t, const char *number)
{
	t->name = number;
	return fixture_read(t->store, get_user, t);
}

static int drop(struct test *t, const char *number)
{
	t->name = number;
	return hd_store_execute(t->store, remove_user, t);
}

static void test_round_trip(void **state)
{
	struct test *t = *state;
	struct hd_user want = {
		.number = "201",
		.name = "Anna B\xc3\xa4rg",
		.pin_hash = "$argon2id$v=19$m=19456,t=2,p=1$abc$def",
		.language = "de",
		.roaming = true,
		.disabled = true,
		.changed_at_ms = 1790000000123,
	};

	t->user = want;
	assert_ok(hd_store_execute(t->store, put_user, t));
	memset(&t->user, 0xaa, sizeof(t->user));
	assert_ok(find(t, "201"));
	assert_memory_equal(&t->user, &want, sizeof(want));

	want.roaming = want.disabled = false;
	fixture_set(want.name, sizeof(want.name), "A");
	t->user = want;
	assert_ok(hd_store_execute(t->store, put_user, t));
	assert_ok(find(t, "201"));
	assert_string_equal(t->user.name, "A");
	assert_false(t->user.roaming || t->user.disabled);
}

static int find_name(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	char name[HD_NAME_SIZE];

	hd_directory_name(t->dir, txn, t->name, name);
	return strcmp(name, t->user.name);
}

static void assert_name(struct test *t, const char *number, const char *name)
{
	t->name = number;
	fixture_set(t->user.name, sizeof(t->user.name), name);
	assert_int_equal(fixture_read(t->store, find_name, t), 0);
}

static void test_name_of_a_number(void **state)
{
	struct test *t = *state;

	t->user = (struct hd_user){ .number = "201", .name = "Anna" };
	assert_ok(hd_store_execute(t->store, put_user, t));
	t->user = (struct hd_user){ .number = "202" };
	assert_ok(hd_store_execute(t->store, put_user, t));
	t->phone = (struct hd_phone){ .id = "desk-1", .label = "Desk 1" };
	assert_ok(hd_store_execute(t->store, put_phone, t));
	assert_name(t, "201", "Anna");
	assert_name(t, "desk-1", "Desk 1");
	assert_name(t, "202", "");
	assert_name(t, "203", "");
}

static void test_absent(void **state)
{
	struct test *t = *state;

	assert_int_equal(find(t, "201"), HD_ENOENT);
	assert_int_equal(find(t, ""), HD_ENOENT);
	assert_int_equal(find(t, NULL), HD_ENOENT);
	assert_int_equal(find(t, "2 01"), HD_ENOENT);
	assert_int_equal(find(t, "123456789012345678901234567890123"), HD_ENOENT);
	assert_int_equal(drop(t, "201"), HD_ENOENT);
	assert_int_equal(drop(t, ""), HD_ENOENT);
}

static void test_refused(void **state)
{
	struct test *t = *state;

	memset(&t->user, 0, sizeof(t->user));
	assert_int_equal(hd_store_execute(t->store, put_user, t), HD_EINVAL);
	fixture_set(t->user.number, sizeof(t->user.number), "2 1");
	assert_int_equal(hd_store_execute(t->store, put_user, t), HD_EINVAL);
	fixture_set(t->user.number, sizeof(t->user.number), "201");
	fixture_set(t->user.name, sizeof(t->user.name), "\xff");
	assert_int_equal(hd_store_execute(t->store, put_user, t), HD_EINVAL);
	fixture_set(t->user.name, sizeof(t->user.name), "A\nB");
	assert_int_equal(hd_store_execute(t->store, put_user, t), HD_EINVAL);

	add_phone(t, "101", "");
	memset(&t->user, 0, sizeof(t->user));
	fixture_set(t->user.number, sizeof(t->user.number), "101");
	assert_int_equal(hd_store_execute(t->store, put_user, t), HD_EEXIST);
}

static void test_remove(void **state)
{
	struct test *t = *state;

	add_user(t, "20", "Short");
	add_user(t, "201", "Anna");
	add_phone(t, "home-201", "201");
	/* The index of 201 does not stand for 20. */
	assert_ok(drop(t, "20"));
	assert_int_equal(drop(t, "201"), HD_ESTATE);
	assert_ok(find(t, "201"));
	t->name = "home-201";
	assert_ok(hd_store_execute(t->store, remove_phone, t));
	assert_ok(drop(t, "201"));
	assert_int_equal(find(t, "201"), HD_ENOENT);
}

static void test_walk(void **state)
{
	static const char *const numbers[] = { "201", "2010", "202", "3" };
	struct test *t = *state;
	char last[HD_NUMBER_SIZE] = "";
	size_t n = 0;

	add_user(t, "3", "D");
	add_user(t, "202", "C");
	add_user(t, "201", "A");
	add_user(t, "2010", "B");
	add_phone(t, "desk-1", "");

	t->name = last;
	while (!fixture_read(t->store, next_user, t)) {
		assert_in_range(n, 0, 3);
		assert_string_equal(t->user.number, numbers[n++]);
		fixture_set(last, sizeof(last), t->user.number);
	}
	assert_int_equal(n, 4);

	assert_ok(fixture_read(t->store, count, t));
	assert_int_equal(t->users, 4);
	assert_int_equal(t->phones, 1);
}

static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .key = hd_slice_of("201"), .value = { "\x01\x00\xff\xff", 4 } };

	assert_ok(hd_store_table(t->store, "user", &raw.table));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(find(t, "201"), HD_ECORRUPT);
	/* A walk goes on behind it. */
	add_user(t, "202", "Ben");
	t->name = NULL;
	assert_int_equal(fixture_read(t->store, next_user, t), HD_ECORRUPT);
	assert_string_equal(t->user.number, "201");
	t->name = "201";
	assert_ok(fixture_read(t->store, next_user, t));
	assert_string_equal(t->user.number, "202");
	/* It can be written over. */
	add_user(t, "201", "Anna");
	assert_ok(find(t, "201"));

	raw.value = (struct hd_slice){ "\x02", 1 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(find(t, "201"), HD_EVERSION);

	/* A key that no number can be. */
	raw.key = hd_slice_of("300000000000000000000000000000000000000");
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->name = "202";
	assert_int_equal(fixture_read(t->store, next_user, t), HD_ECORRUPT);
	assert_string_equal(t->user.number, "");
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;
	struct hd_directory *dir = NULL;

	assert_int_equal(hd_directory_new(NULL, t->store), HD_EINVAL);
	assert_int_equal(hd_directory_new(&dir, NULL), HD_EINVAL);
	assert_int_equal(hd_user_get(NULL, NULL, "1", &t->user), HD_EINVAL);
	assert_int_equal(hd_user_put(t->dir, NULL, &t->user), HD_EINVAL);
	assert_int_equal(hd_user_remove(t->dir, NULL, "1"), HD_EINVAL);
	assert_int_equal(hd_user_next(t->dir, NULL, "", &t->user), HD_EINVAL);
	assert_int_equal(hd_directory_count(t->dir, NULL, &t->users, &t->phones), HD_EINVAL);
	hd_directory_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_of_a_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
