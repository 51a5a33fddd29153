/* codec.c - hexadecimal, base64url and UTF-8; see str.h. */
#include "hotdesk/base/str.h"

#include "base_priv.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hd_hex_format(char *dst, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (!dst)
		return;
	for (size_t i = 0; i < n; i++) {
		*dst++ = hex_digits[p[i] >> 4];
		*dst++ = hex_digits[p[i] & 15];
	}
	*dst = '\0';
}

int hd_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hd_hex_parse(void *bytes, size_t n, struct hd_slice s)
{
	uint8_t *p = bytes;

	if (s.len % 2 != 0 || s.len / 2 != n || (n > 0 && !bytes))
		return HD_EPARSE;
	for (size_t i = 0; i < s.len; i++)
		if (hd_hex_value(s.ptr[i]) < 0)
			return HD_EPARSE;
	for (size_t i = 0; i < n; i++) {
		unsigned int high = (unsigned int)hd_hex_value(s.ptr[2 * i]);
		unsigned int low = (unsigned int)hd_hex_value(s.ptr[2 * i + 1]);

		p[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void hd_base64url_format(char *dst, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint32_t acc = 0;
	unsigned int bits = 0;

	if (!dst)
		return;
	for (size_t i = 0; i < n; i++) {
		acc = (acc << 8 | p[i]) & 0xffff;
		bits += 8;
		while (bits >= 6) {
			bits -= 6;
			*dst++ = base64url_digits[acc >> bits & 63];
		}
	}
	if (bits > 0)
		*dst++ = base64url_digits[acc << (6 - bits) & 63];
	*dst = '\0';
}

static int base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

int hd_base64url_parse(void *bytes, size_t *np, struct hd_slice s)
{
	uint8_t *p = bytes;
	uint32_t acc = 0;
	unsigned int bits = 0;
	size_t n = 0;

	if (!np || (!bytes && *np > 0) || s.len % 4 == 1)
		return HD_EPARSE;
	for (size_t i = 0; i < s.len; i++) {
		int v = base64url_value(s.ptr[i]);

		if (v < 0)
			return HD_EPARSE;
		acc = (acc << 6 | (uint32_t)v) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == *np)
			return HD_ELIMIT;
		p[n++] = (uint8_t)(acc >> bits);
	}
	/* One text per value: bits behind the last byte must be zero. */
	if (acc & ((1u << bits) - 1))
		return HD_EPARSE;
	*np = n;
	return 0;
}

/* Table 3-7 of the Unicode standard: which second bytes may follow a lead byte. */
static bool utf8_second_ok(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed: /* surrogates */
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4: /* above U+10FFFF */
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

size_t hd_utf8_char_len(struct hd_slice s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;
	size_t n;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.len < n || !utf8_second_ok(p[0], p[1]))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool hd_utf8_is_text(struct hd_slice s)
{
	while (s.len > 0) {
		size_t n = hd_utf8_char_len(s);

		if (n == 0 || (uint8_t)s.ptr[0] < 0x20 || s.ptr[0] == 0x7f)
			return false;
		s.ptr += n;
		s.len -= n;
	}
	return true;
}
