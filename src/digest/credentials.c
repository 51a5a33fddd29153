/* credentials.c - see digest.h: the syntax of credentials and challenges. */
#include <string.h>

#include "hotdesk/digest.h"

struct cursor {
	const char *p;
	const char *end;
};

struct param {
	struct hd_slice name;
	struct hd_slice value;
};

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static bool is_control(char ch)
{
	return ((unsigned char)ch < 0x20 && ch != '\t') || ch == 0x7f;
}

/* token of RFC 3261 25.1 */
static bool is_token(char ch)
{
	if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z'))
		return true;
	return ch != '\0' && strchr("-.!%*_+`'~", ch) != NULL;
}

static void skip_blanks(struct cursor *cur)
{
	while (cur->p < cur->end && is_blank(*cur->p))
		cur->p++;
}

static struct hd_slice take_token(struct cursor *cur)
{
	const char *start = cur->p;

	while (cur->p < cur->end && is_token(*cur->p))
		cur->p++;

	return (struct hd_slice){ start, (size_t)(cur->p - start) };
}

static int take_quoted(struct hd_slice *valuep, struct cursor *cur)
{
	const char *start = ++cur->p;

	for (; cur->p < cur->end && *cur->p != '"'; cur->p++) {
		if (is_control(*cur->p))
			return HD_EPARSE;
		if (*cur->p == '\\' && ++cur->p == cur->end)
			return HD_EPARSE;
	}
	if (cur->p == cur->end)
		return HD_EPARSE;

	*valuep = (struct hd_slice){ start, (size_t)(cur->p++ - start) };
	return 0;
}

/* Phones leave out quotes, also around a URI or base64 text: anything up to a comma or blank. */
static int take_unquoted(struct hd_slice *valuep, struct cursor *cur)
{
	const char *start = cur->p;

	for (; cur->p < cur->end && *cur->p != ',' && !is_blank(*cur->p); cur->p++) {
		if (is_control(*cur->p) || *cur->p == '"')
			return HD_EPARSE;
	}

	*valuep = (struct hd_slice){ start, (size_t)(cur->p - start) };
	return 0;
}

static int take_param(struct param *param, struct cursor *cur)
{
	int err;

	param->name = take_token(cur);
	skip_blanks(cur);
	if (param->name.len == 0 || cur->p == cur->end || *cur->p != '=')
		return HD_EPARSE;
	cur->p++;
	skip_blanks(cur);

	if (cur->p < cur->end && *cur->p == '"')
		err = take_quoted(&param->value, cur);
	else
		err = take_unquoted(&param->value, cur);
	if (err)
		return err;

	skip_blanks(cur);
	return cur->p == cur->end || *cur->p == ',' ? 0 : HD_EPARSE;
}

/* A parameter that counts, and where it goes. */
struct field {
	const char *name;
	struct hd_slice *slice;
};

static struct hd_slice *field_of(const struct field *fields, size_t n, struct hd_slice name)
{
	const char first = (char)(name.ptr[0] | 0x20); /* names of fields are in lower case */

	for (size_t i = 0; i < n; i++) {
		if (fields[i].name[0] == first && hd_slice_caseis(name, fields[i].name))
			return fields[i].slice;
	}

	return NULL;
}

static int parse_params(const struct field *fields, size_t n_fields, struct cursor *cur)
{
	struct param param;
	struct hd_slice *field;
	int err;

	for (unsigned n = 0;;) {
		while (cur->p < cur->end && (is_blank(*cur->p) || *cur->p == ','))
			cur->p++;
		if (cur->p == cur->end)
			return n > 0 ? 0 : HD_ENOENT;
		if (n++ == HD_CREDENTIALS_PARAMS_MAX)
			return HD_ELIMIT;

		err = take_param(&param, cur);
		if (err)
			return err;

		field = field_of(fields, n_fields, param.name);
		if (field && field->ptr)
			return HD_EPARSE;
		if (field)
			*field = param.value;
	}
}

/* "Digest", then parameters */
static int parse_digest(const struct field *fields, size_t n_fields, struct hd_slice value)
{
	struct cursor cur;

	if (!value.ptr)
		return HD_EINVAL;
	if (value.len > HD_CREDENTIALS_MAX)
		return HD_ELIMIT;

	cur = (struct cursor){ value.ptr, value.ptr + value.len };
	skip_blanks(&cur);
	if (!hd_slice_caseis(take_token(&cur), "Digest"))
		return HD_EUNSUPPORTED;
	if (cur.p < cur.end && !is_blank(*cur.p))
		return HD_EPARSE;

	return parse_params(fields, n_fields, &cur);
}

int hd_credentials_parse(struct hd_credentials *c, struct hd_slice value)
{
	if (!c)
		return HD_EINVAL;
	memset(c, 0, sizeof(*c));

	const struct field fields[] = {
		{ "username", &c->username }, { "realm", &c->realm },
		{ "nonce", &c->nonce },	      { "uri", &c->uri },
		{ "response", &c->response }, { "algorithm", &c->algorithm },
		{ "qop", &c->qop },	      { "nc", &c->nc },
		{ "cnonce", &c->cnonce },     { "opaque", &c->opaque },
		{ "userhash", &c->userhash },
	};

	return parse_digest(fields, sizeof(fields) / sizeof(fields[0]), value);
}

int hd_challenge_parse(struct hd_challenge *c, struct hd_slice value)
{
	if (!c)
		return HD_EINVAL;
	memset(c, 0, sizeof(*c));

	const struct field fields[] = {
		{ "realm", &c->realm },		{ "nonce", &c->nonce }, { "opaque", &c->opaque },
		{ "algorithm", &c->algorithm }, { "qop", &c->qop },	{ "stale", &c->stale },
	};

	return parse_digest(fields, sizeof(fields) / sizeof(fields[0]), value);
}

enum hd_digest_algorithm hd_credentials_algorithm(const struct hd_credentials *c)
{
	if (!c->algorithm.ptr || hd_slice_caseis(c->algorithm, "MD5"))
		return HD_DIGEST_MD5;
	if (hd_slice_caseis(c->algorithm, "SHA-256"))
		return HD_DIGEST_SHA256;

	return HD_DIGEST_OTHER;
}
