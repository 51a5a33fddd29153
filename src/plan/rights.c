/* rights.c - classes of service over numbers; see hotdesk/number.h. */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/number.h"

enum { PATTERN_SIZE = 33 };

enum what { PATTERN, KIND, LIST };

struct rule {
	enum what what;
	bool allow;
	enum hd_number_kind kind;
	size_t list; /* index */
	char pattern[PATTERN_SIZE];
};

/* A list is a set whose rules are all patterns and all allowed. */
struct set {
	char name[HD_CLASS_SIZE];
	struct rule *rules;
	size_t n;
};

struct hd_rights {
	struct set *lists, *classes;
	size_t n_lists, n_classes;
};

static void sets_free(struct set *sets, size_t n)
{
	for (size_t i = 0; sets && i < n; i++)
		free(sets[i].rules);
	free(sets);
}

void hd_rights_free(struct hd_rights *r)
{
	if (!r)
		return;
	sets_free(r->lists, r->n_lists);
	sets_free(r->classes, r->n_classes);
	free(r);
}

static const struct set *set_of(const struct set *sets, size_t n, struct hd_slice name)
{
	for (size_t i = 0; i < n; i++)
		if (hd_slice_is(name, sets[i].name))
			return &sets[i];
	return NULL;
}

static int kind_of(enum hd_number_kind *kindp, struct hd_slice word)
{
	for (int k = 0; k < HD_NUMBER_KIND_COUNT; k++)
		if (hd_slice_is(word, hd_number_kind_name(k))) {
			*kindp = (enum hd_number_kind)k;
			return 0;
		}
	return HD_ENOENT;
}

/* The next word, *restp behind it; empty at the end. */
static struct hd_slice next_word(struct hd_slice *restp)
{
	static const char blanks[] = " \t,;";
	struct hd_slice word;

	while (restp->len > 0 && strchr(blanks, restp->ptr[0])) {
		restp->ptr++;
		restp->len--;
	}
	word = (struct hd_slice){ restp->ptr, 0 };
	while (word.len < restp->len && !strchr(blanks, word.ptr[word.len]))
		word.len++;
	restp->ptr += word.len;
	restp->len -= word.len;
	return word;
}

static int complain(struct hd_buf *why, const char *text, int err, const char *what)
{
	hd_buf_addf(why, "\"%.100s\": %s", text, what);
	return err;
}

/* "+4915~", "0900X" */
static bool is_pattern(struct hd_slice word)
{
	size_t len = word.len > 0 && word.ptr[word.len - 1] == '~' ? word.len - 1 : word.len;

	if (word.len >= PATTERN_SIZE || word.len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789*#X", word.ptr[i]) && (word.ptr[i] != '+' || i > 0))
			return false;
	return true;
}

static bool is_name(struct hd_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name.ptr[i]))
			return false;
	return name.len > 0 && name.len < HD_CLASS_SIZE && name.ptr[0] >= 'a';
}

