/* test_digest_use.c - nonces and counts over time: of another source, expired, replayed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest_phone.h"

/* ---- nonces and counts --------------------------------------------------------------------- */

static void test_other_source(void **state)
{
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, "198.51.100.7");
	a = phone_answer(nonce);
	phone_lookups = 0;
	assert_verdict("of another source", phone_check(d, &a), HD_DIGEST_STALE);
	assert_int_equal(phone_lookups, 0);
	assert_false(phone_result.source_proved);
	hd_digest_free(d);
}

/* DIG-09; and before the time comes it works */
static void test_expired(void **state)
{
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	hd_fake_clock_advance(&phone_clock, 299 * 1000);
	assert_verdict("young", phone_check(d, &a), HD_DIGEST_OK);
	hd_fake_clock_advance(&phone_clock, 2 * 1000);
	a.nc = "00000002";
	phone_lookups = 0;
	assert_verdict("old", phone_check(d, &a), HD_DIGEST_STALE);
	a.password = "wrong";
	assert_verdict("old, wrong password", phone_check(d, &a), HD_DIGEST_STALE);
	assert_int_equal(phone_lookups, 0);
	assert_false(phone_result.source_proved);
	hd_digest_free(d);
}

/* A restart with the same key takes the nonces of before; a new realm or key does not. */
static void test_restart(void **state)
{
	struct hd_digest_options o = phone_options();
	struct hd_digest *before = phone_digest();
	struct hd_digest *after = phone_digest();
	struct hd_digest *stranger;
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, before, 1, SOURCE);
	a = phone_answer(nonce);
	assert_verdict("same key", phone_check(after, &a), HD_DIGEST_OK);

	o.key.bytes[0] ^= 1;
	assert_int_equal(hd_digest_new(&stranger, &o), 0);
	assert_verdict("other key", phone_check(stranger, &a), HD_DIGEST_STALE);
	hd_digest_free(stranger);

	o = phone_options();
	o.realm = "other.example.org";
	assert_int_equal(hd_digest_new(&stranger, &o), 0);
	a.realm = "other.example.org";
	assert_verdict("other realm", phone_check(stranger, &a), HD_DIGEST_STALE);
	hd_digest_free(stranger);
	hd_digest_free(before);
	hd_digest_free(after);
}

/* DIG-05, 06 */
static void test_replay(void **state)
{
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	assert_verdict("first", phone_check_as(d, &a, "c", 1), HD_DIGEST_OK);
	assert_verdict("retransmitted", phone_check_as(d, &a, "c", 1), HD_DIGEST_REPEATED);
	assert_string_equal(phone_result.username, "desk-101");
	assert_verdict("other CSeq", phone_check_as(d, &a, "c", 2), HD_DIGEST_REPLAY);
	assert_true(phone_result.source_proved);
	assert_verdict("other Call-ID", phone_check_as(d, &a, "d", 1), HD_DIGEST_REPLAY);
	phone_branch = "z9hG4bKother";
	assert_verdict("other branch", phone_check_as(d, &a, "c", 1), HD_DIGEST_REPLAY);
	phone_branch = "z9hG4bK1";
	assert_verdict("retransmitted", phone_check_as(d, &a, "c", 1), HD_DIGEST_REPEATED);
	a.nc = "00000002";
	assert_verdict("second", phone_check_as(d, &a, "c", 2), HD_DIGEST_OK);
	a.nc = "00000001";
	assert_verdict("first again", phone_check_as(d, &a, "c", 3), HD_DIGEST_REPLAY);
	a.nc = "00000100";
	assert_verdict("gap", phone_check_as(d, &a, "c", 4), HD_DIGEST_OK);
	a.nc = "000000f0";
	assert_verdict("late", phone_check_as(d, &a, "c", 5), HD_DIGEST_OK);
	a.nc = "00000003";
	assert_verdict("too late", phone_check_as(d, &a, "c", 6), HD_DIGEST_REPLAY);
	a.password = "wrong";
	assert_verdict("wrong, used count", phone_check_as(d, &a, "c", 7), HD_DIGEST_WRONG);
	hd_digest_free(d);
}

/* 100,000 uses of counts that grow, jump, fall back and repeat, over more nonces than are
 * remembered: none passes twice. */
static void test_replay_many(void **state)
{
	enum { ROUNDS = 100000, NONCES = 50, COUNTS = ROUNDS / 4 + 64 };
	static bool passed[NONCES][COUNTS];
	struct hd_digest_options o = phone_options();
	struct hd_digest *d;
	char nonces[NONCES][64];
	unsigned accepted = 0;
	uint32_t random = 1;

	(void)state;
	o.used_max = 1;
	assert_int_equal(hd_digest_new(&d, &o), 0);
	/* The last and youngest is number 0, which is never forgotten. */
	for (size_t i = NONCES; i-- > 0; hd_fake_clock_advance(&phone_clock, 1000))
		phone_nonce(nonces[i], d, 1, SOURCE);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct answer a;
		uint32_t count;
		size_t n;
		char nc[9];

		random = random * 1664525 + 1013904223;
		n = random >> 16 & 7 ? 0 : i % NONCES;
		count = i / 4 + 1 + (random >> 20 & 31);
		snprintf(nc, sizeof(nc), "%08x", count);
		a = phone_answer(nonces[n]);
		a.nc = nc;
		if (phone_check_as(d, &a, "c", i) != HD_DIGEST_OK)
			continue;
		if (passed[n][count])
			fail_msg("nonce %zu, count %u passed twice", n, count);
		passed[n][count] = true;
		accepted++;
	}
	assert_in_range(accepted, ROUNDS / 8, ROUNDS / 2);
	hd_digest_free(d);
}

/* DIG-12: no count, so one request for each nonce */
static void test_without_qop(void **state)
{
	struct hd_digest_options o = phone_options();
	struct hd_digest *d = phone_digest();
	struct answer a;
	char nonce[64];

	(void)state;
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	a.qop = a.nc = a.cnonce = NULL;
	a.password = "wrong";
	assert_verdict("wrong", phone_check_as(d, &a, "c", 1), HD_DIGEST_WRONG);
	a.password = "secret";
	assert_verdict("first", phone_check_as(d, &a, "c", 1), HD_DIGEST_OK);
	assert_verdict("retransmitted", phone_check_as(d, &a, "c", 1), HD_DIGEST_REPEATED);
	assert_verdict("again", phone_check_as(d, &a, "c", 2), HD_DIGEST_REPLAY);
	a = phone_answer(nonce);
	assert_verdict("with qop now", phone_check_as(d, &a, "c", 3), HD_DIGEST_REPLAY);

	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	assert_verdict("with qop", phone_check_as(d, &a, "c", 4), HD_DIGEST_OK);

	o.without_qop = false;
	assert_int_equal(hd_digest_set_options(d, &o), 0);
	phone_nonce(nonce, d, 1, SOURCE);
	a = phone_answer(nonce);
	a.qop = a.nc = a.cnonce = NULL;
	assert_verdict("not configured", phone_check_as(d, &a, "c", 5), HD_DIGEST_NO_CREDENTIALS);
	hd_digest_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_other_source, phone_setup),
		cmocka_unit_test_setup(test_expired, phone_setup),
		cmocka_unit_test_setup(test_restart, phone_setup),
		cmocka_unit_test_setup(test_replay, phone_setup),
		cmocka_unit_test_setup(test_replay_many, phone_setup),
		cmocka_unit_test_setup(test_without_qop, phone_setup),
	};

	if (hd_secret_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
