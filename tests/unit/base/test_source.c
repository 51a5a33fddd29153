/* test_source.c - networks, and what one source may do in a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "hotdesk/base/source.h"

static struct hd_address address(const char *text)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct hd_address a;

	if (inet_pton(AF_INET, text, &sin.sin_addr) == 1) {
		hd_address_set(&a, (struct sockaddr *)&sin);
		assert_int_equal(a.family, 4);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
		hd_address_set(&a, (struct sockaddr *)&sin6);
	}
	return a;
}

static bool have(const struct hd_networks *nets, const char *text)
{
	struct hd_address a = address(text);

	return hd_networks_have(nets, &a);
}

static void test_networks(void **state)
{
	static const char *const texts[] = { "10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "nonsense",
					     "10.0.0.0/33" };
	struct hd_networks nets;

	(void)state;
	hd_networks_set(&nets, "test", texts, sizeof(texts) / sizeof(texts[0]));
	assert_int_equal(nets.n, 3);
	assert_true(have(&nets, "10.255.0.1"));
	assert_true(have(&nets, "::ffff:10.1.2.3"));
	assert_true(have(&nets, "192.0.2.7"));
	assert_true(have(&nets, "2001:db8:7fff::1"));
	assert_false(have(&nets, "11.0.0.1"));
	assert_false(have(&nets, "192.0.2.6"));
	assert_false(have(&nets, "2001:db8:8000::1"));
	assert_false(have(&nets, "::a00:1"));
	hd_networks_set(&nets, "test", NULL, 0);
	assert_false(have(&nets, "10.255.0.1"));
}

static void test_buckets(void **state)
{
	struct hd_address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct hd_buckets *t = hd_buckets_new();

	(void)state;
	assert_non_null(t);
	for (int i = 0; i < 1000; i++)
		assert_true(hd_buckets_take(t, &a, 1));
	/* Two an hour: slower than any whole number a second. */
	hd_buckets_set(t, 2, 3600 * 1000, 3);
	for (int i = 0; i < 3; i++)
		assert_true(hd_buckets_take(t, &a, 1));
	assert_false(hd_buckets_have(t, &a, 1));
	assert_false(hd_buckets_take(t, &a, 1));
	assert_true(hd_buckets_take(t, &b, 1));
	assert_false(hd_buckets_have(t, &a, 1700 * 1000));
	assert_true(hd_buckets_have(t, &a, 1810 * 1000));
	assert_true(hd_buckets_have(t, &a, 1810 * 1000));
	assert_true(hd_buckets_take(t, &a, 1810 * 1000));
	assert_false(hd_buckets_take(t, &a, 1810 * 1000));
	hd_buckets_give(t, &a, 1810 * 1000);
	assert_true(hd_buckets_take(t, &a, 1810 * 1000));
	assert_false(hd_buckets_take(t, &a, 1810 * 1000));
	/* Never more than full, however much is given or time passes. */
	for (int i = 0; i < 10; i++)
		hd_buckets_give(t, &b, 1);
	for (int i = 0; i < 3; i++)
		assert_true(hd_buckets_take(t, &b, 1));
	assert_false(hd_buckets_take(t, &b, 1));
	hd_buckets_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
