/* test_flow.c - flows as text. What needs sockets is in tests/sip. */
#include "msg_text.h"

static void test_round(void **state)
{
	static const char *const texts[] = {
		"udp/0/192.0.2.1:5060",
		"tcp/15/192.0.2.1:1",
		"tls/3/[2001:db8::1]:65535",
		"udp/0/192.0.2.1:5060~",
		"udp/1/[::1]:5060~",
		"udp/0@198.51.100.7/192.0.2.1:5060~",
		"tls/15@2001:db8:1111:2222:3333:4444:5555:6666/"
		"[2001:db8:7777:8888:9999:aaaa:bbbb:cccc]:65535~",
		"udp/2/[2001:db8::192.0.2.1]:5",
	};
	char text[HD_FLOW_TEXT_SIZE], again[HD_FLOW_TEXT_SIZE];
	struct hd_flow flow, same;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&flow, 0xAA, sizeof(flow));
		assert_int_equal(hd_flow_parse(&flow, texts[i]), 0);
		hd_flow_format(text, sizeof(text), &flow);
		if (i < 7)
			assert_string_equal(text, texts[i]);
		assert_int_equal(hd_flow_parse(&same, text), 0);
		hd_flow_format(again, sizeof(again), &same);
		assert_string_equal(again, text);
	}
}

static void test_parts(void **state)
{
	struct hd_flow flow;

	(void)state;
	assert_int_equal(hd_flow_parse(&flow, "TCP/2/192.0.2.1:5070~"), 0);
	assert_int_equal(flow.transport, 1);
	assert_int_equal(flow.listener, 2);
	assert_int_equal(flow.family, 4);
	assert_int_equal(flow.port, 5070);
	assert_true(flow.nat);
	assert_memory_equal(flow.address, "\xC0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"udp",
		"udp/",
		"udp/0",
		"udp/0/",
		"udp/0/192.0.2.1",
		"udp/0/192.0.2.1:",
		"udp/0/192.0.2.1:~",
		"udp/0/192.0.2.1:65536",
		"udp/0/192.0.2.1:-1",
		"udp/0/192.0.2.1:5060~~",
		"udp/0/192.0.2.1:5060 ",
		"udp/0/:5060",
		"udp/0/[]:5060",
		"udp/0/192.0.2:5060",
		"udp/0/2001:db8::1:5060",
		"udp/0/[192.0.2.1]:5060",
		"udp/0/[2001:db8::1:5060",
		"udp/0/example.com:5060",
		"udp/16/192.0.2.1:5060",
		"udp/0@/192.0.2.1:5060",
		"udp/@192.0.2.2/192.0.2.1:5060",
		"udp/0@0.0.0.0/192.0.2.1:5060",
		"udp/0@192.0.2.2@192.0.2.2/192.0.2.1:5060",
		"udp/0@2001:db8::2/192.0.2.1:5060",
		"udp/0@192.0.2.2/[2001:db8::1]:5060",
		"udp/0@[2001:db8::2]/[2001:db8::1]:5060",
		"udp//192.0.2.1:5060",
		"udp/x/192.0.2.1:5060",
		"sctp/0/192.0.2.1:5060",
		"/0/192.0.2.1:5060",
		"udp/0/[2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999]:5060",
	};
	struct hd_flow flow;

	(void)state;
	assert_int_equal(hd_flow_parse(&flow, NULL), HD_EPARSE);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!hd_flow_parse(&flow, texts[i]))
			fail_msg("%s: expected to be refused", texts[i]);
}

static void test_local(void **state)
{
	struct hd_flow flow, other;

	(void)state;
	assert_int_equal(hd_flow_parse(&flow, "udp/1@198.51.100.7/192.0.2.1:5060"), 0);
	assert_int_equal(flow.listener, 1);
	assert_memory_equal(flow.local, "\xC6\x33\x64\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_true(hd_flow_eq("udp/1@198.51.100.7/192.0.2.1:5060", "udp/0/192.0.2.1:5060"));
	assert_int_equal(hd_flow_parse(&other, "udp/1@198.51.100.7/192.0.2.9:5060"), 0);
	assert_true(hd_flow_is_beside(&flow, &other));
	assert_int_equal(hd_flow_parse(&other, "udp/1@198.51.100.8/192.0.2.1:5060"), 0);
	assert_false(hd_flow_is_beside(&flow, &other));
	assert_int_equal(hd_flow_parse(&other, "udp/0@198.51.100.7/192.0.2.1:5060"), 0);
	assert_false(hd_flow_is_beside(&flow, &other));
	assert_int_equal(hd_flow_parse(&other, "udp/1/192.0.2.1:5060"), 0);
	assert_memory_equal(other.local, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void test_small_room(void **state)
{
	struct hd_flow flow;
	char text[8];

	(void)state;
	assert_int_equal(hd_flow_parse(&flow, "tls/3/[2001:db8::1]:65535"), 0);
	hd_flow_format(text, sizeof(text), &flow);
	assert_string_equal(text, "tls/3/[");
}

static void test_is_at(void **state)
{
	static const struct {
		const char *flow, *uri;
		bool at;
	} cases[] = {
		{ "udp/0/192.0.2.1:5060", "sip:101@192.0.2.1", true },
		{ "udp/0/192.0.2.1:5060", "sip:101@192.0.2.1:5060", true },
		{ "udp/0/192.0.2.1:5060", "sip:101@192.0.2.1:5062", false },
		{ "udp/0/192.0.2.1:5060", "sip:101@192.0.2.2", false },
		{ "udp/0/192.0.2.1:5060", "sip:101@example.com", false },
		{ "tls/0/192.0.2.1:5061", "sips:101@192.0.2.1", true },
		{ "udp/0/[2001:db8::1]:5060", "sip:101@[2001:db8:0::1]", true },
		{ "udp/0/[2001:db8::1]:5060", "sip:101@192.0.2.1", false },
	};
	struct hd_flow flow;
	struct hd_uri uri;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hd_flow_parse(&flow, cases[i].flow), 0);
		assert_int_equal(hd_uri_parse(&uri, hd_slice_of(cases[i].uri)), 0);
		if (hd_flow_is_at(&flow, &uri) != cases[i].at)
			fail_msg("%s at %s: expected %d", cases[i].uri, cases[i].flow, cases[i].at);
	}
}

static void test_target_is_udp(void **state)
{
	static const struct {
		struct hd_target target;
		bool udp;
	} cases[] = {
		{ { .flow = "udp/0/192.0.2.1:5060" }, true },
		{ { .flow = "tcp/0/192.0.2.1:5060" }, false },
		{ { .flow = "tcp/0/192.0.2.1:5060", .uri = "sip:192.0.2.1" }, false },
		{ { .uri = "sip:192.0.2.1" }, true },
		{ { .uri = "sip:192.0.2.1;transport=UDP" }, true },
		{ { .uri = "sip:192.0.2.1;transport=tcp" }, false },
		{ { .uri = "sips:192.0.2.1" }, false },
		{ { .uri = "tel:+1" }, false },
		{ { .uri = "nonsense" }, false },
		{ { .uri = NULL }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (hd_target_is_udp(&cases[i].target) != cases[i].udp)
			fail_msg("case %zu: expected %d", i, cases[i].udp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),	      cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_small_room),
		cmocka_unit_test(test_local),	      cmocka_unit_test(test_is_at),
		cmocka_unit_test(test_target_is_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
