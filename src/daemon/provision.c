/* provision.c - templates and values for what phones get, one set for each thread that renders. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"

/* Where it is installed as well as where it is built. */
const char *daemon_share_path(char dst[PATH_MAX], const char *name)
{
	ssize_t n = readlink("/proc/self/exe", dst, PATH_MAX - 1);
	size_t len = n > 0 ? (size_t)n : 0;

	while (len && dst[len - 1] != '/')
		len--;
	(void)snprintf(dst + len, PATH_MAX - len, "%s../share/hotdeskd/%s", len ? "" : "/usr/bin/",
		       name);
	return dst;
}

int daemon_supply_load(struct daemon_supply *supply, const struct hd_conf *conf,
		       struct hd_buf *errors)
{
	char ours[PATH_MAX];
	int err;

	err = hd_timezone_load(&supply->zone, conf->provision.timezone);
	if (err)
		hd_buf_addf(errors, "provision.timezone: \"%s\": %s\n", conf->provision.timezone,
			    err == HD_EUNSUPPORTED ? "phones cannot have its daylight-saving rule"
						   : "no such time zone here");
	if (!err)
		err = hd_templates_load(&supply->templates, conf->provision.templates,
					daemon_share_path(ours, "provision"), errors);
	return err;
}

/* ---- values out of the configuration --------------------------------------------------------- */

bool daemon_is_any(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* Ours for that transport, and where it listens. */
static void find_listener(struct daemon_render *render, const struct daemon *d)
{
	struct hd_render_values *v = &render->values;
	const struct hd_listener *l;
	size_t n;

	l = hd_agent_listeners(d->agent, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(l[i].transport, v->transport) != 0)
			continue;
		v->port = l[i].port;
		if (!daemon_is_any(l[i].host))
			memcpy(render->server, l[i].host, sizeof(l[i].host));
		return;
	}
}

/* ADDRESS, [ADDRESS], either with :PORT. */
static void take_server(struct daemon_render *render, const char *text)
{
	const char *end = strrchr(text, ']'), *colon = strrchr(text, ':');
	size_t from = text[0] == '[', len;
	uint64_t port;

	colon = colon && (!end || colon > end) ? colon : text + strlen(text);
	len = end ? (size_t)(end - text) : (size_t)(colon - text);
	if (hd_str_copy(render->server, sizeof(render->server),
			(struct hd_slice){ text + from, len - from }))
		hd_error("daemon", "%s: too long, left empty", text);
	if (*colon && !hd_u64_parse(&port, hd_slice_of(colon + 1), UINT16_MAX))
		render->values.port = (uint16_t)port;
}

static void fill_server(struct daemon_render *render, const struct daemon *d,
			const struct hd_conf *conf)
{
	static const char *const names[] = { [HD_UDP] = "udp", [HD_TCP] = "tcp", [HD_TLS] = "tls" };
	struct hd_render_values *v = &render->values;

	v->transport = names[conf->provision.transport];
	v->port = conf->provision.transport == HD_TLS ? 5061 : 5060;
	take_server(render, d->domain_copy);
	find_listener(render, d);
	if (conf->provision.server)
		take_server(render, conf->provision.server);
	v->server = render->server;
}

static int login_key(const struct hd_conf *conf)
{
	uint64_t place = 0;

	if (strcmp(conf->provision.login_key, "vendor") == 0)
		return HD_LOGIN_KEY_VENDOR;
	if (hd_u64_parse(&place, hd_slice_of(conf->provision.login_key), HD_PHONE_KEYS_MAX))
		return HD_LOGIN_KEY_NONE;
	return (int)place;
}

void daemon_render_set(struct daemon_render *render, const struct daemon *d,
		       const struct hd_conf *conf, const struct daemon_supply *supply)
{
	const struct hd_conf_provision *c = &conf->provision;

	if (render->supply.templates != supply->templates)
		hd_templates_free(render->supply.templates);
	render->supply = *supply;
	render->values = (struct hd_render_values){
		.domain = d->domain_copy,
		.expires_s = conf->registrar.expires_default_s,
		.login_code = c->login_code == HD_LOGIN_CODE_LOGIN,
		.login_key = login_key(conf),
		.call_list_key = (uint8_t)c->call_list_key,
		.login_form = c->login_form,
		.hoteling = c->hoteling,
		.feature_sync = c->feature_sync,
		.language = c->language,
		.texts = { .login = c->text_login,
			   .logout = c->text_logout,
			   .owner = c->text_owner,
			   .free = c->text_free,
			   .occupied = c->text_occupied,
			   .closed = c->text_closed },
		.zone = supply->zone,
		.ntp = c->ntp,
		.emergency = (const char *const *)conf->plan.emergency,
		.n_emergency = conf->plan.n_emergency,
	};
	daemon_url(d, conf, render->url);
	render->values.url = render->url[0] ? render->url : NULL;
	conf_codes(&render->values.codes, conf);
	fill_server(render, d, conf);
	render->renderer = (struct hd_renderer){
		.dir = d->dir,
		.desk = d->desk,
		.device = d->device,
		.templates = render->supply.templates,
		.values = &render->values,
	};
}

int daemon_open_render(struct daemon *d)
{
	struct hd_buf errors = { 0 };
	int err;

	err = daemon_supply_load(&d->control_render.supply, d->conf, &errors);
	if (!err)
		err = daemon_supply_load(&d->sip_render.supply, d->conf, &errors);
	if (err)
		hd_error("daemon", "templates of phones: %s",
			 errors.len ? hd_buf_text(&errors) : hd_strerror(err));
	hd_buf_fini(&errors);
	return err;
}

void daemon_close_render(struct daemon *d)
{
	hd_templates_free(d->control_render.supply.templates);
	hd_templates_free(d->sip_render.supply.templates);
	d->control_render.supply.templates = d->sip_render.supply.templates = NULL;
}

/* ---- for others ------------------------------------------------------------------------------ */

int daemon_patch(void *arg, const char *phone, struct hd_buf *body)
{
	struct daemon *d = arg;
	struct hd_provision_file file;
	struct hd_phone record;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = hd_phone_get(d->dir, txn, phone, &record);
	if (!err)
		err = hd_provision_render(&d->sip_render.renderer, txn, &record,
					  HD_VENDOR_FILE_PATCH, &file);
	hd_store_end_read(txn);
	hd_wipe(&record, sizeof(record));
	if (err)
		return err;
	hd_buf_add(body, (struct hd_slice){ file.body.data, file.body.len });
	hd_provision_file_fini(&file);
	return hd_buf_error(body);
}

int daemon_render_file(void *arg, struct hd_txn *txn, const struct hd_phone *phone,
		       enum hd_vendor_file kind, struct hd_provision_file *file)
{
	struct daemon *d = arg;

	return hd_provision_render(&d->control_render.renderer, txn, phone, kind, file);
}

int daemon_show(void *arg, struct hd_txn *txn, const struct hd_phone *phone,
		struct hd_admin_render *show)
{
	struct daemon *d = arg;
	struct hd_provision_file file = { 0 };
	int err;

	err = hd_provision_show(&d->control_render.renderer, txn, phone, show->kind, show->secrets,
				&file);
	if (err) {
		show->why = hd_provision_why(err);
		return err;
	}
	/* Moved: the body and whoever wipes it. */
	show->body = file.body;
	show->type = file.type;
	return 0;
}
