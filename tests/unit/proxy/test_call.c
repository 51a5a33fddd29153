/* test_call.c - calls in progress: known by requests in their dialogs, and when they are lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/call_priv.h"

enum { HOUR_MS = 3600 * 1000 };

struct test {
	struct hd_proxy proxy;
	struct hd_fake_clock clock;
	struct hd_store *store;
	struct hd_location *location;
	struct route_token token;
	struct hd_call told; /* the last one */
	unsigned n_told;
	unsigned walked;
	uint32_t cseq; /* of REGISTERs */
};

static void text(char *dst, size_t size, const char *src)
{
	assert_int_equal(hd_str_set(dst, size, src), 0);
}

static void on_call(void *arg, const struct hd_call *call)
{
	struct test *t = arg;

	t->told = *call;
	t->n_told++;
}

static void on_walk(void *arg, const struct hd_call *call)
{
	struct test *t = arg;

	(void)call;
	t->walked++;
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	hd_fake_clock_init(&t->clock, 1800000000000);
	assert_int_equal(hd_store_open_mem(&t->store, &(struct hd_store_options){ 0 }), 0);
	assert_int_equal(hd_location_new(&t->location, t->store), 0);
	t->proxy.options.clock = &t->clock.clock;
	t->proxy.options.store = t->store;
	t->proxy.options.location = t->location;
	t->proxy.options.call = on_call;
	t->proxy.options.arg = t;
	t->proxy.calls.ticking = true; /* there is no agent: time passes by pass() */
	calls_init(&t->proxy);
	t->token.caller_tag = route_tag_hash("from");
	t->token.since_ms = 1799999990000;
	assert_int_equal(hd_flow_parse(&t->token.caller, "udp/0/192.0.2.1:5060"), 0);
	assert_int_equal(hd_flow_parse(&t->token.callee, "udp/0/192.0.2.2:5060"), 0);
	text(t->token.caller_phone, sizeof(t->token.caller_phone), "desk-1");
	text(t->token.callee_phone, sizeof(t->token.callee_phone), "desk-2");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	calls_fini(&t->proxy);
	assert_int_equal(t->proxy.calls.n, 0);
	hd_location_free(t->location);
	hd_store_close(t->store);
	free(t);
	return 0;
}

static void pass(struct test *t, int64_t in_ms)
{
	hd_fake_clock_advance(&t->clock, in_ms);
	call_watch_look(&t->proxy);
}

/* A request of one side, as it passes. */
static void note(struct test *t, const char *method, bool from_caller, const char *lines)
{
	struct hd_new_request r = {
		.method = method,
		.ruri = "sip:x@192.0.2.9",
		.from = from_caller ? "<sip:a@h>;tag=from" : "<sip:b@h>;tag=to",
		.to = from_caller ? "<sip:b@h>;tag=to" : "<sip:a@h>;tag=from",
		.call_id = "call-1",
		.cseq = 7,
		.lines = lines,
	};
	struct hd_msg *msg;

	assert_int_equal(hd_msg_new_request(&msg, &r), 0);
	calls_note_request(&t->proxy, msg, &t->token);
	hd_msg_free(msg);
}

/* The phone registers; REGISTERs of one life have one Call-ID. */
static void bind(struct test *t, const char *phone, const char *address, const char *call_id,
		 bool gone)
{
	struct hd_location_change *change = calloc(1, sizeof(*change));
	struct hd_binding *b;

	assert_non_null(change);
	b = &change->contacts[0];
	change->loc = t->location;
	change->max_contacts = 1;
	change->n_contacts = 1;
	change->cseq = ++t->cseq;
	change->now_ms = t->clock.wall_ms;
	text(change->aor, sizeof(change->aor), phone);
	text(change->call_id, sizeof(change->call_id), call_id);
	snprintf(b->contact_uri, sizeof(b->contact_uri), "sip:%s@%s", phone, address);
	snprintf(b->flow, sizeof(b->flow), "udp/0/%s", address);
	text(b->call_id, sizeof(b->call_id), call_id);
	b->cseq = t->cseq;
	b->q_permille = 1000;
	b->expires_at_ms = gone ? 0 : t->clock.wall_ms + 100 * HOUR_MS;
	if (gone) {
		change->remove_all = true;
		change->n_contacts = 0;
	}
	assert_int_equal(hd_store_execute(t->store, hd_location_change, change), 0);
	free(change);
}

static void bind_both(struct test *t)
{
	bind(t, "desk-1", "192.0.2.1:5060", "boot-1", false);
	bind(t, "desk-2", "192.0.2.2:5060", "boot-2", false);
}

static unsigned busy(struct test *t, const char *phone)
{
	return hd_proxy_calls_of_phone(&t->proxy, phone);
}

