/*
 * canon.c - the canonical text of a checked file, and libcyaml's schema that loads it.
 *
 * The text holds every section and every key, so that no default is known in two places and
 * libcyaml's ways with empty sections, octal numbers and free-style truth values do not matter.
 * The schema is built from the table of keys.
 */
#include "conf_priv.h"

#include <cyaml/cyaml.h>
#include <stdlib.h>
#include <string.h>

enum { SECTIONS = HD_SECTIONS_MAX + 1, KEYS = HD_SECTION_KEYS_MAX + 1, CHOICES_MAX = 8 };

/* ---- writing --------------------------------------------------------------------------------- */

static uint32_t code_point(const unsigned char *s, size_t *lenp)
{
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 1;
	uint32_t cp = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		cp = cp << 6 | (s[i] & 0x3fu);
	*lenp = len;
	return cp;
}

/* In quotes and in ASCII: some characters beyond it are line ends or forbidden to YAML. */
static void write_text(struct hd_buf *out, struct hd_slice s)
{
	size_t len;

	hd_buf_adds(out, "\"");
	for (size_t i = 0; i < s.len; i += len) {
		uint32_t cp = code_point((const unsigned char *)s.ptr + i, &len);

		if (cp == '"' || cp == '\\')
			hd_buf_addf(out, "\\%c", (char)cp);
		else if (cp < 0x80)
			hd_buf_add(out, (struct hd_slice){ s.ptr + i, 1 });
		else
			hd_buf_addf(out, "\\U%08x", (unsigned)cp);
	}
	hd_buf_adds(out, "\"");
}

static void write_level(struct hd_buf *out, const struct hd_tree *tree, uint32_t index)
{
	const char *comma = "";

	hd_buf_adds(out, "{");
	for (uint32_t c = tree->nodes[index].child; c; c = tree->nodes[c].next) {
		hd_buf_adds(out, comma);
		write_text(out, tree->nodes[c].key);
		hd_buf_adds(out, ": ");
		write_text(out, tree->nodes[c].value);
		comma = ", ";
	}
	hd_buf_adds(out, "}");
}

static void write_value(struct hd_buf *out, const struct hd_key_info *key,
			const struct hd_tree *tree, uint32_t index)
{
	const struct hd_node *node = &tree->nodes[index];
	const char *comma = "";
	bool truth = false;

	if (node->kind == HD_NODE_SEQUENCE) {
		hd_buf_adds(out, "[");
		for (uint32_t c = node->child; c; c = tree->nodes[c].next) {
			hd_buf_adds(out, comma);
			if (key->type == HD_KEY_LEVELS)
				write_level(out, tree, c);
			else
				write_text(out, tree->nodes[c].value);
			comma = ", ";
		}
		hd_buf_adds(out, "]");
	} else if (key->nullable && hd_node_is_null(node)) {
		hd_buf_adds(out, "null");
	} else if (key->type == HD_KEY_BOOL && !hd_bool_parse(&truth, node->value)) {
		hd_buf_adds(out, truth ? "true" : "false");
	} else if (key->type == HD_KEY_NUMBER) {
		hd_buf_add(out, node->value);
	} else {
		write_text(out, node->value);
	}
}

static void write_default(struct hd_buf *out, const struct hd_key_info *key)
{
	bool is_text = key->type == HD_KEY_TEXT || key->type == HD_KEY_PATH;

	if (is_text && !(key->nullable && !strcmp(key->standard, "null")))
		write_text(out, hd_slice_of(key->standard));
	else
		hd_buf_adds(out, key->standard);
}

void hd_canon_write(struct hd_buf *out, const struct hd_checked *checked)
{
	const char *section = "";

	for (size_t i = 0; i < hd_n_keys; i++) {
		const struct hd_key_info *key = &hd_keys[i];

		if (strcmp(section, key->section) != 0)
			hd_buf_addf(out, "%s:\n", key->section);
		section = key->section;
		hd_buf_addf(out, "  %s: ", key->name);
		if (checked->node[i])
			write_value(out, key, checked->tree, checked->node[i]);
		else
			write_default(out, key);
		hd_buf_adds(out, "\n");
	}
}

/* ---- libcyaml's schema ----------------------------------------------------------------------- */

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, HD_TREE_SCALAR_MAX),
};

static const cyaml_strval_t level_names[] = {
	{ "error", HD_LOG_ERROR }, { "warning", HD_LOG_WARNING }, { "notice", HD_LOG_NOTICE },
	{ "info", HD_LOG_INFO },   { "debug", HD_LOG_DEBUG },
};
static const cyaml_schema_field_t level_fields[] = {
	CYAML_FIELD_STRING_PTR("subsystem", CYAML_FLAG_POINTER, struct hd_conf_log_level, subsystem,
			       0, HD_TREE_SCALAR_MAX),
	CYAML_FIELD_ENUM("level", CYAML_FLAG_STRICT, struct hd_conf_log_level, level, level_names,
			 HD_LOG_LEVELS),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t level_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hd_conf_log_level, level_fields),
};

