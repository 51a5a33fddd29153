/* recorder.c - see recorder.h. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS = 1024, FILES = 16 };

/* A descriptor is recorded while it is still the file that was opened as data.mdb. */
struct watched {
	ino_t file;
	bool dsync;
};

static struct {
	pthread_mutex_t lock;
	int fd; /* of the log; -1 without one */
	bool ready;
	struct watched fds[FDS];
	ino_t files[FILES]; /* seen before */
} rec = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static void die(const char *what)
{
	static const char text[] = "recorder: the log cannot be written\n";

	(void)what;
	(void)syscall(SYS_write, 2, text, sizeof(text) - 1);
	_exit(99);
}

static int log_fd(void)
{
	const char *path;

	if (rec.ready)
		return rec.fd;
	rec.ready = true;
	path = getenv("HD_RECORDER_LOG");
	if (path)
		rec.fd = (int)syscall(SYS_openat, AT_FDCWD, path,
				      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (path && rec.fd < 0)
		die(path);
	return rec.fd;
}

/* With the lock held: one entry in one write, so that it is whole or not there. */
static void note(enum recorder_kind kind, ino_t file, off_t offset, const void *payload, size_t len)
{
	static const char zeros[8];
	struct recorder_entry e = { (uint32_t)kind, (uint32_t)len, file, (uint64_t)offset };
	struct iovec iov[] = {
		{ &e, sizeof(e) },
		{ (void *)(uintptr_t)payload, len },
		{ (void *)(uintptr_t)zeros, recorder_padded(len) - len },
	};
	long want = (long)(sizeof(e) + recorder_padded(len));

	if (syscall(SYS_writev, log_fd(), iov, 3) != want)
		die("write");
}

void hd_recorder_ack(const void *payload, size_t len)
{
	pthread_mutex_lock(&rec.lock);
	if (log_fd() >= 0)
		note(RECORDER_ACK, 0, 0, payload, len);
	pthread_mutex_unlock(&rec.lock);
}

/* ---- which descriptors -------------------------------------------------------------------- */

static bool is_data(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, "data.mdb") == 0;
}

static bool seen_before(ino_t file)
{
	for (size_t i = 0; i < FILES; i++) {
		if (rec.files[i] == file)
			return true;
		if (rec.files[i] == 0) {
			rec.files[i] = file;
			return false;
		}
	}
	die("files");
	return false;
}

/* What an existing file holds counts as flushed long ago. */
static void note_content(int fd, const struct stat *st)
{
	size_t len = (size_t)st->st_size;
	char *bytes = malloc(len + 1);

	if (!bytes || (len > 0 && syscall(SYS_pread64, fd, bytes, len, 0L) != (long)len))
		len = 0; /* opened for writing only: the file was empty or is known */
	note(RECORDER_OPEN, st->st_ino, 0, bytes, len);
	free(bytes);
}

static void watch(int fd, const char *path, int flags)
{
	struct stat st;

	if (fd < 0 || fd >= FDS || (flags & O_ACCMODE) == O_RDONLY || !is_data(path) ||
	    fstat(fd, &st) != 0)
		return;
	pthread_mutex_lock(&rec.lock);
	if (log_fd() >= 0) {
		rec.fds[fd] = (struct watched){ st.st_ino, (flags & O_DSYNC) != 0 };
		if (!seen_before(st.st_ino))
			note_content(fd, &st);
	}
	pthread_mutex_unlock(&rec.lock);
}

/* @return the file, or 0 when this descriptor is none of ours (any more) */
static ino_t watched(int fd)
{
	struct stat st;

	if (fd < 0 || fd >= FDS || rec.fds[fd].file == 0)
		return 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_ino != rec.fds[fd].file)
		return 0;
	return st.st_ino;
}

static void note_write(int fd, ino_t file, const struct iovec *iov, int n, long done, off_t at)
{
	pthread_mutex_lock(&rec.lock);
	for (int i = 0; i < n && done > 0; i++) {
		size_t len = iov[i].iov_len < (size_t)done ? iov[i].iov_len : (size_t)done;

		note(RECORDER_WRITE, file, at, iov[i].iov_base, len);
		if (rec.fds[fd].dsync)
			note(RECORDER_FLUSH_LAST, file, 0, NULL, 0);
		at += (off_t)len;
		done -= (long)len;
	}
	pthread_mutex_unlock(&rec.lock);
}

/* ---- in front of the C library ------------------------------------------------------------ */

static mode_t mode_from(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode_from(flags, ap));
	va_end(ap);
	watch(fd, path, flags);
	return fd;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	ino_t file = watched(fd);
	long done = syscall(SYS_pwritev, fd, iov, n, at, 0L);

	if (file && done > 0)
		note_write(fd, file, iov, n, done, at);
	return done;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	const struct iovec iov = { (void *)(uintptr_t)buf, len };
	ino_t file = watched(fd);
	long done = syscall(SYS_pwrite64, fd, buf, len, at);

	if (file && done > 0)
		note_write(fd, file, &iov, 1, done, at);
	return done;
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	ino_t file = watched(fd);
	off_t at = file ? lseek(fd, 0, SEEK_CUR) : 0;
	long done = syscall(SYS_writev, fd, iov, n);

	if (file && done > 0)
		note_write(fd, file, iov, n, done, at);
	return done;
}

ssize_t write(int fd, const void *buf, size_t len)
{
	const struct iovec iov = { (void *)(uintptr_t)buf, len };
	ino_t file = watched(fd);
	off_t at = file ? lseek(fd, 0, SEEK_CUR) : 0;
	long done = syscall(SYS_write, fd, buf, len);

	if (file && done > 0)
		note_write(fd, file, &iov, 1, done, at);
	return done;
}

ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));
ssize_t pwritev64(int, const struct iovec *, int, off_t) __attribute__((alias("pwritev")));

static void flushed(int fd, int rc)
{
	ino_t file = watched(fd);
	struct stat st;

	if (rc != 0)
		return;
	pthread_mutex_lock(&rec.lock);
	if (log_fd() >= 0) {
		if (file)
			note(RECORDER_FLUSH, file, 0, NULL, 0);
		else if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			note(RECORDER_FOLDER, st.st_ino, 0, NULL, 0);
	}
	pthread_mutex_unlock(&rec.lock);
}

int fdatasync(int fd)
{
	int rc = (int)syscall(SYS_fdatasync, fd);

	flushed(fd, rc);
	return rc;
}

int fsync(int fd)
{
	int rc = (int)syscall(SYS_fsync, fd);

	flushed(fd, rc);
	return rc;
}

int rename(const char *from, const char *to)
{
	int rc = (int)syscall(SYS_rename, from, to);
	struct stat st;

	if (rc != 0 || !is_data(to) || stat(to, &st) != 0)
		return rc;
	pthread_mutex_lock(&rec.lock);
	if (log_fd() >= 0)
		note(RECORDER_RENAME, st.st_ino, 0, NULL, 0);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}
