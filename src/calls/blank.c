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
	if (strcmp(entry->forwarded_to, number) == 0) {
		entry->forwarded_to[0] = '\0';
		found = true;
	}
	return found;
}

unsigned hd_calls_parts(const struct hd_calls_record *r, const char *number)
{
	unsigned parts = 0;

	if (!*number)
		return 0;
	if (strcmp(r->caller.number, number) == 0 || strcmp(r->caller.owner, number) == 0)
		parts |= HD_CALLS_CALLER;
	if (strcmp(r->callee.number, number) == 0 || strcmp(r->callee.owner, number) == 0)
		parts |= HD_CALLS_CALLEE;
	if (strcmp(r->forwarded_by, number) == 0)
		parts |= HD_CALLS_FORWARDER;
	if (strcmp(r->forwarded_to, number) == 0)
		parts |= HD_CALLS_TARGET;
	return parts;
}

void hd_calls_blank_parts(struct hd_calls_record *r, unsigned parts)
{
	if (parts & HD_CALLS_CALLER) {
		r->caller.owner[0] = r->caller.number[0] = r->caller.name[0] = '\0';
		r->withheld = true;
	}
	if (parts & HD_CALLS_CALLEE)
		r->callee.owner[0] = r->callee.number[0] = r->callee.name[0] = '\0';
	if (parts & HD_CALLS_FORWARDER)
		r->forwarded_by[0] = '\0';
	if (parts & HD_CALLS_TARGET)
		r->forwarded_to[0] = '\0';
}

/* What cannot be read is left to the retention. @return 1 when it was changed, 0, or an error */
static int change_entry(struct hd_encoder *e, const struct hd_calls_blank *b, struct hd_slice value,
			struct hd_slice *out)
{
	const struct hd_slice key = { (const char *)b->at, b->at_len };
	struct hd_calls_entry entry = { 0 };
	int err;

	if (calls_entry_decode(&entry, value) || !blank_entry(&entry, key, b->number))
		return 0;
	err = calls_entry_encode(e, &entry, out);
	return err ? err : 1;
}

static int change_open(struct hd_encoder *e, const struct hd_calls_blank *b, struct hd_slice value,
		       struct hd_slice *out)
{
	struct hd_calls_record r = { 0 };
	unsigned parts;
	bool closed;
	int err;

	if (calls_record_decode(&r, &closed, value))
		return 0;
	parts = hd_calls_parts(&r, b->number);
	if (!parts)
		return 0;
	hd_calls_blank_parts(&r, parts);
	err = calls_record_encode(e, &r, closed, out);
	return err ? err : 1;
}

static int blank_one(struct hd_txn *txn, struct hd_calls_blank *b, unsigned table,
		     struct hd_slice value)
{
	const struct hd_slice key = { (const char *)b->at, b->at_len };
	uint8_t bytes[CALLS_RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;
	int n;

	hd_encoder_init(&e, bytes, sizeof(bytes),
			b->open ? CALLS_OPEN_VERSION : CALLS_ENTRY_VERSION);
	n = b->open ? change_open(&e, b, value, &record) : change_entry(&e, b, value, &record);
	if (n <= 0)
		return n;
	b->blanked++;
	return hd_txn_put(txn, table, key, record);
}

/* The next one. @return 0, HD_ENOENT at the end of the table, or the store's error */
static int step(struct hd_txn *txn, struct hd_calls_blank *b)
{
	unsigned table = b->open ? b->calls->open : b->calls->entries;
	const struct hd_slice at = { (const char *)b->at, b->at_len };
	struct hd_slice key, value;
	int err = hd_txn_next(txn, table, at, &key, &value);

	if (err && err != HD_ECORRUPT)
		return err;
	if (key.len > sizeof(b->at))
		return HD_ECORRUPT;
	memcpy(b->at, key.ptr, key.len);
	b->at_len = key.len;
	return err ? 0 : blank_one(txn, b, table, value);
}

int hd_calls_blank(struct hd_txn *txn, void *arg)
{
	struct hd_calls_blank *b = arg;
	int err = 0;

	/* It may be run again: from where it began. */
	memcpy(b->at, b->from, sizeof(b->at));
	b->at_len = b->from_len;
	b->open = b->from_open;
	b->blanked = 0;
	b->done = false;
	for (uint32_t i = 0; !err && !b->done && i < b->looks; i++) {
		err = step(txn, b);
		if (err != HD_ENOENT)
			continue;
		err = 0;
		b->done = b->open;
		b->open = true;
		b->at_len = 0;
	}
	return err;
}
