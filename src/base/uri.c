/* uri.c - taking SIP URIs apart; see uri.h. */
#include "hotdesk/base/uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "base_priv.h"

enum { URI_MAX = 2048, HOST_MAX = 255, ITEMS_MAX = 32 };

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Position of the first byte of any in `set`, s.len when there is none. */
static size_t find_any(struct hd_slice s, const char *set)
{
	size_t i = 0;

	for (; i < s.len; i++)
		for (const char *p = set; *p; p++)
			if (s.ptr[i] == *p)
				return i;
	return i;
}

static size_t find_char(struct hd_slice s, char c)
{
	const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

static struct hd_slice slice_to(struct hd_slice s, size_t end)
{
	return (struct hd_slice){ .ptr = s.ptr, .len = end };
}

static struct hd_slice slice_from(struct hd_slice s, size_t begin)
{
	return (struct hd_slice){ .ptr = s.ptr + begin, .len = s.len - begin };
}

/*
 * What may not stand anywhere in a URI, however liberal the reader: blanks, controls, what would
 * leave <> or a quoted string, broken UTF-8, a % that begins no escape.
 */
static bool text_ok(struct hd_slice s)
{
	bool ascii = true;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c > '>' && c < 0x7f) /* letters, to begin with */
			continue;
		if (c <= ' ' || c == '<' || c == '>' || c == '"' || c == 0x7f)
			return false;
		if (c == '%' && (s.len - i < 3 || hd_hex_value(s.ptr[i + 1]) < 0 ||
				 hd_hex_value(s.ptr[i + 2]) < 0))
			return false;
		if (c >= 0x80)
			ascii = false;
	}
	return ascii || hd_utf8_is_text(s);
}

/* Comparing takes the product of two such numbers, so they are bounded. */
static bool items_ok(struct hd_slice s, char separator)
{
	size_t n = s.len > 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == separator;
	return n <= ITEMS_MAX;
}

/* @return length of the scheme, 0 when the text has none */
static size_t scheme_len(struct hd_slice s)
{
	size_t n = 0;

	if (s.len == 0 || !is_alpha(s.ptr[0]))
		return 0;
	while (n < s.len && (is_alpha(s.ptr[n]) || is_digit(s.ptr[n]) || strchr("+-.", s.ptr[n])))
		n++;
	return n < s.len && s.ptr[n] == ':' ? n : 0;
}

static bool ipv6_ok(struct hd_slice host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	return !hd_str_copy(text, sizeof(text), host) && inet_pton(AF_INET6, text, &addr) == 1;
}

/* Letters, digits, '-', '_' (seen in the wild) and single dots. */
static bool hostname_ok(struct hd_slice host)
{
	char before = '.';

	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];

		if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
			return false;
		if ((c == '.' || c == '-') && before == '.')
			return false;
		before = c;
	}
	return true;
}

/* Takes the host off the front of *restp. */
static int host_parse(struct hd_uri *uri, struct hd_slice *restp)
{
	struct hd_slice rest = *restp;
	size_t end;

	if (rest.len > 0 && rest.ptr[0] == '[') {
		end = find_char(rest, ']');
		if (end == rest.len || !ipv6_ok((struct hd_slice){ rest.ptr + 1, end - 1 }))
			return HD_EPARSE;
		end++;
	} else {
		end = find_any(rest, ":;?");
		if (!hostname_ok(slice_to(rest, end)))
			return HD_EPARSE;
	}
	uri->host = slice_to(rest, end);
	*restp = slice_from(rest, end);
	return 0;
}

/* [":" port] [";" params] ["?" headers] and nothing else */
static int tail_parse(struct hd_uri *uri, struct hd_slice rest)
{
	uint64_t port;
	size_t end;

	if (rest.len > 0 && rest.ptr[0] == ':') {
		rest = slice_from(rest, 1);
		end = find_any(rest, ";?");
		uri->port = slice_to(rest, end);
		if (hd_u64_parse(&port, uri->port, UINT16_MAX))
			return HD_EPARSE;
		rest = slice_from(rest, end);
	}
	if (rest.len > 0 && rest.ptr[0] == ';') {
		rest = slice_from(rest, 1);
		end = find_char(rest, '?');
		uri->params = slice_to(rest, end);
		rest = slice_from(rest, end);
	}
	if (rest.len > 0 && rest.ptr[0] == '?') {
		uri->headers = slice_from(rest, 1);
		rest.len = 0;
	}
	return rest.len == 0 ? 0 : HD_EPARSE;
}

