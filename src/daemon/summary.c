/* summary.c - what a PBX says of waiting messages, and of whom. */
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/summary_event.h"
#include "upstream_priv.h"

/* @return whether it is a user of ours; number is set then */
static bool find_user(struct daemon *d, const struct hd_peer *peer, struct hd_slice called,
		      char number[HD_NUMBER_SIZE])
{
	struct hd_buf name = { 0 };
	struct hd_user user;
	struct hd_txn *txn;
	bool found = false;

	if (!daemon_called_name(peer, called, &name) &&
	    !hd_uri_unescape(number, HD_NUMBER_SIZE, hd_slice_of(hd_buf_text(&name))) &&
	    !hd_store_begin_read(d->store, &txn)) {
		found = !hd_user_get(d->dir, txn, number, &user);
		hd_store_end_read(txn);
		hd_wipe(&user, sizeof(user));
	}
	hd_buf_fini(&name);
	return found;
}

bool daemon_summary_receive(struct daemon *d, struct hd_request *req, const struct hd_peer *peer)
{
	struct hd_msg *msg = hd_request_msg(req);
	char number[HD_NUMBER_SIZE];
	struct hd_uri ruri, to;

	if (!d->summary_events || !hd_summary_events_is(msg))
		return false;
	/* Of one registration for all, the Request-URI is our account and To is the user. */
	hd_msg_ruri(msg, &ruri);
	hd_msg_to_uri(msg, &to);
	if (find_user(d, peer, ruri.user, number) ||
	    (peer->mode == HD_PEER_REGISTER && find_user(d, peer, to.user, number)))
		hd_summary_events_receive(d->summary_events, req, number);
	else
		hd_request_reply(req, 404, NULL, NULL);
	return true;
}
