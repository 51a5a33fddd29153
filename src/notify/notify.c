/* notify.c - the phones that have yet to be told; see hotdesk/notify.h. */
#include <stdlib.h>
#include <string.h>

#include "notify_priv.h"

int hd_notify_new(struct hd_notify **np, const struct hd_notify_options *options)
{
	struct hd_notify *n;

	if (!options || !options->agent || !options->store || !options->desk ||
	    !options->location || !options->directory || !options->device)
		return HD_EINVAL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return HD_ENOMEM;
	n->options = *options;
	resync_metrics_register();
	*np = n;
	return 0;
}

void hd_notify_free(struct hd_notify *n)
{
	struct resync *r, *next;

	if (!n)
		return;
	warn_end_all(n);
	screen_end_all(n);
	HASH_ITER (hh, n->resyncs, r, next)
		resync_free(r);
	free(n);
}

void hd_notify_set_policy(struct hd_notify *n, const struct hd_notify_policy *policy)
{
	n->options.policy = *policy;
}

struct resync *notify_find(struct hd_notify *n, const char *phone)
{
	struct resync *r;

	HASH_FIND_STR(n->resyncs, phone, r);
	return r;
}

static struct resync *resync_new(struct hd_notify *n, const char *phone)
{
	struct resync *r = calloc(1, sizeof(*r));

	if (!r || hd_str_set(r->phone, sizeof(r->phone), phone)) {
		free(r);
		return NULL;
	}
	r->notify = n;
	HASH_ADD_STR(n->resyncs, phone, r);
	return r;
}

/*
 * The outbox after a phone, in one snapshot: the first one for which there may be something to do.
 * @return false at the end
 */
static bool next_due(struct hd_notify *n, char after[HD_PHONE_ID_SIZE],
		     struct hd_outbox_entry *entry)
{
	struct hd_txn *txn;
	struct resync *r;
	bool due = false;

	if (hd_store_begin_read(n->options.store, &txn))
		return false;
	while (!due && !hd_outbox_next(n->options.desk, txn, after, entry)) {
		memcpy(after, entry->phone, HD_PHONE_ID_SIZE);
		r = notify_find(n, entry->phone);
		due = !r || entry->epoch > r->epoch;
	}
	hd_store_end_read(txn);
	return due;
}

void hd_notify_wake(struct hd_notify *n)
{
	char after[HD_PHONE_ID_SIZE] = "";
	struct hd_outbox_entry entry;
	struct resync *r;

	while (next_due(n, after, &entry)) {
		r = notify_find(n, entry.phone);
		if (!r)
			r = resync_new(n, entry.phone);
		if (r)
			resync_wake(r, entry.epoch);
	}
}

void hd_notify_bound(struct hd_notify *n, const char *phone)
{
	struct resync *r = notify_find(n, phone);

	if (r)
		resync_bound(r);
	screen_bound(n, phone);
}

void hd_notify_idle(struct hd_notify *n, const char *phone)
{
	struct resync *r = notify_find(n, phone);

	if (r)
		resync_idle(r);
}

void hd_notify_fetched(struct hd_notify *n, const char *phone, int64_t at_ms)
{
	struct resync *r = notify_find(n, phone);

	if (r)
		resync_fetched(r, at_ms);
}
