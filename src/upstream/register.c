/* register.c - one REGISTER to a peer and its answer (RFC 3261 10.2); see upstream.h. */
#include <stdio.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "upstream_priv.h"

enum { EXPIRES_MAX_S = 86400 };

static int send_request(struct registration *r);

static int look_up(void *arg, struct hd_slice realm, struct hd_uac_credentials *credentials)
{
	struct registration *r = arg;
	int err;

	(void)realm; /* the peer is whom we asked */
	err = r->left ? HD_ENOENT : hd_upstreams_credentials(r->u, r->key, credentials);
	/* What is to go goes as it came, whatever has become of its account. */
	if (!err || r->wanted || !r->known.user[0])
		return err;
	*credentials =
		(struct hd_uac_credentials){ .username = r->known.user, .secret = r->known.secret };
	return 0;
}

/* The user part of our Contact: the user, so that calls to it find their way. */
static const char *contact_user(const struct registration *r)
{
	const char *slash = strchr(r->key, '/');

	if (slash)
		return slash + 1;
	return r->known.user[0] ? r->known.user : r->key;
}

static uint32_t seconds_of(struct hd_msg *msg, const char *header)
{
	const char *value = hd_msg_header(msg, header, 0);
	size_t digits = value ? strspn(value, "0123456789") : 0;
	uint64_t n;

	if (!digits || hd_u64_parse(&n, (struct hd_slice){ value, digits }, UINT32_MAX))
		return 0;
	return (uint32_t)n;
}

/* How long our binding lives: its own parameter, else Expires, else what we asked for. */
static uint32_t granted_s(struct registration *r, struct hd_msg *response)
{
	struct hd_contact contacts[HD_BINDINGS_MAX];
	size_t n = HD_BINDINGS_MAX;
	int64_t s = hd_msg_expires(response);
	bool star;

	hd_msg_contacts(response, contacts, &n, &star);
	if (n > HD_BINDINGS_MAX)
		n = HD_BINDINGS_MAX;
	for (size_t i = 0; i < n; i++)
		if (contacts[i].expires_s >= 0 && hd_agent_is_us(r->u->o.agent, &contacts[i].uri))
			s = contacts[i].expires_s;
	if (s < 0)
		s = r->expires_s;
	return s > EXPIRES_MAX_S ? EXPIRES_MAX_S : (uint32_t)s;
}

static void end(struct registration *r, int status, uint32_t value_s)
{
	hd_orq_free(r->orq);
	r->orq = NULL;
	if (status == 401 || status == 407) { /* the next time with what is configured then */
		hd_uac_auth_free(r->auth);
		r->auth = NULL;
	}
	register_done(r, status, value_s);
}

/* @return true: it was sent again */
static bool answer_challenge(struct registration *r, struct hd_msg *response)
{
	int err = hd_uac_auth_take(r->auth, response, look_up, r);

	if (err && r->failures == 0)
		hd_warn("upstream", "%s: REGISTER challenged: %s", r->key,
			err == HD_EACCESS ? "our credentials are refused" : hd_strerror(err));
	if (err)
		return false;
	hd_orq_free(r->orq);
	r->orq = NULL;
	return !send_request(r);
}

/* 423 (10.2.8): once in a row, so that nobody can keep us asking. */
static bool obey_minimum(struct registration *r, struct hd_msg *response)
{
	uint32_t min = seconds_of(response, "Min-Expires");

	if (r->raised || min <= r->expires_s || min > EXPIRES_MAX_S)
		return false;
	r->raised = true;
	r->expires_s = min;
	hd_orq_free(r->orq);
	r->orq = NULL;
	return !send_request(r);
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct registration *r = arg;

	(void)orq;
	if (status < 200)
		return;
	if (response && (status == 401 || status == 407) && answer_challenge(r, response))
		return;
	if (response && status == 423 && obey_minimum(r, response))
		return;
	if (status < 300) {
		hd_uac_auth_accepted(r->auth);
		end(r, status, response ? granted_s(r, response) : 0);
	} else {
		end(r, status, response ? seconds_of(response, "Retry-After") : 0);
	}
}