struct schema {
	cyaml_schema_field_t sections[SECTIONS];
	cyaml_schema_field_t keys[HD_SECTIONS_MAX][KEYS];
	cyaml_strval_t choices[HD_KEYS_MAX][CHOICES_MAX];
	cyaml_schema_value_t top;
};

static void field_choices(struct schema *schema, cyaml_schema_field_t *field, size_t index)
{
	const struct hd_key_info *key = &hd_keys[index];

	for (size_t i = 0; i < key->n_choices && i < CHOICES_MAX; i++) {
		schema->choices[index][i].str = key->choices[i].name;
		schema->choices[index][i].val = key->choices[i].value;
	}
	field->value.type = key->type == HD_KEY_CHOICE ? CYAML_ENUM : CYAML_FLAGS;
	field->value.flags = CYAML_FLAG_STRICT;
	field->value.enumeration.strings = schema->choices[index];
	field->value.enumeration.count = key->n_choices;
	field->value.data_size = key->size;
}

static void field_sequence(cyaml_schema_field_t *field, const struct hd_key_info *key)
{
	field->count_offset = (uint32_t)key->count_offset;
	field->count_size = sizeof(size_t);
	field->value.type = CYAML_SEQUENCE;
	field->value.flags = CYAML_FLAG_POINTER;
	field->value.sequence.entry = key->type == HD_KEY_LEVELS ? &level_entry : &text_entry;
	field->value.sequence.max = CYAML_UNLIMITED;
	field->value.data_size = key->size;
}

static void field_build(struct schema *schema, cyaml_schema_field_t *field, size_t index)
{
	const struct hd_key_info *key = &hd_keys[index];

	field->key = key->name;
	field->data_offset = (uint32_t)key->offset;
	switch (key->type) {
	case HD_KEY_NUMBER:
	case HD_KEY_BOOL:
		field->value.type = key->type == HD_KEY_BOOL ? CYAML_BOOL : CYAML_UINT;
		field->value.data_size = key->size;
		break;
	case HD_KEY_TEXT:
	case HD_KEY_PATH:
		field->value.type = CYAML_STRING;
		field->value.flags =
			key->nullable ? CYAML_FLAG_POINTER_NULL_STR : CYAML_FLAG_POINTER;
		field->value.data_size = sizeof(char);
		field->value.string.max = HD_TREE_SCALAR_MAX;
		break;
	case HD_KEY_CHOICE:
	case HD_KEY_CHOICES:
		field_choices(schema, field, index);
		break;
	case HD_KEY_LIST:
	case HD_KEY_LEVELS:
		field_sequence(field, key);
		break;
	}
}

/* All offsets count from the beginning of struct hd_conf_raw: every section lies at 0. */
static struct schema *schema_new(void)
{
	struct schema *schema = calloc(1, sizeof(*schema));

	if (!schema)
		return NULL;
	for (size_t s = 0; s < hd_n_sections; s++) {
		size_t first, n;

		hd_section_keys(hd_sections[s], &first, &n);
		for (size_t i = 0; i < n; i++)
			field_build(schema, &schema->keys[s][i], first + i);
		schema->sections[s].key = hd_sections[s];
		schema->sections[s].value.type = CYAML_MAPPING;
		schema->sections[s].value.data_size = sizeof(struct hd_conf_raw);
		schema->sections[s].value.mapping.fields = schema->keys[s];
	}
	schema->top.type = CYAML_MAPPING;
	schema->top.flags = CYAML_FLAG_POINTER;
	schema->top.data_size = sizeof(struct hd_conf_raw);
	schema->top.mapping.fields = schema->sections;
	return schema;
}

int hd_canon_load(struct hd_conf_raw **rawp, const char *text, const char *name)
{
	const cyaml_config_t config = {
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
		.log_level = CYAML_LOG_ERROR,
	};
	struct schema *schema = schema_new();
	cyaml_data_t *data = NULL;
	cyaml_err_t err;

	if (!schema)
		return HD_ENOMEM;
	err = cyaml_load_data((const uint8_t *)text, strlen(text), &config, &schema->top, &data,
			      NULL);
	free(schema);
	if (err == CYAML_OK && data) {
		*rawp = data;
		return 0;
	}
	/* The text is ours: libyaml fails at an allocation, which libcyaml does not tell. */
	if (err == CYAML_ERR_OOM || err == CYAML_ERR_LIBYAML_PARSER_INIT ||
	    err == CYAML_ERR_LIBYAML_PARSER)
		return HD_ENOMEM;
	hd_error("conf", "%s: the table of keys and libcyaml do not agree: %s", name,
		 cyaml_strerror(err));
	return HD_EINVAL;
}
