/*
 * stack.h - the SIP agent and two scripted phones in one thread, on a clock that the test moves.
 *
 * The library's clock (its exported hook _su_time) and ours stand still but for stack_advance(),
 * which goes from one timer to the next: what is due at 500 ms happens at 500 ms, and a test of a
 * minute takes some milliseconds. Everything goes over real sockets on loopback.
 */
#ifndef SIP_TIMER_STACK_H
#define SIP_TIMER_STACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/proxy.h"
#include "hotdesk/sip/agent.h"

enum { T1 = 500, T2 = 4000, T4 = 5000, TIMER_C_S = 180, DATAGRAM_SIZE = 4096 };
#define START_MS INT64_C(1795000000000)

struct peer {
	int fd;
	uint16_t port;
	char flow[HD_FLOW_TEXT_SIZE];
	char got[DATAGRAM_SIZE]; /* the last datagram */
};

struct stack {
	struct hd_agent *agent;
	struct hd_proxy *proxy;
	struct hd_fake_clock clock;
	struct peer caller, callee;
	uint16_t port; /* of the agent */
	/* Who takes a request; NULL: it is proxied to the callee. */
	void (*receive)(struct stack *s, struct hd_request *req);
	void *arg;
};

/** For cmocka: *state is the struct stack. */
int stack_setup(void **state);
int stack_teardown(void **state);

/** Runs the loop until nothing happens any more; the clock stands. */
void stack_settle(struct stack *s);
/** Moves both clocks, timer by timer. */
void stack_advance(struct stack *s, int64_t in_ms);

/** Sends a datagram and lets the agent work. */
void peer_send(struct stack *s, struct peer *p, const char *fmt, ...) HD_PRINTF(3, 4);
/** The next datagram must begin like this; it is left in p->got. */
void peer_expect(struct peer *p, const char *begin);
void peer_expect_nothing(struct peer *p);
/** Takes everything that waits; all of it must begin like this. @return how many */
unsigned peer_count(struct peer *p, const char *begin);
/** The lines of that header field in p->got, CRLF included; good for the next seven calls. */
const char *peer_lines(const struct peer *p, const char *name);
/** Answers the request in p->got; tag "" for none. */
void peer_answer(struct stack *s, struct peer *p, const char *status, const char *tag);
/** A request of the caller's with everything that it needs; extra lines may be "". */
void caller_sends(struct stack *s, const char *method, const char *ruri, const char *branch,
		  const char *to_tag, const char *extra);
/** INVITE by the caller, taken by the callee; both have seen nothing else but the 100. */
void call_begins(struct stack *s);

#endif
