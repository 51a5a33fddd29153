/* test_apply.c - logins, moves, logouts and refusals as the store sees them. */
#include "fixture.h"

static void test_login_and_move(void **state)
{
	struct test *t = *state;
	uint64_t first;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_string_equal(t->r.session.user, "201");
	assert_string_equal(t->r.session.phone, "d1");
	assert_int_equal(t->r.session.since_ms, START_MS);
	assert_string_equal(t->r.left_phone, "");
	assert_string_equal(t->r.left_user, "");
	first = t->r.session.epoch;
	assert_true(first > 0);
	assert_string_equal(sitting(t, "d1"), "201");
	assert_int_equal(t->session.epoch, first);

	t->now_ms += 1000;
	assert_result(login(t, "d2", "201"), MOVED);
	assert_string_equal(t->r.left_phone, "d1");
	assert_true(t->r.session.epoch > first);
	assert_string_equal(sitting(t, "d1"), "");
	assert_string_equal(sitting(t, "d2"), "201");
	assert_ok(reading(t, count_body, ""));
	assert_int_equal(t->count, 1);
	assert_sound(t);
}

static void test_idempotent(void **state)
{
	struct test *t = *state;
	uint64_t epoch;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	epoch = t->r.session.epoch;
	empty_outbox(t);
	t->now_ms += 1000;
	assert_result(login(t, "d1", "201"), UNCHANGED);
	assert_int_equal(t->r.session.epoch, epoch);
	assert_int_equal(t->r.session.since_ms, START_MS);
	assert_false(is_in_outbox(t, "d1"));
	assert_result(logout(t, "d2"), UNCHANGED);
	assert_string_equal(t->r.session.user, "");
	assert_false(is_in_outbox(t, "d2"));
}

static void test_replace_and_refuse(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	t->policy.refuse_occupied = true;
	assert_result(login(t, "d1", "202"), OCCUPIED);
	assert_string_equal(t->r.session.user, "");
	assert_string_equal(sitting(t, "d1"), "201");
	assert_int_equal(failures(t, 'u', "202"), 0);
	t->policy.refuse_occupied = false;
	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_string_equal(t->r.left_user, "201");
	assert_string_equal(sitting(t, "d1"), "202");
	assert_int_equal(reading(t, by_user_body, "201"), HD_ENOENT);

	/* Turned out and moved in one. */
	assert_result(login(t, "d2", "201"), LOGGED_IN);
	assert_result(login(t, "d2", "202"), MOVED);
	assert_string_equal(t->r.left_user, "201");
	assert_string_equal(t->r.left_phone, "d1");
	assert_sound(t);
}

static void test_logout(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_result(logout(t, "d1"), LOGGED_OUT);
	assert_string_equal(t->r.left_user, "201");
	assert_string_equal(t->r.left_phone, "");
	assert_string_equal(t->r.session.user, "");
	assert_string_equal(sitting(t, "d1"), "");

	/* One that names somebody ends nobody else. */
	assert_result(login(t, "d1", "202"), LOGGED_IN);
	(void)ask(t, HD_DESK_EVENT_LOGOUT, "d1", "201");
	assert_result(play(t, false), UNCHANGED);
	assert_string_equal(sitting(t, "d1"), "202");
	(void)ask(t, HD_DESK_EVENT_LOGOUT, "d1", "202");
	assert_result(play(t, false), LOGGED_OUT);
}

static void test_owned_phones(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "h3", "203"), LOGGED_IN);
	assert_result(login(t, "h1", "202"), CLOSED);
	assert_result(login(t, "h3", "201"), CLOSED);
	assert_string_equal(sitting(t, "h3"), "203");
	assert_int_equal(failures(t, 'u', "202"), 0);
	assert_int_equal(failures(t, 'p', "h1"), 0);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "h1", "202"), CLOSED);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "h1", "201"), LOGGED_IN);
	/* 201 goes to a desk; home stays closed to everyone else. */
	assert_result(login(t, "d1", "201"), MOVED);
	assert_result(login(t, "h1", "202"), CLOSED);
	assert_result(login(t, "h1", "201"), MOVED);
}

