/* upstream.c - the peers: which, whose, in what order; see hotdesk/upstream.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/sip/tls.h"
#include "upstream_priv.h"

int hd_upstreams_new(struct hd_upstreams **up, const struct hd_upstreams_options *options)
{
	struct hd_upstreams *u;
	int err;

	if (!up || !options || !options->agent || !options->store || !options->desk ||
	    !options->accounts || !options->domain || !options->clock)
		return HD_EINVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return HD_ENOMEM;
	u->o = *options;
	u->policy = (struct hd_upstream_policy){ 50, 100, 30, 1800 };
	err = registrations_init(u);
	if (err) {
		free(u);
		return err;
	}
	probe_metrics();
	registrations_metrics();
	*up = u;
	return 0;
}

static void peer_free(struct upstream_peer *p)
{
	if (!p)
		return;
	probe_stop(p);
	free(p);
}

void hd_upstreams_free(struct hd_upstreams *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n_peers; i++)
		peer_free(u->peers[i]);
	u->n_peers = 0;
	registrations_fini(u);
	hd_wipe(&u->account, sizeof(u->account));
	free(u);
}

/* ---- the peers of a configuration ----------------------------------------------------------- */

static struct upstream_peer *find_peer(const struct hd_upstreams *u, struct hd_slice name)
{
	for (size_t i = 0; i < u->n_peers; i++)
		if (hd_slice_is(name, u->peers[i]->peer.name))
			return u->peers[i];
	return NULL;
}

const struct upstream_peer *peer_of_account(const struct hd_upstreams *u, const char *account)
{
	return find_peer(u, (struct hd_slice){ account, strcspn(account, "/") });
}

static void sort(struct upstream_peer **peers, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct upstream_peer *one = peers[i];
		size_t at = i;

		for (; at > 0 && peers[at - 1]->peer.order > one->peer.order; at--)
			peers[at] = peers[at - 1];
		peers[at] = one;
	}
}

static bool is_among(const char *name, const struct hd_peer *peers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, peers[i].name) == 0)
			return true;
	return false;
}

