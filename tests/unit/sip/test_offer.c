/* test_offer.c - offers of real phones and what we answer; our own offer and its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/offer.h"

#define SESSION "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define EVENTS(pt) "a=rtpmap:" pt " telephone-event/8000\r\na=fmtp:" pt " 0-15\r\n"
#define KEY "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"

static const uint8_t our_key[HD_SDP_KEY_BYTES] = { 1, 2, 3 };
#define OUR_KEY "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct hd_sdp_stream stream;

/* The media part of the answer; what the offer came to is in `stream`. */
static const char *answer_to(const char *offer)
{
	static const char head[] = "v=0\r\no=hotdeskd 77 2 IN IP4 192.0.2.9\r\ns=-\r\n"
				   "c=IN IP4 192.0.2.9\r\nt=0 0\r\n";
	static char text[4096];
	const struct hd_sdp_local local = {
		.address = "192.0.2.9", .port = 30000, .id = 77, .version = 2, .key = our_key
	};
	struct hd_sdp *sdp = NULL;
	struct hd_buf b = { 0 };

	assert_int_equal(hd_sdp_read_offer(&sdp, hd_slice_of(offer)), 0);
	stream = *hd_sdp_stream(sdp);
	assert_int_equal(hd_sdp_write_answer(&b, sdp, &local), 0);
	snprintf(text, sizeof(text), "%s", hd_buf_text(&b));
	hd_buf_fini(&b);
	hd_sdp_free(sdp);
	assert_memory_equal(text, head, sizeof(head) - 1);
	return text + sizeof(head) - 1;
}

static int refused(const char *offer)
{
	struct hd_sdp *sdp = NULL;

	return hd_sdp_read_offer(&sdp, hd_slice_of(offer));
}

