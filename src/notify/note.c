/* note.c - what came of a NOTIFY: into what was seen of the phone, and out of the outbox. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/log.h"
#include "notify_priv.h"

struct note {
	struct hd_notify *notify;
	struct hd_command command;
	struct hd_outbox_done done; /* of the phone */
	bool told;
	int64_t asked_at_ms, told_at_ms;
	int status;
};

/* Of a phone that is gone meanwhile nothing is kept. */
static int note_seen(struct hd_txn *txn, const struct note *note)
{
	const struct hd_notify_options *o = &note->notify->options;
	const char *id = note->done.phone;
	struct hd_device_seen seen;
	struct hd_phone phone;
	int err;

	err = hd_phone_get(o->directory, txn, id, &phone);
	hd_wipe(&phone, sizeof(phone));
	if (err)
		return err == HD_ENOENT || err == HD_ECORRUPT || err == HD_EVERSION ? 0 : err;
	err = hd_device_seen_get(o->device, txn, id, &seen);
	/* A damaged record is replaced; a newer one is not ours to judge. */
	if (err && err != HD_ECORRUPT)
		return err == HD_EVERSION ? 0 : err;
	seen.asked_at_ms = note->asked_at_ms;
	seen.last_status = note->status;
	seen.unheard = note->told ? 0 : seen.unheard + 1;
	if (note->told)
		seen.told_at_ms = note->told_at_ms;
	return hd_device_seen_put(o->device, txn, id, &seen);
}

static int run_note(struct hd_txn *txn, void *arg)
{
	struct note *note = arg;
	int err = note_seen(txn, note);

	return err || !note->told ? err : hd_outbox_done(txn, &note->done);
}

static void on_written(struct hd_command *command)
{
	struct note *note = command->arg;
	struct resync *r = note->told ? notify_find(note->notify, note->done.phone) : NULL;
	int err = command->err;

	if (err && !note->told)
		hd_debug("notify", "%s: not written down: %s", note->done.phone, hd_strerror(err));
	free(note);
	if (r)
		resync_struck_out(r, err);
}

static struct note *note_new(struct resync *r)
{
	struct hd_notify *n = r->notify;
	struct note *note = calloc(1, sizeof(*note));

	if (!note)
		return NULL;
	note->notify = n;
	note->asked_at_ms = r->asked_at_ms;
	note->status = r->last_status;
	note->done.desk = n->options.desk;
	note->done.epoch = r->epoch;
	memcpy(note->done.phone, r->phone, sizeof(note->done.phone));
	note->command.run = run_note;
	note->command.arg = note;
	note->command.done = on_written;
	note->command.reply_to = hd_agent_mailbox(n->options.agent);
	return note;
}

void note_asked(struct resync *r)
{
	struct note *note = note_new(r);

	if (note && hd_store_submit_soft(r->notify->options.store, &note->command))
		free(note);
}

int note_told(struct resync *r)
{
	struct note *note = note_new(r);
	int err;

	if (!note)
		return HD_ENOMEM;
	note->told = true;
	note->told_at_ms = hd_clock_wall_ms(r->notify->options.clock);
	err = hd_store_submit(r->notify->options.store, &note->command);
	if (err)
		free(note);
	return err;
}
