/* xml.c - reading small documents with expat; see hotdesk/xml.h. */
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/xml.h"

enum { SEPARATOR = ' ' }; /* between namespace and name: none of them has one */

struct element {
	int parent;
	size_t name;	     /* where in `text`: "namespace name", or "name" */
	size_t start, bytes; /* of the text inside */
};

struct hd_xml {
	struct element elements[HD_XML_ELEMENTS_MAX];
	int n;
	char text[HD_XML_TEXT_MAX];
	size_t used;
};

/* While it is being read. */
struct reading {
	struct hd_xml *x;
	XML_Parser parser;
	int current; /* element, -1 outside */
	int depth;
	int err;
};

static void stop(struct reading *r, int err)
{
	if (!r->err)
		r->err = err;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static bool keep(struct reading *r, const char *text, size_t n)
{
	struct hd_xml *x = r->x;

	if (n > sizeof(x->text) - x->used) {
		stop(r, HD_ELIMIT);
		return false;
	}
	memcpy(x->text + x->used, text, n);
	x->used += n;
	return true;
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = arg;
	struct element *e;

	(void)attributes;
	if (r->x->n == HD_XML_ELEMENTS_MAX || r->depth == HD_XML_DEPTH_MAX) {
		stop(r, HD_ELIMIT);
		return;
	}
	e = &r->x->elements[r->x->n];
	e->parent = r->current;
	e->name = r->x->used;
	if (!keep(r, name, strlen(name) + 1))
		return;
	r->current = r->x->n++;
	r->depth++;
}

static void on_end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;

	(void)name;
	r->current = r->x->elements[r->current].parent;
	r->depth--;
}

/* Text that is interrupted by an element is copied behind it, so that it stays in one piece. */
static void on_text(void *arg, const XML_Char *text, int len)
{
	struct reading *r = arg;
	struct element *e;
	size_t before;

	if (r->current < 0 || r->err)
		return;
	e = &r->x->elements[r->current];
	before = e->start;
	if (e->bytes && before + e->bytes != r->x->used) {
		e->start = r->x->used;
		if (!keep(r, r->x->text + before, e->bytes))
			return;
	}
	if (!e->bytes)
		e->start = r->x->used;
	if (keep(r, text, (size_t)len))
		e->bytes += (size_t)len;
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(arg, HD_EUNSUPPORTED);
}

/* Each text gets its end, without the blanks around it. */
static int finish(struct hd_xml *x)
{
	for (int i = 0; i < x->n; i++) {
		struct element *e = &x->elements[i];
		struct hd_slice inside = { x->text + e->start, e->bytes };

		inside = hd_slice_trim(inside);
		if (inside.len + 1 > sizeof(x->text) - x->used)
			return HD_ELIMIT;
		e->start = x->used;
		e->bytes = inside.len;
		memmove(x->text + x->used, inside.ptr, inside.len);
		x->text[x->used + inside.len] = '\0';
		x->used += inside.len + 1;
	}
	return 0;
}

static int read_all(struct hd_xml *x, struct hd_slice text)
{
	struct reading r = { .x = x, .current = -1 };

	r.parser = XML_ParserCreateNS(NULL, SEPARATOR);
	if (!r.parser)
		return HD_ENOMEM;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (XML_Parse(r.parser, text.ptr, (int)text.len, XML_TRUE) != XML_STATUS_OK && !r.err)
		r.err = XML_GetErrorCode(r.parser) == XML_ERROR_NO_MEMORY ? HD_ENOMEM : HD_EPARSE;
	XML_ParserFree(r.parser);
	return r.err ? r.err : finish(x);
}

int hd_xml_parse(struct hd_xml **xp, struct hd_slice text)
{
	struct hd_xml *x;
	int err;

	if (text.len > HD_XML_BYTES_MAX)
		return HD_ELIMIT;
	if (!text.len)
		return HD_EPARSE;
	x = calloc(1, sizeof(*x));
	if (!x)
		return HD_ENOMEM;
	err = read_all(x, text);
	if (err)
		hd_xml_free(x);
	else
		*xp = x;
	return err;
}

void hd_xml_free(struct hd_xml *x)
{
	if (!x)
		return;
	hd_wipe(x, sizeof(*x));
	free(x);
}

bool hd_xml_is(const struct hd_xml *x, hd_xml_element e, const char *space, const char *name)
{
	const char *full, *separator;

	if (e < 0 || e >= x->n)
		return false;
	full = x->text + x->elements[e].name;
	separator = strchr(full, SEPARATOR);
	if (!separator)
		return strcmp(full, name) == 0;
	return strcmp(separator + 1, name) == 0 &&
	       hd_slice_is((struct hd_slice){ full, (size_t)(separator - full) }, space);
}

hd_xml_element hd_xml_child(const struct hd_xml *x, hd_xml_element parent, const char *space,
			    const char *name)
{
	for (int i = parent < 0 ? x->n : parent + 1; i < x->n; i++)
		if (x->elements[i].parent == parent && hd_xml_is(x, i, space, name))
			return i;
	return -1;
}

const char *hd_xml_text(const struct hd_xml *x, hd_xml_element e)
{
	return e < 0 || e >= x->n ? "" : x->text + x->elements[e].start;
}
