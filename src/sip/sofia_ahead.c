/*
 * sofia_ahead.c - see hotdesk/sip/guard.h: several datagrams by one call to the kernel.
 *
 * The library asks for the size of a datagram, reads it, and waits for the next event. Here the
 * first question reads up to BATCH datagrams; until those are handed out the questions are
 * answered from memory. Only one socket of an event loop has datagrams waiting here at a time,
 * and the loop sees no other event before they are gone, so the order of things is the kernel's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sofia_priv.h"

enum { BATCH = 16, SIZE = 65536 };

struct ahead {
	int fd;
	bool asked; /* the size of the first one was told */
	unsigned first, end;
	struct hd_watch watch;
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH];
	struct sockaddr_storage names[BATCH];
	char (*data)[SIZE]; /* pages that no datagram reaches are never touched */
};

static _Thread_local struct ahead *ahead;
static pthread_key_t key; /* frees it with its thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;
static _Atomic uint64_t n_datagrams, n_batches;

static void free_ahead(void *arg)
{
	struct ahead *a = arg;

	if (!a)
		return;
	ahead = NULL;
	free(a->data);
	free(a);
}

static void make_key(void)
{
	have_key = pthread_key_create(&key, free_ahead) == 0;
}

static struct ahead *ahead_new(void)
{
	struct ahead *a;

	pthread_once(&once, make_key);
	a = have_key ? calloc(1, sizeof(*a)) : NULL;
	if (!a)
		return NULL;
	a->data = calloc(BATCH, sizeof(*a->data));
	if (!a->data || pthread_setspecific(key, a)) {
		free(a->data);
		free(a);
		return NULL;
	}
	ahead = a;
	return a;
}

/* Afterwards they count as datagrams without bytes. */
static void take_stun(struct ahead *a)
{
	for (unsigned i = 0; i < a->end; i++) {
		struct mmsghdr *m = &a->msgs[i];

		if (!hd_stun_is(a->data[i], m->msg_len))
			continue;
		hd_stun_answer(a->fd, a->data[i], m->msg_len, &a->names[i], m->msg_hdr.msg_namelen);
		m->msg_len = 0;
	}
}

static void fill(struct ahead *a, int fd)
{
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		a->iovs[i] = (struct iovec){ .iov_base = a->data[i], .iov_len = SIZE };
		a->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &a->names[i],
						      .msg_namelen = sizeof(a->names[i]),
						      .msg_iov = &a->iovs[i],
						      .msg_iovlen = 1 };
	}
	do
		n = recvmmsg(fd, a->msgs, BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	a->fd = fd;
	a->first = 0;
	a->end = n > 0 ? (unsigned)n : 0;
	a->asked = false;
	take_stun(a);
	if (n > 0) {
		atomic_fetch_add_explicit(&n_batches, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&n_datagrams, (uint64_t)n, memory_order_relaxed);
	}
}

/* What is left of STUN, with which the library would leak, and what it would take for SigComp. */
static bool is_foreign(const struct ahead *a, unsigned i)
{
	unsigned char c = (unsigned char)a->data[i][0];

	return c <= 1 || c >= 0xf8;
}

/*
 * Datagrams that are empty or foreign go unseen, and one that the library asked for but did not
 * take goes too.
 */
static void skip(struct ahead *a)
{
	if (a->asked && a->first < a->end)
		a->first++;
	a->asked = false;
	while (a->first < a->end && (a->msgs[a->first].msg_len == 0 || is_foreign(a, a->first)))
		a->first++;
}

int hd_ahead_size(int fd)
{
	struct ahead *a = ahead;

	if (!a && hd_guard_reads_ahead())
		a = ahead_new();
	if (!a)
		return -1;
	if (a->first < a->end && a->fd != fd)
		return -1;
	skip(a);
	if (a->first == a->end) {
		if (!hd_guard_reads_ahead() || !hd_hook_datagram(&a->watch, fd))
			return -1;
		fill(a, fd);
		skip(a);
	}
	if (a->first == a->end)
		return 0;
	a->asked = true;
	return (int)a->msgs[a->first].msg_len;
}

static size_t scatter(struct msghdr *msg, const char *data, size_t len)
{
	size_t done = 0;

	for (size_t i = 0; i < msg->msg_iovlen && done < len; i++) {
		size_t n = msg->msg_iov[i].iov_len;

		if (n > len - done)
			n = len - done;
		memcpy(msg->msg_iov[i].iov_base, data + done, n);
		done += n;
	}
	return done;
}

ssize_t hd_ahead_take(int fd, struct msghdr *msg)
{
	struct ahead *a = ahead;
	const struct mmsghdr *m;
	socklen_t len;
	size_t n;

	if (!a || a->fd != fd || !a->asked || a->first == a->end)
		return -1;
	m = &a->msgs[a->first];
	n = scatter(msg, a->data[a->first], m->msg_len);
	len = m->msg_hdr.msg_namelen;
	if (msg->msg_name && len > 0)
		memcpy(msg->msg_name, &a->names[a->first],
		       len < msg->msg_namelen ? len : msg->msg_namelen);
	msg->msg_namelen = len;
	msg->msg_controllen = 0;
	msg->msg_flags = n < m->msg_len ? MSG_TRUNC : 0;
	a->first++;
	a->asked = false;
	return (ssize_t)n;
}

bool hd_ahead_is_empty(int fd)
{
	return ahead && hd_guard_reads_ahead() && ahead->fd == fd && ahead->first == ahead->end;
}

bool hd_ahead_event(int epfd, struct epoll_event *event)
{
	struct ahead *a = ahead;

	if (!a || a->first == a->end || a->watch.epfd != epfd)
		return false;
	/*
	 * Asked for and not taken: the library could not; it must not keep the loop from the
	 * kernel.
	 */
	skip(a);
	if (a->first == a->end || !hd_hook_datagram(&a->watch, a->fd) || a->watch.epfd != epfd ||
	    !(a->watch.event.events & EPOLLIN))
		return false;
	*event = a->watch.event;
	event->events = EPOLLIN;
	return true;
}

void hd_ahead_drop(int fd)
{
	if (ahead && ahead->fd == fd)
		ahead->first = ahead->end = 0;
}

void hd_ahead_get_stats(uint64_t *datagramsp, uint64_t *batchesp)
{
	*datagramsp = atomic_load_explicit(&n_datagrams, memory_order_relaxed);
	*batchesp = atomic_load_explicit(&n_batches, memory_order_relaxed);
}
