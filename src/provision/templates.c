/* templates.c - the templates of all vendors: read, parsed, tried; see render.h. */
#include "templates.h"

#include <stdlib.h>

#include "view.h"

struct hd_templates {
	struct hd_template_set *set;
};

struct loader {
	struct hd_templates *templates;
	struct hd_buf *errors;
	int err; /* the first one */
};

static void fail(struct loader *l, int err)
{
	if (!l->err)
		l->err = err;
}

static void files_load(struct loader *l)
{
	const struct hd_vendor *vendors;
	size_t n;

	vendors = hd_vendors(&n);
	for (size_t i = 0; i < n; i++) {
		const char *const names[] = { vendors[i].template, vendors[i].index,
					      vendors[i].patch };

		for (size_t j = 0; j < 3; j++) {
			int err = names[j] ? hd_template_set_load(l->templates->set, names[j],
								  l->errors)
					   : 0;

			if (err)
				fail(l, err);
		}
	}
}

/* ---- rendering one --------------------------------------------------------------------------- */

static struct hd_template_options options_of(const struct hd_templates *templates,
					     const struct hd_vendor *vendor,
					     enum hd_vendor_file kind)
{
	enum hd_vendor_escape escape =
		kind == HD_VENDOR_FILE_PATCH ? vendor->patch_escape : vendor->escape;

	return hd_template_set_options(templates->set,
				       escape == HD_ESCAPE_XML ? HD_TEMPLATE_XML : HD_TEMPLATE_LINE,
				       TEMPLATES_OUTPUT_MAX);
}

static const char *file_of(const struct hd_vendor *vendor, enum hd_vendor_file kind)
{
	switch (kind) {
	case HD_VENDOR_FILE_MAIN:
		return vendor->template;
	case HD_VENDOR_FILE_INDEX:
		return vendor->index;
	case HD_VENDOR_FILE_PATCH:
		return vendor->patch;
	default:
		return NULL;
	}
}

static const struct hd_template *template_of(const struct hd_templates *templates,
					     const struct hd_vendor *vendor,
					     enum hd_vendor_file kind)
{
	const char *name = file_of(vendor, kind);

	return name ? hd_template_set_find(templates->set, name) : NULL;
}

int templates_render(const struct hd_templates *templates, const struct hd_vendor *vendor,
		     enum hd_vendor_file kind, struct hd_view *view, struct hd_buf *out,
		     struct hd_buf *errors)
{
	const struct hd_template *t = template_of(templates, vendor, kind);
	const struct hd_template_options options = options_of(templates, vendor, kind);

	return t ? hd_template_render(t, hd_view_root(view), &options, out, errors) : HD_ENOENT;
}

/* ---- the check ------------------------------------------------------------------------------- */

static int sample_render(struct loader *l, const struct hd_vendor *vendor, enum hd_vendor_file kind,
			 enum hd_face_state state)
{
	struct view_sample sample;
	struct hd_view *view = NULL;
	struct hd_buf out = { 0 };
	int err;

	view_sample_make(&sample, vendor, state);
	err = hd_view_new(&view);
	if (!err)
		err = view_fill(view, &sample.input, false);
	if (!err)
		err = templates_render(l->templates, vendor, kind, view, &out, l->errors);
	hd_buf_fini(&out);
	hd_view_free(view);
	return err;
}

static void template_check(struct loader *l, const struct hd_vendor *vendor,
			   enum hd_vendor_file kind)
{
	const struct hd_template *t = template_of(l->templates, vendor, kind);
	const struct hd_template_options options = options_of(l->templates, vendor, kind);
	struct view_sample sample;
	struct hd_view *view = NULL;
	int err;

	if (!t)
		return;
	view_sample_make(&sample, vendor, HD_FACE_OCCUPIED);
	err = hd_view_new(&view);
	if (!err)
		err = view_fill(view, &sample.input, true);
	if (!err)
		err = hd_template_check(t, hd_view_root(view), &options, l->errors);
	hd_view_free(view);
	for (int state = 0; !err && state < HD_FACE_STATES; state++)
		err = sample_render(l, vendor, kind, (enum hd_face_state)state);
	if (err)
		fail(l, err);
}

static void templates_check(struct loader *l)
{
	const struct hd_vendor *vendors;
	size_t n;

	vendors = hd_vendors(&n);
	for (size_t i = 0; i < n; i++) {
		template_check(l, &vendors[i], HD_VENDOR_FILE_MAIN);
		template_check(l, &vendors[i], HD_VENDOR_FILE_INDEX);
		template_check(l, &vendors[i], HD_VENDOR_FILE_PATCH);
	}
}

int hd_templates_load(struct hd_templates **tp, const char *own, const char *ours,
		      struct hd_buf *errors)
{
	struct loader l = { .errors = errors };

	if (!tp || !errors)
		return HD_EINVAL;
	l.templates = calloc(1, sizeof(*l.templates));
	if (!l.templates)
		return HD_ENOMEM;
	l.err = hd_template_set_new(&l.templates->set, own, ours);
	if (!l.err)
		files_load(&l);
	/* A partial that could not be read would be complained of once more by each that has it. */
	if (!l.err)
		templates_check(&l);
	if (l.err)
		hd_templates_free(l.templates);
	else
		*tp = l.templates;
	return l.err;
}

void hd_templates_free(struct hd_templates *templates)
{
	if (!templates)
		return;
	hd_template_set_free(templates->set);
	free(templates);
}
