/*
 * directory_file.h - the directory file (users:, phones:) that import reads.
 *
 * Layer: 1 (conf).  May include: base.  Thread: anywhere.
 */
#ifndef HOTDESK_DIRECTORY_FILE_H
#define HOTDESK_DIRECTORY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "hotdesk/base/str.h"

struct hd_file_key {
	char *place; /* "1".."120"; NULL: the next free one */
	char *type;  /* "speed-dial", "blf", "line", "url" */
	char *label, *value;
	unsigned line;
};
struct hd_file_user {
	char *number, *name;
	char *pin;		 /* NULL: keep the stored one */
	char *language;		 /* NULL: none */
	char *logout;		 /* NULL: as the configuration says */
	char *group, *call_list; /* NULL: none, the group's */
	bool roaming;		 /* true */
	bool disabled, hoteling;
	struct hd_file_key *keys; /* NULL without keys_line: keep the stored ones */
	size_t n_keys;
	unsigned line, keys_line; /* of "keys:", 0: absent */
};
struct hd_file_phone {
	char *id;
	char *secret; /* NULL: keep the stored one */
	char *mac, *model, *label, *owner;
	char *logout; /* NULL: as the user's */
	bool disabled;
	struct hd_file_key *keys;
	size_t n_keys;
	unsigned line, keys_line;
};
struct hd_directory_file {
	struct hd_file_user *users;
	size_t n_users;
	struct hd_file_phone *phones;
	size_t n_phones;
};
/**
 * Parses and checks form and duplicates; rules that need the store (owner exists, PIN policy) are
 * the caller's, with the line numbers given. Frees wipe pins and secrets.
 */
HD_MUSTCHECK int hd_directory_file_parse(struct hd_directory_file **fp, struct hd_slice text,
					 const char *name, struct hd_buf *errors);
/**
 * The same from a file of at most 32 MiB.
 * @return as above, and HD_ESYSTEM (cannot be read; errors tells)
 */
HD_MUSTCHECK int hd_directory_file_load(struct hd_directory_file **fp, const char *path,
					struct hd_buf *errors);
void hd_directory_file_free(struct hd_directory_file *file);

#endif
