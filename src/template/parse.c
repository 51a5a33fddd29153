/* parse.c - template text to nodes; see template.h. */
#include <stdlib.h>
#include <string.h>

#include "template_priv.h"

enum { DELIMITER_SIZE = 9, NODES_FIRST = 64 };

struct parser {
	struct hd_template *t;
	const char *p, *end;   /* what is not read yet */
	const char *line_from; /* where `line` was counted up to */
	uint32_t line;
	char open[DELIMITER_SIZE], close[DELIMITER_SIZE];
	uint32_t sections[HD_TEMPLATE_DEPTH_MAX]; /* nodes that wait for their end */
	size_t depth;
	struct hd_buf *errors;
};

/* One tag, without its delimiters. */
struct tag {
	const char *begin, *end; /* in the text, with its delimiters */
	char type;		 /* # ^ / > ! = & {, or 0 */
	struct hd_slice name;
	uint32_t line;
};

static uint32_t line_at(struct parser *ps, const char *p)
{
	for (; ps->line_from < p; ps->line_from++)
		ps->line += *ps->line_from == '\n';
	return ps->line;
}

static int fail(struct parser *ps, uint32_t line, const char *what, struct hd_slice subject)
{
	hd_buf_addf(ps->errors, "%s:%u: %s%s%.*s\n", ps->t->name, line, what,
		    subject.len ? " " : "", (int)(subject.len < 64 ? subject.len : 64),
		    subject.len ? subject.ptr : "");
	return HD_EPARSE;
}

static struct node *node_add(struct parser *ps, enum node_kind kind, uint32_t line, int *errp)
{
	struct hd_template *t = ps->t;
	struct node *nodes;

	if (t->n == HD_TEMPLATE_NODES_MAX) {
		(void)fail(ps, line, "too many tags", (struct hd_slice){ 0 });
		*errp = HD_ELIMIT;
		return NULL;
	}
	if (t->n == t->size) {
		t->size = t->size ? 2 * t->size : NODES_FIRST;
		nodes = realloc(t->nodes, t->size * sizeof(*nodes));
		if (!nodes) {
			*errp = HD_ENOMEM;
			return NULL;
		}
		t->nodes = nodes;
	}
	t->nodes[t->n] = (struct node){ .kind = kind, .line = line };
	return &t->nodes[t->n++];
}

static int text_add(struct parser *ps, const char *from, const char *to)
{
	struct node *node;
	int err = 0;

	if (from >= to)
		return 0;
	node = node_add(ps, NODE_TEXT, line_at(ps, from), &err);
	if (node)
		node->text = (struct hd_slice){ from, (size_t)(to - from) };
	return err;
}

/* ---- tags ----------------------------------------------------------------------------------- */

static struct hd_slice find(const char *p, const char *end, const char *what)
{
	size_t n = strlen(what);
	const char *at = memmem(p, (size_t)(end - p), what, n);

	return at ? (struct hd_slice){ at, n } : (struct hd_slice){ 0 };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int tag_read(struct parser *ps, const char *begin, struct tag *tag)
{
	const char *p = begin + strlen(ps->open);
	char closing[DELIMITER_SIZE + 1] = "";
	struct hd_slice close;

	memset(tag, 0, sizeof(*tag));
	tag->begin = begin;
	tag->line = line_at(ps, begin);
	while (p < ps->end && (is_blank(*p) || *p == '\n' || *p == '\r'))
		p++;
	if (p < ps->end && strchr("#^/>!=&{", *p))
		tag->type = *p++;
	/* {{{name}}} and {{=<% %>=}} end with one character more. */
	if (tag->type == '{' || tag->type == '=')
		closing[0] = tag->type == '{' ? '}' : '=';
	memcpy(closing + strlen(closing), ps->close, strlen(ps->close) + 1);
	close = find(p, ps->end, closing);
	if (!close.len)
		return fail(ps, tag->line, "tag is not closed", (struct hd_slice){ 0 });
	tag->name = hd_slice_trim((struct hd_slice){ p, (size_t)(close.ptr - p) });
	tag->end = close.ptr + close.len;
	return 0;
}

static bool delimiter_take(char dst[DELIMITER_SIZE], struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_blank(s.ptr[i]) || s.ptr[i] == '=' || s.ptr[i] == '\n')
			return false;
	return s.len > 0 && !hd_str_copy(dst, DELIMITER_SIZE, s);
}

/* {{=<% %>=}} */
static int delimiters_take(struct parser *ps, const struct tag *tag)
{
	size_t n = 0;
	struct hd_slice rest;

	while (n < tag->name.len && !is_blank(tag->name.ptr[n]) && tag->name.ptr[n] != '\n')
		n++;
	rest = hd_slice_trim((struct hd_slice){ tag->name.ptr + n, tag->name.len - n });
	if (delimiter_take(ps->open, (struct hd_slice){ tag->name.ptr, n }) &&
	    delimiter_take(ps->close, rest))
		return 0;
	return fail(ps, tag->line, "expected two delimiters of 1 to 8 characters, got", tag->name);
}

/* ---- a tag alone in its line: its line does not appear --------------------------------------- */

static bool can_stand_alone(const struct tag *tag)
{
	return tag->type && strchr("#^/>!=", tag->type);
}

/* Where the line of a tag begins, if only blanks are between; else NULL. */
static const char *line_begin(const struct parser *ps, const char *tag)
{
	while (tag > ps->t->text && is_blank(tag[-1]))
		tag--;
	return tag == ps->t->text || tag[-1] == '\n' ? tag : NULL;
}

