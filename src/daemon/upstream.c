/*
 * upstream.c - the PBX or trunks behind us: who is called there, and whom they call.
 *
 * From outside nobody but a peer is heard without a digest, and a peer reaches users and phones of
 * ours only: no code, no number outside, nobody else's domain.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon_priv.h"
#include "dialling.h"
#include "hotdesk/base/log.h"
#include "upstream_priv.h"

void daemon_upstream_take(struct daemon *d, const struct hd_conf *conf)
{
	const struct hd_conf_upstream *c = &conf->upstream;
	const struct hd_upstream_policy policy = { c->register_rate, c->register_max, c->retry_s,
						   c->retry_max_s };
	struct hd_peer *peers = calloc(c->n_peers ? c->n_peers : 1, sizeof(*peers));
	int err = peers && d->upstreams ? 0 : HD_ENOMEM;

	for (size_t i = 0; !err && i < c->n_peers; i++)
		err = hd_peer_parse(&peers[i], hd_slice_of(c->peers[i]), NULL);
	if (!err)
		err = hd_upstreams_set(d->upstreams, peers, c->n_peers, &policy);
	if (err)
		hd_error("upstream", "peers: %s: the old ones stay", hd_strerror(err));
	d->upstream_answer_ms = c->answer_ms;
	free(peers);
}

void daemon_start_upstream(struct daemon *d)
{
	const struct hd_upstreams_options o = {
		.agent = d->agent,
		.store = d->store,
		.desk = d->desk,
		.accounts = d->accounts,
		.domain = d->domain_copy,
		.clock = d->clock,
	};

	if (hd_upstreams_new(&d->upstreams, &o))
		hd_error("upstream", "no memory: there is none");
	daemon_upstream_take(d, d->conf);
}

void daemon_stop_upstream(struct daemon *d)
{
	hd_upstreams_free(d->upstreams);
	d->upstreams = NULL;
}

int daemon_upstream_credentials(void *arg, const char *account, struct hd_slice realm,
				struct hd_uac_credentials *credentials)
{
	struct daemon *d = arg;

	(void)realm; /* the peer is whom we asked */
	return d->upstreams ? hd_upstreams_credentials(d->upstreams, account, credentials)
			    : HD_ENOENT;
}

/* ---- out ------------------------------------------------------------------------------------ */

/* What the proxy's targets borrow. */
struct way {
	char account[HD_UPSTREAM_ACCOUNT_SIZE];
	struct hd_buf uri;
};
struct ways {
	struct way ways[HD_PEERS_MAX];
	struct hd_proxy_target targets[HD_PEERS_MAX];
	size_t n;
	struct hd_buf identity, diversion;
	char user[HD_NUMBER_SIZE], number[64]; /* without what may be a PIN */
};

static enum hd_number_form form_of(const struct hd_peer *peer)
{
	static const struct {
		const char *name;
		enum hd_number_form form;
	} forms[] = { { "plain", HD_NUMBER_FORM_PLAIN },
		      { "national", HD_NUMBER_FORM_NATIONAL },
		      { "dialled", HD_NUMBER_FORM_DIALLED } };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(peer->form, forms[i].name) == 0)
			return forms[i].form;
	return HD_NUMBER_FORM_E164;
}

static int add_way(struct ways *w, struct daemon *d, const struct hd_peer *peer,
		   const struct hd_number_plan *plan, const struct hd_number *number)
{
	struct way *way = &w->ways[w->n];
	char text[HD_DIALLED_SIZE + sizeof(plan->outside)];
	int err;

	err = hd_number_format(text, sizeof(text), plan, number, form_of(peer));
	if (err)
		return err;
	hd_peer_uri(&way->uri, peer, text);
	hd_upstream_account(way->account, peer, w->user);
	w->targets[w->n] = (struct hd_proxy_target){
		.contact_uri = hd_buf_text(&way->uri),
		.user = w->number,
		.caller_user = w->user,
		.identity = hd_buf_text(&w->identity),
		.q_permille = 1000 - (unsigned)w->n,
		.account = way->account,
		.diversion = w->diversion.len ? hd_buf_text(&w->diversion) : NULL,
		.answer_ms = d->upstream_answer_ms,
	};
	w->n++;
	return hd_buf_error(&way->uri);
}

static void ways_fini(struct ways *w)
{
	for (size_t i = 0; i < HD_PEERS_MAX; i++)
		hd_buf_fini(&w->ways[i].uri);
	hd_buf_fini(&w->identity);
	hd_buf_fini(&w->diversion);
}

