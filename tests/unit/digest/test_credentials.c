/* test_credentials.c - syntax of credentials, and responses that others computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/digest.h"

static struct hd_slice str(const char *s)
{
	return hd_slice_of(s);
}

static void assert_slice(const char *line, const char *what, struct hd_slice got, const char *want)
{
	if (!want && !got.ptr)
		return;
	if (!want || !got.ptr || !hd_slice_is(got, want))
		fail_msg("%s: %s: expected %s, got %.*s", line, what, want ? want : "nothing",
			 (int)got.len, got.ptr ? got.ptr : "");
}

/* DIG-16 and what phones were seen to send */
static void test_liberal(void **state)
{
	static const char *const lines[] = {
		"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"f\", "
		"qop=auth, nc=00000001, cnonce=\"c\"",
		"Digest "
		"username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:x\",response=\"f\",qop=\"auth\","
		"nc=\"00000001\",cnonce=\"c\"",
		"DIGEST  response=f , cnonce=c, "
		"nc=00000001,qop=auth,uri=sip:x,nonce=n,realm=r,username=u",
		"\tdigest\r\n username = \"u\",\r\n\trealm = \"r\" ,nonce=\"n\"\r\n ,uri=\"sip:x\","
		"response=\"f\",nc=00000001,cnonce=\"c\",qop=auth \r\n",
		"Digest ,, USERNAME=\"u\",,Realm=\"r\",NONCE=\"n\",Uri=\"sip:x\",RESPONSE=\"f\","
		"QOP=auth,NC=00000001,CNonce=\"c\",x=y,auth-param=\"a, b=\\\"c\\\"\",",
	};
	struct hd_credentials c;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int err = hd_credentials_parse(&c, str(lines[i]));

		if (err)
			fail_msg("%s: %s", lines[i], hd_strerror(err));
		assert_slice(lines[i], "username", c.username, "u");
		assert_slice(lines[i], "realm", c.realm, "r");
		assert_slice(lines[i], "nonce", c.nonce, "n");
		assert_slice(lines[i], "uri", c.uri, "sip:x");
		assert_slice(lines[i], "response", c.response, "f");
		assert_slice(lines[i], "qop", c.qop, "auth");
		assert_slice(lines[i], "nc", c.nc, "00000001");
		assert_slice(lines[i], "cnonce", c.cnonce, "c");
		assert_slice(lines[i], "algorithm", c.algorithm, NULL);
		assert_int_equal(hd_credentials_algorithm(&c), HD_DIGEST_MD5);
	}
}

static void test_values_as_sent(void **state)
{
	struct hd_credentials c;

	(void)state;
	assert_int_equal(
		hd_credentials_parse(&c, str("Digest username=\"a\\\"b\",uri=sip:a@b;t=udp,"
					     "cnonce=\"X+5u/J=\",realm=\"\",nonce=")),
		0);
	assert_slice("escaped", "username", c.username, "a\\\"b");
	assert_slice("bare", "uri", c.uri, "sip:a@b;t=udp");
	assert_slice("base64", "cnonce", c.cnonce, "X+5u/J=");
	assert_slice("empty", "realm", c.realm, "");
	assert_slice("empty", "nonce", c.nonce, "");
	assert_slice("absent", "nc", c.nc, NULL);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		int err;
	} cases[] = {
		{ "", HD_EUNSUPPORTED },
		{ "Basic QWxhZGRpbjpvcGVu", HD_EUNSUPPORTED },
		{ "Bearer abc", HD_EUNSUPPORTED },
		{ "Digestive a=b", HD_EUNSUPPORTED },
		{ "Digest", HD_ENOENT },
		{ "Digest  \r\n", HD_ENOENT },
		{ "Digest ,", HD_ENOENT },
		{ "Digest=x", HD_EPARSE },
		{ "Digest username", HD_EPARSE },
		{ "Digest =x", HD_EPARSE },
		{ "Digest username=\"u", HD_EPARSE },
		{ "Digest username=\"u\\", HD_EPARSE },
		{ "Digest username=\"u\\\"", HD_EPARSE },
		{ "Digest username=\"u\"realm=\"r\"", HD_EPARSE },
		{ "Digest username=\"u\" realm=\"r\"", HD_EPARSE },
		{ "Digest username=u\"v\"", HD_EPARSE },
		{ "Digest user name=u", HD_EPARSE },
		{ "Digest username=\"a\r\n b\"", HD_EPARSE },
		{ "Digest username=\"a\x01\"", HD_EPARSE },
		{ "Digest username=a\x7f", HD_EPARSE },
		{ "Digest username=\"u\",username=\"v\"", HD_EPARSE },
		{ "Digest nonce=a,NONCE=a", HD_EPARSE },
		{ "Digest nc=00000001,nc=00000001", HD_EPARSE },
		{ "Digest response=\"\",response=\"f\"", HD_EPARSE },
	};
	struct hd_credentials c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = hd_credentials_parse(&c, str(cases[i].line));

		if (err != cases[i].err)
			fail_msg("%s: expected %d, got %d", cases[i].line, cases[i].err, err);
	}
	assert_int_equal(hd_credentials_parse(NULL, str("Digest a=b")), HD_EINVAL);
	assert_int_equal(hd_credentials_parse(&c, (struct hd_slice){ NULL, 0 }), HD_EINVAL);
	assert_int_equal(hd_credentials_parse(&c, (struct hd_slice){ "Digest a=\"\0\"", 12 }),
			 HD_EPARSE);
}

