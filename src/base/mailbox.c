/* mailbox.c - see mailbox.h. */
#include "hotdesk/base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct hd_mailbox {
	pthread_mutex_t lock; /* head, tail */
	struct hd_task *head;
	struct hd_task **tail;
	int fd;
};

int hd_mailbox_new(struct hd_mailbox **mp)
{
	struct hd_mailbox *m;

	if (!mp)
		return HD_EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return HD_ENOMEM;
	m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->fd < 0)
		goto fail;
	if (pthread_mutex_init(&m->lock, NULL))
		goto fail;
	m->tail = &m->head;
	*mp = m;
	return 0;

fail:
	if (m->fd >= 0)
		(void)close(m->fd);
	free(m);
	return HD_ESYSTEM;
}

void hd_mailbox_free(struct hd_mailbox *m)
{
	if (!m)
		return;
	(void)pthread_mutex_destroy(&m->lock);
	(void)close(m->fd);
	free(m);
}

int hd_mailbox_fd(const struct hd_mailbox *m)
{
	return m->fd;
}

void hd_mailbox_post(struct hd_mailbox *m, struct hd_task *task)
{
	const uint64_t one = 1;
	ssize_t n = 0;

	task->next = NULL;
	(void)pthread_mutex_lock(&m->lock);
	/*
	 * The wake-up is written under the lock: once the owner has taken the task, which may be
	 * the one that ends in hd_mailbox_free(), the poster does not touch the mailbox any more.
	 */
	if (!m->head)
		do
			n = write(m->fd, &one, sizeof(one));
		while (n < 0 && errno == EINTR);
	*m->tail = task;
	m->tail = &task->next;
	(void)pthread_mutex_unlock(&m->lock);
}

size_t hd_mailbox_drain(struct hd_mailbox *m)
{
	struct hd_task *task;
	struct hd_task *next;
	uint64_t count;
	size_t ran = 0;
	ssize_t n;

	(void)pthread_mutex_lock(&m->lock);
	task = m->head;
	m->head = NULL;
	m->tail = &m->head;
	if (task)
		do
			n = read(m->fd, &count, sizeof(count));
		while (n < 0 && errno == EINTR);
	(void)pthread_mutex_unlock(&m->lock);

	for (; task; task = next) {
		next = task->next; /* run() may free the task */
		task->run(task);
		ran++;
	}
	return ran;
}