static void forward(struct daemon *d, struct hd_request *req, const char *phone, struct ways *w,
		    const struct hd_number *number)
{
	const struct hd_peer *peers[HD_PEERS_MAX];
	struct hd_msg *msg = hd_request_msg(req);
	size_t n = hd_upstreams_find(d->upstreams, number, peers);
	int err;

	err = daemon_identify(d, phone, w->user, &w->identity);
	if (!err)
		err = hd_buf_error(&w->diversion);
	for (size_t i = 0; !err && i < n && i < HD_PROXY_TARGETS_MAX; i++) {
		err = add_way(w, d, peers[i], &d->dialling->numbers, number);
		w->targets[i].caller = phone;
	}
	if (err) {
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: calls %s by %s", phone,
		    w->number, peers[0]->name);
	hd_proxy_forward(d->proxy, req, w->targets, w->n);
}

/* Only calls: nothing else was judged by the caller's class of service. */
static int find_number(struct daemon *d, struct hd_msg *msg, const struct hd_plan *plan,
		       struct hd_number *number)
{
	const struct hd_peer *peers[HD_PEERS_MAX];
	struct hd_uri uri;
	int err = 0;

	if (!d->upstreams || hd_msg_method(msg) != HD_METHOD_INVITE)
		return HD_ENOENT;
	hd_msg_ruri(msg, &uri);
	if (plan->verdict == HD_PLAN_OUTSIDE)
		*number = plan->outside;
	else
		err = hd_number_parse(number, &d->dialling->numbers, uri.user);
	return err || hd_upstreams_find(d->upstreams, number, peers) == 0 ? HD_ENOENT : 0;
}

/* @param lines header fields in addition, or NULL. @return false: no memory */
static bool send_out(struct daemon *d, struct hd_request *req, const char *phone,
		     const struct hd_number *number, const char *lines)
{
	struct ways *w = calloc(1, sizeof(*w));
	struct hd_uri uri;

	if (!w)
		return false;
	hd_msg_ruri(hd_request_msg(req), &uri);
	hd_feature_mask(w->number, sizeof(w->number), &d->planner.codes, uri.user);
	if (lines)
		hd_buf_adds(&w->diversion, lines);
	forward(d, req, phone, w, number);
	ways_fini(w);
	free(w);
	return true;
}

bool daemon_upstream_forward(struct daemon *d, struct hd_request *req, const char *phone,
			     const struct hd_plan *plan)
{
	struct hd_buf diversion = { 0 };
	struct hd_number number;

	if (find_number(d, hd_request_msg(req), plan, &number))
		return false;
	daemon_add_diversions(&diversion, d, plan);
	if (hd_buf_error(&diversion) ||
	    !send_out(d, req, phone, &number, diversion.len ? hd_buf_text(&diversion) : NULL))
		hd_request_reply(req, 500, NULL, NULL);
	hd_buf_fini(&diversion);
	return true;
}

bool daemon_upstream_emergency(struct daemon *d, struct hd_request *req, const char *phone,
			       struct hd_slice dialled, const char *lines)
{
	const struct hd_peer *peers[HD_PEERS_MAX];
	struct hd_number number;

	return d->upstreams && !hd_number_parse(&number, &d->dialling->numbers, dialled) &&
	       hd_upstreams_find(d->upstreams, &number, peers) > 0 &&
	       send_out(d, req, phone, &number, lines);
}

/* ---- in ------------------------------------------------------------------------------------- */

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

	plan->verdict = HD_PLAN_UNKNOWN;
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
	struct hd_buf diversion = { 0 };
	size_t n;

	daemon_add_diversions(&diversion, d, plan);
	if (hd_buf_error(&diversion)) {
		hd_buf_fini(&diversion);
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	n = daemon_targets(targets, plan, NULL);
	for (size_t i = 0; i < n; i++) {
		targets[i].callee_user = plan->user;
		targets[i].diversion = diversion.len ? hd_buf_text(&diversion) : NULL;
	}
	if (hd_msg_method(msg) == HD_METHOD_INVITE)
		hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: calls %s at %s",
			    peer->name, plan->user[0] ? plan->user : plan->phone, plan->phone);
	hd_proxy_forward(d->proxy, req, targets, n);
	hd_buf_fini(&diversion);
}

static bool may_come(enum hd_method method)
{
	return method == HD_METHOD_INVITE || method == HD_METHOD_MESSAGE ||
	       method == HD_METHOD_NOTIFY || method == HD_METHOD_OPTIONS;
}

bool daemon_upstream_receive(struct daemon *d, struct hd_request *req)
{
	const struct hd_peer *peer = hd_upstreams_from(d->upstreams, hd_request_flow(req));
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
	} else if (plan.verdict == HD_PLAN_PHONE) {
		deliver(d, req, peer, &plan);
	} else {
		refuse(req, peer,
		       plan.verdict == HD_PLAN_BUSY	     ? 486
		       : plan.verdict == HD_PLAN_LOOP	     ? 482
		       : plan.verdict == HD_PLAN_UNAVAILABLE ? 480
							     : 404,
		       plan.verdict == HD_PLAN_UNKNOWN ? "nobody of ours" : plan.why);
	}
	return true;
}
