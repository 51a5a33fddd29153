/* lmdb.c - transactions and records on LMDB; see store.h and lmdb_priv.h. */
#include <errno.h>
#include <stdlib.h>

#include "lmdb_priv.h"

int hd_lmdb_error(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return HD_ENOENT;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return HD_EFULL;
	case MDB_READERS_FULL:
	case MDB_MAP_RESIZED: /* by another process; the next write adopts it */
		return HD_EBUSY;
	case ENOMEM:
		return HD_ENOMEM;
	case MDB_BAD_VALSIZE:
		return HD_EINVAL;
	case MDB_TXN_FULL:
		return HD_ELIMIT;
	default:
		return HD_EIO;
	}
}

static struct lmdb_txn *txn_of(struct hd_txn *txn)
{
	return (struct lmdb_txn *)(void *)txn;
}

static MDB_dbi dbi_of(const struct lmdb_txn *t, unsigned table)
{
	return ((const struct lmdb_store *)(const void *)t->base.store)->dbi[table];
}

static MDB_val val_of(struct hd_slice s)
{
	return (MDB_val){ s.len, (void *)(uintptr_t)s.ptr };
}

static struct hd_slice slice_of(MDB_val v)
{
	return (struct hd_slice){ v.mv_data, v.mv_size };
}

/* ---- transactions ------------------------------------------------------------------ */

static int begin_write(struct hd_store *store, struct hd_txn **txnp)
{
	struct lmdb_store *s = lmdb_store_of(store);
	struct lmdb_txn *t = &s->writer;
	int rc;

	s->map_full = false;
	rc = mdb_txn_begin(s->env, NULL, 0, &t->mdb);
	if (rc == MDB_MAP_RESIZED && hd_lmdb_adopt_map(s) == 0)
		rc = mdb_txn_begin(s->env, NULL, 0, &t->mdb);
	if (rc) {
		hd_error("store", "write transaction: %s", mdb_strerror(rc));
		return hd_lmdb_error(rc);
	}
	t->base = (struct hd_txn){ .store = store, .epoch = mdb_txn_id(t->mdb), .write = true };
	*txnp = &t->base;
	return 0;
}

/* A failed write of the meta page leaves the environment unusable, whatever error it was. */
static bool is_usable(struct lmdb_store *s)
{
	MDB_txn *txn;

	if (mdb_txn_begin(s->env, NULL, 0, &txn) != 0)
		return false;
	mdb_txn_abort(txn);
	return true;
}

static int commit(struct hd_txn *txn)
{
	struct lmdb_txn *t = txn_of(txn);
	struct lmdb_store *s = lmdb_store_of(txn->store);
	int rc = mdb_txn_commit(t->mdb);
	int err;

	t->mdb = NULL;
	if (rc == 0)
		return 0;
	err = hd_lmdb_write_error(s, rc);
	if (err == HD_EFULL && is_usable(s))
		return err;
	hd_error("store", "commit: %s", mdb_strerror(rc));
	return err == HD_EFULL ? HD_EIO : err;
}

static void abort_write(struct hd_txn *txn)
{
	struct lmdb_txn *t = txn_of(txn);

	mdb_txn_abort(t->mdb);
	t->mdb = NULL;
}

static struct lmdb_txn *idle_take(struct lmdb_store *s)
{
	for (size_t i = 0; i < HD_LMDB_IDLE; i++) {
		struct lmdb_txn *t = NULL;

		if (atomic_load_explicit(&s->idle[i], memory_order_relaxed))
			t = atomic_exchange(&s->idle[i], NULL);
		if (t)
			return t;
	}
	return NULL;
}

static void txn_free(struct lmdb_txn *t)
{
	if (!t)
		return;
	if (t->cursor)
		mdb_cursor_close(t->cursor);
	mdb_txn_abort(t->mdb);
	free(t);
}

