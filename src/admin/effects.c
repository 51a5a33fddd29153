/* effects.c - what a change of a user or a phone brings with it; inside the command. */
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

int phone_keep(struct hd_txn *txn, struct hd_admin *admin, const struct hd_phone *phone,
	       const char *secret)
{
	bool keep = phone->model[0] || admin->o.policies.keep_secrets;
	int err;

	if (!keep || secret)
		return hd_device_secret_put(admin->o.device, txn, phone->id,
					    hd_slice_of(keep ? secret : NULL));
	err = hd_device_enroll(admin->o.device, txn, phone->id);
	/* A damaged record waits for its secret to be given again; the check tells. */
	return err == HD_ECORRUPT ? 0 : err;
}

static bool key_is_equal(const struct hd_phone_key *a, const struct hd_phone_key *b)
{
	return a->place == b->place && a->type == b->type && strcmp(a->label, b->label) == 0 &&
	       strcmp(a->value, b->value) == 0;
}

/* What is stored is in the order of the places; what is given need not be. */
static bool keys_are(const struct hd_phone_key *stored, const struct key_list *list)
{
	size_t at = 0;

	for (unsigned place = 1; place <= HD_PHONE_KEYS_MAX + 1; place++)
		for (size_t i = 0; i < list->n; i++)
			if (list->keys[i].place == place % (HD_PHONE_KEYS_MAX + 1) &&
			    !key_is_equal(&stored[at++], &list->keys[i]))
				return false;
	return true;
}

int keys_compare(struct hd_txn *txn, const struct hd_admin *admin, const struct key_list *list,
		 bool *changedp)
{
	struct hd_phone_key stored[HD_PHONE_KEYS_MAX] = { 0 };
	size_t n = HD_PHONE_KEYS_MAX;
	int err;

	err = hd_device_keys_get(admin->o.device, txn, list->kind, list->name, stored, &n);
	if (err && err != HD_ECORRUPT)
		return err;
	*changedp = err || n != list->n || !keys_are(stored, list);
	return 0;
}

int keys_replace(struct hd_txn *txn, struct admin_op *op, const struct key_list *list,
		 bool *changedp)
{
	struct hd_device *device = op->admin->o.device;
	int err;

	err = keys_compare(txn, op->admin, list, changedp);
	if (err || !*changedp)
		return err;
	err = hd_device_keys_put(device, txn, list->kind, list->name, list->keys, list->n);
	if (err)
		return err;
	return list->kind == 'u' ? tell_user(txn, op, list->name) : tell_phone(txn, op, list->name);
}
