/* test_limit.c - the token buckets of sources. */
#include <arpa/inet.h>

#include "hotdesk/base/secret.h"
#include "msg_text.h"

static su_sockaddr_t address(const char *text)
{
	su_sockaddr_t su = { .su_len = 0 };

	su.su_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(su.su_family, text, SU_ADDR(&su)), 1);
	return su;
}

static bool allow(struct source_table *t, const char *text, int64_t at_ms)
{
	su_sockaddr_t from = address(text);

	if (hd_source_is_exempt(t, &from))
		assert_true(hd_source_allow(t, &from, at_ms));
	return hd_source_allow(t, &from, at_ms);
}

/* How many of ten at one moment. */
static unsigned allowed(struct source_table *t, const char *text, int64_t at_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 10; i++)
		n += allow(t, text, at_ms);
	return n;
}

static struct source_table *table(uint32_t rate, uint32_t burst, const char *const *exempt,
				  size_t n)
{
	struct hd_agent_limits limits = {
		.source_rate = rate,
		.source_burst = burst,
		.source_exempt = exempt,
		.n_source_exempt = n,
	};
	struct source_table *t = hd_source_table_new();

	assert_non_null(t);
	hd_source_table_set(t, &limits);
	return t;
}

static void test_burst_and_rate(void **state)
{
	struct source_table *t = table(2, 5, NULL, 0);

	(void)state;
	assert_int_equal(allowed(t, "192.0.2.1", 1000), 5);
	assert_int_equal(allowed(t, "192.0.2.1", 1499), 0);
	assert_int_equal(allowed(t, "192.0.2.1", 1500), 1);
	assert_int_equal(allowed(t, "192.0.2.1", 2500), 2);
	assert_int_equal(allowed(t, "192.0.2.1", 1000000), 5); /* never more than the burst */
	assert_int_equal(allowed(t, "192.0.2.1", 999000), 0);  /* a clock that goes back */
	hd_source_table_free(t);
}

static void test_no_limit(void **state)
{
	struct source_table *t = table(0, 0, NULL, 0);

	(void)state;
	assert_int_equal(allowed(t, "192.0.2.1", 1), 10);
	hd_source_table_free(t);
	t = table(3, 0, NULL, 0); /* no burst given: the rate */
	assert_int_equal(allowed(t, "192.0.2.1", 1), 3);
	hd_source_table_free(t);
}

static void test_sources_apart(void **state)
{
	struct source_table *t = table(1, 1, NULL, 0);

	(void)state;
	assert_int_equal(allowed(t, "192.0.2.1", 1), 1);
	assert_int_equal(allowed(t, "192.0.2.2", 1), 1);
	/* IPv6 by /64 */
	assert_int_equal(allowed(t, "2001:db8::1", 1), 1);
	assert_int_equal(allowed(t, "2001:db8::2", 1), 0);
	assert_int_equal(allowed(t, "2001:db8:0:1::1", 1), 1);
	/* IPv4 on an IPv6 socket is the same source */
	assert_int_equal(allowed(t, "::ffff:192.0.2.1", 1), 0);
	assert_int_equal(allowed(t, "::ffff:192.0.2.3", 1), 1);
	hd_source_table_free(t);
}

static void test_exempt(void **state)
{
	static const char *const nets[] = {
		"127.0.0.0/8", "203.0.113.77", "198.51.100.128/25",
		"nonsense",    "192.0.2.0/33", "2001:db8:1::/48",
	};
	struct source_table *t = table(1, 1, nets, sizeof(nets) / sizeof(nets[0]));

	(void)state;
	assert_int_equal(allowed(t, "127.9.9.9", 1), 10);
	assert_int_equal(allowed(t, "128.0.0.1", 1), 1);
	assert_int_equal(allowed(t, "203.0.113.77", 1), 10);
	assert_int_equal(allowed(t, "::ffff:203.0.113.77", 1), 10);
	assert_int_equal(allowed(t, "203.0.113.76", 1), 1);
	assert_int_equal(allowed(t, "198.51.100.200", 1), 10);
	assert_int_equal(allowed(t, "198.51.100.127", 1), 1);
	assert_int_equal(allowed(t, "192.0.2.1", 1), 1);
	assert_int_equal(allowed(t, "2001:db8:1:2::3", 1), 10);
	assert_int_equal(allowed(t, "2001:db8:2::3", 1), 1);
	hd_source_table_free(t);
}

static void test_everybody_exempt(void **state)
{
	static const char *const nets[] = { "0.0.0.0/0" };
	struct source_table *t = table(1, 1, nets, 1);

	(void)state;
	assert_int_equal(allowed(t, "192.0.2.1", 1), 10);
	assert_int_equal(allowed(t, "2001:db8::1", 1), 1);
	hd_source_table_free(t);
}

/* A flood from many addresses neither fails nor frees the one that is over its rate now. */
static void test_flood(void **state)
{
	struct source_table *t = table(1, 1, NULL, 0);
	su_sockaddr_t from = address("10.0.0.0");

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		from.su_sin.sin_addr.s_addr = htonl(0x0A000000U + i);
		assert_true(hd_source_allow(t, &from, 1 + (int64_t)i));
		assert_false(hd_source_allow(t, &from, 1 + (int64_t)i));
	}
	hd_source_table_free(t);
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),	 cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_sources_apart),	 cmocka_unit_test(test_exempt),
		cmocka_unit_test(test_everybody_exempt), cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
