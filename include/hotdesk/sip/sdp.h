/*
 * sdp.h - the answer of somebody who has nothing to say: every stream inactive (RFC 3264, RFC
 * 4566).
 *
 * Layer: 3.  May include: base.  Thread: any.
 */
#ifndef HOTDESK_SIP_SDP_H
#define HOTDESK_SIP_SDP_H

#include "hotdesk/base/str.h"

/**
 * Answers an offer with the first audio stream taken, inactive, and the others declined; without an
 * offer (late offer, RFC 3261 13.2.1) makes one of PCMA and PCMU, inactive. A stream under RTP/SAVP
 * gets a crypto line of its own (RFC 4568), as phones that insist on SRTP want it.
 *
 * @param address literal address of ours, IPv6 without []
 * @return 0; HD_EUNSUPPORTED: no audio in the offer (answer 488); HD_EPARSE: not SDP (488);
 * HD_ENOMEM
 */
HD_MUSTCHECK int hd_sdp_inactive(struct hd_buf *answer, struct hd_slice offer, const char *address);

#endif
