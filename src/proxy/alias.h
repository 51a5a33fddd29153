/* alias.h - a caller whose From is rewritten, and both its names in our Record-Route. */
#ifndef HOTDESK_PROXY_ALIAS_H
#define HOTDESK_PROXY_ALIAS_H

#include "proxy_priv.h"

/**
 * A caller whose From is rewritten (limits.rewrites_from) has two names for the length of its
 * dialog: its own, which nobody but its phone sees, and the one that the others are shown. Both are
 * `display <URI>` as in hd_msg_party(), and stand in a parameter of our Record-Route, bound to
 * Call-ID and token by an HMAC, as uac_replace_from() of Kamailio does it. Requests of the caller
 * get the shown name in From, those of the callee the caller's own in To; responses get back what
 * their request had. Tags never change.
 */
enum { ALIAS_PARTY_SIZE = 256, ALIAS_SIZE = 768 };
#define ALIAS_PARAM "alias"
struct alias {
	char own[ALIAS_PARTY_SIZE], shown[ALIAS_PARTY_SIZE];
};
void alias_key_derive(struct hd_key *key, const struct hd_key *token_key);
/** dst has room for ALIAS_SIZE. Beside a token that is sealed (veil.h) it is, too. */
void alias_format(char *dst, const struct hd_key *key, const char *call_id, const char *token,
		  const struct alias *alias);
/** @return 0 or HD_EACCESS: forged, or of another dialog */
HD_MUSTCHECK int alias_parse(struct alias *alias, const struct hd_key *key, const char *call_id,
			     struct hd_slice token, struct hd_slice value);
/** Of a Route of ours. @return as alias_parse(), HD_ENOENT: none is there, nothing was rewritten */
HD_MUSTCHECK int alias_find(struct alias *alias, struct hd_proxy *proxy, const char *call_id,
			    const struct hd_uri *route);
/**
 * Of an initial request and its copy with another From.
 * @return 0, HD_ENOMEM, or HD_ELIMIT: the URI in a From is too long
 */
HD_MUSTCHECK int alias_read(struct alias *alias, struct hd_msg *received, struct hd_msg *copy);
/** Names of From and To as in the request that it answers. @return 0, HD_EPARSE or HD_ENOMEM */
HD_MUSTCHECK int alias_put_back(struct hd_msg *response, struct hd_msg *request);

#endif
