/* sofia_hook.c - see sofia_hook_priv.h: the hooks' foundation, and those of the event loop. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>

#include <sofia-sip/msg_buffer.h>

#include "hotdesk/base/str.h"
#include "sofia_creds.h"
#include "sofia_hook_priv.h"

enum { WATCHES = 1024 }; /* listeners are opened at start, so their numbers are low */

struct hd_real hd_real;

static const struct {
	const char *name;
	void *slot;
} symbols[] = {
	{ "accept", &hd_real.accept },
	{ "close", &hd_real.close },
	{ "ioctl", &hd_real.ioctl },
	{ "getsockopt", &hd_real.getsockopt },
	{ "recv", &hd_real.recv },
	{ "recvmsg", &hd_real.recvmsg },
	{ "sendmsg", &hd_real.sendmsg },
	{ "getaddrinfo", &hd_real.getaddrinfo },
	{ "inet_ntop", &hd_real.inet_ntop },
	{ "epoll_ctl", &hd_real.epoll_ctl },
	{ "epoll_wait", &hd_real.epoll_wait },
	{ "SSL_accept", &hd_real.ssl_accept },
	{ "SSL_connect", &hd_real.ssl_connect },
	{ "SSL_read", &hd_real.ssl_read },
	{ "SSL_write", &hd_real.ssl_write },
	{ "SSL_shutdown", &hd_real.ssl_shutdown },
	{ "SSL_free", &hd_real.ssl_free },
	{ "SSL_get1_peer_certificate", &hd_real.ssl_certificate },
	{ "BIO_free", &hd_real.bio_free },
	{ "msg_extract", &hd_real.msg_extract },
	{ "url_d", &hd_real.url_d },
	{ "sip_request_d", &hd_real.sip_request_d },
	{ "sip_status_d", &hd_real.sip_status_d },
	{ "sip_sanity_check", &hd_real.sip_sanity_check },
	{ "msg_header_replace_param", &hd_real.msg_header_replace_param },
	{ "sip_method_d", &hd_real.sip_method_d },
	{ "sip_via_d", &hd_real.sip_via_d },
	{ "tport_tcreate", &hd_real.tport_tcreate },
};

static struct hd_watch watches[WATCHES];
static pthread_mutex_t watches_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool is_datagram[WATCHES];
static _Atomic bool is_paused; /* one listener or more */
static _Thread_local int current = -1;

static int find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *base = strrchr(info->dlpi_name, '/');

	(void)size;
	(void)arg;
	base = base ? base + 1 : info->dlpi_name;
	if (strncmp(base, "libsofia-sip-ua.so", strlen("libsofia-sip-ua.so")) != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X)) {
			hd_real.begin = info->dlpi_addr + ph->p_vaddr;
			hd_real.end = hd_real.begin + ph->p_memsz;
		}
	}
	return 1;
}

/* Runs before main(), and earlier when a library's own constructor calls one of ours. */
__attribute__((constructor)) void hd_hook_find_real(void)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *f = dlsym(RTLD_NEXT, symbols[i].name);

		memcpy(symbols[i].slot, &f, sizeof(f));
	}
	dl_iterate_phdr(find_code, NULL);
}

/* Naming one function of each file also has the linker take them all out of the library. */
bool hd_hook_in_effect(void)
{
	int (*accept_)(int, struct sockaddr *, socklen_t *) = hook_accept;
	int (*shutdown_)(SSL *) = hook_ssl_shutdown;
	int (*extract_)(msg_t *) = hook_msg_extract;
	int (*url_)(url_t *, char *) = hook_url_d;
	const struct {
		const char *name;
		void *ours;
	} checks[] = { { "accept", &accept_ },
		       { "SSL_shutdown", &shutdown_ },
		       { "msg_extract", &extract_ },
		       { "url_d", &url_ } };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		void *first = dlsym(RTLD_DEFAULT, checks[i].name);

		if (memcmp(checks[i].ours, &first, sizeof(first)) != 0)
			return false;
	}
	return hd_real.end != 0;
}

int hd_hook_current(void)
{
	return current;
}

