/* auth.c - see hotdesk/sip/auth.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/sip/auth.h"
#include "sip_priv.h"

enum { CHALLENGES_MAX = 4, COLON_AND_CRLF = 4 };

struct hd_auth {
	struct hd_digest *digest;
	hd_digest_lookup_fn *lookup;
	void *arg;
	char **md5_only; /* prefixes of User-Agent */
	size_t n_md5_only;
};

static struct hd_metric failures =
	HD_COUNTER("hotdeskd_auth_failures", "service=\"sip\"", "refused credentials");
static struct hd_metric challenges = HD_COUNTER("hotdeskd_challenges", NULL, "401 and 407 answers");

int hd_auth_new(struct hd_auth **ap, struct hd_digest *digest, hd_digest_lookup_fn *lookup,
		void *arg)
{
	struct hd_auth *auth;

	if (!digest || !lookup)
		return HD_EINVAL;
	auth = calloc(1, sizeof(*auth));
	if (!auth)
		return HD_ENOMEM;
	auth->digest = digest;
	auth->lookup = lookup;
	auth->arg = arg;
	hd_metric_register(&failures);
	hd_metric_register(&challenges);
	*ap = auth;
	return 0;
}

static void free_md5_only(struct hd_auth *auth)
{
	for (size_t i = 0; i < auth->n_md5_only; i++)
		free(auth->md5_only[i]);
	free(auth->md5_only);
}

void hd_auth_free(struct hd_auth *auth)
{
	if (!auth)
		return;
	free_md5_only(auth);
	free(auth);
}

void hd_auth_set_md5_only(struct hd_auth *auth, const char *const *agents, size_t n)
{
	char **copy = n ? calloc(n, sizeof(*copy)) : NULL;
	size_t kept = 0;

	for (size_t i = 0; copy && i < n; i++) {
		copy[kept] = strdup(agents[i]);
		kept += copy[kept] != NULL;
	}
	if (kept < n)
		hd_error("auth", "out of memory: %zu agents left out", n - kept);
	free_md5_only(auth);
	auth->md5_only = copy;
	auth->n_md5_only = kept;
}

static bool knows_md5_only(const struct hd_auth *auth, const struct hd_msg *msg)
{
	const sip_user_agent_t *field = sip_of(msg)->sip_user_agent;
	const char *agent = field ? field->g_string : NULL;

	for (size_t i = 0; agent && i < auth->n_md5_only; i++)
		if (strncasecmp(agent, auth->md5_only[i], strlen(auth->md5_only[i])) == 0)
			return true;
	return false;
}

/* What the library will copy from the request into its answer. */
static size_t echoed_bytes(const struct hd_msg *msg)
{
	su_home_t *home = msg_home(msg_of(msg));
	const sip_header_t *h = first_header(msg_of(msg));
	const char *changed; /* a Via: received and rport were added */
	size_t n = sizeof("SIP/2.0 407 Proxy Authentication Required\r\n") +
		   sizeof(";tag=0123456789abc") + sizeof("Content-Length: 0\r\n\r\n");

	for (; h; h = (const sip_header_t *)h->sh_succ)
		if (h->sh_class == sip_via_class || h->sh_class == sip_from_class ||
		    h->sh_class == sip_to_class || h->sh_class == sip_call_id_class ||
		    h->sh_class == sip_cseq_class) {
			changed = h->sh_len ? NULL : hd_header_text(home, h);
			n += changed ? strlen("Via") + strlen(changed) + COLON_AND_CRLF : h->sh_len;
		}
	return n;
}

static bool offers_md5(const char *challenge)
{
	return strstr(challenge, ", algorithm=MD5,") != NULL;
}

/* The first ones are left out until the answer is no larger than the request, or MD5 is alone. */
static size_t first_challenge(struct hd_auth *auth, struct hd_request *req,
			      char values[][HD_CHALLENGE_SIZE], size_t n, size_t name_len)
{
	struct hd_msg *msg = hd_request_msg(req);
	size_t used, room = hd_msg_size(msg), first = 0;

	if (n <= 1)
		return 0;
	if (offers_md5(values[n - 1]) && knows_md5_only(auth, msg))
		return n - 1;
	if (hd_request_is_stream(req) || hd_request_is_exempt(req))
		return 0;
	used = echoed_bytes(msg);
	for (size_t i = 0; i < n; i++)
		used += name_len + strlen(values[i]) + COLON_AND_CRLF;
	for (; used > room && first + 1 < n; first++)
		used -= name_len + strlen(values[first]) + COLON_AND_CRLF;
	return first;
}

