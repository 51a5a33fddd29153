/* test_notify_timers.c - phones are told at least once: repetitions, retries, restarts. */
#include "hotdesk/notify.h"
#include "stack.h"

enum { RETRY_S = 30, RETRY_MAX_S = 100 };

struct world {
	struct hd_store *store; /* its thread does not run: commit() does what it would do */
	struct hd_directory *dir;
	struct hd_desk *desk;
	struct hd_location *location;
	struct hd_notify *notify;
	struct hd_desk_request login;
	struct hd_location_change change;
	struct hd_user user;
	struct hd_phone phone;
	struct hd_outbox_entry entry;
};

static int nothing(struct hd_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

static void commit(struct stack *s)
{
	struct world *w = s->arg;

	assert_int_equal(hd_store_execute(w->store, nothing, NULL), 0);
	stack_settle(s);
}

static int put(struct hd_txn *txn, void *arg)
{
	struct world *w = arg;
	int err = hd_user_put(w->dir, txn, &w->user);

	return err ? err : hd_phone_put(w->dir, txn, &w->phone);
}

static void notify_opens(struct stack *s)
{
	struct world *w = s->arg;
	struct hd_notify_options o = {
		.agent = s->agent,
		.store = w->store,
		.desk = w->desk,
		.location = w->location,
		.domain = "hotdesk.test",
		.clock = &s->clock.clock,
		.retry_s = RETRY_S,
		.retry_max_s = RETRY_MAX_S,
	};

	assert_int_equal(hd_notify_new(&w->notify, &o), 0);
}

static int setup(void **state)
{
	const struct hd_store_options options = { 0 };
	struct world *w = calloc(1, sizeof(*w));
	struct stack *s;

	assert_non_null(w);
	assert_int_equal(stack_setup(state), 0);
	s = *state;
	s->arg = w;
	assert_int_equal(hd_store_open_mem(&w->store, &options), 0);
	assert_int_equal(hd_directory_new(&w->dir, w->store), 0);
	assert_int_equal(hd_desk_new(&w->desk, w->store, w->dir), 0);
	assert_int_equal(hd_location_new(&w->location, w->store), 0);
	snprintf(w->user.number, sizeof(w->user.number), "201");
	w->user.roaming = true;
	snprintf(w->phone.id, sizeof(w->phone.id), "desk-1");
	assert_int_equal(hd_store_execute(w->store, put, w), 0);
	notify_opens(s);
	return 0;
}

static int teardown(void **state)
{
	struct stack *s = *state;
	struct world *w = s->arg;

	commit(s);
	hd_notify_free(w->notify);
	assert_int_equal(stack_teardown(state), 0);
	hd_location_free(w->location);
	hd_desk_free(w->desk);
	hd_directory_free(w->dir);
	hd_store_close(w->store);
	free(w);
	return 0;
}

static void changes(struct stack *s, enum hd_desk_event event)
{
	struct world *w = s->arg;

	memset(&w->login, 0, sizeof(w->login));
	w->login.desk = w->desk;
	w->login.event = event;
	w->login.way = HD_DESK_WAY_ADMIN;
	w->login.by_admin = true;
	w->login.now_ms = hd_clock_wall_ms(&s->clock.clock);
	snprintf(w->login.phone, sizeof(w->login.phone), "desk-1");
	if (event == HD_DESK_EVENT_LOGIN)
		snprintf(w->login.user, sizeof(w->login.user), "201");
	assert_int_equal(hd_store_execute(w->store, hd_desk_apply, &w->login), 0);
	assert_true(hd_desk_result_is_success(w->login.result));
	hd_notify_wake(w->notify);
	stack_settle(s);
}

static void registers(struct stack *s)
{
	struct world *w = s->arg;
	struct hd_location_change *c = &w->change;

	memset(c, 0, sizeof(*c));
	c->loc = w->location;
	c->n_contacts = c->max_contacts = c->cseq = 1;
	c->now_ms = hd_clock_wall_ms(&s->clock.clock);
	snprintf(c->aor, sizeof(c->aor), "desk-1");
	snprintf(c->call_id, sizeof(c->call_id), "r");
	snprintf(c->contacts[0].contact_uri, sizeof(c->contacts[0].contact_uri),
		 "sip:desk-1@127.0.0.1:%u", s->callee.port);
	snprintf(c->contacts[0].flow, sizeof(c->contacts[0].flow), "%s", s->callee.flow);
	c->contacts[0].cseq = 1;
	c->contacts[0].expires_at_ms = c->now_ms + 3600000;
	assert_int_equal(hd_store_execute(w->store, hd_location_change, c), 0);
	hd_notify_bound(w->notify, "desk-1");
	stack_settle(s);
}

static int outbox(struct stack *s)
{
	struct world *w = s->arg;
	struct hd_txn *txn;
	int err;

	assert_int_equal(hd_store_begin_read(w->store, &txn), 0);
	err = hd_outbox_get(w->desk, txn, "desk-1", &w->entry);
	hd_store_end_read(txn);
	return err;
}

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

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

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
