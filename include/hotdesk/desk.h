/*
 * desk.h - desk sessions: who sits at which phone. The heart.
 *
 * A desk session ties one user to one phone; a user has at most one and a phone has at most one, in
 * every committed state. The decisions are one table (rules[] in src/desk/table.c): what the
 * phone is (free, the user's own, somebody else's), who sits there (nobody, this user, another),
 * whether the user sits elsewhere, and the event (login, logout, toggle); the deeds are done by
 * others after the commit, driven by the outbox, at least once and also after a restart.
 *
 * Tables: "desk_user" (number), "desk_phone" (phone id), "desk_op" (phone id: the last operation
 * and its result), "lockout" (u:number, p:phone), "outbox" (phone id: what the phone has yet to
 * be told), "audit".
 *
 * Layer: 2.  May include: base, store, directory, location.  Thread: any; inside the caller's
 * transaction.
 */
#ifndef HOTDESK_DESK_H
#define HOTDESK_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/directory.h"
#include "hotdesk/location.h"
#include "hotdesk/store.h"

/* Append-only: stored in the audit table. */
#define HD_DESK_WAY_LIST(X)                                                                        \
	X(INVITE, "invite")                                                                        \
	X(INFO, "info")                                                                            \
	X(DIALOGUE, "dialogue")                                                                    \
	X(ADMIN, "admin")                                                                          \
	X(POLICY, "policy")                                                                        \
	X(HOTELING, "hoteling")                                                                    \
	X(FORM, "form")                                                                            \
	X(SUBSCRIBE, "subscribe")
enum hd_desk_way {
#define HD_DESK_WAY_ENUM(n, s) HD_DESK_WAY_##n,
	HD_DESK_WAY_LIST(HD_DESK_WAY_ENUM)
#undef HD_DESK_WAY_ENUM
};

#define HD_DESK_EVENT_LIST(X) X(LOGIN, "login") X(LOGOUT, "logout") X(TOGGLE, "toggle")
enum hd_desk_event {
#define HD_DESK_EVENT_ENUM(n, s) HD_DESK_EVENT_##n,
	HD_DESK_EVENT_LIST(HD_DESK_EVENT_ENUM)
#undef HD_DESK_EVENT_ENUM
		HD_DESK_EVENT_COUNT
};

/* Append-only: stored, shown in log, metrics and API. All but the first four are refusals that
 * look the same from outside. */
#define HD_DESK_RESULT_LIST(X)                                                                     \
	X(LOGGED_IN, "logged-in")                                                                  \
	X(MOVED, "moved")                                                                          \
	X(LOGGED_OUT, "logged-out")                                                                \
	X(UNCHANGED, "unchanged")                                                                  \
	X(UNKNOWN_USER, "unknown-user")                                                            \
	X(WRONG_PIN, "wrong-pin")                                                                  \
	X(NO_PERMISSION, "no-permission")                                                          \
	X(CLOSED, "closed")                                                                        \
	X(OCCUPIED, "occupied")                                                                    \
	X(USER_LOCKED, "user-locked")                                                              \
	X(PHONE_LOCKED, "phone-locked")                                                            \
	X(DISABLED, "disabled")                                                                    \
	X(UNKNOWN_PHONE, "unknown-phone")                                                          \
	X(AGAIN, "again")
enum hd_desk_result {
#define HD_DESK_RESULT_ENUM(n, s) HD_DESK_RESULT_##n,
	HD_DESK_RESULT_LIST(HD_DESK_RESULT_ENUM)
#undef HD_DESK_RESULT_ENUM
		HD_DESK_RESULT_COUNT
};
const char *hd_desk_result_name(enum hd_desk_result result);
const char *hd_desk_event_name(enum hd_desk_event event);
const char *hd_desk_way_name(enum hd_desk_way way);
static inline bool hd_desk_result_is_success(enum hd_desk_result r)
{
	return r <= HD_DESK_RESULT_UNCHANGED;
}

enum { HD_DESK_TRIES_MAX = 100 };
struct hd_desk_policy {
	bool refuse_occupied;	  /* false: the new user replaces the one who sits there */
	uint32_t lock_after;	  /* wrong PINs; 5 */
	uint32_t lock_s;	  /* 900, doubling with each further lock */
	uint32_t lock_max_s;	  /* 86400 */
	uint32_t hard_lock_after; /* in a row, until unlocked by the administrator; 50 */
	uint32_t phone_tries;	  /* 10, in a sliding window; at most HD_DESK_TRIES_MAX; 0: never */
	uint32_t phone_window_s;  /* 600 */
	uint32_t phone_lock_s;	  /* 600 */
	uint32_t unknown_max;	  /* counters kept for numbers that do not exist; 10000 */
};

struct hd_desk_session {
	char user[HD_NUMBER_SIZE];
	char phone[HD_PHONE_ID_SIZE];
	uint64_t epoch; /* hd_txn_epoch() of the login: only grows */
	int64_t since_ms;
	enum hd_desk_way way;
};

