/* listener.c - binding what the configuration names, one transport a call; see sip_priv.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_localinfo.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>

#include "hotdesk/base/log.h"
#include "sip_priv.h"
#include "sofia_creds.h"

enum { RETRY_MS = 30000 };

static int append_file(int to, const char *path)
{
	char chunk[4096];
	ssize_t n;
	int from, err = 0;

	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0) {
		hd_error("sip", "%s: %s", path, strerror(errno));
		return HD_ESYSTEM;
	}
	while (!err && (n = read(from, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t)n) != n)
			err = HD_ESYSTEM;
	close(from);
	return err;
}

/* Sofia wants fixed names in one folder; the administrator has files of his own. */
static int join_files(const char *dir, const char *name, const char *first, const char *second)
{
	char path[512], temp[520];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(temp, sizeof(temp), "%s.new", path);
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		hd_error("sip", "%s: %s", temp, strerror(errno));
		return HD_ESYSTEM;
	}
	err = append_file(fd, first);
	if (!err && second)
		err = append_file(fd, second);
	if (close(fd) && !err)
		err = HD_ESYSTEM;
	if (!err && rename(temp, path)) {
		hd_error("sip", "%s: %s", path, strerror(errno));
		err = HD_ESYSTEM;
	}
	return err;
}

static int read_tls(const struct hd_agent_options *o)
{
	const struct hd_tls_files files = { o->tls_certificate, o->tls_key, o->tls_ca,
					    o->tls_servers_ca };
	struct hd_buf errors = { 0 };
	struct hd_tls *tls = NULL;
	int err;

	err = hd_tls_new(&tls, &files, &errors);
	if (err)
		hd_error("sip", "%s", errors.len ? hd_buf_text(&errors) : hd_strerror(err));
	else
		hd_tls_use(tls);
	hd_buf_fini(&errors);
	return err;
}

/* The library wants files too, though what counts is put in later: see sofia_creds.h. */
static int prepare_tls(const struct hd_agent_options *o)
{
	int err;

	if (!o->tls_certificate || !o->tls_key || !o->tls_dir)
		return HD_EINVAL;
	if (mkdir(o->tls_dir, 0700) && errno != EEXIST) {
		hd_error("sip", "%s: %s", o->tls_dir, strerror(errno));
		return HD_ESYSTEM;
	}
	err = join_files(o->tls_dir, "agent.pem", o->tls_certificate, o->tls_key);
	if (!err)
		err = join_files(o->tls_dir, "cafile.pem", o->tls_certificate, NULL);
	return err ? err : read_tls(o);
}

static int add_tport(struct hd_agent *agent, size_t i, const char *host, const char *ident)
{
	const struct hd_agent_options *o = &agent->options;
	const struct hd_listener *l = &agent->listeners[i];
	bool tls = strcmp(l->transport, "tls") == 0;
	char url[160];

	snprintf(url, sizeof(url), strchr(host, ':') ? "%s:[%s]:%u%s%s" : "%s:%s:%u%s%s",
		 tls ? "sips" : "sip", host, l->port,
		 tls ? "" : ";transport=", tls ? "" : l->transport);
	return nta_agent_add_tport(agent->nta, URL_STRING_MAKE(url), TPTAG_IDENT(ident),
				   TPTAG_QUEUESIZE(o->send_queue_max), TPTAG_SERVER(1),
				   TPTAG_IDLE(o->idle_s ? o->idle_s * 1000UL : ULONG_MAX),
				   TPTAG_TIMEOUT(o->limits.half_message_s * 1000UL),
				   TPTAG_UDP_RMEM(o->udp_receive_bytes), TPTAG_PONG2PING(1),
				   TAG_IF(tls, TPTAG_CERTIFICATE(o->tls_dir)), TAG_END()) < 0
		       ? HD_ESYSTEM
		       : 0;
}

static void complain(const struct hd_listener *l, const char *host)
{
	hd_error("sip", "%s:%s:%u: cannot listen: %s", l->transport, host, l->port,
		 su_strerror(su_errno()));
}

/* ---- every address of a family -------------------------------------------------------------- */

