/* event.c - DTMF as named events (RFC 4733): each key once, whatever is lost, doubled or late. */
#include "media_priv.h"

enum {
	EVENT_BYTES = 4,
	EVENTS = 16,	       /* 0-9 * # A-D; 16 is flash */
	LATE_SAMPLES = 40000,  /* 5 s: an older timestamp than this is a new beginning */
	ONE_EVENT_MS = 100,    /* packets of one event come 50 ms apart at most */
	SEGMENT = 0xffff,      /* samples: then a long event goes on in a new one (2.5.1.3) */
	STEP_SAMPLES = 3 * 160 /* that a phone moves on which stamps each packet anew */
};

/*
 * Some phones move the timestamp on from packet to packet of one event; the standard does it for
 * events longer than 8 s. Both go on without a marker and without an end.
 */
static bool goes_on(const struct event_state *st, const struct rtp_packet *p, uint8_t event,
		    int64_t now_ms)
{
	uint32_t ahead = p->timestamp - st->timestamp;

	return !st->ended && event == st->event && !p->marker && p->ssrc == st->ssrc &&
	       now_ms - st->at_ms <= ONE_EVENT_MS &&
	       (ahead == SEGMENT || ahead <= (uint32_t)st->duration + STEP_SAMPLES);
}

static bool is_late(const struct event_state *st, const struct rtp_packet *p)
{
	int32_t ahead = (int32_t)(p->timestamp - st->timestamp);

	return p->ssrc == st->ssrc && ahead < 0 && ahead > -LATE_SAMPLES;
}

char event_take(struct event_state *st, const struct rtp_packet *p, int64_t now_ms)
{
	const uint8_t *b = (const uint8_t *)p->payload.ptr;
	uint16_t duration;
	bool end, same;
	uint8_t event;

	if (p->payload.len < EVENT_BYTES || b[0] >= EVENTS)
		return 0;
	event = b[0];
	end = (b[1] & 0x80) != 0;
	duration = (uint16_t)(b[2] << 8 | b[3]);
	same = st->any && p->timestamp == st->timestamp && p->ssrc == st->ssrc &&
	       event == st->event;
	if (st->any && !same && is_late(st, p))
		return 0;
	if (same || (st->any && goes_on(st, p, event, now_ms))) {
		st->ended |= end;
		st->timestamp = p->timestamp;
		st->duration = duration;
		st->at_ms = now_ms;
		return 0;
	}
	*st = (struct event_state){ .any = true,
				    .ended = end,
				    .event = event,
				    .timestamp = p->timestamp,
				    .ssrc = p->ssrc,
				    .duration = duration,
				    .at_ms = now_ms };
	return "0123456789*#ABCD"[event];
}
