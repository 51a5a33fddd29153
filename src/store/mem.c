/*
 * mem.c - the twin in memory; see store.h. For tests: right before fast.
 *
 * A version is all tables at one epoch. Readers hold the version that was current when they
 * began; a writer works on a version of its own that copies each table at the first write to it,
 * and either becomes current or is dropped. Every count is under one lock. map_bytes limits the
 * bytes of keys and values, so that a full map can be tried here too.
 */
#include <stdlib.h>
#include <string.h>

#include "mem_table.h"
#include "store_priv.h"

struct mem_version {
	size_t refs;
	uint64_t epoch;
	struct mem_table *tables[HD_STORE_TABLES_MAX];
};

struct mem_txn {
	struct hd_txn base;
	struct mem_version *version;
	bool own[HD_STORE_TABLES_MAX]; /* tables copied by this writer */
};

struct mem_store {
	struct hd_store base;
	pthread_mutex_t lock; /* counts and `current` */
	struct mem_version *current;
	uint64_t map_bytes;
};

static struct mem_store *mem_store_of(struct hd_store *store)
{
	return (struct mem_store *)(void *)store;
}

static struct mem_txn *txn_of(struct hd_txn *txn)
{
	return (struct mem_txn *)(void *)txn;
}

static void version_unref(struct mem_version *v)
{
	if (--v->refs > 0)
		return;
	for (size_t i = 0; i < HD_STORE_TABLES_MAX; i++)
		hd_mem_table_unref(v->tables[i]);
	free(v);
}

static struct mem_version *version_dup(const struct mem_version *from)
{
	struct mem_version *v = malloc(sizeof(*v));

	if (!v)
		return NULL;
	*v = *from;
	v->refs = 1;
	v->epoch++;
	for (size_t i = 0; i < HD_STORE_TABLES_MAX; i++) {
		if (v->tables[i])
			v->tables[i]->refs++;
	}
	return v;
}

static uint64_t version_bytes(const struct mem_version *v)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < HD_STORE_TABLES_MAX; i++)
		bytes += v->tables[i] ? v->tables[i]->bytes : 0;
	return bytes;
}

/* ---- transactions ------------------------------------------------------------------ */

static int begin(struct hd_store *store, bool write, struct hd_txn **txnp)
{
	struct mem_store *s = mem_store_of(store);
	struct mem_txn *t = calloc(1, sizeof(*t));

	if (!t)
		return HD_ENOMEM;
	pthread_mutex_lock(&s->lock);
	if (write) {
		t->version = version_dup(s->current);
	} else {
		t->version = s->current;
		t->version->refs++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!t->version) {
		free(t);
		return HD_ENOMEM;
	}
	t->base = (struct hd_txn){ .store = store, .epoch = t->version->epoch, .write = write };
	*txnp = &t->base;
	return 0;
}

static int begin_write(struct hd_store *store, struct hd_txn **txnp)
{
	return begin(store, true, txnp);
}

static int begin_read(struct hd_store *store, struct hd_txn **txnp)
{
	return begin(store, false, txnp);
}

static void end(struct hd_txn *txn)
{
	struct mem_txn *t = txn_of(txn);
	struct mem_store *s = mem_store_of(txn->store);

	pthread_mutex_lock(&s->lock);
	version_unref(t->version);
	pthread_mutex_unlock(&s->lock);
	free(t);
}

static int commit(struct hd_txn *txn)
{
	struct mem_txn *t = txn_of(txn);
	struct mem_store *s = mem_store_of(txn->store);
	struct mem_version *old;

	pthread_mutex_lock(&s->lock);
	old = s->current;
	s->current = t->version;
	version_unref(old);
	pthread_mutex_unlock(&s->lock);
	free(t);
	return 0;
}

/* ---- records ----------------------------------------------------------------------- */

static int get(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice *valuep)
{
	const struct mem_table *t = txn_of(txn)->version->tables[table];
	bool found;
	size_t at = hd_mem_table_find(t, key, &found);

	if (!found)
		return HD_ENOENT;
	*valuep = hd_mem_record_value(t->records[at]);
	return 0;
}

/* The writer's own copy of a table, made at its first write to it. */
static int own_table(struct mem_txn *t, unsigned table, struct mem_table **tablep)
{
	struct mem_store *s = mem_store_of(t->base.store);
	struct mem_table **place = &t->version->tables[table];
	struct mem_table *copy;

	if (!t->own[table]) {
		pthread_mutex_lock(&s->lock);
		copy = hd_mem_table_dup(*place);
		if (copy) {
			hd_mem_table_unref(*place);
			*place = copy;
			t->own[table] = true;
		}
		pthread_mutex_unlock(&s->lock);
		if (!copy)
			return HD_ENOMEM;
	}
	*tablep = *place;
	return 0;
}

