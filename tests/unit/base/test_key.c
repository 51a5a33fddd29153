/* test_key.c - the file of the master key: made once, kept, refused when others can read it. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"

enum { LOADERS = 8 };

static char dir[64];
static char path[96];

static int setup(void **state)
{
	(void)state;
	memcpy(dir, "/tmp/hd-key-XXXXXX", sizeof("/tmp/hd-key-XXXXXX"));
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/master.key", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	/* fails, and with it the test, when a temporary file stayed behind */
	return rmdir(dir);
}

static void file_write(size_t n, mode_t mode)
{
	const char bytes[64] = "0123456789abcdef0123456789abcdef";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void test_made_once(void **state)
{
	struct hd_key first = { { 0 } };
	struct hd_key again = { { 0 } };
	const struct hd_key zero = { { 0 } };
	struct stat st;

	(void)state;
	assert_int_equal(hd_key_load(&first, path), 0);
	assert_memory_not_equal(&first, &zero, sizeof(first));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, HD_KEY_BYTES);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(hd_key_load(&again, path), 0);
	assert_memory_equal(&first, &again, sizeof(first));
}

static void test_refused(void **state)
{
	static const struct {
		size_t n;
		mode_t mode;
		int err;
	} cases[] = {
		{ 32, 0600, 0 },	  { 32, 0400, 0 },	    { 32, 0640, HD_EACCESS },
		{ 32, 0604, HD_EACCESS }, { 32, 0620, HD_EACCESS }, { 32, 0601, HD_EACCESS },
		{ 31, 0600, HD_EACCESS }, { 33, 0600, HD_EACCESS }, { 0, 0600, HD_EACCESS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hd_key key = { { 9 } };
		int err;

		file_write(cases[i].n, cases[i].mode);
		err = hd_key_load(&key, path);
		if (err != cases[i].err)
			fail_msg("%zu bytes, mode %o: expected %d, got %d", cases[i].n,
				 cases[i].mode, cases[i].err, err);
		assert_int_equal(key.bytes[0], err ? 9 : '0');
		assert_int_equal(unlink(path), 0);
	}
}

/* systemd shows its access list as the group's read bit. */
static void test_credential(void **state)
{
	struct hd_key key;

	(void)state;
	file_write(32, 0440);
	assert_int_equal(hd_key_load(&key, path), HD_EACCESS);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_int_equal(hd_key_load(&key, path), 0);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(hd_key_load(&key, path), HD_EACCESS);
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/tmp/hd", 1), 0);
	assert_int_equal(hd_key_load(&key, path), HD_EACCESS);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void test_no_place(void **state)
{
	struct hd_key key;

	(void)state;
	assert_int_equal(hd_key_load(&key, "/nonexistent/hotdeskd/key"), HD_ESYSTEM);
	assert_int_equal(hd_key_load(&key, dir), HD_EACCESS); /* a directory */
	assert_int_equal(hd_key_load(&key, ""), HD_EACCESS);
	assert_int_equal(hd_key_load(&key, NULL), HD_EACCESS);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not wait for a writer */
	assert_int_equal(hd_key_load(&key, path), HD_EACCESS);
}

static void *loader_main(void *arg)
{
	struct hd_key *key = arg;

	return hd_key_load(key, path) ? "failed" : NULL;
}

/* Two daemons started at once must not each use a key of their own. */
static void test_race(void **state)
{
	struct hd_key keys[LOADERS];
	pthread_t threads[LOADERS];

	(void)state;
	for (int i = 0; i < LOADERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, loader_main, &keys[i]), 0);
	for (int i = 0; i < LOADERS; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
		assert_memory_equal(&keys[i], &keys[0], sizeof(keys[0]));
	}
}

static void test_relative_path(void **state)
{
	struct hd_key key;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(here >= 0);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(hd_key_load(&key, "master.key"), 0);
	assert_int_equal(fchdir(here), 0);
	assert_int_equal(close(here), 0);
	assert_int_equal(access(path, R_OK), 0);
}

static int init(void **state)
{
	(void)state;
	return hd_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_credential, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_relative_path, setup, teardown),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
