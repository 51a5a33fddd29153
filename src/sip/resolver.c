/*
 * resolver.c - look-ups: NAPTR, then SRV, then addresses, each stage when all of the one before is
 * there; see hotdesk/sip/resolver.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <utlist.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/base/str.h"
#include "resolver_priv.h"

enum {
	SERVICES_MAX = 4,
	SERVERS_MAX = HD_HOPS_MAX,
	ADDRESSES_MAX = 8,
	QUESTIONS_MAX = 2 * SERVERS_MAX,
	UDP = 0,
	TCP = 1,
	TLS = 2,
};

enum stage { STAGE_NAPTR, STAGE_SRV, STAGE_ADDRESS, STAGE_DONE };

/* What NAPTR or the URI names: a name with SRV records, or a server itself. */
struct service {
	char name[DNS_NAME_SIZE];
	uint8_t transport;
	bool is_server;
};

struct addresses {
	uint8_t bytes[ADDRESSES_MAX][16];
	size_t n;
};

/* One name to find addresses for. */
struct server {
	char name[DNS_NAME_SIZE];
	uint16_t port;
	uint8_t transport;
	size_t service; /* index: the order of those of several services */
	struct addresses v4, v6;
};

struct question {
	struct dns_waiter waiter; /* first: a waiter is its question */
	struct hd_lookup *lookup;
	size_t i; /* of the service or server */
	enum dns_type type;
};

struct hd_lookup {
	struct hd_resolver *resolver;
	struct hd_lookup **owner; /* the caller's pointer to this */
	hd_resolver_fn *fn;
	void *arg;
	int64_t until_ms;
	struct resolver_uri uri;
	enum stage stage;
	unsigned pending;
	bool asking; /* questions of a stage are still being put */
	bool has_srv;
	int failure; /* of a DNS server */
	uint32_t ttl_s;
	struct service services[SERVICES_MAX];
	size_t n_services;
	struct server servers[SERVERS_MAX];
	size_t n_servers;
	struct question questions[QUESTIONS_MAX];
	size_t n_questions;
	struct hd_lookup *prev, *next;
};

struct hd_resolver {
	struct hd_resolver_options options;
	uint32_t timeout_ms, open_max, open;
	struct hd_lookup *lookups; /* that wait; the oldest in front */
};

int hd_resolver_new(struct hd_resolver **rp, const struct hd_resolver_options *o)
{
	struct hd_resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return HD_ENOMEM;
	resolver->options = *o;
	*rp = resolver;
	return 0;
}

void hd_resolver_free(struct hd_resolver *resolver)
{
	if (!resolver)
		return;
	while (resolver->lookups)
		hd_lookup_cancel(resolver->lookups);
	free(resolver);
}

void hd_resolver_set_limits(struct hd_resolver *resolver, uint32_t timeout_ms, uint32_t open_max)
{
	resolver->timeout_ms = timeout_ms;
	resolver->open_max = open_max;
}

static void lookup_free(struct hd_lookup *lookup)
{
	for (size_t i = 0; i < lookup->n_questions; i++)
		dns_waiter_cancel(&lookup->questions[i].waiter);
	free(lookup);
}

void hd_lookup_cancel(struct hd_lookup *lookup)
{
	if (!lookup)
		return;
	*lookup->owner = NULL;
	DL_DELETE(lookup->resolver->lookups, lookup);
	lookup->resolver->open--;
	lookup_free(lookup);
}

/* ---- questions ------------------------------------------------------------------------------ */

static void advance(struct hd_lookup *lookup);
static void take(struct hd_lookup *lookup, const struct question *q,
		 const struct dns_answer *answer);

static void on_answer(struct dns_waiter *waiter, const struct dns_answer *answer)
{
	struct question *q = (struct question *)waiter;
	struct hd_lookup *lookup = q->lookup;

	if (!answer->err && answer->ttl_s < lookup->ttl_s)
		lookup->ttl_s = answer->ttl_s;
	if (answer->err && answer->err != HD_ENOENT)
		lookup->failure = answer->err;
	take(lookup, q, answer);
	lookup->pending--;
	if (!lookup->asking)
		advance(lookup);
}

static void ask(struct hd_lookup *lookup, const char *name, enum dns_type type, size_t i)
{
	struct question *q;
	int err;

	if (lookup->n_questions >= QUESTIONS_MAX)
		return;
	q = &lookup->questions[lookup->n_questions++];
	memset(q, 0, sizeof(*q));
	q->lookup = lookup;
	q->i = i;
	q->type = type;
	q->waiter.fn = on_answer;
	lookup->pending++;
	err = dns_cache_ask(lookup->resolver->options.cache, name, type, &q->waiter);
	if (err) {
		lookup->pending--;
		lookup->failure = err;
	}
}

/* ---- stages --------------------------------------------------------------------------------- */

