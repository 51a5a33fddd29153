/*
 * sofia_guard.c - see hotdesk/sip/guard.h: the table of accepted connections, and the rules for
 * them.
 *
 * The state is static because the linker calls us by name, without an argument of ours.
 */
#include "hotdesk/sip/guard.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/str.h"
#include "sofia_priv.h"

enum { FIRST_MESSAGE_S = 10, HALF_MESSAGE_S = 5, KEEPALIVE_S = 60, TIMEOUT_S = 30 };
enum { SWEEP_MS = 1200, BUCKETS = 1024 };

struct peer {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};

/* Indexed by its descriptor. */
struct conn {
	bool open;
	bool alive;   /* a first message came */
	bool half;    /* a message began at half_ms and is not complete */
	bool closing; /* shut down by us; the library will close it */
	bool tls;
	struct peer peer;
	int64_t born_ms;
	int64_t half_ms;
	int next; /* descriptor of the next one in its bucket */
};

static struct {
	pthread_mutex_t lock;
	struct hd_guard_options options;
	struct conn *conns;
	int n_conns;
	int buckets[BUCKETS]; /* first descriptor by network of the source, plus 1 */
	struct hd_guard_stats stats;
	struct hd_guard_stats told; /* what the log knows */
	char refused[INET6_ADDRSTRLEN];
	int64_t sweep_ms; /* the sweep's clock, and the system's at that time */
	int64_t system_ms;
} guard = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Atomic bool is_on, reads_ahead;

#define HELP_CONN "Accepted SIP connections that are open"
#define HELP_REJECTED "SIP connections refused or closed by the guard"
static struct hd_metric metric_tcp =
	HD_GAUGE("hotdeskd_tcp_connections", "transport=\"tcp\"", HELP_CONN);
static struct hd_metric metric_tls =
	HD_GAUGE("hotdeskd_tcp_connections", "transport=\"tls\"", HELP_CONN);
static struct hd_metric metric_max =
	HD_COUNTER("hotdeskd_conn_rejected", "why=\"max\"", HELP_REJECTED);
static struct hd_metric metric_source =
	HD_COUNTER("hotdeskd_conn_rejected", "why=\"source\"", HELP_REJECTED);
static struct hd_metric metric_descriptors =
	HD_COUNTER("hotdeskd_conn_rejected", "why=\"descriptors\"", HELP_REJECTED);
static struct hd_metric metric_first =
	HD_COUNTER("hotdeskd_conn_rejected", "why=\"first_message\"", HELP_REJECTED);
static struct hd_metric metric_half =
	HD_COUNTER("hotdeskd_conn_rejected", "why=\"half_message\"", HELP_REJECTED);

static void lock(void)
{
	pthread_mutex_lock(&guard.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&guard.lock);
}

static bool peer_of(struct peer *peer, const struct sockaddr *sa)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	memset(peer, 0, sizeof(*peer));
	if (sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		memcpy(peer->address, mapped, sizeof(mapped));
		memcpy(peer->address + 12, &sin.sin_addr, 4);
		peer->port = sin.sin_port;
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&sin6, sa, sizeof(sin6));
		memcpy(peer->address, &sin6.sin6_addr, 16);
		peer->port = sin6.sin6_port;
		return true;
	}
	return false;
}

static bool is_ipv4(const struct peer *peer)
{
	struct in6_addr in6;

	memcpy(&in6, peer->address, sizeof(in6));
	return IN6_IS_ADDR_V4MAPPED(&in6);
}

/* One IPv4 address, or the /64 that an IPv6 host may choose its address from. */
static size_t network_len(const struct peer *peer)
{
	return is_ipv4(peer) ? 16 : 8;
}

static bool same_network(const struct peer *a, const struct peer *b)
{
	return is_ipv4(a) == is_ipv4(b) && memcmp(a->address, b->address, network_len(a)) == 0;
}

static bool same_peer(const struct peer *a, const struct peer *b)
{
	return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* Collisions cost an attacker's victim no more than a walk over connections_max entries. */
static int *bucket_of(const struct peer *peer)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < network_len(peer); i++)
		hash = (hash ^ peer->address[i]) * 16777619U;
	return &guard.buckets[(hash ^ hash >> 16) % BUCKETS];
}

static struct conn *conn_of(int fd)
{
	if (fd < 0 || fd >= guard.n_conns || !guard.conns[fd].open)
		return NULL;
	return &guard.conns[fd];
}

static bool make_room(int fd)
{
	struct conn *conns;
	int n = guard.n_conns ? guard.n_conns : 64;

	if (fd < guard.n_conns)
		return true;
	while (n <= fd)
		n *= 2;
	conns = realloc(guard.conns, (size_t)n * sizeof(*conns));
	if (!conns)
		return false;
	memset(conns + guard.n_conns, 0, (size_t)(n - guard.n_conns) * sizeof(*conns));
	guard.conns = conns;
	guard.n_conns = n;
	return true;
}

static uint32_t of_source(const struct peer *peer)
{
	uint32_t n = 0;

	for (int i = *bucket_of(peer); i > 0; i = guard.conns[i - 1].next)
		n += same_network(&guard.conns[i - 1].peer, peer);
	return n;
}

