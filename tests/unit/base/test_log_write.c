/* test_log_write.c - where a line goes: stderr that is read, is not read, is gone; journald. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/log.h"

#include "base/base_priv.h"

/* 1000 lines that waited would take 100 s; a busy machine is slow without waiting. */
enum { WAITED_MS = 30000 };

static int saved_stderr = -1;
static int reader = -1; /* the other end of stderr */

static void stderr_to(int fd)
{
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(close(fd), 0);
}

/* One read: a line must come in one piece. */
static const char *stderr_read(void)
{
	static char text[8192];
	ssize_t n = read(reader, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static int setup(void **state)
{
	int fds[2];

	(void)state;
	hd_log_set_format(HD_LOG_STDERR);
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	reader = fds[0];
	stderr_to(fds[1]);
	/* what an earlier test's reader lost is told now, not in the middle of this test */
	hd_info("setup", "ready");
	(void)stderr_read();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	if (reader >= 0)
		(void)close(reader);
	hd_log_set_format(HD_LOG_AUTO);
	hd_log_set_journal_path(NULL);
	(void)unsetenv("JOURNAL_STREAM");
	return 0;
}

static bool nothing_written(void)
{
	struct pollfd pfd = { .fd = reader, .events = POLLIN };

	return poll(&pfd, 1, 0) == 0;
}

static void test_stderr(void **state)
{
	(void)state;
	hd_info("registrar", "%s: bound", "desk-101");
	assert_string_equal(stderr_read(), "<6>registrar: desk-101: bound\n");
	hd_error("store", "J\xc3\xbcrgen");
	assert_string_equal(stderr_read(), "<3>store: J\xc3\xbcrgen\n");
}

static void test_errno_survives(void **state)
{
	(void)state;
	errno = ENOLINK;
	hd_info("x", "y");
	assert_int_equal(errno, ENOLINK);
	assert_string_equal(stderr_read(), "<6>x: y\n");
}

static void test_longest_line_is_one_write(void **state)
{
	char text[9000];

	(void)state;
	memset(text, '\1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	hd_info("x", "%s", text);
	assert_true(strlen(stderr_read()) <= 4096); /* PIPE_BUF: not mixed with other writers' */
	assert_true(nothing_written());
}

/* A reader that stopped reading costs one short wait, then lines are dropped and counted. */
static void test_stalled_reader(void **state)
{
	char page[4096];
	char text[512];
	int64_t began;
	int64_t took;
	int flags;
	bool told = false;

	(void)state;
	memset(page, 'f', sizeof(page));
	flags = fcntl(STDERR_FILENO, F_GETFL);
	assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(STDERR_FILENO, page, sizeof(page)) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags), 0);

	began = hd_clock_mono_ms(NULL);
	for (int i = 0; i < 1000; i++)
		hd_info("x", "dropped %d", i);
	took = hd_clock_mono_ms(NULL) - began;
	if (took > WAITED_MS)
		fail_msg("1000 lines without a reader took %lld ms", (long long)took);
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL), flags); /* nobody else's mode was changed */

	while (!nothing_written())
		assert_int_equal(stderr_read()[0], 'f');
	hd_info("x", "back");
	while (!nothing_written()) {
		(void)snprintf(text, sizeof(text), "%s", stderr_read());
		told = told || strstr(text, "<4>log: 1000 lines lost, nobody read\n");
	}
	assert_true(told);
	assert_non_null(strstr(text, "<6>x: back\n"));
	hd_info("x", "as before");
	assert_string_equal(stderr_read(), "<6>x: as before\n");
}

/* A stream socket (journald's stdout) may take part of a line; sends must not wait either. */
static void test_stalled_socket(void **state)
{
	char text[2000];
	int64_t began;
	int fds[2];

	(void)state;
	assert_int_equal(teardown(NULL), 0);
	hd_log_set_format(HD_LOG_STDERR);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	reader = fds[0];
	stderr_to(fds[1]);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	began = hd_clock_mono_ms(NULL);
	for (int i = 0; i < 2000; i++)
		hd_info("x", "%s", text);
	assert_true(hd_clock_mono_ms(NULL) - began < WAITED_MS);
	assert_int_equal(strncmp(stderr_read(), "<6>x: xxx", 9), 0);
}

