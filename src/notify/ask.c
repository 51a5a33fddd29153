/* ask.c - a NOTIFY to a phone, until it was answered for good: challenges are answered here. */
#include <stdio.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"
#include "notify_priv.h"

void ask_forget(struct resync *r)
{
	hd_orq_free(r->orq);
	hd_uac_auth_free(r->auth);
	r->orq = NULL;
	r->auth = NULL;
}

/* ---- the phone ------------------------------------------------------------------------------- */

/* The newest one that is open, and another one each time that it was not there. */
static int choose_binding(const struct hd_notify_options *o, struct hd_txn *txn, const char *id,
			  uint32_t turn, struct hd_binding *binding)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	size_t n = HD_BINDINGS_MAX, open = 0, i;
	int err;

	err = hd_location_get(o->location, txn, id, hd_clock_wall_ms(o->clock), bindings, &n);
	if (err)
		return err;
	if (n == 0)
		return HD_EGONE;
	for (i = 0; i < n; i++)
		if (hd_flow_is_alive(o->agent, bindings[i].flow))
			bindings[open++] = bindings[i];
	*binding = bindings[open ? turn % open : 0];
	return 0;
}

static int read_account(const struct hd_notify_options *o, struct hd_txn *txn, const char *id,
			struct resync_phone *phone)
{
	int err;

	err = hd_phone_get(o->directory, txn, id, &phone->record);
	if (err)
		return err;
	/* An unreadable record of what was seen makes a generic phone. */
	err = hd_device_vendor(o->device, txn, &phone->record, &phone->vendor);
	if (err && err != HD_ECORRUPT && err != HD_EVERSION)
		return err;
	if (hd_device_secret_get(o->device, txn, id, phone->secret))
		phone->secret[0] = '\0';
	return 0;
}

int ask_read(const struct hd_notify *notify, const char *id, uint32_t turn,
	     struct resync_phone *phone)
{
	const struct hd_notify_options *o = &notify->options;
	struct hd_txn *txn;
	int err;

	memset(phone, 0, sizeof(*phone));
	err = hd_store_begin_read(o->store, &txn);
	if (err)
		return err;
	err = read_account(o, txn, id, phone);
	if (!err)
		err = choose_binding(o, txn, id, turn, &phone->binding);
	hd_store_end_read(txn);
	if (err)
		hd_wipe(phone, sizeof(*phone));
	return err;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response);

static int send(struct resync *r, const struct resync_phone *phone)
{
	const struct hd_binding *b = &phone->binding;
	const struct hd_way way = { b->flow, b->contact_uri, b->path, b->reg_id != 0 };
	struct hd_agent *agent = r->notify->options.agent;
	struct hd_target target;
	struct hd_msg *msg;
	int err;

	err = notify_message(r, phone, &msg);
	if (err)
		return err;
	if (r->auth)
		err = hd_uac_auth_add(r->auth, msg);
	if (!err)
		err = hd_msg_route_to(agent, msg, &way, &target);
	if (err) {
		hd_msg_free(msg);
		return err;
	}
	return hd_orq_new(&r->orq, agent, msg, &target, on_response, r);
}

/* ---- challenges ------------------------------------------------------------------------------ */

int ask_credentials(void *arg, struct hd_slice realm, struct hd_uac_credentials *c)
{
	const struct resync_phone *phone = arg;

	c->username = phone->record.id;
	if (phone->secret[0]) {
		c->secret = phone->secret;
	} else if (hd_slice_is(realm, phone->record.realm)) {
		c->ha1_md5 = phone->record.ha1_md5;
		c->ha1_sha256 = phone->record.ha1_sha256;
	} else {
		return HD_ENOENT;
	}
	return 0;
}

/* @return 0: asked again, with credentials */
static int answer_challenge(struct resync *r, struct hd_msg *response)
{
	struct resync_phone phone;
	int err;

	err = r->auth ? 0 : hd_uac_auth_new(&r->auth);
	if (!err)
		err = ask_read(r->notify, r->phone, r->turn, &phone);
	if (err)
		return err;
	err = hd_uac_auth_take(r->auth, response, ask_credentials, &phone);
	r->cseq++;
	if (!err)
		err = send(r, &phone);
	hd_wipe(&phone, sizeof(phone));
	return err;
}

static const char *challenge_trouble(int err)
{
	if (err == HD_EACCESS)
		return "its digest challenge was answered, and that refused";
	if (err == HD_ENOENT)
		return "it wants a digest for another realm, and its secret is not kept here";
	if (err == HD_EUNSUPPORTED)
		return "it wants credentials of a kind that we do not have";
	return hd_strerror(err);
}

static void on_response(void *arg, struct hd_orq *orq, int status, struct hd_msg *response)
{
	struct resync *r = arg;
	int err;

	if (status < 200)
		return;
	hd_orq_free(orq);
	r->orq = NULL;
	r->last_status = status;
	if (response && (status == 401 || status == 407)) {
		err = answer_challenge(r, response);
		if (!err)
			return;
		hd_log(r->reported ? HD_LOG_DEBUG : HD_LOG_WARNING, "notify", "%s: resync: %d: %s",
		       r->phone, status, challenge_trouble(err));
	}
	ask_forget(r);
	resync_answered(r, response, status);
}

int ask_send(struct resync *r, const struct resync_phone *phone)
{
	ask_forget(r);
	snprintf(r->call_id, sizeof(r->call_id), "%08x%08x%08x%08x", hd_random_u32(UINT32_MAX),
		 hd_random_u32(UINT32_MAX), hd_random_u32(UINT32_MAX), hd_random_u32(UINT32_MAX));
	snprintf(r->from_tag, sizeof(r->from_tag), "%08x", hd_random_u32(UINT32_MAX));
	r->cseq = 1;
	return send(r, phone);
}
