/*
 * location.h - location service: contacts that reach an address-of-record (RFC 3261 10).
 *
 * It sees no SIP message and no socket: callers pass plain values, the store decides durability,
 * the time comes with the argument. The address-of-record of a phone is its id (one domain).
 * Tables: "binding" (key: aor, all its bindings in one record) and "binding_expiry" (time, aor).
 *
 * Layer: 2.  May include: base, store.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_LOCATION_H
#define HOTDESK_LOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/directory.h"
#include "hotdesk/store.h"

enum {
	HD_BINDINGS_MAX = 8,	      /* per address-of-record */
	HD_LOCATION_CHANGES_MAX = 16, /* Contacts taken from one REGISTER */
	HD_CONTACT_SIZE = 513,
	HD_CALL_ID_SIZE = 256,
	HD_FLOW_SIZE = 96,
	HD_INSTANCE_SIZE = 129,
	HD_AGENT_SIZE = 129,
	HD_PATH_SIZE = 769,
};

struct hd_binding {
	char contact_uri[HD_CONTACT_SIZE]; /* as sent, without <> */
	char contact_params[257]; /* header parameters to give back, without expires and q */
	char call_id[HD_CALL_ID_SIZE];
	uint32_t cseq;
	uint16_t q_permille; /* 0..1000; 1000 when none was given */
	bool q_given;
	int64_t expires_at_ms; /* wall clock */
	int64_t registered_at_ms;
	char flow[HD_FLOW_SIZE];	    /* opaque: sip/'s text form of where it came from */
	char instance_id[HD_INSTANCE_SIZE]; /* RFC 5626 +sip.instance, or "" */
	uint32_t reg_id;
	char user_agent[HD_AGENT_SIZE];
	char path[HD_PATH_SIZE]; /* RFC 3327, or "" */
};

struct hd_location;
HD_MUSTCHECK int hd_location_new(struct hd_location **lp, struct hd_store *store);
void hd_location_free(struct hd_location *loc);

/** What one REGISTER asks for. An hd_command_fn argument: filled before, results after. */
struct hd_location_change {
	struct hd_location *loc;
	char aor[HD_PHONE_ID_SIZE];
	struct hd_binding contacts[HD_LOCATION_CHANGES_MAX]; /* expires_at_ms 0 removes */
	size_t n_contacts;
	bool remove_all; /* Contact: * ; call_id and cseq below order it (10.3 step 6) */
	char call_id[HD_CALL_ID_SIZE];
	uint32_t cseq;
	uint32_t max_contacts; /* with 1 a new contact replaces the old one, whoever sent it */
	int64_t now_ms;
	struct hd_binding result[HD_BINDINGS_MAX]; /* out: what is stored now, unexpired only */
	size_t n_result;
	bool changed; /* out: anything but expiry, call_id and cseq differs */
};

/**
 * RFC 3261 10.3 steps 6 and 7 for all the contacts, or none: a stored binding with the same
 * Call-ID and the same or a higher CSeq fails the whole change. Contacts match by +sip.instance
 * and reg-id where both have them, else by URI equality. A contact without a Call-ID of its own has
 * the request's. Removals make room for additions, in whatever order they are named; of one URI
 * named twice the last counts. A binding that expired is none; a damaged record is replaced. What
 * a new contact replaces (max_contacts 1) has to be older in the same sense. registered_at_ms is
 * set here and kept by a refresh.
 * @return 0; HD_ESTALE (out of order), HD_ELIMIT (over max_contacts), or the store's error
 */
HD_MUSTCHECK int hd_location_change(struct hd_txn *txn, void *change);
/**
 * Whether the change, applied to this snapshot, would alter nothing but expiry, Call-ID and CSeq
 * of bindings that exist: then it may be soft. Fills result as if it had been applied.
 * @return as hd_location_change()
 */
HD_MUSTCHECK int hd_location_preview(struct hd_txn *txn, struct hd_location_change *change);

/**
 * The unexpired bindings of an address-of-record, highest q and newest first.
 * @param np in: room; out: how many. @return 0 (also for none), HD_ECORRUPT, HD_EIO
 */
HD_MUSTCHECK int hd_location_get(struct hd_location *loc, struct hd_txn *txn, const char *aor,
				 int64_t now_ms, struct hd_binding *bindings, size_t *np);
/**
 * Where a device is whose binding is not among these any more: the one with its Contact, else the
 * newest that was made since. Bindings behind a Path are none: they are somebody else's devices.
 * @return NULL: there is none
 */
const struct hd_binding *hd_binding_moved(const struct hd_binding *bindings, size_t n,
					  const char *contact_uri, int64_t since_ms);
/**
 * The address-of-record after one ("" for the first), with its bindings.
 * @return 0; HD_ENOENT at the end; HD_ECORRUPT (aor is set, so that a walk can go on)
 */
HD_MUSTCHECK int hd_location_next(struct hd_location *loc, struct hd_txn *txn, const char *after,
				  int64_t now_ms, char aor[HD_PHONE_ID_SIZE],
				  struct hd_binding *bindings, size_t *np);

/** An hd_command_fn argument: removes what has expired, at most `max` addresses-of-record a run. */
struct hd_location_sweep {
	struct hd_location *loc;
	int64_t now_ms;
	uint32_t max;
	uint32_t removed; /* out: bindings */
	bool more;	  /* out: run again */
};
HD_MUSTCHECK int hd_location_sweep(struct hd_txn *txn, void *sweep);
/** True when hd_location_sweep() would find something: cheap, read-only. */
bool hd_location_has_expired(struct hd_location *loc, struct hd_txn *txn, int64_t now_ms);
/** Removes every binding of an address-of-record (its phone was removed). */
HD_MUSTCHECK int hd_location_remove(struct hd_location *loc, struct hd_txn *txn, const char *aor);
/** Addresses-of-record that have bindings, expired ones included until the sweep. */
HD_MUSTCHECK int hd_location_count(struct hd_location *loc, struct hd_txn *txn, uint64_t *np);

#endif
