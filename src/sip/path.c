/* path.c - the Path of a REGISTER (RFC 3327), the Record-Route of a dialog: Routes to be. */
#include <string.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>

#include "sip_priv.h"

int hd_msg_path(struct hd_msg *msg, char *dst, size_t size)
{
	su_home_t *home = msg_home(msg_of(msg));
	struct hd_buf text = { 0 };
	int err;

	for (const sip_path_t *p = sip_of(msg)->sip_path; p; p = p->r_next) {
		const char *value = hd_header_text(home, (const sip_header_t *)p);

		hd_buf_addf(&text, "%s%s", text.len ? ", " : "", value ? value : "");
	}
	err = hd_buf_error(&text);
	if (!err)
		err = hd_str_set(dst, size, hd_buf_text(&text));
	hd_buf_fini(&text);
	return err;
}

int hd_msg_route_set(struct hd_msg *msg, char **linesp)
{
	struct hd_buf lines = { 0 };
	const char *value;
	char *taken;

	for (unsigned i = 0; (value = hd_msg_header(msg, "Record-Route", i)); i++)
		hd_buf_addf(&lines, "Route: %s\r\n", value);
	if (!lines.len)
		return hd_buf_error(&lines);
	taken = hd_buf_take(&lines);
	if (taken)
		*linesp = taken;
	return taken ? 0 : HD_ENOMEM;
}

bool hd_msg_path_has(const struct hd_msg *msg, const char *param)
{
	const sip_path_t *p = sip_of(msg)->sip_path;
	struct hd_uri uri;

	if (!p)
		return false;
	while (p->r_next)
		p = p->r_next;
	hd_uri_from_url(&uri, p->r_url);
	return hd_uri_param(&uri, param, NULL);
}

static int add_path(struct hd_msg *msg, const char *path)
{
	sip_route_t *routes = sip_route_make(msg_home(msg_of(msg)), path);

	if (!routes)
		return HD_EPARSE;
	return msg_header_insert(msg_of(msg), NULL, (msg_header_t *)routes) < 0 ? HD_ENOMEM : 0;
}

int hd_msg_route_to(struct hd_agent *agent, struct hd_msg *msg, const struct hd_way *way,
		    struct hd_target *target)
{
	struct hd_uri uri;
	int err;

	if (way->path && *way->path) {
		err = add_path(msg, way->path);
		if (err)
			return err;
		while (hd_msg_route(msg, &uri) && hd_agent_is_us(agent, &uri))
			hd_msg_pop_route(msg);
		if (hd_msg_route(msg, &uri)) {
			hd_flow_target(agent, way->flow, hd_msg_route_text(msg), target);
			return 0;
		}
	}
	hd_flow_target(agent, way->flow, way->contact_uri, target);
	if (way->outbound)
		target->flow = way->flow;
	return 0;
}
