/*
 * lmdb_priv.h - the LMDB back end between its files: lmdb.c (transactions, records), lmdb_open.c
 * (creating, opening, schema), lmdb_map.c (growing, full disk, backup).
 *
 * The gate: mdb_env_set_mapsize() may only be called while this process has no transaction open.
 * Whoever looks into the map holds the gate for reading; growing it closes the gate for that
 * moment.
 */
#ifndef HOTDESK_STORE_LMDB_PRIV_H
#define HOTDESK_STORE_LMDB_PRIV_H

#include <lmdb.h>

#include "store_priv.h"

enum { HD_LMDB_IDLE = 16 }; /* read transactions kept, with their slots, for the next reader */

struct lmdb_txn {
	struct hd_txn base;
	MDB_txn *mdb;
	MDB_cursor *cursor; /* of a read transaction that walks a table */
	unsigned cursor_table;
	const void *cursor_key; /* where it stands, as given to the caller */
};

struct lmdb_store {
	struct hd_store base;
	MDB_env *env;
	MDB_dbi dbi[HD_STORE_TABLES_MAX];
	struct lmdb_txn writer;
	_Atomic(struct lmdb_txn *) idle[HD_LMDB_IDLE];
	pthread_rwlock_t gate;
	_Atomic bool closing; /* somebody waits to close the gate */
	uint64_t map_bytes;
	bool map_full; /* the last HD_EFULL came from the map, not from the disk */
};

static inline struct lmdb_store *lmdb_store_of(struct hd_store *store)
{
	return (struct lmdb_store *)(void *)store;
}

/** What an LMDB code means for a running store; broken pages are HD_EIO. */
int hd_lmdb_error(int rc);
/** The same for a write: a short write on a full disk, which LMDB calls EIO, is HD_EFULL. */
int hd_lmdb_write_error(struct lmdb_store *store, int rc);

void hd_lmdb_give_way(struct lmdb_store *s);
int hd_lmdb_grow(struct hd_store *store);
int hd_lmdb_adopt_map(struct lmdb_store *store);
void hd_lmdb_usage(struct hd_store *store, struct hd_store_stats *stats);
int hd_lmdb_backup(struct hd_store *store, const char *path);

extern const struct hd_store_ops hd_lmdb_ops;

#endif
