/* nonce.c - stateless nonces: time, random id, and a MAC that binds them; see digest_priv.h. */
#include <string.h>

#include "digest_priv.h"

enum { FUTURE_S = 1 };

static void nonce_mac(uint8_t mac[HD_MAC_BYTES], const struct hd_nonce_scope *scope,
		      const uint8_t *head)
{
	const char algorithm = scope->algorithm == HD_DIGEST_SHA256 ? 'S' : 'M';
	const struct hd_slice parts[] = {
		{ (const char *)head, 4 + HD_NONCE_ID_BYTES },
		scope->realm,
		{ &algorithm, 1 },
		scope->source,
	};

	hd_mac(mac, scope->key, parts, sizeof(parts) / sizeof(parts[0]));
}

void hd_nonce_mint(char dst[HD_NONCE_SIZE], const struct hd_nonce_scope *scope, uint32_t now_s)
{
	uint8_t raw[HD_NONCE_BYTES];
	uint8_t mac[HD_MAC_BYTES];

	for (unsigned i = 0; i < 4; i++)
		raw[i] = (uint8_t)(now_s >> (24 - 8 * i));
	hd_random_id(raw + 4, HD_NONCE_ID_BYTES);
	nonce_mac(mac, scope, raw);
	memcpy(raw + 4 + HD_NONCE_ID_BYTES, mac, HD_NONCE_MAC_BYTES);

	hd_base64url_format(dst, raw, sizeof(raw));
}

int hd_nonce_verify(struct hd_nonce *nonce, const struct hd_nonce_scope *scope,
		    struct hd_slice text)
{
	uint8_t raw[HD_NONCE_BYTES];
	uint8_t mac[HD_MAC_BYTES];
	size_t n = sizeof(raw);

	if (text.len != HD_NONCE_SIZE - 1)
		return HD_EACCESS;
	if (hd_base64url_parse(raw, &n, text) || n != sizeof(raw))
		return HD_EACCESS;

	nonce_mac(mac, scope, raw);
	if (!hd_secret_eq(mac, raw + 4 + HD_NONCE_ID_BYTES, HD_NONCE_MAC_BYTES))
		return HD_EACCESS;

	*nonce = (struct hd_nonce){ 0 };
	for (unsigned i = 0; i < 4; i++)
		nonce->minted_at_s = nonce->minted_at_s << 8 | raw[i];
	for (unsigned i = 0; i < HD_NONCE_ID_BYTES; i++)
		nonce->id = nonce->id << 8 | raw[4 + i];
	return 0;
}

bool hd_nonce_is_live(const struct hd_nonce *nonce, uint32_t now_s, uint32_t life_s)
{
	if (nonce->minted_at_s > now_s)
		return nonce->minted_at_s - now_s <= FUTURE_S;

	return now_s - nonce->minted_at_s <= life_s;
}
