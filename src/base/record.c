/* record.c - see record.h. */
#include "hotdesk/base/record.h"

#include <string.h>

static void encode_le(struct hd_encoder *e, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	hd_encode_bytes(e, bytes, n);
}

void hd_encoder_init(struct hd_encoder *e, void *buf, size_t size, uint8_t version)
{
	*e = (struct hd_encoder){ .buf = buf, .size = buf ? size : 0 };
	if (e->size > HD_RECORD_MAX)
		e->size = HD_RECORD_MAX;
	hd_encode_u8(e, version);
}

void hd_encode_u8(struct hd_encoder *e, uint8_t v)
{
	encode_le(e, v, 1);
}

void hd_encode_u16(struct hd_encoder *e, uint16_t v)
{
	encode_le(e, v, 2);
}

void hd_encode_u32(struct hd_encoder *e, uint32_t v)
{
	encode_le(e, v, 4);
}

void hd_encode_u64(struct hd_encoder *e, uint64_t v)
{
	encode_le(e, v, 8);
}

void hd_encode_i64(struct hd_encoder *e, int64_t v)
{
	encode_le(e, (uint64_t)v, 8);
}

void hd_encode_bytes(struct hd_encoder *e, const void *p, size_t n)
{
	if (e->err || n == 0)
		return;
	if (!p || n > e->size - e->len) {
		e->err = HD_ELIMIT;
		return;
	}
	memcpy(e->buf + e->len, p, n);
	e->len += n;
}

void hd_encode_str(struct hd_encoder *e, const char *s)
{
	struct hd_slice text = hd_slice_of(s);

	if (text.len > UINT16_MAX) {
		e->err = HD_ELIMIT;
		return;
	}
	hd_encode_u16(e, (uint16_t)text.len);
	hd_encode_bytes(e, text.ptr, text.len);
}

int hd_encoder_finish(const struct hd_encoder *e, struct hd_slice *out)
{
	if (e->err) {
		*out = (struct hd_slice){ 0 };
		return e->err;
	}
	*out = (struct hd_slice){ .ptr = (const char *)e->buf, .len = e->len };
	return 0;
}

void hd_decoder_init(struct hd_decoder *d, struct hd_slice record, uint8_t newest)
{
	*d = (struct hd_decoder){ .p = (const uint8_t *)record.ptr, .left = record.len };
	if (record.len == 0 || record.ptr[0] == 0) {
		d->err = HD_ECORRUPT;
		d->left = 0;
		return;
	}
	d->version = hd_decode_u8(d);
	if (d->version > newest) {
		d->err = HD_EVERSION;
		d->left = 0;
	}
}

int hd_decoder_at_end(const struct hd_decoder *d)
{
	return d->left == 0;
}

/*
 * The next n bytes. NULL at the end of the record (an older record: the field reads as zero) and,
 * with the error set, when the field is cut short.
 */
static const uint8_t *decode_take(struct hd_decoder *d, size_t n)
{
	const uint8_t *p = d->p;

	if (d->err || d->left == 0)
		return NULL;
	if (n > d->left) {
		d->err = HD_ECORRUPT;
		d->left = 0;
		return NULL;
	}
	d->p += n;
	d->left -= n;
	return p;
}

static uint64_t decode_le(struct hd_decoder *d, size_t n)
{
	const uint8_t *p = decode_take(d, n);
	uint64_t v = 0;

	for (size_t i = n; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

uint8_t hd_decode_u8(struct hd_decoder *d)
{
	return (uint8_t)decode_le(d, 1);
}

uint16_t hd_decode_u16(struct hd_decoder *d)
{
	return (uint16_t)decode_le(d, 2);
}

uint32_t hd_decode_u32(struct hd_decoder *d)
{
	return (uint32_t)decode_le(d, 4);
}

uint64_t hd_decode_u64(struct hd_decoder *d)
{
	return decode_le(d, 8);
}

int64_t hd_decode_i64(struct hd_decoder *d)
{
	return (int64_t)decode_le(d, 8);
}

void hd_decode_bytes(struct hd_decoder *d, void *p, size_t n)
{
	const uint8_t *from;

	if (n == 0)
		return;
	from = decode_take(d, n);
	if (from)
		memcpy(p, from, n);
	else
		memset(p, 0, n);
}

void hd_decode_str(struct hd_decoder *d, char *dst, size_t size)
{
	struct hd_slice text;

	if (size > 0)
		dst[0] = '\0';
	text.len = hd_decode_u16(d);
	if (d->err || text.len == 0)
		return;
	/* A length with nothing behind it is damage, not an older record. */
	if (text.len > d->left || hd_str_copy(dst, size,
					      (struct hd_slice){
						      .ptr = (const char *)d->p,
						      .len = text.len,
					      })) {
		d->err = HD_ECORRUPT;
		d->left = 0;
		return;
	}
	d->p += text.len;
	d->left -= text.len;
}

int hd_decoder_finish(const struct hd_decoder *d)
{
	return d->err;
}

void hd_key_put_u64(uint8_t dst[8], uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		dst[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint64_t hd_key_get_u64(const uint8_t src[8])
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | src[i];
	return v;
}
