/* stream.c - one stream: its terms, and what is taken from the wire. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <utlist.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "media_priv.h"

enum { TURN_PACKETS = 32 }; /* of one socket in one turn: a storm must not starve the others */

static struct hd_metric streams = HD_GAUGE("hotdeskd_rtp_streams", NULL, "RTP streams open");
#define HELP "RTP packets received, by what they were"
static struct hd_metric taken = HD_COUNTER("hotdeskd_rtp", "kind=\"taken\"", HELP);
static struct hd_metric strange = HD_COUNTER("hotdeskd_rtp", "kind=\"stranger\"", HELP);
static struct hd_metric malformed = HD_COUNTER("hotdeskd_rtp", "kind=\"malformed\"", HELP);
static struct hd_metric forged = HD_COUNTER("hotdeskd_rtp", "kind=\"forged\"", HELP);

static int watch(struct hd_stream *s, int fd, uint64_t rtcp)
{
	/* The lowest bit of the pointer tells the two sockets apart. */
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = (uint64_t)(uintptr_t)s | rtcp };

	return epoll_ctl(s->media->epoll, EPOLL_CTL_ADD, fd, &ev) ? HD_ESYSTEM : 0;
}

int hd_stream_new(struct hd_stream **sp, struct hd_media *m, const char *address,
		  const struct hd_stream_events *events)
{
	struct hd_stream *s;
	int err;

	if (m->n >= m->options.streams_max)
		return HD_EBUSY;
	s = calloc(1, sizeof(*s));
	if (!s)
		return HD_ENOMEM;
	s->media = m;
	s->events = *events;
	err = ports_open(&s->ports, address, &m->options);
	if (!err)
		err = watch(s, s->ports.rtp, 0);
	if (!err)
		err = watch(s, s->ports.rtcp, 1);
	if (err) {
		ports_close(&s->ports);
		free(s);
		return err;
	}
	hd_metric_register(&streams);
	hd_metric_register(&taken);
	hd_metric_register(&strange);
	hd_metric_register(&malformed);
	hd_metric_register(&forged);
	s->ssrc = hd_random_u32(UINT32_MAX);
	s->seq = (uint16_t)hd_random_u32(UINT16_MAX / 2); /* RFC 3711 3.3.1 */
	s->timestamp = hd_random_u32(UINT32_MAX);
	s->heard_at_ms = media_now(m);
	DL_APPEND(m->streams, s);
	hd_metric_set(&streams, ++m->n);
	*sp = s;
	return 0;
}

void hd_stream_free(struct hd_stream *s)
{
	struct hd_media *m;

	if (!s || s->dead)
		return;
	m = s->media;
	s->agreed = false;
	stream_set_sending(s);
	s->dead = true;
	DL_DELETE(m->streams, s);
	hd_metric_set(&streams, --m->n);
	ports_close(&s->ports);
	srtp_pair_free(s->srtp);
	s->srtp = NULL;
	hd_wipe(&s->terms, sizeof(s->terms));
	if (m->turning == 0) {
		free(s);
		return;
	}
	LL_PREPEND2(m->graves, s, grave); /* a list that is being worked on may name it */
}

uint16_t hd_stream_port(const struct hd_stream *s)
{
	return s->ports.port;
}

int64_t hd_stream_silent_ms(const struct hd_stream *s)
{
	return media_now(s->media) - s->heard_at_ms;
}

bool hd_stream_is_latched(const struct hd_stream *s)
{
	return s->latched;
}

/* ---- terms ---------------------------------------------------------------------------------- */

static int set_addresses(struct hd_stream *s, const struct hd_stream_terms *t)
{
	struct sockaddr_storage remote = { 0 }, signalling = { 0 };
	bool has_remote = t->remote[0] != '\0' && t->remote_port != 0;
	bool has_signalling = t->signalling[0] != '\0';

	if (has_remote && (address_parse(&remote, t->remote, t->remote_port) ||
			   remote.ss_family != s->ports.family))
		return HD_EINVAL;
	if (has_signalling && address_parse(&signalling, t->signalling, 0))
		return HD_EINVAL;
	if (has_remote && (!s->has_remote || !address_is(&remote, &s->remote))) {
		s->latched = false;
		s->source = (struct rtp_source){ 0 };
	}
	if (has_remote)
		s->remote = remote;
	s->has_remote = s->has_remote || has_remote;
	s->signalling = signalling;
	s->has_signalling = has_signalling;
	return 0;
}

static bool same_keys(const struct hd_stream_terms *a, const struct hd_stream_terms *b)
{
	return a->keys.tag_32 == b->keys.tag_32 &&
	       hd_secret_eq(a->keys.ours, b->keys.ours, sizeof(a->keys.ours)) &&
	       hd_secret_eq(a->keys.theirs, b->keys.theirs, sizeof(a->keys.theirs));
}

