/* device_priv.h - what the files of device/ share. */
#ifndef DEVICE_PRIV_H
#define DEVICE_PRIV_H

#include "hotdesk/base/record.h"
#include "hotdesk/device.h"

enum { DEVICE_NAME_SIZE = HD_PHONE_ID_SIZE + 1, DEVICE_INDEX_BYTES = 16 };

struct hd_device {
	unsigned keys;	  /* "u" number, "p" id -> its keys */
	unsigned secrets; /* id -> salt and sealed secret */
	unsigned tokens;  /* keyed digest of a token -> id */
	unsigned seen;	  /* id -> what was seen */
	struct hd_key seal, token, index;
};

/* The key of a user's or phone's record; borrowed from buf. @return 0 or HD_EINVAL */
HD_MUSTCHECK int device_name(char buf[DEVICE_NAME_SIZE], char kind, const char *name,
			     struct hd_slice *keyp);

/* ---- secret.c: the record that a phone's secret and salt stand in ---------------------- */

enum {
	SECRET_TEXT_BYTES = HD_SIP_SECRET_SIZE - 1, /* padded, so that its length says nothing */
	SECRET_SEALED_BYTES = SECRET_TEXT_BYTES + HD_SEAL_BYTES,
};
struct secret_record {
	uint64_t salt; /* of the token; 0: not enrolled yet */
	bool has_secret;
	uint8_t sealed[SECRET_SEALED_BYTES];
};
/* @return 0 (all zero when there is none), HD_EINVAL, HD_ECORRUPT, HD_EVERSION, HD_EIO */
HD_MUSTCHECK int secret_record_get(struct hd_device *device, struct hd_txn *txn, const char *phone,
				   struct secret_record *record);
HD_MUSTCHECK int secret_record_put(struct hd_device *device, struct hd_txn *txn, const char *phone,
				   const struct secret_record *record);

/* ---- token.c --------------------------------------------------------------------------------- */

/* The token of one salt is known no more. */
HD_MUSTCHECK int token_forget(struct hd_device *device, struct hd_txn *txn, const char *phone,
			      uint64_t salt);

/* ---- mac.c: reading names ------------------------------------------------------------------- */

bool device_is_alnum(char c);
/* How many bytes at the beginning of s are the MAC, alone: 12 or 17. 0: it is none. */
size_t device_mac_at(char mac[HD_MAC_SIZE], struct hd_slice s);
bool device_begins(struct hd_slice s, const char *prefix); /* ASCII case-insensitive */

#endif