/* What each phone of samples/ offers in its INVITE. */
static void test_real_phones(void **state)
{
	(void)state;
	/* Snom 300: nine codecs, ours in between */
	assert_string_equal(
		answer_to("v=0\r\no=root 722847273 722847273 IN IP4 192.168.1.201\r\ns=call\r\n"
			  "c=IN IP4 192.168.1.201\r\nt=0 0\r\n"
			  "m=audio 61856 RTP/AVP 9 0 8 3 99 112 18 101\r\na=rtpmap:9 G722/8000\r\n"
			  "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:3 GSM/8000\r\n"
			  "a=rtpmap:99 G726-32/8000\r\na=rtpmap:112 AAL2-G726-32/8000\r\n"
			  "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n" EVENTS(
				  "101") "a=ptime:20\r\na=sendrecv\r\n"),
		"m=audio 30000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n" EVENTS(
			"101") "a=ptime:20\r\na=sendrecv\r\n");
	assert_string_equal(stream.remote, "192.168.1.201");
	assert_int_equal(stream.remote_port, 61856);
	assert_int_equal(stream.ptime_ms, 20);
	assert_true(stream.may_send && stream.may_receive && !stream.a_law && !stream.secure);
	/* Snom 360: small letters, events to 16 */
	assert_string_equal(
		answer_to("v=0\r\no=root 1 1 IN IP4 10.0.2.250\r\ns=call\r\nc=IN IP4 10.0.2.250\r\n"
			  "t=0 0\r\nm=audio 54762 RTP/AVP 8 0 101\r\na=rtpmap:8 pcma/8000\r\n"
			  "a=rtpmap:0 pcmu/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
			  "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"),
		"m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n" EVENTS(
			"101") "a=ptime:20\r\na=sendrecv\r\n");
	assert_true(stream.a_law);
	/* Grandstream: the direction before the codecs; Yealink: fmtp before rtpmap */
	assert_string_equal(
		answer_to(
			"v=0\r\no=250 8000 8000 IN IP4 192.168.178.22\r\ns=SIP Call\r\n"
			"c=IN IP4 192.168.178.22\r\nt=0 0\r\nm=audio 50040 RTP/AVP 0 8 9 18 97\r\n"
			"a=sendrecv\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
			"a=rtpmap:8 PCMA/8000\r\na=fmtp:97 0-15\r\n"
			"a=rtpmap:97 telephone-event/8000\r\n"),
		"m=audio 30000 RTP/AVP 0 97\r\na=rtpmap:0 PCMU/8000\r\n" EVENTS(
			"97") "a=ptime:20\r\na=sendrecv\r\n");
	/* Cisco SPA: SRTP by SDES with two suites, 30 ms */
	assert_string_equal(
		answer_to(
			"v=0\r\no=- 173522214 173522214 IN IP4 192.168.32.239\r\ns=-\r\n"
			"c=IN IP4 192.168.32.239\r\nt=0 0\r\n"
			"m=audio 16454 RTP/SAVP 0 2 8 9 18 96 97 98 101\r\na=rtpmap:0 PCMU/8000\r\n"
			"a=rtpmap:2 G726-32/8000\r\na=rtpmap:8 PCMA/8000\r\n" EVENTS(
				"101") "a=ptime:30\r\na=sendrecv\r\n"
				       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"
				       "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n"),
		"m=audio 30000 RTP/SAVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n" EVENTS(
			"101") "a=ptime:20\r\na=sendrecv\r\n"
			       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" OUR_KEY "\r\n");
	assert_true(stream.secure && !stream.tag_32);
	assert_int_equal(stream.key[0], 0x3d);
	assert_int_equal(stream.ptime_ms, 30);
}

#define PLAIN "m=audio 4000 RTP/AVP 8\r\n"

static void test_directions(void **state)
{
	static const struct {
		const char *offered, *answered;
		bool send, receive;
	} rows[] = {
		{ "a=sendrecv\r\n", "a=sendrecv\r\n", true, true },
		{ "", "a=sendrecv\r\n", true, true },
		{ "a=sendonly\r\n", "a=recvonly\r\n", false, true },
		{ "a=recvonly\r\n", "a=sendonly\r\n", true, false },
		{ "a=inactive\r\n", "a=inactive\r\n", false, false },
		{ "c=IN IP4 0.0.0.0\r\n", "", false, true }, /* hold of RFC 2543 */
	};
	char offer[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(offer, sizeof(offer), SESSION PLAIN "%s", rows[i].offered);
		assert_non_null(strstr(answer_to(offer), rows[i].answered));
		assert_int_equal(stream.may_send, rows[i].send);
		assert_int_equal(stream.may_receive, rows[i].receive);
	}
	/* of the session, when the media has none of its own */
	assert_non_null(
		strstr(answer_to("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\n"
				 "t=0 0\r\na=sendonly\r\n" PLAIN),
		       "a=recvonly\r\n"));
}

/* RFC 3264 6: as many m= lines as were offered, in their order; one is taken. */
static void test_many_streams(void **state)
{
	(void)state;
	assert_string_equal(
		answer_to(SESSION "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
				  "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 8\r\n"
				  "m=audio 4002 RTP/AVP 0\r\nm=image 6000 udptl t38\r\n"
				  "m=application 9 TCP/BFCP *\r\n"),
		"m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\n"
		"m=audio 30000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
		"m=audio 0 RTP/AVP 0\r\nm=image 0 udptl t38\r\nm=application 0 TCP/BFCP *\r\n");
	/* both secure and plain, as phones with "optional" do: the first that can be taken */
	assert_string_equal(answer_to(SESSION
				      "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 F8_128_HMAC_SHA1_80 "
				      "inline:" KEY "\r\n" PLAIN),
			    "m=audio 0 RTP/SAVP 8\r\nm=audio 30000 RTP/AVP 8\r\n"
			    "a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n");
}

static void test_details(void **state)
{
	const char *a;

	(void)state;
	a = answer_to(SESSION "m=audio 4000 RTP/AVPF 8 100 101\r\na=rtcp-mux\r\n" EVENTS("100")
			      EVENTS("101") "a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host\r\n"
					    "a=ptime:60\r\na=maxptime:40\r\n");
	assert_string_equal(
		a, "m=audio 30000 RTP/AVPF 8 100 101\r\na=rtpmap:8 PCMA/8000\r\n" EVENTS("100")
			   EVENTS("101") "a=ptime:20\r\na=sendrecv\r\n"
					 "a=rtcp-mux\r\n");
	assert_int_equal(stream.n_event_types, 2);
	assert_int_equal(stream.ptime_ms, 40);
	/* events of another clock are not ours; dynamic types of our codecs are */
	a = answer_to(SESSION "m=audio 4000 RTP/AVP 96 97 98\r\na=rtpmap:96 opus/48000/2\r\n"
			      "a=rtpmap:97 telephone-event/48000\r\na=rtpmap:98 PCMA/8000\r\n");
	assert_memory_equal(a, "m=audio 30000 RTP/AVP 98\r\n", 26);
	assert_int_equal(stream.n_event_types, 0);
	/* bare LF, no t=, no s=, no end of the last line */
	a = answer_to("v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 1.2.3.4\nm=audio 4000 RTP/AVP 0");
	assert_memory_equal(a, "m=audio 30000 RTP/AVP 0\r\n", 25);
	/* a name, or another family */
	(void)answer_to(
		"v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 phone.example\r\nt=0 0\r\n" PLAIN);
	assert_string_equal(stream.remote, "");
	(void)answer_to(
		"v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 2001:db8::5\r\nt=0 0\r\n" PLAIN);
	assert_string_equal(stream.remote, "2001:db8::5");
	assert_true(stream.ipv6);
	/* c= of the media before that of the session */
	(void)answer_to(SESSION PLAIN "c=IN IP4 192.0.2.200\r\n");
	assert_string_equal(stream.remote, "192.0.2.200");
}

#define SAVP SESSION "m=audio 4000 RTP/SAVP 8\r\na=crypto:"

static void test_sdes(void **state)
{
	static const char *const bad[] = {
		"1 AES_CM_256_HMAC_SHA1_80 inline:" KEY,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1:4", /* MKI */
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31|1:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY ";inline:" KEY,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " KDR=1",
		"1 AES_CM_128_HMAC_SHA1_80 inline:short",
		"1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaV*R",
		"1 AES_CM_128_HMAC_SHA1_80 " KEY,
		"1 AES_CM_128_HMAC_SHA1_80",
		"x AES_CM_128_HMAC_SHA1_80 inline:" KEY,
		"1",
		"",
	};
	char offer[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(offer, sizeof(offer), SAVP "%s\r\n", bad[i]);
		assert_int_equal(refused(offer), HD_EUNSUPPORTED);
	}
	assert_int_equal(refused(SESSION "m=audio 4000 RTP/SAVP 8\r\n"), HD_EUNSUPPORTED);
	assert_non_null(
		strstr(answer_to(SAVP "9 aes_cm_128_hmac_sha1_32 inline:" KEY "|2^20 WSH=128\r\n"),
		       "a=crypto:9 AES_CM_128_HMAC_SHA1_32 inline:" OUR_KEY "\r\n"));
	assert_true(stream.tag_32);
	assert_non_null(
		strstr(answer_to(SAVP "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1:4\r\n"
				      "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31\r\n"),
		       "a=crypto:2 "));
}

static void test_no_key_of_ours(void **state)
{
	struct hd_sdp_local local = { .address = "192.0.2.9", .port = 4 };
	struct hd_sdp *sdp = NULL;
	struct hd_buf b = { 0 };

	(void)state;
	assert_int_equal(
		hd_sdp_read_offer(&sdp,
				  hd_slice_of(SAVP "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n")),
		0);
	assert_int_equal(hd_sdp_write_answer(&b, sdp, &local), HD_EINVAL);
	hd_sdp_free(sdp);
	hd_sdp_free(NULL);
	hd_buf_fini(&b);
}

static void test_refused(void **state)
{
	char many[8192] = SESSION;

	(void)state;
	assert_int_equal(refused(""), HD_EPARSE);
	assert_int_equal(refused("hello"), HD_EPARSE);
	assert_int_equal(refused(SESSION), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=audio 4000 RTP/AVP 9 18\r\n"), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n"
					 "a=fingerprint:sha-256 00\r\n"),
			 HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=video 4000 RTP/AVP 8\r\n"), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=audio 0 RTP/AVP 8\r\n"), HD_EUNSUPPORTED);
	assert_int_equal(refused(SESSION "m=audio 70000 RTP/AVP 8\r\n") == 0, 0);
	/* the parser of the library never ends at these */
	assert_int_equal(refused("v=0\nm=o 0P::"), HD_EPARSE);
	assert_int_equal(refused("v=0\nm=e 6\t\t\t\n"), HD_EPARSE);
	assert_int_equal(refused(SESSION PLAIN "m=audio 0 x :\r\n"), HD_EPARSE);
	assert_int_equal(refused(SESSION PLAIN "m=audio 0 x b,,c\r\n"), HD_EPARSE);
	assert_int_equal(refused(SESSION PLAIN " m=audio  0\tx @@\r\n"), HD_EPARSE);
	for (int i = 0; i < 40; i++)
		memcpy(many + strlen(many), PLAIN, sizeof(PLAIN));
	assert_int_equal(refused(many), HD_EPARSE);
}

