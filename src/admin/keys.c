/* keys.c - the keys of users and phones: shown, put, taken away. */
#include <stdio.h>
#include <string.h>

#include "admin_priv.h"

struct key_op {
	struct admin_op op; /* first */
	char kind;	    /* 'u' or 'p' */
	char name[HD_PHONE_ID_SIZE];
	struct hd_phone_key key;
	char type[16];
};

/* ---- shown ----------------------------------------------------------------------------------- */

static int list_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, char kind,
		     const char *name)
{
	int err;

	hd_json_object(j, NULL);
	err = show_keys(j, admin, txn, kind, name);
	hd_json_object_end(j);
	return err;
}

static int user_list_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
			  const char *number)
{
	struct hd_user user;
	int err = hd_user_get(admin->o.directory, txn, number, &user);

	return err ? err : list_show(j, admin, txn, 'u', number);
}

static int phone_list_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
			   const char *id)
{
	struct hd_phone phone;
	int err = hd_phone_get(admin->o.directory, txn, id, &phone);

	return err ? err : list_show(j, admin, txn, 'p', id);
}

void user_keys_list(struct hd_http_request *req, void *arg)
{
	whole_answer(req, arg, "user", user_list_show);
}

void phone_keys_list(struct hd_http_request *req, void *arg)
{
	whole_answer(req, arg, "phone", phone_list_show);
}

/* ---- written --------------------------------------------------------------------------------- */

static int owner_find(struct hd_txn *txn, const struct key_op *k)
{
	struct hd_directory *dir = k->op.admin->o.directory;
	struct hd_phone phone;
	struct hd_user user;

	return k->kind == 'u' ? hd_user_get(dir, txn, k->name, &user)
			      : hd_phone_get(dir, txn, k->name, &phone);
}

static int owner_tell(struct hd_txn *txn, struct key_op *k)
{
	return k->kind == 'u' ? tell_user(txn, &k->op, k->name) : tell_phone(txn, &k->op, k->name);
}

static int put_run(struct hd_txn *txn, void *arg)
{
	struct key_op *k = arg;
	int err;

	err = owner_find(txn, k);
	if (!err)
		err = hd_device_key_put(k->op.admin->o.device, txn, k->kind, k->name, &k->key);
	return err ? err : owner_tell(txn, k);
}

static int delete_run(struct hd_txn *txn, void *arg)
{
	struct key_op *k = arg;
	bool found;
	int err;

	err = owner_find(txn, k);
	found = !err;
	if (found)
		err = hd_device_key_remove(k->op.admin->o.device, txn, k->kind, k->name,
					   k->key.place);
	if (err == HD_ENOENT && found && k->kind == 'u') /* one that the user has made */
		err = hd_device_key_remove(k->op.admin->o.device, txn, 'o', k->name, k->key.place);
	return err ? err : owner_tell(txn, k);
}

static void put_failed(struct admin_op *op, int err)
{
	op_fail(op, err,
		err == HD_ELIMIT ? "more than 120 keys, or than 16 KiB of them" : hd_strerror(err));
}

/* The operation for the one that the path names; answers the refusal itself. */
static struct key_op *key_op_new(struct hd_http_request *req, struct hd_admin *admin, char kind)
{
	struct key_op *k = op_new(admin, req, sizeof(*k));
	const char *name = hd_http_param(req, 0);
	uint64_t place;

	if (!k)
		return NULL;
	k->kind = kind;
	k->op.desk_changed = true;
	k->op.failed = put_failed;
	op_subject(&k->op, kind == 'u' ? "user" : "phone", name);
	if (hd_str_set(k->name, sizeof(k->name), name)) {
		op_fail(&k->op, HD_ENOENT, hd_strerror(HD_ENOENT));
		return NULL;
	}
	if (hd_u64_parse(&place, hd_slice_of(hd_http_param(req, 1)), HD_PHONE_KEYS_MAX)) {
		op_fail(&k->op, HD_EINVAL, "place: expected 1 to 120, or 0 for those without one");
		return NULL;
	}
	k->key.place = (uint8_t)place;
	return k;
}

static bool key_body(struct hd_http_request *req, struct key_op *k)
{
	struct hd_phone_key *key = &k->key;
	const struct hd_json_field fields[] = {
		{ "type", HD_JSON_TEXT, k->type, sizeof(k->type), true, false, NULL },
		{ "label", HD_JSON_TEXT, key->label, sizeof(key->label), false, true, NULL },
		{ "value", HD_JSON_TEXT, key->value, sizeof(key->value), false, true, NULL },
	};

	return body_read(req, fields, sizeof(fields) / sizeof(fields[0]));
}

static void put_begin(struct hd_http_request *req, struct hd_admin *admin, char kind)
{
	struct key_op *k = key_op_new(req, admin, kind);
	const char *why;

	if (!k)
		return;
	k->op.what = "key put";
	if (!key_body(req, k))
		op_free(&k->op);
	else if (hd_phone_key_parse(&k->key.type, k->type))
		op_fail(&k->op, HD_EINVAL,
			"type: expected speed-dial, blf, line, url or call-list");
	else if (hd_phone_key_check(&k->key, &why))
		op_fail(&k->op, HD_EINVAL, why);
	else
		op_submit(&k->op, put_run, k);
}

static void delete_begin(struct hd_http_request *req, struct hd_admin *admin, char kind)
{
	struct key_op *k = key_op_new(req, admin, kind);

	if (!k)
		return;
	k->op.what = "key removed";
	op_submit(&k->op, delete_run, k);
}

void user_key_put(struct hd_http_request *req, void *arg)
{
	put_begin(req, arg, 'u');
}

void user_key_delete(struct hd_http_request *req, void *arg)
{
	delete_begin(req, arg, 'u');
}

void phone_key_put(struct hd_http_request *req, void *arg)
{
	put_begin(req, arg, 'p');
}

void phone_key_delete(struct hd_http_request *req, void *arg)
{
	delete_begin(req, arg, 'p');
}
