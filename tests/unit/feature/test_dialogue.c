/* test_dialogue.c - the conversation of a login: keys and silence in, prompts and questions out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/dialogue.h"

struct test {
	struct dialogue d;
	char told[1024]; /* what the dialogue did, in words */
	int64_t now_ms;
};

static const char *const names[] = {
#define NAME(n, s) s,
	PROMPT_LIST(NAME)
#undef NAME
};

static void tell(struct test *t, const char *fmt, ...) HD_PRINTF(2, 3);
static void tell(struct test *t, const char *fmt, ...)
{
	size_t n = strlen(t->told);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t->told + n, sizeof(t->told) - n, fmt, ap);
	va_end(ap);
}

static void say(void *arg, const enum prompt *prompts, size_t n)
{
	tell(arg, "[");
	for (size_t i = 0; i < n; i++)
		tell(arg, "%s%s", i ? " " : "", names[prompts[i]]);
	tell(arg, "]");
}

static void hush(void *arg)
{
	(void)arg;
}

static void set_timer(void *arg, uint32_t in_ms)
{
	if (in_ms)
		tell(arg, "%u ", in_ms / 1000);
}

static void ask(void *arg, const char *number, struct hd_slice pin)
{
	tell(arg, "ask %s/%.*s ", number, (int)pin.len, pin.ptr);
}

static void end(void *arg, bool refused)
{
	tell(arg, refused ? "refused." : "end.");
}

static const struct dialogue_acts acts = { say, hush, set_timer, ask, end };

static const struct hd_dialogue_policy policy = {
	.tries = 3,
	.first_ms = 10000,
	.digit_ms = 5000,
	.reminders = 2,
};

static void begin(struct test *t, const struct hd_dialogue_policy *p)
{
	memset(t, 0, sizeof(*t));
	dialogue_begin(&t->d, p, &acts, t);
}

/* Keys, a second apart; what was done since the last time. */
static const char *press(struct test *t, const char *keys, enum key_way way)
{
	t->told[0] = '\0';
	for (; *keys; keys++) {
		t->now_ms += 1000;
		dialogue_key(&t->d, *keys, way, t->now_ms);
	}
	return t->told;
}

static const char *decide(struct test *t, enum hd_desk_result result, int err)
{
	struct hd_operation_result r = { .err = err, .result = result };

	if (!err && hd_desk_result_is_success(result))
		(void)!hd_str_set(r.session.user, sizeof(r.session.user), "201");
	t->told[0] = '\0';
	dialogue_decided(&t->d, &r);
	return t->told;
}

static const char *time_out(struct test *t)
{
	t->told[0] = '\0';
	dialogue_time_out(&t->d);
	return t->told;
}

static const char *said(struct test *t)
{
	t->told[0] = '\0';
	dialogue_said(&t->d);
	return t->told;
}

static bool holds(const void *where, size_t n, const char *what)
{
	return memmem(where, n, what, strlen(what)) != NULL;
}

static void test_login(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	assert_string_equal(t.told, "[number]");
	assert_string_equal(said(&t), "10 ");
	assert_string_equal(press(&t, "201", KEY_BY_RTP), "5 5 5 ");
	assert_string_equal(press(&t, "#", KEY_BY_RTP), "[pin]");
	assert_string_equal(press(&t, "471147#", KEY_BY_RTP), "5 5 5 5 5 5 ask 201/471147 ");
	memset(t.told, 0, sizeof(t.told)); /* the test's own copy */
	assert_false(holds(&t, sizeof(t), "471147"));
	assert_string_equal(press(&t, "99#*", KEY_BY_RTP), ""); /* wait */
	assert_string_equal(decide(&t, HD_DESK_RESULT_LOGGED_IN, 0), "[logged-in goodbye]");
	assert_string_equal(press(&t, "1#", KEY_BY_RTP), "");
	assert_string_equal(said(&t), "end.");
}

static void test_three_tries(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	for (int i = 0; i < 2; i++) {
		(void)press(&t, "201#000000#", KEY_BY_RTP);
		assert_string_equal(decide(&t, HD_DESK_RESULT_WRONG_PIN, 0), "[refused number]");
	}
	(void)press(&t, "201#000000#", KEY_BY_RTP);
	assert_string_equal(decide(&t, HD_DESK_RESULT_UNKNOWN_USER, 0), "[refused goodbye]");
	assert_string_equal(said(&t), "refused.");
}

