/* veil.h - what a callee outside may carry for us, and not read. */
#ifndef HOTDESK_PROXY_VEIL_H
#define HOTDESK_PROXY_VEIL_H

#include "hotdesk/base/secret.h"
#include "proxy_priv.h"

/**
 * Where a caller asks for privacy (RFC 3323: id, user or header) and limits.rewrites_from, its
 * Contact names no phone towards whoever is not trusted: `<sip:anonymous.VEIL@host:port>`, VEIL
 * being the whole Contact URI, sealed with a key of ours for this Call-ID. Requests of the callee
 * have it as Request-URI, by our Record-Route, and get the URI back; nothing is remembered. Our
 * Record-Route, which holds the phones' ids and the caller's own name, is sealed there, too, and so
 * tells that the Contact of later requests of the caller, and of its responses, is to be veiled as
 * well. Host and port stay, as do Via and Call-ID.
 */
enum { VEIL_TEXT_MAX = 528 };
/** Of so many octets, as text. */
#define VEIL_SIZE(n) (1 + (((n) + HD_SEAL_BYTES) * 4 + 2) / 3 + 1)

/** "." and what only we can read; dst has room for VEIL_SIZE(text.len). At most VEIL_TEXT_MAX. */
void veil_format(char *dst, const struct hd_key *key, const char *call_id, struct hd_slice text);
/**
 * @param text room for *np; @param np out: its length
 * @return 0; HD_ENOENT: not veiled; HD_EACCESS: forged, of another call, or too long
 */
HD_MUSTCHECK int veil_parse(uint8_t *text, size_t *np, const struct hd_key *key,
			    const char *call_id, struct hd_slice value);
/** Without Contact, or with one that is veiled, nothing is done. @return 0, HD_ELIMIT, HD_ENOMEM */
HD_MUSTCHECK int veil_contact(struct hd_proxy *proxy, struct hd_msg *msg);
/** The Request-URI of a request inside a dialog. @return true: it was veiled, and is no more */
bool veil_lift(struct hd_proxy *proxy, struct hd_msg *msg);

#endif
