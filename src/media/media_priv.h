/* media_priv.h - what the files of media/ share; packet and event parsers are fuzzed. */
#ifndef MEDIA_PRIV_H
#define MEDIA_PRIV_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "hotdesk/media.h"

enum {
	TICK_MS = 5,
	RTP_HEADER_BYTES = 12,
	PACKET_MAX = 2048,
	PTIME_MAX_MS = 60,
	SILENCE_A = 0xd5, /* of A-law and mu-law */
	SILENCE_MU = 0xff,
};

/* ---- rtp.c (RFC 3550) ----------------------------------------------------------------------- */

struct rtp_packet {
	uint8_t payload_type;
	bool marker;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	struct hd_slice payload;
};
/** @return 0; HD_EPARSE: no RTP (RTCP on the same port, STUN, noise) */
HD_MUSTCHECK int rtp_parse(struct rtp_packet *p, struct hd_slice datagram);
/** The header alone, RTP_HEADER_BYTES. */
void rtp_write(uint8_t *dst, const struct rtp_packet *p);

/** Which SSRC is believed (RFC 3550 A.1). Zero value: none. */
struct rtp_source {
	bool known, probing;
	uint32_t ssrc, probed_ssrc;
	uint16_t probed_seq;
};
bool rtp_source_takes(struct rtp_source *s, const struct rtp_packet *p);

/* ---- event.c (RFC 4733) --------------------------------------------------------------------- */

/** The event that came last. Zero value: none. */
struct event_state {
	bool any, ended;
	uint8_t event;
	uint32_t timestamp, ssrc;
	uint16_t duration;
	int64_t at_ms;
};
/**
 * @return the digit when a new event begins; 0 for what belongs to the last one, is late, is no
 *         digit (flash) or malformed
 */
char event_take(struct event_state *st, const struct rtp_packet *p, int64_t now_ms);

/* ---- g711.c (ITU-T G.711) ------------------------------------------------------------------- */

uint8_t g711_encode(enum hd_law law, int16_t sample);
int16_t g711_decode(enum hd_law law, uint8_t octet);

/* ---- sound.c -------------------------------------------------------------------------------- */

struct hd_sound {
	size_t n;
	uint8_t *octets[2]; /* by law */
};

/* ---- port.c --------------------------------------------------------------------------------- */

struct ports {
	int rtp, rtcp; /* descriptors; rtcp may be -1 */
	uint16_t port;
	uint8_t family; /* AF_INET, AF_INET6 */
};
/** @return 0, HD_EBUSY, HD_EINVAL, HD_ESYSTEM */
HD_MUSTCHECK int ports_open(struct ports *p, const char *address,
			    const struct hd_media_options *options);
void ports_close(struct ports *p);
/** @return 0 or HD_EINVAL */
HD_MUSTCHECK int address_parse(struct sockaddr_storage *a, const char *host, uint16_t port);
bool address_host_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool address_is(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/* ---- srtp.c --------------------------------------------------------------------------------- */

struct srtp_pair;
HD_MUSTCHECK int srtp_pair_new(struct srtp_pair **pp, const struct hd_srtp_keys *keys);
void srtp_pair_free(struct srtp_pair *p);
/** In place; *np grows by the tag. The packet has room for SRTP_ROOM more. */
enum { SRTP_ROOM = 64 };
HD_MUSTCHECK int srtp_pair_protect(struct srtp_pair *p, uint8_t *packet, size_t *np);
/** In place. @return 0 or HD_EACCESS (not authentic, or replayed) */
HD_MUSTCHECK int srtp_pair_unprotect(struct srtp_pair *p, uint8_t *packet, size_t *np);

/* ---- stream.c, play.c ----------------------------------------------------------------------- */

struct hd_stream {
	struct hd_media *media;
	struct hd_stream_events events;
	struct ports ports;
	struct hd_stream_terms terms;
	bool agreed, dead;
	struct srtp_pair *srtp;
	/* in */
	struct sockaddr_storage remote, signalling, latched_at;
	bool has_remote, has_signalling, latched;
	struct rtp_source source;
	struct event_state event;
	int64_t heard_at_ms;
	/* out */
	bool sending, marked;
	int64_t due_ms; /* of the next packet */
	uint8_t phase;	/* on the grid of ticks */
	uint16_t seq;
	uint32_t timestamp, ssrc;
	const struct hd_sound *sounds[HD_MEDIA_PLAY_MAX];
	size_t n_sounds, sound, at; /* which, and the octet in it */
	struct hd_stream *prev, *next;
	struct hd_stream *grave; /* the next one */
};

struct hd_media {
	struct hd_media_options options;
	struct hd_stream *streams, *graves;
	uint32_t n;
	uint32_t phases[PTIME_MAX_MS / TICK_MS]; /* streams that send, by phase of 20 ms */
	int epoll, timer;
	bool ticking;
	unsigned turning; /* depth: graves are emptied at the end */
};

void stream_receive(struct hd_stream *s);
/** Reads RTCP away. */
void stream_drain(struct hd_stream *s);
/** Sends all packets that are due. */
void stream_send_due(struct hd_stream *s, int64_t now_ms);
/** Begins or ends sending by the terms. */
void stream_set_sending(struct hd_stream *s);
/** The timer runs while a stream sends. */
void media_set_timer(struct hd_media *m);
int64_t media_now(const struct hd_media *m);

#endif
