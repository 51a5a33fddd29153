/* request.c - requests that belong to no transaction; see hotdesk/sip/agent.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/base/source.h"
#include "hotdesk/sip/guard.h"
#include "ict.h"
#include "reply.h"
#include "sip_priv.h"
#include "sofia_creds.h"
#include "sofia_priv.h"

enum { TO_TAG_BYTES = 6 };

struct hd_request {
	struct hd_agent *agent;
	msg_t *msg;
	tport_t *tport; /* referenced */
	struct hd_flow flow;
	char flow_text[HD_FLOW_TEXT_SIZE];
	char source[INET6_ADDRSTRLEN];
};

/* Answers go to the source: a stranger shall not have them sent to somebody else. */
static bool is_redirected(const sip_via_t *via, const char *source)
{
	return via->v_maddr && strcasecmp(via->v_maddr, source) != 0;
}

static void source_format(char source[INET6_ADDRSTRLEN], const su_sockaddr_t *from)
{
	if (from->su_family != AF_INET6)
		hd_ipv4_format(source, (const uint8_t *)&from->su_sin.sin_addr);
	else if (IN6_IS_ADDR_V4MAPPED(&from->su_sin6.sin6_addr))
		hd_ipv4_format(source, from->su_sin6.sin6_addr.s6_addr + 12);
	else
		inet_ntop(AF_INET6, &from->su_sin6.sin6_addr, source, INET6_ADDRSTRLEN);
}

static bool is_host(const char *host, const char *source)
{
	struct hd_slice h = hd_slice_of(host);

	if (h.len > 2 && h.ptr[0] == '[') {
		h.ptr++;
		h.len -= 2;
	}
	return hd_slice_caseis(h, source);
}

/* @return 0 to 65535; -1: it is no port */
static int sent_by_port(const sip_via_t *via)
{
	uint64_t port;

	if (!via->v_port)
		return SIP_DEFAULT_PORT;
	return hd_u64_parse(&port, hd_slice_of(via->v_port), UINT16_MAX) ? -1 : (int)port;
}

/*
 * RFC 3581: received and rport where the client asks for rport; and where sent-by is not the
 * source, as behind a NAT, or its port is none, rport for those phones that do not know it. Who
 * names its own address and another port gets its answers there (RFC 3261 18.2.2).
 */
void hd_msg_note_source(msg_t *msg, const char *source)
{
	sip_via_t *via = sip_object(msg)->sip_via;
	su_home_t *home = msg_home(msg);
	const bool elsewhere = !is_host(via->v_host, source) || sent_by_port(via) <= 0;
	char *text, port[HD_U32_SIZE];

	if (!elsewhere && !via->v_rport)
		return;
	text = su_strcat(home, "received=", source);
	if (text)
		msg_header_replace_param(home, via->v_common, text);
	hd_u32_format(port, ntohs(msg_addr(msg)->su_port));
	text = su_strcat(home, "rport=", port);
	if (text)
		msg_header_replace_param(home, via->v_common, text);
}

/* What the library answers by itself, with 400, 413 or 505. */
static bool is_refused(msg_t *msg, const sip_t *sip)
{
	return msg_extract_errors(msg) & sip_mask_request ||
	       sip->sip_flags & (MSG_FLG_TOOLARGE | MSG_FLG_ERROR) || sip_sanity_check(sip) < 0 ||
	       strcasecmp(sip->sip_request->rq_version, sip_version_2_0) != 0;
}

const char *hd_via_protocol(const tport_t *tport)
{
	if (tport_is_udp(tport))
		return sip_transport_udp;
	return tport_has_tls(tport) ? sip_transport_tls : sip_transport_tcp;
}

void hd_agent_screen(const void *arg, tport_t *tport, msg_t *msg)
{
	struct hd_agent *agent = (struct hd_agent *)(uintptr_t)arg;
	sip_t *sip = sip_object(msg);
	sip_via_t *via = sip ? sip->sip_via : NULL;
	char source[INET6_ADDRSTRLEN];

	agent->via_protocol = NULL;
	if (!via || !sip->sip_request)
		return;
	source_format(source, msg_addr(msg));
	msg_header_remove_param(via->v_common, "received"); /* it is ours to say */
	if (is_refused(msg, sip)) {
		hd_msg_note_source(msg, source);
		if (is_redirected(via, source))
			msg_header_remove_param(via->v_common, "maddr");
	} else {
		agent->via_protocol = via->v_protocol;
	}
	via->v_protocol = hd_via_protocol(tport);
}