static void show_open(void)
{
	hd_metric_set(&metric_tls, guard.stats.tls_connections);
	hd_metric_set(&metric_tcp, guard.stats.connections - guard.stats.tls_connections);
}

static void count_refused(enum hd_guard_why why)
{
	switch (why) {
	case HD_GUARD_MAX:
		guard.stats.refused_max++;
		hd_metric_add(&metric_max, 1);
		break;
	case HD_GUARD_SOURCE:
		guard.stats.refused_source++;
		hd_metric_add(&metric_source, 1);
		break;
	case HD_GUARD_DESCRIPTORS:
		guard.stats.refused_descriptors++;
		hd_metric_add(&metric_descriptors, 1);
		break;
	case HD_GUARD_OK:
		break;
	}
}

static enum hd_guard_why judge(int fd, const struct peer *peer)
{
	const struct hd_guard_options *o = &guard.options;

	if (guard.stats.connections >= o->connections_max || !make_room(fd))
		return HD_GUARD_MAX;
	if (o->connections_per_source && of_source(peer) >= o->connections_per_source)
		return HD_GUARD_SOURCE;
	return HD_GUARD_OK;
}

enum hd_guard_why hd_guard_admit(int fd, const struct sockaddr *sa, int64_t now_ms)
{
	enum hd_guard_why why = HD_GUARD_OK;
	struct peer peer;
	int *bucket;

	if (fd < 0 || !peer_of(&peer, sa))
		return HD_GUARD_OK;
	lock();
	why = judge(fd, &peer);
	if (why) {
		count_refused(why);
		if (is_ipv4(&peer))
			inet_ntop(AF_INET, peer.address + 12, guard.refused, sizeof(guard.refused));
		else
			inet_ntop(AF_INET6, peer.address, guard.refused, sizeof(guard.refused));
	} else {
		bucket = bucket_of(&peer);
		guard.conns[fd] = (struct conn){
			.open = true, .peer = peer, .born_ms = now_ms, .next = *bucket
		};
		*bucket = fd + 1;
		guard.stats.accepted++;
		guard.stats.connections++;
		show_open();
	}
	unlock();
	return why;
}

void hd_guard_refused(enum hd_guard_why why)
{
	lock();
	count_refused(why);
	unlock();
}

void hd_guard_forget(int fd)
{
	struct conn *conn;
	int *link;

	lock();
	conn = conn_of(fd);
	if (conn) {
		link = bucket_of(&conn->peer);
		while (*link != fd + 1)
			link = &guard.conns[*link - 1].next;
		*link = conn->next;
		guard.stats.connections--;
		guard.stats.tls_connections -= conn->tls;
		conn->open = false;
		show_open();
	}
	unlock();
}

void hd_guard_set_tls(int fd)
{
	struct conn *conn;

	lock();
	conn = conn_of(fd);
	if (conn && !conn->tls) {
		conn->tls = true;
		guard.stats.tls_connections++;
		show_open();
	}
	unlock();
}

void hd_guard_parsed(int fd, bool unfinished, int64_t now_ms)
{
	struct conn *conn;

	lock();
	conn = conn_of(fd);
	if (conn && unfinished && !conn->half)
		conn->half_ms = now_ms;
	if (conn)
		conn->half = unfinished;
	unlock();
}

bool hd_guard_is_half(int fd)
{
	const struct conn *conn;
	bool half;

	lock();
	conn = conn_of(fd);
	half = conn && conn->half;
	unlock();
	return half;
}

void hd_guard_ssl_freed(void)
{
	lock();
	guard.stats.ssl_freed++;
	unlock();
}

void hd_guard_mark_alive(const struct sockaddr *sa, socklen_t len)
{
	struct peer peer;
	struct conn *conn;

	if (!sa || len < (socklen_t)sizeof(struct sockaddr_in) ||
	    (sa->sa_family == AF_INET6 && len < (socklen_t)sizeof(struct sockaddr_in6)) ||
	    !peer_of(&peer, sa))
		return;
	lock();
	conn = conn_of(hd_hook_current());
	if (conn && same_peer(&conn->peer, &peer)) {
		conn->alive = true;
	} else {
		for (int i = *bucket_of(&peer); i > 0; i = guard.conns[i - 1].next)
			if (same_peer(&guard.conns[i - 1].peer, &peer))
				guard.conns[i - 1].alive = true;
	}
	unlock();
}

/* Less the time to the next sweep, which may be a little late: gone by then, not found overdue. */
static int64_t first_message_ms(void)
{
	int64_t ms = (int64_t)guard.options.first_message_s * 1000;

	return ms > SWEEP_MS ? ms - SWEEP_MS : ms;
}

static bool is_overdue(const struct conn *conn, int64_t now_ms)
{
	const struct hd_guard_options *o = &guard.options;

	if (!conn->open || conn->closing)
		return false;
	if (!conn->alive)
		return now_ms - conn->born_ms >= first_message_ms();
	return conn->half && now_ms - conn->half_ms >= (int64_t)o->half_message_s * 1000;
}

