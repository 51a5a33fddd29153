/* test_end.c - sessions that end because of what an administrator does to users and phones. */
#include "fixture.h"

static void test_end_user(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	empty_outbox(t);
	assert_ok(writing(t, end_user_body, "201"));
	assert_string_equal(sitting(t, "d1"), "");
	assert_int_equal(reading(t, by_user_body, "201"), HD_ENOENT);
	assert_true(is_in_outbox(t, "d1"));
	empty_outbox(t);
	assert_ok(writing(t, end_user_body, "201"));
	assert_ok(writing(t, end_user_body, ""));
	assert_false(is_in_outbox(t, "d1"));
	assert_sound(t);
}

static void test_end_phone(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	empty_outbox(t);
	assert_ok(writing(t, end_phone_body, "d1"));
	assert_string_equal(sitting(t, "d1"), "");
	assert_true(is_in_outbox(t, "d1"));
	assert_ok(writing(t, end_phone_body, "d1"));
	assert_ok(writing(t, end_phone_body, "nowhere"));
	assert_sound(t);
}

static int remove_user_all(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	int err = hd_desk_forget_user(t->desk, txn, t->name, t->now_ms, HD_DESK_WAY_ADMIN);

	return err ? err : hd_user_remove(t->dir, txn, t->name);
}

static int remove_phone_all(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;
	int err = hd_desk_forget_phone(t->desk, txn, t->name, t->now_ms, HD_DESK_WAY_ADMIN);

	return err ? err : hd_phone_remove(t->dir, txn, t->name);
}

static void test_forget(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_result(guess(t, "d1", "202"), WRONG_PIN);
	assert_ok(writing(t, remove_user_all, "202"));
	assert_sound(t);
	assert_string_equal(sitting(t, "d1"), "");
	assert_int_equal(failures(t, 'u', "202"), 0);
	assert_int_equal(failures(t, 'p', "d1"), 1);

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_ok(writing(t, remove_phone_all, "d1"));
	assert_sound(t);
	assert_int_equal(reading(t, by_user_body, "201"), HD_ENOENT);
	assert_int_equal(failures(t, 'p', "d1"), 0);
	assert_false(is_in_outbox(t, "d1"));
	/* One of the same name is new. */
	add_phone(t, "d1", "");
	assert_ok(fixture_read(t->store, prepare_body, t));
	assert_false(t->r.repeated);

	/* Nothing to forget is no error; nobody's name is. */
	assert_ok(writing(t, forget_user_body, "999"));
	assert_ok(writing(t, forget_phone_body, "nowhere"));
	assert_int_equal(writing(t, forget_user_body, "a b"), HD_EINVAL);
	assert_int_equal(writing(t, forget_phone_body, ""), HD_EINVAL);

	/* One that owns a phone stays, with the session that the command ended. */
	assert_result(login(t, "h1", "201"), LOGGED_IN);
	assert_int_equal(writing(t, remove_user_all, "201"), HD_ESTATE);
	assert_string_equal(sitting(t, "h1"), "201");
}

static uint32_t settle(struct test *t)
{
	assert_ok(writing(t, settle_body, ""));
	return t->ended;
}

static void test_settle(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_result(login(t, "d2", "202"), LOGGED_IN);
	assert_result(login(t, "h3", "203"), LOGGED_IN);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d3", "204"), LOGGED_IN);
	assert_int_equal(settle(t), 0);
	empty_outbox(t);

	/* Another owner is set. */
	add_phone(t, "d2", "201");
	assert_ok(reading(t, check_body, ""));
	assert_int_equal(t->check.violations, 1);
	assert_int_equal(settle(t), 1);
	assert_string_equal(sitting(t, "d2"), "");
	assert_true(is_in_outbox(t, "d2"));
	assert_sound(t);
	/* Its own user as the owner, or none any more: nothing changes. */
	add_phone(t, "d1", "201");
	add_phone(t, "h3", "");
	assert_int_equal(settle(t), 0);
	assert_string_equal(sitting(t, "h3"), "203");

	disable_user(t, "204", true);
	assert_int_equal(settle(t), 1);
	assert_string_equal(sitting(t, "d3"), "");
	disable_phone(t, "d1", true);
	assert_int_equal(settle(t), 1);
	assert_string_equal(sitting(t, "d1"), "");

	assert_result(login(t, "d3", "202"), LOGGED_IN);
	assert_ok(writing(t, remove_phone_body, "d3"));
	assert_ok(writing(t, remove_user_body, "203"));
	assert_int_equal(settle(t), 2);
	assert_ok(reading(t, count_body, ""));
	assert_int_equal(t->count, 0);
	assert_sound(t);
}

static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .key = hd_slice_of("202"), .value = { "\x01\xff\xff\xff", 4 } };

	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_ok(hd_store_table(t->store, "user", &raw.table));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(writing(t, settle_body, ""), HD_ECORRUPT);
	raw.table = t->desk->users;
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(writing(t, settle_body, ""), HD_ECORRUPT);
	assert_int_equal(writing(t, end_user_body, "202"), HD_ECORRUPT);
	raw.table = t->desk->phones;
	raw.key = hd_slice_of("d1");
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(writing(t, end_phone_body, "d1"), HD_ECORRUPT);
	assert_int_equal(writing(t, forget_phone_body, "d1"), HD_ECORRUPT);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_desk_end_user(t->desk, NULL, "1", 0, HD_DESK_WAY_ADMIN), HD_EINVAL);
	assert_int_equal(hd_desk_end_phone(t->desk, NULL, "1", 0, HD_DESK_WAY_ADMIN), HD_EINVAL);
	assert_int_equal(hd_desk_forget_user(t->desk, NULL, "1", 0, HD_DESK_WAY_ADMIN), HD_EINVAL);
	assert_int_equal(hd_desk_forget_phone(t->desk, NULL, "1", 0, HD_DESK_WAY_ADMIN), HD_EINVAL);
	assert_int_equal(hd_desk_settle(t->desk, NULL, 0, HD_DESK_WAY_ADMIN, &t->ended), HD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_end_user), T(test_end_phone), T(test_forget),
		T(test_settle),	  T(test_damage),    T(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