/* DIG-29: long names, many parameters */
static void test_bounded(void **state)
{
	struct hd_credentials c;
	struct hd_buf b = { 0 };

	(void)state;
	hd_buf_adds(&b, "Digest username=\"");
	for (int i = 0; i < 3000; i++)
		hd_buf_adds(&b, "u");
	hd_buf_adds(&b, "\",realm=r");
	assert_int_equal(hd_credentials_parse(&c, str(hd_buf_text(&b))), 0);
	assert_int_equal(c.username.len, 3000);
	for (int i = 0; i < 2000; i++)
		hd_buf_adds(&b, "u");
	assert_int_equal(hd_credentials_parse(&c, str(hd_buf_text(&b))), HD_ELIMIT);
	hd_buf_fini(&b);

	hd_buf_adds(&b, "Digest p=v");
	for (int i = 1; i < HD_CREDENTIALS_PARAMS_MAX; i++)
		hd_buf_adds(&b, ",p=v");
	assert_int_equal(hd_credentials_parse(&c, str(hd_buf_text(&b))), 0);
	hd_buf_adds(&b, ",p=v");
	assert_int_equal(hd_credentials_parse(&c, str(hd_buf_text(&b))), HD_ELIMIT);
	hd_buf_fini(&b);
}

/* ---- responses computed by others ---------------------------------------------------------- */

static void ha1_make(char *ha1, const struct hd_credentials *c, const char *password)
{
	const struct hd_slice parts[] = { c->username, str(":"), c->realm, str(":"),
					  str(password) };
	uint8_t sum[HD_SHA256_BYTES];

	if (hd_credentials_algorithm(c) == HD_DIGEST_SHA256) {
		hd_sha256(sum, parts, 5);
		hd_hex_format(ha1, sum, HD_SHA256_BYTES);
	} else {
		hd_md5(sum, parts, 5);
		hd_hex_format(ha1, sum, HD_MD5_BYTES);
	}
}

#define RFC7616                                                                                    \
	"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "   \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "                    \
	"cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "

