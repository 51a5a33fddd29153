/*
 * mem_table.h - the memory store's table: records sorted by key in an array that snapshots share.
 *
 * A table and a record are counted; neither changes once it is shared. The caller serialises.
 */
#ifndef HOTDESK_STORE_MEM_TABLE_H
#define HOTDESK_STORE_MEM_TABLE_H

#include "hotdesk/base/str.h"

struct mem_record {
	size_t refs;
	size_t key_len;
	size_t value_len;
	char bytes[]; /* key, value */
};

struct mem_table {
	size_t refs;
	size_t n, size;
	size_t bytes; /* of keys and values */
	struct mem_record **records;
};

/** Empty, with one reference; NULL without memory. */
struct mem_table *hd_mem_table_new(void);
/** An own copy that shares the records; NULL without memory. */
struct mem_table *hd_mem_table_dup(const struct mem_table *t);
void hd_mem_table_unref(struct mem_table *t);
/** @return the place of the first key >= key; *foundp tells whether it is equal */
size_t hd_mem_table_find(const struct mem_table *t, struct hd_slice key, bool *foundp);
/** @return 0 or HD_ENOMEM */
HD_MUSTCHECK int hd_mem_table_put(struct mem_table *t, struct hd_slice key, struct hd_slice value);
void hd_mem_table_remove(struct mem_table *t, size_t at);
struct hd_slice hd_mem_record_key(const struct mem_record *r);
struct hd_slice hd_mem_record_value(const struct mem_record *r);

#endif
