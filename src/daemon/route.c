/* route.c - what is this request, and whose is it: the one way in (design, "The way of a request").
 */
#include <string.h>

#include "caller.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "pickup.h"
#include "recorder.h"
#include "upstream_priv.h"

int daemon_lookup(void *arg, const char *username, enum hd_digest_algorithm algorithm,
		  char ha1[HD_DIGEST_HA1_SIZE])
{
	struct daemon *d = arg;
	struct hd_phone phone;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = hd_phone_get(d->dir, txn, username, &phone);
	hd_store_end_read(txn);
	if (!err && (phone.disabled || strcmp(phone.realm, d->realm_copy) != 0))
		err = HD_ENOENT;
	if (!err)
		err = hd_str_set(ha1, HD_DIGEST_HA1_SIZE,
				 algorithm == HD_DIGEST_SHA256 ? phone.ha1_sha256 : phone.ha1_md5);
	hd_wipe(&phone, sizeof(phone));
	return err;
}

/* @param phone that calls: its class of service has to allow it */
static int plan_call(struct daemon *d, struct hd_txn *txn, struct hd_slice user, const char *phone,
		     struct hd_plan *plan)
{
	int64_t now_ms = hd_clock_wall_ms(d->clock);
	char class[HD_CLASS_SIZE];
	int err;

	err = hd_plan_call(&d->planner, txn, user, now_ms, plan);
	if (!err && plan->verdict == HD_PLAN_EMERGENCY)
		return hd_plan_route(&d->planner, txn, user, now_ms, plan);
	if (!err)
		err = hd_plan_class(&d->planner, txn, phone, class);
	if (!err)
		hd_plan_authorize(&d->planner, class, plan);
	return err;
}

static int make_plan(struct daemon *d, struct hd_msg *msg, struct hd_slice user, const char *phone,
		     struct hd_plan *plan)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = hd_msg_method(msg) == HD_METHOD_INVITE
		      ? plan_call(d, txn, user, phone, plan)
		      : hd_plan_route(&d->planner, txn, user, hd_clock_wall_ms(d->clock), plan);
	hd_store_end_read(txn);
	return err;
}

/* A phone may say that it is itself or the user who sits there, and nobody else of ours. */
static bool may_claim(struct daemon *d, struct hd_request *req, const char *phone)
{
	struct hd_desk_session session;
	char name[HD_PHONE_ID_SIZE];
	struct hd_txn *txn;
	struct hd_uri from;
	bool ok;

	hd_msg_from_uri(hd_request_msg(req), &from);
	if (from.scheme > HD_URI_SIPS || !hd_agent_is_us(d->agent, &from))
		return true;
	if (hd_uri_unescape(name, sizeof(name), from.user))
		return false;
	if (strcmp(name, phone) == 0)
		return true;
	if (hd_store_begin_read(d->store, &txn))
		return false;
	ok = !hd_desk_get_by_phone(d->desk, txn, phone, &session) &&
	     strcmp(session.user, name) == 0;
	hd_store_end_read(txn);
	return ok;
}

/* Who calls, and who sits at the phone that is called. @return 0 or the store's error */
static int identify(struct daemon *d, const char *phone, const struct hd_plan *plan,
		    struct daemon_caller *caller, char callee[HD_NUMBER_SIZE])
{
	struct hd_txn *txn;
	int err;

	*caller = (struct daemon_caller){ 0 };
	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = daemon_caller_read(caller, d, txn, phone);
	if (!err)
		err = daemon_read_occupant(d, txn, plan->phone, callee);
	hd_store_end_read(txn);
	return err;
}

static void refuse(struct hd_request *req, int status, const char *subject, const char *why)
{
	struct hd_msg *msg = hd_request_msg(req);

	hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: %s: %d, %s", subject,
		    hd_msg_method_name(msg), status, why);
	hd_request_reply(req, status, NULL, NULL);
}

