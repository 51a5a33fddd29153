/*
 * settings.h - what a user has set: do not disturb, forwarding, and the PIN for hoteling.
 *
 * Settings belong to the user and hold at whatever phone, also while logged out. The PIN is kept
 * (sealed with a key outside the database) only for users whom the administrator gave `hoteling`,
 * because phones prove it by MD5(nonce ":" PIN), which no hash of ours can be compared with.
 *
 * Table: "user_settings" (number).
 *
 * Layer: 2.  May include: base, store, directory.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_SETTINGS_H
#define HOTDESK_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/directory.h"
#include "hotdesk/store.h"

enum hd_forward_when {
	HD_FORWARD_ALWAYS,
	HD_FORWARD_BUSY,
	HD_FORWARD_NO_ANSWER,
	HD_FORWARD_NOT_LOGGED_IN, /* logged out, or at a phone that is not registered */
	HD_FORWARD_COUNT,
};

enum {
	HD_FORWARD_TO_SIZE = HD_PHONE_ID_SIZE,
	HD_RINGS_STANDARD = 3, /* before `no answer`, where the user said nothing */
	HD_RINGS_MAX = 20,
};

/* The target that the configuration says (plan.voicemail). */
#define HD_FORWARD_VOICEMAIL "voicemail"

struct hd_forward {
	bool active;
	/* A number, a phone's id or HD_FORWARD_VOICEMAIL; kept while not active; "" : none yet. */
	char to[HD_FORWARD_TO_SIZE];
};

struct hd_settings {
	bool dnd;
	struct hd_forward forward[HD_FORWARD_COUNT];
	uint8_t rings; /* 1..HD_RINGS_MAX */
	bool hoteling; /* the administrator's: the PIN may be kept */
	bool has_pin;  /* one is kept: set since hoteling was given */
};

struct hd_settings_store;
/** Opens the table; derives its key. @return 0, HD_ENOMEM or the store's error */
HD_MUSTCHECK int hd_settings_new(struct hd_settings_store **sp, struct hd_store *store,
				 const struct hd_key *master);
/** Wipes the key. NULL-safe. */
void hd_settings_free(struct hd_settings_store *s);

/** The standard for a user who has set nothing. */
void hd_settings_standard(struct hd_settings *settings);
/** @return 0 (the standard when nothing is stored), HD_ECORRUPT, HD_EVERSION, HD_EIO */
HD_MUSTCHECK int hd_settings_get(struct hd_settings_store *s, struct hd_txn *txn,
				 const char *number, struct hd_settings *settings);
/**
 * Writes do not disturb and forwarding; hoteling and the PIN stay as they are.
 * @return 0; HD_EINVAL: rings out of range, a target that is no number, an active forwarding
 *         without target or to the user's own number; or the store's error
 */
HD_MUSTCHECK int hd_settings_put(struct hd_settings_store *s, struct hd_txn *txn,
				 const char *number, const struct hd_settings *settings);
/** One thing that a user changes, by code or form. */
struct hd_settings_change {
	enum { HD_CHANGE_DND, HD_CHANGE_FORWARD, HD_CHANGE_RINGS } what;
	enum { HD_CHANGE_OFF, HD_CHANGE_ON, HD_CHANGE_TOGGLE } on; /* of the first two */
	enum hd_forward_when when;
	char to[HD_FORWARD_TO_SIZE]; /* "": that of the last time, else the voicemail */
	bool has_voicemail;	     /* there is one */
	uint8_t rings;
};
/**
 * Reads, changes, writes; a record that is damaged begins anew.
 * @param after receives what holds now
 * @return as hd_settings_put(); HD_EINVAL also: a forwarding to nowhere
 */
HD_MUSTCHECK int hd_settings_change(struct hd_settings_store *s, struct hd_txn *txn,
				    const char *number, const struct hd_settings_change *change,
				    struct hd_settings *after);
/**
 * "do not disturb on", "forward always off", "5 rings": for log and audit.
 * @param after what came of it; NULL: nothing did
 */
void hd_settings_change_describe(struct hd_buf *out, const struct hd_settings_change *change,
				 const struct hd_settings *after);
/** What it forwards to now; "": nowhere, or it is about something else. */
const char *hd_settings_change_target(const struct hd_settings_change *change,
				      const struct hd_settings *after);
/**
 * Whether the PIN may be kept, and the PIN.
 * @param pin the zero slice: the one that is kept stays; ignored without hoteling
 * @return 0, HD_EINVAL (too long) or the store's error
 */
HD_MUSTCHECK int hd_settings_put_hoteling(struct hd_settings_store *s, struct hd_txn *txn,
					  const char *number, bool hoteling, struct hd_slice pin);
/**
 * The PIN that is kept; wipe it.
 * @return 0; HD_ENOENT: none is; HD_ECORRUPT: damaged, or of another master key
 */
HD_MUSTCHECK int hd_settings_get_pin(struct hd_settings_store *s, struct hd_txn *txn,
				     const char *number, char pin[HD_PIN_SIZE]);
/** Removes everything; nothing there is no error. */
HD_MUSTCHECK int hd_settings_forget(struct hd_settings_store *s, struct hd_txn *txn,
				    const char *number);
/** True for what may be a target: a number as people dial it, or a phone's id. */
bool hd_forward_to_is_valid(struct hd_slice to);
/** "always", "busy", "no-answer", "not-logged-in". */
const char *hd_forward_name(enum hd_forward_when when);
/** As RFC 5806 says it: "unconditional", "user-busy", "no-answer", "unavailable". */
const char *hd_forward_reason(enum hd_forward_when when);

#endif
