/* test_calls.c - call lists: what is written, read, completed, removed. */
#include "fixture.h"

static uint64_t open_calls(struct test *t)
{
	uint64_t entries, open;
	struct hd_txn *txn;

	assert_int_equal(hd_store_begin_read(t->store, &txn), 0);
	assert_int_equal(hd_calls_count(t->calls, txn, &entries, &open), 0);
	hd_store_end_read(txn);
	return open;
}

static void test_both_sides(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = call_of("c1", noon);
	const struct hd_calls_entry *e = &t->page[0];

	text(r.forwarded_by, sizeof(r.forwarded_by), "203");
	write(t, &r, 1);
	write(t, &r, 1); /* told twice */
	assert_int_equal(list(t, "201"), 1);
	assert_int_equal(e->kind, HD_CALL_DIALLED);
	assert_string_equal(e->number, "202");
	assert_string_equal(e->name, "Ben");
	assert_string_equal(e->identity, "201");
	assert_string_equal(e->phone, "desk-1");
	assert_string_equal(e->forwarded_by, "203");
	assert_int_equal(e->started_ms, noon);
	assert_int_equal(e->ring_ms, 3000);
	assert_int_equal(e->duration_s, 60);
	assert_int_equal(e->status, 200);
	assert_int_equal(e->cause, 16);
	assert_true(e->answered && !e->incomplete);
	assert_int_equal(list(t, "202"), 1);
	assert_int_equal(e->kind, HD_CALL_RECEIVED);
	assert_string_equal(e->number, "201");
	assert_string_equal(e->identity, "202");
	assert_string_equal(e->phone, "desk-2");
	assert_string_equal(e->forwarded_to, "");
	assert_int_equal(list(t, "20"), 0);
	assert_int_equal(list(t, "2022"), 0);
	assert_int_equal(list(t, ""), 2);
}

