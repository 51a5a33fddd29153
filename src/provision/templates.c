/* templates.c - the templates of all vendors: read, parsed, tried; see render.h. */
#include "templates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "view.h"

enum { FILES_MAX = 128, FILE_NAME_MAX = 64 };

struct entry {
	char *name;
	struct hd_template *template;
};
struct hd_templates {
	struct entry entries[FILES_MAX];
	size_t n;
};

struct loader {
	struct hd_templates *templates;
	const char *own, *ours;
	struct hd_buf *errors;
	int err; /* the first one */
};

static int fail(struct loader *l, int err)
{
	if (!l->err)
		l->err = err;
	return err;
}

/* ---- one file -------------------------------------------------------------------------------- */

/* Of a partial: it must not lead out of the folders. */
static bool name_is_valid(struct hd_slice name)
{
	if (!name.len || name.len > FILE_NAME_MAX || name.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-",
			    name.ptr[i]) ||
		    !name.ptr[i])
			return false;
	return true;
}

/* @return 0, HD_ENOENT (not there: nothing is said), else said */
static int file_read(struct loader *l, const char *path, struct hd_buf *text)
{
	char bytes[4096];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return HD_ENOENT;
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode)) {
		while (text->len <= HD_TEMPLATE_MAX_BYTES &&
		       (n = read(fd, bytes, sizeof(bytes))) > 0)
			hd_buf_add(text, (struct hd_slice){ bytes, (size_t)n });
	} else if (fd >= 0) {
		errno = EINVAL;
	}
	if (n < 0)
		hd_buf_addf(l->errors, "%s: cannot be read: %s\n", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return n < 0 ? HD_ESYSTEM : hd_buf_error(text);
}

/* From the administrator's folder, else from ours. */
static int file_find(struct loader *l, const char *name, struct hd_buf *path, struct hd_buf *text)
{
	const char *const folders[] = { l->own, l->ours };
	int err = HD_ENOENT;

	for (size_t i = 0; err == HD_ENOENT && i < 2; i++) {
		if (!folders[i])
			continue;
		hd_buf_fini(path);
		hd_buf_addf(path, "%s/%s", folders[i], name);
		err = hd_buf_error(path);
		if (!err)
			err = file_read(l, hd_buf_text(path), text);
	}
	if (err == HD_ENOENT)
		hd_buf_addf(l->errors, "%s: no such file in %s%s%s\n", name, l->own ? l->own : "",
			    l->own && l->ours ? " or " : "", l->ours ? l->ours : "");
	return err;
}

static const struct entry *entry_find(const struct hd_templates *t, struct hd_slice name)
{
	for (size_t i = 0; i < t->n; i++)
		if (hd_slice_is(name, t->entries[i].name))
			return &t->entries[i];
	return NULL;
}

static void file_load(struct loader *l, struct hd_slice name)
{
	struct hd_templates *t = l->templates;
	struct hd_buf path = { 0 }, text = { 0 };
	struct entry *entry = &t->entries[t->n];
	int err;

	if (entry_find(t, name))
		return;
	if (t->n == FILES_MAX || !name_is_valid(name)) {
		hd_buf_addf(l->errors, "%.*s: %s\n", (int)name.len, name.ptr,
			    t->n == FILES_MAX ? "too many files" : "not the name of a file");
		(void)fail(l, HD_ELIMIT);
		return;
	}
	entry->name = strndup(name.ptr, name.len);
	if (!entry->name) {
		(void)fail(l, HD_ENOMEM);
		return;
	}
	t->n++;
	err = file_find(l, entry->name, &path, &text);
	if (!err)
		err = hd_template_parse(&entry->template, hd_buf_text(&path),
					(struct hd_slice){ text.data, text.len }, l->errors);
	if (err)
		(void)fail(l, err);
	hd_buf_fini(&path);
	hd_buf_fini(&text);
}

/* What a file includes stands behind it in the list: so all are found in one pass. */
static void files_load(struct loader *l)
{
	const struct hd_vendor *vendors;
	struct hd_slice name;
	size_t n, at;

	vendors = hd_vendors(&n);
	for (size_t i = 0; i < n; i++) {
		const char *const names[] = { vendors[i].template, vendors[i].index,
					      vendors[i].patch };

		for (size_t j = 0; j < 3; j++)
			if (names[j])
				file_load(l, hd_slice_of(names[j]));
	}
	for (size_t i = 0; i < l->templates->n; i++) {
		at = 0;
		while (l->templates->entries[i].template &&
		       hd_template_partial(l->templates->entries[i].template, &at, &name))
			file_load(l, name);
	}
}

/* ---- rendering one --------------------------------------------------------------------------- */

static const struct hd_template *partial(const void *arg, struct hd_slice name)
{
	const struct entry *entry = entry_find(arg, name);

	return entry ? entry->template : NULL;
}

static struct hd_template_options options_of(const struct hd_templates *templates,
					     const struct hd_vendor *vendor,
					     enum hd_vendor_file kind)
{
	enum hd_vendor_escape escape =
		kind == HD_VENDOR_FILE_PATCH ? vendor->patch_escape : vendor->escape;

	return (struct hd_template_options){
		.escape = escape == HD_ESCAPE_XML ? HD_TEMPLATE_XML : HD_TEMPLATE_LINE,
		.strict = true,
		.partial = partial,
		.arg = templates,
		.output_max = TEMPLATES_OUTPUT_MAX,
	};
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

	return name ? partial(templates, hd_slice_of(name)) : NULL;
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
		(void)fail(l, err);
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
	struct loader l = { .own = own, .ours = ours, .errors = errors };

	if (!tp || !errors)
		return HD_EINVAL;
	l.templates = calloc(1, sizeof(*l.templates));
	if (!l.templates)
		return HD_ENOMEM;
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
	for (size_t i = 0; i < templates->n; i++) {
		hd_template_free(templates->entries[i].template);
		free(templates->entries[i].name);
	}
	free(templates);
}
