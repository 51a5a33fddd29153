/* fuzz_feature.c - feature codes: whatever comes is parsed or refused, and masked. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/plan.h"
#include "support/fuzz.h"

/* What must hold of a parsed code. */
static void check_feature(const struct hd_feature *f)
{
	size_t number = strnlen(f->number, sizeof(f->number));
	size_t pin = strnlen(f->pin, sizeof(f->pin));

	if (number == sizeof(f->number) || pin == sizeof(f->pin))
		abort();
	if (f->code != HD_USER_CODE_NONE) {
		if (f->code >= HD_USER_CODES || pin > 0 || f->has_arguments != (number > 0))
			abort();
	} else if (f->has_arguments != (number > 0 && pin > 0)) {
		abort();
	}
	if ((f->malformed && f->has_arguments))
		abort();
	if (number > 0 && !hd_number_is_valid((struct hd_slice){ f->number, number }))
		abort();
	if (strspn(f->pin, "0123456789") != pin)
		abort();
}

/* A code that parses is shown without anything behind its number. */
static void check_mask(const struct hd_feature_codes *codes, const struct hd_feature *f,
		       struct hd_slice user)
{
	char text[64];

	hd_feature_mask(text, sizeof(text), codes, user);
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			abort();
	/* Of a user's code no more than the code, or a number. */
	if (f && f->code != HD_USER_CODE_NONE) {
		char *star = strrchr(text, '*');

		if (f->malformed && f->has_arguments)
			abort();
		if (star > text + 1 && strlen(star) > HD_NUMBER_SIZE + 1)
			abort();
		return;
	}
	if (f && f->has_arguments && strlen(text) < sizeof(text) - 1) {
		size_t len = strlen(text);

		if (len < 4 || strcmp(text + len - 4, "*...") != 0 || !strstr(text, f->number))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct hd_feature_codes all[] = {
		{ .login = "*771", .logout = "*772", .toggle = "*770" },
		{ .login = "*77", .logout = "*77*9", .toggle = "" },
		{ .login = "#", .logout = "##", .toggle = "*" },
		{ .login = "*771",
		  .logout = "*772",
		  .toggle = "*770",
		  .user = { [HD_USER_CODE_DND_ON] = "*78",
			    [HD_USER_CODE_FORWARD_ALWAYS] = "*72",
			    [HD_USER_CODE_RINGS] = "*77",
			    [HD_USER_CODE_PICKUP] = "*8" } },
	};
	struct hd_slice user = { (const char *)data, len };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct hd_feature f;
		int err = hd_feature_parse(&f, &all[i], user);

		if (err && err != HD_ENOENT && err != HD_EINVAL)
			abort();
		if (!err)
			check_feature(&f);
		check_mask(&all[i], err ? NULL : &f, user);
		/* Begins with a code and '*': never routed on. */
		if (i == 0 && err && len >= 5 && memcmp(data, "*771*", 5) == 0)
			abort();
		hd_feature_wipe(&f);
	}
	return 0;
}
