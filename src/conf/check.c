/* check.c - everything that can be wrong with one key of hotdeskd.yaml. */
#include "conf_priv.h"

#include <string.h>

/* The checking of one key. */
struct ctx {
	const struct hd_tree *tree;
	const struct hd_key_info *key;
	struct hd_report *report;
	bool bad;
};

#define SAY(ctx, node, fmt, ...)                                                                   \
	do {                                                                                       \
		(ctx)->bad = true;                                                                 \
		hd_report_add((ctx)->report, (node)->line, "%s.%s: " fmt, (ctx)->key->section,     \
			      (ctx)->key->name, __VA_ARGS__);                                      \
	} while (0)

/* What stands there instead of a value, for messages. */
static const char *instead(char dst[HD_QUOTE_SIZE], const struct hd_node *node)
{
	if (node->kind == HD_NODE_SCALAR && !hd_node_is_null(node))
		return hd_quote(dst, node->value);
	return hd_node_kind_name(node);
}

/* Quotes make a text of what would be a number or a truth value. */
static const char *in_quotes(const struct hd_node *node)
{
	return node->kind == HD_NODE_SCALAR && !node->plain ? " in quotes" : "";
}

static void say_choices(struct ctx *ctx, const struct hd_node *node, const char *where,
			const struct hd_choice *choices, size_t n)
{
	struct hd_buf names = { 0 };
	char quoted[HD_QUOTE_SIZE];

	for (size_t i = 0; i < n; i++)
		hd_buf_addf(&names, "%s%s",
			    i == 0	? ""
			    : i + 1 < n ? ", "
					: " or ",
			    choices[i].name);
	SAY(ctx, node, "%s%s, expected %s", where, instead(quoted, node), hd_buf_text(&names));
	hd_buf_fini(&names);
}

static bool is_choice(struct hd_slice s, const struct hd_choice *choices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (hd_slice_is(s, choices[i].name))
			return true;
	}
	return false;
}

/* A leading 0 would be octal for some readers and decimal for others. */
static bool is_number(const struct hd_node *node, uint64_t *vp)
{
	return node->kind == HD_NODE_SCALAR && node->plain &&
	       (node->value.len == 1 || (node->value.len > 1 && node->value.ptr[0] != '0')) &&
	       hd_u64_parse(vp, node->value, UINT64_MAX) != HD_EPARSE;
}

static void check_number(struct ctx *ctx, const struct hd_node *node)
{
	const struct hd_key_info *key = ctx->key;
	uint64_t v = UINT64_MAX; /* stays for what is too long */
	char quoted[HD_QUOTE_SIZE];

	if (!is_number(node, &v))
		SAY(ctx, node, "%s%s, expected a whole number from %u to %u", instead(quoted, node),
		    in_quotes(node), key->min, key->max);
	else if (v < key->min || v > key->max)
		SAY(ctx, node, "%.*s is out of range, expected %u to %u",
		    node->value.len < 20 ? (int)node->value.len : 20, node->value.ptr, key->min,
		    key->max);
}

static void check_bool(struct ctx *ctx, const struct hd_node *node)
{
	char quoted[HD_QUOTE_SIZE];
	bool v;

	if (node->kind != HD_NODE_SCALAR || !node->plain || hd_bool_parse(&v, node->value))
		SAY(ctx, node, "%s%s, expected true or false", instead(quoted, node),
		    in_quotes(node));
}

static void check_text(struct ctx *ctx, const struct hd_node *node)
{
	char quoted[HD_QUOTE_SIZE];

	if (ctx->key->nullable && hd_node_is_null(node))
		return;
	if (node->kind != HD_NODE_SCALAR || hd_node_is_null(node) || !ctx->key->form(node->value))
		SAY(ctx, node, "%s, expected %s%s", instead(quoted, node), ctx->key->expected,
		    ctx->key->nullable ? ", or null" : "");
}

