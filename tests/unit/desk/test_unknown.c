/* test_unknown.c - counters of numbers that do not exist are bounded, the oldest go first. */
#include "fixture.h"

struct counts {
	struct test *t;
	unsigned numbers, order, users, other;
};

static int count_kinds(struct hd_txn *txn, void *arg)
{
	struct counts *c = arg;
	struct hd_slice key = { NULL, 0 }, value;

	c->numbers = c->order = c->users = c->other = 0;
	while (!hd_txn_next(txn, c->t->desk->lockouts, key, &key, &value)) {
		if (key.ptr[0] == 'x')
			c->numbers++;
		else if (key.ptr[0] == 'o')
			c->order++;
		else if (key.ptr[0] == 'u')
			c->users++;
		else
			c->other++;
	}
	return 0;
}

static void expect_kept(struct test *t, unsigned n)
{
	struct counts c = { .t = t };

	assert_ok(fixture_read(t->store, count_kinds, &c));
	assert_int_equal(c.numbers, n);
	assert_int_equal(c.order, n);
}

static void try_number(struct test *t, unsigned n)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "9%04u", n);
	t->policy.phone_tries = 0;
	(void)guess(t, "d1", number);
	t->now_ms += 10;
}

static uint32_t kept(struct test *t, unsigned n)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "9%04u", n);
	return failures(t, 'u', number);
}

static void test_bounded(void **state)
{
	struct test *t = *state;

	t->policy.unknown_max = 20;
	for (unsigned i = 0; i < 20; i++)
		try_number(t, i);
	expect_kept(t, 20);
	try_number(t, 0); /* again: the oldest is 1 now */
	expect_kept(t, 20);
	try_number(t, 20);
	expect_kept(t, 20);
	assert_int_equal(kept(t, 0), 2);
	assert_int_equal(kept(t, 1), 0);
	assert_int_equal(kept(t, 2), 1);
	for (unsigned i = 100; i < 600; i++)
		try_number(t, i);
	expect_kept(t, 20);
	assert_int_equal(kept(t, 599), 1);
	assert_int_equal(kept(t, 579), 0);

	/* A smaller number of a reload is kept to at the next try. */
	t->policy.unknown_max = 5;
	try_number(t, 700);
	expect_kept(t, 5);
	assert_int_equal(kept(t, 700), 1);
	assert_int_equal(kept(t, 599), 1);

	/* Those of users do not count, and 0 keeps none. */
	t->policy.unknown_max = 0;
	(void)guess(t, "d1", "201");
	try_number(t, 800);
	expect_kept(t, 5);
	assert_int_equal(kept(t, 800), 0);
	assert_int_equal(failures(t, 'u', "201"), 1);
}

static void test_unlock(void **state)
{
	struct test *t = *state;

	t->policy.unknown_max = 3;
	for (unsigned i = 0; i < 3; i++)
		try_number(t, i);
	assert_ok(writing(t, unlock_user_body, "90001"));
	expect_kept(t, 2);
	try_number(t, 3);
	expect_kept(t, 3);
	assert_int_equal(kept(t, 0), 1);
	try_number(t, 4);
	expect_kept(t, 3);
	assert_int_equal(kept(t, 0), 0);
}

/* A number that becomes a user's begins at nought. */
static void test_becomes_known(void **state)
{
	struct test *t = *state;

	for (int i = 0; i < 5; i++)
		assert_result(guess(t, "d1", "205"), UNKNOWN_USER);
	assert_result(guess(t, "d1", "205"), USER_LOCKED);
	add_user(t, "205", true);
	assert_result(login(t, "d1", "205"), LOGGED_IN);
}

static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->desk->lockouts,
				   .key = hd_slice_of("n:"),
				   .value = { "\x01\xff", 2 } };

	t->policy.unknown_max = 3;
	try_number(t, 0);
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	try_number(t, 1);
	assert_int_equal(kept(t, 1), 1);

	/* The count says there are some, and there is no order to tell which. */
	raw.value = (struct hd_slice){ "\x01\xff\0\0\0", 5 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	try_number(t, 2);
	assert_int_equal(kept(t, 2), 1);
	try_number(t, 3);
	try_number(t, 4);
	assert_int_equal(kept(t, 4), 1);

	raw.key = hd_slice_of("x:90004");
	raw.value = (struct hd_slice){ "\x01\xff", 2 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_ok(writing(t, unlock_user_body, "90004"));
	try_number(t, 4);
	assert_int_equal(kept(t, 4), 1);

	raw.key = hd_slice_of("n:");
	raw.value = (struct hd_slice){ "\x02", 1 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "90009");
	assert_ok(fixture_read(t->store, prepare_body, t));
	assert_int_equal(hd_store_execute(t->store, apply_body, t), HD_EVERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bounded),
		T(test_unlock),
		T(test_becomes_known),
		T(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
