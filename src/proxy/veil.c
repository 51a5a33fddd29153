/* veil.c - see veil.h. */
#include "veil.h"

#include <string.h>

#include "hotdesk/base/secret.h"

static const char veiled[] = "anonymous";

void veil_format(char *dst, const struct hd_key *key, const char *call_id, struct hd_slice text)
{
	uint8_t sealed[VEIL_TEXT_MAX + HD_SEAL_BYTES];
	struct hd_key own;

	hd_key_derive(&own, key, "veil");
	hd_seal(sealed, &own, text, hd_slice_of(call_id));
	dst[0] = '.';
	hd_base64url_format(dst + 1, sealed, text.len + HD_SEAL_BYTES);
	hd_wipe(&own, sizeof(own));
}

int veil_parse(uint8_t *text, size_t *np, const struct hd_key *key, const char *call_id,
	       struct hd_slice value)
{
	uint8_t sealed[VEIL_TEXT_MAX + HD_SEAL_BYTES];
	size_t size = sizeof(sealed);
	struct hd_key own;
	int err;

	if (!value.len || value.ptr[0] != '.')
		return HD_ENOENT;
	value.ptr++;
	value.len--;
	if (hd_base64url_parse(sealed, &size, value) || size < HD_SEAL_BYTES ||
	    size - HD_SEAL_BYTES > *np)
		return HD_EACCESS;
	hd_key_derive(&own, key, "veil");
	err = hd_unseal(text, &own, (struct hd_slice){ (const char *)sealed, size },
			hd_slice_of(call_id));
	hd_wipe(&own, sizeof(own));
	*np = size - HD_SEAL_BYTES;
	return err ? HD_EACCESS : 0;
}

/* @return what follows "anonymous"; empty: it is not ours */
static struct hd_slice veil_of(struct hd_slice user)
{
	const size_t len = sizeof(veiled) - 1;

	if (user.len <= len || memcmp(user.ptr, veiled, len) != 0 || user.ptr[len] != '.')
		return (struct hd_slice){ NULL, 0 };
	return (struct hd_slice){ user.ptr + len, user.len - len };
}

/* As much of it as leads there. */
static void write_contact(struct hd_buf *line, const struct hd_uri *uri, const char *veil)
{
	struct hd_slice transport;

	hd_buf_addf(line, "Contact: <%s:%s%s@%.*s", uri->scheme == HD_URI_SIPS ? "sips" : "sip",
		    veiled, veil, (int)uri->host.len, uri->host.ptr);
	if (uri->port.len)
		hd_buf_addf(line, ":%.*s", (int)uri->port.len, uri->port.ptr);
	if (hd_uri_param(uri, "transport", &transport) && transport.len)
		hd_buf_addf(line, ";transport=%.*s", (int)transport.len, transport.ptr);
	hd_buf_adds(line, ">\r\n");
}

int veil_contact(struct hd_proxy *proxy, struct hd_msg *msg)
{
	char veil[VEIL_SIZE(VEIL_TEXT_MAX)];
	struct hd_buf line = { 0 };
	struct hd_contact contact;
	size_t n = 1, len;
	bool star;
	int err;

	hd_msg_contacts(msg, &contact, &n, &star);
	if (n != 1 || star || contact.uri.scheme > HD_URI_SIPS || veil_of(contact.uri.user).len)
		return 0;
	len = strlen(contact.uri_text);
	if (len > VEIL_TEXT_MAX)
		return HD_ELIMIT;
	veil_format(veil, &proxy->options.key, hd_msg_call_id(msg),
		    (struct hd_slice){ contact.uri_text, len });
	write_contact(&line, &contact.uri, veil);
	err = hd_buf_error(&line);
	if (!err) {
		(void)hd_msg_remove(msg, "Contact");
		err = hd_msg_add(msg, hd_buf_text(&line));
	}
	hd_buf_fini(&line);
	return err;
}

bool veil_lift(struct hd_proxy *proxy, struct hd_msg *msg)
{
	uint8_t text[VEIL_TEXT_MAX + 1];
	size_t n = VEIL_TEXT_MAX;
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	if (veil_parse(text, &n, &proxy->options.key, hd_msg_call_id(msg), veil_of(uri.user)))
		return false;
	text[n] = '\0';
	return !hd_msg_set_ruri(msg, (const char *)text);
}
