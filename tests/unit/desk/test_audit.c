/* test_audit.c - what is written down, in what order, and how much of it. */
#include "fixture.h"

static bool next(struct test *t)
{
	int err = fixture_read(t->store, audit_next_body, t);

	if (err)
		assert_int_equal(err, HD_ENOENT);
	t->epoch = t->audit.epoch;
	t->sequence = t->audit.sequence;
	return !err;
}

static void expect(struct test *t, const char *want)
{
	char text[256];

	assert_true(next(t));
	(void)snprintf(text, sizeof(text), "%s %s %s %s %s<%s,%s%s",
		       hd_desk_event_name(t->audit.event), hd_desk_way_name(t->audit.way),
		       hd_desk_result_name(t->audit.result), t->audit.user, t->audit.phone,
		       t->audit.left_phone, t->audit.left_user, t->audit.locked ? " locked" : "");
	assert_string_equal(text, want);
}

static void test_what(void **state)
{
	struct test *t = *state;
	uint64_t epoch;

	t->policy.lock_after = 2;
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	epoch = t->r.session.epoch;
	assert_result(login(t, "d1", "201"), UNCHANGED);
	assert_result(login(t, "d2", "202"), LOGGED_IN);
	assert_result(login(t, "d2", "201"), MOVED);
	assert_result(toggle(t, "d2", ""), LOGGED_OUT);
	assert_result(logout(t, "d2"), UNCHANGED);
	assert_result(guess(t, "d1", "202"), WRONG_PIN);
	assert_result(guess(t, "d1", "202"), WRONG_PIN);
	assert_result(guess(t, "d1", "202"), USER_LOCKED);
	assert_result(by_admin(t, HD_DESK_EVENT_TOGGLE, "h3", "203"), LOGGED_IN);
	assert_ok(writing(t, end_user_body, "203"));

	expect(t, "login invite logged-in 201 d1<,");
	assert_int_equal(t->audit.epoch, epoch);
	assert_int_equal(t->audit.sequence, 1);
	assert_int_equal(t->audit.at_ms, START_MS);
	expect(t, "login invite logged-in 202 d2<,");
	expect(t, "login invite moved 201 d2<d1,202");
	expect(t, "logout invite logged-out 201 d2<,");
	expect(t, "login invite wrong-pin 202 d1<, locked");
	expect(t, "login admin logged-in 203 h3<,");
	expect(t, "logout admin logged-out 203 h3<,");
	assert_false(next(t));
}

struct setting {
	struct test *t;
	struct hd_audit_setting setting;
	int got;
};

static int setting_body(struct hd_txn *txn, void *arg)
{
	struct setting *s = arg;

	s->got = hd_audit_add_setting(s->t->desk, txn, &s->setting);
	return 0;
}

static int set(struct test *t, const char *user, const char *what, const char *to)
{
	struct setting s = { .t = t,
			     .setting = { .user = user,
					  .phone = "d1",
					  .way = HD_DESK_WAY_FORM,
					  .what = what,
					  .to = to,
					  .at_ms = 17 } };

	assert_ok(hd_store_execute(t->store, setting_body, &s));
	return s.got;
}

/* Beside logins, in one order; a number goes out of them, also as a target. */
static void test_settings(void **state)
{
	struct test *t = *state;
	struct hd_audit_blank b = { .desk = t->desk, .number = "202", .looks = 100 };
	char longest[2 * HD_AUDIT_WHAT_SIZE];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_int_equal(set(t, "201", "forward always on", "202"), 0);
	assert_int_equal(set(t, "202", longest, longest), 0);
	assert_int_equal(set(t, "201", "", ""), HD_EINVAL);
	assert_true(next(t));
	assert_string_equal(t->audit.what, "");
	assert_true(next(t));
	assert_string_equal(t->audit.what, "forward always on");
	assert_string_equal(t->audit.to, "202");
	assert_string_equal(t->audit.user, "201");
	assert_string_equal(t->audit.phone, "d1");
	assert_int_equal(t->audit.way, HD_DESK_WAY_FORM);
	assert_int_equal(t->audit.at_ms, 17);
	assert_true(next(t));
	assert_int_equal(strlen(t->audit.what), HD_AUDIT_WHAT_SIZE - 1);
	assert_string_equal(t->audit.user, "202");
	assert_false(next(t));

	assert_ok(hd_store_execute(t->store, hd_audit_blank, &b));
	assert_true(b.done);
	assert_int_equal(b.blanked, 2);
	t->epoch = t->sequence = 0;
	assert_true(next(t) && next(t));
	assert_string_equal(t->audit.user, "201");
	assert_string_equal(t->audit.to, "");
	assert_true(next(t));
	assert_string_equal(t->audit.user, "");
	assert_string_equal(t->audit.to, ""); /* the user's own name, or a number at home */
	assert_int_equal(strlen(t->audit.what), HD_AUDIT_WHAT_SIZE - 1);
}

