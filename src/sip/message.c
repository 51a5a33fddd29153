/* message.c - reading SIP messages; see hotdesk/sip/message.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>

#include "sip_priv.h"

enum { HEADER_TEXT_MAX = 1 << 16 };

/*
 * A second header field of a kind that has but one: the copy lists it behind the first, which the
 * library then refuses to send, by an assertion. It only stays in the order of the wire.
 */
static void unlist_seconds(msg_t *msg)
{
	for (sip_header_t *h = first_header(msg); h; h = (sip_header_t *)h->sh_succ)
		if (h->sh_class && h->sh_class->hc_kind == msg_kind_single)
			h->sh_next = NULL;
}

struct hd_msg *hd_msg_copy(struct hd_msg *msg)
{
	msg_t *copy = msg ? msg_copy(msg_of(msg)) : NULL;

	if (copy)
		unlist_seconds(copy);
	return msg_wrap(copy);
}

void hd_msg_free(struct hd_msg *msg)
{
	if (msg)
		msg_destroy(msg_of(msg));
}

static enum hd_method method_of(sip_method_t method)
{
	static const struct {
		sip_method_t sofia;
		enum hd_method ours;
	} map[] = {
		{ sip_method_invite, HD_METHOD_INVITE },
		{ sip_method_ack, HD_METHOD_ACK },
		{ sip_method_cancel, HD_METHOD_CANCEL },
		{ sip_method_bye, HD_METHOD_BYE },
		{ sip_method_options, HD_METHOD_OPTIONS },
		{ sip_method_register, HD_METHOD_REGISTER },
		{ sip_method_info, HD_METHOD_INFO },
		{ sip_method_prack, HD_METHOD_PRACK },
		{ sip_method_update, HD_METHOD_UPDATE },
		{ sip_method_message, HD_METHOD_MESSAGE },
		{ sip_method_subscribe, HD_METHOD_SUBSCRIBE },
		{ sip_method_notify, HD_METHOD_NOTIFY },
		{ sip_method_refer, HD_METHOD_REFER },
		{ sip_method_publish, HD_METHOD_PUBLISH },
	};

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].sofia == method)
			return map[i].ours;
	return HD_METHOD_OTHER;
}

enum hd_method hd_msg_method(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_request ? method_of(sip->sip_request->rq_method) : HD_METHOD_OTHER;
}

const char *hd_msg_method_name(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_request ? sip->sip_request->rq_method_name : "";
}

int hd_msg_status(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_status ? sip->sip_status->st_status : 0;
}

const char *hd_msg_phrase(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_status && sip->sip_status->st_phrase ? sip->sip_status->st_phrase : "";
}

const char *hd_msg_call_id(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_call_id ? sip->sip_call_id->i_id : "";
}

uint32_t hd_msg_cseq(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_cseq ? sip->sip_cseq->cs_seq : 0;
}

enum hd_method hd_msg_cseq_method(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_cseq ? method_of(sip->sip_cseq->cs_method) : HD_METHOD_OTHER;
}

const char *hd_msg_from_tag(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_from && sip->sip_from->a_tag ? sip->sip_from->a_tag : "";
}

const char *hd_msg_to_tag(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_to && sip->sip_to->a_tag ? sip->sip_to->a_tag : "";
}

const char *hd_msg_branch(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return sip->sip_via && sip->sip_via->v_branch ? sip->sip_via->v_branch : "";
}

bool hd_msg_via_address(const struct hd_msg *msg, unsigned i, struct hd_buf *out)
{
	const sip_via_t *v = sip_of(msg)->sip_via;

	while (v && i-- > 0)
		v = v->v_next;
	if (!v)
		return false;
	const char *parts[] = { v->v_protocol, " ", v->v_host,	":", v->v_port,	 ";",
				v->v_received, ";", v->v_rport, ";", v->v_branch };

	for (size_t n = 0; n < sizeof(parts) / sizeof(parts[0]); n++)
		if (parts[n])
			hd_buf_adds(out, parts[n]);
	return true;
}

unsigned hd_msg_via_count(const struct hd_msg *msg)
{
	unsigned n = 0;

	for (const sip_via_t *v = sip_of(msg)->sip_via; v; v = v->v_next)
		n++;
	return n;
}

void hd_uri_from_url(struct hd_uri *uri, const url_t *url)
{
	memset(uri, 0, sizeof(*uri));
	switch (url->url_type) {
	case url_sip:
		uri->scheme = HD_URI_SIP;
		break;
	case url_sips:
		uri->scheme = HD_URI_SIPS;
		break;
	case url_tel:
		uri->scheme = HD_URI_TEL;
		break;
	default:
		uri->scheme = HD_URI_OTHER;
		break;
	}
	uri->user = hd_slice_of(url->url_user);
	uri->password = hd_slice_of(url->url_password);
	uri->host = hd_slice_of(url->url_host);
	uri->port = hd_slice_of(url->url_port);
	uri->params = hd_slice_of(url->url_params);
	uri->headers = hd_slice_of(url->url_headers);
}

void hd_msg_ruri(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_t *sip = sip_of(msg);

	if (sip->sip_request)
		hd_uri_from_url(uri, sip->sip_request->rq_url);
	else
		memset(uri, 0, sizeof(*uri));
}

void hd_msg_to_uri(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_t *sip = sip_of(msg);

	memset(uri, 0, sizeof(*uri));
	if (sip->sip_to)
		hd_uri_from_url(uri, sip->sip_to->a_url);
}

