/* test_lockout.c - wrong PINs lock, for how long, and what unlocks. */
#include "fixture.h"

static const char *const phones[] = { "d1", "d2", "d3", "d4", "d5", "d6", "d7" };

/* Many phones, so that theirs do not lock before the user's. */
static int setup_phones(void **state)
{
	struct test *t;

	setup(state);
	t = *state;
	add_phone(t, "d4", "");
	add_phone(t, "d5", "");
	add_phone(t, "d6", "");
	add_phone(t, "d7", "");
	return 0;
}

/* n wrong tries, none of which may be refused before it is counted. */
static void fail_n(struct test *t, const char *number, unsigned n)
{
	static unsigned next;

	while (n-- > 0) {
		enum hd_desk_result r = guess(t, phones[next++ % 7], number);

		if (r != HD_DESK_RESULT_WRONG_PIN && r != HD_DESK_RESULT_UNKNOWN_USER)
			fail_msg("%s: %s, %u to go", number, hd_desk_result_name(r), n);
	}
}

static void assert_locked_for(struct test *t, const char *number, int64_t in_ms)
{
	int64_t now_ms = t->now_ms;

	t->now_ms = now_ms + in_ms - 1;
	assert_result(login(t, "d1", number), USER_LOCKED);
	assert_int_equal(t->r.retry_at_ms, now_ms + in_ms);
	assert_false(t->r.locked_now);
	t->now_ms = now_ms;
}

static void test_doubling(void **state)
{
	static const int64_t minutes[] = { 15, 30, 60, 120, 240, 480, 960, 1440, 1440 };
	static const char *const numbers[] = { "201",
					       "999" }; /* one that exists, one that does not */
	struct test *t = *state;

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 9; k++) {
			fail_n(t, numbers[i], 4);
			assert_false(t->r.locked_now);
			fail_n(t, numbers[i], 1);
			assert_true(t->r.locked_now);
			assert_int_equal(t->r.retry_at_ms, t->now_ms + minutes[k] * 60000);
			assert_int_equal(failures(t, 'u', numbers[i]), 5 * (k + 1));
			assert_locked_for(t, numbers[i], minutes[k] * 60000);
			/* Not counted while it lasts. */
			assert_int_equal(failures(t, 'u', numbers[i]), 5 * (k + 1));
			t->now_ms += minutes[k] * 60000;
		}
		/* The fiftieth: until unlocked. */
		fail_n(t, numbers[i], 5);
		assert_true(t->r.locked_now);
		assert_int_equal(t->r.retry_at_ms, 0);
		t->now_ms += INT64_C(20) * 365 * 86400 * 1000;
		assert_result(login(t, "d1", numbers[i]), USER_LOCKED);
		assert_int_equal(t->r.retry_at_ms, 0);
		t->kind = 'u';
		assert_ok(reading(t, lock_body, numbers[i]));
		assert_true(t->lock.locked_until_ms == INT64_MAX);
		assert_ok(writing(t, unlock_user_body, numbers[i]));
		assert_int_equal(writing(t, unlock_user_body, numbers[i]), HD_ENOENT);
		assert_int_equal(failures(t, 'u', numbers[i]), 0);
	}
	assert_result(login(t, "d1", "201"), LOGGED_IN);
}

static void test_success_resets(void **state)
{
	struct test *t = *state;

	for (int i = 0; i < 5; i++) {
		fail_n(t, "201", 4);
		assert_true(hd_desk_result_is_success(login(t, "d1", "201")));
		t->now_ms += 600000;
	}
	fail_n(t, "201", 4);
	fail_n(t, "201", 1);
	assert_true(t->r.locked_now);
	/* After the lock the count goes on where it was, and a success ends it. */
	t->now_ms += 900000;
	fail_n(t, "201", 4);
	assert_result(login(t, "d2", "201"), MOVED);
	assert_int_equal(failures(t, 'u', "201"), 0);
}
/* The right PIN is refused as well while a lock that began meanwhile lasts. */
static void test_locked_meanwhile(void **state)
{
	struct test *t = *state;
	struct hd_desk_request late;

	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_ok(fixture_read(t->store, prepare_body, t));
	late = t->r;
	fail_n(t, "201", 5);
	late.pin_ok = true;
	t->r = late;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, USER_LOCKED);
	assert_int_equal(t->r.retry_at_ms, t->now_ms + 900000);
	assert_int_equal(failures(t, 'u', "201"), 5);
	assert_string_equal(sitting(t, "d1"), "");
}

