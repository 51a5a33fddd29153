/* contact.c - Contact values of a message; see hotdesk/sip/message.h. */
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>

#include "sip_priv.h"

/* RFC 3261 20.10: delta-seconds up to 2^32-1; a malformed one counts as absent. */
static int64_t parse_delta(const char *text)
{
	uint64_t value;

	if (!text || hd_u64_parse(&value, hd_slice_of(text), UINT64_MAX))
		return -1;
	return value > INT32_MAX ? INT32_MAX : (int64_t)value;
}

/* qvalue: "0" ["." 0*3DIGIT] or "1" ["." 0*3("0")]. */
static int parse_q(const char *text)
{
	int permille, scale = 100;

	if (text[0] != '0' && text[0] != '1')
		return -2;
	permille = (text[0] - '0') * 1000;
	if (!text[1])
		return permille;
	if (text[1] != '.')
		return -2;
	for (size_t i = 2; text[i]; i++) {
		if (text[i] < '0' || text[i] > '9' || i > 4)
			return -2;
		permille += (text[i] - '0') * scale;
		scale /= 10;
	}
	return permille > 1000 ? -2 : permille;
}

static const char *unquote(su_home_t *home, const char *value)
{
	size_t n = strlen(value);

	if (n >= 2 && value[0] == '"' && value[n - 1] == '"')
		return su_strndup(home, value + 1, (isize_t)(n - 2));
	return value;
}

static void read_params(struct hd_contact *c, su_home_t *home, const sip_contact_t *m)
{
	struct hd_buf kept = { 0 };
	uint64_t reg_id;

	for (size_t i = 0; m->m_params && m->m_params[i]; i++) {
		const char *p = m->m_params[i];

		if (strncasecmp(p, "expires=", 8) == 0) {
			c->expires_s = parse_delta(p + 8);
			continue;
		}
		if (strncasecmp(p, "q=", 2) == 0)
			c->q_permille = parse_q(p + 2);
		else if (strncasecmp(p, "+sip.instance=", 14) == 0)
			c->instance_id = unquote(home, p + 14);
		else if (strncasecmp(p, "reg-id=", 7) == 0 &&
			 !hd_u64_parse(&reg_id, hd_slice_of(p + 7), INT32_MAX))
			c->reg_id = (uint32_t)reg_id;
		if (strcasecmp(p, "expires") != 0)
			hd_buf_addf(&kept, ";%s", p);
	}
	c->params_text = su_strdup(home, hd_buf_text(&kept));
	hd_buf_fini(&kept);
	if (!c->params_text)
		c->params_text = "";
	if (!c->instance_id)
		c->instance_id = "";
}

void hd_msg_contacts(struct hd_msg *msg, struct hd_contact *contacts, size_t *np, bool *starp)
{
	su_home_t *home = msg_home(msg_of(msg));
	size_t room = *np, n = 0;

	*starp = false;
	for (const sip_contact_t *m = sip_of(msg)->sip_contact; m; m = m->m_next, n++) {
		struct hd_contact *c;

		if (m->m_url->url_type == url_any)
			*starp = true;
		if (n >= room)
			continue;
		c = &contacts[n];
		memset(c, 0, sizeof(*c));
		hd_uri_from_url(&c->uri, m->m_url);
		c->uri_text = url_as_string(home, m->m_url);
		if (!c->uri_text)
			c->uri_text = "";
		c->expires_s = -1;
		c->q_permille = -1;
		c->instance_id = "";
		read_params(c, home, m);
	}
	*np = n;
}

bool hd_msg_refer_to_uri(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_refer_to_t *r = sip_of(msg)->sip_refer_to;

	if (!r || !r->r_url->url_scheme)
		return false;
	hd_uri_from_url(uri, r->r_url);
	return true;
}

bool hd_msg_contact_uri(const struct hd_msg *msg, struct hd_uri *uri)
{
	const sip_contact_t *m = sip_of(msg)->sip_contact;

	if (!m || m->m_url->url_type == url_any)
		return false;
	hd_uri_from_url(uri, m->m_url);
	return true;
}