int hd_upstreams_set(struct hd_upstreams *u, const struct hd_peer *peers, size_t n,
		     const struct hd_upstream_policy *policy)
{
	struct upstream_peer *fresh[HD_PEERS_MAX];
	const struct upstream_peer *old;

	if (n > HD_PEERS_MAX)
		n = HD_PEERS_MAX;
	for (size_t i = 0; i < n; i++) {
		fresh[i] = calloc(1, sizeof(*fresh[i]));
		if (!fresh[i]) {
			while (i-- > 0)
				free(fresh[i]);
			return HD_ENOMEM;
		}
		fresh[i]->u = u;
		fresh[i]->peer = peers[i];
		fresh[i]->up = true;
		old = find_peer(u, hd_slice_of(peers[i].name));
		if (old && strcmp(old->peer.uri, peers[i].uri) != 0) {
			registrations_leave(u, &old->peer);
			registrations_renew(u, peers[i].name);
		} else if (old && peers[i].probe_s) {
			fresh[i]->up = old->up;
			fresh[i]->status = old->status;
			fresh[i]->changed_ms = old->changed_ms;
		}
	}
	for (size_t i = 0; i < u->n_peers; i++) {
		if (!is_among(u->peers[i]->peer.name, peers, n))
			registrations_leave(u, &u->peers[i]->peer);
		peer_free(u->peers[i]);
	}
	sort(fresh, n);
	memcpy(u->peers, fresh, n * sizeof(*fresh));
	u->n_peers = n;
	u->policy = *policy;
	for (size_t i = 0; i < n; i++)
		probe_start(u->peers[i]);
	hd_upstreams_changed(u);
	return 0;
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool shows_certificate(const struct hd_peer *peer, struct hd_request *req)
{
	for (size_t i = 0; i < peer->n_certificates; i++)
		if (hd_request_is_from(req, peer->certificates[i]))
			return true;
	return false;
}

const struct hd_peer *hd_upstreams_from(const struct hd_upstreams *u, struct hd_request *req)
{
	struct hd_address address = { 0 };
	struct hd_flow flow;

	if (!u || u->n_peers == 0 || hd_flow_parse(&flow, hd_request_flow(req)))
		return NULL;
	address.family = flow.family;
	memcpy(address.bytes, flow.address, sizeof(address.bytes));
	for (size_t i = 0; i < u->n_peers; i++)
		if (hd_networks_have(&u->peers[i]->peer.from, &address))
			return &u->peers[i]->peer;
	for (size_t i = 0; i < u->n_peers && flow.transport == 2; i++)
		if (shows_certificate(&u->peers[i]->peer, req))
			return &u->peers[i]->peer;
	return NULL;
}

static bool is_host_of(const struct hd_peer *peer, const struct hd_uri *uri, bool port)
{
	struct hd_uri own;

	return uri->scheme <= HD_URI_SIPS && !hd_uri_parse(&own, hd_slice_of(peer->uri)) &&
	       hd_slice_caseeq(own.host, uri->host) &&
	       (!port || hd_uri_port(&own) == hd_uri_port(uri));
}

const struct hd_peer *hd_upstreams_at(const struct hd_upstreams *u, const struct hd_uri *uri)
{
	for (size_t i = 0; i < u->n_peers; i++)
		if (is_host_of(&u->peers[i]->peer, uri, true))
			return &u->peers[i]->peer;
	return NULL;
}

static bool is_from(const struct hd_peer *peer, struct hd_slice host)
{
	struct hd_network one;
	char text[64];

	if (host.len > 2 && host.ptr[0] == '[')
		host = (struct hd_slice){ host.ptr + 1, host.len - 2 };
	return !hd_str_copy(text, sizeof(text), host) && !hd_network_parse(&one, text) &&
	       hd_networks_have(&peer->from, &one.address);
}

bool hd_upstreams_is_at(const struct hd_upstreams *u, const char *account, const struct hd_uri *uri)
{
	const struct upstream_peer *p = peer_of_account(u, account);

	return p && (is_host_of(&p->peer, uri, false) || is_from(&p->peer, uri->host));
}

static bool fits(const struct hd_peer *peer, const struct hd_number *number)
{
	if (number->peer[0])
		return strcmp(number->peer, peer->name) == 0;
	for (size_t i = 0; i < peer->n_routes; i++) {
		const char *pattern = peer->routes[i];

		if (hd_number_matches(pattern, pattern[0] == '+' ? number->e164 : number->dialled))
			return true;
	}
	return false;
}

size_t hd_upstreams_find(const struct hd_upstreams *u, const struct hd_number *number,
			 const struct hd_peer *peers[HD_PEERS_MAX])
{
	size_t n = 0;

	for (int up = 1; up >= 0; up--)
		for (size_t i = 0; i < u->n_peers; i++)
			if (u->peers[i]->up == (up == 1) && fits(&u->peers[i]->peer, number))
				peers[n++] = &u->peers[i]->peer;
	return n;
}

void hd_upstream_account(char *dst, const struct hd_peer *peer, const char *user)
{
	if (peer->mode == HD_PEER_USER && user && user[0])
		snprintf(dst, HD_UPSTREAM_ACCOUNT_SIZE, "%s/%s", peer->name, user);
	else
		snprintf(dst, HD_UPSTREAM_ACCOUNT_SIZE, "%s", peer->name);
}

int hd_upstreams_credentials(struct hd_upstreams *u, const char *account,
			     struct hd_uac_credentials *credentials)
{
	const char *slash = strchr(account, '/');
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(u->o.store, &txn);
	if (err)
		return err;
	err = hd_accounts_get(u->o.accounts, txn, slash ? HD_ACCOUNT_OF_USER : HD_ACCOUNT_OF_PEER,
			      slash ? slash + 1 : account, &u->account);
	hd_store_end_read(txn);
	if (err)
		return err;
	*credentials = (struct hd_uac_credentials){ .username = u->account.user,
						    .secret = u->account.secret };
	return 0;
}

size_t hd_upstreams_state(const struct hd_upstreams *u,
			  struct hd_upstream_state states[HD_PEERS_MAX])
{
	const struct registration *r;

	memset(states, 0, HD_PEERS_MAX * sizeof(*states));
	for (size_t i = 0; i < u->n_peers; i++) {
		const struct upstream_peer *p = u->peers[i];

		memcpy(states[i].name, p->peer.name, sizeof(states[i].name));
		memcpy(states[i].uri, p->peer.uri, sizeof(states[i].uri));
		states[i].mode = p->peer.mode;
		states[i].probed = p->peer.probe_s > 0;
		states[i].up = p->up;
		states[i].status = p->status;
		states[i].changed_ms = p->changed_ms;
	}
	for (r = u->registrations; r; r = r->hh.next)
		for (size_t i = 0; i < u->n_peers; i++) {
			const struct upstream_peer *p = peer_of_account(u, r->key);

			if (u->peers[i] != p)
				continue;
			states[i].registered += r->registered && r->wanted;
			states[i].wanted += r->wanted;
			states[i].failing += r->failures > 0;
		}
	return u->n_peers;
}
