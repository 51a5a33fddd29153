/* test_notify_timers.c - phones are told at least once: repetitions, retries, restarts. */
#include "notify_world.h"

static void is_told(struct stack *s, const char *status)
{
	peer_answer(s, &s->callee, status, "t");
	commit(s);
	assert_int_equal(outbox(s), HD_ENOENT);
	stack_advance(s, 3 * RETRY_MAX_S * 1000);
	peer_expect_nothing(&s->callee);
}

static void test_told(void **state)
{
	struct stack *s = *state;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, "NOTIFY sip:desk-1@127.0.0.1");
	assert_string_equal(peer_lines(&s->callee, "Event"), "Event: check-sync;reboot=false\r\n");
	assert_string_equal(peer_lines(&s->callee, "Subscription-State"),
			    "Subscription-State: terminated\r\n");
	assert_int_equal(outbox(s), 0);
	is_told(s, "200 OK");
}

/* What the phone makes of it is its own. */
static void test_refused(void **state)
{
	struct stack *s = *state;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, "NOTIFY ");
	is_told(s, "489 Bad Event");
}

/* After each Timer F: 30 s, 60 s, then 100 s for ever. */
static void test_unanswered(void **state)
{
	static const int gaps[] = { 30, 60, 100, 100 };
	char call_id[DATAGRAM_SIZE];
	struct stack *s = *state;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, "NOTIFY ");
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		snprintf(call_id, sizeof(call_id), "%s", peer_lines(&s->callee, "Call-ID"));
		stack_advance(s, 64 * T1);
		assert_int_equal(peer_count(&s->callee, "NOTIFY "), 10); /* Timer E */
		stack_advance(s, gaps[i] * 1000 - 1);
		peer_expect_nothing(&s->callee);
		assert_int_equal(outbox(s), 0);
		stack_advance(s, 1);
		peer_expect(&s->callee, "NOTIFY ");
		assert_string_not_equal(peer_lines(&s->callee, "Call-ID"), call_id);
	}
	is_told(s, "200 OK");
}

static void test_busy_phone(void **state)
{
	struct stack *s = *state;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, "NOTIFY ");
	peer_answer(s, &s->callee, "503 Service Unavailable", "t");
	stack_advance(s, RETRY_S * 1000 - 1);
	peer_expect_nothing(&s->callee);
	stack_advance(s, 1);
	peer_expect(&s->callee, "NOTIFY ");
	is_told(s, "200 OK");
}

static void test_not_registered(void **state)
{
	struct stack *s = *state;

	changes(s, HD_DESK_EVENT_LOGIN);
	stack_advance(s, 3 * RETRY_MAX_S * 1000);
	peer_expect_nothing(&s->callee);
	assert_int_equal(outbox(s), 0);
	registers(s);
	peer_expect(&s->callee, "NOTIFY ");
	is_told(s, "200 OK");
}

/* A registration does not wait for the retry. */
static void test_registers_meanwhile(void **state)
{
	struct stack *s = *state;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	stack_advance(s, 64 * T1 + 1000);
	assert_int_equal(peer_count(&s->callee, "NOTIFY "), 11);
	hd_notify_bound(((struct world *)s->arg)->notify, "desk-1");
	stack_settle(s);
	peer_expect(&s->callee, "NOTIFY ");
	is_told(s, "200 OK");
}

/* A change during a NOTIFY is told by another one; two before an answer, by one. */
static void test_changes_meanwhile(void **state)
{
	struct stack *s = *state;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, "NOTIFY ");
	changes(s, HD_DESK_EVENT_LOGOUT);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect_nothing(&s->callee);
	peer_answer(s, &s->callee, "200 OK", "t");
	commit(s);
	peer_expect(&s->callee, "NOTIFY ");
	peer_expect_nothing(&s->callee);
	is_told(s, "200 OK");
}

/* The answer was lost in a restart: told again. */
static void test_restart(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	registers(s);
	changes(s, HD_DESK_EVENT_LOGIN);
	peer_expect(&s->callee, "NOTIFY ");
	hd_notify_free(w->notify);
	peer_answer(s, &s->callee, "200 OK", "t");
	commit(s);
	assert_int_equal(outbox(s), 0);
	notify_opens(s);
	hd_notify_wake(w->notify);
	stack_settle(s);
	peer_expect(&s->callee, "NOTIFY ");
	is_told(s, "200 OK");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_told),
		TEST(test_refused),
		TEST(test_unanswered),
		TEST(test_busy_phone),
		TEST(test_not_registered),
		TEST(test_registers_meanwhile),
		TEST(test_changes_meanwhile),
		TEST(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
