/* flow.c - flows as text, and the transports they stand for; see hotdesk/sip/agent.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip_priv.h"

static const char *const transport_names[] = { "udp", "tcp", "tls" };

static int transport_parse(uint8_t *transportp, struct hd_slice s)
{
	for (uint8_t i = 0; i < 3; i++) {
		if (hd_slice_caseis(s, transport_names[i])) {
			*transportp = i;
			return 0;
		}
	}
	return HD_EPARSE;
}

static void ip_format(char dst[INET6_ADDRSTRLEN], const struct hd_flow *flow,
		      const uint8_t *address)
{
	if (flow->family != 6)
		hd_ipv4_format(dst, address);
	else if (!inet_ntop(AF_INET6, address, dst, INET6_ADDRSTRLEN))
		dst[0] = '\0';
}

bool hd_flow_has_local(const struct hd_flow *flow)
{
	static const uint8_t none[sizeof(flow->local)];

	return memcmp(flow->local, none, sizeof(none)) != 0;
}

void hd_flow_format(char *dst, size_t size, const struct hd_flow *flow)
{
	char address[INET6_ADDRSTRLEN], at[INET6_ADDRSTRLEN] = "";
	char listener[HD_U32_SIZE], port[HD_U32_SIZE];
	const bool local = hd_flow_has_local(flow), v6 = flow->family == 6;

	ip_format(address, flow, flow->address);
	if (local)
		ip_format(at, flow, flow->local);
	hd_u32_format(listener, flow->listener);
	hd_u32_format(port, flow->port);
	hd_str_join(dst, size,
		    (const char *const[]){ transport_names[flow->transport % 3], "/", listener,
					   local ? "@" : "", at, v6 ? "/[" : "/", address,
					   v6 ? "]:" : ":", port, flow->nat ? "~" : "", NULL });
}

static int address_parse(struct hd_flow *flow, struct hd_slice s)
{
	char host[INET6_ADDRSTRLEN];

	if (s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']') {
		s.ptr++;
		s.len -= 2;
		flow->family = 6;
	} else {
		flow->family = 4;
	}
	if (hd_str_copy(host, sizeof(host), s))
		return HD_EPARSE;
	memset(flow->address, 0, sizeof(flow->address));
	return inet_pton(flow->family == 6 ? AF_INET6 : AF_INET, host, flow->address) == 1
		       ? 0
		       : HD_EPARSE;
}

/* "0", "0@192.0.2.1" */
static int listener_parse(struct hd_flow *flow, struct hd_slice s)
{
	const char *at = memchr(s.ptr, '@', s.len);
	char local[INET6_ADDRSTRLEN];
	uint64_t number;

	memset(flow->local, 0, sizeof(flow->local));
	if (at) {
		const struct hd_slice text = { at + 1, s.len - (size_t)(at + 1 - s.ptr) };

		s.len = (size_t)(at - s.ptr);
		if (hd_str_copy(local, sizeof(local), text) ||
		    inet_pton(flow->family == 6 ? AF_INET6 : AF_INET, local, flow->local) != 1 ||
		    !hd_flow_has_local(flow))
			return HD_EPARSE;
	}
	if (hd_u64_parse(&number, s, HD_LISTENERS_MAX - 1))
		return HD_EPARSE;
	flow->listener = (uint8_t)number;
	return 0;
}

/* "udp/0/192.0.2.1:5060", "tcp/1/[2001:db8::1]:5060", "udp/0@198.51.100.7/192.0.2.1:5060" */
int hd_flow_parse(struct hd_flow *flow, const char *text)
{
	const char *first, *second, *colon;
	struct hd_slice part;
	uint64_t number;
	int err;

	if (!text || !(first = strchr(text, '/')) || !(second = strchr(first + 1, '/')) ||
	    !(colon = strrchr(second, ':')))
		return HD_EPARSE;
	part.ptr = text;
	part.len = (size_t)(first - text);
	err = transport_parse(&flow->transport, part);
	if (err)
		return err;
	part = hd_slice_of(colon + 1);
	flow->nat = part.len > 0 && part.ptr[part.len - 1] == '~';
	part.len -= flow->nat;
	err = hd_u64_parse(&number, part, UINT16_MAX);
	if (err)
		return HD_EPARSE;
	flow->port = (uint16_t)number;
	part.ptr = second + 1;
	part.len = (size_t)(colon - second - 1);
	err = address_parse(flow, part);
	part.ptr = first + 1;
	part.len = (size_t)(second - first - 1);
	return err ? err : listener_parse(flow, part);
}

/* The library adds received= where sent-by is not the source, and where rport was asked for. */
static bool names_another(const sip_via_t *via)
{
	struct hd_slice host = hd_slice_of(via->v_host);

	if (!via->v_received)
		return false;
	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	return !hd_slice_caseis(host, via->v_received);
}