/* ---- our own offer -------------------------------------------------------------------------- */

static void test_our_offer(void **state)
{
	const struct hd_sdp_local local = { "2001:db8::9", 30000, 5, 1, NULL };
	struct hd_buf b = { 0 };

	(void)state;
	assert_int_equal(hd_sdp_write_offer(&b, &local), 0);
	assert_string_equal(hd_buf_text(&b),
			    "v=0\r\no=hotdeskd 5 1 IN IP6 2001:db8::9\r\ns=-\r\n"
			    "c=IN IP6 2001:db8::9\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 0 101\r\n"
			    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n" EVENTS(
				    "101") "a=ptime:20\r\na=sendrecv\r\n");
	hd_buf_fini(&b);
}

static void test_answers(void **state)
{
	(void)state;
	assert_int_equal(
		hd_sdp_read_answer(
			&stream, hd_slice_of(SESSION "m=audio 7 RTP/AVP 0 101\r\n" EVENTS("101"))),
		0);
	assert_int_equal(stream.payload_type, 0);
	assert_int_equal(stream.event_types[0], 101);
	assert_int_equal(
		hd_sdp_read_answer(&stream, hd_slice_of(SESSION "m=audio 0 RTP/AVP 0\r\n")),
		HD_EUNSUPPORTED);
	assert_int_equal(
		hd_sdp_read_answer(&stream, hd_slice_of(SESSION "m=audio 7 RTP/AVP 9\r\n")),
		HD_EUNSUPPORTED);
	assert_int_equal(
		hd_sdp_read_answer(
			&stream, hd_slice_of(SAVP "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n")),
		HD_EUNSUPPORTED);
	assert_int_equal(hd_sdp_read_answer(&stream, hd_slice_of("")), HD_EPARSE);
}

