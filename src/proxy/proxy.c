/* proxy.c - what is forwarded, and how the copy is made (RFC 3261 16.3-16.6); see hotdesk/proxy.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/sip/overload.h"
#include "proxy_priv.h"

int hd_proxy_new(struct hd_proxy **pp, const struct hd_proxy_options *options)
{
	struct hd_proxy *proxy;

	if (!options || !options->agent || !options->realm)
		return HD_EINVAL;
	proxy = calloc(1, sizeof(*proxy));
	if (!proxy)
		return HD_ENOMEM;
	proxy->options = *options;
	response_context_metrics();
	calls_init(proxy);
	*pp = proxy;
	return 0;
}

void hd_proxy_free(struct hd_proxy *proxy)
{
	if (!proxy)
		return;
	response_context_end_all(proxy);
	calls_fini(proxy);
	hd_wipe(&proxy->options.key, sizeof(proxy->options.key));
	free(proxy);
}

void hd_proxy_set_timer_c(struct hd_proxy *proxy, uint32_t timer_c_s)
{
	proxy->options.timer_c_s = timer_c_s;
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

enum hd_proxy_route hd_proxy_classify(struct hd_proxy *proxy, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct route_token token;
	struct hd_uri uri;
	bool strict;

	if (!own_route(proxy, msg, &uri, &strict))
		return HD_PROXY_NO_ROUTE;
	if (!hd_agent_is_us(proxy->options.agent, &uri))
		return HD_PROXY_FOREIGN;
	switch (route_token_parse(&token, &proxy->options.key, hd_msg_call_id(msg), uri.user)) {
	case 0:
		return HD_PROXY_DIALOG;
	case HD_ENOENT:
		return HD_PROXY_NO_ROUTE;
	default:
		return HD_PROXY_FORGED;
	}
}

static void pop_own_routes(struct hd_proxy *proxy, struct hd_msg *msg)
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

/* ---- the copy (16.6) ------------------------------------------------------------------------ */

static bool may_make_dialog(enum hd_method method)
{
	switch (method) {
	case HD_METHOD_INVITE:
	case HD_METHOD_SUBSCRIBE:
	case HD_METHOD_NOTIFY:
	case HD_METHOD_REFER:
	case HD_METHOD_OTHER:
		return true;
	default:
		return false;
	}
}

/* Where the copy leaves, or will leave as far as is known now. */
static void callee_flow(struct hd_proxy *proxy, struct hd_flow *flow,
			const struct hd_target *target, const char *fallback)
{
	if (hd_target_flow(proxy->options.agent, target, flow) && hd_flow_parse(flow, fallback))
		memset(flow, 0, sizeof(*flow));
}

static int add_route(struct hd_proxy *proxy, struct hd_msg *msg, const struct hd_flow *side,
		     const char *token, bool sips)
{
	char local[160], uri[160 + TOKEN_SIZE];
	int err;

	err = hd_flow_local_uri(proxy->options.agent, side, local, sizeof(local));
	if (err)
		return err;
	if (sips)
		local[strcspn(local, ";")] = '\0';
	snprintf(uri, sizeof(uri), "%s:%s@%s;lr", sips ? "sips" : "sip", token,
		 local + strlen("sip:"));
	return hd_msg_add_record_route(msg, uri);
}

int record_route(struct hd_proxy *proxy, struct hd_msg *msg, const struct record *record)
{
	const struct route_token *token = &record->token;
	char text[TOKEN_SIZE];
	int err;

	route_token_format(text, &proxy->options.key, hd_msg_call_id(msg), token);
	if (token->caller.listener == token->callee.listener)
		return add_route(proxy, msg, &token->caller, text, record->leaves_secure);
	err = add_route(proxy, msg, &token->caller, text, record->asked_secure);
	return err ? err : add_route(proxy, msg, &token->callee, text, record->leaves_secure);
}

static int make_record(struct hd_proxy *proxy, struct record *record, const struct forward *fwd,
		       const char *caller_flow, const struct hd_proxy_target *target)
{
	struct route_token *token = &record->token;
	const struct hd_target *hop = &fwd->target;
	struct hd_uri contact;
	bool known;

	if (hd_flow_parse(&token->caller, caller_flow))
		return HD_EINVAL;
	record->asked_secure = secure_is_asked(fwd->msg);
	record->leaves_secure = record->asked_secure || secure_is_sips(target->contact_uri);
	callee_flow(proxy, &token->callee, hop, target->flow);
	token->caller_tag = route_tag_hash(hd_msg_from_tag(fwd->msg));
	known = hd_msg_contact_uri(fwd->msg, &contact);
	token->caller_flow_only = token->caller.transport != 0 || token->caller.nat || !known;
	token->callee_flow_only = hop->flow != NULL;
	token->caller_no_other = token->caller.nat || (known && hd_uri_param(&contact, "ob", NULL));
	token->callee_no_other = hop->flow && (token->callee.nat || target->outbound);
	moved_remember(proxy, token, target);
	if (!hd_target_is_name(hop))
		return record_route(proxy, fwd->msg, record);
	/* What the name leads to is no binding of the phone, and so cannot move. */
	token->callee_phone[0] = '\0';
	record->wanted = true;
	return 0;
}

static void clean(struct hd_proxy *proxy, struct hd_msg *copy, struct hd_request *req)
{
	hd_msg_remove_credentials(copy, proxy->options.realm);
	identity_clean(proxy, copy, hd_request_msg(req));
}

/*
 * A copy for one target. @return 0; HD_EACCESS: a Route leads elsewhere; HD_EUNSUPPORTED: it is not
 * secure; other errors
 */
