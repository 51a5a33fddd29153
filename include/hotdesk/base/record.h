/*
 * record.h - store bytes: versioned records, encoded field by field, decoded with bounds.
 *
 * Little-endian integers, strings as u16 length and bytes. The first byte is the record's version.
 * A decoder that runs past the end, meets an unknown version or a string too long for its field
 * sets a sticky error and yields zeros; the caller asks once at the end. New fields are only ever
 * appended: a decoder that finds the record ended where a newer field would begin reads that field
 * as zero. Bytes behind the last field that is read are no error.
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_RECORD_H
#define HOTDESK_BASE_RECORD_H

#include <stdint.h>

#include "hotdesk/base/str.h"

enum { HD_RECORD_MAX = 16384 };

struct hd_encoder {
	uint8_t *buf;
	size_t size;
	size_t len;
	int err; /* 0 or HD_ELIMIT */
};

void hd_encoder_init(struct hd_encoder *e, void *buf, size_t size, uint8_t version);
void hd_encode_u8(struct hd_encoder *e, uint8_t v);
void hd_encode_u16(struct hd_encoder *e, uint16_t v);
void hd_encode_u32(struct hd_encoder *e, uint32_t v);
void hd_encode_u64(struct hd_encoder *e, uint64_t v);
void hd_encode_i64(struct hd_encoder *e, int64_t v);
void hd_encode_bytes(struct hd_encoder *e, const void *p, size_t n); /* no length */
void hd_encode_str(struct hd_encoder *e, const char *s);
/** What was encoded. @return 0 or HD_ELIMIT */
HD_MUSTCHECK int hd_encoder_finish(const struct hd_encoder *e, struct hd_slice *out);

struct hd_decoder {
	const uint8_t *p;
	size_t left;
	uint8_t version;
	int err; /* 0, HD_ECORRUPT or HD_EVERSION */
};

/** @param newest the newest version the caller knows; a newer record gives HD_EVERSION */
void hd_decoder_init(struct hd_decoder *d, struct hd_slice record, uint8_t newest);
/** True when nothing is left: the record was written before the next field existed. */
int hd_decoder_at_end(const struct hd_decoder *d);
uint8_t hd_decode_u8(struct hd_decoder *d);
uint16_t hd_decode_u16(struct hd_decoder *d);
uint32_t hd_decode_u32(struct hd_decoder *d);
uint64_t hd_decode_u64(struct hd_decoder *d);
int64_t hd_decode_i64(struct hd_decoder *d);
void hd_decode_bytes(struct hd_decoder *d, void *p, size_t n);
/** Copies into dst (terminated); longer than size - 1, or with a NUL inside, is HD_ECORRUPT. */
void hd_decode_str(struct hd_decoder *d, char *dst, size_t size);
HD_MUSTCHECK int hd_decoder_finish(const struct hd_decoder *d);

/** Big-endian for keys that must sort by number. */
void hd_key_put_u64(uint8_t dst[8], uint64_t v);
uint64_t hd_key_get_u64(const uint8_t src[8]);

#endif
