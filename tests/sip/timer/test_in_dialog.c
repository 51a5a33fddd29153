/* test_in_dialog.c - requests inside a dialog: by token and without memory (RFC 3261 16.11). */
#include "stack.h"

/* Sets up a call; the route set is left in route, without the field's name. */
static void call_is_up(struct stack *s, char route[DATAGRAM_SIZE])
{
	const char *lines;

	call_begins(s);
	lines = peer_lines(&s->callee, "Record-Route");
	assert_true(strlen(lines) > 14);
	snprintf(route, DATAGRAM_SIZE, "%.*s", (int)strcspn(lines + 14, "\r"), lines + 14);
	peer_answer(s, &s->callee, "200 OK", "t");
	peer_expect(&s->caller, "SIP/2.0 200 ");
}

/* In the dialog, by either side; branch names the transaction. */
static void sends(struct stack *s, bool by_caller, const char *method, const char *branch,
		  const char *route)
{
	struct peer *from = by_caller ? &s->caller : &s->callee;
	struct peer *to = by_caller ? &s->callee : &s->caller;

	peer_send(s, from,
		  "%s sip:%s@127.0.0.1:%u SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
		  "Route: %s\r\nFrom: <sip:x@hotdesk.test>;tag=%s\r\n"
		  "To: <sip:y@hotdesk.test>;tag=%s\r\nCall-ID: call@127.0.0.1\r\nCSeq: %u %s\r\n"
		  "Content-Length: 0\r\n\r\n",
		  method, by_caller ? "callee" : "101", to->port, from->port, branch, route,
		  by_caller ? "f" : "t", by_caller ? "t" : "f",
		  strcmp(method, "ACK") == 0 ? 1U : 2U, method);
}