static void add_service(struct hd_lookup *lookup, const char *prefix, const char *name,
			uint8_t transport, bool is_server)
{
	struct service *s = &lookup->services[lookup->n_services];
	int n;

	if (lookup->n_services >= SERVICES_MAX ||
	    lookup->resolver->options.families[transport] == 0)
		return;
	n = snprintf(s->name, sizeof(s->name), "%s%s", prefix, name);
	if (n < 0 || (size_t)n >= sizeof(s->name))
		return;
	s->transport = transport;
	s->is_server = is_server;
	lookup->n_services++;
}

static void add_server(struct hd_lookup *lookup, const char *name, uint16_t port, uint8_t transport,
		       size_t service)
{
	struct server *s = &lookup->servers[lookup->n_servers];

	if (lookup->n_servers >= SERVERS_MAX || hd_str_set(s->name, sizeof(s->name), name))
		return;
	s->port = port;
	s->transport = transport;
	s->service = service;
	lookup->n_servers++;
}

static void take_naptr(struct hd_lookup *lookup, const struct dns_answer *answer)
{
	struct dns_record records[DNS_RECORDS_MAX];
	size_t n = answer->n < DNS_RECORDS_MAX ? answer->n : DNS_RECORDS_MAX;
	uint8_t transport = UDP;

	if (n)
		memcpy(records, answer->records, n * sizeof(records[0]));
	n = naptr_order(records, n, lookup->uri.sips, lookup->resolver->options.families);
	for (size_t i = 0; i < n; i++)
		if (naptr_transport(&records[i], lookup->uri.sips, &transport))
			add_service(lookup, "", records[i].name, transport, records[i].flag == 'a');
}

static void take_srv(struct hd_lookup *lookup, size_t service, const struct dns_answer *answer)
{
	struct dns_record records[DNS_RECORDS_MAX];
	const size_t n = answer->n < DNS_RECORDS_MAX ? answer->n : DNS_RECORDS_MAX;

	if (n == 0)
		return;
	lookup->has_srv = true;
	memcpy(records, answer->records, n * sizeof(records[0]));
	srv_order(records, n, hd_random_u32);
	for (size_t i = 0; i < n; i++)
		if (records[i].name[0] && records[i].port) /* "." is: no such service here */
			add_server(lookup, records[i].name, records[i].port,
				   lookup->services[service].transport, service);
}

static void take_addresses(struct addresses *a, size_t size, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->n && a->n < ADDRESSES_MAX; i++)
		memcpy(a->bytes[a->n++], answer->records[i].address, size);
}

static void take(struct hd_lookup *lookup, const struct question *q,
		 const struct dns_answer *answer)
{
	switch (q->type) {
	case DNS_NAPTR:
		take_naptr(lookup, answer);
		break;
	case DNS_SRV:
		take_srv(lookup, q->i, answer);
		break;
	case DNS_AAAA:
		take_addresses(&lookup->servers[q->i].v6, 16, answer);
		break;
	case DNS_A:
	default:
		take_addresses(&lookup->servers[q->i].v4, 4, answer);
		break;
	}
}

/* RFC 3263 4.1: without NAPTR each transport that we would use is asked for. */
static void choose_services(struct hd_lookup *lookup)
{
	const struct resolver_uri *u = &lookup->uri;

	if (lookup->n_services)
		return;
	if (u->hop.transport == TLS) {
		add_service(lookup, "_sips._tcp.", u->host, TLS, false);
	} else if (u->has_transport) {
		add_service(lookup, u->hop.transport == TCP ? "_sip._tcp." : "_sip._udp.", u->host,
			    u->hop.transport, false);
	} else {
		add_service(lookup, "_sip._udp.", u->host, UDP, false);
		add_service(lookup, "_sip._tcp.", u->host, TCP, false);
	}
}

static void ask_srv(struct hd_lookup *lookup)
{
	choose_services(lookup);
	for (size_t i = 0; i < lookup->n_services; i++) {
		const struct service *s = &lookup->services[i];

		if (s->is_server)
			add_server(lookup, s->name, s->transport == TLS ? 5061 : 5060, s->transport,
				   i);
		else
			ask(lookup, s->name, DNS_SRV, i);
	}
}

/* Answers for several services come in any order; insertion keeps the order within one. */
static void sort_servers(struct hd_lookup *lookup)
{
	struct server moved;

	for (size_t i = 1; i < lookup->n_servers; i++) {
		size_t k = i;

		while (k > 0 && lookup->servers[k - 1].service > lookup->servers[i].service)
			k--;
		if (k == i)
			continue;
		moved = lookup->servers[i];
		memmove(&lookup->servers[k + 1], &lookup->servers[k],
			(i - k) * sizeof(lookup->servers[0]));
		lookup->servers[k] = moved;
	}
}

static void ask_addresses(struct hd_lookup *lookup)
{
	const struct resolver_uri *u = &lookup->uri;
	const uint8_t *families = lookup->resolver->options.families;

	if (lookup->n_servers == 0 && !lookup->has_srv)
		add_server(lookup, u->host, u->hop.port, u->hop.transport, 0);
	sort_servers(lookup);
	for (size_t i = 0; i < lookup->n_servers; i++) {
		const struct server *s = &lookup->servers[i];

		if (families[s->transport] & RESOLVER_IPV6)
			ask(lookup, s->name, DNS_AAAA, i);
		if (families[s->transport] & RESOLVER_IPV4)
			ask(lookup, s->name, DNS_A, i);
	}
}

