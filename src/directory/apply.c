/* apply.c - a whole file of users and phones in one command; see directory.h. */
#include <string.h>

#include "directory_priv.h"

static bool user_is_equal(const struct hd_user *a, const struct hd_user *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->pin_hash, b->pin_hash) == 0 &&
	       strcmp(a->language, b->language) == 0 && a->roaming == b->roaming &&
	       strcmp(a->logout, b->logout) == 0 && strcmp(a->group, b->group) == 0 &&
	       strcmp(a->call_list, b->call_list) == 0 && strcmp(a->class, b->class) == 0 &&
	       a->disabled == b->disabled;
}

static bool phone_is_equal(const struct hd_phone *a, const struct hd_phone *b)
{
	return strcmp(a->label, b->label) == 0 && strcmp(a->mac, b->mac) == 0 &&
	       strcmp(a->model, b->model) == 0 && strcmp(a->owner, b->owner) == 0 &&
	       strcmp(a->realm, b->realm) == 0 && strcmp(a->ha1_md5, b->ha1_md5) == 0 &&
	       strcmp(a->ha1_sha256, b->ha1_sha256) == 0 && strcmp(a->logout, b->logout) == 0 &&
	       strcmp(a->location, b->location) == 0 && a->disabled == b->disabled;
}

static void count_written(struct hd_directory_batch *batch, bool added)
{
	if (added) {
		batch->added++;
		return;
	}
	batch->changed++;
	if (batch->changes)
		batch->changes[batch->bad] = true;
}

static int apply_user(struct hd_directory *dir, struct hd_txn *txn,
		      struct hd_directory_batch *batch, const struct hd_user *wanted)
{
	struct hd_user old, user = *wanted;
	int err, found;

	found = hd_user_get(dir, txn, user.number, &old);
	if (found && found != HD_ENOENT && found != HD_ECORRUPT)
		return found;
	if (!found && !user.pin_hash[0])
		memcpy(user.pin_hash, old.pin_hash, sizeof(user.pin_hash));
	if (!found && user_is_equal(&user, &old)) {
		batch->unchanged++;
		return 0;
	}

	user.changed_at_ms = batch->now_ms;
	err = hd_user_put(dir, txn, &user);
	if (err)
		return err;
	count_written(batch, found == HD_ENOENT);
	return 0;
}

static int apply_phone(struct hd_directory *dir, struct hd_txn *txn,
		       struct hd_directory_batch *batch, const struct hd_phone *wanted)
{
	struct hd_phone old, phone = *wanted;
	int err, found;

	found = hd_phone_get(dir, txn, phone.id, &old);
	if (found && found != HD_ENOENT && found != HD_ECORRUPT)
		return found;
	if (!found && !phone.ha1_md5[0] && !phone.ha1_sha256[0]) {
		memcpy(phone.realm, old.realm, sizeof(phone.realm));
		memcpy(phone.ha1_md5, old.ha1_md5, sizeof(phone.ha1_md5));
		memcpy(phone.ha1_sha256, old.ha1_sha256, sizeof(phone.ha1_sha256));
	}
	if (!found && phone_is_equal(&phone, &old)) {
		batch->unchanged++;
		return 0;
	}

	phone.changed_at_ms = batch->now_ms;
	err = hd_phone_put(dir, txn, &phone);
	if (err)
		return err;
	count_written(batch, found == HD_ENOENT);
	return 0;
}

/*
 * Takes the MAC addresses that are about to change out of the index first, so that two phones of a
 * batch may swap theirs. The phone's record keeps the old one until it is written.
 */
static int release_macs(struct hd_directory *dir, struct hd_txn *txn,
			const struct hd_directory_batch *batch)
{
	struct hd_phone old;
	int err;

	for (size_t i = 0; i < batch->n_phones; i++) {
		err = hd_phone_get(dir, txn, batch->phones[i].id, &old);
		if (err == HD_ENOENT || err == HD_ECORRUPT)
			continue;
		if (!err && old.mac[0] && strcmp(old.mac, batch->phones[i].mac) != 0)
			err = hd_txn_del(txn, dir->macs, hd_slice_of(old.mac));
		if (err && err != HD_ENOENT)
			return err;
	}
	return 0;
}

int hd_directory_apply(struct hd_directory *dir, struct hd_txn *txn,
		       struct hd_directory_batch *batch)
{
	int err;

	if (!dir || !txn || !batch || (!batch->users && batch->n_users > 0) ||
	    (!batch->phones && batch->n_phones > 0))
		return HD_EINVAL;

	batch->bad = 0;
	batch->added = batch->changed = batch->unchanged = 0;
	if (batch->changes)
		memset(batch->changes, 0,
		       (batch->n_users + batch->n_phones) * sizeof(*batch->changes));
	for (size_t i = 0; i < batch->n_users; i++) {
		batch->bad = i;
		err = apply_user(dir, txn, batch, &batch->users[i]);
		if (err)
			return err;
	}

	err = release_macs(dir, txn, batch);
	if (err)
		return err;
	for (size_t i = 0; i < batch->n_phones; i++) {
		batch->bad = batch->n_users + i;
		err = apply_phone(dir, txn, batch, &batch->phones[i]);
		if (err)
			return err;
	}
	return 0;
}