static const struct {
	const char *method;
	const char *password;
	const char *line;
} vectors[] = {
	/* RFC 7616 3.9.1 */
	{ "GET", "Circle of Life",
	  RFC7616 "algorithm=MD5, response=\"8ca523f5e9506fed4657c9700eebdbec\"" },
	{ "GET", "Circle of Life",
	  RFC7616 "algorithm=SHA-256, response="
		  "\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"" },
	/* RFC 2617 3.5 */
	{ "GET", "Circle Of Life",
	  "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
	  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, "
	  "nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
	  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"" },
	/* RFC 2069 2.4 as its erratum 749 has it */
	{ "GET", "CircleOfLife",
	  "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
	  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
	  "response=\"1949323746fe6a43ef61f9606e7febea\", "
	  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"" },
	/* Polycom VVX 350 */
	{ "REGISTER", "Test-Pass-1",
	  "Digest username=\"1013\", realm=\"pbx.example.org\", "
	  "nonce=\"921a55467c54fdd626a9077a1c7f6358\", qop=auth, cnonce=\"X+5uJHgPKBGjp82\", "
	  "nc=00000001, opaque=\"4804ccfd48df7fecce5b185da0e7175d\", "
	  "uri=\"sip:pbx.example.org;transport=udp\", "
	  "response=\"37fd37cc8460021aca9c8d6099c92add\", algorithm=MD5" },
	/* Cisco SPA525G */
	{ "REGISTER", "Test-Pass-1",
	  "Digest username=\"account\",realm=\"example.com\",nonce=\"47abd040\","
	  "uri=\"sip:sip.example.com\",algorithm=MD5,"
	  "response=\"70c0f27da6551e41c10763165fc3f380\"" },
	/* Yealink T21P E2 */
	{ "REGISTER", "Test-Pass-1",
	  "Digest username=\"401998\", realm=\"10.2.84.19\", "
	  "nonce=\"5eb503f9b40c6d1f396eef36c55a6713b8421c74\", uri=\"sip:10.2.84.19:5060\", "
	  "response=\"ff64bac97953f593fe2350c465d0ad63\", algorithm=MD5" },
	/* Yealink T22P */
	{ "REGISTER", "Test-Pass-1",
	  "Digest username=\"100\", realm=\"sip.example.org\", "
	  "nonce=\"4f1d8a5e-1c8b-11e5-9d0c-5b2a3f1c7e44\", uri=\"sip:sip.example.org:5060\", "
	  "response=\"d6a8940dd0617cfca6e067b02e98215d\", algorithm=MD5, cnonce=\"0a4f113b\", "
	  "qop=auth, nc=00000009" },
	/* Aastra 6867i */
	{ "REGISTER", "Test-Pass-1",
	  "Digest username=\"10\",realm=\"asterisk\",nonce=\"1663f6f8\","
	  "uri=\"sip:192.168.101.254:5060\",response=\"bc2637096ddf17230225ebae3e527b70\","
	  "algorithm=MD5" },
	/* Grandstream GXP2200 */
	{ "INVITE", "Test-Pass-1",
	  "Digest username=\"250\", realm=\"sip.example.org\", nonce=\"5d1c7a0e0000a1b2\", "
	  "uri=\"sip:251@sip.example.org;user=phone\", "
	  "response=\"d879db1a4a6b7ce8e3083956f4535582\", algorithm=MD5, cnonce=\"34712653\", "
	  "qop=auth, nc=00000d1b" },
};

static void test_vectors(void **state)
{
	char ha1[HD_DIGEST_HA1_SIZE];
	char got[HD_DIGEST_HA1_SIZE];
	struct hd_credentials c;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(hd_credentials_parse(&c, str(vectors[i].line)), 0);
		ha1_make(ha1, &c, vectors[i].password);
		assert_int_equal(hd_digest_response(got, &c, ha1, str(vectors[i].method)), 0);
		assert_slice(vectors[i].line, "response", c.response, got);

		assert_int_equal(hd_digest_response(got, &c, ha1, str("PUT")), 0);
		assert_false(hd_slice_is(c.response, got));
	}
}

/* RFC 7616 3.9.2 asks for SHA-512-256 and a hashed name: we offer neither. */
static void test_not_offered(void **state)
{
	static const char *const lines[] = {
		"Digest "
		"username=\"488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec\","
		"realm=\"api@example.org\",uri=\"/doe.json\",algorithm=SHA-512-256,nonce=\"5TsQ\","
		"nc=00000001,cnonce=\"NTg6\",qop=auth,userhash=true,response=\"ae66\"",
		"Digest username=\"u\",algorithm=MD5-sess,response=f",
		"Digest username=\"u\",algorithm=,response=f",
		"Digest username=\"u\",qop=auth-int,response=f",
		"Digest username=\"u\",qop=\"auth,auth-int\",response=f",
	};
	char out[HD_DIGEST_HA1_SIZE];
	struct hd_credentials c;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(hd_credentials_parse(&c, str(lines[i])), 0);
		assert_int_equal(hd_digest_response(out, &c, "", str("GET")), HD_EUNSUPPORTED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_liberal), cmocka_unit_test(test_values_as_sent),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_not_offered),
	};

	if (hd_secret_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
