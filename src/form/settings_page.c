/* settings_page.c - what a user has set, in the words of a vendor's browser. */
#include <stdio.h>
#include <string.h>

#include "form_priv.h"

static const struct words {
	const char *title, *dnd, *on, *off, *no, *language, *nobody, *number, *ok;
	const char *forward[HD_FORWARD_COUNT];
} words[] = {
	{ "Settings",
	  "Do not disturb",
	  "on",
	  "off",
	  "Not possible",
	  "Language: English",
	  "Nobody is logged in here.",
	  "Number",
	  "OK",
	  { "Forward always", "Forward when busy", "Forward no answer", "Forward logged out" } },
	{ "Einstellungen",
	  "Nicht stören",
	  "ein",
	  "aus",
	  "Nicht möglich",
	  "Sprache: Deutsch",
	  "Hier ist niemand angemeldet.",
	  "Nummer",
	  "OK",
	  { "Umleiten immer", "Umleiten bei besetzt", "Umleiten nach Zeit",
	    "Umleiten abgemeldet" } },
};

bool form_language_is_ours(const char *language)
{
	return strcmp(language, "en") == 0 || strcmp(language, "de") == 0;
}

static void item_add(struct hd_view *view, struct hd_value *items, const char *text,
		     struct hd_buf *url)
{
	struct hd_value *to = hd_view_object(view, items, NULL);

	hd_view_text(view, to, "text", text);
	hd_view_buf(view, to, "url", url);
}

/* What is on is switched off by its entry; what is off asks for its number first. */
static void items_fill(struct hd_view *view, struct hd_value *items, const struct words *w,
		       const struct form_settings *page)
{
	const struct hd_settings *st = &page->settings;
	bool german = hd_language_is_german(page->language);
	struct hd_buf url = { 0 };
	char text[128];

	(void)snprintf(text, sizeof(text), "%s: %s", w->dnd, st->dnd ? w->on : w->off);
	hd_buf_addf(&url, "%s/dnd?to=%s", page->url, st->dnd ? "off" : "on");
	item_add(view, items, text, &url);
	for (unsigned i = 0; i < HD_FORWARD_COUNT; i++) {
		const struct hd_forward *f = &st->forward[i];

		url = (struct hd_buf){ 0 };
		(void)snprintf(text, sizeof(text), "%s: %s", w->forward[i],
			       f->active ? f->to : w->off);
		hd_buf_addf(&url, "%s/%s%s", page->url, hd_forward_name((enum hd_forward_when)i),
			    f->active ? "?to=" : "");
		item_add(view, items, text, &url);
	}
	url = (struct hd_buf){ 0 };
	hd_buf_addf(&url, "%s/language?to=%s", page->url, german ? "en" : "de");
	item_add(view, items, w->language, &url);
}

static void fill(struct hd_view *view, const struct form_settings *page)
{
	const struct words *w = &words[hd_language_is_german(page->language)];
	struct hd_value *root = hd_view_root(view), *items;
	bool asks = !page->nobody && page->ask >= 0 && page->ask < HD_FORWARD_COUNT;
	const char *number = asks ? page->settings.forward[page->ask].to : "";
	struct hd_buf target = { 0 };

	hd_view_text(view, root, "title", page->failed ? w->no : w->title);
	hd_view_text(view, root, "user", page->name);
	/* One of the three. */
	hd_view_bool(view, root, "menu", !page->nobody && !asks);
	hd_view_bool(view, root, "ask", asks);
	hd_view_bool(view, root, "nothing", page->nobody);
	hd_view_text(view, root, "why", w->nobody);
	hd_view_text(view, root, "what", asks ? w->forward[page->ask] : "");
	hd_view_text(view, root, "number",
		     strspn(number, "0123456789*#+") == strlen(number) ? number : "");
	hd_buf_addf(&target, "%s/%s", page->url,
		    asks ? hd_forward_name((enum hd_forward_when)page->ask) : "");
	hd_view_buf(view, root, "target", &target);
	hd_view_text(view, root, "prompt", w->number);
	hd_view_text(view, root, "ok", w->ok);
	items = hd_view_list(view, root, "items");
	items_fill(view, items, w, page);
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
	const struct form_settings pages[] = {
		{ .url = "https://h/t/settings", .name = "Anna", .ask = -1 },
		{ .url = "https://h/t/settings", .name = "Anna", .ask = HD_FORWARD_BUSY },
		{ .url = "https://h/t/settings", .nobody = true, .ask = -1 },
	};
	struct hd_buf out = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(pages) / sizeof(pages[0]); i++) {
		err = form_settings_render(set, vendor, &pages[i], &out, errors);
		hd_buf_fini(&out);
	}
	return err;
}
