/* import_file.c - from a parsed directory file to records; every refusal names its line. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/directory_file.h"

#include "admin_priv.h"

static void say(struct hd_buf *errors, const char *name, unsigned line, const char *what,
		const char *why)
{
	hd_buf_addf(errors, "%s%s:%u: %s: %s", errors->len ? "\n" : "", name, line, what, why);
}

/* @return 0 or HD_EACCESS, said */
static int user_convert(struct hd_user *to, const struct hd_file_user *from,
			const struct hd_admin *admin, const char *name, struct hd_buf *errors)
{
	const char *why = "a value is too long";
	int err;

	to->roaming = from->roaming;
	to->disabled = from->disabled;
	err = hd_str_set(to->number, sizeof(to->number), from->number);
	if (!err)
		err = hd_str_set(to->name, sizeof(to->name), from->name);
	if (!err)
		err = hd_str_set(to->language, sizeof(to->language), from->language);
	if (!err)
		err = hd_str_set(to->logout, sizeof(to->logout), from->logout);
	if (!err)
		err = hd_str_set(to->group, sizeof(to->group), from->group);
	if (!err)
		err = hd_str_set(to->call_list, sizeof(to->call_list), from->call_list);
	if (!err)
		err = hd_str_set(to->class, sizeof(to->class), from->class);
	if (!err && from->class && admin->o.has_class &&
	    !admin->o.has_class(admin->o.arg, from->class)) {
		why = "its class is none of rights.classes";
		err = HD_ENOENT;
	}
	if (!err && from->pin)
		err = hd_pin_check(&admin->o.policies.pin, hd_slice_of(from->pin), from->number,
				   &why);
	if (!err)
		return 0;
	say(errors, name, from->line, from->number, why);
	return HD_EACCESS;
}

static int phone_convert(struct hd_phone *to, const struct hd_file_phone *from, const char *realm,
			 const char *name, struct hd_buf *errors)
{
	int err;

	to->disabled = from->disabled;
	err = hd_str_set(to->id, sizeof(to->id), from->id);
	if (!err)
		err = hd_str_set(to->label, sizeof(to->label), from->label);
	if (!err)
		err = hd_str_set(to->model, sizeof(to->model), from->model);
	if (!err)
		err = hd_str_set(to->owner, sizeof(to->owner), from->owner);
	if (!err)
		err = hd_str_set(to->logout, sizeof(to->logout), from->logout);
	if (!err)
		err = hd_str_set(to->location, sizeof(to->location), from->location);
	if (!err && from->mac)
		err = hd_mac_parse(to->mac, hd_slice_of(from->mac));
	if (err) {
		say(errors, name, from->line, from->id, "a value is too long or malformed");
		return HD_EACCESS;
	}
	if (from->secret)
		hd_phone_set_secret(to, realm, hd_slice_of(from->secret));
	return 0;
}

int import_records(struct hd_directory_batch *batch, const struct hd_directory_file *file,
		   const struct hd_admin *admin, const char *name, struct hd_buf *errors)
{
	int err = 0;

	memset(batch, 0, sizeof(*batch));
	/* One more than none, so that NULL means no memory. */
	batch->users = calloc(file->n_users + 1, sizeof(*batch->users));
	batch->phones = calloc(file->n_phones + 1, sizeof(*batch->phones));
	batch->changes = calloc(file->n_users + file->n_phones + 1, sizeof(*batch->changes));
	if (!batch->users || !batch->phones || !batch->changes)
		return HD_ENOMEM;
	batch->n_users = file->n_users;
	batch->n_phones = file->n_phones;
	for (size_t i = 0; i < file->n_users; i++)
		if (user_convert(&batch->users[i], &file->users[i], admin, name, errors))
			err = HD_EACCESS;
	for (size_t i = 0; i < file->n_phones; i++)
		if (phone_convert(&batch->phones[i], &file->phones[i], admin->realm, name, errors))
			err = HD_EACCESS;
	return err;
}

void import_records_free(struct hd_directory_batch *batch)
{
	if (batch->users)
		hd_wipe(batch->users, batch->n_users * sizeof(*batch->users));
	if (batch->phones)
		hd_wipe(batch->phones, batch->n_phones * sizeof(*batch->phones));
	free(batch->users);
	free(batch->phones);
	free(batch->changes);
	memset(batch, 0, sizeof(*batch));
}

int import_hash(struct hd_user *to, const struct hd_file_user *from, const char *stored,
		const struct hd_key *pepper, const struct hd_pin_cost *cost)
{
	struct hd_slice pin = hd_slice_of(from->pin);
	int err;

	if (stored[0]) {
		err = hd_pin_verify(stored, pin, pepper);
		if (!err)
			return hd_str_set(to->pin_hash, sizeof(to->pin_hash), stored);
		if (err != HD_EACCESS)
			return err;
	}
	return hd_pin_hash(to->pin_hash, pin, pepper, cost);
}

int import_keys(struct hd_phone_key *to, const struct hd_file_key *from, size_t n)
{
	const char *why;
	uint64_t place;
	int err = 0;

	if (n > HD_PHONE_KEYS_MAX)
		return HD_ELIMIT;
	for (size_t i = 0; !err && i < n; i++) {
		place = 0;
		memset(&to[i], 0, sizeof(to[i]));
		if (from[i].place)
			err = hd_u64_parse(&place, hd_slice_of(from[i].place), HD_PHONE_KEYS_MAX);
		to[i].place = (uint8_t)place;
		if (!err)
			err = hd_phone_key_parse(&to[i].type, from[i].type);
		if (!err)
			err = hd_str_set(to[i].label, sizeof(to[i].label), from[i].label);
		if (!err)
			err = hd_str_set(to[i].value, sizeof(to[i].value), from[i].value);
		/* The file was checked for all of it. */
		if (err || hd_phone_key_check(&to[i], &why))
			err = HD_EINVAL;
	}
	return err;
}

void import_culprit(struct hd_buf *errors, const struct hd_directory_file *file, const char *name,
		    const struct hd_directory_batch *batch, int err)
{
	size_t bad = batch->bad;
	const char *why = hd_strerror(err);

	if (err == HD_ELIMIT)
		why = "its keys are longer than 16 KiB altogether";
	if (bad < file->n_users) {
		if (err == HD_EEXIST)
			why = "there is a phone with this id";
		say(errors, name, file->users[bad].line, file->users[bad].number, why);
		return;
	}
	bad -= file->n_users;
	if (bad >= file->n_phones) {
		hd_buf_addf(errors, "%s: %s", name, why);
		return;
	}
	if (err == HD_EEXIST)
		why = "there is a user with this number, or another phone with this MAC";
	else if (err == HD_ENOENT)
		why = "its owner is not a user";
	say(errors, name, file->phones[bad].line, file->phones[bad].id, why);
}
