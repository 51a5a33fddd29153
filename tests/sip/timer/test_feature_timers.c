/* test_feature_timers.c - the dialog of a login code: its 200 until the ACK, its end by BYE. */
#include "hotdesk/base/worker.h"
#include "hotdesk/desk.h"
#include "hotdesk/directory.h"
#include "hotdesk/feature.h"
#include "hotdesk/plan.h"
#include "hotdesk/store.h"
#include "stack.h"

enum { DIALOGUE_S = 60 };

struct desk_world {
	struct hd_store *store;
	struct hd_directory *dir;
	struct hd_desk *desk;
	struct hd_worker *worker;
	struct hd_operations *operations;
	struct hd_features *features;
	char tag[64], contact[128]; /* of the dialog: ours */
};

static void receive(struct stack *s, struct hd_request *req)
{
	static const struct hd_feature login = { .event = HD_DESK_EVENT_LOGIN };
	struct desk_world *w = s->arg;

	if (hd_features_receive_in_dialog(w->features, req, NULL) == HD_FEATURES_ENDED)
		return;
	if (hd_msg_method(hd_request_msg(req)) == HD_METHOD_INVITE)
		hd_features_receive(w->features, req, "desk-1", &login);
	else
		hd_request_reply(req, 481, NULL, NULL);
}

static int setup(void **state)
{
	const struct hd_store_options store_options = { 0 };
	struct hd_operations_options operations = { 0 };
	struct hd_features_options o = {
		.dialogue_s = DIALOGUE_S,
		.dialogues_max = 10,
		.t1_ms = T1,
		.t2_ms = T2,
	};
	struct desk_world *w = calloc(1, sizeof(*w));
	struct stack *s;

	assert_non_null(w);
	assert_int_equal(stack_setup(state), 0);
	s = *state;
	s->receive = receive;
	s->arg = w;
	assert_int_equal(hd_store_open_mem(&w->store, &store_options), 0);
	assert_int_equal(hd_directory_new(&w->dir, w->store), 0);
	assert_int_equal(hd_desk_new(&w->desk, w->store, w->dir), 0);
	assert_int_equal(hd_worker_new(&w->worker, 1, 4), 0);
	snprintf(o.codes.login, sizeof(o.codes.login), "*771");
	o.agent = s->agent;
	o.store = w->store;
	o.desk = w->desk;
	operations.store = w->store;
	operations.dir = w->dir;
	operations.desk = w->desk;
	operations.worker = w->worker;
	operations.mailbox = hd_agent_mailbox(s->agent);
	operations.clock = &s->clock.clock;
	assert_int_equal(hd_operations_new(&w->operations, &operations), 0);
	o.operations = w->operations;
	o.clock = &s->clock.clock;
	assert_int_equal(hd_features_new(&w->features, &o), 0);
	return 0;
}

static int teardown(void **state)
{
	struct stack *s = *state;
	struct desk_world *w = s->arg;

	hd_features_free(w->features);
	assert_int_equal(stack_teardown(state), 0);
	hd_operations_free(w->operations);
	hd_worker_free(w->worker);
	hd_desk_free(w->desk);
	hd_directory_free(w->dir);
	hd_store_close(w->store);
	free(w);
	return 0;
}

static void between(char *dst, size_t size, const char *text, const char *begin, const char *end)
{
	const char *p = strstr(text, begin);

	if (!p)
		fail_msg("expected %s in %s", begin, text);
	p += strlen(begin);
	snprintf(dst, size, "%.*s", (int)strcspn(p, end), p);
}

