/* render.c - nodes and values to text, and the check that all names exist; see template.h. */
#include <stdlib.h>
#include <string.h>

#include "template_priv.h"

enum {
	/* A partial may open as many sections as a template. */
	FRAMES_MAX = 2 * HD_TEMPLATE_DEPTH_MAX + 1,
	INDENT_MAX = 128,
	OUTPUT_MAX = 1 << 20,
};

/* A template, a section or a partial that is being worked through. */
struct frame {
	const struct hd_template *t;
	uint32_t first, pc, end;
	const struct hd_value *item; /* what it pushed for names to be found in, or NULL */
	bool list;		     /* once more with the next element */
	size_t indent;		     /* bytes of indentation before it */
};

struct walk {
	const struct hd_template_options *o;
	struct frame frames[FRAMES_MAX];
	size_t depth;
	unsigned steps;
	struct hd_buf *out; /* NULL: every section is entered once, and nothing is written */
	struct hd_buf *errors;
	unsigned n_errors;
	size_t out_max; /* of out->len */
	bool line_start;
	char indent[INDENT_MAX];
	size_t indent_len;
};

static int fail(struct walk *w, const struct node *node, int err, const char *what)
{
	const struct frame *f = &w->frames[w->depth - 1];

	if (w->errors && w->n_errors++ < HD_TEMPLATE_ERRORS_MAX)
		hd_buf_addf(w->errors, "%s:%u: %s: %.*s\n", f->t->name, node->line, what,
			    (int)(node->text.len < 64 ? node->text.len : 64), node->text.ptr);
	return err;
}

/* ---- names ---------------------------------------------------------------------------------- */

static const struct hd_value *find_first(const struct walk *w, struct hd_slice name)
{
	const struct hd_value *found = NULL;

	for (size_t i = w->depth; !found && i-- > 0;)
		found = value_member(w->frames[i].item, name);
	return found;
}

static const struct hd_value *find_top(const struct walk *w)
{
	for (size_t i = w->depth; i-- > 0;)
		if (w->frames[i].item)
			return w->frames[i].item;
	return NULL;
}

/* The first part is looked for in all that is open, each further one only in what was found. */
static const struct hd_value *find(const struct walk *w, struct hd_slice name)
{
	const struct hd_value *v;
	const char *dot;
	bool first = true;

	if (hd_slice_is(name, "."))
		return find_top(w);
	for (v = NULL; first || (v && name.len);) {
		struct hd_slice part = name;

		dot = memchr(name.ptr, '.', name.len);
		if (dot)
			part.len = (size_t)(dot - name.ptr);
		v = first ? find_first(w, part) : value_member(v, part);
		first = false;
		name.ptr += part.len + (dot != NULL);
		name.len -= part.len + (dot != NULL);
	}
	return v;
}

/* ---- output --------------------------------------------------------------------------------- */

static void indent_write(struct walk *w)
{
	if (w->line_start && w->indent_len)
		hd_buf_add(w->out, (struct hd_slice){ w->indent, w->indent_len });
	w->line_start = false;
}

static int written(struct walk *w, const struct node *node)
{
	int err = hd_buf_error(w->out);

	if (!err && w->out->len > w->out_max)
		err = fail(w, node, HD_ELIMIT, "the result is too long");
	return err;
}

static int text_write(struct walk *w, const struct node *node)
{
	struct hd_slice rest = node->text, line;
	const char *end;

	if (!w->out)
		return 0;
	while (rest.len) {
		line = rest;
		end = w->indent_len ? memchr(rest.ptr, '\n', rest.len) : NULL;
		if (end)
			line.len = (size_t)(end - rest.ptr) + 1;
		indent_write(w);
		hd_buf_add(w->out, line);
		w->line_start = line.ptr[line.len - 1] == '\n';
		rest.ptr += line.len;
		rest.len -= line.len;
	}
	return written(w, node);
}

static int value_write(struct walk *w, const struct node *node, enum hd_template_escape escape)
{
	const struct hd_value *v = find(w, node->text);

	if (!v && w->o->strict)
		return fail(w, node, HD_ENOENT, "unknown name");
	if (v && w->o->strict && (v->type == VALUE_OBJECT || v->type == VALUE_LIST))
		return fail(w, node, HD_ENOENT, "not a text");
	if (!w->out)
		return 0;
	indent_write(w);
	if (v && v->type == VALUE_TEXT)
		hd_template_escape(w->out, escape, v->text);
	else if (v && v->type == VALUE_TRUE)
		hd_buf_adds(w->out, "true");
	else if (v && v->type == VALUE_FALSE && w->o->strict)
		hd_buf_adds(w->out, "false");
	return written(w, node);
}

