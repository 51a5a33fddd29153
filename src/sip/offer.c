/* offer.c - see hotdesk/sip/offer.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sdp.h>
#include <sofia-sip/su_alloc.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/offer.h"
#include "sdes.h"

enum {
	BYTES_MAX = 16384,
	STREAMS_MAX = 32,
	RATE = 8000,
	OUR_EVENTS = 101, /* payload type in our own offer */
	DISCARD = 9,
};

struct hd_sdp {
	su_home_t home[SU_HOME_AUTO_SIZE(2048) / sizeof(su_home_t)];
	sdp_session_t *session;
	const sdp_media_t *taken;
	struct hd_sdp_stream stream;
	struct sdes sdes; /* of a secure one */
};

/* ---- reading -------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("*+-._", c));
}

/*
 * An m= line as "m=audio 4000 RTP/AVP 8 0": words with one blank between, '/' inside of them only.
 * @return how many octets of dst are used, -1: something else stands among them
 */
static ssize_t copy_media(char *dst, struct hd_slice line)
{
	ssize_t n = 0;
	char last, c;

	for (size_t i = 0; i < line.len; i++) {
		c = line.ptr[i] == '\t' ? ' ' : line.ptr[i];
		last = n > 0 ? dst[n - 1] : ' ';
		if (c == ' ' && last == ' ')
			continue;
		if (i >= 2 && c != ' ' && !is_word(c) &&
		    (c != '/' || !is_word(last) || i + 1 == line.len || !is_word(line.ptr[i + 1])))
			return -1;
		dst[n++] = c;
	}
	return n;
}

/*
 * The parser never ends at an m= line with a format that is none, as in "m=audio 0 x :", or is
 * blank, and takes all the memory there is: it gets lines that were made neat.
 */
static int copy_neatly(char *dst, struct hd_slice text)
{
	struct hd_slice line;
	ssize_t used;
	size_t n;

	while (text.len > 0) {
		for (n = 0; n < text.len && text.ptr[n] != '\r' && text.ptr[n] != '\n'; n++)
			;
		line = hd_slice_trim((struct hd_slice){ text.ptr, n });
		if (line.len >= 2 && line.ptr[0] == 'm' && line.ptr[1] == '=') {
			used = copy_media(dst, line);
			if (used < 0)
				return HD_EPARSE;
			dst += used;
		} else {
			memcpy(dst, text.ptr, n);
			dst += n;
		}
		if (n < text.len)
			*dst++ = text.ptr[n++];
		text.ptr += n;
		text.len -= n;
	}
	*dst = '\0'; /* the parser reads on */
	return 0;
}

/* Offers of phones lack what the standard wants (t=, s=, a c= where nothing is sent). */
static int parse(su_home_t *home, sdp_session_t **sessionp, struct hd_slice text)
{
	sdp_parser_t *parser;
	char *copy;

	if (text.len == 0 || text.len > BYTES_MAX || memchr(text.ptr, '\0', text.len))
		return HD_EPARSE;
	copy = su_alloc(home, (isize_t)text.len + 1);
	if (!copy)
		return HD_ENOMEM;
	if (copy_neatly(copy, text))
		return HD_EPARSE;
	parser = sdp_parse(home, copy, (issize_t)strlen(copy), sdp_f_insane | sdp_f_c_missing);
	*sessionp = sdp_session(parser);
	/* The parser's memory goes with the home. */
	return *sessionp ? 0 : HD_EPARSE;
}

static bool is_rtp(const char *proto)
{
	return proto && (strcasecmp(proto, "RTP/AVP") == 0 || strcasecmp(proto, "RTP/AVPF") == 0);
}

static bool is_srtp(const char *proto)
{
	return proto && (strcasecmp(proto, "RTP/SAVP") == 0 || strcasecmp(proto, "RTP/SAVPF") == 0);
}

static const char *proto_of(const sdp_media_t *m)
{
	if (m->m_proto_name)
		return m->m_proto_name;
	return m->m_proto == sdp_proto_rtp    ? "RTP/AVP"
	       : m->m_proto == sdp_proto_srtp ? "RTP/SAVP"
					      : NULL;
}

/* One format; theirs that came first is their preference (RFC 3264 6.1). */
static void take_format(struct hd_sdp_stream *s, bool *foundp, uint8_t type, const char *encoding)
{
	bool a_law = strcasecmp(encoding, "PCMA") == 0;

	if (!*foundp && (a_law || strcasecmp(encoding, "PCMU") == 0)) {
		*foundp = true;
		s->a_law = a_law;
		s->payload_type = type;
	} else if (strcasecmp(encoding, "telephone-event") == 0 &&
		   s->n_event_types < HD_SDP_EVENT_TYPES_MAX) {
		s->event_types[s->n_event_types++] = type;
	}
}

