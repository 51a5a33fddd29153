/*
 * dns.h - DNS questions and answers below the resolver: records, the cache, the client on c-ares.
 *
 * The cache asks a source, which is the client or a test's table, and every answer is delivered
 * through the cache, so that a question is on its way once however many wait for it.
 */
#ifndef HOTDESK_SIP_DNS_H
#define HOTDESK_SIP_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/error.h"

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };
enum { DNS_NAME_SIZE = 256, DNS_RECORDS_MAX = 32, DNS_SERVICE_SIZE = 16 };

struct dns_record {
	uint16_t order;	     /* NAPTR order, SRV priority */
	uint16_t preference; /* NAPTR preference, SRV weight */
	uint16_t port;	     /* SRV */
	bool terminal;	     /* NAPTR: no regular expression, one flag */
	char flag;	     /* NAPTR, lower case */
	char service[DNS_SERVICE_SIZE];
	char name[DNS_NAME_SIZE]; /* SRV target, NAPTR replacement, lower case; "" for the root */
	uint8_t address[16];	  /* A: 4 bytes, AAAA: 16 */
};

struct dns_answer {
	int err;	/* 0, HD_ENOENT (no name or none of the type), HD_ETIMEOUT, HD_ESYSTEM */
	uint32_t ttl_s; /* of a negative answer: the SOA's; 0: none */
	size_t n;
	const struct dns_record *records;
};

/** True for a name that may be asked for: labels of letters, digits, '-' and '_'. */
bool dns_name_is_sound(const char *name);

/**
 * Reads a message. Records of other types or with an unsound name are left out.
 * @param records room for DNS_RECORDS_MAX; answer->records is set to it
 * @return 0, with answer->err 0 or HD_ENOENT; HD_EPARSE
 */
HD_MUSTCHECK int dns_message_parse(struct dns_answer *answer, struct dns_record *records,
				   enum dns_type type, const uint8_t *bytes, size_t len);

/* ---- the cache ------------------------------------------------------------------------------ */

struct dns_cache;
struct dns_entry;

/** Who waits for an answer; embedded and zeroed by the asker. */
struct dns_waiter {
	struct dns_waiter *prev, *next;
	struct dns_entry *entry; /* NULL: waits for nothing */
	/** The answer is borrowed. */
	void (*fn)(struct dns_waiter *waiter, const struct dns_answer *answer);
};

struct dns_limits {
	uint32_t entries_max, queries_max;
	uint32_t ttl_max_s, negative_s;
};

/** Asks a DNS server; the answer goes to dns_cache_answer(), perhaps at once. */
typedef int dns_ask_fn(void *arg, const char *name, enum dns_type type, struct dns_entry *entry);

HD_MUSTCHECK int dns_cache_new(struct dns_cache **cp, const struct hd_clock *clock, dns_ask_fn *ask,
			       void *arg);
/** Nobody may wait any more. NULL-safe. */
void dns_cache_free(struct dns_cache *cache);
void dns_cache_set_limits(struct dns_cache *cache, const struct dns_limits *limits);
/**
 * @param waiter its fn is called once, before this returns when the answer is known
 * @return 0; without a call: HD_EBUSY (queries_max), HD_ENOMEM or the source's error
 */
HD_MUSTCHECK int dns_cache_ask(struct dns_cache *cache, const char *name, enum dns_type type,
			       struct dns_waiter *waiter);
void dns_waiter_cancel(struct dns_waiter *waiter);
/** The source's answer to what it was asked with this entry. */
void dns_cache_answer(struct dns_cache *cache, struct dns_entry *entry,
		      const struct dns_answer *answer);

/* ---- the client ----------------------------------------------------------------------------- */

struct hd_agent;
struct dns_client;

struct dns_client_options {
	const char *const *servers; /* "192.0.2.1", "[::1]:5353"; none: those of resolv.conf */
	size_t n_servers;
	uint32_t timeout_ms; /* of a whole look-up: a server gets a quarter of it */
};

/** Reads /etc/resolv.conf, so not on the SIP thread. @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int dns_client_new(struct dns_client **cp, const struct dns_client_options *options);
void dns_client_set_cache(struct dns_client *client, struct dns_cache *cache);
/** On the SIP thread, while it has a loop. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int dns_client_attach(struct dns_client *client, struct hd_agent *agent);
/** Ends what is open, without answers. */
void dns_client_detach(struct dns_client *client);
void dns_client_free(struct dns_client *client);
/** A dns_ask_fn; arg is the client. */
int dns_client_ask(void *arg, const char *name, enum dns_type type, struct dns_entry *entry);

#endif
