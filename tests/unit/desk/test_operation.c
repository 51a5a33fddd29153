/* test_operation.c - one login from question to answer: real hashes, memory store, a mailbox. */
#include <poll.h>

#include "fixture.h"

#include "hotdesk/base/log.h"
#include "hotdesk/desk_operation.h"

enum { DEADLINE_MS = 10000 };

struct scene {
	struct test *t;
	struct hd_worker *worker;
	struct hd_mailbox *mailbox;
	struct hd_operations *os;
	struct hd_operation_result result;
	unsigned done, changed;
	char log[4096];
};

static const struct hd_pin_cost cheap = { .memory_kib = 8, .passes = 1 };
static const struct hd_key pepper = { { 7 } };

static void on_log(void *arg, enum hd_log_level level, const char *text)
{
	struct scene *s = arg;
	size_t n = strlen(s->log);

	(void)level;
	(void)snprintf(s->log + n, sizeof(s->log) - n, "%s\n", text);
}

static void on_changed(void *arg)
{
	struct scene *s = arg;

	assert_int_equal(s->done, 1); /* the asker first */
	s->changed++;
}

static void on_done(void *arg, const struct hd_operation_result *result)
{
	struct scene *s = arg;

	s->done++;
	s->result = *result;
}

static void name_user(struct test *t, const char *number, const char *name, const char *language)
{
	assert_ok(reading(t, get_user_body, number));
	fixture_set(t->user.name, sizeof(t->user.name), name);
	fixture_set(t->user.language, sizeof(t->user.language), language);
	assert_ok(hd_pin_hash(t->user.pin_hash, hd_slice_of("471147"), &pepper, &cheap));
	assert_ok(hd_store_execute(t->store, put_user_body, t));
}

static int scene_setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct hd_operations_options o = { .pepper = pepper, .changed = on_changed, .arg = s };
	char dummy[HD_PIN_HASH_SIZE];
	void *t;

	assert_non_null(s);
	assert_ok(hd_secret_init());
	assert_ok(setup(&t));
	s->t = t;
	name_user(s->t, "201", "Anna Berg", "de");
	name_user(s->t, "202", "Ben Kaya", "");
	assert_ok(reading(s->t, get_phone_body, "d2"));
	fixture_set(s->t->phone.label, sizeof(s->t->phone.label), "Desk 2");
	assert_ok(hd_store_execute(s->t->store, put_phone_body, s->t));
	assert_ok(hd_pin_dummy(dummy, &cheap));
	hd_desk_set_dummy(s->t->desk, dummy);
	assert_ok(hd_store_start(s->t->store));
	assert_ok(hd_worker_new(&s->worker, 1, 4));
	assert_ok(hd_mailbox_new(&s->mailbox));
	o.store = s->t->store;
	o.dir = s->t->dir;
	o.desk = s->t->desk;
	o.worker = s->worker;
	o.mailbox = s->mailbox;
	o.clock = hd_clock_system();
	o.policy = default_policy;
	assert_ok(hd_operations_new(&s->os, &o));
	hd_log_set_sink(on_log, s);
	*state = s;
	return 0;
}

static int scene_teardown(void **state)
{
	struct scene *s = *state;
	void *t = s->t;

	hd_worker_free(s->worker);
	hd_store_stop(s->t->store);
	while (hd_mailbox_drain(s->mailbox) > 0)
		;
	hd_operations_free(s->os);
	hd_mailbox_free(s->mailbox);
	hd_log_set_sink(NULL, NULL);
	free(s);
	return teardown(&t);
}

static void wait_for(struct scene *s, size_t under_way)
{
	struct pollfd fd = { .fd = hd_mailbox_fd(s->mailbox), .events = POLLIN };

	while (hd_operations_count(s->os) > under_way) {
		if (poll(&fd, 1, DEADLINE_MS) != 1)
			fail_msg("no answer within %d ms; log:\n%s", DEADLINE_MS, s->log);
		(void)hd_mailbox_drain(s->mailbox);
	}
}

static struct hd_desk_ask login_of(const char *phone, const char *user, const char *pin)
{
	return (struct hd_desk_ask){
		.event = HD_DESK_EVENT_LOGIN,
		.way = HD_DESK_WAY_FORM,
		.phone = phone,
		.user = user,
		.pin = hd_slice_of(pin),
		.call_id = "abc@test",
		.local_address = "IPV4/TLS/192.0.2.1/443",
		.remote_address = "IPV4/TLS/192.0.2.7/1024",
	};
}

