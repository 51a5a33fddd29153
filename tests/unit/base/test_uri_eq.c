/* test_uri_eq.c - RFC 3261 19.1.4 with its own lists, RFC 5954 and RFC 3966. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/uri.h"

struct pair {
	const char *a;
	const char *b;
};

static bool same(const char *a, const char *b)
{
	struct hd_uri x;
	struct hd_uri y;

	if (hd_uri_parse(&x, hd_slice_of(a)))
		fail_msg("%s was refused", a);
	if (hd_uri_parse(&y, hd_slice_of(b)))
		fail_msg("%s was refused", b);
	assert_int_equal(hd_uri_eq(&x, &y), hd_uri_eq(&y, &x));
	assert_true(hd_uri_eq(&x, &x) || x.scheme == HD_URI_OTHER);
	return hd_uri_eq(&x, &y);
}

static void check(const struct pair *pairs, size_t n, bool expected)
{
	for (size_t i = 0; i < n; i++)
		if (same(pairs[i].a, pairs[i].b) != expected)
			fail_msg("%s and %s: expected %s", pairs[i].a, pairs[i].b,
				 expected ? "equal" : "different");
}

#define CHECK(pairs, expected) check(pairs, sizeof(pairs) / sizeof((pairs)[0]), expected)

static void test_rfc3261_equal(void **state)
{
	static const struct pair pairs[] = {
		{ "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp" },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5" },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com;security=on" },
		{ "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on" },
		{ "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		  "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com" },
		{ "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		  "sip:alice@atlanta.com?priority=urgent&subject=project%20x" },
	};

	(void)state;
	CHECK(pairs, true);
}

static void test_rfc3261_different(void **state)
{
	static const struct pair pairs[] = {
		/* different usernames */
		{ "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP" },
		/* can resolve to different ports */
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060" },
		/* can resolve to different transports */
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp" },
		/* can resolve to different port and transports */
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp" },
		/* different header component */
		{ "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting" },
		/* even though that's what phone21.boxesbybob.com resolves to */
		{ "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4" },
		/* equality is not transitive: both equal sip:carol@chicago.com */
		{ "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off" },
	};

	(void)state;
	CHECK(pairs, false);
	assert_true(same("sip:carol@chicago.com", "sip:carol@chicago.com;security=off"));
}

static void test_more_equal(void **state)
{
	static const struct pair pairs[] = {
		{ "sip:a%2db@h", "sip:a-b@h" },
		{ "sip:a%3Bb@h", "sip:a%3bb@h" }, /* hexadecimal has no case */
		{ "sip:%e4@h", "sip:%E4@h" },
		{ "sip:*771%23@h", "sip:*771#@h" }, /* '#' is not reserved in SIP */
		{ "sip:%2A771@h", "sip:*771@h" },
		{ "sip:a@h:5060", "sip:a@h:05060" },
		{ "sip:a@h;x=Y", "sip:a@h;X=y" },
		{ "sip:a@h;%78=%79", "sip:a@h;x=y" },
		{ "sip:a@h;user=phone;lr", "sip:a@h;lr;user=PHONE" },
		{ "sip:a@h;;x", "sip:a@h;x;" },
		{ "sip:a@h;x=1;x=2", "sip:a@h;x=2;x=1" },
		{ "sip:a@h;maddr=1.2.3.4;ttl=1", "sip:a@h;ttl=1;maddr=1.2.3.4" },
		{ "sip:a@h?", "sip:a@h" },
		{ "sip:a@h?b=1&c=2&b=3", "sip:a@h?b=3&b=1&C=2" },
		{ "sip:h", "sip:H" },
		{ "sips:a@h", "SIPS:a@h" },
		{ "sip:a:p%61@h", "sip:a:pa@h" },
		/* RFC 5954 4.2 */
		{ "sip:bob@[2001:0DB8::1]", "sip:bob@[2001:db8:0:0::1]" },
		{ "sip:bob@[::ffff:192.0.2.128]", "sip:bob@[::ffff:c000:280]" },
		/* RFC 3966 4 */
		{ "tel:+1-201-555-0123", "TEL:+12015550123" },
		{ "tel:7042;phone-context=Example.com;x=1",
		  "tel:70-42;x=1;phone-context=example.com" },
		{ "tel:+1(201)555.0123", "tel:+1-201-555-0123" },
	};

	(void)state;
	CHECK(pairs, true);
}

static void test_more_different(void **state)
{
	static const struct pair pairs[] = {
		{ "sip:a@h", "sips:a@h" },
		{ "sip:a@h", "sip:b@h" },
		{ "sip:a@h", "sip:ab@h" },
		{ "sip:a@h", "sip:h" },
		{ "sip:a@h", "sip:a:@h" },
		{ "sip:a:x@h", "sip:a@h" },
		{ "sip:a:x@h", "sip:a:X@h" },
		{ "sip:a@h", "sip:a@h2" },
		{ "sip:a@h", "sip:a@h." },
		{ "sip:a@h:5061", "sip:a@h:5062" },
		{ "sips:a@h", "sips:a@h:5061" },
		/* a reserved character and its escape */
		{ "sip:a%3Bb@h", "sip:a;b@h" },
		{ "sip:a%2Fb@h", "sip:a/b@h" },
		{ "sip:a%2bb@h", "sip:a+b@h" },
		{ "sip:a@h;x=%3d", "sip:a@h;x==" },
		/* only in one of them, even with the default */
		{ "sip:a@h", "sip:a@h;user=ip" },
		{ "sip:a@h", "sip:a@h;ttl=1" },
		{ "sip:a@h", "sip:a@h;method=INVITE" },
		{ "sip:a@h", "sip:a@h;maddr=h" },
		{ "sip:a@h", "sip:a@h;TRANSPORT=udp" },
		{ "sip:a@h", "sip:a@h;%75ser=ip" },
		{ "sip:a@h;user=phone", "sip:a@h;user=ip" },
		{ "sip:a@h;lr", "sip:a@h;lr=on" },
		{ "sip:a@h;x=1;x=2", "sip:a@h;x=1" },
		/* headers are never ignored */
		{ "sip:a@h?b=1", "sip:a@h?b=2" },
		{ "sip:a@h?b=1&b=1", "sip:a@h?b=1" },
		{ "sip:a@h?b=1&b=2&b=2", "sip:a@h?b=1&b=1&b=2" },
		{ "sip:a@h?b", "sip:a@h?c" },
		{ "sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::2]" },
		{ "sip:bob@[::ffff:192.0.2.4]", "sip:bob@192.0.2.4" },
		{ "tel:7042;phone-context=a", "tel:7042" },
		{ "tel:7042", "tel:7043" },
		{ "tel:7042", "tel:70421" },
		{ "tel:7042", "sip:7042@h" },
		{ "http://x", "http://x" }, /* nothing is known of it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct hd_uri a;
		struct hd_uri b;

		assert_int_equal(hd_uri_parse(&a, hd_slice_of(pairs[i].a)), 0);
		assert_int_equal(hd_uri_parse(&b, hd_slice_of(pairs[i].b)), 0);
		if (hd_uri_eq(&a, &b) || hd_uri_eq(&b, &a))
			fail_msg("%s and %s: expected different", pairs[i].a, pairs[i].b);
	}
	assert_false(hd_uri_eq(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3261_equal),
		cmocka_unit_test(test_rfc3261_different),
		cmocka_unit_test(test_more_equal),
		cmocka_unit_test(test_more_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