static void test_both_ways(void **state)
{
	char route[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_is_up(s, route);
	sends(s, true, "ACK", "a", route);
	peer_expect(&s->callee, "ACK sip:callee@127.0.0.1");
	assert_string_equal(peer_lines(&s->callee, "Route"), "");
	sends(s, true, "INFO", "b", route);
	peer_expect(&s->callee, "INFO ");
	assert_string_equal(peer_lines(&s->callee, "Max-Forwards"), "Max-Forwards: 69\r\n");
	peer_answer(s, &s->callee, "200 OK", "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	assert_null(strstr(s->caller.got, "z9hG4bKst"));
	sends(s, false, "BYE", "c", route);
	peer_expect(&s->caller, "BYE sip:101@127.0.0.1");
	peer_answer(s, &s->caller, "200 OK", "");
	peer_expect(&s->callee, "SIP/2.0 200 ");
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
	peer_expect_nothing(&s->callee);
	assert_int_equal(hd_proxy_open(s->proxy), 0);
}

/* The sender repeats, we keep nothing; and each repetition is the same transaction downstream. */
static void test_repeated(void **state)
{
	char route[DATAGRAM_SIZE], first[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_is_up(s, route);
	sends(s, true, "BYE", "b", route);
	peer_expect(&s->callee, "BYE ");
	memcpy(first, s->callee.got, sizeof(first));
	stack_advance(s, T2);
	peer_expect_nothing(&s->callee);
	sends(s, true, "BYE", "b", route);
	peer_expect(&s->callee, "BYE ");
	assert_string_equal(s->callee.got, first);
	sends(s, true, "BYE", "other", route);
	peer_expect(&s->callee, "BYE ");
	assert_string_not_equal(peer_lines(&s->callee, "Via"), "");
	assert_null(strstr(first, peer_lines(&s->callee, "Via")));
}

/* A restart in between: the key is the same, and that is all there is to know. */
static void test_restart(void **state)
{
	struct hd_proxy_options o = { .realm = "hotdesk.test",
				      .limits = { TIMER_C_S, 70, 60, 100 },
				      .t1_ms = T1,
				      .t2_ms = T2 };
	char route[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_is_up(s, route);
	sends(s, true, "BYE", "b", route);
	peer_expect(&s->callee, "BYE ");
	hd_proxy_free(s->proxy);
	o.agent = s->agent;
	o.clock = &s->clock.clock;
	memset(&o.key, 7, sizeof(o.key));
	assert_int_equal(hd_proxy_new(&s->proxy, &o), 0);
	peer_answer(s, &s->callee, "200 OK", "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	sends(s, false, "BYE", "c", route);
	peer_expect(&s->caller, "BYE ");
}

/* Another key: nothing of before counts. */
static void test_other_key(void **state)
{
	struct hd_proxy_options o = { .realm = "hotdesk.test",
				      .limits = { TIMER_C_S, 70, 60, 100 },
				      .t1_ms = T1,
				      .t2_ms = T2 };
	char route[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_is_up(s, route);
	sends(s, true, "BYE", "b", route);
	peer_expect(&s->callee, "BYE ");
	hd_proxy_free(s->proxy);
	o.agent = s->agent;
	o.clock = &s->clock.clock;
	memset(&o.key, 8, sizeof(o.key));
	assert_int_equal(hd_proxy_new(&s->proxy, &o), 0);
	peer_answer(s, &s->callee, "200 OK", "");
	peer_expect_nothing(&s->caller);
	sends(s, false, "BYE", "c", route);
	peer_expect(&s->callee, "SIP/2.0 403 ");
	peer_expect_nothing(&s->caller);
}

/* Responses that no request of ours can have. */
static void answers_bent(struct stack *s, const char *via, const char *cseq, const char *status)
{
	peer_send(s, &s->callee,
		  "SIP/2.0 %s\r\n%sFrom: <sip:x@hotdesk.test>;tag=f\r\n"
		  "To: <sip:y@hotdesk.test>;tag=t\r\nCall-ID: call@127.0.0.1\r\n%s"
		  "Content-Length: 0\r\n\r\n",
		  status, via, cseq);
}

static void test_responses(void **state)
{
	char route[DATAGRAM_SIZE], via[DATAGRAM_SIZE], cseq[64], bent[DATAGRAM_SIZE];
	struct stack *s = *state;
	char *p;

	call_is_up(s, route);
	sends(s, true, "BYE", "b", route);
	peer_expect(&s->callee, "BYE ");
	snprintf(via, sizeof(via), "%s", peer_lines(&s->callee, "Via"));
	snprintf(cseq, sizeof(cseq), "%s", peer_lines(&s->callee, "CSeq"));
	answers_bent(s, via, "CSeq: 2 INVITE\r\n", "200 OK");
	answers_bent(s, via, "CSeq: 3 BYE\r\n", "200 OK");
	answers_bent(s, via, cseq, "408 Request Timeout"); /* RFC 4320 4.2 */
	answers_bent(s, via, cseq, "100 Trying");
	memcpy(bent, via, sizeof(bent)); /* another branch */
	p = strstr(bent, "z9hG4bKst");
	assert_non_null(p);
	p[12] = p[12] == '0' ? '1' : '0';
	answers_bent(s, bent, cseq, "200 OK");
	memcpy(bent, via, sizeof(bent)); /* another way back */
	p = strstr(bent, "z9hG4bKb");
	assert_non_null(p);
	p[7] = 'c';
	answers_bent(s, bent, cseq, "200 OK");
	memcpy(bent, via, sizeof(bent)); /* none */
	*(strstr(bent, "\r\n") + 2) = '\0';
	answers_bent(s, bent, cseq, "200 OK");
	peer_expect_nothing(&s->caller);
	answers_bent(s, via, cseq, "200 OK");
	peer_expect(&s->caller, "SIP/2.0 200 ");
}

/* A token of another call, of nobody, and a Route that is not ours. */
static void test_forged(void **state)
{
	char route[DATAGRAM_SIZE], bent[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_is_up(s, route);
	memcpy(bent, route, sizeof(bent));
	bent[10] = bent[10] == 'A' ? 'B' : 'A';
	sends(s, true, "BYE", "b", bent);
	peer_expect(&s->caller, "SIP/2.0 403 ");
	snprintf(bent, sizeof(bent), "<sip:127.0.0.1:%u;lr>", s->callee.port);
	sends(s, true, "BYE", "c", bent);
	peer_expect(&s->caller, "SIP/2.0 403 ");
	peer_expect_nothing(&s->callee);
}

/* A strict router before us: our Route came as the Request-URI, the target as the last Route. */
static void test_strict(void **state)
{
	char route[DATAGRAM_SIZE], uri[DATAGRAM_SIZE];
	struct stack *s = *state;

	call_is_up(s, route);
	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(route + 1, ">"), route + 1);
	peer_send(s, &s->caller,
		  "BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs\r\n"
		  "Max-Forwards: 70\r\nRoute: <sip:callee@127.0.0.1:%u>\r\n"
		  "From: <sip:x@hotdesk.test>;tag=f\r\nTo: <sip:y@hotdesk.test>;tag=t\r\n"
		  "Call-ID: call@127.0.0.1\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n",
		  uri, s->caller.port, s->callee.port);
	peer_expect(&s->callee, "BYE sip:callee@127.0.0.1");
	assert_string_equal(peer_lines(&s->callee, "Route"), "");
}

static void test_max_forwards(void **state)
{
	struct stack *s = *state;

	peer_send(s, &s->caller,
		  "OPTIONS sip:201@hotdesk.test SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKm\r\nMax-Forwards: 0\r\n"
		  "From: <sip:x@hotdesk.test>;tag=f\r\nTo: <sip:y@hotdesk.test>\r\n"
		  "Call-ID: m\r\nCSeq: 2 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		  s->caller.port);
	peer_expect(&s->caller, "SIP/2.0 483 ");
	caller_sends(s, "MESSAGE", "sip:201@hotdesk.test", "r", "", "Proxy-Require: foo, bar\r\n");
	peer_expect(&s->caller, "SIP/2.0 420 ");
	assert_non_null(strstr(s->caller.got, "Unsupported: foo"));
	assert_non_null(strstr(s->caller.got, "bar"));
	peer_expect_nothing(&s->callee);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, stack_setup, stack_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_ways), TEST(test_repeated),     TEST(test_restart),
		TEST(test_other_key), TEST(test_responses),    TEST(test_forged),
		TEST(test_strict),    TEST(test_max_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
