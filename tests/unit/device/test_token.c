/* test_token.c - the secret part of phones' URLs. */
#include <stdio.h>

#include "fixture.h"

static void test_token(void **state)
{
	struct fixture *f = *state;
	char a[HD_TOKEN_SIZE], b[HD_TOKEN_SIZE], phone[HD_PHONE_ID_SIZE];

	assert_int_equal(fixture_token(f, "desk-101", a), HD_ENOENT);
	assert_ok(WRITE(f, 'e', .name = "desk-101"));
	assert_ok(WRITE(f, 'e', .name = "desk-102"));
	assert_ok(fixture_token(f, "desk-101", a));
	assert_ok(fixture_token(f, "desk-102", b));
	assert_int_equal(strlen(a), HD_TOKEN_SIZE - 1);
	assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), HD_TOKEN_SIZE - 1);
	assert_string_not_equal(a, b);
	assert_ok(fixture_by_token(f, a, phone));
	assert_string_equal(phone, "desk-101");
	assert_ok(fixture_by_token(f, b, phone));
	assert_string_equal(phone, "desk-102");

	/* It lasts. */
	assert_ok(WRITE(f, 'e', .name = "desk-101"));
	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret"));
	assert_ok(fixture_token(f, "desk-101", b));
	assert_string_equal(a, b);
}

static void test_wrong(void **state)
{
	struct fixture *f = *state;
	char token[HD_TOKEN_SIZE], phone[HD_PHONE_ID_SIZE] = "x";

	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret"));
	assert_ok(fixture_token(f, "desk-101", token));
	for (size_t i = 0; i < HD_TOKEN_SIZE - 1; i++) {
		char c = token[i];

		token[i] = c == 'a' ? 'b' : 'a';
		assert_int_equal(fixture_by_token(f, token, phone), HD_ENOENT);
		assert_string_equal(phone, "");
		token[i] = c;
	}
	assert_int_equal(fixture_by_token(f, "", phone), HD_ENOENT);
	assert_int_equal(fixture_by_token(f, "aaaaaaaaaaaaaaaaaaaaaaaaaaa", phone), HD_ENOENT);
	token[5] = '\0';
	assert_int_equal(fixture_by_token(f, token, phone), HD_ENOENT);
}

static void test_renew(void **state)
{
	struct fixture *f = *state;
	char old[HD_TOKEN_SIZE], new[HD_TOKEN_SIZE], phone[HD_PHONE_ID_SIZE];
	char secret[HD_SIP_SECRET_SIZE];

	assert_ok(WRITE(f, 's', .name = "desk-101", .secret = "s3cret"));
	assert_ok(fixture_token(f, "desk-101", old));
	assert_ok(WRITE(f, 'r', .name = "desk-101"));
	assert_ok(fixture_token(f, "desk-101", new));
	assert_string_not_equal(old, new);
	assert_int_equal(fixture_by_token(f, old, phone), HD_ENOENT);
	assert_ok(fixture_by_token(f, new, phone));
	assert_ok(fixture_secret(f, "desk-101", secret));
	assert_string_equal(secret, "s3cret");
	assert_int_equal(WRITE(f, 'r', .name = "no id"), HD_EINVAL);
}

/* An entry of the index that does not belong to the phone it names finds nothing. */
static void test_forged_index(void **state)
{
	struct fixture *f = *state;
	char old[HD_TOKEN_SIZE], phone[HD_PHONE_ID_SIZE];
	uint8_t digest[HD_SHA256_BYTES];
	struct hd_slice parts;

	assert_ok(WRITE(f, 'e', .name = "desk-101"));
	assert_ok(fixture_token(f, "desk-101", old));
	assert_ok(WRITE(f, 'r', .name = "desk-101"));
	parts = hd_slice_of(old);
	hd_hmac_sha256(digest, &f->device->index, &parts, 1);
	assert_ok(WRITE(f, 'X', .table = f->device->tokens,
			.key = { (const char *)digest, DEVICE_INDEX_BYTES },
			.value = hd_slice_of("desk-101")));
	assert_int_equal(fixture_by_token(f, old, phone), HD_ENOENT);
	assert_string_equal(phone, "");
}

/* At the start every phone gets a URL, also one that was added by an older version. */
static void test_enroll_all(void **state)
{
	struct fixture *f = *state;
	char token[HD_TOKEN_SIZE], phone[HD_PHONE_ID_SIZE], id[HD_PHONE_ID_SIZE];
	struct hd_phone record;

	for (unsigned i = 0; i < 20; i++) {
		memset(&record, 0, sizeof(record));
		(void)snprintf(record.id, sizeof(record.id), "desk-%u", i);
		assert_ok(WRITE(f, 'P', .phone = &record));
	}
	assert_ok(WRITE(f, 'A', .name = NULL));
	assert_ok(WRITE(f, 'A', .name = NULL));
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(id, sizeof(id), "desk-%u", i);
		assert_ok(fixture_token(f, id, token));
		assert_ok(fixture_by_token(f, token, phone));
		assert_string_equal(phone, id);
	}

	/* With another master key the URLs are others, and work after the next start. */
	hd_device_free(f->device);
	memset(&f->master, 8, sizeof(f->master));
	assert_ok(hd_device_new(&f->device, f->store, &f->master));
	assert_int_equal(fixture_by_token(f, token, phone), HD_ENOENT);
	assert_ok(WRITE(f, 'A', .name = NULL));
	assert_int_equal(fixture_by_token(f, token, phone), HD_ENOENT);
	assert_ok(fixture_token(f, id, token));
	assert_ok(fixture_by_token(f, token, phone));
	assert_string_equal(phone, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_wrong, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_renew, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_forged_index, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_enroll_all, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
