/* test_worker.c - jobs run elsewhere and end here; a full queue says so; nothing queued is lost. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/worker.h"
#include "support/oom.h"

enum { DEADLINE_MS = 20000, QUEUE = 3 };

/* A door that jobs wait at until the test opens it. */
struct door {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	int waiting;
};

struct work {
	struct hd_job job; /* first: a job is its work */
	struct door *door;
	pthread_t ran_on;
	pthread_t done_on;
	bool signals_blocked;
	int runs;
	int dones;
};

static void door_wait(struct door *door)
{
	(void)pthread_mutex_lock(&door->lock);
	door->waiting++;
	(void)pthread_cond_broadcast(&door->changed);
	while (!door->open)
		(void)pthread_cond_wait(&door->changed, &door->lock);
	(void)pthread_mutex_unlock(&door->lock);
}

static void door_open(struct door *door)
{
	(void)pthread_mutex_lock(&door->lock);
	door->open = true;
	(void)pthread_cond_broadcast(&door->changed);
	(void)pthread_mutex_unlock(&door->lock);
}

static void door_await(struct door *door, int waiting)
{
	(void)pthread_mutex_lock(&door->lock);
	while (door->waiting < waiting)
		(void)pthread_cond_wait(&door->changed, &door->lock);
	(void)pthread_mutex_unlock(&door->lock);
}

static void work_run(struct hd_job *job)
{
	struct work *work = (struct work *)job;
	sigset_t set;

	if (work->door)
		door_wait(work->door);
	work->ran_on = pthread_self();
	work->signals_blocked = pthread_sigmask(SIG_SETMASK, NULL, &set) == 0 &&
				sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGHUP) == 1;
	work->runs++;
}

static void work_done(struct hd_job *job)
{
	struct work *work = (struct work *)job;

	work->done_on = pthread_self();
	work->dones++;
}

static void work_init(struct work *work, struct hd_mailbox *m, struct door *door)
{
	*work = (struct work){
		.job = { .run = work_run, .done = work_done, .reply_to = m },
		.door = door,
	};
}

static void drain(struct hd_mailbox *m, size_t n)
{
	struct pollfd pfd = { .fd = hd_mailbox_fd(m), .events = POLLIN };
	size_t got = 0;

	while (got < n) {
		if (poll(&pfd, 1, DEADLINE_MS) != 1)
			fail_msg("expected %zu replies, got %zu", n, got);
		got += hd_mailbox_drain(m);
	}
	assert_int_equal(got, n);
}

static void test_runs_there_ends_here(void **state)
{
	struct hd_worker *worker = NULL;
	struct hd_mailbox *m = NULL;
	struct work work[20];

	(void)state;
	assert_int_equal(hd_mailbox_new(&m), 0);
	assert_int_equal(hd_worker_new(&worker, 2, 20), 0);
	for (size_t i = 0; i < 20; i++) {
		work_init(&work[i], m, NULL);
		assert_int_equal(hd_worker_submit(worker, &work[i].job), 0);
	}
	drain(m, 20);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(work[i].runs, 1);
		assert_int_equal(work[i].dones, 1);
		assert_true(work[i].signals_blocked);
		assert_false(pthread_equal(work[i].ran_on, pthread_self()));
		assert_true(pthread_equal(work[i].done_on, pthread_self()));
	}
	hd_worker_free(worker);
	hd_mailbox_free(m);
}

static void test_full_queue(void **state)
{
	struct door door = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER };
	struct hd_worker *worker = NULL;
	struct hd_mailbox *m = NULL;
	struct work work[QUEUE + 2];

	(void)state;
	assert_int_equal(hd_mailbox_new(&m), 0);
	assert_int_equal(hd_worker_new(&worker, 1, QUEUE), 0);
	for (size_t i = 0; i < QUEUE + 2; i++)
		work_init(&work[i], m, &door);

	assert_int_equal(hd_worker_submit(worker, &work[0].job), 0);
	door_await(&door, 1); /* the thread has it: the queue is empty */
	for (uint32_t i = 1; i <= QUEUE; i++) {
		assert_int_equal(hd_worker_queued(worker), i - 1);
		assert_int_equal(hd_worker_submit(worker, &work[i].job), 0);
	}
	assert_int_equal(hd_worker_submit(worker, &work[QUEUE + 1].job), HD_EBUSY);
	assert_int_equal(hd_worker_queued(worker), QUEUE);

	door_open(&door);
	drain(m, QUEUE + 1);
	assert_int_equal(work[QUEUE + 1].runs, 0);
	assert_int_equal(work[QUEUE + 1].dones, 0);
	assert_int_equal(hd_worker_submit(worker, &work[QUEUE + 1].job), 0);
	drain(m, 1);
	assert_int_equal(work[QUEUE + 1].dones, 1);
	hd_worker_free(worker);
	hd_mailbox_free(m);
}