/* The record of who has forwarded it: it has no caller's entry, and nobody there has answered. */
static void test_forwarded(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = call_of("c1", noon), bytes_of;
	uint8_t bytes[CALLS_RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;
	bool closed;

	r.caller.owner[0] = r.callee.phone[0] = '\0';
	r.ringing_ms = r.answered_ms = 0;
	text(r.forwarded_to, sizeof(r.forwarded_to), "203");
	write(t, &r, 1);
	assert_true(r.missed);
	assert_int_equal(list(t, "202"), 1);
	assert_int_equal(t->page[0].kind, HD_CALL_MISSED);
	assert_string_equal(t->page[0].forwarded_to, "203");
	assert_int_equal(t->page[0].ring_ms, 0);
	r.elsewhere = true;
	hd_calls_hash(r.hash, "c2", "tag");
	write(t, &r, 1);
	assert_false(r.missed);
	assert_int_equal(list(t, "202"), 2);
	assert_int_equal(list(t, "201"), 0);
	/* Of before there was such a thing. */
	hd_encoder_init(&e, bytes, sizeof(bytes), CALLS_OPEN_VERSION);
	assert_int_equal(calls_record_encode(&e, &r, false, &record), 0);
	memset(&bytes_of, 0, sizeof(bytes_of));
	record.len -= 2 + strlen("203");
	assert_int_equal(calls_record_decode(&bytes_of, &closed, record), 0);
	assert_string_equal(bytes_of.forwarded_to, "");
	assert_int_equal(bytes_of.status, 200);
}

/* In steps of one entry, and whatever the number is in. */
static void test_blank(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = call_of("c1", noon), other = call_of("c2", noon + 1000);
	struct hd_calls_blank b = { .calls = t->calls, .number = "201", .looks = 1 };
	uint64_t blanked = 0;
	int steps = 0;

	text(other.caller.owner, sizeof(other.caller.owner), "203");
	text(other.caller.number, sizeof(other.caller.number), "2011");
	text(other.callee.number, sizeof(other.callee.number), "201");
	text(other.forwarded_by, sizeof(other.forwarded_by), "201");
	text(other.forwarded_to, sizeof(other.forwarded_to), "201");
	write(t, &r, 1);
	write(t, &other, 1);
	/* Calls that go on: one of 201's, one to 201. */
	r = call_of("c3", noon + 2000);
	text(r.callee.owner, sizeof(r.callee.owner), "204");
	text(r.forwarded_to, sizeof(r.forwarded_to), "201");
	r.final = false;
	write(t, &r, 1);
	r = call_of("c4", noon + 3000);
	text(r.caller.owner, sizeof(r.caller.owner), "205");
	text(r.caller.number, sizeof(r.caller.number), "205");
	text(r.callee.owner, sizeof(r.callee.owner), "201");
	text(r.callee.number, sizeof(r.callee.number), "201");
	r.final = false;
	write(t, &r, 1);
	while (!b.done) {
		memcpy(b.from, b.at, sizeof(b.from));
		b.from_len = b.at_len;
		b.from_open = b.open;
		assert_int_equal(hd_store_execute(t->store, hd_calls_blank, &b), 0);
		blanked += b.blanked;
		assert_true(++steps < 10);
	}
	assert_int_equal(blanked, 5); /* of 202 two, of 203 one, two that are open */
	assert_int_equal(close_open(t), 0);
	assert_int_equal(list(t, "204"), 1);
	assert_true(t->page[0].withheld);
	assert_string_equal(t->page[0].number, "");
	assert_string_equal(t->page[0].name, "");
	assert_string_equal(t->page[0].forwarded_to, "");
	assert_int_equal(list(t, "205"), 1);
	assert_string_equal(t->page[0].number, "");
	assert_int_equal(list(t, "202"), 2);
	assert_string_equal(t->page[0].number, "2011");
	assert_string_equal(t->page[0].identity, "");
	assert_string_equal(t->page[0].forwarded_by, "");
	assert_string_equal(t->page[0].forwarded_to, "");
	assert_string_equal(t->page[1].identity, "202");
	assert_string_equal(t->page[1].number, "");
	assert_string_equal(t->page[1].name, "");
	assert_true(t->page[1].withheld);
	assert_int_equal(list(t, "201"), 1);
	assert_string_equal(t->page[0].number, "202");
	assert_string_equal(t->page[0].identity, "201");
}

/* What was written while the list was off stays hidden, what was before is there again. */
static void test_off(void **state)
{
	struct test *t = *state;
	struct hd_calls_query shown = { .owner = "202", .shown = true };
	struct hd_calls_record r;
	bool off = false;
	struct hd_calls_batch batch = {
		.calls = t->calls, .records = &r, .n = 1, .is_off = is_202, .arg = &off
	};

	for (int i = 0; i < 3; i++) {
		char id[] = { 'c', (char)('0' + i), '\0' };

		r = call_of(id, noon + i * 60000);
		off = i == 1;
		assert_int_equal(hd_store_execute(t->store, hd_calls_write, &batch), 0);
	}
	page(t, &shown, PAGE);
	assert_int_equal(t->n, 2);
	assert_int_equal(t->page[0].started_ms, noon + 120000);
	assert_int_equal(t->page[1].started_ms, noon);
	assert_int_equal(list(t, "202"), 3);
	assert_true(t->page[1].hidden);
	assert_int_equal(list(t, "201"), 3);
	assert_false(t->page[1].hidden);
	shown.looks = 2;
	page(t, &shown, PAGE);
	assert_int_equal(t->n, 1);
}

static void test_missed_withheld_elsewhere(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = call_of("c1", noon);

	r.answered_ms = 0;
	r.status = 487;
	r.withheld = true;
	write(t, &r, 1);
	assert_int_equal(list(t, "202"), 1);
	assert_int_equal(t->page[0].kind, HD_CALL_MISSED);
	assert_true(t->page[0].withheld);
	assert_string_equal(t->page[0].number, "");
	assert_string_equal(t->page[0].name, "");
	assert_int_equal(t->page[0].ring_ms, 63500);
	assert_int_equal(t->page[0].duration_s, 0);
	assert_int_equal(list(t, "201"), 1);
	assert_string_equal(t->page[0].number, "202");

	r = call_of("c2", noon + 1);
	r.answered_ms = 0;
	r.elsewhere = true;
	write(t, &r, 1);
	assert_int_equal(list(t, "202"), 2);
	assert_int_equal(t->page[0].kind, HD_CALL_RECEIVED);
	assert_true(t->page[0].elsewhere && !t->page[0].answered);
}

static void test_nobody_and_oneself(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = call_of("c1", noon);

	r.caller.owner[0] = '\0';
	write(t, &r, 1);
	assert_int_equal(list(t, ""), 1);
	r = call_of("c2", noon);
	text(r.callee.owner, sizeof(r.callee.owner), "201");
	write(t, &r, 1);
	assert_int_equal(list(t, "201"), 1);
	assert_int_equal(t->page[0].kind, HD_CALL_DIALLED);
}

static void test_clocks_that_jump(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r = call_of("c1", noon);

	r.answered_ms = noon - 5000;
	r.ended_ms = noon - 90000;
	write(t, &r, 1);
	r = call_of("c2", -7);
	r.ended_ms = INT64_MAX;
	r.status = 99999;
	r.cause = -3;
	write(t, &r, 1);
	assert_int_equal(list(t, "201"), 2);
	assert_int_equal(t->page[0].duration_s, 0);
	assert_int_equal(t->page[0].ring_ms, 0);
	assert_int_equal(t->page[1].status, 0);
	assert_int_equal(t->page[1].cause, 0);
	assert_int_equal(t->page[1].started_ms, 0);
	assert_int_equal(t->page[1].duration_s, UINT32_MAX);
}

/* Newest first, in pages, within a time, of a phone, of a kind. */
static void test_pages(void **state)
{
	struct test *t = *state;
	struct hd_calls_record r[20];
	struct hd_calls_query q = { .owner = "201" };
	uint8_t after[HD_CALLS_KEY_MAX];

	for (int i = 0; i < 20; i++) {
		char id[16];

		snprintf(id, sizeof(id), "c%d", i);
		r[i] = call_of(id, noon + (i * 7 % 20) * 1000);
		if (i % 2)
			text(r[i].caller.phone, sizeof(r[i].caller.phone), "desk-9");
	}
	write(t, r, 20);
	for (int seen = 0; seen < 20; seen += 6) {
		page(t, &q, 6);
		assert_int_equal(t->n, seen < 18 ? 6 : 2);
		for (size_t i = 0; i < t->n; i++)
			assert_int_equal(t->page[i].started_ms, noon + (19 - seen - (int)i) * 1000);
		memcpy(after, t->page[t->n - 1].key, t->page[t->n - 1].key_len);
		q.after = (struct hd_slice){ (char *)after, t->page[t->n - 1].key_len };
	}
	q = (struct hd_calls_query){ .owner = "201",
				     .from_ms = noon + 5000,
				     .until_ms = noon + 9000 };
	page(t, &q, PAGE);
	assert_int_equal(t->n, 4);
	assert_int_equal(t->page[0].started_ms, noon + 8000);
	q.owner = "";
	page(t, &q, PAGE);
	assert_int_equal(t->n, 8);
	q = (struct hd_calls_query){ .owner = "201", .phone = "desk-9" };
	page(t, &q, PAGE);
	assert_int_equal(t->n, 10);
	q = (struct hd_calls_query){ .owner = "201", .kinds = 1U << HD_CALL_MISSED };
	page(t, &q, PAGE);
	assert_int_equal(t->n, 0);
}

/* A crash in the middle: closed with what was known, and completed when its end is told later. */
static void test_crash(void **state)
{
	struct test *t = *state;
	struct hd_calls_record ringing = call_of("c1", noon), talking = call_of("c2", noon + 1),
			       end;

	ringing.final = talking.final = false;
	ringing.answered_ms = ringing.ended_ms = talking.ended_ms = 0;
	write(t, &ringing, 1);
	write(t, &talking, 1);
	assert_int_equal(open_calls(t), 2);
	assert_int_equal(list(t, "202"), 0);
	assert_int_equal(close_open(t), 0);
	assert_int_equal(list(t, "202"), 2);
	assert_int_equal(t->page[0].kind, HD_CALL_RECEIVED);
	assert_true(t->page[0].incomplete && t->page[0].answered);
	assert_int_equal(t->page[1].kind, HD_CALL_MISSED);

	end = (struct hd_calls_record){
		.learned = true, .final = true, .ended_ms = noon + 100000, .cause = 16
	};
	memcpy(end.hash, talking.hash, sizeof(end.hash));
	write(t, &end, 1);
	write(t, &end, 1);
	assert_int_equal(list(t, "202"), 2);
	assert_false(t->page[0].incomplete);
	assert_int_equal(t->page[0].duration_s, 95);
	assert_int_equal(t->page[0].cause, 16);
	assert_int_equal(open_calls(t), 1);

	/* One that nobody has ever heard of, and one that the next life does not hear of either. */
	memset(end.hash, 9, sizeof(end.hash));
	write(t, &end, 1);
	assert_int_equal(list(t, ""), 4);
	assert_int_equal(close_open(t), 0);
	assert_int_equal(open_calls(t), 0);
	assert_int_equal(list(t, ""), 4);
}

static void test_end_strikes_out(void **state)
{
	struct test *t = *state;
	struct hd_calls_record both[2] = { call_of("c1", noon), call_of("c1", noon) };

	both[0].final = false;
	write(t, both, 2);
	assert_int_equal(open_calls(t), 0);
	assert_int_equal(list(t, "201"), 1);
}

static int remove_owner(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_calls_remove(t->calls, txn, "201", &t->removed);
}

static void fill(struct test *t, int n)
{
	for (int i = 0; i < n; i++) {
		struct hd_calls_record r;
		char id[16];

		snprintf(id, sizeof(id), "f%d", i);
		r = call_of(id, noon + i * 1000);
		write(t, &r, 1);
	}
}

static void test_remove(void **state)
{
	struct test *t = *state;

	fill(t, 10);
	assert_int_equal(hd_store_execute(t->store, remove_owner, t), 0);
	assert_int_equal(t->removed, 10);
	assert_int_equal(list(t, "201"), 0);
	assert_int_equal(list(t, "202"), 10);
}

static void test_retention(void **state)
{
	struct test *t = *state;
	struct hd_calls_sweep *sweep = calloc(1, sizeof(*sweep));

	assert_non_null(sweep);
	fill(t, 40);
	sweep->calls = t->calls;
	sweep->max = 1000;
	sweep->looks = 7;
	sweep->older_than_ms = noon + 10000;
	sweep_all(t, sweep);
	assert_int_equal(list(t, "201"), 30);
	assert_int_equal(t->page[29].started_ms, noon + 10000);
	sweep->max = 12;
	sweep_all(t, sweep);
	assert_int_equal(list(t, "201"), 12);
	assert_int_equal(t->page[0].started_ms, noon + 39000);
	assert_int_equal(list(t, "202"), 12);
	free(sweep);
}

static void test_damaged(void **state)
{
	static const char *const bytes[] = { "", "\x02", "\x01\x63", "\x01\x01\x01\x01" };
	struct hd_calls_entry entry;
	struct hd_calls_record record;
	bool closed;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		assert_int_not_equal(calls_entry_decode(&entry, hd_slice_of(bytes[i])), 0);
	assert_int_not_equal(calls_record_decode(&record, &closed, hd_slice_of("")), 0);
	assert_int_not_equal(calls_record_decode(&record, &closed, hd_slice_of("\x01\x01\x05")), 0);
	assert_int_equal(calls_key_owner((struct hd_slice){ "201", 3 }), 0);
	assert_int_equal(calls_key_owner((struct hd_slice){ NULL, 0 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_sides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forwarded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blank, setup, teardown),
		cmocka_unit_test_setup_teardown(test_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missed_withheld_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_and_oneself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clocks_that_jump, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_strikes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
