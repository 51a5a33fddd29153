/*
 * admin.h - the administrator's JSON API: users, phones, desk sessions, bindings, the store.
 *
 * It is for a socket that only administrators can open. Reads take a snapshot; writes are durable
 * commands and are answered after their commit; each write is one notice in the log: subject, what,
 * who. Phones that show what was changed (labels, names, owners, keys) are told by the same
 * command, through the outbox. No answer and no log line holds a PIN, its hash, a secret or an HA1;
 * the token of a phone's URL is in the answer that is asked for it, and in no log. Errors are
 * {"error": WORD, "detail": TEXT}.
 *
 *   GET    /healthz /readyz /metrics /v1/status
 *   GET    /v1/users?after=N&limit=N      POST /v1/users (409 when it exists)
 *   GET, PUT (adds or replaces), PATCH (changes), DELETE /v1/users/N
 *   POST   /v1/users/N/unlock
 *   GET    /v1/users/N/keys (those that the user has made are "own")
 *   PUT    /v1/users/N/keys/PLACE {"type", "label", "value"} (0: one more without a place)
 *   DELETE /v1/users/N/keys/PLACE (0: all without a place)
 *   GET    /v1/phones?after=ID&limit=N    POST /v1/phones
 *   GET, PUT, PATCH, DELETE /v1/phones/ID
 *   POST   /v1/phones/ID/unlock
 *   GET    /v1/phones/ID/url (of its configuration, and what to put into DHCP)
 *   POST   /v1/phones/ID/token (another URL for its configuration)
 *   GET    /v1/phones/ID/render?file=NAME&secrets=yes (what it would get: main, index, patch, or a
 *          name that it asks for; secrets are masked unless asked for)
 *   GET    /v1/phones/ID/keys, PUT and DELETE /v1/phones/ID/keys/PLACE as of users
 *   GET    /v1/sessions?after=N&limit=N
 *   POST   /v1/sessions/login {"user", "phone"}
 *   POST   /v1/sessions/logout {"user"} or {"phone"}
 *   GET    /v1/bindings?after=ID&limit=N
 *   GET    /v1/audit?after=NEXT&limit=N (logins, logouts, what users have set; oldest first)
 *   GET    /v1/calls?from=MS&until=MS&kind=K&phone=ID&limit=N&after=NEXT&format=json|csv
 *   GET    /v1/calls/of/N (a user or phone, the same arguments)   DELETE /v1/calls/of/N
 *   GET    /v1/calls/active?user=N&limit=N (those of calls: mounted by the daemon)
 *   POST   /v1/import?name=FILE (the YAML)
 *   GET    /v1/export
 *   POST   /v1/backup {"path"}   POST /v1/check   POST /v1/reload
 *
 * Layer: 4.  May include: http, L2; conf for the directory file.  Thread: the control thread.
 */
#ifndef HOTDESK_ADMIN_H
#define HOTDESK_ADMIN_H

#include <stdbool.h>

#include "hotdesk/account.h"
#include "hotdesk/base/clock.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/base/worker.h"
#include "hotdesk/calls.h"
#include "hotdesk/desk.h"
#include "hotdesk/device.h"
#include "hotdesk/directory.h"
#include "hotdesk/event.h"
#include "hotdesk/http.h"
#include "hotdesk/location.h"
#include "hotdesk/settings.h"
#include "hotdesk/store.h"

struct hd_admin;

/** What a reload may change. */
struct hd_admin_policies {
	struct hd_pin_policy pin;
	struct hd_pin_cost cost; /* of new PIN hashes */
	struct hd_desk_policy desk;
	bool keep_secrets;     /* sealed, also of phones without a model */
	char url[HD_URL_SIZE]; /* what URLs of phones begin with; "": none is served */
};

/** What a phone would get. */
struct hd_admin_render {
	enum hd_vendor_file kind; /* in: MAIN, INDEX, PATCH */
	bool secrets;		  /* in */
	struct hd_buf body;	  /* out; moved to the caller, who wipes it */
	const char *type;	  /* out, static: Content-Type */
	const char *why;	  /* out, static: of an error, for the administrator; or NULL */
};

struct hd_admin_options {
	struct hd_loop *loop; /* all pointers are borrowed and outlive the admin */
	struct hd_store *store;
	struct hd_directory *directory;
	struct hd_location *location;
	struct hd_desk *desk;
	struct hd_device *device;
	struct hd_calls *calls; /* of a removed user they are removed; or NULL */
	struct hd_settings_store *settings;
	struct hd_accounts *accounts;
	const struct hd_clock *clock;
	struct hd_worker *worker;    /* the hash thread */
	const struct hd_key *pepper; /* of the PIN hashes */
	const char *realm;	     /* that new secrets are hashed for */
	struct hd_admin_policies policies;
	void *arg;
	/** Adds members to what GET /v1/status answers: version, uptime, listeners. Or NULL. */
	void (*status)(void *arg, struct hd_json *json);
	/** After a commit that may have written the outbox: the phones are to be told. Or NULL. */
	void (*desk_changed)(void *arg);
	/** Whether there is such a class of service. Or NULL: whatever looks like one is. */
	bool (*has_class)(void *arg, const char *name);
	/** A phone's file out of a snapshot. Or NULL (501). @return 0 or HD_E* */
	int (*render)(void *arg, struct hd_txn *txn, const struct hd_phone *phone,
		      struct hd_admin_render *render);
	/**
	 * Reads the configuration anew. Or NULL (501).
	 * @param report receives what changed, what cannot, or why not
	 * @return 0 or HD_E*
	 */
	int (*reload)(void *arg, struct hd_buf *report);
};

/** @return 0, HD_EINVAL, HD_ENOMEM, HD_ELIMIT (realm) or HD_ESYSTEM */
HD_MUSTCHECK int hd_admin_new(struct hd_admin **ap, const struct hd_admin_options *options);
/** Adds the routes to a server. @return 0 or HD_ELIMIT */
HD_MUSTCHECK int hd_admin_mount(struct hd_admin *admin, struct hd_http *http);
/** What /readyz says; false at first. */
void hd_admin_set_ready(struct hd_admin *admin, bool ready);
void hd_admin_set_policies(struct hd_admin *admin, const struct hd_admin_policies *policies);
/**
 * Imports a directory file on the caller's thread: at the start, before the loop runs. Slow.
 * @param report receives what was done, or "FILE:LINE: why not"
 * @return 0; HD_EPARSE, HD_EACCESS (PIN policy), HD_ENOENT (owner), HD_EEXIST, HD_ESYSTEM,
 *         the store's error
 */
HD_MUSTCHECK int hd_admin_seed(struct hd_admin *admin, const char *path, struct hd_buf *report);
/**
 * The order of an end: hd_http_free(), this, hd_worker_free(), hd_store_close(), then drain the
 * loop's mailbox: what is under way ends there, and the last of it frees the admin. NULL-safe.
 */
void hd_admin_free(struct hd_admin *admin);

#endif
