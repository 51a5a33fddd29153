/*
 * directory.h - users and phones: who may log in where, with what.
 *
 * Records live in the tables "user" (key: number), "phone" (key: id), "phone_mac" (mac to id) and
 * "phone_owner" (number, NUL, id), which change in the same command.
 *
 * Layer: 2.  May include: base, store.  Thread: any; each call works inside the caller's
 * transaction.
 */
#ifndef HOTDESK_DIRECTORY_H
#define HOTDESK_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/list_mode.h"
#include "hotdesk/base/logout.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/store.h"

enum {
	HD_NUMBER_SIZE = 33, /* 1..32 of 0-9 * # + letters . _ - ; with its NUL */
	HD_NAME_SIZE = 129,  /* UTF-8 text */
	HD_PHONE_ID_SIZE = 65,
	HD_REALM_SIZE = 129,
	HD_PIN_SIZE = 65,
	HD_LANGUAGE_SIZE = 9,
	HD_CLASS_SIZE = 33,
};

struct hd_user {
	char number[HD_NUMBER_SIZE];
	char name[HD_NAME_SIZE];
	char pin_hash[HD_PIN_HASH_SIZE]; /* "" : no PIN, cannot log in by code */
	char language[HD_LANGUAGE_SIZE];
	char logout[HD_LOGOUT_SIZE];	/* hotdesk/base/logout.h; "": as the configuration says */
	char group[HD_LIST_GROUP_SIZE]; /* of the company, for what is configured by group; "" */
	char call_list[HD_LIST_MODE_SIZE]; /* hotdesk/base/list_mode.h; "": as the group's */
	char class[HD_CLASS_SIZE];	   /* of service, hotdesk/number.h; "": that of users */
	bool roaming;
	bool disabled;
	int64_t changed_at_ms;
};

struct hd_phone {
	char id[HD_PHONE_ID_SIZE]; /* also the user part of its address-of-record and digest name */
	char label[HD_NAME_SIZE];
	char mac[13]; /* 12 lower-case hex digits, or "" */
	char model[65];
	char owner[HD_NUMBER_SIZE]; /* "" : a free phone */
	char realm[HD_REALM_SIZE];  /* that the HA1s are for */
	char ha1_md5[2 * HD_MD5_BYTES + 1];
	char ha1_sha256[2 * HD_SHA256_BYTES + 1];
	char logout[HD_LOGOUT_SIZE]; /* "": as the user's, or the configuration's */
	char location[HD_NAME_SIZE]; /* for emergency calls: where it stands, or a URI of that */
	bool disabled;
	int64_t changed_at_ms;
};

struct hd_directory;

/** Opens the tables. @return 0, HD_ENOMEM or the store's error */
HD_MUSTCHECK int hd_directory_new(struct hd_directory **dp, struct hd_store *store);
void hd_directory_free(struct hd_directory *dir);

/** True for a number as above: what a user's number and a phone's id (longer) may consist of. */
bool hd_number_is_valid(struct hd_slice s);
bool hd_phone_id_is_valid(struct hd_slice s);
/** True for what may name a class of service: a-z 0-9 - _, a letter first. */
bool hd_class_name_is_valid(struct hd_slice s);
/**
 * "00:04:13:AA:bb:01", "000413aabb01" or with '-' to 12 lower-case digits. @return 0 or HD_EPARSE
 */
HD_MUSTCHECK int hd_mac_parse(char dst[13], struct hd_slice s);

/** The HA1s of RFC 7616 3.4.2 for both algorithms, from a secret that is not kept. */
void hd_phone_set_secret(struct hd_phone *phone, const char *realm, struct hd_slice secret);

/** Rules for a new PIN. */
struct hd_pin_policy {
	uint32_t length_min; /* 6 */
	uint32_t length_max; /* 32 */
	bool trivial_allowed;
};
/**
 * Digits only, long enough, and not trivial: no digit more than twice in a row, at least three
 * different digits, not the number nor its reverse (nor ending in it when that is most of the
 * PIN), no repeated group (408408), no run up or down (123456), no straight keypad line (2580,
 * 159753).
 * @param whyp receives a static text for the administrator
 * @return 0 or HD_EACCESS
 */
HD_MUSTCHECK int hd_pin_check(const struct hd_pin_policy *policy, struct hd_slice pin,
			      const char *number, const char **whyp);

/** @return 0, HD_ENOENT, HD_ECORRUPT, HD_EVERSION, HD_EIO */
HD_MUSTCHECK int hd_user_get(struct hd_directory *dir, struct hd_txn *txn, const char *number,
			     struct hd_user *user);
/**
 * Writes a whole record; HD_EEXIST when the number is a phone's id, HD_EINVAL for what is no text.
 */
HD_MUSTCHECK int hd_user_put(struct hd_directory *dir, struct hd_txn *txn,
			     const struct hd_user *user);
/** HD_ESTATE while the user owns a phone. The desk session must have been ended by the caller. */
HD_MUSTCHECK int hd_user_remove(struct hd_directory *dir, struct hd_txn *txn, const char *number);
/**
 * The user after a number ("" for the first).
 * @return 0; HD_ENOENT at the end; HD_ECORRUPT, HD_EVERSION (the number is set, so that a walk
 *         can go on, unless the key is damaged too: then it is "")
 */
HD_MUSTCHECK int hd_user_next(struct hd_directory *dir, struct hd_txn *txn, const char *after,
			      struct hd_user *user);

HD_MUSTCHECK int hd_phone_get(struct hd_directory *dir, struct hd_txn *txn, const char *id,
			      struct hd_phone *phone);
HD_MUSTCHECK int hd_phone_get_by_mac(struct hd_directory *dir, struct hd_txn *txn, const char *mac,
				     struct hd_phone *phone);
/**
 * HD_EEXIST: the id is a user's number or the mac another phone's; HD_ENOENT: the owner is
 * unknown; HD_EINVAL: a name, mac or text that is none.
 */
HD_MUSTCHECK int hd_phone_put(struct hd_directory *dir, struct hd_txn *txn,
			      const struct hd_phone *phone);
HD_MUSTCHECK int hd_phone_remove(struct hd_directory *dir, struct hd_txn *txn, const char *id);
HD_MUSTCHECK int hd_phone_next(struct hd_directory *dir, struct hd_txn *txn, const char *after,
			       struct hd_phone *phone);
/**
 * What is known of a number: the name of the user, or the label of the phone of that id.
 * @param name "" and false when it is nobody's, nameless, or cannot be read
 */
bool hd_directory_name(struct hd_directory *dir, struct hd_txn *txn, const char *number,
		       char name[HD_NAME_SIZE]);
HD_MUSTCHECK int hd_directory_count(struct hd_directory *dir, struct hd_txn *txn, uint64_t *usersp,
				    uint64_t *phonesp);

/**
 * All or nothing: users first, then phones, merged into what is there. A record whose pin_hash
 * (ha1) is "" keeps the stored one. On an error `bad` is the index of the culprit, users
 * counted before phones. Two phones may swap their MAC addresses.
 */
struct hd_directory_batch {
	struct hd_user *users;
	size_t n_users;
	struct hd_phone *phones;
	size_t n_phones;
	int64_t now_ms;
	size_t bad;			  /* out */
	size_t added, changed, unchanged; /* out */
	bool *changes; /* out, or NULL: which were there and are others now, users first */
};
/** An hd_command_fn body. @return 0 or the error of the culprit */
HD_MUSTCHECK int hd_directory_apply(struct hd_directory *dir, struct hd_txn *txn,
				    struct hd_directory_batch *batch);

#endif
