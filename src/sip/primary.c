/* primary.c - the transports of a listener; see sip_priv.h. */
#include <netinet/in.h>
#include <string.h>

#include "sip_priv.h"

size_t hd_primary_listener(const struct hd_agent *agent, const tport_t *primary)
{
	const char *ident = tport_name(primary)->tpn_ident;
	uint64_t i;

	return ident && !hd_u64_parse(&i, hd_slice_of(ident), HD_LISTENERS_MAX)
		       ? (size_t)i
		       : agent->options.n_listeners;
}

tport_t *hd_primary_next(const struct hd_agent *agent, size_t listener, tport_t *after)
{
	tport_t *t = after ? tport_next(after) : tport_primaries(nta_agent_tports(agent->nta));

	while (t && hd_primary_listener(agent, t) != listener)
		t = tport_next(t);
	return t;
}

static bool is_at(const tport_t *t, const char *address)
{
	struct hd_slice host = hd_slice_of(tport_name(t)->tpn_host);

	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	return hd_slice_caseis(host, address);
}

tport_t *hd_primary_towards(const struct hd_agent *agent, size_t listener, const struct hd_flow *to)
{
	tport_t *first = hd_primary_next(agent, listener, NULL), *t;
	char address[INET6_ADDRSTRLEN];

	if (!first || !hd_primary_next(agent, listener, first) ||
	    hd_flow_local_address(address, sizeof(address), to))
		return first;
	for (t = first; t; t = hd_primary_next(agent, listener, t))
		if (is_at(t, address))
			return t;
	return first;
}
