/* phone_write.c - phones added, changed, removed, unlocked; their URLs renewed. */
#include <string.h>

#include "admin_priv.h"

enum mode { CREATE, REPLACE, CHANGE };

struct phone_op {
	struct admin_op op; /* first */
	enum mode mode;
	struct hd_phone given;
	bool has_label, has_mac, has_model, has_owner, has_secret, has_logout;
	bool has_location, has_disabled;
	char mac[32];
	char secret[ADMIN_SECRET_SIZE];
	bool owner_missing; /* out */
	bool added;	    /* out */
	uint32_t ended;	    /* out */
};

static void credentials_copy(struct hd_phone *to, const struct hd_phone *from)
{
	memcpy(to->realm, from->realm, sizeof(to->realm));
	memcpy(to->ha1_md5, from->ha1_md5, sizeof(to->ha1_md5));
	memcpy(to->ha1_sha256, from->ha1_sha256, sizeof(to->ha1_sha256));
}

static void phone_merge(struct hd_phone *to, const struct phone_op *p)
{
	if (p->has_label)
		memcpy(to->label, p->given.label, sizeof(to->label));
	if (p->has_mac)
		memcpy(to->mac, p->given.mac, sizeof(to->mac));
	if (p->has_model)
		memcpy(to->model, p->given.model, sizeof(to->model));
	if (p->has_owner)
		memcpy(to->owner, p->given.owner, sizeof(to->owner));
	if (p->has_secret)
		credentials_copy(to, &p->given);
	if (p->has_logout)
		memcpy(to->logout, p->given.logout, sizeof(to->logout));
	if (p->has_location)
		memcpy(to->location, p->given.location, sizeof(to->location));
	if (p->has_disabled)
		to->disabled = p->given.disabled;
}

/* Before the record is written, to tell this not-found from the phone's own. */
static int owner_check(struct hd_txn *txn, struct phone_op *p, const char *owner)
{
	struct hd_user user;
	int err = owner[0] ? hd_user_get(p->op.admin->o.directory, txn, owner, &user) : 0;

	p->owner_missing = err == HD_ENOENT;
	return err;
}

static int write_run(struct hd_txn *txn, void *arg)
{
	struct phone_op *p = arg;
	struct hd_directory *dir = p->op.admin->o.directory;
	struct hd_phone old;
	struct hd_phone phone = { 0 };
	int err;

	err = hd_phone_get(dir, txn, p->given.id, &old);
	p->added = err == HD_ENOENT;
	if (err && err != HD_ENOENT && (err != HD_ECORRUPT || p->mode != REPLACE))
		return err;
	if (p->added && p->mode == CHANGE)
		return HD_ENOENT;
	if (!p->added && p->mode == CREATE)
		return HD_EEXIST;
	/* A secret cannot be read back, so a replacement that does not give one keeps it. */
	if (p->mode == CHANGE)
		phone = old;
	else if (!err)
		credentials_copy(&phone, &old);
	memcpy(phone.id, p->given.id, sizeof(phone.id));
	phone_merge(&phone, p);
	phone.changed_at_ms = p->op.now_ms;
	err = owner_check(txn, p, phone.owner);
	if (!err)
		err = hd_phone_put(dir, txn, &phone);
	if (!err)
		err = phone_keep(txn, p->op.admin, &phone, p->has_secret ? p->secret : NULL);
	if (!err && !p->added)
		err = tell_phone(txn, &p->op, phone.id);
	return err ? err : phone_settle(txn, &p->op, &phone, &p->ended);
}

static void write_failed(struct admin_op *op, int err)
{
	struct phone_op *p = (struct phone_op *)op;

	if (p->owner_missing)
		op_refuse(op, 422, "owner-unknown", "its owner is not a user");
	else if (err == HD_EEXIST)
		op_fail(op, err,
			"exists already, or is a user's number, or its MAC another phone's");
	else
		op_fail(op, err, hd_strerror(err));
}

static void write_done(struct admin_op *op)
{
	struct phone_op *p = (struct phone_op *)op;
	struct hd_buf b = { 0 };
	struct hd_json j;

	op->what = p->added ? "added" : "changed";
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", op->what);
	hd_json_uint(&j, "sessions_ended", p->ended);
	hd_json_object_end(&j);
	op_finish(op, p->added ? 201 : 200, &b);
}

static bool id_ok(struct phone_op *p, const char *path_id)
{
	op_subject(&p->op, "phone", path_id);
	if (path_id[0] && p->given.id[0] && strcmp(path_id, p->given.id) != 0) {
		op_fail(&p->op, HD_EINVAL, "the body names another id than the path");
		return false;
	}
	if (path_id[0] && hd_str_set(p->given.id, sizeof(p->given.id), path_id)) {
		op_fail(&p->op, HD_EINVAL, "not an id: too long");
		return false;
	}
	op_subject(&p->op, "phone", p->given.id);
	if (hd_phone_id_is_valid(hd_slice_of(p->given.id)))
		return true;
	op_fail(&p->op, HD_EINVAL, "not an id: 1 to 64 of letters, digits and * # . _ -");
	return false;
}