static int txn_open(struct lmdb_store *s, struct lmdb_txn **tp)
{
	struct lmdb_txn *t = calloc(1, sizeof(*t));
	int dead = 0;
	int rc;

	if (!t)
		return ENOMEM;
	rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &t->mdb);
	if (rc == MDB_READERS_FULL && mdb_reader_check(s->env, &dead) == 0 && dead > 0)
		rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &t->mdb);
	if (rc) {
		free(t);
		return rc;
	}
	*tp = t;
	return 0;
}

static int begin_read(struct hd_store *store, struct hd_txn **txnp)
{
	struct lmdb_store *s = lmdb_store_of(store);
	struct lmdb_txn *t;
	int rc = 0;

	if (atomic_load_explicit(&s->closing, memory_order_relaxed))
		hd_lmdb_give_way(s);
	if (pthread_rwlock_rdlock(&s->gate) != 0)
		return HD_EBUSY;
	t = idle_take(s);
	if (t)
		rc = mdb_txn_renew(t->mdb);
	else
		rc = txn_open(s, &t);
	if (rc) {
		txn_free(t);
		pthread_rwlock_unlock(&s->gate);
		return hd_lmdb_error(rc);
	}
	t->base = (struct hd_txn){ .store = store, .epoch = mdb_txn_id(t->mdb) };
	*txnp = &t->base;
	return 0;
}

static void end_read(struct hd_txn *txn)
{
	struct lmdb_txn *t = txn_of(txn);
	struct lmdb_store *s = lmdb_store_of(txn->store);
	struct lmdb_txn *none;

	if (t->cursor)
		mdb_cursor_close(t->cursor);
	t->cursor = NULL;
	t->cursor_key = NULL;
	mdb_txn_reset(t->mdb);
	for (size_t i = 0; i < HD_LMDB_IDLE && t; i++) {
		none = NULL;
		if (atomic_compare_exchange_strong(&s->idle[i], &none, t))
			t = NULL;
	}
	txn_free(t);
	pthread_rwlock_unlock(&s->gate);
}

/* ---- records ----------------------------------------------------------------------- */

static int get(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice *valuep)
{
	struct lmdb_txn *t = txn_of(txn);
	MDB_val k = val_of(key);
	MDB_val v;
	int rc = mdb_get(t->mdb, dbi_of(t, table), &k, &v);

	if (rc)
		return hd_lmdb_error(rc);
	*valuep = slice_of(v);
	return 0;
}

static int put(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice value)
{
	struct lmdb_txn *t = txn_of(txn);
	MDB_val k = val_of(key);
	MDB_val v = val_of(value);

	return hd_lmdb_write_error(lmdb_store_of(txn->store),
				   mdb_put(t->mdb, dbi_of(t, table), &k, &v, 0));
}

static int del(struct hd_txn *txn, unsigned table, struct hd_slice key)
{
	struct lmdb_txn *t = txn_of(txn);
	MDB_val k = val_of(key);

	return hd_lmdb_write_error(lmdb_store_of(txn->store),
				   mdb_del(t->mdb, dbi_of(t, table), &k, NULL));
}

/* Places a cursor on the first key after the given one. */
static int seek(MDB_cursor *cursor, struct hd_slice after, MDB_val *k, MDB_val *v)
{
	int rc;

	if (after.len == 0)
		return mdb_cursor_get(cursor, k, v, MDB_FIRST);
	*k = val_of(after);
	rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
	if (rc == 0 && hd_slice_eq(slice_of(*k), after))
		rc = mdb_cursor_get(cursor, k, v, MDB_NEXT);
	return rc;
}

