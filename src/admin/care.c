/* care.c - backup, check, repair, reload. */
#include "hotdesk/base/log.h"

#include "admin_priv.h"

enum { PATH_SIZE = 1024 };

struct backup_op {
	struct admin_op op; /* first */
	char path[PATH_SIZE];
	int err;
};

static void backup_run(struct hd_job *job)
{
	struct backup_op *b = (struct backup_op *)op_of_job(job);

	b->err = hd_store_backup(b->op.admin->o.store, b->path);
}

static void backup_done(struct admin_op *op)
{
	struct backup_op *b = (struct backup_op *)op;

	if (b->err)
		op_fail(op, b->err, hd_strerror(b->err));
	else
		op_finish_plain(op);
}

static bool backup_body(struct hd_http_request *req, struct backup_op *b)
{
	const struct hd_json_field field = {
		"path", HD_JSON_TEXT, b->path, sizeof(b->path), true, false, NULL,
	};

	return body_read(req, &field, 1);
}

void backup_post(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct backup_op *b = op_new(admin, req, sizeof(*b));
	int err;

	if (!b)
		return;
	if (!backup_body(req, b)) {
		op_free(&b->op);
		return;
	}
	op_subject(&b->op, "backup", b->path);
	if (b->path[0] != '/') {
		op_fail(&b->op, HD_EINVAL, "expected an absolute path");
		return;
	}
	b->op.what = "written";
	b->op.hashed = backup_done;
	err = op_work(&b->op, admin->slow, backup_run);
	if (err)
		op_fail(&b->op, err, "other backups are being written");
}

void check_post(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct hd_desk_audit audit = { 0 };
	struct hd_device_audit device = { 0 };
	const char *first;
	struct hd_buf b = { 0 };
	struct hd_json j;
	struct hd_txn *txn = read_begin(admin, req);
	int err;

	if (!txn)
		return;
	err = hd_desk_check(admin->o.desk, txn, &audit);
	if (!err)
		err = hd_device_check(admin->o.device, txn, admin->o.directory, &device);
	hd_store_end_read(txn);
	if (err) {
		hd_http_answer_error(req, err, "check: %s", hd_strerror(err));
		return;
	}
	first = audit.violations ? audit.first : device.violations ? device.first : NULL;
	if (first)
		hd_error("admin", "check: %s", first);
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_uint(&j, "sessions", audit.sessions);
	hd_json_uint(&j, "violations", audit.violations + device.violations);
	hd_json_str(&j, "first", first);
	hd_json_uint(&j, "keys", device.keys);
	hd_json_uint(&j, "secrets", device.secrets);
	hd_json_object_end(&j);
	hd_http_answer_json(req, 200, &b);
}

struct repair_op {
	struct admin_op op; /* first */
	struct hd_desk_repair repair;
	uint32_t removed; /* out: of what is kept about phones */
};

static int repair_run(struct hd_txn *txn, void *arg)
{
	struct repair_op *r = arg;
	const struct hd_admin_options *o = &r->op.admin->o;
	int err;

	err = hd_desk_repair(txn, &r->repair);
	return err ? err : hd_device_repair(o->device, txn, o->directory, &r->removed);
}

static void repair_done(struct admin_op *op)
{
	const struct hd_desk_repair *repair = &((struct repair_op *)op)->repair;
	struct hd_buf b = { 0 };
	struct hd_json j;

	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", "repaired");
	hd_json_uint(&j, "mended", repair->mended);
	hd_json_uint(&j, "ended", repair->ended);
	hd_json_uint(&j, "removed", ((struct repair_op *)op)->removed);
	hd_json_object_end(&j);
	op_finish(op, 200, &b);
}

void repair_post(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct repair_op *r = op_new(admin, req, sizeof(*r));

	if (!r)
		return;
	op_subject(&r->op, "store", "desk sessions and phones");
	r->op.what = "repaired";
	r->op.done = repair_done;
	r->op.desk_changed = true;
	r->repair.desk = admin->o.desk;
	r->repair.now_ms = r->op.now_ms;
	op_submit(&r->op, repair_run, r);
}

void reload_post(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct hd_buf report = { 0 };
	struct hd_buf b = { 0 };
	struct hd_json j;
	int err;

	if (!admin->o.reload) {
		hd_http_answer_error(req, HD_EUNSUPPORTED, "no reload here");
		return;
	}
	err = admin->o.reload(admin->o.arg, &report);
	hd_notice("admin", "configuration: %s (%s)", err ? "reload refused" : "reloaded",
		  hd_http_peer_get(req)->text);
	if (err) {
		hd_http_refuse(req, 422, "reload-refused", "%s", hd_buf_text(&report));
	} else {
		hd_json_init(&j, &b);
		hd_json_object(&j, NULL);
		hd_json_str(&j, "result", "reloaded");
		hd_json_str(&j, "report", hd_buf_text(&report));
		hd_json_object_end(&j);
		hd_http_answer_json(req, 200, &b);
	}
	hd_buf_fini(&report);
}
