/*
 * registrar.c - see hotdesk/registrar.h. One REGISTER is read here; commit.c applies it.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/sip/overload.h"
#include "outbound.h"
#include "registrar_priv.h"

int hd_registrar_new(struct hd_registrar **rp, const struct hd_registrar_options *options)
{
	struct hd_registrar *r;

	if (!options || !options->agent || !options->auth || !options->store || !options->location)
		return HD_EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return HD_ENOMEM;
	r->options = *options;
	answer_metrics();
	*rp = r;
	return 0;
}

void hd_registrar_free(struct hd_registrar *r)
{
	if (!r)
		return;
	recent_fini(&r->recent);
	free(r);
}

void hd_registrar_set_policy(struct hd_registrar *r, const struct hd_registrar_policy *policy)
{
	r->options.policy = *policy;
}

size_t hd_registrar_pending(const struct hd_registrar *r)
{
	return HASH_COUNT(r->pending);
}

static void key_of(uint8_t key[REGISTRAR_KEY_SIZE], struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);
	uint32_t cseq = hd_msg_cseq(msg);
	struct hd_slice parts[] = {
		hd_slice_of(hd_msg_call_id(msg)),
		hd_slice_of(hd_msg_branch(msg)),
		{ (const char *)&cseq, sizeof(cseq) },
		hd_slice_of(hd_request_flow(req)),
	};

	hd_sha256(key, parts, sizeof(parts) / sizeof(parts[0]));
}

/* ---- what is asked for (10.3 steps 6 and 7) ------------------------------------------------- */

struct wish {
	struct hd_contact contacts[HD_LOCATION_CHANGES_MAX];
	size_t n;
	bool star;
	int64_t expires_s; /* header field; -1 */
};

/* @return the granted seconds, or -1: too brief */
static int64_t grant(const struct hd_registrar_policy *policy, int64_t wanted_s)
{
	if (wanted_s < 0)
		wanted_s = policy->expires_default_s;
	if (wanted_s == 0)
		return 0;
	if (wanted_s < policy->expires_min_s)
		return -1;
	return wanted_s > policy->expires_max_s ? policy->expires_max_s : wanted_s;
}

