/*
 * calls.h - call lists: what was called, by whom, when and for how long; kept per user.
 *
 * A call makes an entry for its caller and one for its callee: the users who sat at the phones,
 * else the phones themselves. While it goes on it is an open record; when it ends, its entries are
 * written and that is struck out, in one command. Open records that a crash left behind become
 * entries at the next start, with what was known; if such a call goes on and is ended later, they
 * are completed.
 *
 * Tables: "call" (owner, NUL, time of the begin from the newest on, hash: an entry), "call_open"
 * (hash of the call), "call_unseen" (owner, NUL, phone: how many missed calls the owner has not
 * looked at). Keys of one call are always the same, so that nothing is entered twice.
 *
 * Layer: 2.  May include: base, store.  Thread: any; each call works inside the caller's
 * transaction.
 */
#ifndef HOTDESK_CALLS_H
#define HOTDESK_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/store.h"

enum {
	HD_CALLS_OWNER_SIZE = 65, /* a number, or a phone's id */
	HD_CALLS_NUMBER_SIZE = 65,
	HD_CALLS_NAME_SIZE = 129,
	HD_CALLS_HASH_BYTES = 16,
	HD_CALLS_KEY_MAX = HD_CALLS_OWNER_SIZE + 8 + 4,
	HD_CALLS_SWEEP_MAX = 256,
};

#define HD_CALL_KIND_LIST(X) X(DIALLED, "dialled") X(RECEIVED, "received") X(MISSED, "missed")
enum hd_call_kind {
#define HD_CALL_KIND_ENUM(n, s) HD_CALL_##n,
	HD_CALL_KIND_LIST(HD_CALL_KIND_ENUM)
#undef HD_CALL_KIND_ENUM
		HD_CALL_KIND_COUNT
};
const char *hd_call_kind_name(enum hd_call_kind kind);

/** One side of a call. */
struct hd_calls_side {
	char owner[HD_CALLS_OWNER_SIZE]; /* whose list; "": nobody's */
	char phone[HD_CALLS_OWNER_SIZE];
	char number[HD_CALLS_NUMBER_SIZE]; /* as presented to the other; the callee's as dialled */
	char name[HD_CALLS_NAME_SIZE];
};
/** A call as far as it is known. Texts are UTF-8; times wall clock, 0: has not happened. */
struct hd_calls_record {
	uint8_t hash[HD_CALLS_HASH_BYTES]; /* hd_calls_hash() */
	struct hd_calls_side caller, callee;
	char forwarded_by[HD_CALLS_NUMBER_SIZE];
	char forwarded_to[HD_CALLS_NUMBER_SIZE]; /* by the callee, who has it no more */
	int64_t started_ms, ringing_ms, answered_ms, ended_ms;
	int status;	/* final, of the INVITE */
	int cause;	/* Q.850; 0: none */
	bool withheld;	/* the callee must not see who called */
	bool elsewhere; /* not answered here, but at another place: it was not missed */
	bool learned;	/* only hash, ended_ms and cause are known: the rest stands in the store */
	bool final;	/* it has ended */
	bool missed;	/* out of hd_calls_write(): its callee has one more that was not seen */
};
void hd_calls_hash(uint8_t hash[HD_CALLS_HASH_BYTES], const char *call_id, const char *from_tag);

/** What stands in a list. */
struct hd_calls_entry {
	char owner[HD_CALLS_OWNER_SIZE];
	enum hd_call_kind kind;
	char number[HD_CALLS_NUMBER_SIZE]; /* of the other side; "": withheld */
	char name[HD_CALLS_NAME_SIZE];
	char identity[HD_CALLS_NUMBER_SIZE]; /* the owner's: what was shown, or was dialled */
	char phone[HD_CALLS_OWNER_SIZE];     /* the owner's */
	char forwarded_by[HD_CALLS_NUMBER_SIZE];
	char forwarded_to[HD_CALLS_NUMBER_SIZE]; /* by the owner; "voicemail" */
	int64_t started_ms;
	uint32_t ring_ms, duration_s;
	bool answered, withheld, elsewhere;
	bool hidden;	 /* made while the owner's list was off: never shown on a phone */
	bool incomplete; /* the daemon ended before it did: how long is not known */
	int status, cause;
	uint8_t key[HD_CALLS_KEY_MAX]; /* out of hd_calls_page(): its place */
	size_t key_len;
};

struct hd_calls;
/** Opens the tables. @return 0, HD_ENOMEM or the store's error */
HD_MUSTCHECK int hd_calls_new(struct hd_calls **cp, struct hd_store *store);
void hd_calls_free(struct hd_calls *calls);

/** An hd_command_fn argument: open records and ends, in the order they happened. */
struct hd_calls_batch {
	struct hd_calls *calls;
	struct hd_calls_record *records;
	size_t n;
	/** Whether an owner's list is off, by the same transaction; NULL: nobody's. */
	bool (*is_off)(const void *arg, struct hd_txn *txn, const char *owner);
	const void *arg;
};
HD_MUSTCHECK int hd_calls_write(struct hd_txn *txn, void *batch);
/** The same without records: what a former life has left open. */
HD_MUSTCHECK int hd_calls_close(struct hd_txn *txn, void *batch);

