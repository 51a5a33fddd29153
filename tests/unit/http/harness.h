/*
 * harness.h - a control loop in a thread of its own, with an hd_http on a Unix socket, for tests.
 */
#ifndef TEST_HTTP_HARNESS_H
#define TEST_HTTP_HARNESS_H

#include <pthread.h>

#include "hotdesk/base/mailbox.h"
#include "hotdesk/event.h"
#include "hotdesk/http.h"

struct harness {
	struct hd_loop *loop;
	struct hd_http *http;
	pthread_t thread;
	int running;
	char dir[64];
	char path[96]; /* of the socket */
};

/** Loop, http and a temporary folder; the thread does not run yet. Asserts. */
void harness_init(struct harness *h, const struct hd_http_limits *limits);
/** Listens at h->path and starts the thread. Asserts. */
void harness_start(struct harness *h);
/** Runs fn(arg) in the loop's thread and waits for it. */
void harness_call(struct harness *h, void (*fn)(void *arg), void *arg);
/** Ends the thread; the loop and http are the caller's again. */
void harness_stop(struct harness *h);
/** Frees all and removes the folder. */
void harness_fini(struct harness *h);

#endif
