/* test_secret.c - digests against their RFCs, PIN hashes, random numbers. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"

#include "base/base_priv.h"
#include "support/oom.h"

/* Cheap, so that the test is fast; the default is what the daemon's configuration says. */
static const struct hd_pin_cost cheap = { .memory_kib = 64, .passes = 1 };

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected)
{
	char text[2 * HD_SHA256_BYTES + 1];

	hd_hex_format(text, bytes, n);
	assert_string_equal(text, expected);
}

static void test_md5_rfc1321(void **state)
{
	static const char *const cases[][2] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		  "d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "1234567890123456789012345678901234567890"
		  "1234567890123456789012345678901234567890",
		  "57edf4a22be3c955ac49da2e2107b67a" },
	};
	uint8_t out[HD_MD5_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_slice whole = hd_slice_of(cases[i][0]);
		struct hd_slice parts[3] = { { whole.ptr, whole.len / 3 },
					     { 0 },
					     { whole.ptr + whole.len / 3,
					       whole.len - whole.len / 3 } };

		hd_md5(out, &whole, 1);
		assert_hex(out, sizeof(out), cases[i][1]);
		hd_md5(out, parts, 3);
		assert_hex(out, sizeof(out), cases[i][1]);
	}
	hd_md5(out, NULL, 0);
	assert_hex(out, sizeof(out), cases[0][1]);
}

static void test_sha256_fips180(void **state)
{
	static const char *const cases[][2] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t out[HD_SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_slice whole = hd_slice_of(cases[i][0]);
		struct hd_slice parts[2] = { { whole.ptr, whole.len / 2 },
					     { whole.ptr + whole.len / 2,
					       whole.len - whole.len / 2 } };

		hd_sha256(out, &whole, 1);
		assert_hex(out, sizeof(out), cases[i][1]);
		hd_sha256(out, parts, 2);
		assert_hex(out, sizeof(out), cases[i][1]);
	}
	hd_sha256(out, NULL, 0);
	assert_hex(out, sizeof(out), cases[0][1]);
}

