/* test_event.c - RFC 4733: each key once, whatever is lost, doubled, late or strangely stamped. */
#include "rtp_support.h"

/* One packet: event, end, marker, timestamp, duration, and when it came. */
struct step {
	uint8_t event;
	char flags; /* 'm' marker, 'e' end, ' ' none */
	uint32_t timestamp;
	uint16_t duration;
	int64_t at_ms;
};

/* The digits that the steps come to; static. */
static const char *typed(const struct step *steps, size_t n, uint32_t start)
{
	static char out[64];
	struct event_state st = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t octets[4];
		const struct rtp_packet p = {
			.marker = steps[i].flags == 'm',
			.timestamp = start + steps[i].timestamp,
			.ssrc = 1,
			.payload = event_octets(octets, steps[i].event, steps[i].flags == 'e',
						steps[i].duration),
		};
		char digit = event_take(&st, &p, steps[i].at_ms);

		if (digit)
			out[len++] = digit;
	}
	out[len] = '\0';
	return out;
}

#define TYPED(...)                                                                                 \
	typed((const struct step[]){ __VA_ARGS__ },                                                \
	      sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step), start)

static void check_all(uint32_t start)
{
	/* as it should be: begin, go on, end three times; the same key again */
	assert_string_equal(TYPED({ 4, 'm', 0, 160, 0 }, { 4, ' ', 0, 320, 20 },
				  { 4, 'e', 0, 480, 40 }, { 4, 'e', 0, 480, 41 },
				  { 4, 'e', 0, 480, 42 }, { 4, 'm', 1600, 160, 200 },
				  { 4, 'e', 1600, 320, 220 }),
			    "44");
	/* the first packets were lost, or all but one end */
	assert_string_equal(TYPED({ 4, ' ', 0, 320, 20 }, { 4, 'e', 0, 480, 40 }), "4");
	assert_string_equal(TYPED({ 4, 'e', 0, 480, 40 }, { 4, 'e', 0, 480, 41 }), "4");
	/* all ends were lost: the next key is another, or begins with a marker, or comes later */
	assert_string_equal(TYPED({ 4, 'm', 0, 160, 0 }, { 5, 'm', 1600, 160, 200 }), "45");
	assert_string_equal(TYPED({ 4, 'm', 0, 160, 0 }, { 4, 'm', 800, 160, 100 }), "44");
	assert_string_equal(TYPED({ 4, 'm', 0, 160, 0 }, { 4, ' ', 2400, 160, 300 }), "44");
	/* out of order: the end before the middle, an end of the last key after the next began */
	assert_string_equal(
		TYPED({ 4, 'm', 0, 160, 0 }, { 4, 'e', 0, 480, 40 }, { 4, ' ', 0, 320, 41 }), "4");
	assert_string_equal(TYPED({ 4, 'm', 0, 160, 0 }, { 5, 'm', 1600, 160, 200 },
				  { 4, 'e', 0, 480, 201 }, { 5, ' ', 1600, 320, 220 },
				  { 5, 'e', 1600, 480, 240 }),
			    "45");
	/* a phone that stamps each packet anew */
	assert_string_equal(TYPED({ 4, 'm', 0, 160, 0 }, { 4, ' ', 160, 320, 20 },
				  { 4, ' ', 320, 480, 40 }, { 4, 'e', 480, 640, 60 },
				  { 4, 'e', 480, 640, 61 }, { 4, 'm', 2400, 160, 300 },
				  { 4, 'e', 2400, 320, 320 }),
			    "44");
	/* longer than 8 s: segments (2.5.1.3) */
	assert_string_equal(TYPED({ 4, 'm', 0, 0xffff, 0 }, { 4, ' ', 0xffff, 160, 20 },
				  { 4, 'e', 0xffff, 320, 40 }),
			    "4");
	/* the sender began anew with an older clock */
	assert_string_equal(TYPED({ 4, 'e', 500000, 160, 0 }, { 5, 'm', 0, 160, 100 }), "45");
	/* flash and what is no digit */
	assert_string_equal(TYPED({ 16, 'm', 0, 160, 0 }, { 32, 'm', 900, 160, 100 },
				  { 255, 'e', 1800, 160, 200 }),
			    "");
	assert_string_equal(TYPED({ 10, 'm', 0, 160, 0 }, { 11, 'm', 900, 160, 100 },
				  { 12, 'm', 1800, 160, 200 }, { 15, 'm', 2700, 160, 300 }),
			    "*#AD");
}

static void test_table(void **state)
{
	(void)state;
	check_all(0);
	check_all(0x7ffffff0); /* signs */
	check_all(0xffffff00); /* round the corner */
}

static void test_malformed(void **state)
{
	struct event_state st = { 0 };
	uint8_t octets[4];
	struct rtp_packet p = { .payload = event_octets(octets, 5, false, 160) };

	(void)state;
	for (p.payload.len = 0; p.payload.len < 4; p.payload.len++)
		assert_int_equal(event_take(&st, &p, 0), 0);
	assert_false(st.any);
	p.payload.len = 4;
	assert_int_equal(event_take(&st, &p, 0), '5');
}

/* A storm has as many keys as it has events, and the state stays small. */
static void test_other_source(void **state)
{
	struct event_state st = { 0 };
	uint8_t octets[4];
	struct rtp_packet p = { .timestamp = 9000, .ssrc = 1 };

	(void)state;
	p.payload = event_octets(octets, 5, true, 160);
	assert_int_equal(event_take(&st, &p, 0), '5');
	p.ssrc = 2; /* its clock is its own: older is no sign of late */
	p.timestamp = 100;
	assert_int_equal(event_take(&st, &p, 10), '5');
	assert_int_equal(event_take(&st, &p, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_other_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
