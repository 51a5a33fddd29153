/*
 * relay.c - the floor of scripts/bench: copies datagrams between two sockets and does nothing else.
 *
 * relay ADDRESS PEER-PORT: prints the port that callers send to; what arrives there goes to
 * PEER-PORT, what comes back goes to who sent last. Ends when its standard input does.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 65536, BURST = 64 };

static int socket_bound(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int size = 4 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* The limit of the system may be lower: as much as there is. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	sin->sin_port = 0;
	if (bind(fd, (struct sockaddr *)sin, len) ||
	    getsockname(fd, (struct sockaddr *)sin, &len)) {
		close(fd);
		return -1;
	}

	return fd;
}

static void relay(int callers, int called, const struct sockaddr_in *peer)
{
	static char buf[DATAGRAM_MAX];
	struct pollfd fds[] = { { .fd = callers, .events = POLLIN },
				{ .fd = called, .events = POLLIN },
				{ .fd = STDIN_FILENO, .events = POLLIN } };
	struct sockaddr_in caller = { 0 };
	socklen_t len;
	ssize_t n;

	while (poll(fds, 3, -1) > 0 && !fds[2].revents) {
		for (int i = 0; i < BURST && fds[0].revents; i++) {
			len = sizeof(caller);
			n = recvfrom(callers, buf, sizeof(buf), MSG_DONTWAIT,
				     (struct sockaddr *)&caller, &len);
			if (n < 0)
				break;
			(void)sendto(called, buf, (size_t)n, 0, (const struct sockaddr *)peer,
				     sizeof(*peer));
		}
		for (int i = 0; i < BURST && fds[1].revents; i++) {
			n = recv(called, buf, sizeof(buf), MSG_DONTWAIT);
			if (n < 0)
				break;
			(void)sendto(callers, buf, (size_t)n, 0, (const struct sockaddr *)&caller,
				     sizeof(caller));
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in peer;
	unsigned long port = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int callers;
	int called;

	if (port == 0 || port > 65535 || inet_pton(AF_INET, argv[1], &sin.sin_addr) != 1) {
		fprintf(stderr, "usage: relay ADDRESS PEER-PORT\n");
		return 2;
	}
	peer = sin;
	peer.sin_port = htons((uint16_t)port);

	called = socket_bound(&sin);
	callers = socket_bound(&sin);
	if (called < 0 || callers < 0) {
		perror("relay");
		return 1;
	}
	printf("%u\n", ntohs(sin.sin_port));
	fflush(stdout);

	relay(callers, called, &peer);
	return 0;
}
