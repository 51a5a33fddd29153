/* directory_priv.h - what the files of directory/ share; the record decoders are fuzzed. */
#ifndef DIRECTORY_PRIV_H
#define DIRECTORY_PRIV_H

#include "hotdesk/base/record.h"
#include "hotdesk/directory.h"

enum { HD_USER_VERSION = 1, HD_PHONE_VERSION = 1, HD_DIRECTORY_RECORD_MAX = 1024 };

struct hd_directory {
	unsigned users;	 /* number -> record */
	unsigned phones; /* id -> record */
	unsigned macs;	 /* mac -> id */
	unsigned owners; /* number NUL id -> nothing */
};

/* The key is not part of the record: decode leaves number and id alone. */
HD_MUSTCHECK int hd_user_encode(struct hd_encoder *e, const struct hd_user *user,
				struct hd_slice *out);
HD_MUSTCHECK int hd_user_decode(struct hd_user *user, struct hd_slice record);
HD_MUSTCHECK int hd_phone_encode(struct hd_encoder *e, const struct hd_phone *phone,
				 struct hd_slice *out);
HD_MUSTCHECK int hd_phone_decode(struct hd_phone *phone, struct hd_slice record);

/* "" included. */
bool hd_logout_text_is_valid(const char *text);

/* Whether a key exists. @return 1, 0, or the store's error; a damaged record exists. */
HD_MUSTCHECK int hd_directory_has(struct hd_txn *txn, unsigned table, const char *key);

#endif
