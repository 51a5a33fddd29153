/* pnp_profile.c - what a phone that asks is told; see pnp_priv.h. */
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "pnp_priv.h"

enum {
	STRANGER_S = 600, /* a new line about the same MAC */
	STRANGERS_A_MINUTE = 20,
	TAG_BYTES = 8,
};

static struct hd_metric unknown =
	HD_COUNTER("hotdeskd_pnp", "result=\"unknown\"", "Phones that asked for their URL");

void pnp_profile_metrics_register(void)
{
	hd_metric_register(&unknown);
}

/* ---- who asks -------------------------------------------------------------------------------- */

static bool is_for_profile(struct hd_msg *msg)
{
	const char *event = hd_msg_header(msg, "Event", 0);
	struct hd_slice package = { event, event ? strcspn(event, "; \t") : 0 };

	return hd_msg_method(msg) == HD_METHOD_SUBSCRIBE && hd_slice_caseis(package, "ua-profile");
}

/* RFC 6080 3.1: of the device; also when it is not said, as the first phones did. */
static bool is_of_device(struct hd_msg *msg)
{
	const char *event = hd_msg_header(msg, "Event", 0);
	const char *type = strstr(event, "profile-type=");

	if (!type)
		return true;
	type += strlen("profile-type=");
	type += *type == '"';
	return strncmp(type, "device", strlen("device")) == 0;
}

/* @return 0 or HD_ENOENT */
static int mac_of(char mac[HD_MAC_SIZE], struct hd_msg *msg)
{
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	if (!hd_device_find_mac(mac, uri.user))
		return 0;
	hd_msg_from_uri(msg, &uri);
	return hd_device_find_mac(mac, uri.user);
}

/* The same for a repeated SUBSCRIBE, and nobody else's to guess. */
static void mark(const struct hd_pnp *pnp, struct pnp_asker *asker)
{
	const struct hd_slice parts[] = {
		{ (const char *)pnp->seed, sizeof(pnp->seed) },
		hd_slice_of(hd_msg_call_id(asker->msg)),
		hd_slice_of(hd_msg_from_tag(asker->msg)),
	};
	uint8_t hash[HD_SHA256_BYTES];

	hd_sha256(hash, parts, sizeof(parts) / sizeof(parts[0]));
	hd_hex_format(asker->tag, hash, TAG_BYTES);
	memcpy(&asker->key, hash + TAG_BYTES, sizeof(asker->key));
}

/* ---- what it is told ------------------------------------------------------------------------- */

/* How its URL is to look: by the directory, else as it says itself, else as it was seen. */
static const struct hd_vendor *vendor_of(struct hd_pnp *pnp, struct hd_txn *txn,
					 const struct hd_phone *phone, struct hd_msg *msg)
{
	const char *agent = hd_msg_header(msg, "User-Agent", 0);
	const struct hd_vendor *vendor;
	struct hd_device_hint hint;

	hd_device_by_agent(&hint, hd_slice_of(agent));
	if (!phone->model[0] && hint.vendor)
		return hint.vendor;
	if (hd_device_vendor(pnp->options.device, txn, phone, &vendor))
		hd_debug("notify", "%s: what was seen of it cannot be read", phone->id);
	return vendor;
}

static bool may_have_token(struct hd_pnp *pnp, struct hd_txn *txn, const struct pnp_asker *asker,
			   const char *phone)
{
	struct hd_device_seen seen;

	return hd_networks_have(&pnp->token_networks, &asker->from) &&
	       !hd_device_seen_get(pnp->options.device, txn, phone, &seen) &&
	       seen.fetched_at_ms == 0;
}

/* @return 0; HD_ENOENT: nobody we know; the store's error */
static int profile_read(struct hd_pnp *pnp, struct hd_txn *txn, const struct pnp_asker *asker,
			const char *mac, struct pnp_profile *profile)
{
	const struct hd_pnp_options *o = &pnp->options;
	char token[HD_TOKEN_SIZE] = "";
	struct hd_phone phone;
	int err;

	err = hd_phone_get_by_mac(o->directory, txn, mac, &phone);
	if (!err && phone.disabled)
		err = HD_ENOENT;
	if (err)
		goto out;
	memcpy(profile->phone, phone.id, sizeof(profile->phone));
	profile->with_token = may_have_token(pnp, txn, asker, phone.id);
	if (profile->with_token)
		err = hd_device_token(o->device, txn, phone.id, token);
	if (!err)
		err = hd_vendor_url(profile->url, vendor_of(pnp, txn, &phone, asker->msg), pnp->url,
				    token, mac);
out:
	hd_wipe(token, sizeof(token));
	hd_wipe(&phone, sizeof(phone));
	return err;
}

static int profile_get(struct hd_pnp *pnp, const struct pnp_asker *asker, const char *mac,
		       struct pnp_profile *profile)
{
	struct hd_txn *txn;
	int err;

	memset(profile, 0, sizeof(*profile));
	err = hd_store_begin_read(pnp->options.store, &txn);
	if (err)
		return err;
	err = profile_read(pnp, txn, asker, mac, profile);
	hd_store_end_read(txn);
	return err;
}

/* Once each, and not without end. */
static void log_stranger(struct hd_pnp *pnp, const char *mac, const char *source)
{
	int64_t now_ms = hd_clock_mono_ms(pnp->options.clock);
	struct pnp_stranger *s;

	hd_metric_add(&unknown, 1);
	for (size_t i = 0; i < PNP_STRANGERS; i++)
		if (strcmp(pnp->strangers[i].mac, mac) == 0 &&
		    now_ms - pnp->strangers[i].at_mono_ms < STRANGER_S * INT64_C(1000))
			return;
	if (now_ms - pnp->minute_mono_ms >= 60000) {
		pnp->minute_mono_ms = now_ms;
		pnp->in_minute = 0;
	}
	if (pnp->in_minute++ >= STRANGERS_A_MINUTE)
		return;
	s = &pnp->strangers[pnp->next_stranger++ % PNP_STRANGERS];
	memcpy(s->mac, mac, sizeof(s->mac));
	s->at_mono_ms = now_ms;
	hd_info("notify", "%s: asks from %s for its configuration, and is no phone of ours", mac,
		source);
}

int pnp_profile_find(struct hd_pnp *pnp, struct pnp_asker *asker, struct pnp_profile *profile)
{
	char mac[HD_MAC_SIZE];
	int err;

	if (!pnp->enabled || !pnp->url[0] || !is_for_profile(asker->msg) ||
	    !is_of_device(asker->msg) || hd_msg_to_tag(asker->msg)[0] || mac_of(mac, asker->msg))
		return HD_ENOENT;
	mark(pnp, asker);
	err = profile_get(pnp, asker, mac, profile);
	if (err == HD_ENOENT)
		log_stranger(pnp, mac, asker->source);
	else if (err)
		hd_warn("notify", "%s: asks for its configuration: %s", mac, hd_strerror(err));
	return err;
}
