/* test_phone.c - phone records and their indexes. */
#include <stdlib.h>

#include "fixture.h"

#include "directory/directory_priv.h"

struct test {
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_user user;
	struct hd_phone phone;
	const char *name;
};

static int put_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_put(t->dir, txn, &t->user);
}

static int remove_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_remove(t->dir, txn, t->name);
}

static int put_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_put(t->dir, txn, &t->phone);
}

static int get_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_get(t->dir, txn, t->name, &t->phone);
}

static int get_by_mac(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_get_by_mac(t->dir, txn, t->name, &t->phone);
}

static int next_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_next(t->dir, txn, t->name, &t->phone);
}

static int remove_phone(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_phone_remove(t->dir, txn, t->name);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_ok(hd_secret_init());
	t->store = fixture_store();
	assert_ok(hd_directory_new(&t->dir, t->store));
	fixture_set(t->user.number, sizeof(t->user.number), "201");
	assert_ok(hd_store_execute(t->store, put_user, t));
	fixture_set(t->user.number, sizeof(t->user.number), "202");
	assert_ok(hd_store_execute(t->store, put_user, t));
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

static int add(struct test *t, const char *id, const char *mac, const char *owner)
{
	memset(&t->phone, 0, sizeof(t->phone));
	fixture_set(t->phone.id, sizeof(t->phone.id), id);
	fixture_set(t->phone.mac, sizeof(t->phone.mac), mac);
	fixture_set(t->phone.owner, sizeof(t->phone.owner), owner);
	return hd_store_execute(t->store, put_phone, t);
}

static int find(struct test *t, const char *id)
{
	t->name = id;
	return fixture_read(t->store, get_phone, t);
}

static int find_mac(struct test *t, const char *mac)
{
	t->name = mac;
	return fixture_read(t->store, get_by_mac, t);
}

static int drop(struct test *t, const char *id)
{
	t->name = id;
	return hd_store_execute(t->store, remove_phone, t);
}

static int drop_user(struct test *t, const char *number)
{
	t->name = number;
	return hd_store_execute(t->store, remove_user, t);
}

static void test_round_trip(void **state)
{
	struct test *t = *state;
	struct hd_phone want = {
		.id = "desk-101",
		.label = "Desk 101",
		.mac = "000413aabb01",
		.model = "snom-d785",
		.owner = "201",
		.disabled = true,
		.changed_at_ms = 1790000000123,
	};

	hd_phone_set_secret(&want, "example.com", hd_slice_of("s3cret-101"));
	t->phone = want;
	assert_ok(hd_store_execute(t->store, put_phone, t));
	memset(&t->phone, 0xaa, sizeof(t->phone));
	assert_ok(find(t, "desk-101"));
	assert_memory_equal(&t->phone, &want, sizeof(want));
	memset(&t->phone, 0xaa, sizeof(t->phone));
	assert_ok(find_mac(t, "000413aabb01"));
	assert_memory_equal(&t->phone, &want, sizeof(want));
}

/* RFC 7616 3.9.1: user Mufasa of http-auth@example.org with "Circle of Life". */
static void test_secret(void **state)
{
	struct hd_phone phone = { .id = "Mufasa" };
	char realm[HD_REALM_SIZE + 1];

	(void)state;
	hd_phone_set_secret(&phone, "http-auth@example.org", hd_slice_of("Circle of Life"));
	assert_string_equal(phone.realm, "http-auth@example.org");
	assert_string_equal(phone.ha1_md5, "3d78807defe7de2157e2b0b6573a855f");
	assert_string_equal(phone.ha1_sha256, "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00"
					      "262392d7b4794232");

	memset(realm, 'r', HD_REALM_SIZE);
	realm[HD_REALM_SIZE] = '\0';
	hd_phone_set_secret(&phone, realm, hd_slice_of("x"));
	assert_string_equal(phone.ha1_md5, "");
	assert_string_equal(phone.ha1_sha256, "");
	hd_phone_set_secret(NULL, "r", hd_slice_of("x"));
}

static void test_names_are_unique(void **state)
{
	struct test *t = *state;

	assert_int_equal(add(t, "201", "", ""), HD_EEXIST);
	assert_int_equal(add(t, "d1", "", "203"), HD_ENOENT);
	assert_int_equal(add(t, "d1", "", "2 3"), HD_ENOENT);
	assert_int_equal(find(t, "d1"), HD_ENOENT);
	assert_ok(add(t, "d1", "000413aabb01", "201"));
	assert_ok(add(t, "d1", "000413aabb01", "201"));
	assert_int_equal(add(t, "d2", "000413aabb01", ""), HD_EEXIST);
	assert_int_equal(find(t, "d2"), HD_ENOENT);
}

static void test_refused(void **state)
{
	struct test *t = *state;

	assert_int_equal(add(t, "", "", ""), HD_EINVAL);
	assert_int_equal(add(t, "a b", "", ""), HD_EINVAL);
	assert_int_equal(add(t, "d1", "000413AABB01", ""), HD_EINVAL);
	assert_int_equal(add(t, "d1", "00041", ""), HD_EINVAL);
	fixture_set(t->phone.mac, sizeof(t->phone.mac), "");
	fixture_set(t->phone.label, sizeof(t->phone.label), "\x80");
	assert_int_equal(hd_store_execute(t->store, put_phone, t), HD_EINVAL);
}

static void test_indexes_follow(void **state)
{
	struct test *t = *state;

	assert_ok(add(t, "d1", "000413aabb01", "201"));
	assert_ok(add(t, "d1", "000413aabb02", "202"));
	assert_int_equal(find_mac(t, "000413aabb01"), HD_ENOENT);
	assert_ok(find_mac(t, "000413aabb02"));
	assert_ok(drop_user(t, "201"));
	assert_int_equal(drop_user(t, "202"), HD_ESTATE);

	assert_ok(add(t, "d1", "", ""));
	assert_int_equal(find_mac(t, "000413aabb02"), HD_ENOENT);
	assert_ok(add(t, "d2", "000413aabb02", "202"));
	assert_ok(drop(t, "d2"));
	assert_int_equal(find_mac(t, "000413aabb02"), HD_ENOENT);
	assert_ok(drop_user(t, "202"));

	assert_int_equal(find_mac(t, ""), HD_ENOENT);
	assert_int_equal(find_mac(t, "00:04:13:aa:bb:02"), HD_ENOENT);
	assert_int_equal(drop(t, "d2"), HD_ENOENT);
	assert_int_equal(drop(t, NULL), HD_ENOENT);
}

static void test_walk(void **state)
{
	struct test *t = *state;

	assert_ok(add(t, "b", "", ""));
	assert_ok(add(t, "a", "", ""));
	t->name = NULL;
	assert_ok(fixture_read(t->store, next_phone, t));
	assert_string_equal(t->phone.id, "a");
	t->name = "a";
	assert_ok(fixture_read(t->store, next_phone, t));
	assert_string_equal(t->phone.id, "b");
	t->name = "b";
	assert_int_equal(fixture_read(t->store, next_phone, t), HD_ENOENT);
}

/* A damaged record can be walked over, written over and removed; its indexes are checked. */
static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .key = hd_slice_of("d1"), .value = { "\x01\x00\xff\xff", 4 } };
	char id[HD_PHONE_ID_SIZE + 2];

	assert_ok(add(t, "d1", "000413aabb01", "201"));
	assert_ok(hd_store_table(t->store, "phone", &raw.table));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(find(t, "d1"), HD_ECORRUPT);
	assert_int_equal(find_mac(t, "000413aabb01"), HD_ECORRUPT);
	t->name = NULL;
	assert_int_equal(fixture_read(t->store, next_phone, t), HD_ECORRUPT);
	assert_string_equal(t->phone.id, "d1");

	assert_ok(add(t, "d1", "000413aabb02", "202"));
	assert_int_equal(find_mac(t, "000413aabb01"), HD_ENOENT);
	assert_ok(find_mac(t, "000413aabb02"));
	assert_ok(drop_user(t, "201"));

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_ok(drop(t, "d1"));
	assert_int_equal(find(t, "d1"), HD_ENOENT);
	assert_ok(drop_user(t, "202"));

	memset(id, 'x', sizeof(id));
	raw.key = (struct hd_slice){ id, sizeof(id) };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->name = NULL;
	assert_int_equal(fixture_read(t->store, next_phone, t), HD_ECORRUPT);
	assert_string_equal(t->phone.id, "");
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_phone_get(NULL, NULL, "1", &t->phone), HD_EINVAL);
	assert_int_equal(hd_phone_get_by_mac(t->dir, NULL, "1", &t->phone), HD_EINVAL);
	assert_int_equal(hd_phone_put(t->dir, NULL, &t->phone), HD_EINVAL);
	assert_int_equal(hd_phone_remove(t->dir, NULL, "1"), HD_EINVAL);
	assert_int_equal(hd_phone_next(t->dir, NULL, "", &t->phone), HD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test(test_secret),
		cmocka_unit_test_setup_teardown(test_names_are_unique, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indexes_follow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
