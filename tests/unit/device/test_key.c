/* test_key.c - keys of users and phones. */
#include "fixture.h"

static struct hd_phone_key key_of(uint8_t place, enum hd_phone_key_type type, const char *label,
				  const char *value)
{
	struct hd_phone_key key = { .place = place, .type = type };

	assert_ok(hd_str_set(key.label, sizeof(key.label), label));
	assert_ok(hd_str_set(key.value, sizeof(key.value), value));
	return key;
}

static void test_names(void **state)
{
	enum hd_phone_key_type type;

	(void)state;
	for (int i = 0; i < HD_PHONE_KEY_COUNT; i++) {
		assert_ok(hd_phone_key_parse(&type, hd_phone_key_name((enum hd_phone_key_type)i)));
		assert_int_equal(type, i);
	}
	assert_string_equal(hd_phone_key_name(HD_PHONE_KEY_SPEED_DIAL), "speed-dial");
	assert_int_equal(hd_phone_key_parse(&type, "Speed-Dial"), HD_EPARSE);
	assert_int_equal(hd_phone_key_parse(&type, ""), HD_EPARSE);
	assert_int_equal(hd_phone_key_parse(&type, NULL), HD_EPARSE);
	assert_string_equal(hd_phone_key_name((enum hd_phone_key_type)99), "unknown");
}

static void test_check(void **state)
{
	static const struct {
		uint8_t place;
		enum hd_phone_key_type type;
		const char *label, *value;
		int want;
	} rows[] = {
		{ 0, HD_PHONE_KEY_SPEED_DIAL, "", "0", 0 },
		{ 120, HD_PHONE_KEY_BLF, "Jörg & Söhne <1>", "202", 0 },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "x", "sip:202@example.com;user=phone", 0 },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "x", "tel:+49-30-123;phone-context=x", 0 },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "x", "**8.(030)_a~!#", 0 },
		{ 1, HD_PHONE_KEY_LINE, "", "", 0 },
		{ 1, HD_PHONE_KEY_URL, "", "https://example.com/?a=1&b=%20", 0 },
		{ 1, HD_PHONE_KEY_URL, "", "HTTP://example.com/", 0 },
		{ 121, HD_PHONE_KEY_BLF, "", "202", HD_EINVAL },
		{ 1, HD_PHONE_KEY_COUNT, "", "202", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "", "", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "20 2", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "202\"", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "<202>", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "j\xc3\xb6rg", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "1;ext=2", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "202@1/ba", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "", "202|*8", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "", "1,2", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "", "sip:1@x|*8", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "", "sip:", HD_EINVAL },
		{ 1, HD_PHONE_KEY_SPEED_DIAL, "", "https://example.com/", HD_EINVAL },
		{ 1, HD_PHONE_KEY_LINE, "", "1;2", HD_EINVAL },
		{ 1, HD_PHONE_KEY_URL, "", "https://example.com/a|b", HD_EINVAL },
		{ 1, HD_PHONE_KEY_URL, "", "javascript:alert(1)", HD_EINVAL },
		{ 1, HD_PHONE_KEY_URL, "", "202", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "a\nb", "202", HD_EINVAL },
		{ 1, HD_PHONE_KEY_BLF, "\xff", "202", HD_EINVAL },
	};
	struct hd_phone_key key;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		key = key_of(rows[i].place, rows[i].type, rows[i].label, rows[i].value);
		if (hd_phone_key_check(&key, &why) != rows[i].want)
			fail_msg("row %zu: expected %d, got \"%s\"", i, rows[i].want,
				 why ? why : "good");
		assert_int_equal(!why, !rows[i].want);
	}
}

