/* phone.c - phones. */
#include <stdlib.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "ID", "id" },	      { "LABEL", "label" },	      { "USER", "user" },
	{ "OWNER", "owner" }, { "REGISTERED", "registered" }, { "MAC", "mac" },
	{ "MODEL", "model" }, { "DISABLED", "disabled" },
};

enum ctl_exit ctl_phone_list(struct ctl *ctl)
{
	return ctl_list(ctl, "/v1/phones?limit=1000&after=", "phones", columns,
			sizeof(columns) / sizeof(columns[0]));
}

enum ctl_exit ctl_phone_show(struct ctl *ctl)
{
	char *target = ctl_target("/v1/phones/", ctl->args[0], "");
	enum ctl_exit code = ctl_show(ctl, "GET", target);

	free(target);
	return code;
}

/* Sends the body; a secret that was made here is shown, this one time. */
static enum ctl_exit phone_write(struct ctl *ctl, const char *method, const char *target,
				 const json_t *body, const char *generated)
{
	struct ctl_answer a;
	enum ctl_exit code;

	if (!generated[0])
		return ctl_write(ctl, method, target, body);
	code = ctl_call(ctl, method, target, body, &a);
	if (!code && ctl->json) {
		if (json_object_set_new(a.json, "secret", json_string(generated)))
			code = CTL_REFUSED;
		ctl_write_json(ctl->out, a.json);
	} else if (!code) {
		(void)fprintf(ctl->out, "phone %s: %s\nsecret: %s\n", ctl->args[0],
			      json_string_value(json_object_get(a.json, "result")), generated);
	}
	ctl_answer_fini(&a);
	return code;
}

enum ctl_exit ctl_phone_add(struct ctl *ctl)
{
	char generated[CTL_SECRET_SIZE];
	json_t *body = ctl_body(ctl, generated);
	enum ctl_exit code;

	if (!body)
		return CTL_USAGE;
	if (json_object_set_new(body, "id", json_string(ctl->args[0])))
		code = ctl_usage(ctl, "ID: expected UTF-8 text");
	else
		code = phone_write(ctl, "POST", "/v1/phones", body, generated);
	json_decref(body);
	hd_wipe(generated, sizeof(generated));
	return code;
}

enum ctl_exit ctl_phone_set(struct ctl *ctl)
{
	char generated[CTL_SECRET_SIZE];
	json_t *body = ctl_body(ctl, generated);
	char *target = ctl_target("/v1/phones/", ctl->args[0], "");
	enum ctl_exit code;

	if (!body)
		code = CTL_USAGE;
	else if (!json_object_size(body))
		code = ctl_usage(ctl, "nothing to set");
	else
		code = phone_write(ctl, "PATCH", target, body, generated);
	json_decref(body);
	free(target);
	hd_wipe(generated, sizeof(generated));
	return code;
}

enum ctl_exit ctl_phone_remove(struct ctl *ctl)
{
	char *target = ctl_target("/v1/phones/", ctl->args[0], "");
	enum ctl_exit code = ctl_write(ctl, "DELETE", target, NULL);

	free(target);
	return code;
}

enum ctl_exit ctl_phone_unlock(struct ctl *ctl)
{
	char *target = ctl_target("/v1/phones/", ctl->args[0], "/unlock");
	enum ctl_exit code = ctl_write(ctl, "POST", target, NULL);

	free(target);
	return code;
}

/* The file itself, so that it can be looked at, compared and put into another one. */
enum ctl_exit ctl_phone_render(struct ctl *ctl)
{
	const char *file = ctl_value(ctl, "file");
	char *phone = ctl_target("/v1/phones/", ctl->args[0],
				 ctl_value(ctl, "secrets") ? "/render?secrets=yes&file="
							   : "/render?file=");
	char *target = phone ? ctl_target(phone, file ? file : "main", "") : NULL;
	struct ctl_answer a = { 0 };
	enum ctl_exit code;
	const char *text;

	code = target ? ctl_call(ctl, "GET", target, NULL, &a) : CTL_REFUSED;
	if (!code && ctl->json) {
		ctl_write_json(ctl->out, a.json);
	} else if (!code) {
		text = json_string_value(json_object_get(a.json, "text"));
		(void)fputs(text ? text : "", ctl->out);
	}
	ctl_answer_fini(&a);
	free(target);
	free(phone);
	return code;
}
