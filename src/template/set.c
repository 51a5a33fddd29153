/* set.c - templates by the names of their files; see template.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hotdesk/template.h"

enum { FILES_MAX = 128, FILE_NAME_MAX = 64 };

struct entry {
	char *name;
	struct hd_template *template;
};
struct hd_template_set {
	char *own, *ours;
	struct entry entries[FILES_MAX];
	size_t n;
};

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
static int file_read(const char *path, struct hd_buf *text, struct hd_buf *errors)
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
		hd_buf_addf(errors, "%s: cannot be read: %s\n", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return n < 0 ? HD_ESYSTEM : hd_buf_error(text);
}

/* From the administrator's folder, else from ours. */
static int file_find(const struct hd_template_set *set, const char *name, struct hd_buf *path,
		     struct hd_buf *text, struct hd_buf *errors)
{
	const char *const folders[] = { set->own, set->ours };
	int err = HD_ENOENT;

	for (size_t i = 0; err == HD_ENOENT && i < 2; i++) {
		if (!folders[i])
			continue;
		hd_buf_fini(path);
		hd_buf_addf(path, "%s/%s", folders[i], name);
		err = hd_buf_error(path);
		if (!err)
			err = file_read(hd_buf_text(path), text, errors);
	}
	if (err == HD_ENOENT)
		hd_buf_addf(errors, "%s: no such file in %s%s%s\n", name, set->own ? set->own : "",
			    set->own && set->ours ? " or " : "", set->ours ? set->ours : "");
	return err;
}

static const struct entry *entry_find(const struct hd_template_set *set, struct hd_slice name)
{
	for (size_t i = 0; i < set->n; i++)
		if (hd_slice_is(name, set->entries[i].name))
			return &set->entries[i];
	return NULL;
}

static int entry_add(struct hd_template_set *set, struct hd_slice name, struct hd_buf *errors)
{
	struct hd_buf path = { 0 }, text = { 0 };
	struct entry *entry = &set->entries[set->n];
	int err;

	if (set->n == FILES_MAX || !name_is_valid(name)) {
		hd_buf_addf(errors, "%.*s: %s\n", (int)name.len, name.ptr,
			    set->n == FILES_MAX ? "too many files" : "not the name of a file");
		return HD_ELIMIT;
	}
	entry->name = strndup(name.ptr, name.len);
	if (!entry->name)
		return HD_ENOMEM;
	set->n++;
	err = file_find(set, entry->name, &path, &text, errors);
	if (!err)
		err = hd_template_parse(&entry->template, hd_buf_text(&path),
					(struct hd_slice){ text.data, text.len }, errors);
	hd_buf_fini(&path);
	hd_buf_fini(&text);
	return err;
}

/* ---- the set --------------------------------------------------------------------------------- */

int hd_template_set_load(struct hd_template_set *set, const char *name, struct hd_buf *errors)
{
	size_t first = set->n, at;
	struct hd_slice partial;
	int err, more;

	if (entry_find(set, hd_slice_of(name)))
		return 0;
	err = entry_add(set, hd_slice_of(name), errors);
	/* What a file includes stands behind it in the list: so all are found in one pass. */
	for (size_t i = first; i < set->n; i++) {
		at = 0;
		while (set->entries[i].template &&
		       hd_template_partial(set->entries[i].template, &at, &partial)) {
			more = entry_find(set, partial) ? 0 : entry_add(set, partial, errors);
			if (!err)
				err = more;
		}
	}
	return err;
}

int hd_template_set_new(struct hd_template_set **sp, const char *own, const char *ours)
{
	struct hd_template_set *set = calloc(1, sizeof(*set));

	if (!set)
		return HD_ENOMEM;
	set->own = own ? strdup(own) : NULL;
	set->ours = ours ? strdup(ours) : NULL;
	if ((own && !set->own) || (ours && !set->ours)) {
		hd_template_set_free(set);
		return HD_ENOMEM;
	}
	*sp = set;
	return 0;
}

void hd_template_set_free(struct hd_template_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++) {
		hd_template_free(set->entries[i].template);
		free(set->entries[i].name);
	}
	free(set->own);
	free(set->ours);
	free(set);
}

const struct hd_template *hd_template_set_find(const struct hd_template_set *set, const char *name)
{
	const struct entry *entry = entry_find(set, hd_slice_of(name));

	return entry ? entry->template : NULL;
}

static const struct hd_template *partial(const void *arg, struct hd_slice name)
{
	const struct entry *entry = entry_find(arg, name);

	return entry ? entry->template : NULL;
}

struct hd_template_options hd_template_set_options(const struct hd_template_set *set,
						   enum hd_template_escape escape,
						   size_t output_max)
{
	return (struct hd_template_options){
		.escape = escape,
		.strict = true,
		.partial = partial,
		.arg = set,
		.output_max = output_max,
	};
}
