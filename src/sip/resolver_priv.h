/* resolver_priv.h - what the resolver needs of its surroundings, and the order of records. */
#ifndef HOTDESK_SIP_RESOLVER_PRIV_H
#define HOTDESK_SIP_RESOLVER_PRIV_H

#include "dns.h"
#include "hotdesk/base/clock.h"
#include "hotdesk/base/uri.h"
#include "hotdesk/sip/resolver.h"

enum { RESOLVER_IPV4 = 1, RESOLVER_IPV6 = 2, RESOLVER_TRANSPORTS = 3 };

struct hd_resolver_options {
	struct dns_cache *cache;	       /* borrowed */
	const struct hd_clock *clock;	       /* borrowed */
	uint8_t families[RESOLVER_TRANSPORTS]; /* of our listeners, by transport */
	/** Calls hd_resolver_expire() in that time, instead of at an earlier wish. */
	void (*wake)(void *arg, int64_t in_ms);
	void *arg;
};

HD_MUSTCHECK int hd_resolver_new(struct hd_resolver **rp, const struct hd_resolver_options *o);
/** Open look-ups end without a call. NULL-safe. */
void hd_resolver_free(struct hd_resolver *resolver);
void hd_resolver_set_limits(struct hd_resolver *resolver, uint32_t timeout_ms, uint32_t open_max);
/** Look-ups whose time is over get what they have. */
void hd_resolver_expire(struct hd_resolver *resolver);

/** A number below the bound, for the weights. */
typedef uint32_t resolver_random_fn(uint32_t below);

/** By priority, and within one by weight (RFC 2782). */
void srv_order(struct dns_record *records, size_t n, resolver_random_fn *random);

/** Which transport a NAPTR record leads to. @return false: none that we know, or not for sips */
bool naptr_transport(const struct dns_record *record, bool sips, uint8_t *transportp);
/** Leaves those that may be used, by order and preference (RFC 3263 4.1). @return how many */
size_t naptr_order(struct dns_record *records, size_t n, bool sips,
		   const uint8_t families[RESOLVER_TRANSPORTS]);

/** What a URI itself says (RFC 3263 4.1, 4.2). */
struct resolver_uri {
	char host[DNS_NAME_SIZE]; /* maddr or host, without [] and final dot */
	bool sips, has_transport, has_port, numeric;
	struct hd_hop hop; /* transport; its default while there is none; port; address */
};
/** @return 0, HD_EINVAL or HD_EUNSUPPORTED */
HD_MUSTCHECK int resolver_uri_parse(struct resolver_uri *u, const char *text);

#endif
