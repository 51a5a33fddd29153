/* value.c - what a template is filled with: a tree in one arena. See template.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "template_priv.h"

enum { BLOCK_BYTES = 8192, ALIGN = sizeof(void *) };

struct block {
	struct block *next;
	size_t used, size;
	char bytes[];
};

struct hd_view {
	struct block *blocks;
	struct hd_value root;
	int err;
};

int hd_view_new(struct hd_view **vp)
{
	struct hd_view *view;

	if (!vp)
		return HD_EINVAL;
	view = calloc(1, sizeof(*view));
	if (!view)
		return HD_ENOMEM;
	view->root.type = VALUE_OBJECT;
	*vp = view;
	return 0;
}

void hd_view_free(struct hd_view *view)
{
	struct block *b, *next;

	if (!view)
		return;
	for (b = view->blocks; b; b = next) {
		next = b->next;
		hd_wipe(b->bytes, b->used);
		free(b);
	}
	free(view);
}

struct hd_value *hd_view_root(struct hd_view *view)
{
	return &view->root;
}

int hd_view_error(const struct hd_view *view)
{
	return view->err;
}

static void *arena_take(struct hd_view *view, size_t n)
{
	struct block *b = view->blocks;
	size_t size = (n + ALIGN - 1) / ALIGN * ALIGN;
	void *p;

	if (view->err)
		return NULL;
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		b = calloc(1, sizeof(*b) + room);
		if (!b) {
			view->err = HD_ENOMEM;
			return NULL;
		}
		b->size = room;
		b->next = view->blocks;
		view->blocks = b;
	}
	p = b->bytes + b->used;
	b->used += size;
	return p;
}

static struct hd_value *value_add(struct hd_view *view, struct hd_value *to, const char *name,
				  enum value_type type)
{
	struct hd_value *v = to ? arena_take(view, sizeof(*v)) : NULL;

	if (!v)
		return NULL;
	*v = (struct hd_value){ .name = name, .type = type };
	if (to->last)
		to->last->next = v;
	else
		to->first = v;
	to->last = v;
	return v;
}

struct hd_value *hd_view_object(struct hd_view *view, struct hd_value *to, const char *name)
{
	return value_add(view, to, name, VALUE_OBJECT);
}

struct hd_value *hd_view_list(struct hd_view *view, struct hd_value *to, const char *name)
{
	return value_add(view, to, name, VALUE_LIST);
}

void hd_view_slice(struct hd_view *view, struct hd_value *to, const char *name,
		   struct hd_slice text)
{
	struct hd_value *v = value_add(view, to, name, VALUE_TEXT);
	char *copy = v && text.len ? arena_take(view, text.len) : NULL;

	if (!copy)
		return;
	memcpy(copy, text.ptr, text.len);
	v->text = (struct hd_slice){ copy, text.len };
}

void hd_view_text(struct hd_view *view, struct hd_value *to, const char *name, const char *text)
{
	hd_view_slice(view, to, name, hd_slice_of(text));
}

void hd_view_buf(struct hd_view *view, struct hd_value *to, const char *name, struct hd_buf *text)
{
	if (!view->err)
		view->err = hd_buf_error(text);
	hd_view_text(view, to, name, hd_buf_text(text));
	if (text->data)
		hd_wipe(text->data, text->len);
	hd_buf_fini(text);
}

void hd_view_bool(struct hd_view *view, struct hd_value *to, const char *name, bool v)
{
	(void)value_add(view, to, name, v ? VALUE_TRUE : VALUE_FALSE);
}

void hd_view_int(struct hd_view *view, struct hd_value *to, const char *name, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, v);
	hd_view_text(view, to, name, text);
}

bool value_is_true(const struct hd_value *v)
{
	if (!v || v->type == VALUE_FALSE)
		return false;
	if (v->type == VALUE_TEXT)
		return v->text.len > 0;
	return v->type != VALUE_LIST || v->first;
}

const struct hd_value *value_member(const struct hd_value *object, struct hd_slice name)
{
	if (!object || object->type != VALUE_OBJECT)
		return NULL;
	for (const struct hd_value *v = object->first; v; v = v->next)
		if (hd_slice_is(name, v->name))
			return v;
	return NULL;
}
