/* user_write.c - users added, changed, removed, unlocked. */
#include <string.h>

#include "admin_priv.h"

enum mode { CREATE, REPLACE, CHANGE };

struct user_op {
	struct admin_op op; /* first */
	enum mode mode;
	struct hd_user given;
	bool has_name, has_pin, has_language, has_logout, has_group, has_list, has_class,
		has_roaming, has_disabled;
	char pin[ADMIN_PIN_SIZE];
	struct settings_given settings;
	struct hd_pin_cost cost;
	int hash_err;
	bool added;	/* out */
	uint32_t ended; /* out */
};

static void user_merge(struct hd_user *to, const struct user_op *u)
{
	if (u->has_name)
		memcpy(to->name, u->given.name, sizeof(to->name));
	if (u->has_language)
		memcpy(to->language, u->given.language, sizeof(to->language));
	if (u->has_logout)
		memcpy(to->logout, u->given.logout, sizeof(to->logout));
	if (u->has_group)
		memcpy(to->group, u->given.group, sizeof(to->group));
	if (u->has_list)
		memcpy(to->call_list, u->given.call_list, sizeof(to->call_list));
	if (u->has_class)
		memcpy(to->class, u->given.class, sizeof(to->class));
	if (u->has_pin)
		memcpy(to->pin_hash, u->given.pin_hash, sizeof(to->pin_hash));
	if (u->has_roaming)
		to->roaming = u->given.roaming;
	if (u->has_disabled)
		to->disabled = u->given.disabled;
}

/* Where the user's name is shown. */
static int name_tell(struct hd_txn *txn, struct user_op *u)
{
	const char *number = u->given.number;
	int err = tell_user(txn, &u->op, number);

	return err ? err : tell_owned(txn, &u->op, &number, 1);
}

static int write_run(struct hd_txn *txn, void *arg)
{
	struct user_op *u = arg;
	struct hd_directory *dir = u->op.admin->o.directory;
	struct hd_user old;
	struct hd_user user = { .roaming = true };
	int err;

	err = hd_user_get(dir, txn, u->given.number, &old);
	u->added = err == HD_ENOENT;
	if (err && err != HD_ENOENT && (err != HD_ECORRUPT || u->mode != REPLACE))
		return err;
	if (u->added && u->mode == CHANGE)
		return HD_ENOENT;
	if (!u->added && u->mode == CREATE)
		return HD_EEXIST;
	/* A PIN cannot be read back, so a replacement that does not give one keeps it. */
	if (u->mode == CHANGE)
		user = old;
	else if (!err)
		memcpy(user.pin_hash, old.pin_hash, sizeof(user.pin_hash));
	memcpy(user.number, u->given.number, sizeof(user.number));
	user_merge(&user, u);
	user.changed_at_ms = u->op.now_ms;
	err = hd_user_put(dir, txn, &user);
	hd_wipe(user.pin_hash, sizeof(user.pin_hash));
	if (!err)
		err = settings_write(txn, &u->op, user.number, &u->settings,
				     u->has_pin ? u->pin : NULL);
	if (!err && !u->added && (u->has_name || u->has_language || u->mode == REPLACE))
		err = name_tell(txn, u);
	else if (!err && !u->added && (u->has_group || u->has_list))
		err = tell_user(txn, &u->op, user.number); /* of missed calls */
	return err ? err : user_settle(txn, &u->op, &user, &u->ended);
}

static void write_done(struct admin_op *op)
{
	struct user_op *u = (struct user_op *)op;
	struct hd_buf b = { 0 };
	struct hd_json j;

	op->what = u->added ? "added" : "changed";
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", op->what);
	hd_json_uint(&j, "sessions_ended", u->ended);
	hd_json_object_end(&j);
	op_finish(op, u->added ? 201 : 200, &b);
}

static void hash_run(struct hd_job *job)
{
	struct user_op *u = (struct user_op *)op_of_job(job);

	u->hash_err = hd_pin_hash(u->given.pin_hash, hd_slice_of(u->pin), u->op.admin->o.pepper,
				  &u->cost);
}

static void hashed(struct admin_op *op)
{
	struct user_op *u = (struct user_op *)op;

	if (u->hash_err)
		op_fail(op, u->hash_err, "the PIN could not be hashed");
	else
		op_submit(op, write_run, u);
}

static bool number_ok(struct user_op *u, const char *path_number)
{
	op_subject(&u->op, "user", path_number);
	if (path_number[0] && u->given.number[0] && strcmp(path_number, u->given.number) != 0) {
		op_fail(&u->op, HD_EINVAL, "the body names another number than the path");
		return false;
	}
	if (path_number[0] && hd_str_set(u->given.number, sizeof(u->given.number), path_number)) {
		op_fail(&u->op, HD_EINVAL, "not a number: too long");
		return false;
	}
	op_subject(&u->op, "user", u->given.number);
	if (hd_number_is_valid(hd_slice_of(u->given.number)))
		return true;
	op_fail(&u->op, HD_EINVAL, "not a number: 1 to 32 of letters, digits and * # . _ -");
	return false;
}

