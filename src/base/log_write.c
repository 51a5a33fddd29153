/* log_write.c - one finished line to stderr or to journald, without a long wait; base_priv.h. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base_priv.h"

static const char systemd_journal_path[] = "/run/systemd/journal/socket";

enum {
	STALL_WAIT_MS = 100, /* once; a reader that does not come back is not waited for again */
	FIELDS_SIZE = HD_LOG_LINE_MAX + 1024,
};

bool hd_log_is_journal_stream(const char *value, int fd)
{
	struct stat st;
	char name[64];
	int n;

	if (!value || fstat(fd, &st))
		return false;
	n = snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return n > 0 && (size_t)n < sizeof(name) && strcmp(name, value) == 0;
}

static bool wants_journal(struct hd_log_output *out)
{
	struct stat st;

	if (!out->decided) {
		out->native = out->format == HD_LOG_JOURNAL ||
			      (out->format == HD_LOG_AUTO &&
			       hd_log_is_journal_stream(getenv("JOURNAL_STREAM"), STDERR_FILENO));
		out->is_socket = fstat(STDERR_FILENO, &st) == 0 && S_ISSOCK(st.st_mode);
		out->decided = true;
	}
	return out->native;
}

/* The native protocol: one datagram of FIELD=value lines. No value here holds a newline. */
static bool journal_send(struct hd_log_output *out, const struct hd_log_line *line)
{
	const char *path = out->journal_path ? out->journal_path : systemd_journal_path;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char fields[FIELDS_SIZE];
	ssize_t sent;
	int n;

	if (hd_str_set(to.sun_path, sizeof(to.sun_path), path))
		return false;
	if (out->journal_fd < 0)
		out->journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out->journal_fd < 0)
		return false;
	n = snprintf(fields, sizeof(fields),
		     "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=hotdeskd\n%s%s%s%s%s%s",
		     line->text, (int)line->level, line->subsystem ? "SUBSYSTEM=" : "",
		     line->subsystem ? line->subsystem : "", line->subsystem ? "\n" : "",
		     line->call_id ? "CALL_ID=" : "", line->call_id ? line->call_id : "",
		     line->call_id ? "\n" : "");
	if (n < 0 || (size_t)n >= sizeof(fields))
		return false;
	do
		sent = sendto(out->journal_fd, fields, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
			      (const struct sockaddr *)&to, sizeof(to));
	while (sent < 0 && errno == EINTR);
	return sent == n;
}

/* stderr is not ours alone, so its mode stays as it is: ask first whether it takes a line. */
static bool stderr_ready(const struct hd_log_output *out)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	int n;

	do
		n = poll(&pfd, 1, out->stalled ? 0 : STALL_WAIT_MS);
	while (n < 0 && errno == EINTR);
	return n == 1 && (pfd.revents & POLLOUT) && !(pfd.revents & (POLLERR | POLLNVAL));
}

static bool stderr_put(const struct hd_log_output *out, const char *text, size_t len)
{
	ssize_t n;

	/* A stream socket may be writable and yet have no room for the whole line. */
	do
		n = out->is_socket ? send(STDERR_FILENO, text, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				   : write(STDERR_FILENO, text, len);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

static bool stderr_write(const struct hd_log_output *out, enum hd_log_level level, const char *text)
{
	char buf[HD_LOG_LINE_MAX + 16];
	int n;

	n = snprintf(buf, sizeof(buf), "<%d>%s\n", (int)level, text);
	if (n < 0 || (size_t)n >= sizeof(buf) || !stderr_ready(out))
		return false;
	return stderr_put(out, buf, (size_t)n);
}

/* Tells of lost lines as soon as there is a reader again. */
static void stderr_write_or_count(struct hd_log_output *out, const struct hd_log_line *line)
{
	if (out->lost > 0) {
		char text[64];

		(void)snprintf(text, sizeof(text), "log: %" PRIu64 " lines lost, nobody read",
			       out->lost);
		if (stderr_write(out, HD_LOG_WARNING, text))
			out->lost = 0;
	}
	out->stalled = out->lost > 0 || !stderr_write(out, line->level, line->text);
	if (out->stalled)
		out->lost++;
}

void hd_log_output_write(struct hd_log_output *out, const struct hd_log_line *line)
{
	int saved = errno;

	(void)pthread_mutex_lock(&out->lock);
	if (!wants_journal(out) || !journal_send(out, line))
		stderr_write_or_count(out, line);
	(void)pthread_mutex_unlock(&out->lock);
	errno = saved;
}
