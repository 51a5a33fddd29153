/* test_repair.c - after a repair the check finds nothing, and whoever could stay stayed. */
#include "fixture.h"

enum { KEY_TOO_LONG = HD_PHONE_ID_SIZE + 1 };

static int put_body(struct hd_txn *txn, unsigned table, const char *key,
		    const struct hd_desk_session *session)
{
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;

	hd_encoder_init(&e, buf, sizeof(buf), HD_SESSION_VERSION);
	hd_session_encode(&e, session);
	assert_ok(hd_encoder_finish(&e, &record));
	return hd_txn_put(txn, table, hd_slice_of(key), record);
}

struct plant {
	unsigned table;
	const char *key;
	const char *user, *phone; /* NULL: the key is removed */
	uint64_t epoch;
};

static int plant_body(struct hd_txn *txn, void *arg)
{
	const struct plant *p = arg;
	struct hd_desk_session session = { .epoch = p->epoch };

	if (!p->user)
		return hd_txn_del(txn, p->table, hd_slice_of(p->key));
	fixture_set(session.user, sizeof(session.user), p->user);
	fixture_set(session.phone, sizeof(session.phone), p->phone);
	return put_body(txn, p->table, p->key, &session);
}

static void plant(struct test *t, unsigned table, const char *key, const char *user,
		  const char *phone, uint64_t epoch)
{
	struct plant p = { table, key, user, phone, epoch };

	assert_ok(hd_store_execute(t->store, plant_body, &p));
}

static void damage(struct test *t, unsigned table, struct hd_slice key)
{
	struct fixture_raw raw = { .table = table, .key = key, .value = { "\x01\xff\xff", 3 } };

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
}

/* Repairs; the check must find nothing then, and a second repair nothing to do. */
static struct hd_desk_repair repair(struct test *t)
{
	struct hd_desk_repair first = { .desk = t->desk, .now_ms = t->now_ms };
	struct hd_desk_repair second = first;

	assert_ok(hd_store_execute(t->store, hd_desk_repair, &first));
	assert_sound(t);
	assert_ok(hd_store_execute(t->store, hd_desk_repair, &second));
	assert_int_equal(second.mended, 0);
	assert_int_equal(second.ended, 0);
	return first;
}

static void test_sound(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_int_equal(repair(t).mended, 0);
	assert_string_equal(sitting(t, "d1"), "201");
}

static void test_damaged_user(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	empty_outbox(t);
	damage(t, t->desk->users, hd_slice_of("201"));
	assert_int_equal(repair(t).mended, 2); /* removed, and restored from the phone's record */
	assert_string_equal(sitting(t, "d1"), "201");
	assert_true(is_in_outbox(t, "d1"));
}

static void test_damaged_phone(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	damage(t, t->desk->phones, hd_slice_of("d1"));
	assert_int_equal(repair(t).mended, 1);
	assert_string_equal(sitting(t, "d1"), "201");
}

static void test_damaged_both(void **state)
{
	struct test *t = *state;
	char name[KEY_TOO_LONG];

	memset(name, 'x', sizeof(name));
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	damage(t, t->desk->users, hd_slice_of("201"));
	damage(t, t->desk->phones, hd_slice_of("d1"));
	damage(t, t->desk->users, (struct hd_slice){ name, sizeof(name) });
	damage(t, t->desk->phones, (struct hd_slice){ name, sizeof(name) });
	assert_int_equal(repair(t).mended, 4);
	assert_string_equal(sitting(t, "d1"), "");
	assert_true(is_in_outbox(t, "d1"));
	assert_result(login(t, "d1", "202"), LOGGED_IN);
}

static void test_two_at_one_phone(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "202"), LOGGED_IN);
	plant(t, t->desk->users, "201", "201", "d1", 1);
	assert_int_equal(repair(t).mended, 1);
	assert_string_equal(sitting(t, "d1"), "202");

	/* The phone's record alone is of somebody else: the later one stays. */
	plant(t, t->desk->phones, "d1", "201", "d1", 1);
	(void)repair(t);
	assert_string_equal(sitting(t, "d1"), "202");
}

static void test_one_at_two_phones(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	empty_outbox(t);
	plant(t, t->desk->phones, "d2", "201", "d2", 1);
	assert_int_equal(repair(t).mended, 1);
	assert_string_equal(sitting(t, "d1"), "201");
	assert_string_equal(sitting(t, "d2"), "");
	assert_true(is_in_outbox(t, "d2"));
}

static void test_wrong_key(void **state)
{
	struct test *t = *state;

	plant(t, t->desk->users, "202", "201", "d1", 1);
	plant(t, t->desk->phones, "d2", "201", "d1", 1);
	assert_int_equal(repair(t).mended, 2);
	assert_string_equal(sitting(t, "d1"), "");
}

static void test_later_epoch(void **state)
{
	struct test *t = *state;

	plant(t, t->desk->users, "201", "201", "d1", UINT64_MAX);
	plant(t, t->desk->phones, "d1", "201", "d1", UINT64_MAX);
	assert_int_equal(repair(t).mended, 1);
	assert_string_equal(sitting(t, "d1"), "201");
}

static void test_directory(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_ok(writing(t, remove_user_body, "202"));
	assert_int_equal(repair(t).ended, 1);
	assert_string_equal(sitting(t, "d1"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sound),	      T(test_damaged_user),	T(test_damaged_phone),
		T(test_damaged_both), T(test_two_at_one_phone), T(test_one_at_two_phones),
		T(test_wrong_key),    T(test_later_epoch),	T(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