/* Asks and waits for the answer; the text is static. */
static const char *answer_to(struct scene *s, const struct hd_desk_ask *a, const char *language)
{
	static char text[512];
	struct hd_buf b = { 0 };

	s->done = s->changed = 0;
	s->log[0] = '\0';
	memset(&s->result, 0, sizeof(s->result));
	assert_ok(hd_operation_begin(NULL, s->os, a, on_done, s));
	assert_int_equal(s->done, 0); /* never from within */
	wait_for(s, 0);
	assert_int_equal(s->done, 1);
	hd_operation_text(&b, language, &s->result);
	assert_ok(hd_buf_error(&b));
	(void)snprintf(text, sizeof(text), "%s", hd_buf_text(&b));
	hd_buf_fini(&b);
	return text;
}

static const char *login_says(struct scene *s, const char *phone, const char *user, const char *pin)
{
	struct hd_desk_ask a = login_of(phone, user, pin);

	return answer_to(s, &a, "en");
}

static void logs_in_and_tells_names(void **state)
{
	struct scene *s = *state;

	assert_string_equal(login_says(s, "d1", "201", "471147"), "Anna Berg is logged in.");
	assert_string_equal(s->result.language, "de");
	assert_int_equal(s->changed, 1);
	assert_non_null(
		strstr(s->log, "desk: d1: login of 201 by form: logged-in call-id=abc@test"));
	assert_null(strstr(s->log, "471147"));
	assert_string_equal(login_says(s, "d2", "202", "471147"), "Ben Kaya is logged in.");
	assert_string_equal(
		login_says(s, "d2", "201", "471147"),
		"Anna Berg is logged in. Logged out at d1. Ben Kaya was logged out here.");
	assert_string_equal(login_says(s, "d1", "201", "471147"),
			    "Anna Berg is logged in. Logged out at Desk 2.");
	assert_string_equal(login_says(s, "d1", "201", "471147"), "Anna Berg is logged in.");
	assert_int_equal(s->changed, 0);
}

static void logs_out_and_toggles(void **state)
{
	struct scene *s = *state;
	struct hd_desk_ask a = login_of("d1", "201", "471147");

	assert_string_equal(answer_to(s, &a, "de-AT"), "Anna Berg ist angemeldet.");
	a = (struct hd_desk_ask){ .event = HD_DESK_EVENT_LOGOUT, .phone = "d1" };
	assert_string_equal(answer_to(s, &a, "de"), "Anna Berg ist abgemeldet.");
	assert_int_equal(s->changed, 1);
	assert_string_equal(answer_to(s, &a, ""), "Nobody is logged in.");
	assert_int_equal(s->changed, 0);
	a = login_of("d1", "202", "471147");
	a.event = HD_DESK_EVENT_TOGGLE;
	assert_string_equal(answer_to(s, &a, "deutsch"), "Ben Kaya is logged in.");
	a = (struct hd_desk_ask){ .event = HD_DESK_EVENT_TOGGLE, .phone = "d1" };
	assert_string_equal(answer_to(s, &a, NULL), "Ben Kaya is logged out.");
}

static void refuses_in_the_same_words(void **state)
{
	static const char words[] = "Not possible. Please check number and PIN.";
	struct scene *s = *state;
	struct hd_desk_ask a;

	assert_string_equal(login_says(s, "d1", "201", "000000"), words);
	assert_non_null(strstr(s->log, "SecurityEvent=\"InvalidPassword\""));
	assert_non_null(strstr(s->log, "RemoteAddress=\"IPV4/TLS/192.0.2.7/1024\""));
	assert_null(strstr(s->log, "000000"));
	assert_string_equal(login_says(s, "d1", "299", "471147"), words);
	assert_non_null(strstr(s->log, "SecurityEvent=\"InvalidAccountID\""));
	assert_string_equal(login_says(s, "d1", "203", "471147"), words);
	assert_string_equal(login_says(s, "nowhere", "201", "471147"), words);
	assert_string_equal(login_says(s, "h3", "201", "471147"), words);
	assert_string_equal(login_says(s, "d1", "", "471147"), words);
	assert_string_equal(login_says(s, "d1", "201", ""), words);
	assert_int_equal(s->changed, 0);
	a = login_of("d1", "201", "x");
	a.remote_address = NULL; /* who has proved nothing is not reported */
	(void)answer_to(s, &a, "en");
	assert_null(strstr(s->log, "SecurityEvent"));
}