static void test_refusals(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "999"), UNKNOWN_USER);
	assert_int_equal(failures(t, 'u', "999"), 1);
	assert_result(guess(t, "d1", "201"), WRONG_PIN);
	assert_int_equal(failures(t, 'u', "201"), 1);
	assert_result(login(t, "d1", "203"), NO_PERMISSION);
	assert_int_equal(failures(t, 'u', "203"), 1);
	assert_result(login(t, "d1", "204"), WRONG_PIN);
	assert_int_equal(failures(t, 'u', "204"), 1);
	disable_user(t, "202", true);
	assert_result(login(t, "d1", "202"), DISABLED);
	assert_int_equal(failures(t, 'u', "202"), 1);
	assert_result(login(t, "d1", "not a number"), UNKNOWN_USER);
	assert_result(login(t, "d1", ""), UNKNOWN_USER);
	assert_int_equal(failures(t, 'p', "d1"), 7);
	assert_string_equal(sitting(t, "d1"), "");
	assert_false(is_in_outbox(t, "d1"));

	/* Of phones. */
	assert_result(login(t, "nowhere", "201"), UNKNOWN_PHONE);
	assert_result(login(t, "no where", "201"), UNKNOWN_PHONE);
	assert_result(login(t, "", "201"), UNKNOWN_PHONE);
	disable_phone(t, "d2", true);
	assert_result(login(t, "d2", "201"), DISABLED);
	assert_result(logout(t, "d2"), DISABLED);
	assert_int_equal(failures(t, 'p', "d2"), 0);
	assert_int_equal(failures(t, 'u', "201"), 1);
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d2", "201");
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, DISABLED);

	/* A success forgets the user's failures, not the phone's. */
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_int_equal(failures(t, 'u', "201"), 0);
	assert_int_equal(failures(t, 'p', "d1"), 7);
}

/* Whatever is wrong, there is a hash to verify: the time tells nothing. */
static void test_same_time(void **state)
{
	static const char *const numbers[] = { "201", "203", "204", "999", "x y", "" };
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		ask(t, HD_DESK_EVENT_LOGIN, i % 2 ? "d1" : "h3", numbers[i])->pin_ok = true;
		assert_ok(fixture_read(t->store, prepare_body, t));
		assert_false(t->r.pin_ok); /* nothing was verified yet */
		assert_result(t->r.result, AGAIN);
		assert_string_equal(t->r.pin_hash, i == 0   ? "hash-of-201"
						   : i == 1 ? "hash-of-203"
							    : DUMMY);
	}
	/* A dummy that somebody's PIN "matches" still opens nothing. */
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "204");
	assert_ok(fixture_read(t->store, prepare_body, t));
	t->r.pin_ok = true;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, WRONG_PIN);
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "999");
	assert_ok(fixture_read(t->store, prepare_body, t));
	t->r.pin_ok = true;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, UNKNOWN_USER);

	hd_desk_set_dummy(t->desk, "");
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_int_equal(fixture_read(t->store, prepare_body, t), HD_ESTATE);
}

static void test_toggle(void **state)
{
	struct test *t = *state;

	assert_result(toggle(t, "d1", "201"), LOGGED_IN);
	assert_result(toggle(t, "d1", "202"), LOGGED_IN);
	assert_string_equal(t->r.left_user, "201");
	/* The same user again leaves, whatever the PIN. */
	(void)ask(t, HD_DESK_EVENT_TOGGLE, "d1", "202");
	assert_result(play(t, false), LOGGED_OUT);
	assert_result(toggle(t, "d1", "201"), LOGGED_IN);
	assert_result(toggle(t, "d1", ""), LOGGED_OUT);
	assert_result(toggle(t, "d1", ""), UNKNOWN_USER);

	/* What it came to when it was prepared holds: here a logout that came too late. */
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	(void)ask(t, HD_DESK_EVENT_TOGGLE, "d1", "201");
	assert_ok(fixture_read(t->store, prepare_body, t));
	assert_string_equal(t->r.pin_hash, "");
	{
		struct hd_desk_request late = t->r;

		assert_result(logout(t, "d1"), LOGGED_OUT);
		t->r = late;
		assert_ok(hd_store_execute(t->store, apply_body, t));
		assert_result(t->r.result, UNCHANGED);
		assert_string_equal(sitting(t, "d1"), "");
	}

	/* And here a login that was done meanwhile. */
	(void)ask(t, HD_DESK_EVENT_TOGGLE, "d1", "201");
	assert_ok(fixture_read(t->store, prepare_body, t));
	{
		struct hd_desk_request late = t->r;

		assert_result(login(t, "d1", "201"), LOGGED_IN);
		t->r = late;
		t->r.pin_ok = true;
		assert_ok(hd_store_execute(t->store, apply_body, t));
		assert_result(t->r.result, UNCHANGED);
		assert_string_equal(sitting(t, "d1"), "201");
	}
}

