/*
 * sofia_hook.c - see hotdesk/sip/guard.h: the functions that the dynamic linker gives to Sofia-SIP.
 *
 * The library binds its calls at run time, and the program's own symbols come first in that search. So a
 * function that is called accept in the program is the library's accept(), and everybody else's: each one
 * here looks at its return address and only treats callers inside libsofia-sip-ua. The next definition
 * (libc's, OpenSSL's, or a sanitizer's in front of them) is what it calls itself; gcc's sanitizers are
 * shared libraries and clang's give way to a strong symbol, so both keep seeing every call.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_buffer.h>

#include "sofia_priv.h"

enum {
	WATCHES = 1024,	       /* listeners are opened at start, so their numbers are low */
	ACCEPTS = 64,	       /* connections refused before other events have their turn */
	KEEPALIVE_IDLE_S = 60, /* then probes; what stays unanswered ends the connection */
	KEEPALIVE_INTERVAL_S = 15,
	USER_TIMEOUT_MS = 30000,
};

/* Own names with the library's symbols: no clash with the macros and inlines of the system's headers. */
int hook_accept(int fd, struct sockaddr *addr, socklen_t *len) __asm__("accept");
int hook_close(int fd) __asm__("close");
int hook_ioctl(int fd, unsigned long request, ...) __asm__("ioctl");
int hook_getsockopt(int fd, int level, int name, void *value, socklen_t *len) __asm__("getsockopt");
ssize_t hook_recv(int fd, void *buf, size_t size, int flags) __asm__("recv");
ssize_t hook_recvmsg(int fd, struct msghdr *msg, int flags) __asm__("recvmsg");
ssize_t hook_sendmsg(int fd, const struct msghdr *msg, int flags) __asm__("sendmsg");
int hook_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event) __asm__("epoll_ctl");
int hook_epoll_wait(int epfd, struct epoll_event *events, int n, int ms) __asm__("epoll_wait");
int hook_ssl_accept(SSL *ssl) __asm__("SSL_accept");
int hook_ssl_connect(SSL *ssl) __asm__("SSL_connect");
int hook_ssl_read(SSL *ssl, void *buf, int size) __asm__("SSL_read");
int hook_ssl_write(SSL *ssl, const void *buf, int size) __asm__("SSL_write");
int hook_ssl_shutdown(SSL *ssl) __asm__("SSL_shutdown");
void hook_ssl_free(SSL *ssl) __asm__("SSL_free");
int hook_bio_free(BIO *bio) __asm__("BIO_free");
int hook_msg_extract(msg_t *msg) __asm__("msg_extract");

/* What stands behind ours. */
static struct {
	int (*accept)(int, struct sockaddr *, socklen_t *);
	int (*close)(int);
	int (*ioctl)(int, unsigned long, ...);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	ssize_t (*recv)(int, void *, size_t, int);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int (*epoll_ctl)(int, int, int, struct epoll_event *);
	int (*epoll_wait)(int, struct epoll_event *, int, int);
	int (*ssl_accept)(SSL *);
	int (*ssl_connect)(SSL *);
	int (*ssl_read)(SSL *, void *, int);
	int (*ssl_write)(SSL *, const void *, int);
	int (*ssl_shutdown)(SSL *);
	void (*ssl_free)(SSL *);
	int (*bio_free)(BIO *);
	int (*msg_extract)(msg_t *);
} real;

static const struct {
	const char *name;
	void *slot;
} symbols[] = {
	{ "accept", &real.accept },
	{ "close", &real.close },
	{ "ioctl", &real.ioctl },
	{ "getsockopt", &real.getsockopt },
	{ "recv", &real.recv },
	{ "recvmsg", &real.recvmsg },
	{ "sendmsg", &real.sendmsg },
	{ "epoll_ctl", &real.epoll_ctl },
	{ "epoll_wait", &real.epoll_wait },
	{ "SSL_accept", &real.ssl_accept },
	{ "SSL_connect", &real.ssl_connect },
	{ "SSL_read", &real.ssl_read },
	{ "SSL_write", &real.ssl_write },
	{ "SSL_shutdown", &real.ssl_shutdown },
	{ "SSL_free", &real.ssl_free },
	{ "BIO_free", &real.bio_free },
	{ "msg_extract", &real.msg_extract },
};

static uintptr_t sofia_begin, sofia_end; /* the library's code */

static struct hd_watch watches[WATCHES];
static pthread_mutex_t watches_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool is_datagram[WATCHES];
static _Atomic bool is_paused; /* one listener or more */
static _Atomic int reserve = -1;

static _Thread_local int current = -1;
static _Thread_local SSL *shut_ssl; /* by tls_free(), which frees its BIO next */
static _Thread_local BIO *shut_bio;

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
			sofia_begin = info->dlpi_addr + ph->p_vaddr;
			sofia_end = sofia_begin + ph->p_memsz;
		}
	}
	return 1;
}