struct hd_desk;
/** Borrows both; opens its tables. @return 0, HD_ENOMEM or the store's error */
HD_MUSTCHECK int hd_desk_new(struct hd_desk **dp, struct hd_store *store, struct hd_directory *dir);
void hd_desk_free(struct hd_desk *desk);

/**
 * One login, logout or toggle: the argument of hd_desk_apply().
 *
 * A login by PIN goes: hd_desk_prepare() on a snapshot, which either decides at once (result !=
 * AGAIN) or leaves in pin_hash what the PIN must be verified against (a dummy for an unknown
 * number, so that the time is the same); hd_pin_verify() on the hash thread; pin_ok set;
 * hd_desk_apply() as a durable command.
 */
struct hd_desk_request {
	struct hd_desk *desk;
	struct hd_desk_policy policy;
	enum hd_desk_event event;
	enum hd_desk_way way;
	/* Of this operation: the same again gives the earlier result. All zero: always new. */
	uint8_t opid[HD_OPID_BYTES];
	char phone[HD_PHONE_ID_SIZE];
	/* Login: the number typed; else "". A logout that names one ends nobody else; a toggle at
	   an occupied phone is a logout with "" or the occupant's number, else a login. */
	char user[HD_NUMBER_SIZE];
	bool by_admin; /* no PIN, permission or lock-out; closed phones obey too */
	int64_t now_ms;
	char pin_hash[HD_PIN_HASH_SIZE]; /* prepare out, apply in */
	bool by_dummy;			 /* prepare out, apply in: pin_hash is the dummy */
	bool pin_ok;			 /* apply in */
	/* out, of apply */
	enum hd_desk_result result;
	struct hd_desk_session session;	   /* after a login, or as it is (UNCHANGED); else zero */
	char left_phone[HD_PHONE_ID_SIZE]; /* the phone this user was taken from, or "" */
	char left_user[HD_NUMBER_SIZE];	   /* the user who was here before and is not now, or "" */
	bool locked_now;     /* this wrong PIN started a lock of the user or the phone */
	int64_t retry_at_ms; /* of a lock, for the log; 0 if none or until unlocked */
	bool repeated;	     /* recognised by its opid: nothing was written */
};

/**
 * Looks before the PIN is hashed: phone, locks, a repeated operation.
 * For an unknown number pin_hash is the desk's dummy; set by hd_desk_set_dummy(). pin_hash
 * is "" when there is nothing to verify (logout, by_admin): then apply at once. What a toggle
 * means is settled here, and apply keeps to it: without a hash it never logs in.
 * @return 0 (result AGAIN: verify and apply; else final, but a refusal still wants no write),
 *         HD_ESTATE (no dummy was set), HD_ECORRUPT, HD_EIO
 */
HD_MUSTCHECK int hd_desk_prepare(struct hd_txn *txn, struct hd_desk_request *request);
/** What was prepared before keeps the old one. Any thread. */
void hd_desk_set_dummy(struct hd_desk *desk, const char *pin_hash);
/** Entries of the audit log that are kept, from the next one on; any thread. Default HD_AUDIT_MAX.
 */
void hd_desk_set_audit_max(struct hd_desk *desk, uint32_t max);
/**
 * An hd_command_fn: decides by the table and writes sessions, counters, outbox and audit in one go.
 * If the user's PIN changed since prepare, the result is WRONG_PIN and is not counted.
 * @return 0 (the result is in the request, also for refusals: their counters must be committed),
 *         or the store's error
 */
HD_MUSTCHECK int hd_desk_apply(struct hd_txn *txn, void *request);

/** The decision alone, for the table-driven test: no store, no clock. */
enum hd_desk_kind { HD_DESK_FREE, HD_DESK_OWN, HD_DESK_FOREIGN, HD_DESK_KIND_COUNT };
enum hd_desk_occupant { HD_DESK_NOBODY, HD_DESK_SELF, HD_DESK_OTHER, HD_DESK_OCCUPANT_COUNT };
enum {
	HD_DESK_DO_END_OTHER = 1,
	HD_DESK_DO_END_ELSEWHERE = 2,
	HD_DESK_DO_BEGIN = 4,
	HD_DESK_DO_END_HERE = 8
};
struct hd_desk_situation {
	enum hd_desk_event event;
	enum hd_desk_kind kind; /* for logout: as seen by the occupant */
	enum hd_desk_occupant occupant;
	bool elsewhere; /* the user sits at another phone */
	bool roaming;
	bool refuse_occupied;
	bool by_admin;
};
struct hd_desk_step {
	enum hd_desk_result result;
	unsigned deeds; /* HD_DESK_DO_* */
};
void hd_desk_decide(const struct hd_desk_situation *situation, struct hd_desk_step *step);

