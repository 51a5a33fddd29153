/* uri_text.c - escapes, and the text of an address-of-record; see uri.h. */
#include <string.h>

#include "hotdesk/base/uri.h"

#include "base_priv.h"

/* One character with its escape resolved, taken off s. @return -1 for a bad escape */
static int char_take(struct hd_slice *s)
{
	int c = (unsigned char)s->ptr[0];
	size_t n = 1;

	if (c == '%') {
		int high = s->len > 2 ? hd_hex_value(s->ptr[1]) : -1;
		int low = s->len > 2 ? hd_hex_value(s->ptr[2]) : -1;

		if (high < 0 || low < 0)
			return -1;
		c = high << 4 | low;
		n = 3;
	}
	s->ptr += n;
	s->len -= n;
	return c;
}

int hd_uri_unescape(char *dst, size_t size, struct hd_slice s)
{
	size_t len = 0;

	if (!dst || size == 0)
		return HD_ELIMIT;
	while (s.len > 0) {
		int c = char_take(&s);

		if (c <= 0 || len + 1 >= size) {
			dst[0] = '\0';
			return c <= 0 ? HD_EPARSE : HD_ELIMIT;
		}
		dst[len++] = (char)c;
	}
	dst[len] = '\0';
	return 0;
}

struct hd_slice hd_uri_bare_user(struct hd_slice text)
{
	static const char scheme[] = "sip:";
	const size_t n = sizeof(scheme) - 1;
	const char *at;

	if (text.len >= n && hd_slice_caseis((struct hd_slice){ text.ptr, n }, scheme)) {
		text.ptr += n;
		text.len -= n;
	}
	at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
	if (at)
		text.len = (size_t)(at - text.ptr);
	return text;
}

/* How a character stands in a user part. @return length */
static size_t user_char_format(char dst[3], int c)
{
	static const char digits[] = "0123456789ABCDEF";

	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c && strchr("-_.!~*'()&=+$,;?/", c))) {
		dst[0] = (char)c;
		return 1;
	}
	dst[0] = '%';
	dst[1] = digits[c >> 4 & 15];
	dst[2] = digits[c & 15];
	return 3;
}

void hd_uri_escape_user(struct hd_buf *b, struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char text[3];
		size_t n = user_char_format(text, (unsigned char)s.ptr[i]);

		hd_buf_add(b, (struct hd_slice){ .ptr = text, .len = n });
	}
}

/* Text of a bounded size; full once something did not fit. */
struct bounded {
	char *dst;
	size_t size;
	size_t len;
	bool full;
};

static void put(struct bounded *b, const char *p, size_t n)
{
	if (b->full || n >= b->size - b->len) {
		b->full = true;
		return;
	}
	memcpy(b->dst + b->len, p, n);
	b->len += n;
}

int hd_uri_aor_format(char *dst, size_t size, const struct hd_uri *uri)
{
	struct bounded b = { .dst = dst, .size = size };
	struct hd_slice user;

	if (!dst || size == 0)
		return HD_ELIMIT;
	dst[0] = '\0';
	if (!uri || (uri->scheme != HD_URI_SIP && uri->scheme != HD_URI_SIPS))
		return HD_EUNSUPPORTED;

	put(&b, "sips:", uri->scheme == HD_URI_SIPS ? 4 : 3);
	put(&b, ":", 1);
	user = uri->user;
	while (user.len > 0) {
		int c = char_take(&user);
		char text[3];
		size_t n;

		if (c <= 0) {
			dst[0] = '\0';
			return HD_EPARSE;
		}
		n = user_char_format(text, c);
		put(&b, text, n);
	}
	if (uri->user.len > 0)
		put(&b, "@", 1);
	for (size_t i = 0; i < uri->host.len; i++) {
		char c = uri->host.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		put(&b, &c, 1);
	}
	if (uri->port.len > 0) {
		put(&b, ":", 1);
		put(&b, uri->port.ptr, uri->port.len);
	}
	dst[b.full ? 0 : b.len] = '\0';
	return b.full ? HD_ELIMIT : 0;
}