/* ---- the end -------------------------------------------------------------------------------- */

static void add_hops(struct hd_hops *hops, const struct server *s, uint8_t family)
{
	const struct addresses *a = family == 6 ? &s->v6 : &s->v4;

	for (size_t i = 0; i < a->n && hops->n < HD_HOPS_MAX; i++) {
		struct hd_hop *hop = &hops->hops[hops->n++];

		hop->transport = s->transport;
		hop->family = family;
		hop->port = s->port;
		memcpy(hop->address, a->bytes[i], sizeof(hop->address));
	}
}

static void finish(struct hd_lookup *lookup, int late)
{
	struct hd_hops hops = { .ttl_s = lookup->ttl_s };
	hd_resolver_fn *fn = lookup->fn;
	void *arg = lookup->arg;
	int err = 0;

	for (size_t i = 0; i < lookup->n_servers; i++) {
		add_hops(&hops, &lookup->servers[i], 6);
		add_hops(&hops, &lookup->servers[i], 4);
	}
	if (hops.n == 0)
		err = late ? late : lookup->failure ? lookup->failure : HD_ENOENT;
	hd_lookup_cancel(lookup);
	fn(arg, err, &hops);
}

static void step(struct hd_lookup *lookup)
{
	lookup->n_questions = 0;
	lookup->asking = true;
	switch (lookup->stage) {
	case STAGE_NAPTR:
		ask(lookup, lookup->uri.host, DNS_NAPTR, 0);
		lookup->stage = STAGE_SRV;
		break;
	case STAGE_SRV:
		ask_srv(lookup);
		lookup->stage = STAGE_ADDRESS;
		break;
	default:
		ask_addresses(lookup);
		lookup->stage = STAGE_DONE;
		break;
	}
	lookup->asking = false;
}

/* Frees the look-up when it has come to its end. */
static void advance(struct hd_lookup *lookup)
{
	while (lookup->pending == 0 && lookup->stage != STAGE_DONE)
		step(lookup);
	if (lookup->pending == 0)
		finish(lookup, 0);
}

void hd_resolver_expire(struct hd_resolver *resolver)
{
	const int64_t now_ms = hd_clock_mono_ms(resolver->options.clock);

	while (resolver->lookups && resolver->lookups->until_ms <= now_ms)
		finish(resolver->lookups, HD_ETIMEOUT);
	if (resolver->lookups)
		resolver->options.wake(resolver->options.arg, resolver->lookups->until_ms - now_ms);
}

/* ---- the beginning -------------------------------------------------------------------------- */

static bool is_below(const char *name, const char *domain)
{
	const size_t n = strlen(name), d = strlen(domain);

	return n >= d && strcasecmp(name + n - d, domain) == 0 &&
	       (n == d || name[n - d - 1] == '.');
}

/* @return true: fn has been called */
static bool answer_now(struct hd_resolver *resolver, const struct resolver_uri *u,
		       hd_resolver_fn *fn, void *arg)
{
	struct hd_hops hops = { .ttl_s = UINT32_MAX };

	if (u->numeric) {
		hops.n = 1;
		hops.hops[0] = u->hop;
		fn(arg, 0, &hops);
		return true;
	}
	if (is_below(u->host, "invalid") || is_below(u->host, "local") ||
	    (u->has_transport && resolver->options.families[u->hop.transport] == 0)) {
		fn(arg, HD_ENOENT, &hops);
		return true;
	}
	return false;
}

static enum stage first_stage(const struct resolver_uri *u)
{
	if (u->has_port)
		return STAGE_ADDRESS;
	return u->has_transport ? STAGE_SRV : STAGE_NAPTR;
}

int hd_resolver_find(struct hd_lookup **lookupp, struct hd_resolver *resolver, const char *uri,
		     hd_resolver_fn *fn, void *arg)
{
	struct resolver_uri parsed;
	struct hd_lookup *lookup;
	int err;

	*lookupp = NULL;
	err = resolver_uri_parse(&parsed, uri);
	if (err)
		return err;
	if (answer_now(resolver, &parsed, fn, arg))
		return 0;
	if (resolver->open >= resolver->open_max)
		return HD_EBUSY;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return HD_ENOMEM;
	lookup->resolver = resolver;
	lookup->fn = fn;
	lookup->arg = arg;
	lookup->uri = parsed;
	lookup->ttl_s = UINT32_MAX;
	lookup->until_ms = hd_clock_mono_ms(resolver->options.clock) + resolver->timeout_ms;
	lookup->stage = first_stage(&parsed);
	DL_APPEND(resolver->lookups, lookup);
	resolver->open++;
	if (resolver->lookups == lookup)
		resolver->options.wake(resolver->options.arg, resolver->timeout_ms);
	lookup->owner = lookupp;
	*lookupp = lookup;
	advance(lookup);
	return 0;
}
