/* best.c - which of the failures the caller is told (RFC 3261 16.7 steps 6 and 7). */
#include "context_priv.h"
#include "hotdesk/base/log.h"

/* Lower is better: 6xx, then the lowest class; in 4xx what the caller can act upon. */
static int rank(int status)
{
	switch (status) {
	case 401:
	case 407:
	case 415:
	case 420:
	case 484:
		return 400;
	case 408:
	case 480:
	case 487:
		return 402;
	case 503:
		return 501;
	default:
		return status >= 600 ? 0 : status < 400 || status >= 500 ? status / 100 * 100 : 401;
	}
}

static bool is_challenge(const struct branch *b)
{
	return b->response && (b->status == 401 || b->status == 407);
}

/* 16.7 step 7: the challenges of all in the one response. */
void best_add_challenges(struct response_context *rc, struct branch *best)
{
	static const char *const names[] = { "WWW-Authenticate", "Proxy-Authenticate" };

	if (!is_challenge(best))
		return;
	for (struct branch *b = rc->branches; b; b = b->next) {
		int err = 0;

		if (b == best || !is_challenge(b))
			continue;
		for (size_t name = 0; !err && name < 2; name++)
			err = hd_msg_copy_headers(best->response, b->response, names[name]);
		if (err)
			hd_log_call(HD_LOG_WARNING, "proxy", hd_msg_call_id(b->response),
				    "%s: a challenge is left out: %s", rc->what, hd_strerror(err));
	}
}

struct branch *best_branch(struct response_context *rc)
{
	struct branch *best = NULL;

	for (struct branch *b = rc->branches; b; b = b->next)
		if (!best || (best->moved && !b->moved) ||
		    (best->moved == b->moved && rank(b->status) < rank(best->status)))
			best = b;
	return best;
}
