/* uri_eq.c - when two URIs are the same: RFC 3261 19.1.4, RFC 5954 4.2, RFC 3966 4; see uri.h. */
#include <arpa/inet.h>
#include <string.h>

#include "hotdesk/base/uri.h"

#include "base_priv.h"

/* One character, written as it is or as %HH. */
struct uri_char {
	int c;
	bool escaped;
};

static struct uri_char char_take(struct hd_slice *s)
{
	struct uri_char got = { .c = (unsigned char)s->ptr[0] };
	size_t n = 1;

	if (got.c == '%' && s->len > 2) {
		int high = hd_hex_value(s->ptr[1]);
		int low = hd_hex_value(s->ptr[2]);

		if (high >= 0 && low >= 0) {
			got = (struct uri_char){ .c = high << 4 | low, .escaped = true };
			n = 3;
		}
	}
	s->ptr += n;
	s->len -= n;
	return got;
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* A reserved character and its escape differ; any other is the same as its escape. */
static bool text_eq(struct hd_slice a, struct hd_slice b, bool any_case)
{
	while (a.len > 0 && b.len > 0 && *a.ptr == *b.ptr && *a.ptr != '%') {
		a = (struct hd_slice){ a.ptr + 1, a.len - 1 };
		b = (struct hd_slice){ b.ptr + 1, b.len - 1 };
	}
	while (a.len > 0 && b.len > 0) {
		struct uri_char x = char_take(&a);
		struct uri_char y = char_take(&b);

		if (x.c != y.c && !(any_case && lower(x.c) == lower(y.c)))
			return false;
		if (x.escaped != y.escaped && x.c && strchr(";/?:@&=+$,", x.c))
			return false;
	}
	return a.len == 0 && b.len == 0;
}

static bool ipv6_parse(struct in6_addr *addr, struct hd_slice host)
{
	char text[INET6_ADDRSTRLEN];

	if (host.len < 2 || host.ptr[0] != '[')
		return false;
	return !hd_str_copy(text, sizeof(text),
			    (struct hd_slice){ .ptr = host.ptr + 1, .len = host.len - 2 }) &&
	       inet_pton(AF_INET6, text, addr) == 1;
}

/* RFC 5954: IPv6 addresses by their bits, everything else by its letters. */
static bool host_eq(struct hd_slice a, struct hd_slice b)
{
	struct in6_addr x;
	struct in6_addr y;

	if (ipv6_parse(&x, a) && ipv6_parse(&y, b))
		return memcmp(&x, &y, sizeof(x)) == 0;
	return hd_slice_caseeq(a, b);
}

/* 19.1.4: one of these in only one of the URIs makes them differ, even with its default value. */
static bool never_optional(struct hd_slice name)
{
	/* transport is not in the RFC's rule, but two pairs of its list of unequal URIs need it */
	static const char *const names[] = { "user", "ttl", "method", "maddr", "transport" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_eq(name, hd_slice_of(names[i]), true))
			return true;
	return false;
}

static bool has_name(struct hd_slice items, char separator, struct hd_slice name)
{
	struct hd_slice got;
	struct hd_slice value;

	while (hd_uri_item_next(&items, separator, &got, &value))
		if (text_eq(got, name, true))
			return true;
	return false;
}

/* How often NAME=VALUE is among the parameters (';') or headers ('&'). */
static size_t item_count(struct hd_slice items, char separator, struct hd_slice name,
			 struct hd_slice value)
{
	struct hd_slice got_name;
	struct hd_slice got_value;
	size_t n = 0;

	while (hd_uri_item_next(&items, separator, &got_name, &got_value))
		if (text_eq(got_name, name, true) && text_eq(got_value, value, true))
			n++;
	return n;
}

/* Every parameter of a agrees with b. `strict`: none may be missing there. */
static bool params_agree(struct hd_slice a, struct hd_slice b, bool strict)
{
	struct hd_slice rest = a;
	struct hd_slice name;
	struct hd_slice value;

	if (hd_slice_eq(a, b))
		return true;
	while (hd_uri_item_next(&rest, ';', &name, &value)) {
		if (!has_name(b, ';', name)) {
			if (strict || never_optional(name))
				return false;
			/* no name should come twice; where one does, all its values count */
		} else if (item_count(a, ';', name, value) != item_count(b, ';', name, value)) {
			return false;
		}
	}
	return true;
}

/* The same headers the same number of times, in any order: each of a is in b as often as in a. */
static bool headers_agree(struct hd_slice a, struct hd_slice b)
{
	struct hd_slice rest = a;
	struct hd_slice name;
	struct hd_slice value;

	if (hd_slice_eq(a, b))
		return true;
	while (hd_uri_item_next(&rest, '&', &name, &value))
		if (item_count(a, '&', name, value) != item_count(b, '&', name, value))
			return false;
	return true;
}

static bool sip_eq(const struct hd_uri *a, const struct hd_uri *b)
{
	if (a->user.len == 0 || b->user.len == 0) {
		if (a->user.len != b->user.len)
			return false;
	} else if (!text_eq(a->user, b->user, false) || !a->password.ptr != !b->password.ptr ||
		   !text_eq(a->password, b->password, false)) {
		return false;
	}
	if (!host_eq(a->host, b->host))
		return false;
	/* An absent port is not the default port: the host may resolve to another one. */
	if (a->port.len == 0 || b->port.len == 0) {
		if (a->port.len != b->port.len)
			return false;
	} else if (hd_uri_port(a) != hd_uri_port(b)) {
		return false;
	}
	return params_agree(a->params, b->params, false) &&
	       params_agree(b->params, a->params, false) && headers_agree(a->headers, b->headers) &&
	       headers_agree(b->headers, a->headers);
}

static void skip_separators(struct hd_slice *s)
{
	while (s->len > 0 && strchr("-.()", s->ptr[0])) {
		s->ptr++;
		s->len--;
	}
}

/* RFC 3966 4: visual separators do not count; all parameters do. */
static bool tel_eq(const struct hd_uri *a, const struct hd_uri *b)
{
	struct hd_slice x = a->user;
	struct hd_slice y = b->user;

	for (;;) {
		skip_separators(&x);
		skip_separators(&y);
		if (x.len == 0 || y.len == 0)
			break;
		if (lower(char_take(&x).c) != lower(char_take(&y).c))
			return false;
	}
	return x.len == 0 && y.len == 0 && params_agree(a->params, b->params, true) &&
	       params_agree(b->params, a->params, true);
}

bool hd_uri_eq(const struct hd_uri *a, const struct hd_uri *b)
{
	if (!a || !b || a->scheme != b->scheme)
		return false;
	switch (a->scheme) {
	case HD_URI_SIP:
	case HD_URI_SIPS:
		return sip_eq(a, b);
	case HD_URI_TEL:
		return tel_eq(a, b);
	case HD_URI_OTHER:
		return false; /* nothing of it is known but that it has a scheme */
	}
	return false;
}
