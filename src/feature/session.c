/* session.c - offer and answer of a dialog, and the stream that they are about. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "feature_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/sip/sdp.h"

void session_close(struct session *s)
{
	hd_stream_free(s->stream);
	s->stream = NULL;
	hd_wipe(s->key, sizeof(s->key));
	free(s->text);
	s->text = NULL;
}

/* The literal in "sip:HOST:PORT;...", without []. */
static int host_of(char dst[HD_MEDIA_HOST_SIZE], const char *uri_text)
{
	struct hd_uri uri;
	struct hd_slice host;
	int err = hd_uri_parse(&uri, hd_slice_of(uri_text));

	if (err)
		return err;
	host = uri.host;
	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	return hd_str_copy(dst, HD_MEDIA_HOST_SIZE, host);
}

/* Where the phone speaks to us, and from where. */
static int find_addresses(struct dialog *d, char ours[HD_MEDIA_HOST_SIZE])
{
	struct hd_flow flow;
	char uri[160];
	int err;

	err = hd_flow_parse(&flow, d->flow);
	if (!err)
		err = hd_flow_local_uri(d->features->options.agent, &flow, uri, sizeof(uri));
	if (!err)
		err = host_of(ours, uri);
	if (!err && !inet_ntop(flow.family == 6 ? AF_INET6 : AF_INET, flow.address,
			       d->session.signalling, HD_MEDIA_HOST_SIZE))
		err = HD_EINVAL;
	return err;
}

static bool is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* Ours in the family of their media, which may be another than that of the signalling. */
static int choose_address(struct dialog *d, const struct hd_sdp_stream *theirs)
{
	struct session *s = &d->session;
	const char *configured = d->features->options.dialogue.address;
	char ours[HD_MEDIA_HOST_SIZE];
	bool ipv6;
	int err = find_addresses(d, ours);

	if (err)
		return err;
	ipv6 = theirs && theirs->remote[0] ? theirs->ipv6 : is_ipv6(ours);
	if (configured[0] && is_ipv6(configured) == ipv6)
		return hd_str_set(s->address, sizeof(s->address), configured);
	if (is_ipv6(ours) == ipv6)
		return hd_str_set(s->address, sizeof(s->address), ours);
	return hd_media_local_address(s->address, theirs->remote) ? HD_EUNSUPPORTED : 0;
}

static int open_stream(struct dialog *d)
{
	struct hd_stream_events events = talk_stream_events;
	struct session *s = &d->session;

	events.arg = d;
	s->id = (uint64_t)hd_random_u32(UINT32_MAX) << 16;
	s->version = 1;
	return hd_stream_new(&s->stream, d->features->options.media, s->address, &events);
}

static int keep_text(struct session *s, struct hd_buf *text)
{
	char *taken = hd_buf_take(text);

	if (!taken)
		return HD_ENOMEM;
	free(s->text);
	s->text = taken;
	return 0;
}

/* ---- terms ---------------------------------------------------------------------------------- */

static int agree(struct session *s, const struct hd_sdp_stream *theirs)
{
	struct hd_stream_terms t = {
		.remote_port = theirs->remote_port,
		.law = theirs->a_law ? HD_LAW_A : HD_LAW_MU,
		.payload_type = theirs->payload_type,
		.n_event_types = theirs->n_event_types,
		.ptime_ms = theirs->ptime_ms,
		.may_send = theirs->may_send,
		.may_receive = theirs->may_receive,
		.secure = theirs->secure,
	};
	int err;

	/* A name, or nothing: then where the signalling comes from has to do. */
	err = hd_str_set(t.remote, sizeof(t.remote),
			 theirs->remote[0] ? theirs->remote : s->signalling);
	if (!err)
		err = hd_str_set(t.signalling, sizeof(t.signalling), s->signalling);
	memcpy(t.event_types, theirs->event_types, sizeof(t.event_types));
	t.keys.tag_32 = theirs->tag_32;
	memcpy(t.keys.ours, s->key, sizeof(t.keys.ours));
	memcpy(t.keys.theirs, theirs->key, sizeof(t.keys.theirs));
	if (!err)
		err = hd_stream_agree(s->stream, &t);
	hd_wipe(&t, sizeof(t));
	return err == HD_EINVAL ? HD_EUNSUPPORTED : err;
}

