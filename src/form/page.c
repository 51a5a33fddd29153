/* page.c - one page in the words of a vendor's browser; the check of all templates. */
#include "form_priv.h"

static const struct words {
	const char *login, *logout, *number, *pin, *ok, *leave, *again, *settings;
} words[] = {
	{ "Login", "Logout", "Number", "PIN", "OK", "Exit", "Again", "Settings" },
	{ "Anmelden", "Abmelden", "Nummer", "PIN", "OK", "Ende", "Nochmal", "Einstellungen" },
};

void form_escape(struct hd_buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			     (*p >= 'A' && *p <= 'Z');

		hd_buf_addf(b, plain ? "%c" : "%%%02X", (unsigned char)*p);
	}
}

static void fill(struct hd_view *view, const struct form_page *page)
{
	const struct words *w = &words[hd_language_is_german(page->language)];
	struct hd_value *root = hd_view_root(view), *to;
	struct hd_buf escaped = { 0 };

	form_escape(&escaped, page->number);
	hd_view_buf(view, root, "number_escaped", &escaped);
	hd_view_text(view, root, "url", page->url);
	hd_view_text(view, root, "settings", page->settings);
	hd_view_text(view, root, "id", page->id);
	hd_view_text(view, root, "phone", page->phone);
	hd_view_text(view, root, "user", page->user);
	hd_view_text(view, root, "number", page->number);
	hd_view_text(view, root, "result", page->result);
	hd_view_bool(view, root, "failed", page->failed);
	/* One of the three. */
	hd_view_bool(view, root, "done", page->result[0] != '\0');
	hd_view_bool(view, root, "occupied", !page->result[0] && page->user[0]);
	hd_view_bool(view, root, "ask", !page->result[0] && !page->user[0]);
	to = hd_view_object(view, root, "words");
	hd_view_text(view, to, "login", w->login);
	hd_view_text(view, to, "logout", w->logout);
	hd_view_text(view, to, "number", w->number);
	hd_view_text(view, to, "pin", w->pin);
	hd_view_text(view, to, "ok", w->ok);
	hd_view_text(view, to, "leave", w->leave);
	hd_view_text(view, to, "again", w->again);
	hd_view_text(view, to, "settings", w->settings);
}

int form_view_render(const struct hd_template_set *set, const char *name, struct hd_view *view,
		     struct hd_buf *out, struct hd_buf *errors)
{
	const struct hd_template *t = name ? hd_template_set_find(set, name) : NULL;
	const struct hd_template_options options =
		hd_template_set_options(set, HD_TEMPLATE_XML, FORM_OUTPUT_MAX);
	int err = t ? hd_view_error(view) : HD_ENOENT;

	if (!err)
		err = hd_template_render(t, hd_view_root(view), &options, out, errors);
	hd_view_free(view);
	return err;
}

int form_page_render(const struct hd_template_set *set, const struct hd_vendor *vendor,
		     const struct form_page *page, struct hd_buf *out, struct hd_buf *errors)
{
	struct hd_view *view;
	int err = hd_view_new(&view);

	if (err)
		return err;
	fill(view, page);
	return form_view_render(set, vendor->form, view, out, errors);
}

/* Every kind of page, so that each name in it is met. */
static int try(const struct hd_template_set *set, const struct hd_vendor *vendor,
	       struct hd_buf *errors)
{
	static const struct form_page pages[] = {
		{ "https://h/t/form", "https://h/t/settings", "0", "Desk", "en", "", "", "",
		  false },
		{ "https://h/t/form", "https://h/t/settings", "0", "Desk", "en", "", "201", "",
		  false },
		{ "https://h/t/form", "https://h/t/settings", "0", "Desk", "en", "Anna", "", "",
		  false },
		{ "https://h/t/form", "https://h/t/settings", "0", "Desk", "en", "", "", "Done.",
		  false },
		{ "https://h/t/form", "https://h/t/settings", "0", "Desk", "en", "", "", "No.",
		  true },
	};
	struct hd_buf out = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(pages) / sizeof(pages[0]); i++) {
		err = form_page_render(set, vendor, &pages[i], &out, errors);
		hd_buf_fini(&out);
	}
	return err;
}

int hd_form_load(struct hd_template_set **sp, const char *own, const char *ours,
		 struct hd_buf *errors)
{
	struct hd_template_set *set;
	const struct hd_vendor *vendors;
	size_t n;
	int err, one;

	err = hd_template_set_new(&set, own, ours);
	if (err)
		return err;
	vendors = hd_vendors(&n);
	for (size_t i = 0; i < n; i++) {
		one = vendors[i].form ? hd_template_set_load(set, vendors[i].form, errors) : 0;
		if (!one && vendors[i].form)
			one = try(set, &vendors[i], errors);
		if (!one && vendors[i].list)
			one = hd_template_set_load(set, vendors[i].list, errors);
		if (!one && vendors[i].list)
			one = form_list_try(set, &vendors[i], errors);
		if (!one && vendors[i].settings)
			one = hd_template_set_load(set, vendors[i].settings, errors);
		if (!one && vendors[i].settings)
			one = form_settings_try(set, &vendors[i], errors);
		if (!err)
			err = one;
	}
	if (err)
		hd_template_set_free(set);
	else
		*sp = set;
	return err;
}
