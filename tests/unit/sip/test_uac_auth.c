/* test_uac_auth.c - challenges answered as RFC 7616 and RFC 8760 say, judged by our own server. */
#include "../digest/digest_phone.h"
#include "hotdesk/sip/uac_auth.h"
#include "msg_text.h"

static struct hd_uac_auth *auth;
static const char *known_realm;
static struct hd_uac_credentials known;
static unsigned asked;

static int lookup(void *arg, struct hd_slice realm, struct hd_uac_credentials *c)
{
	(void)arg;
	asked++;
	if (known_realm && !hd_slice_is(realm, known_realm))
		return HD_ENOENT;
	*c = known;
	return 0;
}

static int setup(void **state)
{
	known = (struct hd_uac_credentials){ .username = "desk-101", .secret = "secret" };
	known_realm = NULL;
	asked = 0;
	return phone_setup(state) || msg_init(state) || hd_uac_auth_new(&auth);
}

static int teardown(void **state)
{
	(void)state;
	hd_uac_auth_free(auth);
	return 0;
}

/* The answer to a request, with these lines. */
static int take(unsigned status, const char *lines)
{
	char text[4096];
	struct hd_msg *response;
	int err;

	snprintf(text, sizeof(text), "SIP/2.0 %u No\r\n" COMMON_LINES "%sContent-Length: 0\r\n\r\n",
		 status, lines);
	response = msg_from(text);
	err = hd_uac_auth_take(auth, response, lookup, NULL);
	hd_msg_free(response);
	return err;
}

static struct hd_msg *request_with(const char *body)
{
	struct hd_new_request r = {
		.method = "REGISTER",
		.ruri = URI,
		.from = "<sip:desk-101@hotdesk.local>;tag=f",
		.to = "<sip:desk-101@hotdesk.local>",
		.call_id = "call-1",
		.cseq = 1,
		.lines = "Content-Type: text/plain\r\n",
		.body = hd_slice_of(body),
	};
	struct hd_msg *msg;

	assert_int_equal(hd_msg_new_request(&msg, &r), 0);
	return msg;
}

/* The credentials that a request carries on the wire, "" for none; good until the next call. */
static const char *answer(const char *header, const char *body)
{
	static char value[1024];
	struct hd_msg *msg = request_with(body);
	char name[64], *text, *line;

	assert_int_equal(hd_uac_auth_add(auth, msg), 0);
	text = msg_text(msg);
	snprintf(name, sizeof(name), "\r\n%s: ", header);
	line = strstr(text, name);
	value[0] = '\0';
	if (line) {
		line += strlen(name);
		assert_int_equal(hd_str_copy(value, sizeof(value),
					     (struct hd_slice){ line, strcspn(line, "\r") }),
				 0);
	}
	free(text);
	hd_msg_free(msg);
	return value;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("expected %s in %s", part, text);
}

static void lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("expected no %s in %s", part, text);
}

/* RFC 7616 3.9.1, but for its cnonce, which is ours; the hash over what was sent must be right. */
static void right(const char *text, enum hd_digest_algorithm algorithm, const char *ha1)
{
	char want[HD_DIGEST_HA1_SIZE];
	struct hd_credentials c;

	assert_int_equal(hd_credentials_parse(&c, hd_slice_of(text)), 0);
	assert_int_equal(hd_credentials_algorithm(&c), algorithm);
	assert_int_equal(hd_digest_response(want, &c, ha1, hd_slice_of("REGISTER")), 0);
	assert_slice_is(c.response, want);
	assert_slice_is(c.uri, URI);
}

#define RFC_REALM "http-auth@example.org"
#define RFC_NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC_OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define RFC_LINES                                                                                  \
	"WWW-Authenticate: Digest realm=\"" RFC_REALM "\", qop=\"auth, auth-int\", "               \
	"algorithm=SHA-256, nonce=\"" RFC_NONCE "\", opaque=\"" RFC_OPAQUE "\"\r\n"                \
	"WWW-Authenticate: Digest realm=\"" RFC_REALM "\", qop=\"auth, auth-int\", "               \
	"algorithm=MD5, nonce=\"" RFC_NONCE "\", opaque=\"" RFC_OPAQUE "\"\r\n"

