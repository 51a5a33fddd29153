/* agent.c - the SIP thread: its start, its loop, its end; see hotdesk/sip/agent.h. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sofia_features.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/sip/guard.h"
#include "ict.h"
#include "sip_priv.h"
#include "sofia_creds.h"
#include "sofia_priv.h"

static int keep(struct hd_agent *agent, const char **field)
{
	char *copy;

	if (!*field)
		return 0;
	if (agent->n_strings >= sizeof(agent->strings) / sizeof(agent->strings[0]))
		return HD_ELIMIT;
	copy = strdup(*field);
	if (!copy)
		return HD_ENOMEM;
	agent->strings[agent->n_strings++] = copy;
	*field = copy;
	return 0;
}

static int keep_options(struct hd_agent *agent, const struct hd_agent_options *o)
{
	int err;

	agent->options = *o;
	agent->options.aliases = NULL;
	agent->options.n_aliases = 0;
	memcpy(agent->listeners, o->listeners, sizeof(agent->listeners));
	err = keep(agent, &agent->options.domain);
	if (!err)
		err = keep(agent, &agent->options.tls_certificate);
	if (!err)
		err = keep(agent, &agent->options.tls_key);
	if (!err)
		err = keep(agent, &agent->options.tls_ca);
	if (!err)
		err = keep(agent, &agent->options.tls_servers_ca);
	if (!err)
		err = keep(agent, &agent->options.tls_dir);
	return err;
}

static void free_aliases(struct hd_agent *agent)
{
	for (size_t i = 0; i < agent->options.n_aliases; i++)
		free((void *)(uintptr_t)agent->options.aliases[i]);
	free((void *)(uintptr_t)agent->options.aliases);
	agent->options.aliases = NULL;
	agent->options.n_aliases = 0;
}

void hd_agent_set_aliases(struct hd_agent *agent, const char *const *aliases, size_t n)
{
	const char **copy = n ? calloc(n, sizeof(*copy)) : NULL;
	size_t kept = 0;

	for (size_t i = 0; copy && i < n; i++) {
		copy[kept] = strdup(aliases[i]);
		kept += copy[kept] != NULL;
	}
	if (kept < n)
		hd_error("sip", "out of memory: %zu aliases left out", n - kept);
	free_aliases(agent);
	agent->options.aliases = copy;
	agent->options.n_aliases = kept;
}

int hd_agent_new(struct hd_agent **ap, const struct hd_agent_options *options)
{
	struct hd_agent *agent;
	int err;

	if (!options || !options->request || !options->domain || options->n_listeners == 0 ||
	    options->n_listeners > HD_LISTENERS_MAX)
		return HD_EINVAL;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return HD_ENOMEM;
	pthread_mutex_init(&agent->lock, NULL);
	pthread_cond_init(&agent->changed, NULL);
	err = keep_options(agent, options);
	if (!err)
		err = hd_mailbox_new(&agent->mailbox);
	hd_random_bytes(&agent->tag_key, sizeof(agent->tag_key));
	agent->sources = hd_source_table_new();
	if (!err && !agent->sources)
		err = HD_ENOMEM;
	if (!err)
		err = overload_init(&agent->overload);
	if (!err)
		err = agent_dns_new(agent);
	if (err) {
		hd_agent_free(agent);
		return err;
	}
	hd_agent_set_limits(agent, &options->limits);
	hd_agent_set_aliases(agent, options->aliases, options->n_aliases);
	*ap = agent;
	return 0;
}

void hd_agent_set_limits(struct hd_agent *agent, const struct hd_agent_limits *limits)
{
	struct hd_guard_options guard = {
		.enabled = agent->options.sofia_guard,
		.read_ahead = agent->options.sofia_guard,
		.first_message_s = limits->first_message_s,
		.half_message_s = limits->half_message_s,
		.connections_max = limits->connections_max,
		.connections_per_source = limits->connections_per_source,
		.keepalive_s = limits->tcp_keepalive_s,
		.timeout_s = limits->tcp_timeout_s,
	};

	agent->options.limits = *limits;
	agent->options.limits.source_exempt = NULL;
	agent->options.limits.emergency = NULL;
	agent->options.limits.trusted = NULL;
	hd_source_table_set(agent->sources, limits);
	overload_set(&agent->overload, limits);
	agent_dns_set_limits(agent);
	hd_guard_configure(&guard);
	for (tport_t *t = agent->nta ? tport_primaries(nta_agent_tports(agent->nta)) : NULL; t;
	     t = tport_next(t))
		(void)tport_set_params(t, TPTAG_TIMEOUT(limits->half_message_s * 1000UL),
				       TAG_END());
}

static void set_state(struct hd_agent *agent, enum agent_state state)
{
	pthread_mutex_lock(&agent->lock);
	agent->state = state;
	pthread_cond_broadcast(&agent->changed);
	pthread_mutex_unlock(&agent->lock);
}

static void take_stats(struct hd_agent *agent)
{
	usize_t bad = 0, server = 0, client = 0, again = 0, sent = 0, received = 0;
	usize_t kept = 0;

	nta_agent_get_stats(agent->nta, NTATAG_S_BAD_MESSAGE_REF(bad),
			    NTATAG_S_SERVER_TR_REF(server), NTATAG_S_CLIENT_TR_REF(client),
			    NTATAG_S_RETRY_REQUEST_REF(again), NTATAG_S_SENT_MSG_REF(sent),
			    NTATAG_S_RECV_MSG_REF(received), NTATAG_S_IRQ_HASH_USED_REF(kept),
			    TAG_END());
	pthread_mutex_lock(&agent->lock);
	agent->stats.bad_message = bad;
	agent->stats.server_transactions = server;
	agent->stats.client_transactions = client;
	agent->stats.retransmitted = again;
	agent->stats.sent = sent;
	agent->stats.received = received;
	pthread_mutex_unlock(&agent->lock);
	overload_tick(agent, (uint32_t)kept);
}

static void tick(struct hd_agent *agent, su_timer_t *timer, void *arg)
{
	int64_t now = hd_clock_mono_ms(agent->options.clock);

	(void)timer;
	(void)arg;
	atomic_store_explicit(&agent->tick_mono_ms, now, memory_order_relaxed);
	hd_guard_sweep(now);
	ict_sweep(agent->icts, now);
	hd_agent_bind_new(agent);
	take_stats(agent);
	if (agent->options.tick)
		agent->options.tick(agent->options.arg);
}

static int on_mail(struct hd_agent *agent, su_wait_t *wait, struct hd_agent *arg)
{
	(void)wait;
	(void)arg;
	hd_mailbox_drain(agent->mailbox);
	return 0;
}

static int watch_mailbox(struct hd_agent *agent)
{
	su_wait_t wait = SU_WAIT_INIT;

	if (su_wait_create(&wait, hd_mailbox_fd(agent->mailbox), SU_WAIT_IN) < 0)
		return HD_ESYSTEM;
	agent->wait_index = su_root_register(agent->root, &wait, on_mail, agent, 0);
	return agent->wait_index < 0 ? HD_ESYSTEM : 0;
}

bool hd_via_is_own(const void *arg, const sip_via_t *via)
{
	const struct hd_agent *agent = arg;
	struct hd_slice host = hd_slice_of(via->v_host);
	uint64_t port = strcasecmp(via->v_protocol, "SIP/2.0/TLS") == 0 ? 5061 : 5060;

	if (via->v_port && hd_u64_parse(&port, hd_slice_of(via->v_port), UINT16_MAX))
		return false;
	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	for (size_t i = 0; i < agent->options.n_listeners; i++) {
		const struct hd_listener *l = &agent->listeners[i];

		if (l->port == port &&
		    (hd_listener_is_wildcard(l) || hd_slice_caseis(host, l->host)))
			return true;
	}
	return false;
}

static bool may_ask(void *arg, const struct sockaddr_storage *from)
{
	struct hd_agent *agent = arg;
	su_sockaddr_t su = { .su_len = 0 };

	memcpy(&su, from, from->ss_family == AF_INET6 ? sizeof(su.su_sin6) : sizeof(su.su_sin));
	return hd_source_allow(agent->sources, &su, hd_clock_mono_ms(agent->options.clock));
}

static int set_up(struct hd_agent *agent)
{
	const struct hd_agent_options *o = &agent->options;
	int err;

	agent->root = su_root_create(agent);
	if (!agent->root)
		return HD_ESYSTEM;
	su_root_threading(agent->root, 0);
	agent->nta = nta_agent_create(
		agent->root, (url_string_t *)-1, hd_agent_receive, agent, NTATAG_UA(0),
		NTATAG_MAXSIZE(o->message_max_bytes), NTATAG_UDP_MTU(65535),
		NTATAG_SIP_T1(o->t1_ms), NTATAG_SIP_T2(o->t2_ms), NTATAG_SIP_T4(o->t4_ms),
		NTATAG_SIP_T1X64(64 * o->t1_ms), NTATAG_TIMER_C(24 * 3600 * 1000),
		NTATAG_SIPFLAGS(MSG_DO_EXTRACT_COPY), NTATAG_SERVER_RPORT(1),
		NTATAG_BAD_REQ_MASK(sip_mask_request), NTATAG_BAD_RESP_MASK(sip_mask_response),
		NTATAG_CLIENT_RPORT(1), NTATAG_TCP_RPORT(1), NTATAG_TLS_RPORT(1),
		NTATAG_CANCEL_487(0), NTATAG_PASS_100(1), NTATAG_PASS_408(0), NTATAG_MERGE_482(0),
		NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0), NTATAG_GRAYLIST(0), TPTAG_STUN_SERVER(0),
		TAG_END());
	if (!agent->nta)
		return HD_ESYSTEM;
	hd_parse_set_sent_by(hd_via_is_own, agent);
	hd_parse_set_screen(hd_agent_screen, agent);
	hd_stun_set_allow(may_ask, agent);
	agent->icts = ict_table_new(agent);
	err = agent->icts ? hd_agent_bind(agent) : HD_ENOMEM;
	if (!err)
		err = watch_mailbox(agent);
	if (!err)
		err = agent_dns_open(agent);
	if (err)
		return err;
	agent->timer = su_timer_create(su_root_task(agent->root), 1000);
	if (!agent->timer || su_timer_set_for_ever(agent->timer, tick, NULL) < 0)
		return HD_ESYSTEM;
	return 0;
}

static void tear_down(struct hd_agent *agent)
{
	su_timer_destroy(agent->timer);
	if (agent->wait_index > 0)
		su_root_deregister(agent->root, agent->wait_index);
	hd_parse_set_sent_by(NULL, NULL);
	hd_parse_set_screen(NULL, NULL);
	hd_stun_set_allow(NULL, NULL);
	hd_tls_use(NULL);
	agent_dns_close(agent);
	ict_table_free(agent->icts);
	agent->icts = NULL;
	nta_agent_destroy(agent->nta);
	su_root_destroy(agent->root);
	agent->timer = NULL;
	agent->nta = NULL;
	agent->root = NULL;
}

int hd_agent_open(struct hd_agent *agent)
{
	su_init();
	hd_sofia_log_init(agent->options.sofia_log_level);
	if (set_up(agent)) {
		tear_down(agent);
		su_deinit();
		return HD_ESYSTEM;
	}
	tick(agent, NULL, NULL);
	return 0;
}

void hd_agent_close(struct hd_agent *agent)
{
	hd_mailbox_drain(agent->mailbox);
	tear_down(agent);
	su_deinit();
}

static void *run(void *arg)
{
	struct hd_agent *agent = arg;

	if (hd_agent_open(agent)) {
		set_state(agent, AGENT_FAILED);
		return NULL;
	}
	if (agent->ready)
		agent->ready(agent->options.arg);
	set_state(agent, AGENT_RUNNING);
	su_root_run(agent->root);
	if (agent->stopping)
		agent->stopping(agent->options.arg);
	hd_agent_close(agent);
	set_state(agent, AGENT_ENDED);
	return NULL;
}

int hd_agent_start(struct hd_agent *agent, void (*ready)(void *arg))
{
	enum agent_state state;

	agent->ready = ready;
	agent->state = AGENT_STARTING;
	if (pthread_create(&agent->thread, NULL, run, agent))
		return HD_ESYSTEM;
	pthread_mutex_lock(&agent->lock);
	while (agent->state == AGENT_STARTING)
		pthread_cond_wait(&agent->changed, &agent->lock);
	state = agent->state;
	pthread_mutex_unlock(&agent->lock);
	if (state == AGENT_RUNNING)
		return 0;
	pthread_join(agent->thread, NULL);
	agent->state = AGENT_NEW;
	return HD_ESYSTEM;
}

static void begin_drain(struct hd_task *task)
{
	struct hd_agent *agent =
		(struct hd_agent *)((char *)task - offsetof(struct hd_agent, stop_task));

	agent->draining = true;
}

void hd_agent_drain(struct hd_agent *agent, int64_t grace_ms)
{
	int64_t until = hd_clock_mono_ms(agent->options.clock) + grace_ms;
	const struct timespec step = { .tv_nsec = 10000000L };

	if (agent->state != AGENT_RUNNING)
		return;
	agent->stop_task.run = begin_drain;
	hd_mailbox_post(agent->mailbox, &agent->stop_task);
	while (atomic_load_explicit(&agent->open_irqs, memory_order_relaxed) > 0 &&
	       hd_clock_mono_ms(agent->options.clock) < until)
		nanosleep(&step, NULL);
}

static void end_loop(struct hd_task *task)
{
	struct hd_agent *agent =
		(struct hd_agent *)((char *)task - offsetof(struct hd_agent, end_task));

	su_root_break(agent->root);
}

void hd_agent_stop(struct hd_agent *agent, void (*stopping)(void *arg))
{
	if (!agent || agent->state != AGENT_RUNNING)
		return;
	agent->stopping = stopping;
	agent->end_task.run = end_loop;
	hd_mailbox_post(agent->mailbox, &agent->end_task);
	pthread_join(agent->thread, NULL);
	agent->state = AGENT_NEW;
}

void hd_agent_free(struct hd_agent *agent)
{
	if (!agent)
		return;
	hd_source_table_free(agent->sources);
	overload_fini(&agent->overload);
	agent_dns_free(agent);
	hd_mailbox_free(agent->mailbox);
	for (size_t i = 0; i < agent->n_strings; i++)
		free(agent->strings[i]);
	free_aliases(agent);
	pthread_cond_destroy(&agent->changed);
	pthread_mutex_destroy(&agent->lock);
	free(agent);
}

struct hd_mailbox *hd_agent_mailbox(struct hd_agent *agent)
{
	return agent->mailbox;
}

const struct hd_listener *hd_agent_listeners(const struct hd_agent *agent, size_t *np)
{
	*np = agent->options.n_listeners;
	return agent->listeners;
}

const char *hd_agent_sofia_version(void)
{
	return SOFIA_SIP_NAME_VERSION;
}

void hd_agent_get_stats(struct hd_agent *agent, struct hd_agent_stats *stats)
{
	pthread_mutex_lock(&agent->lock);
	*stats = agent->stats;
	pthread_mutex_unlock(&agent->lock);
	stats->open_transactions = atomic_load_explicit(&agent->open_irqs, memory_order_relaxed);
	stats->tick_mono_ms = atomic_load_explicit(&agent->tick_mono_ms, memory_order_relaxed);
}

/* A host is local when a socket can be bound to it; asked only where we listen on every address. */
static bool is_local(struct hd_slice host)
{
	char text[INET6_ADDRSTRLEN];
	su_sockaddr_t su = { .su_len = 0 };
	bool local = false;
	int fd;

	if (hd_str_copy(text, sizeof(text), host))
		return false;
	su.su_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(su.su_family, text, SU_ADDR(&su)) != 1)
		return false;
	fd = socket(su.su_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		local = bind(fd, &su.su_sa,
			     su.su_family == AF_INET6 ? (socklen_t)sizeof(su.su_sin6)
						      : (socklen_t)sizeof(su.su_sin)) == 0;
		close(fd);
	}
	return local;
}

