/*
 * fuzz_route_token.c - user parts of a Route: as they come, and as the inside of a genuine token.
 *
 * Nobody finds the HMAC by chance, so what lies behind it is reached by signing the input.
 */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "proxy/proxy_priv.h"
#include "support/fuzz.h"

static const char call_id[] = "c@192.0.2.1";

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void as_it_comes(const struct hd_key *key, const uint8_t *data, size_t len)
{
	struct route_token token;
	struct hd_slice user = { (const char *)data, len };
	int err = route_token_parse(&token, key, call_id, user);

	need(err == (len ? HD_EACCESS : HD_ENOENT));
}

/* What parses must come out the same again. */
static void signed_by_us(const struct hd_key *key, const uint8_t *data, size_t len)
{
	uint8_t raw[192], mac[HD_MAC_BYTES];
	struct hd_slice parts[2] = { hd_slice_of(call_id), { (const char *)data, len } };
	char text[TOKEN_SIZE + 8], again[TOKEN_SIZE];
	struct route_token token;

	if (len > sizeof(raw) - 12)
		return;
	hd_mac(mac, key, parts, 2);
	memcpy(raw, data, len);
	memcpy(raw + len, mac, 10);
	hd_base64url_format(text, raw, len + 10);
	if (route_token_parse(&token, key, call_id, hd_slice_of(text)))
		return;
	need(token.caller.listener < HD_LISTENERS_MAX && token.callee.listener < HD_LISTENERS_MAX);
	need(token.caller.transport < 3 && token.callee.transport < 3);
	route_token_format(again, key, call_id, &token);
	need(strlen(again) == strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_key key;

	memset(&key, 7, sizeof(key));
	need(hd_secret_init() == 0);
	as_it_comes(&key, data, len);
	signed_by_us(&key, data, len);
	return 0;
}
