/* test_apply.c - a directory file applied in one command. */
#include <stdlib.h>

#include "fixture.h"

struct test {
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_directory_batch batch;
	struct hd_user users[4];
	struct hd_phone phones[4];
	const char *name;
	struct hd_user user;
	struct hd_phone phone;
};

static int setup(void **state)
{
	static const char *const numbers[] = { "201", "202", "203", "204" };
	static const char *const ids[] = { "desk-1", "desk-2", "desk-3", "desk-4" };
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_ok(hd_secret_init());
	t->store = fixture_store();
	assert_ok(hd_directory_new(&t->dir, t->store));
	for (size_t i = 0; i < 4; i++) {
		fixture_set(t->users[i].number, sizeof(t->users[i].number), numbers[i]);
		fixture_set(t->users[i].pin_hash, sizeof(t->users[i].pin_hash), "hash");
		fixture_set(t->phones[i].id, sizeof(t->phones[i].id), ids[i]);
		hd_phone_set_secret(&t->phones[i], "realm", hd_slice_of("secret"));
	}
	t->batch = (struct hd_directory_batch){
		.users = t->users, .n_users = 4, .phones = t->phones, .n_phones = 4, .now_ms = 1000
	};
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

static int body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_directory_apply(t->dir, txn, &t->batch);
}

static int apply(struct test *t)
{
	return hd_store_execute(t->store, body, t);
}

static int get_user(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_user_get(t->dir, txn, t->name, &t->user);
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

static int find(struct test *t, in_txn_fn *fn, const char *name)
{
	t->name = name;
	return fixture_read(t->store, fn, t);
}

static void expect(const struct test *t, size_t added, size_t changed, size_t unchanged)
{
	assert_int_equal(t->batch.added, added);
	assert_int_equal(t->batch.changed, changed);
	assert_int_equal(t->batch.unchanged, unchanged);
}

static void test_idempotent(void **state)
{
	struct test *t = *state;

	assert_ok(apply(t));
	expect(t, 8, 0, 0);
	t->batch.now_ms = 2000;
	assert_ok(apply(t));
	expect(t, 0, 0, 8);
	assert_ok(find(t, get_user, "201"));
	assert_int_equal(t->user.changed_at_ms, 1000);

	t->users[0].roaming = true;
	fixture_set(t->phones[3].label, sizeof(t->phones[3].label), "New");
	assert_ok(apply(t));
	expect(t, 0, 2, 6);
	assert_ok(find(t, get_user, "201"));
	assert_true(t->user.roaming);
	assert_int_equal(t->user.changed_at_ms, 2000);
}

static void test_secrets_are_kept(void **state)
{
	struct test *t = *state;

	assert_ok(apply(t));
	fixture_set(t->users[0].pin_hash, sizeof(t->users[0].pin_hash), "");
	memset(t->phones[0].realm, 0, sizeof(t->phones[0].realm));
	memset(t->phones[0].ha1_md5, 0, sizeof(t->phones[0].ha1_md5));
	memset(t->phones[0].ha1_sha256, 0, sizeof(t->phones[0].ha1_sha256));
	assert_ok(apply(t));
	expect(t, 0, 0, 8);

	fixture_set(t->users[0].name, sizeof(t->users[0].name), "Anna");
	t->phones[0].disabled = true;
	assert_ok(apply(t));
	expect(t, 0, 2, 6);
	assert_ok(find(t, get_user, "201"));
	assert_string_equal(t->user.pin_hash, "hash");
	assert_ok(find(t, get_phone, "desk-1"));
	assert_string_equal(t->phone.realm, "realm");
	assert_int_equal(strlen(t->phone.ha1_md5), 32);
	assert_int_equal(strlen(t->phone.ha1_sha256), 64);
}

static void test_all_or_nothing(void **state)
{
	struct test *t = *state;

	fixture_set(t->phones[2].owner, sizeof(t->phones[2].owner), "999");
	assert_int_equal(apply(t), HD_ENOENT);
	assert_int_equal(t->batch.bad, 6);
	assert_int_equal(find(t, get_user, "201"), HD_ENOENT);
	assert_int_equal(find(t, get_phone, "desk-1"), HD_ENOENT);

	fixture_set(t->phones[2].owner, sizeof(t->phones[2].owner), "204");
	fixture_set(t->users[1].name, sizeof(t->users[1].name), "\xff");
	assert_int_equal(apply(t), HD_EINVAL);
	assert_int_equal(t->batch.bad, 1);
	fixture_set(t->users[1].name, sizeof(t->users[1].name), "");
	assert_ok(apply(t));

	fixture_set(t->users[3].number, sizeof(t->users[3].number), "desk-1");
	assert_int_equal(apply(t), HD_EEXIST);
	assert_int_equal(t->batch.bad, 3);
}

static void test_macs_swap(void **state)
{
	struct test *t = *state;

	fixture_set(t->phones[0].mac, sizeof(t->phones[0].mac), "000000000001");
	fixture_set(t->phones[1].mac, sizeof(t->phones[1].mac), "000000000002");
	assert_ok(apply(t));
	fixture_set(t->phones[0].mac, sizeof(t->phones[0].mac), "000000000002");
	fixture_set(t->phones[1].mac, sizeof(t->phones[1].mac), "000000000001");
	assert_ok(apply(t));
	expect(t, 0, 2, 6);
	assert_ok(find(t, get_by_mac, "000000000001"));
	assert_string_equal(t->phone.id, "desk-2");
	assert_ok(find(t, get_by_mac, "000000000002"));
	assert_string_equal(t->phone.id, "desk-1");

	/* But nobody takes the one of a phone that keeps it. */
	fixture_set(t->phones[2].mac, sizeof(t->phones[2].mac), "000000000001");
	assert_int_equal(apply(t), HD_EEXIST);
	assert_int_equal(t->batch.bad, 6);
}

static void test_damage_is_mended(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .key = hd_slice_of("desk-1"), .value = { "\x01\x00\x09", 3 } };

	assert_ok(apply(t));
	assert_ok(hd_store_table(t->store, "phone", &raw.table));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	raw.key = hd_slice_of("202");
	assert_ok(hd_store_table(t->store, "user", &raw.table));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_ok(apply(t));
	expect(t, 0, 2, 6);
	assert_ok(find(t, get_phone, "desk-1"));
	assert_ok(find(t, get_user, "202"));
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_directory_apply(t->dir, NULL, &t->batch), HD_EINVAL);
	t->batch.users = NULL;
	assert_int_equal(apply(t), HD_EINVAL);
	t->batch.n_users = 0;
	t->batch.phones = NULL;
	assert_int_equal(apply(t), HD_EINVAL);
	t->batch.n_phones = 0;
	assert_ok(apply(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_idempotent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_macs_swap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage_is_mended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