/** Newest first. */
struct hd_calls_query {
	const char *owner;	   /* "" or NULL: everybody's, one after the other */
	const char *phone;	   /* only entries of this phone; "" or NULL: of all */
	unsigned kinds;		   /* 1 << kind, or'ed; 0: all */
	int64_t from_ms, until_ms; /* begin in [from, until); until 0: no end */
	bool shown;		   /* only what a phone may show */
	uint32_t looks;		   /* at most so many entries are looked at; 0: no limit */
	struct hd_slice after;	   /* key of the last entry of the page before; or zero */
};
/**
 * @param np in: room, out: how many; fewer than there was room for: that was all
 * @return 0 or the store's error; a damaged entry is left out
 */
HD_MUSTCHECK int hd_calls_page(struct hd_calls *calls, struct hd_txn *txn,
			       const struct hd_calls_query *query, struct hd_calls_entry *entries,
			       size_t *np);
/** Removes all of an owner, inside the caller's command. @param removedp may be NULL */
HD_MUSTCHECK int hd_calls_remove(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
				 uint64_t *removedp);

/** More are not counted. */
enum { HD_CALLS_UNSEEN_MAX = 100 };
/**
 * Missed calls that were written since the owner has looked, of those that a phone may show.
 * @param phone missed there; NULL: anywhere
 * @param np receives their number, at most HD_CALLS_UNSEEN_MAX
 * @return 0 or the store's error
 */
HD_MUSTCHECK int hd_calls_unseen(struct hd_calls *calls, struct hd_txn *txn, const char *owner,
				 const char *phone, uint32_t *np);
/** An hd_command_fn argument: the owner has looked at the missed calls. */
struct hd_calls_seen {
	struct hd_calls *calls;
	char owner[HD_CALLS_OWNER_SIZE];
	char phone[HD_CALLS_OWNER_SIZE]; /* those of this phone; "": all */
};
HD_MUSTCHECK int hd_calls_seen(struct hd_txn *txn, void *seen);

/** What of a call is about somebody. */
enum hd_calls_part {
	HD_CALLS_CALLER = 1,
	HD_CALLS_CALLEE = 2,
	HD_CALLS_FORWARDER = 4,
	HD_CALLS_TARGET = 8
};
/** @return parts that are this number, or'ed; 0: none */
unsigned hd_calls_parts(const struct hd_calls_record *record, const char *number);
/** Takes number and name out; who was caller or callee gets no entry of it. */
void hd_calls_blank_parts(struct hd_calls_record *record, unsigned parts);

/**
 * Somebody's number and name out of everybody's lists and out of the calls that are open, in steps:
 * an hd_command_fn, argument a struct hd_calls_blank, until `done`; `from` and `from_open` are then
 * what `at` and `open` were. Such a number reads as withheld. Zero but for the first three before.
 */
struct hd_calls_blank {
	struct hd_calls *calls;
	char number[HD_CALLS_NUMBER_SIZE];
	uint32_t looks;	      /* entries that one step may pass */
	bool from_open, open; /* it is at the open calls, which come after the entries */
	uint8_t from[HD_CALLS_KEY_MAX], at[HD_CALLS_KEY_MAX];
	size_t from_len, at_len;
	uint64_t blanked; /* in this step */
	bool done;
};
HD_MUSTCHECK int hd_calls_blank(struct hd_txn *txn, void *blank);

/**
 * Retention, in small steps: hd_calls_look() on a snapshot finds what is too old or too much,
 * hd_calls_sweep(), an hd_command_fn, removes it. The zero value (with calls) begins at the start.
 */
struct hd_calls_sweep {
	struct hd_calls *calls;
	int64_t older_than_ms; /* begun before: removed */
	uint32_t max;	       /* per owner */
	uint32_t looks;	       /* entries that one look may pass */
	uint8_t at[HD_CALLS_KEY_MAX];
	size_t at_len;
	uint32_t rank; /* of the entry at `at` in its owner's list */
	size_t n;      /* found */
	uint8_t keys[HD_CALLS_SWEEP_MAX][HD_CALLS_KEY_MAX];
	size_t lens[HD_CALLS_SWEEP_MAX];
};
/** @return 0 or the store's error */
HD_MUSTCHECK int hd_calls_look(struct hd_txn *txn, struct hd_calls_sweep *sweep);
HD_MUSTCHECK int hd_calls_sweep(struct hd_txn *txn, void *sweep);

/** Entries, and calls that are open. */
HD_MUSTCHECK int hd_calls_count(struct hd_calls *calls, struct hd_txn *txn, uint64_t *entriesp,
				uint64_t *openp);

#endif
