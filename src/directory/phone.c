/* phone.c - phone records with their two indexes; see directory.h. */
#include <string.h>

#include "directory_priv.h"

enum { PHONE_DISABLED = 1 };

/* number NUL id */
struct owner_key {
	char text[HD_NUMBER_SIZE + HD_PHONE_ID_SIZE];
	struct hd_slice slice;
};

static void owner_key_set(struct owner_key *key, const struct hd_phone *phone)
{
	size_t n = strlen(phone->owner) + 1, m = strlen(phone->id);

	memcpy(key->text, phone->owner, n);
	memcpy(key->text + n, phone->id, m);
	key->slice = (struct hd_slice){ key->text, n + m };
}

void hd_phone_set_secret(struct hd_phone *phone, const char *realm, struct hd_slice secret)
{
	const struct hd_slice colon = hd_slice_of(":");
	struct hd_slice parts[5];
	uint8_t md5[HD_MD5_BYTES], sha256[HD_SHA256_BYTES];

	if (!phone)
		return;

	/* A realm that does not fit leaves the phone without credentials, never with wrong ones. */
	phone->ha1_md5[0] = phone->ha1_sha256[0] = '\0';
	if (hd_str_set(phone->realm, sizeof(phone->realm), realm))
		return;

	parts[0] = hd_slice_of(phone->id);
	parts[1] = colon;
	parts[2] = hd_slice_of(phone->realm);
	parts[3] = colon;
	parts[4] = secret;
	hd_md5(md5, parts, 5);
	hd_sha256(sha256, parts, 5);
	hd_hex_format(phone->ha1_md5, md5, sizeof(md5));
	hd_hex_format(phone->ha1_sha256, sha256, sizeof(sha256));
	hd_wipe(md5, sizeof(md5));
	hd_wipe(sha256, sizeof(sha256));
}

int hd_phone_encode(struct hd_encoder *e, const struct hd_phone *phone, struct hd_slice *out)
{
	hd_encode_u8(e, phone->disabled ? PHONE_DISABLED : 0);
	hd_encode_str(e, phone->label);
	hd_encode_str(e, phone->mac);
	hd_encode_str(e, phone->model);
	hd_encode_str(e, phone->owner);
	hd_encode_str(e, phone->realm);
	hd_encode_str(e, phone->ha1_md5);
	hd_encode_str(e, phone->ha1_sha256);
	hd_encode_i64(e, phone->changed_at_ms);
	hd_encode_str(e, phone->logout);
	hd_encode_str(e, phone->location);
	return hd_encoder_finish(e, out);
}

int hd_phone_decode(struct hd_phone *phone, struct hd_slice record)
{
	struct hd_decoder d;

	hd_decoder_init(&d, record, HD_PHONE_VERSION);
	phone->disabled = (hd_decode_u8(&d) & PHONE_DISABLED) != 0;
	hd_decode_str(&d, phone->label, sizeof(phone->label));
	hd_decode_str(&d, phone->mac, sizeof(phone->mac));
	hd_decode_str(&d, phone->model, sizeof(phone->model));
	hd_decode_str(&d, phone->owner, sizeof(phone->owner));
	hd_decode_str(&d, phone->realm, sizeof(phone->realm));
	hd_decode_str(&d, phone->ha1_md5, sizeof(phone->ha1_md5));
	hd_decode_str(&d, phone->ha1_sha256, sizeof(phone->ha1_sha256));
	phone->changed_at_ms = hd_decode_i64(&d);
	hd_decode_str(&d, phone->logout, sizeof(phone->logout));
	hd_decode_str(&d, phone->location, sizeof(phone->location));
	return hd_decoder_finish(&d);
}

static int phone_read(struct hd_directory *dir, struct hd_txn *txn, struct hd_slice id,
		      struct hd_phone *phone)
{
	struct hd_slice record;
	int err;

	memset(phone, 0, sizeof(*phone));
	if (!hd_phone_id_is_valid(id))
		return HD_ENOENT;

	err = hd_txn_get(txn, dir->phones, id, &record);
	if (!err)
		err = hd_phone_decode(phone, record);
	if (!err)
		err = hd_str_copy(phone->id, sizeof(phone->id), id);
	return err;
}

int hd_phone_get(struct hd_directory *dir, struct hd_txn *txn, const char *id,
		 struct hd_phone *phone)
{
	if (!dir || !txn || !phone)
		return HD_EINVAL;
	return phone_read(dir, txn, hd_slice_of(id), phone);
}

int hd_phone_get_by_mac(struct hd_directory *dir, struct hd_txn *txn, const char *mac,
			struct hd_phone *phone)
{
	struct hd_slice id;
	int err;

	if (!dir || !txn || !mac || !phone)
		return HD_EINVAL;

	memset(phone, 0, sizeof(*phone));
	if (strlen(mac) != sizeof(phone->mac) - 1)
		return HD_ENOENT;

	err = hd_txn_get(txn, dir->macs, hd_slice_of(mac), &id);
	if (!err)
		err = phone_read(dir, txn, id, phone);
	/* An entry that a damaged record left behind finds nothing. */
	return !err && strcmp(phone->mac, mac) != 0 ? HD_ENOENT : err;
}

