/*
 * number.h - dialled digits to one number, a number to its kind, a class of service to yes or no.
 *
 * A number outside is kept in the form of E.164, "+493012345", as far as the configuration says how
 * numbers are dialled here. Patterns of lists and classes that begin with '+' are for that form,
 * others for the digits as they were dialled, without visual separators and line prefix.
 *
 * Layer: 2.  May include: base, directory.  Thread: any; a loaded hd_rights is read-only and may
 * be shared.
 */
#ifndef HOTDESK_NUMBER_H
#define HOTDESK_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "hotdesk/base/peer.h"
#include "hotdesk/base/str.h"
#include "hotdesk/directory.h"

enum {
	HD_DIALLED_SIZE = 33,
	HD_E164_SIZE = 17, /* '+', 15 digits, NUL */
};

/** How numbers are dialled here. "": there is no such prefix, or it is not known. */
struct hd_number_plan {
	char country[5];       /* "49"; without it numbers outside stay as they are dialled */
	char area[9];	       /* "30"; without it a local number stays as it is dialled */
	char outside[9];       /* what gets a line: "0" */
	char national[9];      /* "0": begins a number of another area */
	char international[9]; /* "00": begins a number of another country */
	const char *const *emergency; /* borrowed */
	size_t n_emergency;
	char own[HD_E164_SIZE]; /* "+4930123": what follows it is a number in the house */
};

#define HD_NUMBER_KIND_LIST(X)                                                                     \
	X(EMERGENCY, "emergency")                                                                  \
	X(INTERNAL, "internal")                                                                    \
	X(LOCAL, "local")                                                                          \
	X(NATIONAL, "national")                                                                    \
	X(INTERNATIONAL, "international")
enum hd_number_kind {
#define HD_NUMBER_KIND_ENUM(n, s) HD_NUMBER_KIND_##n,
	HD_NUMBER_KIND_LIST(HD_NUMBER_KIND_ENUM)
#undef HD_NUMBER_KIND_ENUM
		HD_NUMBER_KIND_COUNT
};
const char *hd_number_kind_name(enum hd_number_kind kind);

struct hd_number {
	enum hd_number_kind kind;
	char dialled
		[HD_DIALLED_SIZE]; /* digits, '*', '#', perhaps a '+' in front; no line prefix */
	char e164[HD_E164_SIZE];   /* "" when it cannot be known, or is not outside */
	/* Of a destination of the configuration: the only peer for it. "": as routes say. */
	char peer[HD_PEER_NAME_SIZE];
};

/**
 * What was dialled.
 *
 * A number that begins with `own` is INTERNAL, and what follows is what was dialled. Emergency
 * numbers are known with and without the line prefix. Where a line prefix is configured,
 * a number without it that does not begin with '+' is INTERNAL; where none is, everything that no
 * directory knows is outside, so ask the directory first.
 *
 * @param user the user part of a Request-URI, still escaped; RFC 3966 visual separators and URI
 *             parameters behind ';' are ignored
 * @return 0; HD_EPARSE: no number (letters, a bad escape, '+' inside, nothing left); HD_ELIMIT:
 *         more digits than a number can have
 */
HD_MUSTCHECK int hd_number_parse(struct hd_number *number, const struct hd_number_plan *plan,
				 struct hd_slice user);
/** The same from text that is not escaped: '%' has no meaning in it, and is no number. */
HD_MUSTCHECK int hd_number_read(struct hd_number *number, const struct hd_number_plan *plan,
				const char *text);

#define HD_NUMBER_FORM_LIST(X)                                                                     \
	X(E164, "e164")		/* +493012345 */                                                   \
	X(PLAIN, "plain")	/* 493012345 */                                                    \
	X(NATIONAL, "national") /* 03012345, 0033123456 */                                         \
	X(DIALLED, "dialled")	/* as at a phone here, with the line prefix: 003012345 */
enum hd_number_form {
#define HD_NUMBER_FORM_ENUM(n, s) HD_NUMBER_FORM_##n,
	HD_NUMBER_FORM_LIST(HD_NUMBER_FORM_ENUM)
#undef HD_NUMBER_FORM_ENUM
		HD_NUMBER_FORM_COUNT
};
/**
 * The way back: an outside number as somebody else writes it. A number without E.164 form, or of
 * another kind, is written as it was dialled.
 * @return 0 or HD_ELIMIT
 */
HD_MUSTCHECK int hd_number_format(char *dst, size_t size, const struct hd_number_plan *plan,
				  const struct hd_number *number, enum hd_number_form form);

/** True when a text fits a pattern: digits, '*' '#' '+', 'X' for any digit, a final '~' for any
 * rest. */
bool hd_number_matches(const char *pattern, const char *text);

/* ---- classes of service --------------------------------------------------------------------- */

struct hd_rights;
/**
 * Reads lists and classes:
 *
 *     "mobile: +4915~ +4916~ +4917~"
 *     "office: allow emergency internal local; deny premium; allow national"
 *
 * A class is walked from left to right; the first kind, list or pattern that fits decides; nothing
 * fits: refused. Commas and semicolons are blanks.
 *
 * @param why receives one line: which entry, what was expected
 * @return 0, HD_EPARSE, HD_EEXIST (a name twice, or that of a kind), HD_ENOENT (a class names a
 *         list that is not there), HD_ENOMEM
 */
HD_MUSTCHECK int hd_rights_new(struct hd_rights **rp, const char *const *lists, size_t n_lists,
			       const char *const *classes, size_t n_classes, struct hd_buf *why);
/** NULL-safe. */
void hd_rights_free(struct hd_rights *rights);
bool hd_rights_has_class(const struct hd_rights *rights, const char *name);
/**
 * Whether a class may dial a number. Emergency numbers may be dialled by everybody, also by a class
 * that is not there; whoever has no class may dial nothing else.
 */
bool hd_rights_allow(const struct hd_rights *rights, const char *name,
		     const struct hd_number *number);

#endif
