/*
 * store.h - transactions over named tables, with durable batches of commands.
 *
 * A write is a command: a function of (transaction, argument) that reads, decides and writes, and
 * leaves its result in the argument. It has no other effect, keeps no pointer into the store,
 * reads the clock only from its argument, and may be run again from the start: after another
 * command of its batch failed, or, on a later distributed engine, after a conflict. A store
 * thread takes what has been submitted, runs it in one write transaction, commits once, and only
 * then posts the replies: "committed" or "failed", never "maybe". A command that returns an error
 * has its own writes undone, and only those.
 *
 * Two classes. Durable: the reply comes after the commit. Soft: there is no reply; the command is
 * written with the next batch, at the latest after soft_delay_ms, because its loss only shortens
 * a life that the next refresh renews. Soft and durable commands of one submitter keep their
 * order.
 *
 * Reads take a snapshot: open, read, close within one event, never across a wait.
 *
 * Every record is stored with a CRC32C in front; a damaged one reads as HD_ECORRUPT. Keys are
 * 1..511 bytes, compared as bytes; values 0..HD_RECORD_MAX. Full disk or full map: HD_EFULL,
 * reads go on. An I/O error at the commit ends the process through the fatal callback: the
 * restart reads what the disk really has. See design.md section 6 and lmdb.h.
 *
 * Layer: 1. May include: base. Thread: as said at each function.
 */
#ifndef HOTDESK_STORE_H
#define HOTDESK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/error.h"
#include "hotdesk/base/mailbox.h"
#include "hotdesk/base/str.h"

struct hd_store;
struct hd_txn;

/* 2: the tables of device.h, which an older daemon would leave behind when it removes a phone. */
enum { HD_STORE_SCHEMA = 2, HD_STORE_TABLES_MAX = 32 };

struct hd_store_options {
	const char *path;	/* directory; unused by the memory store */
	uint64_t map_bytes;	/* first size of the map; 0 means 1 GiB */
	uint64_t map_max_bytes; /* it doubles up to here; 0 means 64 GiB */
	uint32_t batch_max;	/* commands per commit; 0 means 256 */
	uint32_t batch_wait_us; /* how long a batch waits to grow while the store is busy; 0: not */
	uint32_t soft_delay_ms; /* 0 means 5000 */
	uint32_t queue_max;	/* submitted and not yet run; more gives HD_EBUSY; 0 means 8192 */
	const struct hd_clock *clock; /* borrowed; NULL means the system's */
	/* I/O error at commit; must not return; NULL: _exit(75) */
	void (*fatal)(void *arg, int err);
	void *arg;
};

/**
 * Opens (and makes) an LMDB store; checks the schema version, and raises an older one, from which
 * on older daemons refuse the store; clears stale readers. Starts no thread.
 * @return 0; HD_EVERSION (schema newer than ours), HD_ECORRUPT, HD_EACCESS, HD_EFULL, HD_EIO,
 *         HD_ENOMEM; the reason is in the log
 */
HD_MUSTCHECK int hd_store_open_lmdb(struct hd_store **sp, const struct hd_store_options *options);
/** The twin in memory, for tests: the same contract, and no durability. */
HD_MUSTCHECK int hd_store_open_mem(struct hd_store **sp, const struct hd_store_options *options);
/**
 * Ends the store thread after the queued commands, soft ones too, were committed and their replies
 * posted. Reads go on; what is submitted from now on gets HD_ESHUTDOWN. NULL-safe.
 */
void hd_store_stop(struct hd_store *store);
/** Stops and closes. NULL-safe. */
void hd_store_close(struct hd_store *store);

/**
 * Opens a table by name, making it when it is not there. Before hd_store_start() only.
 * @return 0; HD_ELIMIT (more than HD_STORE_TABLES_MAX), HD_EFULL, HD_EIO, HD_ESTATE (started),
 *         HD_EINVAL (a name that is empty or begins with '_')
 */
HD_MUSTCHECK int hd_store_table(struct hd_store *store, const char *name, unsigned *tablep);

/** Starts the store thread. @return 0 or HD_ESYSTEM */
HD_MUSTCHECK int hd_store_start(struct hd_store *store);

/* ---- reading and writing inside a transaction ----------------------------------------------- */

/**
 * @param valuep borrowed until the transaction ends or writes.
 * @return 0, HD_ENOENT, HD_ECORRUPT, HD_EIO
 */
