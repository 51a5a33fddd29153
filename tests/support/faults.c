/* faults.c - see faults.h. The real work is done by syscall(2), so that nothing stands behind. */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock;
	struct fault fault;
	unsigned seen;
	bool armed, hit;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

void fault_arm(const struct fault *fault)
{
	pthread_mutex_lock(&state.lock);
	state.fault = *fault;
	state.seen = 0;
	state.armed = true;
	state.hit = false;
	pthread_mutex_unlock(&state.lock);
}

void fault_disarm(void)
{
	pthread_mutex_lock(&state.lock);
	state.armed = false;
	pthread_mutex_unlock(&state.lock);
}

bool fault_hit(void)
{
	bool hit;

	pthread_mutex_lock(&state.lock);
	hit = state.hit;
	pthread_mutex_unlock(&state.lock);
	return hit;
}

/* @return true when this call is to fail */
static bool due(enum fault_call call)
{
	bool fails;

	pthread_mutex_lock(&state.lock);
	fails = state.armed && state.fault.call == call;
	if (fails) {
		state.seen++;
		fails = state.seen == state.fault.nth ||
			(state.fault.lasting && state.seen > state.fault.nth);
	}
	state.hit = state.hit || fails;
	pthread_mutex_unlock(&state.lock);
	if (fails)
		errno = state.fault.err;
	return fails;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

static bool due_on(enum fault_call call, int fd)
{
	return state.armed && is_file(fd) && due(call);
}

static bool does_it_all_the_same(void)
{
	return state.fault.done && state.seen == state.fault.nth;
}

/* The result of a call that fails although its work was done. */
static long after(long rc)
{
	(void)rc;
	errno = state.fault.err;
	return -1;
}

/* What is left of a write that ends early. */
static size_t half(size_t n)
{
	return n > 1 ? n / 2 : n;
}

/* ---- open -------------------------------------------------------------------------- */

static int open_real(int dir, const char *path, int flags, mode_t mode)
{
	if (state.armed && due(FAULT_OPEN))
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t mode_from(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_from(flags, ap);
	va_end(ap);
	return open_real(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_from(flags, ap);
	va_end(ap);
	return open_real(dir, path, flags, mode);
}

/* ---- write ------------------------------------------------------------------------- */

ssize_t write(int fd, const void *buf, size_t n)
{
	if (due_on(FAULT_WRITE, fd)) {
		if (does_it_all_the_same())
			return after(syscall(SYS_write, fd, buf, n));
		if (state.fault.err)
			return -1;
		n = half(n);
	}
	return syscall(SYS_write, fd, buf, n);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
	if (due_on(FAULT_WRITE, fd)) {
		if (does_it_all_the_same())
			return after(syscall(SYS_pwrite64, fd, buf, n, at));
		if (state.fault.err)
			return -1;
		n = half(n);
	}
	return syscall(SYS_pwrite64, fd, buf, n, at);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	if (due_on(FAULT_WRITE, fd)) {
		if (does_it_all_the_same())
			return after(syscall(SYS_writev, fd, iov, n));
		if (state.fault.err)
			return -1;
		if (n == 1)
			return syscall(SYS_write, fd, iov->iov_base, half(iov->iov_len));
		n /= 2;
	}
	return syscall(SYS_writev, fd, iov, n);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	if (due_on(FAULT_WRITE, fd)) {
		if (does_it_all_the_same())
			return after(syscall(SYS_pwritev, fd, iov, n, at, 0L));
		if (state.fault.err)
			return -1;
		if (n == 1)
			return syscall(SYS_pwrite64, fd, iov->iov_base, half(iov->iov_len), at);
		n /= 2;
	}
	return syscall(SYS_pwritev, fd, iov, n, at, 0L);
}

/* ---- the rest ---------------------------------------------------------------------- */

int fsync(int fd)
{
	if (due_on(FAULT_SYNC, fd))
		return does_it_all_the_same() ? (int)after(syscall(SYS_fsync, fd)) : -1;
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	if (due_on(FAULT_SYNC, fd))
		return does_it_all_the_same() ? (int)after(syscall(SYS_fdatasync, fd)) : -1;
	return (int)syscall(SYS_fdatasync, fd);
}

int msync(void *p, size_t n, int flags)
{
	return state.armed && due(FAULT_SYNC) ? -1 : (int)syscall(SYS_msync, p, n, flags);
}

int ftruncate(int fd, off_t size)
{
	return due_on(FAULT_ALLOCATE, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
	return due_on(FAULT_ALLOCATE, fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, size);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
	if (due_on(FAULT_ALLOCATE, fd))
		return state.fault.err;
	return syscall(SYS_fallocate, fd, 0, at, size) == 0 ? 0 : errno;
}

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
	if (fd >= 0 && due_on(FAULT_MAP, fd))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, p, n, prot, flags, fd, at); /* NOLINT */
}

int rename(const char *from, const char *to)
{
	return state.armed && due(FAULT_RENAME) ? -1 : (int)syscall(SYS_rename, from, to);
}
