/* test_stream.c - streams by a clock of ours: pacing, who may speak, other terms, sounds. */
#include <arpa/inet.h>
#include <poll.h>
#include <unistd.h>

#include "hotdesk/base/secret.h"
#include "rtp_support.h"

enum { DEADLINE_MS = 10000, LISTED = 64 };

struct peer {
	int fd;
	struct sockaddr_in at;
};

struct world {
	struct hd_fake_clock clock;
	struct hd_media *media;
	struct hd_stream *stream;
	struct hd_stream_terms terms;
	struct peer phone, stranger;
	char digits[LISTED];
	size_t n_digits;
	unsigned played;
	bool free_in_event;
};

static void on_digit(void *arg, char digit)
{
	struct world *w = arg;

	w->digits[w->n_digits++] = digit;
	if (w->free_in_event) {
		hd_stream_free(w->stream);
		w->stream = NULL;
	}
}

static void on_played(void *arg)
{
	struct world *w = arg;

	w->played++;
	if (w->free_in_event) {
		hd_stream_free(w->stream);
		w->stream = NULL;
	}
}

static void peer_open(struct peer *p, const char *address)
{
	socklen_t len = sizeof(p->at);

	p->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(p->fd >= 0);
	p->at = (struct sockaddr_in){ .sin_family = AF_INET };
	assert_int_equal(inet_pton(AF_INET, address, &p->at.sin_addr), 1);
	assert_ok(bind(p->fd, (struct sockaddr *)&p->at, sizeof(p->at)));
	assert_ok(getsockname(p->fd, (struct sockaddr *)&p->at, &len));
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct hd_stream_events events = { on_digit, on_played, w };
	struct hd_media_options o = { .streams_max = 2 };

	assert_non_null(w);
	assert_ok(hd_secret_init());
	hd_fake_clock_init(&w->clock, 1790000000001); /* the grid begins 19 ms later */
	o.clock = &w->clock.clock;
	assert_ok(hd_media_new(&w->media, &o));
	assert_ok(hd_stream_new(&w->stream, w->media, "127.0.0.1", &events));
	peer_open(&w->phone, "127.0.0.1");
	peer_open(&w->stranger, "127.0.0.2");
	w->terms = (struct hd_stream_terms){
		.remote = "127.0.0.1",
		.remote_port = ntohs(w->phone.at.sin_port),
		.law = HD_LAW_A,
		.payload_type = 8,
		.event_types = { 101, 96 },
		.n_event_types = 2,
		.may_send = true,
		.may_receive = true,
	};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	hd_stream_free(w->stream);
	hd_media_free(w->media);
	close(w->phone.fd);
	close(w->stranger.fd);
	free(w);
	return 0;
}

static void agree(struct world *w)
{
	assert_ok(hd_stream_agree(w->stream, &w->terms));
}

