/* test_resolver_order.c - SRV records by priority and weight, NAPTR by order and preference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sip/resolver_priv.h"

static uint32_t lowest(uint32_t below)
{
	(void)below;
	return 0;
}

static uint32_t highest(uint32_t below)
{
	return below - 1;
}

static uint32_t state = 1;

static uint32_t dice(uint32_t below)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)state * below) >> 32);
}

static struct dns_record srv(uint16_t priority, uint16_t weight, uint16_t port)
{
	return (struct dns_record){ .order = priority, .preference = weight, .port = port };
}

static void expect_ports(const struct dns_record *records, const uint16_t *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (records[i].port != ports[i])
			fail_msg("place %zu: expected port %u, got %u", i, ports[i],
				 records[i].port);
}

static void test_priority(void **unused)
{
	struct dns_record records[] = { srv(20, 9, 3), srv(10, 0, 1), srv(65535, 0, 4),
					srv(11, 65535, 2) };

	(void)unused;
	srv_order(records, 4, lowest);
	expect_ports(records, (uint16_t[]){ 1, 2, 3, 4 }, 4);
}

/* RFC 2782: one of weight 0 is drawn first when the number drawn is 0. */
static void test_zero_weight(void **unused)
{
	struct dns_record records[] = { srv(1, 5, 2), srv(1, 0, 1) };

	(void)unused;
	srv_order(records, 2, lowest);
	expect_ports(records, (uint16_t[]){ 1, 2 }, 2);
	srv_order(records, 2, highest);
	expect_ports(records, (uint16_t[]){ 2, 1 }, 2);
}

static void test_weight(void **unused)
{
	enum { ROUNDS = 10000 };
	unsigned first[4] = { 0 };

	(void)unused;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct dns_record records[] = { srv(1, 10, 0), srv(1, 20, 1), srv(1, 70, 2),
						srv(2, 65535, 3) };

		srv_order(records, 4, dice);
		first[records[0].port]++;
		assert_int_equal(records[3].port, 3);
	}
	assert_in_range(first[0], ROUNDS * 8 / 100, ROUNDS * 12 / 100);
	assert_in_range(first[1], ROUNDS * 17 / 100, ROUNDS * 23 / 100);
	assert_in_range(first[2], ROUNDS * 66 / 100, ROUNDS * 74 / 100);
}

static void test_few(void **unused)
{
	struct dns_record one = srv(1, 1, 7);

	(void)unused;
	srv_order(&one, 0, lowest);
	srv_order(&one, 1, highest);
	assert_int_equal(one.port, 7);
}

static struct dns_record naptr(uint16_t order, uint16_t preference, const char *service)
{
	struct dns_record r = { .order = order,
				.preference = preference,
				.terminal = true,
				.flag = 's',
				.name = "_sip.x" };

	snprintf(r.service, sizeof(r.service), "%s", service);
	return r;
}

static void test_naptr(void **unused)
{
	const uint8_t all[RESOLVER_TRANSPORTS] = { 3, 3, 3 };
	struct dns_record records[] = {
		naptr(20, 1, "sip+d2u"), naptr(10, 9, "sip+d2t"), naptr(10, 2, "sips+d2t"),
		naptr(1, 1, "e2u+sip"),	 naptr(2, 1, "sip+d2s"),
	};
	size_t n;

	(void)unused;
	n = naptr_order(records, 5, false, all);
	assert_int_equal(n, 3);
	assert_string_equal(records[0].service, "sips+d2t");
	assert_string_equal(records[1].service, "sip+d2t");
	assert_string_equal(records[2].service, "sip+d2u");
	n = naptr_order(records, n, true, all);
	assert_int_equal(n, 1);
	assert_string_equal(records[0].service, "sips+d2t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priority), cmocka_unit_test(test_zero_weight),
		cmocka_unit_test(test_weight),	 cmocka_unit_test(test_few),
		cmocka_unit_test(test_naptr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
