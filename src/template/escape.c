/* escape.c - values as their target wants them; see template.h. */
#include <string.h>

#include "hotdesk/template.h"
#include "hotdesk/xml.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* How many bytes of well-formed UTF-8 (RFC 3629) stand at the beginning; 0: none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4 || len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* C0, DEL, C1 (NEL among them), and the line and paragraph separators of Unicode. */
static bool is_control(const unsigned char *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (len == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	return len == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
}

static const char *html_entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

static const char *instead(enum hd_template_escape how, const unsigned char *s, size_t len)
{
	switch (how) {
	case HD_TEMPLATE_HTML:
		return html_entity(s[0]);
	case HD_TEMPLATE_LINE:
		return len == 0 ? REPLACEMENT : is_control(s, len) ? " " : NULL;
	default:
		return NULL;
	}
}

void hd_template_escape(struct hd_buf *out, enum hd_template_escape how, struct hd_slice text)
{
	const unsigned char *s = (const unsigned char *)text.ptr;
	size_t from = 0, len;
	const char *other;

	if (how == HD_TEMPLATE_XML) {
		hd_xml_escape(out, text);
		return;
	}
	for (size_t i = 0; i < text.len; i += len ? len : 1) {
		len = utf8_length(s + i, text.len - i);
		other = instead(how, s + i, len);
		if (!other)
			continue;
		hd_buf_add(out, (struct hd_slice){ text.ptr + from, i - from });
		hd_buf_adds(out, other);
		from = i + (len ? len : 1);
	}
	if (text.len > from)
		hd_buf_add(out, (struct hd_slice){ text.ptr + from, text.len - from });
}
