/* test_location.c - the reading side of the location service. */
#include "fixture.h"

struct query {
	struct test *t;
	size_t room;
};

static int get_room(struct hd_txn *txn, void *arg)
{
	struct query *q = arg;

	q->t->n = q->room;
	return hd_location_get(q->t->loc, txn, "desk-1", q->t->now_ms, q->t->got, &q->t->n);
}

static int next_body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	t->n = HD_BINDINGS_MAX;
	return hd_location_next(t->loc, txn, t->name, t->now_ms, t->aor, t->got, &t->n);
}

static int count_body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_location_count(t->loc, txn, &t->count);
}

static int remove_body(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_location_remove(t->loc, txn, t->name);
}

static void test_get(void **state)
{
	struct test *t = *state;
	struct query q = { t, 1 };

	t->max = 3;
	request(t, "c1", 1);
	contact(t, "sip:a@h:1", 60)->q_permille = 1000;
	contact(t, "sip:a@h:2", 600)->q_permille = 900;
	contact(t, "sip:a@h:3", 600)->q_permille = 800;
	assert_ok(commit(t));

	/* The best ones when there is not room for all. */
	assert_ok(fixture_read(t->store, get_room, &q));
	assert_int_equal(t->n, 1);
	assert_string_equal(t->got[0].contact_uri, "sip:a@h:1");
	t->now_ms += 60000;
	assert_ok(fixture_read(t->store, get_room, &q));
	assert_string_equal(t->got[0].contact_uri, "sip:a@h:2");
	assert_string_equal(stored(t), "sip:a@h:2 sip:a@h:3");
	q.room = 0;
	assert_ok(fixture_read(t->store, get_room, &q));
	assert_int_equal(t->n, 0);

	t->name = "nobody";
	assert_string_equal(stored(t), "");
	t->name = "not a name";
	assert_string_equal(stored(t), "");
}

static void test_next(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->loc->bindings,
				   .key = hd_slice_of("b"),
				   .value = { "\x01\x09", 2 } };
	char long_name[HD_PHONE_ID_SIZE + 3];

	for (size_t i = 0; i < 3; i++) {
		t->name = names[i];
		assert_ok(add(t, "sip:a@h:1", "c1", 1));
	}
	t->name = NULL;
	assert_ok(fixture_read(t->store, next_body, t));
	assert_string_equal(t->aor, "a");
	assert_int_equal(t->n, 1);

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->name = "a";
	assert_int_equal(fixture_read(t->store, next_body, t), HD_ECORRUPT);
	assert_string_equal(t->aor, "b");
	t->name = "b";
	assert_ok(fixture_read(t->store, next_body, t));
	assert_string_equal(t->aor, "c");
	t->name = "c";
	assert_int_equal(fixture_read(t->store, next_body, t), HD_ENOENT);

	memset(long_name, 'x', sizeof(long_name));
	raw.key = (struct hd_slice){ long_name, sizeof(long_name) };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(fixture_read(t->store, next_body, t), HD_ECORRUPT);
	assert_string_equal(t->aor, "");

	assert_ok(fixture_read(t->store, count_body, t));
	assert_int_equal(t->count, 4);
}

static void test_remove(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->loc->bindings,
				   .key = hd_slice_of("desk-2"),
				   .value = { "\x01\x09", 2 } };

	t->max = 2;
	assert_ok(add(t, "sip:a@h:1", "c1", 1));
	assert_ok(add(t, "sip:a@h:2", "c2", 1));
	t->name = "desk-1";
	assert_ok(hd_store_execute(t->store, remove_body, t));
	assert_ok(hd_store_execute(t->store, remove_body, t));
	assert_string_equal(stored(t), "");
	assert_ok(fixture_read(t->store, check_index, t));
	t->name = "not a name";
	assert_ok(hd_store_execute(t->store, remove_body, t));

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->name = "desk-2";
	assert_ok(hd_store_execute(t->store, remove_body, t));
	assert_string_equal(stored(t), "");
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;
	struct hd_location *loc;

	assert_int_equal(hd_location_new(NULL, t->store), HD_EINVAL);
	assert_int_equal(hd_location_new(&loc, NULL), HD_EINVAL);
	assert_int_equal(hd_location_get(t->loc, NULL, "a", 0, t->got, &t->n), HD_EINVAL);
	assert_int_equal(hd_location_next(t->loc, NULL, "a", 0, t->aor, t->got, &t->n), HD_EINVAL);
	assert_int_equal(hd_location_remove(t->loc, NULL, "a"), HD_EINVAL);
	assert_int_equal(hd_location_count(t->loc, NULL, &t->count), HD_EINVAL);
	hd_location_free(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_get),
		T(test_next),
		T(test_remove),
		T(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
