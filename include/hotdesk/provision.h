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
#include "hotdesk/directory.h"
#include "hotdesk/http.h"
#include "hotdesk/store.h"

/* ---- what a phone gets ---------------------------------------------------------------------- */

/** One rendered file. */
struct hd_provision_file {
	struct hd_buf body; /* holds secrets: to be wiped by the server */
	const char *type;   /* Content-Type, static */
};
/** Wipes and releases the body; leaves it empty. */
void hd_provision_file_fini(struct hd_provision_file *file);

/**
 * Gives one of a phone's files out of a snapshot; the daemon wires the templates in here.
 * @param vendor of the phone: by its model, what was seen of it, or how it asks now
 * @param kind   MAIN, INDEX or PATCH
 * @return 0; HD_ENOENT: this phone has no such file (its secret is not kept, its vendor has no
 *         patch); the store's error, HD_ENOMEM
 */
typedef int hd_provision_render_fn(void *arg, struct hd_txn *txn, const struct hd_phone *phone,
				   const struct hd_vendor *vendor, enum hd_vendor_file kind,
				   struct hd_provision_file *file);

/* ---- who gets it ---------------------------------------------------------------------------- */

struct hd_provision;

/** What a phone has fetched. */
struct hd_provision_fetch {
	const char *phone;
	enum hd_vendor_file kind;
	int64_t at_ms;	  /* wall clock */
	const char *from; /* its address */
};
/** After its last byte was handed to the network. The control thread. */
typedef void hd_provision_fetched_fn(void *arg, const struct hd_provision_fetch *fetch);

#endif