static void test_admin(void **state)
{
	struct test *t = *state;

	/* No PIN, no permission, no lock-outs. */
	for (int i = 0; i < 5; i++)
		assert_result(guess(t, "d1", "203"), WRONG_PIN);
	assert_result(guess(t, "d1", "203"), USER_LOCKED);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "203"), LOGGED_IN);
	assert_int_equal(t->r.session.way, HD_DESK_WAY_ADMIN);
	assert_int_equal(failures(t, 'u', "203"), 5);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "203"), UNCHANGED);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "204"), LOGGED_IN);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "999"), UNKNOWN_USER);
	assert_int_equal(failures(t, 'u', "999"), 0);
	disable_user(t, "202", true);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "202"), DISABLED);
	assert_int_equal(failures(t, 'u', "202"), 0);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGOUT, "d1", "204"), LOGGED_OUT);
	assert_result(by_admin(t, HD_DESK_EVENT_TOGGLE, "d1", "201"), LOGGED_IN);
	assert_result(by_admin(t, HD_DESK_EVENT_TOGGLE, "d1", ""), LOGGED_OUT);
	assert_result(by_admin(t, HD_DESK_EVENT_TOGGLE, "d1", ""), UNKNOWN_USER);
	t->policy.refuse_occupied = true;
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "201"), LOGGED_IN);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "204"), OCCUPIED);

	/* Prepared or not makes no difference. */
	ask(t, HD_DESK_EVENT_LOGIN, "d2", "201")->by_admin = true;
	assert_result(play(t, false), MOVED);
}

/* Between prepare and apply the directory may change. */
static void test_changed_meanwhile(void **state)
{
	struct test *t = *state;
	struct hd_desk_request late;

	/* Another PIN: the old one was right, and is not counted as wrong. */
	late = *ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	t->r = late;
	assert_ok(fixture_read(t->store, prepare_body, t));
	late = t->r;
	assert_ok(reading(t, get_user_body, "201"));
	fixture_set(t->user.pin_hash, sizeof(t->user.pin_hash), "another");
	assert_ok(hd_store_execute(t->store, put_user_body, t));
	late.pin_ok = true;
	t->r = late;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, WRONG_PIN);
	assert_int_equal(failures(t, 'u', "201"), 0);
	assert_int_equal(failures(t, 'p', "d1"), 0);

	/* The PIN was taken away. */
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_ok(fixture_read(t->store, prepare_body, t));
	late = t->r;
	t->user.pin_hash[0] = '\0';
	assert_ok(hd_store_execute(t->store, put_user_body, t));
	late.pin_ok = true;
	t->r = late;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, WRONG_PIN);
	assert_int_equal(failures(t, 'u', "201"), 0);

	/* The user is gone. */
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "202");
	assert_ok(fixture_read(t->store, prepare_body, t));
	late = t->r;
	assert_ok(writing(t, remove_user_body, "202"));
	late.pin_ok = true;
	t->r = late;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, UNKNOWN_USER);
}

