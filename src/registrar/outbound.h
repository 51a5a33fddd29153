/*
 * outbound.h - what a REGISTER says of the way back to its phone: Path (RFC 3327), outbound (RFC
 * 5626); and what the answer says of it, Service-Route (RFC 3608) included.
 */
#ifndef HOTDESK_REGISTRAR_OUTBOUND_H
#define HOTDESK_REGISTRAR_OUTBOUND_H

#include "hotdesk/registrar.h"

struct hd_outbound {
	bool supported; /* the phone knows outbound */
	bool usable;	/* and the first hop, we ourselves or an edge proxy, keeps its flows */
	char path[HD_PATH_SIZE];
};

/** Option tags in Require that a REGISTER may ask us for. */
bool hd_registrar_knows(struct hd_slice tag);

/** @return 0, or a status to refuse with and its phrase */
int hd_outbound_read(struct hd_outbound *outbound, struct hd_request *req, const char **phrasep);

/**
 * Gives a contact the Path, and its reg-id where both sides do outbound: without it counts as
 * absent (RFC 5626 6).
 * @return 0, or a status to refuse with and its phrase
 */
int hd_outbound_apply(const struct hd_outbound *outbound, struct hd_binding *binding,
		      const char **phrasep);

/** Path, Service-Route, Require and Flow-Timer of the 200. */
void hd_outbound_write(struct hd_buf *lines, const struct hd_registrar_options *options,
		       struct hd_request *req, const struct hd_location_change *change);

#endif
