/* agent_dns.c - the agent's resolver: its cache, its client, its timer. */
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "hotdesk/base/log.h"
#include "resolver_priv.h"
#include "sip_priv.h"

enum { QUERIES = 4 }; /* of a look-up at a time; few need more */

static void wake(void *arg, int64_t in_ms)
{
	struct hd_agent *agent = arg;

	hd_sip_timer_set(agent->resolver_timer, in_ms);
}

static void on_timer(void *arg)
{
	struct hd_agent *agent = arg;

	hd_resolver_expire(agent->resolver);
}

static void take_families(uint8_t families[RESOLVER_TRANSPORTS], const struct hd_agent *agent)
{
	static const char *const names[RESOLVER_TRANSPORTS] = { "udp", "tcp", "tls" };

	for (size_t i = 0; i < agent->options.n_listeners; i++) {
		const struct hd_listener *l = &agent->listeners[i];

		for (size_t t = 0; t < RESOLVER_TRANSPORTS; t++)
			if (strcmp(l->transport, names[t]) == 0)
				families[t] |= strchr(l->host, ':') ? RESOLVER_IPV6 : RESOLVER_IPV4;
	}
}

int agent_dns_new(struct hd_agent *agent)
{
	struct dns_client_options client = {
		.servers = agent->options.dns_servers,
		.n_servers = agent->options.n_dns_servers,
		.timeout_ms = agent->options.dns_timeout_ms,
	};
	struct hd_resolver_options o = {
		.clock = agent->options.clock,
		.wake = wake,
		.arg = agent,
	};
	int err;

	agent->options.dns_servers = NULL;
	agent->options.n_dns_servers = 0;
	err = dns_client_new(&agent->dns_client, &client);
	if (err) {
		hd_error("dns", "client: %s", hd_strerror(err));
		return err;
	}
	err = dns_cache_new(&agent->dns_cache, o.clock, dns_client_ask, agent->dns_client);
	if (err)
		return err;
	dns_client_set_cache(agent->dns_client, agent->dns_cache);
	o.cache = agent->dns_cache;
	take_families(o.families, agent);
	return hd_resolver_new(&agent->resolver, &o);
}

int agent_dns_open(struct hd_agent *agent)
{
	int err = hd_sip_timer_new(&agent->resolver_timer, agent, on_timer, agent);

	return err ? err : dns_client_attach(agent->dns_client, agent);
}

void agent_dns_close(struct hd_agent *agent)
{
	agent_forget_unsent(agent);
	dns_client_detach(agent->dns_client);
	hd_sip_timer_free(agent->resolver_timer);
	agent->resolver_timer = NULL;
}

void agent_dns_free(struct hd_agent *agent)
{
	hd_resolver_free(agent->resolver);
	dns_cache_free(agent->dns_cache);
	dns_client_free(agent->dns_client);
	agent->resolver = NULL;
	agent->dns_cache = NULL;
	agent->dns_client = NULL;
}

void agent_dns_set_limits(struct hd_agent *agent)
{
	const struct hd_agent_limits *l = &agent->options.limits;
	const struct dns_limits limits = {
		.entries_max = l->dns_cache_max,
		.queries_max = QUERIES * l->dns_lookups_max,
		.ttl_max_s = l->dns_ttl_max_s,
		.negative_s = l->dns_negative_s,
	};

	dns_cache_set_limits(agent->dns_cache, &limits);
	hd_resolver_set_limits(agent->resolver, agent->options.dns_timeout_ms, l->dns_lookups_max);
}

struct hd_resolver *hd_agent_resolver(struct hd_agent *agent)
{
	return agent->resolver;
}
