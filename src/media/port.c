/* port.c - pairs of UDP sockets: RTP on an even port, RTCP on the next (RFC 3550 11). */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hotdesk/base/secret.h"
#include "media_priv.h"

enum { TRIES = 64, EXPEDITED = 0xb8 /* DSCP 46, RFC 4594 */ };

int address_parse(struct sockaddr_storage *a, const char *host, uint16_t port)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return 0;
	}
	return HD_EINVAL;
}

bool address_host_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

/* It stands at the same place in both families. */
static uint16_t port_of(const struct sockaddr_storage *a)
{
	struct sockaddr_in in;

	memcpy(&in, a, sizeof(in));
	return ntohs(in.sin_port);
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	       "port_of()");

bool address_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return address_host_is(a, b) && port_of(a) == port_of(b);
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)a)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
}

static void set_any(struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)a)->sin_addr.s_addr = htonl(INADDR_ANY);
	else
		((struct sockaddr_in6 *)a)->sin6_addr = in6addr_any;
}

static socklen_t length_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* @return a descriptor, or -1 with errno */
static int bind_one(const struct sockaddr_storage *a)
{
	int fd = socket(a->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1, dscp = EXPEDITED;
	int saved;

	if (fd < 0)
		return -1;
	/* Best effort: voice goes first where a network looks at it. */
	if (a->ss_family == AF_INET) {
		(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &dscp, sizeof(dscp));
	} else {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &dscp, sizeof(dscp));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	}
	if (bind(fd, (const struct sockaddr *)a, length_of(a)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int error_of(int number)
{
	switch (number) {
	case EADDRINUSE:
	case EACCES:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
		return HD_EBUSY;
	default:
		return HD_ESYSTEM;
	}
}

/* @return 0, HD_EBUSY: another pair, HD_ESYSTEM */
static int open_pair(struct ports *p, struct sockaddr_storage *a, uint16_t port)
{
	set_port(a, port);
	p->rtp = bind_one(a);
	if (p->rtp < 0 && errno == EADDRNOTAVAIL) { /* of a NAT in front */
		set_any(a);
		p->rtp = bind_one(a);
	}
	if (p->rtp < 0)
		return error_of(errno);
	set_port(a, (uint16_t)(port + 1));
	p->rtcp = bind_one(a);
	if (p->rtcp >= 0) {
		p->port = port;
		return 0;
	}
	close(p->rtp);
	p->rtp = -1;
	return error_of(errno);
}

static int open_in_range(struct ports *p, struct sockaddr_storage *a, uint16_t min, uint16_t max)
{
	uint32_t first = (uint32_t)min + (min & 1), n;
	int err = HD_EBUSY;

	if (max <= first)
		return HD_EINVAL;
	n = (max - first + 1) / 2;
	/* Not in order: a stray packet of the last call must not find the next one. */
	for (uint32_t i = 0, at = hd_random_u32(n); i < n && err == HD_EBUSY; i++, at++)
		err = open_pair(p, a, (uint16_t)(first + 2 * (at % n)));
	return err;
}

/* A free even port of the system's, whose next is free too. */
static int open_anywhere(struct ports *p, struct sockaddr_storage *a)
{
	struct sockaddr_storage got;
	socklen_t len;
	int err = HD_EBUSY, fd;

	for (int i = 0; i < TRIES && err == HD_EBUSY; i++) {
		set_port(a, 0);
		fd = bind_one(a);
		if (fd < 0 && errno == EADDRNOTAVAIL) {
			set_any(a);
			fd = bind_one(a);
		}
		if (fd < 0)
			return error_of(errno);
		len = sizeof(got);
		if (getsockname(fd, (struct sockaddr *)&got, &len)) {
			close(fd);
			return HD_ESYSTEM;
		}
		close(fd);
		if (port_of(&got) < UINT16_MAX)
			err = open_pair(p, a, port_of(&got) & 0xfffe);
	}
	return err;
}

int ports_open(struct ports *p, const char *address, const struct hd_media_options *options)
{
	struct sockaddr_storage a;
	int err;

	p->rtp = p->rtcp = -1;
	err = address_parse(&a, address, 0);
	if (err)
		return err;
	p->family = (uint8_t)a.ss_family;
	if (options->port_min == 0)
		return open_anywhere(p, &a);
	return open_in_range(p, &a, options->port_min, options->port_max);
}

void ports_close(struct ports *p)
{
	if (p->rtp >= 0)
		close(p->rtp);
	if (p->rtcp >= 0)
		close(p->rtcp);
	p->rtp = p->rtcp = -1;
}

int hd_media_local_address(char dst[HD_MEDIA_HOST_SIZE], const char *remote)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	const void *address;
	int err, fd;

	err = address_parse(&a, remote, 9);
	if (err)
		return err;
	fd = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return HD_ESYSTEM;
	if (connect(fd, (const struct sockaddr *)&a, length_of(&a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		err = HD_ESYSTEM;
	close(fd);
	if (err)
		return err;
	address = a.ss_family == AF_INET ? (const void *)&((struct sockaddr_in *)&a)->sin_addr
					 : (const void *)&((struct sockaddr_in6 *)&a)->sin6_addr;
	return inet_ntop(a.ss_family, address, dst, HD_MEDIA_HOST_SIZE) ? 0 : HD_ESYSTEM;
}
