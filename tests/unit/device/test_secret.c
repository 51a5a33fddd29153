/* test_secret.c - phones' SIP secrets, sealed. */
#include "fixture.h"

enum { ROOM = 512 };

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	char longest[HD_SIP_SECRET_SIZE], got[HD_SIP_SECRET_SIZE];

	assert_int_equal(fixture_secret(f, "desk-101", got), HD_ENOENT);
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	assert_ok(fixture_secret(f, "desk-101", got));
	assert_string_equal(got, "s3cret-101");
	assert_int_equal(fixture_secret(f, "desk-102", got), HD_ENOENT);
	assert_int_equal(fixture_secret(f, "", got), HD_ENOENT);

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = longest));
	assert_ok(fixture_secret(f, "desk-101", got));
	assert_string_equal(got, longest);

	assert_ok(WRITE(f, 's', .name = "desk-101"));
	assert_int_equal(fixture_secret(f, "desk-101", got), HD_ENOENT);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	char text[HD_SIP_SECRET_SIZE + 1];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(WRITE(f, 's', .name = "desk-101", .secret = text), HD_EINVAL);
	assert_int_equal(WRITE(f, 's', .name = "desk-101", .secret = "a\nb"), HD_EINVAL);
	assert_int_equal(WRITE(f, 's', .name = "", .secret = "a"), HD_EINVAL);
	assert_int_equal(WRITE(f, 's', .name = "no id", .secret = "a"), HD_EINVAL);
}

/* Nothing of it stands in the record, and its length neither. */
static void test_at_rest(void **state)
{
	struct fixture *f = *state;
	uint8_t a[ROOM], b[ROOM];
	size_t n, m;

	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101-is-here"));
	assert_ok(WRITE(f, 's', .name = "desk-102", .secret = "x"));
	n = fixture_raw(f, f->device->secrets, "desk-101", a, ROOM);
	m = fixture_raw(f, f->device->secrets, "desk-102", b, ROOM);
	assert_true(n > 0);
	assert_int_equal(n, m);
	assert_null(memmem(a, n, "s3cret", 6));
	assert_null(memmem(a, n, "is-here", 7));

	/* The same secret again writes nothing: an import may be repeated. */
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101-is-here"));
	assert_int_equal(fixture_raw(f, f->device->secrets, "desk-101", b, ROOM), n);
	assert_memory_equal(a, b, n);
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "another"));
	assert_int_equal(fixture_raw(f, f->device->secrets, "desk-101", b, ROOM), n);
	assert_memory_not_equal(a, b, n);
}

/* A record that was moved to another phone, changed, or sealed with another key, opens nothing. */
static void test_foreign(void **state)
{
	struct fixture *f = *state;
	char got[HD_SIP_SECRET_SIZE];
	struct hd_device *other;
	struct hd_key master;
	uint8_t a[ROOM];
	struct hd_txn *txn;
	size_t n;

	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	n = fixture_raw(f, f->device->secrets, "desk-101", a, ROOM);
	assert_ok(WRITE(f, 'X', .table = f->device->secrets, .key = hd_slice_of("desk-102"),
			.value = { (const char *)a, n }));
	assert_int_equal(fixture_secret(f, "desk-102", got), HD_ECORRUPT);
	assert_string_equal(got, "");

	for (size_t i = 0; i < n; i++) {
		/* Version, salt, whether there is one: not sealed. */
		if (i < 1 + 8 + 1)
			continue;
		a[i] ^= 1;
		assert_ok(WRITE(f, 'X', .table = f->device->secrets, .key = hd_slice_of("desk-101"),
				.value = { (const char *)a, n }));
		assert_int_equal(fixture_secret(f, "desk-101", got), HD_ECORRUPT);
		a[i] ^= 1;
	}
	assert_ok(WRITE(f, 'X', .table = f->device->secrets, .key = hd_slice_of("desk-101"),
			.value = { (const char *)a, 10 }));
	assert_int_equal(fixture_secret(f, "desk-101", got), HD_ECORRUPT);
	assert_ok(WRITE(f, 'X', .table = f->device->secrets, .key = hd_slice_of("desk-101"),
			.value = { (const char *)a, n - 1 }));
	assert_int_equal(fixture_secret(f, "desk-101", got), HD_ECORRUPT);
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	assert_ok(fixture_secret(f, "desk-101", got));

	memset(&master, 8, sizeof(master));
	assert_ok(hd_device_new(&other, f->store, &master));
	txn = fixture_read(f);
	assert_int_equal(hd_device_secret_get(other, txn, "desk-101", got), HD_ECORRUPT);
	assert_int_equal(hd_device_has_secret(other, txn, "desk-101"), HD_ECORRUPT);
	assert_ok(hd_device_has_secret(f->device, txn, "desk-101"));
	hd_store_end_read(txn);
	hd_device_free(other);
}

static void test_forget(void **state)
{
	struct fixture *f = *state;
	const struct hd_phone_key key = { .place = 1, .type = HD_PHONE_KEY_LINE };
	const struct hd_device_seen seen = { .model = "snom-d785" };
	char got[HD_SIP_SECRET_SIZE], token[HD_TOKEN_SIZE], phone[HD_PHONE_ID_SIZE];
	uint8_t raw[ROOM];

	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = &key, .n = 1));
	assert_ok(WRITE(f, 'k', .kind = 'p', .name = "desk-101", .keys = &key, .n = 1));
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret-101"));
	assert_ok(WRITE(f, 'v', .name = "desk-101", .seen = &seen));
	assert_ok(fixture_token(f, "desk-101", token));

	assert_ok(WRITE(f, 'f', .kind = 'u', .name = "201"));
	assert_int_equal(fixture_raw(f, f->device->keys, "u201", raw, ROOM), 0);
	assert_ok(WRITE(f, 'f', .kind = 'p', .name = "desk-101"));
	assert_int_equal(fixture_raw(f, f->device->keys, "pdesk-101", raw, ROOM), 0);
	assert_int_equal(fixture_raw(f, f->device->secrets, "desk-101", raw, ROOM), 0);
	assert_int_equal(fixture_raw(f, f->device->seen, "desk-101", raw, ROOM), 0);
	assert_int_equal(fixture_secret(f, "desk-101", got), HD_ENOENT);
	assert_int_equal(fixture_by_token(f, token, phone), HD_ENOENT);
	assert_ok(WRITE(f, 'f', .kind = 'p', .name = "desk-101"));
	assert_ok(WRITE(f, 'f', .kind = 'u', .name = ""));

	/* A phone of the same id that is added later has another URL. */
	assert_ok(WRITE(f, 'e', .name = "desk-101"));
	assert_int_equal(fixture_by_token(f, token, phone), HD_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_at_rest, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_foreign, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_forget, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
