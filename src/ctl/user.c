/* user.c - users. */
#include <stdlib.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "NUMBER", "number" },	  { "NAME", "name" },	{ "PHONE", "phone" },
	{ "ROAMING", "roaming" }, { "PIN", "has_pin" }, { "DISABLED", "disabled" },
};

enum ctl_exit ctl_user_list(struct ctl *ctl)
{
	return ctl_list(ctl, "/v1/users?limit=1000&after=", "users", columns,
			sizeof(columns) / sizeof(columns[0]));
}

enum ctl_exit ctl_user_show(struct ctl *ctl)
{
	char *target = ctl_target("/v1/users/", ctl->args[0], "");
	enum ctl_exit code = ctl_show(ctl, "GET", target);

	free(target);
	return code;
}

enum ctl_exit ctl_user_add(struct ctl *ctl)
{
	char unused[CTL_SECRET_SIZE];
	json_t *body = ctl_body(ctl, unused);
	enum ctl_exit code;

	if (!body)
		return CTL_USAGE;
	if (json_object_set_new(body, "number", json_string(ctl->args[0])))
		code = ctl_usage(ctl, "NUMBER: expected UTF-8 text");
	else
		code = ctl_write(ctl, "POST", "/v1/users", body);
	json_decref(body);
	return code;
}

enum ctl_exit ctl_user_set(struct ctl *ctl)
{
	char *target = ctl_target("/v1/users/", ctl->args[0], "");
	enum ctl_exit code = ctl_set(ctl, "PATCH", target);

	free(target);
	return code;
}

enum ctl_exit ctl_user_remove(struct ctl *ctl)
{
	char *target = ctl_target("/v1/users/", ctl->args[0], "");
	enum ctl_exit code = ctl_write(ctl, "DELETE", target, NULL);

	free(target);
	return code;
}

enum ctl_exit ctl_user_unlock(struct ctl *ctl)
{
	char *target = ctl_target("/v1/users/", ctl->args[0], "/unlock");
	enum ctl_exit code = ctl_write(ctl, "POST", target, NULL);

	free(target);
	return code;
}