static int mac_release(struct hd_directory *dir, struct hd_txn *txn, const struct hd_phone *old)
{
	struct hd_slice mac = hd_slice_of(old->mac);
	struct hd_slice id;
	int err;

	err = hd_txn_get(txn, dir->macs, mac, &id);
	/* In a batch that swaps addresses it is another phone's by now. */
	if (err == HD_ENOENT || (!err && !hd_slice_is(id, old->id)))
		return 0;
	return err && err != HD_ECORRUPT ? err : hd_txn_del(txn, dir->macs, mac);
}

/* Removes the index entries of `old` that `keep` (may be NULL) does not want as well. */
static int phone_unindex(struct hd_directory *dir, struct hd_txn *txn, const struct hd_phone *old,
			 const struct hd_phone *keep)
{
	struct owner_key key;
	int err = 0;

	if (old->mac[0] && (!keep || strcmp(old->mac, keep->mac) != 0))
		err = mac_release(dir, txn, old);
	if (!err && old->owner[0] && (!keep || strcmp(old->owner, keep->owner) != 0)) {
		owner_key_set(&key, old);
		err = hd_txn_del(txn, dir->owners, key.slice);
	}
	return err == HD_ENOENT ? 0 : err;
}

static int phone_index(struct hd_directory *dir, struct hd_txn *txn, const struct hd_phone *phone)
{
	struct owner_key key;
	int err = 0;

	if (phone->mac[0])
		err = hd_txn_put(txn, dir->macs, hd_slice_of(phone->mac), hd_slice_of(phone->id));
	if (!err && phone->owner[0]) {
		owner_key_set(&key, phone);
		err = hd_txn_put(txn, dir->owners, key.slice, (struct hd_slice){ NULL, 0 });
	}
	return err;
}

static bool phone_is_valid(const struct hd_phone *phone)
{
	char mac[13];

	if (!hd_phone_id_is_valid(hd_slice_of(phone->id)))
		return false;
	if (phone->mac[0] &&
	    (hd_mac_parse(mac, hd_slice_of(phone->mac)) || strcmp(mac, phone->mac) != 0))
		return false;
	return hd_utf8_is_text(hd_slice_of(phone->label)) &&
	       hd_utf8_is_text(hd_slice_of(phone->model)) &&
	       hd_utf8_is_text(hd_slice_of(phone->realm)) &&
	       hd_utf8_is_text(hd_slice_of(phone->location)) &&
	       hd_logout_text_is_valid(phone->logout);
}

/* Whether the names that a phone claims are free for it. */
static int phone_check_names(struct hd_directory *dir, struct hd_txn *txn,
			     const struct hd_phone *phone)
{
	struct hd_slice id;
	int err;

	err = hd_directory_has(txn, dir->users, phone->id);
	if (err)
		return err > 0 ? HD_EEXIST : err;

	if (phone->owner[0]) {
		if (!hd_number_is_valid(hd_slice_of(phone->owner)))
			return HD_ENOENT;
		err = hd_directory_has(txn, dir->users, phone->owner);
		if (err <= 0)
			return err < 0 ? err : HD_ENOENT;
	}
	if (phone->mac[0]) {
		err = hd_txn_get(txn, dir->macs, hd_slice_of(phone->mac), &id);
		if (!err && !hd_slice_is(id, phone->id))
			return HD_EEXIST;
		if (err && err != HD_ENOENT)
			return err;
	}
	return 0;
}

int hd_phone_put(struct hd_directory *dir, struct hd_txn *txn, const struct hd_phone *phone)
{
	uint8_t buf[HD_DIRECTORY_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;
	struct hd_phone old;
	int err;

	if (!dir || !txn || !phone || !phone_is_valid(phone))
		return HD_EINVAL;

	err = phone_check_names(dir, txn, phone);
	if (err)
		return err;

	err = hd_phone_get(dir, txn, phone->id, &old);
	if (!err)
		err = phone_unindex(dir, txn, &old, phone);
	/* A damaged record may be overwritten: its index entries are checked when used. */
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_PHONE_VERSION);
	err = hd_phone_encode(&e, phone, &record);
	if (!err)
		err = hd_txn_put(txn, dir->phones, hd_slice_of(phone->id), record);
	if (!err)
		err = phone_index(dir, txn, phone);
	hd_wipe(buf, sizeof(buf));
	return err;
}

int hd_phone_remove(struct hd_directory *dir, struct hd_txn *txn, const char *id)
{
	struct hd_phone old;
	int err;

	if (!dir || !txn)
		return HD_EINVAL;

	err = hd_phone_get(dir, txn, id, &old);
	if (!err)
		err = phone_unindex(dir, txn, &old, NULL);
	if (err && err != HD_ECORRUPT)
		return err;
	return hd_txn_del(txn, dir->phones, hd_slice_of(id));
}

int hd_phone_next(struct hd_directory *dir, struct hd_txn *txn, const char *after,
		  struct hd_phone *phone)
{
	struct hd_slice key, record;
	int err, damaged;

	if (!dir || !txn || !phone)
		return HD_EINVAL;

	memset(phone, 0, sizeof(*phone));
	err = hd_txn_next(txn, dir->phones, hd_slice_of(after), &key, &record);
	if (err && err != HD_ECORRUPT)
		return err;

	damaged = err;
	err = hd_str_copy(phone->id, sizeof(phone->id), key);
	if (err)
		return HD_ECORRUPT;
	return damaged ? damaged : hd_phone_decode(phone, record);
}
