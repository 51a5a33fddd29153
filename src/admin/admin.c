/* admin.c - see admin.h: the routes, and the life of the whole. */
#include <stdlib.h>

#include "admin_priv.h"

static const struct hd_http_route routes[] = {
	{ HD_HTTP_GET, "/healthz", healthz_get },
	{ HD_HTTP_GET, "/readyz", readyz_get },
	{ HD_HTTP_GET, "/metrics", metrics_get },
	{ HD_HTTP_GET, "/v1/status", status_get },
	{ HD_HTTP_GET, "/v1/users", users_list },
	{ HD_HTTP_POST, "/v1/users", user_post },
	{ HD_HTTP_GET, "/v1/users/:number", user_show },
	{ HD_HTTP_PUT, "/v1/users/:number", user_put },
	{ HD_HTTP_PATCH, "/v1/users/:number", user_patch },
	{ HD_HTTP_DELETE, "/v1/users/:number", user_delete },
	{ HD_HTTP_POST, "/v1/users/:number/unlock", user_unlock },
	{ HD_HTTP_GET, "/v1/users/:number/keys", user_keys_list },
	{ HD_HTTP_PUT, "/v1/users/:number/keys/:place", user_key_put },
	{ HD_HTTP_DELETE, "/v1/users/:number/keys/:place", user_key_delete },
	{ HD_HTTP_GET, "/v1/phones", phones_list },
	{ HD_HTTP_POST, "/v1/phones", phone_post },
	{ HD_HTTP_GET, "/v1/phones/:id", phone_show },
	{ HD_HTTP_PUT, "/v1/phones/:id", phone_put },
	{ HD_HTTP_PATCH, "/v1/phones/:id", phone_patch },
	{ HD_HTTP_DELETE, "/v1/phones/:id", phone_delete },
	{ HD_HTTP_POST, "/v1/phones/:id/unlock", phone_unlock },
	{ HD_HTTP_GET, "/v1/phones/:id/render", phone_render },
	{ HD_HTTP_GET, "/v1/phones/:id/url", phone_url },
	{ HD_HTTP_POST, "/v1/phones/:id/token", phone_token },
	{ HD_HTTP_GET, "/v1/phones/:id/keys", phone_keys_list },
	{ HD_HTTP_PUT, "/v1/phones/:id/keys/:place", phone_key_put },
	{ HD_HTTP_DELETE, "/v1/phones/:id/keys/:place", phone_key_delete },
	{ HD_HTTP_GET, "/v1/sessions", sessions_list },
	{ HD_HTTP_POST, "/v1/sessions/login", session_login },
	{ HD_HTTP_POST, "/v1/sessions/logout", session_logout },
	{ HD_HTTP_GET, "/v1/audit", audit_list },
	{ HD_HTTP_GET, "/v1/bindings", bindings_list },
	{ HD_HTTP_POST, "/v1/import", import_post },
	{ HD_HTTP_GET, "/v1/export", export_get },
	{ HD_HTTP_POST, "/v1/backup", backup_post },
	{ HD_HTTP_POST, "/v1/check", check_post },
	{ HD_HTTP_POST, "/v1/repair", repair_post },
	{ HD_HTTP_POST, "/v1/reload", reload_post },
	{ HD_HTTP_PUT, "/v1/upstreams/:name/account", upstream_put },
	{ HD_HTTP_DELETE, "/v1/upstreams/:name/account", upstream_delete },
};

int hd_admin_new(struct hd_admin **ap, const struct hd_admin_options *o)
{
	struct hd_admin *admin;
	int err;

	if (!ap || !o || !o->loop || !o->store || !o->directory || !o->location || !o->desk ||
	    !o->device || !o->settings || !o->accounts || !o->clock || !o->worker || !o->pepper ||
	    !o->realm)
		return HD_EINVAL;
	admin = calloc(1, sizeof(*admin));
	if (!admin)
		return HD_ENOMEM;
	admin->o = *o;
	err = hd_str_set(admin->realm, sizeof(admin->realm), o->realm);
	if (err)
		goto out;
	err = hd_worker_new(&admin->slow, 1, 4);
	if (err)
		goto out;
	service_register_metrics();
	*ap = admin;
	return 0;

out:
	free(admin);
	return err;
}

int hd_admin_mount(struct hd_admin *admin, struct hd_http *http)
{
	if (!admin)
		return HD_EINVAL;
	return hd_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), admin);
}

void hd_admin_set_ready(struct hd_admin *admin, bool ready)
{
	admin->ready = ready;
}

void hd_admin_set_policies(struct hd_admin *admin, const struct hd_admin_policies *policies)
{
	admin->o.policies = *policies;
}

void hd_admin_free(struct hd_admin *admin)
{
	if (!admin)
		return;
	admin->closing = true;
	admin->under_way++; /* ourselves */
	if (admin->import)
		import_cancel(admin->import);
	hd_worker_free(admin->slow);
	admin->slow = NULL;
	if (--admin->under_way == 0)
		free(admin);
}
