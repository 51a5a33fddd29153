/* test_op.c - an operation that comes again is answered as before and neither done nor counted. */
#include "fixture.h"

static enum hd_desk_result again(struct test *t)
{
	struct hd_desk_request first = t->r;
	enum hd_desk_result result = play(t, true);

	assert_true(t->r.repeated);
	assert_memory_equal(&t->r.session, &first.session, sizeof(first.session));
	assert_string_equal(t->r.left_phone, first.left_phone);
	assert_string_equal(t->r.left_user, first.left_user);
	assert_int_equal(t->r.locked_now, first.locked_now);
	assert_int_equal(t->r.retry_at_ms, first.retry_at_ms);
	/* And if it was prepared before the first was done. */
	assert_ok(hd_store_execute(t->store, apply_body, t));
	assert_true(t->r.repeated);
	assert_int_equal(t->r.result, result);
	return result;
}

static void test_success(void **state)
{
	struct test *t = *state;
	struct hd_desk_request first;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_false(t->r.repeated);
	empty_outbox(t);
	assert_result(again(t), LOGGED_IN);
	assert_false(is_in_outbox(t, "d1"));

	assert_result(login(t, "d2", "202"), LOGGED_IN);
	assert_result(login(t, "d2", "201"), MOVED);
	first = t->r;
	assert_result(again(t), MOVED);
	/* Late, when the world has gone on: the old answer, and nothing happens. */
	assert_result(logout(t, "d2"), LOGGED_OUT);
	assert_result(again(t), LOGGED_OUT);
	t->r = first;
	assert_result(again(t), MOVED);
	assert_string_equal(sitting(t, "d2"), "");
}

static void test_refusals(void **state)
{
	struct test *t = *state;

	t->policy.lock_after = 2;
	assert_result(guess(t, "d1", "201"), WRONG_PIN);
	assert_result(again(t), WRONG_PIN);
	assert_int_equal(failures(t, 'u', "201"), 1);
	assert_int_equal(failures(t, 'p', "d1"), 1);
	/* The one that locked says so again, though the lock is on by now. */
	assert_result(guess(t, "d1", "201"), WRONG_PIN);
	assert_true(t->r.locked_now);
	assert_result(again(t), WRONG_PIN);
	assert_int_equal(failures(t, 'u', "201"), 2);
	assert_result(guess(t, "d1", "999"), UNKNOWN_USER);
	assert_result(again(t), UNKNOWN_USER);
	assert_int_equal(failures(t, 'u', "999"), 1);
	assert_result(login(t, "h1", "202"), CLOSED);
	assert_result(again(t), CLOSED);
}

/* Another phone's operation of the same id is another one. */
static void test_per_phone(void **state)
{
	struct test *t = *state;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	fixture_set(t->r.phone, sizeof(t->r.phone), "d2");
	assert_result(play(t, true), MOVED);
	assert_false(t->r.repeated);
}

static void test_last_four(void **state)
{
	struct test *t = *state;
	struct hd_desk_request ops[5];

	for (size_t i = 0; i < 5; i++) {
		assert_result(login(t, "d1", i % 2 ? "202" : "201"), LOGGED_IN);
		ops[i] = t->r;
	}
	for (size_t i = 1; i < 5; i++) {
		t->r = ops[i];
		assert_result(again(t), LOGGED_IN);
	}
	t->r = ops[0];
	assert_result(play(t, true), UNCHANGED);
	assert_false(t->r.repeated);
}

static void test_no_opid(void **state)
{
	struct test *t = *state;

	for (int i = 0; i < 3; i++) {
		memset(ask(t, HD_DESK_EVENT_LOGIN, "d1", "201")->opid, 0, HD_OPID_BYTES);
		assert_result(play(t, false), WRONG_PIN);
		assert_false(t->r.repeated);
	}
	assert_int_equal(failures(t, 'u', "201"), 3);
}

/* Nobody is kept out because a phone's memory is damaged. */
static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->desk->ops,
				   .key = hd_slice_of("d1"),
				   .value = { "\x01\x09", 2 } };

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_result(again(t), LOGGED_IN);
	raw.value = (struct hd_slice){ "\x02", 1 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	(void)ask(t, HD_DESK_EVENT_LOGIN, "d1", "201");
	assert_int_equal(fixture_read(t->store, prepare_body, t), HD_EVERSION);
	assert_int_equal(hd_store_execute(t->store, apply_body, t), HD_EVERSION);
}

static void test_codec(void **state)
{
	struct hd_op_list list = { .n = HD_OPS_KEPT }, got;
	uint8_t buf[HD_DESK_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;

	(void)state;
	/* The longest that can be has room in a record. */
	for (size_t i = 0; i < HD_OPS_KEPT; i++) {
		struct hd_op *op = &list.items[i];

		memset(op->opid, (int)i, sizeof(op->opid));
		op->result = (enum hd_desk_result)i;
		op->locked_now = true;
		op->retry_at_ms = INT64_MAX;
		memset(op->session.user, 'u', sizeof(op->session.user) - 1);
		memset(op->session.phone, 'p', sizeof(op->session.phone) - 1);
		op->session.epoch = UINT64_MAX;
		op->session.since_ms = 1;
		op->session.way = HD_DESK_WAY_FORM;
		memset(op->left_phone, 'p', sizeof(op->left_phone) - 1);
		memset(op->left_user, 'u', sizeof(op->left_user) - 1);
	}
	hd_encoder_init(&e, buf, sizeof(buf), HD_OP_VERSION);
	assert_ok(hd_op_list_encode(&e, &list, &record));
	assert_ok(hd_op_list_decode(&got, record));
	assert_memory_equal(&got, &list, sizeof(got));
	buf[2 + HD_OPID_BYTES] = HD_DESK_RESULT_COUNT;
	assert_int_equal(hd_op_list_decode(&got, record), HD_ECORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_success),
		T(test_refusals),
		T(test_per_phone),
		T(test_last_four),
		T(test_no_opid),
		T(test_damage),
		cmocka_unit_test(test_codec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
