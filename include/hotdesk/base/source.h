/*
 * source.h - where something comes from: addresses, networks, and how much one source may do.
 *
 * A source is an IPv4 address or an IPv6 /64; an IPv4 address mapped into IPv6 is the IPv4 one.
 *
 * Layer: 0.  Thread: no shared state; each object belongs to one thread.
 */
#ifndef HOTDESK_BASE_SOURCE_H
#define HOTDESK_BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/error.h"

struct sockaddr;

struct hd_address {
	uint8_t family; /* 4, 6; 0: no address */
	uint8_t bytes[16];
};
/** Of AF_INET and AF_INET6; anything else gives family 0. */
void hd_address_set(struct hd_address *address, const struct sockaddr *from);

struct hd_network {
	struct hd_address address;
	uint8_t bits;
};
/** "10.0.0.0/8", "2001:db8::/32", or one address. @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_network_parse(struct hd_network *net, const char *text);

enum { HD_NETWORKS_MAX = 64 };
struct hd_networks {
	struct hd_network nets[HD_NETWORKS_MAX];
	size_t n;
};
/** What is no network is left out, and logged with the subsystem's name. */
void hd_networks_set(struct hd_networks *networks, const char *subsystem, const char *const *texts,
		     size_t n);
bool hd_networks_have(const struct hd_networks *networks, const struct hd_address *address);

/**
 * A token bucket for each source. A fixed table of 16384, so that a flood from many addresses
 * cannot eat memory: a source whose slots are all taken takes over the one that was idle longest.
 */
struct hd_buckets;
/** Without limit until hd_buckets_set(). @return NULL without memory */
struct hd_buckets *hd_buckets_new(void);
/** NULL-safe. */
void hd_buckets_free(struct hd_buckets *b);
/** At most `burst` at once and `amount` in `period_ms` in the long run. amount 0: no limit. */
void hd_buckets_set(struct hd_buckets *b, uint32_t amount, uint32_t period_ms, uint32_t burst);
/** Takes one. @return false: there is none */
bool hd_buckets_take(struct hd_buckets *b, const struct hd_address *address, int64_t mono_ms);
/** Whether there is one, without taking it. */
bool hd_buckets_have(struct hd_buckets *b, const struct hd_address *address, int64_t mono_ms);
/** Puts one back. */
void hd_buckets_give(struct hd_buckets *b, const struct hd_address *address, int64_t mono_ms);

#endif