static struct hd_request *request_new(struct hd_agent *agent, msg_t *msg)
{
	struct hd_request *req = calloc(1, sizeof(*req));

	if (!req)
		return NULL;
	req->agent = agent;
	req->msg = msg;
	req->tport = nta_incoming_transport(agent->nta, NULL, msg);
	if (!req->tport) {
		free(req);
		return NULL;
	}
	hd_flow_of_msg(&req->flow, agent, req->tport, msg);
	hd_flow_format(req->flow_text, sizeof(req->flow_text), &req->flow);
	source_format(req->source, msg_addr(msg));
	if (sip_object(msg)->sip_via) /* the library has taken away what sent-by says already */
		hd_msg_note_source(msg, req->source);
	return req;
}

/* The connection that was read last is the one it came by. */
bool hd_request_is_from(const struct hd_request *req, const char *domain)
{
	struct hd_address address = { 0 };
	su_sockaddr_t from;
	socklen_t len = sizeof(from);
	int fd = hd_hook_current();

	memset(&from, 0, sizeof(from));
	if (!tport_has_tls(req->tport) || fd < 0 || getpeername(fd, &from.su_sa, &len))
		return false;
	hd_address_set(&address, &from.su_sa);
	return address.family == req->flow.family && ntohs(from.su_port) == req->flow.port &&
	       memcmp(address.bytes, req->flow.address, sizeof(address.bytes)) == 0 &&
	       hd_tls_is_named(fd, domain);
}

static void request_free(struct hd_request *req)
{
	tport_unref(req->tport);
	free(req);
}

static unsigned header_lines(msg_t *msg)
{
	const sip_header_t *h = first_header(msg);
	unsigned n = 0;

	for (; h; h = (const sip_header_t *)h->sh_succ)
		n++;
	return n;
}

/* A field that we act on and the parser could not read; those only passed on may be anything. */
static const char *bad_header(const sip_t *sip)
{
	bool registers = sip->sip_request->rq_method == sip_method_register;

	for (const sip_error_t *e = sip->sip_error; e; e = (const sip_error_t *)e->er_next) {
		const msg_hclass_t *class = e->er_common->h_class;
		const char *name = class == sip_error_class ? e->er_name : class->hc_name;

		if (name &&
		    (strcasecmp(name, "Max-Forwards") == 0 || strcasecmp(name, "Route") == 0 ||
		     (registers &&
		      (strcasecmp(name, "Contact") == 0 || strcasecmp(name, "Path") == 0))))
			return name;
	}
	return NULL;
}

/* RFC 3261 16.3 checks that need nothing but the message. @return a status, 0 to go on, -1 to drop
 */
static int check(const struct hd_agent *agent, struct hd_request *req, const char **phrasep)
{
	msg_t *msg = req->msg;
	const sip_t *sip = sip_object(msg);
	const char *bad;

	*phrasep = NULL;
	if (!sip->sip_via || !sip->sip_from || !sip->sip_to || !sip->sip_call_id || !sip->sip_cseq)
		return 400;
	if (is_redirected(sip->sip_via, req->source)) {
		msg_header_remove_param(sip->sip_via->v_common, "maddr");
		*phrasep = "Via With maddr";
		return 400;
	}
	bad = sent_by_port(sip->sip_via) < 0 ? "Via" : bad_header(sip);
	if (bad) {
		*phrasep = su_sprintf(msg_home(msg), "Bad %s Header", bad);
		return 400;
	}
	if (header_lines(msg) > agent->options.limits.header_max) {
		*phrasep = "Too Many Header Fields";
		return 400;
	}
	if (sip->sip_request->rq_url->url_type != url_sip &&
	    sip->sip_request->rq_url->url_type != url_sips &&
	    !overload_is_emergency(&agent->overload, sip))
		return 416;
	return 0;
}

