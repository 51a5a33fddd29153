/* copy.c - a request as it leaves for one target (RFC 3261 16.6); see proxy_priv.h. */
#include <stdio.h>
#include <string.h>

#include "alias.h"
#include "hotdesk/base/log.h"

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

static const char alias_param[] = ";" ALIAS_PARAM "=";

/* @param user the token, and maybe a parameter behind it */
static int add_route(struct hd_proxy *proxy, struct hd_msg *msg, const struct hd_flow *side,
		     const char *user, bool sips)
{
	char local[160], uri[160 + TOKEN_SIZE + sizeof(alias_param) + ALIAS_SIZE];
	int err;

	err = hd_flow_local_uri(proxy->options.agent, side, local, sizeof(local));
	if (err)
		return err;
	if (sips)
		local[strcspn(local, ";")] = '\0';
	snprintf(uri, sizeof(uri), "%s:%.*s@%s;lr%s", sips ? "sips" : "sip",
		 (int)strcspn(user, ";"), user, local + strlen("sip:"), user + strcspn(user, ";"));
	return hd_msg_add_record_route(msg, uri);
}

static int add_alias(struct hd_proxy *proxy, char *text, struct hd_msg *msg,
		     struct hd_msg *received)
{
	struct alias alias;
	size_t n = strlen(text);
	int err = alias_read(&alias, received, msg);

	if (err)
		return err;
	alias_format(text + n + sizeof(alias_param) - 1, &proxy->alias_key, hd_msg_call_id(msg),
		     text, &alias);
	memcpy(text + n, alias_param, sizeof(alias_param) - 1);
	return 0;
}

int record_route(struct hd_proxy *proxy, struct hd_msg *msg, const struct record *record,
		 struct hd_msg *received)
{
	const struct route_token *token = &record->token;
	char text[TOKEN_SIZE + sizeof(alias_param) + ALIAS_SIZE];
	int err;

	route_token_format(text, &proxy->options.key, hd_msg_call_id(msg), token);
	if (record->renamed) {
		err = add_alias(proxy, text, msg, received);
		if (err)
			return err;
	}
	if (hd_flow_is_beside(&token->caller, &token->callee))
		return add_route(proxy, msg, &token->caller, text, record->leaves_secure);
	err = add_route(proxy, msg, &token->caller, text, record->asked_secure);
	return err ? err : add_route(proxy, msg, &token->callee, text, record->leaves_secure);
}

static void set_account(struct route_token *token, const struct hd_proxy_target *target)
{
	const char *account = target->account ? target->account : target->caller_account;

	token->caller_is_server = account && !target->account;
	if (hd_str_set(token->account, sizeof(token->account), account ? account : ""))
		token->account[0] = '\0';
}

static int make_record(struct hd_proxy *proxy, struct record *record, const struct forward *fwd,
		       const struct received *received, const struct hd_proxy_target *target)
{
	struct route_token *token = &record->token;
	const struct hd_target *hop = &fwd->target;
	struct hd_uri contact;
	bool known;

	if (hd_flow_parse(&token->caller, received->flow))
		return HD_EINVAL;
	record->asked_secure = secure_is_asked(fwd->msg);
	record->leaves_secure = record->asked_secure || secure_is_sips(target->contact_uri);
	callee_flow(proxy, &token->callee, hop, target->flow);
	token->caller_tag = route_tag_hash(hd_msg_from_tag(fwd->msg));
	known = hd_msg_contact_uri(received->msg, &contact); /* before a veil */
	token->caller_flow_only = token->caller.transport != 0 || token->caller.nat || !known;
	token->callee_flow_only = hop->flow != NULL;
	token->caller_no_other = token->caller.nat || (known && hd_uri_param(&contact, "ob", NULL));
	token->callee_no_other = hop->flow && (token->callee.nat || target->outbound);
	moved_remember(proxy, token, target);
	set_account(token, target);
	if (!hd_target_is_name(hop))
		return record_route(proxy, fwd->msg, record, received->msg);
	/* What the name leads to is no binding of the phone, and so cannot move. */
	token->callee_phone[0] = '\0';
	record->wanted = true;
	return 0;
}

bool clean(struct hd_proxy *proxy, struct hd_msg *copy, const struct hd_msg *received)
{
	hd_msg_remove_credentials(copy, proxy->options.realm);
	return identity_clean(proxy, copy, received);
}

int forward_copy(struct forward *fwd, struct hd_proxy *proxy, const struct received *received,
		 const struct hd_proxy_target *target)
{
	const struct hd_way way = { .flow = target->flow,
				    .contact_uri = target->contact_uri,
				    .path = target->path,
				    .outbound = target->outbound };
	struct hd_uri left;
	int err;

	memset(fwd, 0, sizeof(*fwd));
	fwd->msg = hd_msg_copy(received->msg);
	if (!fwd->msg)
		return HD_ENOMEM;
	fwd->what = target->user;
	fwd->q_permille = target->q_permille;
	fwd->answer_ms = target->answer_ms;
	fwd->emergency = target->emergency;
	if (target->account && hd_str_set(fwd->account, sizeof(fwd->account), target->account)) {
		hd_msg_free(fwd->msg);
		return HD_ELIMIT;
	}
	fwd->initial = target;
	pop_own_routes(proxy, fwd->msg);
	if (hd_msg_route(fwd->msg, &left)) {
		hd_msg_free(fwd->msg);
		return HD_EACCESS;
	}
	(void)clean(proxy, fwd->msg, received->msg);
	err = hd_msg_route_to(proxy->options.agent, fwd->msg, &way, &fwd->target);
	fwd->target.loop = forward_loop_hash(received->msg);
	if (!err)
		err = secure_check(received, target->contact_uri, &fwd->target);
	if (!err)
		err = identity_assert(proxy, fwd, target);
	if (!err)
		err = identity_rename(proxy, fwd, received->msg, target);
	if (!err)
		err = hd_msg_step_max_forwards(fwd->msg, proxy->options.limits.max_forwards);
	if (!err && target->alert) {
		hd_msg_remove(fwd->msg, "Alert-Info");
		hd_msg_remove(fwd->msg, "Answer-Mode");
		err = hd_msg_add(fwd->msg, target->alert);
	}
	if (!err)
		identity_clean_diversion(proxy, fwd->msg, received->msg, target);
	if (!err && target->diversion) {
		hd_msg_remove(fwd->msg, "Diversion");
		err = hd_msg_add(fwd->msg, target->diversion);
	}
	if (!err && may_make_dialog(hd_msg_method(fwd->msg)))
		err = make_record(proxy, &fwd->record, fwd, received, target);
	if (!err)
		err = hd_msg_set_ruri(fwd->msg, target->contact_uri);
	if (!err)
		return 0;
	hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(received->msg),
		    "%s: cannot be forwarded: %s", target->user, hd_strerror(err));
	hd_msg_free(fwd->msg);
	return err;
}
