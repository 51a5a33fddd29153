/* list.c - the call list of who is logged in at a phone, on its screen: from request to answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

enum { LOOKS_MAX = 20000, JSON_PAGE = 20, PAGES_MAX = 1000 };

static struct hd_metric lists = HD_COUNTER("hotdeskd_forms", "page=\"calls\"", "pages to phones");

struct hd_metric *form_list_metric(void)
{
	return &lists;
}

/* ---- what is asked for ---------------------------------------------------------------------- */

static bool kind_parse(struct form_list *list, const char *rest)
{
	if (strcmp(rest, "calls") == 0 || strcmp(rest, "calls/") == 0) {
		list->menu = true;
		return true;
	}
	if (strncmp(rest, "calls/", 6) != 0)
		return false;
	rest += 6;
	list->kind = rest;
	if (strcmp(rest, "all") == 0)
		return true;
	for (int kind = 0; kind < HD_CALL_KIND_COUNT; kind++) {
		if (strcmp(rest, hd_call_kind_name((enum hd_call_kind)kind)) == 0) {
			list->kinds = 1U << kind;
			return true;
		}
	}
	return false;
}

/* ---- who may see what ----------------------------------------------------------------------- */

/* The directory knows a colleague by another name than a phone's display may have said. */
static void name_find(const struct hd_form *form, struct hd_txn *txn, struct hd_calls_entry *e)
{
	char name[HD_NAME_SIZE];

	if (!e->withheld && e->number[0] &&
	    hd_directory_name(form->options.directory, txn, e->number, name))
		memcpy(e->name, name, sizeof(e->name));
}

/* Those of its page, and one more if there is one behind them. */
static int entries_read(const struct hd_form *form, struct hd_txn *txn, struct form_list *list,
			const char *phone)
{
	size_t first = list->page * list->size, last = first + list->size;
	struct hd_calls_query query = {
		.owner = list->user,
		.phone = list->mode == HD_LIST_LOCAL ? phone : NULL,
		.kinds = list->kinds,
		.shown = true,
		.looks = LOOKS_MAX,
	};
	size_t n;
	int err;

	if (last > form->list.shown)
		last = form->list.shown;
	if (first >= last)
		return 0;
	n = last < form->list.shown ? last + 1 : last;
	list->all = calloc(n, sizeof(*list->all));
	if (!list->all)
		return HD_ENOMEM;
	err = hd_calls_page(form->options.calls, txn, &query, list->all, &n);
	if (err || n <= first)
		return err;
	list->more = n > last;
	list->entries = list->all + first;
	list->n = (n < last ? n : last) - first;
	for (size_t i = 0; i < list->n; i++)
		name_find(form, txn, &list->entries[i]);
	return 0;
}

/* Only who is logged in here, and nobody once that has ended. */
static int list_read(const struct hd_form *form, struct form_list *list, const char *phone)
{
	struct hd_user user = { 0 };
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(form->options.store, &txn);
	if (err)
		return err;
	err = form_user_read(form, txn, phone, &user, list->name, list->language);
	if (err) {
		list->nobody = true;
		err = err == HD_ENOENT ? 0 : err;
		goto out;
	}
	memcpy(list->user, user.number, sizeof(list->user));
	list->mode = hd_list_policy_mode(&form->list.policy, user.call_list, user.group);
	if (list->mode != HD_LIST_OFF && (!list->menu || list->json))
		err = entries_read(form, txn, list, phone);
out:
	hd_store_end_read(txn);
	hd_wipe(&user, sizeof(user));
	return err;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void entry_show(struct hd_json *j, const struct hd_calls_entry *e)
{
	bool known = !e->withheld && e->number[0];

	hd_json_object(j, NULL);
	hd_json_str(j, "kind", hd_call_kind_name(e->kind));
	hd_json_str(j, "number", known ? e->number : NULL);
	hd_json_str(j, "name", !e->withheld && e->name[0] ? e->name : NULL);
	hd_json_bool(j, "withheld", e->withheld);
	hd_json_str(j, "identity", e->identity[0] ? e->identity : NULL);
	hd_json_str(j, "forwarded_by", e->forwarded_by[0] ? e->forwarded_by : NULL);
	hd_json_str(j, "forwarded_to", e->forwarded_to[0] ? e->forwarded_to : NULL);
	hd_json_time(j, "started", e->started_ms);
	hd_json_uint(j, "duration_s", e->duration_s);
	hd_json_bool(j, "answered", e->answered);
	hd_json_object_end(j);
}

static void json_answer(struct hd_http_request *req, const struct form_list *list)
{
	struct hd_buf b = { 0 };
	struct hd_json j;

	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "user", list->nobody ? NULL : list->name);
	hd_json_str(&j, "mode", list->nobody ? NULL : hd_list_mode_name(list->mode));
	hd_json_array(&j, "calls");
	for (size_t i = 0; i < list->n; i++)
		entry_show(&j, &list->entries[i]);
	hd_json_array_end(&j);
	if (list->more)
		hd_json_uint(&j, "next_page", list->page + 1);
	else
		hd_json_null(&j, "next_page");
	hd_json_object_end(&j);
	hd_http_answer_json(req, 200, &b);
}

