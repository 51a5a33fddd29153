/*
 * media.h - RTP for the login dialogue: G.711 prompts out, RFC 4733 digits in; RTP and SRTP.
 *
 * A stream is a UDP socket pair (RTP, and RTCP on the next port, which is read and ignored) and
 * what offer and answer agreed on. While it may send it sends without a pause, silence between the
 * prompts, so that NATs stay open and jitter buffers in step. Packets leave when they are due by
 * the clock, on a grid of 5 ms that the streams share evenly; a late one does not delay the next.
 *
 * It is fed by the thread that owns it: hd_media_fd() is readable when there is something to do,
 * then hd_media_turn() does it. No call blocks.
 *
 * Who may speak: packets are taken from the address that was signalled or that the signalling came
 * from, and once one was valid (symmetric RTP, RFC 4961) from its address and port alone; prompts
 * go there, too. Under SRTP only what authenticates is valid. Another SSRC from there is believed
 * at its second packet in sequence (RFC 3550 A.1). All others are counted and dropped.
 *
 * Layer: 3 (libsrtp2).  May include: base.  Thread: one, the SIP thread.
 */
#ifndef HOTDESK_MEDIA_H
#define HOTDESK_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/error.h"
#include "hotdesk/base/str.h"

struct hd_media;
struct hd_stream;
struct hd_sound;

enum {
	HD_MEDIA_HOST_SIZE = 64,
	HD_MEDIA_EVENT_TYPES_MAX = 4, /* payload types of telephone-event */
	HD_SRTP_KEY_BYTES = 30,	      /* master key of 16 and salt of 14 (RFC 3711) */
	HD_MEDIA_PLAY_MAX = 6,	      /* sounds in a row */
};

struct hd_media_options {
	const struct hd_clock *clock; /* borrowed */
	uint16_t port_min, port_max;  /* RTP takes the even ones; 0, 0: whatever the system gives */
	uint32_t streams_max;
};
/** @return 0, HD_EINVAL, HD_ENOMEM or HD_ESYSTEM */
HD_MUSTCHECK int hd_media_new(struct hd_media **mp, const struct hd_media_options *options);
/** Its streams must be gone. NULL-safe. */
void hd_media_free(struct hd_media *media);
/** For streams from now on. */
void hd_media_set_limits(struct hd_media *media, const struct hd_media_options *options);
/** Readable while there is something to do. Borrowed. */
int hd_media_fd(const struct hd_media *media);
/** Takes what came, sends what is due, calls the streams' callbacks. */
void hd_media_turn(struct hd_media *media);
/** Sends what is due by the clock; hd_media_turn() does it too. */
void hd_media_tick(struct hd_media *media);
/** Streams open. */
uint32_t hd_media_count(const struct hd_media *media);

/* ---- streams -------------------------------------------------------------------------------- */

/** Callbacks may do anything with the stream, also free it. */
struct hd_stream_events {
	/** A key was pressed: '0'..'9', '*', '#', 'A'..'D'; once, when its event begins. */
	void (*digit)(void *arg, char digit);
	/** The last of the sounds of hd_stream_play() has been sent. */
	void (*played)(void *arg);
	void *arg;
};
/**
 * Binds its sockets.
 * @param address literal of ours, IPv6 without []; one that is not on this machine (that of a NAT
 *                in front) binds to all
 * @return 0; HD_EBUSY (streams_max, or no port is free), HD_EINVAL, HD_ENOMEM, HD_ESYSTEM
 */
HD_MUSTCHECK int hd_stream_new(struct hd_stream **sp, struct hd_media *media, const char *address,
			       const struct hd_stream_events *events);
/** NULL-safe. */
void hd_stream_free(struct hd_stream *stream);
/** Of RTP; RTCP is one above. */
uint16_t hd_stream_port(const struct hd_stream *stream);

/**
 * The address of ours that packets to another leave from; nothing is sent.
 * @return 0, HD_EINVAL, HD_ESYSTEM (no way there)
 */
HD_MUSTCHECK int hd_media_local_address(char dst[HD_MEDIA_HOST_SIZE], const char *remote);

enum hd_law { HD_LAW_MU, HD_LAW_A };

struct hd_srtp_keys {
	bool tag_32; /* AES_CM_128_HMAC_SHA1_32, else _80 */
	uint8_t ours[HD_SRTP_KEY_BYTES], theirs[HD_SRTP_KEY_BYTES];
};

/** What offer and answer came to. Copied. */
struct hd_stream_terms {
	char remote[HD_MEDIA_HOST_SIZE];     /* their address; "" : nowhere to send */
	uint16_t remote_port;		     /* 0: nowhere to send */
	char signalling[HD_MEDIA_HOST_SIZE]; /* where their SIP comes from, or "" */
	enum hd_law law;
	uint8_t payload_type;
	uint8_t event_types[HD_MEDIA_EVENT_TYPES_MAX];
	size_t n_event_types;
	uint32_t ptime_ms;	    /* they want to receive; 10 to 60 in steps of 10, else 20 */
	bool may_send, may_receive; /* we */
	bool secure;
	struct hd_srtp_keys keys; /* of a secure one */
};
/**
 * Begins, or goes on under other terms: their address is learned anew when it has changed, the
 * sequence of what we send goes on.
 * @return 0, HD_EINVAL (an address that is none, or of another family), HD_ENOMEM, HD_ESYSTEM
 */
HD_MUSTCHECK int hd_stream_agree(struct hd_stream *stream, const struct hd_stream_terms *terms);
/** Instead of what is being played; at most HD_MEDIA_PLAY_MAX, borrowed until played. */
void hd_stream_play(struct hd_stream *stream, const struct hd_sound *const *sounds, size_t n);
/** Silence from the next packet on; `played` is not called. */
void hd_stream_stop(struct hd_stream *stream);
bool hd_stream_is_playing(const struct hd_stream *stream);
/** Since the last valid packet, or since it was opened. */
int64_t hd_stream_silent_ms(const struct hd_stream *stream);
/** A valid packet has come: its sender is known. */
bool hd_stream_is_latched(const struct hd_stream *stream);

/* ---- sounds --------------------------------------------------------------------------------- */

/**
 * Reads a WAV file of 8000 Hz, one channel: A-law, mu-law or 16 bits linear.
 * @return 0; HD_ENOENT; HD_EPARSE, HD_ELIMIT (longer than a minute); HD_ESYSTEM, HD_ENOMEM
 */
HD_MUSTCHECK int hd_sound_load(struct hd_sound **sp, const char *path);
/** The same from memory. */
HD_MUSTCHECK int hd_sound_parse(struct hd_sound **sp, struct hd_slice wav);
/** One note after the other; a frequency of 0 is silence. @return 0, HD_EINVAL or HD_ENOMEM */
struct hd_note {
	uint16_t hz, in_ms;
};
HD_MUSTCHECK int hd_sound_new(struct hd_sound **sp, const struct hd_note *notes, size_t n);
/** NULL-safe. */
void hd_sound_free(struct hd_sound *sound);
uint32_t hd_sound_ms(const struct hd_sound *sound);
/** Its octets, one for each 1/8000 s. Borrowed. */
struct hd_slice hd_sound_octets(const struct hd_sound *sound, enum hd_law law);

#endif
