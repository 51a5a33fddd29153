/* dns_client.c - asks DNS servers by c-ares, in the loop of the SIP thread; see dns.h. */
#include <stdlib.h>

#include <ares.h>

#include "dns.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/str.h"
#include "sip_priv.h"

enum { WATCHES_MAX = 32, TRIES = 3, CLASS_IN = 1, SERVER_MS_MIN = 50, SERVER_MS_MAX = 2000 };

struct watch {
	int fd;
	int index; /* of the loop; 0: free */
};

struct dns_client {
	ares_channel channel;
	struct dns_cache *cache;
	struct hd_agent *agent; /* while attached */
	struct hd_sip_timer *timer;
	struct watch watches[WATCHES_MAX];
	bool ending;
};

struct query {
	struct dns_client *client;
	struct dns_entry *entry;
	enum dns_type type;
};

static struct hd_metric queries =
	HD_COUNTER("hotdeskd_dns_queries", NULL, "questions to DNS servers");
static struct hd_metric failures =
	HD_COUNTER("hotdeskd_dns_failures", NULL, "questions that no DNS server answered");

/* ---- the loop ------------------------------------------------------------------------------- */

static void set_timer(struct dns_client *client)
{
	struct timeval room, *due = ares_timeout(client->channel, NULL, &room);

	if (due)
		hd_sip_timer_set(client->timer, due->tv_sec * 1000 + due->tv_usec / 1000 + 1);
	else
		hd_sip_timer_cancel(client->timer);
}

static void on_timer(void *arg)
{
	struct dns_client *client = arg;

	ares_process_fd(client->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(client);
}

static int on_ready(struct hd_agent *agent, su_wait_t *wait, struct hd_agent *arg)
{
	struct dns_client *client = arg->dns_client;
	const int fd = wait->fd, events = wait->revents;

	(void)agent;
	ares_process_fd(client->channel, events & ~SU_WAIT_OUT ? fd : ARES_SOCKET_BAD,
			events & SU_WAIT_OUT ? fd : ARES_SOCKET_BAD);
	set_timer(client);
	return 0;
}

static void unwatch(struct dns_client *client, int fd)
{
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		struct watch *w = &client->watches[i];

		if (w->index == 0 || w->fd != fd)
			continue;
		su_root_deregister(client->agent->root, w->index);
		w->index = 0;
	}
}

/* c-ares tells which of its sockets wait for what; neither: it is going to close it. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_client *client = arg;
	su_wait_t wait = SU_WAIT_INIT;

	if (!client->agent)
		return;
	unwatch(client, fd);
	if (!readable && !writable)
		return;
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		struct watch *w = &client->watches[i];

		if (w->index)
			continue;
		if (su_wait_create(&wait, fd,
				   (readable ? SU_WAIT_IN : 0) | (writable ? SU_WAIT_OUT : 0)) < 0)
			return;
		w->fd = fd;
		w->index = su_root_register(client->agent->root, &wait, on_ready, client->agent, 0);
		if (w->index < 0)
			w->index = 0;
		return;
	}
}

int dns_client_attach(struct dns_client *client, struct hd_agent *agent)
{
	client->agent = agent;
	return hd_sip_timer_new(&client->timer, agent, on_timer, client);
}

void dns_client_detach(struct dns_client *client)
{
	if (!client || !client->agent)
		return;
	client->ending = true;
	ares_cancel(client->channel);
	client->ending = false;
	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (client->watches[i].index)
			unwatch(client, client->watches[i].fd);
	hd_sip_timer_free(client->timer);
	client->timer = NULL;
	client->agent = NULL;
}

/* ---- questions ------------------------------------------------------------------------------ */

static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
		return HD_ENOENT;
	case ARES_ETIMEOUT:
		return HD_ETIMEOUT;
	default:
		return HD_ESYSTEM;
	}
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct dns_record records[DNS_RECORDS_MAX];
	struct query *q = arg;
	struct dns_answer answer = { .err = error_of(status) };

	(void)timeouts;
	/* A negative answer is read for its SOA; one without is as good. */
	if ((answer.err == 0 || answer.err == HD_ENOENT) && bytes && len > 0 &&
	    dns_message_parse(&answer, records, q->type, bytes, (size_t)len))
		answer = (struct dns_answer){ .err = answer.err ? HD_ENOENT : HD_ESYSTEM };
	if (answer.err == HD_ESYSTEM || answer.err == HD_ETIMEOUT) {
		hd_metric_add(&failures, 1);
		hd_debug("dns", "question of type %d: %s", (int)q->type, ares_strerror(status));
	}
	if (q->client->ending)
		answer = (struct dns_answer){ .err = HD_ESYSTEM };
	dns_cache_answer(q->client->cache, q->entry, &answer);
	free(q);
}

int dns_client_ask(void *arg, const char *name, enum dns_type type, struct dns_entry *entry)
{
	struct dns_client *client = arg;
	struct query *q;

	if (!client->agent)
		return HD_ESHUTDOWN;
	q = calloc(1, sizeof(*q));
	if (!q)
		return HD_ENOMEM;
	q->client = client;
	q->entry = entry;
	q->type = type;
	hd_metric_add(&queries, 1);
	ares_query(client->channel, name, CLASS_IN, (int)type, on_answer, q);
	set_timer(client);
	return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int use_servers(struct dns_client *client, const struct dns_client_options *options)
{
	struct hd_buf list = { 0 };
	int err;

	if (options->n_servers == 0)
		return 0;
	for (size_t i = 0; i < options->n_servers; i++)
		hd_buf_addf(&list, "%s%s", i ? "," : "", options->servers[i]);
	err = hd_buf_error(&list);
	if (!err && ares_set_servers_ports_csv(client->channel, hd_buf_text(&list)) != ARES_SUCCESS)
		err = HD_EINVAL;
	hd_buf_fini(&list);
	return err;
}

static int open_channel(struct dns_client *client, uint32_t timeout_ms)
{
	struct ares_options o = { .sock_state_cb = on_socket, .sock_state_cb_data = client };
	const uint32_t server_ms = timeout_ms / 4;

	o.tries = TRIES;
	o.timeout = server_ms < SERVER_MS_MIN	? SERVER_MS_MIN
		    : server_ms > SERVER_MS_MAX ? SERVER_MS_MAX
						: (int)server_ms;
	return ares_init_options(&client->channel, &o,
				 ARES_OPT_SOCK_STATE_CB | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS) ==
			       ARES_SUCCESS
		       ? 0
		       : HD_ENOMEM;
}

int dns_client_new(struct dns_client **cp, const struct dns_client_options *options)
{
	struct dns_client *client = calloc(1, sizeof(*client));
	int err;

	if (!client)
		return HD_ENOMEM;
	hd_metric_register(&queries);
	hd_metric_register(&failures);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(client);
		return HD_ENOMEM;
	}
	err = open_channel(client, options->timeout_ms);
	if (!err)
		err = use_servers(client, options);
	if (err) {
		dns_client_free(client);
		return err;
	}
	*cp = client;
	return 0;
}

void dns_client_set_cache(struct dns_client *client, struct dns_cache *cache)
{
	client->cache = cache;
}

void dns_client_free(struct dns_client *client)
{
	if (!client)
		return;
	if (client->channel)
		ares_destroy(client->channel);
	ares_library_cleanup();
	free(client);
}