static void challenge(struct hd_auth *auth, struct hd_request *req, bool stale)
{
	const sip_t *sip = sip_of(hd_request_msg(req));
	bool proxy = sip->sip_request->rq_method != sip_method_register;
	const char *name = proxy ? "Proxy-Authenticate" : "WWW-Authenticate";
	size_t n = hd_digest_challenge_count(auth->digest);
	char values[CHALLENGES_MAX][HD_CHALLENGE_SIZE];
	struct hd_buf lines = { 0 };

	if (n > CHALLENGES_MAX)
		n = CHALLENGES_MAX;
	for (size_t i = 0; i < n; i++)
		if (hd_digest_challenge(values[i], auth->digest, i, hd_request_source(req), stale))
			values[i][0] = '\0';
	for (size_t i = first_challenge(auth, req, values, n, strlen(name)); i < n; i++)
		hd_buf_join(&lines, (const char *const[]){ name, ": ", values[i], "\r\n", NULL });
	hd_metric_add(&challenges, 1);
	if (hd_buf_error(&lines))
		hd_request_drop(req);
	else
		hd_request_reply(req, proxy ? 407 : 401, NULL, hd_buf_text(&lines));
	hd_buf_fini(&lines);
}

static void report(struct hd_request *req, const struct hd_digest_result *result)
{
	char local[96], remote[96];
	struct hd_msg *msg = hd_request_msg(req);
	struct hd_security_event ev = {
		.event = "ChallengeResponseFailed",
		.service = "SIP",
		.account = result->username,
		.session = hd_msg_call_id(msg),
		.local_address = local,
		.remote_address = remote,
	};

	hd_metric_add(&failures, 1);
	hd_log_call(HD_LOG_NOTICE, "auth", hd_msg_call_id(msg), "%s: %s refused from %s: %s",
		    result->username, hd_msg_method_name(msg), hd_request_flow(req), result->why);
	if (!result->source_proved && !hd_request_is_stream(req))
		return;
	hd_request_addresses(req, local, remote, sizeof(local));
	hd_log_security(&ev);
}

static void judge(struct hd_auth *auth, struct hd_request *req, struct hd_digest_result *result)
{
	struct hd_slice values[HD_CREDENTIALS_VALUES_MAX];
	struct hd_msg *msg = hd_request_msg(req);
	const char *header =
		hd_msg_method(msg) == HD_METHOD_REGISTER ? "Authorization" : "Proxy-Authorization";
	struct hd_digest_request dr = {
		.method = hd_slice_of(hd_msg_method_name(msg)),
		.source = hd_request_source(req),
		.call_id = hd_slice_of(hd_msg_call_id(msg)),
		.branch = hd_slice_of(hd_msg_branch(msg)),
		.cseq = hd_msg_cseq(msg),
		.values = values,
	};
	const char *value;

	while (dr.n_values < HD_CREDENTIALS_VALUES_MAX &&
	       (value = hd_msg_header(msg, header, (unsigned)dr.n_values)))
		values[dr.n_values++] = hd_slice_of(value);
	if (dr.n_values)
		dr.uri = hd_slice_of(hd_msg_ruri_text(msg));
	hd_digest_check(auth->digest, &dr, auth->lookup, auth->arg, result);
}

bool hd_auth_request(struct hd_auth *auth, struct hd_request *req, char *user, bool *repeatedp)
{
	struct hd_digest_result result = { 0 };

	judge(auth, req, &result);
	if (repeatedp)
		*repeatedp = result.verdict == HD_DIGEST_REPEATED;
	switch (result.verdict) {
	case HD_DIGEST_OK:
	case HD_DIGEST_REPEATED:
		memcpy(user, result.username, HD_DIGEST_USER_SIZE);
		return true;
	case HD_DIGEST_NO_CREDENTIALS:
		challenge(auth, req, false);
		return false;
	case HD_DIGEST_STALE:
	case HD_DIGEST_REPLAY:
		challenge(auth, req, true);
		return false;
	case HD_DIGEST_MALFORMED:
		hd_request_reply(req, 400, "Bad Credentials", NULL);
		return false;
	case HD_DIGEST_WRONG:
		report(req, &result);
		challenge(auth, req, false);
		return false;
	case HD_DIGEST_FAILED:
	default:
		hd_request_reply(req, 500, NULL, NULL);
		return false;
	}
}
