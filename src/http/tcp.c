/* tcp.c - listeners on TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hotdesk/base/log.h"

#include "http_priv.h"

enum { BACKLOG = 512 };

static int address_parse(struct sockaddr_storage *ss, socklen_t *lenp,
			 const struct hd_http_listener *where)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(where->port) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(where->port) };

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, where->host, &sin.sin_addr) == 1) {
		memcpy(ss, &sin, sizeof(sin));
		*lenp = sizeof(sin);
		return 0;
	}
	if (inet_pton(AF_INET6, where->host, &sin6.sin6_addr) != 1)
		return HD_EINVAL;
	memcpy(ss, &sin6, sizeof(sin6));
	*lenp = sizeof(sin6);
	return 0;
}

static char *name_of(const struct hd_http_listener *where)
{
	struct hd_buf name = { 0 };

	hd_buf_addf(&name, strchr(where->host, ':') ? "%s:[%s]:%u" : "%s:%s:%u",
		    where->tls ? "https" : "http", where->host, (unsigned)where->port);
	return hd_buf_take(&name);
}

static int socket_open(int *fdp, const struct sockaddr_storage *ss, socklen_t len)
{
	const int on = 1;
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return HD_ESYSTEM;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (ss->ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind(fd, (const struct sockaddr *)ss, len) || listen(fd, BACKLOG)) {
		int code = errno;

		(void)close(fd);
		errno = code;
		return code == EADDRINUSE ? HD_EEXIST : code == EACCES ? HD_EACCESS : HD_ESYSTEM;
	}
	*fdp = fd;
	return 0;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct sockaddr_in sin;

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return 0;
	/* Both families have it at the same place. */
	memcpy(&sin, &ss, sizeof(sin));
	return ntohs(sin.sin_port);
}

int hd_http_listen_tcp(struct hd_http *http, const struct hd_http_listener *where)
{
	struct hd_http_listener real;
	struct sockaddr_storage ss;
	struct http_listener *l;
	socklen_t len;
	int fd = -1;
	int err;

	if (!http || !where || (where->tls && !http->tls) || address_parse(&ss, &len, where))
		return HD_EINVAL;
	err = socket_open(&fd, &ss, len);
	if (err) {
		hd_error("http", "%s port %u: cannot listen: %s", where->host,
			 (unsigned)where->port, strerror(errno));
		return err;
	}
	real = *where;
	real.port = port_of(fd);
	err = http_listener_add(&http->sides[where->tls], fd, &l);
	if (err)
		return err;
	l->where = real;
	l->name = name_of(&real);
	if (l->name)
		return 0;
	http_listener_free(http, l);
	return HD_ENOMEM;
}

size_t hd_http_listeners(const struct hd_http *http, struct hd_http_listener *listeners, size_t max)
{
	const struct http_listener *l;
	size_t n = 0;

	if (!http)
		return 0;
	TAILQ_FOREACH (l, &http->listeners, link)
		if (!l->is_unix && n < max)
			listeners[n++] = l->where;
	return n;
}
