/*
 * sofia_hook_priv.h - how a function of ours stands in front of one that Sofia-SIP calls.
 *
 * The library binds its calls at run time, and the program's own symbols come first in that
 * search. So a function that is called accept in the program is the library's accept(), and
 * everybody else's: each one looks at its return address and only treats callers inside
 * libsofia-sip-ua. The next definition (libc's, OpenSSL's, or a sanitizer's in front of them) is
 * what it calls itself; gcc's sanitizers are shared libraries and clang's give way to a strong
 * symbol, so both keep seeing every call.
 */
#ifndef HOTDESK_SIP_SOFIA_HOOK_PRIV_H
#define HOTDESK_SIP_SOFIA_HOOK_PRIV_H

#include <netdb.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <openssl/ssl.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/url.h>

#include "sofia_priv.h"

/*
 * Own names with the library's symbols: no clash with the macros and inlines of the system's
 * headers. Never inlined, which link-time optimisation would do and so change the return address.
 * (A callback of ours that ends in close(fd) as a tail call is taken for the library; no hook
 * minds that.)
 */
#define HOOK(symbol) __asm__(symbol) __attribute__((noinline))
int hook_accept(int fd, struct sockaddr *addr, socklen_t *len) HOOK("accept");
int hook_close(int fd) HOOK("close");
int hook_ioctl(int fd, unsigned long request, ...) HOOK("ioctl");
int hook_getsockopt(int fd, int level, int name, void *value, socklen_t *len) HOOK("getsockopt");
ssize_t hook_recv(int fd, void *buf, size_t size, int flags) HOOK("recv");
ssize_t hook_recvmsg(int fd, struct msghdr *msg, int flags) HOOK("recvmsg");
ssize_t hook_sendmsg(int fd, const struct msghdr *msg, int flags) HOOK("sendmsg");
int hook_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		     struct addrinfo **res) HOOK("getaddrinfo");
const char *hook_inet_ntop(int family, const void *src, char *dst, socklen_t size)
	HOOK("inet_ntop");
int hook_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event) HOOK("epoll_ctl");
int hook_epoll_wait(int epfd, struct epoll_event *events, int n, int ms) HOOK("epoll_wait");
int hook_ssl_accept(SSL *ssl) HOOK("SSL_accept");
int hook_ssl_connect(SSL *ssl) HOOK("SSL_connect");
int hook_ssl_read(SSL *ssl, void *buf, int size) HOOK("SSL_read");
int hook_ssl_write(SSL *ssl, const void *buf, int size) HOOK("SSL_write");
int hook_ssl_shutdown(SSL *ssl) HOOK("SSL_shutdown");
void hook_ssl_free(SSL *ssl) HOOK("SSL_free");
X509 *hook_ssl_certificate(const SSL *ssl) HOOK("SSL_get1_peer_certificate");
int hook_bio_free(BIO *bio) HOOK("BIO_free");
int hook_msg_extract(msg_t *msg) HOOK("msg_extract");
int hook_url_d(url_t *url, char *s) HOOK("url_d");
issize_t hook_sip_request_d(su_home_t *home, sip_header_t *h, char *s, isize_t len)
	HOOK("sip_request_d");
issize_t hook_sip_status_d(su_home_t *home, sip_header_t *h, char *s, isize_t len)
	HOOK("sip_status_d");
issize_t hook_sip_via_d(su_home_t *home, sip_header_t *h, char *s, isize_t len) HOOK("sip_via_d");
int hook_sip_sanity_check(sip_t const *sip) HOOK("sip_sanity_check");
int hook_msg_header_replace_param(su_home_t *home, msg_common_t *h, char const *param)
	HOOK("msg_header_replace_param");
sip_method_t hook_sip_method_d(char **sp, char const **namep) HOOK("sip_method_d");
tport_t *hook_tport_tcreate(tp_stack_t *stack, tport_stack_class_t const *class, su_root_t *root,
			    tag_type_t tag, tag_value_t value, ...) HOOK("tport_tcreate");

/** What stands behind ours, and where the library's code lies. */
struct hd_real {
	int (*accept)(int, struct sockaddr *, socklen_t *);
	int (*close)(int);
	int (*ioctl)(int, unsigned long, ...);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	ssize_t (*recv)(int, void *, size_t, int);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int (*getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	const char *(*inet_ntop)(int, const void *, char *, socklen_t);
	int (*epoll_ctl)(int, int, int, struct epoll_event *);
	int (*epoll_wait)(int, struct epoll_event *, int, int);
	int (*ssl_accept)(SSL *);
	int (*ssl_connect)(SSL *);
	int (*ssl_read)(SSL *, void *, int);
	int (*ssl_write)(SSL *, const void *, int);
	int (*ssl_shutdown)(SSL *);
	void (*ssl_free)(SSL *);
	X509 *(*ssl_certificate)(const SSL *);
	int (*bio_free)(BIO *);
	int (*msg_extract)(msg_t *);
	int (*url_d)(url_t *, char *);
	issize_t (*sip_request_d)(su_home_t *, sip_header_t *, char *, isize_t);
	issize_t (*sip_status_d)(su_home_t *, sip_header_t *, char *, isize_t);
	issize_t (*sip_via_d)(su_home_t *, sip_header_t *, char *, isize_t);
	int (*sip_sanity_check)(sip_t const *);
	int (*msg_header_replace_param)(su_home_t *, msg_common_t *, char const *);
	sip_method_t (*sip_method_d)(char **, char const **);
	tport_t *(*tport_tcreate)(tp_stack_t *, tport_stack_class_t const *, su_root_t *,
				  tag_type_t, tag_value_t, ...);
	uintptr_t begin, end;
};
extern struct hd_real hd_real;
void hd_hook_find_real(void);

#define REAL(f) (hd_real.f ? hd_real.f : (hd_hook_find_real(), hd_real.f))
/** The caller is the library; it must stand in the hook itself. */
#define FROM_SOFIA()                                                                               \
	((uintptr_t)__builtin_return_address(0) - hd_real.begin < hd_real.end - hd_real.begin)

/** Sets what hd_hook_current() tells. */
void hd_hook_set_current(int fd);
/** Stops (and starts) waiting for connections. */
void hd_hook_pause_listener(int fd);
void hd_hook_resume_listeners(void);

#endif
