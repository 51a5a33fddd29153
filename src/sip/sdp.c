/* sdp.c - see hotdesk/sip/sdp.h. */
#include <stdio.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/sdp.h"

enum { LINES_MAX = 512 };

struct reader {
	struct hd_slice rest;
	struct hd_slice line;
};

static bool next_line(struct reader *r)
{
	const char *nl;

	if (!r->rest.len)
		return false;
	nl = memchr(r->rest.ptr, '\n', r->rest.len);
	r->line.ptr = r->rest.ptr;
	r->line.len = nl ? (size_t)(nl - r->rest.ptr) : r->rest.len;
	r->rest.ptr += r->line.len + (nl != NULL);
	r->rest.len -= r->line.len + (nl != NULL);
	while (r->line.len && r->line.ptr[r->line.len - 1] == '\r')
		r->line.len--;
	return true;
}

static bool begins(struct hd_slice line, const char *with)
{
	size_t n = strlen(with);

	return line.len >= n && memcmp(line.ptr, with, n) == 0;
}

static struct hd_slice word(struct hd_slice *rest)
{
	struct hd_slice w;
	size_t n = 0;

	while (rest->len && *rest->ptr == ' ') {
		rest->ptr++;
		rest->len--;
	}
	while (n < rest->len && rest->ptr[n] != ' ')
		n++;
	w.ptr = rest->ptr;
	w.len = n;
	rest->ptr += n;
	rest->len -= n;
	return w;
}

/* An m= line: media, port, profile and the first format. */
struct media {
	struct hd_slice kind, port, profile, format;
	struct hd_slice body; /* the lines up to the next m= */
};

static bool media_parse(struct media *m, struct hd_slice line)
{
	line.ptr += 2;
	line.len -= 2;
	m->kind = word(&line);
	m->port = word(&line);
	m->profile = word(&line);
	m->format = word(&line);
	return m->kind.len && m->port.len && m->profile.len && m->format.len;
}

static void add_session(struct hd_buf *b, const char *address)
{
	const char *family = strchr(address, ':') ? "IP6" : "IP4";

	hd_buf_addf(b, "v=0\r\no=hotdeskd %u 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		    hd_random_u32(UINT32_MAX), family, address, family, address);
}

static void add_rtpmap(struct hd_buf *b, const struct media *m)
{
	struct reader r = { .rest = m->body };
	char prefix[32];

	if (m->format.len > 8)
		return;
	snprintf(prefix, sizeof(prefix), "a=rtpmap:%.*s ", (int)m->format.len, m->format.ptr);
	while (next_line(&r))
		if (begins(r.line, prefix)) {
			hd_buf_add(b, r.line);
			hd_buf_adds(b, "\r\n");
			return;
		}
}

/* RFC 4568 4.1: tag, suite; our own master key and salt of 30 bytes. */
static bool add_crypto(struct hd_buf *b, const struct media *m)
{
	struct reader r = { .rest = m->body };
	struct hd_slice rest, tag, suite;
	uint8_t key[30];
	char text[64];

	while (next_line(&r)) {
		if (!begins(r.line, "a=crypto:"))
			continue;
		rest.ptr = r.line.ptr + 9;
		rest.len = r.line.len - 9;
		tag = word(&rest);
		suite = word(&rest);
		if (!hd_slice_is(suite, "AES_CM_128_HMAC_SHA1_80") &&
		    !hd_slice_is(suite, "AES_CM_128_HMAC_SHA1_32"))
			continue;
		hd_random_bytes(key, sizeof(key));
		hd_base64url_format(text, key, sizeof(key)); /* 30 bytes need no padding */
		for (char *p = text; *p; p++)
			*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
		hd_buf_addf(b, "a=crypto:%.*s %.*s inline:%s\r\n", (int)tag.len, tag.ptr,
			    (int)suite.len, suite.ptr, text);
		hd_wipe(key, sizeof(key));
		hd_wipe(text, sizeof(text));
		return true;
	}
	return false;
}

static bool is_savp(struct hd_slice profile)
{
	return hd_slice_caseis(profile, "RTP/SAVP") || hd_slice_caseis(profile, "RTP/SAVPF");
}

/* @return true when the stream was taken */
static bool answer_media(struct hd_buf *b, const struct media *m, bool taken)
{
	struct hd_buf lines = { 0 };
	bool take;

	take = !taken && hd_slice_caseis(m->kind, "audio") && !hd_slice_is(m->port, "0");
	if (take && is_savp(m->profile))
		take = add_crypto(&lines, m);
	hd_buf_addf(b, "m=%.*s %s %.*s %.*s\r\n", (int)m->kind.len, m->kind.ptr, take ? "9" : "0",
		    (int)m->profile.len, m->profile.ptr, (int)m->format.len, m->format.ptr);
	if (take) {
		add_rtpmap(b, m);
		hd_buf_adds(b, hd_buf_text(&lines));
		hd_buf_adds(b, "a=inactive\r\n");
	}
	hd_buf_fini(&lines);
	return take;
}

int hd_sdp_inactive(struct hd_buf *answer, struct hd_slice offer, const char *address)
{
	struct reader r = { .rest = offer };
	struct media m = { 0 };
	bool in_media = false, taken = false;
	size_t n = 0;

	add_session(answer, address);
	if (!offer.len) {
		hd_buf_adds(answer, "m=audio 9 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n"
				    "a=rtpmap:0 PCMU/8000\r\na=inactive\r\n");
		return hd_buf_error(answer);
	}
	if (!begins(offer, "v=0") || memchr(offer.ptr, '\0', offer.len)) /* RFC 4566 9: no NUL */
		return HD_EPARSE;
	while (next_line(&r)) {
		if (++n > LINES_MAX)
			return HD_EPARSE;
		if (!begins(r.line, "m=")) {
			m.body.len = in_media ? (size_t)(r.line.ptr + r.line.len - m.body.ptr) : 0;
			continue;
		}
		if (in_media)
			taken |= answer_media(answer, &m, taken);
		memset(&m, 0, sizeof(m));
		if (!media_parse(&m, r.line))
			return HD_EPARSE;
		in_media = true;
		m.body.ptr = r.rest.ptr;
	}
	if (in_media)
		taken |= answer_media(answer, &m, taken);
	if (!taken)
		return HD_EUNSUPPORTED;
	return hd_buf_error(answer);
}