/* ---- sections and partials ------------------------------------------------------------------ */

static int push(struct walk *w, const struct node *node, const struct frame *frame)
{
	if (w->depth == FRAMES_MAX)
		return fail(w, node, HD_ELIMIT, "too deep");
	w->frames[w->depth++] = *frame;
	return 0;
}

static int section_enter(struct walk *w, const struct node *node, uint32_t first)
{
	struct frame *f = &w->frames[w->depth - 1];
	const struct hd_value *v = find(w, node->text);
	struct frame section = {
		.t = f->t,
		.first = first,
		.pc = first,
		.end = node->end,
		.indent = w->indent_len,
	};
	bool inverted = node->kind == NODE_INVERTED;

	f->pc = node->end;
	if (!v && w->o->strict)
		return fail(w, node, HD_ENOENT, "unknown name");
	if (w->out && value_is_true(v) == inverted)
		return 0;
	if (!inverted && v) {
		section.list = w->out && v->type == VALUE_LIST;
		section.item = v->type == VALUE_LIST ? v->first : v;
	}
	return push(w, node, &section);
}

static int partial_enter(struct walk *w, const struct node *node)
{
	const struct hd_template *t = w->o->partial ? w->o->partial(w->o->arg, node->text) : NULL;
	struct frame partial = {
		.t = t,
		.end = t ? (uint32_t)t->n : 0,
		.indent = w->indent_len,
	};

	if (!t)
		return w->o->strict ? fail(w, node, HD_ENOENT, "no such file") : 0;
	for (size_t i = 0; !w->out && i < w->depth; i++)
		if (w->frames[i].t == t)
			return fail(w, node, HD_ELIMIT, "includes itself");
	if (w->indent_len + node->indent.len > INDENT_MAX)
		return fail(w, node, HD_ELIMIT, "too deep");
	if (node->indent.len)
		memcpy(w->indent + w->indent_len, node->indent.ptr, node->indent.len);
	w->indent_len += node->indent.len;
	/* Inside a line nothing is indented, not even a partial's later lines. */
	if (node->indent.len)
		w->line_start = true;
	return push(w, node, &partial);
}

static void frame_end(struct walk *w)
{
	struct frame *f = &w->frames[w->depth - 1];

	if (f->list && f->item && f->item->next) {
		f->item = f->item->next;
		f->pc = f->first;
		return;
	}
	w->indent_len = f->indent;
	w->depth--;
}

static int node_do(struct walk *w, const struct node *node, uint32_t next)
{
	switch (node->kind) {
	case NODE_TEXT:
		return text_write(w, node);
	case NODE_VALUE:
		return value_write(w, node, w->o->escape);
	case NODE_RAW:
		if (w->o->strict)
			return fail(w, node, HD_EACCESS, "unescaped values are not allowed");
		return value_write(w, node, HD_TEMPLATE_RAW);
	case NODE_PARTIAL:
		return partial_enter(w, node);
	default:
		return section_enter(w, node, next);
	}
}

static int walk(struct walk *w)
{
	int err = 0, first = 0;

	while (w->depth) {
		struct frame *f = &w->frames[w->depth - 1];
		const struct node *node;

		if (f->pc == f->end) {
			frame_end(w);
			continue;
		}
		node = &f->t->nodes[f->pc++];
		if (++w->steps > HD_TEMPLATE_STEPS_MAX)
			return fail(w, node, HD_ELIMIT, "too many lists in lists");
		err = node_do(w, node, f->pc);
		if (err && !first)
			first = err;
		/* A check goes on to the next mistake. */
		if (err && (w->out || err == HD_ENOMEM))
			return err;
	}
	return first;
}

static int walk_begin(struct walk *w, const struct hd_template *t, const struct hd_value *root)
{
	w->frames[0] = (struct frame){ .t = t, .end = (uint32_t)t->n, .item = root };
	w->depth = 1;
	return walk(w);
}

int hd_template_render(const struct hd_template *t, const struct hd_value *root,
		       const struct hd_template_options *options, struct hd_buf *out,
		       struct hd_buf *errors)
{
	struct walk w = { .o = options, .out = out, .errors = errors };

	if (!t || !root || !options || !out)
		return HD_EINVAL;
	w.out_max = out->len + (options->output_max ? options->output_max : OUTPUT_MAX);
	return walk_begin(&w, t, root);
}

int hd_template_check(const struct hd_template *t, const struct hd_value *model,
		      const struct hd_template_options *options, struct hd_buf *errors)
{
	struct walk w = { .o = options, .errors = errors };

	if (!t || !model || !options || !errors)
		return HD_EINVAL;
	return walk_begin(&w, t, model);
}
