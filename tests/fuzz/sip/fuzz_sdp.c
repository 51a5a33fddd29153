/* fuzz_sdp.c - offers: what is answered is SDP, no longer than the offer allows, every stream
 * inactive or declined. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/sdp.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_slice offer = { (const char *)data, len };
	struct hd_buf answer = { 0 };
	int err;

	need(hd_secret_init() == 0);
	err = hd_sdp_inactive(&answer, offer, "192.0.2.9");
	need(err == 0 || err == HD_EPARSE || err == HD_EUNSUPPORTED);
	if (!err) {
		need(strncmp(hd_buf_text(&answer), "v=0\r\n", 5) == 0);
		need(strstr(hd_buf_text(&answer), "a=inactive\r\n") != NULL);
		need(strlen(hd_buf_text(&answer)) == answer.len);
		need(answer.len < 512 + 2 * len);
	}
	hd_buf_fini(&answer);
	return 0;
}
