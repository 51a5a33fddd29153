/*
 * account.h - our accounts at the PBX or trunk behind us: of a user, or of a whole upstream.
 *
 * The secret is sealed with a key outside the database and never shown again.
 *
 * Tables: "upstream_accounts" ("user/201", "peer/pbx"); "upstream_registrations" ("pbx/201"): what
 * may be registered there.
 *
 * Layer: 2 (settings).  May include: base, store.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_ACCOUNT_H
#define HOTDESK_ACCOUNT_H

#include "hotdesk/base/secret.h"
#include "hotdesk/store.h"

enum { HD_ACCOUNT_USER_SIZE = 65, HD_ACCOUNT_SECRET_SIZE = 129 };

/** Wipe it. */
struct hd_account {
	char user[HD_ACCOUNT_USER_SIZE]; /* as the PBX knows it, also for digest */
	char secret[HD_ACCOUNT_SECRET_SIZE];
};
enum hd_account_kind { HD_ACCOUNT_OF_USER, HD_ACCOUNT_OF_PEER };

struct hd_accounts;
/** Opens the table; derives its key. @return 0, HD_ENOMEM or the store's error */
HD_MUSTCHECK int hd_accounts_new(struct hd_accounts **ap, struct hd_store *store,
				 const struct hd_key *master);
/** Wipes the key. NULL-safe. */
void hd_accounts_free(struct hd_accounts *accounts);
/** @return 0; HD_ENOENT; HD_ECORRUPT: damaged, or of another master key; the store's error */
HD_MUSTCHECK int hd_accounts_get(struct hd_accounts *accounts, struct hd_txn *txn,
				 enum hd_account_kind kind, const char *name,
				 struct hd_account *account);
/** @return 0; HD_EINVAL: no user, or what does not stand in a URI or a header; the store's error */
HD_MUSTCHECK int hd_accounts_put(struct hd_accounts *accounts, struct hd_txn *txn,
				 enum hd_account_kind kind, const char *name,
				 const struct hd_account *account);
/** Nothing there is no error. */
HD_MUSTCHECK int hd_accounts_forget(struct hd_accounts *accounts, struct hd_txn *txn,
				    enum hd_account_kind kind, const char *name);

/** Notes that an account may be registered by us, or is not any more. */
HD_MUSTCHECK int hd_accounts_note(struct hd_accounts *accounts, struct hd_txn *txn,
				  const char *account, bool registered);
/** The noted account after one ("" for the first). @return 0 or HD_ENOENT at the end */
HD_MUSTCHECK int hd_accounts_next_noted(struct hd_accounts *accounts, struct hd_txn *txn,
					const char *after, char *account, size_t size);

#endif
