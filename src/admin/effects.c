/* effects.c - what ends with what a user or a phone is no longer allowed; inside the command. */
#include <string.h>

#include "admin_priv.h"

int user_settle(struct hd_txn *txn, struct admin_op *op, const struct hd_user *user,
		uint32_t *endedp)
{
	struct hd_desk *desk = op->admin->o.desk;
	struct hd_desk_session s;
	int err;

	*endedp = 0;
	if (!user->disabled)
		return 0;
	err = hd_desk_get_by_user(desk, txn, user->number, &s);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	*endedp = 1;
	return hd_desk_end_user(desk, txn, user->number, op->now_ms, HD_DESK_WAY_ADMIN);
}

int phone_settle(struct hd_txn *txn, struct admin_op *op, const struct hd_phone *phone,
		 uint32_t *endedp)
{
	struct hd_desk *desk = op->admin->o.desk;
	struct hd_desk_session s;
	int err;

	*endedp = 0;
	if (phone->disabled) {
		err = hd_location_remove(op->admin->o.location, txn, phone->id);
		if (err)
			return err;
	}
	err = hd_desk_get_by_phone(desk, txn, phone->id, &s);
	if (err)
		return err == HD_ENOENT ? 0 : err;
	/* An owned phone is closed to everyone else, also to who sits there already. */
	if (!phone->disabled && (!phone->owner[0] || strcmp(s.user, phone->owner) == 0))
		return 0;
	*endedp = 1;
	return hd_desk_end_phone(desk, txn, phone->id, op->now_ms, HD_DESK_WAY_ADMIN);
}