static void test_no_reader(void **state)
{
	(void)state;
	assert_int_equal(close(reader), 0);
	reader = -1;
	hd_info("x", "nobody"); /* a signal would end the test here */
	assert_int_equal(close(STDERR_FILENO), 0);
	hd_info("x", "no descriptor");
}

static void test_journal_stream(void **state)
{
	char value[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(value, sizeof(value), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_true(hd_log_is_journal_stream(value, STDERR_FILENO));
	assert_false(hd_log_is_journal_stream(value, reader + 1000));
	assert_false(hd_log_is_journal_stream("1:2", STDERR_FILENO));
	assert_false(hd_log_is_journal_stream("", STDERR_FILENO));
	assert_false(hd_log_is_journal_stream(NULL, STDERR_FILENO));
}

static char journal_dir[64];
static char journal_path[96];

static int journal_new(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(journal_dir, "/tmp/hd-log-XXXXXX", sizeof("/tmp/hd-log-XXXXXX"));
	assert_non_null(mkdtemp(journal_dir));
	(void)snprintf(journal_path, sizeof(journal_path), "%s/socket", journal_dir);
	assert_int_equal(hd_str_set(addr.sun_path, sizeof(addr.sun_path), journal_path), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	hd_log_set_journal_path(journal_path);
	return fd;
}

static void journal_free(int fd)
{
	assert_int_equal(close(fd), 0);
	(void)unlink(journal_path);
	assert_int_equal(rmdir(journal_dir), 0);
}

static void test_journal(void **state)
{
	char text[8192];
	ssize_t n;
	int fd = journal_new();

	(void)state;
	hd_log_set_format(HD_LOG_JOURNAL);
	hd_log_call(HD_LOG_WARNING, "proxy", "abc@pc", "%s: busy\nMESSAGE=forged", "201");
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "MESSAGE=proxy: 201: busy\\x0aMESSAGE=forged call-id=abc@pc\n"
				  "PRIORITY=4\nSYSLOG_IDENTIFIER=hotdeskd\nSUBSYSTEM=proxy\n"
				  "CALL_ID=abc@pc\n");
	hd_info("store", "x");
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "MESSAGE=store: x\nPRIORITY=6\nSYSLOG_IDENTIFIER=hotdeskd\n"
				  "SUBSYSTEM=store\n");
	assert_true(nothing_written());

	/* journald is away: stderr, then back */
	assert_int_equal(unlink(journal_path), 0);
	hd_info("store", "to stderr");
	assert_string_equal(stderr_read(), "<6>store: to stderr\n");
	journal_free(fd);
}

static void test_journal_full(void **state)
{
	int fd = journal_new();
	int lines = 0;

	(void)state;
	hd_log_set_format(HD_LOG_JOURNAL);
	while (nothing_written() && lines < 100000) {
		hd_info("x", "line");
		lines++;
	}
	assert_string_equal(stderr_read(), "<6>x: line\n");
	journal_free(fd);
}

static void test_auto(void **state)
{
	char value[64];
	char text[512];
	struct stat st;
	int fd = journal_new();

	(void)state;
	hd_log_set_format(HD_LOG_AUTO);
	hd_info("x", "no stream");
	assert_string_equal(stderr_read(), "<6>x: no stream\n");
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(value, sizeof(value), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", value, 1), 0);
	hd_log_set_format(HD_LOG_AUTO);
	hd_info("x", "stream");
	assert_true(nothing_written());
	assert_true(recv(fd, text, sizeof(text), 0) > 0);
	assert_int_equal(strncmp(text, "MESSAGE=x: stream\n", 18), 0);
	hd_log_set_format(HD_LOG_STDERR);
	hd_info("x", "told so");
	assert_string_equal(stderr_read(), "<6>x: told so\n");
	journal_free(fd);
}

#define WITH_PIPE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PIPE(test_stderr),
		WITH_PIPE(test_errno_survives),
		WITH_PIPE(test_longest_line_is_one_write),
		WITH_PIPE(test_stalled_reader),
		WITH_PIPE(test_stalled_socket),
		WITH_PIPE(test_no_reader),
		WITH_PIPE(test_journal_stream),
		WITH_PIPE(test_journal),
		WITH_PIPE(test_journal_full),
		WITH_PIPE(test_auto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
