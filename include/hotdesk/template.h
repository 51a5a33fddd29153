/*
 * template.h - text templates without logic: Mustache (its specification 1.4 without lambdas,
 * dynamic names and inheritance), and the values they are filled with.
 *
 * A template is parsed once and never changes; rendering allocates nothing but its output. What is
 * filled in is a tree of values in one arena, wiped when it is freed, because secrets are among
 * them. Strict: a name or a partial that does not exist is an error, as is {{{unescaped}}}; then
 * hd_template_check() finds every one of them without rendering, also in sections that are not
 * entered, by a model of the values: a tree that has each name.
 *
 * Truth: false, an empty text and an empty list are false.
 *
 * Layer: 3.  May include: base, xml.  Thread: a parsed template any; a view its owner's.
 */
#ifndef HOTDESK_TEMPLATE_H
#define HOTDESK_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/str.h"

enum {
	HD_TEMPLATE_MAX_BYTES = 256 * 1024, /* of one file */
	HD_TEMPLATE_NODES_MAX = 32768,
	HD_TEMPLATE_DEPTH_MAX = 32, /* sections and partials inside one another */
	HD_TEMPLATE_STEPS_MAX =
		1000000, /* tags and texts of one rendering, lists in lists included */
	HD_TEMPLATE_ERRORS_MAX = 20,
};

/* ---- values --------------------------------------------------------------------------------- */

struct hd_view;
struct hd_value;

HD_MUSTCHECK int hd_view_new(struct hd_view **vp);
/** Wipes. NULL-safe. */
void hd_view_free(struct hd_view *view);
/** The outermost object. */
struct hd_value *hd_view_root(struct hd_view *view);
/** 0 or HD_ENOMEM: a failed allocation sticks, later calls do nothing. */
HD_MUSTCHECK int hd_view_error(const struct hd_view *view);
/*
 * Each adds a member to an object, or with the name NULL an element to a list. Names are borrowed
 * (they are literals), texts are copied. `to` may be NULL after a failed allocation.
 */
struct hd_value *hd_view_object(struct hd_view *view, struct hd_value *to, const char *name);
struct hd_value *hd_view_list(struct hd_view *view, struct hd_value *to, const char *name);
void hd_view_text(struct hd_view *view, struct hd_value *to, const char *name, const char *text);
void hd_view_slice(struct hd_view *view, struct hd_value *to, const char *name,
		   struct hd_slice text);
/** Takes the buffer's text and its error, wipes and releases it. */
void hd_view_buf(struct hd_view *view, struct hd_value *to, const char *name, struct hd_buf *text);
void hd_view_bool(struct hd_view *view, struct hd_value *to, const char *name, bool v);
void hd_view_int(struct hd_view *view, struct hd_value *to, const char *name, int64_t v);

/* ---- escaping ------------------------------------------------------------------------------- */

enum hd_template_escape {
	HD_TEMPLATE_RAW,
	HD_TEMPLATE_HTML, /* & < > " as the specification has it */
	/* hd_xml_escape(), for elements and attributes. */
	HD_TEMPLATE_XML,
	/* One line: control characters and whatever else may end a line become a blank. */
	HD_TEMPLATE_LINE,
};
void hd_template_escape(struct hd_buf *out, enum hd_template_escape how, struct hd_slice text);

/* ---- templates ------------------------------------------------------------------------------ */

struct hd_template;

/**
 * @param name   of the file, for errors; copied
 * @param errors receives "NAME:LINE: what is wrong\n"
 * @return 0, HD_EPARSE, HD_ELIMIT (errors tells), HD_ENOMEM
 */
HD_MUSTCHECK int hd_template_parse(struct hd_template **tp, const char *name, struct hd_slice text,
				   struct hd_buf *errors);
/** NULL-safe. */
void hd_template_free(struct hd_template *t);
const char *hd_template_name(const struct hd_template *t);
/**
 * The partials that a template names, one after the other.
 * @param at 0 at first; moved on
 * @return false: no more
 */
bool hd_template_partial(const struct hd_template *t, size_t *at, struct hd_slice *namep);

struct hd_template_options {
	enum hd_template_escape escape; /* of {{name}} */
	bool strict;
	/** A partial by name, or NULL: there is none. May be NULL. */
	const struct hd_template *(*partial)(const void *arg, struct hd_slice name);
	const void *arg;
	size_t output_max; /* bytes; 0: 1 MiB */
};
/**
 * Appends to `out`, which is wiped by the caller if there are secrets in it.
 * @param errors receives one line, as above; NULL: not wanted
 * @return 0; HD_ENOENT (strict: an unknown name or partial), HD_ELIMIT (too deep, too long, too
 *         many steps), HD_ENOMEM
 */
HD_MUSTCHECK int hd_template_render(const struct hd_template *t, const struct hd_value *root,
				    const struct hd_template_options *options, struct hd_buf *out,
				    struct hd_buf *errors);
/**
 * Whether rendering could meet an unknown name, whatever the values are.
 * @param model  has every name; its lists have one element, which has every name, too
 * @param errors receives up to HD_TEMPLATE_ERRORS_MAX lines
 * @return 0, HD_ENOENT, HD_ELIMIT, HD_ENOMEM
 */
HD_MUSTCHECK int hd_template_check(const struct hd_template *t, const struct hd_value *model,
				   const struct hd_template_options *options,
				   struct hd_buf *errors);

/* ---- sets of files --------------------------------------------------------------------------- */

/**
 * Templates by the names of their files, with the partials that they include: each from the
 * administrator's folder, or else from the installed one.
 */
struct hd_template_set;
/** @param own, ours folders, copied; or NULL. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int hd_template_set_new(struct hd_template_set **sp, const char *own,
				     const char *ours);
/** NULL-safe. */
void hd_template_set_free(struct hd_template_set *set);
/**
 * Reads and parses a file and all that it includes; what is there already stays.
 * @param errors receives "FILE:LINE: what is wrong\n"
 * @return 0; HD_ENOENT, HD_EPARSE, HD_ELIMIT, HD_ESYSTEM (errors tells); HD_ENOMEM
 */
HD_MUSTCHECK int hd_template_set_load(struct hd_template_set *set, const char *name,
				      struct hd_buf *errors);
/** NULL: not loaded. */
const struct hd_template *hd_template_set_find(const struct hd_template_set *set, const char *name);
/** For rendering one of the set: strict. */
struct hd_template_options hd_template_set_options(const struct hd_template_set *set,
						   enum hd_template_escape escape,
						   size_t output_max);

#endif
