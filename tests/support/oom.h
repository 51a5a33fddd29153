/*
 * oom.h - makes failure ordinary: repeats a test with its first, second, third ... allocation (and
 * eventfd() and pthread_create()) failing, until a round needs none of them to fail.
 *
 * In CMakeLists.txt: hd_add_test(... LIBS hd_<folder> hd_test_oom). What the code under test links
 * statically is seen; allocations inside shared libraries are not.
 */
#ifndef SUPPORT_OOM_H
#define SUPPORT_OOM_H

/**
 * @param fn  one whole life of the object under test: makes it, uses it, frees it. Returns 0 or the
 *            error it met.
 *
 * The cmocka test fails when a round returns anything but 0, HD_ENOMEM or HD_ESYSTEM, when one
 * without a failure returns an error, when one leaves something allocated, or when no allocation
 * was ever seen.
 */
void oom_loop(int (*fn)(void *arg), void *arg);

/** For libraries that take an allocator: malloc(), realloc() and free() of the same kind. */
void *oom_malloc(unsigned long n);
void *oom_realloc(void *p, unsigned long n);
void oom_free(void *p);

#endif
