/* test_client_timers.c - what we send: timers A, B, C, D, E, F, and CANCEL (RFC 3261 16, 17.1). */
#include "stack.h"

/* Timer A doubles from T1 without limit; Timer B ends it at 64*T1: 7 times, then 408. */
static void test_invite_unanswered(void **state)
{
	static const int gaps[] = { 500, 1000, 2000, 4000, 8000, 16000 };
	struct stack *s = *state;

	call_begins(s);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		stack_advance(s, gaps[i] - 1);
		peer_expect_nothing(&s->callee);
		stack_advance(s, 1);
		peer_expect(&s->callee, "INVITE ");
		peer_expect_nothing(&s->callee);
	}
	stack_advance(s, 64 * T1 - 31500 - 1);
	peer_expect_nothing(&s->callee);
	peer_expect_nothing(&s->caller);
	stack_advance(s, 1);
	peer_expect(&s->caller, "SIP/2.0 408 ");
	peer_expect_nothing(&s->callee);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/* A provisional response ends the retransmissions. */
static void test_invite_trying(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	stack_advance(s, T1);
	peer_expect(&s->callee, "INVITE ");
	peer_answer(s, &s->callee, "100 Trying", "");
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->callee);
	peer_expect_nothing(&s->caller); /* our own 100 was the only one */
	assert_int_equal(hd_proxy_open(s->proxy), 1);
}

static void callee_rings(struct stack *s)
{
	peer_answer(s, &s->callee, "180 Ringing", "t");
	peer_expect(&s->caller, "SIP/2.0 180 ");
}

/* What the callee says to a CANCEL, and the end of the call. */
static void callee_is_cancelled(struct stack *s)
{
	char invite[DATAGRAM_SIZE];

	memcpy(invite, s->callee.got, sizeof(invite));
	peer_expect(&s->callee, "CANCEL sip:callee@127.0.0.1");
	assert_non_null(strstr(s->callee.got, "CSeq: 1 CANCEL"));
	peer_answer(s, &s->callee, "200 OK", "t");
	memcpy(s->callee.got, invite, sizeof(invite));
	peer_answer(s, &s->callee, "487 Request Terminated", "t");
	peer_expect(&s->callee, "ACK ");
	peer_expect_nothing(&s->callee);
}

