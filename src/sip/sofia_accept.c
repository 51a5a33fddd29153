/* sofia_accept.c - see hotdesk/sip/guard.h: accept() as Sofia-SIP gets it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "sofia_hook_priv.h"

enum {
	ACCEPTS = 64, /* connections refused before other events have their turn */
};

static _Atomic int reserve = -1;

static void take_reserve(void)
{
	int none = -1;
	int fd;

	if (atomic_load(&reserve) >= 0)
		return;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !atomic_compare_exchange_strong(&reserve, &none, fd))
		REAL(close)(fd);
}

static bool give_reserve(void)
{
	int fd = atomic_exchange(&reserve, -1);

	if (fd < 0)
		return false;
	REAL(close)(fd);
	return true;
}

void hd_hook_refresh(bool on)
{
	if (on)
		take_reserve();
	else
		give_reserve();
	hd_hook_resume_listeners();
}

/* A reset: no state is left in the kernel, as it would be after a close that we began. */
static void refuse(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	REAL(close)(fd);
}

/* Advice to the kernel: a connection without it still works. */
static void set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void tune(int fd)
{
	const struct hd_guard_silence silence = hd_guard_get_silence();

	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)silence.timeout_s * 1000);
	/* Then probes; what stays unanswered ends the connection. */
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)silence.keepalive_s);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)(silence.keepalive_s + 3) / 4);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static bool is_out_of_descriptors(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/* Takes one connection off the queue with the descriptor kept for that. */
static bool refuse_with_reserve(int listener)
{
	bool had = give_reserve();
	int fd = -1;

	if (had)
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		refuse(fd);
	take_reserve();
	if (fd >= 0)
		hd_guard_refused(HD_GUARD_DESCRIPTORS);
	return fd >= 0;
}

/* The library's listeners do not block. errno 0 is what its error report passes over in silence. */
static int accept_for_sofia(int listener, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_storage ss;
	socklen_t size;
	int fd;

	for (int i = 0; i < ACCEPTS; i++) {
		size = sizeof(ss);
		fd = accept4(listener, (struct sockaddr *)&ss, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && !is_out_of_descriptors(errno)) {
			if (errno != EBADF && errno != EINVAL && errno != ENOTSOCK)
				errno = 0;
			return -1;
		}
		if (fd < 0 && !refuse_with_reserve(listener)) {
			hd_hook_pause_listener(listener);
			break;
		}
		if (fd < 0)
			continue;
		if (hd_guard_admit(fd, (struct sockaddr *)&ss, hd_guard_now_ms()) == HD_GUARD_OK) {
			tune(fd);
			memcpy(addr, &ss, size < *len ? size : *len);
			*len = size;
			return fd;
		}
		refuse(fd);
	}
	errno = 0;
	return -1;
}

int hook_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	if (FROM_SOFIA() && hd_guard_is_on() && addr && len)
		return accept_for_sofia(fd, addr, len);
	return REAL(accept)(fd, addr, len);
}
