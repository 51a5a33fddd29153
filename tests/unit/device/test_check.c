/* test_check.c - what hotdeskctl check finds in the tables of devices. */
#include "fixture.h"

static const struct hd_phone_key key = { .place = 1, .type = HD_PHONE_KEY_LINE };

static struct hd_device_audit check(struct fixture *f)
{
	struct hd_device_audit audit;
	struct hd_txn *txn = fixture_read(f);

	assert_ok(hd_device_check(f->device, txn, f->dir, &audit));
	hd_store_end_read(txn);
	return audit;
}

static void add_phone(struct fixture *f, const char *secret)
{
	struct hd_phone phone = { .id = "desk-101", .model = "snom-d785" };

	hd_phone_set_secret(&phone, "example.com", hd_slice_of(secret));
	assert_ok(WRITE(f, 'P', .phone = &phone));
}

static void expect(struct fixture *f, uint64_t violations, const char *first)
{
	struct hd_device_audit audit = check(f);

	if (audit.violations != violations || strcmp(audit.first, first) != 0)
		fail_msg("expected %u, \"%s\", got %u, \"%s\"", (unsigned)violations, first,
			 (unsigned)audit.violations, audit.first);
}

static int run_repair(struct hd_txn *txn, void *arg)
{
	struct fixture *f = arg;

	return hd_device_repair(f->device, txn, f->dir, &f->removed);
}

static uint32_t repair(struct fixture *f)
{
	assert_ok(hd_store_execute(f->store, run_repair, f));
	return f->removed;
}

static void test_good(void **state)
{
	struct fixture *f = *state;
	const struct hd_user user = { .number = "201" };
	const struct hd_device_seen seen = { .model = "snom-d785" };
	struct hd_device_audit audit;

	expect(f, 0, "");
	assert_ok(WRITE(f, 'U', .user = &user));
	add_phone(f, "s3cret-101");
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = &key, .n = 1));
	assert_ok(WRITE(f, 'k', .kind = 'p', .name = "desk-101", .keys = &key, .n = 1));
	assert_ok(WRITE(f, 'v', .name = "desk-101", .seen = &seen));
	expect(f, 0, "");
	audit = check(f);
	assert_int_equal(audit.keys, 2);
	assert_int_equal(audit.secrets, 1);
	assert_int_equal(repair(f), 0);
	expect(f, 0, "");
}

static void test_orphans(void **state)
{
	struct fixture *f = *state;
	const struct hd_device_seen seen = { .model = "snom-d785" };

	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = &key, .n = 1));
	expect(f, 1, "201: has keys and is no user");
	assert_ok(WRITE(f, 'k', .kind = 'p', .name = "desk-101", .keys = &key, .n = 1));
	expect(f, 2, "desk-101: has keys and is no phone");
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	assert_ok(WRITE(f, 'v', .name = "desk-101", .seen = &seen));
	expect(f, 4, "desk-101: has keys and is no phone");
	assert_int_equal(repair(f), 4);
	expect(f, 0, "");
}

static void test_secrets(void **state)
{
	struct fixture *f = *state;
	char secret[HD_SIP_SECRET_SIZE], token[HD_TOKEN_SIZE], id[HD_PHONE_ID_SIZE];

	add_phone(f, "s3cret-101");
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "another"));
	expect(f, 1, "desk-101: would be given another secret than it is asked for");
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	expect(f, 0, "");
	hd_device_free(f->device);
	memset(&f->master, 8, sizeof(f->master));
	assert_ok(hd_device_new(&f->device, f->store, &f->master));
	expect(f, 1, "desk-101: its secret is damaged or sealed with another master key");
	assert_int_equal(repair(f), 1);
	expect(f, 0, "");
	assert_int_equal(fixture_secret(f, "desk-101", secret), HD_ENOENT);
	/* It can be reached all the same. */
	assert_ok(fixture_token(f, "desk-101", token));
	assert_ok(fixture_by_token(f, token, id));
	assert_string_equal(id, "desk-101");
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	const struct hd_user user = { .number = "201" };

	assert_ok(WRITE(f, 'U', .user = &user));
	add_phone(f, "s3cret-101");
	assert_ok(WRITE(f, 'X', .table = f->device->keys, .key = hd_slice_of("u201"),
			.value = hd_slice_of("\x01\x05")));
	assert_ok(WRITE(f, 'X', .table = f->device->seen, .key = hd_slice_of("desk-101"),
			.value = hd_slice_of("\x09")));
	expect(f, 2, "201: record is damaged");
	assert_ok(WRITE(f, 'X', .table = f->device->keys, .key = hd_slice_of("x"),
			.value = hd_slice_of("x")));
	expect(f, 3, "201: record is damaged");
	assert_int_equal(repair(f), 3);
	expect(f, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_orphans, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_secrets, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
