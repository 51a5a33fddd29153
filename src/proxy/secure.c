/* secure.c - sips: (RFC 3261 16.6 step 4, 26.2.2; RFC 5630): over TLS from hop to hop, or not. */
#include <string.h>
#include <strings.h>

#include "proxy_priv.h"

bool secure_is_sips(const char *uri)
{
	return strncasecmp(uri, "sips:", strlen("sips:")) == 0;
}

bool secure_is_asked(const struct hd_msg *msg)
{
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	return uri.scheme == HD_URI_SIPS;
}

bool secure_may_leave(const char *ruri, const struct hd_target *target)
{
	return !secure_is_sips(ruri) || hd_target_is_tls(target);
}

int secure_check(const struct received *received, const char *ruri, const struct hd_target *target)
{
	if (secure_is_asked(received->msg) &&
	    (!hd_flow_is_tls(received->flow) || !hd_target_is_tls(target)))
		return HD_EUNSUPPORTED;
	return secure_may_leave(ruri, target) ? 0 : HD_EUNSUPPORTED;
}

void secure_refuse(struct hd_request *req)
{
	hd_request_reply(req, 480, NULL, "Warning: 380 hotdeskd \"SIPS Not Allowed\"\r\n");
}
