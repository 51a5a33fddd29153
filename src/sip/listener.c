/* listener.c - binding what the configuration names, one transport a call; see sip_priv.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>

#include "hotdesk/base/log.h"
#include "sip_priv.h"
#include "sofia_creds.h"

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
	const struct hd_tls_files files = { o->tls_certificate, o->tls_key, o->tls_ca };
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

static int bind_one(struct hd_agent *agent, size_t i)
{
	const struct hd_agent_options *o = &agent->options;
	struct hd_listener *l = &agent->listeners[i];
	bool tls = strcmp(l->transport, "tls") == 0;
	char url[160], ident[8];
	tport_t *primary;

	snprintf(ident, sizeof(ident), "%zu", i);
	snprintf(url, sizeof(url), strchr(l->host, ':') ? "%s:[%s]:%u%s%s" : "%s:%s:%u%s%s",
		 tls ? "sips" : "sip", l->host, l->port,
		 tls ? "" : ";transport=", tls ? "" : l->transport);
	if (nta_agent_add_tport(agent->nta, URL_STRING_MAKE(url), TPTAG_IDENT(ident),
				TPTAG_QUEUESIZE(o->send_queue_max), TPTAG_SERVER(1),
				TPTAG_IDLE(o->idle_s ? o->idle_s * 1000UL : ULONG_MAX),
				TPTAG_TIMEOUT(o->limits.half_message_s * 1000UL),
				TPTAG_UDP_RMEM(o->udp_receive_bytes), TPTAG_PONG2PING(1),
				TAG_IF(tls, TPTAG_CERTIFICATE(o->tls_dir)), TAG_END()) < 0) {
		hd_error("sip", "%s:%s:%u: cannot listen: %s", l->transport, l->host, l->port,
			 su_strerror(su_errno()));
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
