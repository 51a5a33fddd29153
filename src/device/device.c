/* device.c - the tables of what is known about phones as things; see device.h. */
#include <stdlib.h>
#include <string.h>

#include "device_priv.h"

int hd_device_new(struct hd_device **dp, struct hd_store *store, const struct hd_key *master)
{
	struct hd_device *device;
	int err;

	if (!dp || !store || !master)
		return HD_EINVAL;

	device = calloc(1, sizeof(*device));
	if (!device)
		return HD_ENOMEM;

	err = hd_store_table(store, "device_keys", &device->keys);
	if (!err)
		err = hd_store_table(store, "device_secret", &device->secrets);
	if (!err)
		err = hd_store_table(store, "device_token", &device->tokens);
	if (!err)
		err = hd_store_table(store, "device_seen", &device->seen);
	if (err) {
		free(device);
		return err;
	}

	hd_key_derive(&device->seal, master, "phone secret");
	hd_key_derive(&device->token, master, "phone url");
	hd_key_derive(&device->index, master, "phone url index");
	*dp = device;
	return 0;
}

void hd_device_free(struct hd_device *device)
{
	if (!device)
		return;
	hd_wipe(device, sizeof(*device));
	free(device);
}

int device_name(char buf[DEVICE_NAME_SIZE], char kind, const char *name, struct hd_slice *keyp)
{
	struct hd_slice s = hd_slice_of(name);

	if (kind == 'u' || kind == 'o' ? !hd_number_is_valid(s)
				       : kind != 'p' || !hd_phone_id_is_valid(s))
		return HD_EINVAL;

	buf[0] = kind;
	*keyp = (struct hd_slice){ buf, s.len + 1 };
	return hd_str_copy(buf + 1, DEVICE_NAME_SIZE - 1, s);
}

static int forget_one(struct hd_txn *txn, unsigned table, struct hd_slice key)
{
	int err = hd_txn_del(txn, table, key);

	return err == HD_ENOENT ? 0 : err;
}

int hd_device_forget(struct hd_device *device, struct hd_txn *txn, char kind, const char *name)
{
	struct secret_record record;
	char buf[DEVICE_NAME_SIZE];
	struct hd_slice key;
	int err;

	if (!device || !txn)
		return HD_EINVAL;

	err = device_name(buf, kind, name, &key);
	/* What has no such name has nothing here. */
	if (err)
		return 0;
	err = forget_one(txn, device->keys, key);
	if (!err && kind == 'u')
		err = hd_device_forget(device, txn, 'o', name);
	if (err || kind != 'p')
		return err;

	/* Of a damaged record the token's entry stays: it finds nothing, and the check tells. */
	err = secret_record_get(device, txn, name, &record);
	if (!err)
		err = token_forget(device, txn, name, record.salt);
	if (err && err != HD_ECORRUPT)
		return err;
	hd_wipe(&record, sizeof(record));
	err = forget_one(txn, device->secrets, hd_slice_of(name));
	return err ? err : forget_one(txn, device->seen, hd_slice_of(name));
}
