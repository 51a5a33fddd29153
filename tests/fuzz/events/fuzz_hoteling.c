/* fuzz_hoteling.c - SetHoteling bodies: a guest is a number, a nonce one of our length, and what is
 * told of it is a document that can be read. */
#include <stdlib.h>
#include <string.h>

#include "feature/hoteling_priv.h"
#include "hotdesk/xml.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hoteling_event event = { .left_s = 1 };
	struct set_hoteling set;
	struct hd_buf told = { 0 };
	struct hd_xml *x = NULL;
	int err;

	need(hd_secret_init() == 0);
	err = set_hoteling_read(&set, (struct hd_slice){ (const char *)data, len });
	need(err == 0 || err == HD_EPARSE || err == HD_ELIMIT || err == HD_EUNSUPPORTED);
	if (err)
		return 0;
	need(!set.guest[0] || hd_number_is_valid(hd_slice_of(set.guest)));
	need(strlen(set.nonce) < sizeof(set.nonce));
	(void)set_hoteling_proves(&set, "471147");
	event.guest = set.guest;
	hoteling_event_write(&told, &event);
	need(hd_xml_parse(&x, (struct hd_slice){ told.data, told.len }) == 0);
	hd_xml_free(x);
	hd_buf_fini(&told);
	return 0;
}
