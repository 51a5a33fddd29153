/*
 * queue.c - commands come in, the store thread takes them out in batches; see store.h.
 *
 * One queue in order of submission keeps soft and durable commands of a submitter in order. On a
 * full disk the batch is halved until it fits or is a single command: a durable one fails; a soft
 * one stays at the head, what is durable behind it fails (it may not overtake), and both a later
 * durable command and soft_delay_ms make the next attempt.
 */
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "store_priv.h"

static uint32_t queued(const struct hd_queue *q)
{
	return q->durable + q->soft;
}

static void count(struct hd_queue *q, const struct hd_command *c, bool in)
{
	uint32_t *n = c->soft ? &q->soft : &q->durable;

	*n = in ? *n + 1 : *n - 1;
}

/* True when the store thread sleeps and this arrival changes what it waits for. */
static bool must_wake(const struct hd_store *store, bool soft)
{
	const struct hd_queue *q = &store->queue;

	switch (q->state) {
	case HD_STORE_BUSY:
		return false;
	case HD_STORE_GATHERING:
		return queued(q) >= store->options.batch_max;
	case HD_STORE_IDLE:
		break;
	}
	return !soft || q->soft == 1 || q->soft == store->options.batch_max;
}

static void wake_up(struct hd_queue *q)
{
	const uint64_t one = 1;

	(void)!write(q->wake_fd, &one, sizeof(one)); /* full means: it is being woken already */
}

static bool has_room(const struct hd_store *store, bool soft)
{
	const struct hd_queue *q = &store->queue;

	if (soft && q->soft >= (store->options.queue_max + 1) / 2)
		return false;
	return queued(q) < store->options.queue_max;
}

static int enqueue(struct hd_store *store, struct hd_command *c, bool forced)
{
	struct hd_queue *q = &store->queue;
	bool wake = false;
	int err = 0;

	c->next = NULL;
	pthread_mutex_lock(&q->lock);
	if (q->stopping) {
		err = HD_ESHUTDOWN;
		goto out;
	}
	if (!forced && !has_room(store, c->soft)) {
		err = HD_EBUSY;
		hd_store_count_shed();
		goto out;
	}
	if (c->soft && q->soft == 0)
		q->soft_due_ms = hd_store_now_ms(store) + store->options.soft_delay_ms;
	*q->tailp = c;
	q->tailp = &c->next;
	count(q, c, true);
	wake = must_wake(store, c->soft);
out:
	pthread_mutex_unlock(&q->lock);
	if (wake)
		wake_up(q);
	return err;
}

int hd_store_submit(struct hd_store *store, struct hd_command *command)
{
	if (!store || !command || !command->run || !command->done || !command->reply_to)
		return HD_EINVAL;
	command->soft = false;
	return enqueue(store, command, false);
}

int hd_store_submit_soft(struct hd_store *store, struct hd_command *command)
{
	if (!store || !command || !command->run || !command->done)
		return HD_EINVAL;
	command->soft = true;
	return enqueue(store, command, false);
}

bool hd_store_is_busy(struct hd_store *store)
{
	struct hd_queue *q = &store->queue;
	bool busy;

	pthread_mutex_lock(&q->lock);
	busy = !has_room(store, false);
	pthread_mutex_unlock(&q->lock);
	return busy;
}

/* ---- the lists; with the lock held ------------------------------------------------- */

static struct hd_command *take(struct hd_queue *q, uint32_t n, uint32_t *takenp)
{
	struct hd_command *list = q->head;
	struct hd_command **pp = &q->head;

	for (*takenp = 0; *pp && *takenp < n; (*takenp)++) {
		count(q, *pp, false);
		pp = &(*pp)->next;
	}
	if (!list)
		return NULL;
	q->head = *pp;
	*pp = NULL;
	if (!q->head)
		q->tailp = &q->head;
	if (q->soft > 0)
		q->soft_due_ms = 0; /* they have waited long enough behind a full batch */
	return list;
}

