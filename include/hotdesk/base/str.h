/*
 * str.h - slices, a growing text buffer, and the few conversions that C lacks.
 *
 * Layer: 0.  Thread: any; no shared state.
 */
#ifndef HOTDESK_BASE_STR_H
#define HOTDESK_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/error.h"

/** Borrowed bytes; not terminated. A zero slice is {NULL, 0}. */
struct hd_slice {
	const char *ptr;
	size_t len;
};

/** A slice over a C string; NULL gives the zero slice. */
struct hd_slice hd_slice_of(const char *s);
bool hd_slice_eq(struct hd_slice a, struct hd_slice b);
/** ASCII case-insensitive; never looks at the locale. */
bool hd_slice_caseeq(struct hd_slice a, struct hd_slice b);
bool hd_slice_is(struct hd_slice a, const char *s);
bool hd_slice_caseis(struct hd_slice a, const char *s);
/** Without leading and trailing SP, HTAB, CR and LF. */
struct hd_slice hd_slice_trim(struct hd_slice s);

/**
 * Copies a slice into a terminated buffer.
 * @return 0, or HD_ELIMIT when it does not fit or holds a NUL (dst is then "")
 */
HD_MUSTCHECK int hd_str_copy(char *dst, size_t size, struct hd_slice src);
/** The same from a C string; NULL copies "". */
HD_MUSTCHECK int hd_str_set(char *dst, size_t size, const char *src);

/** Decimal digits only, no sign, no blanks. @return 0, HD_EPARSE or HD_ELIMIT (over max) */
HD_MUSTCHECK int hd_u64_parse(uint64_t *vp, struct hd_slice s, uint64_t max);

/** Lower-case hexadecimal; dst has room for 2 * n + 1. */
void hd_hex_format(char *dst, const void *bytes, size_t n);
/** Exactly n bytes from 2 * n digits of either case. @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_hex_parse(void *bytes, size_t n, struct hd_slice s);

/** Base64url without padding (RFC 4648 section 5). dst has room for (n * 4 + 2) / 3 + 1. */
void hd_base64url_format(char *dst, const void *bytes, size_t n);
/** @param np in: room of bytes; out: bytes written. @return 0, HD_EPARSE or HD_ELIMIT */
HD_MUSTCHECK int hd_base64url_parse(void *bytes, size_t *np, struct hd_slice s);

/** Bytes of the well-formed UTF-8 character (RFC 3629) that a text begins with; 0: none. */
size_t hd_utf8_char_len(struct hd_slice s);
/** True for well-formed UTF-8 without C0 controls and DEL. */
bool hd_utf8_is_text(struct hd_slice s);

enum { HD_U32_SIZE = 11 };
/** Decimal, as printf() writes it, at a tenth of its price. */
void hd_u32_format(char dst[HD_U32_SIZE], uint32_t v);
/**
 * Texts one after the other.
 * @param parts ends with NULL
 * @return 0 or HD_ELIMIT: dst, of `size` bytes, holds what has room and is terminated
 */
int hd_str_join(char *dst, size_t size, const char *const *parts);

enum { HD_IPV4_SIZE = 16 };
/** Dotted decimal, as inet_ntop() writes it, at a tenth of its price: several a request. */
void hd_ipv4_format(char dst[HD_IPV4_SIZE], const uint8_t address[4]);

/**
 * A growing, always terminated text. The zero value is an empty buffer. A failed allocation sticks:
 * later appends do nothing and hd_buf_error() tells.
 */
struct hd_buf {
	char *data; /* NULL while empty */
	size_t len;
	size_t size;
	int err;
};

void hd_buf_add(struct hd_buf *b, struct hd_slice s);
void hd_buf_adds(struct hd_buf *b, const char *s);
/** Texts one after the other, all or none; `parts` ends with NULL. Cheaper than hd_buf_addf(). */
void hd_buf_join(struct hd_buf *b, const char *const *parts);
void hd_buf_addf(struct hd_buf *b, const char *fmt, ...) HD_PRINTF(2, 3);
/** A quoted-string of RFC 3261 25.1 of UTF-8 text; controls are left out. */
void hd_buf_add_quoted(struct hd_buf *b, struct hd_slice text);
void hd_buf_vaddf(struct hd_buf *b, const char *fmt, va_list ap) HD_PRINTF(2, 0);
HD_MUSTCHECK int hd_buf_error(const struct hd_buf *b);
/** The text, "" when empty; borrowed until the next change. */
const char *hd_buf_text(const struct hd_buf *b);
/** Moves the text out (to be released with free()); NULL after an error. Leaves b empty. */
char *hd_buf_take(struct hd_buf *b);
void hd_buf_fini(struct hd_buf *b);

#endif
