/* call.c - calls: those in progress. */
#include <stdlib.h>

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
