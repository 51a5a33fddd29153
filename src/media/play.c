/* play.c - what a stream sends: sounds, and silence between them, each packet when it is due. */
#include <string.h>

#include "hotdesk/base/metric.h"
#include "media_priv.h"

enum { GRID_MS = 20, BEHIND_MAX_MS = 200, OCTETS_PER_MS = 8 };

static struct hd_metric sent = HD_COUNTER("hotdeskd_rtp_sent", NULL, "RTP packets sent");
static struct hd_metric late =
	HD_HISTOGRAM("hotdeskd_rtp_late_seconds", NULL, "how long after it was due a packet left");

static uint32_t *phase_count(struct hd_stream *s)
{
	return &s->media->phases[s->phase];
}

/* Streams share the grid: no tick has to send for all of them. */
static void choose_phase(struct hd_stream *s, int64_t now_ms)
{
	const uint32_t *phases = s->media->phases;

	s->phase = 0;
	for (unsigned i = 1; i < GRID_MS / TICK_MS; i++)
		if (phases[i] < phases[s->phase])
			s->phase = (uint8_t)i;
	s->due_ms = now_ms - now_ms % GRID_MS + (int64_t)s->phase * TICK_MS;
	if (s->due_ms < now_ms)
		s->due_ms += GRID_MS;
}

void stream_set_sending(struct hd_stream *s)
{
	bool send = s->agreed && s->terms.may_send && s->has_remote && s->terms.remote_port != 0;

	if (send == s->sending)
		return;
	s->sending = send;
	if (send) {
		hd_metric_register(&sent);
		hd_metric_register(&late);
		choose_phase(s, media_now(s->media));
		++*phase_count(s);
		s->marked = false;
	} else {
		--*phase_count(s);
	}
	media_set_timer(s->media);
}

void hd_stream_play(struct hd_stream *s, const struct hd_sound *const *sounds, size_t n)
{
	if (n > HD_MEDIA_PLAY_MAX)
		n = HD_MEDIA_PLAY_MAX;
	memcpy(s->sounds, sounds, n * sizeof(*sounds));
	s->n_sounds = n;
	s->sound = s->at = 0;
}

void hd_stream_stop(struct hd_stream *s)
{
	s->n_sounds = s->sound = s->at = 0;
}

bool hd_stream_is_playing(const struct hd_stream *s)
{
	return s->sound < s->n_sounds;
}

/* @return true when the last sound ended in this packet */
static bool fill(struct hd_stream *s, uint8_t *dst, size_t n)
{
	bool playing = hd_stream_is_playing(s);

	while (n > 0 && s->sound < s->n_sounds) {
		struct hd_slice octets = hd_sound_octets(s->sounds[s->sound], s->terms.law);
		size_t part = octets.len - s->at < n ? octets.len - s->at : n;

		memcpy(dst, octets.ptr + s->at, part);
		dst += part;
		n -= part;
		s->at += part;
		if (s->at == octets.len) {
			s->sound++;
			s->at = 0;
		}
	}
	memset(dst, s->terms.law == HD_LAW_A ? SILENCE_A : SILENCE_MU, n);
	return playing && !hd_stream_is_playing(s);
}

static void send_packet(struct hd_stream *s)
{
	uint8_t buf[RTP_HEADER_BYTES + PTIME_MAX_MS * OCTETS_PER_MS + SRTP_ROOM];
	const struct sockaddr_storage *to = s->latched ? &s->latched_at : &s->remote;
	size_t octets = (size_t)s->terms.ptime_ms * OCTETS_PER_MS, n = RTP_HEADER_BYTES + octets;
	const struct rtp_packet p = { .payload_type = s->terms.payload_type,
				      .marker = !s->marked,
				      .seq = s->seq,
				      .timestamp = s->timestamp,
				      .ssrc = s->ssrc };
	bool played;

	rtp_write(buf, &p);
	played = fill(s, buf + RTP_HEADER_BYTES, octets);
	s->marked = true;
	s->seq++;
	s->timestamp += (uint32_t)octets;
	/* A full socket or a network that is away costs this packet, as it would on the way. */
	if (!s->srtp || !srtp_pair_protect(s->srtp, buf, &n)) {
		(void)sendto(s->ports.rtp, buf, n, 0, (const struct sockaddr *)to,
			     to->ss_family == AF_INET ? sizeof(struct sockaddr_in)
						      : sizeof(struct sockaddr_in6));
		hd_metric_add(&sent, 1);
	}
	if (played && s->events.played)
		s->events.played(s->events.arg);
}

/* After a stop of the thread nobody wants the past in a burst: time has gone on, sound has not. */
static void skip(struct hd_stream *s, int64_t now_ms)
{
	int64_t lost = (now_ms - s->due_ms) / s->terms.ptime_ms;

	s->due_ms += lost * s->terms.ptime_ms;
	s->timestamp += (uint32_t)(lost * s->terms.ptime_ms * OCTETS_PER_MS);
	s->marked = false;
}

void stream_send_due(struct hd_stream *s, int64_t now_ms)
{
	if (s->sending && now_ms - s->due_ms > BEHIND_MAX_MS)
		skip(s, now_ms);
	while (!s->dead && s->sending && s->due_ms <= now_ms) {
		hd_metric_observe_us(&late, (now_ms - s->due_ms) * 1000);
		s->due_ms += s->terms.ptime_ms;
		send_packet(s);
	}
}
