/* audit.c - see audit.h. */
#include <string.h>

#include "desk_priv.h"

enum { AUDIT_KEY_BYTES = 12 };

static void key_put(uint8_t key[AUDIT_KEY_BYTES], uint64_t epoch, uint32_t sequence)
{
	hd_key_put_u64(key, epoch);
	for (size_t i = 0; i < 4; i++)
		key[8 + i] = (uint8_t)(sequence >> (24 - 8 * i));
}

static struct hd_slice key_slice(const uint8_t key[AUDIT_KEY_BYTES])
{
	return (struct hd_slice){ (const char *)key, AUDIT_KEY_BYTES };
}

static int audit_decode(struct hd_audit_entry *entry, struct hd_slice record)
{
	struct hd_decoder d;

	hd_decoder_init(&d, record, HD_AUDIT_VERSION);
	entry->at_ms = hd_decode_i64(&d);
	entry->event = (enum hd_desk_event)hd_decode_u8(&d);
	entry->way = (enum hd_desk_way)hd_decode_u8(&d);
	entry->result = (enum hd_desk_result)hd_decode_u8(&d);
	entry->locked = hd_decode_u8(&d) != 0;
	hd_decode_str(&d, entry->phone, sizeof(entry->phone));
	hd_decode_str(&d, entry->user, sizeof(entry->user));
	hd_decode_str(&d, entry->left_phone, sizeof(entry->left_phone));
	hd_decode_str(&d, entry->left_user, sizeof(entry->left_user));
	hd_decode_str(&d, entry->what, sizeof(entry->what));
	hd_decode_str(&d, entry->to, sizeof(entry->to));
	return hd_decoder_finish(&d);
}

int hd_audit_next(struct hd_desk *desk, struct hd_txn *txn, uint64_t epoch, uint32_t sequence,
		  struct hd_audit_entry *entry)
{
	uint8_t after[AUDIT_KEY_BYTES];
	struct hd_slice key, record;
	int err;

	if (!desk || !txn || !entry)
		return HD_EINVAL;

	memset(entry, 0, sizeof(*entry));
	key_put(after, epoch, sequence);
	key = key_slice(after);
	do /* nothing of ours has a key of another length, and there is no going on after it */
		err = hd_txn_next(txn, desk->audit, key, &key, &record);
	while ((!err || err == HD_ECORRUPT) && key.len != AUDIT_KEY_BYTES);
	if (err && err != HD_ECORRUPT)
		return err;

	entry->epoch = hd_key_get_u64((const uint8_t *)key.ptr);
	for (size_t i = 8; i < AUDIT_KEY_BYTES; i++)
		entry->sequence = entry->sequence << 8 | (uint8_t)key.ptr[i];
	return err ? err : audit_decode(entry, record);
}

/* @return 1 when the epoch has an entry after this one, 0, or the store's error */
static int has_after(struct hd_desk *desk, struct hd_txn *txn, uint64_t epoch, uint32_t sequence)
{
	uint8_t after[AUDIT_KEY_BYTES];
	struct hd_slice key, record;
	int err;

	key_put(after, epoch, sequence);
	err = hd_txn_next(txn, desk->audit, key_slice(after), &key, &record);
	if (err == HD_ENOENT)
		return 0;
	if (err && err != HD_ECORRUPT)
		return err;
	return key.len == AUDIT_KEY_BYTES && memcmp(key.ptr, after, 8) == 0;
}

/* The first free place of an epoch, by doubling and halving: many commands may share a commit. */
static int sequence_find(struct hd_desk *desk, struct hd_txn *txn, uint64_t epoch,
			 uint32_t *sequencep)
{
	uint32_t low = 0, high = 1; /* the last one taken is in [low, high) */
	int more;

	while ((more = has_after(desk, txn, epoch, high - 1)) > 0 && high < 1u << 31) {
		low = high;
		high *= 2;
	}
	while (more >= 0 && high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		more = has_after(desk, txn, epoch, middle - 1);
		if (more > 0)
			low = middle;
		else
			high = middle;
	}
	*sequencep = low + 1;
	return more < 0 ? more : 0;
}

