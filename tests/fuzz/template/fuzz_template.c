/*
 * fuzz_template.c - a template, a newline and a partial "p" of it in one input (split at the first
 * NUL): parsed, checked, rendered for each target. What passes the check meets no unknown name.
 */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/template.h"
#include "support/fuzz.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const struct hd_template *partial(const void *arg, struct hd_slice name)
{
	return hd_slice_is(name, "p") ? arg : NULL;
}

static struct hd_view *sample(void)
{
	struct hd_view *view = NULL;
	struct hd_value *root, *list;

	require(hd_view_new(&view) == 0);
	root = hd_view_root(view);
	hd_view_text(view, root, "a", "x<&>\"'\n\xc2\x85\xff");
	hd_view_bool(view, root, "t", true);
	hd_view_bool(view, root, "f", false);
	hd_view_text(view, hd_view_object(view, root, "o"), "x", "X");
	list = hd_view_list(view, root, "l");
	hd_view_int(view, hd_view_object(view, list, NULL), "y", 1);
	return view;
}

static void render(const struct hd_template *t, const struct hd_template *p,
		   enum hd_template_escape escape)
{
	struct hd_template_options o = {
		.escape = escape,
		.strict = true,
		.partial = partial,
		.arg = p,
		.output_max = 1 << 16,
	};
	struct hd_view *view = sample();
	struct hd_buf out = { 0 }, errors = { 0 };
	int checked, err;

	checked = hd_template_check(t, hd_view_root(view), &o, &errors);
	require(!checked == (errors.len == 0));
	err = hd_template_render(t, hd_view_root(view), &o, &out, NULL);
	require(checked || err == 0 || err == HD_ELIMIT);
	require(out.len <= o.output_max + HD_TEMPLATE_MAX_BYTES);
	o.strict = false;
	hd_buf_fini(&out);
	err = hd_template_render(t, hd_view_root(view), &o, &out, NULL);
	require(err == 0 || err == HD_ELIMIT);
	hd_buf_fini(&out);
	hd_buf_fini(&errors);
	hd_view_free(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, 0, size);
	size_t n = nul ? (size_t)(nul - data) : size;
	struct hd_template *t = NULL, *p = NULL;
	struct hd_buf errors = { 0 };

	if (hd_template_parse(&t, "t", (struct hd_slice){ (const char *)data, n }, &errors))
		require(errors.len > 0);
	if (nul &&
	    hd_template_parse(&p, "p", (struct hd_slice){ (const char *)nul + 1, size - n - 1 },
			      &errors))
		require(errors.len > 0);
	for (int how = HD_TEMPLATE_RAW; t && how <= HD_TEMPLATE_LINE; how++)
		render(t, p, (enum hd_template_escape)how);
	hd_template_free(t);
	hd_template_free(p);
	hd_buf_fini(&errors);
	return 0;
}
