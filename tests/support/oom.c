/* oom.c - see oom.h. Linked with --wrap for each function below. */
#include "support/oom.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/error.h"

enum { ROUNDS_MAX = 10000 };

/* The linker's names for the functions themselves and for what is called instead of them. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
int __real_eventfd(unsigned int initial, int flags);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void __wrap_free(void *p);
int __wrap_eventfd(unsigned int initial, int flags);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);

static atomic_bool armed;
static atomic_long left; /* this many more succeed */
static atomic_bool failed;
static atomic_long seen;
static atomic_long live;

/* True when this call is the one that fails. */
static bool fault(void)
{
	if (!atomic_load(&armed))
		return false;
	(void)atomic_fetch_add(&seen, 1);
	if (atomic_fetch_sub(&left, 1) != 0)
		return false;
	atomic_store(&failed, true);
	errno = ENOMEM;
	return true;
}

static void *count(void *p)
{
	if (p)
		(void)atomic_fetch_add(&live, 1);
	return p;
}

void *__wrap_malloc(size_t n)
{
	return fault() ? NULL : count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fault() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	if (fault())
		return NULL;
	return p ? __real_realloc(p, n) : count(__real_realloc(NULL, n));
}

char *__wrap_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = __wrap_malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

char *__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}

void __wrap_free(void *p)
{
	if (p)
		(void)atomic_fetch_sub(&live, 1);
	__real_free(p);
}

int __wrap_eventfd(unsigned int initial, int flags)
{
	return fault() ? -1 : __real_eventfd(initial, flags);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg)
{
	return fault() ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

void *oom_malloc(unsigned long n)
{
	return __wrap_malloc(n);
}

void *oom_realloc(void *p, unsigned long n)
{
	return __wrap_realloc(p, n);
}

void oom_free(void *p)
{
	__wrap_free(p);
}

void oom_loop(int (*fn)(void *arg), void *arg)
{
	long before;
	int err;

	atomic_store(&seen, 0);
	for (long i = 0; i < ROUNDS_MAX; i++) {
		before = atomic_load(&live);
		atomic_store(&left, i);
		atomic_store(&failed, false);
		atomic_store(&armed, true);
		err = fn(arg);
		atomic_store(&armed, false);

		if (err && err != HD_ENOMEM && err != HD_ESYSTEM)
			fail_msg("failure %ld: expected an allocation error, got %d (%s)", i, err,
				 hd_strerror(err));
		if (atomic_load(&live) != before)
			fail_msg("failure %ld: %ld blocks left over", i,
				 atomic_load(&live) - before);
		if (!atomic_load(&failed)) {
			assert_int_equal(err, 0);
			assert_true(atomic_load(&seen) > 0);
			return;
		}
	}
	fail_msg("still failing after %d rounds", ROUNDS_MAX);
}