static void refuse_brief(struct hd_request *req, const struct hd_registrar_policy *policy)
{
	struct hd_buf lines = { 0 };

	hd_buf_addf(&lines, "Min-Expires: %u\r\n", policy->expires_min_s);
	answer_refuse(req, 423, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
}

/* @return 0, or a status */
static int fill_binding(struct hd_binding *b, const struct hd_contact *c, struct hd_request *req,
			int64_t now_ms)
{
	struct hd_msg *msg = hd_request_msg(req);
	const char *agent = hd_msg_header(msg, "User-Agent", 0);
	struct hd_uri uri;

	/* The parser lets pass what no request could be sent to: it is read again. */
	if (hd_uri_parse(&uri, hd_slice_of(c->uri_text)) || uri.scheme > HD_URI_SIPS ||
	    c->q_permille == -2)
		return 400;
	if (hd_str_set(b->contact_uri, sizeof(b->contact_uri), c->uri_text) ||
	    hd_str_set(b->contact_params, sizeof(b->contact_params), c->params_text) ||
	    hd_str_set(b->instance_id, sizeof(b->instance_id), c->instance_id) ||
	    hd_str_set(b->call_id, sizeof(b->call_id), hd_msg_call_id(msg)) ||
	    hd_str_set(b->flow, sizeof(b->flow), hd_request_flow(req)))
		return 400;
	if (agent && strlen(agent) < sizeof(b->user_agent))
		(void)!hd_str_set(b->user_agent, sizeof(b->user_agent), agent);
	b->cseq = hd_msg_cseq(msg);
	b->q_given = c->q_permille >= 0;
	b->q_permille = (uint16_t)(b->q_given ? c->q_permille : 1000);
	b->reg_id = c->reg_id;
	b->registered_at_ms = now_ms;
	return 0;
}

/* @return true when the change is ready to be applied; false when the request was answered */
static bool fill_change(struct hd_registrar *r, struct hd_location_change *change,
			const struct wish *wish, struct hd_request *req)
{
	struct hd_outbound outbound;
	const char *phrase = "Bad Contact";
	int64_t granted_s;
	int status;

	status = hd_outbound_read(&outbound, req, &phrase);
	if (status) {
		answer_refuse(req, status, phrase, NULL);
		return false;
	}
	for (size_t i = 0; i < wish->n; i++) {
		const struct hd_contact *c = &wish->contacts[i];
		struct hd_binding *b = &change->contacts[i];

		memset(b, 0, sizeof(*b));
		granted_s = grant(&r->options.policy,
				  c->expires_s >= 0 ? c->expires_s : wish->expires_s);
		if (granted_s < 0) {
			refuse_brief(req, &r->options.policy);
			return false;
		}
		status = fill_binding(b, c, req, change->now_ms);
		if (!status)
			status = hd_outbound_apply(&outbound, b, &phrase);
		if (status) {
			answer_refuse(req, status, phrase, NULL);
			return false;
		}
		b->expires_at_ms = granted_s ? change->now_ms + granted_s * 1000 : 0;
	}
	change->n_contacts = wish->n;
	return true;
}

static bool read_wish(struct wish *wish, struct hd_request *req)
{
	struct hd_msg *msg = hd_request_msg(req);

	wish->n = HD_LOCATION_CHANGES_MAX;
	wish->expires_s = hd_msg_expires(msg);
	hd_msg_contacts(msg, wish->contacts, &wish->n, &wish->star);
	if (wish->n > HD_LOCATION_CHANGES_MAX) {
		answer_refuse(req, 403, "Too Many Contacts", NULL);
		return false;
	}
	if (wish->star && (wish->n != 1 || wish->expires_s != 0)) {
		answer_refuse(req, 400, "Contact: * Needs Expires: 0 And Nothing Else", NULL);
		return false;
	}
	return true;
}

/* ---- steps 1 to 5 --------------------------------------------------------------------------- */

/* @return 0 when the address-of-record is the phone's own, or a status */
static int check_aor(struct hd_registrar *r, struct hd_msg *msg, const char *phone)
{
	char user[HD_PHONE_ID_SIZE];
	struct hd_uri to;

	hd_msg_to_uri(msg, &to);
	if (to.scheme > HD_URI_SIPS || !hd_agent_is_us(r->options.agent, &to))
		return 404;
	if (hd_uri_unescape(user, sizeof(user), to.user) || strcmp(user, phone) != 0)
		return 403;
	return 0;
}

static void add_unsupported(struct hd_buf *lines, const char *tags)
{
	while (*tags) {
		size_t n = strcspn(tags, ",");
		struct hd_slice tag = hd_slice_trim((struct hd_slice){ tags, n });

		if (tag.len && !hd_registrar_knows(tag))
			hd_buf_addf(lines, "Unsupported: %.*s\r\n", (int)tag.len, tag.ptr);
		tags += n + (tags[n] == ',');
	}
}

static bool check_extensions(struct hd_request *req)
{
	struct hd_buf lines = { 0 };
	const char *tags;

	for (unsigned i = 0; (tags = hd_msg_header(hd_request_msg(req), "Require", i)); i++)
		add_unsupported(&lines, tags);
	if (!lines.len)
		return true;
	answer_refuse(req, 420, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
	return false;
}

/* Cleared but for the room of contacts, which is large and filled as far as it is used. */
static struct pending *pending_new(void)
{
	const size_t contacts = offsetof(struct pending, change.contacts);
	const size_t wish = offsetof(struct pending, change.n_contacts);
	const size_t result = offsetof(struct pending, change.result);
	const size_t rest = offsetof(struct pending, change.n_result);
	struct pending *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, contacts);
	memset((char *)p + wish, 0, result - wish);
	memset((char *)p + rest, 0, sizeof(*p) - rest);
	return p;
}

struct sender {
	char phone[HD_DIGEST_USER_SIZE];
	uint8_t key[REGISTRAR_KEY_SIZE];
	bool repeated;
};

static void receive_authentic(struct hd_registrar *r, struct hd_request *req,
			      const struct sender *sender)
{
	struct hd_msg *msg = hd_request_msg(req);
	struct wish wish;
	struct pending *p;
	int status;

	status = check_aor(r, msg, sender->phone);
	if (status) {
		hd_log_call(HD_LOG_NOTICE, "registrar", hd_msg_call_id(msg),
			    "%s: REGISTER for another address-of-record refused", sender->phone);
		answer_refuse(req, status, NULL, NULL);
		return;
	}
	if (!read_wish(&wish, req))
		return;
	p = pending_new();
	if (!p) {
		hd_request_shed(req, HD_SHED_MEMORY);
		return;
	}
	p->registrar = r;
	p->req = req;
	p->repeated = sender->repeated;
	memcpy(p->key, sender->key, REGISTRAR_KEY_SIZE);
	p->change.loc = r->options.location;
	p->change.now_ms = hd_clock_wall_ms(r->options.clock);
	p->change.max_contacts = r->options.policy.contacts_max;
	p->change.cseq = hd_msg_cseq(msg);
	p->change.remove_all = wish.star;
	(void)!hd_device_by_instance(p->serial,
				     hd_slice_of(hd_msg_header(msg, "X-Serialnumber", 0)));
	if (hd_str_set(p->change.aor, sizeof(p->change.aor), sender->phone) ||
	    hd_str_set(p->change.call_id, sizeof(p->change.call_id), hd_msg_call_id(msg))) {
		answer_refuse(req, 400, "Call-ID Too Long", NULL);
		free(p);
		return;
	}
	if (!wish.star && !fill_change(r, &p->change, &wish, req)) {
		free(p);
		return;
	}
	commit_start(p);
}

void hd_registrar_receive(struct hd_registrar *r, struct hd_request *req)
{
	struct sender sender = { .repeated = false };
	struct pending *known = NULL;

	/* Without them it has nothing pending: it will be challenged. */
	if (hd_msg_has_header(hd_request_msg(req), "Authorization")) {
		key_of(sender.key, req);
		HASH_FIND(hh, r->pending, sender.key, REGISTRAR_KEY_SIZE, known);
	}
	if (known) {
		hd_request_drop(req);
		return;
	}
	if (check_extensions(req) &&
	    hd_auth_request(r->options.auth, req, sender.phone, &sender.repeated))
		receive_authentic(r, req, &sender);
}
