/* fuzz_xml.c - bodies of phones: elements and texts stay in their bounds, and what was read is text
 * that can be written and read again. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/xml.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void write_and_read(const char *text)
{
	struct hd_buf b = { 0 };
	struct hd_xml *x = NULL;
	int err;

	hd_buf_adds(&b, "<a>");
	hd_xml_escape(&b, hd_slice_of(text));
	hd_buf_adds(&b, "</a>");
	err = hd_xml_parse(&x, (struct hd_slice){ b.data, b.len });
	need(err == 0 || err == HD_ELIMIT);
	if (!err && !strchr(text, 0x7f))
		need(strcmp(hd_xml_text(x, 0), text) == 0);
	hd_xml_free(x);
	hd_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_slice body = { (const char *)data, len };
	struct hd_xml *x = NULL;
	int err;

	need(hd_secret_init() == 0);
	err = hd_xml_parse(&x, body);
	need(err == 0 || err == HD_EPARSE || err == HD_ELIMIT || err == HD_EUNSUPPORTED);
	need((err == 0) == (x != NULL));
	for (int i = 0; x && i < HD_XML_ELEMENTS_MAX; i++)
		write_and_read(hd_xml_text(x, i));
	hd_xml_free(x);
	return 0;
}
