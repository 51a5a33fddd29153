/*
 * xml.h - small XML documents: read strictly, written safely.
 *
 * What is read are bodies of a few hundred bytes from phones. A document with a DOCTYPE is refused,
 * so that it can define no entity; what is left of XML is well-formed elements with text, within
 * bounds. Attributes, comments and processing instructions are passed over. Texts come out as
 * UTF-8, whichever of UTF-8, UTF-16, ISO-8859-1 and US-ASCII they were written in.
 *
 * Layer: 1.  May include: base, expat.  Thread: any; no shared state.
 */
#ifndef HOTDESK_XML_H
#define HOTDESK_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "hotdesk/base/str.h"

enum {
	HD_XML_BYTES_MAX = 8192,
	HD_XML_ELEMENTS_MAX = 64,
	HD_XML_DEPTH_MAX = 8,
	HD_XML_TEXT_MAX = 16384, /* of all names and texts together, as UTF-8 */
};

struct hd_xml;

/** An element: its place in the document, 0 for the root; below 0 there is none. */
typedef int hd_xml_element;

/**
 * @return 0; HD_EPARSE: not well-formed, or of an encoding that is unknown; HD_EUNSUPPORTED: it has
 *         a DOCTYPE; HD_ELIMIT: over one of the bounds; HD_ENOMEM
 */
HD_MUSTCHECK int hd_xml_parse(struct hd_xml **xp, struct hd_slice text);
/** Wipes the texts, which may be secret. NULL-safe. */
void hd_xml_free(struct hd_xml *x);
/** True for an element of that local name, in that namespace or in none. */
bool hd_xml_is(const struct hd_xml *x, hd_xml_element e, const char *space, const char *name);
/** The first child of that name, in that namespace or in none; -1: there is none. */
hd_xml_element hd_xml_child(const struct hd_xml *x, hd_xml_element parent, const char *space,
			    const char *name);
/** The text directly inside, without blanks around it; "" for none. Borrowed. */
const char *hd_xml_text(const struct hd_xml *x, hd_xml_element e);

/** Appends text for between tags and in quotes; what XML cannot say becomes '?'. */
void hd_xml_escape(struct hd_buf *b, struct hd_slice text);

#endif