/* Cut anywhere, in a buffer of exactly that size: the sanitizer sees who reads on. */
static void test_truncated(void **state)
{
	static const char offer[] = SAVP "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31\r\n" EVENTS(
		"101") "a=ptime:20\r\nm=video 5 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
	const struct hd_sdp_local local = { "192.0.2.9", 4, 1, 1, our_key };
	char *exact;

	(void)state;
	for (size_t n = 0; n < sizeof(offer); n++) {
		struct hd_sdp *sdp = NULL;
		struct hd_buf b = { 0 };

		exact = malloc(n ? n : 1);
		assert_non_null(exact);
		memcpy(exact, offer, n);
		if (!hd_sdp_read_offer(&sdp, (struct hd_slice){ exact, n }))
			assert_int_equal(hd_sdp_write_answer(&b, sdp, &local), 0);
		hd_sdp_free(sdp);
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
		cmocka_unit_test(test_real_phones),  cmocka_unit_test(test_directions),
		cmocka_unit_test(test_many_streams), cmocka_unit_test(test_details),
		cmocka_unit_test(test_sdes),	     cmocka_unit_test(test_no_key_of_ours),
		cmocka_unit_test(test_refused),	     cmocka_unit_test(test_our_offer),
		cmocka_unit_test(test_answers),	     cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
