/* json.c - writes JSON into a buffer, piece by piece. */
#include <inttypes.h>
#include <string.h>

#include "hotdesk/base/clock.h"

#include "http_priv.h"

void hd_json_init(struct hd_json *j, struct hd_buf *buf)
{
	j->buf = buf;
	j->comma = false;
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629), 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

static void quoted_add(struct hd_buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	hd_buf_adds(b, "\"");
	while (*p) {
		n = utf8_length(p);
		if (!n) {
			hd_buf_adds(b, "\xef\xbf\xbd");
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			hd_buf_addf(b, "\\%c", *p);
		} else if (*p < 0x20 || *p == 0x7f) {
			hd_buf_addf(b, "\\u%04x", *p);
		} else {
			hd_buf_add(b, (struct hd_slice){ (const char *)p, n });
		}
		p += n;
	}
	hd_buf_adds(b, "\"");
}

static void value_begin(struct hd_json *j, const char *key)
{
	if (j->comma)
		hd_buf_adds(j->buf, ", ");
	if (key) {
		quoted_add(j->buf, key);
		hd_buf_adds(j->buf, ": ");
	}
	j->comma = true;
}

void hd_json_object(struct hd_json *j, const char *key)
{
	value_begin(j, key);
	hd_buf_adds(j->buf, "{");
	j->comma = false;
}

void hd_json_object_end(struct hd_json *j)
{
	hd_buf_adds(j->buf, "}");
	j->comma = true;
}

void hd_json_array(struct hd_json *j, const char *key)
{
	value_begin(j, key);
	hd_buf_adds(j->buf, "[");
	j->comma = false;
}

void hd_json_array_end(struct hd_json *j)
{
	hd_buf_adds(j->buf, "]");
	j->comma = true;
}

void hd_json_str(struct hd_json *j, const char *key, const char *s)
{
	if (!s) {
		hd_json_null(j, key);
		return;
	}
	value_begin(j, key);
	quoted_add(j->buf, s);
}

void hd_json_int(struct hd_json *j, const char *key, int64_t v)
{
	value_begin(j, key);
	hd_buf_addf(j->buf, "%" PRId64, v);
}

void hd_json_uint(struct hd_json *j, const char *key, uint64_t v)
{
	value_begin(j, key);
	hd_buf_addf(j->buf, "%" PRIu64, v);
}

void hd_json_bool(struct hd_json *j, const char *key, bool v)
{
	value_begin(j, key);
	hd_buf_adds(j->buf, v ? "true" : "false");
}

void hd_json_null(struct hd_json *j, const char *key)
{
	value_begin(j, key);
	hd_buf_adds(j->buf, "null");
}

void hd_json_time(struct hd_json *j, const char *key, int64_t at_ms)
{
	char text[32];

	if (!at_ms) {
		hd_json_null(j, key);
		return;
	}
	hd_time_format(text, sizeof(text), at_ms);
	hd_json_str(j, key, text);
}
