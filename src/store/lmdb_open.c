/*
 * lmdb_open.c - creating and opening an LMDB store; see store.h and lmdb_priv.h.
 *
 * A new store is made complete in the folder "new" beside its place, synced, and renamed into it:
 * a power cut leaves either no store or a whole one. lock.mdb gets its space before LMDB maps it,
 * since touching a hole of a mapped file on a full disk would end the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_priv.h"

enum {
	PATH_BYTES = PATH_MAX,
	LOCK_BYTES = 32768, /* LMDB makes as many reader slots as fit: about 500 */
	SCHEMA_BYTES = 4,
};

static const char meta_table[] = "_meta";
static const char schema_key[] = "schema";

static int open_error(int rc)
{
	switch (rc) {
	case EACCES:
	case EPERM:
	case EROFS:
		return HD_EACCESS;
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INCOMPATIBLE:
		return HD_ECORRUPT;
	default:
		return hd_lmdb_error(rc);
	}
}

static int join(char dst[PATH_BYTES], const char *dir, const char *name)
{
	int n = snprintf(dst, PATH_BYTES, "%s/%s", dir, name);

	return n > 0 && n < PATH_BYTES ? 0 : HD_ELIMIT;
}

static int fail(const char *path, const char *what, int rc)
{
	hd_error("store", "%s: %s: %s", path, what, mdb_strerror(rc));
	return open_error(rc);
}

/* ---- files and folders ------------------------------------------------------------- */

static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return fail(path, "open", errno);
	if (fsync(fd) != 0)
		rc = fail(path, "sync", errno);
	close(fd);
	return rc;
}

static int sync_parent(const char *path)
{
	char parent[PATH_BYTES];
	int err = join(parent, path, "..");

	return err ? err : sync_folder(parent);
}

static int make_folder(const char *path)
{
	if (mkdir(path, 0700) == 0)
		return sync_parent(path);
	return errno == EEXIST ? 0 : fail(path, "create", errno);
}

static int reserve_lock(const char *path)
{
	char lock[PATH_BYTES];
	int err, fd, rc;

	err = join(lock, path, "lock.mdb");
	if (err)
		return err;
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(lock, "open", errno);
	rc = posix_fallocate(fd, 0, LOCK_BYTES);
	close(fd);
	return rc ? fail(lock, "reserve space", rc) : 0;
}

static int remove_leftovers(const char *folder)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char file[PATH_BYTES];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int err = join(file, folder, names[i]);

		if (err)
			return err;
		if (unlink(file) != 0 && errno != ENOENT)
			return fail(file, "remove", errno);
	}
	return 0;
}

/* ---- schema ------------------------------------------------------------------------ */

static int schema_write(MDB_txn *txn, MDB_dbi dbi)
{
	uint8_t bytes[SCHEMA_BYTES] = { HD_STORE_SCHEMA };
	MDB_val k = { sizeof(schema_key) - 1, (void *)(uintptr_t)schema_key };
	MDB_val v = { sizeof(bytes), bytes };

	return mdb_put(txn, dbi, &k, &v, 0);
}

/* *raisedp: it was an older one and something was written. */
static int schema_check(MDB_txn *txn, MDB_dbi dbi, const char *path, bool *raisedp)
{
	MDB_val k = { sizeof(schema_key) - 1, (void *)(uintptr_t)schema_key };
	const uint8_t *p;
	uint32_t schema;
	MDB_val v;
	int rc;

	rc = mdb_get(txn, dbi, &k, &v);
	if (rc == 0 && v.mv_size != SCHEMA_BYTES)
		rc = MDB_CORRUPTED;
	if (rc)
		return fail(path, "schema version", rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc);
	p = v.mv_data;
	schema = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	if (schema == HD_STORE_SCHEMA)
		return 0;
	/* Tables were added, and old records are read as they are. */
	if (schema > 0 && schema < HD_STORE_SCHEMA) {
		hd_notice("store", "%s: schema %u becomes %u: older versions cannot open it", path,
			  schema, HD_STORE_SCHEMA);
		rc = schema_write(txn, dbi);
		*raisedp = rc == 0;
		return rc ? fail(path, "raise schema", rc) : 0;
	}
	hd_error("store",
		 "%s: written by a newer hotdeskd (schema %u, this one knows %u): install that "
		 "version or "
		 "restore a backup",
		 path, schema, HD_STORE_SCHEMA);
	return HD_EVERSION;
}

/* An LMDB file without our schema is somebody else's, unless it is empty. */
static int schema_make_or_check(MDB_env *env, const char *path)
{
	MDB_txn *txn;
	MDB_stat st;
	MDB_dbi dbi;
	bool raised = false;
	int err = 0;
	int rc;

	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc)
		return fail(path, "write transaction", rc);
	rc = mdb_dbi_open(txn, meta_table, 0, &dbi);
	if (rc == 0) {
		err = schema_check(txn, dbi, path, &raised);
		if (err || !raised)
			goto out;
		rc = mdb_txn_commit(txn);
		return rc ? fail(path, "raise schema", rc) : 0;
	}
	if (rc == MDB_NOTFOUND)
		rc = mdb_env_stat(env, &st);
	if (rc == 0 && st.ms_entries > 0)
		rc = MDB_INCOMPATIBLE;
	if (rc == 0)
		rc = mdb_dbi_open(txn, meta_table, MDB_CREATE, &dbi);
	if (rc == 0)
		rc = schema_write(txn, dbi);
	if (rc == 0) {
		rc = mdb_txn_commit(txn);
		return rc ? fail(path, "write schema", rc) : 0;
	}
	err = fail(path, "not a store of hotdeskd", rc);