static void test_learned_and_ended(void **state)
{
	struct test *t = *state;

	note(t, "INFO", false, NULL);
	assert_int_equal(t->n_told, 1);
	assert_true(t->told.learned);
	assert_int_equal(t->told.state, HD_CALL_CONFIRMED);
	assert_int_equal(t->told.started_ms, t->token.since_ms);
	assert_string_equal(t->told.from_tag, "from");
	assert_string_equal(t->told.to_tag, "to");
	assert_string_equal(t->told.caller.phone, "desk-1");
	assert_string_equal(t->told.callee.phone, "desk-2");
	assert_string_equal(t->told.callee.user, "");
	assert_int_equal(busy(t, "desk-1") + busy(t, "desk-2"), 2);
	assert_int_equal(hd_proxy_calls(&t->proxy), 1);
	hd_proxy_walk_calls_of_phone(&t->proxy, "desk-2", on_walk, t);
	hd_proxy_walk_calls_of_user(&t->proxy, "desk-2", on_walk, t);
	hd_proxy_walk_calls(&t->proxy, on_walk, t);
	assert_int_equal(t->walked, 2);

	note(t, "INVITE", true, NULL);
	assert_int_equal(t->n_told, 1);
	note(t, "BYE", false, "Reason: Q.850;cause=16\r\n");
	assert_int_equal(t->n_told, 2);
	assert_int_equal(t->told.state, HD_CALL_TERMINATED);
	assert_int_equal(t->told.end, HD_CALL_CALLEE_LEFT);
	assert_int_equal(t->told.cause, 16);
	assert_int_equal(t->told.ended_ms, t->clock.wall_ms);
	assert_int_equal(busy(t, "desk-1") + busy(t, "desk-2"), 0);

	/* A copy of the BYE: told once more, and nothing is left. */
	note(t, "BYE", false, NULL);
	assert_int_equal(t->n_told, 3);
	assert_true(t->told.learned);
	assert_int_equal(t->told.state, HD_CALL_TERMINATED);
	assert_int_equal(hd_proxy_calls(&t->proxy), 0);
}

static void test_other_dialogs(void **state)
{
	struct test *t = *state;

	note(t, "SUBSCRIBE", true, NULL);
	note(t, "NOTIFY", false, NULL);
	note(t, "ACK", true, NULL);
	note(t, "MESSAGE", true, NULL);
	assert_int_equal(t->n_told, 0);
	assert_int_equal(hd_proxy_calls(&t->proxy), 0);
}

/* One Call-ID twice through us: each has its own entry, and a BYE ends the one it passes. */
static void test_spiral(void **state)
{
	struct test *t = *state;
	struct call *first;

	for (int i = 0; i < 3; i++) {
		snprintf(t->token.callee_phone, HD_PHONE_ID_SIZE, "desk-%d", 2 + i);
		if (i > 0) /* else the request would show the call that is there */
			t->token.caller_tag++;
		note(t, "UPDATE", true, NULL);
	}
	assert_int_equal(hd_proxy_calls(&t->proxy), 3);
	assert_int_equal(busy(t, "desk-1"), 3);
	t->token.caller_tag--;
	text(t->token.callee_phone, sizeof(t->token.callee_phone), "desk-3");
	note(t, "BYE", true, NULL);
	assert_int_equal(busy(t, "desk-3"), 0);
	assert_int_equal(busy(t, "desk-2") + busy(t, "desk-4"), 2);
	t->token.caller_tag--;
	text(t->token.callee_phone, sizeof(t->token.callee_phone), "desk-2");
	note(t, "BYE", true, NULL);
	assert_int_equal(busy(t, "desk-2"), 0);
	first = t->proxy.calls.by_call_id;
	assert_non_null(first);
	assert_string_equal(first->call.callee.phone, "desk-4");
	assert_null(first->same);
}

static void test_session_timer(void **state)
{
	struct test *t = *state;

	note(t, "UPDATE", true, "Session-Expires: 90;refresher=uac\r\nSupported: timer\r\n");
	pass(t, 121 * 1000);
	assert_int_equal(busy(t, "desk-2"), 1);
	note(t, "INVITE", false, "x: 600\r\n");
	pass(t, 631 * 1000);
	assert_int_equal(busy(t, "desk-2"), 1);
	pass(t, 2 * 1000);
	assert_int_equal(busy(t, "desk-2"), 0);
	assert_int_equal(t->told.end, HD_CALL_LOST);
}

