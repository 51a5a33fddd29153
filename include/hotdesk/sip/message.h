/*
 * message.h - SIP messages at arm's length: what a registrar, proxy or notifier reads and changes.
 *
 * A struct hd_msg is Sofia's message under our name; no other folder sees the library. Header
 * fields that nobody touches are sent on byte for byte and in their order. Texts and slices that
 * are handed out are borrowed and live as long as the message.
 *
 * Layer: 3.  May include: base, event, sofia-sip.  Thread: the SIP thread.
 */
#ifndef HOTDESK_SIP_MESSAGE_H
#define HOTDESK_SIP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/str.h"
#include "hotdesk/base/uri.h"

struct hd_msg;

enum hd_method {
	HD_METHOD_OTHER,
	HD_METHOD_INVITE,
	HD_METHOD_ACK,
	HD_METHOD_CANCEL,
	HD_METHOD_BYE,
	HD_METHOD_OPTIONS,
	HD_METHOD_REGISTER,
	HD_METHOD_INFO,
	HD_METHOD_PRACK,
	HD_METHOD_UPDATE,
	HD_METHOD_MESSAGE,
	HD_METHOD_SUBSCRIBE,
	HD_METHOD_NOTIFY,
	HD_METHOD_REFER,
	HD_METHOD_PUBLISH,
};

/** A copy that shares the unchanged parts; owned, for changing and sending. NULL: no memory. */
struct hd_msg *hd_msg_copy(struct hd_msg *msg);
/** NULL-safe. */
void hd_msg_free(struct hd_msg *msg);

enum hd_method hd_msg_method(const struct hd_msg *msg);
const char *hd_msg_method_name(const struct hd_msg *msg);
/** Of a response; 0 for a request. */
int hd_msg_status(const struct hd_msg *msg);
const char *hd_msg_phrase(const struct hd_msg *msg);
const char *hd_msg_call_id(const struct hd_msg *msg);
uint32_t hd_msg_cseq(const struct hd_msg *msg);
enum hd_method hd_msg_cseq_method(const struct hd_msg *msg);
/** "" when absent. */
const char *hd_msg_from_tag(const struct hd_msg *msg);
const char *hd_msg_to_tag(const struct hd_msg *msg);
/** The branch of the topmost Via, "" when absent. */
const char *hd_msg_branch(const struct hd_msg *msg);
/**
 * Where a response would go by the i-th Via (0 is the topmost), and its branch: sent-by, received,
 * rport.
 * @return false when there is none
 */
bool hd_msg_via_address(const struct hd_msg *msg, unsigned i, struct hd_buf *out);
/** How many Via header field values there are. */
unsigned hd_msg_via_count(const struct hd_msg *msg);
void hd_msg_ruri(const struct hd_msg *msg, struct hd_uri *uri);
void hd_msg_to_uri(const struct hd_msg *msg, struct hd_uri *uri);
void hd_msg_from_uri(const struct hd_msg *msg, struct hd_uri *uri);
/** The URIs of To and From as text; allocated in the message. "" when absent, or without memory. */
const char *hd_msg_to_text(struct hd_msg *msg);
const char *hd_msg_from_text(struct hd_msg *msg);
/** The Request-URI as text, for logs and digest; allocated in the message. "" without memory. */
const char *hd_msg_ruri_text(struct hd_msg *msg);
/** -1: absent. */
int hd_msg_max_forwards(const struct hd_msg *msg);
/** The body; the zero slice when there is none. */
struct hd_slice hd_msg_body(const struct hd_msg *msg);
/** Total size as received; 0 for a message that was made here. */
size_t hd_msg_size(const struct hd_msg *msg);

/**
 * The value of the i-th header field of that name (case-insensitive, long form), as text in one
 * line. Comma lists that the parser splits count one by one. NULL: there are not that many.
 */
const char *hd_msg_header(struct hd_msg *msg, const char *name, unsigned i);
bool hd_msg_has_header(const struct hd_msg *msg, const char *name);
/** Adds "Name: value" lines, one or several with CRLF between. @return 0, HD_EPARSE or HD_ENOMEM */
HD_MUSTCHECK int hd_msg_add(struct hd_msg *msg, const char *lines);
/** Adds the header fields of that name in src. @return as hd_msg_add() */
HD_MUSTCHECK int hd_msg_copy_headers(struct hd_msg *msg, struct hd_msg *src, const char *name);
/** Removes all header fields of that name. @return how many */
unsigned hd_msg_remove(struct hd_msg *msg, const char *name);
/** True when an option tag stands in a Require, Proxy-Require or Supported. */
bool hd_msg_has_option(struct hd_msg *msg, const char *header, const char *option);

/* ---- who calls whom, as presented ----------------------------------------------------------- */

/**
 * The display name of From, or of To, without quotes; controls and what is no UTF-8 become '?', and
 * it is cut to fit between characters. "" for none. size is at least 1.
 */
void hd_msg_name(const struct hd_msg *msg, bool to, char *dst, size_t size);
/** Display name and URI of From, or of To, as they came: `"Anna" <sip:201@example.org>`. */
void hd_msg_party(struct hd_msg *msg, bool to, struct hd_buf *out);
/** Whether From, or To, has the display name and the URI of such a text. */
bool hd_msg_party_is(struct hd_msg *msg, bool to, const char *party);
/** Replaces them; the tag and all other parameters stay. @return 0, HD_EPARSE or HD_ENOMEM */
HD_MUSTCHECK int hd_msg_set_party(struct hd_msg *msg, bool to, const char *party);
/** "sip:user@host:port" of From, or of To, as it is escaped there; "" for other schemes or when it
 * does not fit. */
