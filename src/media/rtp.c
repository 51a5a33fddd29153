/* rtp.c - RTP packets (RFC 3550 5.1) and whose they are (A.1). */
#include <string.h>

#include "media_priv.h"

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put32(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

int rtp_parse(struct rtp_packet *p, struct hd_slice datagram)
{
	const uint8_t *b = (const uint8_t *)datagram.ptr;
	size_t at, n = datagram.len, padding = 0;

	if (n < RTP_HEADER_BYTES || b[0] >> 6 != 2)
		return HD_EPARSE;
	/* RFC 5761 4: what would be a payload type of 64 to 95 is RTCP. */
	if ((b[1] & 0x7f) >= 64 && (b[1] & 0x7f) <= 95)
		return HD_EPARSE;
	at = RTP_HEADER_BYTES + 4 * (size_t)(b[0] & 0x0f);
	if (b[0] & 0x10) {
		if (at + 4 > n)
			return HD_EPARSE;
		at += 4 + 4 * ((size_t)b[at + 2] << 8 | b[at + 3]);
	}
	if (b[0] & 0x20) {
		padding = b[n - 1];
		if (padding == 0)
			return HD_EPARSE;
	}
	if (at + padding > n)
		return HD_EPARSE;
	p->payload_type = b[1] & 0x7f;
	p->marker = (b[1] & 0x80) != 0;
	p->seq = (uint16_t)(b[2] << 8 | b[3]);
	p->timestamp = get32(b + 4);
	p->ssrc = get32(b + 8);
	p->payload = (struct hd_slice){ datagram.ptr + at, n - at - padding };
	return 0;
}

void rtp_write(uint8_t *dst, const struct rtp_packet *p)
{
	dst[0] = 0x80;
	dst[1] = (uint8_t)((p->marker ? 0x80 : 0) | (p->payload_type & 0x7f));
	dst[2] = (uint8_t)(p->seq >> 8);
	dst[3] = (uint8_t)p->seq;
	put32(dst + 4, p->timestamp);
	put32(dst + 8, p->ssrc);
}

bool rtp_source_takes(struct rtp_source *s, const struct rtp_packet *p)
{
	if (!s->known) {
		*s = (struct rtp_source){ .known = true, .ssrc = p->ssrc };
		return true;
	}
	if (p->ssrc == s->ssrc)
		return true;
	if (s->probing && s->probed_ssrc == p->ssrc && p->seq == (uint16_t)(s->probed_seq + 1)) {
		*s = (struct rtp_source){ .known = true, .ssrc = p->ssrc };
		return true;
	}
	s->probing = true;
	s->probed_ssrc = p->ssrc;
	s->probed_seq = p->seq;
	return false;
}
