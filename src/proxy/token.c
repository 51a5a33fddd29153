/* token.c - the user part of our Record-Route; see proxy_priv.h. */
#include <string.h>

#include "hotdesk/base/secret.h"
#include "veil.h"

enum {
	VERSION = 2,
	MAC_BYTES = 10,
	SINCE_BYTES = 6,
	RAW_MAX = 1 + 4 + 2 * (1 + 2 + 16 + 16) + SINCE_BYTES + 2 * HD_PHONE_ID_SIZE +
		  (1 + HD_PROXY_ACCOUNT_SIZE) + MAC_BYTES,
	CALLER_FLOW_ONLY = 1,
	CALLEE_FLOW_ONLY = 2,
	CALLER_NO_OTHER = 4,
	CALLEE_NO_OTHER = 8,
	FLOW_HAS_LOCAL = 16, /* in a flow's first octet */
};

uint32_t route_tag_hash(const char *tag)
{
	return hd_crc32c(tag, strlen(tag));
}

static size_t flow_encode(uint8_t *p, const struct hd_flow *flow)
{
	static const uint8_t none[sizeof(flow->local)];
	const bool has_local = memcmp(flow->local, none, sizeof(none)) != 0;
	size_t n = flow->family == 6 ? 16 : 4;

	p[0] = (uint8_t)(flow->transport << 6 | (flow->family == 6) << 5 |
			 (has_local ? FLOW_HAS_LOCAL : 0) | (flow->listener & 15));
	p[1] = (uint8_t)(flow->port >> 8);
	p[2] = (uint8_t)flow->port;
	memcpy(p + 3, flow->address, n);
	if (!has_local)
		return 3 + n;
	memcpy(p + 3 + n, flow->local, n);
	return 3 + 2 * n;
}

static size_t flow_decode(struct hd_flow *flow, const uint8_t *p, size_t left)
{
	size_t n, size;

	if (left < 3)
		return 0;
	memset(flow, 0, sizeof(*flow));
	flow->transport = p[0] >> 6;
	flow->family = p[0] & 32 ? 6 : 4;
	flow->listener = p[0] & 15;
	flow->port = (uint16_t)(p[1] << 8 | p[2]);
	n = flow->family == 6 ? 16 : 4;
	size = 3 + (p[0] & FLOW_HAS_LOCAL ? 2 * n : n);
	if (left < size || flow->transport > 2 || flow->listener >= HD_LISTENERS_MAX)
		return 0;
	memcpy(flow->address, p + 3, n);
	if (p[0] & FLOW_HAS_LOCAL)
		memcpy(flow->local, p + 3 + n, n);
	return size;
}

static size_t since_encode(uint8_t *p, int64_t since_ms)
{
	for (int i = 0; i < SINCE_BYTES; i++)
		p[i] = (uint8_t)((uint64_t)since_ms >> (8 * i));
	return SINCE_BYTES;
}

static size_t since_decode(int64_t *since_msp, const uint8_t *p, size_t left)
{
	uint64_t since = 0;

	if (left < SINCE_BYTES)
		return 0;
	for (int i = 0; i < SINCE_BYTES; i++)
		since |= (uint64_t)p[i] << (8 * i);
	*since_msp = (int64_t)since;
	return SINCE_BYTES;
}

/* @param size of what holds the text */
static size_t text_encode(uint8_t *p, const char *text, size_t size)
{
	size_t n = strnlen(text, size - 1);

	p[0] = (uint8_t)n;
	memcpy(p + 1, text, n);
	return 1 + n;
}

static size_t text_decode(char *text, size_t size, const uint8_t *p, size_t left)
{
	if (left < 1 || p[0] >= size || left < 1 + (size_t)p[0] || memchr(p + 1, '\0', p[0]))
		return 0;
	memcpy(text, p + 1, p[0]);
	text[p[0]] = '\0';
	return 1 + (size_t)p[0];
}

/* It is not there when no side is a server. */
static size_t account_encode(uint8_t *p, const struct route_token *token)
{
	if (!token->account[0])
		return 0;
	p[0] = token->caller_is_server;
	return 1 + text_encode(p + 1, token->account, sizeof(token->account));
}