/*
 * The first '@' ends the userinfo: RFC 3261 25.1 has no bare '@' in it, while '?', ';' and, from
 * phones that send sip:*771#@host, '#' may stand there.
 */
static int sip_parse(struct hd_uri *uri, struct hd_slice rest)
{
	size_t at = find_char(rest, '@');
	int err;

	if (at < rest.len) {
		struct hd_slice info = slice_to(rest, at);
		size_t colon = find_char(info, ':');

		if (colon == 0 || info.len == 0)
			return HD_EPARSE;
		uri->user = slice_to(info, colon);
		if (colon < info.len)
			uri->password = slice_from(info, colon + 1);
		rest = slice_from(rest, at + 1);
	}
	err = host_parse(uri, &rest);
	return err ? err : tail_parse(uri, rest);
}

static int tel_parse(struct hd_uri *uri, struct hd_slice rest)
{
	size_t end = find_char(rest, ';');

	if (end == 0)
		return HD_EPARSE;
	uri->user = slice_to(rest, end);
	if (end < rest.len)
		uri->params = slice_from(rest, end + 1);
	return 0;
}

int hd_uri_parse(struct hd_uri *uri, struct hd_slice text)
{
	struct hd_uri u = { .scheme = HD_URI_OTHER };
	struct hd_slice scheme;
	struct hd_slice rest;
	int err = 0;

	if (!uri || text.len > URI_MAX || !text_ok(text))
		return HD_EPARSE;
	scheme = slice_to(text, scheme_len(text));
	if (scheme.len == 0)
		return HD_EPARSE;
	rest = slice_from(text, scheme.len + 1);

	if (hd_slice_caseis(scheme, "sip") || hd_slice_caseis(scheme, "sips")) {
		u.scheme = scheme.len == 3 ? HD_URI_SIP : HD_URI_SIPS;
		err = sip_parse(&u, rest);
	} else if (hd_slice_caseis(scheme, "tel")) {
		u.scheme = HD_URI_TEL;
		err = tel_parse(&u, rest);
	}
	if (!err && !(items_ok(u.params, ';') && items_ok(u.headers, '&')))
		err = HD_EPARSE;
	if (!err)
		*uri = u;
	return err;
}

uint16_t hd_uri_port(const struct hd_uri *uri)
{
	uint64_t port;

	if (!uri)
		return 0;
	if (uri->port.len > 0)
		return hd_u64_parse(&port, uri->port, UINT16_MAX) ? 0 : (uint16_t)port;
	if (uri->scheme == HD_URI_SIP)
		return 5060;
	return uri->scheme == HD_URI_SIPS ? 5061 : 0;
}

bool hd_uri_item_next(struct hd_slice *restp, char separator, struct hd_slice *namep,
		      struct hd_slice *valuep)
{
	while (restp->len > 0) {
		size_t end = find_char(*restp, separator);
		struct hd_slice item = slice_to(*restp, end);
		size_t equals = find_char(item, '=');

		*restp = slice_from(*restp, end < restp->len ? end + 1 : end);
		if (equals == 0) /* ";;" or "=x": nothing that has a name */
			continue;
		*namep = slice_to(item, equals);
		*valuep = (struct hd_slice){ 0 };
		if (equals < item.len)
			*valuep = slice_from(item, equals + 1);
		return true;
	}
	return false;
}

bool hd_uri_param(const struct hd_uri *uri, const char *name, struct hd_slice *valuep)
{
	struct hd_slice rest;
	struct hd_slice got;
	struct hd_slice value;

	if (!uri || !name)
		return false;
	rest = uri->params;
	while (hd_uri_item_next(&rest, ';', &got, &value)) {
		if (!hd_slice_caseis(got, name))
			continue;
		if (valuep)
			*valuep = value;
		return true;
	}
	return false;
}
