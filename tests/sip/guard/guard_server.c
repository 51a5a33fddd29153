/*
 * guard_server.c - a small SIP server under the guard, for test_guard.py: answers every request
 * with 200, statelessly, on UDP, TCP and TLS. Arguments name=value; prints its ports as JSON;
 * then obeys one command a line on standard input and answers each with a line of JSON.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SU_ROOT_MAGIC_T struct server
#define SU_WAKEUP_ARG_T struct server
#define SU_TIMER_ARG_T struct server
#define NTA_AGENT_MAGIC_T struct server
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/sip/guard.h"

struct server {
	su_root_t *root;
	nta_agent_t *nta;
	su_timer_t *timer;
	int stdin_index;
	struct hd_guard_options guard;
	struct rlimit files;
	const char *tls;
	unsigned idle_ms;
};

static int on_message(struct server *server, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	(void)server;
	if (!sip->sip_request || sip->sip_error) {
		nta_msg_discard(nta, msg);
		return 0;
	}
	hd_guard_mark_alive((const struct sockaddr *)msg_addr(msg),
			    (socklen_t)msg_addrinfo(msg)->ai_addrlen);
	nta_msg_treply(nta, msg, SIP_200_OK, TAG_END());
	return 0;
}

static void on_tick(struct server *server, su_timer_t *timer, struct server *arg)
{
	(void)server;
	(void)timer;
	(void)arg;
	hd_guard_sweep(hd_clock_mono_ms(NULL));
}

static void print_stats(void)
{
	struct hd_guard_stats s;

	hd_guard_get_stats(&s);
	printf("{\"in_effect\":%d,\"max\":%u,\"connections\":%u,\"tls\":%u,\"accepted\":%llu,"
	       "\"refused_max\":%llu,\"refused_source\":%llu,\"refused_descriptors\":%llu,"
	       "\"closed_first\":%llu,\"closed_half\":%llu,\"ssl_freed\":%llu,"
	       "\"datagrams\":%llu,\"batches\":%llu}\n",
	       s.in_effect, s.connections_max, s.connections, s.tls_connections,
	       (unsigned long long)s.accepted, (unsigned long long)s.refused_max,
	       (unsigned long long)s.refused_source, (unsigned long long)s.refused_descriptors,
	       (unsigned long long)s.closed_first, (unsigned long long)s.closed_half,
	       (unsigned long long)s.ssl_freed, (unsigned long long)s.datagrams,
	       (unsigned long long)s.batches);
}

/* Takes every descriptor but `spare`, without the guard's help. */
static void fill(unsigned spare)
{
	int fds[1024];
	unsigned n = 0;

	while (n < 1024 && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	for (unsigned i = 0; i < spare && n > 0; i++)
		close(fds[--n]);
}

static void limit_files(rlim_t n, rlim_t max)
{
	struct rlimit rl = { .rlim_cur = n, .rlim_max = max };

	if (setrlimit(RLIMIT_NOFILE, &rl))
		perror("setrlimit");
}

static void obey(struct server *server, const char *line)
{
	unsigned n;

	if (sscanf(line, "guard %u", &n) == 1) {
		server->guard.enabled = n > 0;
		hd_guard_configure(&server->guard);
	} else if (sscanf(line, "ahead %u", &n) == 1) {
		server->guard.read_ahead = n > 0;
		hd_guard_configure(&server->guard);
	} else if (sscanf(line, "fill %u", &n) == 1) {
		fill(n);
	} else if (sscanf(line, "files %u", &n) == 1) {
		limit_files(n ? n : server->files.rlim_cur, server->files.rlim_max);
	}
	print_stats();
	fflush(stdout);
}

static int on_stdin(struct server *server, su_wait_t *wait, struct server *arg)
{
	static char text[256];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, text + len, sizeof(text) - 1 - len);
	char *end;

	(void)wait;
	(void)arg;
	if (n <= 0) {
		su_root_break(server->root);
		return 0;
	}
	len += (size_t)n;
	text[len] = '\0';
	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		obey(server, text);
		len -= (size_t)(end + 1 - text);
		memmove(text, end + 1, len + 1);
	}
	return 0;
}

