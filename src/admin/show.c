/* show.c - records as JSON. Hashes and HA1s are never among them: only whether there is one. */
#include <stdio.h>

#include "admin_priv.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

struct hd_txn *read_begin(struct hd_admin *admin, struct hd_http_request *req)
{
	struct hd_txn *txn = NULL;
	int err = hd_store_begin_read(admin->o.store, &txn);

	if (err)
		hd_http_answer_error(req, err, "the store cannot be read: %s", hd_strerror(err));
	return err ? NULL : txn;
}

static bool page_read(struct hd_http_request *req, struct page *page)
{
	page->after = hd_http_query(req, "after");
	if (!page->after)
		page->after = "";
	page->limit = PAGE_DEFAULT;
	if (!hd_http_query_u64(req, "limit", PAGE_MAX, &page->limit) && page->limit > 0)
		return true;
	hd_http_answer_error(req, HD_EPARSE, "limit: expected 1 to %d", PAGE_MAX);
	return false;
}

static void read_answer(struct hd_http_request *req, int err, const char *what, struct hd_buf *b)
{
	if (!err) {
		hd_http_answer_json(req, 200, b);
		return;
	}
	hd_buf_fini(b);
	hd_http_answer_error(req, err, "%s: %s", what, hd_strerror(err));
}

void page_answer(struct hd_http_request *req, struct hd_admin *admin, const char *what, page_fn *fn)
{
	struct hd_buf b = { 0 };
	struct hd_json j;
	struct hd_txn *txn;
	struct page page;
	int err;

	if (!page_read(req, &page))
		return;
	txn = read_begin(admin, req);
	if (!txn)
		return;
	hd_json_init(&j, &b);
	err = fn(&j, admin, txn, &page);
	hd_store_end_read(txn);
	read_answer(req, err, what, &b);
}

static int row_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		    const struct record_kind *kind, const union record *record, bool damaged)
{
	int err = 0;

	hd_json_object(j, NULL);
	if (damaged) {
		hd_json_str(j, kind->name, kind->name_of(record));
		hd_json_bool(j, "damaged", true);
	} else {
		err = kind->show(j, admin, txn, record);
	}
	hd_json_object_end(j);
	return err;
}

int records_show(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn,
		 const struct page *page, const struct record_kind *kind)
{
	char last[HD_PHONE_ID_SIZE] = "";
	union record record;
	uint64_t n = 0;
	int err;

	err = kind->next(admin->o.directory, txn, page->after, &record);
	hd_json_object(j, NULL);
	hd_json_array(j, kind->rows);
	while (n++ < page->limit && (!err || (err == HD_ECORRUPT && kind->name_of(&record)[0]))) {
		err = row_show(j, admin, txn, kind, &record, err == HD_ECORRUPT);
		if (!err)
			err = hd_str_set(last, sizeof(last), kind->name_of(&record));
		if (err)
			return err;
		err = kind->next(admin->o.directory, txn, last, &record);
	}
	hd_json_array_end(j);
	hd_json_str(j, "next", err == HD_ENOENT ? NULL : last);
	hd_json_object_end(j);
	return err == HD_ENOENT || n > page->limit ? 0 : err;
}

void whole_answer(struct hd_http_request *req, struct hd_admin *admin, const char *kind,
		  whole_fn *fn)
{
	char what[ADMIN_SUBJECT_SIZE];
	struct hd_buf b = { 0 };
	struct hd_json j;
	struct hd_txn *txn = read_begin(admin, req);
	int err;

	if (!txn)
		return;
	hd_json_init(&j, &b);
	err = fn(&j, admin, txn, hd_http_param(req, 0));
	hd_store_end_read(txn);
	(void)snprintf(what, sizeof(what), "%s %s", kind, hd_http_param(req, 0));
	read_answer(req, err, what, &b);
}

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

void show_user(struct hd_json *j, const struct hd_user *user)
{
	hd_json_str(j, "number", user->number);
	hd_json_str(j, "name", user->name);
	hd_json_str(j, "language", or_null(user->language));
	hd_json_str(j, "logout", or_null(user->logout));
	hd_json_str(j, "group", or_null(user->group));
	hd_json_str(j, "call_list", or_null(user->call_list));
	hd_json_str(j, "class", or_null(user->class));
	hd_json_bool(j, "roaming", user->roaming);
	hd_json_bool(j, "disabled", user->disabled);
	hd_json_bool(j, "has_pin", user->pin_hash[0] != '\0');
	hd_json_time(j, "changed_at", user->changed_at_ms);
}

