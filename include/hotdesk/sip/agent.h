/*
 * agent.h - the SIP agent: transports, the SIP thread, requests as they come, transactions, timers.
 *
 * Requests that belong to no server transaction reach one handler. It owns each of them and must
 * end it exactly once: by a stateless reply, by making it a server transaction, or by dropping it.
 * Replies go where RFC 3261 18.2.2 and RFC 3581 say, on the connection the request came from.
 *
 * Layer: 3.  May include: base, event, conf's plain values, sofia-sip.  Thread: the SIP thread, but
 * for new, start, stop, free, mailbox, listeners and stats.
 */
#ifndef HOTDESK_SIP_AGENT_H
#define HOTDESK_SIP_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/mailbox.h"
#include "hotdesk/sip/flow.h"
#include "hotdesk/sip/message.h"
#include "hotdesk/sip/timer.h"

struct hd_agent;
struct hd_request;
struct hd_irq;
struct hd_orq;

struct hd_listener {
	char transport[4]; /* "udp", "tcp", "tls" */
	char host[64];	   /* literal, IPv6 without [] */
	uint16_t port;	   /* 0 in the options asks for a free one; the real one afterwards */
};

/** Values that a reload may change. */
struct hd_agent_limits {
	uint32_t transactions_max;		       /* open ones */
	uint32_t transactions_kept_max;		       /* with those that wait for late copies */
	uint32_t retry_after_min_s, retry_after_max_s; /* of a 503: a random time between */
	const char *const *emergency; /* copied; numbers that are never refused for want of room */
	size_t n_emergency;
	uint32_t header_max;
	uint32_t udp_max_bytes; /* of a request; a larger one prefers TCP; 0: none does */
	uint32_t source_rate, source_burst;	  /* a second; 0: no limit */
	uint32_t emergency_rate, emergency_burst; /* the same for emergency calls, if it is more */
	const char *const *source_exempt;	  /* copied; networks "127.0.0.0/8" */
	size_t n_source_exempt;
	const char *const *trusted; /* copied; networks of RFC 3325's trust domain */
	size_t n_trusted;
	uint32_t timer_c_s;
	uint32_t connections_max, connections_per_source, first_message_s, half_message_s;
	uint32_t tcp_keepalive_s, tcp_timeout_s;
	uint32_t dns_lookups_max, dns_cache_max, dns_ttl_max_s, dns_negative_s; /* resolver.h */
};

struct hd_agent_options {
	const char *domain;
	const char *const *aliases;
	size_t n_aliases;
	struct hd_listener listeners[HD_LISTENERS_MAX];
	size_t n_listeners;
	const char *tls_certificate, *tls_key, *tls_ca, *tls_servers_ca; /* as in hd_tls_files */
	const char *tls_dir;		/* folder of ours for Sofia's PEM files; needed for TLS */
	const char *const *dns_servers; /* used by hd_agent_new(); none: those of resolv.conf */
	size_t n_dns_servers;
	uint32_t dns_timeout_ms;
	uint32_t t1_ms, t2_ms, t4_ms, idle_s, message_max_bytes;
	uint32_t udp_receive_bytes, send_queue_max; /* of a UDP listener, of a connection */
	struct hd_agent_limits limits;
	bool sofia_guard;
	uint32_t sofia_log_level;
	const struct hd_clock *clock;
	/** Every request without a transaction, ACK for 2xx and unmatched CANCEL included; owned.
	 */
	void (*request)(void *arg, struct hd_request *req);
	/** A response to no transaction; borrowed. Or NULL: dropped (RFC 6026 7.2). */
	void (*response)(void *arg, struct hd_msg *msg);
	/** Once a second. */
	void (*tick)(void *arg);
	void *arg;
};

