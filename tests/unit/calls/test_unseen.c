/* test_unseen.c - missed calls that were not looked at: which are counted, and until when. */
#include "fixture.h"

static int remove_202(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_calls_remove(t->calls, txn, "202", &t->removed);
}

static uint32_t unseen(struct test *t, const char *owner, const char *phone)
{
	struct hd_txn *txn;
	uint32_t n = 99;

	assert_int_equal(hd_store_begin_read(t->store, &txn), 0);
	assert_int_equal(hd_calls_unseen(t->calls, txn, owner, phone, &n), 0);
	hd_store_end_read(txn);
	return n;
}

static void see(struct test *t, const char *owner, const char *phone)
{
	struct hd_calls_seen seen = { .calls = t->calls };

	text(seen.owner, sizeof(seen.owner), owner);
	text(seen.phone, sizeof(seen.phone), phone);
	assert_int_equal(hd_store_execute(t->store, hd_calls_seen, &seen), 0);
}

static struct hd_calls_record missed_call(const char *call_id, int64_t started_ms,
					  const char *phone)
{
	struct hd_calls_record r = call_of(call_id, started_ms);

	r.answered_ms = 0;
	text(r.callee.phone, sizeof(r.callee.phone), phone);
	return r;
}

/* Missed calls that were not looked at: each once, by phone, whoever has looked. */
static void test_unseen(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = missed_call("c1", noon, "desk-2"), answered;

	write(t, &r, 1);
	assert_true(r.missed);
	write(t, &r, 1); /* told twice */
	assert_false(r.missed);
	assert_int_equal(unseen(t, "202", NULL), 1);
	assert_int_equal(unseen(t, "201", NULL), 0);
	answered = call_of("c2", noon + 1);
	write(t, &answered, 1);
	assert_false(answered.missed);
	r = missed_call("c3", noon + 2, "desk-22");
	r.elsewhere = true;
	write(t, &r, 1);
	assert_false(r.missed);
	r = missed_call("c4", noon + 3, "desk-22");
	write(t, &r, 1);
	r = missed_call("c5", noon + 4, "");
	write(t, &r, 1);
	assert_int_equal(unseen(t, "202", NULL), 3);
	assert_int_equal(unseen(t, "202", "desk-2"), 1);
	assert_int_equal(unseen(t, "202", "desk-22"), 1);
	assert_int_equal(unseen(t, "20", NULL), 0);
	see(t, "20", "");
	see(t, "202", "desk-22");
	assert_int_equal(unseen(t, "202", NULL), 2);
	see(t, "202", "");
	assert_int_equal(unseen(t, "202", NULL), 0);
	/* It rang while the others were looked at. */
	r = missed_call("c6", noon - 1000, "desk-2");
	write(t, &r, 1);
	assert_int_equal(unseen(t, "202", NULL), 1);
	/* What was missed as far as the crash knew, and had been answered. */
	r = missed_call("c7", noon + 7, "desk-2");
	r.final = false;
	write(t, &r, 1);
	assert_int_equal(close_open(t), 0);
	assert_int_equal(unseen(t, "202", NULL), 2);
	r.final = r.learned = true;
	r.answered_ms = noon + 8;
	write(t, &r, 1);
	assert_int_equal(unseen(t, "202", NULL), 1);
}

/* None that nobody can find: hidden, removed, gone with their time; and not more than fit. */
static void test_unseen_of_what_is_there(void **state)
{
	struct test *t = *state;
	struct hd_calls_sweep *sweep = calloc(1, sizeof(*sweep));
	struct hd_calls_record r = missed_call("c1", noon, "desk-2");
	bool off = true;
	struct hd_calls_batch batch = {
		.calls = t->calls, .records = &r, .n = 1, .is_off = is_202, .arg = &off
	};

	assert_non_null(sweep);
	assert_int_equal(hd_store_execute(t->store, hd_calls_write, &batch), 0);
	assert_false(r.missed);
	assert_int_equal(unseen(t, "202", NULL), 0);
	for (int i = 0; i < HD_CALLS_UNSEEN_MAX + 7; i++) {
		char id[16];

		snprintf(id, sizeof(id), "m%d", i);
		r = missed_call(id, noon + i * 1000, "desk-2");
		write(t, &r, 1);
	}
	assert_int_equal(unseen(t, "202", NULL), HD_CALLS_UNSEEN_MAX);
	sweep->calls = t->calls;
	sweep->max = 4;
	sweep->looks = 1000;
	sweep_all(t, sweep);
	assert_int_equal(unseen(t, "202", "desk-2"), 4);
	assert_int_equal(hd_store_execute(t->store, remove_202, t), 0);
	assert_int_equal(unseen(t, "202", NULL), 0);
	r = missed_call("c9", noon, "desk-2");
	write(t, &r, 1);
	assert_int_equal(unseen(t, "202", NULL), 1);
	free(sweep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unseen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unseen_of_what_is_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
