/*
 * resolver.h - locating SIP servers (RFC 3263): from a URI to the hops that a request may try.
 *
 * A numeric host gives one hop at once. A name is asked of the DNS servers without waiting: NAPTR
 * and SRV where the URI names no port, then AAAA and A; SRV by priority and weight (RFC 2782).
 * Only transports and address families that we have a listener for are asked for and given out.
 * Without NAPTR the order is UDP, TCP for sip: and TLS for sips:; the RFC leaves it open. Records
 * of one name come as the server sent them, IPv6 before IPv4 (RFC 7984 3.1).
 *
 * Answers are kept as long as their TTL says, at most ttl_max_s; that there is no such record, for
 * the time that the zone's SOA says, at most negative_s (RFC 2308); that no server answered, for
 * negative_s, at most 5 s. Names below .invalid (RFC 6761) and .local (mDNS) are not asked for.
 *
 * hd_orq_new() does all this by itself for a target whose URI has a name, and goes on to the next
 * hop after a failure; others need this header to look before they send.
 *
 * Nobody but who may be relayed for is to reach this: a look-up sends packets to third parties.
 *
 * Layer: 3.  May include: base.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_RESOLVER_H
#define HOTDESK_SIP_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/error.h"

struct hd_agent;
struct hd_resolver;
struct hd_lookup;

enum { HD_HOPS_MAX = 16, HD_HOP_TEXT_SIZE = 80 };

/** One place to send to. */
struct hd_hop {
	uint8_t transport; /* 0 udp, 1 tcp, 2 tls, as in struct hd_flow */
	uint8_t family;	   /* 4 or 6 */
	uint8_t address[16];
	uint16_t port;
};

/** The hops in the order in which they are to be tried. */
struct hd_hops {
	struct hd_hop hops[HD_HOPS_MAX];
	size_t n;
	uint32_t ttl_s; /* good for so long; UINT32_MAX for a numeric host */
};

/** "sip:192.0.2.1:5060;transport=udp"; dst has room for HD_HOP_TEXT_SIZE. */
void hd_hop_format(char *dst, size_t size, const struct hd_hop *hop);

/**
 * @param err 0: one hop or more; HD_ENOENT: there is no such name, or no record that we can use;
 *            HD_ETIMEOUT: not known in time; HD_ESYSTEM, HD_EBUSY: the DNS servers failed, or too
 *            many questions are open
 */
typedef void hd_resolver_fn(void *arg, int err, const struct hd_hops *hops);

/** The agent's; it lives from hd_agent_new() to hd_agent_free(). */
struct hd_resolver *hd_agent_resolver(struct hd_agent *agent);
/**
 * Finds the hops of a SIP or SIPS URI (its maddr, when it has one). fn is called exactly once,
 * before this returns when nothing has to be waited for, unless the look-up is cancelled.
 * @param lookupp receives the look-up while it is open and NULL before fn is called or when it is
 *                cancelled; must stay where it is for so long
 * @return 0; without a call of fn: HD_EINVAL (no such URI), HD_EUNSUPPORTED (its transport),
 *         HD_EBUSY (too many are open), HD_ENOMEM
 */
HD_MUSTCHECK int hd_resolver_find(struct hd_lookup **lookupp, struct hd_resolver *resolver,
				  const char *uri, hd_resolver_fn *fn, void *arg);
/** fn is not called any more. NULL-safe. */
void hd_lookup_cancel(struct hd_lookup *lookup);

#endif