/* One that is free at all addresses: they get theirs one after the other. */
static int find_port(struct hd_listener *l)
{
	bool six = strchr(l->host, ':') != NULL;
	su_sockaddr_t su = { .su_len = 0 };
	socklen_t len = six ? sizeof(su.su_sin6) : sizeof(su.su_sin);
	int type = strcmp(l->transport, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	int fd, on = 1, err = HD_ESYSTEM;

	su.su_family = six ? AF_INET6 : AF_INET;
	fd = socket(su.su_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return HD_ESYSTEM;
	if ((!six || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, &su.su_sa, len) == 0 && getsockname(fd, &su.su_sa, &len) == 0) {
		l->port = ntohs(su.su_port);
		err = 0;
	}
	close(fd);
	return err;
}

/* @return 0, also for an address that cannot be bound yet; HD_ESYSTEM, su_errno() says why */
static int bind_address(struct hd_agent *agent, size_t i, const char *host)
{
	char ident[8 + INET6_ADDRSTRLEN];

	if (hd_primary_at(agent, i, host))
		return 0;
	snprintf(ident, sizeof(ident), "%zu@%s", i, host);
	return add_tport(agent, i, host, ident) && su_errno() != EADDRNOTAVAIL ? HD_ESYSTEM : 0;
}

/* Those that are a link's alone are left out. */
static su_localinfo_t *local_addresses(const struct hd_listener *l)
{
	const su_localinfo_t hints = {
		.li_family = strchr(l->host, ':') ? AF_INET6 : AF_INET,
		.li_scope = LI_SCOPE_GLOBAL | LI_SCOPE_SITE | LI_SCOPE_HOST,
	};
	su_localinfo_t *list = NULL;

	return su_getlocalinfo(&hints, &list) == 0 ? list : NULL;
}

static int bind_wildcard(struct hd_agent *agent, size_t i)
{
	struct hd_listener *l = &agent->listeners[i];
	char host[INET6_ADDRSTRLEN];
	su_localinfo_t *list;
	int err = 0;

	if (!l->port && find_port(l))
		return HD_ESYSTEM;
	list = local_addresses(l);
	for (const su_localinfo_t *li = list; !err && li; li = li->li_next) {
		if (!inet_ntop(li->li_family, SU_ADDR(li->li_addr), host, sizeof(host)))
			continue;
		err = bind_address(agent, i, host);
		if (err)
			complain(l, host);
	}
	su_freelocalinfo(list);
	if (err || hd_primary_next(agent, i, NULL))
		return err;
	hd_error("sip", "%s:%s:%u: cannot listen: no address", l->transport, l->host, l->port);
	return HD_ESYSTEM;
}

/*
 * The library makes the Vias of all transports anew with each that is added, and frees the old
 * ones, which open connections still use. So it is not to see them; the new ones go with the agent.
 */
static int bind_kept(struct hd_agent *agent, size_t i, const char *host)
{
	tport_t *const first = tport_primaries(nta_agent_tports(agent->nta));
	tp_magic_t **vias;
	size_t n = 0, k = 0;
	int err;

	for (const tport_t *t = first; t; t = tport_next(t))
		n++;
	vias = n ? calloc(n, sizeof(vias[0])) : NULL;
	if (!vias)
		return HD_ENOMEM;
	for (tport_t *t = first; t; t = tport_next(t)) {
		vias[k++] = tport_magic(t);
		tport_set_magic(t, NULL);
	}
	err = bind_address(agent, i, host);
	k = 0;
	for (tport_t *t = first; t && k < n; t = tport_next(t))
		tport_set_magic(t, vias[k++]);
	free(vias);
	return err;
}

static void bind_later(struct hd_agent *agent, size_t i, const char *host)
{
	const struct hd_listener *l = &agent->listeners[i];
	const int64_t now = hd_clock_mono_ms(agent->options.clock);

	if (now < agent->bind_again_ms || hd_primary_at(agent, i, host))
		return;
	if (bind_kept(agent, i, host)) {
		complain(l, host);
		agent->bind_again_ms = now + RETRY_MS;
	} else if (hd_primary_at(agent, i, host)) {
		hd_info("sip", "%s:%s:%u: listening, the address is new", l->transport, host,
			l->port);
	}
}

void hd_agent_bind_new(struct hd_agent *agent)
{
	char host[INET6_ADDRSTRLEN];
	su_localinfo_t *list;

	for (size_t i = 0; i < agent->options.n_listeners; i++) {
		if (!hd_listener_is_wildcard(&agent->listeners[i]))
			continue;
		list = local_addresses(&agent->listeners[i]);
		for (const su_localinfo_t *li = list; li; li = li->li_next)
			if (inet_ntop(li->li_family, SU_ADDR(li->li_addr), host, sizeof(host)))
				bind_later(agent, i, host);
		su_freelocalinfo(list);
	}
}

/* ---- all ------------------------------------------------------------------------------------ */

static int bind_one(struct hd_agent *agent, size_t i)
{
	struct hd_listener *l = &agent->listeners[i];
	tport_t *primary;
	char ident[8];

	if (hd_listener_is_wildcard(l))
		return bind_wildcard(agent, i);
	snprintf(ident, sizeof(ident), "%zu", i);
	if (add_tport(agent, i, l->host, ident)) {
		complain(l, l->host);
		return HD_ESYSTEM;
	}
	primary = hd_primary_next(agent, i, NULL);
	if (!primary)
		return HD_ESYSTEM;
	l->port = (uint16_t)strtoul(tport_name(primary)->tpn_port, NULL, 10);
	return 0;
}

int hd_agent_bind(struct hd_agent *agent)
{
	int err = 0;

	for (size_t i = 0; !err && i < agent->options.n_listeners; i++)
		if (strcmp(agent->listeners[i].transport, "tls") == 0) {
			err = prepare_tls(&agent->options);
			break;
		}
	for (size_t i = 0; !err && i < agent->options.n_listeners; i++)
		err = bind_one(agent, i);
	return err;
}