/** @return 0, HD_EINVAL or HD_ENOMEM. options is copied, its strings too. */
HD_MUSTCHECK int hd_agent_new(struct hd_agent **ap, const struct hd_agent_options *options);
/**
 * Starts the SIP thread, binds every listener, runs `ready` there before the first request.
 * @return 0; HD_ESYSTEM, HD_EINVAL: the log says which listener and why, and nothing runs
 */
HD_MUSTCHECK int hd_agent_start(struct hd_agent *agent, void (*ready)(void *arg));
/**
 * New initial requests get 503 from now on. Waits until no server transaction is open, at most
 * grace_ms; the SIP thread runs on. Not on the SIP thread.
 */
void hd_agent_drain(struct hd_agent *agent, int64_t grace_ms);
/**
 * Ends the SIP thread once what was posted to its mailbox before has run; `stopping` runs there
 * last. Waits for the thread.
 */
void hd_agent_stop(struct hd_agent *agent, void (*stopping)(void *arg));
void hd_agent_free(struct hd_agent *agent);
/** Drained on the SIP thread. Borrowed. */
struct hd_mailbox *hd_agent_mailbox(struct hd_agent *agent);
/** The listeners with their real ports, after start. */
const struct hd_listener *hd_agent_listeners(const struct hd_agent *agent, size_t *np);
void hd_agent_set_limits(struct hd_agent *agent, const struct hd_agent_limits *limits);
/** Further names and addresses that mean us; copied. SIP thread, or before the start. */
void hd_agent_set_aliases(struct hd_agent *agent, const char *const *aliases, size_t n);
/** Version of the library that was linked at run time. */
const char *hd_agent_sofia_version(void);

struct hd_agent_stats {
	uint64_t bad_message, server_transactions, client_transactions, retransmitted, sent,
		received;
	uint32_t open_transactions;
	int64_t tick_mono_ms; /* of the last tick: age tells a stuck thread */
};
void hd_agent_get_stats(struct hd_agent *agent, struct hd_agent_stats *stats);

/** True for the domain, an alias, or an address and port that we listen on, by whatever transport:
 * phones leave it out of their Routes. */
bool hd_agent_is_us(const struct hd_agent *agent, const struct hd_uri *uri);
/** The same for a URI that a request would be sent to (RFC 3263 4.1): a phone may have the port for
 * UDP that is ours for TCP. */
bool hd_agent_is_reached(const struct hd_agent *agent, const struct hd_uri *uri);

/** An INVITE, ACK or CANCEL to an emergency number, as it was dialled, or to urn:service:sos
 * (RFC 5031), which has no user part. */
bool hd_agent_is_emergency(const struct hd_agent *agent, const struct hd_msg *msg);

/* ---- requests ------------------------------------------------------------------------------- */

struct hd_msg *hd_request_msg(struct hd_request *req); /* borrowed */
/** Where it came from, as text that hd_flow_* and the location service understand. Borrowed. */
const char *hd_request_flow(struct hd_request *req);
/** Source address alone ("192.0.2.1", "2001:db8::1"), for nonces and limits. Borrowed. */
const char *hd_request_source(struct hd_request *req);
/** True for TCP and TLS: the source has proved its return path. */
bool hd_request_is_stream(struct hd_request *req);
/** "IPV4/UDP/192.0.2.1/5060", for hd_log_security(). dst has room for 96. */
void hd_request_addresses(struct hd_request *req, char *local, char *remote, size_t size);

/**
 * Stateless reply; ends the request.
 * @param phrase NULL: the RFC's
 * @param lines  header lines as for hd_msg_add(), or NULL
 */
void hd_request_reply(struct hd_request *req, int status, const char *phrase, const char *lines);
/** Ends it without an answer. */
void hd_request_drop(struct hd_request *req);

/* ---- server transactions (irq) -------------------------------------------------------------- */

