/* status.c - the one table from our errors to HTTP. */
#include "http_priv.h"

static const struct {
	int err;
	unsigned status;
	const char *word;
} rows[] = {
	{ HD_EINVAL, 400, "invalid" },
	{ HD_ENOMEM, 503, "out-of-memory" },
	{ HD_ENOENT, 404, "not-found" },
	{ HD_EEXIST, 409, "exists" },
	{ HD_EPARSE, 400, "malformed" },
	{ HD_ELIMIT, 422, "over-limit" },
	{ HD_EBUSY, 503, "busy" },
	{ HD_ESTALE, 409, "stale" },
	{ HD_EACCESS, 403, "refused" },
	{ HD_ESTATE, 409, "wrong-state" },
	{ HD_ETIMEOUT, 504, "timeout" },
	{ HD_EUNSUPPORTED, 501, "unsupported" },
	{ HD_ECONFLICT, 409, "conflict" },
	{ HD_EFULL, 507, "store-full" },
	{ HD_EIO, 500, "input-output" },
	{ HD_ECORRUPT, 500, "corrupt" },
	{ HD_EVERSION, 500, "newer-version" },
	{ HD_ESYSTEM, 500, "system" },
	{ HD_EGONE, 410, "gone" },
	{ HD_ESHUTDOWN, 503, "shutting-down" },
};

unsigned hd_http_status(int err, const char **wordp)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err != err)
			continue;
		if (wordp)
			*wordp = rows[i].word;
		return rows[i].status;
	}
	if (wordp)
		*wordp = "internal";
	return 500;
}
