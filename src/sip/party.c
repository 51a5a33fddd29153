/* party.c - who calls whom, as presented in a message, and why it ended; see message.h. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>

#include "sip_priv.h"

enum { DISPLAY_MAX = 512 };

static const sip_addr_t *side_of(const struct hd_msg *msg, bool to)
{
	const sip_t *sip = sip_of(msg);

	return to ? sip->sip_to : sip->sip_from;
}

/* @return bytes of the character there, 0: it is none, or a control */
static size_t character(const char *p, size_t left)
{
	const unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	struct hd_slice one = { p, n };

	return n <= left && hd_utf8_is_text(one) ? n : 0;
}

static void unquote(const char *display, char *dst, size_t size)
{
	const char *p = display ? display : "";
	struct hd_slice text = hd_slice_trim(hd_slice_of(p));
	size_t len = 0, n;
	bool quoted;

	quoted = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
	if (quoted) {
		text.ptr++;
		text.len -= 2;
	}
	for (p = text.ptr; text.len > 0; p += n ? n : 1, text.len -= n ? n : 1) {
		if (quoted && *p == '\\' && text.len > 1) {
			p++;
			text.len--;
		}
		n = character(p, text.len);
		if (len + (n ? n : 1) >= size)
			break;
		if (n)
			memcpy(dst + len, p, n);
		else
			dst[len] = '?';
		len += n ? n : 1;
	}
	dst[len] = '\0';
}

void hd_msg_name(const struct hd_msg *msg, bool to, char *dst, size_t size)
{
	const sip_addr_t *side = side_of(msg, to);

	unquote(side ? side->a_display : NULL, dst, size);
}

/* ---- display name and URI as one text ------------------------------------------------------- */

/* A display name may have been folded. */
static void add_display(struct hd_buf *out, const char *display)
{
	while (*display) {
		size_t n = strcspn(display, "\r\n\t");

		hd_buf_add(out, (struct hd_slice){ display, n });
		display += n;
		if (*display) {
			hd_buf_adds(out, " ");
			display += strspn(display, "\r\n\t ");
		}
	}
}

void hd_msg_party(struct hd_msg *msg, bool to, struct hd_buf *out)
{
	const sip_addr_t *side = side_of(msg, to);

	if (side && side->a_display && *side->a_display) {
		add_display(out, side->a_display);
		hd_buf_adds(out, " ");
	}
	hd_buf_addf(out, "<%s>", to ? hd_msg_to_text(msg) : hd_msg_from_text(msg));
}

bool hd_msg_party_is(struct hd_msg *msg, bool to, const char *party)
{
	const sip_addr_t *side = side_of(msg, to);
	sip_from_t *other = sip_from_make(msg_home(msg_of(msg)), party);
	char one[DISPLAY_MAX], two[DISPLAY_MAX];

	if (!side || !other)
		return false;
	unquote(side->a_display, one, sizeof(one));
	unquote(other->a_display, two, sizeof(two));
	return strcmp(one, two) == 0 && url_cmp_all(side->a_url, other->a_url) == 0;
}

int hd_msg_set_party(struct hd_msg *msg, bool to, const char *party)
{
	sip_t *sip = sip_of(msg);
	sip_addr_t *side = to ? sip->sip_to : sip->sip_from;
	sip_from_t *other = sip_from_make(msg_home(msg_of(msg)), party);

	if (!side || !other)
		return HD_EPARSE;
	side->a_display = other->a_display;
	*side->a_url = *other->a_url;
	msg_fragment_clear(side->a_common);
	return 0;
}

static void bare(const url_t *url, char *dst, size_t size)
{
	const char *scheme = url->url_type == url_sips ? "sips" : "sip";
	const char *user = url->url_user, *host = url->url_host, *port = url->url_port;
	int err = HD_EINVAL;

	if (url->url_type == url_tel)
		err = hd_str_join(dst, size,
				  (const char *const[]){ "tel:", user ? user : host, NULL });
	else if (url->url_type == url_sip || url->url_type == url_sips)
		err = hd_str_join(dst, size,
				  (const char *const[]){ scheme, ":", user ? user : "",
							 user ? "@" : "", host ? host : "",
							 port ? ":" : "", port, NULL });
	if (err)
		dst[0] = '\0';
}

void hd_msg_party_uri(const struct hd_msg *msg, bool to, char *dst, size_t size)
{
	const sip_addr_t *side = side_of(msg, to);

	dst[0] = '\0';
	if (side)
		bare(side->a_url, dst, size);
}

void hd_msg_ruri_bare(const struct hd_msg *msg, char *dst, size_t size)
{
	const sip_t *sip = sip_of(msg);

	dst[0] = '\0';
	if (sip->sip_request)
		bare(sip->sip_request->rq_url, dst, size);
}

uint32_t hd_msg_session_expires(const struct hd_msg *msg)
{
	const sip_session_expires_t *x = sip_of(msg)->sip_session_expires;

	return !x ? 0 : x->x_delta > UINT32_MAX ? UINT32_MAX : (uint32_t)x->x_delta;
}

int hd_msg_reason_cause(struct hd_msg *msg, const char *protocol)
{
	for (const sip_reason_t *re = sip_reason(sip_of(msg)); re; re = re->re_next) {
		uint64_t cause;

		if (re->re_protocol && re->re_cause && strcasecmp(re->re_protocol, protocol) == 0 &&
		    !hd_u64_parse(&cause, hd_slice_of(re->re_cause), 699))
			return (int)cause;
	}
	return 0;
}

static unsigned privacy_kind(struct hd_slice token)
{
	return hd_slice_caseis(token, "id")	  ? HD_PRIVACY_ID
	       : hd_slice_caseis(token, "user")	  ? HD_PRIVACY_USER
	       : hd_slice_caseis(token, "header") ? HD_PRIVACY_HEADER
						  : 0;
}

/* Tokens with ';' between, and several fields count as one list. */
unsigned hd_msg_privacy(struct hd_msg *msg)
{
	const char *value;
	unsigned kinds = 0;

	for (unsigned i = 0; (value = hd_msg_header(msg, "Privacy", i)); i++) {
		while (*value) {
			size_t n = strcspn(value, ";,");
			struct hd_slice token = { value, n };

			kinds |= privacy_kind(hd_slice_trim(token));
			value += n + (value[n] != '\0');
		}
	}
	return kinds;
}

bool hd_msg_is_withheld(struct hd_msg *msg)
{
	const sip_addr_t *from = sip_of(msg)->sip_from;
	const char *host = from ? from->a_url->url_host : NULL;

	return (host && strcasecmp(host, "anonymous.invalid") == 0) || hd_msg_privacy(msg);
}
