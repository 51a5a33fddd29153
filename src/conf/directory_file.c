/*
 * directory_file.c - users and phones as import reads them; JSON is read as the YAML that it is.
 *
 * Not through libcyaml, which would leave PINs and secrets in released memory and in its messages.
 * No message of ours repeats a value of a secret field, nor one whose field is not certain.
 */
#include "conf_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"

struct list;

struct field {
	const char *name;
	size_t offset;
	bool required, secret;
	bool standard;			 /* of a truth value (form is NULL) */
	bool (*form)(struct hd_slice s); /* of a text */
	const char *expected;
	const struct list *list; /* of entries within the entry */
};

#define USER(member) #member, offsetof(struct hd_file_user, member)
#define PHONE(member) #member, offsetof(struct hd_file_phone, member)
#define KEY(member) #member, offsetof(struct hd_file_key, member)
#define GROUP_WORDS "1 to 32 letters, digits and . _ -"
#define NUMBER_WORDS "1 to 32 letters, digits and . _ - * #"

#define CLASS_WORDS "the name of a class of service: 1 to 32 of a-z 0-9 - _, a letter first"

enum { FIELDS_MAX = 12, USER_FIELDS = 12, PHONE_FIELDS = 10, KEY_FIELDS = 4, KEYS_MAX = 120 };

/* A list of entries of one kind. */
struct list {
	const char *name; /* "users" */
	const struct field *fields;
	size_t n_fields;
	size_t entry_size, line_offset;
	/* Within an entry: of the number of entries and of the line of the list itself. */
	size_t count_offset, here_offset;
};

static const struct field key_fields[KEY_FIELDS] = {
	{ KEY(type), true, false, false, hd_form_key_type,
	  "speed-dial, blf, line, url or call-list", NULL },
	{ KEY(place), false, false, false, hd_form_place, "a number from 1 to 120", NULL },
	{ KEY(label), false, false, false, hd_form_label, "1 to 64 bytes of text", NULL },
	{ KEY(value), false, false, false, hd_form_target,
	  "a number, code or URL of 1 to 256 characters without spaces, quotes and < >", NULL },
};
static const struct list user_keys = {
	"users.keys",
	key_fields,
	KEY_FIELDS,
	sizeof(struct hd_file_key),
	offsetof(struct hd_file_key, line),
	offsetof(struct hd_file_user, n_keys),
	offsetof(struct hd_file_user, keys_line),
};
static const struct list phone_keys = {
	"phones.keys",
	key_fields,
	KEY_FIELDS,
	sizeof(struct hd_file_key),
	offsetof(struct hd_file_key, line),
	offsetof(struct hd_file_phone, n_keys),
	offsetof(struct hd_file_phone, keys_line),
};

static const struct field user_fields[USER_FIELDS] = {
	{ USER(number), true, false, false, hd_form_number, NUMBER_WORDS, NULL },
	{ USER(name), false, false, false, hd_form_text, "1 to 128 bytes of text", NULL },
	{ USER(pin), false, true, false, hd_form_pin, "1 to 64 digits", NULL },
	{ USER(language), false, false, false, hd_form_language, "a language such as de or pt-BR",
	  NULL },
	{ USER(logout), false, false, false, hd_form_logout, HD_LOGOUT_WORDS, NULL },
	{ USER(group), false, false, false, hd_list_group_is_valid, GROUP_WORDS, NULL },
	{ USER(call_list), false, false, false, hd_form_list_mode, "central, local or off", NULL },
	{ USER(class), false, false, false, hd_form_class, CLASS_WORDS, NULL },
	{ USER(roaming), false, false, true, NULL, "true or false", NULL },
	{ USER(disabled), false, false, false, NULL, "true or false", NULL },
	{ USER(hoteling), false, false, false, NULL, "true or false", NULL },
	{ USER(keys), false, false, false, NULL, NULL, &user_keys },
};
static const struct field phone_fields[PHONE_FIELDS] = {
	{ PHONE(id), true, false, false, hd_form_phone_id, "1 to 64 letters, digits and . _ - * #",
	  NULL },
	{ PHONE(secret), false, true, false, hd_form_secret, "1 to 128 bytes of text", NULL },
	{ PHONE(mac), false, false, false, hd_form_mac, "12 hex digits, also in pairs with : or -",
	  NULL },
	{ PHONE(model), false, false, false, hd_form_model,
	  "1 to 64 letters, digits, spaces and . _ - + /", NULL },
	{ PHONE(label), false, false, false, hd_form_text, "1 to 128 bytes of text", NULL },
	{ PHONE(owner), false, false, false, hd_form_number, "the number of a user", NULL },
	{ PHONE(logout), false, false, false, hd_form_logout, HD_LOGOUT_WORDS, NULL },
	{ PHONE(location), false, false, false, hd_form_text, "1 to 128 bytes of text", NULL },
	{ PHONE(disabled), false, false, false, NULL, "true or false", NULL },
	{ PHONE(keys), false, false, false, NULL, NULL, &phone_keys },
};

