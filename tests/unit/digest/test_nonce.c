/* test_nonce.c - nonces: what they are bound to; used counts: nothing gets through twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest_priv.h"

enum { NOW = 1795000000, LIFE = 300 };

static struct hd_key key;

static struct hd_nonce_scope scope(void)
{
	return (struct hd_nonce_scope){
		.key = &key,
		.realm = hd_slice_of("hotdesk.local"),
		.algorithm = HD_DIGEST_SHA256,
		.source = hd_slice_of("192.0.2.1"),
	};
}

static void test_binding(void **state)
{
	struct hd_nonce_scope mine = scope();
	struct hd_nonce_scope other;
	struct hd_key other_key = key;
	struct hd_nonce nonce;
	char text[HD_NONCE_SIZE];

	(void)state;
	hd_nonce_mint(text, &mine, NOW);
	assert_int_equal(strlen(text), 36);
	assert_int_equal(hd_nonce_verify(&nonce, &mine, hd_slice_of(text)), 0);
	assert_int_equal(nonce.minted_at_s, NOW);

	other = mine;
	other.source = hd_slice_of("192.0.2.2");
	assert_int_equal(hd_nonce_verify(&nonce, &other, hd_slice_of(text)), HD_EACCESS);
	other = mine;
	other.realm = hd_slice_of("hotdesk.loca");
	assert_int_equal(hd_nonce_verify(&nonce, &other, hd_slice_of(text)), HD_EACCESS);
	other = mine;
	other.algorithm = HD_DIGEST_MD5;
	assert_int_equal(hd_nonce_verify(&nonce, &other, hd_slice_of(text)), HD_EACCESS);
	other = mine;
	other_key.bytes[31] ^= 1;
	other.key = &other_key;
	assert_int_equal(hd_nonce_verify(&nonce, &other, hd_slice_of(text)), HD_EACCESS);
	/* The border between realm and source counts too. */
	other = mine;
	other.realm = hd_slice_of("hotdesk.local1");
	other.source = hd_slice_of("92.0.2.1");
	assert_int_equal(hd_nonce_verify(&nonce, &other, hd_slice_of(text)), HD_EACCESS);
}

/* Every other character at every place, and every other length. */
static void test_altered(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \"";
	struct hd_nonce_scope mine = scope();
	struct hd_nonce nonce;
	char text[HD_NONCE_SIZE];
	char altered[2 * HD_NONCE_SIZE];

	(void)state;
	hd_nonce_mint(text, &mine, NOW);
	for (size_t i = 0; i < HD_NONCE_SIZE - 1; i++) {
		for (const char *ch = alphabet; *ch; ch++) {
			memcpy(altered, text, sizeof(text));
			altered[i] = *ch;
			assert_int_equal(hd_nonce_verify(&nonce, &mine, hd_slice_of(altered)),
					 *ch == text[i] ? 0 : HD_EACCESS);
		}
	}
	snprintf(altered, sizeof(altered), "%s%s", text, text);
	for (size_t len = 0; len <= strlen(altered); len++)
		assert_int_equal(hd_nonce_verify(&nonce, &mine, (struct hd_slice){ altered, len }),
				 len == HD_NONCE_SIZE - 1 ? 0 : HD_EACCESS);
}

static void test_life(void **state)
{
	const struct hd_nonce nonce = { .minted_at_s = NOW };

	(void)state;
	assert_true(hd_nonce_is_live(&nonce, NOW, LIFE));
	assert_true(hd_nonce_is_live(&nonce, NOW + LIFE, LIFE));
	assert_false(hd_nonce_is_live(&nonce, NOW + LIFE + 1, LIFE));
	assert_true(hd_nonce_is_live(&nonce, NOW - 1, LIFE));
	assert_false(hd_nonce_is_live(&nonce, NOW - 2, LIFE));
	assert_false(hd_nonce_is_live(&nonce, 0, LIFE));
}

static void test_counts(void **state)
{
	static const struct {
		uint32_t count;
		uint32_t request;
		enum hd_nonce_use want;
	} steps[] = {
		{ 5, 50, HD_NONCE_FRESH },
		{ 5, 50, HD_NONCE_SAME },
		{ 5, 51, HD_NONCE_SEEN },
		{ 6, 60, HD_NONCE_FRESH },
		{ 5, 50, HD_NONCE_SAME },
		{ 3, 30, HD_NONCE_FRESH },
		{ 3, 30, HD_NONCE_SAME },
		{ 3, 31, HD_NONCE_SEEN },
		{ 9, 90, HD_NONCE_FRESH },
		{ 5, 50, HD_NONCE_SEEN },
		{ 6, 60, HD_NONCE_SAME },
		{ 7, 70, HD_NONCE_FRESH },
		{ 70, 1, HD_NONCE_FRESH },
		{ 9, 90, HD_NONCE_SEEN },
		{ 7, 70, HD_NONCE_SEEN },
		{ 8, 80, HD_NONCE_FRESH },
		{ 8, 80, HD_NONCE_SEEN },
		{ 6, 61, HD_NONCE_SEEN },
		{ 71, 2, HD_NONCE_FRESH },
		{ 134, 3, HD_NONCE_FRESH },
		{ 70, 1, HD_NONCE_SEEN },
		{ 71, 2, HD_NONCE_SEEN },
		{ 72, 4, HD_NONCE_FRESH },
		{ 198, 5, HD_NONCE_FRESH },
		{ 134, 3, HD_NONCE_SEEN },
		{ 135, 6, HD_NONCE_FRESH },
		{ 1u << 31, 7, HD_NONCE_FRESH },
		{ 198, 5, HD_NONCE_SEEN },
		{ HD_NONCE_ONCE, 8, HD_NONCE_FRESH },
		{ HD_NONCE_ONCE, 8, HD_NONCE_SAME },
		{ HD_NONCE_ONCE, 9, HD_NONCE_SEEN },
		{ 1, 1, HD_NONCE_SEEN },
	};
	const struct hd_nonce nonce = { .minted_at_s = NOW, .id = 77 };
	struct hd_nonce_table *t;

	(void)state;
	assert_int_equal(hd_nonce_table_new(&t, 16), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum hd_nonce_use got =
			hd_nonce_table_use(t, &nonce, steps[i].count, steps[i].request, NOW - LIFE);

		if (got != steps[i].want)
			fail_msg("step %zu, count %u: expected %d, got %d", i, steps[i].count,
				 (int)steps[i].want, (int)got);
	}
	hd_nonce_table_free(t);
}

