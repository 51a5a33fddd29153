/* account.c - see hotdesk/account.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/account.h"
#include "hotdesk/base/record.h"

enum { ACCOUNT_VERSION = 1, RECORD_MAX = 512, KEY_MAX = 80 };

/* Sealed at its largest size, so that the record does not tell its length. */
enum { SECRET_TEXT = HD_ACCOUNT_SECRET_SIZE - 1, SECRET_SEALED = SECRET_TEXT + HD_SEAL_BYTES };

struct hd_accounts {
	unsigned table, registrations;
	struct hd_key seal;
};

int hd_accounts_new(struct hd_accounts **ap, struct hd_store *store, const struct hd_key *master)
{
	struct hd_accounts *a;
	int err;

	if (!ap || !store || !master)
		return HD_EINVAL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return HD_ENOMEM;
	err = hd_store_table(store, "upstream_accounts", &a->table);
	if (!err)
		err = hd_store_table(store, "upstream_registrations", &a->registrations);
	if (err) {
		free(a);
		return err;
	}
	hd_key_derive(&a->seal, master, "upstream secret");
	*ap = a;
	return 0;
}

void hd_accounts_free(struct hd_accounts *a)
{
	if (!a)
		return;
	hd_wipe(&a->seal, sizeof(a->seal));
	free(a);
}

/* @return false: no such name can be kept */
static bool key_format(char key[KEY_MAX], enum hd_account_kind kind, const char *name)
{
	int n = snprintf(key, KEY_MAX, "%s/%s", kind == HD_ACCOUNT_OF_USER ? "user" : "peer", name);

	return *name && n > 0 && n < KEY_MAX;
}

int hd_accounts_get(struct hd_accounts *a, struct hd_txn *txn, enum hd_account_kind kind,
		    const char *name, struct hd_account *account)
{
	uint8_t sealed[SECRET_SEALED];
	struct hd_slice value;
	char key[KEY_MAX];
	struct hd_decoder d;
	int err;

	if (!a || !txn || !name || !account)
		return HD_EINVAL;
	memset(account, 0, sizeof(*account));
	if (!key_format(key, kind, name))
		return HD_ENOENT;
	err = hd_txn_get(txn, a->table, hd_slice_of(key), &value);
	if (err)
		return err;
	hd_decoder_init(&d, value, ACCOUNT_VERSION);
	hd_decode_str(&d, account->user, sizeof(account->user));
	hd_decode_bytes(&d, sealed, sizeof(sealed));
	err = hd_decoder_finish(&d);
	if (err)
		return err;
	return hd_unseal((uint8_t *)account->secret, &a->seal,
			 (struct hd_slice){ (const char *)sealed, sizeof(sealed) },
			 hd_slice_of(key))
		       ? HD_ECORRUPT
		       : 0;
}

static bool is_valid(const struct hd_account *account)
{
	const struct hd_slice user = hd_slice_of(account->user);
	const struct hd_slice secret = hd_slice_of(account->secret);

	return user.len > 0 && hd_utf8_is_text(user) && !strpbrk(account->user, "\"\\<> ") &&
	       hd_utf8_is_text(secret);
}

int hd_accounts_put(struct hd_accounts *a, struct hd_txn *txn, enum hd_account_kind kind,
		    const char *name, const struct hd_account *account)
{
	char text[SECRET_TEXT] = { 0 }, key[KEY_MAX];
	uint8_t sealed[SECRET_SEALED], buf[RECORD_MAX];
	struct hd_slice value;
	struct hd_encoder e;
	int err;

	if (!a || !txn || !name || !account || !is_valid(account) || !key_format(key, kind, name))
		return HD_EINVAL;
	memcpy(text, account->secret, strlen(account->secret));
	hd_seal(sealed, &a->seal, (struct hd_slice){ text, sizeof(text) }, hd_slice_of(key));
	hd_wipe(text, sizeof(text));
	hd_encoder_init(&e, buf, sizeof(buf), ACCOUNT_VERSION);
	hd_encode_str(&e, account->user);
	hd_encode_bytes(&e, sealed, sizeof(sealed));
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, a->table, hd_slice_of(key), value);
}

int hd_accounts_forget(struct hd_accounts *a, struct hd_txn *txn, enum hd_account_kind kind,
		       const char *name)
{
	char key[KEY_MAX];
	int err;

	if (!a || !txn || !name)
		return HD_EINVAL;
	if (!key_format(key, kind, name))
		return 0;
	err = hd_txn_del(txn, a->table, hd_slice_of(key));
	return err == HD_ENOENT ? 0 : err;
}

int hd_accounts_note(struct hd_accounts *a, struct hd_txn *txn, const char *account,
		     bool registered)
{
	struct hd_slice value;
	struct hd_encoder e;
	uint8_t buf[16];
	int err;

	if (!a || !txn || !account || !*account || strlen(account) >= KEY_MAX)
		return HD_EINVAL;
	if (!registered) {
		err = hd_txn_del(txn, a->registrations, hd_slice_of(account));
		return err == HD_ENOENT ? 0 : err;
	}
	hd_encoder_init(&e, buf, sizeof(buf), ACCOUNT_VERSION);
	hd_encode_u8(&e, 1);
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, a->registrations, hd_slice_of(account), value);
}

int hd_accounts_next_noted(struct hd_accounts *a, struct hd_txn *txn, const char *after,
			   char *account, size_t size)
{
	struct hd_slice key, value;
	int err;

	if (!a || !txn || !after || !account)
		return HD_EINVAL;
	err = hd_txn_next(txn, a->registrations, hd_slice_of(after), &key, &value);
	if (err && err != HD_ECORRUPT) /* the key says all there is to know */
		return err;
	return hd_str_copy(account, size, key) ? HD_ECORRUPT : 0;
}
