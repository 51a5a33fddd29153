/* upstream.c - the PBX or trunks behind us: who is called there. */
#include <stdlib.h>
#include <string.h>

#include "caller.h"
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
	d->upstream_sent_back_max = c->sent_back_max;
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

static void help_account(struct daemon *d, const struct hd_peer *peer, const char *user,
			 char *account)
{
	struct hd_uac_credentials credentials;

	hd_upstream_account(account, peer, user);
	if (hd_upstreams_credentials(d->upstreams, account, &credentials))
		hd_upstream_account(account, peer, "");
}

bool daemon_upstream_account(struct daemon *d, const struct hd_uri *uri, const char *user,
			     char *account)
{
	const struct hd_peer *peer = d->upstreams ? hd_upstreams_at(d->upstreams, uri) : NULL;

	if (peer)
		help_account(d, peer, user, account);
	return peer != NULL;
}

bool daemon_upstream_is_server(void *arg, const char *account, const struct hd_uri *uri)
{
	const struct daemon *d = arg;

	return d->upstreams && hd_upstreams_is_at(d->upstreams, account, uri);
}

/* ---- out ------------------------------------------------------------------------------------ */

/* What the proxy's targets borrow. */
struct way {
	char account[HD_UPSTREAM_ACCOUNT_SIZE];
	struct hd_buf uri;
};
struct ways {
	struct way ways[HD_PROXY_TARGETS_MAX];
	struct hd_proxy_target targets[HD_PROXY_TARGETS_MAX];
	size_t n;
	struct daemon_caller caller;
	struct hd_buf diversion;
	char number[64];   /* without what may be a PIN */
	const char *payer; /* whose account it is at a peer; NULL: the caller's */
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
	if (number->kind == HD_NUMBER_KIND_EMERGENCY)
		help_account(d, peer, w->caller.user, way->account);
	else
		hd_upstream_account(way->account, peer, w->payer ? w->payer : w->caller.user);
	w->targets[w->n] = (struct hd_proxy_target){
		.contact_uri = hd_buf_text(&way->uri),
		.user = w->number,
		.caller_user = w->caller.user,
		.identity = daemon_caller_identity(&w->caller),
		.emergency = number->kind == HD_NUMBER_KIND_EMERGENCY,
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
	for (size_t i = 0; i < HD_PROXY_TARGETS_MAX; i++)
		hd_buf_fini(&w->ways[i].uri);
	daemon_caller_fini(&w->caller);
	hd_buf_fini(&w->diversion);
}

/* @param phone that calls, or NULL */
static int add_ways(struct ways *w, struct daemon *d, const char *phone,
		    const struct hd_number *number)
{
	const struct hd_peer *peers[HD_PEERS_MAX];
	size_t n = hd_upstreams_find(d->upstreams, number, peers);
	int err = hd_buf_error(&w->diversion);

	for (size_t i = 0; !err && i < n && i < HD_PROXY_TARGETS_MAX; i++) {
		err = add_way(w, d, peers[i], &d->dialling->numbers, number);
		w->targets[i].caller = phone;
	}
	return err ? err : w->n ? 0 : HD_ENOENT;
}

static int identify(struct daemon *d, const char *phone, struct daemon_caller *caller)
{
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	err = daemon_caller_read(caller, d, txn, phone);
	hd_store_end_read(txn);
	return err;
}

/* @param phone that calls, or NULL: somebody outside, whom a user of ours forwards */
static void forward(struct daemon *d, struct hd_request *req, const char *phone, struct ways *w,
		    const struct hd_number *number)
{
	struct hd_msg *msg = hd_request_msg(req);
	int err = 0;

	if (phone)
		err = identify(d, phone, &w->caller);
	if (!err)
		err = add_ways(w, d, phone, number);
	if (err) {
		hd_request_reply(req, 500, NULL, NULL);
		return;
	}
	hd_log_call(HD_LOG_INFO, "route", hd_msg_call_id(msg), "%s: %s %s by %s",
		    phone ? phone : w->payer,
		    hd_msg_method(msg) == HD_METHOD_INVITE ? "calls" : hd_msg_method_name(msg),
		    w->number, w->ways[0].account);
	hd_proxy_forward(d->proxy, req, w->targets, w->n);
}

static bool may_go(enum hd_method method)
{
	switch (method) {
	case HD_METHOD_INVITE:
	case HD_METHOD_MESSAGE:
	case HD_METHOD_SUBSCRIBE:
	case HD_METHOD_OPTIONS:
	case HD_METHOD_PUBLISH:
	case HD_METHOD_REFER:
	case HD_METHOD_INFO:
	case HD_METHOD_NOTIFY:
		return true;
	default:
		return false;
	}
}

static int find_number(struct daemon *d, struct hd_msg *msg, const struct hd_plan *plan,
		       struct hd_number *number)
{
	const struct hd_peer *peers[HD_PEERS_MAX];
	struct hd_uri uri;
	int err = 0;

