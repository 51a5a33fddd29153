/*
 * import.c - a whole directory file, all or nothing.
 *
 * PINs are hashed one at a time on the hash thread, so that logins get their turn between them;
 * then one command writes everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "hotdesk/directory_file.h"

#include "admin_priv.h"

enum { RETRY_MS = 50, RETRIES_MAX = 1200, NAME_SIZE = 129 };

struct import_op {
	struct admin_op op; /* first */
	char name[NAME_SIZE];
	struct hd_directory_file *file;
	struct hd_directory_batch batch;
	struct hd_buf errors;
	size_t at; /* the user whose PIN is being hashed */
	char stored[HD_PIN_HASH_SIZE];
	struct hd_pin_cost cost;
	int hash_err;
	struct hd_timer *retry; /* while the hash queue is full */
	unsigned retries;
	bool waiting;	     /* for the timer, and for nothing else */
	uint32_t ended;	     /* out: desk sessions */
	const char **names;  /* room for users that were changed */
	size_t keys_changed; /* out: users and phones */
	bool dry;	     /* the whole command runs, and is undone */
	bool dry_done;	     /* out: it came to its end */
	struct hd_buf diff;  /* out: the answer's rows */
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	char what[128];
};

static void release(struct admin_op *op)
{
	struct import_op *im = (struct import_op *)op;

	if (op->admin->import == im)
		op->admin->import = NULL;
	hd_timer_free(im->retry);
	hd_directory_file_free(im->file);
	import_records_free(&im->batch);
	free(im->names);
	hd_buf_fini(&im->errors);
	hd_buf_fini(&im->diff);
}

static struct import_op *import_new(struct hd_admin *admin, struct hd_http_request *req,
				    const char *name)
{
	struct import_op *im = op_new(admin, req, sizeof(*im));

	if (!im)
		return NULL;
	im->op.release = release;
	(void)snprintf(im->name, sizeof(im->name), "%s", name);
	op_subject(&im->op, "import", im->name);
	return im;
}

/* The refusal is the errors found, each with its line. */
static void import_refuse(struct import_op *im, int err)
{
	const char *text = hd_buf_text(&im->errors);

	if (!im->errors.len) {
		op_fail(&im->op, err, hd_strerror(err));
		return;
	}
	hd_notice("admin", "%s: refused: %.*s (%s)", im->op.subject, (int)strcspn(text, "\n"), text,
		  im->op.who);
	if (im->op.req)
		hd_http_refuse(im->op.req, 422, "import-refused", "%s", text);
	op_free(&im->op);
}

/* The keys of one user or phone of the file, when it says anything about them. */
static int keys_take(struct import_op *im, struct hd_txn *txn, char kind, const char *name,
		     const struct hd_file_key *keys, size_t n)
{
	const struct key_list list = { kind, name, im->keys, n };
	bool changed = false;
	int err;

	err = import_keys(im->keys, keys, n);
	if (!err)
		err = keys_replace(txn, &im->op, &list, &changed);
	if (changed)
		im->keys_changed++;
	return err;
}

/* What is kept beside the records; batch.bad tells whose it was that failed. */
static int device_take(struct import_op *im, struct hd_txn *txn)
{
	const struct hd_directory_file *file = im->file;
	int err = 0;

	im->keys_changed = 0;
	for (size_t i = 0; !err && i < file->n_users; i++) {
		const struct hd_file_user *user = &file->users[i];

		im->batch.bad = i;
		err = hd_settings_put_hoteling(im->op.admin->o.settings, txn, user->number,
					       user->hoteling, hd_slice_of(user->pin));
		if (!err && user->keys_line)
			err = keys_take(im, txn, 'u', user->number, user->keys, user->n_keys);
	}
	for (size_t i = 0; !err && i < file->n_phones; i++) {
		const struct hd_file_phone *phone = &file->phones[i];

		im->batch.bad = file->n_users + i;
		err = phone_keep(txn, im->op.admin, &im->batch.phones[i], phone->secret);
		if (!err && phone->keys_line)
			err = keys_take(im, txn, 'p', phone->id, phone->keys, phone->n_keys);
	}
	return err;
}

/* Phones that show what the file has changed; not what is new, which nobody shows yet. */
static int changes_tell(struct import_op *im, struct hd_txn *txn)
{
	const struct hd_directory_batch *b = &im->batch;
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; !err && i < b->n_users; i++) {
		if (!b->changes[i])
			continue;
		im->names[n++] = b->users[i].number;
		err = tell_user(txn, &im->op, b->users[i].number);
	}
	for (size_t i = 0; !err && i < b->n_phones; i++)
		if (b->changes[b->n_users + i])
			err = tell_phone(txn, &im->op, b->phones[i].id);
	return err ? err : tell_owned(txn, &im->op, im->names, n);
}