/* RFC 3263 4.1, for a numeric host or a port. */
static bool is_transport_of(const struct hd_listener *listener, const struct hd_uri *uri)
{
	struct hd_slice value;

	if (uri->scheme == HD_URI_SIPS)
		return strcmp(listener->transport, "tls") == 0;
	if (hd_uri_param(uri, "transport", &value))
		return hd_slice_caseis(value, listener->transport);
	return strcmp(listener->transport, "udp") == 0;
}

static bool is_port_of_ours(const struct hd_agent *agent, const struct hd_uri *uri, bool reached)
{
	for (size_t i = 0; i < agent->options.n_listeners; i++)
		if (agent->listeners[i].port == hd_uri_port(uri) &&
		    (!reached || is_transport_of(&agent->listeners[i], uri)))
			return true;
	return !uri->port.len;
}

/* "HOST" or "HOST:PORT", an IPv6 address in []. At another port of an address is somebody else. */
static bool is_alias(const struct hd_agent *agent, const char *alias, const struct hd_uri *uri,
		     bool reached)
{
	struct hd_slice host = uri->host, name = { alias, strnlen(alias, host.len) };
	uint16_t port = hd_uri_port(uri);
	struct in_addr address;
	uint64_t number;

	if (hd_slice_caseis(host, alias))
		return (alias[0] != '[' && inet_pton(AF_INET, alias, &address) != 1) ||
		       is_port_of_ours(agent, uri, reached);
	return name.len == host.len && alias[host.len] == ':' &&
	       strncasecmp(name.ptr, host.ptr, host.len) == 0 &&
	       !hd_u64_parse(&number, hd_slice_of(alias + host.len + 1), UINT16_MAX) &&
	       number == port;
}

static bool is_us(const struct hd_agent *agent, const struct hd_uri *uri, bool reached)
{
	struct hd_slice host = uri->host;
	uint16_t port = hd_uri_port(uri);

	if (hd_slice_caseis(host, agent->options.domain))
		return true;
	for (size_t i = 0; i < agent->options.n_aliases; i++)
		if (is_alias(agent, agent->options.aliases[i], uri, reached))
			return true;
	if (host.len > 2 && host.ptr[0] == '[') {
		host.ptr++;
		host.len -= 2;
	}
	for (size_t i = 0; i < agent->options.n_listeners; i++) {
		const struct hd_listener *l = &agent->listeners[i];

		if (l->port == port && (!reached || is_transport_of(l, uri)) &&
		    (hd_listener_is_wildcard(l) ? is_local(host) : hd_slice_caseis(host, l->host)))
			return true;
	}
	return false;
}

bool hd_agent_is_us(const struct hd_agent *agent, const struct hd_uri *uri)
{
	return is_us(agent, uri, false);
}

bool hd_agent_is_reached(const struct hd_agent *agent, const struct hd_uri *uri)
{
	return is_us(agent, uri, true);
}
