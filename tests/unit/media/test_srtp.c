/* test_srtp.c - SRTP with two ends of ours, and what must not be taken. */
#include "hotdesk/base/secret.h"
#include "rtp_support.h"

static void make_keys(struct hd_srtp_keys *ours, struct hd_srtp_keys *theirs, bool tag_32)
{
	memset(ours, 0, sizeof(*ours));
	ours->tag_32 = theirs->tag_32 = tag_32;
	hd_random_bytes(ours->ours, sizeof(ours->ours));
	hd_random_bytes(ours->theirs, sizeof(ours->theirs));
	memcpy(theirs->ours, ours->theirs, sizeof(ours->theirs));
	memcpy(theirs->theirs, ours->ours, sizeof(ours->ours));
}

static size_t make_packet(uint8_t *dst, uint16_t seq)
{
	const struct rtp_packet p = { .payload_type = 8, .seq = seq, .ssrc = 77 };

	rtp_write(dst, &p);
	memset(dst + RTP_HEADER_BYTES, 0x5a, 160);
	return RTP_HEADER_BYTES + 160;
}

static void there_and_back(bool tag_32)
{
	uint8_t plain[512], packet[512], kept[512];
	struct hd_srtp_keys a, b;
	struct srtp_pair *one = NULL, *other = NULL;
	size_t n, size;

	make_keys(&a, &b, tag_32);
	assert_ok(srtp_pair_new(&one, &a));
	assert_ok(srtp_pair_new(&other, &b));
	n = make_packet(plain, 1);
	memcpy(packet, plain, n);
	assert_ok(srtp_pair_protect(one, packet, &n));
	assert_int_equal(n, RTP_HEADER_BYTES + 160 + (tag_32 ? 4 : 10));
	assert_memory_not_equal(packet + RTP_HEADER_BYTES, plain + RTP_HEADER_BYTES, 160);
	memcpy(kept, packet, size = n);
	/* changed on the way */
	packet[100] ^= 1;
	assert_int_equal(srtp_pair_unprotect(other, packet, &n), HD_EACCESS);
	memcpy(packet, kept, n = size);
	assert_ok(srtp_pair_unprotect(other, packet, &n));
	assert_int_equal(n, RTP_HEADER_BYTES + 160);
	assert_memory_equal(packet, plain, n);
	/* replayed */
	memcpy(packet, kept, n = size);
	assert_int_equal(srtp_pair_unprotect(other, packet, &n), HD_EACCESS);
	/* plain, where it must be secure */
	n = make_packet(packet, 2);
	assert_int_equal(srtp_pair_unprotect(other, packet, &n), HD_EACCESS);
	/* with the key of the other direction */
	n = make_packet(packet, 3);
	assert_ok(srtp_pair_protect(one, packet, &n));
	assert_int_equal(srtp_pair_unprotect(one, packet, &n), HD_EACCESS);
	srtp_pair_free(one);
	srtp_pair_free(other);
	srtp_pair_free(NULL);
}

static void test_both_tags(void **state)
{
	(void)state;
	there_and_back(false);
	there_and_back(true);
}

/* RFC 3711 B.3: the key derivation behind the first packet is that of the standard. */
static void test_known_keystream(void **state)
{
	static const uint8_t master[HD_SRTP_KEY_BYTES] = { 0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01,
							   0x8B, 0xE0, 0xD6, 0x4F, 0xA3, 0x2C,
							   0x06, 0xDE, 0x41, 0x39, 0x0E, 0xC6,
							   0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB,
							   0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6 };
	/* libsrtp's own test vector: PT 15, seq 0x1234, SSRC 0xcafebabe, 16 octets of 0xab */
	static const uint8_t wanted[] = { 0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad,
					  0xca, 0xfe, 0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c,
					  0xe7, 0x99, 0x78, 0xd8, 0x8c, 0xa4, 0xd2, 0x15,
					  0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d, 0x6a, 0xcc,
					  0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb };
	const struct rtp_packet p = {
		.payload_type = 15, .seq = 0x1234, .timestamp = 0xdecafbad, .ssrc = 0xcafebabe
	};
	struct hd_srtp_keys keys = { 0 };
	struct srtp_pair *pair = NULL;
	uint8_t packet[RTP_HEADER_BYTES + 16 + SRTP_ROOM];
	size_t n = RTP_HEADER_BYTES + 16;

	(void)state;
	memcpy(keys.ours, master, sizeof(master));
	assert_ok(srtp_pair_new(&pair, &keys));
	rtp_write(packet, &p);
	memset(packet + RTP_HEADER_BYTES, 0xab, 16);
	assert_ok(srtp_pair_protect(pair, packet, &n));
	assert_int_equal(n, sizeof(wanted));
	assert_memory_equal(packet, wanted, n);
	srtp_pair_free(pair);
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_tags),
		cmocka_unit_test(test_known_keystream),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
