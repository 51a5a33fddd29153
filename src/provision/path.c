/* path.c - see provision_path_parse(). */
#include <stdio.h>
#include <string.h>

#include "provision_priv.h"

enum { TOKEN_CHARS = HD_TOKEN_SIZE - 1 };

/* The path of "/a/b?c" or "http://host:port/a/b?c". */
static int path_of(struct hd_slice *path, struct hd_slice target)
{
	static const char *const schemes[] = { "http://", "https://" };
	const char *end;

	if (target.len > PROVISION_TARGET_MAX)
		return HD_EPARSE;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);
		struct hd_slice head = { target.ptr, n };

		if (target.len <= n || !hd_slice_caseis(head, schemes[i]))
			continue;
		end = memchr(target.ptr + n, '/', target.len - n);
		if (!end)
			return HD_EPARSE;
		target.len -= (size_t)(end - target.ptr);
		target.ptr = end;
		break;
	}
	if (!target.len || target.ptr[0] != '/')
		return HD_EPARSE;
	end = memchr(target.ptr, '?', target.len);
	if (end)
		target.len = (size_t)(end - target.ptr);
	*path = target;
	return 0;
}

/* @return the value of a byte, perhaps escaped, or -1 */
static int byte_next(struct hd_slice *s)
{
	uint8_t byte = (uint8_t)s->ptr[0];
	size_t n = 1;

	if (byte == '%') {
		if (s->len < 3 || hd_hex_parse(&byte, 1, (struct hd_slice){ s->ptr + 1, 2 }) ||
		    byte == '/')
			return -1;
		n = 3;
	}
	s->ptr += n;
	s->len -= n;
	return byte < 0x20 || byte > 0x7e || byte == '\\' || byte == '%' ? -1 : byte;
}

static int segment_copy(char *dst, size_t size, struct hd_slice segment)
{
	size_t n = 0;
	int byte;

	while (segment.len > 0) {
		byte = byte_next(&segment);
		if (byte < 0 || n + 1 >= size)
			return HD_EPARSE;
		dst[n++] = (char)byte;
	}
	dst[n] = '\0';
	return strcmp(dst, ".") == 0 || strcmp(dst, "..") == 0 ? HD_EPARSE : 0;
}

static bool is_token(const char *text)
{
	return strlen(text) == TOKEN_CHARS &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz234567") == TOKEN_CHARS;
}

static struct hd_slice segment_cut(struct hd_slice *path)
{
	const char *end;
	struct hd_slice segment;

	path->ptr++;
	path->len--;
	end = path->len ? memchr(path->ptr, '/', path->len) : NULL;
	segment.ptr = path->ptr;
	segment.len = end ? (size_t)(end - path->ptr) : path->len;
	path->ptr += segment.len;
	path->len -= segment.len;
	return segment;
}

static void part_add(struct provision_path *path, const char *text)
{
	size_t n = strlen(path->rest);

	memcpy(path->file, text, sizeof(path->file));
	(void)snprintf(path->rest + n, sizeof(path->rest) - n, "%s%s", n ? "/" : "", text);
}

int provision_path_parse(struct provision_path *path, const char *prefix, struct hd_slice target)
{
	char text[PROVISION_FILE_SIZE] = "";
	size_t prefix_len = strlen(prefix);
	struct hd_slice rest, segment;

	memset(path, 0, sizeof(*path));
	if (path_of(&rest, target))
		return HD_EPARSE;
	if (rest.len <= prefix_len || memcmp(rest.ptr, prefix, prefix_len) != 0 ||
	    rest.ptr[prefix_len] != '/')
		return HD_ENOENT;
	rest.ptr += prefix_len;
	rest.len -= prefix_len;
	for (unsigned n = 0; rest.len > 0; n++) {
		segment = segment_cut(&rest);
		/* Only the last may be empty. */
		if (n == PROVISION_SEGMENTS_MAX || (!segment.len && rest.len > 0) ||
		    segment_copy(text, sizeof(text), segment))
			return HD_EPARSE;
		if (n == 0 && is_token(text))
			memcpy(path->token, text, sizeof(path->token));
		else
			part_add(path, text);
	}
	return 0;
}
