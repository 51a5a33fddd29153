/* own.c - keys that users make for themselves; see hd_own_key_change(). */
#include <string.h>

#include "device_priv.h"
#include "hotdesk/own_key.h"

static int keys_read(struct hd_device *device, struct hd_txn *txn, char kind, const char *name,
		     struct hd_phone_key *keys, size_t *np)
{
	int err;

	*np = HD_PHONE_KEYS_MAX;
	err = hd_device_keys_get(device, txn, kind, name, keys, np);
	if (err == HD_ECORRUPT)
		*np = 0;
	return err == HD_ECORRUPT ? 0 : err;
}

static void mark(bool taken[HD_PHONE_KEYS_MAX + 1], const struct hd_phone_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		taken[keys[i].place] = true;
}

/* The first that nobody has, as far as the directory tells. @return 0, HD_ELIMIT, store's error */
static int place_find(struct hd_device *device, struct hd_txn *txn, const char *user,
		      const struct hd_phone *phone, bool taken[HD_PHONE_KEYS_MAX + 1],
		      uint8_t *placep)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	const struct hd_vendor *vendor;
	uint8_t place = 1;
	size_t n;
	int err;

	err = keys_read(device, txn, 'u', user, keys, &n);
	if (err)
		return err;
	mark(taken, keys, n);
	err = keys_read(device, txn, 'p', phone->id, keys, &n);
	if (err)
		return err;
	mark(taken, keys, n);
	err = hd_device_vendor(device, txn, phone, &vendor);
	if (err && err != HD_ECORRUPT)
		return err;
	while (place <= HD_PHONE_KEYS_MAX &&
	       (taken[place] || place <= vendor->lines || place == vendor->key_place))
		place++;
	*placep = place;
	return place <= HD_PHONE_KEYS_MAX ? 0 : HD_ELIMIT;
}

static int number_set(struct hd_phone_key *key, const struct hd_own_key_change *change)
{
	const struct hd_slice number = hd_slice_of(change->text);

	/* URIs are the administrator's: no class of service judges them. */
	if (!number.len || !hd_phone_id_is_valid(number))
		return HD_EINVAL;
	if (strcmp(key->value, change->text) == 0)
		return 0;
	key->label[0] = '\0';
	return hd_str_copy(key->value, sizeof(key->value), number);
}

static int apply(struct hd_phone_key *key, const struct hd_own_key_change *change)
{
	const char *why;
	int err = 0;

	if (change->what == HD_OWN_KEY_NUMBER)
		err = number_set(key, change);
	else if (change->what == HD_OWN_KEY_LABEL)
		err = hd_str_set(key->label, sizeof(key->label), change->text);
	else if (change->type > HD_PHONE_KEY_BLF)
		err = HD_EINVAL;
	else
		key->type = change->type;
	return err ? err : hd_phone_key_check(key, &why);
}

static size_t find(const struct hd_phone_key *keys, size_t n, uint8_t place)
{
	size_t i = 0;

	while (i < n && keys[i].place != place)
		i++;
	return i;
}

/* Of a new key the one that dials there already: a phone may ask for the same page again. */
static uint8_t place_of(const struct hd_phone_key *keys, size_t n, const char *number)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].value, number) == 0)
			return keys[i].place;
	return 0;
}

int hd_own_key_change(struct hd_device *device, struct hd_txn *txn, const char *user,
		      const struct hd_phone *phone, struct hd_own_key_change *change)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX + 1];
	bool taken[HD_PHONE_KEYS_MAX + 1] = { false };
	size_t n, at;
	int err;

	if (!device || !txn || !user || !phone || !change || change->place > HD_PHONE_KEYS_MAX)
		return HD_EINVAL;
	err = keys_read(device, txn, 'o', user, keys, &n);
	if (err)
		return err;
	if (!change->place && change->what == HD_OWN_KEY_NUMBER)
		change->place = place_of(keys, n, change->text);
	at = change->place ? find(keys, n, change->place) : n;
	if (at == n && change->what != HD_OWN_KEY_NUMBER)
		return HD_ENOENT;
	if (at == n && n >= change->max)
		return HD_ELIMIT;
	if (change->what == HD_OWN_KEY_REMOVE) {
		if (hd_str_set(change->text, sizeof(change->text), keys[at].value))
			change->text[0] = '\0';
		memmove(&keys[at], &keys[at + 1], (n - at - 1) * sizeof(keys[0]));
		return hd_device_keys_put(device, txn, 'o', user, keys, n - 1);
	}
	if (!change->place) {
		mark(taken, keys, n);
		err = place_find(device, txn, user, phone, taken, &change->place);
		if (err)
			return err;
	}
	if (at == n)
		keys[n++] = (struct hd_phone_key){ .place = change->place,
						   .type = HD_PHONE_KEY_SPEED_DIAL };
	err = apply(&keys[at], change);
	change->type = keys[at].type;
	return err ? err : hd_device_keys_put(device, txn, 'o', user, keys, n);
}

void hd_own_key_describe(struct hd_buf *out, const struct hd_own_key_change *change)
{
	const char *what = change->what == HD_OWN_KEY_LABEL    ? "label of key"
			   : change->what == HD_OWN_KEY_REMOVE ? "no key"
			   : change->type == HD_PHONE_KEY_BLF  ? "BLF key"
							       : "speed dial";

	hd_buf_addf(out, "%s %u", what, change->place);
}
