/*
 * tree.c - one YAML document as a flat tree with line numbers, from libyaml's events.
 *
 * libyaml's document loader is not used: it expands what it is given, knows no limits, and keeps
 * values in memory that is released unwiped.
 */
#include "conf_priv.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "hotdesk/base/secret.h"

enum { NODES_FIRST = 256 };

/* One open sequence or mapping. */
struct level {
	uint32_t node, last; /* last child, 0: none yet */
	struct hd_slice key; /* read, and waiting for its value */
	unsigned key_line;
	bool has_key;
};

struct builder {
	struct hd_tree *tree;
	struct hd_report *report;
	uint32_t nodes_max;
	struct level levels[HD_TREE_DEPTH_MAX];
	unsigned depth;
	unsigned documents;
	struct hd_slice text;
};

bool hd_node_is_null(const struct hd_node *node)
{
	return node->kind == HD_NODE_SCALAR && node->plain &&
	       (node->value.len == 0 || hd_slice_is(node->value, "~") ||
		hd_slice_is(node->value, "null"));
}

const char *hd_node_kind_name(const struct hd_node *node)
{
	switch (node->kind) {
	case HD_NODE_SEQUENCE:
		return "a list";
	case HD_NODE_MAPPING:
		return "a mapping";
	case HD_NODE_SCALAR:
		break;
	}
	return hd_node_is_null(node) ? "empty" : "a single value";
}

/* ---- building -------------------------------------------------------------------------------- */

static int keep(struct builder *b, struct hd_slice *dst, const yaml_event_t *event)
{
	struct hd_tree *tree = b->tree;
	size_t len = event->data.scalar.length;

	if (len > tree->size - tree->len)
		return HD_ELIMIT;
	if (len)
		memcpy(tree->text + tree->len, event->data.scalar.value, len);
	dst->ptr = tree->text + tree->len;
	dst->len = len;
	tree->len += len;
	return 0;
}

static int grow(struct builder *b)
{
	struct hd_tree *tree = b->tree;
	uint32_t room = tree->room ? tree->room * 2 : NODES_FIRST;
	struct hd_node *nodes;

	if (tree->n < tree->room)
		return 0;
	nodes = realloc(tree->nodes, room * sizeof(*nodes));
	if (!nodes)
		return HD_ENOMEM;
	tree->nodes = nodes;
	tree->room = room;
	return 0;
}

/* Appends a node to the innermost open one. */
static int append(struct builder *b, const struct hd_node *model)
{
	struct hd_tree *tree = b->tree;
	struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;
	uint32_t index = tree->n;
	int err = grow(b);

	if (err)
		return err;
	tree->nodes[index] = *model;
	if (level) {
		if (level->last)
			tree->nodes[level->last].next = index;
		else
			tree->nodes[level->node].child = index;
		level->last = index;
		if (level->has_key) {
			/* An empty value or a block begins somewhere below its key. */
			tree->nodes[index].key = level->key;
			tree->nodes[index].line = level->key_line;
			level->has_key = false;
		}
	}
	tree->n++;
	return 0;
}

static bool wants_key(const struct builder *b)
{
	const struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;

	return level && !level->has_key && b->tree->nodes[level->node].kind == HD_NODE_MAPPING;
}

static int on_scalar(struct builder *b, const yaml_event_t *event, struct hd_node *node)
{
	struct level *level;
	int err;

	if (event->data.scalar.length > HD_TREE_SCALAR_MAX) {
		hd_report_add(b->report, node->line, "a value of %zu bytes, expected at most %d",
			      event->data.scalar.length, HD_TREE_SCALAR_MAX);
		return HD_EPARSE;
	}
	if (wants_key(b)) {
		level = &b->levels[b->depth - 1];
		err = keep(b, &level->key, event);
		level->key_line = node->line;
		level->has_key = !err;
		return err;
	}
	node->kind = HD_NODE_SCALAR;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	err = keep(b, &node->value, event);
	if (err)
		return err;
	return append(b, node);
}

static int on_open(struct builder *b, struct hd_node *node)
{
	int err;

	if (wants_key(b)) {
		hd_report_add(b->report, node->line, "a list or mapping as a key, expected a name");
		return HD_EPARSE;
	}
	if (b->depth == HD_TREE_DEPTH_MAX) {
		hd_report_add(b->report, node->line, "nested too deep, expected at most %d levels",
			      HD_TREE_DEPTH_MAX);
		return HD_EPARSE;
	}
	err = append(b, node);
	if (err)
		return err;
	b->levels[b->depth++] = (struct level){ .node = b->tree->n - 1 };
	return 0;
}

