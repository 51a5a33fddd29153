/*
 * fuzz_record.c - the record decoder. The input is how to read (one byte of count, then that many
 * field kinds) and the record. What was read without an error is written again and is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/record.h"
#include "support/fuzz.h"

enum { NEWEST = 7, KINDS = 7 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void field_copy(struct hd_decoder *d, struct hd_encoder *e, uint8_t kind)
{
	static const uint8_t zeros[5];
	uint8_t bytes[5];
	char text[40];

	memset(bytes, 0x55, sizeof(bytes));
	switch (kind % KINDS) {
	case 0:
		hd_encode_u8(e, hd_decode_u8(d));
		break;
	case 1:
		hd_encode_u16(e, hd_decode_u16(d));
		break;
	case 2:
		hd_encode_u32(e, hd_decode_u32(d));
		break;
	case 3:
		hd_encode_u64(e, hd_decode_u64(d));
		break;
	case 4:
		hd_encode_i64(e, hd_decode_i64(d));
		break;
	case 5:
		hd_decode_bytes(d, bytes, sizeof(bytes));
		require(!d->err || memcmp(bytes, zeros, sizeof(bytes)) == 0);
		hd_encode_bytes(e, bytes, sizeof(bytes));
		break;
	default:
		hd_decode_str(d, text, sizeof(text));
		require(strlen(text) < sizeof(text) && (!d->err || text[0] == '\0'));
		hd_encode_str(e, text);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t out[HD_RECORD_MAX];
	struct hd_slice record;
	struct hd_slice copy;
	struct hd_decoder d;
	struct hd_encoder e;
	size_t fields;
	size_t used;

	if (len < 1 || len - 1 < data[0])
		return 0;
	fields = data[0];
	record = (struct hd_slice){ (const char *)data + 1 + fields, len - 1 - fields };
	hd_decoder_init(&d, record, NEWEST);
	hd_encoder_init(&e, out, sizeof(out), d.version);
	for (size_t i = 0; i < fields; i++)
		field_copy(&d, &e, data[1 + i]);
	require(d.left <= record.len);
	if (hd_decoder_finish(&d))
		return 0;

	/* what was there comes back byte for byte; fields behind the end came as zeros */
	require(hd_encoder_finish(&e, &copy) == 0);
	used = record.len - d.left;
	require(copy.len >= used && memcmp(copy.ptr, record.ptr, used) == 0);
	for (size_t i = used; i < copy.len; i++)
		require(copy.ptr[i] == 0);
	return 0;
}
