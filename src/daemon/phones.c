/* phones.c - the server for phones: its listeners, and what it needs of the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"
#include "missed.h"

enum { BODY_MAX = 4096, HEADER_MAX = 8192, DESCRIPTORS_SHARE = 10 };

/* ---- values out of the configuration --------------------------------------------------------- */

/* The admin socket and SIP need descriptors, too, whatever happens here. */
static uint32_t connections_max(const struct hd_conf_provision *c)
{
	struct rlimit limit;
	rlim_t share;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return c->connections_max;
	share = limit.rlim_cur / DESCRIPTORS_SHARE;
	return c->connections_max < share ? c->connections_max : share ? (uint32_t)share : 1;
}

static void fill_limits(struct hd_http_limits *limits, const struct hd_conf_provision *c)
{
	*limits = (struct hd_http_limits){
		.header_max_bytes = HEADER_MAX,
		.body_max_bytes = BODY_MAX,
		.timeout_s = c->timeout_s,
		.connections_max = connections_max(c),
		.connections_per_source = c->connections_per_source,
		.source_rate = c->source_rate,
		.source_burst = c->source_burst,
		.source_exempt = (const char *const *)c->source_exempt,
		.n_source_exempt = c->n_source_exempt,
	};
}

static void fill_policy(struct hd_provision_policy *policy, const struct hd_conf_provision *c)
{
	*policy = (struct hd_provision_policy){
		.url = c->url,
		.digest = c->digest,
		.plain_networks = (const char *const *)c->plain_networks,
		.n_plain_networks = c->n_plain_networks,
		.exempt = (const char *const *)c->source_exempt,
		.n_exempt = c->n_source_exempt,
		.failures_max = c->failures_max,
		.failures_window_s = c->failures_window_s,
	};
}

static int fill_digest(struct hd_digest_options *options, const struct daemon *d,
		       const struct hd_conf *conf)
{
	int err = conf_digest_options(options, d, conf);

	/* A nonce of the one service is none of the other. */
	hd_key_derive(&options->key, &d->master, "digest nonce http");
	return err;
}

static bool wants_tls(const struct hd_conf *conf)
{
	for (size_t i = 0; i < conf->provision.n_listen; i++)
		if (conf->provision.listen[i].transport == HD_HTTPS)
			return true;
	return false;
}

static int read_tls(struct hd_http_tls **tp, const struct daemon *d, const struct hd_conf *conf,
		    struct hd_buf *errors)
{
	const struct hd_http_tls_files files = {
		conf->provision.tls_certificate,
		conf->provision.tls_key,
		conf->provision.tls_client_ca,
	};

	/* The listeners are those of the start. */
	*tp = NULL;
	return wants_tls(d->conf) ? hd_http_tls_new(tp, &files, errors) : 0;
}

/* The administrator's are in a folder of provision.templates. */
int daemon_forms_load(struct hd_template_set **sp, const struct hd_conf *conf,
		      struct hd_buf *errors)
{
	struct hd_buf own = { 0 };
	char ours[PATH_MAX];
	int err;

	if (conf->provision.templates)
		hd_buf_addf(&own, "%s/form", conf->provision.templates);
	err = hd_buf_error(&own);
	if (!err)
		err = hd_form_load(sp, own.len ? hd_buf_text(&own) : NULL,
				   daemon_share_path(ours, "form"), errors);
	hd_buf_fini(&own);
	return err;
}

int daemon_phones_supply_load(struct daemon_phones_supply *supply, const struct daemon *d,
			      const struct hd_conf *conf, struct hd_buf *errors)
{
	int err;

	memset(supply, 0, sizeof(*supply));
	err = daemon_forms_load(&supply->forms, conf, errors);
	if (!err)
		err = read_tls(&supply->tls, d, conf, errors);
	if (!err)
		return 0;
	hd_template_set_free(supply->forms);
	supply->forms = NULL;
	return err;
}

/* ---- what it asks of us ---------------------------------------------------------------------- */

