/* user.c - user records; see directory.h. */
#include <string.h>

#include "directory_priv.h"

enum { USER_ROAMING = 1, USER_DISABLED = 2 };

int hd_user_encode(struct hd_encoder *e, const struct hd_user *user, struct hd_slice *out)
{
	unsigned flags = 0;

	if (user->roaming)
		flags |= USER_ROAMING;
	if (user->disabled)
		flags |= USER_DISABLED;

	hd_encode_u8(e, (uint8_t)flags);
	hd_encode_str(e, user->name);
	hd_encode_str(e, user->pin_hash);
	hd_encode_str(e, user->language);
	hd_encode_i64(e, user->changed_at_ms);
	hd_encode_str(e, user->logout);
	hd_encode_str(e, user->group);
	hd_encode_str(e, user->call_list);
	hd_encode_str(e, user->class);
	return hd_encoder_finish(e, out);
}

int hd_user_decode(struct hd_user *user, struct hd_slice record)
{
	struct hd_decoder d;
	uint8_t flags;

	hd_decoder_init(&d, record, HD_USER_VERSION);
	flags = hd_decode_u8(&d);
	user->roaming = (flags & USER_ROAMING) != 0;
	user->disabled = (flags & USER_DISABLED) != 0;
	hd_decode_str(&d, user->name, sizeof(user->name));
	hd_decode_str(&d, user->pin_hash, sizeof(user->pin_hash));
	hd_decode_str(&d, user->language, sizeof(user->language));
	user->changed_at_ms = hd_decode_i64(&d);
	hd_decode_str(&d, user->logout, sizeof(user->logout));
	hd_decode_str(&d, user->group, sizeof(user->group));
	hd_decode_str(&d, user->call_list, sizeof(user->call_list));
	hd_decode_str(&d, user->class, sizeof(user->class));
	return hd_decoder_finish(&d);
}

int hd_user_get(struct hd_directory *dir, struct hd_txn *txn, const char *number,
		struct hd_user *user)
{
	struct hd_slice key = hd_slice_of(number);
	struct hd_slice record;
	int err;

	if (!dir || !txn || !user)
		return HD_EINVAL;

	memset(user, 0, sizeof(*user));
	/* A number that cannot exist is not there; it would not even be a legal key. */
	if (!hd_number_is_valid(key))
		return HD_ENOENT;

	err = hd_txn_get(txn, dir->users, key, &record);
	if (!err)
		err = hd_user_decode(user, record);
	if (!err)
		err = hd_str_copy(user->number, sizeof(user->number), key);
	return err;
}

static bool user_is_valid(const struct hd_user *user)
{
	enum hd_list_mode mode;

	return hd_number_is_valid(hd_slice_of(user->number)) &&
	       hd_utf8_is_text(hd_slice_of(user->name)) &&
	       hd_utf8_is_text(hd_slice_of(user->language)) &&
	       hd_logout_text_is_valid(user->logout) &&
	       (!user->group[0] || hd_list_group_is_valid(hd_slice_of(user->group))) &&
	       !hd_list_mode_parse(&mode, hd_slice_of(user->call_list)) &&
	       (!user->class[0] || hd_class_name_is_valid(hd_slice_of(user->class)));
}

int hd_user_put(struct hd_directory *dir, struct hd_txn *txn, const struct hd_user *user)
{
	uint8_t buf[HD_DIRECTORY_RECORD_MAX];
	struct hd_encoder e;
	struct hd_slice record;
	int err;

	if (!dir || !txn || !user || !user_is_valid(user))
		return HD_EINVAL;

	err = hd_directory_has(txn, dir->phones, user->number);
	if (err)
		return err > 0 ? HD_EEXIST : err;

	hd_encoder_init(&e, buf, sizeof(buf), HD_USER_VERSION);
	err = hd_user_encode(&e, user, &record);
	if (err)
		return err;
	return hd_txn_put(txn, dir->users, hd_slice_of(user->number), record);
}

/* @return 1 when the user owns a phone, 0, or the store's error */
static int user_owns_phone(struct hd_directory *dir, struct hd_txn *txn, const char *number)
{
	char after[HD_NUMBER_SIZE + HD_PHONE_ID_SIZE];
	struct hd_slice key, value;
	struct hd_phone phone;
	size_t prefix = strlen(number) + 1; /* the keys are number NUL id */
	size_t len = prefix;
	int err;

	memcpy(after, number, prefix);
	for (;;) {
		err = hd_txn_next(txn, dir->owners, (struct hd_slice){ after, len }, &key, &value);
		if (err == HD_ENOENT)
			return 0;
		if (err && err != HD_ECORRUPT)
			return err;
		if (key.len <= prefix || key.len >= sizeof(after) ||
		    memcmp(key.ptr, number, prefix) != 0)
			return 0;

		/* An entry that a damaged record left behind does not count. */
		len = key.len;
		memcpy(after, key.ptr, len);
		after[len] = '\0';
		err = hd_phone_get(dir, txn, after + prefix, &phone);
		if (!err && strcmp(phone.owner, number) == 0)
			return 1;
		if (err && err != HD_ENOENT && err != HD_ECORRUPT)
			return err;
	}
}

int hd_user_remove(struct hd_directory *dir, struct hd_txn *txn, const char *number)
{
	struct hd_slice key = hd_slice_of(number);
	int err;

	if (!dir || !txn)
		return HD_EINVAL;
	if (!hd_number_is_valid(key))
		return HD_ENOENT;

	err = user_owns_phone(dir, txn, number);
	if (err)
		return err > 0 ? HD_ESTATE : err;
	return hd_txn_del(txn, dir->users, key);
}

int hd_user_next(struct hd_directory *dir, struct hd_txn *txn, const char *after,
		 struct hd_user *user)
{
	struct hd_slice key, record;
	int err, damaged;

	if (!dir || !txn || !user)
		return HD_EINVAL;

	memset(user, 0, sizeof(*user));
	err = hd_txn_next(txn, dir->users, hd_slice_of(after), &key, &record);
	if (err && err != HD_ECORRUPT)
		return err;

	damaged = err;
	err = hd_str_copy(user->number, sizeof(user->number), key);
	if (err)
		return HD_ECORRUPT;
	return damaged ? damaged : hd_user_decode(user, record);
}
