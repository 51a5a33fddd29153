/*
 * test_model.c - invariant 1 under thousands of random operations, against a model of two arrays.
 *
 * The model is written from design.md's sentences and shares nothing with the desk's table.
 */
#include "fixture.h"

enum { USERS = 8, PHONES = 10, NOBODY = -1, STEPS = 4000 };

struct model {
	int phone_of[USERS]; /* or NOBODY */
	int user_at[PHONES];
	int owner[PHONES];
	bool roaming[USERS], user_off[USERS], phone_off[PHONES];
	uint64_t epoch_of[USERS];
	bool told[PHONES]; /* false: stands in the outbox */
};

static uint32_t seed;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static const char *user_name(int u)
{
	static const char names[USERS + 1][5] = { "200", "201", "202", "203", "204",
						  "205", "206", "207", "999" };

	return u == NOBODY ? "" : names[u];
}

static const char *phone_name(int p)
{
	static const char names[PHONES][5] = { "d0", "d1", "d2", "d3", "d4",
					       "d5", "d6", "d7", "d8", "d9" };

	return names[p];
}

static void model_end(struct model *m, int user)
{
	int phone = user == NOBODY ? NOBODY : m->phone_of[user];

	if (phone == NOBODY)
		return;
	m->phone_of[user] = NOBODY;
	m->user_at[phone] = NOBODY;
	m->told[phone] = false;
}

static enum hd_desk_result model_logout(struct model *m, int phone)
{
	if (m->user_at[phone] == NOBODY)
		return HD_DESK_RESULT_UNCHANGED;
	model_end(m, m->user_at[phone]);
	return HD_DESK_RESULT_LOGGED_OUT;
}

static enum hd_desk_result model_login(struct model *m, const struct hd_desk_request *r, int phone,
				       int user, bool pin_right)
{
	bool elsewhere;

	if (user == USERS)
		return HD_DESK_RESULT_UNKNOWN_USER;
	if (!r->by_admin && !pin_right)
		return HD_DESK_RESULT_WRONG_PIN;
	if (m->user_off[user])
		return HD_DESK_RESULT_DISABLED;
	if (m->owner[phone] != NOBODY && m->owner[phone] != user)
		return HD_DESK_RESULT_CLOSED;
	if (m->user_at[phone] == user)
		return HD_DESK_RESULT_UNCHANGED;
	if (m->owner[phone] == NOBODY && !m->roaming[user] && !r->by_admin)
		return HD_DESK_RESULT_NO_PERMISSION;
	if (m->user_at[phone] != NOBODY && r->policy.refuse_occupied)
		return HD_DESK_RESULT_OCCUPIED;

	elsewhere = m->phone_of[user] != NOBODY;
	model_end(m, m->user_at[phone]);
	model_end(m, user);
	m->phone_of[user] = phone;
	m->user_at[phone] = user;
	m->told[phone] = false;
	return elsewhere ? HD_DESK_RESULT_MOVED : HD_DESK_RESULT_LOGGED_IN;
}

static enum hd_desk_result model_event(struct model *m, const struct hd_desk_request *r, int phone,
				       int user, bool pin_right)
{
	enum hd_desk_event event = r->event;

	if (m->phone_off[phone])
		return HD_DESK_RESULT_DISABLED;
	if (event == HD_DESK_EVENT_TOGGLE)
		event = m->user_at[phone] != NOBODY && m->user_at[phone] == user
				? HD_DESK_EVENT_LOGOUT
				: HD_DESK_EVENT_LOGIN;
	return event == HD_DESK_EVENT_LOGOUT ? model_logout(m, phone)
					     : model_login(m, r, phone, user, pin_right);
}

static void random_event(struct test *t, struct model *m)
{
	int phone = (int)below(PHONES), user = (int)below(USERS + 1);
	enum hd_desk_event event = (enum hd_desk_event)below(HD_DESK_EVENT_COUNT);
	bool pin_right = below(4) > 0, admin = below(5) == 0;
	enum hd_desk_result want, got;
	uint64_t before = user < USERS ? m->epoch_of[user] : 0;

	t->policy.refuse_occupied = below(4) == 0;
	ask(t, event, phone_name(phone), event == HD_DESK_EVENT_LOGOUT ? "" : user_name(user))
		->by_admin = admin;
	got = play(t, pin_right);
	want = model_event(m, &t->r, phone, user, pin_right);
	if (got != want)
		fail_msg("%s of %s at %s: %s, expected %s", hd_desk_event_name(event),
			 user_name(user), phone_name(phone), hd_desk_result_name(got),
			 hd_desk_result_name(want));

	if (got == HD_DESK_RESULT_LOGGED_IN || got == HD_DESK_RESULT_MOVED) {
		/* Epochs only grow. */
		assert_true(t->r.session.epoch > before);
		m->epoch_of[user] = t->r.session.epoch;
	}
}

