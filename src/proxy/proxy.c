/* proxy.c - what is forwarded, and where to (RFC 3261 16.3-16.6); see hotdesk/proxy.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alias.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/sip/overload.h"
#include "veil.h"

int hd_proxy_new(struct hd_proxy **pp, const struct hd_proxy_options *options)
{
	struct hd_proxy *proxy;

	if (!options || !options->agent || !options->realm)
		return HD_EINVAL;
	proxy = calloc(1, sizeof(*proxy));
	if (!proxy)
		return HD_ENOMEM;
	proxy->options = *options;
	alias_key_derive(&proxy->alias_key, &options->key);
	proxy->accepted = accepted_table_new();
	if (!proxy->accepted) {
		free(proxy);
		return HD_ENOMEM;
	}
	response_context_metrics();
	calls_init(proxy);
	moves_init();
	challenge_metrics();
	*pp = proxy;
	return 0;
}

void hd_proxy_free(struct hd_proxy *proxy)
{
	if (!proxy)
		return;
	response_context_end_all(proxy);
	calls_fini(proxy);
	accepted_table_free(proxy->accepted);
	hd_wipe(&proxy->options.key, sizeof(proxy->options.key));
	hd_wipe(&proxy->alias_key, sizeof(proxy->alias_key));
	free(proxy);
}

void hd_proxy_set_limits(struct hd_proxy *proxy, const struct hd_proxy_limits *limits)
{
	proxy->options.limits = *limits;
}

void hd_proxy_set_call_max(struct hd_proxy *proxy, uint32_t call_max_s)
{
	proxy->options.call_max_s = call_max_s;
}

size_t hd_proxy_open(const struct hd_proxy *proxy)
{
	return proxy->n_open;
}

/* ---- routes (16.4) -------------------------------------------------------------------------- */

/* The URI that should hold our token: the Request-URI of a strict router, or the topmost Route. */
static bool own_route(struct hd_proxy *proxy, const struct hd_msg *msg, struct hd_uri *uri,
		      bool *strictp)
{
	struct hd_slice value;

	hd_msg_ruri(msg, uri);
	*strictp = uri->user.len > 20 && hd_uri_param(uri, "lr", &value) &&
		   hd_agent_is_us(proxy->options.agent, uri);
	return *strictp || hd_msg_route(msg, uri);
}

/*
 * A token vouches for its dialog only: with it nobody begins another without a digest. A caller of
 * RFC 2543 may have had no tag, and the callee then has none to put into To (12.2.1.1).
 */
static bool is_inside(const struct hd_msg *msg, const struct route_token *token)
{
	enum hd_method method = hd_msg_method(msg);

	if (method == HD_METHOD_ACK || hd_msg_to_tag(msg)[0])
		return true;
	return token->caller_tag == route_tag_hash("") && hd_msg_from_tag(msg)[0] &&
	       (method == HD_METHOD_BYE || method == HD_METHOD_INFO || method == HD_METHOD_UPDATE ||
		method == HD_METHOD_PRACK);
}

enum hd_proxy_route hd_proxy_classify(struct hd_proxy *proxy, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct route_token token;
	struct alias alias;
	struct hd_uri uri;
	bool strict;

	if (!own_route(proxy, msg, &uri, &strict))
		return HD_PROXY_NO_ROUTE;
	if (!hd_agent_is_us(proxy->options.agent, &uri))
		return HD_PROXY_FOREIGN;
	switch (route_token_parse(&token, &proxy->options.key, hd_msg_call_id(msg), uri.user)) {
	case 0:
		if (alias_find(&alias, proxy, hd_msg_call_id(msg), &uri) == HD_EACCESS)
			return HD_PROXY_FORGED;
		return is_inside(msg, &token) ? HD_PROXY_DIALOG : HD_PROXY_NO_ROUTE;
	case HD_ENOENT:
		return HD_PROXY_NO_ROUTE;
	default:
		return HD_PROXY_FORGED;
	}
}

void pop_own_routes(struct hd_proxy *proxy, struct hd_msg *msg)
{
	struct hd_uri uri;

	while (hd_msg_route(msg, &uri) && hd_agent_is_us(proxy->options.agent, &uri))
		hd_msg_pop_route(msg);
}

