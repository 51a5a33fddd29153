/*
 * provision.h - phones' configurations over HTTP and HTTPS: what a phone gets, and who may have it.
 *
 * A phone's own URL is `<provision.url>/<token>/<file>`; the token (hotdesk/device.h) is 130 bits
 * and says which phone it is. Without a token the phone is the one of its client certificate, or of
 * its digest credentials (RFC 7616; the name is the phone's id, the password its SIP secret).
 * Nothing else identifies a phone: not a MAC in a file name or a User-Agent, which anybody can
 * guess. Who is refused learns nothing: an unknown MAC, a wrong token, a wrong password and a file
 * that is nobody's get the same answer.
 *
 * Layer: 4.  May include: http, digest, L2.  Thread: the control thread, but for what says so.
 */
#ifndef HOTDESK_PROVISION_H
#define HOTDESK_PROVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/device.h"
#include "hotdesk/digest.h"
#include "hotdesk/directory.h"
#include "hotdesk/event.h"
#include "hotdesk/http.h"
#include "hotdesk/store.h"

/* ---- what a phone gets ---------------------------------------------------------------------- */

/** One rendered file. */
struct hd_provision_file {
	struct hd_buf body; /* holds secrets: to be wiped with hd_provision_file_fini() */
	const char *type;   /* Content-Type, static */
};
/** Wipes and releases the body; leaves it empty. */
void hd_provision_file_fini(struct hd_provision_file *file);

/**
 * Gives one of a phone's files out of a snapshot; the daemon wires the templates in here.
 * @param phone without a model, it has the one that it names itself
 * @param kind  MAIN, INDEX or PATCH
 * @return 0; HD_ENOENT: its vendor has no such file; HD_ESTATE: its secret is not kept; the store's
 *         error, HD_ENOMEM
 */
typedef int hd_provision_render_fn(void *arg, struct hd_txn *txn, const struct hd_phone *phone,
				   enum hd_vendor_file kind, struct hd_provision_file *file);

/* ---- who gets it ---------------------------------------------------------------------------- */

/** What a phone has fetched: a configuration or its keys, not an index. */
struct hd_provision_fetch {
	const char *phone;
	enum hd_vendor_file kind;
	int64_t at_ms;	  /* wall clock, of the request */
	const char *from; /* "192.0.2.1:40000" */
};

/** What a reload may change. */
struct hd_provision_policy {
	const char *url; /* its path is what our paths begin with; NULL: nothing */
	bool digest;	 /* as well as tokens and certificates */
	/* Networks that are answered without TLS; from elsewhere it is 403. */
	const char *const *plain_networks;
	size_t n_plain_networks;
	const char *const *exempt; /* networks whose failures are not counted */
	size_t n_exempt;
	uint32_t failures_max, failures_window_s; /* of one source; 0: no limit */
};

struct hd_provision_options {
	struct hd_loop *loop; /* all borrowed */
	struct hd_store *store;
	struct hd_directory *directory;
	struct hd_device *device;
	const struct hd_clock *clock;
	struct hd_digest *digest; /* the control thread's own */
	hd_digest_lookup_fn *lookup;
	hd_provision_render_fn *render;
	/** After the last byte was given to the network; NULL: nobody wants to know. */
	void (*fetched)(void *arg, const struct hd_provision_fetch *fetch);
	/**
	 * What else a phone finds at its own URL, with its token: forms; or NULL.
	 * @param rest the path behind the token
	 * @return false: nothing of the kind, not answered
	 */
	bool (*other)(void *arg, struct hd_http_request *req, const struct hd_phone *phone,
		      const struct hd_vendor *vendor, const char *rest);
	void *arg;			   /* of all of them */
	struct hd_provision_policy policy; /* copied */
};

struct hd_provision;
/** @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int hd_provision_new(struct hd_provision **pp,
				  const struct hd_provision_options *options);
/** After its hd_http. NULL-safe. */
void hd_provision_free(struct hd_provision *provision);
/** Serves every path of this server, borrowed. @return 0 or HD_ELIMIT */
HD_MUSTCHECK int hd_provision_mount(struct hd_provision *provision, struct hd_http *http);
void hd_provision_set_policy(struct hd_provision *provision,
			     const struct hd_provision_policy *policy);

#endif
