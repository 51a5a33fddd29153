/* key.c - the file of the master key; see secret.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/secret.h"

enum { PATH_SIZE = 4096 };

/*
 * Nobody but the owner may read it. systemd gives a credential to a service by an access list,
 * whose mask shows as the group's read bit; such a file lies below $CREDENTIALS_DIRECTORY.
 */
static bool key_mode_ok(const struct stat *st, const char *path)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	mode_t bad = S_IRWXG | S_IRWXO;
	size_t n = credentials ? strlen(credentials) : 0;

	if (n > 0 && strncmp(path, credentials, n) == 0 && path[n] == '/')
		bad &= ~(mode_t)S_IRGRP;
	return S_ISREG(st->st_mode) && !(st->st_mode & bad) && st->st_size == HD_KEY_BYTES;
}

static int read_all(int fd, uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return HD_ESYSTEM;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return HD_ESYSTEM;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static int key_read(struct hd_key *key, const char *path)
{
	struct hd_key got;
	struct stat st;
	int err = HD_ESYSTEM;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? HD_ENOENT : HD_ESYSTEM;
	if (fstat(fd, &st))
		goto out;
	if (!key_mode_ok(&st, path)) {
		err = HD_EACCESS;
		goto out;
	}
	err = read_all(fd, got.bytes, sizeof(got.bytes));
	if (!err)
		*key = got;
out:
	(void)close(fd);
	hd_wipe(&got, sizeof(got));
	return err;
}

static int directory_sync(const char *path)
{
	char dir[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	int err = 0;
	int fd;

	if (!slash)
		err = hd_str_set(dir, sizeof(dir), ".");
	else if (slash == path)
		err = hd_str_set(dir, sizeof(dir), "/");
	else
		err = hd_str_copy(dir, sizeof(dir),
				  (struct hd_slice){
					  .ptr = path,
					  .len = (size_t)(slash - path),
				  });
	if (err)
		return HD_ESYSTEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return HD_ESYSTEM;
	if (fsync(fd))
		err = HD_ESYSTEM;
	(void)close(fd);
	return err;
}

/* A whole new key under a name of its own: only link() lets it appear, and never over another. */
static int key_make(const char *path)
{
	char temp[PATH_SIZE];
	struct hd_key key;
	int err = HD_ESYSTEM;
	int fd;
	int n;

	n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(temp))
		return HD_ESYSTEM;
	fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return HD_ESYSTEM;
	hd_random_bytes(&key, sizeof(key));
	if (write_all(fd, key.bytes, sizeof(key.bytes)) || fsync(fd))
		goto out;
	/* Another process was faster: its key is the key. */
	if (link(temp, path) && errno != EEXIST)
		goto out;
	err = 0;
out:
	hd_wipe(&key, sizeof(key));
	(void)close(fd);
	(void)unlink(temp);
	return err ? err : directory_sync(path);
}

int hd_key_load(struct hd_key *key, const char *path)
{
	int err;

	if (!key || !path || !path[0])
		return HD_EACCESS;
	err = key_read(key, path);
	if (err == HD_ENOENT) {
		err = key_make(path);
		if (!err)
			err = key_read(key, path);
	}
	return err == HD_ENOENT ? HD_ESYSTEM : err;
}
