/* fuzz_rtp.c - datagrams, each preceded by its length: packets, sources, events. */
#include <stdlib.h>
#include <string.h>

#include "media/media_priv.h"
#include "support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rtp_source source = { 0 };
	struct event_state event = { 0 };
	int64_t now_ms = 0;
	size_t n;

	while (len > 0) {
		struct rtp_packet p;
		char digit, *exact;

		n = *data++;
		len--;
		n = n < len ? n : len;
		exact = malloc(n ? n : 1);
		if (!exact)
			abort();
		memcpy(exact, data, n);
		if (!rtp_parse(&p, (struct hd_slice){ exact, n })) {
			if (p.payload.ptr < exact || p.payload.ptr + p.payload.len > exact + n)
				abort();
			(void)rtp_source_takes(&source, &p);
			digit = event_take(&event, &p, now_ms += p.seq % 200);
			if (digit && !strchr("0123456789*#ABCD", digit))
				abort();
		}
		free(exact);
		data += n;
		len -= n;
	}
	return 0;
}
