/*
 * offer.h - offer and answer (RFC 3264) for one audio stream of G.711 with telephone-events.
 *
 * Of an offer the first audio stream is taken that has PCMA or PCMU and a transport of ours: RTP,
 * with RTCP feedback or without (RFC 4585), and SRTP keyed by SDES (RFC 4568) with
 * AES_CM_128_HMAC_SHA1_80 or _32. The others are declined. DTLS-SRTP is not ours; of ICE we answer
 * the plain part. Codecs, telephone-event and directions are answered as they were offered, with
 * the payload types of the offer.
 *
 * Layer: 3.  May include: base, sofia-sip.  Thread: any.
 */
#ifndef HOTDESK_SIP_OFFER_H
#define HOTDESK_SIP_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/str.h"

enum { HD_SDP_HOST_SIZE = 64, HD_SDP_EVENT_TYPES_MAX = 4, HD_SDP_KEY_BYTES = 30 };

/** What a description of theirs came to. */
struct hd_sdp_stream {
	char remote[HD_SDP_HOST_SIZE]; /* a literal address; "": they gave a name, or none */
	uint16_t remote_port;
	bool ipv6;  /* of c= */
	bool a_law; /* else mu-law */
	uint8_t payload_type;
	uint8_t event_types[HD_SDP_EVENT_TYPES_MAX];
	size_t n_event_types;
	uint32_t ptime_ms;	    /* they want to receive; 0: they do not say */
	bool may_send, may_receive; /* we; on hold we may not send */
	bool secure, tag_32;
	uint8_t key[HD_SDP_KEY_BYTES]; /* theirs; wipe it */
};

/** What we say about ourselves. */
struct hd_sdp_local {
	const char *address; /* literal, IPv6 without [] */
	uint16_t port;
	uint64_t id;	    /* of o=: of the dialog, below 2^62 */
	uint32_t version;   /* one more each time that it changes */
	const uint8_t *key; /* HD_SDP_KEY_BYTES, for a secure stream */
};

struct hd_sdp;
/**
 * Reads an offer of theirs.
 * @return 0; HD_EUNSUPPORTED: no stream that we can take; HD_EPARSE: not SDP (both: 488);
 *         HD_ENOMEM
 */
HD_MUSTCHECK int hd_sdp_read_offer(struct hd_sdp **sp, struct hd_slice offer);
/** The stream that was taken. Borrowed. */
const struct hd_sdp_stream *hd_sdp_stream(const struct hd_sdp *sdp);
/** @return 0, HD_EINVAL (a secure stream without a key) or HD_ENOMEM */
HD_MUSTCHECK int hd_sdp_write_answer(struct hd_buf *out, const struct hd_sdp *sdp,
				     const struct hd_sdp_local *local);
/** Wipes the keys. NULL-safe. */
void hd_sdp_free(struct hd_sdp *sdp);

/** Our own offer, for an INVITE without one (RFC 3261 13.2.1): both laws and telephone-event. */
HD_MUSTCHECK int hd_sdp_write_offer(struct hd_buf *out, const struct hd_sdp_local *local);
/**
 * Reads the answer to hd_sdp_write_offer().
 * @return 0; HD_EUNSUPPORTED: declined, or not what we offered; HD_EPARSE; HD_ENOMEM
 */
HD_MUSTCHECK int hd_sdp_read_answer(struct hd_sdp_stream *stream, struct hd_slice answer);

#endif
