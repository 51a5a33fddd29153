/* test_seen.c - what phones showed of themselves. */
#include "fixture.h"

static int seen_get(struct fixture *f, const char *phone, struct hd_device_seen *seen)
{
	struct hd_txn *txn = fixture_read(f);
	int err = hd_device_seen_get(f->device, txn, phone, seen);

	hd_store_end_read(txn);
	return err;
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	const struct hd_device_seen want = {
		.model = "snom-d785",
		.firmware = "10.1.84.12",
		.mac = "000413aabb01",
		.fetched_at_ms = 1790000000123,
		.fetched_from = "192.0.2.7",
		.asked_at_ms = 1790000000100,
		.told_at_ms = 1790000000124,
		.unheard = 3,
		.last_status = 481,
	};
	const struct hd_device_seen none = { 0 };
	struct hd_device_seen got;

	memset(&got, 0xaa, sizeof(got));
	assert_ok(seen_get(f, "desk-101", &got));
	assert_memory_equal(&got, &none, sizeof(got));
	assert_ok(WRITE(f, 'v', .name = "desk-101", .seen = &want));
	assert_ok(seen_get(f, "desk-101", &got));
	assert_string_equal(got.model, want.model);
	assert_string_equal(got.firmware, want.firmware);
	assert_string_equal(got.mac, want.mac);
	assert_string_equal(got.fetched_from, want.fetched_from);
	assert_int_equal(got.fetched_at_ms, want.fetched_at_ms);
	assert_int_equal(got.asked_at_ms, want.asked_at_ms);
	assert_int_equal(got.told_at_ms, want.told_at_ms);
	assert_int_equal(got.unheard, want.unheard);
	assert_int_equal(got.last_status, want.last_status);
	assert_int_equal(WRITE(f, 'v', .name = "no id", .seen = &want), HD_EINVAL);
	assert_ok(WRITE(f, 'X', .table = f->device->seen, .key = hd_slice_of("desk-101"),
			.value = { "\x01\xff\xff", 3 }));
	assert_int_equal(seen_get(f, "desk-101", &got), HD_ECORRUPT);
}

static void test_take(void **state)
{
	const struct hd_device_sight all = {
		.agent = hd_slice_of("snomD785/10.1.84.12"),
		.instance = hd_slice_of("<urn:uuid:00000000-0000-1000-8000-000413AABB02>"),
		.serial = hd_slice_of("000413AABB01"),
	};
	struct hd_device_sight sight = all;
	struct hd_device_seen seen = { .fetched_at_ms = 5 };

	(void)state;
	assert_true(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.model, "snom-d785");
	assert_string_equal(seen.firmware, "10.1.84.12");
	assert_string_equal(seen.mac, "000413aabb01");
	assert_int_equal(seen.fetched_at_ms, 5);
	assert_false(hd_device_seen_take(&seen, &sight));

	/* Nothing shown is no news, and nothing is lost. */
	sight = (struct hd_device_sight){ 0 };
	assert_false(hd_device_seen_take(&seen, &sight));
	sight.agent = hd_slice_of("friendly-scanner");
	assert_false(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.model, "snom-d785");
	sight.agent = hd_slice_of("curl/7.88.1");
	assert_false(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.model, "snom-d785");
	assert_string_equal(seen.firmware, "10.1.84.12");

	sight = all;
	sight.agent = hd_slice_of("snomD785/10.1.99.0");
	assert_true(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.firmware, "10.1.99.0");
	sight.serial = (struct hd_slice){ 0 };
	assert_true(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.mac, "000413aabb02");
	sight.instance = (struct hd_slice){ 0 };
	sight.agent = hd_slice_of("Yealink SIP-T46G 28.83.0.120 00:15:65:4a:a9:37");
	assert_true(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.mac, "0015654aa937");
	assert_string_equal(seen.model, "yealink-t46g");

	/* Of a phone of no known vendor the newest is taken. */
	seen = (struct hd_device_seen){ .model = "htek-uc926" };
	sight = (struct hd_device_sight){ .agent = hd_slice_of("Twinkle/1.10.2") };
	assert_true(hd_device_seen_take(&seen, &sight));
	assert_string_equal(seen.model, "twinkle");
}

static const char *vendor_of(struct fixture *f, const struct hd_phone *phone)
{
	const struct hd_vendor *vendor = NULL;
	struct hd_txn *txn = fixture_read(f);

	assert_ok(hd_device_vendor(f->device, txn, phone, &vendor));
	hd_store_end_read(txn);
	return vendor->name;
}

static void test_vendor(void **state)
{
	struct fixture *f = *state;
	const struct hd_device_seen seen = { .model = "yealink-t46u" };
	struct hd_phone phone = { .id = "desk-101" };

	assert_string_equal(vendor_of(f, &phone), "generic");
	assert_ok(WRITE(f, 'v', .name = "desk-101", .seen = &seen));
	assert_string_equal(vendor_of(f, &phone), "yealink");
	/* What the administrator says comes first. */
	assert_ok(hd_str_set(phone.model, sizeof(phone.model), "snom-d785"));
	assert_string_equal(vendor_of(f, &phone), "snom");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_take),
		cmocka_unit_test_setup_teardown(test_vendor, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