/* More nonces than room: none is ever fresh twice, and the youngest still work. */
static void test_evicted(void **state)
{
	enum { NONCES = 1000, ROOM = 64 };
	struct hd_nonce_table *t;
	unsigned same = 0;

	(void)state;
	assert_int_equal(hd_nonce_table_new(&t, ROOM), 0);
	for (uint32_t i = 0; i < NONCES; i++) {
		const struct hd_nonce nonce = { .minted_at_s = NOW + i / 10,
						.id = i * 2654435761u };

		assert_int_equal(hd_nonce_table_use(t, &nonce, 1, i, NOW - LIFE), HD_NONCE_FRESH);
	}
	for (uint32_t i = 0; i < NONCES; i++) {
		const struct hd_nonce nonce = { .minted_at_s = NOW + i / 10,
						.id = i * 2654435761u };
		enum hd_nonce_use use = hd_nonce_table_use(t, &nonce, 1, i, NOW - LIFE);

		assert_true(use == HD_NONCE_SAME || use == HD_NONCE_FORGOTTEN);
		same += use == HD_NONCE_SAME;
	}
	assert_int_equal(same, ROOM);
	hd_nonce_table_free(t);
}

/* A storm of phones that answer at once, more than there is room for: none is asked twice. */
static void test_storm(void **state)
{
	enum { PER_SECOND = 2000, SECONDS = 30, ROOM = 4096 };
	struct hd_nonce_table *t;
	uint64_t id = 1;

	(void)state;
	assert_int_equal(hd_nonce_table_new(&t, ROOM), 0);
	for (uint32_t i = 0; i < PER_SECOND * SECONDS; i++) {
		const struct hd_nonce nonce = { .minted_at_s = NOW + i / PER_SECOND,
						.id = id >> 20 };

		assert_int_equal(hd_nonce_table_use(t, &nonce, 1, i, NOW - LIFE), HD_NONCE_FRESH);
		id = id * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	}
	hd_nonce_table_free(t);
}

/* A nonce in use stays, whatever comes and goes meanwhile. */
static void test_used_stays(void **state)
{
	const struct hd_nonce mine = { .minted_at_s = NOW, .id = 5 };
	struct hd_nonce_table *t;

	(void)state;
	assert_int_equal(hd_nonce_table_new(&t, 8), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct hd_nonce other = { .minted_at_s = NOW + i, .id = 1000 + i };

		assert_int_equal(hd_nonce_table_use(t, &mine, i + 1, i, NOW - LIFE),
				 HD_NONCE_FRESH);
		assert_int_equal(hd_nonce_table_use(t, &other, 1, i, NOW - LIFE), HD_NONCE_FRESH);
	}
	hd_nonce_table_free(t);
}

/* A dead nonce makes room and leaves no trace. */
static void test_dead_makes_room(void **state)
{
	struct hd_nonce_table *t;

	(void)state;
	assert_int_equal(hd_nonce_table_new(&t, 1), 0);
	for (uint32_t i = 0; i < 8; i++) {
		const struct hd_nonce nonce = { .minted_at_s = NOW + i, .id = i };

		assert_int_equal(hd_nonce_table_use(t, &nonce, 1, 0, NOW - LIFE), HD_NONCE_FRESH);
	}
	for (uint32_t i = 8; i < 16; i++) {
		/* minted when the first eight were young, used when they are dead */
		const struct hd_nonce nonce = { .minted_at_s = NOW + 3, .id = i };

		assert_int_equal(hd_nonce_table_use(t, &nonce, 1, 0, NOW + i), HD_NONCE_FRESH);
	}
	hd_nonce_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binding),	   cmocka_unit_test(test_altered),
		cmocka_unit_test(test_life),	   cmocka_unit_test(test_counts),
		cmocka_unit_test(test_evicted),	   cmocka_unit_test(test_storm),
		cmocka_unit_test(test_used_stays), cmocka_unit_test(test_dead_makes_room),
	};

	if (hd_secret_init())
		return 1;
	hd_random_bytes(&key, sizeof(key));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
