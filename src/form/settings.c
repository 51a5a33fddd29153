/* settings.c - what the user at a phone has set, on its screen: from request to answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form_priv.h"
#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"

static struct hd_metric shown =
	HD_COUNTER("hotdeskd_forms", "page=\"settings\"", "pages to phones");

struct hd_metric *form_settings_metric(void)
{
	return &shown;
}

/* ---- what is there -------------------------------------------------------------------------- */

static int user_read(const struct hd_form *form, struct hd_txn *txn, const char *phone,
		     struct form_settings *page)
{
	const struct hd_form_options *o = &form->options;
	struct hd_desk_session session;
	struct hd_user user;
	int err = hd_desk_get_by_phone(o->desk, txn, phone, &session);

	if (!err)
		err = form_user_read(form, txn, phone, &user, page->name, page->language);
	if (err)
		return err;
	page->epoch = session.epoch;
	memcpy(page->number, user.number, sizeof(page->number));
	hd_wipe(&user, sizeof(user));
	err = hd_settings_get(o->settings, txn, page->number, &page->settings);
	if (err && err != HD_ECORRUPT)
		return err;
	page->n_keys = HD_PHONE_KEYS_MAX;
	err = hd_device_keys_get(o->device, txn, 'o', page->number, page->keys, &page->n_keys);
	if (err == HD_ECORRUPT)
		page->n_keys = 0;
	return err == HD_ECORRUPT ? 0 : err;
}

static int state_read(const struct hd_form *form, const char *phone, struct form_settings *page)
{
	struct hd_txn *txn;
	int err;

	(void)snprintf(page->language, sizeof(page->language), "%s", form->language);
	page->own = form->own;
	err = hd_store_begin_read(form->options.store, &txn);
	if (err)
		return err;
	err = user_read(form, txn, phone, page);
	hd_store_end_read(txn);
	page->nobody = err == HD_ENOENT;
	return page->nobody ? 0 : err;
}

static const char *reason_of(int err)
{
	switch (err) {
	case HD_EACCESS:
		return "forbidden";
	case HD_ELIMIT:
		return "too-many";
	default:
		return "invalid";
	}
}

static void json_answer(struct hd_http_request *req, const struct form_settings *page)
{
	const struct hd_settings *st = &page->settings;
	struct hd_buf b = { 0 };
	struct hd_json j;

	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "user", page->nobody ? NULL : page->number);
	hd_json_str(&j, "refused", page->err ? reason_of(page->err) : NULL);
	if (!page->nobody) {
		hd_json_str(&j, "name", page->name);
		hd_json_str(&j, "language", page->language);
		hd_json_bool(&j, "dnd", st->dnd);
		for (unsigned i = 0; i < HD_FORWARD_COUNT; i++)
			hd_json_str(&j, hd_forward_name((enum hd_forward_when)i),
				    st->forward[i].active ? st->forward[i].to : NULL);
		hd_json_array(&j, "keys");
		for (size_t i = 0; i < page->n_keys; i++) {
			hd_json_object(&j, NULL);
			hd_json_uint(&j, "place", page->keys[i].place);
			hd_json_str(&j, "type", hd_phone_key_name(page->keys[i].type));
			hd_json_str(&j, "label", page->keys[i].label);
			hd_json_str(&j, "number", page->keys[i].value);
			hd_json_object_end(&j);
		}
		hd_json_array_end(&j);
	}
	hd_json_object_end(&j);
	hd_http_answer_json(req, 200, &b);
}

static void page_answer(const struct form_visit *v, const struct form_settings *page)
{
	struct hd_buf out = { 0 };
	int err = form_settings_render(v->form->set, v->vendor, page, &out, NULL);

	if (err) {
		hd_error("form", "%s: no settings for it: %s", v->phone.id, hd_strerror(err));
		hd_http_answer_error(v->req, err, "not now");
	} else {
		hd_http_answer(v->req, 200, v->vendor->form_type,
			       (struct hd_slice){ out.data, out.len });
	}
	if (out.data)
		hd_wipe(out.data, out.size);
	hd_buf_fini(&out);
}

void form_settings_answer(const struct form_visit *v, int why)
{
	struct form_settings *page = calloc(1, sizeof(*page)); /* of many keys */
	char path[sizeof("settings/@") + 20], url[HD_URL_SIZE] = "";
	int err = page ? 0 : HD_ENOMEM;

	if (!err) {
		page->url = url;
		page->what = v->what;
		page->json = v->json;
		page->err = why;
		err = state_read(v->form, v->phone.id, page);
	}
	if (!err) {
		(void)snprintf(path, sizeof(path), "settings/@%llu",
			       (unsigned long long)page->epoch);
		err = form_url(v->form, v->phone.id, path, url);
	}
	hd_metric_add(&shown, 1);
	if (err) {
		hd_error("form", "%s: no settings for it: %s", v->phone.id, hd_strerror(err));
		hd_http_answer_error(v->req, err, "not now");
	} else if (v->json) {
		json_answer(v->req, page);
	} else {
		page_answer(v, page);
	}
	hd_wipe(url, sizeof(url));
	free(page);
}