static void check_choice(struct ctx *ctx, const struct hd_node *node)
{
	if (node->kind != HD_NODE_SCALAR ||
	    !is_choice(node->value, ctx->key->choices, ctx->key->n_choices))
		say_choices(ctx, node, "", ctx->key->choices, ctx->key->n_choices);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool is_list(struct ctx *ctx, const struct hd_node *node, const char *of)
{
	char quoted[HD_QUOTE_SIZE];

	if (node->kind == HD_NODE_SEQUENCE)
		return true;
	SAY(ctx, node, "%s, expected a list of %s", instead(quoted, node), of);
	return false;
}

/* Also keeps the search for duplicates short: a list that is too long is not looked into. */
static bool check_count(struct ctx *ctx, const struct hd_node *list, uint32_t min, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t c = list->child; c; c = ctx->tree->nodes[c].next)
		n++;
	if (n >= min && n <= max)
		return true;
	SAY(ctx, list, "%u entries, expected %u to %u", n, min, max);
	return false;
}

/* The value by which entries are told apart; NULL when the entry is broken. */
static const struct hd_node *entry_name(const struct ctx *ctx, uint32_t index)
{
	const struct hd_tree *tree = ctx->tree;
	const struct hd_node *node = &tree->nodes[index];

	if (ctx->key->type != HD_KEY_LEVELS)
		return node->kind == HD_NODE_SCALAR ? node : NULL;
	if (node->kind != HD_NODE_MAPPING)
		return NULL;
	for (uint32_t c = node->child; c; c = tree->nodes[c].next) {
		if (hd_slice_is(tree->nodes[c].key, "subsystem") &&
		    tree->nodes[c].kind == HD_NODE_SCALAR)
			return &tree->nodes[c];
	}
	return NULL;
}

static void check_duplicates(struct ctx *ctx, const struct hd_node *list)
{
	const struct hd_tree *tree = ctx->tree;
	char quoted[HD_QUOTE_SIZE];

	for (uint32_t c = list->child; c; c = tree->nodes[c].next) {
		const struct hd_node *node = entry_name(ctx, c), *first = NULL;

		for (uint32_t d = list->child; node && d != c && !first; d = tree->nodes[d].next) {
			first = entry_name(ctx, d);
			if (first && !hd_slice_caseeq(first->value, node->value))
				first = NULL;
		}
		if (first)
			SAY(ctx, node, "%s is there twice, first in line %u, expected once",
			    hd_quote(quoted, node->value), first->line);
	}
}

static void check_list(struct ctx *ctx, const struct hd_node *list)
{
	const struct hd_key_info *key = ctx->key;
	char quoted[HD_QUOTE_SIZE];

	if (!is_list(ctx, list, key->expected) || !check_count(ctx, list, key->min, key->max))
		return;
	for (uint32_t c = list->child; c; c = ctx->tree->nodes[c].next) {
		const struct hd_node *node = &ctx->tree->nodes[c];

		if (node->kind != HD_NODE_SCALAR || hd_node_is_null(node) ||
		    !key->form(node->value))
			SAY(ctx, node, "%s, expected %s", instead(quoted, node), key->expected);
	}
	check_duplicates(ctx, list);
}

static void check_choices(struct ctx *ctx, const struct hd_node *list)
{
	const struct hd_key_info *key = ctx->key;

	if (!is_list(ctx, list, "names") || !check_count(ctx, list, 1, key->n_choices))
		return;
	for (uint32_t c = list->child; c; c = ctx->tree->nodes[c].next) {
		const struct hd_node *node = &ctx->tree->nodes[c];

		if (node->kind != HD_NODE_SCALAR ||
		    !is_choice(node->value, key->choices, key->n_choices))
			say_choices(ctx, node, "", key->choices, key->n_choices);
	}
	check_duplicates(ctx, list);
}

