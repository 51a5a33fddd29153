/* key.c - the keys of users and phones, and the secret of a phone's URL. */
#include <stdlib.h>

#include "ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "PLACE", "place" }, { "TYPE", "type" }, { "LABEL", "label" },
	{ "VALUE", "value" }, { "OWN", "own" }, /* of users; the last */
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static enum ctl_exit keys_list(struct ctl *ctl, const char *prefix, size_t n)
{
	char *target = ctl_target(prefix, ctl->args[0], "/keys");
	enum ctl_exit code = CTL_REFUSED;

	if (target)
		code = ctl_list(ctl, target, "keys", columns, n);
	else
		(void)fputs("hotdeskctl: out of memory\n", ctl->err);
	free(target);
	return code;
}

/* "/v1/users/201/keys/3" */
static char *key_target(const struct ctl *ctl, const char *prefix)
{
	char *keys = ctl_target(prefix, ctl->args[0], "/keys/");
	char *target = keys ? ctl_target(keys, ctl->args[1], "") : NULL;

	free(keys);
	return target;
}

static enum ctl_exit key_set(struct ctl *ctl, const char *prefix)
{
	char unused[CTL_SECRET_SIZE];
	json_t *body = ctl_body(ctl, unused);
	char *target = key_target(ctl, prefix);
	enum ctl_exit code = body ? ctl_write(ctl, "PUT", target, body) : CTL_USAGE;

	json_decref(body);
	free(target);
	return code;
}

static enum ctl_exit key_remove(struct ctl *ctl, const char *prefix)
{
	char *target = key_target(ctl, prefix);
	enum ctl_exit code = ctl_write(ctl, "DELETE", target, NULL);

	free(target);
	return code;
}

enum ctl_exit ctl_user_keys(struct ctl *ctl)
{
	return keys_list(ctl, "/v1/users/", COLUMNS);
}

enum ctl_exit ctl_user_set_key(struct ctl *ctl)
{
	return key_set(ctl, "/v1/users/");
}

enum ctl_exit ctl_user_remove_key(struct ctl *ctl)
{
	return key_remove(ctl, "/v1/users/");
}

enum ctl_exit ctl_phone_keys(struct ctl *ctl)
{
	return keys_list(ctl, "/v1/phones/", COLUMNS - 1);
}

enum ctl_exit ctl_phone_set_key(struct ctl *ctl)
{
	return key_set(ctl, "/v1/phones/");
}

enum ctl_exit ctl_phone_remove_key(struct ctl *ctl)
{
	return key_remove(ctl, "/v1/phones/");
}

enum ctl_exit ctl_phone_renew_token(struct ctl *ctl)
{
	char *target = ctl_target("/v1/phones/", ctl->args[0], "/token");
	enum ctl_exit code = ctl_write(ctl, "POST", target, NULL);

	free(target);
	return code;
}
