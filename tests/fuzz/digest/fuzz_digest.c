/*
 * fuzz_digest.c - header values of credentials, one a line, through the parser and the judgement.
 *
 * "@" in the input stands for a live nonce, so that the look-up and the arithmetic are reached too.
 */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/digest.h"
#include "support/fuzz.h"

enum { VALUES_MAX = 20 };

static struct hd_digest *digest;
static struct hd_fake_clock fake;

static void need(bool condition)
{
	if (!condition)
		abort();
}

static int lookup(void *arg, const char *username, enum hd_digest_algorithm algorithm,
		  char ha1[HD_DIGEST_HA1_SIZE])
{
	(void)arg;
	need(strlen(username) < HD_DIGEST_USER_SIZE);
	if (strcmp(username, "desk-101") != 0)
		return HD_ENOENT;

	memset(ha1, 'a', algorithm == HD_DIGEST_SHA256 ? 64 : 32);
	return 0;
}

static void digest_make(void)
{
	struct hd_digest_options o = {
		.realm = "hotdesk.local",
		.md5 = true,
		.sha256 = true,
		.without_qop = true,
		.nonce_s = 300,
		.used_max = 64,
		.clock = &fake.clock,
	};

	need(hd_secret_init() == 0);
	hd_fake_clock_init(&fake, INT64_C(1795000000000));
	need(hd_digest_new(&digest, &o) == 0);
}

static void text_make(struct hd_buf *text, const char *data, size_t len)
{
	char challenge[HD_CHALLENGE_SIZE];
	struct hd_credentials c;

	need(hd_digest_challenge(challenge, digest, 1, "192.0.2.1", false) == 0);
	need(hd_credentials_parse(&c, hd_slice_of(challenge)) == 0);
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '@')
			hd_buf_add(text, c.nonce);
		else
			hd_buf_add(text, (struct hd_slice){ data + i, 1 });
	}
}

static void parse_one(struct hd_slice value)
{
	struct hd_credentials c;

	if (hd_credentials_parse(&c, value))
		return;

	const struct hd_slice fields[] = { c.username,	c.realm, c.nonce, c.uri,    c.response,
					   c.algorithm, c.qop,	 c.nc,	  c.cnonce, c.opaque };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		need(!fields[i].ptr || (fields[i].ptr > value.ptr &&
					fields[i].ptr + fields[i].len <= value.ptr + value.len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hd_slice values[VALUES_MAX];
	struct hd_digest_result result;
	struct hd_digest_request req = {
		.method = hd_slice_of("REGISTER"),
		.uri = hd_slice_of("sip:hotdesk.local"),
		.source = "192.0.2.1",
		.call_id = hd_slice_of("c"),
		.values = values,
	};
	struct hd_buf text = { 0 };
	const char *p;
	const char *end;

	if (!digest)
		digest_make();
	text_make(&text, (const char *)data, len);
	p = text.data;
	end = p ? p + text.len : NULL;
	while (p && p < end && req.n_values < VALUES_MAX) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol ? eol : end;

		values[req.n_values] = (struct hd_slice){ p, (size_t)(stop - p) };
		parse_one(values[req.n_values++]);
		p = stop + 1;
	}

	need(hd_digest_check(digest, &req, lookup, NULL, &result) == result.verdict);
	need(result.why != NULL);
	/* A right digest is not found by chance. */
	need(result.verdict != HD_DIGEST_OK && result.verdict != HD_DIGEST_REPEATED);
	hd_buf_fini(&text);
	return 0;
}
