/* report.c - the errors of a file, one line each, and the keys that a mapping may have. */
#include "conf_priv.h"

#include <string.h>

enum { NAME_MAX_LEN = 32, SUGGEST_DISTANCE = 2 };

void hd_report_add(struct hd_report *report, unsigned line, const char *fmt, ...)
{
	va_list ap;

	if (++report->count > HD_REPORT_MAX)
		return;
	hd_buf_addf(report->out, "%s:%u: ", report->name, line);
	va_start(ap, fmt);
	hd_buf_vaddf(report->out, fmt, ap);
	va_end(ap);
	hd_buf_adds(report->out, "\n");
}

int hd_report_end(struct hd_report *report)
{
	if (report->count > HD_REPORT_MAX)
		hd_buf_addf(report->out, "%s: %u more errors\n", report->name,
			    report->count - HD_REPORT_MAX);
	if (report->err)
		return report->err;
	return report->count ? HD_EPARSE : 0;
}

const char *hd_quote(char dst[HD_QUOTE_SIZE], struct hd_slice text)
{
	size_t n = 0;

	dst[n++] = '"';
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (n >= HD_QUOTE_SIZE - 5) {
			memcpy(dst + n, "...", 3);
			n += 3;
			break;
		}
		dst[n++] = c >= 0x20 && c < 0x7f && c != '"' ? (char)c : '?';
	}
	dst[n++] = '"';
	dst[n] = '\0';
	return dst;
}

/* Optimal string alignment distance; over the limit for long words, which are no typing errors. */
static unsigned distance(struct hd_slice a, const char *b)
{
	unsigned rows[3][NAME_MAX_LEN + 1];
	size_t blen = strlen(b);

	if (a.len > NAME_MAX_LEN || blen > NAME_MAX_LEN)
		return SUGGEST_DISTANCE + 1;
	for (size_t j = 0; j <= blen; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= blen; j++) {
			unsigned d = up[j - 1] + (a.ptr[i - 1] != b[j - 1]);

			if (up[j] + 1 < d)
				d = up[j] + 1;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			if (i > 1 && j > 1 && a.ptr[i - 1] == b[j - 2] &&
			    a.ptr[i - 2] == b[j - 1] && up2[j - 2] + 1 < d)
				d = up2[j - 2] + 1;
			row[j] = d;
		}
	}
	return rows[a.len % 3][blen];
}

static const char *suggest(const struct hd_map *map, struct hd_slice key)
{
	const char *best = NULL;
	unsigned least = SUGGEST_DISTANCE + 1;

	for (size_t i = 0; i < map->n; i++) {
		unsigned d = distance(key, map->names[i]);

		/* Two wrong letters of three are another word. */
		if (d < least && (size_t)d * 2 < key.len) {
			least = d;
			best = map->names[i];
		}
	}
	return best;
}

static bool is_name(struct hd_slice key)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
		      c == '.' || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return key.len > 0;
}

static void add_names(const struct hd_map *map, struct hd_buf *out)
{
	for (size_t i = 0; i < map->n; i++)
		hd_buf_addf(out, "%s%s",
			    i == 0	     ? ""
			    : i + 1 < map->n ? ", "
					     : " or ",
			    map->names[i]);
}

static void report_unknown(const struct hd_map *map, const struct hd_node *child,
			   struct hd_report *report)
{
	const char *better = suggest(map, child->key);
	const char *section = !better && map->elsewhere ? map->elsewhere(child->key) : NULL;
	const char *colon = map->where[0] ? ": " : "";
	struct hd_buf names = { 0 };
	char quoted[HD_QUOTE_SIZE];

	/* What is no name may be a PIN on the wrong side of the colon: not to be repeated. */
	if (is_name(child->key))
		hd_quote(quoted, child->key);
	else
		memcpy(quoted, "(no name)", sizeof("(no name)"));
	if (better) {
		hd_report_add(report, child->line, "%s%sunknown key %s, did you mean \"%s\"?",
			      map->where, colon, quoted, better);
	} else if (section) {
		hd_report_add(report, child->line, "%s%sunknown key %s, expected it under \"%s:\"",
			      map->where, colon, quoted, section);
	} else {
		add_names(map, &names);
		hd_report_add(report, child->line, "%s%sunknown key %s, expected %s", map->where,
			      colon, quoted, hd_buf_text(&names));
		hd_buf_fini(&names);
	}
}

void hd_map_match(const struct hd_map *map, const struct hd_tree *tree, uint32_t index,
		  uint32_t *found, struct hd_report *report)
{
	const struct hd_node *node = &tree->nodes[index];

	memset(found, 0, map->n * sizeof(*found));
	if (hd_node_is_null(node))
		return;
	if (node->kind != HD_NODE_MAPPING) {
		hd_report_add(report, node->line, "%s is %s, expected \"key: value\" lines",
			      map->where[0] ? map->where : "the file", hd_node_kind_name(node));
		return;
	}
	for (uint32_t c = node->child; c; c = tree->nodes[c].next) {
		const struct hd_node *child = &tree->nodes[c];
		size_t i = 0;

		while (i < map->n && !hd_slice_is(child->key, map->names[i]))
			i++;
		if (i == map->n)
			report_unknown(map, child, report);
		else if (found[i])
			hd_report_add(report, child->line,
				      "%s%s%s is there twice, first in line %u, expected once",
				      map->where, map->where[0] ? "." : "", map->names[i],
				      tree->nodes[found[i]].line);
		else
			found[i] = c;
	}
}
