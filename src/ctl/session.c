/* session.c - desk sessions. */
#include "ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "USER", "user" },
	{ "PHONE", "phone" },
	{ "SINCE", "since" },
	{ "WAY", "way" },
};

enum ctl_exit ctl_session_list(struct ctl *ctl)
{
	return ctl_list(ctl, "/v1/sessions?limit=1000&after=", "sessions", columns,
			sizeof(columns) / sizeof(columns[0]));
}

static const struct ctl_column audit_columns[] = {
	{ "AT", "at" },		{ "USER", "user" }, { "PHONE", "phone" }, { "EVENT", "event" },
	{ "RESULT", "result" }, { "WHAT", "what" }, { "TO", "to" },	  { "WAY", "way" },
};

enum ctl_exit ctl_audit(struct ctl *ctl)
{
	return ctl_list(ctl, "/v1/audit?limit=1000&after=", "audit", audit_columns,
			sizeof(audit_columns) / sizeof(audit_columns[0]));
}

/* Says who left for whom. */
static void result_print(struct ctl *ctl, const json_t *json)
{
	const char *left_phone = json_string_value(json_object_get(json, "left_phone"));
	const char *left_user = json_string_value(json_object_get(json, "left_user"));
	const json_t *session = json_object_get(json, "session");
	const char *result = json_string_value(json_object_get(json, "result"));

	(void)fputs(result ? result : "done", ctl->out);
	if (json_is_object(session))
		(void)fprintf(ctl->out, ": user %s at phone %s",
			      json_string_value(json_object_get(session, "user")),
			      json_string_value(json_object_get(session, "phone")));
	if (left_phone)
		(void)fprintf(ctl->out, ", no longer at %s", left_phone);
	if (left_user)
		(void)fprintf(ctl->out, ", user %s was logged out", left_user);
	(void)fputs("\n", ctl->out);
}

static enum ctl_exit session_post(struct ctl *ctl, const char *target, const json_t *body)
{
	if (!body)
		return ctl_usage(ctl, "expected UTF-8 text");
	return ctl_perform(ctl, "POST", target, body, result_print);
}

enum ctl_exit ctl_session_login(struct ctl *ctl)
{
	json_t *body = json_pack("{s:s, s:s}", "user", ctl->args[0], "phone", ctl->args[1]);
	enum ctl_exit code = session_post(ctl, "/v1/sessions/login", body);

	json_decref(body);
	return code;
}

enum ctl_exit ctl_session_logout(struct ctl *ctl)
{
	const char *phone = ctl_value(ctl, "phone");
	json_t *body;
	enum ctl_exit code;

	if (!phone == !ctl->n_args)
		return ctl_usage(ctl, "expected USER or --phone ID");
	body = phone ? json_pack("{s:s}", "phone", phone)
		     : json_pack("{s:s}", "user", ctl->args[0]);
	code = session_post(ctl, "/v1/sessions/logout", body);
	json_decref(body);
	return code;
}
