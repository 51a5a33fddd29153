/* writer.c - JSON as it is, or as a table or a record for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

enum { COLUMNS_MAX = 12, GAP = 2 };

/* Text may come from a phone: nothing in it may steer the terminal. */
static void text_add(struct hd_buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	for (; *p; p++) {
		/* C1 controls are C2 80 to C2 9F. */
		if (*p < 0x20 || *p == 0x7f) {
			hd_buf_adds(b, "?");
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			hd_buf_adds(b, "?");
			p++;
		} else {
			hd_buf_add(b, (struct hd_slice){ (const char *)p, 1 });
		}
	}
}

static void list_add(struct hd_buf *b, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (!json_array_size(list))
		hd_buf_adds(b, "-");
	json_array_foreach(list, i, item)
	{
		if (i)
			hd_buf_adds(b, ", ");
		if (json_is_string(item))
			text_add(b, json_string_value(item));
		else if (json_is_object(item))
			hd_buf_addf(b, "%zu", i + 1);
		else
			ctl_value_format(b, json_is_array(item) ? NULL : item);
	}
}

void ctl_value_format(struct hd_buf *b, const json_t *value)
{
	if (!value || json_is_null(value))
		hd_buf_adds(b, "-");
	else if (json_is_boolean(value))
		hd_buf_adds(b, json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		hd_buf_addf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		hd_buf_addf(b, "%g", json_real_value(value));
	else if (json_is_string(value))
		text_add(b, json_string_value(value));
	else if (json_is_array(value))
		list_add(b, value);
	else
		hd_buf_adds(b, "...");
}

/* Code points: what a terminal needs for the scripts of people's names, but for wide ones. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static char *cell(const json_t *row, const char *key)
{
	struct hd_buf b = { 0 };

	ctl_value_format(&b, json_object_get(row, key));
	return hd_buf_take(&b);
}

static void cell_print(FILE *out, const char *text, size_t width, bool last)
{
	size_t have = width_of(text);

	(void)fputs(text, out);
	if (!last)
		(void)fprintf(out, "%*s", (int)(width > have ? width - have + GAP : GAP), "");
	else
		(void)fputs("\n", out);
}

void ctl_write_table(FILE *out, const json_t *rows, const struct ctl_column *columns, size_t n)
{
	size_t widths[COLUMNS_MAX] = { 0 };
	const json_t *row;
	size_t i;
	char *text;

	if (n > COLUMNS_MAX)
		n = COLUMNS_MAX;
	for (size_t c = 0; c < n; c++) {
		widths[c] = width_of(columns[c].title);
		json_array_foreach(rows, i, row)
		{
			text = cell(row, columns[c].key);
			if (text && width_of(text) > widths[c])
				widths[c] = width_of(text);
			free(text);
		}
	}
	for (size_t c = 0; c < n; c++)
		cell_print(out, columns[c].title, widths[c], c + 1 == n);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			text = cell(row, columns[c].key);
			cell_print(out, text ? text : "?", widths[c], c + 1 == n);
			free(text);
		}
	}
}

static void record_line(FILE *out, const char *prefix, const char *key, const json_t *value)
{
	struct hd_buf b = { 0 };

	ctl_value_format(&b, value);
	(void)fprintf(out, "%s%s: %s\n", prefix, key, hd_buf_text(&b));
	hd_buf_fini(&b);
}

/* One level of an object; what is nested in it is left to the caller. */
static void level_print(FILE *out, const char *prefix, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) if (!json_is_object(value))
		record_line(out, prefix, key, value);
}

static void nested_print(FILE *out, const char *key, json_t *object)
{
	struct hd_buf prefix = { 0 };

	hd_buf_addf(&prefix, "%s.", key);
	level_print(out, hd_buf_text(&prefix), object);
	hd_buf_fini(&prefix);
}

void ctl_write_record(FILE *out, const json_t *object)
{
	struct hd_buf name = { 0 };
	const char *key;
	json_t *value, *item;
	size_t i;

	/*
	 * The daemon's answers are at most two levels deep, with lists of records such as bindings.
	 */
	json_object_foreach((json_t *)object, key, value)
	{
		if (json_is_object(value)) {
			nested_print(out, key, value);
			continue;
		}
		if (!json_is_object(json_array_get(value, 0))) {
			record_line(out, "", key, value);
			continue;
		}
		json_array_foreach(value, i, item)
		{
			hd_buf_addf(&name, "%s.%zu", key, i + 1);
			nested_print(out, hd_buf_text(&name), item);
			hd_buf_fini(&name);
		}
	}
}

void ctl_write_json(FILE *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

	(void)fprintf(out, "%s\n", text ? text : "null");
	free(text);
}
