/* fuzz_settings_xml.c - SetDoNotDisturb and SetForwarding bodies: what they change stays in its
 * bounds, and what is told of it is a document that can be read. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/xml.h"
#include "notify/settings_xml.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void tell(const struct hd_settings *settings)
{
	struct hd_buf told = { 0 };
	struct hd_xml *x = NULL;

	for (unsigned i = 0; i < SETTINGS_ITEMS; i++) {
		settings_xml_write(&told, settings, i, "<&>");
		need(hd_xml_parse(&x, (struct hd_slice){ told.data, told.len }) == 0);
		hd_xml_free(x);
		hd_buf_fini(&told);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_settings before, after;
	struct settings_change change;
	int err;

	need(hd_secret_init() == 0);
	err = settings_change_read(&change, (struct hd_slice){ (const char *)data, len });
	need(err == 0 || err == HD_EPARSE || err == HD_ELIMIT || err == HD_EUNSUPPORTED);
	if (err)
		return 0;
	need(change.item < SETTINGS_ITEMS && change.rings <= HD_RINGS_MAX);
	need(!change.to[0] || hd_forward_to_is_valid(hd_slice_of(change.to)));
	hd_settings_standard(&before);
	after = before;
	settings_change_apply(&change, &after);
	need(after.rings >= 1 && after.rings <= HD_RINGS_MAX);
	need((settings_xml_differ(&before, &after) & ~(1U << change.item)) == 0);
	tell(&after);
	return 0;
}