/* ---- requests ------------------------------------------------------------------------------- */

/* @return HD_FORWARD_COUNT: none of them */
static unsigned when_parse(const char *text)
{
	unsigned when = 0;

	while (when < HD_FORWARD_COUNT &&
	       strcmp(text, hd_forward_name((enum hd_forward_when)when)) != 0)
		when++;
	return when;
}

/* "", "/5", "/5/label" */
static bool key_parse(struct form_what *what, const char *text)
{
	static const struct {
		const char *part;
		enum form_item item;
	} parts[] = {
		{ "number", FORM_ITEM_KEY_NUMBER },
		{ "label", FORM_ITEM_KEY_LABEL },
		{ "type", FORM_ITEM_KEY_TYPE },
		{ "remove", FORM_ITEM_KEY_REMOVE },
	};
	struct hd_slice place;
	const char *slash;
	uint64_t n = 0;

	what->item = FORM_ITEM_KEYS;
	if (*text != '/')
		return !*text;
	place = hd_slice_of(text + 1);
	slash = strchr(text + 1, '/');
	if (slash)
		place.len = (size_t)(slash - text - 1);
	if (hd_u64_parse(&n, place, HD_PHONE_KEYS_MAX))
		return false;
	what->place = (uint8_t)n;
	what->item = FORM_ITEM_KEY;
	if (!slash)
		return n > 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(slash + 1, parts[i].part) == 0)
			what->item = parts[i].item;
	return what->item == FORM_ITEM_KEY_NUMBER || (what->item != FORM_ITEM_KEY && n > 0);
}

static bool what_parse(const struct hd_form *form, struct form_what *what, const char *text)
{
	unsigned when = when_parse(text);

	*what = (struct form_what){ .item = FORM_ITEM_MENU };
	if (strcmp(text, "dnd") == 0)
		what->item = FORM_ITEM_DND;
	else if (strcmp(text, "language") == 0)
		what->item = FORM_ITEM_LANGUAGE;
	else if (strcmp(text, "name") == 0 && form->own.name)
		what->item = FORM_ITEM_NAME;
	else if (strncmp(text, "keys", 4) == 0)
		return form->own.keys > 0 && key_parse(what, text + 4);
	else if (when < HD_FORWARD_COUNT)
		*what = (struct form_what){ FORM_ITEM_FORWARD, (enum hd_forward_when)when, 0 };
	else
		return !*text;
	return true;
}

/*
 * "/@EPOCH": a screen may ask again for a page of the user who was there before, and that is not
 * to change what the next one has set.
 */
static bool epoch_parse(uint64_t *epochp, const char **restp)
{
	struct hd_slice epoch;

	if (strncmp(*restp, "/@", 2) != 0)
		return true;
	*restp += 2;
	epoch = (struct hd_slice){ *restp, strcspn(*restp, "/") };
	*restp += epoch.len;
	return !hd_u64_parse(epochp, epoch, UINT64_MAX);
}

static bool is_json(struct hd_http_request *req)
{
	const char *format = hd_http_query(req, "format");

	return format && strcmp(format, "json") == 0;
}

static bool only_shows(enum form_item item)
{
	return item == FORM_ITEM_MENU || item == FORM_ITEM_KEYS || item == FORM_ITEM_KEY;
}

bool form_settings_serve(struct hd_form *form, struct hd_http_request *req,
			 const struct hd_phone *phone, const struct hd_vendor *vendor,
			 const char *rest)
{
	struct form_visit v = { .form = form, .req = req, .vendor = vendor, .phone = *phone };
	const char *method = hd_http_method_name(req);
	const char *to;

	v.json = is_json(req);
	rest += sizeof("settings") - 1;
	if (!form->options.settings || (!vendor->settings && !v.json) ||
	    !epoch_parse(&v.epoch, &rest) || (*rest && *rest != '/') ||
	    !what_parse(form, &v.what, rest + (*rest == '/')))
		return false;
	if (only_shows(v.what.item) && strcmp(method, "POST") == 0) {
		hd_http_add_header(req, "Allow", "GET, HEAD");
		hd_http_refuse(req, 405, "method-not-allowed", "not with this method");
		hd_wipe(&v, sizeof(v));
		return true;
	}
	/* A HEAD is only a look, and changes nothing. */
	to = only_shows(v.what.item) || strcmp(method, "HEAD") == 0 ? NULL
								    : hd_http_field(req, "to");
	if (!to)
		form_settings_answer(&v, 0);
	else if (!form_settings_write(&v, to))
		form_settings_answer(&v, HD_EPARSE);
	hd_wipe(&v, sizeof(v));
	return true;
}
