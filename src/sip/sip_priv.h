/*
 * sip_priv.h - what the files of sip/ share: the agent's insides and casts to Sofia's types.
 */
#ifndef HOTDESK_SIP_PRIV_H
#define HOTDESK_SIP_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#define SU_ROOT_MAGIC_T struct hd_agent
#define SU_WAKEUP_ARG_T struct hd_agent
#define SU_TIMER_ARG_T void
#define NTA_AGENT_MAGIC_T struct hd_agent
#define NTA_INCOMING_MAGIC_T struct hd_irq
#define NTA_OUTGOING_MAGIC_T struct hd_orq
#define NTA_LEG_MAGIC_T void

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/sip/agent.h"
#include "hotdesk/sip/overload.h"

struct source_table;
struct ict_table;
struct hd_resolver;
struct dns_cache;
struct dns_client;
struct unsent;

enum { EMERGENCY_MAX = 64, EMERGENCY_SIZE = 33 };

/** See hotdesk/sip/overload.h; SIP thread. */
struct overload {
	struct source_table *reserve; /* what emergency calls of a source have for themselves */
	char emergency[EMERGENCY_MAX][EMERGENCY_SIZE];
	size_t n_emergency;
	uint32_t kept, born;	      /* server transactions at the last tick, and made since */
	uint32_t shed[HD_SHED_COUNT]; /* since the log was told */
	bool untold;
	int64_t told_ms;
};

enum agent_state { AGENT_NEW, AGENT_STARTING, AGENT_RUNNING, AGENT_FAILED, AGENT_ENDED };

struct hd_agent {
	struct hd_agent_options options;
	char *strings[8]; /* what options points to */
	size_t n_strings;
	struct hd_listener listeners[HD_LISTENERS_MAX];
	struct hd_mailbox *mailbox;
	struct source_table *sources;
	struct overload overload;
	struct hd_key tag_key; /* of the To tags of answers without a transaction */
	struct ict_table *icts;
	struct hd_resolver *resolver;
	struct dns_cache *dns_cache;
	struct dns_client *dns_client;
	struct hd_sip_timer *resolver_timer; /* while the loop runs */
	struct unsent *unsent;		     /* messages that wait for an address (send.c) */
	const char *via_protocol;	     /* of the request that is being received, as it came */
	int64_t bind_again_ms;		     /* a new address could not be bound: not before */
	su_root_t *root;
	nta_agent_t *nta;
	su_timer_t *timer;
	int wait_index;
	pthread_t thread;
	pthread_mutex_t lock; /* start handshake only */
	pthread_cond_t changed;
	enum agent_state state;
	void (*ready)(void *arg);
	void (*stopping)(void *arg);
	struct hd_task stop_task, end_task;
	bool draining;
	_Atomic uint32_t open_irqs;
	_Atomic int64_t tick_mono_ms;
	struct hd_agent_stats stats; /* copied once a second under lock */
};

static inline msg_t *msg_of(const struct hd_msg *m)
{
	return (msg_t *)(uintptr_t)m;
}

static inline struct hd_msg *msg_wrap(msg_t *m)
{
	return (struct hd_msg *)m;
}

static inline sip_t *sip_of(const struct hd_msg *m)
{
	return sip_object(msg_of(m));
}

/** The first header of a message, in the order of the wire; on by sh_succ. The start line is the
 * first. */
static inline sip_header_t *first_header(msg_t *m)
{
	return (sip_header_t *)*msg_chain_head(m);
}

/** The value of a header field, in the home. NULL: no memory, or it is too long to be one. */
char *hd_header_text(su_home_t *home, const sip_header_t *h);

/** Says in the topmost Via where a message came from, msg_addr() (RFC 3581). */
void hd_msg_note_source(msg_t *msg, const char *source);

/** What the library puts into a Via: a listener's address and port. For hd_parse_set_sent_by(). */
bool hd_via_is_own(const void *agent, const sip_via_t *via);

/** Fills our URI from Sofia's; slices borrow. */
void hd_uri_from_url(struct hd_uri *uri, const url_t *url);
/** Takes off what a Request-URI may not have; the text behind url is ours to write. */
void hd_url_trim(url_t *url);

/** The flow a message came in on. */
void hd_flow_of_msg(struct hd_flow *flow, const struct hd_agent *agent, tport_t *tport, msg_t *msg);
/**
 * The transport and next hop of a target.
 * @param tportp receives a borrowed transport; @param url has room for 160
 */
HD_MUSTCHECK int hd_target_resolve(struct hd_agent *agent, const struct hd_target *target,
				   tport_t **tportp, char *url, size_t size);

/*
 * A listener's transports (primary.c): one, or for a wildcard address one for each address that the
 * host has or had since the start. Each is bound with an ident of its own, "0@192.0.2.1": the
 * library has nothing else that it would choose a datagram's transport by.
 */
