/*
 * fuzz_conf.c - hotdeskd.yaml: any text gives a configuration or errors, never both and never
 * neither, and a configuration does not differ from itself.
 */
#include "support/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "hotdesk/conf.h"

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hd_slice text = { (const char *)data, len };
	struct hd_conf *conf = NULL, *again = NULL;
	struct hd_buf errors = { 0 }, diff = { 0 };
	int err = hd_conf_parse(&conf, text, "fuzz.yaml", &errors);

	if (err) {
		EXPECT(err == HD_EPARSE && !conf);
		EXPECT(strncmp(hd_buf_text(&errors), "fuzz.yaml:", 10) == 0);
	} else {
		EXPECT(conf && errors.len == 0);
		EXPECT(hd_conf_parse(&again, text, "fuzz.yaml", &errors) == 0);
		hd_conf_diff(conf, again, &diff, &diff);
		EXPECT(diff.len == 0);
	}
	hd_conf_free(conf);
	hd_conf_free(again);
	hd_buf_fini(&errors);
	hd_buf_fini(&diff);
	return 0;
}
