/* list_page.c - a call list in the words of a vendor's browser; the check of its templates. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "form_priv.h"
#include "hotdesk/base/uri.h"

enum { WHEN_SIZE = 32, TEXT_SIZE = HD_CALLS_NAME_SIZE + 2 * HD_CALLS_NUMBER_SIZE + WHEN_SIZE + 16 };

static const struct words {
	const char *title, *all, *missed, *received, *dialled;
	const char *next, *previous, *back, *empty, *off, *nobody, *withheld, *time;
	const char *login, *settings;
} words[] = {
	{ "Calls", "All calls", "Missed calls", "Received calls", "Dialled calls", "More", "Newer",
	  "Back", "No calls", "The call list is off.", "Nobody is logged in.", "Withheld",
	  "%d/%m %H:%M", "Login", "Settings" },
	{ "Anrufe", "Alle Anrufe", "Verpasste Anrufe", "Angenommene Anrufe", "Gewählte Nummern",
	  "Mehr", "Neuere", "Zurück", "Keine Anrufe", "Die Anrufliste ist ausgeschaltet.",
	  "Niemand ist angemeldet.", "Unterdrückt", "%d.%m. %H:%M", "Anmelden", "Einstellungen" },
};

/* Of wall clocks that jump every time is one: what cannot be told is left out. */
static void when_make(char when[WHEN_SIZE], const char *format, int64_t at_ms)
{
	time_t at = (time_t)(at_ms / 1000);
	struct tm tm;

	if (at_ms <= 0 || !localtime_r(&at, &tm) || !strftime(when, WHEN_SIZE, format, &tm))
		when[0] = '\0';
}

/* Without what the vendor's phones do not bear. */
static void text_of_people(struct hd_view *view, struct hd_value *to, const char *name,
			   const char *text, const struct hd_vendor *vendor)
{
	char clean[TEXT_SIZE];

	(void)snprintf(clean, sizeof(clean), "%s", text);
	for (char *p = clean; vendor->avoid && (p = strpbrk(p, vendor->avoid)) != NULL;)
		*p = ' ';
	hd_view_text(view, to, name, clean);
}

static const char *mark_of(const struct form_list *list, const struct hd_calls_entry *e)
{
	static const char *const marks[HD_CALL_KIND_COUNT] = {
		[HD_CALL_DIALLED] = "> ",
		[HD_CALL_RECEIVED] = "< ",
		[HD_CALL_MISSED] = "! ",
	};

	return list->kinds ? "" : marks[e->kind];
}

static void entry_fill(struct hd_view *view, struct hd_value *to, const struct form_list *list,
		       const struct hd_calls_entry *e, const struct hd_vendor *vendor)
{
	const struct words *w = &words[hd_language_is_german(list->language)];
	bool can_dial = !e->withheld && e->number[0];
	const char *who = e->withheld ? w->withheld : e->name[0] ? e->name : e->number;
	struct hd_buf escaped = { 0 };
	char when[WHEN_SIZE], text[TEXT_SIZE];

	if (!who[0])
		who = w->withheld;
	when_make(when, w->time, e->started_ms);
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s%s", mark_of(list, e), who,
		       e->forwarded_to[0] ? " -> " : "", e->forwarded_to, when[0] ? ", " : "",
		       when);
	hd_uri_escape_user(&escaped, hd_slice_of(can_dial ? e->number : ""));
	text_of_people(view, to, "text", text, vendor);
	text_of_people(view, to, "name", who, vendor);
	hd_view_text(view, to, "number", can_dial ? e->number : "");
	hd_view_buf(view, to, "number_escaped", &escaped);
	hd_view_text(view, to, "when", when);
	hd_view_text(view, to, "forwarded_by", e->forwarded_by);
	hd_view_text(view, to, "forwarded_to", e->forwarded_to);
	hd_view_bool(view, to, "can_dial", can_dial);
	hd_view_bool(view, to, "missed", e->kind == HD_CALL_MISSED);
	hd_view_bool(view, to, "received", e->kind == HD_CALL_RECEIVED);
	hd_view_bool(view, to, "dialled", e->kind == HD_CALL_DIALLED);
}

static void link_fill(struct hd_view *view, struct hd_value *to, const char *name, bool there,
		      const struct form_list *list, size_t page)
{
	struct hd_buf url = { 0 };

	if (there)
		hd_buf_addf(&url, "%s/%s?page=%zu", list->url, list->kind, page);
	hd_view_buf(view, to, name, &url);
}

