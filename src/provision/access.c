/*
 * access.c - which phone asks, and what those get who are none.
 *
 * Who is refused is told nothing by the answer: neither which MACs there are, nor whether it was
 * the token, the name or the password that was wrong. Failures of a source are counted; when they
 * are too many, only a right token or certificate still opens. Challenges are counted as well, and
 * given back with a right answer to one. A MAC without credentials counts as a challenge and no
 * more, whether it is ours or not: when the limit comes would tell the one from the other.
 */
#include <stdio.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "provision_priv.h"

enum { NAMES_MAX = 8, ADDRESS_SIZE = 96, CHALLENGES_MAX = 4, VALUES_MAX = 1 };

static struct hd_metric failures =
	HD_COUNTER("hotdeskd_auth_failures", "service=\"provisioning\"", "refused credentials");
static struct hd_metric limited =
	HD_COUNTER("hotdeskd_provision_limited", NULL, "fetches refused for too many failures");

static int64_t now_ms(const struct provision_ask *ask)
{
	return hd_clock_mono_ms(ask->provision->options.clock);
}

static const struct hd_address *address_of(const struct provision_ask *ask)
{
	return &hd_http_peer_get(ask->req)->address;
}

static bool is_exempt(const struct provision_ask *ask)
{
	return hd_networks_have(&ask->provision->exempt, address_of(ask));
}

/* Who it says it is, for the log: cut off, if need be. */
static void account_set(struct provision_ask *ask, const char *name)
{
	(void)snprintf(ask->account, sizeof(ask->account), "%s", name);
}

static enum provision_verdict refused(struct provision_ask *ask, const char *event, const char *why)
{
	ask->event = event;
	ask->why = why;
	return PROVISION_REFUSED;
}

/* ---- ways ------------------------------------------------------------------------------------ */

/* Fills in the phone. @return GRANTED, REFUSED (there is none, or not to be served), FAILED */
static enum provision_verdict take(struct provision_ask *ask, int err, enum provision_way way)
{
	if (err == HD_ENOENT)
		return refused(ask, "InvalidAccountID", "no such phone");
	if (err) {
		ask->why = hd_strerror(err);
		return PROVISION_FAILED;
	}
	if (ask->phone.disabled)
		return refused(ask, "InvalidAccountID", "phone is disabled");
	ask->way = way;
	return PROVISION_GRANTED;
}

static enum provision_verdict by_token(struct provision_ask *ask)
{
	const struct hd_provision_options *o = &ask->provision->options;
	char id[HD_PHONE_ID_SIZE];
	int err;

	err = hd_device_by_token(o->device, ask->txn, hd_slice_of(ask->path.token), id);
	if (err == HD_ENOENT)
		return refused(ask, "InvalidPassword", "token is nobody's");
	if (!err)
		err = hd_phone_get(o->directory, ask->txn, id, &ask->phone);
	return take(ask, err, PROVISION_BY_TOKEN);
}

static int phone_of_name(struct provision_ask *ask, const char *name)
{
	const struct hd_provision_options *o = &ask->provision->options;
	char mac[HD_MAC_SIZE];
	int err = HD_ENOENT;

	if (hd_phone_id_is_valid(hd_slice_of(name)))
		err = hd_phone_get(o->directory, ask->txn, name, &ask->phone);
	if (err == HD_ENOENT && !hd_device_find_mac(mac, hd_slice_of(name)))
		err = hd_phone_get_by_mac(o->directory, ask->txn, mac, &ask->phone);
	return err;
}

/* REFUSED is for all names of a certificate that are no phone's; CHALLENGED: there is none. */
static enum provision_verdict by_certificate(struct provision_ask *ask)
{
	char names[NAMES_MAX][HD_HTTP_NAME_SIZE];
	size_t n = hd_http_certificate_names(ask->req, names, NAMES_MAX);
	int err = HD_ENOENT;

	if (n == 0)
		return PROVISION_CHALLENGED;
	for (size_t i = 0; err == HD_ENOENT && i < n; i++)
		err = phone_of_name(ask, names[i]);
	if (err == HD_ENOENT)
		account_set(ask, names[0]);
	return take(ask, err, PROVISION_BY_CERTIFICATE);
}

static enum provision_verdict by_digest(struct provision_ask *ask)
{
	const struct hd_provision_options *o = &ask->provision->options;
	const char *header = hd_http_header(ask->req, "Authorization");
	struct hd_slice values[VALUES_MAX] = { hd_slice_of(header) };
	struct hd_digest_result result;
	char source[2 * sizeof(struct hd_address) + 1];
	struct hd_digest_request dr = {
		.method = hd_slice_of(hd_http_method_name(ask->req)),
		.uri = hd_slice_of(hd_http_target(ask->req)),
		.source = source,
		.values = values,
		.n_values = header ? 1 : 0,
	};

	hd_hex_format(source, address_of(ask), sizeof(struct hd_address));
	switch (hd_digest_check(o->digest, &dr, o->lookup, o->arg, &result)) {
	case HD_DIGEST_OK:
		hd_buckets_give(ask->provision->challenges, address_of(ask), now_ms(ask));
		return take(ask, hd_phone_get(o->directory, ask->txn, result.username, &ask->phone),
			    PROVISION_BY_DIGEST);
	case HD_DIGEST_NO_CREDENTIALS:
		return PROVISION_CHALLENGED;
	case HD_DIGEST_STALE:
	case HD_DIGEST_REPEATED: /* one more of a count is a replay here: TCP repeats nothing */
	case HD_DIGEST_REPLAY:
		ask->stale = true;
		return PROVISION_CHALLENGED;
	case HD_DIGEST_WRONG:
	case HD_DIGEST_MALFORMED:
		account_set(ask, result.username);
		return refused(ask, "ChallengeResponseFailed", result.why);
	case HD_DIGEST_FAILED:
	default:
		ask->why = result.why;
		return PROVISION_FAILED;
	}
}

