/*
 * own_key.h - keys that users make for themselves: speed dials and BLF, with number and label.
 *
 * They stand beside those that the administrator gave (hotdesk/device.h) and are shown after them.
 *
 * Layer: 2.  May include: base, store, directory.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_OWN_KEY_H
#define HOTDESK_OWN_KEY_H

#include "hotdesk/device.h"

/** One thing that a user changes about the own keys, by code or form. */
struct hd_own_key_change {
	/* 1..HD_PHONE_KEYS_MAX; 0: a new one, or the one of that number; then its place */
	uint8_t place;
	/* A number makes a key that is not there, a speed dial; another number has no label yet. */
	enum { HD_OWN_KEY_NUMBER, HD_OWN_KEY_LABEL, HD_OWN_KEY_TYPE, HD_OWN_KEY_REMOVE } what;
	char text[HD_PHONE_KEY_LABEL_SIZE]; /* number or label; out, of REMOVE: what it dialled */
	enum hd_phone_key_type type;	    /* speed dial or BLF */
	size_t max;			    /* keys that a user may have */
};
/**
 * Reads, changes, writes; a record that is damaged begins anew. Keys that the administrator gave
 * the user or the phone stay as they are: in a place of theirs a new one is not put, and one that
 * was put there by its place is moved where the keys meet (hotdesk/face.h).
 * @param phone at which it is changed
 * @return 0; HD_EINVAL: no number (letters, digits, * and #), no text, no such type; HD_ENOENT:
 *         there is no such key; HD_ELIMIT: there are so many already; or the store's error
 */
HD_MUSTCHECK int hd_own_key_change(struct hd_device *device, struct hd_txn *txn, const char *user,
				   const struct hd_phone *phone, struct hd_own_key_change *change);
/** "speed dial 5", "BLF key 5", "label of key 5", "no key 5": for log and audit. */
void hd_own_key_describe(struct hd_buf *out, const struct hd_own_key_change *change);

#endif
