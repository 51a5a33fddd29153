/* digit.c - one DTMF digit out of an INFO body; see feature_priv.h. */
#include <string.h>
#include <strings.h>

#include "feature_priv.h"

static char digit_of(struct hd_slice s)
{
	uint64_t code;

	s = hd_slice_trim(s);
	if (s.len == 1 && memchr("0123456789*#ABCDabcd", s.ptr[0], 20))
		return s.ptr[0] >= 'a' ? (char)(s.ptr[0] - 'a' + 'A') : s.ptr[0];
	if (s.len == 2 && !hd_u64_parse(&code, s, 15) && code >= 10)
		return "*#ABCD"[code - 10];
	return 0;
}

static bool next_line(struct hd_slice *rest, struct hd_slice *line)
{
	size_t n = 0;

	if (!rest->len)
		return false;
	while (n < rest->len && rest->ptr[n] != '\n' && rest->ptr[n] != '\r')
		n++;
	*line = hd_slice_trim((struct hd_slice){ rest->ptr, n });
	n += n < rest->len;
	rest->ptr += n;
	rest->len -= n;
	return true;
}

/* "Signal=5", "Signal = 5", in any line. */
static char digit_of_relay(struct hd_slice body)
{
	struct hd_slice line, value;

	while (next_line(&body, &line)) {
		if (line.len < 7 || strncasecmp(line.ptr, "signal", 6) != 0)
			continue;
		value.ptr = line.ptr + 6;
		value.len = line.len - 6;
		value = hd_slice_trim(value);
		if (!value.len || value.ptr[0] != '=')
			continue;
		value.ptr++;
		value.len--;
		return digit_of(value);
	}
	return 0;
}

/* "d=5" in a line of its own; "p=" and "y=" say what it is. */
static char digit_of_nortel(struct hd_slice body)
{
	struct hd_slice line;

	while (next_line(&body, &line)) {
		if (line.len < 3 || (line.ptr[0] != 'd' && line.ptr[0] != 'D') ||
		    line.ptr[1] != '=')
			continue;
		line.ptr += 2;
		line.len -= 2;
		return digit_of(line);
	}
	return 0;
}

char digit_of_info(const char *content_type, struct hd_slice body)
{
	struct hd_slice type = hd_slice_of(content_type);

	type.len = content_type ? strcspn(content_type, ";") : 0;
	type = hd_slice_trim(type);
	if (body.len > 256)
		return 0;
	if (hd_slice_caseis(type, "application/dtmf-relay"))
		return digit_of_relay(body);
	if (hd_slice_caseis(type, "application/dtmf"))
		return digit_of(body);
	if (hd_slice_caseis(type, "application/vnd.nortelnetworks.digits"))
		return digit_of_nortel(body);
	return 0;
}