out:
	mdb_txn_abort(txn);
	return err;
}

/* ---- the environment --------------------------------------------------------------- */

static void assert_failed(MDB_env *env, const char *text)
{
	(void)env;
	hd_error("store", "LMDB: %s", text);
}

/* A file that was cut off would end the process at the first look behind its end. */
static int check_length(MDB_env *env, const char *path)
{
	MDB_envinfo info;
	struct stat file;
	MDB_stat st;
	int fd, rc;

	rc = mdb_env_info(env, &info);
	if (rc == 0)
		rc = mdb_env_stat(env, &st);
	if (rc == 0)
		rc = mdb_env_get_fd(env, &fd);
	if (rc == 0 && fstat(fd, &file) != 0)
		rc = errno;
	if (rc)
		return fail(path, "look at the file", rc);
	if ((uint64_t)file.st_size >= ((uint64_t)info.me_last_pgno + 1) * st.ms_psize)
		return 0;
	hd_error("store", "%s: data.mdb is cut off: restore a backup", path);
	return HD_ECORRUPT;
}

static int env_open(MDB_env **envp, const char *path, uint64_t map_bytes)
{
	MDB_env *env;
	int err, rc;

	err = reserve_lock(path);
	if (err)
		return err;
	rc = mdb_env_create(&env);
	if (rc)
		return fail(path, "create environment", rc);
	rc = mdb_env_set_mapsize(env, map_bytes);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, HD_STORE_TABLES_MAX + 1);
	if (rc == 0)
		rc = mdb_env_set_assert(env, assert_failed);
	if (rc == 0)
		rc = mdb_env_open(env, path, MDB_NOTLS, 0600);
	if (rc)
		err = fail(path, "open", rc);
	else
		err = check_length(env, path);
	if (err)
		mdb_env_close(env);
	else
		*envp = env;
	return err;
}

/* A complete, empty store in the folder "new", then moved to its place. */
static int create(const char *path, uint64_t map_bytes)
{
	char folder[PATH_BYTES], made[PATH_BYTES], place[PATH_BYTES];
	MDB_env *env = NULL;
	int err;

	err = join(folder, path, "new");
	if (!err)
		err = join(made, folder, "data.mdb");
	if (!err)
		err = join(place, path, "data.mdb");
	if (!err)
		err = make_folder(folder);
	if (!err)
		err = remove_leftovers(folder);
	if (!err)
		err = env_open(&env, folder, map_bytes);
	if (err)
		return err;
	err = schema_make_or_check(env, folder);
	mdb_env_close(env);
	if (!err && rename(made, place) != 0)
		err = fail(place, "rename", errno);
	if (!err)
		err = sync_folder(path);
	if (!err)
		err = remove_leftovers(folder);
	if (!err && rmdir(folder) != 0)
		err = fail(folder, "remove", errno);
	return err;
}

static int create_if_missing(const char *path, uint64_t map_bytes)
{
	char place[PATH_BYTES];
	struct stat st;
	int err;

	err = make_folder(path);
	if (!err)
		err = join(place, path, "data.mdb");
	if (err)
		return err;
	if (stat(place, &st) == 0)
		return 0;
	if (errno != ENOENT)
		return fail(place, "look at", errno);
	return create(path, map_bytes);
}

static uint64_t whole_pages(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

int hd_store_open_lmdb(struct hd_store **sp, const struct hd_store_options *options)
{
	struct lmdb_store *s;
	struct hd_store_options *o;
	MDB_envinfo info;
	int dead = 0;
	int err;

	if (!sp || !options || !options->path)
		return HD_EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return HD_ENOMEM;
	err = hd_store_init(&s->base, &hd_lmdb_ops, options);
	if (err)
		goto out;
	o = &s->base.options;
	o->map_bytes = whole_pages(o->map_bytes);
	o->map_max_bytes = whole_pages(o->map_max_bytes);
	err = create_if_missing(options->path, o->map_bytes);
	if (!err)
		err = env_open(&s->env, options->path, o->map_bytes);
	if (err)
		goto out_base;
	err = schema_make_or_check(s->env, options->path);
	if (!err && (mdb_reader_check(s->env, &dead) != 0 || mdb_env_info(s->env, &info) != 0))
		err = HD_EIO;
	if (!err && pthread_rwlock_init(&s->gate, NULL) != 0)
		err = HD_ESYSTEM;
	if (err)
		goto out_env;
	s->map_bytes = info.me_mapsize;
	hd_store_publish(&s->base);
	*sp = &s->base;
	return 0;

out_env:
	mdb_env_close(s->env);
out_base:
	hd_store_fini(&s->base);
out:
	free(s);
	return err;
}