static void page_answer(const struct hd_form *form, struct hd_http_request *req,
			const struct hd_vendor *vendor, const struct form_list *list)
{
	struct hd_buf out = { 0 };
	int err = form_list_render(form->set, vendor, list, &out, NULL);

	if (err) {
		hd_error("form", "no call list for %s's phone: %s", list->user, hd_strerror(err));
		hd_http_answer_error(req, err, "not now");
	} else {
		hd_http_answer(req, 200, vendor->form_type, (struct hd_slice){ out.data, out.len });
	}
	if (out.data)
		hd_wipe(out.data, out.size);
	hd_buf_fini(&out);
}

/* "page" counts from 0. */
static bool arguments_read(struct hd_http_request *req, const struct hd_vendor *vendor,
			   struct form_list *list)
{
	const char *format = hd_http_query(req, "format");
	uint64_t page = 0;

	list->json = !vendor->list || (format && strcmp(format, "json") == 0);
	list->size = list->json ? JSON_PAGE : vendor->list_page;
	if (hd_http_query_u64(req, "page", PAGES_MAX, &page)) {
		hd_http_refuse(req, 400, "malformed", "page: expected 0 to %d", PAGES_MAX);
		return false;
	}
	list->page = (size_t)page;
	return true;
}

/* The newest of them are on the first page. */
static void seen_tell(const struct hd_form *form, const struct form_list *list, const char *phone)
{
	const struct hd_form_options *o = &form->options;
	bool missed = !list->kinds || list->kinds & 1U << HD_CALL_MISSED;

	if (!o->seen || list->nobody || list->mode == HD_LIST_OFF || list->page > 0 || !missed ||
	    (list->menu && !list->json))
		return;
	o->seen(o->arg, list->user, list->mode == HD_LIST_LOCAL ? phone : NULL);
}

bool form_list_serve(struct hd_form *form, struct hd_http_request *req,
		     const struct hd_phone *phone, const struct hd_vendor *vendor, const char *rest)
{
	struct form_list list = { .kind = "all" };
	/* The request is gone once it is answered. */
	const bool is_get = strcmp(hd_http_method_name(req), "GET") == 0;
	char url[HD_URL_SIZE];
	int err;

	if (!form->options.calls || !kind_parse(&list, rest))
		return false;
	if (strcmp(hd_http_method_name(req), "POST") == 0) {
		hd_http_add_header(req, "Allow", "GET, HEAD");
		hd_http_refuse(req, 405, "method-not-allowed", "not with this method");
		return true;
	}
	if (!arguments_read(req, vendor, &list))
		return true;
	memcpy(list.language, form->language, sizeof(list.language));
	err = form_url(form, phone->id, "calls", url);
	if (!err)
		err = list_read(form, &list, phone->id);
	list.url = url;
	hd_metric_add(&lists, 1);
	if (err) {
		hd_error("form", "%s: no call list: %s", phone->id, hd_strerror(err));
		hd_http_answer_error(req, err, "not now");
	} else if (list.json) {
		json_answer(req, &list);
	} else {
		page_answer(form, req, vendor, &list);
	}
	if (!err && is_get)
		seen_tell(form, &list, phone->id);
	free(list.all);
	hd_wipe(url, sizeof(url));
	return true;
}
