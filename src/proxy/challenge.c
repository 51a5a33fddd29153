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

/* The flow that would be preferred is the caller's, and gone by then: any listener will do. */
struct upstream *upstream_new(const struct forward *fwd)
{
	struct upstream *up = calloc(1, sizeof(*up));

	if (!up)
		return NULL;
	up->fwd = *fwd;
	up->fwd.initial = NULL;
	up->fwd.what = NULL;
	up->fwd.target = (struct hd_target){ .uri = up->uri, .loop = fwd->target.loop };
	up->fwd.msg = hd_msg_copy(fwd->msg);
	memcpy(up->account, fwd->account, sizeof(up->account));
	if (!up->fwd.msg || fwd->target.flow ||
	    hd_str_set(up->uri, sizeof(up->uri), fwd->target.uri)) {
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
