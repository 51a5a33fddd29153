/* server.c - see hotdesk/provision.h: one request from its path to its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "provision_priv.h"

enum { ETAG_BYTES = 12, ETAG_SIZE = 32, CHALLENGES_EACH = 4 };

static struct hd_metric fetches =
	HD_COUNTER("hotdeskd_provision_fetches", NULL, "configurations given to phones");
static struct hd_metric unchanged =
	HD_COUNTER("hotdeskd_provision_unchanged", NULL, "fetches answered 304");

/* ---- the answer ------------------------------------------------------------------------------ */

static void etag_make(char etag[ETAG_SIZE], struct hd_slice body)
{
	uint8_t sum[HD_SHA256_BYTES];
	char text[ETAG_SIZE];

	hd_sha256(sum, &body, 1);
	hd_base64url_format(text, sum, ETAG_BYTES);
	(void)snprintf(etag, ETAG_SIZE, "\"%.*s\"", ETAG_SIZE - 3, text);
}

/* RFC 9110 13.1.2; a weak tag of ours is as good. */
static bool has_same(const struct hd_http_request *req, const char *etag)
{
	const char *match = hd_http_header(req, "If-None-Match");

	return match && (strcmp(match, "*") == 0 || strstr(match, etag));
}

static void answer_file(struct provision_ask *ask, enum hd_vendor_file kind,
			const struct hd_provision_file *file)
{
	struct hd_slice body = { hd_buf_text(&file->body), file->body.len };
	bool is_head = strcmp(hd_http_method_name(ask->req), "HEAD") == 0;
	char etag[ETAG_SIZE];

	etag_make(etag, body);
	hd_http_add_header(ask->req, "ETag", etag);
	if (!is_head && kind != HD_VENDOR_FILE_INDEX)
		provision_note(ask, kind);
	hd_metric_add(&fetches, 1);
	if (has_same(ask->req, etag)) {
		hd_metric_add(&unchanged, 1);
		hd_http_answer(ask->req, 304, NULL, (struct hd_slice){ NULL, 0 });
		return;
	}
	hd_http_answer(ask->req, 200, file->type, body);
}

