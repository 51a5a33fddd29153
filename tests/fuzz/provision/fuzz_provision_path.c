/* fuzz_provision_path.c - targets of requests to the server for phones, below "" and "/phones". */
#include <stdlib.h>
#include <string.h>

#include "provision/provision_priv.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void look(const char *prefix, struct hd_slice target)
{
	struct provision_path path;
	struct hd_device_hint hint;
	size_t len;

	if (provision_path_parse(&path, prefix, target))
		return;
	need(memchr(path.token, '\0', sizeof(path.token)) &&
	     memchr(path.file, '\0', sizeof(path.file)));
	len = strlen(path.token);
	need(len == 0 || len == HD_TOKEN_SIZE - 1);
	for (const char *p = path.file; *p; p++)
		need(*p >= 0x20 && *p <= 0x7e && *p != '\\' && *p != '/' && *p != '%');
	need(strcmp(path.file, "..") != 0 && strcmp(path.file, ".") != 0);
	hd_device_by_file(&hint, hd_slice_of(path.file));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_slice target = { (const char *)data, len };

	look("", target);
	look("/phones", target);
	return 0;
}
