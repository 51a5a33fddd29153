/* str.c - see str.h: slices, copies and decimal numbers. */
#include "hotdesk/base/str.h"

#include <string.h>

struct hd_slice hd_slice_of(const char *s)
{
	return (struct hd_slice){ .ptr = s, .len = s ? strlen(s) : 0 };
}

bool hd_slice_eq(struct hd_slice a, struct hd_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool hd_slice_caseeq(struct hd_slice a, struct hd_slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	return true;
}

bool hd_slice_is(struct hd_slice a, const char *s)
{
	return hd_slice_eq(a, hd_slice_of(s));
}

bool hd_slice_caseis(struct hd_slice a, const char *s)
{
	return hd_slice_caseeq(a, hd_slice_of(s));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct hd_slice hd_slice_trim(struct hd_slice s)
{
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

int hd_str_copy(char *dst, size_t size, struct hd_slice src)
{
	if (!dst || size == 0)
		return HD_ELIMIT;
	dst[0] = '\0';
	if (src.len == 0)
		return 0;
	if (src.len >= size || memchr(src.ptr, '\0', src.len))
		return HD_ELIMIT;
	memmove(dst, src.ptr, src.len);
	dst[src.len] = '\0';
	return 0;
}

int hd_str_set(char *dst, size_t size, const char *src)
{
	return hd_str_copy(dst, size, hd_slice_of(src));
}

int hd_u64_parse(uint64_t *vp, struct hd_slice s, uint64_t max)
{
	uint64_t v = 0;
	bool over = false;

	if (!vp || s.len == 0)
		return HD_EPARSE;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit;

		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return HD_EPARSE;
		digit = (uint64_t)(s.ptr[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			over = true; /* go on: a letter behind it is still a parse error */
		else
			v = v * 10 + digit;
	}
	if (over || v > max)
		return HD_ELIMIT;
	*vp = v;
	return 0;
}

void hd_ipv4_format(char dst[HD_IPV4_SIZE], const uint8_t address[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned v = address[i];

		if (v >= 100)
			*dst++ = (char)('0' + v / 100);
		if (v >= 10)
			*dst++ = (char)('0' + v / 10 % 10);
		*dst++ = (char)('0' + v % 10);
		*dst++ = i < 3 ? '.' : '\0';
	}
}

void hd_u32_format(char dst[HD_U32_SIZE], uint32_t v)
{
	char reversed[HD_U32_SIZE];
	size_t n = 0;

	do
		reversed[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*dst++ = reversed[--n];
	*dst = '\0';
}

int hd_str_join(char *dst, size_t size, const char *const *parts)
{
	size_t n;

	for (; *parts; parts++) {
		n = strlen(*parts);
		if (n >= size) {
			memcpy(dst, *parts, size - 1);
			dst[size - 1] = '\0';
			return HD_ELIMIT;
		}
		memcpy(dst, *parts, n);
		dst += n;
		size -= n;
	}
	*dst = '\0';
	return 0;
}
