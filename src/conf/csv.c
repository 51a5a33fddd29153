/* csv.c - records of a CSV text; see csv.h. */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

static bool is_end(char c)
{
	return c == '\r' || c == '\n';
}

static void skip(struct hd_csv *csv, size_t n)
{
	csv->text.ptr += n;
	csv->text.len -= n;
}

static char separator_find(struct hd_slice text)
{
	static const char separators[] = ",;\t";
	size_t counts[3] = { 0 }, best = 0;
	bool quoted = false;
	const char *found;

	for (size_t i = 0; i < text.len && (quoted || !is_end(text.ptr[i])); i++) {
		if (text.ptr[i] == '"')
			quoted = !quoted;
		found = quoted || !text.ptr[i] ? NULL : strchr(separators, text.ptr[i]);
		if (found)
			counts[found - separators]++;
	}
	for (size_t i = 1; i < 3; i++)
		if (counts[i] > counts[best])
			best = i;
	return separators[best];
}

void hd_csv_init(struct hd_csv *csv, struct hd_slice text, char *out)
{
	*csv = (struct hd_csv){ .text = text, .line = 1, .out = out };
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		skip(csv, 3);
	csv->separator = separator_find(csv->text);
}

/* One end of line: CR LF, LF, or the CR of old spreadsheets. */
static void end_skip(struct hd_csv *csv)
{
	size_t n =
		csv->text.len > 1 && csv->text.ptr[0] == '\r' && csv->text.ptr[1] == '\n' ? 2 : 1;

	skip(csv, n);
	csv->line++;
}

static void blanks_skip(struct hd_csv *csv)
{
	while (csv->text.len && csv->text.ptr[0] == ' ')
		skip(csv, 1);
}

static int quoted_read(struct hd_csv *csv, struct hd_slice *value, const char **whyp)
{
	unsigned line = csv->line;
	char c;

	skip(csv, 1);
	value->ptr = csv->out;
	for (; csv->text.len; skip(csv, 1)) {
		c = csv->text.ptr[0];
		if (c == '"' && csv->text.len > 1 && csv->text.ptr[1] == '"')
			skip(csv, 1);
		else if (c == '"')
			break;
		csv->line += c == '\n';
		*csv->out++ = c;
	}
	value->len = (size_t)(csv->out - value->ptr);
	if (!csv->text.len) {
		csv->line = line;
		*whyp = "a quoted cell without end, expected another \"";
		return HD_EPARSE;
	}
	skip(csv, 1);
	blanks_skip(csv);
	if (csv->text.len && csv->text.ptr[0] != csv->separator && !is_end(csv->text.ptr[0])) {
		*whyp = "text after a quoted cell, expected \"\" for a quote within it";
		return HD_EPARSE;
	}
	return 0;
}

static int plain_read(struct hd_csv *csv, struct hd_slice *value, const char **whyp)
{
	size_t n = 0;

	while (n < csv->text.len && csv->text.ptr[n] != csv->separator && !is_end(csv->text.ptr[n]))
		n++;
	*value = hd_slice_trim((struct hd_slice){ csv->text.ptr, n });
	if (n && memchr(csv->text.ptr, '"', n)) {
		*whyp = "a quote within a cell without quotes, expected quotes around it";
		return HD_EPARSE;
	}
	if (value->len)
		memcpy(csv->out, value->ptr, value->len);
	value->ptr = csv->out;
	csv->out += value->len;
	skip(csv, n);
	return 0;
}

int hd_csv_next(struct hd_csv *csv, struct hd_csv_cell cells[HD_CSV_CELLS_MAX], size_t *np,
		const char **whyp)
{
	bool more = true;
	int err = 0;

	*np = 0;
	while (csv->text.len && is_end(csv->text.ptr[0]))
		end_skip(csv);
	if (!csv->text.len)
		return HD_ENOENT;
	while (more && *np < HD_CSV_CELLS_MAX) {
		struct hd_csv_cell *cell = &cells[(*np)++];

		blanks_skip(csv);
		cell->line = csv->line;
		if (csv->text.len && csv->text.ptr[0] == '"')
			err = quoted_read(csv, &cell->value, whyp);
		else
			err = plain_read(csv, &cell->value, whyp);
		if (err)
			return err;
		more = csv->text.len && csv->text.ptr[0] == csv->separator;
		if (more)
			skip(csv, 1);
	}
	if (more) {
		*whyp = "too many columns, expected at most 256";
		return HD_ELIMIT;
	}
	if (csv->text.len)
		end_skip(csv);
	return 0;
}