static void test_longest(void **state)
{
	struct test *t = *state;

	bind_both(t);
	note(t, "INFO", true, NULL);
	pass(t, 11 * HOUR_MS);
	note(t, "INFO", true, NULL);
	pass(t, 11 * HOUR_MS);
	assert_int_equal(busy(t, "desk-1"), 1);
	t->proxy.options.call_max_s = 60;
	note(t, "INFO", true, NULL);
	pass(t, 59999);
	assert_int_equal(busy(t, "desk-1"), 1);
	pass(t, 1);
	assert_int_equal(busy(t, "desk-1"), 0);
	assert_int_equal(t->told.end, HD_CALL_LOST);
	assert_int_equal(t->told.state, HD_CALL_TERMINATED);
}

/* A phone that has moved goes on registering with its Call-ID: it has not booted. */
static void test_moved(void **state)
{
	struct test *t = *state;

	bind_both(t);
	note(t, "INFO", true, NULL);
	pass(t, 1000);
	bind(t, "desk-2", "192.0.2.77:5060", "boot-2", false);
	pass(t, 1000);
	pass(t, HOUR_MS);
	assert_int_equal(busy(t, "desk-2"), 1);
}

static void test_booted(void **state)
{
	struct test *t = *state;

	bind_both(t);
	note(t, "INFO", true, NULL);
	pass(t, 1000);
	bind(t, "desk-2", "192.0.2.2:5060", "boot-3", false);
	pass(t, 1000);
	pass(t, 59999);
	assert_int_equal(busy(t, "desk-1"), 1);
	/* A sign from inside the dialog begins the doubt anew. */
	note(t, "INFO", true, NULL);
	pass(t, 1000);
	assert_int_equal(busy(t, "desk-1"), 1);
	pass(t, 60000);
	assert_int_equal(busy(t, "desk-1"), 0);
	assert_int_equal(t->told.end, HD_CALL_LOST);
}

static void test_gone(void **state)
{
	struct test *t = *state;

	bind_both(t);
	note(t, "INFO", true, NULL);
	pass(t, 1000);
	bind(t, "desk-1", "192.0.2.1:5060", "boot-1", true);
	pass(t, 1000);
	bind(t, "desk-1", "192.0.2.1:5060", "boot-1", false);
	pass(t, 60000);
	assert_int_equal(busy(t, "desk-2"), 1); /* it came back */
	bind(t, "desk-1", "192.0.2.1:5060", "boot-1", true);
	pass(t, 1000);
	pass(t, 60000);
	assert_int_equal(busy(t, "desk-2"), 0);
}

/* However many there are, each look is bounded, and everyone has its turn. */
static void test_many(void **state)
{
	struct test *t = *state;
	const unsigned n = 150;

	t->proxy.options.call_max_s = 60;
	for (unsigned i = 0; i < n; i++) {
		t->token.caller_tag = i;
		note(t, "INFO", true, NULL);
	}
	assert_int_equal(busy(t, "desk-1"), n);
	pass(t, 60000);
	assert_in_range(busy(t, "desk-1"), 1, n - 1);
	pass(t, 1);
	pass(t, 1);
	assert_int_equal(busy(t, "desk-1"), 0);
}

static void drain(struct hd_mailbox *m)
{
	while (hd_mailbox_drain(m))
		;
}

static void done(struct hd_calls_question *question)
{
	question->reply_to = NULL;
}

static void test_question(void **state)
{
	static const char phones[][HD_PHONE_ID_SIZE] = { "desk-2", "desk-9" };
	struct hd_proxy *proxy = &((struct test *)*state)->proxy;
	struct hd_calls_question q = { 0 };
	unsigned counts[2] = { 9, 9 };
	struct hd_mailbox *sip, *mine;

	assert_int_equal(hd_mailbox_new(&sip), 0);
	assert_int_equal(hd_mailbox_new(&mine), 0);
	note(*state, "INFO", true, NULL);
	q.reply_to = mine;
	q.done = done;
	q.phones = phones;
	q.n_phones = 2;
	q.busy = counts;
	q.calls_max = 10;
	hd_calls_ask(sip, &proxy, &q);
	drain(sip);
	assert_ptr_equal(q.reply_to, mine);
	drain(mine);
	assert_null(q.reply_to);
	assert_int_equal(q.err, 0);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 0);
	assert_int_equal(q.n_calls, 1);
	assert_int_equal(q.calls_total, 1);
	assert_string_equal(q.calls[0].callee.phone, "desk-2");
	free(q.calls);

	/* At the end of the daemon. */
	proxy = NULL;
	q.reply_to = mine;
	hd_calls_ask(sip, &proxy, &q);
	drain(sip);
	drain(mine);
	assert_null(q.reply_to);
	assert_int_equal(q.err, HD_ESHUTDOWN);
	assert_null(q.calls);
	hd_mailbox_free(sip);
	hd_mailbox_free(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_learned_and_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_dialogs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spiral, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_booted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_question, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
