/* care.c - status, metrics, backup, check, repair, reload. */
#include <stdlib.h>
#include <unistd.h>

#include "ctl_priv.h"

enum ctl_exit ctl_status(struct ctl *ctl)
{
	return ctl_show(ctl, "GET", "/v1/status");
}

enum ctl_exit ctl_metrics(struct ctl *ctl)
{
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "GET", "/metrics", NULL, &a);
	json_t *wrapped;

	if (!code && ctl->json) {
		wrapped = json_pack("{s:s}", "openmetrics", hd_buf_text(&a.body));
		ctl_write_json(ctl->out, wrapped);
		json_decref(wrapped);
	} else if (!code) {
		(void)fputs(hd_buf_text(&a.body), ctl->out);
	}
	ctl_answer_fini(&a);
	return code;
}

enum ctl_exit ctl_backup(struct ctl *ctl)
{
	char *here = ctl->args[0][0] == '/' ? NULL : getcwd(NULL, 0);
	struct hd_buf path = { 0 };
	json_t *body;
	enum ctl_exit code;

	/* The daemon works in another folder. */
	hd_buf_addf(&path, "%s%s%s", here ? here : "", here ? "/" : "", ctl->args[0]);
	free(here);
	body = json_pack("{s:s}", "path", hd_buf_text(&path));
	if (body)
		code = ctl_write(ctl, "POST", "/v1/backup", body);
	else
		code = ctl_usage(ctl, "FILE: expected UTF-8 text");
	json_decref(body);
	hd_buf_fini(&path);
	return code;
}

enum ctl_exit ctl_check(struct ctl *ctl)
{
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "POST", "/v1/check", NULL, &a);

	if (!code && ctl->json)
		ctl_write_json(ctl->out, a.json);
	else if (!code)
		ctl_write_record(ctl->out, a.json);
	if (!code && json_integer_value(json_object_get(a.json, "violations")) != 0)
		code = CTL_REFUSED;
	ctl_answer_fini(&a);
	return code;
}

enum ctl_exit ctl_repair(struct ctl *ctl)
{
	return ctl_show(ctl, "POST", "/v1/repair");
}

static void reload_print(struct ctl *ctl, const json_t *json)
{
	const char *report = json_string_value(json_object_get(json, "report"));

	(void)fprintf(ctl->out, "reloaded%s%s\n", report && report[0] ? ": " : "",
		      report ? report : "");
}

enum ctl_exit ctl_reload(struct ctl *ctl)
{
	return ctl_perform(ctl, "POST", "/v1/reload", NULL, reload_print);
}