static void check_level(struct ctx *ctx, uint32_t index)
{
	static const char *const names[] = { "subsystem", "level" };
	const struct hd_map map = { .where = "log.subsystems[]", .names = names, .n = 2 };
	const struct hd_node *nodes = ctx->tree->nodes, *node = &nodes[index];
	char quoted[HD_QUOTE_SIZE];
	uint32_t found[2];
	unsigned before = ctx->report->count;

	hd_map_match(&map, ctx->tree, index, found, ctx->report);
	ctx->bad = ctx->bad || ctx->report->count > before;
	if (node->kind != HD_NODE_MAPPING && !hd_node_is_null(node))
		return;
	if (!found[0] || !found[1])
		SAY(ctx, node, "an entry without %s, expected {subsystem: NAME, level: LEVEL}",
		    names[found[0] ? 1 : 0]);
	if (found[0] &&
	    (nodes[found[0]].kind != HD_NODE_SCALAR || !ctx->key->form(nodes[found[0]].value)))
		SAY(ctx, &nodes[found[0]], "subsystem: %s, expected %s",
		    instead(quoted, &nodes[found[0]]), ctx->key->expected);
	if (found[1] && (nodes[found[1]].kind != HD_NODE_SCALAR ||
			 !is_choice(nodes[found[1]].value, hd_log_levels, HD_LOG_LEVELS)))
		say_choices(ctx, &nodes[found[1]], "level: ", hd_log_levels, HD_LOG_LEVELS);
}

static void check_levels(struct ctx *ctx, const struct hd_node *list)
{
	if (!is_list(ctx, list, "{subsystem: NAME, level: LEVEL}") ||
	    !check_count(ctx, list, ctx->key->min, ctx->key->max))
		return;
	for (uint32_t c = list->child; c; c = ctx->tree->nodes[c].next)
		check_level(ctx, c);
	check_duplicates(ctx, list);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void check_key(struct ctx *ctx, const struct hd_node *node)
{
	switch (ctx->key->type) {
	case HD_KEY_NUMBER:
		check_number(ctx, node);
		break;
	case HD_KEY_BOOL:
		check_bool(ctx, node);
		break;
	case HD_KEY_TEXT:
	case HD_KEY_PATH:
		check_text(ctx, node);
		break;
	case HD_KEY_CHOICE:
		check_choice(ctx, node);
		break;
	case HD_KEY_CHOICES:
		check_choices(ctx, node);
		break;
	case HD_KEY_LIST:
		check_list(ctx, node);
		break;
	case HD_KEY_LEVELS:
		check_levels(ctx, node);
		break;
	}
}

/* A key in the wrong section, or at the top: named with the section where it belongs. */
static const char *other_section(struct hd_slice key)
{
	for (size_t i = 0; i < hd_n_keys; i++) {
		if (hd_slice_is(key, hd_keys[i].name))
			return hd_keys[i].section;
	}
	return NULL;
}

static void check_section(struct hd_checked *checked, const char *section, uint32_t index,
			  struct hd_report *report)
{
	const char *names[HD_SECTION_KEYS_MAX];
	struct hd_map map = { .where = section, .names = names, .elsewhere = other_section };
	size_t first;

	hd_section_keys(section, &first, &map.n);
	for (size_t i = 0; i < map.n; i++)
		names[i] = hd_keys[first + i].name;
	hd_map_match(&map, checked->tree, index, &checked->node[first], report);
	for (size_t i = first; i < first + map.n; i++) {
		struct ctx ctx = { .tree = checked->tree, .key = &hd_keys[i], .report = report };

		if (!checked->node[i])
			continue;
		check_key(&ctx, &checked->tree->nodes[checked->node[i]]);
		checked->bad[i] = ctx.bad;
	}
}

void hd_check_keys(struct hd_checked *checked, const struct hd_tree *tree, struct hd_report *report)
{
	const struct hd_map map = {
		.where = "", .names = hd_sections, .n = hd_n_sections, .elsewhere = other_section
	};
	uint32_t sections[HD_SECTIONS_MAX];

	memset(checked, 0, sizeof(*checked));
	checked->tree = tree;
	hd_map_match(&map, tree, 0, sections, report);
	for (size_t i = 0; i < hd_n_sections; i++) {
		if (sections[i])
			check_section(checked, hd_sections[i], sections[i], report);
	}
}