static void test_timer_c(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	callee_rings(s);
	stack_advance(s, TIMER_C_S * 1000 - 1);
	peer_expect_nothing(&s->callee);
	stack_advance(s, 1);
	callee_is_cancelled(s);
	peer_expect(&s->caller, "SIP/2.0 487 ");
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/* A 100 alone starts it as well: it ends Timer B. */
static void test_timer_c_after_100(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	peer_answer(s, &s->callee, "100 Trying", "");
	stack_advance(s, TIMER_C_S * 1000 - 1);
	peer_expect_nothing(&s->callee);
	stack_advance(s, 1);
	peer_expect(&s->callee, "CANCEL ");
}

/* 16.7 step 2: every provisional response but 100 sets it anew. */
static void test_timer_c_reset(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	callee_rings(s);
	stack_advance(s, 100000);
	callee_rings(s);
	stack_advance(s, TIMER_C_S * 1000 - 1);
	peer_expect_nothing(&s->callee);
	stack_advance(s, 1);
	peer_expect(&s->callee, "CANCEL ");
}

/* 9.1: who does not answer a CANCEL is given up after 64*T1. */
static void test_cancel_unanswered(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	callee_rings(s);
	caller_sends(s, "CANCEL", "sip:201@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	peer_expect(&s->callee, "CANCEL ");
	stack_advance(s, 64 * T1 - 1);
	assert_int_equal(peer_count(&s->callee, "CANCEL "), 10); /* Timer E */
	peer_expect_nothing(&s->caller);
	stack_advance(s, 1);
	peer_expect(&s->caller, "SIP/2.0 487 ");
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/* 9.1: no CANCEL before a provisional response; it follows the 180. */
static void test_cancel_waits(void **state)
{
	char invite[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_begins(s);
	memcpy(invite, s->callee.got, sizeof(invite));
	caller_sends(s, "CANCEL", "sip:201@hotdesk.test", "1", "", "Reason: SIP;cause=200\r\n");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	stack_advance(s, T1);
	peer_expect(&s->callee, "INVITE ");
	peer_expect_nothing(&s->callee);
	memcpy(s->callee.got, invite, sizeof(invite));
	peer_answer(s, &s->callee, "180 Ringing", "t");
	peer_expect(&s->caller, "SIP/2.0 180 ");
	peer_expect(&s->callee, "CANCEL ");
	assert_string_equal(peer_lines(&s->callee, "Reason"), "Reason: SIP;cause=200\r\n");
	memcpy(s->callee.got, invite, sizeof(invite));
	peer_answer(s, &s->callee, "487 Request Terminated", "t");
	peer_expect(&s->callee, "ACK ");
	peer_expect(&s->caller, "SIP/2.0 487 ");
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/* CANCEL and 200 cross: the 200 wins. */
static void test_cancel_crosses_200(void **state)
{
	char invite[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_begins(s);
	callee_rings(s);
	memcpy(invite, s->callee.got, sizeof(invite));
	caller_sends(s, "CANCEL", "sip:201@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	peer_expect(&s->callee, "CANCEL ");
	peer_answer(s, &s->callee, "481 Call/Transaction Does Not Exist", "t");
	memcpy(s->callee.got, invite, sizeof(invite));
	peer_answer(s, &s->callee, "200 OK", "t");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	assert_non_null(strstr(s->caller.got, "CSeq: 1 INVITE"));
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->callee);
	peer_expect_nothing(&s->caller);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/* Timer D: the ACK is repeated for each repetition for 32 s, and not after. */
static void busy_and_acked(struct stack *s)
{
	char ack[DATAGRAM_SIZE], invite[DATAGRAM_SIZE];

	memcpy(invite, s->callee.got, sizeof(invite));
	peer_answer(s, &s->callee, "486 Busy Here", "t");
	peer_expect(&s->caller, "SIP/2.0 486 ");
	caller_sends(s, "ACK", "sip:201@hotdesk.test", "1", "t", "");
	peer_expect(&s->callee, "ACK sip:callee@127.0.0.1");
	assert_non_null(strstr(s->callee.got, ";tag=t\r\n"));
	memcpy(ack, s->callee.got, sizeof(ack));
	stack_advance(s, 31000);
	memcpy(s->callee.got, invite, sizeof(invite));
	peer_answer(s, &s->callee, "486 Busy Here", "t");
	peer_expect(&s->callee, "ACK ");
	assert_string_equal(s->callee.got, ack);
	stack_advance(s, 2001); /* the sweep comes once a second */
	memcpy(s->callee.got, invite, sizeof(invite));
	peer_answer(s, &s->callee, "486 Busy Here", "t");
	peer_expect_nothing(&s->callee);
	peer_expect_nothing(&s->caller);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

static void test_timer_d(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	callee_rings(s);
	busy_and_acked(s);
}

/* The same, in the library's hands: no provisional response came first. */
static void test_timer_d_at_once(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	busy_and_acked(s);
}

/* RFC 6026: a repeated 2xx goes to the caller each time, also after an ACK that was lost. */
static void test_2xx_repeated(void **state)
{
	char invite[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_begins(s);
	callee_rings(s);
	memcpy(invite, s->callee.got, sizeof(invite));
	for (unsigned i = 0; i < 4; i++) {
		memcpy(s->callee.got, invite, sizeof(invite));
		peer_answer(s, &s->callee, "200 OK", "t");
		peer_expect(&s->caller, "SIP/2.0 200 ");
		assert_non_null(strstr(s->caller.got, ";branch=z9hG4bK1"));
		peer_expect_nothing(&s->caller);
		stack_advance(s, T2);
		peer_expect_nothing(&s->caller); /* we repeat nothing by ourselves */
	}
	stack_advance(s, 64 * T1);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/*
 * Timer E doubles to T2; then there is a 100 (RFC 4320 4.1). At Timer F nobody is told, nor when it
 * is repeated later (4.2).
 */
static void test_non_invite_unanswered(void **state)
{
	static const int gaps[] = { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000 };
	struct stack *s = *state;
	int sum = 0;

	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "2", "", "");
	peer_expect(&s->callee, "MESSAGE ");
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		stack_advance(s, gaps[i] - 1);
		peer_expect_nothing(&s->callee);
		stack_advance(s, 1);
		peer_expect(&s->callee, "MESSAGE ");
		sum += gaps[i];
	}
	stack_advance(s, 64 * T1 - sum);
	assert_int_equal(peer_count(&s->caller, "SIP/2.0 100 "), 1);
	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "2", "", "");
	assert_int_equal(peer_count(&s->caller, "SIP/2.0 100 "), 1);
	stack_advance(s, 64 * T1);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
	peer_expect_nothing(&s->caller);
	peer_expect_nothing(&s->callee);
}

/* A phone's own 408 for a non-INVITE is not passed on either. */
static void test_non_invite_408(void **state)
{
	struct stack *s = *state;

	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "2", "", "");
	peer_expect(&s->callee, "MESSAGE ");
	peer_answer(s, &s->callee, "408 Request Timeout", "t");
	stack_advance(s, 7 * T1 - 1);
	peer_expect_nothing(&s->caller);
	stack_advance(s, 1);
	peer_expect(&s->caller, "SIP/2.0 100 ");
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, stack_setup, stack_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_invite_unanswered), TEST(test_invite_trying),
		TEST(test_timer_c),	      TEST(test_timer_c_after_100),
		TEST(test_timer_c_reset),     TEST(test_cancel_unanswered),
		TEST(test_cancel_waits),      TEST(test_cancel_crosses_200),
		TEST(test_timer_d),	      TEST(test_timer_d_at_once),
		TEST(test_2xx_repeated),      TEST(test_non_invite_unanswered),
		TEST(test_non_invite_408),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