static void test_rfc7616(void **state)
{
	/* MD5 and SHA-256 of "Mufasa:http-auth@example.org:Circle of Life" */
	static const char sha256[] =
		"7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232";
	static const char md5[] = "3d78807defe7de2157e2b0b6573a855f";
	const char *text;

	(void)state;
	known = (struct hd_uac_credentials){ .username = "Mufasa", .secret = "Circle of Life" };
	assert_int_equal(take(401, RFC_LINES), 0);
	assert_int_equal(asked, 1);
	text = answer("Authorization", "");
	right(text, HD_DIGEST_SHA256, sha256);
	has(text, "username=\"Mufasa\"");
	has(text, "opaque=\"" RFC_OPAQUE "\"");
	has(text, "qop=auth, nc=00000001");

	/* One hash alone is good for its algorithm alone: the lower one is taken. */
	known = (struct hd_uac_credentials){ .username = "Mufasa", .ha1_md5 = md5 };
	hd_uac_auth_accepted(auth);
	assert_int_equal(take(401, RFC_LINES), 0);
	right(answer("Authorization", ""), HD_DIGEST_MD5, md5);
}

/* Our own server asks; the answer is right, and the nonce serves again. */
static void test_our_server(void **state)
{
	struct hd_digest *d = phone_digest();
	char challenge[HD_CHALLENGE_SIZE], lines[HD_CHALLENGE_SIZE + 32];

	(void)state;
	for (size_t i = 0; i < hd_digest_challenge_count(d); i++) {
		assert_int_equal(hd_digest_challenge(challenge, d, i, SOURCE, false), 0);
		snprintf(lines, sizeof(lines), "WWW-Authenticate: %s\r\n", challenge);
		hd_uac_auth_accepted(auth);
		assert_int_equal(take(401, lines), 0);
		assert_verdict("first", phone_check_text(d, answer("Authorization", "")),
			       HD_DIGEST_OK);
		hd_uac_auth_accepted(auth);
		assert_verdict("again", phone_check_text(d, answer("Authorization", "")),
			       HD_DIGEST_OK);
		has(answer("Authorization", ""), "nc=00000003");
	}
	hd_digest_free(d);
}

static void test_without_qop(void **state)
{
	const char *text;

	(void)state;
	assert_int_equal(take(407, "Proxy-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n"), 0);
	assert_string_equal(answer("Authorization", ""), "");
	text = answer("Proxy-Authorization", "");
	lacks(text, "qop");
	lacks(text, "nc=");
	lacks(text, "algorithm");
	lacks(text, "opaque");
	/* MD5 of "desk-101:r:secret" */
	right(text, HD_DIGEST_MD5, "2b5797cca742232816609de7ec4f3f24");
}

/* RFC 7616 3.4.3: the body counts, also an empty one. */
static void test_auth_int(void **state)
{
	static const char *const bodies[] = { "", "hello" };

	(void)state;
	known = (struct hd_uac_credentials){ .username = "u", .ha1_md5 = "h" };
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\","
				   "qop=\"auth-int\"\r\n"),
			 0);
	for (size_t i = 0; i < 2; i++) {
		const char *text = answer("Authorization", bodies[i]);
		char body[33], ha2[33], want[33], cnonce[32];
		struct hd_slice part = hd_slice_of(bodies[i]);
		uint8_t sum[HD_MD5_BYTES];
		char line[256];

		has(text, i ? "qop=auth-int, nc=00000002" : "qop=auth-int, nc=00000001");
		assert_int_equal(sscanf(strstr(text, "cnonce="), "cnonce=\"%31[^\"]", cnonce), 1);
		hd_md5(sum, &part, 1);
		hd_hex_format(body, sum, sizeof(sum));
		snprintf(line, sizeof(line), "REGISTER:" URI ":%s", body);
		part = hd_slice_of(line);
		hd_md5(sum, &part, 1);
		hd_hex_format(ha2, sum, sizeof(sum));
		snprintf(line, sizeof(line), "h:n:0000000%zu:%s:auth-int:%s", i + 1, cnonce, ha2);
		part = hd_slice_of(line);
		hd_md5(sum, &part, 1);
		hd_hex_format(want, sum, sizeof(sum));
		snprintf(line, sizeof(line), "response=\"%s\"", want);
		has(text, line);
	}
}

