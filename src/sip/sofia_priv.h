/*
 * sofia_priv.h - what the files of the guard share. sofia_guard.c knows the connections and
 * judges them, sofia_hook.c, sofia_accept.c and sofia_tls.c stand in front of the library,
 * sofia_ahead.c reads datagrams in batches.
 */
#ifndef HOTDESK_SIP_SOFIA_PRIV_H
#define HOTDESK_SIP_SOFIA_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <sofia-sip/sip.h>
#include <sofia-sip/tport.h>

/* ---- the table of connections (sofia_guard.c) ----------------------------------------------- */

enum hd_guard_why { HD_GUARD_OK, HD_GUARD_MAX, HD_GUARD_SOURCE, HD_GUARD_DESCRIPTORS };

bool hd_guard_is_on(void);
bool hd_guard_reads_ahead(void);
/** The sweep's clock, carried on to this moment. */
int64_t hd_guard_now_ms(void);
/** What the kernel does about silent peers. */
struct hd_guard_silence {
	uint32_t keepalive_s, timeout_s;
};
struct hd_guard_silence hd_guard_get_silence(void);
/** Enters an accepted connection, or says why not; a refusal is counted. */
enum hd_guard_why hd_guard_admit(int fd, const struct sockaddr *peer, int64_t now_ms);
/** Counts a refusal that had no descriptor to be judged with. */
void hd_guard_refused(enum hd_guard_why why);
/** The descriptor is about to be closed. */
void hd_guard_forget(int fd);
void hd_guard_set_tls(int fd);
/** The parser has read from fd; unfinished: it now holds the beginning of a message. */
void hd_guard_parsed(int fd, bool unfinished, int64_t now_ms);
/** True while fd holds the beginning of a message. */
bool hd_guard_is_half(int fd);
void hd_guard_ssl_freed(void);

/* ---- in front of the library (sofia_hook.c) ------------------------------------------------- */

/** True when Sofia's calls reach our symbols. */
bool hd_hook_in_effect(void);
/** The connection that this thread's event loop has read from last; -1: none. */
int hd_hook_current(void);
/** Takes the reserve descriptor (or gives it back) and lets paused listeners listen again. */
void hd_hook_refresh(bool on);

/** A socket of Sofia's event loop that is a listener or an unconnected datagram socket. */
struct hd_watch {
	int epfd;
	struct epoll_event event;
	bool paused;
};
/** The registration of a datagram socket. @return false when fd is none */
bool hd_hook_datagram(struct hd_watch *watch, int fd);

/* ---- messages (sofia_parse.c) --------------------------------------------------------------- */

/** How the branches begin of requests that came with a Via: their responses need one, too. */
#define HD_BRANCH_FORWARDED "z9hG4bK-f"

/** Whether a Via is of our own making. */
typedef bool hd_sent_by_fn(const void *arg, const sip_via_t *via);
/** Responses on this thread whose top Via is not ours are dropped (RFC 3261 18.1.2). NULL: none. */
void hd_parse_set_sent_by(hd_sent_by_fn *is_ours, const void *arg);

/** Sees every message of this thread before the library does. */
typedef void hd_screen_fn(const void *arg, tport_t *tport, msg_t *msg);
void hd_parse_set_screen(hd_screen_fn *screen, const void *arg);

/** A NUL may stand in a quoted string, behind a backslash; to the library it is the end. */
enum { HD_NULS_MAX = 16 };
struct hd_nuls {
	char *at[HD_NULS_MAX];
	size_t n;
};
/** Hides those in the part of the header that is not parsed yet, and puts them back after it. */
void hd_parse_hide_nuls(struct hd_nuls *nuls, msg_t *msg);
void hd_parse_show_nuls(const struct hd_nuls *nuls);
/* ---- STUN (sofia_stun.c) -------------------------------------------------------------------- */

/** Whether a source may be answered once more. */
typedef bool hd_stun_allow_fn(void *arg, const struct sockaddr_storage *from);
/** For this thread's sockets; before it nothing is answered. NULL: nothing any more. */
void hd_stun_set_allow(hd_stun_allow_fn *fn, void *arg);
/** True for what the library would take for STUN. */
bool hd_stun_is(const char *data, size_t len);
/** Answers a Binding request; anything else gets no answer. */
void hd_stun_answer(int fd, const char *data, size_t len, const struct sockaddr_storage *from,
		    socklen_t from_len);

/* ---- read-ahead (sofia_ahead.c), each on the thread that runs the event loop ---------------- */

/** Size of the next datagram, read in if needed. @return 0: there is none; -1: ask the kernel */
int hd_ahead_size(int fd);
/** recvmsg() from what was read. @return -1: nothing was read ahead for fd */
ssize_t hd_ahead_take(int fd, struct msghdr *msg);
/** True when hd_ahead_size() has just said that nothing is there. */
bool hd_ahead_is_empty(int fd);
/** The event loop's next event when a datagram waits here. */
bool hd_ahead_event(int epfd, struct epoll_event *event);
/** Drops what was read for fd. */
void hd_ahead_drop(int fd);
void hd_ahead_get_stats(uint64_t *datagramsp, uint64_t *batchesp);

#endif
