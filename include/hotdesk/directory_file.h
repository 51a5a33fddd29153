/*
 * directory_file.h - the directory file (users:, phones:) that import reads; or CSV.
 *
 * Layer: 1 (conf).  May include: base.  Thread: anywhere.
 */
#ifndef HOTDESK_DIRECTORY_FILE_H
#define HOTDESK_DIRECTORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/error.h"
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
	char *class;		 /* of service; NULL: rights.users */
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
	char *logout;	/* NULL: as the user's */
	char *location; /* for emergency calls, or NULL */
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
	bool partial; /* CSV: what has no column stays as it is stored */
	uint32_t users_given, phones_given;
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
/**
 * The same from CSV (RFC 4180) with the names of columns in its first line; hotdeskctl(1) has them.
 * A row is a user, a phone (columns that begin with "phone"), or both.
 * @param loose columns that nobody knows are ignored, not refused
 */
HD_MUSTCHECK int hd_directory_csv_parse(struct hd_directory_file **fp, struct hd_slice text,
					const char *name, bool loose, struct hd_buf *errors);
/** Whether the file says anything about a field ("name", "pin"), were it only that it is empty. */
bool hd_directory_file_says(const struct hd_directory_file *file, bool phone, const char *field);
void hd_directory_file_free(struct hd_directory_file *file);

#endif
