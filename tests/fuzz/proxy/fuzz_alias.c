/*
 * fuzz_alias.c - the parameter with a caller's names: as it comes, and as the inside of a genuine
 * one.
 */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "proxy/alias.h"
#include "support/fuzz.h"

static const char call_id[] = "c@192.0.2.1", token[] = "token";

static void need(bool condition)
{
	if (!condition)
		abort();
}

static int parse(struct alias *alias, const struct hd_key *key, struct hd_slice value)
{
	return alias_parse(alias, key, call_id, hd_slice_of(token), value);
}

/* What parses must come out the same again. */
static void signed_by_us(const struct hd_key *key, const uint8_t *data, size_t len)
{
	uint8_t raw[ALIAS_SIZE / 4 * 3], mac[HD_MAC_BYTES];
	struct hd_slice parts[3] = { hd_slice_of(call_id),
				     hd_slice_of(token),
				     { (const char *)data, len } };
	struct alias alias, again;
	char text[ALIAS_SIZE];

	if (len > sizeof(raw) - 12)
		return;
	hd_mac(mac, key, parts, 3);
	memcpy(raw, data, len);
	memcpy(raw + len, mac, 10);
	hd_base64url_format(text, raw, len + 10);
	if (parse(&alias, key, hd_slice_of(text)))
		return;
	need(strlen(alias.own) < ALIAS_PARTY_SIZE && strlen(alias.shown) < ALIAS_PARTY_SIZE);
	alias_format(text, key, call_id, token, &alias);
	need(parse(&again, key, hd_slice_of(text)) == 0);
	need(strcmp(again.own, alias.own) == 0 && strcmp(again.shown, alias.shown) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_key token_key, key;
	struct alias alias;

	memset(&token_key, 7, sizeof(token_key));
	need(hd_secret_init() == 0);
	alias_key_derive(&key, &token_key);
	need(parse(&alias, &key, (struct hd_slice){ (const char *)data, len }) == HD_EACCESS);
	signed_by_us(&key, data, len);
	return 0;
}
