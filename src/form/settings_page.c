/* settings_page.c - what a user has set, in the words of a vendor's browser. */
#include <stdio.h>
#include <string.h>

#include "form_priv.h"

static const struct words {
	const char *title, *dnd, *on, *off, *language, *nobody, *ok;
	const char *no, *forbidden, *too_many; /* why it is not done */
	const char *name, *keys, *key, *add, *number, *label, *lamp, *remove;
	const char *forward[HD_FORWARD_COUNT];
} words[] = {
	{ .title = "Settings",
	  .dnd = "Do not disturb",
	  .on = "on",
	  .off = "off",
	  .language = "Language: English",
	  .nobody = "Nobody is logged in here.",
	  .ok = "OK",
	  .no = "Not possible",
	  .forbidden = "Not allowed for you",
	  .too_many = "Too many keys",
	  .name = "Name",
	  .keys = "My keys",
	  .key = "Key",
	  .add = "New key",
	  .number = "Number",
	  .label = "Label",
	  .lamp = "Lamp (BLF)",
	  .remove = "Remove",
	  .forward = { "Forward always", "Forward when busy", "Forward no answer",
		       "Forward logged out" } },
	{ .title = "Einstellungen",
	  .dnd = "Nicht stören",
	  .on = "ein",
	  .off = "aus",
	  .language = "Sprache: Deutsch",
	  .nobody = "Hier ist niemand angemeldet.",
	  .ok = "OK",
	  .no = "Nicht möglich",
	  .forbidden = "Für Sie nicht erlaubt",
	  .too_many = "Zu viele Tasten",
	  .name = "Name",
	  .keys = "Meine Tasten",
	  .key = "Taste",
	  .add = "Neue Taste",
	  .number = "Nummer",
	  .label = "Beschriftung",
	  .lamp = "Lampe (BLF)",
	  .remove = "Entfernen",
	  .forward = { "Umleiten immer", "Umleiten bei besetzt", "Umleiten nach Zeit",
		       "Umleiten abgemeldet" } },
};

bool form_language_is_ours(const char *language)
{
	return strcmp(language, "en") == 0 || strcmp(language, "de") == 0;
}

/* ---- menus ---------------------------------------------------------------------------------- */

struct menu {
	struct hd_view *view;
	struct hd_value *items;
	const struct words *w;
	const struct form_settings *page;
};

/* "what: value", and where it leads behind ".../settings/". */
static void item_add(const struct menu *m, const char *what, const char *value, const char *path)
{
	struct hd_value *to = hd_view_object(m->view, m->items, NULL);
	struct hd_buf text = { 0 }, url = { 0 };

	hd_buf_adds(&text, what);
	if (value)
		hd_buf_addf(&text, ": %s", value);
	hd_buf_addf(&url, "%s/%s", m->page->url, path);
	hd_view_buf(m->view, to, "text", &text);
	hd_view_buf(m->view, to, "url", &url);
}

/* What is on is switched off by its entry; what is off asks for its number first. */
static void settings_fill(const struct menu *m)
{
	const struct hd_settings *st = &m->page->settings;
	bool german = hd_language_is_german(m->page->language);
	const struct words *w = m->w;
	char text[64];

	item_add(m, w->dnd, st->dnd ? w->on : w->off, st->dnd ? "dnd?to=off" : "dnd?to=on");
	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++) {
		const struct hd_forward *f = &st->forward[i];

		(void)snprintf(text, sizeof(text), "%s%s", hd_forward_name((enum hd_forward_when)i),
			       f->active ? "?to=" : "");
		item_add(m, w->forward[i], f->active ? f->to : w->off, text);
	}
	item_add(m, w->language, NULL, german ? "language?to=en" : "language?to=de");
	if (m->page->own.name)
		item_add(m, w->name, m->page->name, "name");
	if (m->page->own.keys) {
		(void)snprintf(text, sizeof(text), "%zu", m->page->n_keys);
		item_add(m, w->keys, text, "keys");
	}
}

static const struct hd_phone_key *key_of(const struct form_settings *page)
{
	for (size_t i = 0; i < page->n_keys; i++)
		if (page->keys[i].place == page->what.place)
			return &page->keys[i];
	return NULL;
}

static void keys_fill(const struct menu *m)
{
	char text[64], path[32];

	for (size_t i = 0; i < m->page->n_keys; i++) {
		const struct hd_phone_key *key = &m->page->keys[i];

		(void)snprintf(text, sizeof(text), "%s %u", m->w->key, key->place);
		(void)snprintf(path, sizeof(path), "keys/%u", key->place);
		item_add(m, text, key->label[0] ? key->label : key->value, path);
	}
	if (m->page->n_keys < m->page->own.keys)
		item_add(m, m->w->add, NULL, "keys/0/number");
}

static void key_fill(const struct menu *m, const struct hd_phone_key *key)
{
	bool blf = key->type == HD_PHONE_KEY_BLF;
	char path[64];

	(void)snprintf(path, sizeof(path), "keys/%u/number", key->place);
	item_add(m, m->w->number, key->value, path);
	(void)snprintf(path, sizeof(path), "keys/%u/label", key->place);
	item_add(m, m->w->label, key->label, path);
	(void)snprintf(path, sizeof(path), "keys/%u/type?to=%s", key->place,
		       hd_phone_key_name(blf ? HD_PHONE_KEY_SPEED_DIAL : HD_PHONE_KEY_BLF));
	item_add(m, m->w->lamp, blf ? m->w->on : m->w->off, path);
	(void)snprintf(path, sizeof(path), "keys/%u/remove?to=yes", key->place);
	item_add(m, m->w->remove, NULL, path);
	item_add(m, m->w->keys, NULL, "keys");
}