size_t daemon_targets(struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX],
		      const struct hd_plan *plan, const char *identity)
{
	size_t n;

	for (n = 0; n < plan->n_bindings && n < HD_PROXY_TARGETS_MAX; n++) {
		const struct hd_binding *b = &plan->bindings[n];

		targets[n] = (struct hd_proxy_target){
			.contact_uri = b->contact_uri,
			.flow = b->flow,
			.path = b->path,
			.outbound = b->reg_id != 0,
			.user = plan->user[0] ? plan->user : plan->phone,
			.called = plan->user[0] != '\0',
			.phone = plan->phone,
			.identity = identity,
			.q_permille = b->q_permille,
		};
	}
	return n;
}

static void forward(struct daemon *d, struct hd_request *req, const struct hd_plan *plan,
		    const char *phone)
{
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_buf diversion = { 0 };
	struct daemon_caller caller;
	char callee[HD_NUMBER_SIZE];
	size_t n;

	daemon_add_diversions(&diversion, d, plan);
	if (identify(d, phone, plan, &caller, callee) || hd_buf_error(&diversion)) {
		hd_buf_fini(&diversion);
		daemon_caller_fini(&caller);
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	n = daemon_targets(targets, plan, daemon_caller_identity(&caller));
	for (size_t i = 0; i < n; i++) {
		targets[i].caller = phone;
		targets[i].caller_user = caller.user;
		targets[i].callee_user = plan->user[0] ? plan->user : callee;
		targets[i].diversion = diversion.len ? hd_buf_text(&diversion) : NULL;
	}
	if (hd_msg_method(msg) == HD_METHOD_INVITE)
		hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: calls %s at %s", phone,
			    plan->user[0] ? plan->user : plan->phone, plan->phone);
	hd_proxy_forward(d->proxy, req, targets, n);
	hd_buf_fini(&diversion);
	daemon_caller_fini(&caller);
}

/*
 * Events that are ours are told by us, of codes, users and phones alike. What else a phone wants to
 * know of itself, or of a code, nobody has to tell.
 */
static bool route_subscribe(struct daemon *d, struct hd_request *req, const char *phone)
{
	struct hd_msg *msg = hd_request_msg(req);
	char name[HD_PHONE_ID_SIZE];
	struct hd_feature code;
	struct hd_uri uri;
	bool own;

	if (daemon_upstream_is_asked(d, msg))
		return false;
	if (hd_notifier_serves(d->notifier, msg)) {
		hd_notifier_receive(d->notifier, req, phone);
		return true;
	}
	hd_msg_ruri(msg, &uri);
	own = !uri.user.len ||
	      (!hd_uri_unescape(name, sizeof(name), uri.user) && strcmp(name, phone) == 0);
	if (!own && !hd_feature_parse(&code, &d->planner.codes, uri.user)) {
		hd_feature_wipe(&code);
		own = true;
	}
	if (own)
		hd_notifier_refuse_event(d->notifier, req);
	return own;
}

/* Who is called, or has sent it on, finds it in the list of missed calls, at whatever phone. */
static void record_refused(struct daemon *d, struct hd_msg *msg, const struct hd_plan *plan,
			   const char *phone, int status)
{
	char user[HD_NUMBER_SIZE] = "";
	struct hd_txn *txn;
	int err;

	if (hd_msg_method(msg) != HD_METHOD_INVITE ||
	    (plan->n_forwards == 0 && status != 480 && status != 486) ||
	    hd_store_begin_read(d->store, &txn))
		return;
	err = daemon_read_occupant(d, txn, phone, user);
	hd_store_end_read(txn);
	if (!err)
		daemon_record_refused(d, msg, plan, phone, user, status);
}

static void refuse_planned(struct daemon *d, struct hd_request *req, const struct hd_plan *plan,
			   const char *phone, int status)
{
	struct hd_msg *msg = hd_request_msg(req);
	char subject[64];
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	hd_feature_mask(subject, sizeof(subject), &d->planner.codes, uri.user);
	record_refused(d, msg, plan, phone, status);
	if (plan->verdict == HD_PLAN_FORBIDDEN)
		daemon_forbid(d, req, phone, plan);
	else
		refuse(req, status, subject, plan->why);
}