/* Anchors, aliases and tags: a small file can mean a huge one, or things that we do not know. */
static const char *foreign_feature(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "an alias (*name)";
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor ? "an anchor (&name)"
		       : event->data.scalar.tag	 ? "a tag (!name)"
						 : NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor ? "an anchor (&name)"
		       : event->data.sequence_start.tag	 ? "a tag (!name)"
							 : NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor ? "an anchor (&name)"
		       : event->data.mapping_start.tag	? "a tag (!name)"
							: NULL;
	default:
		return NULL;
	}
}

static int on_event(struct builder *b, const yaml_event_t *event)
{
	struct hd_node node = { .line = (unsigned)event->start_mark.line + 1 };
	const char *foreign = foreign_feature(event);

	if (foreign) {
		hd_report_add(b->report, node.line, "%s, expected plain YAML without it", foreign);
		return HD_EPARSE;
	}
	if (b->tree->n >= b->nodes_max) {
		hd_report_add(b->report, node.line, "too many values, expected at most %u",
			      b->nodes_max);
		return HD_EPARSE;
	}
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++ == 0)
			return 0;
		hd_report_add(b->report, node.line, "a second document, expected only one");
		return HD_EPARSE;
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event, &node);
	case YAML_SEQUENCE_START_EVENT:
		node.kind = HD_NODE_SEQUENCE;
		return on_open(b, &node);
	case YAML_MAPPING_START_EVENT:
		node.kind = HD_NODE_MAPPING;
		return on_open(b, &node);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

/* ---- libyaml --------------------------------------------------------------------------------- */

static unsigned line_at(struct hd_slice text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.ptr[i] == '\n';
	return line;
}

/* libyaml's words are static texts: nothing of the file is in them. */
static int on_parser_error(const struct builder *b, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read";

	if (parser->error == YAML_MEMORY_ERROR)
		return HD_ENOMEM;
	if (parser->error == YAML_READER_ERROR)
		hd_report_add(b->report, line_at(b->text, parser->problem_offset),
			      "%s, expected UTF-8 text", problem);
	else if (strstr(problem, "cannot start any token"))
		hd_report_add(b->report, (unsigned)parser->problem_mark.line + 1,
			      "not YAML: %s, expected a name or a value (and spaces, not tabs, in "
			      "front of it)",
			      problem);
	else if (parser->context)
		hd_report_add(b->report, (unsigned)parser->problem_mark.line + 1,
			      "not YAML: %s %s that begins in line %zu, expected \"key: value\" "
			      "lines, indented alike",
			      problem, parser->context, parser->context_mark.line + 1);
	else
		hd_report_add(b->report, (unsigned)parser->problem_mark.line + 1,
			      "not YAML: %s, expected \"key: value\" lines, indented alike",
			      problem);
	return HD_EPARSE;
}

/* yaml_parser_delete() releases its buffers with the text of the file in them. */
static void parser_fini(yaml_parser_t *parser)
{
	if (parser->raw_buffer.start)
		hd_wipe(parser->raw_buffer.start,
			(size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	if (parser->buffer.start)
		hd_wipe(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
	yaml_parser_delete(parser);
}

static int run(struct builder *b, yaml_parser_t *parser)
{
	yaml_event_t event;
	bool end = false;
	int err = 0;

	while (!end && !err) {
		if (!yaml_parser_parse(parser, &event))
			return on_parser_error(b, parser);
		err = on_event(b, &event);
		end = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_SCALAR_EVENT && event.data.scalar.value)
			hd_wipe(event.data.scalar.value, event.data.scalar.length);
		yaml_event_delete(&event);
	}
	return err;
}

static int tree_init(struct hd_tree *tree, size_t len)
{
	memset(tree, 0, sizeof(*tree));
	/* Escapes can be shorter than what they stand for: \L is three bytes of UTF-8. */
	tree->size = len + len / 2 + 1;
	tree->text = malloc(tree->size);
	return tree->text ? 0 : HD_ENOMEM;
}

int hd_tree_parse(struct hd_tree *tree, struct hd_slice text, uint32_t nodes_max,
		  struct hd_report *report)
{
	struct builder b = { .tree = tree, .report = report, .nodes_max = nodes_max };
	const struct hd_node nothing = { .kind = HD_NODE_MAPPING, .line = 1 };
	yaml_parser_t parser;
	int err;

	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) {
		text.ptr += 3;
		text.len -= 3;
	}
	b.text = text;
	err = tree_init(tree, text.len);
	if (err)
		return err;
	if (!yaml_parser_initialize(&parser)) {
		hd_tree_fini(tree);
		return HD_ENOMEM;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.ptr : ""),
				     text.len);
	err = run(&b, &parser);
	parser_fini(&parser);
	if (!err && tree->n == 0)
		err = append(&b, &nothing);
	if (err)
		hd_tree_fini(tree);
	return err;
}

void hd_tree_fini(struct hd_tree *tree)
{
	if (tree->text)
		hd_wipe(tree->text, tree->len);
	free(tree->text);
	free(tree->nodes);
	memset(tree, 0, sizeof(*tree));
}