static void take(struct server *s, const char *arg)
{
	const char *value = strchr(arg, '=');
	unsigned long n;

	if (!value)
		return;
	n = strtoul(++value, NULL, 10);
	if (strncmp(arg, "guard=", 6) == 0)
		s->guard.enabled = n > 0;
	else if (strncmp(arg, "ahead=", 6) == 0)
		s->guard.read_ahead = n > 0;
	else if (strncmp(arg, "first=", 6) == 0)
		s->guard.first_message_s = (uint32_t)n;
	else if (strncmp(arg, "half=", 5) == 0)
		s->guard.half_message_s = (uint32_t)n;
	else if (strncmp(arg, "max=", 4) == 0)
		s->guard.connections_max = (uint32_t)n;
	else if (strncmp(arg, "source=", 7) == 0)
		s->guard.connections_per_source = (uint32_t)n;
	else if (strncmp(arg, "idle=", 5) == 0)
		s->idle_ms = (unsigned)n;
	else if (strncmp(arg, "files=", 6) == 0)
		limit_files(n, n > s->files.rlim_max ? n : s->files.rlim_max);
	else if (strncmp(arg, "tls=", 4) == 0)
		s->tls = value;
}

static int listen_on(struct server *s, const char *url)
{
	return nta_agent_add_tport(s->nta, URL_STRING_MAKE(url), TPTAG_QUEUESIZE(1000),
				   TPTAG_IDLE(s->idle_ms), TPTAG_TIMEOUT(3600000),
				   TPTAG_UDP_RMEM(4u << 20), TPTAG_PONG2PING(1),
				   TAG_IF(s->tls, TPTAG_CERTIFICATE(s->tls)), TAG_END());
}

static void print_ports(struct server *s)
{
	const char *separator = "{";

	for (tport_t *t = tport_primaries(nta_agent_tports(s->nta)); t; t = tport_next(t)) {
		printf("%s\"%s\":%s", separator, tport_name(t)->tpn_proto, tport_name(t)->tpn_port);
		separator = ",";
	}
	printf("}\n");
	fflush(stdout);
}

static int set_up(struct server *s)
{
	su_wait_t wait = SU_WAIT_INIT;

	s->root = su_root_create(s);
	if (!s->root)
		return -1;
	s->nta = nta_agent_create(s->root, (url_string_t *)-1, on_message, s, NTATAG_UA(0),
				  NTATAG_SERVER_RPORT(2), TPTAG_STUN_SERVER(0), TAG_END());
	if (!s->nta || listen_on(s, "sip:127.0.0.1:*;transport=udp") ||
	    listen_on(s, "sip:127.0.0.1:*;transport=tcp") ||
	    (s->tls && listen_on(s, "sips:127.0.0.1:*")))
		return -1;
	s->timer = su_timer_create(su_root_task(s->root), 1000);
	if (!s->timer || su_timer_set_for_ever(s->timer, on_tick, s) < 0 ||
	    su_wait_create(&wait, STDIN_FILENO, SU_WAIT_IN) < 0)
		return -1;
	s->stdin_index = su_root_register(s->root, &wait, on_stdin, s, 0);
	return s->stdin_index < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	static struct server server = { .guard = { .enabled = true }, .idle_ms = 3600000 };

	if (getrlimit(RLIMIT_NOFILE, &server.files))
		return 1;
	for (int i = 1; i < argc; i++)
		take(&server, argv[i]);
	getrlimit(RLIMIT_NOFILE, &server.files);
	su_init();
	hd_guard_configure(&server.guard);
	if (set_up(&server)) {
		fprintf(stderr, "cannot start: %s\n", su_strerror(su_errno()));
		return 1;
	}
	on_tick(&server, NULL, NULL);
	print_ports(&server);
	su_root_run(server.root);
	su_root_deregister(server.root, server.stdin_index);
	su_timer_destroy(server.timer);
	nta_agent_destroy(server.nta);
	su_root_destroy(server.root);
	su_deinit();
	return 0;
}