	if (!d->upstreams || !may_go(hd_msg_method(msg)))
		return HD_ENOENT;
	hd_msg_ruri(msg, &uri);
	if (plan->outside.dialled[0])
		*number = plan->outside;
	else
		err = plan->diverted_by[0]
			      ? HD_ENOENT
			      : hd_number_parse(number, &d->dialling->numbers, uri.user);
	return err || hd_upstreams_find(d->upstreams, number, peers) == 0 ? HD_ENOENT : 0;
}

/*
 * @param payer whose account it is at a peer, or NULL: that of who calls
 * @param lines header fields in addition, or NULL
 * @return false: no memory
 */
static bool send_out(struct daemon *d, struct hd_request *req, const char *phone,
		     const struct hd_number *number, const char *payer, const char *lines)
{
	struct ways *w = calloc(1, sizeof(*w));
	struct hd_uri uri;

	if (!w)
		return false;
	w->payer = payer;
	hd_msg_ruri(hd_request_msg(req), &uri);
	hd_feature_mask(w->number, sizeof(w->number), &d->planner.codes, uri.user);
	if (lines)
		hd_buf_adds(&w->diversion, lines);
	forward(d, req, phone, w, number);
	ways_fini(w);
	free(w);
	return true;
}

/* Whom a REFER has called there, on the account of who sends it. @return false: it says nobody */
static bool refers_to(struct daemon *d, struct hd_msg *msg, struct hd_number *number)
{
	const char *parameters;
	struct hd_uri uri;
	int err;

	/* One, says RFC 3515 2.1. */
	if (hd_msg_header(msg, "Refer-To", 1) || !hd_msg_refer_to_uri(msg, &uri))
		return false;
	parameters = uri.user.len ? memchr(uri.user.ptr, ';', uri.user.len) : NULL;
	if (parameters)
		uri.user.len = (size_t)(parameters - uri.user.ptr);
	err = uri.scheme > HD_URI_TEL ? HD_EPARSE
				      : hd_number_parse(number, &d->dialling->numbers, uri.user);
	if (err)
		number->dialled[0] = '\0'; /* a name, which no class is about */
	/* Of more digits than a number has, the network leaves out those at the end. */
	return err != HD_ELIMIT;
}

/* A call has been judged by now; what else goes there is judged as a call would be. */
static int authorize(struct daemon *d, struct hd_msg *msg, const char *phone,
		     const struct hd_number *number, struct hd_plan *plan)
{
	struct hd_number referred;
	char class[HD_CLASS_SIZE];
	struct hd_txn *txn;
	int err;

	if (hd_msg_method(msg) == HD_METHOD_INVITE)
		return 0;
	err = hd_store_begin_read(d->store, &txn);
	if (err)
		return err;
	plan->number = *number;
	err = hd_plan_class(&d->planner, txn, phone, class);
	hd_store_end_read(txn);
	if (err)
		return err;
	hd_plan_authorize(&d->planner, class, plan);
	if (hd_msg_method(msg) != HD_METHOD_REFER || plan->verdict == HD_PLAN_FORBIDDEN)
		return 0;
	if (!refers_to(d, msg, &referred))
		return HD_EPARSE;
	if (referred.dialled[0]) {
		plan->number = referred;
		hd_plan_authorize(&d->planner, class, plan);
	}
	return 0;
}

bool daemon_upstream_is_asked(struct daemon *d, struct hd_msg *msg)
{
	struct hd_number number;
	struct hd_plan plan;
	struct hd_txn *txn;
	struct hd_uri uri;
	int err;

	hd_msg_ruri(msg, &uri);
	if (hd_number_parse(&number, &d->dialling->numbers, uri.user) ||
	    !daemon_upstream_has(d, &number) || hd_store_begin_read(d->store, &txn))
		return false;
	err = hd_plan_route(&d->planner, txn, uri.user, hd_clock_wall_ms(d->clock), &plan);
	hd_store_end_read(txn);
	if (!err && plan.verdict == HD_PLAN_FEATURE)
		hd_feature_wipe(&plan.feature);
	return !err && plan.verdict == HD_PLAN_UNKNOWN;
}

bool daemon_upstream_forward(struct daemon *d, struct hd_request *req, const char *phone,
			     struct hd_plan *plan)
{
	struct hd_buf diversion = { 0 };
	struct hd_number number;
	int err;

