/* batch.c - one batch of commands in one transaction, and its replies; see store.h. */
#include <string.h>

#include "store_priv.h"

enum outcome { COMMIT, AGAIN, GIVE_UP };

static int run_one(struct hd_txn *txn, struct hd_command *c)
{
	txn->dirty = false;
	c->err = c->run(txn, c->arg);
	if (txn->err)
		c->err = txn->err; /* also when the command did not look */
	return c->err;
}

/*
 * Runs every command that has not failed yet. A command that fails before it wrote costs nothing;
 * one that fails after is left out, and the batch starts again without it. What has failed is not
 * run again: it saw what it would see again, since only later commands can have been left out.
 */
static enum outcome run_all(struct hd_txn *txn, struct hd_command *list, bool *writtenp, int *errp)
{
	*writtenp = false;
	for (struct hd_command *c = list; c; c = c->next) {
		if (c->err)
			continue;
		if (run_one(txn, c) == 0) {
			*writtenp = *writtenp || txn->dirty;
			continue;
		}
		if (txn->err == HD_EFULL) {
			c->err = 0;
			*errp = HD_EFULL;
			return GIVE_UP;
		}
		if (txn->dirty || txn->err)
			return AGAIN;
	}
	return COMMIT;
}

static int attempt(struct hd_store *store, struct hd_command *list, bool *againp, bool *committedp)
{
	struct hd_txn *txn = NULL;
	bool written = false;
	int err;

	*againp = false;
	err = store->ops->begin_write(store, &txn);
	if (err)
		return err;
	switch (run_all(txn, list, &written, &err)) {
	case COMMIT:
		if (!written)
			break;
		err = store->ops->commit(txn);
		*committedp = err == 0;
		return err;
	case AGAIN:
		*againp = true;
		break;
	case GIVE_UP:
		break;
	}
	store->ops->abort(txn);
	return err;
}

int hd_batch_run(struct hd_store *store, struct hd_command *list, bool *committedp)
{
	bool again = true;
	int err = 0;

	*committedp = false;
	for (struct hd_command *c = list; c; c = c->next)
		c->err = 0;
	while (again) {
		err = attempt(store, list, &again, committedp);
		if (err == HD_EFULL && store->ops->grow(store) == 0)
			again = true;
	}
	if (err == HD_EIO)
		hd_store_fatal(store, err);
	if (err && err != HD_EFULL) {
		for (struct hd_command *c = list; c; c = c->next)
			c->err = err;
	}
	return err;
}

static void reply(struct hd_task *task)
{
	struct hd_command *c;

	c = (struct hd_command *)(void *)((char *)task - offsetof(struct hd_command, task));
	c->done(c);
}

void hd_batch_reply(struct hd_command *list)
{
	struct hd_command *next;

	for (struct hd_command *c = list; c; c = next) {
		next = c->next; /* the owner may release it as soon as it is posted */
		c->next = NULL;
		if (!c->reply_to) {
			c->done(c);
			continue;
		}
		c->task.run = reply;
		hd_mailbox_post(c->reply_to, &c->task);
	}
}
