/* users.c - users as they are. */
#include <string.h>

#include "admin_priv.h"

/* The phone where a user sits, null when nowhere. */
static int seat_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const char *number)
{
	struct hd_desk_session s;
	int err = hd_desk_get_by_user(admin->o.desk, txn, number, &s);

	if (!err)
		hd_json_str(j, "phone", s.phone);
	else
		hd_json_null(j, "phone");
	return err == HD_ENOENT ? 0 : err;
}

static int user_next(struct hd_directory *dir, struct hd_txn *txn, const char *after,
		     union record *record)
{
	return hd_user_next(dir, txn, after, &record->user);
}

static const char *user_name(const union record *record)
{
	return record->user.number;
}

static int row_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		    const union record *record)
{
	show_user(j, &record->user);
	return seat_show(j, admin, txn, record->user.number);
}

static int page_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const struct page *page)
{
	static const struct record_kind users = { "users", "number", user_next, user_name,
						  row_show };

	return records_show(j, admin, txn, page, &users);
}

void users_list(struct hd_http_request *req, void *arg)
{
	page_answer(req, arg, "users", page_show);
}

/* The directory has no list of what a user owns; phones are few enough to look through. */
static int owned_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		      const char *number)
{
	char last[HD_PHONE_ID_SIZE] = "";
	struct hd_phone phone;
	int err;

	hd_json_array(j, "owns");
	for (;;) {
		err = hd_phone_next(admin->o.directory, txn, last, &phone);
		if (err && (err != HD_ECORRUPT || !phone.id[0]))
			break;
		if (!err && strcmp(phone.owner, number) == 0)
			hd_json_str(j, NULL, phone.id);
		memcpy(last, phone.id, sizeof(last));
	}
	hd_json_array_end(j);
	return err == HD_ENOENT ? 0 : err;
}

static int whole_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		      const char *number)
{
	struct hd_desk_lock lock = { 0 };
	struct hd_desk_session s;
	struct hd_user user;
	int err;

	err = hd_user_get(admin->o.directory, txn, number, &user);
	if (err)
		return err;
	hd_json_object(j, NULL);
	show_user(j, &user);
	err = hd_desk_get_by_user(admin->o.desk, txn, number, &s);
	if (err && err != HD_ENOENT)
		return err;
	if (err)
		hd_json_null(j, "session");
	else
		show_session(j, "session", &s);
	err = hd_desk_get_lock(admin->o.desk, txn, 'u', number, &lock);
	if (err && err != HD_ENOENT)
		return err;
	show_lock(j, &lock, hd_clock_wall_ms(admin->o.clock));
	err = show_settings(j, admin, txn, number);
	if (!err)
		err = owned_show(j, admin, txn, number);
	if (!err)
		err = show_keys(j, admin, txn, 'u', number);
	hd_json_object_end(j);
	return err;
}

void user_show(struct hd_http_request *req, void *arg)
{
	whole_answer(req, arg, "user", whole_show);
}