static void test_phone_window(void **state)
{
	struct test *t = *state;
	char number[16];

	/* Ten different numbers in ten minutes, the window sliding. */
	for (int i = 0; i < 9; i++) {
		(void)snprintf(number, sizeof(number), "30%d", i);
		assert_result(guess(t, "d1", number), UNKNOWN_USER);
		t->now_ms += 60000;
	}
	assert_int_equal(failures(t, 'p', "d1"), 9);
	t->now_ms += 60000; /* the first is ten minutes old: out */
	assert_result(guess(t, "d1", "400"), UNKNOWN_USER);
	assert_false(t->r.locked_now);
	assert_int_equal(failures(t, 'p', "d1"), 9);
	assert_result(guess(t, "d1", "401"), UNKNOWN_USER);
	assert_true(t->r.locked_now);
	assert_int_equal(t->r.retry_at_ms, t->now_ms + 600000);

	/* Closed for everybody, but not to leave, and not elsewhere. */
	assert_result(login(t, "d1", "201"), PHONE_LOCKED);
	assert_int_equal(t->r.retry_at_ms, t->now_ms + 600000);
	assert_result(login(t, "d2", "201"), LOGGED_IN);
	assert_result(by_admin(t, HD_DESK_EVENT_LOGIN, "d1", "202"), LOGGED_IN);
	assert_result(logout(t, "d1"), LOGGED_OUT);
	assert_result(toggle(t, "d1", "201"), PHONE_LOCKED);

	t->now_ms += 600000;
	assert_result(login(t, "d1", "201"), MOVED);
	assert_int_equal(failures(t, 'p', "d1"), 0);

	for (int i = 0; i < 10; i++) {
		(void)snprintf(number, sizeof(number), "50%d", i);
		assert_result(guess(t, "d1", number), UNKNOWN_USER);
	}
	assert_result(guess(t, "d1", "510"), PHONE_LOCKED);
	assert_ok(writing(t, unlock_phone_body, "d1"));
	assert_int_equal(writing(t, unlock_phone_body, "d1"), HD_ENOENT);
	assert_result(guess(t, "d1", "510"), UNKNOWN_USER);
}

/* A phone's lock that began meanwhile refuses the right PIN too. */
static void test_phone_locked_meanwhile(void **state)
{
	struct test *t = *state;
	struct hd_desk_request late;

	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "202");
	assert_ok(fixture_read(t->store, prepare_body, t));
	late = t->r;
	t->policy.phone_tries = 3;
	for (int i = 0; i < 3; i++)
		(void)guess(t, "d1", "201");
	assert_true(t->r.locked_now);
	late.pin_ok = true;
	t->r = late;
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_result(t->r.result, PHONE_LOCKED);
	assert_int_equal(failures(t, 'u', "202"), 0);
}

/* Numbers of the configuration at their edges. */
static void test_policy(void **state)
{
	struct test *t = *state;

	t->policy.lock_after = 0;
	t->policy.hard_lock_after = 0;
	t->policy.phone_tries = 0;
	for (int i = 0; i < 120; i++)
		assert_result(guess(t, "d1", "201"), WRONG_PIN);
	assert_int_equal(failures(t, 'u', "201"), 120);
	assert_int_equal(failures(t, 'p', "d1"), 0);
	assert_result(login(t, "d1", "201"), LOGGED_IN);

	/* The longest lock caps the first one. */
	t->policy.lock_after = 1;
	t->policy.lock_s = 1000;
	t->policy.lock_max_s = 10;
	assert_result(guess(t, "d1", "202"), WRONG_PIN);
	assert_int_equal(t->r.retry_at_ms, t->now_ms + 10000);
	t->now_ms += 10000;

	/* Nothing overflows. */
	t->policy.lock_s = UINT32_MAX;
	t->policy.lock_max_s = UINT32_MAX;
	for (int i = 0; i < 70; i++) {
		assert_result(guess(t, "d1", "202"), WRONG_PIN);
		assert_true(t->r.locked_now);
		assert_true(t->r.retry_at_ms > t->now_ms);
		t->now_ms += (int64_t)UINT32_MAX * 1000;
	}
	t->now_ms = INT64_MAX - 5;
	(void)guess(t, "d1", "203");
	assert_true(t->r.retry_at_ms > t->now_ms);
}

