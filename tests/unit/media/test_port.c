/* test_port.c - pairs of ports out of a range, or wherever there are two. */
#include <unistd.h>

#include "hotdesk/base/secret.h"
#include "rtp_support.h"

static uint16_t bound_port(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	assert_ok(getsockname(fd, (struct sockaddr *)&a, &len));
	return ntohs(a.sin_port);
}

static void test_anywhere(void **state)
{
	const struct hd_media_options any = { 0 };
	struct ports p, q;

	(void)state;
	assert_ok(ports_open(&p, "127.0.0.1", &any));
	assert_ok(ports_open(&q, "::1", &any));
	assert_int_equal(p.port % 2, 0);
	assert_int_equal(bound_port(p.rtp), p.port);
	assert_int_equal(bound_port(p.rtcp), p.port + 1);
	assert_int_equal(p.family, AF_INET);
	assert_int_equal(q.family, AF_INET6);
	ports_close(&p);
	ports_close(&q);
	assert_int_equal(ports_open(&p, "localhost", &any), HD_EINVAL);
	assert_ok(ports_open(&p, "192.0.2.1", &any)); /* of a NAT in front */
	ports_close(&p);
}

static void test_range_is_used_up(void **state)
{
	const struct hd_media_options any = { 0 };
	struct hd_media_options range = { 0 };
	struct ports first, pairs[3];

	(void)state;
	assert_ok(ports_open(&first, "127.0.0.1", &any));
	range.port_min = (uint16_t)(first.port - 1); /* odd: the even one above is meant */
	range.port_max = (uint16_t)(first.port + 1);
	assert_int_equal(ports_open(&pairs[0], "127.0.0.1", &range), HD_EBUSY);
	ports_close(&first);
	assert_ok(ports_open(&pairs[0], "127.0.0.1", &range));
	assert_int_equal(pairs[0].port, first.port);
	assert_int_equal(ports_open(&pairs[1], "127.0.0.1", &range), HD_EBUSY);
	ports_close(&pairs[0]);
	ports_close(&pairs[0]); /* twice does nothing */
	range.port_max = range.port_min;
	assert_int_not_equal(ports_open(&pairs[2], "127.0.0.1", &range), 0);
}

static void test_local_address(void **state)
{
	char ours[HD_MEDIA_HOST_SIZE];

	(void)state;
	assert_ok(hd_media_local_address(ours, "127.0.0.9"));
	assert_string_equal(ours, "127.0.0.1");
	assert_ok(hd_media_local_address(ours, "::1"));
	assert_string_equal(ours, "::1");
	assert_int_equal(hd_media_local_address(ours, "name.example"), HD_EINVAL);
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anywhere),
		cmocka_unit_test(test_range_is_used_up),
		cmocka_unit_test(test_local_address),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
