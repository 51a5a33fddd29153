/* edit.c - changing messages as a proxy does (RFC 3261 16.6, 16.7); see hotdesk/sip/message.h. */
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

#include "sip_priv.h"

/* Field by field: the library's own way to add text puts it behind the body. */
int hd_msg_add(struct hd_msg *msg, const char *lines)
{
	while (lines && *lines) {
		size_t n = strcspn(lines, "\r\n");
		su_home_t *home = msg_home(msg_of(msg));
		char *line = su_strndup(home, lines, (isize_t)n);
		msg_header_t *h = line && n ? msg_header_d(home, msg_of(msg), line) : NULL;

		if (n > 0 && !h)
			return line ? HD_EPARSE : HD_ENOMEM;
		if (h && msg_header_insert(msg_of(msg), (msg_pub_t *)sip_of(msg), h) < 0)
			return HD_ENOMEM;
		lines += n + strspn(lines + n, "\r\n");
	}
	return 0;
}

int hd_msg_copy_headers(struct hd_msg *msg, struct hd_msg *src, const char *name)
{
	struct hd_buf lines = { 0 };
	const char *value;
	int err;

	for (unsigned i = 0; (value = hd_msg_header(src, name, i)); i++)
		hd_buf_addf(&lines, "%s: %s\r\n", name, value);
	err = hd_buf_error(&lines);
	if (!err && lines.len)
		err = hd_msg_add(msg, hd_buf_text(&lines));
	hd_buf_fini(&lines);
	return err;
}

static bool is_named(const sip_header_t *h, const char *name)
{
	const char *own;

	if (h->sh_class == sip_unknown_class)
		own = h->sh_unknown->un_name;
	else if (h->sh_class == sip_error_class)
		own = h->sh_error->er_name;
	else
		own = h->sh_class->hc_name;
	return own && strcasecmp(own, name) == 0;
}

unsigned hd_msg_remove(struct hd_msg *msg, const char *name)
{
	sip_t *sip = sip_of(msg);
	sip_header_t *h, *next;
	unsigned n = 0;

	for (h = first_header(msg_of(msg)); h; h = next) {
		next = (sip_header_t *)h->sh_succ;
		if (!h->sh_class || !is_named(h, name))
			continue;
		msg_header_remove(msg_of(msg), (msg_pub_t *)sip, (msg_header_t *)h);
		n++;
	}
	return n;
}

int hd_msg_step_max_forwards(struct hd_msg *msg, uint32_t first)
{
	sip_t *sip = sip_of(msg);
	sip_max_forwards_t *mf = sip->sip_max_forwards;

	if (!mf) {
		mf = sip_max_forwards_format(msg_home(msg_of(msg)), "%u", first);
		if (!mf || msg_header_insert(msg_of(msg), (msg_pub_t *)sip, (msg_header_t *)mf) < 0)
			return HD_ENOMEM;
		return 0;
	}
	if (mf->mf_count > 255)
		mf->mf_count = 255;
	if (mf->mf_count > 0)
		mf->mf_count--;
	msg_fragment_clear(mf->mf_common);
	return 0;
}

void hd_url_trim(url_t *url)
{
	char *params = (char *)(uintptr_t)url->url_params;

	url->url_headers = NULL;
	if (params) {
		params = url_strip_param_string(params, "method");
		url->url_params = params && *params ? params : NULL;
	}
}

int hd_msg_set_ruri(struct hd_msg *msg, const char *uri)
{
	sip_t *sip = sip_of(msg);
	url_t *url = url_make(msg_home(msg_of(msg)), uri);

	if (!url || !sip->sip_request)
		return HD_EPARSE;
	hd_url_trim(url);
	*sip->sip_request->rq_url = *url;
	msg_fragment_clear(sip->sip_request->rq_common);
	return 0;
}

bool hd_msg_route(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_route_t *r = sip_of(msg)->sip_route;

	if (!r)
		return false;
	hd_uri_from_url(uri, r->r_url);
	return true;
}

static sip_route_t *last_route(const struct hd_msg *msg)
{
	sip_route_t *r = sip_of(msg)->sip_route;

	while (r && r->r_next)
		r = r->r_next;
	return r;
}

bool hd_msg_last_route(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_route_t *r = last_route(msg);

	if (!r)
		return false;
	hd_uri_from_url(uri, r->r_url);
	return true;
}

const char *hd_msg_route_text(struct hd_msg *msg)
{
	const sip_route_t *r = sip_of(msg)->sip_route;

	return r ? url_as_string(msg_home(msg_of(msg)), r->r_url) : NULL;
}

void hd_msg_last_route_text(struct hd_msg *msg, struct hd_buf *b)
{
	const sip_route_t *r = last_route(msg);

	if (r)
		hd_buf_adds(b, url_as_string(msg_home(msg_of(msg)), r->r_url));
}

void hd_msg_pop_route(struct hd_msg *msg)
{
	sip_t *sip = sip_of(msg);

	if (sip->sip_route)
		sip_route_remove(msg_of(msg), sip);
}

void hd_msg_pop_last_route(struct hd_msg *msg)
{
	sip_route_t *r = last_route(msg);

	if (r)
		msg_header_remove(msg_of(msg), (msg_pub_t *)sip_of(msg), (msg_header_t *)r);
}

int hd_msg_append_route(struct hd_msg *msg, const char *uri)
{
	sip_route_t *r = sip_route_format(msg_home(msg_of(msg)), "<%s>", uri);

	if (!r)
		return HD_EPARSE;
	return msg_header_insert(msg_of(msg), NULL, (msg_header_t *)r) < 0 ? HD_ENOMEM : 0;
}

int hd_msg_add_record_route(struct hd_msg *msg, const char *uri)
{
	sip_record_route_t *rr = sip_record_route_format(msg_home(msg_of(msg)), "<%s>", uri);

	if (!rr)
		return HD_EPARSE;
	return msg_header_insert(msg_of(msg), NULL, (msg_header_t *)rr) < 0 ? HD_ENOMEM : 0;
}

static bool is_of_realm(const msg_auth_t *au, const char *realm)
{
	const char *value = msg_params_find(au->au_params, "realm=");
	size_t n;

	if (!value)
		return false;
	n = strlen(value);
	if (n >= 2 && value[0] == '"') {
		value++;
		n -= 2;
	}
	return n == strlen(realm) && strncmp(value, realm, n) == 0;
}

void hd_msg_remove_credentials(struct hd_msg *msg, const char *realm)
{
	sip_t *sip = sip_of(msg);
	msg_auth_t *au, *next;

	for (au = sip->sip_proxy_authorization; au; au = next) {
		next = au->au_next;
		if (is_of_realm(au, realm))
			msg_header_remove(msg_of(msg), (msg_pub_t *)sip, (msg_header_t *)au);
	}
}

bool hd_msg_pop_via(struct hd_msg *msg)
{
	sip_t *sip = sip_of(msg);

	if (sip->sip_via)
		sip_via_remove(msg_of(msg), sip);
	return sip->sip_via != NULL;
}