/* ---- judgement ------------------------------------------------------------------------------- */

/* No credentials: a stranger, or a phone that waits for its challenge. */
static enum provision_verdict without(struct provision_ask *ask)
{
	const struct hd_provision *p = ask->provision;
	const char *mac = ask->by_file.mac[0] ? ask->by_file.mac : ask->by_agent.mac;
	struct hd_phone phone;
	int err;

	account_set(ask, mac);
	if (!p->digest)
		return refused(ask, "InvalidAccountID", "neither token nor certificate");
	if (!mac[0])
		return PROVISION_CHALLENGED;
	err = hd_phone_get_by_mac(p->options.directory, ask->txn, mac, &phone);
	hd_wipe(&phone, sizeof(phone));
	if (err != HD_ENOENT)
		return PROVISION_CHALLENGED;
	ask->uncounted = true;
	return refused(ask, "InvalidAccountID", "unknown MAC");
}

static bool is_limited(struct provision_ask *ask)
{
	const struct hd_provision *p = ask->provision;

	if (is_exempt(ask))
		return false;
	return !hd_buckets_have(p->failures, address_of(ask), now_ms(ask)) ||
	       !hd_buckets_have(p->challenges, address_of(ask), now_ms(ask));
}

static enum provision_verdict judge(struct provision_ask *ask)
{
	enum provision_verdict token = PROVISION_CHALLENGED, verdict;

	if (ask->path.token[0])
		token = by_token(ask);
	if (token == PROVISION_GRANTED || token == PROVISION_FAILED)
		return token;
	verdict = by_certificate(ask);
	if (verdict == PROVISION_GRANTED || verdict == PROVISION_FAILED)
		return verdict;
	if (is_limited(ask))
		return PROVISION_LIMITED;
	/* Digest may make good a wrong token or certificate; the first reason is what is logged. */
	if (ask->provision->digest && hd_http_header(ask->req, "Authorization"))
		return by_digest(ask);
	if (token == PROVISION_REFUSED || verdict == PROVISION_REFUSED)
		return PROVISION_REFUSED;
	return without(ask);
}

enum provision_verdict provision_access(struct provision_ask *ask)
{
	enum provision_verdict verdict = judge(ask);

	if (verdict != PROVISION_GRANTED)
		hd_wipe(&ask->phone, sizeof(ask->phone));
	return verdict;
}

/* ---- what the others get --------------------------------------------------------------------- */

void provision_blame(struct provision_ask *ask)
{
	char local[ADDRESS_SIZE], remote[ADDRESS_SIZE];
	struct hd_security_event ev = {
		.event = ask->event,
		.service = "Provisioning",
		.account = ask->account[0] ? ask->account : "unknown",
		.local_address = local,
		.remote_address = remote,
	};

	hd_metric_add(&failures, 1);
	hd_notice("provision", "%s: refused from %s: %s", ev.account,
		  hd_http_peer_get(ask->req)->text, ask->why);
	hd_http_addresses(ask->req, local, remote, sizeof(local));
	hd_log_security(&ev);
	if (!is_exempt(ask) && !ask->uncounted)
		(void)hd_buckets_take(ask->provision->failures, address_of(ask), now_ms(ask));
}

static void challenge(struct provision_ask *ask)
{
	struct hd_digest *digest = ask->provision->options.digest;
	size_t n = hd_digest_challenge_count(digest);
	char source[2 * sizeof(struct hd_address) + 1];
	char value[HD_CHALLENGE_SIZE];

	hd_hex_format(source, address_of(ask), sizeof(struct hd_address));
	for (size_t i = 0; i < n && i < CHALLENGES_MAX; i++)
		if (!hd_digest_challenge(value, digest, i, source, ask->stale))
			hd_http_add_header(ask->req, "WWW-Authenticate", value);
	if (!is_exempt(ask))
		(void)hd_buckets_take(ask->provision->challenges, address_of(ask), now_ms(ask));
	hd_http_refuse(ask->req, 401, "unauthorized", "not without credentials");
}

void provision_refuse(struct provision_ask *ask, enum provision_verdict verdict)
{
	switch (verdict) {
	case PROVISION_LIMITED:
		hd_metric_add(&limited, 1);
		hd_http_add_header(ask->req, "Retry-After", "60");
		hd_http_set_close(ask->req);
		hd_http_refuse(ask->req, 429, "too-many-requests", "too many failures from there");
		return;
	case PROVISION_FAILED:
		hd_error("provision", "nothing is served: %s", ask->why);
		hd_http_refuse(ask->req, 500, "internal", "not now");
		return;
	case PROVISION_REFUSED:
		provision_blame(ask);
		break;
	case PROVISION_GRANTED:
	case PROVISION_CHALLENGED:
	default:
		break;
	}
	if (ask->provision->digest)
		challenge(ask);
	else
		hd_http_refuse(ask->req, 404, "not-found", "no such resource");
}

void provision_access_register(void)
{
	hd_metric_register(&failures);
	hd_metric_register(&limited);
}