/* Runs before main(), and earlier when a library's own constructor calls one of ours. */
__attribute__((constructor)) static void find_real(void)
{
	if (real.msg_extract)
		return;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *f = dlsym(RTLD_NEXT, symbols[i].name);

		memcpy(symbols[i].slot, &f, sizeof(f));
	}
	dl_iterate_phdr(find_code, NULL);
}

#define REAL(f) (real.f ? real.f : (find_real(), real.f))
/* The caller is the library; it must stand in the hook itself. */
#define FROM_SOFIA()                                                                               \
	((uintptr_t)__builtin_return_address(0) - sofia_begin < sofia_end - sofia_begin)

bool hd_hook_in_effect(void)
{
	int (*ours)(int, struct sockaddr *, socklen_t *) = hook_accept;
	void *theirs = dlsym(RTLD_DEFAULT, "accept");

	return sofia_end && memcmp(&ours, &theirs, sizeof(theirs)) == 0;
}

int hd_hook_current(void)
{
	return current;
}

/* ---- listeners and datagram sockets -------------------------------------------------------------- */

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

static void pause_listener(int fd)
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

static void resume_listeners(void)
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
		watch(-1, EPOLL_CTL_DEL, fd, NULL);
		hd_ahead_drop(fd);
		if (current == fd)
			current = -1;
	}
	return REAL(close)(fd);
}

/* ---- accept ---------------------------------------------------------------------------------------- */

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
	resume_listeners();
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
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
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
			pause_listener(listener);
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

/* ---- TLS ------------------------------------------------------------------------------------------- */

/* OpenSSL's error queue is the thread's: without this an old error ends another peer's connection. */
int hook_ssl_accept(SSL *ssl)
{
	if (FROM_SOFIA() && hd_guard_is_on()) {
		ERR_clear_error();
		/* A peer that hangs up without a farewell is no error: SIP has lengths of its own. */
		SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
		hd_guard_set_tls(SSL_get_fd(ssl));
	}
	return REAL(ssl_accept)(ssl);
}

int hook_ssl_connect(SSL *ssl)
{
	if (FROM_SOFIA() && hd_guard_is_on()) {
		ERR_clear_error();
		SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
	}
	return REAL(ssl_connect)(ssl);
}

int hook_ssl_read(SSL *ssl, void *buf, int size)
{
	if (FROM_SOFIA() && hd_guard_is_on()) {
		ERR_clear_error();
		current = SSL_get_fd(ssl);
	}
	return REAL(ssl_read)(ssl, buf, size);
}

int hook_ssl_write(SSL *ssl, const void *buf, int size)
{
	if (FROM_SOFIA() && hd_guard_is_on())
		ERR_clear_error();
	return REAL(ssl_write)(ssl, buf, size);
}

int hook_ssl_shutdown(SSL *ssl)
{
	if (FROM_SOFIA() && hd_guard_is_on()) {
		shut_ssl = ssl;
		shut_bio = SSL_get_rbio(ssl);
	}
	return REAL(ssl_shutdown)(ssl);
}

/* A library that frees by itself, as later ones do, is not freed for twice. */
void hook_ssl_free(SSL *ssl)
{
	if (FROM_SOFIA() && ssl == shut_ssl) {
		shut_ssl = NULL;
		shut_bio = NULL;
	}
	REAL(ssl_free)(ssl);
}

/*
 * tls_free() calls SSL_shutdown(), SSL_CTX_free() and then this. The SSL owns the BIO, so freeing the SSL
 * is right and frees both. SSL_CTX_free() has already given back the reference that SSL_new() took, hence
 * one more for SSL_free() to give back.
 */
int hook_bio_free(BIO *bio)
{
	SSL *ssl = shut_ssl;

	if (!FROM_SOFIA() || !bio || !ssl || bio != shut_bio)
		return REAL(bio_free)(bio);
	shut_ssl = NULL;
	shut_bio = NULL;
	if (!SSL_CTX_up_ref(SSL_get_SSL_CTX(ssl)))
		return REAL(bio_free)(bio);
	REAL(ssl_free)(ssl);
	ERR_clear_error();
	hd_guard_ssl_freed();
	return 1;
}

/* ---- what the parser made of it ---------------------------------------------------------------------- */

int hook_msg_extract(msg_t *msg)
{
	int rc = REAL(msg_extract)(msg);

	/* Blank lines between messages are keep-alives, and no beginning. */
	if (FROM_SOFIA() && current >= 0 && hd_guard_is_on())
		hd_guard_parsed(current,
				rc == 0 && (msg_buf_committed(msg) > 0 ||
					    msg_get_flags(msg, MSG_FLG_HEADERS)),
				hd_guard_now_ms());
	return rc;
}

/* ---- datagrams and streams ----------------------------------------------------------------------------- */

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
 * Before each datagram the library asks for, and so clears, the error that an earlier one left at the
 * socket. We answer "none", and send once more when such an error was in the way.
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

int hook_epoll_wait(int epfd, struct epoll_event *events, int n, int ms)
{
	if (FROM_SOFIA() && n > 0 && hd_ahead_event(epfd, events))
		return 1;
	return REAL(epoll_wait)(epfd, events, n, ms);
}
