/* sdes.c - see sdes.h. */
#include <string.h>
#include <strings.h>

#include "hotdesk/base/secret.h"
#include "sdes.h"

enum { TAG_MAX = 999999999, KEY_TEXT = 40 };

static struct hd_slice word(struct hd_slice *rest)
{
	struct hd_slice w = { 0 };

	while (rest->len && (*rest->ptr == ' ' || *rest->ptr == '\t')) {
		rest->ptr++;
		rest->len--;
	}
	w.ptr = rest->ptr;
	while (rest->len && *rest->ptr != ' ' && *rest->ptr != '\t') {
		rest->ptr++;
		rest->len--;
		w.len++;
	}
	return w;
}

/* "inline:KEY", a lifetime after it (2^31), and no MKI: packets would be longer by it. */
static bool read_key(uint8_t key[HD_SDP_KEY_BYTES], struct hd_slice w)
{
	char text[KEY_TEXT + 1];
	size_t n = HD_SDP_KEY_BYTES;
	const char *more;
	bool good;

	if (w.len < 7 + KEY_TEXT || strncasecmp(w.ptr, "inline:", 7) != 0)
		return false;
	w.ptr += 7;
	w.len -= 7;
	if (memchr(w.ptr, ';', w.len)) /* several keys need an MKI */
		return false;
	if (w.len > KEY_TEXT) {
		more = w.ptr + KEY_TEXT;
		if (*more != '|' || memchr(more, ':', w.len - KEY_TEXT))
			return false;
	}
	for (size_t i = 0; i < KEY_TEXT; i++)
		text[i] = w.ptr[i] == '+' ? '-' : w.ptr[i] == '/' ? '_' : w.ptr[i];
	good = !hd_base64url_parse(key, &n, (struct hd_slice){ text, KEY_TEXT }) &&
	       n == HD_SDP_KEY_BYTES;
	hd_wipe(text, sizeof(text));
	return good;
}

/* Of the session parameters only the window's size may be passed over. */
static bool is_followed(struct hd_slice parameters)
{
	struct hd_slice w;

	while ((w = word(&parameters)).len > 0)
		if (w.len < 4 || strncasecmp(w.ptr, "WSH=", 4) != 0)
			return false;
	return true;
}

static bool read_line(struct sdes *s, struct hd_slice line)
{
	struct hd_slice suite;
	uint64_t tag;

	if (hd_u64_parse(&tag, word(&line), TAG_MAX))
		return false;
	suite = word(&line);
	s->tag = (uint32_t)tag;
	s->tag_32 = hd_slice_caseis(suite, "AES_CM_128_HMAC_SHA1_32");
	if (!s->tag_32 && !hd_slice_caseis(suite, "AES_CM_128_HMAC_SHA1_80"))
		return false;
	return read_key(s->key, word(&line)) && is_followed(line);
}

bool sdes_choose(struct sdes *s, const sdp_attribute_t *a)
{
	for (; a; a = a->a_next)
		if (a->a_name && a->a_value && strcasecmp(a->a_name, "crypto") == 0 &&
		    read_line(s, hd_slice_of(a->a_value)))
			return true;
	return false;
}

void sdes_write(struct hd_buf *out, const struct sdes *s, const uint8_t key[HD_SDP_KEY_BYTES])
{
	char text[KEY_TEXT + 1];

	hd_base64url_format(text, key, HD_SDP_KEY_BYTES); /* 30 bytes need no padding */
	for (char *p = text; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	hd_buf_addf(out, "a=crypto:%u AES_CM_128_HMAC_SHA1_%s inline:%s\r\n", s->tag,
		    s->tag_32 ? "32" : "80", text);
	hd_wipe(text, sizeof(text));
}
