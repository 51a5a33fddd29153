/* secret.c - the SIP secrets of phones, sealed with a key outside the database; see device.h. */
#include <string.h>

#include "device_priv.h"

enum { SECRET_VERSION = 1, RECORD_MAX = 256 };

int secret_record_get(struct hd_device *device, struct hd_txn *txn, const char *phone,
		      struct secret_record *record)
{
	struct hd_slice value;
	struct hd_decoder d;
	int err;

	memset(record, 0, sizeof(*record));
	if (!hd_phone_id_is_valid(hd_slice_of(phone)))
		return HD_EINVAL;

	err = hd_txn_get(txn, device->secrets, hd_slice_of(phone), &value);
	if (err)
		return err == HD_ENOENT ? 0 : err;

	hd_decoder_init(&d, value, SECRET_VERSION);
	record->salt = hd_decode_u64(&d);
	record->has_secret = hd_decode_u8(&d) != 0;
	if (record->has_secret && hd_decoder_at_end(&d))
		return HD_ECORRUPT;
	if (record->has_secret)
		hd_decode_bytes(&d, record->sealed, sizeof(record->sealed));
	return hd_decoder_finish(&d);
}

int secret_record_put(struct hd_device *device, struct hd_txn *txn, const char *phone,
		      const struct secret_record *record)
{
	uint8_t buf[RECORD_MAX];
	struct hd_slice value;
	struct hd_encoder e;
	int err;

	hd_encoder_init(&e, buf, sizeof(buf), SECRET_VERSION);
	hd_encode_u64(&e, record->salt);
	hd_encode_u8(&e, record->has_secret);
	if (record->has_secret)
		hd_encode_bytes(&e, record->sealed, sizeof(record->sealed));
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, device->secrets, hd_slice_of(phone), value);
}

/* @return 0 or HD_ECORRUPT */
static int secret_open(const struct hd_device *device, const char *phone,
		       const struct secret_record *record, char secret[HD_SIP_SECRET_SIZE])
{
	const struct hd_slice sealed = { (const char *)record->sealed, sizeof(record->sealed) };

	secret[SECRET_TEXT_BYTES] = '\0';
	return hd_unseal((uint8_t *)secret, &device->seal, sealed, hd_slice_of(phone)) ? HD_ECORRUPT
										       : 0;
}

/* Whether a record holds this secret already: then an import writes nothing. */
static bool secret_is(const struct hd_device *device, const char *phone,
		      const struct secret_record *record, const char text[SECRET_TEXT_BYTES])
{
	char old[HD_SIP_SECRET_SIZE];
	bool same;

	if (!record->has_secret)
		return false;
	same = !secret_open(device, phone, record, old) &&
	       hd_secret_eq(old, text, SECRET_TEXT_BYTES);
	hd_wipe(old, sizeof(old));
	return same;
}

int hd_device_secret_put(struct hd_device *device, struct hd_txn *txn, const char *phone,
			 struct hd_slice secret)
{
	char text[SECRET_TEXT_BYTES] = { 0 };
	struct secret_record record;
	bool same;
	int err;

	if (!device || !txn || secret.len > sizeof(text) || !hd_utf8_is_text(secret))
		return HD_EINVAL;

	err = secret_record_get(device, txn, phone, &record);
	/* A damaged record may be overwritten: the phone's URL is then a new one. */
	if (err && err != HD_ECORRUPT)
		return err;
	if (err)
		memset(&record, 0, sizeof(record));

	if (secret.len > 0)
		memcpy(text, secret.ptr, secret.len);
	same = !err &&
	       (secret.len > 0 ? secret_is(device, phone, &record, text) : !record.has_secret);
	record.has_secret = secret.len > 0;
	if (record.has_secret && !same)
		hd_seal(record.sealed, &device->seal, (struct hd_slice){ text, sizeof(text) },
			hd_slice_of(phone));
	hd_wipe(text, sizeof(text));

	err = same ? 0 : secret_record_put(device, txn, phone, &record);
	return err ? err : hd_device_enroll(device, txn, phone);
}

int hd_device_secret_get(struct hd_device *device, struct hd_txn *txn, const char *phone,
			 char secret[HD_SIP_SECRET_SIZE])
{
	struct secret_record record;
	int err;

	if (!device || !txn || !secret)
		return HD_EINVAL;

	memset(secret, 0, HD_SIP_SECRET_SIZE);
	err = secret_record_get(device, txn, phone, &record);
	if (err)
		return err == HD_EINVAL ? HD_ENOENT : err;
	return record.has_secret ? secret_open(device, phone, &record, secret) : HD_ENOENT;
}

int hd_device_has_secret(struct hd_device *device, struct hd_txn *txn, const char *phone)
{
	char secret[HD_SIP_SECRET_SIZE];
	int err;

	err = hd_device_secret_get(device, txn, phone, secret);
	hd_wipe(secret, sizeof(secret));
	return err;
}
