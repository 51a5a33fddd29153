/* fuzz_uri.c - two URIs in one input (a newline between them): parsed, compared, written again. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/uri.h"
#include "support/fuzz.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool within(struct hd_slice part, struct hd_slice whole)
{
	return !part.ptr || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void aor_check(const struct hd_uri *uri)
{
	struct hd_uri again;
	char aor[8192];
	char twice[8192];

	if (hd_uri_aor_format(aor, sizeof(aor), uri))
		return;
	/* the canonical form of the canonical form is itself */
	require(hd_uri_parse(&again, hd_slice_of(aor)) == 0 || strlen(aor) > 2048);
	if (strlen(aor) > 2048)
		return;
	require(hd_uri_aor_format(twice, sizeof(twice), &again) == 0);
	require(strcmp(aor, twice) == 0);
}

static void escape_check(struct hd_slice user)
{
	struct hd_buf b = { 0 };
	char plain[2100];
	char back[2100];

	if (hd_uri_unescape(plain, sizeof(plain), user))
		return;
	hd_uri_escape_user(&b, hd_slice_of(plain));
	require(hd_buf_error(&b) == 0);
	require(hd_uri_unescape(back, sizeof(back), hd_slice_of(hd_buf_text(&b))) == 0);
	require(strcmp(plain, back) == 0);
	hd_buf_fini(&b);
}

static bool one(struct hd_uri *uri, struct hd_slice text)
{
	struct hd_slice value;

	if (hd_uri_parse(uri, text))
		return false;
	require(within(uri->user, text) && within(uri->password, text) && within(uri->host, text) &&
		within(uri->port, text) && within(uri->params, text) && within(uri->headers, text));
	(void)hd_uri_port(uri);
	(void)hd_uri_param(uri, "transport", &value);
	require(uri->scheme == HD_URI_OTHER || hd_uri_eq(uri, uri));
	aor_check(uri);
	escape_check(uri->user);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_slice a = { (const char *)data, len };
	struct hd_slice b = { 0 };
	const char *newline = len > 0 ? memchr(data, '\n', len) : NULL;
	struct hd_uri x;
	struct hd_uri y;

	if (newline) {
		a.len = (size_t)(newline - a.ptr);
		b = (struct hd_slice){ newline + 1, len - a.len - 1 };
	}
	if (one(&x, a) && newline && one(&y, b))
		require(hd_uri_eq(&x, &y) == hd_uri_eq(&y, &x));
	return 0;
}
