/*
 * test_oom.c - memory ends after n allocations, for every n: an error each time, and nothing is
 * leaked or half done. Takes the place of malloc for the libraries too, so it stands aside for
 * sanitizers.
 */
#include "conf_support.h"

#include "hotdesk/directory_file.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifndef SANITIZED

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static long left = -1; /* allocations that still succeed; below 0: all */
static long held;      /* blocks allocated and not released */

static int refused(void)
{
	if (left > 0)
		left--;
	else if (left == 0)
		return 1;
	return 0;
}

void *malloc(size_t size)
{
	void *p = refused() ? NULL : __libc_malloc(size);

	held += p != NULL;
	return p;
}

void *calloc(size_t nmemb, size_t size)
{
	void *p = refused() ? NULL : __libc_calloc(nmemb, size);

	held += p != NULL;
	return p;
}

void *realloc(void *ptr, size_t size)
{
	void *p = refused() ? NULL : __libc_realloc(ptr, size);

	held += !ptr && p;
	return p;
}

void free(void *ptr)
{
	held -= ptr != NULL;
	__libc_free(ptr);
}

struct outcome {
	int err;
	bool full; /* an object came out */
	bool said; /* errors came out */
	long leaked;
};

static const char good_conf[] =
	"sip: {aliases: [a, b], realm: x, listen: ['tls:[::]:0'], tls_key: /proc/self/status,\n"
	"  tls_certificate: /proc/self/status}\n"
	"log: {subsystems: [{subsystem: a, level: info}]}\n";
static const char bad_conf[] = "sip: {domian: 1, t1_ms: x}\nlog: {level: 3}\n";
static const char good_directory[] = "users: [{number: 1, pin: 471147, name: x}]\n"
				     "phones: [{id: a, mac: 000413aabb01, secret: s}]\n";

static struct outcome run(const char *text, bool directory, long allocations)
{
	struct outcome o = { .leaked = held };
	struct hd_directory_file *file = NULL;
	struct hd_conf *conf = NULL;
	struct hd_buf errors = { 0 };

	left = allocations;
	if (directory)
		o.err = hd_directory_file_parse(&file, hd_slice_of(text), "t", &errors);
	else
		o.err = hd_conf_parse(&conf, hd_slice_of(text), "t", &errors);
	left = -1;
	o.full = conf || file;
	o.said = errors.len > 0;
	hd_conf_free(conf);
	hd_directory_file_free(file);
	hd_buf_fini(&errors);
	o.leaked = held - o.leaked;
	return o;
}

static void check(const char *text, bool directory, int final)
{
	const struct outcome all = run(text, directory, -1);
	struct outcome o = { .err = HD_ENOMEM };
	long n = 0;

	assert_int_equal(all.err, final);
	for (; n < 10000 && (o.err != final || o.said != all.said); n++) {
		o = run(text, directory, n);
		/* With the memory of the errors gone there may be none to tell. */
		if ((o.err != HD_ENOMEM && o.err != final) || o.full != (o.err == 0) || o.leaked)
			fail_msg("%ld allocations: error %d, full %d, leaked %ld", n, o.err, o.full,
				 o.leaked);
	}
	assert_int_equal(o.err, final);
	assert_true(n > 10);
}

static void test_oom(void **state)
{
	(void)state;
	check(good_conf, false, 0);
	check(bad_conf, false, HD_EPARSE);
	check(good_directory, true, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_oom) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	return 77; /* skipped */
}

#endif