static int answer(struct session *s, const struct hd_sdp *sdp)
{
	struct hd_sdp_local local = {
		.address = s->address,
		.port = hd_stream_port(s->stream),
		.id = s->id,
		.version = s->version,
		.key = s->key,
	};
	struct hd_buf text = { 0 };
	int err;

	if (hd_sdp_stream(sdp)->secure && !s->has_key) {
		hd_random_bytes(s->key, sizeof(s->key));
		s->has_key = true;
	}
	err = hd_sdp_write_answer(&text, sdp, &local);
	if (!err)
		err = agree(s, hd_sdp_stream(sdp));
	if (!err)
		err = keep_text(s, &text);
	hd_buf_fini(&text);
	return err;
}

static int offer(struct session *s)
{
	const struct hd_sdp_local local = {
		.address = s->address,
		.port = hd_stream_port(s->stream),
		.id = s->id,
		.version = s->version,
	};
	struct hd_buf text = { 0 };
	int err;

	err = hd_sdp_write_offer(&text, &local);
	if (!err)
		err = keep_text(s, &text);
	hd_buf_fini(&text);
	s->offered = !err;
	return err;
}

/* ---- the steps of a dialog ------------------------------------------------------------------ */

int session_open(struct dialog *d, struct hd_slice body)
{
	struct session *s = &d->session;
	struct hd_sdp *sdp = NULL;
	int err = body.len ? hd_sdp_read_offer(&sdp, body) : 0;

	if (!err)
		err = choose_address(d, sdp ? hd_sdp_stream(sdp) : NULL);
	if (!err)
		err = open_stream(d);
	if (!err)
		err = sdp ? answer(s, sdp) : offer(s);
	hd_sdp_free(sdp);
	if (err)
		session_close(s);
	return err == HD_EPARSE ? HD_EUNSUPPORTED : err;
}

int session_open_silent(struct dialog *d, struct hd_slice body)
{
	struct hd_buf text = { 0 };
	char ours[HD_MEDIA_HOST_SIZE];
	int err = find_addresses(d, ours);

	if (!err)
		err = hd_sdp_inactive(&text, body, ours);
	if (!err)
		err = keep_text(&d->session, &text);
	hd_buf_fini(&text);
	return err == HD_EPARSE ? HD_EUNSUPPORTED : err;
}

int session_change(struct dialog *d, struct hd_slice body)
{
	struct session *s = &d->session;
	struct hd_sdp *sdp = NULL;
	int err;

	if (!s->stream)
		return HD_EUNSUPPORTED;
	err = body.len ? hd_sdp_read_offer(&sdp, body) : 0;
	/* A secure stream is not asked to become a plain one by an offer of ours. */
	if (!err && !sdp && s->has_key)
		err = HD_EUNSUPPORTED;
	if (!err && sdp && hd_sdp_stream(sdp)->remote[0] &&
	    hd_sdp_stream(sdp)->ipv6 != is_ipv6(s->address))
		err = HD_EUNSUPPORTED;
	if (!err)
		s->version++;
	if (!err)
		err = sdp ? answer(s, sdp) : offer(s);
	hd_sdp_free(sdp);
	return err == HD_EPARSE ? HD_EUNSUPPORTED : err;
}

int session_answered(struct dialog *d, struct hd_slice body)
{
	struct session *s = &d->session;
	struct hd_sdp_stream theirs;
	int err;

	s->offered = false;
	err = body.len ? hd_sdp_read_answer(&theirs, body) : HD_EUNSUPPORTED;
	if (!err)
		err = agree(s, &theirs);
	return err;
}
