/* test_peer.c - a PBX or trunk as a line of the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/peer.h"

static struct hd_peer peer;

static int parse(const char *line)
{
	const char *why = NULL;
	int err = hd_peer_parse(&peer, hd_slice_of(line), &why);

	assert_true((err == 0) == (why == NULL));
	return err;
}

static void test_whole(void **state)
{
	struct hd_address inside = { 4, { 192, 0, 2, 9 } }, outside = { 4, { 192, 0, 3, 9 } };
	struct hd_buf uri = { 0 };

	(void)state;
	assert_int_equal(parse("  pbx sip:pbx.example.com:5070;transport=tcp  mode=user "
			       "from=192.0.2.0/28,2001:db8::1 routes=+~,2XX form=national "
			       "certificate=pbx.example.com,b.example "
			       "strip=+4930,030 order=3 expires=120 probe=0 "),
			 0);
	assert_string_equal(peer.name, "pbx");
	assert_int_equal(peer.mode, HD_PEER_USER);
	assert_true(hd_networks_have(&peer.from, &inside));
	assert_false(hd_networks_have(&peer.from, &outside));
	assert_int_equal(peer.n_routes, 2);
	assert_string_equal(peer.routes[1], "2XX");
	assert_int_equal(peer.n_strips, 2);
	assert_int_equal(peer.n_certificates, 2);
	assert_string_equal(peer.certificates[1], "b.example");
	assert_string_equal(peer.form, "national");
	assert_int_equal(peer.order, 3);
	assert_int_equal(peer.expires_s, 120);
	assert_int_equal(peer.probe_s, 0);
	assert_true(hd_slice_is(hd_peer_domain(&peer), "pbx.example.com:5070"));
	hd_peer_uri(&uri, &peer, "+49#1");
	assert_string_equal(hd_buf_text(&uri), "sip:+49%231@pbx.example.com:5070;transport=tcp");
	hd_buf_fini(&uri);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("a sips:[2001:db8::1]"), 0);
	assert_int_equal(peer.mode, HD_PEER_TRUST);
	assert_string_equal(peer.form, "e164");
	assert_int_equal(peer.n_routes + peer.from.n + peer.n_strips + peer.order, 0);
	assert_int_equal(peer.expires_s, 3600);
	assert_int_equal(peer.probe_s, 30);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"pbx",
		"p/x sip:a.example",
		"an-endless-name-of-more-than-thirty-two sip:a.example",
		"pbx tel:+49",
		"pbx http://a.example",
		"pbx sip:user@a.example",
		"pbx sip:a.example?x=y",
		"pbx sip:a.example:99999",
		"pbx sip:a.example;transport=sctp",
		"pbx sip:a.example mode",
		"pbx sip:a.example mode=",
		"pbx sip:a.example mode=all",
		"pbx sip:a.example from=a.example",
		"pbx sip:a.example from=192.0.2.0/33",
		"pbx sip:a.example certificate=*.example.com",
		"pbx sip:a.example certificate=a,b,c,d,e",
		"pbx sip:a.example certificate=a,,b",
		"pbx sip:a.example routes=1+",
		"pbx sip:a.example routes=1~2",
		"pbx sip:a.example routes=abc",
		"pbx sip:a.example strip=+49~",
		"pbx sip:a.example form=tel",
		"pbx sip:a.example order=-1",
		"pbx sip:a.example expires=59",
		"pbx sip:a.example probe=3601",
		"pbx sip:a.example colour=red",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != HD_EPARSE)
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