/* The two lists of the file. */
static const struct list lists[] = {
	{ "users", user_fields, USER_FIELDS, sizeof(struct hd_file_user),
	  offsetof(struct hd_file_user, line), 0, 0 },
	{ "phones", phone_fields, PHONE_FIELDS, sizeof(struct hd_file_phone),
	  offsetof(struct hd_file_phone, line), 0, 0 },
};

struct ctx {
	const struct hd_tree *tree;
	const struct list *list;
	struct hd_report *report;
};

/* ---- values ---------------------------------------------------------------------------------- */

static bool says_nothing(const struct hd_node *node)
{
	return hd_node_is_null(node) || (node->kind == HD_NODE_SCALAR && node->value.len == 0);
}

static void say_bad(const struct ctx *ctx, const struct field *field, const struct hd_node *node)
{
	char quoted[HD_QUOTE_SIZE] = "not what it should be";

	if (node->kind != HD_NODE_SCALAR)
		hd_report_add(ctx->report, node->line, "%s.%s: %s, expected %s", ctx->list->name,
			      field->name, hd_node_kind_name(node), field->expected);
	else
		hd_report_add(ctx->report, node->line, "%s.%s: %s, expected %s", ctx->list->name,
			      field->name, field->secret ? quoted : hd_quote(quoted, node->value),
			      field->expected);
}

static void set_flag(const struct ctx *ctx, const struct field *field, const struct hd_node *node,
		     void *entry)
{
	bool v = field->standard;

	if (node && !says_nothing(node) &&
	    (node->kind != HD_NODE_SCALAR || !node->plain || hd_bool_parse(&v, node->value)))
		say_bad(ctx, field, node);
	memcpy((char *)entry + field->offset, &v, sizeof(v));
}

static void set_text(const struct ctx *ctx, const struct field *field, const struct hd_node *node,
		     void *entry)
{
	unsigned line;
	char *text;

	if (!node || says_nothing(node)) {
		memcpy(&line, (char *)entry + ctx->list->line_offset, sizeof(line));
		if (field->required)
			hd_report_add(ctx->report, node ? node->line : line,
				      "%s: an entry without %s, expected %s", ctx->list->name,
				      field->name, field->expected);
		return;
	}
	if (node->kind != HD_NODE_SCALAR || !field->form(node->value)) {
		say_bad(ctx, field, node);
		return;
	}
	text = strndup(node->value.ptr, node->value.len);
	if (!text)
		ctx->report->err = HD_ENOMEM;
	memcpy((char *)entry + field->offset, &text, sizeof(text));
}

static void set_list(const struct ctx *ctx, const struct field *field, uint32_t index, void *entry);

