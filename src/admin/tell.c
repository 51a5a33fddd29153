/*
 * tell.c - phones that show what was changed here get their configuration anew; inside the command.
 */
#include <stdlib.h>
#include <string.h>

#include "admin_priv.h"

int tell_phone(struct hd_txn *txn, struct admin_op *op, const char *id)
{
	return hd_outbox_put(op->admin->o.desk, txn, id, op->now_ms);
}

int tell_user(struct hd_txn *txn, struct admin_op *op, const char *number)
{
	struct hd_desk_session s;
	int err = hd_desk_get_by_user(op->admin->o.desk, txn, number, &s);

	if (err)
		return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
	return tell_phone(txn, op, s.phone);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int tell_owned(struct hd_txn *txn, struct admin_op *op, const char **numbers, size_t n)
{
	struct hd_directory *dir = op->admin->o.directory;
	char last[HD_PHONE_ID_SIZE] = "";
	struct hd_phone phone;
	const char *owner;
	int err;

	if (n == 0)
		return 0;
	qsort(numbers, n, sizeof(*numbers), compare);
	for (;;) {
		err = hd_phone_next(dir, txn, last, &phone);
		if (err && (err != HD_ECORRUPT || !phone.id[0]))
			return err == HD_ENOENT ? 0 : err;
		memcpy(last, phone.id, sizeof(last));
		owner = phone.owner;
		if (err || !owner[0] || !bsearch(&owner, numbers, n, sizeof(*numbers), compare))
			continue;
		err = tell_phone(txn, op, last);
		if (err)
			return err;
	}
}
