/* test_sound.c - sounds out of WAV files and notes. */
#include "rtp_support.h"

#define FORMAT(format, channels, rate, bits)                                                       \
	"fmt \x10\0\0\0" format "\0" channels "\0" rate "\0\0\0\0\0\0\0\0" bits "\0"
#define K8 "\x40\x1f"
#define RIFF "RIFF\0\0\0\0WAVE"

static int parsed(struct hd_sound **sp, const char *bytes, size_t n)
{
	char *exact = malloc(n ? n : 1);
	int err;

	assert_non_null(exact);
	memcpy(exact, bytes, n);
	err = hd_sound_parse(sp, (struct hd_slice){ exact, n });
	free(exact);
	return err;
}

#define PARSED(text) parsed(&s, text, sizeof(text) - 1)

static void test_laws(void **state)
{
	static const char a[] = RIFF FORMAT("\6", "\1", K8, "\10") "data\4\0\0\0\xd5\x55\xaa\x2a";
	static const char mu[] =
		RIFF "LIST\3\0\0\0abc\0" FORMAT("\7", "\1", K8, "\10") "data\2\0\0\0\xff\x80";
	struct hd_sound *s = NULL;

	(void)state;
	assert_ok(PARSED(a));
	assert_int_equal(hd_sound_octets(s, HD_LAW_A).len, 4);
	assert_memory_equal(hd_sound_octets(s, HD_LAW_A).ptr, "\xd5\x55\xaa\x2a", 4);
	assert_memory_equal(hd_sound_octets(s, HD_LAW_MU).ptr, "\xfe\x7e\x80\x00", 4);
	hd_sound_free(s);
	assert_ok(PARSED(mu)); /* another chunk before, of an odd length */
	assert_memory_equal(hd_sound_octets(s, HD_LAW_MU).ptr, "\xff\x80", 2);
	hd_sound_free(s);
}

static void test_linear(void **state)
{
	static const char pcm[] =
		RIFF FORMAT("\1", "\1", K8, "\20") "data\xff\xff\xff\xff\0\0\xff\x7f\0\x80"
						   "\1"; /* length unknown, half a sample */
	struct hd_sound *s = NULL;

	(void)state;
	assert_ok(PARSED(pcm));
	assert_int_equal(hd_sound_octets(s, HD_LAW_A).len, 3);
	assert_memory_equal(hd_sound_octets(s, HD_LAW_A).ptr, "\xd5\xaa\x2a", 3);
	hd_sound_free(s);
	hd_sound_free(NULL);
}

static void test_refused(void **state)
{
	static const char good[] = RIFF FORMAT("\6", "\1", K8, "\10") "data\4\0\0\0abcd";
	struct hd_sound *s = NULL;

	(void)state;
	assert_int_equal(PARSED(""), HD_EPARSE);
	assert_int_equal(PARSED("RIFF\0\0\0\0AVI "), HD_EPARSE);
	assert_int_equal(PARSED(RIFF), HD_EPARSE);
	assert_int_equal(PARSED(RIFF "data\2\0\0\0ab"), HD_EPARSE); /* of what format? */
	assert_int_equal(PARSED(RIFF FORMAT("\6", "\1", K8, "\10")), HD_EPARSE);
	assert_int_equal(PARSED(RIFF FORMAT("\6", "\2", K8, "\10") "data\0\0\0\0"), HD_EPARSE);
	assert_int_equal(PARSED(RIFF FORMAT("\6", "\1", "\x80\x3e", "\10") "data\0\0\0\0"),
			 HD_EPARSE);
	assert_int_equal(PARSED(RIFF FORMAT("\1", "\1", K8, "\10") "data\0\0\0\0"), HD_EPARSE);
	assert_int_equal(PARSED(RIFF FORMAT("\3", "\1", K8, "\40") "data\0\0\0\0"), HD_EPARSE);
	assert_int_equal(PARSED(RIFF "fmt \2\0\0\0\6\0data\0\0\0\0"), HD_EPARSE);
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		if (!parsed(&s, good, n)) {
			assert_true(n >= sizeof(good) - 5);
			hd_sound_free(s);
		}
}

static void test_files(void **state)
{
	struct hd_sound *s = NULL;

	(void)state;
	assert_int_equal(hd_sound_load(&s, "/nonexistent/x.wav"), HD_ENOENT);
	assert_int_equal(hd_sound_load(&s, "/dev/null"), HD_EPARSE);
	assert_int_equal(hd_sound_load(&s, "/dev/zero"), HD_ELIMIT);
	assert_int_equal(hd_sound_load(&s, "/"), HD_ESYSTEM);
}

static void test_notes(void **state)
{
	static const struct hd_note notes[] = { { 440, 100 }, { 0, 50 }, { 1000, 20 } };
	static const struct hd_note endless[] = { { 440, 60000 }, { 440, 1 } };
	struct hd_sound *s = NULL;
	const uint8_t *b;
	int highest = 0, crossings = 0;

	(void)state;
	assert_ok(hd_sound_new(&s, notes, 3));
	assert_int_equal(hd_sound_ms(s), 170);
	b = (const uint8_t *)hd_sound_octets(s, HD_LAW_A).ptr;
	for (size_t i = 1; i < 800; i++) {
		int v = g711_decode(HD_LAW_A, b[i]);

		highest = v > highest ? v : highest;
		crossings += (v > 0) != (g711_decode(HD_LAW_A, b[i - 1]) > 0);
	}
	assert_in_range(highest, 7000, 8300);
	assert_in_range(crossings, 86, 90); /* 44 periods in 100 ms */
	for (size_t i = 800; i < 1200; i++)
		assert_int_equal(b[i], SILENCE_A);
	hd_sound_free(s);
	assert_int_equal(hd_sound_new(&s, endless, 2), HD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_laws),	cmocka_unit_test(test_linear),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_files),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