void show_phone(struct hd_json *j, const struct hd_phone *phone)
{
	hd_json_str(j, "id", phone->id);
	hd_json_str(j, "label", phone->label);
	hd_json_str(j, "mac", or_null(phone->mac));
	hd_json_str(j, "model", or_null(phone->model));
	hd_json_str(j, "owner", or_null(phone->owner));
	hd_json_str(j, "logout", or_null(phone->logout));
	hd_json_str(j, "location", or_null(phone->location));
	hd_json_bool(j, "disabled", phone->disabled);
	hd_json_bool(j, "has_secret", phone->ha1_md5[0] || phone->ha1_sha256[0]);
	hd_json_time(j, "changed_at", phone->changed_at_ms);
}

void show_session(struct hd_json *j, const char *key, const struct hd_desk_session *session)
{
	hd_json_object(j, key);
	hd_json_str(j, "user", session->user);
	hd_json_str(j, "phone", session->phone);
	hd_json_time(j, "since", session->since_ms);
	hd_json_str(j, "way", hd_desk_way_name(session->way));
	hd_json_uint(j, "epoch", session->epoch);
	hd_json_object_end(j);
}

void show_binding(struct hd_json *j, const char *aor, const struct hd_binding *b)
{
	hd_json_object(j, NULL);
	hd_json_str(j, "phone", aor);
	hd_json_str(j, "contact", b->contact_uri);
	hd_json_str(j, "flow", or_null(b->flow));
	hd_json_str(j, "user_agent", or_null(b->user_agent));
	hd_json_time(j, "expires_at", b->expires_at_ms);
	hd_json_time(j, "registered_at", b->registered_at_ms);
	hd_json_uint(j, "q_permille", b->q_permille);
	hd_json_str(j, "call_id", b->call_id);
	hd_json_uint(j, "cseq", b->cseq);
	hd_json_str(j, "instance_id", or_null(b->instance_id));
	hd_json_uint(j, "reg_id", b->reg_id);
	hd_json_str(j, "path", or_null(b->path));
	hd_json_object_end(j);
}

static int keys_add(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, char kind,
		    const char *name)
{
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX];
	size_t n = HD_PHONE_KEYS_MAX;
	int err;

	err = hd_device_keys_get(admin->o.device, txn, kind, name, keys, &n);
	for (size_t i = 0; !err && i < n; i++) {
		hd_json_object(j, NULL);
		if (keys[i].place)
			hd_json_uint(j, "place", keys[i].place);
		else
			hd_json_null(j, "place");
		hd_json_str(j, "type", hd_phone_key_name(keys[i].type));
		hd_json_str(j, "label", or_null(keys[i].label));
		hd_json_str(j, "value", or_null(keys[i].value));
		if (kind == 'o')
			hd_json_bool(j, "own", true);
		hd_json_object_end(j);
	}
	/* What is damaged is the check's to tell. */
	return err == HD_ECORRUPT ? 0 : err;
}

int show_keys(struct hd_json *j, struct hd_admin *admin, struct hd_txn *txn, char kind,
	      const char *name)
{
	int err;

	hd_json_array(j, "keys");
	err = keys_add(j, admin, txn, kind, name);
	if (!err && kind == 'u')
		err = keys_add(j, admin, txn, 'o', name);
	hd_json_array_end(j);
	return err;
}

void show_lock(struct hd_json *j, const struct hd_desk_lock *lock, int64_t now_ms)
{
	bool locked = lock->locked_until_ms > now_ms;
	bool for_good = lock->locked_until_ms == INT64_MAX;

	hd_json_object(j, "lock");
	hd_json_uint(j, "failures", lock->failures);
	hd_json_bool(j, "locked", locked);
	/* null while locked: until it is unlocked here. */
	hd_json_time(j, "until", locked && !for_good ? lock->locked_until_ms : 0);
	hd_json_object_end(j);
}
