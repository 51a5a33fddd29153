/* provision_priv.h - what the files of provision/'s server know of each other. */
#ifndef PROVISION_PRIV_H
#define PROVISION_PRIV_H

#include "hotdesk/base/log.h"
#include "hotdesk/provision.h"

/* ---- path.c: what is asked for --------------------------------------------------------------- */

enum {
	PROVISION_FILE_SIZE = 129,
	PROVISION_TARGET_MAX = 1024,
	PROVISION_SEGMENTS_MAX = 8,
	PROVISION_REST_SIZE = 65
};

struct provision_path {
	char token[HD_TOKEN_SIZE];	/* "": the first part is none */
	char file[PROVISION_FILE_SIZE]; /* the last part, unescaped; "": the token or '/' ends it */
	char rest[PROVISION_REST_SIZE]; /* all behind the token, unescaped; cut off */
};
/**
 * Reads a request's target: `<prefix>/<token>/<file>`, `<prefix>/<file>`, folders between them, a
 * query. What could mean two things to two readers is refused: "..", ".", "//", a backslash, an
 * escaped '/', '%' or control byte, broken escapes, what is not ASCII, and absurd lengths.
 * @param prefix "" or "/phones"
 * @return 0, HD_EPARSE (refused) or HD_ENOENT (not below the prefix)
 */
HD_MUSTCHECK int provision_path_parse(struct provision_path *path, const char *prefix,
				      struct hd_slice target);

/* ---- access.c: who asks ---------------------------------------------------------------------- */

enum provision_way { PROVISION_BY_TOKEN, PROVISION_BY_CERTIFICATE, PROVISION_BY_DIGEST };
enum provision_verdict {
	PROVISION_GRANTED,
	PROVISION_CHALLENGED, /* no credentials, or none that are still good */
	PROVISION_REFUSED,
	PROVISION_LIMITED, /* its source was refused too often */
	PROVISION_FAILED,  /* the store */
};

/** One request on its way. */
struct provision_ask {
	struct hd_provision *provision;
	struct hd_http_request *req;
	struct hd_txn *txn;
	int64_t at_ms; /* before the snapshot: nothing in it is younger */
	struct provision_path path;
	struct hd_device_hint by_agent, by_file;
	struct hd_phone phone; /* granted: holds secrets */
	enum provision_way way;
	const char *why;		/* refused: for the log; static */
	const char *event;		/* refused: of the security event; static */
	char account[HD_PHONE_ID_SIZE]; /* refused: who it said it is */
	bool stale;			/* challenged: the nonce was ours */
	bool uncounted;			/* refused: no failure of its source, only a challenge */
};
enum provision_verdict provision_access(struct provision_ask *ask);
/** Answers who was refused; the same for everybody. Ends the request. */
void provision_refuse(struct provision_ask *ask, enum provision_verdict verdict);
/** Its metrics. */
void provision_access_register(void);
/** Counts and logs a failure of the source. */
void provision_blame(struct provision_ask *ask);

/* ---- note.c: what was fetched ---------------------------------------------------------------- */

/** Notes it, and tells the daemon, when the answer has gone out. Before the answer. */
void provision_note(struct provision_ask *ask, enum hd_vendor_file kind);

/* ---- server.c -------------------------------------------------------------------------------- */

enum { PROVISION_PREFIX_SIZE = 129 };

struct hd_provision {
	struct hd_provision_options options;
	char prefix[PROVISION_PREFIX_SIZE];
	bool digest;
	struct hd_networks plain, exempt;
	struct hd_buckets *failures, *challenges;
	struct hd_ratelimit complaints;
	uint32_t notes;
};

#endif
