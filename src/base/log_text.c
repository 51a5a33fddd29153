/* log_text.c - what a log line may hold: no PIN, no control bytes, no quotes. See base_priv.h. */
#include <string.h>

#include "base_priv.h"

/*
 * The character at text[pos], which may be written as %HH; *widthp receives its length in the text.
 * -1 at the end.
 */
static int char_at(const char *text, size_t len, size_t pos, size_t *widthp)
{
	int high;
	int low;

	*widthp = 1;
	if (pos >= len)
		return -1;
	if (text[pos] != '%' || len - pos < 3)
		return (unsigned char)text[pos];
	high = hd_hex_value(text[pos + 1]);
	low = hd_hex_value(text[pos + 2]);
	if (high < 0 || low < 0)
		return '%';
	*widthp = 3;
	return high << 4 | low;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_number(int c)
{
	return is_alnum(c) || c == '+' || c == '-' || c == '.' || c == '_';
}

static bool is_argument(int c)
{
	return is_number(c) || c == '*' || c == '#' || c == '%';
}

/* Goes over the characters of one kind; *posp is then behind them. @return how many there were */
static size_t skip(const char *text, size_t len, size_t *posp, bool (*is_kind)(int c))
{
	size_t width;
	size_t n = 0;

	while (is_kind(char_at(text, len, *posp, &width))) {
		*posp += width;
		n++;
	}
	return n;
}

static bool skip_star(const char *text, size_t len, size_t *posp)
{
	size_t width;

	if (char_at(text, len, *posp, &width) != '*')
		return false;
	*posp += width;
	return true;
}

/* Where the argument behind *CODE*NUMBER* begins when the code begins at pos, else 0. */
static size_t secret_begin(const char *text, size_t len, size_t pos)
{
	if (!skip_star(text, len, &pos) || skip(text, len, &pos, is_digit) == 0)
		return 0;
	if (!skip_star(text, len, &pos) || skip(text, len, &pos, is_number) == 0)
		return 0;
	return skip_star(text, len, &pos) ? pos : 0;
}

size_t hd_log_mask(char *text, size_t len)
{
	static const char mask[] = "****";
	size_t pos = 0;

	while (pos < len) {
		size_t begin =
			text[pos] == '*' || text[pos] == '%' ? secret_begin(text, len, pos) : 0;
		size_t end = begin;
		size_t room;

		if (begin == 0 || skip(text, len, &end, is_argument) == 0) {
			pos++;
			continue;
		}
		/* Never longer than what it hides, so that it is done in place. */
		room = end - begin < sizeof(mask) - 1 ? end - begin : sizeof(mask) - 1;
		memcpy(text + begin, mask, room);
		memmove(text + begin + room, text + end, len - end);
		len -= end - begin - room;
		pos = begin + room;
	}
	return len;
}

/* Invisible or reordering characters: C1 controls, line separators, bidirectional marks. */
static bool is_invisible(const unsigned char *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (n != 3 || p[0] != 0xe2)
		return false;
	return (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
	       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

/* How many bytes of s may be written as they are; 0 when the first one must be escaped. */
static size_t plain_len(struct hd_slice s, bool spaces)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t n = hd_utf8_char_len(s);

	if (n == 0 || is_invisible(p, n))
		return 0;
	if (n > 1)
		return n;
	if (p[0] == ' ')
		return spaces ? 1 : 0;
	return p[0] > ' ' && p[0] != '"' && p[0] != 0x7f ? 1 : 0;
}

void hd_log_escape(char *dst, size_t size, size_t *lenp, struct hd_slice src, bool spaces)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = *lenp;

	while (src.len > 0) {
		size_t n = plain_len(src, spaces);
		size_t need = n > 0 ? n : 4;

		if (need >= size - len)
			break;
		if (n > 0) {
			memcpy(dst + len, src.ptr, n);
		} else {
			unsigned char c = (unsigned char)src.ptr[0];

			memcpy(dst + len, "\\x", 2);
			dst[len + 2] = digits[c >> 4];
			dst[len + 3] = digits[c & 15];
			n = 1;
		}
		len += need;
		src.ptr += n;
		src.len -= n;
	}
	dst[len] = '\0';
	*lenp = len;
}
