/*
 * fuzz_calls.c - records and keys of call lists decode or are refused; what decodes is written and
 * read again as the same. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "calls/calls_priv.h"
#include "support/fuzz.h"

static void expect(int ok)
{
	if (!ok)
		abort();
}

static void fuzz_entry(struct hd_slice input)
{
	struct hd_calls_entry entry, again;
	uint8_t bytes[CALLS_RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;

	memset(&entry, 0, sizeof(entry));
	memset(&again, 0, sizeof(again));
	if (calls_entry_decode(&entry, input))
		return;
	expect((unsigned)entry.kind < HD_CALL_KIND_COUNT);
	hd_encoder_init(&e, bytes, sizeof(bytes), CALLS_ENTRY_VERSION);
	expect(!calls_entry_encode(&e, &entry, &record));
	expect(!calls_entry_decode(&again, record));
	expect(again.kind == entry.kind && again.started_ms == entry.started_ms &&
	       again.hidden == entry.hidden && again.withheld == entry.withheld &&
	       again.duration_s == entry.duration_s);
	expect(!strcmp(again.number, entry.number) && !strcmp(again.name, entry.name) &&
	       !strcmp(again.phone, entry.phone) &&
	       !strcmp(again.forwarded_by, entry.forwarded_by) &&
	       !strcmp(again.forwarded_to, entry.forwarded_to));
}

static void fuzz_open(struct hd_slice input)
{
	struct hd_calls_record r, again;
	uint8_t bytes[CALLS_RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;
	bool closed, closed_again;

	memset(&r, 0, sizeof(r));
	memset(&again, 0, sizeof(again));
	if (calls_record_decode(&r, &closed, input))
		return;
	hd_encoder_init(&e, bytes, sizeof(bytes), 1);
	expect(!calls_record_encode(&e, &r, closed, &record));
	expect(!calls_record_decode(&again, &closed_again, record));
	expect(closed == closed_again && r.started_ms == again.started_ms &&
	       !strcmp(r.callee.number, again.callee.number) &&
	       !strcmp(r.caller.name, again.caller.name));
}

static void fuzz_key(struct hd_slice input)
{
	size_t n = calls_key_owner(input);

	expect(n < HD_CALLS_OWNER_SIZE && n <= input.len);
	if (n)
		(void)calls_key_time(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hd_slice input = { (const char *)data + 1, len ? len - 1 : 0 };

	if (len == 0)
		return 0;
	if (data[0] % 3 == 0)
		fuzz_entry(input);
	else if (data[0] % 3 == 1)
		fuzz_open(input);
	else
		fuzz_key(input);
	return 0;
}
