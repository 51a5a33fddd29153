/* upstream.c - the PBX or trunks behind us. */
#include <stdlib.h>

#include "ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "NAME", "name" },	{ "STATE", "state" },
	{ "MODE", "mode" },	{ "REGISTERED", "registered" },
	{ "WANTED", "wanted" }, { "FAILING", "failing" },
	{ "URI", "uri" },
};

enum ctl_exit ctl_upstream_list(struct ctl *ctl)
{
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "GET", "/v1/upstreams", NULL, &a);

	if (code == CTL_OK && ctl->json)
		ctl_write_json(ctl->out, a.json);
	else if (code == CTL_OK)
		ctl_write_table(ctl->out, json_object_get(a.json, "upstreams"), columns,
				sizeof(columns) / sizeof(columns[0]));
	ctl_answer_fini(&a);
	return code;
}

enum ctl_exit ctl_upstream_set(struct ctl *ctl)
{
	char *target = ctl_target("/v1/upstreams/", ctl->args[0], "/account");
	enum ctl_exit code = ctl_set(ctl, "PUT", target);

	free(target);
	return code;
}

enum ctl_exit ctl_upstream_delete(struct ctl *ctl)
{
	char *target = ctl_target("/v1/upstreams/", ctl->args[0], "/account");
	enum ctl_exit code = ctl_write(ctl, "DELETE", target, NULL);

	free(target);
	return code;
}
