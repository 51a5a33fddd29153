/* blank.c - somebody's number and name go out of what others have in their lists. */
#include <string.h>

#include "calls_priv.h"

static bool blank_entry(struct hd_calls_entry *entry, struct hd_slice key, const char *number)
{
	bool found = false;

	/* A call that was forwarded to the owner was made to the other's number. */
	if (strcmp(entry->identity, number) == 0 &&
	    !(calls_key_owner(key) == strlen(number) &&
	      memcmp(key.ptr, number, strlen(number)) == 0)) {
		entry->identity[0] = '\0';
		found = true;
	}
	if (strcmp(entry->number, number) == 0) {
		entry->number[0] = entry->name[0] = '\0';
		entry->withheld = true;
		found = true;
	}
	if (strcmp(entry->forwarded_by, number) == 0) {
		entry->forwarded_by[0] = '\0';
		found = true;
	}
	return found;
}

static int blank_one(struct hd_txn *txn, struct hd_calls_blank *b, struct hd_slice value)
{
	const struct hd_slice key = { (const char *)b->at, b->at_len };
	struct hd_calls_entry entry = { 0 };
	uint8_t bytes[CALLS_RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;
	int err;

	/* What cannot be read is left to the retention. */
	if (calls_entry_decode(&entry, value) || !blank_entry(&entry, key, b->number))
		return 0;
	hd_encoder_init(&e, bytes, sizeof(bytes), CALLS_ENTRY_VERSION);
	err = calls_entry_encode(&e, &entry, &record);
	if (!err)
		err = hd_txn_put(txn, b->calls->entries, key, record);
	if (!err)
		b->blanked++;
	return err;
}

int hd_calls_blank(struct hd_txn *txn, void *arg)
{
	struct hd_calls_blank *b = arg;
	struct hd_slice key, value;
	int err;

	/* It may be run again: from where it began. */
	memcpy(b->at, b->from, sizeof(b->at));
	b->at_len = b->from_len;
	b->blanked = 0;
	b->done = false;
	for (uint32_t i = 0; i < b->looks; i++) {
		const struct hd_slice at = { (const char *)b->at, b->at_len };

		err = hd_txn_next(txn, b->calls->entries, at, &key, &value);
		if (err == HD_ENOENT) {
			b->done = true;
			return 0;
		}
		if ((err && err != HD_ECORRUPT) || key.len > sizeof(b->at))
			return err ? err : HD_ECORRUPT;
		memcpy(b->at, key.ptr, key.len);
		b->at_len = key.len;
		if (!err && (err = blank_one(txn, b, value)) != 0)
			return err;
	}
	return 0;
}
