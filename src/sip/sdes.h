/* sdes.h - keys of SRTP in SDP (RFC 4568): a=crypto:TAG SUITE inline:KEY|LIFETIME|MKI:LENGTH. */
#ifndef SIP_SDES_H
#define SIP_SDES_H

#include <sofia-sip/sdp.h>

#include "hotdesk/sip/offer.h"

struct sdes {
	uint32_t tag;
	bool tag_32;
	uint8_t key[HD_SDP_KEY_BYTES];
};

/** The first line that we can follow. @return false: there is none */
bool sdes_choose(struct sdes *s, const sdp_attribute_t *attributes);
/** The same tag and suite with a key of ours (5.1.2). */
void sdes_write(struct hd_buf *out, const struct sdes *s, const uint8_t key[HD_SDP_KEY_BYTES]);

#endif