static size_t account_decode(struct route_token *token, const uint8_t *p, size_t left)
{
	size_t n = left > 1 && p[0] <= 1
			   ? text_decode(token->account, sizeof(token->account), p + 1, left - 1)
			   : 0;

	token->caller_is_server = p[0] == 1;
	return n && token->account[0] ? 1 + n : 0;
}

static void token_mac(uint8_t mac[HD_MAC_BYTES], const struct hd_key *key, const char *call_id,
		      const uint8_t *raw, size_t n)
{
	struct hd_slice parts[2] = { hd_slice_of(call_id), { (const char *)raw, n } };

	hd_mac(mac, key, parts, 2);
}

void route_token_format(char *dst, const struct hd_key *key, const char *call_id,
			const struct route_token *token)
{
	uint8_t raw[RAW_MAX], mac[HD_MAC_BYTES];
	size_t n = 0;

	raw[n++] = (uint8_t)(VERSION << 4 | (token->caller_flow_only ? CALLER_FLOW_ONLY : 0) |
			     (token->callee_flow_only ? CALLEE_FLOW_ONLY : 0) |
			     (token->caller_no_other ? CALLER_NO_OTHER : 0) |
			     (token->callee_no_other ? CALLEE_NO_OTHER : 0));
	memcpy(raw + n, &token->caller_tag, 4);
	n += 4;
	n += flow_encode(raw + n, &token->caller);
	n += flow_encode(raw + n, &token->callee);
	n += since_encode(raw + n, token->since_ms);
	n += text_encode(raw + n, token->caller_phone, sizeof(token->caller_phone));
	n += text_encode(raw + n, token->callee_phone, sizeof(token->callee_phone));
	n += account_encode(raw + n, token);
	token_mac(mac, key, call_id, raw, n);
	memcpy(raw + n, mac, MAC_BYTES);
	n += MAC_BYTES;
	if (token->caller_private)
		veil_format(dst, key, call_id, (struct hd_slice){ (const char *)raw, n });
	else
		hd_base64url_format(dst, raw, n);
}

int route_token_parse(struct route_token *token, const struct hd_key *key, const char *call_id,
		      struct hd_slice user)
{
	uint8_t raw[RAW_MAX], mac[HD_MAC_BYTES];
	size_t size = sizeof(raw), n = 5, used;
	int err;

	if (user.len == 0)
		return HD_ENOENT;
	err = veil_parse(raw, &size, key, call_id, user);
	token->caller_private = !err;
	if (err == HD_ENOENT)
		err = hd_base64url_parse(raw, &size, user);
	if (err || size < 5 + 14 + MAC_BYTES || raw[0] >> 4 != VERSION)
		return HD_EACCESS;
	size -= MAC_BYTES;
	token_mac(mac, key, call_id, raw, size);
	if (!hd_secret_eq(mac, raw + size, MAC_BYTES))
		return HD_EACCESS;
	token->caller_flow_only = raw[0] & CALLER_FLOW_ONLY;
	token->callee_flow_only = raw[0] & CALLEE_FLOW_ONLY;
	token->caller_no_other = raw[0] & CALLER_NO_OTHER;
	token->callee_no_other = raw[0] & CALLEE_NO_OTHER;
	memcpy(&token->caller_tag, raw + 1, 4);
	used = flow_decode(&token->caller, raw + n, size - n);
	n += used;
	if (used)
		n += used = flow_decode(&token->callee, raw + n, size - n);
	if (used)
		n += used = since_decode(&token->since_ms, raw + n, size - n);
	if (used)
		n += used = text_decode(token->caller_phone, sizeof(token->caller_phone), raw + n,
					size - n);
	if (used)
		n += used = text_decode(token->callee_phone, sizeof(token->callee_phone), raw + n,
					size - n);
	token->account[0] = '\0';
	token->caller_is_server = false;
	if (used && n < size)
		n += used = account_decode(token, raw + n, size - n);
	return used && n == size ? 0 : HD_EACCESS;
}