void hd_flow_of_msg(struct hd_flow *flow, const struct hd_agent *agent, tport_t *tport, msg_t *msg)
{
	const su_sockaddr_t *from = msg_addr(msg);
	const tport_t *primary = tport_is_secondary(tport) ? tport_parent(tport) : tport;

	const sip_via_t *via = sip_object(msg)->sip_via;
	uint64_t sent_by = 5060;

	memset(flow, 0, sizeof(*flow));
	flow->port = ntohs(from->su_port);
	if (from->su_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from->su_sin6.sin6_addr)) {
		flow->family = 4;
		memcpy(flow->address, from->su_sin6.sin6_addr.s6_addr + 12, 4);
	} else if (from->su_family == AF_INET6) {
		flow->family = 6;
		memcpy(flow->address, &from->su_sin6.sin6_addr, 16);
	} else {
		flow->family = 4;
		memcpy(flow->address, &from->su_sin.sin_addr, 4);
	}
	if (hd_primary_note(agent, primary, flow) &&
	    transport_parse(&flow->transport,
			    hd_slice_of(agent->listeners[flow->listener].transport)))
		flow->transport = 0;
	if (via && via->v_port && hd_u64_parse(&sent_by, hd_slice_of(via->v_port), UINT16_MAX))
		sent_by = 0;
	flow->nat = !via || names_another(via) || (flow->transport == 0 && sent_by != flow->port);
}

void hd_flow_addresses(const struct hd_agent *agent, const struct hd_flow *flow, char *local,
		       char *remote, size_t size)
{
	static const char *const names[] = { "UDP", "TCP", "TLS" };
	const struct hd_listener *l = &agent->listeners[flow->listener % HD_LISTENERS_MAX];
	const char *family = flow->family == 6 ? "IPV6" : "IPV4";
	char address[INET6_ADDRSTRLEN], ours[INET6_ADDRSTRLEN];

	ip_format(address, flow, flow->address);
	ip_format(ours, flow, flow->local);
	snprintf(local, size, "%s/%s/%s/%u", family, names[flow->transport % 3],
		 hd_flow_has_local(flow) ? ours : l->host, l->port);
	snprintf(remote, size, "%s/%s/%s/%u", family, names[flow->transport % 3], address,
		 flow->port);
}