static bool is_initial(const sip_t *sip)
{
	return !(sip->sip_to && sip->sip_to->a_tag) &&
	       sip->sip_request->rq_method != sip_method_ack &&
	       sip->sip_request->rq_method != sip_method_cancel;
}

/* Runs for every request that matches no transaction; owns msg. */
static void receive_request(struct hd_agent *agent, msg_t *msg, sip_t *sip)
{
	struct source_table *allowance = agent->sources;
	struct hd_request *req;
	const char *phrase;
	int status;

	if (overload_is_emergency(&agent->overload, sip))
		allowance = agent->overload.reserve;
	if (!hd_source_allow(allowance, msg_addr(msg), hd_clock_mono_ms(agent->options.clock))) {
		overload_count(agent, HD_SHED_SOURCE);
		nta_msg_discard(agent->nta, msg);
		return;
	}
	req = request_new(agent, msg);
	if (!req) {
		nta_msg_discard(agent->nta, msg);
		return;
	}
	status = check(agent, req, &phrase);
	if (status == 0 && agent->draining && is_initial(sip)) {
		hd_request_shed(req, HD_SHED_STOPPING);
		return;
	}
	if (req->flow.transport && status == 0)
		hd_guard_mark_alive((const struct sockaddr *)msg_addr(msg),
				    msg_addr(msg)->su_family == AF_INET6
					    ? (socklen_t)sizeof(struct sockaddr_in6)
					    : (socklen_t)sizeof(struct sockaddr_in));
	if (status == 0)
		agent->options.request(agent->options.arg, req);
	else if (status < 0 || sip->sip_request->rq_method == sip_method_ack)
		hd_request_drop(req);
	else
		hd_request_reply(req, status, phrase, NULL);
}

int hd_agent_receive(struct hd_agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	if (sip->sip_request) {
		if (agent->via_protocol && sip->sip_via)
			sip->sip_via->v_protocol = agent->via_protocol;
		receive_request(agent, msg, sip);
		return 0;
	}
	if (sip->sip_status && !ict_receive(agent->icts, msg, sip) && agent->options.response)
		agent->options.response(agent->options.arg, msg_wrap(msg));
	msg_destroy(msg);
	(void)nta;
	return 0;
}

struct hd_msg *hd_request_msg(struct hd_request *req)
{
	return msg_wrap(req->msg);
}

const char *hd_request_flow(struct hd_request *req)
{
	return req->flow_text;
}

const char *hd_request_source(struct hd_request *req)
{
	return req->source;
}

bool hd_request_is_exempt(const struct hd_request *req)
{
	return hd_source_is_exempt(req->agent->sources, msg_addr(req->msg));
}

bool hd_request_is_stream(struct hd_request *req)
{
	return req->flow.transport != 0;
}

void hd_request_addresses(struct hd_request *req, char *local, char *remote, size_t size)
{
	hd_flow_addresses(req->agent, &req->flow, local, remote, size);
}

/* The To that came, to the letter, and the tag behind it. */
static int keep_to(su_home_t *home, sip_to_t *to, struct hd_slice raw, const char *tag)
{
	const size_t size = raw.len + strlen(";tag=") + strlen(tag) + strlen("\r\n") + 1;
	char *text = su_alloc(home, (isize_t)size);

	if (!text)
		return HD_ENOMEM;
	memcpy(text, raw.ptr, raw.len);
	snprintf(text + raw.len, size - raw.len, ";tag=%s\r\n", tag);
	to->a_common->h_data = text;
	to->a_common->h_len = (usize_t)size - 1;
	return 0;
}

