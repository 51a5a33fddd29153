/*
 * callback.h - who called for help, and from where, so that a call back reaches that phone.
 *
 * Table: "emergency_callback" (number: phone, until when). It has as many entries as users called
 * for help of late.
 *
 * Layer: 2.  May include: base, store, directory.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_CALLBACK_H
#define HOTDESK_CALLBACK_H

#include "hotdesk/directory.h"

struct hd_callbacks;
/** Opens the table. @return 0, HD_ENOMEM or the store's error */
HD_MUSTCHECK int hd_callbacks_new(struct hd_callbacks **cp, struct hd_store *store);
/** NULL-safe. */
void hd_callbacks_free(struct hd_callbacks *callbacks);

struct hd_callback {
	struct hd_callbacks *callbacks;
	char number[HD_NUMBER_SIZE];
	char phone[HD_PHONE_ID_SIZE];
	int64_t now_ms, until_ms;
};
/** A store command: calls to `number` reach `phone` until then; what is over is removed. */
int hd_callback_put(struct hd_txn *txn, void *callback);
/** @return 0; HD_ENOENT: none, or over; the store's error */
HD_MUSTCHECK int hd_callback_get(struct hd_callbacks *callbacks, struct hd_txn *txn,
				 const char *number, int64_t now_ms, char phone[HD_PHONE_ID_SIZE]);

#endif
