/*
 * op.c - one write: from its request over the worker and the store to its answer and its log line.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"

#include "admin_priv.h"

void *op_new(struct hd_admin *admin, struct hd_http_request *req, size_t size)
{
	struct admin_op *op = calloc(1, size);

	if (!op) {
		if (req)
			hd_http_answer_error(req, HD_ENOMEM, "out of memory");
		return NULL;
	}
	op->admin = admin;
	op->req = req;
	op->size = size;
	op->now_ms = hd_clock_wall_ms(admin->o.clock);
	hd_random_bytes(op->opid, sizeof(op->opid));
	(void)snprintf(op->who, sizeof(op->who), "%s", req ? hd_http_peer_get(req)->text : "start");
	op->done = op_finish_plain;
	admin->under_way++;
	return op;
}

void op_subject(struct admin_op *op, const char *kind, const char *name)
{
	(void)snprintf(op->subject, sizeof(op->subject), "%s %s", kind, name);
}

void op_free(struct admin_op *op)
{
	struct hd_admin *admin = op->admin;

	if (op->release)
		op->release(op);
	hd_wipe(op, op->size);
	free(op);
	if (--admin->under_way == 0 && admin->closing)
		free(admin);
}

struct admin_op *op_of_job(struct hd_job *job)
{
	return (struct admin_op *)((char *)job - offsetof(struct admin_op, job));
}

static void on_hashed(struct hd_job *job)
{
	struct admin_op *op = op_of_job(job);

	op->hashed(op);
}

int op_work(struct admin_op *op, struct hd_worker *worker, void (*run)(struct hd_job *job))
{
	op->job = (struct hd_job){
		.run = run,
		.reply_to = hd_loop_mailbox(op->admin->o.loop),
		.done = on_hashed,
	};
	return worker ? hd_worker_submit(worker, &op->job) : HD_ESHUTDOWN;
}

static void on_commit(struct hd_command *command)
{
	struct admin_op *op =
		(struct admin_op *)((char *)command - offsetof(struct admin_op, command));

	if (command->err && op->failed) {
		op->failed(op, command->err);
		return;
	}
	if (command->err) {
		op_fail(op, command->err, hd_strerror(command->err));
		return;
	}
	if (op->desk_changed && !op->admin->closing && op->admin->o.desk_changed)
		op->admin->o.desk_changed(op->admin->o.arg);
	op->done(op);
}

void op_submit(struct admin_op *op, hd_command_fn *run, void *arg)
{
	int err;

	op->command = (struct hd_command){
		.run = run,
		.arg = arg,
		.reply_to = hd_loop_mailbox(op->admin->o.loop),
		.done = on_commit,
	};
	/* When we are closing, the store may be gone. */
	err = op->admin->closing ? HD_ESHUTDOWN : hd_store_submit(op->admin->o.store, &op->command);
	if (err)
		op_fail(op, err, hd_strerror(err));
}

void op_refuse(struct admin_op *op, unsigned status, const char *word, const char *detail)
{
	/* Many lines of an import go to who asked; the log has the first. */
	hd_notice("admin", "%s: refused: %.*s (%s)", op->subject, (int)strcspn(detail, "\n"),
		  detail, op->who);
	if (op->req)
		hd_http_refuse(op->req, status, word, "%s: %s", op->subject, detail);
	op_free(op);
}

void op_fail(struct admin_op *op, int err, const char *detail)
{
	const char *word;
	unsigned status = hd_http_status(err, &word);

	op_refuse(op, status, word, detail);
}

void op_finish(struct admin_op *op, unsigned status, struct hd_buf *json)
{
	hd_notice("admin", "%s: %s (%s)", op->subject, op->what, op->who);
	if (op->req)
		hd_http_answer_json(op->req, status, json);
	else
		hd_buf_fini(json);
	op_free(op);
}

void op_finish_plain(struct admin_op *op)
{
	struct hd_buf b = { 0 };
	struct hd_json j;

	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "result", op->what);
	hd_json_object_end(&j);
	op_finish(op, 200, &b);
}

bool body_read(struct hd_http_request *req, const struct hd_json_field *fields, size_t n)
{
	struct hd_buf why = { 0 };
	int err = hd_json_read(hd_http_body(req), fields, n, &why);

	if (err)
		hd_http_answer_error(req, err, "%s", hd_buf_text(&why));
	hd_buf_fini(&why);
	return !err;
}
