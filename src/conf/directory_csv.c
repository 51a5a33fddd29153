/*
 * directory_csv.c - users and phones from a CSV text.
 *
 * It becomes the tree that a YAML file would have given, so that everything is checked by the one
 * table of directory_file.c, whose fields are the columns.
 */
#include "conf_priv.h"

#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"

#include "csv.h"

enum { ROOT, USERS, PHONES, NODES_BEGIN, NODES_FIRST = 1024 };

struct column {
	const char *field; /* NULL: ignored */
	unsigned list;	   /* USERS or PHONES */
	bool flag;
};

struct reader {
	struct hd_csv csv;
	struct hd_tree tree;
	uint32_t last[NODES_BEGIN]; /* child of each list, 0: none yet */
	struct column columns[HD_CSV_CELLS_MAX];
	struct hd_csv_cell cells[HD_CSV_CELLS_MAX];
	size_t n_columns, n;
	bool loose; /* columns that nobody knows are ignored */
	struct hd_directory_file *file;
	struct hd_report *report;
};

/* ---- the tree -------------------------------------------------------------------------------- */

/* @return the index, 0 without memory or over the limit */
static uint32_t append(struct reader *r, const struct hd_node *model, uint32_t parent,
		       uint32_t *lastp)
{
	struct hd_tree *tree = &r->tree;
	uint32_t room = tree->room ? tree->room * 2 : NODES_FIRST, index = tree->n;
	struct hd_node *nodes = tree->nodes;

	if (index >= HD_DIRECTORY_NODES_MAX) {
		hd_report_add(r->report, model->line, "too many values, expected at most %d",
			      HD_DIRECTORY_NODES_MAX);
		return 0;
	}
	if (index == tree->room) {
		nodes = realloc(nodes, room * sizeof(*nodes));
		if (!nodes) {
			r->report->err = HD_ENOMEM;
			return 0;
		}
		tree->nodes = nodes;
		tree->room = room;
	}
	nodes[index] = *model;
	if (*lastp)
		nodes[*lastp].next = index;
	else if (index != parent)
		nodes[parent].child = index;
	*lastp = index;
	tree->n++;
	return index;
}

static int tree_begin(struct reader *r, size_t size)
{
	const struct hd_node root = { .kind = HD_NODE_MAPPING, .line = 1 };
	const struct hd_node users = { .kind = HD_NODE_SEQUENCE,
				       .line = 1,
				       .key = hd_slice_of("users") };
	const struct hd_node phones = { .kind = HD_NODE_SEQUENCE,
					.line = 1,
					.key = hd_slice_of("phones") };
	uint32_t none = 0, last = 0;

	r->tree.text = malloc(size + 1);
	r->tree.len = r->tree.size = size;
	if (!r->tree.text)
		return HD_ENOMEM;
	(void)append(r, &root, ROOT, &none);
	if (r->tree.n == 0 || append(r, &users, ROOT, &last) != USERS ||
	    append(r, &phones, ROOT, &last) != PHONES)
		return HD_ENOMEM;
	return 0;
}

/* ---- columns --------------------------------------------------------------------------------- */

/* "Phone MAC" and "phone-mac" are phone_mac. */
static struct hd_slice name_of(struct hd_slice cell)
{
	char *p = (char *)cell.ptr;

	for (size_t i = 0; i < cell.len; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
		else if (p[i] == ' ' || p[i] == '-')
			p[i] = '_';
	}
	return cell;
}

static bool column_find(struct column *column, struct hd_slice name)
{
	static const char prefix[] = "phone_";
	const size_t len = sizeof(prefix) - 1;

	column->list = USERS;
	if (hd_slice_is(name, "extension"))
		name = hd_slice_of("number");
	if (hd_directory_field(false, name, &column->field, &column->flag))
		return true;
	column->list = PHONES;
	if (hd_slice_is(name, "phone"))
		name = hd_slice_of("id");
	else if (name.len > len && memcmp(name.ptr, prefix, len) == 0)
		name = (struct hd_slice){ name.ptr + len, name.len - len };
	else if (hd_slice_is(name, "id"))
		return false; /* of whom? */
	return hd_directory_field(true, name, &column->field, &column->flag);
}

static void column_unknown(struct reader *r, const struct hd_csv_cell *cell)
{
	struct hd_buf names = { 0 };
	char quoted[HD_QUOTE_SIZE];

	hd_directory_columns(&names);
	hd_report_add(r->report, cell->line, "unknown column %s, expected %s",
		      hd_quote(quoted, cell->value), hd_buf_text(&names));
	hd_buf_fini(&names);
}

static bool is_twice(const struct reader *r, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (r->columns[i].field && r->columns[i].list == r->columns[at].list &&
		    strcmp(r->columns[i].field, r->columns[at].field) == 0)
			return true;
	return false;
}

