/* fuzz_summary.c - what a PBX says of waiting messages: what is taken reads the same again. */
#include "support/fuzz.h"

#include <stdlib.h>

#include "hotdesk/summary.h"

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hd_slice body = { (const char *)data, len };
	struct hd_summary summary, again;
	struct hd_buf out = { 0 };

	if (!hd_summary_parse(&summary, body)) {
		hd_summary_format(&out, &summary, "fuzz.test");
		EXPECT(!hd_buf_error(&out) && out.len < 1024);
		EXPECT(!hd_summary_parse(&again, (struct hd_slice){ out.data, out.len }));
		EXPECT(hd_summary_eq(&summary, &again));
	}
	hd_buf_fini(&out);
	return 0;
}