static void test_not_now(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	(void)press(&t, "201#471147#", KEY_BY_RTP);
	assert_string_equal(decide(&t, HD_DESK_RESULT_LOGGED_IN, HD_EBUSY), "[not-now goodbye]");
	assert_string_equal(said(&t), "refused.");
}

static void test_begin_again(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	assert_string_equal(press(&t, "99*", KEY_BY_RTP), "5 5 [number]");
	assert_string_equal(press(&t, "201#12*", KEY_BY_RTP), "5 5 5 [pin]5 5 [number]");
	assert_string_equal(press(&t, "202#34#", KEY_BY_RTP), "5 5 5 [pin]5 5 ask 202/34 ");
}

static void test_silence(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	assert_string_equal(time_out(&t), "[reminder number]");
	assert_string_equal(time_out(&t), "[reminder number]");
	assert_string_equal(press(&t, "20", KEY_BY_RTP), "5 5 ");
	assert_string_equal(time_out(&t), "[pin]");	     /* a pause ends a number, too */
	assert_string_equal(time_out(&t), "[reminder pin]"); /* reminders begin anew */
	assert_string_equal(time_out(&t), "[reminder pin]");
	assert_string_equal(time_out(&t), "[reminder goodbye]");
	assert_string_equal(time_out(&t), "");
	assert_string_equal(said(&t), "refused.");
	begin(&t, &policy);
	(void)press(&t, "201#47", KEY_BY_RTP);
	assert_string_equal(time_out(&t), "ask 201/47 ");
	assert_string_equal(time_out(&t), "");
	assert_string_equal(said(&t), "");
}

static void test_empty_fields(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	assert_string_equal(press(&t, "#", KEY_BY_RTP), "[number]");
	assert_string_equal(press(&t, "A", KEY_BY_RTP), "10 ");
	assert_string_equal(press(&t, "1##", KEY_BY_RTP), "5 [pin][pin]");
}

static void test_known_length(void **state)
{
	struct hd_dialogue_policy p = policy;
	struct test t;

	(void)state;
	p.number_length = 3;
	p.pin_length = 6;
	begin(&t, &p);
	assert_string_equal(press(&t, "201471147", KEY_BY_RTP),
			    "5 5 [pin]5 5 5 5 5 ask 201/471147 ");
	/* out of habit with '#': it ends what has ended already */
	begin(&t, &p);
	assert_string_equal(press(&t, "201#47", KEY_BY_RTP), "5 5 [pin]10 5 5 ");
	assert_string_equal(press(&t, "#", KEY_BY_RTP), "ask 201/47 ");
	begin(&t, &p);
	assert_string_equal(press(&t, "201##", KEY_BY_RTP), "5 5 [pin]10 [pin]");
}

/* More digits than any number or PIN has: of nobody, asked all the same, so that it is counted. */
static void test_too_long(void **state)
{
	char many[200];
	struct test t;

	(void)state;
	memset(many, '7', sizeof(many));
	many[150] = '#';
	many[151] = '\0';
	begin(&t, &policy);
	(void)press(&t, many, KEY_BY_RTP);
	assert_non_null(strstr(press(&t, "1#", KEY_BY_RTP), "ask /1 "));
	assert_string_equal(decide(&t, HD_DESK_RESULT_UNKNOWN_USER, 0), "[refused number]");
	(void)press(&t, "201#", KEY_BY_RTP);
	(void)press(&t, many, KEY_BY_RTP);
	assert_non_null(strstr(t.told, "ask /7 "));
}

/* ---- two ways ------------------------------------------------------------------------------- */

static void both(struct test *t, const char *keys, int64_t apart_ms)
{
	t->told[0] = '\0';
	for (; *keys; keys++) {
		t->now_ms += 300;
		dialogue_key(&t->d, *keys, KEY_BY_RTP, t->now_ms);
		dialogue_key(&t->d, *keys, KEY_BY_INFO, t->now_ms + apart_ms);
	}
}