static void columns_check(struct reader *r)
{
	char quoted[HD_QUOTE_SIZE];

	for (size_t i = 0; i < r->n; i++) {
		const struct hd_csv_cell *cell = &r->cells[i];

		if (!r->columns[i].field) {
			if (!r->loose)
				column_unknown(r, cell);
			continue;
		}
		if (is_twice(r, i))
			hd_report_add(r->report, cell->line,
				      "the column %s is there twice, expected once",
				      hd_quote(quoted, cell->value));
		hd_directory_file_given(r->file, r->columns[i].list == PHONES, r->columns[i].field);
	}
}

/* Without any name that is known the line may be data, with a PIN in it: nothing is repeated. */
static void columns_read(struct reader *r)
{
	bool known[NODES_BEGIN] = { false };
	struct hd_buf names = { 0 };

	r->n_columns = r->n;
	for (size_t i = 0; i < r->n; i++) {
		struct column *column = &r->columns[i];

		if (!column_find(column, name_of(r->cells[i].value)))
			column->field = NULL;
		else if (strcmp(column->field, column->list == USERS ? "number" : "id") == 0)
			known[column->list] = true;
	}
	if (known[USERS] || known[PHONES]) {
		columns_check(r);
		return;
	}
	hd_directory_columns(&names);
	hd_report_add(r->report, r->cells[0].line,
		      "a first line that does not name a column number or phone, expected names "
		      "from %s",
		      hd_buf_text(&names));
	hd_buf_fini(&names);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Spreadsheets write TRUE and 1. */
static struct hd_slice truth_of(struct hd_slice cell)
{
	if (hd_slice_is(cell, "1") || hd_slice_caseis(cell, "true") ||
	    hd_slice_caseis(cell, "yes") || hd_slice_caseis(cell, "on"))
		return hd_slice_of("true");
	if (hd_slice_is(cell, "0") || hd_slice_caseis(cell, "false") ||
	    hd_slice_caseis(cell, "no") || hd_slice_caseis(cell, "off"))
		return hd_slice_of("false");
	return cell;
}

static void cell_add(struct reader *r, size_t i, uint32_t *entries, uint32_t *lasts)
{
	const struct column *column = &r->columns[i];
	const struct hd_csv_cell *cell = &r->cells[i];
	const struct hd_node entry = { .kind = HD_NODE_MAPPING, .line = r->cells[0].line };
	const struct hd_node value = {
		.kind = HD_NODE_SCALAR,
		.plain = column->flag,
		.line = cell->line,
		.key = column->field ? hd_slice_of(column->field) : (struct hd_slice){ 0 },
		.value = column->flag ? truth_of(cell->value) : cell->value,
	};
	uint32_t *entryp = &entries[column->list];

	if (!column->field || !cell->value.len)
		return;
	if (!hd_utf8_is_text(cell->value)) {
		hd_report_add(r->report, cell->line,
			      "column %zu: not text, expected a file saved as \"CSV UTF-8\"",
			      i + 1);
		return;
	}
	if (!*entryp)
		*entryp = append(r, &entry, column->list, &r->last[column->list]);
	if (*entryp)
		(void)append(r, &value, *entryp, &lasts[column->list]);
}

static void row_read(struct reader *r)
{
	uint32_t entries[NODES_BEGIN] = { 0 }, lasts[NODES_BEGIN] = { 0 };

	if (r->n != r->n_columns) {
		hd_report_add(r->report, r->cells[0].line, "%zu cells, expected %zu as in line 1",
			      r->n, r->n_columns);
		return;
	}
	for (size_t i = 0; i < r->n && !r->report->err; i++)
		cell_add(r, i, entries, lasts);
}

static int rows_read(struct reader *r)
{
	const char *why = "";
	bool head = true;
	int err;

	while (!(err = hd_csv_next(&r->csv, r->cells, &r->n, &why))) {
		if (head)
			columns_read(r);
		else
			row_read(r);
		if (r->report->err || (head && r->report->count))
			return hd_report_end(r->report);
		head = false;
	}
	if (err != HD_ENOENT)
		hd_report_add(r->report, r->csv.line, "%s", why);
	else if (head)
		hd_report_add(r->report, 1, "empty, expected a line with the names of columns");
	return hd_report_end(r->report);
}

static int csv_load(struct reader *r, struct hd_slice text)
{
	int err = tree_begin(r, text.len);

	if (err)
		return err;
	hd_csv_init(&r->csv, text, r->tree.text);
	r->file->partial = true;
	err = rows_read(r);
	return err ? err : hd_directory_tree_load(r->file, &r->tree, r->report);
}

int hd_directory_csv_parse(struct hd_directory_file **fp, struct hd_slice text, const char *name,
			   bool loose, struct hd_buf *errors)
{
	struct hd_report report = { .out = errors, .name = name };
	struct reader *r;
	int err = HD_EINVAL;

	r = calloc(1, sizeof(*r));
	if (!r)
		return HD_ENOMEM;
	r->report = &report;
	r->loose = loose;
	if (fp)
		err = hd_directory_file_new(&r->file, text, &report);
	if (!err)
		err = csv_load(r, text);
	if (err)
		hd_directory_file_free(r->file);
	else
		*fp = r->file;
	hd_tree_fini(&r->tree);
	free(r);
	return err;
}
