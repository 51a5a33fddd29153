/* codec.c - keys and records of call lists; see calls_priv.h. */
#include <string.h>

#include "calls_priv.h"
#include "hotdesk/base/secret.h"

enum { ANSWERED = 1, WITHHELD = 2, ELSEWHERE = 4, INCOMPLETE = 8, CLOSED = 16, HIDDEN = 32 };

void hd_calls_hash(uint8_t hash[HD_CALLS_HASH_BYTES], const char *call_id, const char *from_tag)
{
	const struct hd_slice parts[3] = { hd_slice_of(call_id), { "", 1 }, hd_slice_of(from_tag) };
	uint8_t whole[HD_SHA256_BYTES];

	hd_sha256(whole, parts, 3);
	memcpy(hash, whole, HD_CALLS_HASH_BYTES);
}

size_t calls_key(uint8_t *dst, const char *owner, int64_t started_ms, const uint8_t *hash)
{
	size_t n = strnlen(owner, HD_CALLS_OWNER_SIZE - 1);

	if (n == 0)
		return 0;
	memcpy(dst, owner, n);
	dst[n++] = '\0';
	hd_key_put_u64(dst + n, ~(uint64_t)(started_ms > 0 ? started_ms : 0));
	memcpy(dst + n + 8, hash, HASH_IN_KEY);
	return n + 8 + HASH_IN_KEY;
}

size_t calls_key_owner(struct hd_slice key)
{
	const char *nul = key.len ? memchr(key.ptr, '\0', key.len) : NULL;
	size_t n = nul ? (size_t)(nul - key.ptr) : 0;

	return n < HD_CALLS_OWNER_SIZE && key.len == n + 1 + 8 + HASH_IN_KEY ? n : 0;
}

int64_t calls_key_time(struct hd_slice key)
{
	uint8_t bytes[8];

	memcpy(bytes, key.ptr + key.len - 8 - HASH_IN_KEY, sizeof(bytes));
	return (int64_t)~hd_key_get_u64(bytes);
}

/* ---- entries -------------------------------------------------------------------------------- */

int calls_entry_encode(struct hd_encoder *e, const struct hd_calls_entry *entry,
		       struct hd_slice *out)
{
	unsigned flags = (entry->answered ? ANSWERED : 0) | (entry->withheld ? WITHHELD : 0) |
			 (entry->elsewhere ? ELSEWHERE : 0) | (entry->incomplete ? INCOMPLETE : 0) |
			 (entry->hidden ? HIDDEN : 0);

	hd_encode_u8(e, (uint8_t)entry->kind);
	hd_encode_u8(e, (uint8_t)flags);
	hd_encode_i64(e, entry->started_ms);
	hd_encode_u32(e, entry->ring_ms);
	hd_encode_u32(e, entry->duration_s);
	hd_encode_u16(e, (uint16_t)entry->status);
	hd_encode_u8(e, (uint8_t)entry->cause);
	hd_encode_str(e, entry->number);
	hd_encode_str(e, entry->name);
	hd_encode_str(e, entry->identity);
	hd_encode_str(e, entry->phone);
	hd_encode_str(e, entry->forwarded_by);
	hd_encode_str(e, entry->forwarded_to);
	return hd_encoder_finish(e, out);
}

int calls_entry_decode(struct hd_calls_entry *entry, struct hd_slice record)
{
	struct hd_decoder d;
	unsigned kind, flags;

	hd_decoder_init(&d, record, CALLS_ENTRY_VERSION);
	kind = hd_decode_u8(&d);
	flags = hd_decode_u8(&d);
	entry->kind = kind < HD_CALL_KIND_COUNT ? (enum hd_call_kind)kind : HD_CALL_MISSED;
	entry->answered = flags & ANSWERED;
	entry->withheld = flags & WITHHELD;
	entry->elsewhere = flags & ELSEWHERE;
	entry->incomplete = flags & INCOMPLETE;
	entry->hidden = flags & HIDDEN;
	entry->started_ms = hd_decode_i64(&d);
	entry->ring_ms = hd_decode_u32(&d);
	entry->duration_s = hd_decode_u32(&d);
	entry->status = hd_decode_u16(&d);
	entry->cause = hd_decode_u8(&d);
	hd_decode_str(&d, entry->number, sizeof(entry->number));
	hd_decode_str(&d, entry->name, sizeof(entry->name));
	hd_decode_str(&d, entry->identity, sizeof(entry->identity));
	hd_decode_str(&d, entry->phone, sizeof(entry->phone));
	hd_decode_str(&d, entry->forwarded_by, sizeof(entry->forwarded_by));
	hd_decode_str(&d, entry->forwarded_to, sizeof(entry->forwarded_to));
	return kind < HD_CALL_KIND_COUNT ? hd_decoder_finish(&d) : HD_ECORRUPT;
}

/* ---- open calls ----------------------------------------------------------------------------- */

static void encode_side(struct hd_encoder *e, const struct hd_calls_side *side)
{
	hd_encode_str(e, side->owner);
	hd_encode_str(e, side->phone);
	hd_encode_str(e, side->number);
	hd_encode_str(e, side->name);
}

static void decode_side(struct hd_decoder *d, struct hd_calls_side *side)
{
	hd_decode_str(d, side->owner, sizeof(side->owner));
	hd_decode_str(d, side->phone, sizeof(side->phone));
	hd_decode_str(d, side->number, sizeof(side->number));
	hd_decode_str(d, side->name, sizeof(side->name));
}

int calls_record_encode(struct hd_encoder *e, const struct hd_calls_record *record, bool closed,
			struct hd_slice *out)
{
	unsigned flags = (record->withheld ? WITHHELD : 0) | (record->elsewhere ? ELSEWHERE : 0) |
			 (closed ? CLOSED : 0);

	hd_encode_u8(e, (uint8_t)flags);
	encode_side(e, &record->caller);
	encode_side(e, &record->callee);
	hd_encode_str(e, record->forwarded_by);
	hd_encode_i64(e, record->started_ms);
	hd_encode_i64(e, record->ringing_ms);
	hd_encode_i64(e, record->answered_ms);
	hd_encode_u16(e, (uint16_t)record->status);
	hd_encode_str(e, record->forwarded_to);
	return hd_encoder_finish(e, out);
}

int calls_record_decode(struct hd_calls_record *record, bool *closedp, struct hd_slice bytes)
{
	struct hd_decoder d;
	unsigned flags;

	hd_decoder_init(&d, bytes, CALLS_OPEN_VERSION);
	flags = hd_decode_u8(&d);
	record->withheld = flags & WITHHELD;
	record->elsewhere = flags & ELSEWHERE;
	*closedp = flags & CLOSED;
	decode_side(&d, &record->caller);
	decode_side(&d, &record->callee);
	hd_decode_str(&d, record->forwarded_by, sizeof(record->forwarded_by));
	record->started_ms = hd_decode_i64(&d);
	record->ringing_ms = hd_decode_i64(&d);
	record->answered_ms = hd_decode_i64(&d);
	record->status = hd_decode_u16(&d);
	hd_decode_str(&d, record->forwarded_to, sizeof(record->forwarded_to));
	return hd_decoder_finish(&d);
}
