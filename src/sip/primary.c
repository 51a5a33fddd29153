/* primary.c - the transports of a listener; see sip_priv.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "sip_priv.h"

bool hd_listener_is_wildcard(const struct hd_listener *l)
{
	return strcmp(l->host, "0.0.0.0") == 0 || strcmp(l->host, "::") == 0;
}

size_t hd_primary_listener(const struct hd_agent *agent, const tport_t *primary)
{
	struct hd_slice ident = hd_slice_of(tport_name(primary)->tpn_ident);
	uint64_t i;

	if (ident.len)
		ident.len = strcspn(ident.ptr, "@");
	return !hd_u64_parse(&i, ident, HD_LISTENERS_MAX) ? (size_t)i : agent->options.n_listeners;
}

tport_t *hd_primary_next(const struct hd_agent *agent, size_t listener, tport_t *after)
{
	tport_t *t = after ? tport_next(after) : tport_primaries(nta_agent_tports(agent->nta));

	while (t && hd_primary_listener(agent, t) != listener)
		t = tport_next(t);
	return t;
}

static struct hd_slice host_of(const tport_t *t)
{
	struct hd_slice host = hd_slice_of(tport_name(t)->tpn_host);

	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	return host;
}

tport_t *hd_primary_at(const struct hd_agent *agent, size_t listener, const char *address)
{
	tport_t *t = NULL;

	while ((t = hd_primary_next(agent, listener, t)))
		if (hd_slice_caseis(host_of(t), address))
			break;
	return t;
}

bool hd_primary_note(const struct hd_agent *agent, const tport_t *primary, struct hd_flow *flow)
{
	size_t i = hd_primary_listener(agent, primary);
	char host[INET6_ADDRSTRLEN];

	if (i >= agent->options.n_listeners)
		return false;
	flow->listener = (uint8_t)i;
	memset(flow->local, 0, sizeof(flow->local));
	if (hd_listener_is_wildcard(&agent->listeners[i]) &&
	    !hd_str_copy(host, sizeof(host), host_of(primary)))
		(void)inet_pton(flow->family == 6 ? AF_INET6 : AF_INET, host, flow->local);
	return true;
}

tport_t *hd_primary_towards(const struct hd_agent *agent, size_t listener, const struct hd_flow *to)
{
	tport_t *first = hd_primary_next(agent, listener, NULL), *t = NULL;
	char address[INET6_ADDRSTRLEN];
	struct hd_flow unknown = *to;

	if (!first || !hd_primary_next(agent, listener, first))
		return first;
	if (!hd_flow_local_address(address, sizeof(address), to))
		t = hd_primary_at(agent, listener, address);
	memset(unknown.local, 0, sizeof(unknown.local));
	/* The address may be this host's no more. */
	if (!t && hd_flow_has_local(to) &&
	    !hd_flow_local_address(address, sizeof(address), &unknown))
		t = hd_primary_at(agent, listener, address);
	return t ? t : first;
}