/* The key of an HMAC is padded with zeros, so the RFC's shorter keys fit ours. */
static void test_hmac_rfc4231(void **state)
{
	static const struct {
		const char *key;
		const char *data;
		const char *mac;
	} cases[] = {
		{ "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		  "\x0b",
		  "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
		  "\xaa",
		  "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		  "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		  "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd",
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
		  "\x15\x16\x17\x18\x19",
		  "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
		  "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
		  "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd",
		  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_key master = { { 0 } };
		struct hd_key key;

		memcpy(master.bytes, cases[i].key, strlen(cases[i].key));
		hd_key_derive(&key, &master, cases[i].data);
		assert_hex(key.bytes, sizeof(key.bytes), cases[i].mac);
	}
}

static void test_hmac_parts(void **state)
{
	struct hd_slice parts[] = { hd_slice_of("desk-101"), hd_slice_of(""), { "\0\xff", 2 } };
	struct hd_slice moved[] = { hd_slice_of("desk-10"), hd_slice_of("1"), { "\0\xff", 2 } };
	uint8_t out[HD_SHA256_BYTES];
	uint8_t other[HD_SHA256_BYTES];
	struct hd_key key;

	(void)state;
	for (uint8_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = i;
	hd_hmac_sha256(out, &key, parts, 3);
	/* by another program: 8 bytes of little-endian length and the part, three times */
	assert_hex(out, sizeof(out),
		   "ac4e06e00c3fb332fb965f521acbd0ab22edec0f2a9be85e83a9dc518fc3571a");
	hd_hmac_sha256(other, &key, moved, 3); /* the same bytes, other borders */
	assert_memory_not_equal(out, other, sizeof(out));
	hd_hmac_sha256(other, &key, parts, 2);
	assert_memory_not_equal(out, other, sizeof(out));
	key.bytes[31] ^= 1;
	hd_hmac_sha256(other, &key, parts, 3);
	assert_memory_not_equal(out, other, sizeof(out));
}

static void test_mac(void **state)
{
	struct hd_slice parts[] = { hd_slice_of("desk-101"), hd_slice_of(""), { "\0\xff", 2 } };
	struct hd_slice moved[] = { hd_slice_of("desk-10"), hd_slice_of("1"), { "\0\xff", 2 } };
	uint8_t out[HD_MAC_BYTES], other[HD_MAC_BYTES];
	struct hd_key key;

	(void)state;
	for (uint8_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = i;
	hd_mac(out, &key, parts, 3);
	/* hashlib.blake2b(bytes, key=key, digest_size=32) over lengths and parts, as above */
	assert_hex(out, sizeof(out),
		   "8faef94bf4a5f06c592139c5967503f80d7abae5fc1763c5dae024bc5aca46c3");
	hd_mac(other, &key, moved, 3);
	assert_memory_not_equal(out, other, sizeof(out));
	hd_mac(other, &key, parts, 2);
	assert_memory_not_equal(out, other, sizeof(out));
	key.bytes[31] ^= 1;
	hd_mac(other, &key, parts, 3);
	assert_memory_not_equal(out, other, sizeof(out));
}

/* The way without memory gives the same as the fast one, at every length around a block. */
static void test_both_ways_agree(void **state)
{
	uint8_t bytes[200];
	uint8_t a[HD_SHA256_BYTES];
	uint8_t b[HD_SHA256_BYTES];
	struct hd_key key;

	(void)state;
	hd_random_bytes(bytes, sizeof(bytes));
	hd_random_bytes(&key, sizeof(key));
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct hd_slice parts[] = { { (const char *)bytes, n / 2 },
					    { 0 },
					    { (const char *)bytes + n / 2, n - n / 2 } };

		hd_sha256(a, parts, 3);
		hd_sha256_sodium(b, parts, 3);
		assert_memory_equal(a, b, sizeof(a));
		hd_hmac_sha256(a, &key, parts, 3);
		hd_hmac_sha256_sodium(b, &key, parts, 3);
		assert_memory_equal(a, b, sizeof(a));
	}
}

static void digest_hex(char *text, bool sha, const struct hd_slice *parts, size_t n)
{
	uint8_t out[HD_SHA256_BYTES];

	if (sha)
		hd_sha256(out, parts, n);
	else
		hd_md5(out, parts, n);
	hd_hex_format(text, out, sha ? HD_SHA256_BYTES : HD_MD5_BYTES);
}

/* RFC 7616 3.9.1: the way a REGISTER's response is computed, from slices */
static void test_digest_rfc7616(void **state)
{
	static const char *const responses[] = {
		"8ca523f5e9506fed4657c9700eebdbec",
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	};
	const struct hd_slice a1[] = { hd_slice_of("Mufasa"), hd_slice_of(":"),
				       hd_slice_of("http-auth@example.org"), hd_slice_of(":"),
				       hd_slice_of("Circle of Life") };
	const struct hd_slice a2[] = { hd_slice_of("GET"), hd_slice_of(":/dir/index.html") };

	(void)state;
	for (int sha = 0; sha < 2; sha++) {
		char ha1[65];
		char ha2[65];
		char response[65];
		struct hd_slice parts[] = {
			{ 0 },
			hd_slice_of(":7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:"),
			hd_slice_of("00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:"),
			{ 0 },
		};

		digest_hex(ha1, sha, a1, 5);
		digest_hex(ha2, sha, a2, 2);
		parts[0] = hd_slice_of(ha1);
		parts[3] = hd_slice_of(ha2);
		digest_hex(response, sha, parts, 4);
		assert_string_equal(response, responses[sha]);
	}
}

static void *md5_main(void *arg)
{
	struct hd_slice abc = hd_slice_of("abc");
	uint8_t *out = arg;

	for (int i = 0; i < 200; i++)
		hd_md5(out, &abc, 1);
	return NULL;
}

/* Each thread has a digest context of its own and gives it back. */
static void test_md5_threads(void **state)
{
	uint8_t out[4][HD_MD5_BYTES];
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, md5_main, out[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_hex(out[i], HD_MD5_BYTES, "900150983cd24fb0d6963f7d28e17f72");
	}
}

struct attempt {
	bool md5_first; /* so that it is the one that meets the failure */
	bool md5_ok;
	bool sha_ok;
};

static bool md5_works(void)
{
	struct hd_slice abc = hd_slice_of("abc");
	char text[2 * HD_MD5_BYTES + 1];
	uint8_t out[HD_MD5_BYTES];

	hd_md5(out, &abc, 1);
	hd_hex_format(text, out, HD_MD5_BYTES);
	return strcmp(text, "900150983cd24fb0d6963f7d28e17f72") == 0;
}

static void *attempt_main(void *arg)
{
	struct hd_slice abc = hd_slice_of("abc");
	struct attempt *attempt = arg;
	uint8_t out[HD_SHA256_BYTES];
	char text[2 * HD_SHA256_BYTES + 1];

	attempt->md5_ok = !attempt->md5_first || md5_works();
	hd_sha256(out, &abc, 1);
	hd_hex_format(text, out, HD_SHA256_BYTES);
	attempt->sha_ok = strcmp(text, "ba7816bf8f01cfea414140de5dae2223"
				       "b00361a396177a9cb410ff61f20015ad") == 0;
	return NULL;
}

/* A new thread's digests: it has no context yet. */
static int attempt_in_thread(void *arg)
{
	struct attempt attempt = { .md5_first = arg != NULL };
	pthread_t thread;

	if (pthread_create(&thread, NULL, attempt_main, &attempt))
		return HD_ESYSTEM;
	if (pthread_join(thread, NULL) || !attempt.sha_ok)
		return HD_EINVAL;
	return attempt.md5_ok ? 0 : HD_ENOMEM;
}

static int refusals;

static void sink(void *arg, enum hd_log_level level, const char *text)
{
	(void)arg;
	assert_int_equal(level, HD_LOG_ERROR);
	assert_string_equal(text, "secret: MD5 cannot be computed: refusing instead");
	refusals++;
}

/* Without memory SHA-256 takes its other way and MD5 gives bytes that match nothing. */
static void test_without_memory(void **state)
{
	(void)state;
	refusals = 0;
	hd_log_set_sink(sink, NULL);
	oom_loop(attempt_in_thread, NULL);
	assert_int_equal(refusals, 0);
	oom_loop(attempt_in_thread, &refusals);
	hd_log_set_sink(NULL, NULL);
	assert_int_equal(refusals, 1);
}

static void test_pin(void **state)
{
	struct hd_key pepper = { { 1, 2, 3 } };
	struct hd_key other = { { 1, 2, 4 } };
	char hash[HD_PIN_HASH_SIZE];
	char again[HD_PIN_HASH_SIZE];

	(void)state;
	assert_int_equal(hd_pin_hash(hash, hd_slice_of("471147"), &pepper, &cheap), 0);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=64,t=1,p=1$", 28), 0);
	assert_null(strstr(hash, "471147"));
	assert_int_equal(hd_pin_verify(hash, hd_slice_of("471147"), &pepper), 0);
	assert_int_equal(hd_pin_verify(hash, hd_slice_of("471148"), &pepper), HD_EACCESS);
	assert_int_equal(hd_pin_verify(hash, hd_slice_of("4711470"), &pepper), HD_EACCESS);
	assert_int_equal(hd_pin_verify(hash, hd_slice_of(""), &pepper), HD_EACCESS);
	assert_int_equal(hd_pin_verify(hash, hd_slice_of("471147"), &other), HD_EACCESS);
	assert_int_equal(hd_pin_verify("", hd_slice_of("471147"), &pepper), HD_EACCESS);
	assert_int_equal(hd_pin_verify("$argon2id$junk", hd_slice_of("471147"), &pepper),
			 HD_EACCESS);
	assert_int_equal(hd_pin_verify(NULL, hd_slice_of("471147"), &pepper), HD_EACCESS);
	/* salted: the same PIN never has the same hash */
	assert_int_equal(hd_pin_hash(again, hd_slice_of("471147"), &pepper, &cheap), 0);
	assert_string_not_equal(hash, again);
}

static void test_pin_refuses(void **state)
{
	struct hd_key pepper = { { 0 } };
	char hash[HD_PIN_HASH_SIZE];
	char longest[257] = "";
	struct hd_slice pin = hd_slice_of("471147");

	(void)state;
	memset(longest, '1', 257);
	assert_int_equal(hd_pin_hash(hash, hd_slice_of(""), &pepper, &cheap), HD_EINVAL);
	assert_int_equal(hd_pin_hash(hash, (struct hd_slice){ longest, 257 }, &pepper, &cheap),
			 HD_EINVAL);
	assert_int_equal(hd_pin_hash(hash, pin, &pepper, &(struct hd_pin_cost){ 7, 1 }), HD_EINVAL);
	assert_int_equal(hd_pin_hash(hash, pin, &pepper, &(struct hd_pin_cost){ 8, 0 }), HD_EINVAL);
	assert_int_equal(hd_pin_hash(hash, pin, NULL, &cheap), HD_EINVAL);
	assert_int_equal(hd_pin_hash(hash, pin, &pepper, NULL), HD_EINVAL);
}

static void test_pin_dummy(void **state)
{
	struct hd_key pepper = { { 0 } };
	char hash[HD_PIN_HASH_SIZE];

	(void)state;
	assert_int_equal(hd_pin_dummy(hash, &cheap), 0);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=64,t=1,p=1$", 28), 0);
	assert_int_equal(hd_pin_verify(hash, hd_slice_of("471147"), &pepper), HD_EACCESS);
	assert_int_equal(hd_pin_dummy(hash, &(struct hd_pin_cost){ 0, 0 }), HD_EINVAL);
}

static void test_random(void **state)
{
	uint8_t a[16] = { 0 };
	uint8_t b[16] = { 0 };
	int seen[7] = { 0 };

	(void)state;
	hd_random_bytes(a, sizeof(a));
	hd_random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (int i = 0; i < 2000; i++) {
		uint32_t v = hd_random_u32(7);

		assert_true(v < 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++) /* expected 286; 100 is twelve sigma away */
		assert_true(seen[i] > 100);
	assert_int_equal(hd_random_u32(1), 0);
}

static void test_compare_and_wipe(void **state)
{
	char a[8] = "secret1";
	char b[8] = "secret2";

	(void)state;
	assert_false(hd_secret_eq(a, b, sizeof(a)));
	assert_true(hd_secret_eq(a, b, 6));
	assert_true(hd_secret_eq(NULL, NULL, 0));
	hd_wipe(a, sizeof(a));
	assert_memory_equal(a, "\0\0\0\0\0\0\0", sizeof(a));
	hd_wipe(NULL, 8);
}

static int init(void **state)
{
	(void)state;
	/* twice: the second one does nothing */
	return hd_secret_init() || hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md5_rfc1321),
		cmocka_unit_test(test_sha256_fips180),
		cmocka_unit_test(test_hmac_rfc4231),
		cmocka_unit_test(test_hmac_parts),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_both_ways_agree),
		cmocka_unit_test(test_digest_rfc7616),
		cmocka_unit_test(test_md5_threads),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_pin_refuses),
		cmocka_unit_test(test_pin_dummy),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_compare_and_wipe),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