static void route_planned(struct daemon *d, struct hd_request *req, const char *phone)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_plan plan;
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	if (make_plan(d, msg, uri.user, phone, &plan)) {
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	if (hd_msg_method(msg) == HD_METHOD_INVITE)
		daemon_record_forwarding(d, msg, &plan);
	switch (plan.verdict) {
	case HD_PLAN_FEATURE:
		if (plan.feature.code == HD_USER_CODE_PICKUP && !plan.feature.malformed &&
		    hd_msg_method(msg) == HD_METHOD_INVITE)
			daemon_pick_up(d, req, phone, plan.feature.number);
		else
			hd_features_receive(d->features, req, phone, &plan.feature);
		break;
	case HD_PLAN_PHONE:
		forward(d, req, &plan, phone);
		break;
	case HD_PLAN_UNAVAILABLE:
		refuse_planned(d, req, &plan, phone, 480);
		break;
	case HD_PLAN_BUSY:
		refuse_planned(d, req, &plan, phone, 486);
		break;
	case HD_PLAN_LOOP:
		refuse_planned(d, req, &plan, phone, 482);
		break;
	case HD_PLAN_FORBIDDEN:
		refuse_planned(d, req, &plan, phone, 403);
		break;
	case HD_PLAN_UNKNOWN:
	default:
		if (!daemon_upstream_forward(d, req, phone, &plan))
			refuse_planned(d, req, &plan, phone, plan.outside.peer[0] ? 480 : 404);
		break;
	}
	hd_feature_wipe(&plan.feature);
}

static void route_authenticated(struct daemon *d, struct hd_request *req, const char *phone,
				enum hd_proxy_route route)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	if (route == HD_PROXY_FOREIGN)
		refuse(req, 403, phone, "Route to somebody else");
	else if (hd_msg_to_tag(msg)[0] && hd_notifier_receive_in_dialog(d->notifier, req, phone))
		return;
	else if (hd_msg_to_tag(msg)[0])
		refuse(req, 481, phone, "no dialog of ours");
	else if (hd_msg_method(msg) == HD_METHOD_INVITE && hd_agent_is_emergency(d->agent, msg) &&
		 (uri.scheme > HD_URI_SIPS || hd_agent_is_us(d->agent, &uri)))
		daemon_emergency(d, req, phone);
	else if (!hd_agent_is_us(d->agent, &uri))
		refuse(req, 404, phone, "not our domain");
	else if (!may_claim(d, req, phone))
		refuse(req, 403, phone, "From names somebody else");
	else if (hd_msg_method(msg) != HD_METHOD_SUBSCRIBE || !route_subscribe(d, req, phone))
		route_planned(d, req, phone);
}

/* What we do ourselves (RFC 3261 11.2); a phone's own methods pass through us. */
static const char capabilities[] =
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, SUBSCRIBE\r\n"
	"Accept: application/sdp\r\n";

static bool is_options_to_us(struct daemon *d, struct hd_msg *msg)
{
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	return hd_msg_method(msg) == HD_METHOD_OPTIONS && uri.user.len == 0 &&
	       hd_agent_is_us(d->agent, &uri);
}

/* The phone that From names, itself or by its user, when this came from where it is registered. */
static bool is_registered_sender(struct daemon *d, struct hd_request *req,
				 char phone[HD_PHONE_ID_SIZE])
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	struct hd_desk_session session;
	size_t n = HD_BINDINGS_MAX;
	struct hd_txn *txn;
	struct hd_uri from;
	int err;

	hd_msg_from_uri(hd_request_msg(req), &from);
	if (!hd_agent_is_us(d->agent, &from) ||
	    hd_uri_unescape(phone, HD_PHONE_ID_SIZE, from.user) ||
	    hd_store_begin_read(d->store, &txn))
		return false;
	if (!hd_desk_get_by_user(d->desk, txn, phone, &session))
		memcpy(phone, session.phone, HD_PHONE_ID_SIZE);
	err = hd_location_get(d->location, txn, phone, hd_clock_wall_ms(d->clock), bindings, &n);
	hd_store_end_read(txn);
	for (size_t i = 0; !err && i < n; i++)
		if (hd_flow_eq(bindings[i].flow, hd_request_flow(req)))
			return true;
	return false;
}

/*
 * An ACK of no dialog: it cannot be challenged, so where it comes from has to do. With a To tag it
 * is that of a refusal, which nothing is kept of.
 */