/* Contact and Expires; the address is that of the listener by which it leaves. */
static int add_contact(struct registration *r, struct hd_msg *msg, const struct hd_flow *hop)
{
	char local[160];
	struct hd_buf lines = { 0 };
	int err;

	err = hd_flow_local_uri(r->u->o.agent, hop, local, sizeof(local));
	if (err)
		return err;
	hd_buf_adds(&lines, "Contact: <sip:");
	hd_uri_escape_user(&lines, hd_slice_of(contact_user(r)));
	hd_buf_addf(&lines, "@%s>\r\nExpires: %u\r\n", local + strlen("sip:"),
		    r->wanted ? r->expires_s : 0);
	err = hd_buf_error(&lines);
	if (!err)
		err = hd_msg_add(msg, hd_buf_text(&lines));
	hd_buf_fini(&lines);
	return err;
}

static int on_hop(void *arg, struct hd_msg *msg, const struct hd_flow *hop, bool by_flow)
{
	(void)by_flow;
	return add_contact(arg, msg, hop);
}

static int make_request(struct registration *r, const struct hd_peer *peer, struct hd_msg **msgp)
{
	struct hd_buf aor = { 0 }, from = { 0 };
	struct hd_slice domain = hd_peer_domain(peer);
	struct hd_uac_credentials account;
	struct hd_new_request request = {
		.method = "REGISTER", .ruri = peer->uri, .call_id = r->call_id, .cseq = ++r->cseq
	};
	uint8_t tag[8];
	char text[2 * sizeof(tag) + 1];
	int err;

	/* One that is to go although its account is gone, or another: as far as it is known. */
	err = r->wanted || !r->known.user[0] ? hd_upstreams_credentials(r->u, r->key, &account)
					     : HD_ENOENT;
	if (err && r->wanted)
		return err;
	if (!err)
		r->known = r->u->account;
	hd_random_bytes(tag, sizeof(tag));
	hd_hex_format(text, tag, sizeof(tag));
	hd_buf_adds(&aor, "<sip:");
	hd_uri_escape_user(&aor, hd_slice_of(r->known.user[0] ? r->known.user : contact_user(r)));
	hd_buf_addf(&aor, "@%.*s>", (int)domain.len, domain.ptr);
	hd_wipe(&r->u->account, sizeof(r->u->account));
	hd_buf_addf(&from, "%s;tag=%s", hd_buf_text(&aor), text);
	request.from = hd_buf_text(&from);
	request.to = hd_buf_text(&aor);
	err = hd_buf_error(&aor) ? HD_ENOMEM : hd_buf_error(&from);
	if (!err)
		err = hd_msg_new_request(msgp, &request);
	hd_buf_fini(&aor);
	hd_buf_fini(&from);
	return err;
}

/* On an error nothing is out and nothing will come. */
static int send_request(struct registration *r)
{
	const struct hd_peer *peer = registration_peer(r);
	struct hd_target target = { .uri = peer ? peer->uri : NULL, .prepare = on_hop };
	struct hd_flow hop;
	struct hd_msg *msg;
	int err;

	if (!peer)
		return HD_ENOENT;
	err = make_request(r, peer, &msg);
	if (err)
		return err;
	if (!hd_target_is_name(&target)) {
		err = hd_target_flow(r->u->o.agent, &target, &hop);
		if (!err)
			err = add_contact(r, msg, &hop);
	}
	if (!err)
		err = hd_uac_auth_add(r->auth, msg);
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	return hd_orq_new(&r->orq, r->u->o.agent, msg, &target, on_response, r);
}

int register_send(struct registration *r)
{
	const struct hd_peer *peer = registration_peer(r);
	int err = 0;

	if (!r->auth)
		err = hd_uac_auth_new(&r->auth);
	if (err || !peer)
		return err ? err : HD_ENOENT;
	r->raised = false;
	if (r->expires_s < peer->expires_s)
		r->expires_s = peer->expires_s;
	return send_request(r);
}
