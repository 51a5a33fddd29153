/* escape.c - text into XML; see hotdesk/xml.h. */
#include "hotdesk/xml.h"

static const char *entity(char c)
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
	case '\'':
		return "&#39;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return (unsigned char)c < 0x20 || c == 0x7f ? "?" : NULL;
	}
}

/* U+FFFE and U+FFFF are well-formed UTF-8 but no characters of XML. */
static bool is_none(const char *p, size_t n)
{
	return n == 3 && (unsigned char)p[0] == 0xef && (unsigned char)p[1] == 0xbf &&
	       (unsigned char)p[2] >= 0xbe;
}

void hd_xml_escape(struct hd_buf *b, struct hd_slice text)
{
	while (text.len) {
		size_t n = hd_utf8_char_len(text);
		const char *other = n == 0 || is_none(text.ptr, n) ? "?"
				    : n == 1			   ? entity(text.ptr[0])
								   : NULL;

		if (n == 0)
			n = 1;
		if (other)
			hd_buf_adds(b, other);
		else
			hd_buf_add(b, (struct hd_slice){ text.ptr, n });
		text.ptr += n;
		text.len -= n;
	}
}