static void set_entry(const struct ctx *ctx, uint32_t index, void *entry)
{
	const struct list *list = ctx->list;
	const char *names[FIELDS_MAX];
	const struct hd_map map = { .where = list->name, .names = names, .n = list->n_fields };
	uint32_t found[FIELDS_MAX];
	const struct hd_node *node = &ctx->tree->nodes[index];

	memcpy((char *)entry + list->line_offset, &node->line, sizeof(node->line));
	for (size_t i = 0; i < list->n_fields; i++)
		names[i] = list->fields[i].name;
	if (node->kind != HD_NODE_MAPPING) {
		hd_report_add(ctx->report, node->line,
			      "%s: an entry that is %s, expected {%s: ...}", list->name,
			      hd_node_kind_name(node), list->fields[0].name);
		return;
	}
	hd_map_match(&map, ctx->tree, index, found, ctx->report);
	for (size_t i = 0; i < list->n_fields; i++) {
		const struct hd_node *value = found[i] ? &ctx->tree->nodes[found[i]] : NULL;

		if (list->fields[i].list)
			set_list(ctx, &list->fields[i], found[i], entry);
		else if (list->fields[i].form)
			set_text(ctx, &list->fields[i], value, entry);
		else
			set_flag(ctx, &list->fields[i], value, entry);
	}
}

/* @return the entries, NULL for none */
static void *load_list(const struct ctx *ctx, uint32_t index, size_t *np)
{
	const struct hd_node *nodes = ctx->tree->nodes, *node = &nodes[index];
	size_t n = 0, i = 0;
	char *entries;

	if (index == 0 || says_nothing(node))
		return NULL;
	if (node->kind != HD_NODE_SEQUENCE) {
		hd_report_add(ctx->report, node->line, "%s: %s, expected a list of {%s: ...}",
			      ctx->list->name, hd_node_kind_name(node), ctx->list->fields[0].name);
		return NULL;
	}
	for (uint32_t c = node->child; c; c = nodes[c].next)
		n++;
	entries = n ? calloc(n, ctx->list->entry_size) : NULL;
	if (!entries) {
		ctx->report->err = n ? HD_ENOMEM : ctx->report->err;
		return NULL;
	}
	for (uint32_t c = node->child; c; c = nodes[c].next)
		set_entry(ctx, c, entries + i++ * ctx->list->entry_size);
	*np = n;
	return entries;
}

/* The entries of a list within an entry; that there is an empty one is said, too. */
static void set_list(const struct ctx *ctx, const struct field *field, uint32_t index, void *entry)
{
	const struct ctx inner = { ctx->tree, field->list, ctx->report };
	const struct hd_node *node = &ctx->tree->nodes[index];
	size_t n = 0;
	void *entries;

	if (index == 0 || says_nothing(node))
		return;
	entries = load_list(&inner, index, &n);
	memcpy((char *)entry + field->offset, &entries, sizeof(entries));
	memcpy((char *)entry + field->list->count_offset, &n, sizeof(n));
	memcpy((char *)entry + field->list->here_offset, &node->line, sizeof(node->line));
	if (n > KEYS_MAX)
		hd_report_add(ctx->report, node->line, "%s: %zu keys, expected at most %d",
			      field->list->name, n, KEYS_MAX);
}

/* ---- duplicates ------------------------------------------------------------------------------ */

struct name {
	const char *text;
	unsigned line;
	const char *what; /* "users.number" */
};

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void report_duplicates(struct hd_report *report, struct name *names, size_t n)
{
	const struct name *first = names;

	if (n > 1)
		qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(first->text, names[i].text) != 0)
			first = &names[i];
		else
			hd_report_add(report, names[i].line,
				      "%s: \"%s\" is there twice, first as %s in line %u, expected "
				      "once",
				      names[i].what, names[i].text, first->what, first->line);
	}
}

/* Lower-case digits without anything between them, in place: the form has been checked. */
static void normalise_mac(char *mac)
{
	size_t n = 0;

	for (const char *p = mac; *p; p++) {
		if (*p != ':' && *p != '-')
			mac[n++] = *p >= 'A' && *p <= 'F' ? (char)(*p + ('a' - 'A')) : *p;
	}
	mac[n] = '\0';
}

