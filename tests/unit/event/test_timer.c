/* test_timer.c - timers go off once, in order, never early; cancelled and freed ones do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/event.h"
#include "support/oom.h"

enum { DEADLINE_MS = 20000, STEPS = 5 };

static struct hd_loop *loop;

static int setup(void **state)
{
	(void)state;
	return hd_loop_new(&loop);
}

static int teardown(void **state)
{
	(void)state;
	hd_loop_free(loop);
	return 0;
}

static int64_t now_ms(void)
{
	return hd_clock_mono_ms(hd_clock_system());
}

static void on_never(void *arg)
{
	fail_msg("%s", (const char *)arg);
}

/* What each test ends with: the loop stops when this one goes off. */
static void on_last(void *arg)
{
	*(int *)arg += 1;
	hd_loop_stop(loop);
}

static char order[8];
static size_t order_len;

static void on_letter(void *arg)
{
	order[order_len++] = *(const char *)arg;
	if (order_len == 3)
		hd_loop_stop(loop);
}

static void test_order(void **state)
{
	struct hd_timer *timers[3] = { 0 };
	static const char *const letters[] = { "c", "a", "b" };
	static const int64_t in_ms[] = { 30, 10, 20 };

	(void)state;
	order_len = 0;
	memset(order, 0, sizeof(order));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(hd_timer_new(&timers[i], loop, on_letter, (void *)letters[i]), 0);
		assert_int_equal(hd_timer_set(timers[i], in_ms[i]), 0);
	}
	assert_int_equal(hd_loop_run(loop), 0);
	assert_string_equal(order, "abc");
	for (int i = 0; i < 3; i++)
		hd_timer_free(timers[i]);
}

struct stepper {
	struct hd_timer *timer;
	int64_t set_at_ms;
	int steps;
};

static void on_step(void *arg)
{
	struct stepper *s = arg;
	int64_t took = now_ms() - s->set_at_ms;
	int64_t busy_until;

	/* both readings are cut to whole milliseconds: 1 ms may be missing */
	if (took < 4)
		fail_msg("set for 5 ms, went off after %lld", (long long)took);
	if (++s->steps == STEPS) {
		hd_loop_stop(loop);
		return;
	}
	/* set at the end of a long callback: its time must not count */
	busy_until = now_ms() + 10;
	while (now_ms() < busy_until)
		continue;
	s->set_at_ms = now_ms();
	assert_int_equal(hd_timer_set(s->timer, 5), 0);
}

static void test_never_early(void **state)
{
	struct stepper s = { 0 };

	(void)state;
	assert_int_equal(hd_timer_new(&s.timer, loop, on_step, &s), 0);
	s.set_at_ms = now_ms();
	assert_int_equal(hd_timer_set(s.timer, 5), 0);
	assert_int_equal(hd_loop_run(loop), 0);
	assert_int_equal(s.steps, STEPS);
	hd_timer_free(s.timer);
}

static void test_cancel(void **state)
{
	struct hd_timer *cancelled = NULL;
	struct hd_timer *freed = NULL;
	struct hd_timer *stopped = NULL;
	struct hd_timer *last = NULL;
	int fired = 0;

	(void)state;
	assert_int_equal(hd_timer_new(&stopped, loop, on_never, "a new timer is stopped"), 0);
	assert_int_equal(hd_timer_new(&cancelled, loop, on_never, "cancelled"), 0);
	assert_int_equal(hd_timer_new(&freed, loop, on_never, "freed"), 0);
	assert_int_equal(hd_timer_new(&last, loop, on_last, &fired), 0);
	assert_int_equal(hd_timer_set(cancelled, 1), 0);
	assert_int_equal(hd_timer_set(freed, 1), 0);
	assert_int_equal(hd_timer_set(last, 5), 0);
	hd_timer_cancel(cancelled);
	hd_timer_cancel(cancelled);
	hd_timer_free(freed);
	assert_int_equal(hd_loop_run(loop), 0);
	assert_int_equal(fired, 1);
	hd_timer_free(cancelled);
	hd_timer_free(stopped);
	hd_timer_free(last);
	hd_timer_cancel(NULL);
	hd_timer_free(NULL);
}

/* Set anew: the later time counts and it goes off once; a negative time is now. */
static void test_set_again(void **state)
{
	struct hd_timer *timer = NULL;
	int64_t began;
	int fired = 0;

	(void)state;
	assert_int_equal(hd_timer_new(&timer, loop, on_last, &fired), 0);
	began = now_ms();
	assert_int_equal(hd_timer_set(timer, 1), 0);
	assert_int_equal(hd_timer_set(timer, 20), 0);
	assert_int_equal(hd_loop_run(loop), 0);
	assert_true(now_ms() - began >= 19);
	assert_int_equal(fired, 1);
	assert_int_equal(hd_timer_set(timer, DEADLINE_MS), 0);
	assert_int_equal(hd_timer_set(timer, -5), 0);
	assert_int_equal(hd_loop_run(loop), 0);
	assert_int_equal(fired, 2);
	assert_true(now_ms() - began < DEADLINE_MS);
	hd_timer_free(timer);
}

struct selfish {
	struct hd_timer *timer;
};

static void on_free_itself(void *arg)
{
	struct selfish *s = arg;

	hd_timer_free(s->timer);
	hd_loop_stop(loop);
}

static void test_free_in_its_callback(void **state)
{
	struct selfish s = { 0 };

	(void)state;
	assert_int_equal(hd_timer_new(&s.timer, loop, on_free_itself, &s), 0);
	assert_int_equal(hd_timer_set(s.timer, 0), 0);
	assert_int_equal(hd_loop_run(loop), 0);
}

static void test_bad_arguments(void **state)
{
	struct hd_timer *timer = NULL;

	(void)state;
	assert_int_equal(hd_timer_new(NULL, loop, on_never, NULL), HD_EINVAL);
	assert_int_equal(hd_timer_new(&timer, NULL, on_never, NULL), HD_EINVAL);
	assert_int_equal(hd_timer_new(&timer, loop, NULL, NULL), HD_EINVAL);
	assert_null(timer);
	assert_int_equal(hd_timer_set(NULL, 1), HD_ESYSTEM);
}

static int timer_life(void *arg)
{
	struct hd_timer *timer = NULL;
	int fired = 0;
	int err = hd_timer_new(&timer, loop, on_last, &fired);

	(void)arg;
	if (err)
		return timer ? HD_EINVAL : err;
	err = hd_timer_set(timer, 1000);
	hd_timer_free(timer);
	return err;
}

static void test_without_memory(void **state)
{
	(void)state;
	oom_loop(timer_life, NULL);
}

#define WITH_LOOP(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(test_order),
		WITH_LOOP(test_never_early),
		WITH_LOOP(test_cancel),
		WITH_LOOP(test_set_again),
		WITH_LOOP(test_free_in_its_callback),
		WITH_LOOP(test_bad_arguments),
		WITH_LOOP(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