static void test_both_ways(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	both(&t, "2011#4711147#", 50);
	assert_non_null(strstr(t.told, "ask 2011/4711147 "));
	/* INFO is slow: it lags behind by some keys */
	begin(&t, &policy);
	for (int i = 0; i < 6; i++)
		dialogue_key(&t.d, "112112"[i], KEY_BY_RTP, 1000 + 200 * i);
	for (int i = 0; i < 6; i++)
		dialogue_key(&t.d, "112112"[i], KEY_BY_INFO, 1900 + 200 * i);
	(void)press(&t, "#", KEY_BY_RTP);
	assert_string_equal(t.d.number, "112112");
	/* one of them was lost on either way */
	begin(&t, &policy);
	dialogue_key(&t.d, '1', KEY_BY_INFO, 1000);
	dialogue_key(&t.d, '2', KEY_BY_INFO, 1300);
	dialogue_key(&t.d, '2', KEY_BY_RTP, 1310);
	dialogue_key(&t.d, '3', KEY_BY_RTP, 1600);
	assert_string_equal(t.d.number, "123");
	/* much later it is another key */
	dialogue_key(&t.d, '3', KEY_BY_INFO, 9000);
	assert_string_equal(t.d.number, "1233");
}

static void test_either_way(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	assert_non_null(strstr(press(&t, "2011#471147#", KEY_BY_INFO), "ask 2011/471147 "));
}

/* The second copy of a '*' must not begin again once more, nor that of a '#' end the next field. */
static void test_both_ways_of_commands(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	both(&t, "9*", 1500);
	assert_string_equal(t.told, "5 [number]");
	both(&t, "2#", 1500);
	assert_string_equal(t.told, "5 [pin]");
}

static void test_give_up(void **state)
{
	struct test t;

	(void)state;
	begin(&t, &policy);
	(void)press(&t, "201#4711", KEY_BY_RTP);
	t.told[0] = '\0';
	dialogue_give_up(&t.d);
	assert_string_equal(t.told, "refused.");
	assert_false(holds(&t, sizeof(t), "4711"));
	begin(&t, &policy);
	(void)press(&t, "201#4711#", KEY_BY_RTP);
	t.told[0] = '\0';
	dialogue_give_up(&t.d); /* asked for: the result ends it */
	assert_string_equal(t.told, "");
	(void)press(&t, "2", KEY_BY_RTP);
	dialogue_wipe(&t.d);
	assert_int_equal(t.d.n_number, 0);
}

static void test_results_in_prompts(void **state)
{
	static const struct {
		struct hd_operation_result r;
		const char *said;
	} rows[] = {
		{ { .result = HD_DESK_RESULT_LOGGED_IN, .session.user = "1" }, "[logged-in]" },
		{ { .result = HD_DESK_RESULT_MOVED, .session.user = "1", .left_phone = "d1" },
		  "[logged-in moved]" },
		{ { .result = HD_DESK_RESULT_MOVED,
		    .session.user = "1",
		    .left_phone = "d1",
		    .left_user = "2" },
		  "[logged-in moved replaced]" },
		{ { .result = HD_DESK_RESULT_LOGGED_OUT, .left_user = "2" }, "[logged-out]" },
		{ { .result = HD_DESK_RESULT_UNCHANGED }, "[nobody]" },
		{ { .result = HD_DESK_RESULT_UNCHANGED, .session.user = "1" }, "[logged-in]" },
		{ { .err = HD_EIO }, "[not-now]" },
	};
	enum prompt prompts[RESULT_PROMPTS_MAX];
	struct test t = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		t.told[0] = '\0';
		say(&t, prompts, prompts_of_result(prompts, &rows[i].r));
		assert_string_equal(t.told, rows[i].said);
	}
	/* every refusal sounds the same */
	for (int r = HD_DESK_RESULT_UNCHANGED + 1; r < HD_DESK_RESULT_COUNT; r++) {
		const struct hd_operation_result refused = { .result = (enum hd_desk_result)r };

		t.told[0] = '\0';
		say(&t, prompts, prompts_of_result(prompts, &refused));
		assert_string_equal(t.told, "[refused]");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_three_tries),
		cmocka_unit_test(test_not_now),
		cmocka_unit_test(test_begin_again),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_empty_fields),
		cmocka_unit_test(test_known_length),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_either_way),
		cmocka_unit_test(test_both_ways_of_commands),
		cmocka_unit_test(test_give_up),
		cmocka_unit_test(test_results_in_prompts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
