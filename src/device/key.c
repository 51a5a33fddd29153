/* key.c - the keys of users and phones; see device.h. */
#include <string.h>

#include "device_priv.h"
#include "hotdesk/base/uri.h"

enum { KEYS_VERSION = 1 };

static const char *const names[] = {
#define NAME(n, s) s,
	HD_PHONE_KEY_LIST(NAME)
#undef NAME
};

const char *hd_phone_key_name(enum hd_phone_key_type type)
{
	return (size_t)type < HD_PHONE_KEY_COUNT ? names[type] : "unknown";
}

int hd_phone_key_parse(enum hd_phone_key_type *typep, const char *name)
{
	for (size_t i = 0; name && i < HD_PHONE_KEY_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*typep = (enum hd_phone_key_type)i;
			return 0;
		}
	}
	return HD_EPARSE;
}

/* Nothing that would end a value in every vendor's file. */
static bool is_plain(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || strchr("<>\"'`\\|", s.ptr[i]))
			return false;
	return true;
}

/* Vendors' files put more behind a number: ";nme=Ben", "@1/ba", "|*8". */
static bool is_number(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!device_is_alnum(s.ptr[i]) && !strchr("*#+-_.~!()", s.ptr[i]))
			return false;
	return true;
}

static bool can_be_dialled(struct hd_slice s)
{
	struct hd_uri uri;

	if (!s.len || !memchr(s.ptr, ':', s.len))
		return is_number(s);
	return is_plain(s) && !hd_uri_parse(&uri, s) && uri.scheme <= HD_URI_TEL;
}

static bool is_list(struct hd_slice s)
{
	return !s.len || hd_slice_is(s, "all") || hd_slice_is(s, "missed") ||
	       hd_slice_is(s, "received") || hd_slice_is(s, "dialled");
}

int hd_phone_key_check(const struct hd_phone_key *key, const char **whyp)
{
	struct hd_slice value = hd_slice_of(key->value);
	bool url = device_begins(value, "http://") || device_begins(value, "https://");

	*whyp = NULL;
	if (key->place > HD_PHONE_KEYS_MAX)
		*whyp = "place: expected 1 to 120, or 0 for the next free one";
	else if ((size_t)key->type >= HD_PHONE_KEY_COUNT)
		*whyp = "type: expected speed-dial, blf, line, url or call-list";
	else if (!hd_utf8_is_text(hd_slice_of(key->label)))
		*whyp = "label: expected text without control characters";
	else if (key->type == HD_PHONE_KEY_CALL_LIST)
		*whyp = is_list(value) ? NULL : "value: expected all, missed, received or dialled";
	else if (key->type != HD_PHONE_KEY_LINE && !value.len)
		*whyp = "value: missing";
	else if (key->type == HD_PHONE_KEY_URL && (!url || !is_plain(value)))
		*whyp = "value: expected a URL that begins with http:// or https://, without"
			" spaces, quotes, | and < >";
	else if (key->type != HD_PHONE_KEY_URL && !can_be_dialled(value))
		*whyp = "value: expected a number or code, or a sip: or tel: URI";
	return *whyp ? HD_EINVAL : 0;
}

/* ---- the record ------------------------------------------------------------------------------ */

static int keys_decode(struct hd_phone_key *keys, size_t room, size_t *np, struct hd_slice record)
{
	struct hd_phone_key key;
	struct hd_decoder d;
	size_t n;

	hd_decoder_init(&d, record, KEYS_VERSION);
	n = hd_decode_u8(&d);
	*np = n;
	if (!keys || d.err)
		return hd_decoder_finish(&d);
	if (n > room)
		return HD_ELIMIT;
	for (size_t i = 0; i < n; i++) {
		if (hd_decoder_at_end(&d))
			return HD_ECORRUPT;
		memset(&key, 0, sizeof(key));
		key.place = hd_decode_u8(&d);
		key.type = (enum hd_phone_key_type)hd_decode_u8(&d);
		hd_decode_str(&d, key.label, sizeof(key.label));
		hd_decode_str(&d, key.value, sizeof(key.value));
		if (d.err)
			break;
		if ((size_t)key.type >= HD_PHONE_KEY_COUNT || key.place > HD_PHONE_KEYS_MAX)
			return HD_ECORRUPT;
		keys[i] = key;
	}
	return hd_decoder_finish(&d);
}

