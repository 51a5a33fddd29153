/*
 * mailbox.h - how threads talk: a task is posted to the thread that owns the mailbox.
 *
 * Threads share nothing but the store and these. Posting never blocks on the owner's work: it links
 * one node under a short mutex and writes an eventfd when the queue was empty. The owner polls the
 * descriptor in its own loop (event/ on libevent, sip/ on su_root) and drains.
 *
 * Layer: 0.  Thread: post from any; drain and free by the owner only.
 */
#ifndef HOTDESK_BASE_MAILBOX_H
#define HOTDESK_BASE_MAILBOX_H

#include <stddef.h>

#include "hotdesk/base/error.h"

/** Embedded in what is posted; the poster must not touch it until it has run. */
struct hd_task {
	struct hd_task *next;
	void (*run)(struct hd_task *task);
};

struct hd_mailbox;

/** @return 0, HD_ENOMEM or HD_ESYSTEM */
HD_MUSTCHECK int hd_mailbox_new(struct hd_mailbox **mp);
/** Tasks still inside are not run; drain first. NULL-safe. */
void hd_mailbox_free(struct hd_mailbox *m);
/** Readable while tasks wait. Borrowed. */
int hd_mailbox_fd(const struct hd_mailbox *m);
/** Never fails, never waits for the owner. First in, first out for each poster. */
void hd_mailbox_post(struct hd_mailbox *m, struct hd_task *task);
/** Runs what was there when it began. @return how many ran */
size_t hd_mailbox_drain(struct hd_mailbox *m);

#endif
