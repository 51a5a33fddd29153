/* router.c - from a method and a path to a route. */
#include <string.h>

#include "hotdesk/base/uri.h"

#include "http_priv.h"

/* Cuts the first segment off a path that begins with '/'. */
static bool segment_next(struct hd_slice *path, struct hd_slice *segment)
{
	const char *end;

	if (!path->len || path->ptr[0] != '/')
		return false;
	path->ptr++;
	path->len--;
	end = path->len ? memchr(path->ptr, '/', path->len) : NULL;
	segment->ptr = path->ptr;
	segment->len = end ? (size_t)(end - path->ptr) : path->len;
	path->ptr += segment->len;
	path->len -= segment->len;
	return true;
}

static bool path_matches(struct hd_slice pattern, struct hd_slice path)
{
	struct hd_slice want = { NULL, 0 };
	struct hd_slice have = { NULL, 0 };

	if (hd_slice_is(pattern, "*"))
		return true;
	while (segment_next(&pattern, &want)) {
		if (!segment_next(&path, &have))
			return false;
		if (want.len && want.ptr[0] == ':') {
			if (!have.len)
				return false;
		} else if (!hd_slice_eq(want, have)) {
			return false;
		}
	}
	return path.len == 0;
}

static int params_take(struct http_match *m, struct hd_slice pattern, struct hd_slice path)
{
	struct hd_slice want = { NULL, 0 };
	struct hd_slice have = { NULL, 0 };
	int err;

	m->n_params = 0;
	while (segment_next(&pattern, &want) && segment_next(&path, &have)) {
		if (!want.len || want.ptr[0] != ':')
			continue;
		if (m->n_params == HD_HTTP_PARAMS_MAX)
			return HD_ELIMIT;
		err = hd_uri_unescape(m->params[m->n_params], HD_HTTP_PARAM_SIZE, have);
		if (err)
			return err;
		m->n_params++;
	}
	return 0;
}

int http_route(struct http_match *m, const struct http_table *tables, size_t n, unsigned method,
	       struct hd_slice path)
{
	const struct hd_http_route *r;

	memset(m, 0, sizeof(*m));
	for (size_t t = 0; t < n; t++) {
		for (size_t i = 0; i < tables[t].n; i++) {
			r = &tables[t].routes[i];
			if (!path_matches(hd_slice_of(r->path), path))
				continue;
			m->allowed |= r->method;
			if (r->method != method)
				continue;
			m->route = r;
			m->arg = tables[t].arg;
			return params_take(m, hd_slice_of(r->path), path);
		}
	}
	return m->allowed ? HD_EUNSUPPORTED : HD_ENOENT;
}
