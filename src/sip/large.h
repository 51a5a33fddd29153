/*
 * large.h - requests too large for a datagram (RFC 3261 18.1.1).
 */
#ifndef HOTDESK_SIP_LARGE_H
#define HOTDESK_SIP_LARGE_H

#include "sip_priv.h"

/** Our Via, which is not there yet: sent-by, branch and rport. */
enum { VIA_BYTES = 100 };

/**
 * Whether a request must leave by TCP although its target is reached by UDP.
 * @param url    of hd_target_resolve(); room for 160; changed to TCP when true
 * @param tportp receives the listener that it leaves from
 */
bool large_move_to_tcp(struct hd_agent *agent, const struct hd_msg *msg,
		       const struct hd_target *target, char *url, tport_t **tportp);

#endif
