/* answer.c - what an answer means: for the exit code, and for people. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

static const char *member(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* The daemon's words, which may quote what somebody else wrote. */
static void detail_print(struct ctl *ctl, const char *text)
{
	struct hd_buf b = { 0 };
	json_t *line;
	size_t n;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		line = json_stringn(text, n);
		ctl_value_format(&b, line);
		(void)fprintf(ctl->err, "%s\n", hd_buf_text(&b));
		json_decref(line);
		hd_buf_fini(&b);
	}
}

enum ctl_exit ctl_judge(struct ctl *ctl, const struct ctl_answer *answer)
{
	const char *detail = member(answer->json, "detail");

	if (answer->status >= 200 && answer->status < 300)
		return CTL_OK;
	if (ctl->json && answer->json) {
		ctl_write_json(ctl->err, answer->json);
	} else if (detail[0]) {
		/* Lines of a file that name their place stand for themselves. */
		if (strcmp(member(answer->json, "error"), "import-refused") == 0)
			(void)fputs("hotdeskctl: refused, nothing was changed:\n", ctl->err);
		else
			(void)fputs("hotdeskctl: ", ctl->err);
		detail_print(ctl, detail);
	} else if (answer->status == 413) {
		(void)fputs("hotdeskctl: refused: larger than the daemon takes\n", ctl->err);
	} else {
		(void)fprintf(ctl->err, "hotdeskctl: refused with HTTP status %ld\n",
			      answer->status);
	}
	return CTL_REFUSED;
}

enum ctl_exit ctl_call(struct ctl *ctl, const char *method, const char *target, const json_t *body,
		       struct ctl_answer *answer)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	enum ctl_exit code;

	if ((body && !text) || !target) {
		memset(answer, 0, sizeof(*answer));
		(void)fputs("hotdeskctl: out of memory\n", ctl->err);
		return CTL_REFUSED;
	}
	code = ctl_ask(ctl, method, target, text ? text : "", len, answer);
	if (text)
		hd_wipe(text, len);
	free(text);
	return code ? code : ctl_judge(ctl, answer);
}

enum ctl_exit ctl_perform(struct ctl *ctl, const char *method, const char *target,
			  const json_t *body, ctl_print_fn *print)
{
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, method, target, body, &a);

	if (!code && ctl->json)
		ctl_write_json(ctl->out, a.json);
	else if (!code)
		print(ctl, a.json);
	ctl_answer_fini(&a);
	return code;
}

static void record_print(struct ctl *ctl, const json_t *json)
{
	ctl_write_record(ctl->out, json);
}

enum ctl_exit ctl_show(struct ctl *ctl, const char *method, const char *target)
{
	return ctl_perform(ctl, method, target, NULL, record_print);
}

static void result_print(struct ctl *ctl, const json_t *json)
{
	json_int_t ended = json_integer_value(json_object_get(json, "sessions_ended"));

	(void)fprintf(ctl->out, "%s %s: %s", ctl->noun, ctl->args[0] ? ctl->args[0] : "",
		      member(json, "result"));
	if (ended)
		(void)fprintf(ctl->out, ", %" JSON_INTEGER_FORMAT " desk session%s ended", ended,
			      ended == 1 ? "" : "s");
	(void)fputs("\n", ctl->out);
}

enum ctl_exit ctl_write(struct ctl *ctl, const char *method, const char *target, const json_t *body)
{
	return ctl_perform(ctl, method, target, body, result_print);
}

enum ctl_exit ctl_set(struct ctl *ctl, const char *method, const char *target)
{
	char unused[CTL_SECRET_SIZE];
	json_t *body = ctl_body(ctl, unused);
	enum ctl_exit code;

	if (!body)
		code = CTL_USAGE;
	else if (!json_object_size(body))
		code = ctl_usage(ctl, "nothing to set");
	else
		code = ctl_write(ctl, method, target, body);
	json_decref(body);
	return code;
}

/* One page: its rows go to `all`, the key that the next page begins after to *nextp. */
static enum ctl_exit page_take(struct ctl *ctl, const char *target, const char *key, json_t *all,
			       char **nextp)
{
	char *page = ctl_target(target, *nextp ? *nextp : "", "");
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "GET", page, NULL, &a);
	const char *next;

	free(page);
	free(*nextp);
	*nextp = NULL;
	if (!code && json_array_extend(all, json_object_get(a.json, key))) {
		(void)fputs("hotdeskctl: the daemon's answer is not a list\n", ctl->err);
		code = CTL_REFUSED;
	}
	next = member(a.json, "next");
	if (!code && next[0])
		*nextp = strdup(next);
	ctl_answer_fini(&a);
	return code;
}

enum ctl_exit ctl_list(struct ctl *ctl, const char *target, const char *key,
		       const struct ctl_column *columns, size_t n)
{
	json_t *root = json_pack("{s:[]}", key);
	json_t *all = json_object_get(root, key);
	char *next = NULL;
	enum ctl_exit code;

	do {
		code = page_take(ctl, target, key, all, &next);
	} while (!code && next);
	free(next);
	if (!code && ctl->json)
		ctl_write_json(ctl->out, root);
	else if (!code)
		ctl_write_table(ctl->out, all, columns, n);
	json_decref(root);
	return code;
}