int hd_device_keys_get(struct hd_device *device, struct hd_txn *txn, char kind, const char *name,
		       struct hd_phone_key *keys, size_t *np)
{
	char buf[DEVICE_NAME_SIZE];
	struct hd_slice key, record;
	size_t room;
	int err;

	if (!device || !txn || !np)
		return HD_EINVAL;

	room = *np;
	*np = 0;
	/* What has no such name has no keys. */
	if (device_name(buf, kind, name, &key))
		return 0;
	err = hd_txn_get(txn, device->keys, key, &record);
	if (!err)
		err = keys_decode(keys, room, np, record);
	if (err && err != HD_ELIMIT)
		*np = 0;
	return err == HD_ENOENT ? 0 : err;
}

static int check_all(const struct hd_phone_key *keys, size_t n)
{
	bool taken[HD_PHONE_KEYS_MAX + 1] = { false };
	const char *why;

	if (n > HD_PHONE_KEYS_MAX)
		return HD_ELIMIT;
	for (size_t i = 0; i < n; i++) {
		if (hd_phone_key_check(&keys[i], &why))
			return HD_EINVAL;
		if (keys[i].place && taken[keys[i].place])
			return HD_EEXIST;
		taken[keys[i].place] = true;
	}
	return 0;
}

static void key_encode(struct hd_encoder *e, const struct hd_phone_key *key)
{
	hd_encode_u8(e, key->place);
	hd_encode_u8(e, (uint8_t)key->type);
	hd_encode_str(e, key->label);
	hd_encode_str(e, key->value);
}

/* By place, those without one last, in the order in which they came. */
static void encode_all(struct hd_encoder *e, const struct hd_phone_key *keys, size_t n)
{
	const struct hd_phone_key *at[HD_PHONE_KEYS_MAX + 1] = { NULL };

	hd_encode_u8(e, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		at[keys[i].place] = &keys[i];
	for (size_t place = 1; place <= HD_PHONE_KEYS_MAX; place++)
		if (at[place])
			key_encode(e, at[place]);
	for (size_t i = 0; i < n; i++)
		if (!keys[i].place)
			key_encode(e, &keys[i]);
}

int hd_device_keys_put(struct hd_device *device, struct hd_txn *txn, char kind, const char *name,
		       const struct hd_phone_key *keys, size_t n)
{
	char buf[DEVICE_NAME_SIZE];
	uint8_t bytes[HD_RECORD_MAX];
	struct hd_slice key, record;
	struct hd_encoder e;
	int err;

	if (!device || !txn || (!keys && n > 0))
		return HD_EINVAL;

	err = device_name(buf, kind, name, &key);
	if (!err)
		err = check_all(keys, n);
	if (err)
		return err;
	if (n == 0) {
		err = hd_txn_del(txn, device->keys, key);
		return err == HD_ENOENT ? 0 : err;
	}
	hd_encoder_init(&e, bytes, sizeof(bytes), KEYS_VERSION);
	encode_all(&e, keys, n);
	err = hd_encoder_finish(&e, &record);
	return err ? err : hd_txn_put(txn, device->keys, key, record);
}

/* ---- one key -------------------------------------------------------------------------------- */

static int key_find(const struct hd_phone_key *keys, size_t n, uint8_t place)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].place == place)
			return (int)i;
	return -1;
}

int hd_device_key_put(struct hd_device *device, struct hd_txn *txn, char kind, const char *name,
		      const struct hd_phone_key *key)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX + 1];
	size_t n = HD_PHONE_KEYS_MAX;
	int err, at;

	err = hd_device_keys_get(device, txn, kind, name, keys, &n);
	if (err)
		return err;
	at = key->place ? key_find(keys, n, key->place) : -1;
	keys[at < 0 ? n++ : (size_t)at] = *key;
	return hd_device_keys_put(device, txn, kind, name, keys, n);
}

int hd_device_key_remove(struct hd_device *device, struct hd_txn *txn, char kind, const char *name,
			 uint8_t place)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX] = { 0 };
	size_t n = HD_PHONE_KEYS_MAX, left = 0;
	int err;

	err = hd_device_keys_get(device, txn, kind, name, keys, &n);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (keys[i].place != place)
			keys[left++] = keys[i];
	return left == n ? HD_ENOENT : hd_device_keys_put(device, txn, kind, name, keys, left);
}
