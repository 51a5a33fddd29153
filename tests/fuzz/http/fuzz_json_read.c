/* fuzz_json_read.c - bodies of the admin API; what was read is written again. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/http.h"
#include "support/fuzz.h"

static void text_check(const char *s, size_t size)
{
	if (!memchr(s, '\0', size) || !hd_utf8_is_text(hd_slice_of(s)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char number[33] = "";
	char name[129] = "";
	char pin[65] = "";
	bool roaming = true;
	bool given = false;
	const struct hd_json_field fields[] = {
		{ "number", HD_JSON_TEXT, number, sizeof(number), true, false, NULL },
		{ "name", HD_JSON_TEXT, name, sizeof(name), false, true, &given },
		{ "pin", HD_JSON_TEXT, pin, sizeof(pin), false, true, NULL },
		{ "roaming", HD_JSON_BOOL, &roaming, 0, false, false, NULL },
	};
	struct hd_slice text = { (const char *)data, len };
	struct hd_buf why = { 0 };
	struct hd_buf out = { 0 };
	struct hd_json j;
	int err = hd_json_read(text, fields, sizeof(fields) / sizeof(fields[0]), &why);

	/* A refusal says why, a success says nothing. */
	if ((err != 0) != (why.len != 0))
		abort();
	text_check(number, sizeof(number));
	text_check(name, sizeof(name));
	text_check(pin, sizeof(pin));
	hd_json_init(&j, &out);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "number", number);
	hd_json_str(&j, "name", name);
	hd_json_object_end(&j);
	if (!err && hd_json_read((struct hd_slice){ hd_buf_text(&out), out.len }, fields, 2, &why))
		abort();
	hd_buf_fini(&out);
	hd_buf_fini(&why);
	return 0;
}