/* The parser knows formats of AVP and SAVP only; of the others it keeps the texts. */
static void take_text_format(struct hd_sdp_stream *s, bool *foundp, const sdp_media_t *m,
			     const char *format)
{
	const char *map = NULL;
	char encoding[32];
	size_t prefix;
	uint64_t type;

	if (hd_u64_parse(&type, hd_slice_of(format), 127))
		return;
	prefix = strlen(format);
	for (const sdp_attribute_t *a = m->m_attributes; a && !map; a = a->a_next)
		if (a->a_name && a->a_value && strcasecmp(a->a_name, "rtpmap") == 0 &&
		    strncmp(a->a_value, format, prefix) == 0 && a->a_value[prefix] == ' ')
			map = a->a_value + prefix + strspn(a->a_value + prefix, " ");
	if (!map)
		map = type == 0 ? "PCMU/8000" : type == 8 ? "PCMA/8000" : "";
	prefix = strcspn(map, "/");
	if (strncmp(map + prefix, "/8000", 5) != 0 || (map[prefix + 5] && map[prefix + 5] != '/') ||
	    hd_str_copy(encoding, sizeof(encoding), (struct hd_slice){ map, prefix }))
		return;
	take_format(s, foundp, (uint8_t)type, encoding);
}

/* @return false: neither law */
static bool take_codecs(struct hd_sdp_stream *s, const sdp_media_t *m)
{
	bool found = false;

	s->n_event_types = 0;
	for (const sdp_rtpmap_t *map = m->m_rtpmaps; map; map = map->rm_next)
		if (map->rm_encoding && map->rm_rate == RATE)
			take_format(s, &found, (uint8_t)map->rm_pt, map->rm_encoding);
	for (const sdp_list_t *l = m->m_rtpmaps ? NULL : m->m_format; l; l = l->l_next)
		take_text_format(s, &found, m, l->l_text);
	return found;
}

static void take_address(struct hd_sdp_stream *s, const sdp_media_t *m)
{
	const sdp_connection_t *c = sdp_media_connections(m);
	struct in6_addr address;
	bool any;

	s->remote[0] = '\0';
	s->remote_port = (uint16_t)m->m_port;
	s->ipv6 = c && c->c_addrtype == sdp_addr_ip6;
	if (!c || !c->c_address || c->c_mcast)
		return;
	any = strcmp(c->c_address, "0.0.0.0") == 0 || strcmp(c->c_address, "::") == 0;
	if (any) /* hold as of RFC 2543 */
		s->may_send = false;
	else if (inet_pton(s->ipv6 ? AF_INET6 : AF_INET, c->c_address, &address) != 1 ||
		 hd_str_set(s->remote, sizeof(s->remote), c->c_address))
		s->remote[0] = '\0';
}

static uint32_t number_of(const sdp_media_t *m, const char *name)
{
	const sdp_attribute_t *a = sdp_attribute_find(m->m_attributes, name);
	uint64_t v = 0;

	if (!a || !a->a_value || hd_u64_parse(&v, hd_slice_trim(hd_slice_of(a->a_value)), 1000))
		return 0;
	return (uint32_t)v;
}

/* @return false: not a stream of ours */
static bool take_media(struct hd_sdp_stream *s, struct sdes *sdes, const sdp_media_t *m)
{
	const char *proto = proto_of(m);
	uint32_t max;

	memset(s, 0, sizeof(*s));
	if (m->m_type != sdp_media_audio || m->m_port == 0 || m->m_port > UINT16_MAX ||
	    m->m_rejected || (!is_rtp(proto) && !is_srtp(proto)))
		return false;
	s->may_send = (m->m_mode & sdp_recvonly) != 0; /* what they receive */
	s->may_receive = (m->m_mode & sdp_sendonly) != 0;
	if (!take_codecs(s, m))
		return false;
	if (is_srtp(proto)) {
		s->secure = sdes_choose(sdes, m->m_attributes);
		if (!s->secure)
			return false;
		s->tag_32 = sdes->tag_32;
		memcpy(s->key, sdes->key, sizeof(s->key));
	}
	take_address(s, m);
	s->ptime_ms = number_of(m, "ptime");
	max = number_of(m, "maxptime");
	if (max && s->ptime_ms > max)
		s->ptime_ms = max;
	return true;
}

int hd_sdp_read_offer(struct hd_sdp **sp, struct hd_slice offer)
{
	struct hd_sdp *sdp = calloc(1, sizeof(*sdp));
	size_t n = 0;
	int err;

	if (!sdp)
		return HD_ENOMEM;
	su_home_auto(sdp->home, sizeof(sdp->home));
	err = parse(sdp->home, &sdp->session, offer);
	if (err)
		goto out;
	for (const sdp_media_t *m = sdp->session->sdp_media; m; m = m->m_next) {
		if (++n > STREAMS_MAX) {
			err = HD_EPARSE;
			goto out;
		}
		if (!sdp->taken && take_media(&sdp->stream, &sdp->sdes, m))
			sdp->taken = m;
	}
	if (!sdp->taken)
		err = HD_EUNSUPPORTED;
out:
	if (err)
		hd_sdp_free(sdp);
	else
		*sp = sdp;
	return err;
}