/* How many packets wait at a peer; the last one is parsed. */
static int received(const struct peer *p, struct rtp_packet *last, uint8_t *octets, size_t *np)
{
	static uint8_t buf[PACKET_MAX];
	struct rtp_packet ignored;
	ssize_t n;
	int count = 0;

	while ((n = recv(p->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct hd_slice datagram = { (const char *)buf, (size_t)n };

		assert_ok(rtp_parse(last ? last : &ignored, datagram));
		if (octets) {
			memcpy(octets + *np, buf + RTP_HEADER_BYTES, (size_t)n - RTP_HEADER_BYTES);
			*np += (size_t)n - RTP_HEADER_BYTES;
		}
		count++;
	}
	return count;
}

static void send_packet(const struct peer *from, const struct world *w, const struct rtp_packet *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t buf[PACKET_MAX];

	rtp_write(buf, p);
	memcpy(buf + RTP_HEADER_BYTES, p->payload.ptr, p->payload.len);
	to.sin_port = htons(hd_stream_port(w->stream));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(sendto(from->fd, buf, RTP_HEADER_BYTES + p->payload.len, 0,
			   (struct sockaddr *)&to, sizeof(to)) > 0);
}

static void send_event(const struct peer *from, const struct world *w, uint32_t timestamp,
		       uint8_t event)
{
	uint8_t octets[4];
	const struct rtp_packet p = { .payload_type = 101,
				      .marker = true,
				      .timestamp = timestamp,
				      .seq = (uint16_t)(timestamp / 160),
				      .ssrc = 9,
				      .payload = event_octets(octets, event, true, 400) };

	send_packet(from, w, &p);
}

/* What is on loopback is there when sendto() has returned. */
static void turn(struct world *w)
{
	hd_media_turn(w->media);
}

static void advance(struct world *w, int ms)
{
	for (int i = 0; i < ms; i++) {
		hd_fake_clock_advance(&w->clock, 1);
		hd_media_tick(w->media);
	}
}

/* 20 ms each, no drift: after any time as many as there are periods in it. */
static void test_pacing(void **state)
{
	struct world *w = *state;
	struct rtp_packet first = { 0 }, p = { 0 };
	int n = 0;

	agree(w);
	for (int i = 0; i < 20 && n == 0; i++) {
		advance(w, 1);
		n = received(&w->phone, &first, NULL, NULL);
	}
	assert_int_equal(n, 1);
	assert_true(first.marker);
	for (int i = 1; i <= 200; i++) {
		advance(w, 19);
		assert_int_equal(received(&w->phone, &p, NULL, NULL), 0);
		advance(w, 1);
		assert_int_equal(received(&w->phone, &p, NULL, NULL), 1);
		assert_int_equal((uint16_t)(p.seq - first.seq), i);
		assert_int_equal(p.timestamp - first.timestamp, 160 * i);
		assert_false(p.marker);
		assert_int_equal(p.ssrc, first.ssrc);
	}
}

/* Late by less than 0.2 s: what was due leaves at once. After a longer stop time has gone on. */
static void test_late(void **state)
{
	struct world *w = *state;
	struct rtp_packet before = { 0 }, p = { 0 };

	agree(w);
	advance(w, 40);
	assert_int_equal(received(&w->phone, &before, NULL, NULL), 2);
	hd_fake_clock_advance(&w->clock, 100);
	hd_media_tick(w->media);
	assert_int_equal(received(&w->phone, &p, NULL, NULL), 5);
	assert_int_equal((uint16_t)(p.seq - before.seq), 5);
	assert_int_equal(p.timestamp - before.timestamp, 5 * 160);
	before = p;
	hd_fake_clock_advance(&w->clock, 10000);
	hd_media_tick(w->media);
	assert_int_equal(received(&w->phone, &p, NULL, NULL), 1);
	assert_true(p.marker);
	assert_int_equal((uint16_t)(p.seq - before.seq), 1);
	assert_int_equal(p.timestamp - before.timestamp, 500 * 160);
}

static void test_other_packet_times(void **state)
{
	struct world *w = *state;
	uint8_t octets[8192];
	size_t n;

	for (uint32_t ptime = 10; ptime <= 60; ptime += 10) {
		w->terms.ptime_ms = ptime;
		agree(w);
		advance(w, 60);
		(void)received(&w->phone, NULL, NULL, NULL);
		n = 0;
		advance(w, 600);
		assert_int_equal(received(&w->phone, NULL, octets, &n), 600 / ptime);
		assert_int_equal(n, 600 * 8);
	}
	w->terms.ptime_ms = 25; /* none of ours: 20 */
	agree(w);
	advance(w, 60);
	(void)received(&w->phone, NULL, NULL, NULL);
	advance(w, 600);
	assert_int_equal(received(&w->phone, NULL, NULL, NULL), 30);
}

/* Octet for octet, in a row, with silence around; then one event. */
static void test_played(void **state)
{
	static const struct hd_note notes[] = { { 440, 33 } }, other[] = { { 1000, 50 } };
	struct world *w = *state;
	struct hd_sound *a = NULL, *b = NULL;
	const struct hd_sound *list[2];
	uint8_t octets[8192], wanted[2000];
	struct hd_slice s, t;
	size_t n = 0;

	assert_ok(hd_sound_new(&a, notes, 1));
	assert_ok(hd_sound_new(&b, other, 1));
	list[0] = a;
	list[1] = b;
	agree(w);
	hd_stream_play(w->stream, list, 2);
	assert_true(hd_stream_is_playing(w->stream));
	advance(w, 200);
	(void)received(&w->phone, NULL, octets, &n);
	assert_int_equal(w->played, 1);
	assert_false(hd_stream_is_playing(w->stream));
	s = hd_sound_octets(a, HD_LAW_A);
	t = hd_sound_octets(b, HD_LAW_A);
	memcpy(wanted, s.ptr, s.len);
	memcpy(wanted + s.len, t.ptr, t.len);
	memset(wanted + s.len + t.len, SILENCE_A, 100);
	assert_memory_equal(octets, wanted, s.len + t.len + 100);
	/* stopped: silence from the next packet on, and no event */
	hd_stream_play(w->stream, list, 2);
	advance(w, 20);
	hd_stream_stop(w->stream);
	(void)received(&w->phone, NULL, NULL, NULL);
	advance(w, 100);
	n = 0;
	(void)received(&w->phone, NULL, octets, &n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(octets[i], SILENCE_A);
	assert_int_equal(w->played, 1);
	hd_stream_free(w->stream); /* before its sounds */
	w->stream = NULL;
	hd_sound_free(a);
	hd_sound_free(b);
}

static void test_hold(void **state)
{
	struct world *w = *state;
	struct rtp_packet before = { 0 }, p = { 0 };

	agree(w);
	advance(w, 100);
	assert_int_equal(received(&w->phone, &before, NULL, NULL), 5);
	w->terms.may_send = false;
	agree(w);
	advance(w, 1000);
	assert_int_equal(received(&w->phone, &p, NULL, NULL), 0);
	send_event(&w->phone, w, 16000, 5); /* keys still count */
	turn(w);
	assert_string_equal(w->digits, "5");
	w->terms.may_receive = false;
	agree(w);
	send_event(&w->phone, w, 32000, 6);
	turn(w);
	assert_string_equal(w->digits, "5");
	w->terms.may_send = w->terms.may_receive = true;
	agree(w);
	advance(w, 100);
	assert_int_equal(received(&w->phone, &p, NULL, NULL), 5);
	assert_int_equal((uint16_t)(p.seq - before.seq), 5);
	assert_int_equal(p.ssrc, before.ssrc);
}

/* ---- who may speak -------------------------------------------------------------------------- */

static void test_strangers(void **state)
{
	struct world *w = *state;
	struct peer twin;

	peer_open(&twin, "127.0.0.1");	  /* the same host, another port */
	send_event(&w->phone, w, 800, 9); /* before anything was agreed */
	turn(w);
	assert_int_equal(w->n_digits, 0);
	agree(w);
	send_event(&w->stranger, w, 1600, 1);
	turn(w);
	assert_int_equal(w->n_digits, 0);
	assert_false(hd_stream_is_latched(w->stream));
	send_event(&w->phone, w, 1600, 2);
	turn(w);
	assert_string_equal(w->digits, "2");
	assert_true(hd_stream_is_latched(w->stream));
	send_event(&twin, w, 3200, 3);
	send_event(&w->stranger, w, 4800, 4);
	turn(w);
	assert_string_equal(w->digits, "2");
	advance(w, 100);
	assert_int_equal(received(&twin, NULL, NULL, NULL), 0);
	assert_int_equal(received(&w->stranger, NULL, NULL, NULL), 0);
	assert_int_equal(received(&w->phone, NULL, NULL, NULL), 5);
	close(twin.fd);
}

/* Behind a NAT: from where the signalling comes, and answers go there, too. */
static void test_symmetric(void **state)
{
	struct world *w = *state;

	assert_ok(hd_str_set(w->terms.remote, sizeof(w->terms.remote), "192.0.2.77"));
	assert_ok(hd_str_set(w->terms.signalling, sizeof(w->terms.signalling), "127.0.0.2"));
	agree(w);
	send_event(&w->phone, w, 1600, 1);
	turn(w);
	assert_int_equal(w->n_digits, 0);
	send_event(&w->stranger, w, 1600, 7);
	turn(w);
	assert_string_equal(w->digits, "7");
	advance(w, 100);
	assert_int_equal(received(&w->stranger, NULL, NULL, NULL), 5);
	assert_int_equal(received(&w->phone, NULL, NULL, NULL), 0);
	/* another address by a re-INVITE: learned anew */
	assert_ok(hd_str_set(w->terms.remote, sizeof(w->terms.remote), "127.0.0.1"));
	agree(w);
	send_event(&w->phone, w, 3200, 8);
	turn(w);
	assert_string_equal(w->digits, "78");
	advance(w, 100);
	assert_int_equal(received(&w->phone, NULL, NULL, NULL), 5);
}

static void test_noise(void **state)
{
	struct world *w = *state;
	struct sockaddr_in to = { .sin_family = AF_INET };
	static char big[4000];
	uint8_t octets[4];
	struct rtp_packet p = { .payload_type = 77, .payload = event_octets(octets, 5, true, 1) };

	agree(w);
	to.sin_port = htons(hd_stream_port(w->stream));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t n = 0; n < sizeof(big); n += 333) {
		memset(big, (int)n, n);
		(void)!sendto(w->phone.fd, big, n, 0, (struct sockaddr *)&to, sizeof(to));
	}
	send_packet(&w->phone, w, &p); /* a payload type that is not agreed on */
	turn(w);
	assert_false(hd_stream_is_latched(w->stream));
	p.payload_type = 96; /* the second of telephone-event */
	send_packet(&w->phone, w, &p);
	turn(w);
	assert_string_equal(w->digits, "5");
	/* RTCP is read away */
	to.sin_port = htons((uint16_t)(hd_stream_port(w->stream) + 1));
	for (int i = 0; i < 100; i++)
		(void)!sendto(w->phone.fd, big, 100, 0, (struct sockaddr *)&to, sizeof(to));
	for (int i = 0; i < 10; i++)
		turn(w);
	{
		struct pollfd fd = { .fd = w->stream->ports.rtcp, .events = POLLIN };

		assert_int_equal(poll(&fd, 1, 0), 0);
	}
}

/* A storm of one stream does not keep the others waiting: so many packets in a turn. */
static void test_storm(void **state)
{
	struct world *w = *state;

	agree(w);
	for (uint32_t i = 1; i <= 60; i++)
		send_event(&w->phone, w, 1600 * i, (uint8_t)(i % 10));
	turn(w);
	assert_in_range(w->n_digits, 1, 32);
	for (int i = 0; i < 10; i++)
		turn(w);
	assert_int_equal(w->n_digits, 60);
}

static void test_secure(void **state)
{
	struct world *w = *state;
	struct hd_srtp_keys phone = { 0 };
	struct srtp_pair *pair = NULL;
	struct rtp_packet p = { .payload_type = 101, .seq = 1, .ssrc = 4 };
	uint8_t buf[PACKET_MAX], octets[4];
	struct sockaddr_in to = { .sin_family = AF_INET };
	size_t n = RTP_HEADER_BYTES + 4;
	ssize_t got;

	w->terms.secure = true;
	hd_random_bytes(&w->terms.keys.ours, HD_SRTP_KEY_BYTES);
	hd_random_bytes(&w->terms.keys.theirs, HD_SRTP_KEY_BYTES);
	memcpy(phone.ours, w->terms.keys.theirs, HD_SRTP_KEY_BYTES);
	memcpy(phone.theirs, w->terms.keys.ours, HD_SRTP_KEY_BYTES);
	assert_ok(srtp_pair_new(&pair, &phone));
	agree(w);
	send_event(&w->phone, w, 1600, 3); /* plain */
	turn(w);
	assert_int_equal(w->n_digits, 0);
	assert_false(hd_stream_is_latched(w->stream));
	rtp_write(buf, &p);
	memcpy(buf + RTP_HEADER_BYTES, event_octets(octets, 7, false, 160).ptr, 4);
	assert_ok(srtp_pair_protect(pair, buf, &n));
	to.sin_port = htons(hd_stream_port(w->stream));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(sendto(w->phone.fd, buf, n, 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	turn(w);
	assert_string_equal(w->digits, "7");
	advance(w, 40);
	got = recv(w->phone.fd, buf, sizeof(buf), MSG_DONTWAIT);
	assert_int_equal(got, RTP_HEADER_BYTES + 160 + 10);
	n = (size_t)got;
	assert_ok(srtp_pair_unprotect(pair, buf, &n));
	for (size_t i = RTP_HEADER_BYTES; i < n; i++)
		assert_int_equal(buf[i], SILENCE_A);
	agree(w); /* the same keys again: the state goes on */
	advance(w, 20);
	n = (size_t)recv(w->phone.fd, buf, sizeof(buf), MSG_DONTWAIT);
	assert_ok(srtp_pair_unprotect(pair, buf, &n));
	srtp_pair_free(pair);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void test_limit(void **state)
{
	struct world *w = *state;
	const struct hd_stream_events none = { 0 };
	struct hd_stream *a = NULL, *b = NULL;

	assert_ok(hd_stream_new(&a, w->media, "127.0.0.1", &none));
	assert_int_equal(hd_media_count(w->media), 2);
	assert_int_equal(hd_stream_new(&b, w->media, "127.0.0.1", &none), HD_EBUSY);
	hd_stream_free(a);
	assert_ok(hd_stream_new(&b, w->media, "127.0.0.1", &none));
	hd_stream_free(b);
	hd_stream_free(NULL);
	assert_int_equal(hd_media_count(w->media), 1);
}

static void test_freed_in_its_events(void **state)
{
	static const struct hd_note notes[] = { { 440, 20 } };
	struct world *w = *state;
	const struct hd_stream_events events = { on_digit, on_played, w };
	struct hd_sound *a = NULL;
	const struct hd_sound *list[1];

	assert_ok(hd_sound_new(&a, notes, 1));
	list[0] = a;
	w->free_in_event = true;
	agree(w);
	hd_stream_play(w->stream, list, 1);
	advance(w, 60);
	assert_int_equal(w->played, 1);
	assert_null(w->stream);
	assert_ok(hd_stream_new(&w->stream, w->media, "127.0.0.1", &events));
	agree(w);
	send_event(&w->phone, w, 1600, 3);
	send_event(&w->phone, w, 3200, 4);
	turn(w);
	assert_string_equal(w->digits, "3");
	assert_null(w->stream);
	assert_int_equal(hd_media_count(w->media), 0);
	hd_sound_free(a);
}

static void test_terms_refused(void **state)
{
	struct world *w = *state;

	assert_ok(hd_str_set(w->terms.remote, sizeof(w->terms.remote), "::1")); /* another family */
	assert_int_equal(hd_stream_agree(w->stream, &w->terms), HD_EINVAL);
	assert_ok(hd_str_set(w->terms.remote, sizeof(w->terms.remote), "host.example"));
	assert_int_equal(hd_stream_agree(w->stream, &w->terms), HD_EINVAL);
	w->terms.n_event_types = HD_MEDIA_EVENT_TYPES_MAX + 1;
	assert_int_equal(hd_stream_agree(w->stream, &w->terms), HD_EINVAL);
	w->terms.n_event_types = 1;
	w->terms.remote[0] = '\0'; /* nowhere to send: nothing is sent, and nobody believed */
	agree(w);
	advance(w, 100);
	assert_int_equal(received(&w->phone, NULL, NULL, NULL), 0);
	assert_int_equal(hd_stream_silent_ms(w->stream), 100);
}

/* With the system's clock: the descriptor is readable when packets are due, and they are sent. */
static void test_by_descriptor(void **state)
{
	struct world *w = *state;
	struct hd_media_options o = { .clock = hd_clock_system(), .streams_max = 1 };
	const struct hd_stream_events none = { 0 };
	struct hd_media *m = NULL;
	struct hd_stream *s = NULL;
	struct pollfd fd;
	int n = 0;

	assert_ok(hd_media_new(&m, &o));
	fd = (struct pollfd){ .fd = hd_media_fd(m), .events = POLLIN };
	assert_ok(hd_stream_new(&s, m, "127.0.0.1", &none));
	assert_int_equal(poll(&fd, 1, 0), 0); /* nobody sends: nobody is woken */
	assert_ok(hd_stream_agree(s, &w->terms));
	while (n < 10) {
		assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
		hd_media_turn(m);
		n += received(&w->phone, NULL, NULL, NULL);
	}
	hd_stream_free(s);
	hd_media_free(m);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pacing),	       T(test_late),	      T(test_other_packet_times),
		T(test_played),	       T(test_hold),	      T(test_strangers),
		T(test_symmetric),     T(test_noise),	      T(test_storm),
		T(test_secure),	       T(test_limit),	      T(test_freed_in_its_events),
		T(test_terms_refused), T(test_by_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