/* Where the next line begins, if only blanks are between; else NULL. */
static const char *line_end(const struct parser *ps, const char *p)
{
	while (p < ps->end && is_blank(*p))
		p++;
	if (p < ps->end && *p == '\r' && p + 1 < ps->end && p[1] == '\n')
		p++;
	if (p == ps->end)
		return p;
	return *p == '\n' ? p + 1 : NULL;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static bool name_is_valid(struct hd_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 0x7f)
			return false;
	return name.len > 0;
}

static int section_begin(struct parser *ps, const struct tag *tag)
{
	struct node *node;
	int err = 0;

	if (ps->depth == HD_TEMPLATE_DEPTH_MAX) {
		(void)fail(ps, tag->line, "too many sections inside one another:", tag->name);
		return HD_ELIMIT;
	}
	node = node_add(ps, tag->type == '#' ? NODE_SECTION : NODE_INVERTED, tag->line, &err);
	if (!node)
		return err;
	node->text = tag->name;
	ps->sections[ps->depth++] = (uint32_t)(ps->t->n - 1);
	return 0;
}

static int section_end(struct parser *ps, const struct tag *tag)
{
	struct node *node = ps->depth ? &ps->t->nodes[ps->sections[ps->depth - 1]] : NULL;

	if (!node)
		return fail(ps, tag->line, "no section is open to be closed by", tag->name);
	if (!hd_slice_eq(node->text, tag->name))
		return fail(ps, tag->line, "another section is open than", tag->name);
	node->end = (uint32_t)ps->t->n;
	ps->depth--;
	return 0;
}

static int named_add(struct parser *ps, const struct tag *tag, const char *indent)
{
	enum node_kind kind = tag->type == '>'	  ? NODE_PARTIAL
			      : tag->type == '\0' ? NODE_VALUE
						  : NODE_RAW;
	struct node *node;
	int err = 0;

	node = node_add(ps, kind, tag->line, &err);
	if (!node)
		return err;
	node->text = tag->name;
	if (indent)
		node->indent = (struct hd_slice){ indent, (size_t)(tag->begin - indent) };
	return 0;
}

static int tag_add(struct parser *ps, const struct tag *tag, const char *indent)
{
	if (tag->type == '!')
		return 0;
	if (tag->type == '=')
		return delimiters_take(ps, tag);
	if (!name_is_valid(tag->name))
		return fail(ps, tag->line, tag->name.len ? "not a name:" : "name is missing",
			    tag->name);
	if (tag->type == '#' || tag->type == '^')
		return section_begin(ps, tag);
	if (tag->type == '/')
		return section_end(ps, tag);
	return named_add(ps, tag, indent);
}

/* The text up to the next tag, and that tag. */
static int step(struct parser *ps)
{
	struct hd_slice open = find(ps->p, ps->end, ps->open);
	const char *begin = NULL, *end = NULL;
	struct tag tag;
	int err;

	if (!open.len) {
		err = text_add(ps, ps->p, ps->end);
		ps->p = ps->end;
		return err;
	}
	err = tag_read(ps, open.ptr, &tag);
	if (!err && can_stand_alone(&tag)) {
		begin = line_begin(ps, tag.begin);
		end = begin ? line_end(ps, tag.end) : NULL;
	}
	if (!err)
		err = text_add(ps, ps->p, end ? begin : tag.begin);
	if (!err)
		err = tag_add(ps, &tag, end ? begin : NULL);
	ps->p = end ? end : tag.end;
	return err;
}

int hd_template_parse(struct hd_template **tp, const char *name, struct hd_slice text,
		      struct hd_buf *errors)
{
	struct parser ps = { .line = 1, .open = "{{", .close = "}}", .errors = errors };
	struct hd_template *t;
	int err = HD_ENOMEM;

	if (!tp || !name || !errors || (text.len && !text.ptr))
		return HD_EINVAL;
	if (text.len > HD_TEMPLATE_MAX_BYTES) {
		hd_buf_addf(errors, "%s: more than %d bytes\n", name, HD_TEMPLATE_MAX_BYTES);
		return HD_ELIMIT;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return HD_ENOMEM;
	ps.t = t;
	t->name = strdup(name);
	t->text = malloc(text.len + 1);
	if (!t->name || !t->text)
		goto out;
	if (text.len)
		memcpy(t->text, text.ptr, text.len);
	ps.p = ps.line_from = t->text;
	ps.end = t->text + text.len;
	err = 0;
	while (!err && ps.p < ps.end)
		err = step(&ps);
	if (!err && ps.depth) {
		const struct node *node = &t->nodes[ps.sections[ps.depth - 1]];

		err = fail(&ps, node->line, "section is not closed:", node->text);
	}
out:
	if (err)
		hd_template_free(t);
	else
		*tp = t;
	return err;
}

void hd_template_free(struct hd_template *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->text);
	free(t->name);
	free(t);
}

const char *hd_template_name(const struct hd_template *t)
{
	return t->name;
}

bool hd_template_partial(const struct hd_template *t, size_t *at, struct hd_slice *namep)
{
	for (; *at < t->n; ++*at) {
		if (t->nodes[*at].kind != NODE_PARTIAL)
			continue;
		*namep = t->nodes[(*at)++].text;
		return true;
	}
	return false;
}