static void put_back(struct hd_queue *q, struct hd_command *list)
{
	struct hd_command **pp = &list;

	while (*pp) {
		count(q, *pp, true);
		pp = &(*pp)->next;
	}
	if (!q->head)
		q->tailp = pp;
	*pp = q->head;
	q->head = list;
}

static struct hd_command *take_durable(struct hd_queue *q, int err)
{
	struct hd_command *list = NULL;
	struct hd_command **tailp = &list;
	struct hd_command **pp = &q->head;

	while (*pp) {
		struct hd_command *c = *pp;

		if (c->soft) {
			pp = &c->next;
			continue;
		}
		*pp = c->next;
		count(q, c, false);
		c->next = NULL;
		c->err = err;
		*tailp = c;
		tailp = &c->next;
	}
	q->tailp = pp;
	return list;
}

/* ---- running ----------------------------------------------------------------------- */

/* The disk is full: what to run next, and what has failed now. With the lock held. */
static struct hd_command *make_room(struct hd_store *store, struct hd_command *list, uint32_t n)
{
	struct hd_queue *q = &store->queue;

	if (n > 1) {
		put_back(q, list);
		q->room = n / 2;
		return NULL;
	}
	list->err = HD_EFULL;
	if (!list->soft || q->stopping)
		return list;
	put_back(q, list);
	q->soft_due_ms = hd_store_now_ms(store) + store->options.soft_delay_ms;
	return take_durable(q, HD_EFULL);
}

static size_t count_failed(const struct hd_command *list)
{
	size_t n = 0;

	for (; list; list = list->next)
		n += list->err != 0;
	return n;
}

/* Runs the next batch. Called and left with the lock held. */
static void run_next(struct hd_store *store)
{
	struct hd_queue *q = &store->queue;
	struct hd_command *list;
	bool committed;
	int64_t start_ms;
	uint32_t n;
	int err;

	q->state = HD_STORE_BUSY;
	list = take(q, q->room, &n);
	if (!list)
		return;
	pthread_mutex_unlock(&q->lock);

	start_ms = hd_store_now_ms(store);
	err = hd_batch_run(store, list, &committed);
	if (committed) {
		hd_store_publish(store);
		hd_store_count_batch(store, n, hd_store_now_ms(store) - start_ms);
	}
	if (err == HD_EFULL || committed)
		hd_store_set_full(store, err == HD_EFULL);

	pthread_mutex_lock(&q->lock);
	q->last = n;
	if (err == HD_EFULL)
		list = make_room(store, list, n);
	else if (committed && q->room < store->options.batch_max)
		q->room = q->room * 2 > store->options.batch_max ? store->options.batch_max
								 : q->room * 2;
	pthread_mutex_unlock(&q->lock);

	hd_store_count_failed(store, count_failed(list));
	hd_batch_reply(list);
	pthread_mutex_lock(&q->lock);
}

/* Sleeps until somebody wakes the thread, or so many nanoseconds; negative: without end. */
static void wait_for(struct hd_queue *q, int64_t ns)
{
	struct pollfd fd = { .fd = q->wake_fd, .events = POLLIN };
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = ns % 1000000000 };
	uint64_t count;

	pthread_mutex_unlock(&q->lock);
	if (ppoll(&fd, 1, ns < 0 ? NULL : &ts, NULL) > 0)
		(void)!read(q->wake_fd, &count, sizeof(count));
	pthread_mutex_lock(&q->lock);
}

static bool soft_is_due(const struct hd_store *store)
{
	const struct hd_queue *q = &store->queue;

	if (q->soft == 0)
		return false;
	if (q->soft >= store->options.batch_max && !atomic_load(&store->full))
		return true;
	return hd_store_now_ms(store) >= q->soft_due_ms;
}

