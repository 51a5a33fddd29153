/* test_xml.c - small documents of phones: what is read, what is refused, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/xml.h"

#define SPACE "http://schema.broadsoft.com/hoteling"

static struct hd_xml *parse(const char *text)
{
	struct hd_xml *x = NULL;

	assert_int_equal(hd_xml_parse(&x, hd_slice_of(text)), 0);
	return x;
}

static void test_reads_elements(void **state)
{
	struct hd_xml *x;
	hd_xml_element a;

	(void)state;
	x = parse("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->"
		  "<SetHoteling xmlns=\"" SPACE "\" extra='1'>\n <guestAddress> 4086\r\n"
		  "</guestAddress><a><nonce>n</nonce></a></SetHoteling>\n");
	assert_true(hd_xml_is(x, 0, SPACE, "SetHoteling"));
	assert_false(hd_xml_is(x, 0, "urn:other", "SetHoteling"));
	assert_false(hd_xml_is(x, 0, SPACE, "sethoteling"));
	assert_string_equal(hd_xml_text(x, hd_xml_child(x, 0, SPACE, "guestAddress")), "4086");
	a = hd_xml_child(x, 0, SPACE, "a");
	assert_string_equal(hd_xml_text(x, hd_xml_child(x, a, SPACE, "nonce")), "n");
	assert_int_equal(hd_xml_child(x, 0, SPACE, "nonce"), -1);
	assert_int_equal(hd_xml_child(x, -1, SPACE, "nonce"), -1);
	assert_string_equal(hd_xml_text(x, -1), "");
	hd_xml_free(x);
	x = parse("<h:SetHoteling xmlns:h='" SPACE "'><h:guestAddress/></h:SetHoteling>");
	assert_true(hd_xml_is(x, 0, SPACE, "SetHoteling"));
	assert_string_equal(hd_xml_text(x, hd_xml_child(x, 0, SPACE, "guestAddress")), "");
	hd_xml_free(x);
	x = parse("<SetHoteling><guestAddress>1</guestAddress></SetHoteling>");
	assert_true(hd_xml_is(x, 0, SPACE, "SetHoteling"));
	hd_xml_free(x);
}

static void test_reads_text_in_pieces(void **state)
{
	struct hd_xml *x;

	(void)state;
	x = parse("<a>one<b>inner</b> two &amp;<![CDATA[<three>]]><b/>&#x34;</a>");
	assert_string_equal(hd_xml_text(x, 0), "one two &<three>4");
	assert_string_equal(hd_xml_text(x, hd_xml_child(x, 0, "", "b")), "inner");
	hd_xml_free(x);
	x = parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xdc</a>");
	assert_string_equal(hd_xml_text(x, 0), "\xc3\x9c");
	hd_xml_free(x);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "", HD_EPARSE },
		{ "x", HD_EPARSE },
		{ "<a>", HD_EPARSE },
		{ "<a></b>", HD_EPARSE },
		{ "<a/><b/>", HD_EPARSE },
		{ "<a>&other;</a>", HD_EPARSE },
		{ "<a>\xff</a>", HD_EPARSE },
		{ "<a b='1' b='2'/>", HD_EPARSE },
		{ "<x:a/>", HD_EPARSE },
		{ "<?xml version=\"1.0\" encoding=\"EBCDIC\"?><a/>", HD_EPARSE },
		{ "<!DOCTYPE a><a/>", HD_EUNSUPPORTED },
		{ "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", HD_EUNSUPPORTED },
		{ "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", HD_EUNSUPPORTED },
		{ "<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>", HD_ELIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_xml *x = NULL;

		assert_int_equal(hd_xml_parse(&x, hd_slice_of(rows[i].text)), rows[i].err);
		assert_null(x);
	}
}

static void test_bounds(void **state)
{
	struct hd_buf b = { 0 };
	struct hd_xml *x = NULL;

	(void)state;
	hd_buf_adds(&b, "<a>");
	for (int i = 0; i < HD_XML_ELEMENTS_MAX; i++)
		hd_buf_adds(&b, "<b/>");
	hd_buf_adds(&b, "</a>");
	assert_int_equal(hd_xml_parse(&x, (struct hd_slice){ b.data, b.len }), HD_ELIMIT);
	hd_buf_fini(&b);

	hd_buf_adds(&b, "<a>");
	while (b.len <= HD_XML_BYTES_MAX)
		hd_buf_adds(&b, " ");
	hd_buf_adds(&b, "</a>");
	assert_int_equal(hd_xml_parse(&x, (struct hd_slice){ b.data, b.len }), HD_ELIMIT);
	hd_buf_fini(&b);

	/* A text that is copied again and again meets the bound of all texts. */
	hd_buf_adds(&b, "<a>");
	for (int i = 0; i < HD_XML_ELEMENTS_MAX - 1; i++)
		hd_buf_adds(&b, "<b/>...............................................");
	hd_buf_adds(&b, "</a>");
	assert_int_equal(hd_xml_parse(&x, (struct hd_slice){ b.data, b.len }), HD_ELIMIT);
	hd_buf_fini(&b);
}

static void test_escapes(void **state)
{
	struct hd_buf b = { 0 };

	(void)state;
	hd_xml_escape(&b, hd_slice_of("a&b<c>d\"e'f\n\t\x01\x7f \xc3\xbc \xff \xf0\x9f\x93\x9e "
				      "\xef\xbf\xbf \xc3"));
	assert_string_equal(hd_buf_text(&b), "a&amp;b&lt;c&gt;d&quot;e&#39;f&#10;&#9;?? \xc3\xbc ? "
					     "\xf0\x9f\x93\x9e ? ?");
	hd_buf_fini(&b);
	hd_xml_escape(&b, hd_slice_of(NULL));
	assert_string_equal(hd_buf_text(&b), "");
	hd_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_elements), cmocka_unit_test(test_reads_text_in_pieces),
		cmocka_unit_test(test_refuses),	       cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_escapes),
	};

	if (hd_secret_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
