/* multicast.c - see hotdesk/sip/multicast.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hotdesk/base/log.h"
#include "hotdesk/sip/multicast.h"
#include "sip_priv.h"

#include <sofia-sip/sip_status.h>

enum { INTERFACES_MAX = 32, DATAGRAM_MAX = 8192, REJOIN_MS = 60000, BURST_MAX = 32 };

struct hd_multicast {
	struct hd_multicast_options options;
	char names[INTERFACES_MAX][IF_NAMESIZE]; /* wanted */
	size_t n_names;
	unsigned joined[INTERFACES_MAX]; /* their indices */
	size_t n_joined;
	struct in_addr group;
	int fd, wait_index;
	struct hd_sip_timer *timer;
};

/* ---- joining --------------------------------------------------------------------------------- */

static bool is_wanted(const struct hd_multicast *m, const struct ifaddrs *ifa)
{
	const unsigned need = IFF_UP | IFF_MULTICAST;
	bool named = m->n_names == 0;

	if (!ifa->ifa_addr || ifa->ifa_addr->sa_family != AF_INET ||
	    (ifa->ifa_flags & need) != need)
		return false;
	for (size_t i = 0; i < m->n_names; i++)
		named = named || strcmp(m->names[i], ifa->ifa_name) == 0;
	return named;
}

static bool is_joined(const struct hd_multicast *m, unsigned index)
{
	for (size_t i = 0; i < m->n_joined; i++)
		if (m->joined[i] == index)
			return true;
	return false;
}

/* An interface that is gone has left by itself; its number may come again. */
static void forget_gone(struct hd_multicast *m)
{
	char name[IF_NAMESIZE];

	for (size_t i = m->n_joined; i-- > 0;)
		if (!if_indextoname(m->joined[i], name))
			m->joined[i] = m->joined[--m->n_joined];
}

static void join(struct hd_multicast *m, const char *name)
{
	struct ip_mreqn mreq = { .imr_multiaddr = m->group };

	mreq.imr_ifindex = (int)if_nametoindex(name);
	if (mreq.imr_ifindex <= 0 || is_joined(m, (unsigned)mreq.imr_ifindex) ||
	    m->n_joined == INTERFACES_MAX)
		return;
	if (setsockopt(m->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) &&
	    errno != EADDRINUSE) {
		hd_warn("sip", "multicast %s: cannot join on %s: %s", m->options.group, name,
			strerror(errno));
		return;
	}
	m->joined[m->n_joined++] = (unsigned)mreq.imr_ifindex;
	hd_info("sip", "multicast %s: joined on %s", m->options.group, name);
}

static void join_all(struct hd_multicast *m)
{
	struct ifaddrs *list;

	forget_gone(m);
	if (getifaddrs(&list)) {
		hd_warn("sip", "multicast: interfaces not known: %s", strerror(errno));
		return;
	}
	for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next)
		if (is_wanted(m, ifa))
			join(m, ifa->ifa_name);
	freeifaddrs(list);
}

static void on_timer(void *arg)
{
	struct hd_multicast *m = arg;

	join_all(m);
	hd_sip_timer_set(m->timer, REJOIN_MS);
}

