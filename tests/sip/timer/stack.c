/* stack.c - see stack.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/sip_priv.h"

#include <sofia-sip/su_time.h>

#include "hotdesk/base/secret.h"
#include "stack.h"

extern void (*_su_time)(su_time_t *tv);
extern su_time64_t (*_su_nanotime)(su_time64_t *t);
extern su_time64_t (*_su_monotime)(su_time64_t *t);

/* ---- the clock ------------------------------------------------------------------------------ */

static int64_t virtual_ms; /* of the library; the tests have one thread */

static void virtual_time(su_time_t *tv)
{
	tv->tv_sec = (unsigned long)(virtual_ms / 1000);
	tv->tv_usec = (unsigned long)(virtual_ms % 1000) * 1000;
}

static su_time64_t virtual_time64(su_time64_t *t)
{
	return *t = (su_time64_t)virtual_ms * 1000000;
}

static void clock_stop(void)
{
	if (!virtual_ms)
		virtual_ms = START_MS + INT64_C(2208988800000); /* the library counts from 1900 */
	_su_time = virtual_time;
	_su_nanotime = virtual_time64;
	_su_monotime = virtual_time64;
}

/* A step without events waits a millisecond in the guard; some of them in a row are silence. */
static su_duration_t quiesce(struct stack *s, unsigned steps_quiet)
{
	su_duration_t due = 0;

	for (unsigned quiet = 0, steps = 0; quiet < steps_quiet; steps++) {
		if (steps == 10000)
			fail_msg("the loop does not come to rest");
		due = su_root_step(s->agent->root, 0);
		quiet = due > 0 ? quiet + 1 : 0;
	}
	return due;
}

void stack_settle(struct stack *s)
{
	(void)quiesce(s, 3);
}

void stack_advance(struct stack *s, int64_t in_ms)
{
	const int64_t until = virtual_ms + in_ms;
	int64_t step;

	while (virtual_ms < until) {
		step = quiesce(s, 1);
		if (step > until - virtual_ms)
			step = until - virtual_ms;
		virtual_ms += step;
		hd_fake_clock_advance(&s->clock, step);
	}
	stack_settle(s);
}

/* ---- the phones ----------------------------------------------------------------------------- */

static void peer_open(struct peer *p)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&in, &len), 0);
	p->port = ntohs(in.sin_port);
	snprintf(p->flow, sizeof(p->flow), "udp/0/127.0.0.1:%u", p->port);
}

void peer_send(struct stack *s, struct peer *p, const char *fmt, ...)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	char text[DATAGRAM_SIZE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_in_range(n, 1, sizeof(text) - 1);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(sendto(p->fd, text, (size_t)n, 0, (struct sockaddr *)&to, sizeof(to)), n);
	stack_settle(s);
}

static bool take(struct peer *p)
{
	ssize_t n = recv(p->fd, p->got, sizeof(p->got) - 1, 0);

	if (n < 0)
		assert_int_equal(errno, EAGAIN);
	else
		p->got[n] = '\0';
	return n >= 0;
}

void peer_expect(struct peer *p, const char *begin)
{
	if (!take(p))
		fail_msg("expected %s, got nothing", begin);
	if (strncmp(p->got, begin, strlen(begin)) != 0)
		fail_msg("expected %s, got:\n%s", begin, p->got);
}

void peer_expect_nothing(struct peer *p)
{
	if (take(p))
		fail_msg("expected nothing, got:\n%s", p->got);
}

unsigned peer_count(struct peer *p, const char *begin)
{
	unsigned n = 0;

	for (; take(p); n++)
		if (strncmp(p->got, begin, strlen(begin)) != 0)
			fail_msg("expected only %s, got:\n%s", begin, p->got);
	return n;
}

