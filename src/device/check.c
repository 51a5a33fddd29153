/* check.c - whether what is kept about phones is right; see hd_device_check(). */
#include <stdio.h>
#include <string.h>

#include "device_priv.h"

struct check {
	struct hd_device *device;
	struct hd_txn *txn;
	struct hd_directory *dir;
	struct hd_device_audit *audit;
};

static void violation(struct check *c, const char *subject, const char *what)
{
	if (c->audit->violations++ == 0)
		(void)snprintf(c->audit->first, sizeof(c->audit->first), "%s: %s", subject, what);
}

/* Errors about one record are reported, others end the check. @return 0 or such an error */
static int judge(struct check *c, const char *subject, int err)
{
	if (err != HD_ECORRUPT && err != HD_EVERSION && err != HD_ELIMIT)
		return err;
	violation(c, subject, hd_strerror(err));
	return 0;
}

/* @return 0 (found or said), or an error that is not about the record */
static int check_phone(struct check *c, const char *id, const char *what, struct hd_phone *phone)
{
	int err = hd_phone_get(c->dir, c->txn, id, phone);

	if (err == HD_ENOENT) {
		violation(c, id, what);
		return 0;
	}
	return err == HD_ECORRUPT || err == HD_EVERSION ? 0 : err;
}

static int check_keys(struct check *c, struct hd_slice key)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	char text[DEVICE_NAME_SIZE];
	size_t n = HD_PHONE_KEYS_MAX;
	struct hd_phone phone;
	struct hd_user user;
	int err;

	if (hd_str_copy(text, sizeof(text), key) || (text[0] != 'u' && text[0] != 'p')) {
		violation(c, "device_keys", "has a key that names nobody");
		return 0;
	}
	err = judge(c, text + 1,
		    hd_device_keys_get(c->device, c->txn, text[0], text + 1, keys, &n));
	if (err)
		return err;
	if (text[0] == 'p')
		return check_phone(c, text + 1, "has keys and is no phone", &phone);
	err = hd_user_get(c->dir, c->txn, text + 1, &user);
	if (err == HD_ENOENT)
		violation(c, text + 1, "has keys and is no user");
	return err == HD_ENOENT || err == HD_ECORRUPT || err == HD_EVERSION ? 0 : err;
}

/* What is sealed must be what the phone is asked for. */
static void check_ha1(struct check *c, const struct hd_phone *phone,
		      const char secret[HD_SIP_SECRET_SIZE])
{
	struct hd_phone again = { 0 };

	memcpy(again.id, phone->id, sizeof(again.id));
	hd_phone_set_secret(&again, phone->realm, hd_slice_of(secret));
	if (phone->ha1_sha256[0] &&
	    !hd_secret_eq(again.ha1_sha256, phone->ha1_sha256, sizeof(again.ha1_sha256)))
		violation(c, phone->id, "would be given another secret than it is asked for");
	hd_wipe(&again, sizeof(again));
}

static int check_secret(struct check *c, struct hd_slice key)
{
	char secret[HD_SIP_SECRET_SIZE], id[HD_PHONE_ID_SIZE];
	struct hd_phone phone;
	int err;

	if (hd_str_copy(id, sizeof(id), key)) {
		violation(c, "device_secret", "has a key that is no phone id");
		return 0;
	}
	err = check_phone(c, id, "has a sealed secret and is no phone", &phone);
	if (err)
		return err;
	err = hd_device_secret_get(c->device, c->txn, id, secret);
	if (!err && phone.id[0])
		check_ha1(c, &phone, secret);
	hd_wipe(secret, sizeof(secret));
	if (err == HD_ECORRUPT)
		violation(c, id, "its secret is damaged or sealed with another master key");
	else if (err == HD_ENOENT)
		err = 0;
	return err == HD_ECORRUPT ? 0 : judge(c, id, err);
}

static int check_seen(struct check *c, struct hd_slice key)
{
	struct hd_device_seen seen;
	char id[HD_PHONE_ID_SIZE];
	struct hd_phone phone;
	int err;

	if (hd_str_copy(id, sizeof(id), key)) {
		violation(c, "device_seen", "has a key that is no phone id");
		return 0;
	}
	err = judge(c, id, hd_device_seen_get(c->device, c->txn, id, &seen));
	return err ? err : check_phone(c, id, "was seen and is no phone", &phone);
}

/* A record that cannot be read is a violation, too, and the walk goes on. */
static int check_table(struct check *c, unsigned table, uint64_t *countp,
		       int (*fn)(struct check *, struct hd_slice))
{
	struct hd_slice key = { NULL, 0 }, record;
	int err;

	for (*countp = 0;; ++*countp) {
		err = hd_txn_next(c->txn, table, key, &key, &record);
		if (err == HD_ENOENT)
			return 0;
		if (!err || err == HD_ECORRUPT)
			err = fn(c, key);
		if (err)
			return err;
	}
}

int hd_device_check(struct hd_device *device, struct hd_txn *txn, struct hd_directory *dir,
		    struct hd_device_audit *audit)
{
	struct check c = { .device = device, .txn = txn, .dir = dir, .audit = audit };
	int err;

	if (!device || !txn || !dir || !audit)
		return HD_EINVAL;

	memset(audit, 0, sizeof(*audit));
	err = check_table(&c, device->keys, &audit->keys, check_keys);
	if (!err)
		err = check_table(&c, device->secrets, &audit->secrets, check_secret);
	if (!err)
		err = check_table(&c, device->seen, &audit->seen, check_seen);
	return err;
}