/* Numbers and phone ids are one space of names: both can be called. */
static void check_duplicates(struct hd_directory_file *file, struct hd_report *report)
{
	struct name *names = calloc(file->n_users + file->n_phones + 1, sizeof(*names));
	size_t n = 0;

	if (!names) {
		report->err = HD_ENOMEM;
		return;
	}
	for (size_t i = 0; i < file->n_users; i++) {
		if (file->users[i].number)
			names[n++] = (struct name){ file->users[i].number, file->users[i].line,
						    "users.number" };
	}
	for (size_t i = 0; i < file->n_phones; i++) {
		if (file->phones[i].id)
			names[n++] = (struct name){ file->phones[i].id, file->phones[i].line,
						    "phones.id" };
	}
	report_duplicates(report, names, n);
	n = 0;
	for (size_t i = 0; i < file->n_phones; i++) {
		if (!file->phones[i].mac)
			continue;
		normalise_mac(file->phones[i].mac);
		names[n++] =
			(struct name){ file->phones[i].mac, file->phones[i].line, "phones.mac" };
	}
	report_duplicates(report, names, n);
	free(names);
}

static bool is_url(struct hd_slice s)
{
	return (s.len > 7 && hd_slice_caseis((struct hd_slice){ s.ptr, 7 }, "http://")) ||
	       (s.len > 8 && hd_slice_caseis((struct hd_slice){ s.ptr, 8 }, "https://"));
}

/* What is wrong between the keys of one entry, and between the values of one key. */
static void check_keys(const char *name, const struct hd_file_key *keys, size_t n,
		       struct hd_report *report)
{
	unsigned taken[KEYS_MAX + 1] = { 0 };
	struct hd_slice value;
	uint64_t place;

	for (size_t i = 0; i < n; i++) {
		const struct hd_file_key *key = &keys[i];

		value = hd_slice_of(key->value);
		if (key->type && strcmp(key->type, "url") == 0 && value.len && !is_url(value))
			hd_report_add(report, key->line,
				      "%s.value: of a url key, expected http://... or https://...",
				      name);
		if (key->type && strcmp(key->type, "line") != 0 &&
		    strcmp(key->type, "call-list") != 0 && !value.len)
			hd_report_add(report, key->line, "%s: a %s key without value, expected one",
				      name, key->type);
		if (!key->place || hd_u64_parse(&place, hd_slice_of(key->place), KEYS_MAX))
			continue;
		if (taken[place])
			hd_report_add(
				report, key->line,
				"%s: place %u is taken twice, first in line %u, expected once",
				name, (unsigned)place, taken[place]);
		else
			taken[place] = key->line;
	}
}

