/*
 * sofia_stun.c - the STUN that outbound needs on a SIP port (RFC 5626 8): a Binding request is
 * answered with the address it came from, and nothing else of STUN ever reaches the library, whose
 * own code for it is not to be trusted.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "sofia_priv.h"

enum {
	HEADER = 20,
	REQUEST_MAX = 128, /* a keep-alive has hardly more than its header */
	RESPONSE_MAX = HEADER + 4 + 4 + 16,
	BINDING_REQUEST = 0x0001,
	BINDING_RESPONSE = 0x0101,
	XOR_MAPPED_ADDRESS = 0x0020,
	OPTIONAL = 0x8000, /* attributes that need not be understood */
	MAPPED = 12,	   /* bytes before the IPv4 address in an IPv4-mapped one */
};

static const uint8_t cookie[4] = { 0x21, 0x12, 0xA4, 0x42 };
static _Thread_local hd_stun_allow_fn *allow;
static _Thread_local void *allow_arg;

void hd_stun_set_allow(hd_stun_allow_fn *fn, void *arg)
{
	allow = fn;
	allow_arg = arg;
}

bool hd_stun_is(const char *data, size_t len)
{
	return len > 1 && (data[0] == 0 || data[0] == 1);
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static bool is_binding_request(const uint8_t *p, size_t len)
{
	if (len < HEADER || len > REQUEST_MAX || get16(p) != BINDING_REQUEST ||
	    get16(p + 2) != len - HEADER || memcmp(p + 4, cookie, sizeof(cookie)) != 0)
		return false;
	for (size_t at = HEADER; at < len;) {
		size_t n;

		if (len - at < 4 || get16(p + at) < OPTIONAL)
			return false;
		n = 4 + ((size_t)get16(p + at + 2) + 3) / 4 * 4;
		if (n > len - at)
			return false;
		at += n;
	}
	return true;
}

/* The address as bytes in the order of the network. @return 4 or 16, 0 for another family */
static size_t address_of(uint8_t address[16], unsigned *portp, const struct sockaddr_storage *from)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	if (from->ss_family == AF_INET) {
		memcpy(&sin, from, sizeof(sin));
		memcpy(address, &sin.sin_addr, 4);
		*portp = ntohs(sin.sin_port);
		return 4;
	}
	if (from->ss_family != AF_INET6)
		return 0;
	memcpy(&sin6, from, sizeof(sin6));
	*portp = ntohs(sin6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr)) {
		memcpy(address, sin6.sin6_addr.s6_addr + MAPPED, 4);
		return 4;
	}
	memcpy(address, &sin6.sin6_addr, 16);
	return 16;
}

/* The cookie and the transaction, which stand behind each other, are the mask (RFC 5389 15.2). */
static size_t respond(uint8_t out[RESPONSE_MAX], const uint8_t *request,
		      const struct sockaddr_storage *from)
{
	uint8_t address[16];
	unsigned port;
	size_t n = address_of(address, &port, from);

	if (n == 0)
		return 0;
	memcpy(out, request, HEADER);
	put16(out, BINDING_RESPONSE);
	put16(out + 2, (unsigned)(4 + 4 + n));
	put16(out + HEADER, XOR_MAPPED_ADDRESS);
	put16(out + HEADER + 2, (unsigned)(4 + n));
	out[HEADER + 4] = 0;
	out[HEADER + 5] = n == 4 ? 1 : 2;
	put16(out + HEADER + 6, port ^ get16(cookie));
	for (size_t i = 0; i < n; i++)
		out[HEADER + 8 + i] = address[i] ^ request[4 + i];
	return HEADER + 8 + n;
}

void hd_stun_answer(int fd, const char *data, size_t len, const struct sockaddr_storage *from,
		    socklen_t from_len)
{
	const uint8_t *request = (const uint8_t *)data;
	uint8_t out[RESPONSE_MAX];
	size_t n;

	if (!allow || !is_binding_request(request, len) || !allow(allow_arg, from))
		return;
	n = respond(out, request, from);
	if (n > 0) /* What is lost is asked for again. */
		(void)sendto(fd, out, n, MSG_DONTWAIT, (const struct sockaddr *)from, from_len);
}
