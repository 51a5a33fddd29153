/* template_priv.h - what the files of template/ know of each other. */
#ifndef TEMPLATE_PRIV_H
#define TEMPLATE_PRIV_H

#include "hotdesk/template.h"

/* ---- value.c -------------------------------------------------------------------------------- */

enum value_type { VALUE_FALSE, VALUE_TRUE, VALUE_TEXT, VALUE_OBJECT, VALUE_LIST };
struct hd_value {
	const char *name; /* NULL: the element of a list */
	enum value_type type;
	struct hd_slice text;
	struct hd_value *first, *last; /* members or elements */
	struct hd_value *next;
};
bool value_is_true(const struct hd_value *v);
const struct hd_value *value_member(const struct hd_value *object, struct hd_slice name);

/* ---- parse.c -------------------------------------------------------------------------------- */

enum node_kind {
	NODE_TEXT,
	NODE_VALUE,    /* {{name}} */
	NODE_RAW,      /* {{{name}}}, {{&name}} */
	NODE_SECTION,  /* {{#name}} */
	NODE_INVERTED, /* {{^name}} */
	NODE_PARTIAL,  /* {{>name}} */
};
struct node {
	enum node_kind kind;
	uint32_t line;
	uint32_t end;		/* of a section: the first node behind it */
	struct hd_slice text;	/* or the name */
	struct hd_slice indent; /* of a partial that stands alone in its line */
};
struct hd_template {
	char *name;
	char *text; /* what the nodes point into */
	struct node *nodes;
	size_t n, size;
};

#endif
