/* alias.c - a phone whose From is rewritten: both names in our Record-Route; see alias.h. */
#include "alias.h"
#include "veil.h"

#include <string.h>

#include "hotdesk/base/secret.h"

enum {
	MAC_BYTES = 10,
	RAW_MAX = 1 + (ALIAS_PARTY_SIZE - 1) + 3 + (ALIAS_PARTY_SIZE - 1) + MAC_BYTES,
};
_Static_assert(ALIAS_PARTY_SIZE - 1 <= UINT8_MAX, "lengths are octets");
_Static_assert(VEIL_SIZE(RAW_MAX) <= ALIAS_SIZE && (int)RAW_MAX <= (int)VEIL_TEXT_MAX, "fits");

void alias_key_derive(struct hd_key *key, const struct hd_key *token_key)
{
	hd_key_derive(key, token_key, "alias");
}

static void alias_mac(uint8_t mac[HD_MAC_BYTES], const struct hd_key *key, const char *call_id,
		      struct hd_slice token, struct hd_slice raw)
{
	const struct hd_slice parts[] = { hd_slice_of(call_id), token, raw };

	hd_mac(mac, key, parts, sizeof(parts) / sizeof(parts[0]));
}

/* Mostly only number and name differ: <sip:desk-1@example.org>, "Anna" <sip:201@example.org> */
static size_t common_end(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = 0;

	while (n < a_len && n < b_len && a[a_len - 1 - n] == b[b_len - 1 - n])
		n++;
	return n;
}

static size_t common_begin(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = 0;

	while (n < a_len && n < b_len && a[n] == b[n])
		n++;
	return n;
}

void alias_format(char *dst, const struct hd_key *key, const char *call_id, const char *token,
		  const struct alias *alias)
{
	const size_t own = strlen(alias->own), shown = strlen(alias->shown);
	const size_t end = common_end(alias->own, own, alias->shown, shown);
	const size_t begin = common_begin(alias->own, own - end, alias->shown, shown - end);
	const size_t between = shown - begin - end;
	uint8_t raw[RAW_MAX], mac[HD_MAC_BYTES];
	size_t n = 0;

	raw[n++] = (uint8_t)own;
	memcpy(raw + n, alias->own, own);
	n += own;
	raw[n++] = (uint8_t)begin;
	raw[n++] = (uint8_t)end;
	raw[n++] = (uint8_t)between;
	memcpy(raw + n, alias->shown + begin, between);
	n += between;
	alias_mac(mac, key, call_id, hd_slice_of(token), (struct hd_slice){ (char *)raw, n });
	memcpy(raw + n, mac, MAC_BYTES);
	n += MAC_BYTES;
	if (token[0] == '.')
		veil_format(dst, key, call_id, (struct hd_slice){ (const char *)raw, n });
	else
		hd_base64url_format(dst, raw, n);
}

static int decode(struct alias *alias, const uint8_t *p, size_t left)
{
	size_t own, begin, end, between;

	if (left < 1 || left < 1 + (size_t)p[0] + 3)
		return HD_EACCESS;
	own = p[0];
	if (hd_str_copy(alias->own, sizeof(alias->own), (struct hd_slice){ (char *)p + 1, own }))
		return HD_EACCESS;
	p += 1 + own;
	left -= 1 + own + 3;
	begin = p[0];
	end = p[1];
	between = p[2];
	p += 3;
	if (left != between || begin + end > own || begin + between + end >= sizeof(alias->shown) ||
	    memchr(p, '\0', between))
		return HD_EACCESS;
	memcpy(alias->shown, alias->own, begin);
	memcpy(alias->shown + begin, p, between);
	memcpy(alias->shown + begin + between, alias->own + own - end, end);
	alias->shown[begin + between + end] = '\0';
	return 0;
}

int alias_parse(struct alias *alias, const struct hd_key *key, const char *call_id,
		struct hd_slice token, struct hd_slice value)
{
	uint8_t raw[RAW_MAX], mac[HD_MAC_BYTES];
	size_t size = sizeof(raw);
	int err = veil_parse(raw, &size, key, call_id, value);

	if (err == HD_ENOENT)
		err = hd_base64url_parse(raw, &size, value);
	if (err || size < MAC_BYTES)
		return HD_EACCESS;
	size -= MAC_BYTES;
	alias_mac(mac, key, call_id, token, (struct hd_slice){ (char *)raw, size });
	if (!hd_secret_eq(mac, raw + size, MAC_BYTES))
		return HD_EACCESS;
	return decode(alias, raw, size);
}

/* ---- in messages ---------------------------------------------------------------------------- */

int alias_find(struct alias *alias, struct hd_proxy *proxy, const char *call_id,
	       const struct hd_uri *route)
{
	struct hd_slice value;

	if (!hd_uri_param(route, ALIAS_PARAM, &value))
		return HD_ENOENT;
	return alias_parse(alias, &proxy->alias_key, call_id, route->user, value);
}

/* Without a display name where that is too long. */
static int read_party(char dst[ALIAS_PARTY_SIZE], struct hd_msg *msg)
{
	struct hd_buf text = { 0 };
	int err;

	hd_msg_party(msg, false, &text);
	err = hd_buf_error(&text);
	if (!err && hd_str_set(dst, ALIAS_PARTY_SIZE, hd_buf_text(&text))) {
		hd_buf_fini(&text);
		hd_buf_addf(&text, "<%s>", hd_msg_from_text(msg));
		err = hd_buf_error(&text);
		if (!err)
			err = hd_str_set(dst, ALIAS_PARTY_SIZE, hd_buf_text(&text));
	}
	hd_buf_fini(&text);
	return err;
}

int alias_read(struct alias *alias, struct hd_msg *received, struct hd_msg *copy)
{
	int err = read_party(alias->own, received);

	return err ? err : read_party(alias->shown, copy);
}

int alias_put_back(struct hd_msg *response, struct hd_msg *request)
{
	struct hd_buf party = { 0 };
	int err = 0;

	for (int to = 0; !err && to < 2; to++) {
		hd_msg_party(request, to, &party);
		err = hd_buf_error(&party);
		if (!err)
			err = hd_msg_set_party(response, to, hd_buf_text(&party));
		hd_buf_fini(&party);
	}
	return err;
}
