/* retention.c - see retention.h. */
#include "retention.h"

#include "hotdesk/base/log.h"

enum { LOOKS = 2000, DAY_S = 86400 };

static void on_swept(struct hd_command *command)
{
	struct retention *r = command->arg;

	r->busy = false;
	if (command->err)
		hd_warn("calls", "old entries not removed: %s", hd_strerror(command->err));
}

static int run_sweep(struct hd_txn *txn, void *arg)
{
	struct retention *r = arg;

	return hd_calls_sweep(txn, &r->sweep);
}

void retention_sweep(struct retention *r, struct daemon *d)
{
	const struct hd_conf_calls *c = &d->conf->calls;
	struct hd_txn *txn;
	int err;

	if (r->busy || hd_store_begin_read(d->store, &txn))
		return;
	r->sweep.calls = d->calls;
	r->sweep.older_than_ms = hd_clock_wall_ms(d->clock) - (int64_t)c->keep_days * DAY_S * 1000;
	r->sweep.max = c->keep_max;
	r->sweep.looks = LOOKS;
	err = hd_calls_look(txn, &r->sweep);
	hd_store_end_read(txn);
	if (err)
		hd_warn("calls", "old entries not looked for: %s", hd_strerror(err));
	if (err || r->sweep.n == 0)
		return;
	r->command.run = run_sweep;
	r->command.arg = r;
	r->command.reply_to = hd_loop_mailbox(d->loop);
	r->command.done = on_swept;
	r->busy = hd_store_submit(d->store, &r->command) == 0;
}