void hd_msg_party_uri(const struct hd_msg *msg, bool to, char *dst, size_t size);
/** The same of the Request-URI. */
void hd_msg_ruri_bare(const struct hd_msg *msg, char *dst, size_t size);
/** Session-Expires (RFC 4028) in seconds; 0: none. */
uint32_t hd_msg_session_expires(const struct hd_msg *msg);
/** The cause of the Reason for a protocol (RFC 3326: "SIP", "Q.850"); 0: none. */
int hd_msg_reason_cause(struct hd_msg *msg, const char *protocol);
/** What Privacy asks for (RFC 3323, "id" of RFC 3325); all else in it is nothing to us. */
enum {
	HD_PRIVACY_ID = 1,
	HD_PRIVACY_USER = 2,
	HD_PRIVACY_HEADER = 4,
};
unsigned hd_msg_privacy(struct hd_msg *msg);
/** Whether it asks for one of them, or From is anonymous. */
bool hd_msg_is_withheld(struct hd_msg *msg);

/* ---- Contact (RFC 3261 20.10) --------------------------------------------------------------- */

struct hd_contact {
	struct hd_uri uri;
	const char *uri_text;	 /* as sent, without <> */
	const char *params_text; /* ";q=0.5;+sip.instance=..." without expires; "" for none */
	int64_t expires_s;	 /* -1: no parameter or malformed */
	int q_permille;		 /* -1: none; -2: malformed */
	const char *instance_id; /* without quotes; "" for none */
	uint32_t reg_id;	 /* 0: none */
};
/**
 * @param np in: room; out: how many there are (may be more than the room: only the room is filled)
 * @param starp receives whether one of them is "*"
 */
void hd_msg_contacts(struct hd_msg *msg, struct hd_contact *contacts, size_t *np, bool *starp);
/** The URI of the (first) Refer-To (RFC 3515 2.1). @return false: there is none, or it is none */
bool hd_msg_refer_to_uri(const struct hd_msg *msg, struct hd_uri *uri);
/** Expires header field in seconds, clamped to 2^31-1; -1: absent or malformed. */
int64_t hd_msg_expires(const struct hd_msg *msg);

/**
 * Of a request that begins a dialog here: the route set (RFC 3261 12.1.1) as "Route: ...\r\n"
 * lines, to be released with free(); left alone where there is none. @return 0 or HD_ENOMEM
 */
HD_MUSTCHECK int hd_msg_route_set(struct hd_msg *msg, char **linesp);

/* ---- Path (RFC 3327) ------------------------------------------------------------------------ */

/** All Path values as one text, "" for none. @return 0, HD_ELIMIT or HD_ENOMEM */
HD_MUSTCHECK int hd_msg_path(struct hd_msg *msg, char *dst, size_t size);
/** Whether the URI of the proxy next to the phone, the last Path, has this parameter. */
bool hd_msg_path_has(const struct hd_msg *msg, const char *param);

/* ---- what a proxy changes (RFC 3261 16.6) --------------------------------------------------- */

/** Decrements Max-Forwards, or adds one of `first`. @return 0 or HD_ENOMEM */
HD_MUSTCHECK int hd_msg_step_max_forwards(struct hd_msg *msg, uint32_t first);
/**
 * What a Contact may have and a Request-URI may not, method and headers, is left out (RFC 3261
 * 19.1.1). @return 0, HD_EPARSE or HD_ENOMEM
 */
HD_MUSTCHECK int hd_msg_set_ruri(struct hd_msg *msg, const char *uri);
/** The topmost Route. @return false when there is none */
bool hd_msg_route(const struct hd_msg *msg, struct hd_uri *uri);
/** The last Route, for RFC 3261 16.4. */
bool hd_msg_last_route(const struct hd_msg *msg, struct hd_uri *uri);
/** The last Route as text, appended to b. */
void hd_msg_last_route_text(struct hd_msg *msg, struct hd_buf *b);
/** The topmost Route as text; allocated in the message; NULL when there is none. */
const char *hd_msg_route_text(struct hd_msg *msg);
/** Removes the topmost (or the last) Route. */
void hd_msg_pop_route(struct hd_msg *msg);
void hd_msg_pop_last_route(struct hd_msg *msg);
/** Appends a Route behind the others. @return 0, HD_EPARSE or HD_ENOMEM */
HD_MUSTCHECK int hd_msg_append_route(struct hd_msg *msg, const char *uri);
/** Puts "Record-Route: <uri>" above the others. @return 0, HD_EPARSE or HD_ENOMEM */
HD_MUSTCHECK int hd_msg_add_record_route(struct hd_msg *msg, const char *uri);
/** Removes credentials for this realm, and no others (RFC 3261 22.3). */
void hd_msg_remove_credentials(struct hd_msg *msg, const char *realm);
/** Removes the topmost Via of a response (16.7 step 3). @return false when no other is left */
bool hd_msg_pop_via(struct hd_msg *msg);
/** The URI of the first Contact. @return false when there is none, or it is "*" */
bool hd_msg_contact_uri(const struct hd_msg *msg, struct hd_uri *uri);

#endif