static void test_session_walk(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .key = hd_slice_of("201"), .value = { "\x01\xff\xff\xff", 4 } };
	char name[40];

	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_result(login(t, "h3", "203"), LOGGED_IN);
	assert_ok(reading(t, next_session_body, NULL));
	assert_string_equal(t->session.user, "202");
	assert_ok(reading(t, next_session_body, "202"));
	assert_string_equal(t->session.phone, "h3");
	assert_int_equal(reading(t, next_session_body, "203"), HD_ENOENT);

	raw.table = t->desk->users;
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(reading(t, by_user_body, "201"), HD_ECORRUPT);
	assert_int_equal(reading(t, next_session_body, ""), HD_ECORRUPT);
	assert_string_equal(t->session.user, "201");
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_int_equal(fixture_read(t->store, prepare_body, t), HD_ECORRUPT);
	raw.value = (struct hd_slice){ "\x01", 1 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(reading(t, by_user_body, "201"), HD_ECORRUPT);

	memset(name, '3', sizeof(name));
	raw.key = (struct hd_slice){ name, sizeof(name) };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(reading(t, next_session_body, "203"), HD_ECORRUPT);

	assert_int_equal(reading(t, by_user_body, ""), HD_ENOENT);
	assert_int_equal(reading(t, by_phone_body, NULL), HD_ENOENT);
}

/* A record that cannot be read is an error of the request, not a decision. */
static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .value = { "\x01\xff\xff\xff\xff\xff\xff\xff", 8 } };
	static const char *const keys[] = { "201", "d1", "d1" };

	for (size_t i = 0; i < 3; i++) {
		struct test *fresh;
		void *fresh_state;

		setup(&fresh_state);
		fresh = fresh_state;
		raw.key = hd_slice_of(keys[i]);
		if (i == 0)
			assert_ok(hd_store_table(fresh->store, "user", &raw.table));
		else if (i == 1)
			assert_ok(hd_store_table(fresh->store, "phone", &raw.table));
		else
			raw.table = fresh->desk->phones;
		assert_ok(hd_store_execute(fresh->store, fixture_put_raw, &raw));
		(void)ask(fresh, HD_DESK_EVENT_LOGIN, "d1", "201");
		assert_int_equal(fixture_read(fresh->store, prepare_body, fresh), HD_ECORRUPT);
		assert_int_equal(hd_store_execute(fresh->store, apply_body, fresh), HD_ECORRUPT);
		teardown(&fresh_state);
	}
	assert_result(login(t, "d1", "201"), LOGGED_IN);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;
	struct hd_desk *desk;

	assert_int_equal(hd_desk_new(NULL, t->store, t->dir), HD_EINVAL);
	assert_int_equal(hd_desk_new(&desk, NULL, t->dir), HD_EINVAL);
	assert_int_equal(hd_desk_new(&desk, t->store, NULL), HD_EINVAL);
	assert_int_equal(hd_desk_prepare(NULL, &t->r), HD_EINVAL);
	assert_int_equal(hd_desk_apply(NULL, &t->r), HD_EINVAL);
	assert_int_equal(hd_store_execute(t->store, hd_desk_apply, NULL), HD_EINVAL);
	ask(t, HD_DESK_EVENT_COUNT, "d1", "201");
	assert_int_equal(fixture_read(t->store, prepare_body, t), HD_EINVAL);
	assert_int_equal(hd_store_execute(t->store, apply_body, t), HD_EINVAL);
	assert_int_equal(hd_desk_get_by_user(t->desk, NULL, "1", &t->session), HD_EINVAL);
	assert_int_equal(hd_desk_get_by_phone(t->desk, NULL, "1", &t->session), HD_EINVAL);
	assert_int_equal(hd_desk_next(t->desk, NULL, "1", &t->session), HD_EINVAL);
	assert_int_equal(hd_desk_count(t->desk, NULL, &t->count), HD_EINVAL);
	hd_desk_set_dummy(NULL, "x");
	hd_desk_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_login_and_move),
		T(test_idempotent),
		T(test_replace_and_refuse),
		T(test_logout),
		T(test_owned_phones),
		T(test_refusals),
		T(test_same_time),
		T(test_toggle),
		T(test_admin),
		T(test_changed_meanwhile),
		T(test_session_walk),
		T(test_damage),
		T(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