int hd_sdp_read_answer(struct hd_sdp_stream *stream, struct hd_slice answer)
{
	sdp_session_t *session = NULL;
	struct sdes sdes;
	su_home_t *home = su_home_new(sizeof(*home));
	int err;

	if (!home)
		return HD_ENOMEM;
	err = parse(home, &session, answer);
	if (!err && (!session->sdp_media || !take_media(stream, &sdes, session->sdp_media) ||
		     stream->secure))
		err = HD_EUNSUPPORTED;
	su_home_unref(home);
	return err;
}

const struct hd_sdp_stream *hd_sdp_stream(const struct hd_sdp *sdp)
{
	return &sdp->stream;
}

void hd_sdp_free(struct hd_sdp *sdp)
{
	if (!sdp)
		return;
	su_home_deinit(sdp->home);
	hd_wipe(sdp, sizeof(*sdp));
	free(sdp);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void add_session(struct hd_buf *b, const struct hd_sdp_local *local)
{
	const char *family = strchr(local->address, ':') ? "IP6" : "IP4";

	hd_buf_addf(b, "v=0\r\no=hotdeskd %llu %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		    (unsigned long long)local->id, local->version, family, local->address, family,
		    local->address);
}

static void add_declined(struct hd_buf *b, const sdp_media_t *m)
{
	const char *proto = proto_of(m);

	hd_buf_addf(b, "m=%s 0 %s", m->m_type_name ? m->m_type_name : "audio",
		    proto ? proto : "RTP/AVP");
	if (m->m_format)
		hd_buf_addf(b, " %s", m->m_format->l_text);
	else if (m->m_rtpmaps)
		hd_buf_addf(b, " %u", (unsigned)m->m_rtpmaps->rm_pt);
	else
		hd_buf_adds(b, " 0");
	hd_buf_adds(b, "\r\n");
}

static const char *direction_of(const struct hd_sdp_stream *s, unsigned mode)
{
	bool receive = s->may_receive, send = (mode & sdp_recvonly) != 0;

	return receive && send ? "sendrecv" : receive ? "recvonly" : send ? "sendonly" : "inactive";
}

static void add_codecs(struct hd_buf *b, const struct hd_sdp_stream *s)
{
	hd_buf_addf(b, "a=rtpmap:%u %s/8000\r\n", s->payload_type, s->a_law ? "PCMA" : "PCMU");
	for (size_t i = 0; i < s->n_event_types; i++)
		hd_buf_addf(b, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n",
			    s->event_types[i], s->event_types[i]);
}

static void add_taken(struct hd_buf *b, const struct hd_sdp *sdp, const struct hd_sdp_local *local)
{
	const struct hd_sdp_stream *s = &sdp->stream;
	const sdp_media_t *m = sdp->taken;

	hd_buf_addf(b, "m=audio %u %s %u", local->port, proto_of(m), s->payload_type);
	for (size_t i = 0; i < s->n_event_types; i++)
		hd_buf_addf(b, " %u", s->event_types[i]);
	hd_buf_adds(b, "\r\n");
	add_codecs(b, s);
	hd_buf_addf(b, "a=ptime:20\r\na=%s\r\n", direction_of(s, m->m_mode));
	if (sdp_attribute_find(m->m_attributes, "rtcp-mux"))
		hd_buf_adds(b, "a=rtcp-mux\r\n");
	if (s->secure)
		sdes_write(b, &sdp->sdes, local->key);
}

int hd_sdp_write_answer(struct hd_buf *b, const struct hd_sdp *sdp,
			const struct hd_sdp_local *local)
{
	if (sdp->stream.secure && !local->key)
		return HD_EINVAL;
	add_session(b, local);
	for (const sdp_media_t *m = sdp->session->sdp_media; m; m = m->m_next) {
		if (m == sdp->taken)
			add_taken(b, sdp, local);
		else
			add_declined(b, m);
	}
	return hd_buf_error(b);
}

int hd_sdp_write_offer(struct hd_buf *b, const struct hd_sdp_local *local)
{
	add_session(b, local);
	hd_buf_addf(b,
		    "m=audio %u RTP/AVP 8 0 %d\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
		    "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\na=ptime:20\r\n"
		    "a=sendrecv\r\n",
		    local->port, OUR_EVENTS, OUR_EVENTS, OUR_EVENTS);
	return hd_buf_error(b);
}
