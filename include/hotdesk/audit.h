/*
 * audit.h - what happened at the desks: logins, moves, logouts and lock-outs, and what users set
 * for themselves, the newest 10,000.
 *
 * An entry is appended in the command that did it, so that the list never tells of something
 * that was undone and never lacks something that was done. It holds numbers and phone ids, never
 * a PIN.
 *
 * Table "audit" (key: epoch, sequence; both big-endian).
 * Layer: 2.  May include: base, store, directory, desk.  Thread: any; inside the caller's
 * transaction.
 */
#ifndef HOTDESK_AUDIT_H
#define HOTDESK_AUDIT_H

#include "hotdesk/desk.h"

enum { HD_AUDIT_MAX = 10000, HD_AUDIT_WHAT_SIZE = 65 };

struct hd_audit_entry {
	uint64_t epoch;
	uint32_t sequence; /* within the epoch, from 1 */
	int64_t at_ms;
	enum hd_desk_event event; /* login or logout: what a toggle came to */
	enum hd_desk_way way;
	enum hd_desk_result result;
	bool locked; /* this try started a lock of the user or the phone */
	char phone[HD_PHONE_ID_SIZE];
	char user[HD_NUMBER_SIZE];	   /* who logged in or out, or the number that was tried */
	char left_phone[HD_PHONE_ID_SIZE]; /* a move: from where */
	char left_user[HD_NUMBER_SIZE];	   /* who lost the phone to this user */
	/*
	 * Not "": a setting that the user has changed, "forward always", and to what, "202";
	 * event, result and what follows them mean nothing then.
	 */
	char what[HD_AUDIT_WHAT_SIZE], to[HD_PHONE_ID_SIZE];
};

/** What a user has set. */
struct hd_audit_setting {
	const char *user, *phone;
	enum hd_desk_way way;
	const char *what, *to; /* cut to their sizes; to "": nothing to name */
	int64_t at_ms;
};
/** In the command that changes it. @return 0, HD_EINVAL or the store's error */
HD_MUSTCHECK int hd_audit_add_setting(struct hd_desk *desk, struct hd_txn *txn,
				      const struct hd_audit_setting *setting);

/**
 * The entry after one, oldest first; epoch and sequence 0 for the very first. What has no key of
 * an entry is passed over.
 * @return 0; HD_ENOENT at the end; HD_ECORRUPT (epoch and sequence are set, so that a walk can go
 *         on)
 */
HD_MUSTCHECK int hd_audit_next(struct hd_desk *desk, struct hd_txn *txn, uint64_t epoch,
			       uint32_t sequence, struct hd_audit_entry *entry);

/**
 * Somebody's number out of the list, also as a target, and to what that user has set things (the
 * name, a number), in steps: an hd_command_fn, argument a struct hd_audit_blank, until `done`;
 * `from` is then what `at` was. What was done, where and when, stays.
 */
struct hd_audit_blank {
	struct hd_desk *desk;
	char number[HD_NUMBER_SIZE];
	uint32_t looks; /* entries that one step may pass */
	struct {
		uint64_t epoch;
		uint32_t sequence;
	} from, at;
	uint64_t blanked; /* in this step */
	bool done;
};
HD_MUSTCHECK int hd_audit_blank(struct hd_txn *txn, void *blank);

#endif