static int set_keys(struct hd_stream *s, const struct hd_stream_terms *t)
{
	struct srtp_pair *pair = NULL;
	int err;

	if (t->secure && s->srtp && same_keys(&s->terms, t))
		return 0;
	if (t->secure) {
		err = srtp_pair_new(&pair, &t->keys);
		if (err)
			return err;
	}
	srtp_pair_free(s->srtp);
	s->srtp = pair;
	return 0;
}

int hd_stream_agree(struct hd_stream *s, const struct hd_stream_terms *t)
{
	int err;

	if (t->n_event_types > HD_MEDIA_EVENT_TYPES_MAX)
		return HD_EINVAL;
	err = set_keys(s, t);
	if (!err)
		err = set_addresses(s, t);
	if (err)
		return err;
	s->terms = *t;
	if (s->terms.ptime_ms < 10 || s->terms.ptime_ms > PTIME_MAX_MS || s->terms.ptime_ms % 10)
		s->terms.ptime_ms = 20;
	s->agreed = true;
	stream_set_sending(s);
	return 0;
}

/* ---- what comes ----------------------------------------------------------------------------- */

/* Before anything of the packet is looked at. */
static bool may_speak(const struct hd_stream *s, const struct sockaddr_storage *from)
{
	if (!s->agreed)
		return false;
	if (s->latched)
		return address_is(from, &s->latched_at);
	return (s->has_remote && address_host_is(from, &s->remote)) ||
	       (s->has_signalling && address_host_is(from, &s->signalling));
}

static bool is_event(const struct hd_stream *s, uint8_t payload_type)
{
	for (size_t i = 0; i < s->terms.n_event_types; i++)
		if (s->terms.event_types[i] == payload_type)
			return true;
	return false;
}

static bool is_expected(const struct hd_stream *s, const struct rtp_packet *p)
{
	/* 13 is comfort noise (RFC 3389); some phones answer one law with the other. */
	return p->payload_type == s->terms.payload_type || p->payload_type == 0 ||
	       p->payload_type == 8 || p->payload_type == 13 || is_event(s, p->payload_type);
}

static void take(struct hd_stream *s, struct hd_slice datagram, const struct sockaddr_storage *from)
{
	struct rtp_packet p;
	char digit;

	if (rtp_parse(&p, datagram) || !is_expected(s, &p)) {
		hd_metric_add(&malformed, 1);
		return;
	}
	if (!rtp_source_takes(&s->source, &p)) {
		hd_metric_add(&strange, 1);
		return;
	}
	hd_metric_add(&taken, 1);
	s->heard_at_ms = media_now(s->media);
	if (!s->latched) {
		s->latched = true;
		s->latched_at = *from;
	}
	if (!s->terms.may_receive || !is_event(s, p.payload_type))
		return;
	digit = event_take(&s->event, &p, s->heard_at_ms);
	if (digit && s->events.digit)
		s->events.digit(s->events.arg, digit);
}

static void receive_one(struct hd_stream *s, uint8_t *buf, size_t n,
			const struct sockaddr_storage *from)
{
	struct rtp_packet p;

	if (!may_speak(s, from)) {
		hd_metric_add(&strange, 1);
		return;
	}
	if (s->srtp) {
		/* The library wants a whole header, and takes RTCP for RTP. */
		if (rtp_parse(&p, (struct hd_slice){ (const char *)buf, n })) {
			hd_metric_add(&malformed, 1);
			return;
		}
		if (srtp_pair_unprotect(s->srtp, buf, &n)) {
			hd_metric_add(&forged, 1);
			return;
		}
	}
	take(s, (struct hd_slice){ (const char *)buf, n }, from);
}

void stream_receive(struct hd_stream *s)
{
	struct sockaddr_storage from;
	uint8_t buf[PACKET_MAX];
	socklen_t len;
	ssize_t n;

	for (int i = 0; i < TURN_PACKETS && !s->dead; i++) {
		len = sizeof(from);
		n = recvfrom(s->ports.rtp, buf, sizeof(buf), MSG_TRUNC, (struct sockaddr *)&from,
			     &len);
		if (n < 0) /* ICMP errors of what we sent, too: the stream does not end by them */
			return;
		if ((size_t)n > sizeof(buf))
			hd_metric_add(&malformed, 1);
		else
			receive_one(s, buf, (size_t)n, &from);
	}
}

void stream_drain(struct hd_stream *s)
{
	uint8_t buf[1];

	for (int i = 0; i < TURN_PACKETS; i++)
		if (recv(s->ports.rtcp, buf, sizeof(buf), MSG_TRUNC) < 0)
			return;
}
