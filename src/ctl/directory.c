/* directory.c - import and export of the directory file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

enum { CHUNK = 65536, FILE_MAX = 32 << 20 };

static enum ctl_exit file_error(struct ctl *ctl, const char *name, const char *why)
{
	(void)fprintf(ctl->err, "hotdeskctl: %s: %s\n", name, why);
	return CTL_REFUSED;
}

/* Fills b, which may then hold PINs. */
static enum ctl_exit file_read(struct ctl *ctl, FILE *in, const char *name, struct hd_buf *b)
{
	char chunk[CHUNK];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0 && b->len <= FILE_MAX)
		hd_buf_add(b, (struct hd_slice){ chunk, n });
	hd_wipe(chunk, sizeof(chunk));
	if (ferror(in))
		return file_error(ctl, name, "cannot be read");
	if (b->len > FILE_MAX)
		return file_error(ctl, name, "larger than 32 MiB");
	if (hd_buf_error(b))
		return file_error(ctl, name, "out of memory");
	return CTL_OK;
}

static void import_print(struct ctl *ctl, const json_t *json)
{
	static const char *const keys[] = { "added", "changed", "unchanged", "sessions_ended" };
	static const char *const words[] = { "added", "changed", "unchanged",
					     "desk sessions ended" };
	const char *gap = ctl_value(ctl, "dry-run") ? "would import: " : "imported: ";

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)fprintf(ctl->out, "%s%" JSON_INTEGER_FORMAT " %s", gap,
			      json_integer_value(json_object_get(json, keys[i])), words[i]);
		gap = ", ";
	}
	if (json_integer_value(json_object_get(json, "keys_changed")))
		(void)fprintf(ctl->out, ", keys of %" JSON_INTEGER_FORMAT " changed",
			      json_integer_value(json_object_get(json, "keys_changed")));
	(void)fputs("\n", ctl->out);
}

static void quoted_format(struct hd_buf *b, const json_t *value)
{
	const char *quote = json_is_string(value) ? "\"" : "";

	hd_buf_adds(b, quote);
	if (!json_is_string(value) || json_string_length(value))
		ctl_value_format(b, value);
	hd_buf_adds(b, quote);
}

/* "name: Anna -> Anna B"; of a PIN only that it is another one. */
static void change_print(struct ctl *ctl, const char *gap, const json_t *change)
{
	const json_t *from = json_object_get(change, "from");
	struct hd_buf b = { 0 };

	hd_buf_addf(&b, "%s%s", gap, json_string_value(json_object_get(change, "field")));
	if (from) {
		hd_buf_adds(&b, " ");
		quoted_format(&b, from);
		hd_buf_adds(&b, " -> ");
		quoted_format(&b, json_object_get(change, "to"));
	}
	(void)fputs(hd_buf_text(&b), ctl->out);
	hd_buf_fini(&b);
}

static void rows_print(struct ctl *ctl, const json_t *rows)
{
	size_t i, k;
	json_t *row, *change;

	json_array_foreach(rows, i, row)
	{
		const char *result = json_string_value(json_object_get(row, "result"));

		(void)fprintf(ctl->out, "line %" JSON_INTEGER_FORMAT ": %s %s: %s",
			      json_integer_value(json_object_get(row, "line")),
			      json_string_value(json_object_get(row, "kind")),
			      json_string_value(json_object_get(row, "name")), result);
		json_array_foreach(json_object_get(row, "changes"), k,
				   change) if (strcmp(result, "changed") == 0)
			change_print(ctl, k ? ", " : ": ", change);
		(void)fputs("\n", ctl->out);
	}
}

static char *import_target(struct ctl *ctl, const char *name)
{
	struct hd_buf tail = { 0 };
	char *target;

	if (ctl_value(ctl, "csv"))
		hd_buf_adds(&tail, "&format=csv");
	if (ctl_value(ctl, "ignore-unknown"))
		hd_buf_adds(&tail, "&unknown_columns=ignore");
	if (ctl_value(ctl, "dry-run"))
		hd_buf_adds(&tail, "&dry_run=yes");
	target = hd_buf_error(&tail) ? NULL
				     : ctl_target("/v1/import?name=", name, hd_buf_text(&tail));
	hd_buf_fini(&tail);
	return target;
}

static enum ctl_exit import_send(struct ctl *ctl, const char *name, const struct hd_buf *b)
{
	char *target = import_target(ctl, name);
	struct ctl_answer a;
	enum ctl_exit code;

	if (!target)
		return file_error(ctl, name, "out of memory");
	code = ctl_ask(ctl, "POST", target, hd_buf_text(b), b->len, &a);
	if (!code)
		code = ctl_judge(ctl, &a);
	if (!code && ctl->json)
		ctl_write_json(ctl->out, a.json);
	else if (!code) {
		rows_print(ctl, json_object_get(a.json, "rows"));
		import_print(ctl, a.json);
	}
	ctl_answer_fini(&a);
	free(target);
	return code;
}

enum ctl_exit ctl_import(struct ctl *ctl)
{
	const char *name = ctl->args[0];
	bool from_stdin = strcmp(name, "-") == 0;
	FILE *in = from_stdin ? ctl->in : fopen(name, "re");
	struct hd_buf b = { 0 };
	enum ctl_exit code;

	if (!in)
		return file_error(ctl, name, strerror(errno));
	code = file_read(ctl, in, name, &b);
	if (!from_stdin)
		(void)fclose(in);
	if (!code)
		code = import_send(ctl, from_stdin ? "stdin" : name, &b);
	if (b.data)
		hd_wipe(b.data, b.len);
	hd_buf_fini(&b);
	return code;
}

/* Beside the name first, so that a full disk does not cost the file that was there. */
static enum ctl_exit file_write(struct ctl *ctl, const char *name, const struct hd_buf *b)
{
	struct hd_buf beside = { 0 };
	enum ctl_exit code = CTL_OK;
	FILE *out;
	bool ok;

	hd_buf_addf(&beside, "%s.new", name);
	if (hd_buf_error(&beside))
		return file_error(ctl, name, "out of memory");
	out = fopen(hd_buf_text(&beside), "we");
	ok = out && fwrite(b->data, 1, b->len, out) == b->len && !fflush(out);
	if (out && fclose(out))
		ok = false;
	ok = ok && !rename(hd_buf_text(&beside), name);
	if (!ok) {
		code = file_error(ctl, name, strerror(errno));
		(void)remove(hd_buf_text(&beside));
	}
	hd_buf_fini(&beside);
	return code;
}

enum ctl_exit ctl_export(struct ctl *ctl)
{
	struct ctl_answer a;
	enum ctl_exit code = ctl_call(ctl, "GET", "/v1/export", NULL, &a);

	if (!code && ctl->n_args)
		code = file_write(ctl, ctl->args[0], &a.body);
	else if (!code)
		(void)fwrite(a.body.data, 1, a.body.len, ctl->out);
	ctl_answer_fini(&a);
	return code;
}