/* A change of the directory with what the administrator's commands do after it. */
static void random_directory(struct test *t, struct model *m)
{
	int u = (int)below(USERS), p = (int)below(PHONES);

	switch (below(4)) {
	case 0:
		m->owner[p] = below(2) ? u : NOBODY;
		break;
	case 1:
		m->roaming[u] = below(3) > 0;
		break;
	case 2:
		m->user_off[u] = below(4) == 0;
		break;
	default:
		m->phone_off[p] = below(4) == 0;
	}
	add_user(t, user_name(u), m->roaming[u]);
	if (m->user_off[u])
		disable_user(t, user_name(u), true);
	add_phone(t, phone_name(p), user_name(m->owner[p]));
	if (m->phone_off[p])
		disable_phone(t, phone_name(p), true);

	assert_ok(writing(t, settle_body, ""));
	for (int i = 0; i < USERS; i++) {
		int at = m->phone_of[i];

		if (at != NOBODY && (m->user_off[i] || m->phone_off[at] ||
				     (m->owner[at] != NOBODY && m->owner[at] != i)))
			model_end(m, i);
	}
}

static void compare(struct test *t, const struct model *m)
{
	uint64_t sessions = 0;

	for (int p = 0; p < PHONES; p++) {
		assert_string_equal(sitting(t, phone_name(p)), user_name(m->user_at[p]));
		if (is_in_outbox(t, phone_name(p)) == m->told[p])
			fail_msg("%s should %sbe in the outbox", phone_name(p),
				 m->told[p] ? "not " : "");
	}
	for (int u = 0; u < USERS; u++) {
		if (m->phone_of[u] == NOBODY)
			continue;
		sessions++;
		assert_ok(reading(t, by_user_body, user_name(u)));
		assert_string_equal(t->session.phone, phone_name(m->phone_of[u]));
		assert_int_equal(t->session.epoch, m->epoch_of[u]);
	}
	assert_sound(t);
	assert_int_equal(t->check.sessions, sessions);
}

static void play_rounds(struct test *t, uint32_t first)
{
	struct model m = { .epoch_of = { 0 } };

	seed = first;
	/* Lock-outs have tests of their own. */
	t->policy.lock_after = t->policy.hard_lock_after = t->policy.phone_tries = 0;
	for (int u = 0; u < USERS; u++) {
		m.phone_of[u] = NOBODY;
		m.roaming[u] = u != 3;
		add_user(t, user_name(u), m.roaming[u]);
	}
	for (int p = 0; p < PHONES; p++) {
		m.user_at[p] = m.owner[p] = NOBODY;
		m.told[p] = true;
		add_phone(t, phone_name(p), "");
	}
	for (int i = 0; i < STEPS; i++) {
		t->now_ms += 1000;
		if (below(20) == 0) {
			random_directory(t, &m);
		} else if (below(30) == 0) {
			empty_outbox(t);
			memset(m.told, true, sizeof(m.told));
		} else {
			random_event(t, &m);
		}
		if (i % 5 == 0)
			compare(t, &m);
	}
	compare(t, &m);
}

static void test_model(void **state)
{
	static const uint32_t seeds[] = { 1, 20261123, 0xdeadbeef };

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		struct test t = { .policy = default_policy, .now_ms = START_MS };

		t.way = HD_DESK_WAY_ADMIN;
		t.store = fixture_store();
		open_desk(&t);
		play_rounds(&t, seeds[i]);
		hd_desk_free(t.desk);
		hd_directory_free(t.dir);
		hd_store_close(t.store);
	}
}

struct rush {
	struct test *t;
	uint32_t n;
};

/* Prepared on the same snapshot and applied in one commit: as concurrent requests are. */
static int rush_body(struct hd_txn *txn, void *arg)
{
	struct rush *rush = arg;
	struct test *t = rush->t;

	for (uint32_t i = 0; i < rush->n; i++) {
		ask(t, HD_DESK_EVENT_LOGIN, phone_name((int)below(PHONES)),
		    user_name((int)below(USERS)));
		assert_ok(hd_desk_prepare(txn, &t->r));
		t->r.pin_ok = true;
		assert_ok(hd_desk_apply(txn, &t->r));
		assert_true(hd_desk_result_is_success(t->r.result));
	}
	return 0;
}

static void test_one_commit(void **state)
{
	struct test *t = *state;
	struct rush rush = { t, 64 };

	seed = 7;
	for (int u = 0; u < USERS; u++)
		add_user(t, user_name(u), true);
	for (int p = 0; p < PHONES; p++)
		add_phone(t, phone_name(p), "");
	for (int i = 0; i < 50; i++) {
		assert_ok(hd_store_execute(t->store, rush_body, &rush));
		assert_sound(t);
		assert_in_range(t->check.sessions, 1, USERS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		T(test_one_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
