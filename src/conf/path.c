/* path.c - files: reading them whole, and paths relative to the folder of the configuration. */
#include "conf_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hotdesk/base/secret.h"

enum { READ_FIRST = 16 * 1024 };

char *hd_path_folder(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (!slash)
		return strdup("");
	return strndup(name, slash == name ? 1 : (size_t)(slash - name));
}

char *hd_path_resolve(const char *folder, struct hd_slice path)
{
	size_t len = strlen(folder);
	bool slash = len > 0 && folder[len - 1] != '/';
	char *out;

	if (path.len > 0 && path.ptr[0] == '/')
		len = 0;
	out = malloc(len + path.len + 2);
	if (!out)
		return NULL;
	memcpy(out, folder, len);
	if (len && slash)
		out[len++] = '/';
	if (path.len)
		memcpy(out + len, path.ptr, path.len);
	out[len + path.len] = '\0';
	return out;
}

/* Room for more, without leaving a copy behind: the file may hold PINs. */
static int grow(char **datap, size_t len, size_t *sizep, size_t max)
{
	size_t size = *sizep ? *sizep * 2 : READ_FIRST;
	char *data;

	if (size > max + 1)
		size = max + 1;
	data = malloc(size);
	if (!data)
		return HD_ENOMEM;
	if (*datap) {
		memcpy(data, *datap, len);
		hd_wipe(*datap, len);
		free(*datap);
	}
	*datap = data;
	*sizep = size;
	return 0;
}

static int read_all(int fd, char **datap, size_t *lenp, size_t max)
{
	size_t size = 0;
	ssize_t n;
	int err;

	for (;;) {
		if (*lenp > max)
			return HD_ELIMIT;
		if (*lenp == size) {
			err = grow(datap, *lenp, &size, max);
			if (err)
				return err;
		}
		n = read(fd, *datap + *lenp, size - *lenp);
		if (n == 0)
			return 0;
		if (n > 0)
			*lenp += (size_t)n;
		else if (errno != EINTR)
			return HD_ESYSTEM;
	}
}

int hd_file_read(char **datap, size_t *lenp, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err, saved;

	*datap = NULL;
	*lenp = 0;
	if (fd < 0)
		return HD_ESYSTEM;
	err = read_all(fd, datap, lenp, max);
	saved = errno;
	close(fd);
	if (err && *datap) {
		hd_wipe(*datap, *lenp);
		free(*datap);
		*datap = NULL;
	}
	errno = saved;
	return err;
}
