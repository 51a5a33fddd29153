/* test_seal.c - sealed texts open only whole, with their key, and for what they belong to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"

enum { N = 12 };

static const struct hd_key key = { { 1, 2, 3 } };

static struct hd_slice bytes(const uint8_t *p, size_t n)
{
	return (struct hd_slice){ (const char *)p, n };
}

static void test_seal(void **state)
{
	uint8_t a[N + HD_SEAL_BYTES], b[N + HD_SEAL_BYTES], text[N], zero[N] = { 0 };
	const struct hd_slice about = hd_slice_of("desk-101");
	const struct hd_key other = { { 1, 2, 4 } };

	(void)state;
	hd_seal(a, &key, hd_slice_of("what is kept"), about);
	hd_seal(b, &key, hd_slice_of("what is kept"), about);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_null(memmem(a, sizeof(a), "kept", 4));
	assert_int_equal(hd_unseal(text, &key, bytes(a, sizeof(a)), about), 0);
	assert_memory_equal(text, "what is kept", N);

	assert_int_equal(hd_unseal(text, &other, bytes(a, sizeof(a)), about), HD_EACCESS);
	assert_memory_equal(text, zero, N);
	assert_int_equal(hd_unseal(text, &key, bytes(a, sizeof(a)), hd_slice_of("desk-102")),
			 HD_EACCESS);
	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] ^= 0x80;
		assert_int_equal(hd_unseal(text, &key, bytes(a, sizeof(a)), about), HD_EACCESS);
		a[i] ^= 0x80;
		assert_int_equal(hd_unseal(text, &key, bytes(a, i), about), HD_EACCESS);
	}
}

static void test_empty(void **state)
{
	uint8_t sealed[HD_SEAL_BYTES], text[1] = { 9 };
	const struct hd_slice none = { 0 };

	(void)state;
	hd_seal(sealed, &key, none, none);
	assert_int_equal(hd_unseal(text, &key, bytes(sealed, sizeof(sealed)), none), 0);
	assert_int_equal(text[0], 9);
	assert_int_equal(hd_unseal(text, &key, none, none), HD_EACCESS);
}

static int setup(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
