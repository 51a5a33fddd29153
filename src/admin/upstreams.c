/* upstreams.c - our accounts at the PBX or trunks behind us: written, never shown. */
#include <string.h>

#include "admin_priv.h"

int account_write(struct hd_txn *txn, struct hd_admin *admin, enum hd_account_kind kind,
		  const char *name, const char *user, const char *secret)
{
	struct hd_accounts *accounts = admin->o.accounts;
	struct hd_account account;
	int err;

	if (user && !*user)
		return hd_accounts_forget(accounts, txn, kind, name);
	err = hd_accounts_get(accounts, txn, kind, name, &account);
	if (err == HD_ENOENT || err == HD_ECORRUPT) {
		memset(&account, 0, sizeof(account));
		err = 0;
	}
	if (!err && user)
		err = hd_str_set(account.user, sizeof(account.user), user);
	if (!err && secret)
		err = hd_str_set(account.secret, sizeof(account.secret), secret);
	if (!err)
		err = hd_accounts_put(accounts, txn, kind, name, &account);
	hd_wipe(&account, sizeof(account));
	return err;
}

struct account_op {
	struct admin_op op; /* first */
	char name[HD_ACCOUNT_USER_SIZE];
	struct hd_account account;
	bool has_user, has_secret;
};

static void failed(struct admin_op *op, int err)
{
	op_fail(op, err,
		err == HD_EINVAL ? "user: expected text without blanks, quotes and <>"
				 : hd_strerror(err));
}

static int put_run(struct hd_txn *txn, void *arg)
{
	struct account_op *a = arg;

	return account_write(txn, a->op.admin, HD_ACCOUNT_OF_PEER, a->name,
			     a->has_user ? a->account.user : NULL,
			     a->has_secret ? a->account.secret : NULL);
}

static int delete_run(struct hd_txn *txn, void *arg)
{
	struct account_op *a = arg;

	return hd_accounts_forget(a->op.admin->o.accounts, txn, HD_ACCOUNT_OF_PEER, a->name);
}

static struct account_op *begin(struct hd_http_request *req, struct hd_admin *admin,
				const char *what)
{
	struct account_op *a = op_new(admin, req, sizeof(*a));

	if (!a)
		return NULL;
	a->op.what = what;
	a->op.desk_changed = true;
	a->op.done = op_finish_plain;
	a->op.failed = failed;
	op_subject(&a->op, "upstream", hd_http_param(req, 0));
	if (!hd_str_set(a->name, sizeof(a->name), hd_http_param(req, 0)))
		return a;
	op_fail(&a->op, HD_EINVAL, "name: too long");
	return NULL;
}

void upstream_put(struct hd_http_request *req, void *arg)
{
	struct account_op *a = begin(req, arg, "set");
	const struct hd_json_field fields[] = {
		{ "user", HD_JSON_TEXT, a ? a->account.user : NULL, sizeof(a->account.user), false,
		  true, a ? &a->has_user : NULL },
		{ "password", HD_JSON_TEXT, a ? a->account.secret : NULL, sizeof(a->account.secret),
		  false, false, a ? &a->has_secret : NULL },
	};

	if (!a)
		return;
	if (body_read(req, fields, sizeof(fields) / sizeof(fields[0])))
		op_submit(&a->op, put_run, a);
	else
		op_free(&a->op);
}

void upstream_delete(struct hd_http_request *req, void *arg)
{
	struct account_op *a = begin(req, arg, "removed");

	if (a)
		op_submit(&a->op, delete_run, a);
}