struct fetched {
	struct hd_task task;
	struct daemon *daemon;
	char phone[HD_PHONE_ID_SIZE];
	int64_t at_ms;
};

static void run_fetched(struct hd_task *task)
{
	struct fetched *f = (struct fetched *)(void *)task;

	if (f->daemon->notify)
		hd_notify_fetched(f->daemon->notify, f->phone, f->at_ms);
	free(f);
}

static void on_fetched(void *arg, const struct hd_provision_fetch *fetch)
{
	struct daemon *d = arg;
	struct fetched *f = calloc(1, sizeof(*f));

	if (!f || hd_str_set(f->phone, sizeof(f->phone), fetch->phone)) {
		hd_warn("daemon", "%s: its fetch is not told: it will be asked again",
			fetch->phone);
		free(f);
		return;
	}
	f->daemon = d;
	f->at_ms = fetch->at_ms;
	f->task.run = run_fetched;
	hd_mailbox_post(hd_agent_mailbox(d->agent), &f->task);
}

static bool other(void *arg, struct hd_http_request *req, const struct hd_phone *phone,
		  const struct hd_vendor *vendor, const char *rest)
{
	struct daemon *d = arg;

	return hd_form_serve(d->form, req, phone, vendor, rest);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int open_digest(struct daemon *d)
{
	struct hd_digest_options options;
	int err;

	err = fill_digest(&options, d, d->conf);
	if (!err)
		err = hd_digest_new(&d->http_digest, &options);
	hd_wipe(&options, sizeof(options));
	return err;
}

static int open_form(struct daemon *d)
{
	const struct hd_form_options options = {
		.store = d->store,
		.directory = d->dir,
		.desk = d->desk,
		.device = d->device,
		.operations = d->control_operations,
		.calls = d->calls,
		.settings = d->settings,
		.mailbox = hd_loop_mailbox(d->loop),
		.clock = d->clock,
		.planner = &d->control_planner,
		.changed = daemon_wake_notify,
		.seen = daemon_missed_seen,
		.arg = d,
	};

	d->control_planner = (struct hd_planner){
		.dir = d->dir, .loc = d->location, .desk = d->desk, .settings = d->settings
	};
	return hd_form_new(&d->form, &options);
}

static int open_server(struct daemon *d)
{
	struct hd_provision_options options = {
		.loop = d->loop,
		.store = d->store,
		.directory = d->dir,
		.device = d->device,
		.clock = d->clock,
		.digest = d->http_digest,
		.lookup = daemon_lookup,
		.render = daemon_render_file,
		.fetched = on_fetched,
		.other = other,
		.arg = d,
	};
	struct hd_http_limits limits;
	int err;

	fill_limits(&limits, &d->conf->provision);
	fill_policy(&options.policy, &d->conf->provision);
	err = hd_http_new(&d->phones, d->loop, &limits);
	if (!err)
		err = hd_provision_new(&d->provision, &options);
	return err ? err : hd_provision_mount(d->provision, d->phones);
}

/* What URLs begin with when the configuration does not say: a certificate is of a name. */
static void note_url(struct daemon *d)
{
	struct hd_http_listener l;
	const char *host = d->domain_copy;

	if (!hd_http_listeners(d->phones, &l, 1))
		return;
	if (!l.tls && !daemon_is_any(l.host))
		host = l.host;
	(void)snprintf(d->phones_url, sizeof(d->phones_url),
		       strchr(host, ':') && host == l.host ? "%s://[%s]:%u" : "%s://%s:%u",
		       l.tls ? "https" : "http", host, l.port);
}

static int open_listeners(struct daemon *d)
{
	const struct hd_conf_provision *c = &d->conf->provision;
	struct hd_http_listener where;
	int err = 0;

	for (size_t i = 0; !err && i < c->n_listen; i++) {
		where = (struct hd_http_listener){
			.tls = c->listen[i].transport == HD_HTTPS,
			.port = c->listen[i].port,
		};
		memcpy(where.host, c->listen[i].host, sizeof(where.host));
		err = hd_http_listen_tcp(d->phones, &where);
	}
	note_url(d);
	return err;
}

/* What is supplied is moved. */
static void take_supply(struct daemon *d, const struct daemon_phones_supply *supply)
{
	const struct hd_form_own own = { d->conf->desk.own_name, d->conf->desk.own_keys };
	struct hd_form_list list = { .shown = d->conf->calls.shown };
	char url[HD_URL_SIZE];

	if (supply->tls)
		hd_http_set_tls(d->phones, supply->tls);
	daemon_url(d, d->conf, url);
	conf_list_policy(&list.policy, d->conf);
	d->control_planner.dialling = d->control_dialling;
	conf_codes(&d->control_planner.codes, d->conf);
	hd_form_set(d->form, supply->forms, url, d->conf->provision.language, &list, &own);
}

int daemon_open_provision(struct daemon *d)
{
	struct daemon_phones_supply supply;
	struct hd_buf errors = { 0 };
	int err;

	if (!d->conf->provision.n_listen)
		return 0;
	err = daemon_phones_supply_load(&supply, d, d->conf, &errors);
	if (err)
		hd_error("daemon", "%s", errors.len ? hd_buf_text(&errors) : hd_strerror(err));
	hd_buf_fini(&errors);
	if (err)
		return err;
	err = open_digest(d);
	if (!err)
		err = open_form(d);
	if (!err)
		err = open_server(d);
	if (err) {
		hd_http_tls_free(supply.tls);
		hd_template_set_free(supply.forms);
		return err;
	}
	/* TLS before its listeners, the URL after them. */
	hd_http_set_tls(d->phones, supply.tls);
	supply.tls = NULL;
	err = open_listeners(d);
	take_supply(d, &supply);
	return err;
}

void daemon_close_provision(struct daemon *d)
{
	hd_http_free(d->phones);
	hd_provision_free(d->provision);
	hd_form_free(d->form);
	hd_digest_free(d->http_digest);
	d->phones = NULL;
	d->provision = NULL;
	d->form = NULL;
	d->http_digest = NULL;
}

void daemon_provision_take(struct daemon *d, const struct daemon_phones_supply *supply)
{
	struct hd_provision_policy policy;
	struct hd_digest_options digest;
	struct hd_http_limits limits;

	if (!d->phones) {
		hd_template_set_free(supply->forms);
		return;
	}
	take_supply(d, supply);
	fill_limits(&limits, &d->conf->provision);
	hd_http_set_limits(d->phones, &limits);
	fill_policy(&policy, &d->conf->provision);
	hd_provision_set_policy(d->provision, &policy);
	if (fill_digest(&digest, d, d->conf) || hd_digest_set_options(d->http_digest, &digest))
		hd_error("daemon", "auth: new values refused for HTTP, the old ones stay");
	hd_wipe(&digest, sizeof(digest));
}

void daemon_url(const struct daemon *d, const struct hd_conf *conf, char url[HD_URL_SIZE])
{
	const char *text =
		d->phones_url[0] && conf->provision.url ? conf->provision.url : d->phones_url;

	(void)snprintf(url, HD_URL_SIZE, "%s", text);
}

size_t daemon_provision_listeners(const struct daemon *d, char texts[][DAEMON_LISTENER_SIZE],
				  size_t max)
{
	struct hd_http_listener l[DAEMON_HTTP_LISTENERS_MAX];
	size_t n = hd_http_listeners(d->phones, l, DAEMON_HTTP_LISTENERS_MAX);

	for (size_t i = 0; i < n && i < max; i++)
		(void)snprintf(texts[i], DAEMON_LISTENER_SIZE,
			       strchr(l[i].host, ':') ? "%s:[%s]:%u" : "%s:%s:%u",
			       l[i].tls ? "https" : "http", l[i].host, l[i].port);
	return n < max ? n : max;
}
