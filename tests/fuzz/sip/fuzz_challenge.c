/*
 * fuzz_challenge.c - challenges, one a line, through the parser, and through a 401 and 407 to the
 * answer, which must be one that our own parser reads.
 */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_protos.h>

#include "hotdesk/sip/agent.h"
#include "hotdesk/sip/uac_auth.h"
#include "sip/sip_priv.h"
#include "support/fuzz.h"

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void parse_one(struct hd_slice value)
{
	struct hd_challenge c;

	if (hd_challenge_parse(&c, value))
		return;

	const struct hd_slice fields[] = {
		c.realm, c.nonce, c.opaque, c.algorithm, c.qop, c.stale
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		need(!fields[i].ptr || (fields[i].ptr > value.ptr &&
					fields[i].ptr + fields[i].len <= value.ptr + value.len));
}

static int lookup(void *arg, struct hd_slice realm, struct hd_uac_credentials *c)
{
	(void)arg;
	need(realm.ptr != NULL);
	if (realm.len > 0 && realm.ptr[0] == 'x')
		return HD_ENOENT;
	c->username = "desk-\"101";
	c->secret = "secret";
	return 0;
}

static void answer(struct hd_uac_auth *auth)
{
	static const char *const names[] = { "Authorization", "Proxy-Authorization" };
	struct hd_new_request nr = {
		.method = "NOTIFY",
		.ruri = "sip:desk-101@192.0.2.1",
		.from = "<sip:a@b>;tag=f",
		.to = "<sip:a@b>",
		.cseq = 1,
	};
	struct hd_credentials c;
	struct hd_msg *msg;
	const char *value;

	need(hd_msg_new_request(&msg, &nr) == 0);
	if (!hd_uac_auth_add(auth, msg))
		for (size_t i = 0; i < 2; i++)
			for (unsigned k = 0; (value = hd_msg_header(msg, names[i], k)); k++)
				need(hd_credentials_parse(&c, hd_slice_of(value)) == 0 &&
				     c.response.len >= 32 && c.nonce.ptr);
	hd_msg_free(msg);
}

static void take(struct hd_uac_auth *auth, int status, const struct hd_slice *values, size_t n)
{
	struct hd_buf text = { 0 };
	msg_t *msg;

	hd_buf_addf(&text,
		    "SIP/2.0 %d No\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
		    "From: <sip:a@b>;tag=f\r\nTo: <sip:a@b>;tag=t\r\nCall-ID: c\r\n"
		    "CSeq: 1 NOTIFY\r\n",
		    status);
	for (size_t i = 0; i < n; i++) {
		hd_buf_adds(&text, status == 401 ? "WWW-Authenticate: " : "Proxy-Authenticate: ");
		hd_buf_add(&text, values[i]);
		hd_buf_adds(&text, "\r\n");
	}
	hd_buf_adds(&text, "Content-Length: 0\r\n\r\n");
	msg = msg_make(sip_default_mclass(), 0, hd_buf_text(&text), (ssize_t)text.len);
	hd_buf_fini(&text);
	if (!msg)
		return;
	if (sip_object(msg)->sip_status && !hd_uac_auth_take(auth, msg_wrap(msg), lookup, NULL))
		answer(auth);
	msg_destroy(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_slice values[HD_CREDENTIALS_VALUES_MAX + 2];
	struct hd_uac_auth *auth;
	const char *p = (const char *)data, *end = p + len;
	size_t n = 0;

	if (len == 0)
		return 0;
	need(hd_secret_init() == 0);
	need(hd_uac_auth_new(&auth) == 0);
	while (p < end && n < sizeof(values) / sizeof(values[0])) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		values[n] = (struct hd_slice){ p, (size_t)(stop - p) };
		parse_one(values[n++]);
		p = stop + 1;
	}
	for (unsigned round = 0; round < 3; round++) {
		take(auth, 401, values, n);
		take(auth, 407, values, n);
	}
	hd_uac_auth_free(auth);
	return 0;
}
