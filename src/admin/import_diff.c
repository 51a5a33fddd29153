/* import_diff.c - an import against what is stored: what it leaves alone, and what it changes. */
#include <stddef.h>
#include <string.h>

#include "hotdesk/directory_file.h"

#include "admin_priv.h"

struct field {
	const char *name; /* as the file has it */
	size_t offset, size;
	bool flag;
};

#define USER(member)                                                                               \
#member, offsetof(struct hd_user, member), sizeof(((struct hd_user *)0)->member)
#define PHONE(member)                                                                              \
#member, offsetof(struct hd_phone, member), sizeof(((struct hd_phone *)0)->member)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct field user_fields[] = {
	{ USER(name), false },	 { USER(language), false },  { USER(logout), false },
	{ USER(group), false },	 { USER(call_list), false }, { USER(class), false },
	{ USER(roaming), true }, { USER(disabled), true },
};
static const struct field phone_fields[] = {
	{ PHONE(mac), false },	   { PHONE(model), false },  { PHONE(label), false },
	{ PHONE(owner), false },   { PHONE(logout), false }, { PHONE(location), false },
	{ PHONE(disabled), true },
};

/* ---- merging --------------------------------------------------------------------------------- */

static int hoteling_merge(struct hd_file_user *user, const struct hd_admin *admin,
			  struct hd_txn *txn)
{
	struct hd_settings settings;
	int err = hd_settings_get(admin->o.settings, txn, user->number, &settings);

	if (!err)
		user->hoteling = settings.hoteling;
	return err == HD_ECORRUPT ? 0 : err;
}

static void record_merge(void *to, const void *stored, const struct field *fields, size_t n,
			 const struct hd_directory_file *file, bool phone)
{
	for (size_t i = 0; i < n; i++)
		if (!hd_directory_file_says(file, phone, fields[i].name))
			memcpy((char *)to + fields[i].offset,
			       (const char *)stored + fields[i].offset, fields[i].size);
}

static int user_merge(struct hd_user *to, struct hd_file_user *from,
		      const struct hd_directory_file *file, const struct hd_admin *admin,
		      struct hd_txn *txn)
{
	struct hd_user stored;
	int err = hd_user_get(admin->o.directory, txn, to->number, &stored);

	if (!err)
		record_merge(to, &stored, user_fields, COUNT(user_fields), file, false);
	if (!err && !hd_directory_file_says(file, false, "hoteling"))
		err = hoteling_merge(from, admin, txn);
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

static int phone_merge(struct hd_phone *to, const struct hd_directory_file *file,
		       const struct hd_admin *admin, struct hd_txn *txn)
{
	struct hd_phone stored;
	int err = hd_phone_get(admin->o.directory, txn, to->id, &stored);

	if (!err)
		record_merge(to, &stored, phone_fields, COUNT(phone_fields), file, true);
	return err == HD_ENOENT || err == HD_ECORRUPT ? 0 : err;
}

int import_merge(struct hd_directory_batch *batch, const struct hd_directory_file *file,
		 const struct hd_admin *admin, struct hd_txn *txn)
{
	int err = 0;

	if (!file->partial)
		return 0;
	for (size_t i = 0; !err && i < batch->n_users; i++)
		err = user_merge(&batch->users[i], &file->users[i], file, admin, txn);
	for (size_t i = 0; !err && i < batch->n_phones; i++)
		err = phone_merge(&batch->phones[i], file, admin, txn);
	return err;
}

/* ---- the difference -------------------------------------------------------------------------- */

/* One row, whose "changes" are written as they are found. */
struct row {
	struct hd_json *j;
	bool added, changed;
};

static void row_begin(struct row *row, unsigned line, const char *kind, const char *name)
{
	hd_json_object(row->j, NULL);
	hd_json_uint(row->j, "line", line);
	hd_json_str(row->j, "kind", kind);
	hd_json_str(row->j, "name", name);
	hd_json_array(row->j, "changes");
}

static void row_end(struct row *row)
{
	hd_json_array_end(row->j);
	hd_json_str(row->j, "result",
		    row->added	   ? "added"
		    : row->changed ? "changed"
				   : "unchanged");
	hd_json_object_end(row->j);
}

static void value_say(struct hd_json *j, const char *key, const struct field *field,
		      const void *record)
{
	const char *at = (const char *)record + field->offset;
	bool truth;

	if (!field->flag) {
		hd_json_str(j, key, at);
		return;
	}
	memcpy(&truth, at, sizeof(truth));
	hd_json_bool(j, key, truth);
}

static bool is_equal(const struct field *field, const void *a, const void *b)
{
	const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;

	return field->flag ? memcmp(x, y, field->size) == 0 : strcmp(x, y) == 0;
}

/* @param stored NULL: there is none */
static void fields_say(struct row *row, const struct field *fields, size_t n, const void *stored,
		       const void *wanted)
{
	for (size_t i = 0; stored && i < n; i++) {
		if (is_equal(&fields[i], stored, wanted))
			continue;
		row->changed = true;
		hd_json_object(row->j, NULL);
		hd_json_str(row->j, "field", fields[i].name);
		value_say(row->j, "from", &fields[i], stored);
		value_say(row->j, "to", &fields[i], wanted);
		hd_json_object_end(row->j);
	}
}

/* That something changes whose values are not to be shown. */
static void change_say(struct row *row, const char *field)
{
	row->changed = true;
	hd_json_object(row->j, NULL);
	hd_json_str(row->j, "field", field);
	hd_json_object_end(row->j);
}

static int keys_say(struct row *row, const struct hd_admin *admin, struct hd_txn *txn,
		    const struct key_list *of, const struct hd_file_key *from)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	const struct key_list list = { of->kind, of->name, keys, of->n };
	bool changed = false;
	int err = import_keys(keys, from, list.n);