enum hd_irq_event {
	HD_IRQ_CANCEL, /* the CANCEL was answered 200; end it with 487 or what comes */
	HD_IRQ_ACK,    /* of a final response other than 2xx */
	HD_IRQ_GONE,   /* timed out or transport error: only hd_irq_free() is left */
};
typedef void hd_irq_fn(void *arg, struct hd_irq *irq, enum hd_irq_event event, struct hd_msg *msg);

/**
 * Makes the request a server transaction; ends the request.
 * @return 0; HD_ENOMEM, HD_EBUSY (overload.h: 503 with Retry-After has been sent)
 */
HD_MUSTCHECK int hd_irq_new(struct hd_irq **irqp, struct hd_request *req, hd_irq_fn *fn, void *arg);
/** Gives its events to somebody else from now on. */
void hd_irq_bind(struct hd_irq *irq, hd_irq_fn *fn, void *arg);
/** As hd_request_addresses(). */
void hd_irq_addresses(struct hd_irq *irq, char *local, char *remote, size_t size);
struct hd_msg *hd_irq_msg(struct hd_irq *irq);
const char *hd_irq_flow(struct hd_irq *irq);
/** Our own response. body may be the zero slice; its Content-Type stands in lines. */
void hd_irq_reply(struct hd_irq *irq, int status, const char *phrase, const char *lines,
		  struct hd_slice body);
/** A response from downstream, our Via already removed; msg is moved. */
void hd_irq_forward(struct hd_irq *irq, struct hd_msg *msg);
/** The To tag our own responses carry; made on demand. Borrowed. */
const char *hd_irq_tag(struct hd_irq *irq);
/** Lets go; the transaction itself lives on for its retransmissions. NULL-safe. */
void hd_irq_free(struct hd_irq *irq);

/* ---- client transactions (orq) -------------------------------------------------------------- */

/**
 * @param response borrowed; NULL with a status made here: 408 (timer B, F), 503 (transport)
 */
typedef void hd_orq_fn(void *arg, struct hd_orq *orq, int status, struct hd_msg *response);

/** Where to send: a flow, or else where a URI leads. */
struct hd_target {
	const char *flow; /* as of hd_request_flow(); NULL: none */
	const char *uri;  /* next hop as URI text; used without a flow */
	const char *via;  /* a flow whose listener is to be preferred for uri; NULL: none */
	uint32_t loop;	  /* for hd_agent_has_sent() */
	const char *last; /* a flow for when the name in uri leads nowhere; NULL: none */
	/**
	 * For a name in uri: called with fn's arg on the copy that is going to be sent to a hop, to
	 * add what depends on it; or NULL. by_flow: the hop is `last`.
	 * @return 0, or an error: not sent there
	 */
	int (*prepare)(void *arg, struct hd_msg *msg, const struct hd_flow *hop, bool by_flow);
};
/**
 * Sends a request in a client transaction of its own; msg is moved, also on error. The Via is added
 * here. What target points to is copied.
 *
 * A name in target->uri is looked up first, without waiting (resolver.h), so that errors may come
 * to fn: 503. Its hops are tried one after the other, each with a branch of its own, until one
 * answers with anything but 503 (RFC 3263 4.3): on to the next go a transport error, no answer in
 * time, and 503. CANCEL and ACK go where the INVITE went. A request that is cancelled before it was
 * sent ends with 487.
 * @return 0; HD_EGONE (the flow's connection is closed), HD_EBUSY (too many look-ups), HD_ENOENT
 *         (the name leads nowhere), HD_EINVAL, HD_ENOMEM
 */
HD_MUSTCHECK int hd_orq_new(struct hd_orq **orqp, struct hd_agent *agent, struct hd_msg *msg,
			    const struct hd_target *target, hd_orq_fn *fn, void *arg);
/** CANCEL as soon as a provisional response is there; the 487 comes to fn. reason: or NULL */
void hd_orq_cancel(struct hd_orq *orq, const char *reason);
void hd_orq_free(struct hd_orq *orq);
/**
 * Sends a request without a transaction; msg is moved.
 * @param branch of our Via, with its magic cookie; NULL: one made from the message
 * @return as hd_orq_new()
 */