static void menu_fill(struct hd_view *view, struct hd_value *root, const struct form_list *list)
{
	const struct words *w = &words[hd_language_is_german(list->language)];
	const char *const rows[][2] = { { "all", w->all },
					{ "missed", w->missed },
					{ "received", w->received },
					{ "dialled", w->dialled } };
	struct hd_value *menu = hd_view_list(view, root, "kinds"), *to;
	const char *title = list->menu ? w->title : w->all;
	struct hd_buf url;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		url = (struct hd_buf){ 0 };
		to = hd_view_object(view, menu, NULL);
		hd_buf_addf(&url, "%s/%s", list->url, rows[i][0]);
		hd_view_buf(view, to, "url", &url);
		hd_view_text(view, to, "name", rows[i][1]);
		if (!list->menu && strcmp(rows[i][0], list->kind) == 0)
			title = rows[i][1];
	}
	hd_view_text(view, root, "title", title);
}

/* The other pages of the phone: ".../calls" to ".../form". */
static void beside_fill(struct hd_view *view, struct hd_value *root, const char *name,
			const struct form_list *list)
{
	struct hd_buf url = { 0 };

	hd_buf_addf(&url, "%.*s%s", (int)(strlen(list->url) - strlen("calls")), list->url, name);
	hd_view_buf(view, root, name, &url);
}

static void fill(struct hd_view *view, const struct form_list *list, const struct hd_vendor *vendor)
{
	const struct words *w = &words[hd_language_is_german(list->language)];
	bool open = !list->nobody && list->mode != HD_LIST_OFF, some = open && list->n > 0;
	struct hd_value *root = hd_view_root(view), *rows, *to;

	hd_view_text(view, root, "url", list->url);
	beside_fill(view, root, "form", list);
	beside_fill(view, root, "settings", list);
	text_of_people(view, root, "user", list->name, vendor);
	/* One of the three. */
	hd_view_bool(view, root, "menu", open && list->menu);
	hd_view_bool(view, root, "list", some && !list->menu);
	hd_view_bool(view, root, "nobody", list->nobody);
	hd_view_bool(view, root, "nothing", !open || (!list->menu && !some));
	hd_view_text(view, root, "why", list->nobody ? w->nobody : open ? w->empty : w->off);
	menu_fill(view, root, list);
	rows = hd_view_list(view, root, "entries");
	for (size_t i = 0; i < list->n; i++)
		entry_fill(view, hd_view_object(view, rows, NULL), list, &list->entries[i], vendor);
	link_fill(view, root, "next", list->more, list, list->page + 1);
	link_fill(view, root, "previous", list->page > 0, list, list->page - 1);
	to = hd_view_object(view, root, "words");
	hd_view_text(view, to, "next", w->next);
	hd_view_text(view, to, "previous", w->previous);
	hd_view_text(view, to, "back", w->back);
	hd_view_text(view, to, "login", w->login);
	hd_view_text(view, to, "settings", w->settings);
}

int form_list_render(const struct hd_template_set *set, const struct hd_vendor *vendor,
		     const struct form_list *list, struct hd_buf *out, struct hd_buf *errors)
{
	struct hd_view *view;
	int err = hd_view_new(&view);

	if (err)
		return err;
	fill(view, list, vendor);
	return form_view_render(set, vendor->list, view, out, errors);
}

/* Every kind of page, so that each name in it is met. */
int form_list_try(const struct hd_template_set *set, const struct hd_vendor *vendor,
		  struct hd_buf *errors)
{
	struct hd_calls_entry entries[] = {
		{ .kind = HD_CALL_MISSED,
		  .number = "201",
		  .forwarded_to = "203",
		  .started_ms = 1000 },
		{ .kind = HD_CALL_RECEIVED, .withheld = true, .forwarded_by = "77" },
		{ .kind = HD_CALL_DIALLED, .number = "202" },
	};
	const struct form_list pages[] = {
		{ .url = "https://h/t/calls", .kind = "all", .menu = true, .name = "Anna" },
		{ .url = "https://h/t/calls", .kind = "all", .nobody = true },
		{ .url = "https://h/t/calls", .kind = "missed" },
		{ .url = "https://h/t/calls", .kind = "all", .entries = entries, .n = 3 },
		{ .url = "https://h/t/calls",
		  .kind = "all",
		  .entries = entries,
		  .n = 3,
		  .page = 1,
		  .more = true },
	};
	struct hd_buf out = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(pages) / sizeof(pages[0]); i++) {
		err = form_list_render(set, vendor, &pages[i], &out, errors);
		hd_buf_fini(&out);
	}
	return err;
}
