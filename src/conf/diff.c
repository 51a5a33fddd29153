/* diff.c - what differs between two configurations, and whether it can change without a restart. */
#include "conf_priv.h"

#include <string.h>

static bool text_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *text_at(const struct hd_conf_raw *raw, size_t offset)
{
	const char *text;

	memcpy(&text, (const char *)raw + offset, sizeof(text));
	return text;
}

static bool list_eq(const struct hd_key_info *key, const struct hd_conf_raw *a,
		    const struct hd_conf_raw *b)
{
	size_t n, m;
	char **x, **y;

	memcpy(&n, (const char *)a + key->count_offset, sizeof(n));
	memcpy(&m, (const char *)b + key->count_offset, sizeof(m));
	memcpy(&x, (const char *)a + key->offset, sizeof(x));
	memcpy(&y, (const char *)b + key->offset, sizeof(y));
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!text_eq(x[i], y[i]))
			return false;
	}
	return true;
}

static bool levels_eq(const struct hd_conf_log *a, const struct hd_conf_log *b)
{
	if (a->n_subsystems != b->n_subsystems)
		return false;
	for (size_t i = 0; i < a->n_subsystems; i++) {
		if (a->subsystems[i].level != b->subsystems[i].level ||
		    !text_eq(a->subsystems[i].subsystem, b->subsystems[i].subsystem))
			return false;
	}
	return true;
}

static bool key_eq(const struct hd_key_info *key, const struct hd_conf_raw *a,
		   const struct hd_conf_raw *b)
{
	switch (key->type) {
	case HD_KEY_TEXT:
	case HD_KEY_PATH:
		return text_eq(text_at(a, key->offset), text_at(b, key->offset));
	case HD_KEY_LIST:
		return list_eq(key, a, b);
	case HD_KEY_LEVELS:
		return levels_eq(&a->conf.log, &b->conf.log);
	default:
		return memcmp((const char *)a + key->offset, (const char *)b + key->offset,
			      key->size) == 0;
	}
}

/* Both come from hd_conf_parse(): conf is the first member of what was allocated. */
void hd_conf_diff(const struct hd_conf *before, const struct hd_conf *after, struct hd_buf *fixed,
		  struct hd_buf *live)
{
	const struct hd_conf_raw *a = (const struct hd_conf_raw *)(const void *)before;
	const struct hd_conf_raw *b = (const struct hd_conf_raw *)(const void *)after;

	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];
		struct hd_buf *out = key->live ? live : fixed;

		if (!key_eq(key, a, b))
			hd_buf_addf(out, "%s%s.%s", out->len ? ", " : "", key->section, key->name);
	}
}