static int64_t soft_wait_ns(const struct hd_store *store)
{
	const struct hd_queue *q = &store->queue;
	int64_t ms = q->soft_due_ms - hd_store_now_ms(store);

	if (q->soft == 0)
		return -1;
	return ms > 0 ? ms * 1000000 : 0;
}

/* While the store is busy a batch grows for a moment: one flush then serves more commands. */
static void gather(struct hd_store *store)
{
	struct hd_queue *q = &store->queue;

	if (q->stopping || q->last < 2 || q->durable == 0 || queued(q) >= q->room ||
	    store->options.batch_wait_us == 0)
		return;
	q->state = HD_STORE_GATHERING;
	wait_for(q, store->options.batch_wait_us * INT64_C(1000));
}

/* @return false when the store stops and the queue is empty */
static bool wait_for_work(struct hd_store *store)
{
	struct hd_queue *q = &store->queue;

	while (!q->stopping && q->durable == 0 && !soft_is_due(store)) {
		q->state = HD_STORE_IDLE;
		wait_for(q, soft_wait_ns(store));
	}
	gather(store);
	return queued(q) > 0;
}

static void *store_main(void *arg)
{
	struct hd_store *store = arg;

	pthread_mutex_lock(&store->queue.lock);
	while (wait_for_work(store))
		run_next(store);
	pthread_mutex_unlock(&store->queue.lock);
	return NULL;
}

int hd_store_start(struct hd_store *store)
{
	struct hd_queue *q;
	sigset_t all, old;
	int rc;

	if (!store)
		return HD_EINVAL;
	q = &store->queue;
	if (q->started)
		return HD_ESTATE;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the control thread's */
	pthread_mutex_lock(&q->lock);
	rc = pthread_create(&q->thread, NULL, store_main, store);
	q->started = rc == 0;
	pthread_mutex_unlock(&q->lock);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		hd_error("store", "thread: cannot be started: error %d", rc);
		return HD_ESYSTEM;
	}
	pthread_setname_np(q->thread, "store");
	return 0;
}

void hd_queue_stop(struct hd_store *store)
{
	struct hd_queue *q = &store->queue;

	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_mutex_unlock(&q->lock);
	wake_up(q);
	if (q->started) {
		pthread_join(q->thread, NULL);
		q->started = false;
		return;
	}
	pthread_mutex_lock(&q->lock);
	while (queued(q) > 0)
		run_next(store);
	pthread_mutex_unlock(&q->lock);
}

/* ---- waiting for one command ------------------------------------------------------- */

struct waiter {
	struct hd_command command;
	struct hd_queue *queue;
	pthread_cond_t wake;
	bool done;
};

static void waiter_done(struct hd_command *c)
{
	struct waiter *w = (struct waiter *)(void *)c;

	pthread_mutex_lock(&w->queue->lock);
	w->done = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->queue->lock);
}

int hd_store_execute(struct hd_store *store, hd_command_fn *run, void *arg)
{
	struct waiter w = { .command = { .run = run, .arg = arg, .done = waiter_done } };
	struct hd_queue *q;
	int err;

	if (!store || !run)
		return HD_EINVAL;
	q = &store->queue;
	w.queue = q;
	if (pthread_cond_init(&w.wake, NULL) != 0)
		return HD_ENOMEM;
	pthread_mutex_lock(&q->lock);
	err = q->started && pthread_equal(q->thread, pthread_self()) ? HD_ESTATE : 0;
	pthread_mutex_unlock(&q->lock);
	if (!err)
		err = enqueue(store, &w.command, true);
	if (err)
		goto out;

	pthread_mutex_lock(&q->lock);
	while (!w.done) {
		if (q->started)
			pthread_cond_wait(&w.wake, &q->lock);
		else
			run_next(store);
	}
	pthread_mutex_unlock(&q->lock);
	err = w.command.err;
out:
	pthread_cond_destroy(&w.wake);
	return err;
}
