/* phones.c - phones and bindings as they are. */
#include <string.h>

#include "admin_priv.h"

/* Who sits there and whether it is registered, for a row of the list. */
static int state_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, const char *id)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	struct hd_desk_session s;
	size_t n = HD_BINDINGS_MAX;
	int err;

	err = hd_desk_get_by_phone(admin->o.desk, txn, id, &s);
	hd_json_str(j, "user", err ? NULL : s.user);
	if (err && err != HD_ENOENT)
		return err;
	err = hd_location_get(admin->o.location, txn, id, hd_clock_wall_ms(admin->o.clock),
			      bindings, &n);
	hd_json_bool(j, "registered", !err && n > 0);
	return err == HD_ECORRUPT ? 0 : err;
}

static int phone_next(struct hd_directory *dir, struct hd_txn *txn, const char *after,
		      union record *record)
{
	return hd_phone_next(dir, txn, after, &record->phone);
}

static const char *phone_name(const union record *record)
{
	return record->phone.id;
}

static int row_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		    const union record *record)
{
	show_phone(j, &record->phone);
	return state_show(j, admin, txn, record->phone.id);
}

static int page_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		     const struct page *page)
{
	static const struct record_kind phones = { "phones", "id", phone_next, phone_name,
						   row_show };

	return records_show(j, admin, txn, page, &phones);
}

void phones_list(struct hd_http_request *req, void *arg)
{
	page_answer(req, arg, "phones", page_show);
}

static int bindings_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
			 const char *id)
{
	struct hd_binding bindings[HD_BINDINGS_MAX];
	size_t n = HD_BINDINGS_MAX;
	int err;

	err = hd_location_get(admin->o.location, txn, id, hd_clock_wall_ms(admin->o.clock),
			      bindings, &n);
	hd_json_array(j, "bindings");
	for (size_t i = 0; !err && i < n; i++)
		show_binding(j, id, &bindings[i]);
	hd_json_array_end(j);
	return err;
}

static int outbox_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		       const char *id)
{
	struct hd_outbox_entry e;
	int err = hd_outbox_get(admin->o.desk, txn, id, &e);

	if (err) {
		hd_json_null(j, "pending");
		return err == HD_ENOENT ? 0 : err;
	}
	hd_json_object(j, "pending");
	hd_json_uint(j, "epoch", e.epoch);
	hd_json_time(j, "since", e.since_ms);
	hd_json_object_end(j);
	return 0;
}

/* What it showed of itself, and how it is with its configuration. */
static int seen_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, const char *id)
{
	struct hd_device_seen seen;
	int err;

	err = hd_device_has_secret(admin->o.device, txn, id);
	hd_json_bool(j, "keeps_secret", !err);
	err = hd_device_seen_get(admin->o.device, txn, id, &seen);
	hd_json_object(j, "seen");
	hd_json_str(j, "model", seen.model[0] ? seen.model : NULL);
	hd_json_str(j, "firmware", seen.firmware[0] ? seen.firmware : NULL);
	hd_json_str(j, "mac", seen.mac[0] ? seen.mac : NULL);
	hd_json_time(j, "last_fetch", seen.fetched_at_ms);
	hd_json_str(j, "fetched_from", seen.fetched_from[0] ? seen.fetched_from : NULL);
	hd_json_time(j, "last_resync", seen.asked_at_ms);
	hd_json_time(j, "told_at", seen.told_at_ms);
	hd_json_uint(j, "resyncs_unheard", seen.unheard);
	if (seen.last_status)
		hd_json_int(j, "last_answer", seen.last_status);
	else
		hd_json_null(j, "last_answer");
	hd_json_object_end(j);
	/* All of it is empty then. */
	return err == HD_ECORRUPT ? 0 : err;
}

static int whole_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, const char *id)
{
	struct hd_desk_lock lock = { 0 };
	struct hd_desk_session s;
	struct hd_phone phone;
	int err;

	err = hd_phone_get(admin->o.directory, txn, id, &phone);
	if (err)
		return err;
	hd_json_object(j, NULL);
	show_phone(j, &phone);
	err = hd_desk_get_by_phone(admin->o.desk, txn, id, &s);
	if (err && err != HD_ENOENT)
		return err;
	if (err)
		hd_json_null(j, "session");
	else
		show_session(j, "session", &s);
	err = hd_desk_get_lock(admin->o.desk, txn, 'p', id, &lock);
	if (err && err != HD_ENOENT)
		return err;
	show_lock(j, &lock, hd_clock_wall_ms(admin->o.clock));
	err = outbox_show(j, admin, txn, id);
	if (!err)
		err = bindings_show(j, admin, txn, id);
	if (!err)
		err = seen_show(j, admin, txn, id);
	if (!err)
		err = show_keys(j, admin, txn, 'p', id);
	hd_json_object_end(j);
	return err;
}

void phone_show(struct hd_http_request *req, void *arg)
{
	whole_answer(req, arg, "phone", whole_show);
}