	if (!err)
		err = keys_compare(txn, admin, &list, &changed);
	if (changed)
		change_say(row, "keys");
	return err;
}

static int hoteling_say(struct row *row, const struct hd_admin *admin, struct hd_txn *txn,
			const struct hd_file_user *wanted)
{
	struct hd_settings settings;
	int err = hd_settings_get(admin->o.settings, txn, wanted->number, &settings);

	if (err)
		return err == HD_ECORRUPT ? 0 : err;
	if (settings.hoteling != wanted->hoteling)
		change_say(row, "hoteling");
	return 0;
}

static int user_diff(struct hd_json *j, const struct hd_user *user, const struct hd_file_user *from,
		     const struct hd_admin *admin, struct hd_txn *txn)
{
	const struct key_list keys = { 'u', user->number, NULL, from->n_keys };
	struct row row = { .j = j };
	struct hd_user stored;
	int err = hd_user_get(admin->o.directory, txn, user->number, &stored);

	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	row.added = err == HD_ENOENT;
	row.changed = err == HD_ECORRUPT;
	row_begin(&row, from->line, "user", user->number);
	fields_say(&row, user_fields, COUNT(user_fields), err ? NULL : &stored, user);
	if (from->pin && (err || strcmp(stored.pin_hash, user->pin_hash) != 0))
		change_say(&row, "pin");
	err = hoteling_say(&row, admin, txn, from);
	if (!err && from->keys_line)
		err = keys_say(&row, admin, txn, &keys, from->keys);
	row_end(&row);
	return err;
}

static int phone_diff(struct hd_json *j, const struct hd_phone *phone,
		      const struct hd_file_phone *from, const struct hd_admin *admin,
		      struct hd_txn *txn)
{
	const struct key_list keys = { 'p', phone->id, NULL, from->n_keys };
	struct row row = { .j = j };
	struct hd_phone stored;
	int err = hd_phone_get(admin->o.directory, txn, phone->id, &stored);

	if (err && err != HD_ENOENT && err != HD_ECORRUPT)
		return err;
	row.added = err == HD_ENOENT;
	row.changed = err == HD_ECORRUPT;
	row_begin(&row, from->line, "phone", phone->id);
	fields_say(&row, phone_fields, COUNT(phone_fields), err ? NULL : &stored, phone);
	if (from->secret && (err || strcmp(stored.realm, phone->realm) != 0 ||
			     strcmp(stored.ha1_md5, phone->ha1_md5) != 0 ||
			     strcmp(stored.ha1_sha256, phone->ha1_sha256) != 0))
		change_say(&row, "secret");
	err = from->keys_line ? keys_say(&row, admin, txn, &keys, from->keys) : 0;
	row_end(&row);
	return err;
}

int import_diff(struct hd_json *j, const struct hd_directory_batch *batch,
		const struct hd_directory_file *file, const struct hd_admin *admin,
		struct hd_txn *txn)
{
	int err = 0;

	hd_json_array(j, "rows");
	for (size_t i = 0; !err && i < batch->n_users; i++)
		err = user_diff(j, &batch->users[i], &file->users[i], admin, txn);
	for (size_t i = 0; !err && i < batch->n_phones; i++)
		err = phone_diff(j, &batch->phones[i], &file->phones[i], admin, txn);
	hd_json_array_end(j);
	return err ? err : hd_buf_error(j->buf);
}