static void route_stray_ack(struct daemon *d, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	char phone[HD_PHONE_ID_SIZE];
	struct hd_uri uri, to;
	struct hd_plan plan;

	hd_msg_ruri(msg, &uri);
	hd_msg_to_uri(msg, &to);
	if (hd_msg_to_tag(msg)[0] || !hd_agent_is_us(d->agent, &uri) ||
	    !hd_agent_is_us(d->agent, &to) || !is_registered_sender(d, req, phone) ||
	    make_plan(d, hd_request_msg(req), uri.user, phone, &plan)) {
		hd_request_drop(req);
		return;
	}
	if (plan.verdict == HD_PLAN_PHONE)
		forward(d, req, &plan, phone);
	else
		hd_request_drop(req);
	hd_feature_wipe(&plan.feature);
}

static void route_ack(struct daemon *d, struct hd_request *req)
{
	enum hd_proxy_route route;

	if (hd_msg_max_forwards(hd_request_msg(req)) == 0) { /* nothing is answered to an ACK */
		hd_request_drop(req);
		return;
	}
	if (hd_features_receive_in_dialog(d->features, req, NULL) == HD_FEATURES_ENDED)
		return;
	route = hd_proxy_classify(d->proxy, req);
	if (route == HD_PROXY_DIALOG)
		hd_proxy_forward_in_dialog(d->proxy, req);
	else if (route == HD_PROXY_NO_ROUTE)
		route_stray_ack(d, req);
	else
		hd_request_drop(req);
}

static void route_register(struct daemon *d, struct hd_request *req)
{
	char phone[HD_DIGEST_USER_SIZE];
	struct hd_uri uri;

	hd_msg_ruri(hd_request_msg(req), &uri);
	if (hd_agent_is_us(d->agent, &uri))
		hd_registrar_receive(d->registrar, req);
	else if (hd_auth_request(d->auth, req, phone, NULL)) /* strangers learn no names of ours */
		hd_request_reply(req, 404, NULL, NULL);
}

/* @return true: of a dialog of a feature code, and ended */
static bool route_in_dialog(struct daemon *d, struct hd_request *req)
{
	enum hd_features_claim claim = hd_features_receive_in_dialog(d->features, req, NULL);
	char phone[HD_DIGEST_USER_SIZE];

	if (claim == HD_FEATURES_UNPROVED) {
		if (!hd_auth_request(d->auth, req, phone, NULL))
			return true;
		claim = hd_features_receive_in_dialog(d->features, req, phone);
	}
	return claim == HD_FEATURES_ENDED;
}

static void route_request(struct daemon *d, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	enum hd_proxy_route route;
	char phone[HD_DIGEST_USER_SIZE];

	if (hd_msg_to_tag(msg)[0] && route_in_dialog(d, req))
		return;
	if (hd_msg_method(msg) == HD_METHOD_SUBSCRIBE && hd_pnp_receive(d->pnp, req))
		return;
	if (!hd_proxy_validate(d->proxy, req))
		return;
	route = hd_proxy_classify(d->proxy, req);
	if (route == HD_PROXY_DIALOG)
		hd_proxy_forward_in_dialog(d->proxy, req);
	else if (route == HD_PROXY_FORGED)
		refuse(req, 403, hd_request_flow(req), "Route token is not ours");
	else if (route == HD_PROXY_NO_ROUTE && is_options_to_us(d, msg))
		hd_request_reply(req, 200, NULL, capabilities);
	else if (route == HD_PROXY_NO_ROUTE && daemon_upstream_receive(d, req))
		return;
	else if (hd_auth_request(d->auth, req, phone, NULL))
		route_authenticated(d, req, phone, route);
}

void daemon_route(void *arg, struct hd_request *req)
{
	struct daemon *d = arg;

	switch (hd_msg_method(hd_request_msg(req))) {
	case HD_METHOD_ACK:
		route_ack(d, req);
		return;
	case HD_METHOD_CANCEL:
		hd_request_reply(req, 481, NULL, NULL);
		return;
	case HD_METHOD_REGISTER:
		route_register(d, req);
		return;
	default:
		route_request(d, req);
		return;
	}
}
