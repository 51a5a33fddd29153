/* escape.c - values as their target wants them; see template.h. */
#include <string.h>

#include "hotdesk/template.h"
#include "hotdesk/xml.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

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
		len = hd_utf8_char_len((struct hd_slice){ text.ptr + i, text.len - i });
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