HD_MUSTCHECK int hd_agent_send(struct hd_agent *agent, struct hd_msg *msg,
			       const struct hd_target *target, const char *branch);
/** True when a Via of the message says that hd_orq_new() sent it with this target.loop. */
bool hd_agent_has_sent(const struct hd_agent *agent, const struct hd_msg *msg, uint32_t loop);
/**
 * Sends a response on by its second Via, after taking the first off; msg is moved.
 * @param caller that its request came over, by UDP: it leaves from where that was sent to
 */
HD_MUSTCHECK int hd_agent_send_response(struct hd_agent *agent, struct hd_msg *msg,
					const struct hd_flow *caller);
/** True when it must be looked up. */
bool hd_target_is_name(const struct hd_target *target);
/** True when what is sent there goes by UDP; false for a name. */
bool hd_target_is_udp(const struct hd_target *target);
/** True when what is sent there goes by TLS. */
bool hd_target_is_tls(const struct hd_target *target);
/** True for a flow over TLS. */
bool hd_flow_is_tls(const char *flow);
/**
 * The listener and address that a request leaves by and for.
 * @return 0, or an error when that is not known before it is sent
 */
HD_MUSTCHECK int hd_target_flow(struct hd_agent *agent, const struct hd_target *target,
				struct hd_flow *flow);
/**
 * True when this request goes by a connection, or would if one can be made: it is larger than
 * udp_max_bytes and no flow forbids it (RFC 3261 18.1.1). hd_orq_new() then tries TCP, and UDP when
 * no connection comes about within 2 * T1.
 */
bool hd_target_takes_tcp(struct hd_agent *agent, const struct hd_msg *msg,
			 const struct hd_target *target);
/** A new request of ours: "METHOD uri", From/To/Call-ID/CSeq made here, then lines and body. */
struct hd_new_request {
	const char *method, *ruri, *from, *to; /* from, to: "<sip:...>", tags included */
	const char *call_id;		       /* NULL: a new one */
	uint32_t cseq;
	const char *lines; /* or NULL */
	struct hd_slice body;
};
HD_MUSTCHECK int hd_msg_new_request(struct hd_msg **msgp, const struct hd_new_request *request);

/* ---- flows ---------------------------------------------------------------------------------- */

/**
 * How to reach who sent from a flow and named this Contact: over its connection while that is open,
 * over the flow when it is behind a NAT, else at the Contact's own address, or where its name (of
 * two labels or more) leads, with the flow as the last resort. The target borrows both texts.
 */
void hd_flow_target(struct hd_agent *agent, const char *flow, const char *contact_uri,
		    struct hd_target *target);
/** A binding's way back to its phone. */
struct hd_way {
	const char *flow, *contact_uri;
	const char *path; /* RFC 3327; NULL or "": none */
	bool outbound;	  /* RFC 5626: the flow and nothing else */
};
/**
 * Puts the Path of a binding into a request as its Route, and says where that goes. The target
 * borrows the texts of way and of the message.
 * @return 0, HD_EPARSE or HD_ENOMEM
 */
HD_MUSTCHECK int hd_msg_route_to(struct hd_agent *agent, struct hd_msg *msg,
				 const struct hd_way *way, struct hd_target *target);
/**
 * Whether a message came from a network of limits.trusted, or a flow or target leads to one; of a
 * target that is a name nobody knows before it is sent.
 */
bool hd_msg_is_trusted(struct hd_agent *agent, const struct hd_msg *msg);
bool hd_flow_is_trusted(struct hd_agent *agent, const struct hd_flow *flow);
bool hd_target_is_trusted(struct hd_agent *agent, const struct hd_target *target);
/** False when it is a connection and that is closed. */
bool hd_flow_is_alive(struct hd_agent *agent, const char *flow);

#endif
