/* worker.c - see worker.h. */
#include "hotdesk/base/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

struct hd_worker {
	pthread_mutex_t lock; /* everything below but threads */
	pthread_cond_t wake;
	struct hd_job *head;
	struct hd_job **tail;
	uint32_t queued;
	uint32_t queue_max;
	bool stopping;
	uint32_t thread_count;
	pthread_t threads[];
};

static void job_deliver(struct hd_task *task)
{
	struct hd_job *job = (struct hd_job *)((char *)task - offsetof(struct hd_job, task));

	job->done(job);
}

/* The next job, or NULL when the worker stops and nothing is left. */
static struct hd_job *job_take(struct hd_worker *worker)
{
	struct hd_job *job;

	(void)pthread_mutex_lock(&worker->lock);
	while (!worker->head && !worker->stopping)
		(void)pthread_cond_wait(&worker->wake, &worker->lock);
	job = worker->head;
	if (job) {
		worker->head = job->next;
		if (!worker->head)
			worker->tail = &worker->head;
		worker->queued--;
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return job;
}

static void *worker_main(void *arg)
{
	struct hd_worker *worker = arg;
	struct hd_job *job;

	while ((job = job_take(worker))) {
		job->run(job);
		job->task.run = job_deliver;
		hd_mailbox_post(job->reply_to, &job->task);
	}
	return NULL;
}

/* Signals belong to the control thread: workers start with all of them blocked. */
static int threads_start(struct hd_worker *worker, uint32_t threads)
{
	sigset_t all;
	sigset_t old;
	int err = 0;

	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &old))
		return HD_ESYSTEM;
	while (!err && worker->thread_count < threads) {
		if (pthread_create(&worker->threads[worker->thread_count], NULL, worker_main,
				   worker))
			err = HD_ESYSTEM;
		else
			worker->thread_count++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int hd_worker_new(struct hd_worker **wp, uint32_t threads, uint32_t queue_max)
{
	struct hd_worker *worker;
	int err;

	if (!wp || threads == 0 || queue_max == 0)
		return HD_EINVAL;
	worker = calloc(1, sizeof(*worker) + threads * sizeof(worker->threads[0]));
	if (!worker)
		return HD_ENOMEM;
	/* Default attributes: neither call can fail in glibc. */
	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->wake, NULL);
	worker->tail = &worker->head;
	worker->queue_max = queue_max;

	err = threads_start(worker, threads);
	if (err) {
		hd_worker_free(worker);
		return err;
	}
	*wp = worker;
	return 0;
}

int hd_worker_submit(struct hd_worker *worker, struct hd_job *job)
{
	int err = 0;

	if (!worker || !job || !job->run || !job->done || !job->reply_to)
		return HD_EINVAL;
	job->next = NULL;
	(void)pthread_mutex_lock(&worker->lock);
	if (worker->stopping) {
		err = HD_ESHUTDOWN;
	} else if (worker->queued >= worker->queue_max) {
		err = HD_EBUSY;
	} else {
		*worker->tail = job;
		worker->tail = &job->next;
		worker->queued++;
		(void)pthread_cond_signal(&worker->wake);
	}
	(void)pthread_mutex_unlock(&worker->lock);
	return err;
}

bool hd_worker_is_full(struct hd_worker *worker)
{
	bool full;

	(void)pthread_mutex_lock(&worker->lock);
	full = worker->queued >= worker->queue_max;
	(void)pthread_mutex_unlock(&worker->lock);
	return full;
}

void hd_worker_set_queue_max(struct hd_worker *worker, uint32_t queue_max)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->queue_max = queue_max > 0 ? queue_max : 1;
	(void)pthread_mutex_unlock(&worker->lock);
}

uint32_t hd_worker_queued(struct hd_worker *worker)
{
	uint32_t queued;

	(void)pthread_mutex_lock(&worker->lock);
	queued = worker->queued;
	(void)pthread_mutex_unlock(&worker->lock);
	return queued;
}

void hd_worker_stop(struct hd_worker *worker)
{
	if (!worker)
		return;
	(void)pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	(void)pthread_cond_broadcast(&worker->wake);
	(void)pthread_mutex_unlock(&worker->lock);
	for (uint32_t i = 0; i < worker->thread_count; i++)
		(void)pthread_join(worker->threads[i], NULL);
	worker->thread_count = 0;
}

void hd_worker_free(struct hd_worker *worker)
{
	if (!worker)
		return;
	hd_worker_stop(worker);
	(void)pthread_cond_destroy(&worker->wake);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker);
}
