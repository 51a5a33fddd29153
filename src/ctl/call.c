/* call.c - calls: those in progress, and call lists. */
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

static const char *text_of(const json_t *call, const char *side, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(call, side), key));

	return text ? text : "-";
}

/* Flat, for the table: who is "USER at PHONE". */
static json_t *row_of(const json_t *call)
{
	json_t *row = json_object();

	json_object_set(row, "state", json_object_get(call, "state"));
	json_object_set(row, "started", json_object_get(call, "started"));
	json_object_set(row, "answered", json_object_get(call, "answered"));
	json_object_set_new(row, "caller", json_string(text_of(call, "caller", "user")));
	json_object_set_new(row, "from", json_string(text_of(call, "caller", "phone")));
	json_object_set_new(row, "callee", json_string(text_of(call, "callee", "user")));
	json_object_set_new(row, "to", json_string(text_of(call, "callee", "phone")));
	return row;
}

static const struct ctl_column columns[] = {
	{ "STATE", "state" },	    { "CALLER", "caller" }, { "AT", "from" },
	{ "CALLEE", "callee" },	    { "AT", "to" },	    { "STARTED", "started" },
	{ "ANSWERED", "answered" },
};

enum ctl_exit ctl_call_active(struct ctl *ctl)
{
	char *target = ctl->n_args
			       ? ctl_target("/v1/calls/active?limit=1000&user=", ctl->args[0], "")
			       : ctl_target("/v1/calls/active?limit=1000", "", "");
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "GET", target, NULL, &a);
	json_t *rows = json_array(), *call;
	size_t i;

	free(target);
	if (!code && ctl->json) {
		ctl_write_json(ctl->out, a.json);
	} else if (!code) {
		json_array_foreach(json_object_get(a.json, "calls"), i, call)
			json_array_append_new(rows, row_of(call));
		ctl_write_table(ctl->out, rows, columns, sizeof(columns) / sizeof(columns[0]));
	}
	json_decref(rows);
	ctl_answer_fini(&a);
	return code;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static const struct ctl_column list_columns[] = {
	{ "STARTED", "started" },   { "KIND", "kind" },	    { "NUMBER", "number" },
	{ "NAME", "name" },	    { "PHONE", "phone" },   { "SECONDS", "duration_s" },
	{ "ANSWERED", "answered" }, { "STATUS", "status" },
};

/* Pages of CSV, one after the other; the JSON beside it tells where the next one begins. */
static enum ctl_exit print_csv(struct ctl *ctl, const char *path)
{
	char *target = ctl_target(path, "", "?limit=1000&format=csv&after="), *next = NULL;
	char *beside = ctl_target(path, "", "?limit=1000&after=");
	struct ctl_answer a, b;
	enum ctl_exit code;

	do {
		char *page = ctl_target(target, next ? next : "", "");
		char *other = ctl_target(beside, next ? next : "", "");
		const char *text;

		code = ctl_call(ctl, "GET", page, NULL, &a);
		if (!code)
			(void)fputs(hd_buf_text(&a.body), ctl->out);
		ctl_answer_fini(&a);
		free(next);
		next = NULL;
		if (!code) {
			code = ctl_call(ctl, "GET", other, NULL, &b);
			text = json_string_value(json_object_get(b.json, "next"));
			next = text ? strdup(text) : NULL;
			ctl_answer_fini(&b);
		}
		free(page);
		free(other);
	} while (!code && next);
	free(next);
	free(target);
	free(beside);
	return code;
}

enum ctl_exit ctl_call_list(struct ctl *ctl)
{
	const char *kind = ctl_value(ctl, "kind");
	char *path = ctl_target("/v1/calls/of/", ctl->args[0], ""), *kinds;
	struct hd_buf target = { 0 };
	enum ctl_exit code;

	if (ctl_value(ctl, "csv")) {
		code = kind ? ctl_usage(ctl, "--csv goes with every kind") : print_csv(ctl, path);
		free(path);
		return code;
	}
	kinds = ctl_target("?limit=1000&kind=", kind ? kind : "all", "&after=");
	hd_buf_addf(&target, "%s%s", path ? path : "", kinds ? kinds : "");
	code = ctl_list(ctl, hd_buf_text(&target), "calls", list_columns,
			sizeof(list_columns) / sizeof(list_columns[0]));
	hd_buf_fini(&target);
	free(kinds);
	free(path);
	return code;
}

enum ctl_exit ctl_call_export(struct ctl *ctl)
{
	return print_csv(ctl, "/v1/calls");
}

enum ctl_exit ctl_call_clear(struct ctl *ctl)
{
	char *target = ctl_target("/v1/calls/of/", ctl->args[0],
				  ctl_value(ctl, "everywhere") ? "?everywhere=true" : "");
	enum ctl_exit code = ctl_write(ctl, "DELETE", target, NULL);

	free(target);
	return code;
}
