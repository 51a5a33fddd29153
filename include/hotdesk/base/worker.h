/*
 * worker.h - threads for what is slow on purpose (PIN hashes): a bounded queue, replies by mailbox.
 *
 * Layer: 0.  Thread: submit from any; `run` on a worker thread; `done` where reply_to is drained.
 */
#ifndef HOTDESK_BASE_WORKER_H
#define HOTDESK_BASE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/mailbox.h"

struct hd_worker;

/** Embedded in the submitter's object, which must live until `done` has run. */
struct hd_job {
	void (*run)(struct hd_job *job);
	struct hd_mailbox *reply_to;
	void (*done)(struct hd_job *job);
	struct hd_task task; /* the worker's own */
	struct hd_job *next; /* the worker's own */
};

/** @return 0, HD_ENOMEM or HD_ESYSTEM */
HD_MUSTCHECK int hd_worker_new(struct hd_worker **wp, uint32_t threads, uint32_t queue_max);
/** @return 0; HD_EBUSY (queue full), HD_ESHUTDOWN: `done` will not run */
HD_MUSTCHECK int hd_worker_submit(struct hd_worker *worker, struct hd_job *job);
/** A job submitted now would be refused. */
bool hd_worker_is_full(struct hd_worker *worker);
/** Takes effect for what is submitted from now on; at least 1. */
void hd_worker_set_queue_max(struct hd_worker *worker, uint32_t queue_max);
/** Jobs waiting. */
uint32_t hd_worker_queued(struct hd_worker *worker);
/**
 * Finishes what is queued and joins its threads; what is submitted from now on gets HD_ESHUTDOWN.
 * By the owner only; a second time does nothing. NULL-safe.
 */
void hd_worker_stop(struct hd_worker *worker);
/** Stops and releases. NULL-safe. */
void hd_worker_free(struct hd_worker *worker);

#endif