static struct rule *rule_add(struct set *set)
{
	struct rule *grown = realloc(set->rules, (set->n + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	set->rules = grown;
	memset(&grown[set->n], 0, sizeof(*grown));
	return &grown[set->n++];
}

static int add_pattern(struct set *set, struct hd_slice word, bool allow)
{
	struct rule *rule = rule_add(set);

	if (!rule)
		return HD_ENOMEM;
	rule->what = PATTERN;
	rule->allow = allow;
	return hd_str_copy(rule->pattern, sizeof(rule->pattern), word);
}

/* "name:" off the front. @return 0, HD_EPARSE or HD_EEXIST */
static int read_name(struct set *set, const struct hd_rights *r, const char *text,
		     struct hd_slice *restp, struct hd_buf *why)
{
	const char *colon = strchr(text, ':');
	struct hd_slice name = { text, colon ? (size_t)(colon - text) : 0 };
	enum hd_number_kind kind;

	name = hd_slice_trim(name);
	if (!is_name(name) || hd_slice_is(name, "allow") || hd_slice_is(name, "deny"))
		return complain(why, text, HD_EPARSE,
				"expected \"NAME: ...\", the name of a-z 0-9 - _, a letter first");
	if (!kind_of(&kind, name) || set_of(r->lists, r->n_lists, name) ||
	    set_of(r->classes, r->n_classes, name))
		return complain(why, text, HD_EEXIST, "this name is taken");
	*restp = hd_slice_of(colon + 1);
	return hd_str_copy(set->name, sizeof(set->name), name);
}

static int read_list(struct set *set, const struct hd_rights *r, const char *text,
		     struct hd_buf *why)
{
	struct hd_slice rest, word;
	int err = read_name(set, r, text, &rest, why);

	while (!err && (word = next_word(&rest)).len > 0) {
		if (!is_pattern(word))
			return complain(why, text, HD_EPARSE,
					"expected patterns of + 0-9 * # X, each with a final ~ for "
					"any rest");
		err = add_pattern(set, word, true);
	}
	return err;
}

static int add_rule(struct set *set, const struct hd_rights *r, struct hd_slice word, bool allow)
{
	const struct set *list = set_of(r->lists, r->n_lists, word);
	enum hd_number_kind kind = HD_NUMBER_KIND_COUNT;
	struct rule *rule;

	if (kind_of(&kind, word) && !list)
		return is_pattern(word) ? add_pattern(set, word, allow) : HD_ENOENT;
	rule = rule_add(set);
	if (!rule)
		return HD_ENOMEM;
	rule->what = list ? LIST : KIND;
	rule->allow = allow;
	rule->kind = kind;
	rule->list = list ? (size_t)(list - r->lists) : 0;
	return 0;
}

static int read_class(struct set *set, const struct hd_rights *r, const char *text,
		      struct hd_buf *why)
{
	struct hd_slice rest, word;
	bool allow = true, said = false;
	int err = read_name(set, r, text, &rest, why);

	while (!err && (word = next_word(&rest)).len > 0) {
		if (hd_slice_is(word, "allow") || hd_slice_is(word, "deny")) {
			allow = word.ptr[0] == 'a';
			said = true;
			continue;
		}
		if (!said)
			return complain(why, text, HD_EPARSE, "expected allow or deny first");
		err = add_rule(set, r, word, allow);
		if (err == HD_ENOENT)
			return complain(why, text, err,
					"expected kinds, names of lists, or patterns");
	}
	return err;
}

/* What sets are read from, and how one is. */
struct source {
	const char *const *texts;
	size_t n;
	int (*read)(struct set *set, const struct hd_rights *r, const char *text,
		    struct hd_buf *why);
};

static int read_all(struct set **setsp, size_t *np, const struct hd_rights *r,
		    const struct source *source, struct hd_buf *why)
{
	int err = 0;

	*setsp = calloc(source->n + 1, sizeof(**setsp));
	if (!*setsp)
		return HD_ENOMEM;
	for (size_t i = 0; !err && i < source->n; i++) {
		struct set set = { .n = 0 };

		err = source->read(&set, r, source->texts[i], why);
		(*setsp)[(*np)++] = set;
	}
	return err;
}

int hd_rights_new(struct hd_rights **rp, const char *const *lists, size_t n_lists,
		  const char *const *classes, size_t n_classes, struct hd_buf *why)
{
	const struct source from_lists = { lists, n_lists, read_list };
	const struct source from_classes = { classes, n_classes, read_class };
	struct hd_rights *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return HD_ENOMEM;
	err = read_all(&r->lists, &r->n_lists, r, &from_lists, why);
	if (!err)
		err = read_all(&r->classes, &r->n_classes, r, &from_classes, why);
	if (err)
		hd_rights_free(r);
	else
		*rp = r;
	return err;
}

bool hd_rights_has_class(const struct hd_rights *r, const char *name)
{
	return set_of(r->classes, r->n_classes, hd_slice_of(name)) != NULL;
}

static bool pattern_fits(const char *pattern, const struct hd_number *number)
{
	if (pattern[0] == '+' && number->e164[0])
		return hd_number_matches(pattern, number->e164);
	return hd_number_matches(pattern, number->dialled);
}

static bool rule_fits(const struct hd_rights *r, const struct rule *rule,
		      const struct hd_number *number)
{
	const struct set *list;

	if (rule->what == KIND)
		return rule->kind == number->kind;
	if (rule->what == PATTERN)
		return pattern_fits(rule->pattern, number);
	list = &r->lists[rule->list];
	for (size_t i = 0; i < list->n; i++)
		if (pattern_fits(list->rules[i].pattern, number))
			return true;
	return false;
}

bool hd_rights_allow(const struct hd_rights *r, const char *name, const struct hd_number *number)
{
	const struct set *class = set_of(r->classes, r->n_classes, hd_slice_of(name));

	if (number->kind == HD_NUMBER_KIND_EMERGENCY)
		return true;
	for (size_t i = 0; class && i < class->n; i++)
		if (rule_fits(r, &class->rules[i], number))
			return class->rules[i].allow;
	return false;
}