/* Both ends of the way ask: both are answered (RFC 3261 22.3). */
static void test_several_realms(void **state)
{
	struct hd_msg *msg;

	(void)state;
	assert_int_equal(take(407, "Proxy-Authenticate: Digest realm=\"p\",nonce=\"1\"\r\n"), 0);
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"a\",nonce=\"2\"\r\n"
				   "WWW-Authenticate: Digest realm=\"b\",nonce=\"3\"\r\n"),
			 0);
	msg = request_with("");
	assert_int_equal(hd_uac_auth_add(auth, msg), 0);
	has(hd_msg_header(msg, "Proxy-Authorization", 0), "realm=\"p\"");
	has(hd_msg_header(msg, "Authorization", 0), "realm=\"a\"");
	has(hd_msg_header(msg, "Authorization", 1), "realm=\"b\"");
	assert_null(hd_msg_header(msg, "Authorization", 2));
	hd_msg_free(msg);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"1\"\r\n"), 0);
	answer("Authorization", "");
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"2\"\r\n"),
			 HD_EACCESS);
	/* What follows a success is about another request. */
	hd_uac_auth_accepted(auth);
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"3\"\r\n"), 0);
}

/* A stale nonce is no refusal, but not for ever. */
static void test_stale(void **state)
{
	unsigned n = 0;

	(void)state;
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"1\"\r\n"), 0);
	do {
		answer("Authorization", "");
		assert_true(n++ < 10);
	} while (!take(401, "WWW-Authenticate: Digest realm=\"r\",nonce=\"2\",stale=true\r\n"));
	assert_int_equal(n, 4);
}

static void test_cannot(void **state)
{
	static const struct {
		const char *value;
		int err;
	} rows[] = {
		{ "Basic realm=\"r\"", HD_EUNSUPPORTED },
		{ "Digest realm=\"r\",nonce=\"n\",algorithm=SHA-512-256", HD_EUNSUPPORTED },
		{ "Digest realm=\"r\",nonce=\"n\",algorithm=MD5-sess", HD_EUNSUPPORTED },
		{ "Digest realm=\"r\",nonce=\"n\",qop=\"token\"", HD_EUNSUPPORTED },
		{ "Digest realm=\"r\"", HD_EUNSUPPORTED },
		{ "Digest nonce=\"n\"", HD_EUNSUPPORTED },
		{ "Digest realm=\"r\",nonce=\\", HD_EUNSUPPORTED },
		{ "Digest realm=\"r\",nonce=\"n\",nonce=\"m\"", HD_EUNSUPPORTED },
		{ "Digest", HD_EUNSUPPORTED },
		{ "Digest realm=\"other\",nonce=\"n\"", HD_ENOENT },
	};
	char lines[256];

	(void)state;
	known_realm = "r";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(lines, sizeof(lines), "WWW-Authenticate: %s\r\n", rows[i].value);
		if (take(401, lines) != rows[i].err)
			fail_msg("%s: not %s", rows[i].value, hd_strerror(rows[i].err));
	}
	assert_int_equal(take(401, ""), HD_EUNSUPPORTED);
	assert_string_equal(answer("Authorization", ""), "");
}

/* A name and a realm with quotes go out as they must. */
static void test_quotes(void **state)
{
	const char *text;

	(void)state;
	known.username = "a\"b\\c";
	assert_int_equal(take(401, "WWW-Authenticate: Digest realm=\"x\\\"y\",nonce=\"n\"\r\n"), 0);
	text = answer("Authorization", "");
	has(text, "username=\"a\\\"b\\\\c\"");
	has(text, "realm=\"x\\\"y\"");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rfc7616),  TEST(test_our_server),	TEST(test_without_qop),
		TEST(test_auth_int), TEST(test_several_realms), TEST(test_refused),
		TEST(test_stale),    TEST(test_cannot),		TEST(test_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