/* Only shut down: the descriptor is the library's, which sees the end of the stream and closes. */
static void close_overdue(int64_t now_ms)
{
	for (int fd = 0; fd < guard.n_conns; fd++) {
		struct conn *conn = &guard.conns[fd];

		if (!is_overdue(conn, now_ms))
			continue;
		/* ENOTCONN: the peer was faster; the library closes as well. */
		(void)shutdown(fd, SHUT_RDWR);
		conn->closing = true;
		if (conn->alive) {
			guard.stats.closed_half++;
			hd_metric_add(&metric_half, 1);
		} else {
			guard.stats.closed_first++;
			hd_metric_add(&metric_first, 1);
		}
	}
}

static void tell_part(struct hd_buf *line, uint64_t n, const char *what)
{
	if (n > 0)
		hd_buf_addf(line, "; %s: %" PRIu64, what, n);
}

/* One line for all that happened since the last one. */
static void tell(const struct hd_guard_stats *is, const struct hd_guard_stats *was, const char *who)
{
	struct hd_buf line = { 0 };

	tell_part(&line, is->refused_max - was->refused_max, "refused over connections_max");
	tell_part(&line, is->refused_source - was->refused_source,
		  "refused over connections_per_source");
	tell_part(&line, is->refused_descriptors - was->refused_descriptors,
		  "refused for want of a descriptor");
	if (*who)
		hd_buf_addf(&line, "; the last refused: %s", who);
	tell_part(&line, is->closed_first - was->closed_first, "closed without a first message");
	tell_part(&line, is->closed_half - was->closed_half, "closed with half a message");
	if (line.len > 0)
		hd_warn("guard", "connections: %" PRIu32 " open%s", is->connections,
			hd_buf_text(&line));
	hd_buf_fini(&line);
}

void hd_guard_sweep(int64_t now_ms)
{
	struct hd_guard_stats is, was;
	char who[sizeof(guard.refused)];
	bool on = hd_guard_is_on();

	lock();
	guard.sweep_ms = now_ms;
	guard.system_ms = hd_clock_mono_ms(NULL);
	if (on)
		close_overdue(now_ms);
	is = guard.stats;
	was = guard.told;
	guard.told = is;
	memcpy(who, guard.refused, sizeof(who));
	guard.refused[0] = '\0';
	unlock();
	hd_hook_refresh(on);
	tell(&is, &was, who);
}

int64_t hd_guard_now_ms(void)
{
	int64_t now_ms;

	lock();
	now_ms = guard.sweep_ms + hd_clock_mono_ms(NULL) - guard.system_ms;
	unlock();
	return now_ms;
}

bool hd_guard_is_on(void)
{
	return atomic_load_explicit(&is_on, memory_order_relaxed);
}

bool hd_guard_reads_ahead(void)
{
	return atomic_load_explicit(&reads_ahead, memory_order_relaxed);
}

static uint32_t connections_allowed(uint32_t asked)
{
	struct rlimit rl;
	uint64_t most;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur > UINT32_MAX)
		return asked ? asked : UINT32_MAX;
	most = (uint64_t)rl.rlim_cur * 80 / 100;
	return asked && asked < most ? asked : (uint32_t)most;
}

static void register_metrics(void)
{
	struct hd_metric *all[] = { &metric_tcp,	 &metric_tls,	&metric_max, &metric_source,
				    &metric_descriptors, &metric_first, &metric_half };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		hd_metric_register(all[i]);
}

void hd_guard_configure(const struct hd_guard_options *options)
{
	struct hd_guard_options o;

	if (!options)
		return;
	register_metrics();
	o = *options;
	o.first_message_s = o.first_message_s ? o.first_message_s : FIRST_MESSAGE_S;
	o.half_message_s = o.half_message_s ? o.half_message_s : HALF_MESSAGE_S;
	o.keepalive_s = o.keepalive_s ? o.keepalive_s : KEEPALIVE_S;
	o.timeout_s = o.timeout_s ? o.timeout_s : TIMEOUT_S;
	o.connections_max = connections_allowed(o.connections_max);
	lock();
	guard.options = o;
	unlock();
	atomic_store_explicit(&is_on, o.enabled, memory_order_relaxed);
	atomic_store_explicit(&reads_ahead, o.enabled && o.read_ahead, memory_order_relaxed);
	hd_hook_refresh(o.enabled);
	if (o.enabled && !hd_hook_in_effect())
		hd_error("guard",
			 "sofia-sip: its calls do not reach the guard: connections have no "
			 "deadline and TLS leaks memory");
}

struct hd_guard_silence hd_guard_get_silence(void)
{
	struct hd_guard_silence silence;

	lock();
	silence.keepalive_s = guard.options.keepalive_s;
	silence.timeout_s = guard.options.timeout_s;
	unlock();
	return silence;
}

void hd_guard_get_stats(struct hd_guard_stats *stats)
{
	lock();
	*stats = guard.stats;
	stats->connections_max = guard.options.connections_max;
	unlock();
	stats->in_effect = hd_guard_is_on() && hd_hook_in_effect();
	hd_ahead_get_stats(&stats->datagrams, &stats->batches);
}
