/*
 * upstream_in.c - whom the PBX or trunks behind us call.
 *
 * From outside nobody but a peer is heard without a digest, and a peer reaches users and phones of
 * ours only: no code, no number outside, nobody else's domain. Where a user of ours forwards to,
 * the user's class decides.
 */
#include <string.h>

#include "daemon_priv.h"
#include "hotdesk/base/log.h"
#include "recorder.h"
#include "upstream_priv.h"

enum {
	DIVERSIONS_MAX = 5,
	HISTORY_MAX = 20,
};

int daemon_called_name(const struct hd_peer *peer, struct hd_slice user, struct hd_buf *out)
{
	char text[HD_PHONE_ID_SIZE];
	const char *name = text;
	size_t longest = 0;

	for (size_t i = 0; i < user.len; i++)
		if (user.ptr[i] == ';')
			user.len = i;
	if (!user.len || hd_uri_unescape(text, sizeof(text), user))
		return HD_EPARSE;
	for (size_t i = 0; i < peer->n_strips; i++) {
		size_t n = strlen(peer->strips[i]);

		if (n > longest && strncmp(text, peer->strips[i], n) == 0 && text[n])
			longest = n;
	}
	name += longest;
	hd_uri_escape_user(out, hd_slice_of(name));
	return hd_buf_error(out);
}

static int plan_user(struct daemon *d, const struct hd_peer *peer, struct hd_msg *msg,
		     struct hd_slice user, struct hd_plan *plan)
{
	struct hd_buf name = { 0 };
	struct hd_txn *txn;
	int err;

	/* Of a name that is none, nothing else will be said. */
	plan->verdict = HD_PLAN_UNKNOWN;
	plan->user[0] = plan->phone[0] = plan->called[0] = plan->diverted_by[0] = '\0';
	plan->outside.dialled[0] = '\0';
	plan->n_forwards = 0;
	err = daemon_called_name(peer, user, &name);
	if (!err) {
		err = hd_store_begin_read(d->store, &txn);
		if (!err) {
			err = (hd_msg_method(msg) == HD_METHOD_INVITE ? hd_plan_call
								      : hd_plan_route)(
				&d->planner, txn, hd_slice_of(hd_buf_text(&name)),
				hd_clock_wall_ms(d->clock), plan);
			hd_store_end_read(txn);
		}
	} else if (err == HD_EPARSE || err == HD_ELIMIT) {
		err = 0;
	}
	hd_buf_fini(&name);
	/* A code in a call from outside would be a login from outside. */
	if (!err && plan->verdict == HD_PLAN_FEATURE) {
		hd_feature_wipe(&plan->feature);
		plan->verdict = HD_PLAN_UNKNOWN;
	}
	return err;
}

static int plan_request(struct daemon *d, const struct hd_peer *peer, struct hd_msg *msg,
			struct hd_plan *plan)
{
	struct hd_uri ruri, to;
	int err;

	hd_msg_ruri(msg, &ruri);
	err = plan_user(d, peer, msg, ruri.user, plan);
	/* Of one registration for all, the Request-URI is our account and To is whom they call. */
	if (!err && plan->verdict == HD_PLAN_UNKNOWN && peer->mode == HD_PEER_REGISTER) {
		hd_msg_to_uri(msg, &to);
		err = plan_user(d, peer, msg, to.user, plan);
	}
	return err;
}

static void refuse(struct hd_request *req, const struct hd_peer *peer, int status, const char *why)
{
	struct hd_msg *msg = hd_request_msg(req);

	hd_log_call(HD_LOG_NOTICE, "upstream", hd_msg_call_id(msg), "%s: %s refused: %d, %s",
		    peer->name, hd_msg_method_name(msg), status, why);
	hd_request_reply(req, status, NULL, NULL);
}

static void deliver(struct daemon *d, struct hd_request *req, const struct hd_peer *peer,
		    const struct hd_plan *plan)
{
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	struct hd_msg *msg = hd_request_msg(req);
	char account[HD_UPSTREAM_ACCOUNT_SIZE];
	struct hd_buf diversion = { 0 };
	size_t n;

	daemon_add_diversions(&diversion, d, plan);
	daemon_keep_diversions(&diversion, msg);
	if (hd_buf_error(&diversion)) {
		hd_buf_fini(&diversion);
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	hd_upstream_account(account, peer, plan->user);
	n = daemon_targets(targets, plan, NULL);
	for (size_t i = 0; i < n; i++) {
		targets[i].callee_user = plan->user;
		targets[i].caller_account = account;
		targets[i].diversion = diversion.len ? hd_buf_text(&diversion) : NULL;
	}
	if (hd_msg_method(msg) == HD_METHOD_INVITE)
		hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: calls %s at %s",
			    peer->name, plan->user[0] ? plan->user : plan->phone, plan->phone);
	hd_proxy_forward(d->proxy, req, targets, n);
	hd_buf_fini(&diversion);
}

/* Whether a Diversion names one of those who send it on now. */
static bool names_forwarder(const struct hd_peer *peer, struct hd_slice text,
			    const struct hd_plan *plan)
{
	struct hd_buf name = { 0 };
	struct hd_uri uri;
	bool found = !hd_uri_parse(&uri, text) && !daemon_called_name(peer, uri.user, &name) &&
		     (strcmp(hd_buf_text(&name), plan->diverted_by) == 0 ||
		      strcmp(hd_buf_text(&name), plan->called) == 0);

	hd_buf_fini(&name);
	return found;
}