/* The same request gets the same tag, without memory of it (RFC 3261 8.2.7). */
static int add_to_tag(struct hd_request *req, su_home_t *home, sip_to_t *to)
{
	const sip_t *sip = sip_object(req->msg);
	char tag[2 * TO_TAG_BYTES + 1];
	struct hd_slice raw;
	uint8_t mac[HD_MAC_BYTES];
	struct hd_slice parts[] = {
		hd_slice_of(sip->sip_via->v_branch),
		hd_slice_of(sip->sip_from->a_tag),
		hd_slice_of(sip->sip_call_id->i_id),
		{ (const char *)&sip->sip_cseq->cs_seq, sizeof(sip->sip_cseq->cs_seq) },
	};

	hd_mac(mac, &req->agent->tag_key, parts, sizeof(parts) / sizeof(parts[0]));
	hd_hex_format(tag, mac, TO_TAG_BYTES);
	raw.ptr = to->a_common->h_data;
	raw.len = raw.ptr ? to->a_common->h_len : 0;
	raw = hd_slice_trim(raw);
	if (sip_to_tag(home, to, tag) < 0)
		return HD_ENOMEM;
	return raw.len ? keep_to(home, to, raw, tag) : 0;
}

/* The Via tells the library where to send; on the wire it is the one that came. */
static int lead_via(struct hd_request *req, su_home_t *home, sip_via_t *via)
{
	const char *protocol = hd_via_protocol(req->tport);
	const char *value;
	char *line;

	if (strcmp(via->v_protocol, protocol) == 0)
		return 0;
	msg_fragment_clear_chain((msg_header_t *)via);
	value = hd_header_text(home, (sip_header_t *)via);
	line = value ? su_sprintf(home, "Via: %s\r\n", value) : NULL;
	if (!line)
		return HD_ENOMEM;
	via->v_common->h_data = line;
	via->v_common->h_len = (usize_t)strlen(line);
	via->v_protocol = protocol;
	return 0;
}

/* Copies share the text of the request: what we give back is what came. */
static int copy_fields(struct hd_request *req, msg_t *reply, int status)
{
	sip_t *sip = sip_object(req->msg), *to = sip_object(reply);
	su_home_t *home = msg_home(reply);

	to->sip_via = sip_via_copy(home, sip->sip_via);
	to->sip_from = sip_from_copy(home, sip->sip_from);
	to->sip_to = sip_to_copy(home, sip->sip_to);
	to->sip_call_id = sip_call_id_copy(home, sip->sip_call_id);
	to->sip_cseq = sip_cseq_copy(home, sip->sip_cseq);
	msg_set_parent(reply, req->msg);
	/* An answer without a dialog has no use for it, and one to REGISTER must not have it. */
	sip->sip_record_route = NULL;
	if (!to->sip_via || !to->sip_from || !to->sip_to || !to->sip_call_id || !to->sip_cseq ||
	    lead_via(req, home, to->sip_via))
		return HD_ENOMEM;
	return status == 100 || to->sip_to->a_tag ? 0 : add_to_tag(req, home, to->sip_to);
}

void hd_request_reply(struct hd_request *req, int status, const char *phrase, const char *lines)
{
	const sip_t *sip = sip_object(req->msg);
	msg_t *reply;

	if (sip->sip_request->rq_method == sip_method_ack) {
		hd_request_drop(req);
		return;
	}
	if (!phrase)
		phrase = sip_status_phrase(status);
	reply = nta_msg_create(req->agent->nta, 0);
	if (!reply || copy_fields(req, reply, status) ||
	    hd_reply_fill(reply, status, phrase, lines)) {
		msg_destroy(reply);
		hd_request_drop(req);
		return;
	}
	if (nta_msg_mreply(req->agent->nta, reply, sip_object(reply), status, phrase, req->msg,
			   NTATAG_TPORT(req->tport), TAG_END()) < 0)
		hd_debug("sip", "%s: reply %d not sent", req->flow_text, status);
	request_free(req);
}

void hd_request_drop(struct hd_request *req)
{
	nta_msg_discard(req->agent->nta, req->msg);
	request_free(req);
}

struct hd_agent *hd_request_agent(struct hd_request *req)
{
	return req->agent;
}

msg_t *hd_request_take(struct hd_request *req, struct hd_agent **agentp, tport_t **tportp,
		       char flow[HD_FLOW_TEXT_SIZE])
{
	msg_t *msg = req->msg;

	*agentp = req->agent;
	*tportp = tport_ref(req->tport);
	memcpy(flow, req->flow_text, HD_FLOW_TEXT_SIZE);
	request_free(req);
	return msg;
}
