/* client.c - see client.h. */
#include "client.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM = 1 << 22 };

int client_connect(const char *path)
{
	struct timeval deadline = { .tv_sec = CLIENT_DEADLINE_S };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)) ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int client_send(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static size_t length_of(const char *head)
{
	const char *line = strcasestr(head, "\r\ncontent-length:");

	return line ? strtoul(line + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

struct reply client_read(int fd, int has_body)
{
	struct reply r = { -1, NULL, NULL };
	char *buf = calloc(1, ROOM);
	size_t have = 0;
	size_t want = SIZE_MAX;
	char *end;
	ssize_t n = 1;

	while (buf && have < want && have < ROOM - 1) {
		/* One byte at a time in the head, so as not to eat the next answer. */
		n = recv(fd, buf + have, want == SIZE_MAX ? 1 : want - have, 0);
		if (n <= 0)
			break;
		have += (size_t)n;
		if (want == SIZE_MAX && (end = strstr(buf, "\r\n\r\n")))
			want = have + (has_body ? length_of(buf) : 0);
	}
	if (n == 0 && have == 0)
		r.status = 0;
	end = buf ? strstr(buf, "\r\n\r\n") : NULL;
	if (end && have == want && sscanf(buf, "HTTP/1.%*d %d", &r.status) == 1) {
		r.body = strdup(end + 4);
		end[2] = '\0';
		r.head = strdup(buf);
	}
	free(buf);
	if (!r.head)
		r.head = strdup("");
	if (!r.body)
		r.body = strdup("");
	return r;
}

void reply_free(struct reply *r)
{
	free(r->head);
	free(r->body);
	r->head = NULL;
	r->body = NULL;
}

int client_wait_closed(int fd)
{
	char buf[4096];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
	} while (n > 0);
	return n == 0 ? 0 : -1;
}

struct reply client_ask(const char *path, const char *method, const char *target, const char *body)
{
	struct reply r = { -1, NULL, NULL };
	size_t len = body ? strlen(body) : 0;
	char head[1024];
	int fd = client_connect(path);

	(void)snprintf(head, sizeof(head),
		       "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
		       "Content-Length: %zu\r\n\r\n",
		       method, target, len);
	if (fd >= 0 && !client_send(fd, head, strlen(head)) && !client_send(fd, body, len))
		r = client_read(fd, strcmp(method, "HEAD") != 0);
	if (fd >= 0)
		(void)close(fd);
	if (!r.head)
		r.head = strdup("");
	if (!r.body)
		r.body = strdup("");
	return r;
}
