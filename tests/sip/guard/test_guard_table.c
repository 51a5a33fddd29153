/* test_guard_table.c - the table and the rules of the guard, without a socket of Sofia. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hotdesk/sip/guard.h"
#include "sip/sofia_priv.h"

enum { FIRST_FD = 500, PAIRS = 8 };

static int pairs[PAIRS][2];

static struct sockaddr_storage at(const char *address, uint16_t port)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, address, &sin.sin_addr) == 1) {
		memcpy(&ss, &sin, sizeof(sin));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &sin6.sin6_addr), 1);
		memcpy(&ss, &sin6, sizeof(sin6));
	}
	return ss;
}

static enum hd_guard_why admit(int fd, const char *address, uint16_t port, int64_t now_ms)
{
	struct sockaddr_storage ss = at(address, port);

	return hd_guard_admit(fd, (struct sockaddr *)&ss, now_ms);
}

static void mark(const char *address, uint16_t port)
{
	struct sockaddr_storage ss = at(address, port);

	hd_guard_mark_alive((struct sockaddr *)&ss, sizeof(ss));
}

static void configure(uint32_t max, uint32_t source)
{
	struct hd_guard_options o = { .enabled = true,
				      .first_message_s = 10,
				      .half_message_s = 5,
				      .connections_max = max,
				      .connections_per_source = source };

	hd_guard_configure(&o);
}

static uint32_t n_open(void)
{
	struct hd_guard_stats s;

	hd_guard_get_stats(&s);
	return s.connections;
}

/* The guard shut a connection down: the other end of the pair reads the end of the stream. */
static bool is_shut(int i)
{
	char c;

	return recv(pairs[i][1], &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static int make_pairs(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
	return 0;
}

static int close_pairs(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		hd_guard_forget(pairs[i][0]);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	for (int fd = FIRST_FD; fd < FIRST_FD + 100; fd++)
		hd_guard_forget(fd);
	assert_int_equal(n_open(), 0);
	return 0;
}

static void test_sources(void **state)
{
	(void)state;
	configure(100, 2);
	assert_int_equal(admit(FIRST_FD, "192.0.2.1", 1, 0), HD_GUARD_OK);
	assert_int_equal(admit(FIRST_FD + 1, "192.0.2.1", 2, 0), HD_GUARD_OK);
	assert_int_equal(admit(FIRST_FD + 2, "192.0.2.1", 3, 0), HD_GUARD_SOURCE);
	assert_int_equal(admit(FIRST_FD + 2, "::ffff:192.0.2.1", 3, 0), HD_GUARD_SOURCE);
	assert_int_equal(admit(FIRST_FD + 2, "192.0.2.2", 3, 0), HD_GUARD_OK);
	/* One /64 is one source, whatever the rest of the address. */
	assert_int_equal(admit(FIRST_FD + 3, "2001:db8:0:1::1", 1, 0), HD_GUARD_OK);
	assert_int_equal(admit(FIRST_FD + 4, "2001:db8:0:1:ffff::2", 1, 0), HD_GUARD_OK);
	assert_int_equal(admit(FIRST_FD + 5, "2001:db8:0:1:a:b:c:d", 1, 0), HD_GUARD_SOURCE);
	assert_int_equal(admit(FIRST_FD + 5, "2001:db8:0:2::1", 1, 0), HD_GUARD_OK);
	/* ::/64 is not the network of every IPv4 address. */
	assert_int_equal(admit(FIRST_FD + 6, "::1", 1, 0), HD_GUARD_OK);
	/* Room again after a close. */
	hd_guard_forget(FIRST_FD);
	assert_int_equal(admit(FIRST_FD, "192.0.2.1", 4, 0), HD_GUARD_OK);
	assert_int_equal(admit(FIRST_FD + 7, "192.0.2.1", 5, 0), HD_GUARD_SOURCE);
}

static void test_maximum(void **state)
{
	struct hd_guard_stats s;

	(void)state;
	configure(3, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(admit(FIRST_FD + i, "192.0.2.1", 1, 0), HD_GUARD_OK);
	assert_int_equal(admit(FIRST_FD + 3, "192.0.2.9", 1, 0), HD_GUARD_MAX);
	hd_guard_forget(FIRST_FD + 1);
	hd_guard_forget(FIRST_FD + 1);
	assert_int_equal(n_open(), 2);
	assert_int_equal(admit(FIRST_FD + 3, "192.0.2.9", 1, 0), HD_GUARD_OK);
	/* Never over 80 % of the descriptors, whatever is asked. */
	configure(UINT32_MAX, 0);
	hd_guard_get_stats(&s);
	assert_int_equal(s.connections_max, (uint64_t)sysconf(_SC_OPEN_MAX) * 80 / 100);
}

static void test_first_message(void **state)
{
	(void)state;
	configure(100, 0);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(admit(pairs[i][0], "192.0.2.1", i, 1000), HD_GUARD_OK);
	assert_int_equal(admit(pairs[3][0], "192.0.2.1", 3, 5000), HD_GUARD_OK);
	mark("192.0.2.1", 1);
	mark("::ffff:192.0.2.1", 2);
	mark("192.0.2.7", 0); /* nobody */
	hd_guard_sweep(9799);
	assert_false(is_shut(0));
	/* The next sweep would come too late. */
	hd_guard_sweep(9800);
	assert_true(is_shut(0));
	assert_false(is_shut(1));
	assert_false(is_shut(2));
	assert_false(is_shut(3));
	hd_guard_sweep(13800);
	assert_true(is_shut(3));
	hd_guard_sweep(INT64_MAX / 2);
	assert_false(is_shut(1));
	assert_false(is_shut(2));
}

static void test_half_message(void **state)
{
	struct hd_guard_stats before, after;

	(void)state;
	configure(100, 0);
	hd_guard_get_stats(&before);
	for (uint16_t i = 0; i < 3; i++) {
		assert_int_equal(admit(pairs[i][0], "192.0.2.1", i, 0), HD_GUARD_OK);
		mark("192.0.2.1", i);
		hd_guard_parsed(pairs[i][0], true, 1000);
	}
	for (int64_t now_ms = 2000; now_ms < 6000; now_ms += 1000) {
		hd_guard_parsed(pairs[0][0], true, now_ms); /* a dripping peer gains nothing */
		if (now_ms == 4000) {
			hd_guard_parsed(pairs[1][0], false,
					now_ms); /* complete, and the next begins */
			hd_guard_parsed(pairs[1][0], true, now_ms);
			hd_guard_parsed(pairs[2][0], false, now_ms);
		}
		hd_guard_sweep(now_ms);
	}
	assert_false(is_shut(0));
	hd_guard_sweep(6000);
	assert_true(is_shut(0));
	assert_false(is_shut(1));
	hd_guard_sweep(9000);
	assert_true(is_shut(1));
	assert_false(is_shut(2));
	hd_guard_sweep(10000);
	hd_guard_get_stats(&after);
	assert_int_equal(after.closed_half - before.closed_half, 2);
	assert_int_equal(after.closed_first - before.closed_first, 0);
}

static void test_off(void **state)
{
	struct hd_guard_options off = { .enabled = false };

	(void)state;
	configure(100, 0);
	assert_int_equal(admit(pairs[0][0], "192.0.2.1", 1, 0), HD_GUARD_OK);
	hd_guard_configure(&off);
	assert_false(hd_guard_is_on());
	hd_guard_sweep(3600000);
	assert_false(is_shut(0));
	configure(100, 0);
	hd_guard_sweep(3601000);
	assert_true(is_shut(0));
}

static void test_bad_arguments(void **state)
{
	struct sockaddr_storage ss = at("2001:db8::1", 1);

	(void)state;
	hd_guard_configure(NULL);
	configure(100, 1);
	hd_guard_mark_alive(NULL, 0);
	hd_guard_mark_alive((struct sockaddr *)&ss, sizeof(struct sockaddr_in));
	hd_guard_forget(-1);
	hd_guard_forget(1000000);
	hd_guard_set_tls(1000000);
	hd_guard_parsed(-1, true, 0);
	ss.ss_family = AF_UNIX;
	assert_int_equal(hd_guard_admit(FIRST_FD, (struct sockaddr *)&ss, 0), HD_GUARD_OK);
	assert_int_equal(n_open(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sources, make_pairs, close_pairs),
		cmocka_unit_test_setup_teardown(test_maximum, make_pairs, close_pairs),
		cmocka_unit_test_setup_teardown(test_first_message, make_pairs, close_pairs),
		cmocka_unit_test_setup_teardown(test_half_message, make_pairs, close_pairs),
		cmocka_unit_test_setup_teardown(test_off, make_pairs, close_pairs),
		cmocka_unit_test_setup_teardown(test_bad_arguments, make_pairs, close_pairs),
	};

	return cmocka_run_group_tests_name("guard_table", tests, NULL, NULL);
}
