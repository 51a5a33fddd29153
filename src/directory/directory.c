/* directory.c - the tables of users and phones; see directory.h. */
#include <stdlib.h>
#include <string.h>

#include "directory_priv.h"

int hd_directory_new(struct hd_directory **dp, struct hd_store *store)
{
	struct hd_directory *dir;
	int err;

	if (!dp || !store)
		return HD_EINVAL;

	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return HD_ENOMEM;

	err = hd_store_table(store, "user", &dir->users);
	if (!err)
		err = hd_store_table(store, "phone", &dir->phones);
	if (!err)
		err = hd_store_table(store, "phone_mac", &dir->macs);
	if (!err)
		err = hd_store_table(store, "phone_owner", &dir->owners);
	if (err) {
		free(dir);
		return err;
	}

	*dp = dir;
	return 0;
}

void hd_directory_free(struct hd_directory *dir)
{
	free(dir);
}

bool hd_directory_name(struct hd_directory *dir, struct hd_txn *txn, const char *number,
		       char name[HD_NAME_SIZE])
{
	struct hd_phone phone;
	struct hd_user user;

	name[0] = '\0';
	if (!hd_user_get(dir, txn, number, &user))
		memcpy(name, user.name, sizeof(user.name));
	else if (!hd_phone_get(dir, txn, number, &phone))
		memcpy(name, phone.label, sizeof(phone.label));
	hd_wipe(&phone, sizeof(phone));
	hd_wipe(&user, sizeof(user));
	return name[0] != '\0';
}

int hd_directory_count(struct hd_directory *dir, struct hd_txn *txn, uint64_t *usersp,
		       uint64_t *phonesp)
{
	int err;

	if (!dir || !txn || !usersp || !phonesp)
		return HD_EINVAL;

	err = hd_txn_count(txn, dir->users, usersp);
	if (!err)
		err = hd_txn_count(txn, dir->phones, phonesp);
	return err;
}

int hd_directory_has(struct hd_txn *txn, unsigned table, const char *key)
{
	struct hd_slice value;
	int err;

	err = hd_txn_get(txn, table, hd_slice_of(key), &value);
	if (err == HD_ENOENT)
		return 0;
	return !err || err == HD_ECORRUPT ? 1 : err;
}

bool hd_logout_text_is_valid(const char *text)
{
	struct hd_logout_rule rule;

	return !hd_logout_rule_parse(&rule, hd_slice_of(text));
}