static void pin_take(struct user_op *u)
{
	struct hd_admin *admin = u->op.admin;
	const char *why = "";
	int err;

	if (!u->pin[0]) {
		op_submit(&u->op, write_run, u);
		return;
	}
	err = hd_pin_check(&admin->o.policies.pin, hd_slice_of(u->pin), u->given.number, &why);
	if (err) {
		op_refuse(&u->op, 422, "pin-refused", why);
		return;
	}
	u->cost = admin->o.policies.cost;
	u->op.hashed = hashed;
	err = op_work(&u->op, admin->o.worker, hash_run);
	if (err)
		op_fail(&u->op, err, "too many PINs are being hashed");
}

static bool class_ok(struct user_op *u)
{
	const struct hd_admin_options *o = &u->op.admin->o;

	if (!u->given.class[0] || !o->has_class || o->has_class(o->arg, u->given.class))
		return true;
	op_fail(&u->op, HD_EINVAL, "class: rights.classes has none of this name");
	return false;
}

static bool user_body(struct hd_http_request *req, struct user_op *u)
{
	struct hd_user *g = &u->given;
	const struct hd_json_field own[] = {
		{ "number", HD_JSON_TEXT, g->number, sizeof(g->number), u->mode == CREATE, false,
		  NULL },
		{ "name", HD_JSON_TEXT, g->name, sizeof(g->name), false, true, &u->has_name },
		{ "pin", HD_JSON_TEXT, u->pin, sizeof(u->pin), false, true, &u->has_pin },
		{ "language", HD_JSON_TEXT, g->language, sizeof(g->language), false, true,
		  &u->has_language },
		{ "logout", HD_JSON_TEXT, g->logout, sizeof(g->logout), false, true,
		  &u->has_logout },
		{ "group", HD_JSON_TEXT, g->group, sizeof(g->group), false, true, &u->has_group },
		{ "call_list", HD_JSON_TEXT, g->call_list, sizeof(g->call_list), false, true,
		  &u->has_list },
		{ "class", HD_JSON_TEXT, g->class, sizeof(g->class), false, true, &u->has_class },
		{ "roaming", HD_JSON_BOOL, &g->roaming, 0, false, false, &u->has_roaming },
		{ "disabled", HD_JSON_BOOL, &g->disabled, 0, false, false, &u->has_disabled },
	};
	struct hd_json_field fields[sizeof(own) / sizeof(own[0]) + SETTINGS_FIELDS];
	size_t n = sizeof(own) / sizeof(own[0]);

	memcpy(fields, own, sizeof(own));
	n += settings_fields(&fields[n], &u->settings);

	return body_read(req, fields, n);
}

static void write_begin(struct hd_http_request *req, struct hd_admin *admin, enum mode mode)
{
	struct user_op *u = op_new(admin, req, sizeof(*u));

	if (!u)
		return;
	u->mode = mode;
	u->op.desk_changed = true;
	u->op.done = write_done;
	if (!user_body(req, u))
		op_free(&u->op);
	else if (number_ok(u, hd_http_param(req, 0)) && class_ok(u))
		pin_take(u);
}

void user_post(struct hd_http_request *req, void *arg)
{
	write_begin(req, arg, CREATE);
}

void user_put(struct hd_http_request *req, void *arg)
{
	write_begin(req, arg, REPLACE);
}

void user_patch(struct hd_http_request *req, void *arg)
{
	write_begin(req, arg, CHANGE);
}

/* ---- remove, unlock -------------------------------------------------------------------------- */

static int remove_run(struct hd_txn *txn, void *arg)
{
	struct user_op *u = arg;
	struct hd_admin *admin = u->op.admin;
	int err;

	err = hd_desk_forget_user(admin->o.desk, txn, u->given.number, u->op.now_ms,
				  HD_DESK_WAY_ADMIN);
	if (!err)
		err = hd_device_forget(admin->o.device, txn, 'u', u->given.number);
	if (!err)
		err = hd_settings_forget(admin->o.settings, txn, u->given.number);
	if (!err)
		err = hd_accounts_forget(admin->o.accounts, txn, HD_ACCOUNT_OF_USER,
					 u->given.number);
	if (!err && admin->o.calls)
		err = hd_calls_remove(admin->o.calls, txn, u->given.number, NULL);
	return err ? err : hd_user_remove(admin->o.directory, txn, u->given.number);
}

static int unlock_run(struct hd_txn *txn, void *arg)
{
	struct user_op *u = arg;
	struct hd_user user;
	int err;

	u->op.what = "unlocked";
	err = hd_desk_unlock_user(u->op.admin->o.desk, txn, u->given.number);
	if (err != HD_ENOENT)
		return err;
	u->op.what = "unchanged";
	return hd_user_get(u->op.admin->o.directory, txn, u->given.number, &user);
}

static void remove_failed(struct admin_op *op, int err)
{
	op_fail(op, err,
		err == HD_ESTATE ? "owns a phone: give that away or remove it first"
				 : hd_strerror(err));
}

static void simple_begin(struct hd_http_request *req, struct hd_admin *admin, hd_command_fn *run,
			 const char *what)
{
	struct user_op *u = op_new(admin, req, sizeof(*u));

	if (!u)
		return;
	u->op.what = what;
	u->op.failed = remove_failed;
	u->op.desk_changed = true;
	if (number_ok(u, hd_http_param(req, 0)))
		op_submit(&u->op, run, u);
}

void user_delete(struct hd_http_request *req, void *arg)
{
	simple_begin(req, arg, remove_run, "removed");
}

void user_unlock(struct hd_http_request *req, void *arg)
{
	simple_begin(req, arg, unlock_run, "unlocked");
}