static int audit_trim(struct hd_desk *desk, struct hd_txn *txn)
{
	struct hd_slice key, record;
	uint64_t n, max = atomic_load_explicit(&desk->audit_max, memory_order_relaxed);
	uint8_t copy[AUDIT_KEY_BYTES];
	int err;

	err = hd_txn_count(txn, desk->audit, &n);
	for (; !err && n > max; n--) {
		err = hd_txn_next(txn, desk->audit, (struct hd_slice){ NULL, 0 }, &key, &record);
		if (err && err != HD_ECORRUPT)
			return err;
		if (key.len != sizeof(copy))
			return HD_ECORRUPT;
		memcpy(copy, key.ptr, sizeof(copy));
		err = hd_txn_del(txn, desk->audit, key_slice(copy));
	}
	return err;
}

static int audit_put(struct hd_desk *desk, struct hd_txn *txn, const struct hd_audit_entry *entry)
{
	uint8_t buf[HD_DESK_RECORD_MAX], key[AUDIT_KEY_BYTES];
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_AUDIT_VERSION);
	hd_encode_i64(&e, entry->at_ms);
	hd_encode_u8(&e, (uint8_t)entry->event);
	hd_encode_u8(&e, (uint8_t)entry->way);
	hd_encode_u8(&e, (uint8_t)entry->result);
	hd_encode_u8(&e, entry->locked ? 1 : 0);
	hd_encode_str(&e, entry->phone);
	hd_encode_str(&e, entry->user);
	hd_encode_str(&e, entry->left_phone);
	hd_encode_str(&e, entry->left_user);
	hd_encode_str(&e, entry->what);
	hd_encode_str(&e, entry->to);
	err = hd_encoder_finish(&e, &record);
	key_put(key, entry->epoch, entry->sequence);
	return err ? err : hd_txn_put(txn, desk->audit, key_slice(key), record);
}

int hd_audit_add(struct hd_desk *desk, struct hd_txn *txn, struct hd_audit_entry *entry)
{
	int err;

	entry->epoch = hd_txn_epoch(txn);
	err = sequence_find(desk, txn, entry->epoch, &entry->sequence);
	if (!err)
		err = audit_put(desk, txn, entry);
	return err ? err : audit_trim(desk, txn);
}

/* As much as there is room for, no half characters. */
static void cut(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);

	if (n >= size) {
		n = size - 1;
		while (n && ((unsigned char)src[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(dst, src, n);
	dst[n] = '\0';
}

int hd_audit_add_setting(struct hd_desk *desk, struct hd_txn *txn,
			 const struct hd_audit_setting *setting)
{
	struct hd_audit_entry entry = { .event = HD_DESK_EVENT_COUNT };

	if (!desk || !txn || !setting || !setting->what[0])
		return HD_EINVAL;
	entry.at_ms = setting->at_ms;
	entry.way = setting->way;
	cut(entry.user, sizeof(entry.user), setting->user);
	cut(entry.phone, sizeof(entry.phone), setting->phone);
	cut(entry.what, sizeof(entry.what), setting->what);
	cut(entry.to, sizeof(entry.to), setting->to);
	return hd_audit_add(desk, txn, &entry);
}

/* @return 0, HD_ENOENT at the end, the store's error */
static int blank_next(struct hd_txn *txn, struct hd_audit_blank *b)
{
	struct hd_audit_entry entry;
	bool user, left, to;
	int err;

	err = hd_audit_next(b->desk, txn, b->at.epoch, b->at.sequence, &entry);
	if (err && err != HD_ECORRUPT && err != HD_EVERSION)
		return err;
	b->at.epoch = entry.epoch;
	b->at.sequence = entry.sequence;
	user = strcmp(entry.user, b->number) == 0;
	left = strcmp(entry.left_user, b->number) == 0;
	to = strcmp(entry.to, b->number) == 0;
	if (err || (!user && !left && !to))
		return 0;
	if (user)
		entry.user[0] = '\0';
	if (left)
		entry.left_user[0] = '\0';
	if (user || to) /* the name, and where the user is reached, are personal, too */
		entry.to[0] = '\0';
	b->blanked++;
	return audit_put(b->desk, txn, &entry);
}

int hd_audit_blank(struct hd_txn *txn, void *arg)
{
	struct hd_audit_blank *b = arg;
	int err = 0;

	b->at.epoch = b->from.epoch; /* it may be run again */
	b->at.sequence = b->from.sequence;
	b->blanked = 0;
	for (uint32_t i = 0; !err && i < b->looks; i++)
		err = blank_next(txn, b);
	b->done = err == HD_ENOENT;
	return b->done ? 0 : err;
}