HD_MUSTCHECK int hd_txn_get(struct hd_txn *txn, unsigned table, struct hd_slice key,
			    struct hd_slice *valuep);
/** @return 0; HD_EINVAL (key or value size, read transaction), HD_EFULL, HD_EIO */
HD_MUSTCHECK int hd_txn_put(struct hd_txn *txn, unsigned table, struct hd_slice key,
			    struct hd_slice value);
/** @return 0, HD_ENOENT, HD_EFULL or HD_EIO */
HD_MUSTCHECK int hd_txn_del(struct hd_txn *txn, unsigned table, struct hd_slice key);
/**
 * The first record whose key is greater than `after` (the zero slice means the very first).
 * @param keyp, valuep borrowed until the transaction ends or writes
 * @return 0, HD_ENOENT at the end, HD_ECORRUPT (keyp is valid, so that a walk can go on), HD_EIO
 */
HD_MUSTCHECK int hd_txn_next(struct hd_txn *txn, unsigned table, struct hd_slice after,
			     struct hd_slice *keyp, struct hd_slice *valuep);
/** Number of records. @return 0 or HD_EIO */
HD_MUSTCHECK int hd_txn_count(struct hd_txn *txn, unsigned table, uint64_t *countp);
/** Grows with every commit and never goes back, also across restarts: the source of epochs. */
uint64_t hd_txn_epoch(const struct hd_txn *txn);

/**
 * A read snapshot. Any thread; closed by the thread that opened it, within the same event.
 * @return 0, HD_EBUSY (reader slots), HD_ENOMEM, HD_EIO
 */
HD_MUSTCHECK int hd_store_begin_read(struct hd_store *store, struct hd_txn **txnp);
/** NULL-safe. */
void hd_store_end_read(struct hd_txn *txn);

/* ---- commands ------------------------------------------------------------------------------- */

/** @return 0 to have its writes committed, an error to have them undone */
typedef int hd_command_fn(struct hd_txn *txn, void *arg);

/**
 * One submitted command; embedded in the submitter's own object, which must live until `done` has
 * run.
 */
struct hd_command {
	hd_command_fn *run; /* on the store thread, perhaps more than once */
	void *arg;
	struct hd_mailbox *reply_to; /* where `done` runs; soft: may be NULL, store thread */
	void (*done)(struct hd_command *command);
	int err; /* for `done`: 0 committed; else failed, and nothing of it was written */
	/* the store's own */
	struct hd_task task;
	struct hd_command *next;
	bool soft;
};

/**
 * Queues a durable command. Any thread; does not block on the disk.
 * @return 0: `done` will run; HD_EBUSY (queue full), HD_ESHUTDOWN: `done` will not
 */
HD_MUSTCHECK int hd_store_submit(struct hd_store *store, struct hd_command *command);
/**
 * Queues a soft command; `done` runs when it was written or given up (its place to free memory).
 * Soft commands get at most half of the queue. On a full disk they stay, and are tried again.
 */
HD_MUSTCHECK int hd_store_submit_soft(struct hd_store *store, struct hd_command *command);
/**
 * Runs one command and waits for its commit: start-up, tools and tests. Before hd_store_start()
 * it runs on the caller's thread, behind what was submitted before; afterwards on the store
 * thread. Never from the SIP thread; from the store thread it is HD_ESTATE.
 * @return what the command or its commit returned
 */
HD_MUSTCHECK int hd_store_execute(struct hd_store *store, hd_command_fn *run, void *arg);

/**
 * A consistent copy while running: written beside, synced, renamed to path. It is the store's
 * data.mdb and goes on with the same epochs; to restore, stop, put it there and remove lock.mdb.
 * Slow: control thread.
 * @return 0, HD_EFULL, HD_EACCESS, HD_ENOENT, HD_EIO; HD_EUNSUPPORTED by the memory store
 */
HD_MUSTCHECK int hd_store_backup(struct hd_store *store, const char *path);

struct hd_store_stats {
	uint64_t epoch, commits, commands, failed, batch_max_seen;
	uint64_t map_bytes, used_bytes;
	uint32_t queued;
	bool full; /* the last commit failed with HD_EFULL */
};
void hd_store_get_stats(struct hd_store *store, struct hd_store_stats *stats);
/** A durable command submitted now would be refused. */
bool hd_store_is_busy(struct hd_store *store);
/** Removes readers of dead processes; each minute, control thread. */
void hd_store_check_readers(struct hd_store *store);

#endif