/* ---- questions ------------------------------------------------------------------------------ */

struct question {
	const char *what, *prompt, *known;
	bool number; /* else text */
	char path[32];
};

/* @return false: nothing is asked for */
static bool question_make(struct question *q, const struct words *w,
			  const struct form_settings *page)
{
	const struct hd_phone_key *key = key_of(page);
	bool label = page->what.item == FORM_ITEM_KEY_LABEL;

	*q = (struct question){ .what = "", .prompt = w->number, .known = "", .number = true };
	switch (page->what.item) {
	case FORM_ITEM_FORWARD:
		q->what = w->forward[page->what.when];
		q->known = page->settings.forward[page->what.when].to;
		(void)snprintf(q->path, sizeof(q->path), "%s", hd_forward_name(page->what.when));
		return true;
	case FORM_ITEM_NAME:
		q->what = q->prompt = w->name;
		q->known = page->name;
		q->number = false;
		(void)snprintf(q->path, sizeof(q->path), "name");
		return true;
	case FORM_ITEM_KEY_NUMBER:
	case FORM_ITEM_KEY_LABEL:
		if (page->what.place && !key)
			return false;
		q->what = key ? w->key : w->add;
		q->prompt = label ? w->label : w->number;
		q->known = !key ? "" : label ? key->label : key->value;
		q->number = !label;
		(void)snprintf(q->path, sizeof(q->path), "keys/%u/%s", page->what.place,
			       label ? "label" : "number");
		return true;
	default:
		return false;
	}
}

/* A phone's keypad knows no more for a number. */
static bool can_be_typed(const struct question *q)
{
	return !q->number || strspn(q->known, "0123456789*#+") == strlen(q->known);
}

static const char *title_of(const struct words *w, const struct form_settings *page)
{
	switch (page->err) {
	case 0:
		return page->what.item < FORM_ITEM_KEYS ? w->title : w->keys;
	case HD_EACCESS:
		return w->forbidden;
	case HD_ELIMIT:
		return w->too_many;
	default:
		return w->no;
	}
}

static void items_fill(const struct menu *m)
{
	const struct hd_phone_key *key = key_of(m->page);

	if (m->page->what.item < FORM_ITEM_KEYS)
		settings_fill(m);
	else if (key && m->page->what.item != FORM_ITEM_KEYS)
		key_fill(m, key);
	else
		keys_fill(m);
}

static void fill(struct hd_view *view, const struct form_settings *page)
{
	const struct words *w = &words[hd_language_is_german(page->language)];
	struct menu menu = { .view = view, .w = w, .page = page };
	struct hd_value *root = hd_view_root(view);
	struct hd_buf target = { 0 };
	struct question q;
	bool asks = question_make(&q, w, page) && !page->err && !page->nobody;

	hd_view_text(view, root, "title", title_of(w, page));
	hd_view_text(view, root, "user", page->name);
	/* One of the three. */
	hd_view_bool(view, root, "menu", !page->nobody && !asks);
	hd_view_bool(view, root, "ask", asks);
	hd_view_bool(view, root, "nothing", page->nobody);
	hd_view_text(view, root, "why", w->nobody);
	hd_view_text(view, root, "what", q.what);
	hd_view_text(view, root, "number", can_be_typed(&q) ? q.known : "");
	hd_view_bool(view, root, "numeric", q.number);
	hd_buf_addf(&target, "%s/%s", page->url, q.path);
	hd_view_buf(view, root, "target", &target);
	hd_view_text(view, root, "prompt", q.prompt);
	hd_view_text(view, root, "ok", w->ok);
	menu.items = hd_view_list(view, root, "items");
	items_fill(&menu);
}

int form_settings_render(const struct hd_template_set *set, const struct hd_vendor *vendor,
			 const struct form_settings *page, struct hd_buf *out,
			 struct hd_buf *errors)
{
	struct hd_view *view;
	int err = hd_view_new(&view);

	if (err)
		return err;
	fill(view, page);
	return form_view_render(set, vendor->settings, view, out, errors);
}

/* Every kind of page, so that each name in it is met. */
int form_settings_try(const struct hd_template_set *set, const struct hd_vendor *vendor,
		      struct hd_buf *errors)
{
	static const struct form_settings pages[] = {
		{ .url = "https://h/t/settings", .name = "Anna", .own = { true, 1 } },
		{ .url = "https://h/t/settings",
		  .name = "Anna",
		  .what = { .item = FORM_ITEM_FORWARD } },
		{ .url = "https://h/t/settings",
		  .name = "Anna",
		  .what = { .item = FORM_ITEM_NAME } },
		{ .url = "https://h/t/settings", .nobody = true },
	};
	struct hd_buf out = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(pages) / sizeof(pages[0]); i++) {
		err = form_settings_render(set, vendor, &pages[i], &out, errors);
		hd_buf_fini(&out);
	}
	return err;
}