/* A walk in a snapshot keeps its cursor: the key that was given out last is where it stands. */
static int next_in_snapshot(struct lmdb_txn *t, unsigned table, struct hd_slice after, MDB_val *k,
			    MDB_val *v)
{
	int rc;

	if (t->cursor && t->cursor_table != table) {
		mdb_cursor_close(t->cursor);
		t->cursor = NULL;
	}
	if (!t->cursor) {
		t->cursor_key = NULL;
		rc = mdb_cursor_open(t->mdb, dbi_of(t, table), &t->cursor);
		if (rc)
			return rc;
		t->cursor_table = table;
	}
	if (after.len > 0 && after.ptr == t->cursor_key)
		rc = mdb_cursor_get(t->cursor, k, v, MDB_NEXT);
	else
		rc = seek(t->cursor, after, k, v);
	t->cursor_key = rc ? NULL : k->mv_data;
	return rc;
}

static int next_in_write(struct lmdb_txn *t, unsigned table, struct hd_slice after, MDB_val *k,
			 MDB_val *v)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(t->mdb, dbi_of(t, table), &cursor);

	if (rc)
		return rc;
	rc = seek(cursor, after, k, v);
	mdb_cursor_close(cursor);
	return rc;
}

static int next(struct hd_txn *txn, unsigned table, struct hd_slice after, struct hd_slice *keyp,
		struct hd_slice *valuep)
{
	struct lmdb_txn *t = txn_of(txn);
	MDB_val k, v;
	int rc;

	rc = txn->write ? next_in_write(t, table, after, &k, &v)
			: next_in_snapshot(t, table, after, &k, &v);
	if (rc)
		return hd_lmdb_error(rc);
	*keyp = slice_of(k);
	*valuep = slice_of(v);
	return 0;
}

static int count(struct hd_txn *txn, unsigned table, uint64_t *countp)
{
	struct lmdb_txn *t = txn_of(txn);
	MDB_stat st;
	int rc = mdb_stat(t->mdb, dbi_of(t, table), &st);

	if (rc)
		return HD_EIO;
	*countp = st.ms_entries;
	return 0;
}

/* ---- the rest ---------------------------------------------------------------------- */

static int open_table(struct hd_store *store, const char *name, unsigned table)
{
	struct lmdb_store *s = lmdb_store_of(store);
	MDB_txn *txn;
	int rc;

	do {
		rc = mdb_txn_begin(s->env, NULL, 0, &txn);
		if (rc)
			break;
		rc = mdb_dbi_open(txn, name, MDB_CREATE, &s->dbi[table]);
		if (rc)
			mdb_txn_abort(txn);
		else
			rc = mdb_txn_commit(txn);
		s->map_full = rc == MDB_MAP_FULL;
	} while (rc == MDB_MAP_FULL && hd_lmdb_grow(store) == 0);
	if (rc == 0)
		return 0;
	hd_error("store", "table %s: %s", name, mdb_strerror(rc));
	return rc == MDB_DBS_FULL ? HD_ELIMIT : hd_lmdb_write_error(s, rc);
}

static void check_readers(struct hd_store *store)
{
	int dead = 0;

	if (mdb_reader_check(lmdb_store_of(store)->env, &dead) == 0 && dead > 0)
		hd_info("store", "readers: %d of dead processes removed", dead);
}

static void close_store(struct hd_store *store)
{
	struct lmdb_store *s = lmdb_store_of(store);

	for (size_t i = 0; i < HD_LMDB_IDLE; i++)
		txn_free(atomic_load(&s->idle[i]));
	mdb_env_close(s->env);
	pthread_rwlock_destroy(&s->gate);
	hd_store_fini(store);
	free(s);
}

const struct hd_store_ops hd_lmdb_ops = {
	.close = close_store,
	.table = open_table,
	.begin_write = begin_write,
	.commit = commit,
	.abort = abort_write,
	.begin_read = begin_read,
	.end_read = end_read,
	.get = get,
	.put = put,
	.del = del,
	.next = next,
	.count = count,
	.grow = hd_lmdb_grow,
	.usage = hd_lmdb_usage,
	.backup = hd_lmdb_backup,
	.check_readers = check_readers,
};