/* In steps of two: the number goes, what happened stays. */
static void test_blank(void **state)
{
	struct test *t = *state;
	struct hd_audit_blank b = { .desk = t->desk, .number = "201", .looks = 2 };
	uint64_t blanked = 0;
	int steps = 0;

	assert_result(login(t, "d1", "201"), LOGGED_IN);
	assert_result(login(t, "d1", "202"), LOGGED_IN);
	assert_result(login(t, "d2", "201"), LOGGED_IN);
	assert_result(logout(t, "d2"), LOGGED_OUT);
	while (!b.done) {
		assert_ok(hd_store_execute(t->store, hd_audit_blank, &b));
		b.from.epoch = b.at.epoch;
		b.from.sequence = b.at.sequence;
		blanked += b.blanked;
		assert_true(++steps < 10);
	}
	assert_int_equal(blanked, 4);
	expect(t, "login invite logged-in  d1<,");
	expect(t, "login invite logged-in 202 d1<,");
	expect(t, "login invite logged-in  d2<,");
	expect(t, "logout invite logged-out  d2<,");
	assert_false(next(t));
}

struct many {
	struct test *t;
	unsigned n;
};

/* n logins and logouts that share one commit, as those of a batch do. */
static int many_body(struct hd_txn *txn, void *arg)
{
	struct many *m = arg;

	for (unsigned i = 0; i < m->n; i++) {
		m->t->r = (struct hd_desk_request){ .desk = m->t->desk,
						    .event = i % 2 ? HD_DESK_EVENT_LOGOUT
								   : HD_DESK_EVENT_LOGIN,
						    .by_admin = true,
						    .phone = "d1",
						    .user = "201",
						    .now_ms = i };
		assert_ok(hd_desk_apply(txn, &m->t->r));
	}
	return 0;
}

static void test_one_commit(void **state)
{
	struct test *t = *state;
	struct many m = { t, 100 };
	uint64_t epoch = 0;

	assert_ok(hd_store_execute(t->store, many_body, &m));
	for (unsigned i = 0; i < 100; i++) {
		assert_true(next(t));
		assert_int_equal(t->audit.at_ms, i);
		assert_int_equal(t->audit.sequence, i + 1);
		assert_true(i == 0 || t->audit.epoch == epoch);
		epoch = t->audit.epoch;
	}
	assert_false(next(t));
}

static int audit_count(struct hd_txn *txn, void *arg)
{
	struct test *t = arg;

	return hd_txn_count(txn, t->desk->audit, &t->count);
}

static void test_bounded(void **state)
{
	struct test *t = *state;
	struct many m = { t, HD_AUDIT_MAX - 50 };

	assert_ok(hd_store_execute(t->store, many_body, &m));
	m.n = 150;
	assert_ok(hd_store_execute(t->store, many_body, &m));
	assert_ok(reading(t, audit_count, ""));
	assert_int_equal(t->count, HD_AUDIT_MAX);
	assert_true(next(t));
	assert_int_equal(t->audit.sequence, 101); /* the oldest hundred are gone */
	/* Even if all are of one epoch: the order goes on. */
	m.n = HD_AUDIT_MAX + 10;
	assert_ok(hd_store_execute(t->store, many_body, &m));
	t->epoch = 0;
	assert_true(next(t));
	assert_int_equal(t->audit.sequence, 11);
	assert_ok(reading(t, audit_count, ""));
	assert_int_equal(t->count, HD_AUDIT_MAX);
}

static void test_damage(void **state)
{
	struct test *t = *state;
	struct fixture_raw raw = { .table = t->desk->audit,
				   .key = { "\0\0\0\0\0\0\0\1\0\0\0\2", 12 },
				   .value = { "\x01\xff", 2 } };

	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(fixture_read(t->store, audit_next_body, t), HD_ECORRUPT);
	assert_int_equal(t->audit.epoch, 1);
	assert_int_equal(t->audit.sequence, 2);
	t->epoch = 1;
	t->sequence = 2;
	assert_result(login(t, "d1", "201"), LOGGED_IN);
	expect(t, "login invite logged-in 201 d1<,");

	raw.key.len = 3;
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	t->epoch = 0;
	t->sequence = 0;
	assert_int_equal(hd_audit_next(t->desk, NULL, 0, 0, &t->audit), HD_EINVAL);
	raw.key = (struct hd_slice){ "\xff\xff", 2 };
	assert_ok(hd_store_execute(t->store, fixture_put_raw, &raw));
	assert_int_equal(fixture_read(t->store, audit_next_body, t), HD_ECORRUPT);
	assert_int_equal(t->audit.sequence, 2); /* behind the short key */
	t->epoch = UINT64_MAX >> 1;
	assert_int_equal(fixture_read(t->store, audit_next_body, t), HD_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what),	    T(test_blank),   T(test_settings),
		T(test_one_commit), T(test_bounded), T(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