bool hd_proxy_validate(struct hd_proxy *proxy, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_buf lines = { 0 };
	const char *tags;

	if (hd_msg_method(msg) == HD_METHOD_INVITE && accepted_is_repeated(proxy, msg)) {
		hd_request_drop(req);
		return false;
	}
	if (hd_msg_max_forwards(msg) == 0) {
		hd_request_reply(req, 483, NULL, NULL);
		return false;
	}
	if (hd_msg_via_count(msg) > 1 &&
	    hd_agent_has_sent(proxy->options.agent, msg, forward_loop_hash(msg))) {
		hd_request_reply(req, 482, NULL, NULL);
		return false;
	}
	for (unsigned i = 0; (tags = hd_msg_header(msg, "Proxy-Require", i)); i++)
		if (*tags)
			hd_buf_addf(&lines, "Unsupported: %s\r\n", tags);
	if (lines.len == 0)
		return true;
	hd_request_reply(req, 420, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
	return false;
}

/* ---- initial requests ----------------------------------------------------------------------- */

/* One of no dialog, which ends a transaction of its own branch at most: to the first of them. */
static void forward_ack(struct hd_proxy *proxy, struct hd_request *req, struct forward *fwd,
			size_t n)
{
	for (size_t i = 1; i < n; i++)
		hd_msg_free(fwd[i].msg);
	if (stateless_forward(proxy, &fwd[0], hd_request_flow(req)))
		hd_log_call(HD_LOG_INFO, "proxy", hd_msg_call_id(hd_request_msg(req)),
			    "ACK not sent");
	hd_request_drop(req);
}

void hd_proxy_forward(struct hd_proxy *proxy, struct hd_request *req,
		      const struct hd_proxy_target *targets, size_t n)
{
	const struct received received = { hd_request_msg(req), hd_request_flow(req) };
	struct forward fwd[HD_PROXY_TARGETS_MAX];
	size_t used = 0;
	int err = HD_EINVAL;

	for (size_t i = 0; i < n && used < HD_PROXY_TARGETS_MAX; i++) {
		err = forward_copy(&fwd[used], proxy, &received, &targets[i]);
		used += !err;
	}
	if (used > 1)
		forward_sort(fwd, used);
	if (used > 1 && !forward_share_breadth(fwd, used, proxy->options.limits.max_breadth)) {
		for (size_t i = 0; i < used; i++)
			hd_msg_free(fwd[i].msg);
		hd_request_reply(req, 440, "Max-Breadth Exceeded", NULL);
		return;
	}
	if (used > 0 && hd_msg_method(hd_request_msg(req)) == HD_METHOD_ACK)
		forward_ack(proxy, req, fwd, used);
	else if (used > 0)
		response_context_begin(proxy, req, fwd, used);
	else if (err == HD_EACCESS)
		hd_request_reply(req, 403, "Route Not Allowed", NULL);
	else if (err == HD_EUNSUPPORTED)
		secure_refuse(req);
	else if (err == HD_ENOMEM)
		hd_request_shed(req, HD_SHED_MEMORY);
	else if (err == HD_ELIMIT)
		hd_request_reply(req, 400, "From Is Too Long", NULL);
	else
		hd_request_reply(req, 500, NULL, NULL);
}

/* ---- inside a dialog ------------------------------------------------------------------------ */

struct hop {
	struct route_token token;
	char flow[HD_FLOW_TEXT_SIZE];
	struct hd_binding moved;
	struct hd_target target;
};

/* Only where the request would go to the old place: the peer may know the new one by now. */
static bool hop_to_moved(struct hd_proxy *proxy, struct hop *hop, struct hd_msg *msg,
			 const struct route_token *token, bool from_caller)
{
	const struct hd_flow *flow = from_caller ? &token->callee : &token->caller;
	bool flow_only = from_caller ? token->callee_flow_only : token->caller_flow_only;
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	if (!flow_only && !hd_flow_is_at(flow, &uri))
		return false;
	if (!moved_find(&hop->moved, proxy, token, hd_msg_ruri_text(msg), !from_caller))
		return false;
	hd_flow_target(proxy->options.agent, hop->moved.flow, hop->moved.contact_uri, &hop->target);
	return true;
}

/* @return 0; HD_EGONE: the connection that alone led there is closed */
static int hop_by_token(struct hd_proxy *proxy, struct hop *hop, struct hd_msg *msg,
			const struct route_token *token)
{
	bool from_caller = route_tag_hash(hd_msg_from_tag(msg)) == token->caller_tag;
	const struct hd_flow *flow = from_caller ? &token->callee : &token->caller;
	bool flow_only = from_caller ? token->callee_flow_only : token->caller_flow_only;
	bool no_other = from_caller ? token->callee_no_other : token->caller_no_other;

	hd_flow_format(hop->flow, sizeof(hop->flow), flow);
	if (hop_to_moved(proxy, hop, msg, token, from_caller))
		return 0;
	hop->target.uri = hd_msg_ruri_text(msg);
	hop->target.via = hop->flow;
	if (flow_only && hd_flow_is_alive(proxy->options.agent, hop->flow))
		hop->target.flow = hop->flow;
	else if (flow_only && flow->transport == 0)
		hop->target.flow = hop->flow;
	else if (flow_only && no_other)
		return HD_EGONE;
	return 0;
}

/* @param route of ours: of several, one after the other, the first that has an alias counts */
static int rename_in_dialog(struct hd_proxy *proxy, struct forward *fwd, struct alias *alias,
			    const struct route_token *token, const struct hd_uri *route)
{
	int err =
		fwd->alias ? HD_ENOENT : alias_find(alias, proxy, hd_msg_call_id(fwd->msg), route);

	if (err)
		return err == HD_ENOENT ? 0 : err;
	fwd->from_caller = route_tag_hash(hd_msg_from_tag(fwd->msg)) == token->caller_tag;
	fwd->alias = alias;
	fwd->record.renamed = true;
	return hd_msg_set_party(fwd->msg, !fwd->from_caller,
				fwd->from_caller ? alias->shown : alias->own);
}

static int ruri_from_last_route(struct hd_msg *msg)
{
	struct hd_buf last = { 0 };
	int err;

	hd_msg_last_route_text(msg, &last);
	err = hd_buf_error(&last);
	if (!err)
		err = hd_msg_set_ruri(msg, hd_buf_text(&last));
	hd_buf_fini(&last);
	if (!err)
		hd_msg_pop_last_route(msg);
	return err;
}

/* 16.4, 16.6 steps 6 and 7. @return 0 or an error: nothing was sent */
static int route_in_dialog(struct hd_proxy *proxy, struct forward *fwd, struct alias *alias,
			   struct hop *hop)
{
	struct hd_msg *msg = fwd->msg;
	struct hd_uri uri;
	struct hd_slice lr;
	bool strict;
	int err;

	memset(hop, 0, sizeof(*hop));
	if (!own_route(proxy, msg, &uri, &strict))
		return HD_EINVAL;
	err = route_token_parse(&hop->token, &proxy->options.key, hd_msg_call_id(msg), uri.user);
	if (!err && strict)
		err = rename_in_dialog(proxy, fwd, alias, &hop->token, &uri);
	if (!err && strict && hd_msg_last_route(msg, &uri))
		err = ruri_from_last_route(msg);
	while (!err && hd_msg_route(msg, &uri) && hd_agent_is_us(proxy->options.agent, &uri)) {
		err = rename_in_dialog(proxy, fwd, alias, &hop->token, &uri);
		hd_msg_pop_route(msg);
	}
	if (err)
		return err;
	fwd->record.veiled = veil_lift(proxy, msg);
	if (hop->token.caller_private &&
	    route_tag_hash(hd_msg_from_tag(msg)) == hop->token.caller_tag) {
		err = veil_contact(proxy, msg);
		if (err)
			return err;
	}
	if (!hd_msg_route(msg, &uri))
		return hop_by_token(proxy, hop, msg, &hop->token);
	hop->target.uri = hd_msg_route_text(msg);
	if (hd_uri_param(&uri, "lr", &lr))
		return 0;
	err = hd_msg_append_route(msg, hd_msg_ruri_text(msg));
	if (!err)
		err = hd_msg_set_ruri(msg, hop->target.uri);
	hd_msg_pop_route(msg);
	return err;
}

void hd_proxy_forward_in_dialog(struct hd_proxy *proxy, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct forward fwd = { .what = "in dialog" };
	struct alias alias;
	struct hop hop;
	int err;

	fwd.msg = hd_msg_copy(msg);
	err = fwd.msg ? route_in_dialog(proxy, &fwd, &alias, &hop) : HD_ENOMEM;
	if (!err && !secure_may_leave(hd_msg_ruri_text(fwd.msg), &hop.target))
		err = HD_EUNSUPPORTED;
	if (!err)
		err = hd_msg_step_max_forwards(fwd.msg, proxy->options.limits.max_forwards);
	if (err) {
		hd_msg_free(fwd.msg);
		if (err == HD_EGONE)
			hd_request_reply(req, 430, "Flow Failed", NULL);
		else if (err == HD_EUNSUPPORTED)
			secure_refuse(req);
		else
			hd_request_reply(req, err == HD_EACCESS ? 403 : 500, NULL, NULL);
		return;
	}
	calls_note_request(proxy, msg, &hop.token);
	fwd.target = hop.target;
	if (clean(proxy, fwd.msg, msg))
		identity_withhold(fwd.msg, hd_target_is_trusted(proxy->options.agent, &fwd.target));
	challenge_expect(proxy, &fwd, &hop.token);
	if (hd_msg_method(msg) != HD_METHOD_ACK &&
	    (hd_msg_method(msg) == HD_METHOD_INVITE || hd_request_is_stream(req) ||
	     fwd.account[0] || hd_target_takes_tcp(proxy->options.agent, fwd.msg, &fwd.target))) {
		fwd.alias = NULL;
		response_context_begin(proxy, req, &fwd, 1);
		return;
	}
	if (hd_msg_method(msg) == HD_METHOD_ACK)
		response_context_acked(proxy, hd_msg_call_id(msg), hd_msg_cseq(msg));
	err = stateless_forward(proxy, &fwd, hd_request_flow(req));
	if (err)
		hd_log_call(HD_LOG_INFO, "proxy", hd_msg_call_id(msg), "%s not sent: %s",
			    hd_msg_method_name(msg), hd_strerror(err));
	if (err && hd_msg_method(msg) != HD_METHOD_ACK)
		hd_request_reply(req, 500, "Next Hop Cannot Be Reached", NULL);
	else
		hd_request_drop(req);
}