/** True for a listener on every address of a family. */
bool hd_listener_is_wildcard(const struct hd_listener *l);
/** @return the listener that a transport is of, or n_listeners */
size_t hd_primary_listener(const struct hd_agent *agent, const tport_t *primary);
/** The one after this, NULL: the first. @return NULL at the end */
tport_t *hd_primary_next(const struct hd_agent *agent, size_t listener, tport_t *after);
/** The one at an address, as text. @return NULL: there is none */
tport_t *hd_primary_at(const struct hd_agent *agent, size_t listener, const char *address);
/** Sets a flow's listener and, for a wildcard address, local address. @return false: no listener */
bool hd_primary_note(const struct hd_agent *agent, const tport_t *primary, struct hd_flow *flow);
/**
 * The one at the flow's local address, else the one that the way there begins at.
 * @return NULL: there is none
 */
tport_t *hd_primary_towards(const struct hd_agent *agent, size_t listener,
			    const struct hd_flow *to);

/** What the flow says, else where the kernel would send from, as text. @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_flow_local_address(char *dst, size_t size, const struct hd_flow *flow);
/** False when a flow does not say which address of ours it is at. */
bool hd_flow_has_local(const struct hd_flow *flow);
/**
 * Of the listeners that can reach an address the one that the peer itself has used, if any.
 * @param via a flow of the peer, or NULL. @return NULL: there is none
 */
tport_t *hd_listener_for(struct hd_agent *agent, uint8_t transport, const struct hd_flow *to,
			 const char *via);

/**
 * What the SIP thread does before and after its loop. A test that moves the library's clock calls
 * them instead of hd_agent_start() and _stop(), and drives the loop itself: su_root_step(root, 0).
 * @return 0 or HD_ESYSTEM, logged
 */
HD_MUSTCHECK int hd_agent_open(struct hd_agent *agent);
void hd_agent_close(struct hd_agent *agent);

/** The resolver and what it stands on (agent_dns.c). @return 0, HD_EINVAL or HD_ENOMEM, logged */
HD_MUSTCHECK int agent_dns_new(struct hd_agent *agent);
HD_MUSTCHECK int agent_dns_open(struct hd_agent *agent);
void agent_dns_close(struct hd_agent *agent);
void agent_dns_free(struct hd_agent *agent);
void agent_dns_set_limits(struct hd_agent *agent);
void agent_forget_unsent(struct hd_agent *agent);

/** Binds the listeners; at the SIP thread. @return 0, HD_ESYSTEM or HD_EINVAL, logged */
HD_MUSTCHECK int hd_agent_bind(struct hd_agent *agent);
/** Binds the wildcard listeners to addresses that the host has got since; once a second. */
void hd_agent_bind_new(struct hd_agent *agent);

/** Redirects Sofia's log to ours. */
void hd_sofia_log_init(uint32_t level);

/** Requests of a source; NULL without memory. */
struct source_table *hd_source_table_new(void);
void hd_source_table_free(struct source_table *table);
void hd_source_table_set(struct source_table *table, const struct hd_agent_limits *limits);
/** @return false when the source is over its rate */
bool hd_source_allow(struct source_table *table, const su_sockaddr_t *from, int64_t mono_ms);
/** True for a source in limits.source_exempt. */
bool hd_source_is_exempt(const struct source_table *table, const su_sockaddr_t *from);
/** True for an address (family 4 or 6) in limits.trusted. */
bool hd_source_is_trusted(const struct source_table *table, uint8_t family, const uint8_t *bytes);
/** True for who sent a request from a source in limits.source_exempt. */
bool hd_request_is_exempt(const struct hd_request *req);

/**
 * Runs before the library looks at a message (request.c): its own refusals go to the source, and
 * a Via that names another transport than the one it came by is no reason to drop a request.
 */
void hd_agent_screen(const void *arg, tport_t *tport, msg_t *msg);
/** "SIP/2.0/UDP": what the library wants to read in the Via of what comes by this transport. */
const char *hd_via_protocol(const tport_t *tport);

/** Registers the metrics. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int overload_init(struct overload *o);
void overload_fini(struct overload *o);
void overload_set(struct overload *o, const struct hd_agent_limits *limits);
/** An INVITE, ACK or CANCEL to an emergency number or to urn:service:sos (RFC 5031). */
bool overload_is_emergency(const struct overload *o, const sip_t *sip);
/** Whether a request may become a server transaction. */
bool overload_admits(const struct hd_agent *agent, const sip_t *sip);
/** Counts a request that was not served. */
void overload_count(struct hd_agent *agent, enum hd_shed why);
/** Once a second. @param kept server transactions that the library holds */
void overload_tick(struct hd_agent *agent, uint32_t kept);

/** The agent's message callback (request.c). */
int hd_agent_receive(struct hd_agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip);
/** "IPV4/UDP/192.0.2.1/5060" of both ends of a flow. */
void hd_flow_addresses(const struct hd_agent *agent, const struct hd_flow *flow, char *local,
		       char *remote, size_t size);
struct hd_agent *hd_request_agent(struct hd_request *req);
struct hd_agent *hd_irq_agent(struct hd_irq *irq);
/** Takes a request out of its wrapper; the wrapper is freed. */
msg_t *hd_request_take(struct hd_request *req, struct hd_agent **agentp, tport_t **tportp,
		       char flow[HD_FLOW_TEXT_SIZE]);

#endif
