/* test_server_timers.c - what we answer: timers G, H, I, J and repetitions (RFC 3261 17.2). */
#include "stack.h"

static const struct hd_slice no_body = { NULL, 0 };

struct answerer {
	struct hd_irq *irq;
	unsigned acks, gone, requests;
};

static void on_irq(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg)
{
	struct answerer *a = arg;

	(void)msg;
	a->acks += event == HD_IRQ_ACK;
	if (event == HD_IRQ_GONE) {
		a->gone++;
		hd_irq_free(irq);
		a->irq = NULL;
	}
}

static void refuse(struct stack *s, struct hd_request *req)
{
	struct answerer *a = s->arg;

	a->requests++;
	assert_int_equal(hd_irq_new(&a->irq, req, on_irq, a), 0);
	hd_irq_reply(a->irq, 486, NULL, NULL, no_body);
}

static void call_refused(struct stack *s, struct answerer *a)
{
	s->receive = refuse;
	s->arg = a;
	caller_sends(s, "INVITE", "sip:201@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 486 ");
	peer_expect_nothing(&s->caller);
}

/* The tag that we put into To. */
static void tag_of(char *tag, size_t size, const struct peer *p)
{
	const char *found = strstr(peer_lines(p, "To"), ";tag=");

	assert_non_null(found);
	snprintf(tag, size, "%.*s", (int)strcspn(found + 5, ";\r\n"), found + 5);
}

/* Timer G doubles to T2; Timer H ends it at 64*T1 without an ACK. */
static void test_refusal_not_acked(void **state)
{
	static const int gaps[] = { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000 };
	struct answerer a = { 0 };
	struct stack *s = *state;

	call_refused(s, &a);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		stack_advance(s, gaps[i] - 1);
		peer_expect_nothing(&s->caller);
		stack_advance(s, 1);
		peer_expect(&s->caller, "SIP/2.0 486 ");
		peer_expect_nothing(&s->caller);
	}
	assert_int_equal(a.gone, 0);
	stack_advance(s, 500);
	assert_int_equal(a.gone, 1);
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
	assert_int_equal(a.acks, 0);
}

static void test_refusal_acked(void **state)
{
	struct answerer a = { 0 };
	struct stack *s = *state;
	char tag[64];

	call_refused(s, &a);
	stack_advance(s, T1);
	peer_expect(&s->caller, "SIP/2.0 486 ");
	tag_of(tag, sizeof(tag), &s->caller);
	caller_sends(s, "ACK", "sip:201@hotdesk.test", "1", tag, "");
	assert_int_equal(a.acks, 1);
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
	assert_int_equal(a.requests, 1);
	hd_irq_free(a.irq);
}

/* A repeated INVITE gets the same answer again, and nobody above hears of it. */
static void test_invite_repeated(void **state)
{
	struct answerer a = { 0 };
	struct stack *s = *state;

	call_refused(s, &a);
	caller_sends(s, "INVITE", "sip:201@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 486 ");
	peer_expect_nothing(&s->caller);
	assert_int_equal(a.requests, 1);
	hd_irq_free(a.irq);
}

/* Letting go of it does not end the repetitions. */
static void test_refusal_freed(void **state)
{
	struct answerer a = { 0 };
	struct stack *s = *state;

	call_refused(s, &a);
	hd_irq_free(a.irq);
	stack_advance(s, T1);
	peer_expect(&s->caller, "SIP/2.0 486 ");
	stack_advance(s, 64 * T1 - T1);
	assert_int_equal(peer_count(&s->caller, "SIP/2.0 486 "), 9);
}

/* Through the proxy: the caller's side has a Timer G of its own. */
static void test_forwarded_refusal(void **state)
{
	struct stack *s = *state;

	call_begins(s);
	peer_answer(s, &s->callee, "486 Busy Here", "t");
	peer_expect(&s->callee, "ACK ");
	peer_expect(&s->caller, "SIP/2.0 486 ");
	stack_advance(s, T1);
	peer_expect(&s->caller, "SIP/2.0 486 ");
	caller_sends(s, "ACK", "sip:201@hotdesk.test", "1", "t", "");
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
	peer_expect_nothing(&s->callee);
}

/* Timer J: a repeated request gets the stored answer for 64*T1. */
static void test_non_invite_repeated(void **state)
{
	struct answerer a = { 0 };
	struct stack *s = *state;

	s->receive = refuse;
	s->arg = &a;
	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "3", "", "");
	peer_expect(&s->caller, "SIP/2.0 486 ");
	stack_advance(s, 64 * T1 - 1);
	peer_expect_nothing(&s->caller); /* never by itself */
	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "3", "", "");
	peer_expect(&s->caller, "SIP/2.0 486 ");
	assert_int_equal(a.requests, 1);
	hd_irq_free(a.irq);
	a.irq = NULL;
	stack_advance(s, T2);
	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "3", "", "");
	assert_int_equal(a.requests, 2);
	hd_irq_free(a.irq);
}

static void test_transactions_max(void **state)
{
	struct hd_agent_limits limits = { .transactions_max = 0, .header_max = 100 };
	struct stack *s = *state;

	hd_agent_set_limits(s->agent, &limits);
	caller_sends(s, "INVITE", "sip:201@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 503 ");
	assert_string_not_equal(peer_lines(&s->caller, "Retry-After"), "");
	peer_expect_nothing(&s->callee);
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller); /* stateless */
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, stack_setup, stack_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refusal_not_acked), TEST(test_refusal_acked),
		TEST(test_invite_repeated),   TEST(test_refusal_freed),
		TEST(test_forwarded_refusal), TEST(test_non_invite_repeated),
		TEST(test_transactions_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
