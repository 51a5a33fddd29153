/* client.h - a raw HTTP client on a Unix socket, with a deadline, for tests. */
#ifndef TEST_HTTP_CLIENT_H
#define TEST_HTTP_CLIENT_H

#include <stddef.h>

enum { CLIENT_DEADLINE_S = 20 };

struct reply {
	int status; /* 0: closed without an answer; -1: nothing within the deadline */
	char *head; /* owned; "" when there is none */
	char *body; /* owned; "" when there is none */
};

/** A connected socket, or -1. */
int client_connect(const char *path);
/** 0 or -1. */
int client_send(int fd, const char *text, size_t len);
/** Reads one answer. Its body ends by its Content-Length; without one (HEAD, 204) it is empty. */
struct reply client_read(int fd, int has_body);
void reply_free(struct reply *r);
/** Waits until the peer closes: 0 closed, -1 not within the deadline. */
int client_wait_closed(int fd);
/** Connects, asks, reads, closes. body may be NULL. */
struct reply client_ask(const char *path, const char *method, const char *target, const char *body);

#endif
