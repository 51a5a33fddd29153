/* check.c - whether what is kept about phones is right, and its repair; see hd_device_check(). */
#include <stdio.h>
#include <string.h>

#include "device_priv.h"

enum { KEY_SIZE = 512 }; /* no back end has longer keys */

struct check {
	struct hd_device *device;
	struct hd_txn *txn;
	struct hd_directory *dir;
	struct hd_device_audit *audit;
	bool mend;
	uint32_t removed;
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

	if (hd_str_copy(text, sizeof(text), key) || !memchr("uop", text[0], 3)) {
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
	if (err != HD_ENOENT)
		c->audit->secrets++;
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
static int check_table(struct check *c, unsigned table, int (*fn)(struct check *, struct hd_slice))
{
	struct hd_slice key = { NULL, 0 }, record;
	char last[KEY_SIZE];
	uint64_t before;
	int err;

	for (;;) {
		err = hd_txn_next(c->txn, table, key, &key, &record);
		if (err == HD_ENOENT)
			return 0;
		if ((err && err != HD_ECORRUPT) || key.len > sizeof(last))
			return err ? err : HD_ECORRUPT;
		/* What is removed ends the life of what was borrowed. */
		memcpy(last, key.ptr, key.len);
		key.ptr = last;
		before = c->audit->violations;
		err = fn(c, key);
		if (!err && c->mend && c->audit->violations > before) {
			c->removed++;
			err = hd_txn_del(c->txn, table, key);
		}
		if (err)
			return err;
	}
}

static int check_all(struct check *c)
{
	int err;

	memset(c->audit, 0, sizeof(*c->audit));
	err = hd_txn_count(c->txn, c->device->keys, &c->audit->keys);
	if (!err)
		err = check_table(c, c->device->keys, check_keys);
	if (!err)
		err = check_table(c, c->device->secrets, check_secret);
	return err ? err : check_table(c, c->device->seen, check_seen);
}

int hd_device_check(struct hd_device *device, struct hd_txn *txn, struct hd_directory *dir,
		    struct hd_device_audit *audit)
{
	struct check c = { .device = device, .txn = txn, .dir = dir, .audit = audit };

	return device && txn && dir && audit ? check_all(&c) : HD_EINVAL;
}

int hd_device_repair(struct hd_device *device, struct hd_txn *txn, struct hd_directory *dir,
		     uint32_t *removedp)
{
	struct hd_device_audit audit;
	struct check c = { device, txn, dir, &audit, true, 0 };
	int err;

	if (!device || !txn || !dir || !removedp)
		return HD_EINVAL;

	err = check_all(&c);
	*removedp = c.removed;
	return err ? err : hd_device_enroll_all(device, txn, dir);
}