static void test_free_finishes_the_queue(void **state)
{
	struct door door = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER };
	struct hd_worker *worker = NULL;
	struct hd_mailbox *m = NULL;
	struct work work[10];

	(void)state;
	assert_int_equal(hd_mailbox_new(&m), 0);
	assert_int_equal(hd_worker_new(&worker, 3, 10), 0);
	for (size_t i = 0; i < 10; i++) {
		work_init(&work[i], m, &door);
		assert_int_equal(hd_worker_submit(worker, &work[i].job), 0);
	}
	door_await(&door, 3); /* three threads, three jobs at a time */
	door_open(&door);
	hd_worker_free(worker);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(work[i].runs, 1);
		assert_int_equal(work[i].dones, 0); /* not before the mailbox is drained */
	}
	drain(m, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(work[i].dones, 1);
	hd_mailbox_free(m);
}

/* Between stop and free the worker refuses, so that others may still hold it. */
static void test_stop(void **state)
{
	struct hd_worker *worker = NULL;
	struct hd_mailbox *m = NULL;
	struct work work[6];

	(void)state;
	assert_int_equal(hd_mailbox_new(&m), 0);
	assert_int_equal(hd_worker_new(&worker, 2, 5), 0);
	for (size_t i = 0; i < 6; i++)
		work_init(&work[i], m, NULL);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(hd_worker_submit(worker, &work[i].job), 0);
	hd_worker_stop(worker);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(work[i].runs, 1);
	assert_int_equal(hd_worker_queued(worker), 0);
	assert_int_equal(hd_worker_submit(worker, &work[5].job), HD_ESHUTDOWN);
	hd_worker_stop(worker);
	hd_worker_free(worker);
	hd_worker_stop(NULL);
	drain(m, 5);
	assert_int_equal(hd_mailbox_drain(m), 0);
	assert_int_equal(work[5].runs, 0);
	assert_int_equal(work[5].dones, 0);
	hd_mailbox_free(m);
}

static void test_bad_arguments(void **state)
{
	struct hd_job job = { 0 };
	struct hd_worker *worker = NULL;

	(void)state;
	assert_int_equal(hd_worker_new(NULL, 1, 1), HD_EINVAL);
	assert_int_equal(hd_worker_new(&worker, 0, 1), HD_EINVAL);
	assert_int_equal(hd_worker_new(&worker, 1, 0), HD_EINVAL);
	assert_null(worker);
	assert_int_equal(hd_worker_new(&worker, 1, 1), 0);
	assert_int_equal(hd_worker_submit(worker, NULL), HD_EINVAL);
	assert_int_equal(hd_worker_submit(worker, &job), HD_EINVAL);
	hd_worker_free(worker);
	hd_worker_free(NULL);
}

static int worker_life(void *arg)
{
	struct hd_worker *worker = NULL;
	struct hd_mailbox *m = NULL;
	struct work work;
	int err = hd_mailbox_new(&m);

	(void)arg;
	if (err)
		return err;
	err = hd_worker_new(&worker, 3, 1);
	if (!err) {
		work_init(&work, m, NULL);
		err = hd_worker_submit(worker, &work.job);
		if (!err)
			drain(m, 1);
	} else if (worker) {
		err = HD_EINVAL;
	}
	hd_worker_free(worker);
	hd_mailbox_free(m);
	return err;
}

/* Also: two threads run and the third cannot be started. */
static void test_without_memory(void **state)
{
	(void)state;
	oom_loop(worker_life, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_there_ends_here),
		cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_free_finishes_the_queue),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