/* Rows of the answer; a command may run twice. */
static int diff_write(struct import_op *im, struct hd_txn *txn)
{
	struct hd_json j;

	hd_buf_fini(&im->diff);
	hd_json_init(&j, &im->diff);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", "dry-run");
	return import_diff(&j, &im->batch, im->file, im->op.admin, txn);
}

static int write_all(struct import_op *im, struct hd_txn *txn)
{
	const struct hd_admin_options *o = &im->op.admin->o;
	int err;

	im->batch.now_ms = im->op.now_ms;
	err = hd_directory_apply(o->directory, txn, &im->batch);
	if (!err)
		err = device_take(im, txn);
	if (err)
		return err;
	/* From here on nobody in the file is the culprit. */
	im->batch.bad = im->batch.n_users + im->batch.n_phones;
	err = changes_tell(im, txn);
	if (!err)
		err = hd_desk_settle(o->desk, txn, im->op.now_ms, HD_DESK_WAY_ADMIN, &im->ended);
	for (size_t i = 0; !err && i < im->batch.n_phones; i++)
		if (im->batch.phones[i].disabled)
			err = hd_location_remove(o->location, txn, im->batch.phones[i].id);
	return err;
}

/* A dry run fails at its end, and so leaves nothing: it has met every refusal of the real one. */
static int run(struct hd_txn *txn, void *arg)
{
	struct import_op *im = arg;
	int err;

	im->dry_done = false;
	/* Nobody in the file is the culprit of what only reads. */
	im->batch.bad = im->batch.n_users + im->batch.n_phones;
	err = import_merge(&im->batch, im->file, im->op.admin, txn);
	if (!err && im->dry)
		err = diff_write(im, txn);
	if (!err)
		err = write_all(im, txn);
	if (err || !im->dry)
		return err;
	im->dry_done = true;
	return HD_ESTATE;
}

static void what_set(struct import_op *im)
{
	(void)snprintf(im->what, sizeof(im->what), "%s%zu added, %zu changed, %zu unchanged",
		       im->dry ? "dry run: " : "", im->batch.added, im->batch.changed,
		       im->batch.unchanged);
	if (im->keys_changed)
		(void)snprintf(im->what + strlen(im->what), sizeof(im->what) - strlen(im->what),
			       ", keys of %zu changed", im->keys_changed);
	im->op.what = im->what;
}

static void counts_write(struct import_op *im, struct hd_json *j)
{
	hd_json_uint(j, "added", im->batch.added);
	hd_json_uint(j, "changed", im->batch.changed);
	hd_json_uint(j, "unchanged", im->batch.unchanged);
	hd_json_uint(j, "keys_changed", im->keys_changed);
	hd_json_uint(j, "sessions_ended", im->ended);
	hd_json_object_end(j);
}

static void done(struct admin_op *op)
{
	struct import_op *im = (struct import_op *)op;
	struct hd_buf b = { 0 };
	struct hd_json j;

	what_set(im);
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", "imported");
	counts_write(im, &j);
	op_finish(op, 200, &b);
}

static void dry_done(struct import_op *im)
{
	struct hd_json j = { .buf = &im->diff, .comma = true };

	what_set(im);
	counts_write(im, &j);
	op_finish(&im->op, 200, &im->diff);
}

static void failed(struct admin_op *op, int err)
{
	struct import_op *im = (struct import_op *)op;

	if (im->dry_done && err == HD_ESTATE) {
		dry_done(im);
		return;
	}
	/* Only what is wrong with a record is the file's fault. */
	if (err == HD_ENOENT || err == HD_EEXIST || err == HD_EINVAL || err == HD_ESTATE ||
	    err == HD_ELIMIT)
		import_culprit(&im->errors, im->file, im->name, &im->batch, err);
	import_refuse(im, err);
}

/* ---- hashing, one PIN after the other -------------------------------------------------------- */