static bool values_ok(struct phone_op *p)
{
	if (p->mac[0] && hd_mac_parse(p->given.mac, hd_slice_of(p->mac))) {
		op_fail(&p->op, HD_EINVAL, "mac: expected 12 hexadecimal digits");
		return false;
	}
	if (p->secret[0])
		hd_phone_set_secret(&p->given, p->op.admin->realm, hd_slice_of(p->secret));
	return true;
}

static bool phone_body(struct hd_http_request *req, struct phone_op *p)
{
	struct hd_phone *g = &p->given;
	const struct hd_json_field fields[] = {
		{ "id", HD_JSON_TEXT, g->id, sizeof(g->id), p->mode == CREATE, false, NULL },
		{ "label", HD_JSON_TEXT, g->label, sizeof(g->label), false, true, &p->has_label },
		{ "mac", HD_JSON_TEXT, p->mac, sizeof(p->mac), false, true, &p->has_mac },
		{ "model", HD_JSON_TEXT, g->model, sizeof(g->model), false, true, &p->has_model },
		{ "owner", HD_JSON_TEXT, g->owner, sizeof(g->owner), false, true, &p->has_owner },
		{ "logout", HD_JSON_TEXT, g->logout, sizeof(g->logout), false, true,
		  &p->has_logout },
		{ "location", HD_JSON_TEXT, g->location, sizeof(g->location), false, true,
		  &p->has_location },
		{ "secret", HD_JSON_TEXT, p->secret, sizeof(p->secret), false, true,
		  &p->has_secret },
		{ "disabled", HD_JSON_BOOL, &g->disabled, 0, false, false, &p->has_disabled },
	};

	return body_read(req, fields, sizeof(fields) / sizeof(fields[0]));
}

static void write_begin(struct hd_http_request *req, struct hd_admin *admin, enum mode mode)
{
	struct phone_op *p = op_new(admin, req, sizeof(*p));

	if (!p)
		return;
	p->mode = mode;
	p->op.desk_changed = true;
	p->op.done = write_done;
	p->op.failed = write_failed;
	if (!phone_body(req, p))
		op_free(&p->op);
	else if (id_ok(p, hd_http_param(req, 0)) && values_ok(p))
		op_submit(&p->op, write_run, p);
}

void phone_post(struct hd_http_request *req, void *arg)
{
	write_begin(req, arg, CREATE);
}

void phone_put(struct hd_http_request *req, void *arg)
{
	write_begin(req, arg, REPLACE);
}

void phone_patch(struct hd_http_request *req, void *arg)
{
	write_begin(req, arg, CHANGE);
}

/* ---- remove, unlock -------------------------------------------------------------------------- */

static int remove_run(struct hd_txn *txn, void *arg)
{
	struct phone_op *p = arg;
	struct hd_admin *admin = p->op.admin;
	int err;

	err = hd_desk_forget_phone(admin->o.desk, txn, p->given.id, p->op.now_ms,
				   HD_DESK_WAY_ADMIN);
	if (!err)
		err = hd_location_remove(admin->o.location, txn, p->given.id);
	if (!err)
		err = hd_device_forget(admin->o.device, txn, 'p', p->given.id);
	return err ? err : hd_phone_remove(admin->o.directory, txn, p->given.id);
}

static int unlock_run(struct hd_txn *txn, void *arg)
{
	struct phone_op *p = arg;
	struct hd_phone phone;
	int err;

	p->op.what = "unlocked";
	err = hd_desk_unlock_phone(p->op.admin->o.desk, txn, p->given.id);
	if (err != HD_ENOENT)
		return err;
	p->op.what = "unchanged";
	return hd_phone_get(p->op.admin->o.directory, txn, p->given.id, &phone);
}

static int token_run(struct hd_txn *txn, void *arg)
{
	struct phone_op *p = arg;
	struct hd_phone phone;
	int err;

	err = hd_phone_get(p->op.admin->o.directory, txn, p->given.id, &phone);
	return err ? err : hd_device_token_renew(p->op.admin->o.device, txn, p->given.id);
}

static void simple_begin(struct hd_http_request *req, struct hd_admin *admin, hd_command_fn *run,
			 const char *what)
{
	struct phone_op *p = op_new(admin, req, sizeof(*p));

	if (!p)
		return;
	p->op.what = what;
	p->op.desk_changed = true;
	if (id_ok(p, hd_http_param(req, 0)))
		op_submit(&p->op, run, p);
}

void phone_delete(struct hd_http_request *req, void *arg)
{
	simple_begin(req, arg, remove_run, "removed");
}

void phone_unlock(struct hd_http_request *req, void *arg)
{
	simple_begin(req, arg, unlock_run, "unlocked");
}

void phone_token(struct hd_http_request *req, void *arg)
{
	simple_begin(req, arg, token_run, "token renewed");
}
