/* json_read.c - reads one flat JSON object by a table of its fields. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "hotdesk/base/secret.h"

#include "http_priv.h"

/* A body may hold a PIN: what jansson lets go of is wiped, whatever it was. */
static void wiping_free(void *p)
{
	if (p)
		hd_wipe(p, malloc_usable_size(p));
	free(p);
}

static const struct hd_json_field *field_find(const struct hd_json_field *fields, size_t n,
					      const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static int text_take(const struct hd_json_field *f, const json_t *value, struct hd_buf *why)
{
	struct hd_slice s = { json_string_value(value), json_string_length(value) };

	if (json_is_null(value) && f->nullable)
		s = (struct hd_slice){ "", 0 };
	if (!s.ptr) {
		hd_buf_addf(why, "%s: expected a string%s", f->name, f->nullable ? " or null" : "");
		return HD_EPARSE;
	}
	if (!hd_utf8_is_text(s)) {
		hd_buf_addf(why, "%s: control characters are not allowed", f->name);
		return HD_EPARSE;
	}
	if (s.len >= f->size) {
		hd_buf_addf(why, "%s: longer than %zu bytes", f->name, f->size - 1);
		return HD_ELIMIT;
	}
	return hd_str_copy(f->dst, f->size, s);
}

static int field_take(const struct hd_json_field *f, const json_t *value, struct hd_buf *why)
{
	int err = 0;

	if (f->type == HD_JSON_TEXT) {
		err = text_take(f, value, why);
	} else if (json_is_boolean(value)) {
		*(bool *)f->dst = json_is_true(value);
	} else {
		hd_buf_addf(why, "%s: expected true or false", f->name);
		err = HD_EPARSE;
	}
	if (!err && f->givenp)
		*f->givenp = true;
	return err;
}

static int object_take(json_t *root, const struct hd_json_field *fields, size_t n,
		       struct hd_buf *why)
{
	const struct hd_json_field *f;
	const char *name;
	json_t *value;
	int err;

	json_object_foreach(root, name, value)
	{
		f = field_find(fields, n, name);
		if (!f) {
			hd_buf_addf(why, "%.64s: no such field", name);
			return HD_EPARSE;
		}
		err = field_take(f, value, why);
		if (err)
			return err;
	}
	for (size_t i = 0; i < n; i++) {
		if (fields[i].required && !json_object_get(root, fields[i].name)) {
			hd_buf_addf(why, "%s: missing", fields[i].name);
			return HD_EPARSE;
		}
	}
	return 0;
}

int hd_json_read(struct hd_slice text, const struct hd_json_field *fields, size_t n,
		 struct hd_buf *why)
{
	json_error_t e;
	json_t *root;
	int err = HD_EPARSE;

	for (size_t i = 0; i < n; i++)
		if (fields[i].givenp)
			*fields[i].givenp = false;
	json_set_alloc_funcs(malloc, wiping_free);
	root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &e);
	/* jansson's own text quotes what it read, which may be a PIN. */
	if (!root)
		hd_buf_addf(why, "line %d, column %d: not JSON", e.line, e.column);
	else if (!json_is_object(root))
		hd_buf_adds(why, "expected a JSON object");
	else
		err = object_take(root, fields, n, why);
	json_decref(root);
	return err;
}
