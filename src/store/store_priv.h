/*
 * store_priv.h - what the files of store/ share: the queue with its thread, and the back end's
 * table.
 *
 * store.c opens, closes and counts; queue.c takes commands in and owns the thread; batch.c runs a
 * batch in one transaction; txn.c frames records and checks arguments; lmdb.c and mem.c are the
 * back ends. A back end embeds struct hd_store and struct hd_txn as its first members.
 */
#ifndef HOTDESK_STORE_PRIV_H
#define HOTDESK_STORE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/record.h"
#include "hotdesk/store.h"

enum {
	HD_STORE_KEY_MAX = 511,
	HD_STORE_FRAME = 4, /* CRC32C of the value, little-endian, in front of it */
	HD_STORE_FRAMED_MAX = HD_RECORD_MAX + HD_STORE_FRAME,
};

/**
 * Values here are framed. Errors as in store.h; begin_write and commit: HD_EFULL, HD_EIO,
 * HD_ENOMEM.
 */
struct hd_store_ops {
	void (*close)(struct hd_store *store);
	int (*table)(struct hd_store *store, const char *name, unsigned table);
	int (*begin_write)(struct hd_store *store, struct hd_txn **txnp);
	int (*commit)(struct hd_txn *txn); /* the transaction is gone, also after an error */
	void (*abort)(struct hd_txn *txn);
	int (*begin_read)(struct hd_store *store, struct hd_txn **txnp);
	void (*end_read)(struct hd_txn *txn);
	int (*get)(struct hd_txn *txn, unsigned table, struct hd_slice key,
		   struct hd_slice *valuep);
	int (*put)(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice value);
	int (*del)(struct hd_txn *txn, unsigned table, struct hd_slice key);
	int (*next)(struct hd_txn *txn, unsigned table, struct hd_slice after,
		    struct hd_slice *keyp, struct hd_slice *valuep);
	int (*count)(struct hd_txn *txn, unsigned table, uint64_t *countp);
	/* Doubles the map. No write transaction is open. HD_EFULL when it cannot grow. */
	int (*grow)(struct hd_store *store);
	/* Store thread, or before the start. */
	void (*usage)(struct hd_store *store, struct hd_store_stats *stats);
	int (*backup)(struct hd_store *store, const char *path);
	void (*check_readers)(struct hd_store *store);
};

struct hd_txn {
	struct hd_store *store;
	uint64_t epoch;
	bool write;
	bool dirty; /* the running command has written */
	int err;    /* of a write that failed: the command cannot succeed any more */
};

/** What a thread is doing, so that a submitter wakes it only when that changes something. */
enum hd_store_state { HD_STORE_BUSY, HD_STORE_GATHERING, HD_STORE_IDLE };

struct hd_queue {
	pthread_mutex_t lock;
	int wake_fd; /* eventfd: the store thread sleeps on it */
	struct hd_command *head;
	struct hd_command **tailp;
	uint32_t durable, soft;
	uint32_t room; /* commands of the next batch: halved by a full disk, doubled by success */
	uint32_t last; /* commands of the last batch */
	int64_t soft_due_ms; /* when soft commands go without a durable one */
	enum hd_store_state state;
	bool started, stopping;
	pthread_t thread;
};

struct hd_store {
	const struct hd_store_ops *ops;
	struct hd_store_options options; /* with the defaults filled in; path is not kept */
	unsigned tables;
	char *table_names[HD_STORE_TABLES_MAX];
	struct hd_queue queue;
	struct hd_ratelimit full_log;
	bool full_told; /* the log says that it is full */
	_Atomic uint64_t epoch, commits, commands, failed, batch_max_seen, map_bytes, used_bytes;
	_Atomic bool full;
	uint8_t frame[HD_STORE_FRAMED_MAX]; /* of the only write transaction */
	char key[HD_STORE_KEY_MAX];
};

/* store.c */
/** Fills in what both back ends share. @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_store_init(struct hd_store *store, const struct hd_store_ops *ops,
			       const struct hd_store_options *options);
void hd_store_fini(struct hd_store *store);
/** Copies the back end's sizes and the epoch to where any thread may read them. */
void hd_store_publish(struct hd_store *store);
/** Ends the process after an I/O error. */
_Noreturn void hd_store_fatal(struct hd_store *store, int err);
int64_t hd_store_now_ms(const struct hd_store *store);
void hd_store_count_batch(struct hd_store *store, size_t commands, int64_t took_ms);
void hd_store_count_failed(struct hd_store *store, size_t failed);
/** Keeps the flag and tells of its changes. */
void hd_store_set_full(struct hd_store *store, bool full);
void hd_store_count_shed(void);
void hd_store_count_corrupt(void);

/* queue.c */
/** Takes no more, runs what is queued, joins the thread. */
void hd_queue_stop(struct hd_store *store);

/* batch.c */
/**
 * Runs a list of commands in one transaction and commits it. Sets each command's err.
 * @param committedp true when something was written
 * @return 0; HD_EFULL (nothing was written, every err is to be ignored) or another error (each err
 *         is set to it)
 */
int hd_batch_run(struct hd_store *store, struct hd_command *list, bool *committedp);
/** Posts or calls `done` of each; the commands are gone afterwards. */
void hd_batch_reply(struct hd_command *list);

#endif
