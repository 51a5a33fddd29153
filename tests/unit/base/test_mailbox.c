/* test_mailbox.c - order, wake-ups, many posters, no memory. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/mailbox.h"
#include "support/oom.h"

enum { POSTERS = 4, POSTS = 5000, DEADLINE_MS = 20000 };

struct note {
	struct hd_task task; /* first: a task is its note */
	struct hd_mailbox *again;
	int poster;
	int number;
};

static int order[8];
static size_t order_len;

static void note_run(struct hd_task *task)
{
	struct note *note = (struct note *)task;

	order[order_len++] = note->number;
	if (note->again) {
		struct hd_mailbox *m = note->again;

		note->again = NULL;
		hd_mailbox_post(m, task);
	}
}

static bool readable(const struct hd_mailbox *m, int wait_ms)
{
	struct pollfd pfd = { .fd = hd_mailbox_fd(m), .events = POLLIN };

	return poll(&pfd, 1, wait_ms) == 1;
}

static void test_order(void **state)
{
	struct note notes[3] = { 0 };
	struct hd_mailbox *m = NULL;

	(void)state;
	order_len = 0;
	assert_int_equal(hd_mailbox_new(&m), 0);
	assert_false(readable(m, 0));
	assert_int_equal(hd_mailbox_drain(m), 0);
	for (int i = 0; i < 3; i++) {
		notes[i].task.run = note_run;
		notes[i].number = i;
		hd_mailbox_post(m, &notes[i].task);
	}
	assert_true(readable(m, 0));
	assert_int_equal(hd_mailbox_drain(m), 3);
	assert_int_equal(order_len, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(order[i], i);
	assert_false(readable(m, 0));
	assert_int_equal(hd_mailbox_drain(m), 0);
	hd_mailbox_free(m);
	hd_mailbox_free(NULL);
}

/* What is posted by a task runs in the next drain, so one owner's turn always ends. */
static void test_post_while_draining(void **state)
{
	struct hd_mailbox *m = NULL;
	struct note note = { .task = { .run = note_run }, .number = 7 };

	(void)state;
	order_len = 0;
	assert_int_equal(hd_mailbox_new(&m), 0);
	note.again = m;
	hd_mailbox_post(m, &note.task);
	assert_int_equal(hd_mailbox_drain(m), 1);
	assert_true(readable(m, 0));
	assert_int_equal(hd_mailbox_drain(m), 1);
	assert_false(readable(m, 0));
	assert_int_equal(order_len, 2);
	hd_mailbox_free(m);
}

struct poster {
	pthread_t thread;
	struct hd_mailbox *m;
	int id;
};

static int last_seen[POSTERS];
static int total;

static void count_run(struct hd_task *task)
{
	struct note *note = (struct note *)task;

	if (note->number != last_seen[note->poster] + 1)
		fail_msg("poster %d: expected %d, got %d", note->poster,
			 last_seen[note->poster] + 1, note->number);
	last_seen[note->poster] = note->number;
	total++;
	free(note);
}

static void *poster_main(void *arg)
{
	struct poster *poster = arg;

	for (int i = 1; i <= POSTS; i++) {
		struct note *note = calloc(1, sizeof(*note));

		if (!note)
			abort();
		note->task.run = count_run;
		note->poster = poster->id;
		note->number = i;
		hd_mailbox_post(poster->m, &note->task);
	}
	return NULL;
}

static void test_many_posters(void **state)
{
	struct poster posters[POSTERS];
	struct hd_mailbox *m = NULL;
	size_t ran = 0;

	(void)state;
	total = 0;
	memset(last_seen, 0, sizeof(last_seen));
	assert_int_equal(hd_mailbox_new(&m), 0);
	for (int i = 0; i < POSTERS; i++) {
		posters[i].m = m;
		posters[i].id = i;
		assert_int_equal(pthread_create(&posters[i].thread, NULL, poster_main, &posters[i]),
				 0);
	}
	while (ran < POSTERS * POSTS) {
		if (!readable(m, DEADLINE_MS))
			fail_msg("lost wake-up: expected %d tasks, got %zu", POSTERS * POSTS, ran);
		ran += hd_mailbox_drain(m);
	}
	assert_int_equal(total, POSTERS * POSTS);
	assert_false(readable(m, 0));
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
	hd_mailbox_free(m);
}

static void nothing(struct hd_task *task)
{
	(void)task;
}

static void *post_one(void *arg)
{
	struct note *note = arg;

	hd_mailbox_post(note->again, &note->task);
	return NULL;
}

/* The owner may free the mailbox when it has the last task, while its poster still returns. */
static void test_free_after_last_task(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		struct note note = { .task = { .run = nothing } };
		pthread_t thread;

		assert_int_equal(hd_mailbox_new(&note.again), 0);
		assert_int_equal(pthread_create(&thread, NULL, post_one, &note), 0);
		assert_true(readable(note.again, DEADLINE_MS));
		assert_int_equal(hd_mailbox_drain(note.again), 1);
		hd_mailbox_free(note.again);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

static int mailbox_life(void *arg)
{
	struct hd_task task = { .run = nothing };
	struct hd_mailbox *m = NULL;
	int err = hd_mailbox_new(&m);

	(void)arg;
	if (err)
		return m ? HD_EINVAL : err;
	hd_mailbox_post(m, &task);
	if (hd_mailbox_drain(m) != 1)
		err = HD_EINVAL;
	hd_mailbox_free(m);
	return err;
}

static void test_without_memory(void **state)
{
	(void)state;
	oom_loop(mailbox_life, NULL);
	assert_int_equal(hd_mailbox_new(NULL), HD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	       cmocka_unit_test(test_post_while_draining),
		cmocka_unit_test(test_many_posters),   cmocka_unit_test(test_free_after_last_task),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