/** @return 0, HD_ENOENT (logged out), HD_ECORRUPT, HD_EIO */
HD_MUSTCHECK int hd_desk_get_by_user(struct hd_desk *desk, struct hd_txn *txn, const char *number,
				     struct hd_desk_session *session);
HD_MUSTCHECK int hd_desk_get_by_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
				      struct hd_desk_session *session);
/** By user, after a number ("" for the first). @return 0 or HD_ENOENT at the end */
HD_MUSTCHECK int hd_desk_next(struct hd_desk *desk, struct hd_txn *txn, const char *after,
			      struct hd_desk_session *session);
HD_MUSTCHECK int hd_desk_count(struct hd_desk *desk, struct hd_txn *txn, uint64_t *np);

/**
 * For the administrator's commands, in the same command as the change of the directory. Each ends
 * the desk session, if there is one, with its entries of outbox and audit; `way` is ADMIN or
 * POLICY.
 */
HD_MUSTCHECK int hd_desk_end_user(struct hd_desk *desk, struct hd_txn *txn, const char *number,
				  int64_t now_ms, enum hd_desk_way way);
HD_MUSTCHECK int hd_desk_end_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
				   int64_t now_ms, enum hd_desk_way way);
/** Before the record is removed: the session and everything else the desk knows of it. */
HD_MUSTCHECK int hd_desk_forget_user(struct hd_desk *desk, struct hd_txn *txn, const char *number,
				     int64_t now_ms, enum hd_desk_way way);
HD_MUSTCHECK int hd_desk_forget_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
				      int64_t now_ms, enum hd_desk_way way);
/**
 * After any other change of users or phones (an owner set, something disabled, an import): ends the
 * sessions that may not be any more, because the user or the phone is gone or disabled or the phone
 * is somebody else's. A permission taken away lasts until the user logs out.
 */
HD_MUSTCHECK int hd_desk_settle(struct hd_desk *desk, struct hd_txn *txn, int64_t now_ms,
				enum hd_desk_way way, uint32_t *endedp);

/** Clears the counters and locks of a user or phone. HD_ENOENT when there are none. */
HD_MUSTCHECK int hd_desk_unlock_user(struct hd_desk *desk, struct hd_txn *txn, const char *number);
HD_MUSTCHECK int hd_desk_unlock_phone(struct hd_desk *desk, struct hd_txn *txn, const char *phone);
struct hd_desk_lock {
	uint32_t failures;	 /* in a row; of a phone: within the window, as of the last one */
	int64_t locked_until_ms; /* perhaps past; 0: not; INT64_MAX: until unlocked */
};
/**
 * @param kind 'u' or 'p'. @return 0, HD_ENOENT (no failure since the last success), HD_ECORRUPT,
 *        HD_EIO
 */
HD_MUSTCHECK int hd_desk_get_lock(struct hd_desk *desk, struct hd_txn *txn, char kind,
				  const char *name, struct hd_desk_lock *lock);

/** What a phone has yet to be told. One entry a phone; a newer change overwrites an older. */
struct hd_outbox_entry {
	char phone[HD_PHONE_ID_SIZE];
	uint64_t epoch;
	int64_t since_ms;
};
/** What a phone is to show has changed: it is to be told. With the change, in one command. */
HD_MUSTCHECK int hd_outbox_put(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
			       int64_t now_ms);
/** @return 0 or HD_ENOENT at the end */
HD_MUSTCHECK int hd_outbox_next(struct hd_desk *desk, struct hd_txn *txn, const char *after,
				struct hd_outbox_entry *entry);
HD_MUSTCHECK int hd_outbox_get(struct hd_desk *desk, struct hd_txn *txn, const char *phone,
			       struct hd_outbox_entry *entry);
/** An hd_command_fn argument: the phone has been told up to this epoch. Later ones stay. */
struct hd_outbox_done {
	struct hd_desk *desk;
	char phone[HD_PHONE_ID_SIZE];
	uint64_t epoch;
};
HD_MUSTCHECK int hd_outbox_done(struct hd_txn *txn, void *done);

/** Invariants 1 and the agreement of both tables, for hotdeskctl check and the crash tests. */
struct hd_desk_audit {
	uint64_t sessions, violations;
	char first[160]; /* the first violation in words */
};
HD_MUSTCHECK int hd_desk_check(struct hd_desk *desk, struct hd_txn *txn,
			       struct hd_desk_audit *audit);

/**
 * An hd_command_fn argument: makes both tables agree again. A record that cannot be read is
 * restored from the other table or removed; of two users at one phone stays the one whom both
 * tables name, else the later one; what the directory no longer allows is ended. Phones concerned
 * are told.
 */
struct hd_desk_repair {
	struct hd_desk *desk;
	int64_t now_ms;
	uint32_t mended; /* out: records written or removed */
	uint32_t ended;	 /* out: desk sessions ended because of the directory */
};
HD_MUSTCHECK int hd_desk_repair(struct hd_txn *txn, void *repair);

#endif