void hd_msg_from_uri(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_t *sip = sip_of(msg);

	memset(uri, 0, sizeof(*uri));
	if (sip->sip_from)
		hd_uri_from_url(uri, sip->sip_from->a_url);
}

static const char *url_text(struct hd_msg *msg, const url_t *url)
{
	const char *text = url ? url_as_string(msg_home(msg_of(msg)), url) : NULL;

	return text ? text : "";
}

const char *hd_msg_to_text(struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return url_text(msg, sip->sip_to ? sip->sip_to->a_url : NULL);
}

const char *hd_msg_from_text(struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return url_text(msg, sip->sip_from ? sip->sip_from->a_url : NULL);
}

const char *hd_msg_ruri_text(struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	return url_text(msg, sip->sip_request ? sip->sip_request->rq_url : NULL);
}

int hd_msg_max_forwards(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);
	unsigned long count;

	if (!sip->sip_max_forwards)
		return -1;
	count = sip->sip_max_forwards->mf_count;
	return count > 255 ? 255 : (int)count;
}

struct hd_slice hd_msg_body(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);
	struct hd_slice body = { NULL, 0 };

	if (sip->sip_payload && sip->sip_payload->pl_len) {
		body.ptr = sip->sip_payload->pl_data;
		body.len = sip->sip_payload->pl_len;
	}
	return body;
}

size_t hd_msg_size(const struct hd_msg *msg)
{
	return msg_size(msg_of(msg));
}

static const char *name_of(const sip_header_t *h)
{
	if (h->sh_class == sip_unknown_class)
		return h->sh_unknown->un_name;
	if (h->sh_class == sip_error_class)
		return h->sh_error->er_name;
	return h->sh_class->hc_name;
}

/* The parser gives compact forms and unknown headers under the name they came with. */
static bool is_named(const sip_header_t *h, const char *name)
{
	const char *own = name_of(h);

	/* Nearly all differ in their first letter. */
	return own && ((own[0] ^ name[0]) & ~0x20) == 0 && strcasecmp(own, name) == 0;
}

char *hd_header_text(su_home_t *home, const sip_header_t *h)
{
	issize_t n;
	char *text;

	/* The library's own way leaves out the last part of a long value: it wants a byte more. */
	for (isize_t size = 256; size <= HEADER_TEXT_MAX; size *= 2) {
		text = su_alloc(home, size);
		n = text ? sip_header_field_e(text, size, h, 0) : -1;
		if (n >= 0 && (isize_t)n + 1 < size) {
			text[n] = '\0';
			return text;
		}
		su_free(home, text);
		if (!text)
			return NULL;
	}
	return NULL;
}

static const char *raw_value(su_home_t *home, const sip_header_t *h)
{
	const char *raw = h->sh_data, *colon;
	struct hd_slice value;
	char *text;

	colon = memchr(raw, ':', h->sh_len);
	if (!colon)
		return NULL;
	value.ptr = colon + 1;
	value.len = h->sh_len - (size_t)(colon + 1 - raw);
	value = hd_slice_trim(value);
	text = su_strndup(home, value.ptr, (isize_t)value.len);
	for (char *p = text; p && *p; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	return text;
}

/* The parameters of these are lists themselves: one field is one value. */
static bool is_auth(const msg_hclass_t *class)
{
	return class == sip_authorization_class || class == sip_proxy_authorization_class ||
	       class == sip_www_authenticate_class || class == sip_proxy_authenticate_class;
}

const char *hd_msg_header(struct hd_msg *msg, const char *name, unsigned i)
{
	su_home_t *home = msg_home(msg_of(msg));
	const sip_header_t *h;
	const char *value;

	for (h = first_header(msg_of(msg)); h; h = (const sip_header_t *)h->sh_succ) {
		if (!h->sh_class || !is_named(h, name) || i-- > 0)
			continue;
		if (h->sh_class == sip_unknown_class)
			return h->sh_unknown->un_value ? h->sh_unknown->un_value : "";
		if (h->sh_data && h->sh_len &&
		    (h->sh_class->hc_kind == msg_kind_single || is_auth(h->sh_class)))
			value = raw_value(home, h);
		else
			value = hd_header_text(home, h);
		return value ? value : "";
	}
	return NULL;
}

bool hd_msg_has_header(const struct hd_msg *msg, const char *name)
{
	const sip_header_t *h = first_header(msg_of(msg));

	while (h && !(h->sh_class && is_named(h, name)))
		h = (const sip_header_t *)h->sh_succ;
	return h != NULL;
}

bool hd_msg_has_option(struct hd_msg *msg, const char *header, const char *option)
{
	const char *value;

	for (unsigned i = 0; (value = hd_msg_header(msg, header, i)); i++) {
		while (*value) {
			size_t n = strcspn(value, ",");
			struct hd_slice tag = { value, n };

			if (hd_slice_caseis(hd_slice_trim(tag), option))
				return true;
			value += n + (value[n] == ',');
		}
	}
	return false;
}

int64_t hd_msg_expires(const struct hd_msg *msg)
{
	const sip_t *sip = sip_of(msg);

	if (!sip->sip_expires || sip->sip_expires->ex_date)
		return -1;
	return sip->sip_expires->ex_delta > INT32_MAX ? INT32_MAX
						      : (int64_t)sip->sip_expires->ex_delta;
}