	if (find_number(d, hd_request_msg(req), plan, &number))
		return false;
	err = authorize(d, hd_request_msg(req), phone, &number, plan);
	if (err) {
		hd_request_reply(req, err == HD_EPARSE ? 400 : 500, NULL, NULL);
		return true;
	}
	if (plan->verdict == HD_PLAN_FORBIDDEN) {
		daemon_forbid(d, req, phone, plan);
		return true;
	}
	daemon_add_diversions(&diversion, d, plan);
	if (!phone)
		daemon_keep_diversions(&diversion, hd_request_msg(req));
	if (hd_buf_error(&diversion) ||
	    !send_out(d, req, phone, &number, plan->diverted_by[0] ? plan->diverted_by : NULL,
		      diversion.len ? hd_buf_text(&diversion) : NULL))
		hd_request_reply(req, 500, NULL, NULL);
	hd_buf_fini(&diversion);
	return true;
}

bool daemon_upstream_has(const struct daemon *d, const struct hd_number *number)
{
	const struct hd_peer *peers[HD_PEERS_MAX];

	return d->upstreams && number->dialled[0] &&
	       hd_upstreams_find(d->upstreams, number, peers) > 0;
}

bool daemon_upstream_divert(struct daemon *d, const struct hd_call *call, const char *payer,
			    const struct hd_plan *plan, const char *identity, const char *lines)
{
	struct ways *w = calloc(1, sizeof(*w));
	bool sent;

	if (!w)
		return false;
	w->payer = payer;
	memcpy(w->caller.user, call->caller.user, sizeof(w->caller.user));
	hd_feature_mask(w->number, sizeof(w->number), &d->planner.codes,
			hd_slice_of(plan->outside.dialled));
	if (identity)
		hd_buf_adds(&w->caller.identity, identity);
	hd_buf_adds(&w->diversion, lines);
	sent = !add_ways(w, d, call->caller.phone[0] ? call->caller.phone : NULL, &plan->outside) &&
	       hd_proxy_divert(d->proxy, call->id, w->targets, w->n);
	ways_fini(w);
	free(w);
	return sent;
}

bool daemon_upstream_emergency(struct daemon *d, struct hd_request *req, const char *phone,
			       struct hd_slice dialled, const char *lines)
{
	const struct hd_peer *peers[HD_PEERS_MAX];
	struct hd_number number;

	return d->upstreams && !hd_number_parse(&number, &d->dialling->numbers, dialled) &&
	       hd_upstreams_find(d->upstreams, &number, peers) > 0 &&
	       send_out(d, req, phone, &number, NULL, lines);
}
