/*
 * uri.h - SIP and SIPS URIs: parse, compare (RFC 3261 19.1.4), canonical address-of-record (10.3).
 *
 * Layer: 0.  Thread: any. Slices point into the text that was parsed.
 */
#ifndef HOTDESK_BASE_URI_H
#define HOTDESK_BASE_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/str.h"

enum hd_uri_scheme { HD_URI_SIP, HD_URI_SIPS, HD_URI_TEL, HD_URI_OTHER };

struct hd_uri {
	enum hd_uri_scheme scheme;
	struct hd_slice user;	  /* still escaped, with the parameters of user=phone numbers */
	struct hd_slice password; /* zero when absent */
	struct hd_slice host;	  /* with [] for IPv6 */
	struct hd_slice port;	  /* zero when absent */
	struct hd_slice params;	  /* after the first ';', without it */
	struct hd_slice headers;  /* after '?', without it */
};

/**
 * Liberal where phones are, but bounded: at most 2048 bytes, 32 parameters and 32 headers, so that
 * a comparison stays below a millisecond. Blanks, controls, <, > and " are refused everywhere.
 * @return 0 or HD_EPARSE. For HD_URI_OTHER only scheme is set.
 */
HD_MUSTCHECK int hd_uri_parse(struct hd_uri *uri, struct hd_slice text);
/** Equality of RFC 3261 19.1.4. Its relation is not transitive; that is the RFC's. */
bool hd_uri_eq(const struct hd_uri *a, const struct hd_uri *b);
/** The port as a number; the scheme's default (5060, 5061) when absent; 0 when not a port. */
uint16_t hd_uri_port(const struct hd_uri *uri);
/**
 * One uri-parameter by name (case-insensitive).
 * @param valuep receives the value, zero slice for a parameter without one; may be NULL
 */
bool hd_uri_param(const struct hd_uri *uri, const char *name, struct hd_slice *valuep);

/**
 * Resolves %HH. @return 0, HD_EPARSE (bad escape, NUL) or HD_ELIMIT. dst is terminated.
 */
HD_MUSTCHECK int hd_uri_unescape(char *dst, size_t size, struct hd_slice s);
/** What phones write for a number: "201" of "201", "sip:201@example.org" and "201@example.org". */
struct hd_slice hd_uri_bare_user(struct hd_slice text);
/** Escapes what may not stand in a user part (RFC 3261 25.1 user). */
void hd_uri_escape_user(struct hd_buf *b, struct hd_slice s);
/**
 * The canonical address-of-record (10.3 step 5): no parameters, headers or password, host in lower
 * case, nothing escaped that may stand bare in a user part. dst is terminated.
 * @return 0, HD_EPARSE (NUL in the user part), HD_ELIMIT or HD_EUNSUPPORTED (not SIP or SIPS)
 */
HD_MUSTCHECK int hd_uri_aor_format(char *dst, size_t size, const struct hd_uri *uri);

#endif
