/* test_own.c - keys that users make for themselves. */
#include "fixture.h"

#include "hotdesk/own_key.h"

struct change {
	struct fixture *f;
	struct hd_own_key_change key;
};

static int change_body(struct hd_txn *txn, void *arg)
{
	struct change *c = arg;
	struct hd_phone phone;
	int err = hd_phone_get(c->f->dir, txn, "desk-1", &phone);

	return err ? err : hd_own_key_change(c->f->device, txn, "201", &phone, &c->key);
}

/* @return the error; *placep: where */
static int change(struct fixture *f, uint8_t *placep, int what, const char *text)
{
	struct change c = { .f = f, .key = { .place = *placep, .max = 3 } };
	int err;

	c.key.what = what;
	if (what == HD_OWN_KEY_TYPE)
		c.key.type = text[0] == 'b' ? HD_PHONE_KEY_BLF : HD_PHONE_KEY_SPEED_DIAL;
	else
		assert_ok(hd_str_set(c.key.text, sizeof(c.key.text), text));
	err = hd_store_execute(f->store, change_body, &c);
	*placep = c.key.place;
	return err;
}

static int at(struct fixture *f, uint8_t place, int what, const char *text)
{
	return change(f, &place, what, text);
}

/* "5 speed-dial Ben 202;" of all */
static void expect(struct fixture *f, char kind, const char *want)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	size_t n = HD_PHONE_KEYS_MAX;
	struct hd_buf b = { 0 };

	assert_ok(fixture_keys(f, kind, "201", keys, &n));
	for (size_t i = 0; i < n; i++)
		hd_buf_addf(&b, "%u %s %s %s;", keys[i].place, hd_phone_key_name(keys[i].type),
			    keys[i].label, keys[i].value);
	assert_string_equal(hd_buf_text(&b), want);
	hd_buf_fini(&b);
}

static int setup(void **state)
{
	static const struct hd_user user = { .number = "201" };
	static const struct hd_phone phone = { .id = "desk-1", .model = "yealink-t46u" };
	static const struct hd_phone_key given = { 5, HD_PHONE_KEY_BLF, "Boss", "202" };
	static const struct hd_phone_key of_phone = { 3, HD_PHONE_KEY_BLF, "Door", "77" };
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	assert_ok(WRITE(f, 'U', .user = &user));
	assert_ok(WRITE(f, 'P', .phone = &phone));
	assert_ok(WRITE(f, '1', .kind = 'u', .name = "201", .keys = &given));
	assert_ok(WRITE(f, '1', .kind = 'p', .name = "desk-1", .keys = &of_phone));
	return 0;
}

static void test_change(void **state)
{
	struct fixture *f = *state;
	uint8_t place = 0;

	/* 1 is a line, 2 the Login key, 3 the phone's, 5 what the administrator gave. */
	assert_ok(change(f, &place, HD_OWN_KEY_NUMBER, "204"));
	assert_int_equal(place, 4);
	place = 0;
	assert_ok(change(f, &place, HD_OWN_KEY_NUMBER, "0891234"));
	assert_int_equal(place, 6);
	assert_ok(at(f, 4, HD_OWN_KEY_LABEL, "Däni"));
	assert_ok(at(f, 4, HD_OWN_KEY_TYPE, "blf"));
	expect(f, 'o', "4 blf Däni 204;6 speed-dial  0891234;");
	/* The same page again, as "back" on a phone asks for it, changes nothing. */
	place = 0;
	assert_ok(change(f, &place, HD_OWN_KEY_NUMBER, "204"));
	assert_int_equal(place, 4);
	assert_ok(at(f, 4, HD_OWN_KEY_NUMBER, "204"));
	expect(f, 'o', "4 blf Däni 204;6 speed-dial  0891234;");
	/* Another number is somebody else's. */
	assert_ok(at(f, 4, HD_OWN_KEY_NUMBER, "205"));
	expect(f, 'o', "4 blf  205;6 speed-dial  0891234;");
	assert_ok(at(f, 5, HD_OWN_KEY_NUMBER, "*8"));
	place = 0;
	assert_int_equal(change(f, &place, HD_OWN_KEY_NUMBER, "1"), HD_ELIMIT);
	assert_int_equal(at(f, 9, HD_OWN_KEY_NUMBER, "1"), HD_ELIMIT);
	assert_ok(at(f, 5, HD_OWN_KEY_REMOVE, ""));
	expect(f, 'o', "4 blf  205;6 speed-dial  0891234;");
	expect(f, 'u', "5 blf Boss 202;");
	assert_int_equal(at(f, 5, HD_OWN_KEY_REMOVE, ""), HD_ENOENT);
	assert_int_equal(at(f, 5, HD_OWN_KEY_LABEL, "x"), HD_ENOENT);
	assert_int_equal(at(f, 121, HD_OWN_KEY_NUMBER, "1"), HD_EINVAL);
	expect(f, 'u', "5 blf Boss 202;");
}

static void test_bad_values(void **state)
{
	static const char *const bad[] = {
		"", "sip:202@x", "2 2", "20;2", "2<3", "202@1/ba", "\xff"
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(at(f, 7, HD_OWN_KEY_NUMBER, bad[i]), HD_EINVAL);
	expect(f, 'o', "");
	assert_ok(at(f, 7, HD_OWN_KEY_NUMBER, "202"));
	assert_int_equal(at(f, 7, HD_OWN_KEY_LABEL, "a\nb"), HD_EINVAL);
	assert_int_equal(at(f, 7, HD_OWN_KEY_LABEL, "\xff"), HD_EINVAL);
	expect(f, 'o', "7 speed-dial  202;");
}

static void test_forgotten_with_the_user(void **state)
{
	struct hd_device_audit audit;
	struct fixture *f = *state;
	struct hd_txn *txn;

	assert_ok(at(f, 7, HD_OWN_KEY_NUMBER, "202"));
	txn = fixture_read(f);
	assert_ok(hd_device_check(f->device, txn, f->dir, &audit));
	hd_store_end_read(txn);
	assert_int_equal(audit.violations, 0);
	assert_ok(WRITE(f, 'f', .kind = 'u', .name = "201"));
	expect(f, 'o', "");
	expect(f, 'u', "");
}

/* A damaged record is begun anew. */
static void test_damaged(void **state)
{
	struct fixture *f = *state;

	assert_ok(WRITE(f, 'X', .table = f->device->keys, .key = hd_slice_of("o201"),
			.value = { "\x01\x01\x01\x63\x00\x00\x01\x00x", 9 }));
	assert_int_equal(at(f, 7, HD_OWN_KEY_REMOVE, ""), HD_ENOENT);
	assert_ok(at(f, 7, HD_OWN_KEY_NUMBER, "202"));
	expect(f, 'o', "7 speed-dial  202;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bad_values, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_forgotten_with_the_user, setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
