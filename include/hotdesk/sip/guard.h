/*
 * guard.h - what Debian's Sofia-SIP lacks against peers that connect, and then do nothing or too
 * much.
 *
 * The library (1.12.11) leaks the TLS state of every connection, lets a peer that never sends a
 * message stay for ever, has no limit on connections, and spins when accept() fails for want of a
 * descriptor. The guard mends that without touching the library: our program defines accept(),
 * close(), SSL_shutdown() and a few more, so that the dynamic linker gives those to Sofia as
 * well. Calls that come from any other code go straight on. Programs must be linked with exported
 * symbols (hd_add_program() does).
 *
 * What it does while it is enabled:
 *  - shows it no certificates, whose alternative names it leaks;
 *  - frees the SSL object when Sofia only shuts it down; keeps one connection's TLS error away
 *    from the next;
 *  - refuses a connection over connections_max, or over connections_per_source (one IPv4 address
 *    or one IPv6 /64 network), with a reset;
 *  - closes a connection within first_message_s of its being accepted unless
 *    hd_guard_mark_alive() was called for it: silent, dripping and handshake-less peers go, an
 *    idle phone's flow stays;
 *  - closes a connection on which a message began and was not complete half_message_s later (a
 *    second more until the sweep sees it), however many bytes came in between;
 *  - out of descriptors, takes a connection with one kept in reserve and resets it; without the
 *    reserve it stops listening until the next sweep;
 *  - sets TCP_NODELAY, TCP_USER_TIMEOUT, keep-alive and close-on-exec on accepted sockets;
 *  - writes at most one line a second of what it refused and closed.
 * With read_ahead it also takes several datagrams from the kernel by one call; the stack still
 * sees them one by one. That saves system calls, and changes nothing else.
 *
 * State is one for the process, as the symbols are. All of it can be switched off and on while
 * running.
 *
 * Layer: 3.  Thread: mark_alive and sweep on the SIP thread; the others any.
 */
#ifndef HOTDESK_SIP_GUARD_H
#define HOTDESK_SIP_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct hd_guard_options {
	bool enabled;
	bool read_ahead;		 /* batches datagrams; needs enabled */
	uint32_t first_message_s;	 /* 0: 10 */
	uint32_t half_message_s;	 /* 0: 5 */
	uint32_t connections_max;	 /* 0, or more than that: 80 % of RLIMIT_NOFILE */
	uint32_t connections_per_source; /* 0: no limit of its own */
	uint32_t keepalive_s;		 /* silence before the kernel probes; 0: 60 */
	uint32_t timeout_s;		 /* unacknowledged data ends a connection; 0: 30 */
};

/** Counted since the process began; connections are those open now. */
struct hd_guard_stats {
	bool in_effect; /* enabled, and Sofia's calls do reach us */
	uint32_t connections_max;
	uint32_t connections, tls_connections; /* tls_connections are among connections */
	uint64_t accepted;
	uint64_t refused_max, refused_source, refused_descriptors;
	uint64_t closed_first, closed_half;
	uint64_t ssl_freed;
	uint64_t datagrams, batches; /* read ahead */
};

/**
 * Takes new values, at once for new connections and from the next sweep for those that are open.
 * Logs an error when Sofia's calls do not reach the guard (a program without exported symbols).
 */
void hd_guard_configure(const struct hd_guard_options *options);

/**
 * A valid message has come from this peer over TCP or TLS; to be called for the first at least.
 * Cheap, and harmless for a peer that is not known or not connected.
 */
void hd_guard_mark_alive(const struct sockaddr *peer, socklen_t len);

/**
 * Closes what is overdue; to be called once a second.
 *
 * @param now_ms monotonic, of the clock that the program uses
 */
void hd_guard_sweep(int64_t now_ms);

void hd_guard_get_stats(struct hd_guard_stats *stats);

#endif
