/*
 * lmdb_map.c - the map and the file below it: growing, full disk, sizes, backup; see lmdb_priv.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lmdb_priv.h"

enum { PROBE_BYTES = 65536, PATH_BYTES = PATH_MAX };

/*
 * LMDB answers EIO to a short write, which is how a full disk often shows. The difference
 * matters: an I/O error ends the process. So ask the file system for a little space behind the
 * file's end.
 */
static bool disk_is_full(struct lmdb_store *s)
{
	struct stat st;
	int fd;

	if (mdb_env_get_fd(s->env, &fd) != 0 || fstat(fd, &st) != 0)
		return false;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, PROBE_BYTES) == 0)
		return false;
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
}

int hd_lmdb_write_error(struct lmdb_store *s, int rc)
{
	s->map_full = rc == MDB_MAP_FULL;
	if (rc == EIO && disk_is_full(s))
		return HD_EFULL;
	return hd_lmdb_error(rc);
}

/*
 * New readers give way for a moment while the gate waits to close, or a stream of them would keep
 * it open. Not longer: a thread that already holds the gate must get in again.
 */
void hd_lmdb_give_way(struct lmdb_store *s)
{
	const struct timespec pause = { .tv_nsec = 50000 };

	for (unsigned i = 0; i < 40 && atomic_load(&s->closing); i++)
		(void)nanosleep(&pause, NULL);
}

static void close_gate(struct lmdb_store *s)
{
	atomic_store(&s->closing, true);
	pthread_rwlock_wrlock(&s->gate);
	atomic_store(&s->closing, false);
}

/*
 * Can the file be mapped at this size? Asked first, because LMDB gives up the old map for the
 * new.
 */
static bool can_map(struct lmdb_store *s, uint64_t bytes)
{
	void *p;
	int fd;

	if (mdb_env_get_fd(s->env, &fd) != 0)
		return false;
	p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	(void)munmap(p, bytes);
	return true;
}

/*
 * Without a map every later read would crash, so a failure ends the process with the gate closed.
 */
static void set_map(struct lmdb_store *s, uint64_t bytes)
{
	int rc;

	close_gate(s);
	rc = mdb_env_set_mapsize(s->env, bytes);
	if (rc) {
		hd_error("store", "map: %llu bytes: %s", (unsigned long long)bytes,
			 mdb_strerror(rc));
		hd_store_fatal(&s->base, HD_ENOMEM);
	}
	pthread_rwlock_unlock(&s->gate);
}

int hd_lmdb_grow(struct hd_store *store)
{
	struct lmdb_store *s = lmdb_store_of(store);
	uint64_t bytes = s->map_bytes * 2;

	if (!s->map_full || s->map_bytes >= store->options.map_max_bytes)
		return HD_EFULL;
	if (bytes > store->options.map_max_bytes)
		bytes = store->options.map_max_bytes;
	if (!can_map(s, bytes)) {
		hd_error("store", "map: no address space for %llu bytes",
			 (unsigned long long)bytes);
		return HD_EFULL;
	}
	set_map(s, bytes);
	s->map_bytes = bytes;
	hd_info("store", "map: grown to %llu bytes", (unsigned long long)bytes);
	hd_store_publish(store);
	return 0;
}

int hd_lmdb_adopt_map(struct lmdb_store *s)
{
	MDB_envinfo info;

	set_map(s, 0);
	if (mdb_env_info(s->env, &info) != 0)
		return HD_EIO;
	s->map_bytes = info.me_mapsize;
	return 0;
}

void hd_lmdb_usage(struct hd_store *store, struct hd_store_stats *stats)
{
	struct lmdb_store *s = lmdb_store_of(store);
	MDB_envinfo info;
	MDB_stat st;

	if (mdb_env_info(s->env, &info) != 0 || mdb_env_stat(s->env, &st) != 0)
		return;
	stats->epoch = info.me_last_txnid;
	stats->map_bytes = info.me_mapsize;
	stats->used_bytes = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
}

/* ---- backup ------------------------------------------------------------------------ */

static int system_error(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return HD_EFULL;
	case EACCES:
	case EPERM:
	case EROFS:
		return HD_EACCESS;
	case ENOENT:
	case ENOTDIR:
		return HD_ENOENT;
	default:
		return HD_EIO;
	}
}

static int sync_parent(const char *path)
{
	char dir[PATH_BYTES];
	char *slash;
	int err, fd;

	err = hd_str_set(dir, sizeof(dir), path);
	if (err)
		return err;
	slash = strrchr(dir, '/');
	if (!slash)
		dir[0] = '.', slash = dir;
	slash[slash == dir ? 1 : 0] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return system_error(errno);
	err = fsync(fd) == 0 ? 0 : system_error(errno);
	close(fd);
	return err;
}

static int copy_to(struct lmdb_store *s, int fd)
{
	int rc;

	if (pthread_rwlock_rdlock(&s->gate) != 0)
		return HD_EBUSY;
	rc = mdb_env_copyfd2(s->env, fd, 0); /* MDB_CP_COMPACT would begin the epochs anew */
	pthread_rwlock_unlock(&s->gate);
	if (rc)
		return hd_lmdb_error(rc);
	return fsync(fd) == 0 ? 0 : system_error(errno);
}

int hd_lmdb_backup(struct hd_store *store, const char *path)
{
	char beside[PATH_BYTES];
	int err, fd, n;

	n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(beside))
		return HD_ELIMIT;
	fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return system_error(errno);
	err = copy_to(lmdb_store_of(store), fd);
	if (close(fd) != 0 && !err)
		err = system_error(errno);
	if (!err && rename(beside, path) != 0)
		err = system_error(errno);
	if (err) {
		unlink(beside);
		return err;
	}
	return sync_parent(path);
}