void hd_hook_set_current(int fd)
{
	current = fd;
}

/* ---- listeners and datagram sockets --------------------------------------------------------- */

bool hd_hook_datagram(struct hd_watch *watch, int fd)
{
	if (fd < 0 || fd >= WATCHES ||
	    !atomic_load_explicit(&is_datagram[fd], memory_order_relaxed))
		return false;
	if (!watch)
		return true;
	pthread_mutex_lock(&watches_lock);
	*watch = watches[fd];
	pthread_mutex_unlock(&watches_lock);
	return true;
}

static bool is_of_type(int fd, int name, int wanted)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return REAL(getsockopt)(fd, SOL_SOCKET, name, &value, &len) == 0 && value == wanted;
}

/* The resolver's sockets are connected and read in another way. */
static bool is_open_datagram(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return is_of_type(fd, SO_TYPE, SOCK_DGRAM) &&
	       getpeername(fd, (struct sockaddr *)&ss, &len) && errno == ENOTCONN;
}

static void watch(int epfd, int op, int fd, const struct epoll_event *event)
{
	bool datagram = false;

	if (fd < 0 || fd >= WATCHES)
		return;
	if (op == EPOLL_CTL_ADD)
		datagram = is_open_datagram(fd);
	pthread_mutex_lock(&watches_lock);
	if (op == EPOLL_CTL_ADD && (datagram || is_of_type(fd, SO_ACCEPTCONN, 1)))
		watches[fd] = (struct hd_watch){ .epfd = epfd, .event = *event };
	else if (op == EPOLL_CTL_MOD && watches[fd].event.events)
		watches[fd].event = *event;
	else if (op == EPOLL_CTL_DEL)
		memset(&watches[fd], 0, sizeof(watches[fd]));
	pthread_mutex_unlock(&watches_lock);
	if (op != EPOLL_CTL_MOD)
		atomic_store_explicit(&is_datagram[fd], datagram, memory_order_relaxed);
}

void hd_hook_pause_listener(int fd)
{
	struct epoll_event event;

	pthread_mutex_lock(&watches_lock);
	if (fd >= 0 && fd < WATCHES && watches[fd].event.events) {
		event = watches[fd].event;
		event.events = 0;
		watches[fd].paused =
			REAL(epoll_ctl)(watches[fd].epfd, EPOLL_CTL_MOD, fd, &event) == 0;
		atomic_store_explicit(&is_paused, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&watches_lock);
}

void hd_hook_resume_listeners(void)
{
	if (!atomic_exchange_explicit(&is_paused, false, memory_order_relaxed))
		return;
	pthread_mutex_lock(&watches_lock);
	for (int fd = 0; fd < WATCHES; fd++) {
		if (!watches[fd].paused)
			continue;
		watches[fd].paused = false;
		/* It fails when the socket is gone, and then nothing is missed. */
		(void)REAL(epoll_ctl)(watches[fd].epfd, EPOLL_CTL_MOD, fd, &watches[fd].event);
	}
	pthread_mutex_unlock(&watches_lock);
}

int hook_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	int rc = REAL(epoll_ctl)(epfd, op, fd, event);
	int saved = errno;

	if (rc == 0 && FROM_SOFIA()) {
		watch(epfd, op, fd, event);
		if (op == EPOLL_CTL_DEL)
			hd_ahead_drop(fd);
		errno = saved;
	}
	return rc;
}

int hook_close(int fd)
{
	if (FROM_SOFIA() && fd >= 0) {
		/* Before it is closed: right after, the number may be somebody else's. */
		hd_guard_forget(fd);
		hd_tls_forget(fd);
		watch(-1, EPOLL_CTL_DEL, fd, NULL);
		hd_ahead_drop(fd);
		if (current == fd)
			current = -1;
	}
	return REAL(close)(fd);
}

/* ---- what the parser made of it ------------------------------------------------------------- */

