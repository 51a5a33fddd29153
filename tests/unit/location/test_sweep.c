/* test_sweep.c - expired bindings go by themselves. */
#include "fixture.h"

static int expired_body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	t->expired = hd_location_has_expired(t->loc, txn, t->now_ms);
	return 0;
}

static bool has_expired(struct test *t)
{
	assert_ok(fixture_read(t->store, expired_body, t));
	return t->expired;
}

static int count_body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_location_count(t->loc, txn, &t->count);
}

static void sweep(struct test *t, uint32_t max)
{
	t->sweep = (struct hd_location_sweep){ .loc = t->loc, .now_ms = t->now_ms, .max = max };
	assert_ok(hd_store_execute(t->store, hd_location_sweep, &t->sweep));
	assert_ok(fixture_read(t->store, count_body, t));
}

static void test_sweep(void **state)
{
	struct test *t = *state;

	t->max = 2;
	request(t, "c1", 1);
	(void)contact(t, "sip:a@h:1", 60);
	(void)contact(t, "sip:a@h:2", 120);
	assert_ok(commit(t));
	assert_false(has_expired(t));
	sweep(t, 10);
	assert_int_equal(t->sweep.removed, 0);

	t->now_ms += 59999;
	assert_false(has_expired(t));
	t->now_ms += 1;
	assert_true(has_expired(t));
	sweep(t, 10);
	assert_int_equal(t->sweep.removed, 1);
	assert_false(t->sweep.more);
	assert_false(has_expired(t));
	assert_string_equal(stored(t), "sip:a@h:2");
	assert_ok(fixture_read(t->store, check_index, t));

	/* A refresh moves the entry. */
	assert_ok(add(t, "sip:a@h:2", "c1", 2));
	t->now_ms += 60000;
	assert_false(has_expired(t));
	t->now_ms += 540000;
	sweep(t, 10);
	assert_int_equal(t->sweep.removed, 1);
	assert_int_equal(t->count, 0);
	assert_ok(fixture_read(t->store, check_index, t));
}

static void test_bounded(void **state)
{
	struct test *t = *state;
	char name[32];

	t->name = name;
	for (int i = 0; i < 25; i++) {
		(void)snprintf(name, sizeof(name), "desk-%d", i);
		assert_ok(add(t, "sip:a@h:1", "c1", 1));
	}
	t->now_ms += 600000;
	for (int left = 15; left > 0; left -= 10) {
		sweep(t, 10);
		assert_int_equal(t->sweep.removed, 10);
		assert_true(t->sweep.more);
		assert_int_equal(t->count, left);
	}
	sweep(t, 5);
	assert_int_equal(t->sweep.removed, 5);
	assert_false(t->sweep.more);
	assert_int_equal(t->count, 0);
}

/* Entries that lead nowhere and records that cannot be read do not stop it. */
static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->loc->bindings,
				   .key = hd_slice_of("desk-1"),
				   .value = { "\x01\x09", 2 } };

	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	raw = (struct fixture_raw){ .table = t->loc->expiries,
				    .key = { "\0\0\0\0\0\0\0\1gone", 12 } };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	raw.key = (struct hd_slice){ "short", 5 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->name = "desk-2";
	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	t->now_ms += 600000;
	sweep(t, 10);
	assert_int_equal(t->sweep.removed, 1);
	assert_int_equal(t->count, 0);
	assert_false(has_expired(t));
	sweep(t, 10);
	assert_ok(fixture_read(t->store, check_index, t));
}

/* A record of a newer version is not ours to throw away. */
static void test_newer(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->loc->bindings,
				   .key = hd_slice_of("desk-1"),
				   .value = { "\x02", 1 } };

	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->now_ms += 600000;
	t->sweep = (struct hd_location_sweep){ .loc = t->loc, .now_ms = t->now_ms, .max = 1 };
	assert_int_equal(hd_store_execute(t->store, hd_location_sweep, &t->sweep), HD_EVERSION);
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;

	assert_int_equal(hd_location_sweep(NULL, &t->sweep), HD_EINVAL);
	assert_int_equal(hd_store_execute(t->store, hd_location_sweep, NULL), HD_EINVAL);
	assert_int_equal(hd_store_execute(t->store, hd_location_sweep, &t->sweep), HD_EINVAL);
	assert_false(hd_location_has_expired(NULL, NULL, 0));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sweep), T(test_bounded),	      T(test_damage),
		T(test_newer), T(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
