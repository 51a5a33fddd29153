/* token.c - the secret part of phones' URLs: derived, never stored; see device.h. */
#include <string.h>

#include "device_priv.h"

enum { TOKEN_CHARS = HD_TOKEN_SIZE - 1, CHAR_BITS = 5 };

_Static_assert(TOKEN_CHARS *CHAR_BITS <= HD_SHA256_BYTES * 8, "one HMAC is enough");

static void token_make(const struct hd_device *device, const char *phone, uint64_t salt,
		       char token[HD_TOKEN_SIZE])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t number[8], mac[HD_SHA256_BYTES];
	struct hd_slice parts[2] = { hd_slice_of(phone), { (const char *)number, 8 } };
	unsigned bits = 0, have = 0;
	size_t next = 0;

	hd_key_put_u64(number, salt);
	hd_hmac_sha256(mac, &device->token, parts, 2);
	for (size_t i = 0; i < TOKEN_CHARS; i++) {
		if (have < CHAR_BITS) {
			bits = bits << 8 | mac[next++];
			have += 8;
		}
		have -= CHAR_BITS;
		token[i] = alphabet[bits >> have & 31];
	}
	token[TOKEN_CHARS] = '\0';
	hd_wipe(mac, sizeof(mac));
}

/* Where a token stands in its table: to whom the database is shown it says nothing. */
static struct hd_slice token_index(const struct hd_device *device, struct hd_slice token,
				   uint8_t digest[HD_SHA256_BYTES])
{
	hd_hmac_sha256(digest, &device->index, &token, 1);
	return (struct hd_slice){ (const char *)digest, DEVICE_INDEX_BYTES };
}

int hd_device_token(struct hd_device *device, struct hd_txn *txn, const char *phone,
		    char token[HD_TOKEN_SIZE])
{
	struct secret_record record;
	int err;

	if (!device || !txn || !token)
		return HD_EINVAL;

	token[0] = '\0';
	err = secret_record_get(device, txn, phone, &record);
	if (!err && !record.salt)
		err = HD_ENOENT;
	if (!err)
		token_make(device, phone, record.salt, token);
	return err == HD_EINVAL ? HD_ENOENT : err;
}

int hd_device_by_token(struct hd_device *device, struct hd_txn *txn, struct hd_slice token,
		       char phone[HD_PHONE_ID_SIZE])
{
	char good[HD_TOKEN_SIZE];
	uint8_t digest[HD_SHA256_BYTES];
	struct hd_slice id;
	int err;

	if (!device || !txn || !phone)
		return HD_EINVAL;

	phone[0] = '\0';
	if (token.len != TOKEN_CHARS)
		return HD_ENOENT;
	err = hd_txn_get(txn, device->tokens, token_index(device, token, digest), &id);
	if (!err)
		err = hd_str_copy(phone, HD_PHONE_ID_SIZE, id) ? HD_ECORRUPT : 0;
	if (!err)
		err = hd_device_token(device, txn, phone, good);
	/* An entry that an older salt left behind finds nothing. */
	if (!err && !hd_secret_eq(good, token.ptr, TOKEN_CHARS))
		err = HD_ENOENT;
	hd_wipe(good, sizeof(good));
	if (err)
		phone[0] = '\0';
	return err;
}

int token_forget(struct hd_device *device, struct hd_txn *txn, const char *phone, uint64_t salt)
{
	uint8_t digest[HD_SHA256_BYTES];
	char token[HD_TOKEN_SIZE];
	int err;

	if (!salt)
		return 0;
	token_make(device, phone, salt, token);
	err = hd_txn_del(txn, device->tokens, token_index(device, hd_slice_of(token), digest));
	hd_wipe(token, sizeof(token));
	return err == HD_ENOENT ? 0 : err;
}

static int salt_draw(struct hd_device *device, struct hd_txn *txn, const char *phone,
		     struct secret_record *record)
{
	do
		hd_random_bytes(&record->salt, sizeof(record->salt));
	while (!record->salt);
	return secret_record_put(device, txn, phone, record);
}

int hd_device_enroll(struct hd_device *device, struct hd_txn *txn, const char *phone)
{
	struct secret_record record;
	uint8_t digest[HD_SHA256_BYTES];
	char token[HD_TOKEN_SIZE];
	struct hd_slice key, id;
	int err;

	if (!device || !txn)
		return HD_EINVAL;

	err = secret_record_get(device, txn, phone, &record);
	if (!err && !record.salt)
		err = salt_draw(device, txn, phone, &record);
	if (err)
		return err;
	token_make(device, phone, record.salt, token);
	key = token_index(device, hd_slice_of(token), digest);
	hd_wipe(token, sizeof(token));
	err = hd_txn_get(txn, device->tokens, key, &id);
	if (!err && hd_slice_is(id, phone))
		return 0;
	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	return hd_txn_put(txn, device->tokens, key, hd_slice_of(phone));
}

int hd_device_token_renew(struct hd_device *device, struct hd_txn *txn, const char *phone)
{
	struct secret_record record;
	int err;

	if (!device || !txn)
		return HD_EINVAL;

	err = secret_record_get(device, txn, phone, &record);
	if (!err)
		err = token_forget(device, txn, phone, record.salt);
	if (!err)
		err = salt_draw(device, txn, phone, &record);
	return err ? err : hd_device_enroll(device, txn, phone);
}

int hd_device_enroll_all(struct hd_device *device, struct hd_txn *txn, struct hd_directory *dir)
{
	char last[HD_PHONE_ID_SIZE] = "";
	struct hd_phone phone;
	int err;

	if (!device || !txn || !dir)
		return HD_EINVAL;

	for (;;) {
		err = hd_phone_next(dir, txn, last, &phone);
		if (err == HD_ENOENT)
			return 0;
		/* A damaged record is the check's to report, and no reason not to go on. */
		if (err && !phone.id[0])
			return err;
		memcpy(last, phone.id, sizeof(last));
		err = hd_device_enroll(device, txn, last);
		if (err && err != HD_ECORRUPT && err != HD_EVERSION)
			return err;
	}
}
