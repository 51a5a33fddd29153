/* test_loop.c - run and stop, posts from other threads, signals, no memory. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "hotdesk/base/log.h"
#include "hotdesk/event.h"
#include "support/oom.h"

enum { POSTERS = 3, POSTS = 2000, DEADLINE_MS = 20000 };

static struct hd_loop *loop;
static struct hd_timer *deadline;

static void on_deadline(void *arg)
{
	bool *late = arg;

	*late = true;
	hd_loop_stop(loop);
}

/* Runs the loop until something stops it; fails the test when nothing does. */
static void run(void)
{
	bool late = false;

	assert_int_equal(hd_timer_new(&deadline, loop, on_deadline, &late), 0);
	assert_int_equal(hd_timer_set(deadline, DEADLINE_MS), 0);
	assert_int_equal(hd_loop_run(loop), 0);
	hd_timer_free(deadline);
	if (late)
		fail_msg("nothing stopped the loop within %d ms", DEADLINE_MS);
}

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

struct note {
	struct hd_task task; /* first: a task is its note */
	int *left;
	pthread_t ran_on;
};

static void note_run(struct hd_task *task)
{
	struct note *note = (struct note *)task;

	note->ran_on = pthread_self();
	if (--*note->left == 0)
		hd_loop_stop(loop);
}

static void test_mailbox(void **state)
{
	int left = 3;
	struct note notes[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		notes[i] = (struct note){ .task = { .run = note_run }, .left = &left };
		hd_mailbox_post(hd_loop_mailbox(loop), &notes[i].task);
	}
	run();
	assert_int_equal(left, 0);
}

struct poster {
	pthread_t thread;
	struct note notes[POSTS];
};

static void *poster_main(void *arg)
{
	struct poster *poster = arg;

	for (int i = 0; i < POSTS; i++)
		hd_mailbox_post(hd_loop_mailbox(loop), &poster->notes[i].task);
	return NULL;
}

static void test_posts_from_threads(void **state)
{
	static struct poster posters[POSTERS];
	int left = POSTERS * POSTS;

	(void)state;
	for (int i = 0; i < POSTERS; i++) {
		for (int k = 0; k < POSTS; k++)
			posters[i].notes[k] =
				(struct note){ .task = { .run = note_run }, .left = &left };
		assert_int_equal(pthread_create(&posters[i].thread, NULL, poster_main, &posters[i]),
				 0);
	}
	run();
	assert_int_equal(left, 0);
	for (int i = 0; i < POSTERS; i++) {
		assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
		assert_true(pthread_equal(posters[i].notes[0].ran_on, pthread_self()));
	}
}

static void test_stop_before_run(void **state)
{
	int left = 1;
	struct note note = { .task = { .run = note_run }, .left = &left };

	(void)state;
	hd_loop_stop(loop);
	run();
	/* and it runs again afterwards */
	hd_mailbox_post(hd_loop_mailbox(loop), &note.task);
	run();
	assert_int_equal(left, 0);
	assert_int_equal(hd_loop_run(NULL), HD_ESYSTEM);
	hd_loop_stop(NULL);
	hd_loop_free(NULL);
}

static int signals[2];
static int signal_count;

static void on_signal(void *arg, int signo)
{
	assert_ptr_equal(arg, signals);
	signals[signal_count++] = signo;
	if (signal_count == 2)
		hd_loop_stop(loop);
	else
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
}

static void test_signals(void **state)
{
	(void)state;
	signal_count = 0;
	assert_int_equal(hd_loop_signal(loop, SIGUSR1, on_signal, signals), 0);
	assert_int_equal(hd_loop_signal(loop, SIGUSR2, on_signal, signals), 0);
	assert_int_equal(kill(getpid(), SIGUSR2), 0);
	run();
	assert_int_equal(signals[0], SIGUSR2);
	assert_int_equal(signals[1], SIGUSR1);
}

static void test_signal_limit(void **state)
{
	static const int list[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,
				    SIGUSR2, SIGTERM, SIGCHLD, SIGWINCH };

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		assert_int_equal(hd_loop_signal(loop, list[i], on_signal, NULL), 0);
	assert_int_equal(hd_loop_signal(loop, SIGURG, on_signal, NULL), HD_ELIMIT);
	assert_int_equal(hd_loop_signal(NULL, SIGURG, on_signal, NULL), HD_ESYSTEM);
	assert_int_equal(hd_loop_signal(loop, SIGURG, NULL, NULL), HD_ESYSTEM);
}

static char logged[256];

static void sink(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	(void)snprintf(logged, sizeof(logged), "%s", text);
}

static void test_bad_signal(void **state)
{
	(void)state;
	hd_log_set_sink(sink, NULL);
	assert_int_equal(hd_loop_signal(loop, SIGKILL, on_signal, NULL), HD_ESYSTEM);
	hd_log_set_sink(NULL, NULL);
	/* libevent's own words come out in our log */
	assert_int_equal(strncmp(logged, "event: libevent: ", 17), 0);
}

static int loop_life(void *arg)
{
	struct hd_loop *made = NULL;
	int err = hd_loop_new(&made);

	(void)arg;
	if (err)
		return made ? HD_EINVAL : err;
	err = hd_loop_signal(made, SIGUSR1, on_signal, NULL);
	hd_loop_stop(made);
	if (!err)
		err = hd_loop_run(made);
	hd_loop_free(made);
	return err;
}

static void *event_malloc(size_t n)
{
	return oom_malloc(n);
}

static void *event_realloc(void *p, size_t n)
{
	return oom_realloc(p, n);
}

/* libevent's allocations fail too. */
static void test_without_memory(void **state)
{
	(void)state;
	hd_log_set_sink(sink, NULL);
	oom_loop(loop_life, NULL);
	hd_log_set_sink(NULL, NULL);
	assert_int_equal(hd_loop_new(NULL), HD_EINVAL);
}

#define WITH_LOOP(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(test_mailbox),
		WITH_LOOP(test_posts_from_threads),
		WITH_LOOP(test_stop_before_run),
		WITH_LOOP(test_signals),
		WITH_LOOP(test_signal_limit),
		WITH_LOOP(test_bad_signal),
		cmocka_unit_test(test_without_memory),
	};
	int failed;

	/* before libevent allocates anything */
	event_set_mem_functions(event_malloc, event_realloc, oom_free);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	libevent_global_shutdown();
	return failed;
}
