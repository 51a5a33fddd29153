/* buf.c - the growing text buffer of str.h. */
#include "hotdesk/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_SIZE = 128 };

/* Makes room for n more bytes and the terminator. */
static bool buf_reserve(struct hd_buf *b, size_t n)
{
	size_t size = b->size ? b->size : BUF_FIRST_SIZE;
	char *data;

	if (b->err)
		return false;
	if (n > SIZE_MAX / 4 - b->len) {
		b->err = HD_ENOMEM;
		return false;
	}
	if (b->data && b->len + n + 1 <= b->size)
		return true;
	while (size < b->len + n + 1)
		size *= 2;
	data = realloc(b->data, size);
	if (!data) {
		b->err = HD_ENOMEM;
		return false;
	}
	if (!b->data)
		data[0] = '\0';
	b->data = data;
	b->size = size;
	return true;
}

void hd_buf_add(struct hd_buf *b, struct hd_slice s)
{
	if (!b || s.len == 0 || !buf_reserve(b, s.len))
		return;
	memcpy(b->data + b->len, s.ptr, s.len);
	b->len += s.len;
	b->data[b->len] = '\0';
}

void hd_buf_adds(struct hd_buf *b, const char *s)
{
	hd_buf_add(b, hd_slice_of(s));
}

void hd_buf_join(struct hd_buf *b, const char *const *parts)
{
	size_t n = 0;

	for (size_t i = 0; parts[i]; i++)
		n += strlen(parts[i]);
	if (!b || !buf_reserve(b, n))
		return;
	for (; *parts; parts++)
		hd_buf_adds(b, *parts);
}

void hd_buf_add_quoted(struct hd_buf *b, struct hd_slice text)
{
	hd_buf_adds(b, "\"");
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (c == '"' || c == '\\')
			hd_buf_adds(b, "\\");
		if ((unsigned char)c >= 0x20 && c != 0x7f)
			hd_buf_add(b, (struct hd_slice){ &c, 1 });
	}
	hd_buf_adds(b, "\"");
}

void hd_buf_addf(struct hd_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hd_buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void hd_buf_vaddf(struct hd_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	if (!b || !buf_reserve(b, 0))
		return;
	va_copy(again, ap);
	room = b->size - b->len;
	n = vsnprintf(b->data + b->len, room, fmt, ap);
	if (n < 0 || (size_t)n >= room)
		b->data[b->len] = '\0';
	if (n >= 0 && (size_t)n >= room) {
		if (buf_reserve(b, (size_t)n))
			(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		else
			n = 0;
	}
	if (n < 0)
		b->err = HD_EINVAL;
	else
		b->len += (size_t)n;
	va_end(again);
}

int hd_buf_error(const struct hd_buf *b)
{
	return b ? b->err : HD_EINVAL;
}

const char *hd_buf_text(const struct hd_buf *b)
{
	return b && b->data ? b->data : "";
}

char *hd_buf_take(struct hd_buf *b)
{
	char *data = NULL;

	if (!b)
		return NULL;
	if (!b->err && buf_reserve(b, 0)) {
		data = b->data;
		b->data = NULL;
	}
	hd_buf_fini(b);
	return data;
}

void hd_buf_fini(struct hd_buf *b)
{
	if (!b)
		return;
	free(b->data);
	*b = (struct hd_buf){ 0 };
}