const char *peer_lines(const struct peer *p, const char *name)
{
	static char rooms[8][DATAGRAM_SIZE];
	static unsigned turn;
	char *lines = rooms[turn++ % 8];
	const char *end;
	size_t used = 0, n;

	for (const char *line = p->got; (end = strstr(line, "\r\n")) && end > line;
	     line = end + 2) {
		n = (size_t)(end + 2 - line);
		if (strncasecmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
			continue;
		memcpy(lines + used, line, n);
		used += n;
	}
	lines[used] = '\0';
	return lines;
}

void peer_answer(struct stack *s, struct peer *p, const char *status, const char *tag)
{
	char to[DATAGRAM_SIZE];

	snprintf(to, sizeof(to), "%s", peer_lines(p, "To"));
	to[strcspn(to, "\r")] = '\0';
	peer_send(s, p,
		  "SIP/2.0 %s\r\n%s%s%s%s%s\r\n%s%sContact: <sip:callee@127.0.0.1:%u>\r\n"
		  "Content-Length: 0\r\n\r\n",
		  status, peer_lines(p, "Via"), peer_lines(p, "From"), to, *tag ? ";tag=" : "", tag,
		  peer_lines(p, "Call-ID"), peer_lines(p, "CSeq"), p->port);
}

void caller_sends(struct stack *s, const char *method, const char *ruri, const char *branch,
		  const char *to_tag, const char *extra)
{
	peer_send(s, &s->caller,
		  "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s;rport\r\n"
		  "Max-Forwards: 70\r\nFrom: <sip:101@hotdesk.test>;tag=f\r\n"
		  "To: <sip:201@hotdesk.test>%s%s\r\nCall-ID: call@127.0.0.1\r\nCSeq: 1 %s\r\n"
		  "Contact: <sip:101@127.0.0.1:%u>\r\n%sContent-Length: 0\r\n\r\n",
		  method, ruri, s->caller.port, branch, *to_tag ? ";tag=" : "", to_tag, method,
		  s->caller.port, extra);
}

void call_begins(struct stack *s)
{
	caller_sends(s, "INVITE", "sip:201@hotdesk.test", "1", "", "");
	peer_expect(&s->caller, "SIP/2.0 100 ");
	peer_expect_nothing(&s->caller);
	peer_expect(&s->callee, "INVITE sip:callee@127.0.0.1");
	assert_int_equal(hd_proxy_open(s->proxy), 1);
}

/* ---- the agent ------------------------------------------------------------------------------ */

static void proxied(struct stack *s, struct hd_request *req)
{
	struct hd_proxy_target target = { .user = "201", .phone = "desk-2" };
	char contact[64];

	if (!hd_proxy_validate(s->proxy, req))
		return;
	switch (hd_proxy_classify(s->proxy, req)) {
	case HD_PROXY_DIALOG:
		hd_proxy_forward_in_dialog(s->proxy, req);
		return;
	case HD_PROXY_NO_ROUTE:
		break;
	default:
		hd_request_reply(req, 403, NULL, NULL);
		return;
	}
	if (hd_msg_method(hd_request_msg(req)) == HD_METHOD_CANCEL) {
		hd_request_reply(req, 481, NULL, NULL);
		return;
	}
	snprintf(contact, sizeof(contact), "sip:callee@127.0.0.1:%u", s->callee.port);
	target.contact_uri = contact;
	target.flow = s->callee.flow;
	hd_proxy_forward(s->proxy, req, &target, 1);
}

static void on_request(void *arg, struct hd_request *req)
{
	struct stack *s = arg;

	if (s->receive)
		s->receive(s, req);
	else
		proxied(s, req);
}

static void on_response(void *arg, struct hd_msg *msg)
{
	struct stack *s = arg;

	hd_proxy_response(s->proxy, msg);
}

static void open_agent(struct stack *s)
{
	struct hd_agent_options o = {
		.domain = "hotdesk.test",
		.listeners = { { .transport = "udp", .host = "127.0.0.1" } },
		.n_listeners = 1,
		.t1_ms = T1,
		.t2_ms = T2,
		.t4_ms = T4,
		.idle_s = 3600,
		.message_max_bytes = 65535,
		.send_queue_max = 100,
		.limits = { .transactions_max = 100,
			    .transactions_kept_max = 100,
			    .header_max = 100 },
		.clock = &s->clock.clock,
		.request = on_request,
		.response = on_response,
		.arg = s,
	};
	size_t n;

	assert_int_equal(hd_agent_new(&s->agent, &o), 0);
	assert_int_equal(hd_agent_open(s->agent), 0);
	s->port = hd_agent_listeners(s->agent, &n)[0].port;
	assert_int_not_equal(s->port, 0);
}

int stack_setup(void **state)
{
	struct hd_proxy_options o = { .realm = "hotdesk.test",
				      .limits = { TIMER_C_S, 70, 60, 100 },
				      .t1_ms = T1,
				      .t2_ms = T2 };
	struct stack *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(hd_secret_init(), 0);
	clock_stop();
	hd_fake_clock_init(&s->clock, START_MS);
	peer_open(&s->caller);
	peer_open(&s->callee);
	open_agent(s);
	o.agent = s->agent;
	o.clock = &s->clock.clock;
	memset(&o.key, 7, sizeof(o.key));
	assert_int_equal(hd_proxy_new(&s->proxy, &o), 0);
	*state = s;
	return 0;
}

int stack_teardown(void **state)
{
	struct stack *s = *state;

	hd_proxy_free(s->proxy);
	hd_agent_close(s->agent);
	hd_agent_free(s->agent);
	close(s->caller.fd);
	close(s->callee.fd);
	free(s);
	return 0;
}