static int put(struct hd_txn *txn, unsigned table, struct hd_slice key, struct hd_slice value)
{
	struct mem_txn *t = txn_of(txn);
	struct mem_store *s = mem_store_of(txn->store);
	struct mem_table *own;
	int err;

	err = own_table(t, table, &own);
	if (err)
		return err;
	pthread_mutex_lock(&s->lock);
	err = hd_mem_table_put(own, key, value);
	pthread_mutex_unlock(&s->lock);
	if (!err && version_bytes(t->version) > s->map_bytes)
		err = HD_EFULL;
	return err;
}

static int del(struct hd_txn *txn, unsigned table, struct hd_slice key)
{
	struct mem_txn *t = txn_of(txn);
	struct mem_store *s = mem_store_of(txn->store);
	struct mem_table *own;
	bool found;
	size_t at;
	int err;

	at = hd_mem_table_find(t->version->tables[table], key, &found);
	if (!found)
		return HD_ENOENT;
	err = own_table(t, table, &own);
	if (err)
		return err;
	pthread_mutex_lock(&s->lock);
	hd_mem_table_remove(own, at);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int next(struct hd_txn *txn, unsigned table, struct hd_slice after, struct hd_slice *keyp,
		struct hd_slice *valuep)
{
	const struct mem_table *t = txn_of(txn)->version->tables[table];
	bool found;
	size_t at = hd_mem_table_find(t, after, &found);

	at += found;
	if (at >= t->n)
		return HD_ENOENT;
	*keyp = hd_mem_record_key(t->records[at]);
	*valuep = hd_mem_record_value(t->records[at]);
	return 0;
}

static int count(struct hd_txn *txn, unsigned table, uint64_t *countp)
{
	*countp = txn_of(txn)->version->tables[table]->n;
	return 0;
}

/* ---- the rest ---------------------------------------------------------------------- */

static int open_table(struct hd_store *store, const char *name, unsigned table)
{
	struct mem_store *s = mem_store_of(store);

	(void)name;
	s->current->tables[table] = hd_mem_table_new();
	return s->current->tables[table] ? 0 : HD_ENOMEM;
}

static int grow(struct hd_store *store)
{
	struct mem_store *s = mem_store_of(store);

	if (s->map_bytes >= store->options.map_max_bytes)
		return HD_EFULL;
	s->map_bytes *= 2;
	if (s->map_bytes > store->options.map_max_bytes)
		s->map_bytes = store->options.map_max_bytes;
	hd_store_publish(store);
	return 0;
}

static void usage(struct hd_store *store, struct hd_store_stats *stats)
{
	struct mem_store *s = mem_store_of(store);

	stats->epoch = s->current->epoch;
	stats->map_bytes = s->map_bytes;
	stats->used_bytes = version_bytes(s->current);
}

static int backup(struct hd_store *store, const char *path)
{
	(void)store;
	(void)path;
	return HD_EUNSUPPORTED;
}

static void check_readers(struct hd_store *store)
{
	(void)store;
}

static void close_store(struct hd_store *store)
{
	struct mem_store *s = mem_store_of(store);

	version_unref(s->current);
	pthread_mutex_destroy(&s->lock);
	hd_store_fini(store);
	free(s);
}

static const struct hd_store_ops mem_ops = {
	.close = close_store,
	.table = open_table,
	.begin_write = begin_write,
	.commit = commit,
	.abort = end,
	.begin_read = begin_read,
	.end_read = end,
	.get = get,
	.put = put,
	.del = del,
	.next = next,
	.count = count,
	.grow = grow,
	.usage = usage,
	.backup = backup,
	.check_readers = check_readers,
};

int hd_store_open_mem(struct hd_store **sp, const struct hd_store_options *options)
{
	struct mem_store *s;
	int err = HD_ENOMEM;

	if (!sp || !options)
		return HD_EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return HD_ENOMEM;
	s->current = calloc(1, sizeof(*s->current));
	if (!s->current)
		goto out;
	s->current->refs = 1;
	if (pthread_mutex_init(&s->lock, NULL) != 0)
		goto out;
	err = hd_store_init(&s->base, &mem_ops, options);
	if (err) {
		pthread_mutex_destroy(&s->lock);
		goto out;
	}
	s->map_bytes = s->base.options.map_bytes;
	*sp = &s->base;
	return 0;
out:
	free(s->current);
	free(s);
	return err;
}