static void takes_the_proof_of_the_asker(void **state)
{
	struct scene *s = *state;
	struct hd_desk_ask a = login_of("d1", "201", NULL);

	a.way = HD_DESK_WAY_HOTELING;
	a.proof = HD_DESK_PROOF_BAD;
	(void)answer_to(s, &a, "en");
	assert_result(s->result.result, WRONG_PIN);
	assert_int_equal(failures(s->t, 'u', "201"), 1);
	a.proof = HD_DESK_PROOF_GOOD;
	(void)answer_to(s, &a, "en");
	assert_result(s->result.result, LOGGED_IN);
	assert_int_equal(failures(s->t, 'u', "201"), 0);
	a = login_of("d2", "204", NULL); /* has no PIN */
	a.proof = HD_DESK_PROOF_GOOD;
	(void)answer_to(s, &a, "en");
	assert_result(s->result.result, WRONG_PIN);
}

static void repeats_what_was_done(void **state)
{
	struct scene *s = *state;
	struct hd_desk_ask a = login_of("d1", "201", "000000");

	memset(a.opid, 5, sizeof(a.opid));
	(void)answer_to(s, &a, "en");
	assert_result(s->result.result, WRONG_PIN);
	(void)answer_to(s, &a, "en");
	assert_result(s->result.result, WRONG_PIN);
	assert_int_equal(failures(s->t, 'u', "201"), 1);
}

static void goes_on_without_its_asker(void **state)
{
	struct scene *s = *state;
	struct hd_desk_ask a = login_of("d1", "201", "471147");
	struct hd_operation *op = NULL;

	assert_ok(hd_operation_begin(&op, s->os, &a, on_done, s));
	s->done = 1; /* for on_changed() */
	hd_operation_leave(op);
	hd_operation_leave(NULL);
	wait_for(s, 0);
	assert_int_equal(s->done, 1);
	assert_int_equal(s->changed, 1);
	assert_string_equal(sitting(s->t, "d1"), "201");
}

/* What is too much is told apart from a refusal, and nothing is changed or counted. */
static void tells_overload(void **state)
{
	struct scene *s = *state;

	hd_worker_stop(s->worker);
	assert_string_equal(login_says(s, "d1", "201", "471147"),
			    "Not possible at the moment. Please try again.");
	assert_int_equal(s->result.err, HD_ESHUTDOWN);
	assert_true(s->result.at_hash);
	hd_store_stop(s->t->store);
	{
		struct hd_desk_ask a = { .event = HD_DESK_EVENT_LOGOUT, .phone = "d1" };

		assert_string_equal(answer_to(s, &a, "de"),
				    "Zurzeit nicht möglich. Bitte noch einmal versuchen.");
		assert_int_equal(s->result.err, HD_ESHUTDOWN);
		assert_false(s->result.at_hash);
	}
	assert_int_equal(failures(s->t, 'u', "201"), 0);
}

static void refuses_what_is_too_long(void **state)
{
	struct scene *s = *state;
	char big[200] = "1";
	struct hd_desk_ask a = login_of("d1", big, "1");

	memset(big, '1', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(hd_operation_begin(NULL, s->os, &a, on_done, s), HD_ELIMIT);
	a = login_of("d1", "201", big);
	assert_int_equal(hd_operation_begin(NULL, s->os, &a, on_done, s), HD_ELIMIT);
	a = login_of(big, "201", "1");
	assert_int_equal(hd_operation_begin(NULL, s->os, &a, on_done, s), HD_ELIMIT);
	assert_int_equal(hd_operations_count(s->os), 0);
	a = login_of("d1", "201", "471147");
	a.call_id = big;
	(void)answer_to(s, &a, "en");
	assert_result(s->result.result, LOGGED_IN);
}

static void ends_with_some_under_way(void **state)
{
	struct scene *s = *state;
	struct hd_desk_ask a = login_of("nowhere", "201", "471147");

	/* Decided at once; its answer still waits in the mailbox when everything ends. */
	assert_ok(hd_operation_begin(NULL, s->os, &a, on_done, s));
	assert_int_equal(hd_operations_count(s->os), 1);
}

#define S(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(logs_in_and_tells_names),
		S(logs_out_and_toggles),
		S(refuses_in_the_same_words),
		S(takes_the_proof_of_the_asker),
		S(repeats_what_was_done),
		S(goes_on_without_its_asker),
		S(tells_overload),
		S(refuses_what_is_too_long),
		S(ends_with_some_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
