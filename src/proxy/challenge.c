/* challenge.c - servers behind us that want credentials: asked again with ours; see proxy.h. */
#include <stdlib.h>
#include <string.h>

#include "context_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

static struct hd_metric answered = HD_COUNTER("hotdeskd_upstream_challenges", "result=\"answered\"",
					      "401 and 407 of upstreams");
static struct hd_metric refused = HD_COUNTER("hotdeskd_upstream_challenges", "result=\"refused\"",
					     "401 and 407 of upstreams");

void challenge_metrics(void)
{
	hd_metric_register(&answered);
	hd_metric_register(&refused);
}

/* The flow that would be preferred for an initial request is the caller's: any listener will do. */
static int copy_target(struct upstream *up, const struct forward *fwd)
{
	const struct hd_target *target = &fwd->target;
	int err = hd_str_set(up->uri, sizeof(up->uri), target->uri);

	up->fwd.target = (struct hd_target){ .uri = up->uri, .loop = target->loop };
	if (!err && target->flow) {
		up->fwd.target.flow = up->flow;
		err = hd_str_set(up->flow, sizeof(up->flow), target->flow);
	} else if (!err && fwd->in_dialog && target->via) {
		up->fwd.target.via = up->flow;
		err = hd_str_set(up->flow, sizeof(up->flow), target->via);
	}
	return err;
}

struct upstream *upstream_new(const struct forward *fwd)
{
	struct upstream *up = calloc(1, sizeof(*up));

	if (!up)
		return NULL;
	up->fwd = *fwd;
	up->fwd.initial = NULL;
	up->fwd.what = NULL;
	up->fwd.msg = hd_msg_copy(fwd->msg);
	memcpy(up->account, fwd->account, sizeof(up->account));
	if (!up->fwd.msg || copy_target(up, fwd)) {
		upstream_free(up);
		return NULL;
	}
	return up;
}

void upstream_free(struct upstream *up)
{
	if (!up)
		return;
	hd_msg_free(up->fwd.msg);
	hd_uac_auth_free(up->auth);
	free(up);
}

struct asked {
	struct hd_proxy *proxy;
	const char *account;
};

static int look_up(void *arg, struct hd_slice realm, struct hd_uac_credentials *credentials)
{
	const struct asked *asked = arg;
	const struct hd_proxy_options *o = &asked->proxy->options;

	return o->credentials ? o->credentials(o->arg, asked->account, realm, credentials)
			      : HD_ENOENT;
}

static int send_again(struct branch *b, struct hd_msg *response)
{
	struct upstream *up = b->upstream;
	struct asked asked = { b->rc->proxy, up->account };
	struct forward fwd = up->fwd;
	int err = 0;

	if (!up->auth)
		err = hd_uac_auth_new(&up->auth);
	if (!err)
		err = hd_uac_auth_take(up->auth, response, look_up, &asked);
	if (err)
		return err;
	fwd.msg = hd_msg_copy(up->fwd.msg);
	if (!fwd.msg)
		return HD_ENOMEM;
	err = hd_uac_auth_add(up->auth, fwd.msg);
	if (err) {
		hd_msg_free(fwd.msg);
		return err;
	}
	hd_orq_free(b->orq);
	b->orq = NULL;
	branch_send(b, &fwd);
	return 0;
}

/*
 * Only who is at the other end of this dialog, or is the server by its name or address: the phone
 * says where the request goes, and would collect answers to challenges of its own.
 */
void challenge_expect(struct hd_proxy *proxy, struct forward *fwd, const struct route_token *token)
{
	const struct hd_proxy_options *o = &proxy->options;
	bool from_caller = route_tag_hash(hd_msg_from_tag(fwd->msg)) == token->caller_tag;
	struct hd_uri uri;

	fwd->in_dialog = true;
	if (!token->account[0] || from_caller == token->caller_is_server)
		return;
	if (!fwd->target.flow &&
	    (hd_uri_parse(&uri, hd_slice_of(fwd->target.uri)) ||
	     !(hd_flow_is_at(from_caller ? &token->callee : &token->caller, &uri) ||
	       (o->is_server && o->is_server(o->arg, token->account, &uri)))))
		return;
	memcpy(fwd->account, token->account, sizeof(fwd->account));
}

bool upstream_challenged(struct branch *b, struct hd_msg *response)
{
	int err = send_again(b, response);

	hd_metric_add(err ? &refused : &answered, 1);
	if (err)
		hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(response),
			    "%s: challenged by %s: %s", b->rc->what, b->upstream->account,
			    err == HD_ENOENT	? "we have no account there"
			    : err == HD_EACCESS ? "our credentials are refused"
						: hd_strerror(err));
	return !err;
}