/*
 * @return how many entries of a header field name one of them, those beside each other counted once
 *         (the same user by another name, "rc" of RFC 7044); more than max entries: max
 */
static unsigned count_forwarders(const struct hd_peer *peer, struct hd_msg *msg, const char *header,
				 unsigned max, const struct hd_plan *plan)
{
	unsigned n = 0, found = 0;
	const char *p, *end;
	bool named = false, before;

	for (unsigned i = 0; (p = hd_msg_header(msg, header, i)); i++)
		for (p = strchr(p, '<'); p && (end = strchr(p, '>')); p = strchr(end, '<')) {
			const struct hd_slice uri = { p + 1, strcspn(p + 1, "?>") };

			if (++n > max)
				return max;
			before = named;
			named = names_forwarder(peer, uri, plan);
			found += named && !before;
		}
	return found;
}

struct dialled {
	const char *uri, *to; /* NULL: whatever it is */
	unsigned open;
};

static void count_dialled(void *arg, const struct hd_call *call)
{
	struct dialled *dialled = arg;

	dialled->open += call->state < HD_CALL_CONFIRMED && !call->caller.phone[0] &&
			 strcmp(call->dialled, dialled->uri) == 0 &&
			 (!dialled->to || strcmp(call->callee.uri, dialled->to) == 0);
}

/*
 * Users and a PBX that forward to each other: no Via tells it when the PBX begins a new call, and
 * of one that says nothing of the old call only the number of unanswered ones does.
 */
static bool is_sent_back(struct daemon *d, const struct hd_peer *peer, struct hd_msg *msg,
			 const struct hd_plan *plan)
{
	struct dialled dialled = { 0 };
	struct hd_call call;

	/* The last entry of a history is who is called now (RFC 7044). */
	if (count_forwarders(peer, msg, "Diversion", DIVERSIONS_MAX, plan) > 0 ||
	    count_forwarders(peer, msg, "History-Info", HISTORY_MAX, plan) > 1)
		return true;
	if (hd_msg_method(msg) != HD_METHOD_INVITE)
		return false;
	memset(&call, 0, sizeof(call));
	hd_call_describe(&call, msg);
	dialled.uri = call.dialled;
	/* Of one registration for all, the Request-URI may be the same in all calls. */
	if (peer->mode == HD_PEER_REGISTER)
		dialled.to = call.callee.uri;
	hd_proxy_walk_calls(d->proxy, count_dialled, &dialled);
	return dialled.open >= d->upstream_sent_back_max;
}

/* Somebody outside calls a user who has said that calls go outside. @return false: not so */
static bool send_back(struct daemon *d, struct hd_request *req, const struct hd_peer *peer,
		      struct hd_plan *plan)
{
	struct hd_msg *msg = hd_request_msg(req);

	if (!plan->diverted_by[0] ||
	    (plan->verdict != HD_PLAN_OUTSIDE && plan->verdict != HD_PLAN_UNKNOWN))
		return false;
	if (is_sent_back(d, peer, msg, plan)) {
		refuse(req, peer, 482, "forwarding leads back to itself");
		return true;
	}
	return daemon_upstream_forward(d, req, NULL, plan);
}

static bool may_come(enum hd_method method)
{
	return method == HD_METHOD_INVITE || method == HD_METHOD_MESSAGE ||
	       method == HD_METHOD_NOTIFY || method == HD_METHOD_OPTIONS;
}

static void receive_planned(struct daemon *d, struct hd_request *req, const struct hd_peer *peer,
			    struct hd_plan *plan)
{
	struct hd_msg *msg = hd_request_msg(req);
	int status;

	if (hd_msg_method(msg) == HD_METHOD_INVITE)
		daemon_record_forwarding(d, msg, plan);
	if (plan->verdict == HD_PLAN_PHONE) {
		deliver(d, req, peer, plan);
		return;
	}
	if (send_back(d, req, peer, plan))
		return;
	status = plan->verdict == HD_PLAN_BUSY		? 486
		 : plan->verdict == HD_PLAN_LOOP	? 482
		 : plan->verdict == HD_PLAN_UNAVAILABLE ? 480
							: 404;
	if (hd_msg_method(msg) == HD_METHOD_INVITE &&
	    (plan->n_forwards || status == 486 || status == 480))
		daemon_record_refused(d, msg, plan, NULL, "", status);
	refuse(req, peer, status, plan->verdict == HD_PLAN_UNKNOWN ? "nobody of ours" : plan->why);
}

bool daemon_upstream_receive(struct daemon *d, struct hd_request *req)
{
	const struct hd_peer *peer = hd_upstreams_from(d->upstreams, req);
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_plan plan;
	struct hd_uri uri;

	if (!peer)
		return false;
	hd_msg_ruri(msg, &uri);
	if (hd_msg_to_tag(msg)[0]) {
		refuse(req, peer, 481, "no dialog of ours");
	} else if (!hd_agent_is_us(d->agent, &uri)) {
		refuse(req, peer, 404, "not our domain");
	} else if (!may_come(hd_msg_method(msg))) {
		hd_request_reply(req, 405, NULL,
				 "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, "
				 "MESSAGE, NOTIFY\r\n");
	} else if (daemon_summary_receive(d, req, peer)) {
		return true;
	} else if (plan_request(d, peer, msg, &plan)) {
		hd_request_reply(req, 500, NULL, NULL);
	} else {
		receive_planned(d, req, peer, &plan);
	}
	return true;
}
