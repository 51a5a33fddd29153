/* seen.c - what phones showed of themselves, and when; see device.h. */
#include <string.h>

#include "device_priv.h"

enum { SEEN_VERSION = 1, RECORD_MAX = 512 };

int hd_device_seen_get(struct hd_device *device, struct hd_txn *txn, const char *phone,
		       struct hd_device_seen *seen)
{
	struct hd_slice record;
	struct hd_decoder d;
	int err;

	if (!device || !txn || !seen)
		return HD_EINVAL;

	memset(seen, 0, sizeof(*seen));
	if (!hd_phone_id_is_valid(hd_slice_of(phone)))
		return 0;
	err = hd_txn_get(txn, device->seen, hd_slice_of(phone), &record);
	if (err)
		return err == HD_ENOENT ? 0 : err;

	hd_decoder_init(&d, record, SEEN_VERSION);
	hd_decode_str(&d, seen->model, sizeof(seen->model));
	hd_decode_str(&d, seen->firmware, sizeof(seen->firmware));
	hd_decode_str(&d, seen->mac, sizeof(seen->mac));
	seen->fetched_at_ms = hd_decode_i64(&d);
	hd_decode_str(&d, seen->fetched_from, sizeof(seen->fetched_from));
	seen->asked_at_ms = hd_decode_i64(&d);
	seen->told_at_ms = hd_decode_i64(&d);
	seen->unheard = hd_decode_u32(&d);
	seen->last_status = hd_decode_u16(&d);
	err = hd_decoder_finish(&d);
	if (err)
		memset(seen, 0, sizeof(*seen));
	return err;
}

int hd_device_seen_put(struct hd_device *device, struct hd_txn *txn, const char *phone,
		       const struct hd_device_seen *seen)
{
	uint8_t buf[RECORD_MAX];
	struct hd_slice record;
	struct hd_encoder e;
	int err;

	if (!device || !txn || !seen || !hd_phone_id_is_valid(hd_slice_of(phone)) ||
	    seen->last_status < 0 || seen->last_status > UINT16_MAX)
		return HD_EINVAL;

	hd_encoder_init(&e, buf, sizeof(buf), SEEN_VERSION);
	hd_encode_str(&e, seen->model);
	hd_encode_str(&e, seen->firmware);
	hd_encode_str(&e, seen->mac);
	hd_encode_i64(&e, seen->fetched_at_ms);
	hd_encode_str(&e, seen->fetched_from);
	hd_encode_i64(&e, seen->asked_at_ms);
	hd_encode_i64(&e, seen->told_at_ms);
	hd_encode_u32(&e, seen->unheard);
	hd_encode_u16(&e, (uint16_t)seen->last_status);
	err = hd_encoder_finish(&e, &record);
	return err ? err : hd_txn_put(txn, device->seen, hd_slice_of(phone), record);
}

/* @return whether it was another one before; what is not shown is no news */
static bool take(char *dst, size_t size, const char *src)
{
	if (!src[0] || strcmp(dst, src) == 0)
		return false;
	return !hd_str_set(dst, size, src);
}

/* Who looks with a browser at what a phone gets does not make another phone of it. */
static bool is_phone(const struct hd_device_hint *hint, const struct hd_device_seen *seen)
{
	return hint->vendor || hd_vendor_of_model(seen->model) == hd_vendor_of_model("");
}

bool hd_device_seen_take(struct hd_device_seen *seen, const struct hd_device_sight *sight)
{
	struct hd_device_hint hint;
	char mac[HD_MAC_SIZE];
	bool news = false;

	hd_device_by_agent(&hint, sight->agent);
	if (is_phone(&hint, seen)) {
		news = take(seen->model, sizeof(seen->model), hint.model);
		news = take(seen->firmware, sizeof(seen->firmware), hint.firmware) || news;
	}
	/* X-Serialnumber says it outright. */
	if (hd_device_by_instance(mac, sight->serial) &&
	    hd_device_by_instance(mac, sight->instance))
		memcpy(mac, hint.mac, sizeof(mac));
	return take(seen->mac, sizeof(seen->mac), mac) || news;
}

int hd_device_vendor(struct hd_device *device, struct hd_txn *txn, const struct hd_phone *phone,
		     const struct hd_vendor **vendorp)
{
	struct hd_device_seen seen;
	int err = 0;

	if (!phone || !vendorp)
		return HD_EINVAL;

	*vendorp = hd_vendor_of_model(phone->model);
	if (phone->model[0])
		return 0;
	err = hd_device_seen_get(device, txn, phone->id, &seen);
	if (!err)
		*vendorp = hd_vendor_of_model(seen.model);
	return err;
}