static void dialog_begins(struct stack *s)
{
	struct desk_world *w = s->arg;

	caller_sends(s, "INVITE", "sip:*771@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	assert_non_null(strstr(s->caller.got, "a=inactive\r\n"));
	between(w->tag, sizeof(w->tag), peer_lines(&s->caller, "To"), ";tag=", ";\r\n");
	between(w->contact, sizeof(w->contact), peer_lines(&s->caller, "Contact"), "<", ">");
	peer_expect_nothing(&s->caller);
}

static void acked(struct stack *s)
{
	struct desk_world *w = s->arg;

	caller_sends(s, "ACK", w->contact, "ack", w->tag, "");
}

/* RFC 3261 13.3.1.4: T1, doubling to T2, for 64*T1; then BYE. */
static void test_not_acked(void **state)
{
	static const int gaps[] = { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000 };
	struct stack *s = *state;
	char first[DATAGRAM_SIZE];
	int sum = 0;

	dialog_begins(s);
	memcpy(first, s->caller.got, sizeof(first));
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		stack_advance(s, gaps[i] - 1);
		peer_expect_nothing(&s->caller);
		stack_advance(s, 1);
		peer_expect(&s->caller, "SIP/2.0 200 ");
		assert_string_equal(s->caller.got, first);
		peer_expect_nothing(&s->caller);
		sum += gaps[i];
	}
	stack_advance(s, 64 * T1 - sum - 1);
	peer_expect_nothing(&s->caller);
	stack_advance(s, 1);
	peer_expect(&s->caller, "BYE sip:101@127.0.0.1");
	assert_non_null(strstr(s->caller.got, "CSeq: 1 BYE"));
	peer_answer(s, &s->caller, "200 OK", "");
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
}

static void test_acked(void **state)
{
	struct stack *s = *state;

	dialog_begins(s);
	stack_advance(s, T1);
	peer_expect(&s->caller, "SIP/2.0 200 ");
	acked(s);
	stack_advance(s, 30000);
	peer_expect_nothing(&s->caller);
	acked(s); /* a second one changes nothing */
	peer_expect_nothing(&s->caller);
}

/* A repeated INVITE gets the same 200 and opens no second dialog. */
static void test_invite_repeated(void **state)
{
	struct stack *s = *state;
	char first[DATAGRAM_SIZE];

	dialog_begins(s);
	memcpy(first, s->caller.got, sizeof(first));
	caller_sends(s, "INVITE", "sip:*771@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	assert_string_equal(s->caller.got, first);
	acked(s);
	stack_advance(s, 30000);
	peer_expect_nothing(&s->caller);
}

static void test_dialogue_times_out(void **state)
{
	struct stack *s = *state;

	dialog_begins(s);
	acked(s);
	stack_advance(s, DIALOGUE_S * 1000 - 1);
	peer_expect_nothing(&s->caller);
	stack_advance(s, 1);
	peer_expect(&s->caller, "BYE ");
	assert_string_not_equal(peer_lines(&s->caller, "Reason"), "");
	/* unanswered: Timer E, then F ends it quietly */
	stack_advance(s, 64 * T1);
	assert_int_equal(peer_count(&s->caller, "BYE "), 10);
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
}

static void test_bye(void **state)
{
	struct stack *s = *state;
	struct desk_world *w = s->arg;

	dialog_begins(s);
	acked(s);
	caller_sends(s, "BYE", w->contact, "bye", w->tag, "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	stack_advance(s, DIALOGUE_S * 1000);
	peer_expect_nothing(&s->caller);
	caller_sends(s, "BYE", w->contact, "bye2", w->tag, "");
	peer_expect(&s->caller, "SIP/2.0 481 ");
}

/* BYE before the ACK (RFC 3261 15 allows the caller that) ends the repetitions. */
static void test_bye_before_ack(void **state)
{
	struct stack *s = *state;
	struct desk_world *w = s->arg;

	dialog_begins(s);
	caller_sends(s, "BYE", w->contact, "bye", w->tag, "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	stack_advance(s, 64 * T1);
	peer_expect_nothing(&s->caller);
}

static void test_other_requests(void **state)
{
	struct stack *s = *state;
	struct desk_world *w = s->arg;

	dialog_begins(s);
	acked(s);
	caller_sends(s, "OPTIONS", w->contact, "o", w->tag, "");
	peer_expect(&s->caller, "SIP/2.0 200 ");
	caller_sends(s, "INVITE", w->contact, "re", w->tag, "");
	peer_expect(&s->caller, "SIP/2.0 488 ");
	caller_sends(s, "REFER", w->contact, "refer", w->tag, "");
	peer_expect(&s->caller, "SIP/2.0 405 ");
	caller_sends(s, "INFO", w->contact, "info", w->tag, "Content-Type: text/plain\r\n");
	peer_expect(&s->caller, "SIP/2.0 415 ");
	caller_sends(s, "OPTIONS", w->contact, "x", "nosuchtag", "");
	peer_expect(&s->caller, "SIP/2.0 481 ");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_not_acked),	       TEST(test_acked), TEST(test_invite_repeated),
		TEST(test_dialogue_times_out), TEST(test_bye),	 TEST(test_bye_before_ack),
		TEST(test_other_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
