/* rtp_support.h - packets for the tests of media/. */
#ifndef UNIT_MEDIA_RTP_SUPPORT_H
#define UNIT_MEDIA_RTP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/media_priv.h"

#define assert_ok(expr) assert_int_equal((expr), 0)

/* An event's four octets. */
static inline struct hd_slice event_octets(uint8_t dst[4], uint8_t event, bool end,
					   uint16_t duration)
{
	dst[0] = event;
	dst[1] = (uint8_t)((end ? 0x80 : 0) | 10);
	dst[2] = (uint8_t)(duration >> 8);
	dst[3] = (uint8_t)duration;
	return (struct hd_slice){ (const char *)dst, 4 };
}

#endif
