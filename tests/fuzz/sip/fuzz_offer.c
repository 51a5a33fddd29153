/* fuzz_offer.c - session descriptions as offers, with our answer to them, and as answers. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/sip/offer.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t key[HD_SDP_KEY_BYTES];
	const struct hd_sdp_local local = { "192.0.2.9", 30000, 1, 1, key };
	struct hd_slice text = { (const char *)data, len };
	struct hd_sdp_stream stream;
	struct hd_sdp *sdp = NULL;
	struct hd_buf answer = { 0 };

	if (!hd_sdp_read_offer(&sdp, text)) {
		if (hd_sdp_write_answer(&answer, sdp, &local))
			abort();
		/* Ours is one that others can read: one stream taken, no line of theirs in it. */
		if (!strstr(hd_buf_text(&answer), "m=audio 30000 ") ||
		    strstr(hd_buf_text(&answer), "\n\n"))
			abort();
		hd_buf_fini(&answer);
		hd_sdp_free(sdp);
	}
	(void)!hd_sdp_read_answer(&stream, text);
	return 0;
}
