/*
 * recorder.h - the log that recorder.c writes: what a process did to its data.mdb, in order.
 *
 * recorder.so, preloaded into a process with HD_RECORDER_LOG=FILE, notes each write to a file named
 * data.mdb, each flush and rename of it, and what the process acknowledges. From the log, power.c
 * builds the disks that a power cut at any point could have left.
 */
#ifndef HOTDESK_TESTS_RECORDER_H
#define HOTDESK_TESTS_RECORDER_H

#include <stddef.h>
#include <stdint.h>

enum recorder_kind {
	RECORDER_OPEN = 1,   /* the file is looked at first; payload: what it held, on the disk */
	RECORDER_WRITE,	     /* payload: the bytes; on the disk only after a flush */
	RECORDER_FLUSH,	     /* everything written before is on the disk */
	RECORDER_FLUSH_LAST, /* the write before this one is (O_DSYNC), nothing else */
	RECORDER_RENAME,     /* the file has its place now */
	RECORDER_FOLDER,     /* a folder was flushed: renames before are on the disk */
	RECORDER_ACK,	     /* payload: what was acknowledged */
};

/** Followed by len bytes, padded to 8. */
struct recorder_entry {
	uint32_t kind;
	uint32_t len;
	uint64_t file; /* inode */
	uint64_t offset;
};

static inline size_t recorder_padded(size_t len)
{
	return (len + 7) / 8 * 8;
}

/** In recorder.so; a program finds it by dlsym(). Without a log it does nothing. */
typedef void recorder_ack_fn(const void *payload, size_t len);
recorder_ack_fn hd_recorder_ack;

#endif
