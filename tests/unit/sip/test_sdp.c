/* test_sdp.c - answers of somebody who has nothing to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/sdp.h"

#define SESSION "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

/* The media part of the answer; the session part is checked here. */
static const char *answer_to(const char *offer, const char *address)
{
	static char text[2048];
	const char *family = strchr(address, ':') ? "IP6" : "IP4";
	struct hd_buf b = { 0 };
	char expected[160];
	const char *rest;

	assert_int_equal(hd_sdp_inactive(&b, hd_slice_of(offer), address), 0);
	snprintf(text, sizeof(text), "%s", hd_buf_text(&b));
	hd_buf_fini(&b);
	assert_memory_equal(text, "v=0\r\no=hotdeskd ", 16);
	rest = strstr(text, "\r\ns=");
	assert_non_null(rest);
	snprintf(expected, sizeof(expected), "\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, address);
	assert_memory_equal(rest, expected, strlen(expected));
	return rest + strlen(expected);
}

static int refused(const char *offer)
{
	struct hd_buf b = { 0 };
	int err = hd_sdp_inactive(&b, hd_slice_of(offer), "192.0.2.9");

	hd_buf_fini(&b);
	return err;
}

static void test_late_offer(void **state)
{
	(void)state;
	assert_string_equal(answer_to("", "192.0.2.9"),
			    "m=audio 9 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n"
			    "a=rtpmap:0 PCMU/8000\r\na=inactive\r\n");
	answer_to("", "2001:db8::9");
}

static void test_audio(void **state)
{
	(void)state;
	assert_string_equal(answer_to(SESSION "m=audio 4000 RTP/AVP 9 8 101\r\n"
					      "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
					      "a=sendrecv\r\n",
				      "192.0.2.9"),
			    "m=audio 9 RTP/AVP 9\r\na=rtpmap:9 G722/8000\r\na=inactive\r\n");
	/* bare LF, no end of the last line, no rtpmap for a static type */
	assert_string_equal(answer_to("v=0\nm=audio 4000 RTP/AVP 0", "192.0.2.9"),
			    "m=audio 9 RTP/AVP 0\r\na=inactive\r\n");
	/* "a=rtpmap:9 " must not match type 96, nor the other way round */
	assert_string_equal(answer_to("v=0\r\nm=audio 4 RTP/AVP 9\r\na=rtpmap:96 opus/48000/2\r\n",
				      "192.0.2.9"),
			    "m=audio 9 RTP/AVP 9\r\na=inactive\r\n");
}

/* RFC 3264 6: as many m= lines as were offered, in their order; one is taken. */
static void test_many_streams(void **state)
{
	(void)state;
	assert_string_equal(answer_to(SESSION
				      "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
				      "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n"
				      "m=audio 4002 RTP/AVP 0\r\nm=image 6000 udptl t38\r\n",
				      "192.0.2.9"),
			    "m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\n"
			    "m=audio 9 RTP/AVP 8\r\na=inactive\r\n"
			    "m=audio 0 RTP/AVP 0\r\nm=image 0 udptl t38\r\n");
}

#define KEY "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32"

static void test_srtp(void **state)
{
	static const char begin[] =
		"m=audio 9 RTP/SAVP 0\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:";
	const char *answer, *key;

	(void)state;
	answer = answer_to(SESSION "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 " KEY
				   "\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
			   "192.0.2.9");
	assert_memory_equal(answer, begin, strlen(begin));
	key = answer + strlen(begin);
	assert_int_equal(
		strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
		40);
	assert_string_equal(key + 40, "\r\na=inactive\r\n");
	assert_memory_not_equal(key, strstr(KEY, ":") + 1, 40); /* ours, not the offer's */
}

/* Of two offered streams the one that can be taken is; SAVP without a suite of ours cannot. */
static void test_srtp_not_possible(void **state)
{
	(void)state;
	assert_int_equal(refused(SESSION "m=audio 4000 RTP/SAVP 0\r\n"), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 "
					 "F8_128_HMAC_SHA1_80 " KEY "\r\n"),
			 HD_EUNSUPPORTED);
	assert_string_equal(answer_to(SESSION
				      "m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0\r\n",
				      "192.0.2.9"),
			    "m=audio 0 RTP/SAVP 0\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\n");
}

static void test_refused(void **state)
{
	static const char nul[] = "v=0\r\nm=audio 1 RTP/AVP 0\r\na=rtpmap:0 \0PCMU/8000\r\n";
	char many[8192] = "v=0\r\n";
	struct hd_buf b = { 0 };

	(void)state;
	assert_int_equal(refused(SESSION), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=video 5000 RTP/AVP 96\r\n"), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=audio 0 RTP/AVP 0\r\n"), HD_EUNSUPPORTED);
	assert_int_equal(refused("hello"), HD_EPARSE);
	assert_int_equal(refused("m=audio 4000 RTP/AVP 0\r\n"), HD_EPARSE);
	assert_int_equal(refused(SESSION "m=audio 4000 RTP/AVP\r\n"), HD_EPARSE);
	assert_int_equal(refused(SESSION "m=\r\n"), HD_EPARSE);
	assert_int_equal(
		hd_sdp_inactive(&b, (struct hd_slice){ nul, sizeof(nul) - 1 }, "192.0.2.9"),
		HD_EPARSE);
	hd_buf_fini(&b);
	for (size_t i = 0; i < 600; i++)
		memcpy(many + strlen(many), "a=x\r\n", 6);
	assert_int_equal(refused(many), HD_EPARSE);
}

/* Nothing that the parser is given may make it read further, or answer with more than it was. */
static void test_truncated(void **state)
{
	static const char offer[] = SESSION "m=audio 4000 RTP/SAVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
					    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n";
	struct hd_buf b = { 0 };
	char *exact;

	(void)state;
	for (size_t n = 1; n < sizeof(offer); n++) {
		exact = malloc(n);
		assert_non_null(exact);
		memcpy(exact, offer, n);
		(void)!hd_sdp_inactive(&b, (struct hd_slice){ exact, n }, "192.0.2.9");
		assert_true(b.len < 512);
		hd_buf_fini(&b);
		free(exact);
	}
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_offer),	  cmocka_unit_test(test_audio),
		cmocka_unit_test(test_many_streams),	  cmocka_unit_test(test_srtp),
		cmocka_unit_test(test_srtp_not_possible), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