int hd_flow_local_address(char *dst, size_t size, const struct hd_flow *flow)
{
	su_sockaddr_t su = { .su_len = 0 };
	socklen_t len;
	int fd, err = HD_ESYSTEM;

	if (hd_flow_has_local(flow)) {
		char text[INET6_ADDRSTRLEN];

		ip_format(text, flow, flow->local);
		return hd_str_set(dst, size, text);
	}
	su.su_port = htons(flow->port);
	if (flow->family == 6) {
		su.su_family = AF_INET6;
		memcpy(&su.su_sin6.sin6_addr, flow->address, 16);
		len = sizeof(su.su_sin6);
	} else {
		su.su_family = AF_INET;
		memcpy(&su.su_sin.sin_addr, flow->address, 4);
		len = sizeof(su.su_sin);
	}
	fd = socket(su.su_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return HD_ESYSTEM;
	if (connect(fd, &su.su_sa, len) == 0 && getsockname(fd, &su.su_sa, &len) == 0 &&
	    inet_ntop(su.su_family, SU_ADDR(&su), dst, (socklen_t)size))
		err = 0;
	close(fd);
	return err;
}

static int host_format(char *dst, size_t size, const struct hd_listener *l,
		       const struct hd_flow *flow)
{
	char local[INET6_ADDRSTRLEN];
	const char *host = l->host;
	int n, err;

	if (hd_listener_is_wildcard(l)) {
		err = hd_flow_local_address(local, sizeof(local), flow);
		if (err)
			return err;
		host = local;
	}
	n = snprintf(dst, size, strchr(host, ':') ? "[%s]" : "%s", host);
	return n < 0 || (size_t)n >= size ? HD_ELIMIT : 0;
}

int hd_flow_local_uri(struct hd_agent *agent, const struct hd_flow *flow, char *dst, size_t size)
{
	const struct hd_listener *l;
	char host[80], port[HD_U32_SIZE];
	int err;

	if (flow->listener >= agent->options.n_listeners)
		return HD_EINVAL;
	l = &agent->listeners[flow->listener];
	err = host_format(host, sizeof(host), l, flow);
	if (err)
		return err;
	hd_u32_format(port, l->port);
	return hd_str_join(dst, size,
			   (const char *const[]){
				   "sip:", host, ":", port, flow->transport ? ";transport=" : "",
				   flow->transport ? transport_names[flow->transport] : "", NULL });
}

bool hd_flow_eq(const char *one, const char *other)
{
	struct hd_flow a, b;

	return !hd_flow_parse(&a, one) && !hd_flow_parse(&b, other) && a.transport == b.transport &&
	       a.family == b.family && a.port == b.port &&
	       memcmp(a.address, b.address, sizeof(a.address)) == 0;
}

bool hd_flow_is_beside(const struct hd_flow *one, const struct hd_flow *other)
{
	return one->listener == other->listener &&
	       memcmp(one->local, other->local, sizeof(one->local)) == 0;
}

bool hd_flow_is_at(const struct hd_flow *flow, const struct hd_uri *uri)
{
	struct hd_flow at = { 0 };

	return !address_parse(&at, uri->host) && at.family == flow->family &&
	       memcmp(at.address, flow->address, sizeof(at.address)) == 0 &&
	       hd_uri_port(uri) == flow->port;
}

/* The connection to a flow's address, or NULL; for UDP the listener's socket. */
static tport_t *flow_tport(struct hd_agent *agent, const struct hd_flow *flow)
{
	char host[INET6_ADDRSTRLEN + 2], port[8], ident[8];
	tport_t *primary = NULL, *found;
	tp_name_t tpn = { 0 };

	if (flow->listener >= agent->options.n_listeners)
		return NULL;
	if (flow->transport == 0)
		return hd_primary_towards(agent, flow->listener, flow);
	ip_format(host, flow, flow->address);
	snprintf(port, sizeof(port), "%u", flow->port);
	snprintf(ident, sizeof(ident), "%u", flow->listener);
	tpn.tpn_proto = transport_names[flow->transport];
	tpn.tpn_host = tpn.tpn_canon = host;
	tpn.tpn_port = port;
	tpn.tpn_ident = ident;
	while ((primary = hd_primary_next(agent, flow->listener, primary))) {
		found = tport_by_name(primary, &tpn);
		if (found && tport_is_secondary(found) && !tport_is_shutdown(found))
			return found;
	}
	return NULL;
}

bool hd_flow_is_alive(struct hd_agent *agent, const char *text)
{
	struct hd_flow flow;

	return !hd_flow_parse(&flow, text) && flow_tport(agent, &flow) != NULL;
}

bool hd_flow_is_trusted(struct hd_agent *agent, const struct hd_flow *flow)
{
	return hd_source_is_trusted(agent->sources, flow->family, flow->address);
}

bool hd_target_is_trusted(struct hd_agent *agent, const struct hd_target *target)
{
	struct hd_flow flow = { 0 };
	struct hd_uri uri;

	if (target->flow ? hd_flow_parse(&flow, target->flow)
			 : !target->uri || hd_uri_parse(&uri, hd_slice_of(target->uri)) ||
				   address_parse(&flow, uri.host))
		return false;
	return hd_flow_is_trusted(agent, &flow);
}

static bool is_literal(const char *text)
{
	struct hd_flow at = { 0 };
	struct hd_uri uri;

	return text && !hd_uri_parse(&uri, hd_slice_of(text)) && uri.scheme <= HD_URI_SIPS &&
	       !address_parse(&at, uri.host);
}

/* The host that a URI is reached at, or the zero slice. */
static struct hd_slice host_of(const char *text)
{
	struct hd_slice maddr, none = { NULL, 0 };
	struct hd_uri uri;

	if (!text || hd_uri_parse(&uri, hd_slice_of(text)) || uri.scheme > HD_URI_SIPS)
		return none;
	return hd_uri_param(&uri, "maddr", &maddr) ? maddr : uri.host;
}

bool hd_target_is_name(const struct hd_target *target)
{
	struct hd_flow at = { 0 };
	struct hd_slice host = host_of(target->uri);

	return !target->flow && host.len && address_parse(&at, host);
}

/* A name that means the same elsewhere: "pc" is none, "pc.example.com" is. */
static bool is_qualified(const char *text)
{
	struct hd_slice host = host_of(text);

	return host.len > 2 && memchr(host.ptr, '.', host.len - 1);
}

void hd_flow_target(struct hd_agent *agent, const char *text, const char *contact_uri,
		    struct hd_target *target)
{
	struct hd_flow flow;

	memset(target, 0, sizeof(*target));
	target->via = text;
	if (hd_flow_parse(&flow, text)) {
		target->uri = contact_uri;
		return;
	}
	if ((flow.transport && flow_tport(agent, &flow)) || flow.nat) {
		target->flow = text;
	} else if (is_literal(contact_uri)) {
		target->uri = contact_uri;
	} else if (is_qualified(contact_uri)) {
		target->uri = contact_uri;
		target->last = text;
	} else {
		target->flow = text;
	}
}

static bool can_reach(const struct hd_listener *l, uint8_t transport, uint8_t family)
{
	return strcmp(l->transport, transport_names[transport]) == 0 &&
	       (strchr(l->host, ':') != NULL) == (family == 6);
}

tport_t *hd_listener_for(struct hd_agent *agent, uint8_t transport, const struct hd_flow *to,
			 const char *via)
{
	struct hd_flow used, there = *to;
	bool known = via && !hd_flow_parse(&used, via);

	if (known && used.family == to->family &&
	    memcmp(used.address, to->address, sizeof(to->address)) == 0)
		memcpy(there.local, used.local, sizeof(there.local));
	if (known && used.listener < agent->options.n_listeners &&
	    can_reach(&agent->listeners[used.listener], transport, to->family))
		return hd_primary_towards(agent, used.listener, &there);
	for (size_t i = 0; i < agent->options.n_listeners; i++)
		if (can_reach(&agent->listeners[i], transport, to->family))
			return hd_primary_towards(agent, i, &there);
	return NULL;
}

static int resolve_uri(struct hd_agent *agent, const struct hd_target *target, tport_t **tportp,
		       struct hd_flow *flow)
{
	struct hd_slice param, maddr;
	struct hd_uri uri;
	uint8_t transport = 0;

	if (hd_uri_parse(&uri, hd_slice_of(target->uri)) || uri.scheme > HD_URI_SIPS)
		return HD_EINVAL;
	if (uri.scheme == HD_URI_SIPS)
		transport = 2;
	else if (hd_uri_param(&uri, "transport", &param) && transport_parse(&transport, param))
		return HD_EUNSUPPORTED;
	if (hd_uri_param(&uri, "maddr", &maddr))
		uri.host = maddr;
	flow->transport = transport;
	flow->port = hd_uri_port(&uri);
	if (transport == 2 && !uri.port.len)
		flow->port = 5061;
	if (!flow->port || address_parse(flow, uri.host))
		return HD_EUNSUPPORTED;
	*tportp = hd_listener_for(agent, transport, flow, target->via);
	return *tportp ? 0 : HD_EUNSUPPORTED;
}

bool hd_target_is_udp(const struct hd_target *target)
{
	struct hd_slice transport;
	struct hd_uri uri;

	if (target->flow)
		return strncmp(target->flow, "udp/", 4) == 0;
	return target->uri && !hd_target_is_name(target) &&
	       !hd_uri_parse(&uri, hd_slice_of(target->uri)) && uri.scheme == HD_URI_SIP &&
	       (!hd_uri_param(&uri, "transport", &transport) || hd_slice_caseis(transport, "udp"));
}

bool hd_flow_is_tls(const char *flow)
{
	return strncmp(flow, "tls/", 4) == 0;
}

bool hd_target_is_tls(const struct hd_target *target)
{
	struct hd_slice transport;
	struct hd_uri uri;

	if (target->flow)
		return hd_flow_is_tls(target->flow);
	if (!target->uri || hd_uri_parse(&uri, hd_slice_of(target->uri)))
		return false;
	return uri.scheme == HD_URI_SIPS ||
	       (hd_uri_param(&uri, "transport", &transport) && hd_slice_caseis(transport, "tls"));
}

int hd_target_flow(struct hd_agent *agent, const struct hd_target *target, struct hd_flow *flow)
{
	tport_t *primary = NULL;
	int err;

	memset(flow, 0, sizeof(*flow));
	if (target->flow && *target->flow)
		return hd_flow_parse(flow, target->flow);
	err = resolve_uri(agent, target, &primary, flow);
	if (!err)
		(void)hd_primary_note(agent, primary, flow);
	return err;
}

int hd_target_resolve(struct hd_agent *agent, const struct hd_target *target, tport_t **tportp,
		      char *url, size_t size)
{
	struct hd_flow flow = { 0 };
	char address[INET6_ADDRSTRLEN], port[HD_U32_SIZE];
	int err;

	if (target->flow && *target->flow) {
		err = hd_flow_parse(&flow, target->flow);
		if (err)
			return err;
		*tportp = flow_tport(agent, &flow);
		if (!*tportp)
			return HD_EGONE;
	} else {
		err = resolve_uri(agent, target, tportp, &flow);
		if (err)
			return err;
	}
	ip_format(address, &flow, flow.address);
	hd_u32_format(port, flow.port);
	return hd_str_join(url, size,
			   (const char *const[]){ flow.family == 6 ? "sip:[" : "sip:", address,
						  flow.family == 6 ? "]:" : ":", port,
						  ";transport=", transport_names[flow.transport],
						  NULL });
}