int hook_msg_extract(msg_t *msg)
{
	const bool from_sofia = FROM_SOFIA();
	struct hd_nuls nuls;
	int rc;

	hd_parse_hide_nuls(&nuls, msg);
	rc = REAL(msg_extract)(msg);
	hd_parse_show_nuls(&nuls);
	/*
	 * Blank lines between messages are keep-alives, and no beginning. After what it could not
	 * frame the library never reads from the stream again: that is as good as half a message.
	 */
	if (from_sofia && current >= 0 && hd_guard_is_on())
		hd_guard_parsed(current,
				rc < 0 || (rc == 0 && (msg_buf_committed(msg) > 0 ||
						       msg_get_flags(msg, MSG_FLG_HEADERS))),
				hd_guard_now_ms());
	return rc;
}

/* ---- datagrams and streams ------------------------------------------------------------------ */

int hook_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int n;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == FIONREAD && FROM_SOFIA() && hd_hook_datagram(NULL, fd)) {
		n = hd_ahead_size(fd);
		if (n >= 0) {
			memcpy(arg, &n, sizeof(n));
			return 0;
		}
	}
	return REAL(ioctl)(fd, request, arg);
}

ssize_t hook_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t n;

	if (!FROM_SOFIA())
		return REAL(recvmsg)(fd, msg, flags);
	if (hd_hook_datagram(NULL, fd)) {
		current = -1;
		n = flags == 0 ? hd_ahead_take(fd, msg) : -1;
		return n >= 0 ? n : REAL(recvmsg)(fd, msg, flags);
	}
	current = fd;
	return REAL(recvmsg)(fd, msg, flags);
}

/* Called on a datagram socket that was found empty, to be rid of a datagram without bytes. */
ssize_t hook_recv(int fd, void *buf, size_t size, int flags)
{
	if (FROM_SOFIA() && hd_hook_datagram(NULL, fd) && hd_ahead_is_empty(fd)) {
		errno = EAGAIN;
		return -1;
	}
	return REAL(recv)(fd, buf, size, flags);
}

/*
 * Before each datagram the library asks for, and so clears, the error that an earlier one left at
 * the socket. We answer "none", and send once more when such an error was in the way.
 */
int hook_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (name == SO_ERROR && level == SOL_SOCKET && FROM_SOFIA() && hd_guard_reads_ahead() &&
	    hd_hook_datagram(NULL, fd) && value && len && *len >= sizeof(int)) {
		memset(value, 0, sizeof(int));
		*len = sizeof(int);
		return 0;
	}
	return REAL(getsockopt)(fd, level, name, value, len);
}

ssize_t hook_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t n = REAL(sendmsg)(fd, msg, flags);

	if (n < 0 && errno != EAGAIN && FROM_SOFIA() && hd_guard_reads_ahead() &&
	    hd_hook_datagram(NULL, fd))
		n = REAL(sendmsg)(fd, msg, flags);
	return n;
}

/*
 * The library looks up, and waits for, the name of a Via or maddr it would answer to. This thread
 * waits for nobody: names are looked up elsewhere, and here only an address is one.
 */
int hook_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		     struct addrinfo **res)
{
	struct addrinfo numeric = { 0 };

	if (!node || !FROM_SOFIA())
		return REAL(getaddrinfo)(node, service, hints, res);
	if (hints)
		numeric = *hints;
	numeric.ai_flags |= AI_NUMERICHOST;
	return REAL(getaddrinfo)(node, service, &numeric, res);
}

/* The library asks for each datagram twice, and libc's way is sprintf(). */
const char *hook_inet_ntop(int family, const void *src, char *dst, socklen_t size)
{
	if (family != AF_INET || size < HD_IPV4_SIZE)
		return REAL(inet_ntop)(family, src, dst, size);
	hd_ipv4_format(dst, src);
	return dst;
}

int hook_epoll_wait(int epfd, struct epoll_event *events, int n, int ms)
{
	if (FROM_SOFIA()) {
		if (n > 0 && hd_ahead_event(epfd, events))
			return 1;
		/* A timer due within a millisecond gives 0: the library would spin. */
		if (ms == 0)
			ms = 1;
	}
	return REAL(epoll_wait)(epfd, events, n, ms);
}