static void test_put_and_get(void **state)
{
	struct fixture *f = *state;
	const struct hd_phone_key given[] = {
		key_of(0, HD_PHONE_KEY_BLF, "Any", "203"),
		key_of(7, HD_PHONE_KEY_URL, "Door", "http://door/"),
		key_of(2, HD_PHONE_KEY_SPEED_DIAL, "Bj\xc3\xb6rn", "204"),
		key_of(0, HD_PHONE_KEY_LINE, "", ""),
	};
	static const size_t order[] = { 2, 1, 0, 3 };
	struct hd_phone_key got[8];
	size_t n = 8;

	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = given, .n = 4));
	assert_ok(fixture_keys(f, 'u', "201", got, &n));
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(&got[i], &given[order[i]], sizeof(got[i]));

	/* A phone of that name is another thing. */
	n = 8;
	assert_ok(fixture_keys(f, 'p', "201", got, &n));
	assert_int_equal(n, 0);
	n = 3;
	assert_int_equal(fixture_keys(f, 'u', "201", got, &n), HD_ELIMIT);
	assert_int_equal(n, 4);
	n = 0;
	assert_ok(fixture_keys(f, 'u', "201", NULL, &n));
	assert_int_equal(n, 4);
	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201"));
	n = 8;
	assert_ok(fixture_keys(f, 'u', "201", got, &n));
	assert_int_equal(n, 0);
	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201"));
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX + 1];

	keys[0] = key_of(3, HD_PHONE_KEY_BLF, "", "203");
	keys[1] = key_of(3, HD_PHONE_KEY_BLF, "", "204");
	assert_int_equal(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = keys, .n = 2),
			 HD_EEXIST);
	keys[1] = key_of(4, HD_PHONE_KEY_BLF, "", "");
	assert_int_equal(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = keys, .n = 2),
			 HD_EINVAL);
	assert_int_equal(WRITE(f, 'k', .kind = 'x', .name = "201", .keys = keys, .n = 1),
			 HD_EINVAL);
	assert_int_equal(WRITE(f, 'k', .kind = 'u', .name = "", .keys = keys, .n = 1), HD_EINVAL);
	for (size_t i = 0; i <= HD_PHONE_KEYS_MAX; i++)
		keys[i] = key_of(0, HD_PHONE_KEY_BLF, "label", "203");
	assert_int_equal(
		WRITE(f, 'k', .kind = 'u', .name = "201", .keys = keys, .n = HD_PHONE_KEYS_MAX + 1),
		HD_ELIMIT);
	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201", .keys = keys, .n = HD_PHONE_KEYS_MAX));
	/* More than fits in one record, though not too many. */
	for (size_t i = 0; i < HD_PHONE_KEYS_MAX; i++)
		memset(keys[i].value, '1', sizeof(keys[i].value) - 1);
	assert_int_equal(
		WRITE(f, 'k', .kind = 'u', .name = "201", .keys = keys, .n = HD_PHONE_KEYS_MAX),
		HD_ELIMIT);
}

static void test_one_key(void **state)
{
	struct fixture *f = *state;
	struct hd_phone_key key = key_of(5, HD_PHONE_KEY_BLF, "A", "203"), got[4];
	size_t n = 4;

	assert_ok(WRITE(f, '1', .kind = 'p', .name = "desk-101", .keys = &key));
	key = key_of(5, HD_PHONE_KEY_BLF, "B", "204");
	assert_ok(WRITE(f, '1', .kind = 'p', .name = "desk-101", .keys = &key));
	key = key_of(0, HD_PHONE_KEY_BLF, "C", "205");
	assert_ok(WRITE(f, '1', .kind = 'p', .name = "desk-101", .keys = &key));
	assert_ok(WRITE(f, '1', .kind = 'p', .name = "desk-101", .keys = &key));
	assert_ok(fixture_keys(f, 'p', "desk-101", got, &n));
	assert_int_equal(n, 3);
	assert_string_equal(got[0].label, "B");
	key.value[0] = '\0';
	assert_int_equal(WRITE(f, '1', .kind = 'p', .name = "desk-101", .keys = &key), HD_EINVAL);

	assert_int_equal(WRITE(f, '0', .kind = 'p', .name = "desk-101", .place = 6), HD_ENOENT);
	assert_ok(WRITE(f, '0', .kind = 'p', .name = "desk-101", .place = 0));
	n = 4;
	assert_ok(fixture_keys(f, 'p', "desk-101", got, &n));
	assert_int_equal(n, 1);
	assert_ok(WRITE(f, '0', .kind = 'p', .name = "desk-101", .place = 5));
	assert_int_equal(WRITE(f, '0', .kind = 'p', .name = "desk-101", .place = 5), HD_ENOENT);
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *bytes;
		size_t n;
		int want;
	} rows[] = {
		{ "\x01\x02\x01\x00\x00\x00\x01\x00x", 9, HD_ECORRUPT }, /* one of two */
		{ "\x01\x01\x01\x63\x00\x00\x01\x00x", 9, HD_ECORRUPT }, /* no such type */
		{ "\x01\x01\x79\x00\x00\x00\x01\x00x", 9, HD_ECORRUPT }, /* no such place */
		{ "\x01\x01\x01\x00\xff\xff", 6, HD_ECORRUPT },
		{ "\x02\x01", 2, HD_EVERSION },
		{ "\x00", 1, HD_ECORRUPT },
	};
	struct hd_phone_key got[4];
	size_t n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_ok(WRITE(f, 'X', .table = f->device->keys, .key = hd_slice_of("u201"),
				.value = { rows[i].bytes, rows[i].n }));
		n = 4;
		assert_int_equal(fixture_keys(f, 'u', "201", got, &n), rows[i].want);
		assert_int_equal(n, 0);
	}
	assert_ok(WRITE(f, 'k', .kind = 'u', .name = "201"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_check),
		cmocka_unit_test_setup_teardown(test_put_and_get, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_one_key, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