bool hd_multicast_is_for(const struct hd_multicast *m, const char *const *interfaces, size_t n)
{
	for (size_t i = 0; i < n && i < m->n_names; i++)
		if (strcmp(m->names[i], interfaces[i]) != 0)
			return false;
	return n == m->n_names;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static bool is_whole(const sip_t *sip)
{
	return sip && sip->sip_request && sip->sip_via && sip->sip_from && sip->sip_to &&
	       sip->sip_call_id && sip->sip_cseq;
}

static void take(struct hd_multicast *m, const char *data, size_t len, const su_sockaddr_t *from)
{
	struct hd_agent *agent = m->options.agent;
	struct hd_multicast_request request = { 0 };
	char source[INET_ADDRSTRLEN], uri[sizeof("sip::65535") + INET_ADDRSTRLEN];
	msg_t *msg;

	if (!hd_source_allow(agent->sources, from, hd_clock_mono_ms(agent->options.clock)) ||
	    !inet_ntop(AF_INET, &from->su_sin.sin_addr, source, sizeof(source)))
		return;
	snprintf(uri, sizeof(uri), "sip:%s:%u", source, ntohs(from->su_port));
	msg = msg_make(sip_default_mclass(), MSG_DO_EXTRACT_COPY, data, (ssize_t)len);
	if (msg && is_whole(sip_object(msg))) {
		*msg_addr(msg) = *from;
		hd_msg_note_source(msg, source);
		request.msg = msg_wrap(msg);
		request.source = source;
		request.uri = uri;
		hd_address_set(&request.from, &from->su_sa);
		m->options.receive(m->options.arg, &request);
	}
	msg_destroy(msg);
}

static int on_readable(struct hd_agent *root_magic, su_wait_t *wait, struct hd_agent *arg)
{
	struct hd_multicast *m = (struct hd_multicast *)(void *)arg;
	char data[DATAGRAM_MAX];
	su_sockaddr_t from;
	socklen_t size;
	ssize_t n;

	(void)root_magic;
	(void)wait;
	/* Not for ever: others use this thread, too. */
	for (unsigned i = 0; i < BURST_MAX; i++) {
		memset(&from, 0, sizeof(from));
		size = sizeof(from);
		n = recvfrom(m->fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC, &from.su_sa,
			     &size);
		if (n < 0)
			break;
		if (n > 0 && (size_t)n <= sizeof(data) && from.su_family == AF_INET)
			take(m, data, (size_t)n, &from);
	}
	return 0;
}

/* The headers of a request that its answer repeats, in the order of the wire. */
static void copy_header(struct hd_buf *text, struct hd_msg *msg, const char *name, const char *tail)
{
	const char *value;

	for (unsigned i = 0; (value = hd_msg_header(msg, name, i)); i++)
		hd_buf_addf(text, "%s: %s%s\r\n", name, value, tail);
}

void hd_multicast_reply(struct hd_multicast *m, const struct hd_multicast_request *request,
			int status, const char *tag, const char *lines)
{
	const su_sockaddr_t *to = msg_addr(msg_of(request->msg));
	struct hd_buf text = { 0 };
	char to_tag[64] = "";

	if (!hd_msg_to_tag(request->msg)[0])
		snprintf(to_tag, sizeof(to_tag), ";tag=%s", tag);
	hd_buf_addf(&text, "SIP/2.0 %d %s\r\n", status, sip_status_phrase(status));
	copy_header(&text, request->msg, "Via", "");
	copy_header(&text, request->msg, "From", "");
	copy_header(&text, request->msg, "To", to_tag);
	copy_header(&text, request->msg, "Call-ID", "");
	copy_header(&text, request->msg, "CSeq", "");
	hd_buf_addf(&text, "%sContent-Length: 0\r\n\r\n", lines ? lines : "");
	if (hd_buf_error(&text) || sendto(m->fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL,
					  &to->su_sa, sizeof(to->su_sin)) != (ssize_t)text.len)
		hd_info("sip", "multicast: %s: answer not sent: %s", request->uri, strerror(errno));
	hd_buf_fini(&text);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_socket(struct hd_multicast *m)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = m->group };
	int on = 1, off = 0;

	at.sin_port = htons(m->options.port);
	m->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Others of this host may listen to the group, too. Of it we hear only where we joined. */
	if (m->fd < 0 || setsockopt(m->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(m->fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) ||
	    bind(m->fd, (struct sockaddr *)&at, sizeof(at))) {
		hd_error("sip", "multicast %s:%u: cannot listen: %s", m->options.group,
			 m->options.port, strerror(errno));
		return HD_ESYSTEM;
	}
	return 0;
}

static int watch(struct hd_multicast *m)
{
	struct hd_agent *agent = m->options.agent;
	su_wait_t wait = SU_WAIT_INIT;
	int err;

	if (su_wait_create(&wait, m->fd, SU_WAIT_IN) < 0)
		return HD_ESYSTEM;
	m->wait_index =
		su_root_register(agent->root, &wait, on_readable, (su_wakeup_arg_t *)(void *)m, 0);
	if (m->wait_index < 0)
		return HD_ESYSTEM;
	err = hd_sip_timer_new(&m->timer, agent, on_timer, m);
	if (!err)
		hd_sip_timer_set(m->timer, REJOIN_MS);
	return err;
}

int hd_multicast_new(struct hd_multicast **mp, const struct hd_multicast_options *options)
{
	struct hd_multicast *m;
	int err = 0;

	if (!mp || !options || !options->agent || !options->agent->root || !options->receive ||
	    options->n_interfaces > INTERFACES_MAX)
		return HD_EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return HD_ENOMEM;
	m->options = *options;
	m->fd = m->wait_index = -1;
	m->n_names = options->n_interfaces;
	for (size_t i = 0; !err && i < m->n_names; i++)
		err = hd_str_set(m->names[i], sizeof(m->names[i]), options->interfaces[i]);
	if (!err && inet_pton(AF_INET, options->group, &m->group) != 1)
		err = HD_EINVAL;
	if (!err)
		err = open_socket(m);
	if (!err)
		err = watch(m);
	if (err) {
		hd_multicast_free(m);
		return err;
	}
	join_all(m);
	*mp = m;
	return 0;
}

void hd_multicast_free(struct hd_multicast *m)
{
	if (!m)
		return;
	hd_sip_timer_free(m->timer);
	if (m->wait_index >= 0)
		su_root_deregister(m->options.agent->root, m->wait_index);
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}