/* More tries than a record holds: it locks then, whatever the configuration says. */
static void test_tries_max(void **state)
{
	struct test *t = *state;

	t->policy.lock_after = 0;
	t->policy.hard_lock_after = 0;
	t->policy.phone_tries = 1000;
	for (int i = 0; i < HD_DESK_TRIES_MAX - 1; i++)
		assert_result(guess(t, "d1", "201"), WRONG_PIN);
	assert_false(t->r.locked_now);
	assert_result(guess(t, "d1", "201"), WRONG_PIN);
	assert_true(t->r.locked_now);
	assert_result(guess(t, "d1", "201"), PHONE_LOCKED);
}

/* Closed and occupied are told to who knew the PIN: no failures, and no pardon either. */
static void test_not_counted(void **state)
{
	struct test *t = *state;

	fail_n(t, "202", 3);
	assert_result(login(t, "h1", "202"), CLOSED);
	assert_int_equal(failures(t, 'u', "202"), 3);
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	t->policy.refuse_occupied = true;
	assert_result(login(t, "d1", "202"), OCCUPIED);
	assert_int_equal(failures(t, 'u', "202"), 3);
	/* Without the permission the right PIN counts as a wrong one, at an occupied phone too. */
	assert_result(login(t, "d1", "203"), NO_PERMISSION);
	assert_int_equal(failures(t, 'u', "203"), 1);
}

/* A damaged counter gives nobody new tries; unlocking mends it. */
static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->desk->lockouts,
				   .key = hd_slice_of("u:201"),
				   .value = { "\x01\x01", 2 } };

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_int_equal(fixture_read(t->store, prepare_body, t), HD_ECORRUPT);
	assert_int_equal(hd_store_execute(t->store, apply_body, t), HD_ECORRUPT);
	t->kind = 'u';
	assert_int_equal(reading(t, lock_body, "201"), HD_ECORRUPT);
	assert_ok(writing(t, unlock_user_body, "201"));
	assert_result(login(t, "d1", "201"), LOGGED_IN);

	raw.key = hd_slice_of("p:d1");
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_int_equal(fixture_read(t->store, prepare_body, t), HD_ECORRUPT);
	assert_ok(writing(t, unlock_phone_body, "d1"));
	assert_result(login(t, "d1", "201"), UNCHANGED);
}

static void test_codec(void **state)
{
	struct hd_lockout lockout = { .failures = 7, .locked_until_ms = INT64_MAX, .last_ms = 3 };
	struct hd_lockout got;
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;

	(void)state;
	for (size_t i = 0; i < HD_DESK_TRIES_MAX; i++)
		lockout.tries[i] = (int64_t)i + 1;
	lockout.n_tries = HD_DESK_TRIES_MAX;
	hd_encoder_init(&e, buf, sizeof(buf), HD_LOCKOUT_VERSION);
	assert_ok(hd_lockout_encode(&e, &lockout, &record));
	assert_ok(hd_lockout_decode(&got, record));
	assert_memory_equal(&got, &lockout, sizeof(got));
	buf[1 + 4 + 8 + 8] = HD_DESK_TRIES_MAX + 1;
	assert_int_equal(hd_lockout_decode(&got, record), HD_ECORRUPT);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_desk_unlock_user(t->desk, NULL, "1"), HD_EINVAL);
	assert_int_equal(hd_desk_unlock_phone(t->desk, NULL, "1"), HD_EINVAL);
	assert_int_equal(writing(t, unlock_user_body, "a b"), HD_ENOENT);
	assert_int_equal(writing(t, unlock_phone_body, "a b"), HD_ENOENT);
	t->kind = 'x';
	assert_int_equal(reading(t, lock_body, "201"), HD_EINVAL);
	t->kind = 'p';
	assert_int_equal(reading(t, lock_body, ""), HD_ENOENT);
}

#define P(name) cmocka_unit_test_setup_teardown(name, setup_phones, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		P(test_doubling),
		P(test_success_resets),
		P(test_locked_meanwhile),
		P(test_phone_window),
		P(test_phone_locked_meanwhile),
		P(test_policy),
		P(test_tries_max),
		P(test_not_counted),
		P(test_damage),
		cmocka_unit_test(test_codec),
		P(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
