/* test_rtp.c - RTP packets taken apart, and whose they are. */
#include "rtp_support.h"

static int parsed(struct rtp_packet *p, const uint8_t *bytes, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1); /* a byte too far is seen by the sanitizer */
	int err;

	assert_non_null(exact);
	memcpy(exact, bytes, n);
	err = rtp_parse(p, (struct hd_slice){ (const char *)exact, n });
	if (!err)
		p->payload.ptr = (const char *)bytes + (p->payload.ptr - (const char *)exact);
	free(exact);
	return err;
}

static void test_written_is_read(void **state)
{
	const struct rtp_packet p = { .payload_type = 101,
				      .marker = true,
				      .seq = 0xfffe,
				      .timestamp = 0xdeadbeef,
				      .ssrc = 0x80000001 };
	struct rtp_packet q;
	uint8_t bytes[RTP_HEADER_BYTES + 2] = { 0 };

	(void)state;
	rtp_write(bytes, &p);
	bytes[RTP_HEADER_BYTES] = 7;
	assert_ok(parsed(&q, bytes, sizeof(bytes)));
	assert_int_equal(q.payload_type, 101);
	assert_true(q.marker);
	assert_int_equal(q.seq, 0xfffe);
	assert_int_equal(q.timestamp, 0xdeadbeef);
	assert_int_equal(q.ssrc, 0x80000001);
	assert_int_equal(q.payload.len, 2);
	assert_int_equal(q.payload.ptr[0], 7);
}

/* CSRCs, an extension, padding: RFC 3550 5.1, 5.3.1. */
static void test_all_parts(void **state)
{
	static const uint8_t all[] = {
		0xb1, 8,    0, 1, 0, 0, 0, 2, 0, 0, 0, 3, /* V=2, P, X, CC=1 */
		9,    9,    9, 9,			  /* CSRC */
		0xbe, 0xde, 0, 1, 1, 2, 3, 4,		  /* extension of one word */
		0x55, 0x56, 0, 2			  /* two octets, two of padding */
	};
	struct rtp_packet p;

	(void)state;
	assert_ok(parsed(&p, all, sizeof(all)));
	assert_int_equal(p.payload.len, 2);
	assert_int_equal((uint8_t)p.payload.ptr[0], 0x55);
	for (size_t n = 0; n < sizeof(all); n++) /* cut anywhere: nothing is read beyond */
		if (!parsed(&p, all, n))
			assert_true(p.payload.len < n);
}

static void test_refused(void **state)
{
	uint8_t bytes[RTP_HEADER_BYTES] = { 0x80, 8 };
	struct rtp_packet p;

	(void)state;
	assert_ok(parsed(&p, bytes, sizeof(bytes)));
	assert_int_equal(p.payload.len, 0);
	assert_int_equal(parsed(&p, bytes, 11), HD_EPARSE);
	assert_int_equal(parsed(&p, bytes, 0), HD_EPARSE);
	bytes[0] = 0x40; /* version 1 */
	assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	bytes[0] = 0x00; /* STUN */
	assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	bytes[0] = 0x8f; /* 15 CSRCs that are not there */
	assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	bytes[0] = 0x90; /* an extension that is not there */
	assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	bytes[0] = 0xa0; /* padding of 0, then of more than there is */
	assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	bytes[11] = 1;
	assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	bytes[0] = 0x80;
	for (int type = 200; type <= 204; type++) { /* RTCP on the same port (RFC 5761 4) */
		bytes[1] = (uint8_t)type;
		assert_int_equal(parsed(&p, bytes, sizeof(bytes)), HD_EPARSE);
	}
}

static bool takes(struct rtp_source *s, uint32_t ssrc, uint16_t seq)
{
	const struct rtp_packet p = { .ssrc = ssrc, .seq = seq };

	return rtp_source_takes(s, &p);
}

static void test_source(void **state)
{
	struct rtp_source s = { 0 };

	(void)state;
	assert_true(takes(&s, 1, 10)); /* the first one */
	assert_true(takes(&s, 1, 999));
	assert_false(takes(&s, 2, 5)); /* another one is tried */
	assert_false(takes(&s, 2, 7)); /* not in sequence */
	assert_true(takes(&s, 1, 11));
	assert_true(takes(&s, 2, 8)); /* in sequence: believed */
	assert_false(takes(&s, 1, 12));
	assert_false(takes(&s, 3, 0xffff));
	assert_true(takes(&s, 3, 0)); /* round the corner */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_is_read),
		cmocka_unit_test(test_all_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
