/* harness.c - see harness.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

struct call {
	struct hd_task task; /* first: the task is the call */
	void (*fn)(void *arg);
	void *arg;
	sem_t done;
};

void harness_init(struct harness *h, const struct hd_http_limits *limits)
{
	memset(h, 0, sizeof(*h));
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/hd-http-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->path, sizeof(h->path), "%s/s", h->dir);
	assert_int_equal(hd_loop_new(&h->loop), 0);
	assert_int_equal(hd_http_new(&h->http, h->loop, limits), 0);
}

static void *loop_thread(void *arg)
{
	struct harness *h = arg;

	return hd_loop_run(h->loop) ? h : NULL;
}

void harness_start(struct harness *h)
{
	assert_int_equal(hd_http_listen_unix(h->http, h->path, 0600), 0);
	assert_int_equal(pthread_create(&h->thread, NULL, loop_thread, h), 0);
	h->running = 1;
}

static void call_run(struct hd_task *task)
{
	struct call *call = (struct call *)task;

	call->fn(call->arg);
	(void)sem_post(&call->done);
}

void harness_call(struct harness *h, void (*fn)(void *arg), void *arg)
{
	struct call call = { .task = { .run = call_run }, .fn = fn, .arg = arg };

	(void)sem_init(&call.done, 0, 0);
	hd_mailbox_post(hd_loop_mailbox(h->loop), &call.task);
	while (sem_wait(&call.done))
		;
	(void)sem_destroy(&call.done);
}

static void stop(void *arg)
{
	hd_loop_stop(arg);
}

void harness_stop(struct harness *h)
{
	void *failed = NULL;

	if (!h->running)
		return;
	harness_call(h, stop, h->loop);
	assert_int_equal(pthread_join(h->thread, &failed), 0);
	assert_null(failed);
	h->running = 0;
}

void harness_fini(struct harness *h)
{
	harness_stop(h);
	hd_http_free(h->http);
	hd_loop_free(h->loop);
	assert_int_equal(rmdir(h->dir), 0);
}