static int stored_find(struct import_op *im)
{
	struct hd_user user;
	struct hd_txn *txn = NULL;
	int err;

	err = hd_store_begin_read(im->op.admin->o.store, &txn);
	if (err)
		return err;
	err = hd_user_get(im->op.admin->o.directory, txn, im->batch.users[im->at].number, &user);
	hd_store_end_read(txn);
	memcpy(im->stored, err ? "" : user.pin_hash, err ? 1 : sizeof(im->stored));
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

static bool pin_next(struct import_op *im)
{
	while (im->at < im->batch.n_users && !im->file->users[im->at].pin)
		im->at++;
	return im->at < im->batch.n_users;
}

static int pin_hash(struct import_op *im)
{
	return import_hash(&im->batch.users[im->at], &im->file->users[im->at], im->stored,
			   im->op.admin->o.pepper, &im->cost);
}

static void hash_run(struct hd_job *job)
{
	struct import_op *im = (struct import_op *)op_of_job(job);

	im->hash_err = pin_hash(im);
}

/* In a dry run a PIN where none is stored is a new one, and needs no hash to be known as such. */
static void pins_skip(struct import_op *im)
{
	while (im->dry && pin_next(im) && !stored_find(im) && !im->stored[0])
		memcpy(im->batch.users[im->at++].pin_hash, "-", 2);
}

static void go_on(void *arg)
{
	struct import_op *im = arg;
	int err;

	im->waiting = false;
	pins_skip(im);
	if (!pin_next(im)) {
		op_submit(&im->op, run, im);
		return;
	}
	if (im->op.admin->closing) {
		import_refuse(im, HD_ESHUTDOWN);
		return;
	}
	err = stored_find(im);
	if (!err)
		err = op_work(&im->op, im->op.admin->o.worker, hash_run);
	/* Logins keep the queue full: wait, but not for ever. */
	if (err == HD_EBUSY && im->retries++ < RETRIES_MAX) {
		err = hd_timer_set(im->retry, RETRY_MS);
		im->waiting = !err;
	}
	if (err)
		import_refuse(im, err);
}

static void hashed(struct admin_op *op)
{
	struct import_op *im = (struct import_op *)op;

	im->retries = 0;
	if (im->hash_err) {
		import_refuse(im, im->hash_err);
		return;
	}
	im->at++;
	go_on(im);
}

static int records_make(struct import_op *im)
{
	int err = import_records(&im->batch, im->file, im->op.admin, im->name, &im->errors);

	if (err)
		return err;
	im->names = calloc(im->batch.n_users + 1, sizeof(*im->names));
	return im->names ? 0 : HD_ENOMEM;
}

void import_cancel(struct import_op *im)
{
	if (im->waiting)
		import_refuse(im, HD_ESHUTDOWN);
}

/* What the query string asks for. */
struct form {
	bool csv, loose, dry;
};

/* @return false: answered */
static bool choice(struct hd_http_request *req, const char *name, const char *no, const char *yes,
		   bool *vp)
{
	const char *text = hd_http_query(req, name);

	*vp = text && strcmp(text, yes) == 0;
	if (*vp || !text || strcmp(text, no) == 0)
		return true;
	hd_http_answer_error(req, HD_EPARSE, "%s: expected %s or %s", name, no, yes);
	return false;
}

static bool form_read(struct hd_http_request *req, struct form *form)
{
	return choice(req, "format", "yaml", "csv", &form->csv) &&
	       choice(req, "unknown_columns", "refuse", "ignore", &form->loose) &&
	       choice(req, "dry_run", "no", "yes", &form->dry);
}

void import_post(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	const char *name = hd_http_query(req, "name");
	struct form form;
	struct import_op *im;
	int err;

	if (!form_read(req, &form))
		return;

	if (!name || !name[0] || !hd_utf8_is_text(hd_slice_of(name)))
		name = "import";
	im = import_new(admin, req, name);
	if (!im)
		return;
	if (admin->import) {
		op_fail(&im->op, HD_EBUSY, "another import is under way");
		return;
	}
	admin->import = im;
	im->dry = form.dry;
	if (form.csv)
		err = hd_directory_csv_parse(&im->file, hd_http_body(req), im->name, form.loose,
					     &im->errors);
	else
		err = hd_directory_file_parse(&im->file, hd_http_body(req), im->name, &im->errors);
	if (!err)
		err = records_make(im);
	if (!err)
		err = hd_timer_new(&im->retry, admin->o.loop, go_on, im);
	if (err) {
		import_refuse(im, err);
		return;
	}
	im->cost = admin->o.policies.cost;
	im->op.desk_changed = true;
	im->op.hashed = hashed;
	im->op.done = done;
	im->op.failed = failed;
	go_on(im);
}

/* ---- the same at the start, on one thread ---------------------------------------------------- */

static int seed(struct import_op *im, const char *path)
{
	struct hd_admin *admin = im->op.admin;
	int err;

	err = hd_directory_file_load(&im->file, path, &im->errors);
	if (!err)
		err = records_make(im);
	im->cost = admin->o.policies.cost;
	for (; !err && pin_next(im); im->at++) {
		err = stored_find(im);
		if (!err)
			err = pin_hash(im);
	}
	if (err)
		return err;
	err = hd_store_execute(admin->o.store, run, im);
	if (err)
		import_culprit(&im->errors, im->file, im->name, &im->batch, err);
	return err;
}

int hd_admin_seed(struct hd_admin *admin, const char *path, struct hd_buf *report)
{
	struct import_op *im;
	int err;

	if (!admin || !path || !report)
		return HD_EINVAL;
	im = import_new(admin, NULL, path);
	if (!im)
		return HD_ENOMEM;
	err = seed(im, path);
	if (!err) {
		what_set(im);
		hd_buf_addf(report, "%s: %s", im->name, im->what);
	} else if (im->errors.len) {
		hd_buf_adds(report, hd_buf_text(&im->errors));
	} else {
		hd_buf_addf(report, "%s: %s", im->name, hd_strerror(err));
	}
	op_free(&im->op);
	return err;
}