static int copy_for(struct forward *fwd, struct hd_proxy *proxy, struct hd_request *req,
		    const struct hd_proxy_target *target)
{
	const struct hd_way way = { .flow = target->flow,
				    .contact_uri = target->contact_uri,
				    .path = target->path,
				    .outbound = target->outbound };
	struct hd_uri left;
	int err;

	memset(fwd, 0, sizeof(*fwd));
	fwd->msg = hd_msg_copy(hd_request_msg(req));
	if (!fwd->msg)
		return HD_ENOMEM;
	fwd->what = target->user;
	fwd->q_permille = target->q_permille;
	fwd->initial = target;
	pop_own_routes(proxy, fwd->msg);
	if (hd_msg_route(fwd->msg, &left)) {
		hd_msg_free(fwd->msg);
		return HD_EACCESS;
	}
	clean(proxy, fwd->msg, req);
	err = hd_msg_route_to(proxy->options.agent, fwd->msg, &way, &fwd->target);
	if (!err)
		err = secure_check(req, target->contact_uri, &fwd->target);
	if (!err)
		err = identity_assert(proxy, fwd->msg, &fwd->target, target->identity);
	if (!err)
		err = hd_msg_step_max_forwards(fwd->msg);
	if (!err && may_make_dialog(hd_msg_method(fwd->msg)))
		err = make_record(proxy, &fwd->record, fwd, hd_request_flow(req), target);
	if (!err)
		err = hd_msg_set_ruri(fwd->msg, target->contact_uri);
	if (!err)
		return 0;
	hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(hd_request_msg(req)),
		    "%s: cannot be forwarded: %s", target->user, hd_strerror(err));
	hd_msg_free(fwd->msg);
	return err;
}

void hd_proxy_forward(struct hd_proxy *proxy, struct hd_request *req,
		      const struct hd_proxy_target *targets, size_t n)
{
	uint32_t loop = forward_loop_hash(hd_request_msg(req));
	struct forward fwd[HD_PROXY_TARGETS_MAX];
	size_t used = 0;
	int err = HD_EINVAL;

	for (size_t i = 0; i < n && used < HD_PROXY_TARGETS_MAX; i++) {
		err = copy_for(&fwd[used], proxy, req, &targets[i]);
		fwd[used].target.loop = loop;
		used += !err;
	}
	if (used > 1)
		forward_sort(fwd, used);
	if (used > 1 && !forward_share_breadth(fwd, used)) {
		for (size_t i = 0; i < used; i++)
			hd_msg_free(fwd[i].msg);
		hd_request_reply(req, 440, "Max-Breadth Exceeded", NULL);
		return;
	}
	if (used > 0)
		response_context_begin(proxy, req, fwd, used);
	else if (err == HD_EACCESS)
		hd_request_reply(req, 403, "Route Not Allowed", NULL);
	else if (err == HD_EUNSUPPORTED)
		secure_refuse(req);
	else if (err == HD_ENOMEM)
		hd_request_shed(req, HD_SHED_MEMORY);
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

/* 16.4, 16.6 steps 6 and 7. @return 0 or an error: nothing was sent */
static int route_in_dialog(struct hd_proxy *proxy, struct hd_msg *msg, struct hop *hop)
{
	struct hd_uri uri;
	struct hd_slice lr;
	bool strict;
	int err;

	memset(hop, 0, sizeof(*hop));
	if (!own_route(proxy, msg, &uri, &strict))
		return HD_EINVAL;
	err = route_token_parse(&hop->token, &proxy->options.key, hd_msg_call_id(msg), uri.user);
	if (err)
		return err;
	if (strict && hd_msg_last_route(msg, &uri)) {
		struct hd_buf last = { 0 };

		hd_msg_last_route_text(msg, &last);
		err = hd_buf_error(&last);
		if (!err)
			err = hd_msg_set_ruri(msg, hd_buf_text(&last));
		hd_buf_fini(&last);
		if (err)
			return err;
		hd_msg_pop_last_route(msg);
	}
	pop_own_routes(proxy, msg);
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
	struct hop hop;
	int err;

	fwd.msg = hd_msg_copy(msg);
	err = fwd.msg ? route_in_dialog(proxy, fwd.msg, &hop) : HD_ENOMEM;
	if (!err && !secure_may_leave(hd_msg_ruri_text(fwd.msg), &hop.target))
		err = HD_EUNSUPPORTED;
	if (!err)
		err = hd_msg_step_max_forwards(fwd.msg);
	if (err) {
		hd_msg_free(fwd.msg);
		if (err == HD_EGONE)
			hd_request_reply(req, 430, "Flow Failed", NULL);
		else if (err == HD_EUNSUPPORTED)
			secure_refuse(req);
		else
			hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	calls_note_request(proxy, msg, &hop.token);
	clean(proxy, fwd.msg, req);
	fwd.target = hop.target;
	if (hd_msg_method(msg) != HD_METHOD_ACK &&
	    (hd_msg_method(msg) == HD_METHOD_INVITE || hd_request_is_stream(req) ||
	     hd_target_takes_tcp(proxy->options.agent, fwd.msg, &fwd.target))) {
		response_context_begin(proxy, req, &fwd, 1);
		return;
	}
	if (hd_msg_method(msg) == HD_METHOD_ACK)
		response_context_acked(proxy, hd_msg_call_id(msg), hd_msg_cseq(msg));
	err = stateless_forward(proxy, &fwd);
	if (err)
		hd_log_call(HD_LOG_INFO, "proxy", hd_msg_call_id(msg), "%s not sent: %s",
			    hd_msg_method_name(msg), hd_strerror(err));
	if (err && hd_msg_method(msg) != HD_METHOD_ACK)
		hd_request_reply(req, 500, "Next Hop Cannot Be Reached", NULL);
	else
		hd_request_drop(req);
}