static void check_all_keys(const struct hd_directory_file *file, struct hd_report *report)
{
	for (size_t i = 0; i < file->n_users; i++)
		check_keys(user_keys.name, file->users[i].keys, file->users[i].n_keys, report);
	for (size_t i = 0; i < file->n_phones; i++)
		check_keys(phone_keys.name, file->phones[i].keys, file->phones[i].n_keys, report);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void load_file(struct hd_directory_file *file, const struct hd_tree *tree,
		      struct hd_report *report)
{
	static const char *const names[] = { "users", "phones" };
	const struct hd_map map = { .where = "", .names = names, .n = 2 };
	const struct ctx users = { tree, &lists[0], report }, phones = { tree, &lists[1], report };
	uint32_t found[2];

	hd_map_match(&map, tree, 0, found, report);
	file->users = load_list(&users, found[0], &file->n_users);
	file->phones = load_list(&phones, found[1], &file->n_phones);
	check_duplicates(file, report);
	check_all_keys(file, report);
}

int hd_directory_tree_load(struct hd_directory_file *file, const struct hd_tree *tree,
			   struct hd_report *report)
{
	load_file(file, tree, report);
	return hd_report_end(report);
}

/* ---- fields as columns ----------------------------------------------------------------------- */

/* @return the index, the number of fields for none */
static size_t field_index(const struct list *list, struct hd_slice name)
{
	size_t i = 0;

	while (i < list->n_fields &&
	       (list->fields[i].list || !hd_slice_is(name, list->fields[i].name)))
		i++;
	return i;
}

bool hd_directory_field(bool phone, struct hd_slice name, const char **fieldp, bool *flagp)
{
	const struct list *list = &lists[phone];
	size_t i = field_index(list, name);

	if (i == list->n_fields)
		return false;
	*fieldp = list->fields[i].name;
	*flagp = !list->fields[i].form;
	return true;
}

void hd_directory_columns(struct hd_buf *out)
{
	for (size_t i = 0; i < lists[0].n_fields; i++)
		if (!lists[0].fields[i].list)
			hd_buf_addf(out, "%s%s", i ? ", " : "", lists[0].fields[i].name);
	hd_buf_adds(out, ", phone");
	for (size_t i = 1; i < lists[1].n_fields; i++)
		if (!lists[1].fields[i].list)
			hd_buf_addf(out, ", phone_%s", lists[1].fields[i].name);
}

void hd_directory_file_given(struct hd_directory_file *file, bool phone, const char *field)
{
	uint32_t bit = UINT32_C(1) << field_index(&lists[phone], hd_slice_of(field));

	if (phone)
		file->phones_given |= bit;
	else
		file->users_given |= bit;
}

bool hd_directory_file_says(const struct hd_directory_file *file, bool phone, const char *field)
{
	uint32_t given = phone ? file->phones_given : file->users_given;

	return !file->partial || given >> field_index(&lists[phone], hd_slice_of(field)) & 1;
}

int hd_directory_file_new(struct hd_directory_file **fp, struct hd_slice text,
			  struct hd_report *report)
{
	if (!report->name || !report->out || (!text.ptr && text.len))
		return HD_EINVAL;
	if (text.len > HD_DIRECTORY_BYTES_MAX) {
		hd_report_add(report, 1, "%zu bytes, expected at most %d", text.len,
			      HD_DIRECTORY_BYTES_MAX);
		return HD_EPARSE;
	}
	*fp = calloc(1, sizeof(**fp));
	return *fp ? 0 : HD_ENOMEM;
}

/* ---- YAML ------------------------------------------------------------------------------------ */

int hd_directory_file_parse(struct hd_directory_file **fp, struct hd_slice text, const char *name,
			    struct hd_buf *errors)
{
	struct hd_report report = { .out = errors, .name = name };
	struct hd_directory_file *file;
	struct hd_tree tree = { 0 };
	int err = fp ? hd_directory_file_new(&file, text, &report) : HD_EINVAL;

	if (err)
		return err;
	err = hd_tree_parse(&tree, text, HD_DIRECTORY_NODES_MAX, &report);
	if (!err)
		err = hd_directory_tree_load(file, &tree, &report);
	hd_tree_fini(&tree);
	if (err)
		hd_directory_file_free(file);
	else
		*fp = file;
	return err;
}

int hd_directory_file_load(struct hd_directory_file **fp, const char *path, struct hd_buf *errors)
{
	char *data;
	size_t len;
	int err;

	if (!fp || !path || !errors)
		return HD_EINVAL;
	err = hd_file_read(&data, &len, path, HD_DIRECTORY_BYTES_MAX);
	if (err == HD_ESYSTEM)
		hd_buf_addf(errors, "%s: cannot be read: %s\n", path, strerror(errno));
	if (err == HD_ELIMIT) {
		hd_buf_addf(errors, "%s:1: too big, expected at most %d bytes\n", path,
			    HD_DIRECTORY_BYTES_MAX);
		err = HD_EPARSE;
	}
	if (err)
		return err;
	err = hd_directory_file_parse(fp, (struct hd_slice){ data, len }, path, errors);
	hd_wipe(data, len);
	free(data);
	return err;
}

static void free_entries(const struct list *list, void *entries, size_t n);

static void free_field(const struct field *field, char *entry)
{
	size_t n = 0;
	char *p;

	if (!field->form && !field->list)
		return;
	memcpy(&p, entry + field->offset, sizeof(p));
	if (field->list) {
		memcpy(&n, entry + field->list->count_offset, sizeof(n));
		free_entries(field->list, p, n);
		return;
	}
	if (p)
		hd_wipe(p, strlen(p));
	free(p);
}

static void free_entries(const struct list *list, void *entries, size_t n)
{
	for (size_t i = 0; entries && i < n; i++)
		for (size_t f = 0; f < list->n_fields; f++)
			free_field(&list->fields[f], (char *)entries + i * list->entry_size);
	free(entries);
}

void hd_directory_file_free(struct hd_directory_file *file)
{
	if (!file)
		return;
	free_entries(&lists[0], file->users, file->n_users);
	free_entries(&lists[1], file->phones, file->n_phones);
	free(file);
}
