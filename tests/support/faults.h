/*
 * faults.h - system calls on files that fail when a test wants it.
 *
 * Linked into a test program, faults.c stands in front of the C library for the program and for
 * the shared libraries it uses. Armed, it counts the calls of one kind on regular files and
 * folders, and lets the n-th fail, or all from the n-th on.
 */
#ifndef HOTDESK_TESTS_FAULTS_H
#define HOTDESK_TESTS_FAULTS_H

#include <stdbool.h>

enum fault_call {
	FAULT_OPEN,	/* open, openat */
	FAULT_WRITE,	/* write, pwrite, writev, pwritev */
	FAULT_SYNC,	/* fsync, fdatasync, msync */
	FAULT_ALLOCATE, /* ftruncate, posix_fallocate, fallocate */
	FAULT_MAP,	/* mmap of a file */
	FAULT_RENAME,
};

struct fault {
	enum fault_call call;
	unsigned nth; /* from 1 */
	int err;      /* errno; 0 with FAULT_WRITE: a short write that reports no error */
	bool lasting; /* also every later one */
	bool done;    /* writes and flushes: the n-th does its work, and then reports err */
};

void fault_arm(const struct fault *fault);
void fault_disarm(void);
/** True when a call has failed since arming. */
bool fault_hit(void);

#endif