static void serve_file(struct provision_ask *ask, enum hd_vendor_file kind)
{
	static const char *const ways[] = { "token", "certificate", "digest" };
	const struct hd_provision_options *o = &ask->provision->options;
	struct hd_provision_file file = { 0 };
	int err;

	err = o->render(o->arg, ask->txn, &ask->phone, kind, &file);
	if (!err)
		err = hd_buf_error(&file.body);
	if (err == HD_ENOENT || err == HD_ESTATE) {
		hd_warn("provision", "%s: no configuration for it: %s", ask->phone.id,
			err == HD_ENOENT ? "its vendor has no such file"
					 : "its secret is not kept");
		hd_http_refuse(ask->req, 404, "not-found", "no such file");
	} else if (err) {
		hd_error("provision", "%s: no configuration for it: %s", ask->phone.id,
			 hd_strerror(err));
		hd_http_answer_error(ask->req, err, "not now");
	} else {
		hd_info("provision", "%s: %s to %s by %s", ask->phone.id,
			ask->path.file[0] ? ask->path.file : "its configuration",
			hd_http_peer_get(ask->req)->text, ways[ask->way]);
		answer_file(ask, kind, &file);
	}
	hd_provision_file_fini(&file);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

/* By the model, by what was seen, else by how it asks now. */
static const struct hd_vendor *vendor_of(struct provision_ask *ask)
{
	const struct hd_vendor *vendor, *generic = hd_vendor_of_model("");

	if (hd_device_vendor(ask->provision->options.device, ask->txn, &ask->phone, &vendor))
		hd_warn("provision", "%s: what was seen of it cannot be read", ask->phone.id);
	if (vendor == generic && !ask->phone.model[0] && ask->by_agent.vendor) {
		vendor = ask->by_agent.vendor;
		memcpy(ask->phone.model, ask->by_agent.model, sizeof(ask->phone.model));
	}
	return vendor;
}

/* Somebody with the key to one phone who asks for the file of another. */
static bool asks_for_another(const struct provision_ask *ask)
{
	return ask->phone.mac[0] && ask->by_file.mac[0] &&
	       strcmp(ask->phone.mac, ask->by_file.mac) != 0;
}

static bool is_read(const struct hd_http_request *req)
{
	const char *method = hd_http_method_name(req);

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Only where the secret of the URL is: not for whoever borrows a certificate or a password. */
static bool serve_other(struct provision_ask *ask, const struct hd_vendor *vendor)
{
	const struct hd_provision_options *o = &ask->provision->options;

	return o->other && ask->way == PROVISION_BY_TOKEN && ask->path.rest[0] &&
	       o->other(o->arg, ask->req, &ask->phone, vendor, ask->path.rest);
}

static void serve_granted(struct provision_ask *ask)
{
	const struct hd_vendor *vendor = vendor_of(ask);
	enum hd_vendor_file kind = HD_VENDOR_FILE_MAIN;

	if (serve_other(ask, vendor))
		return;
	if (!is_read(ask->req)) {
		hd_http_add_header(ask->req, "Allow", "GET, HEAD");
		hd_http_refuse(ask->req, 405, "method-not-allowed", "not with this method");
		return;
	}
	if (ask->path.file[0])
		kind = hd_vendor_file_of(vendor, ask->phone.mac, hd_slice_of(ask->path.file));
	switch (kind) {
	case HD_VENDOR_FILE_MAIN:
	case HD_VENDOR_FILE_INDEX:
	case HD_VENDOR_FILE_PATCH:
		serve_file(ask, kind);
		return;
	case HD_VENDOR_FILE_NONE:
	case HD_VENDOR_FILE_OPTIONAL:
	default:
		break;
	}
	if (asks_for_another(ask)) {
		ask->event = "FailedACL";
		ask->why = "asks for the file of another phone";
		memcpy(ask->account, ask->phone.id, sizeof(ask->account));
		provision_blame(ask);
	} else {
		hd_info("provision", "%s: no %s for a %s phone", ask->phone.id, ask->path.file,
			vendor->name);
	}
	hd_http_refuse(ask->req, 404, "not-found", "no such file");
}

static void serve_path(struct provision_ask *ask)
{
	enum provision_verdict verdict;
	int err;

	hd_device_by_agent(&ask->by_agent, hd_slice_of(hd_http_header(ask->req, "User-Agent")));
	hd_device_by_file(&ask->by_file, hd_slice_of(ask->path.file));
	ask->at_ms = hd_clock_wall_ms(ask->provision->options.clock);
	err = hd_store_begin_read(ask->provision->options.store, &ask->txn);
	if (err) {
		ask->why = hd_strerror(err);
		provision_refuse(ask, PROVISION_FAILED);
		return;
	}
	verdict = provision_access(ask);
	if (verdict == PROVISION_GRANTED)
		serve_granted(ask);
	else
		provision_refuse(ask, verdict);
	hd_wipe(&ask->phone, sizeof(ask->phone));
	hd_store_end_read(ask->txn);
}

/* Without TLS, and not from a network that may: nobody learns there whether a token is right. */
static void refuse_plain(struct provision_ask *ask)
{
	ask->event = "FailedACL";
	ask->why = "not without TLS from there";
	provision_blame(ask);
	hd_http_set_close(ask->req);
	hd_http_refuse(ask->req, 403, "refused", "not without TLS from there");
}

static void serve(struct hd_http_request *req, void *arg)
{
	struct provision_ask ask = { .provision = arg, .req = req };
	const struct hd_http_peer *peer = hd_http_peer_get(req);
	int err;

	if (!peer->tls && !hd_networks_have(&ask.provision->plain, &peer->address)) {
		refuse_plain(&ask);
		return;
	}
	err = provision_path_parse(&ask.path, ask.provision->prefix,
				   hd_slice_of(hd_http_target(req)));
	if (err) {
		ask.event = "InvalidAccountID";
		ask.why = err == HD_EPARSE ? "a path that is no honest one" : "not our path";
		provision_refuse(&ask, PROVISION_REFUSED);
		return;
	}
	serve_path(&ask);
}

static const struct hd_http_route routes[] = {
	{ HD_HTTP_GET, "*", serve },
	{ HD_HTTP_POST, "*", serve },
};

/* ---- life ------------------------------------------------------------------------------------ */

/* "https://host:port/phones/" to "/phones". */
static void prefix_set(char prefix[PROVISION_PREFIX_SIZE], const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;
	const char *path = host ? strchr(host + 3, '/') : NULL;
	size_t len = path ? strlen(path) : 0;

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (hd_str_copy(prefix, PROVISION_PREFIX_SIZE, (struct hd_slice){ path, len }))
		hd_error("provision", "provision.url: its path is too long, left out");
}

void hd_provision_set_policy(struct hd_provision *p, const struct hd_provision_policy *policy)
{
	uint32_t window_ms = policy->failures_window_s * 1000;

	prefix_set(p->prefix, policy->url);
	p->digest = policy->digest && p->options.digest;
	hd_networks_set(&p->plain, "provision", policy->plain_networks, policy->n_plain_networks);
	hd_networks_set(&p->exempt, "provision", policy->exempt, policy->n_exempt);
	hd_buckets_set(p->failures, policy->failures_max, window_ms, policy->failures_max);
	hd_buckets_set(p->challenges, policy->failures_max * CHALLENGES_EACH, window_ms,
		       policy->failures_max * CHALLENGES_EACH);
}

int hd_provision_new(struct hd_provision **pp, const struct hd_provision_options *options)
{
	struct hd_provision *p;

	if (!pp || !options || !options->render || (options->digest && !options->lookup))
		return HD_EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return HD_ENOMEM;
	p->options = *options;
	memset(&p->options.policy, 0, sizeof(p->options.policy));
	p->failures = hd_buckets_new();
	p->challenges = hd_buckets_new();
	if (!p->failures || !p->challenges) {
		hd_provision_free(p);
		return HD_ENOMEM;
	}
	provision_access_register();
	hd_metric_register(&fetches);
	hd_metric_register(&unchanged);
	hd_provision_set_policy(p, &options->policy);
	*pp = p;
	return 0;
}

void hd_provision_free(struct hd_provision *p)
{
	if (!p)
		return;
	hd_buckets_free(p->failures);
	hd_buckets_free(p->challenges);
	free(p);
}

int hd_provision_mount(struct hd_provision *p, struct hd_http *http)
{
	return hd_http_add_routes(http, routes, sizeof(routes) / sizeof(routes[0]), p);
}
