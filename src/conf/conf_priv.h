/*
 * conf_priv.h - inside of conf/: from text to struct in four steps.
 *
 *   tree.c    libyaml's events -> a flat tree of nodes with their lines; hostile input ends here
 *   report.c  the errors, and what is common to both files: which keys a mapping may have
 *   check.c   tree -> every error of one key (unknown, twice, type, range, form), as keys.c has it
 *   rules.c   tree -> errors between keys (minimum over maximum, clashing codes, missing files)
 *   canon.c   tree -> canonical YAML with all defaults filled in -> libcyaml; conf.c finishes
 *
 * libcyaml alone would not do: it stops at the first error, takes "b: maybe" for true and "n: 010"
 * for 8, warns about second documents only, and writes values (which may be secret) to its log. By
 * the time it sees the text, every key is there and every value is known to be good; it gives them
 * their types and places.
 */
#ifndef CONF_PRIV_H
#define CONF_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hotdesk/base/error.h"
#include "hotdesk/base/str.h"
#include "hotdesk/conf.h"
#include "hotdesk/directory_file.h"

/* ---- report.c -------------------------------------------------------------------------------- */

enum { HD_REPORT_MAX = 50 }; /* errors told; the rest is counted */

struct hd_report {
	struct hd_buf *out;
	const char *name; /* of the file */
	unsigned count;
	int err; /* HD_ENOMEM and its like, which are not the file's fault */
};

/** Adds "NAME:LINE: text\n". */
void hd_report_add(struct hd_report *report, unsigned line, const char *fmt, ...) HD_PRINTF(3, 4);
/** Tells how many were left out. @return 0, HD_EPARSE when there was any error, or report->err */
HD_MUSTCHECK int hd_report_end(struct hd_report *report);

enum { HD_QUOTE_SIZE = 64 };
/** Untrusted text for a message: printable, cut off, in quotes. @return dst */
const char *hd_quote(char dst[HD_QUOTE_SIZE], struct hd_slice text);

/* ---- tree.c ---------------------------------------------------------------------------------- */

enum {
	HD_TREE_DEPTH_MAX = 8,
	HD_TREE_SCALAR_MAX = 4096,
	HD_CONF_BYTES_MAX = 256 * 1024,
	HD_CONF_NODES_MAX = 10000,
	HD_DIRECTORY_BYTES_MAX = 32 * 1024 * 1024,
	HD_DIRECTORY_NODES_MAX = 2000000,
};

enum hd_node_kind { HD_NODE_SCALAR, HD_NODE_SEQUENCE, HD_NODE_MAPPING };

/** Nodes are numbered in the order of the document; 0 is the root and, as a link, "none". */
struct hd_node {
	enum hd_node_kind kind;
	bool plain; /* a scalar without quotes */
	unsigned line;
	struct hd_slice key;   /* when the parent is a mapping */
	struct hd_slice value; /* of a scalar */
	uint32_t child, next;
};

struct hd_tree {
	struct hd_node *nodes;
	uint32_t n, room;
	char *text; /* of all keys and values */
	size_t len, size;
};

/**
 * Parses one YAML document without anchors, aliases and tags, of limited size and depth. An empty
 * text is an empty mapping. Errors go to the report, one at most: what follows a syntax error is
 * noise.
 * @return 0, HD_EPARSE (reported) or HD_ENOMEM
 */
HD_MUSTCHECK int hd_tree_parse(struct hd_tree *tree, struct hd_slice text, uint32_t nodes_max,
			       struct hd_report *report);
/** Wipes what it releases: there may be secrets. */
void hd_tree_fini(struct hd_tree *tree);
/** True for a plain scalar that says nothing: empty, ~ or null. */
bool hd_node_is_null(const struct hd_node *node);
/** "a text", "a list", "a mapping": what the node is, for messages. */
const char *hd_node_kind_name(const struct hd_node *node);

/** Where hd_map_match() looks. */
struct hd_map {
	const char *where;	  /* "sip" or "users[]", before the dot; "" at the top */
	const char *const *names; /* keys that it may have */
	size_t n;
	/* The section where a key that is not known here belongs, or NULL; may be NULL itself. */
	const char *(*elsewhere)(struct hd_slice key);
};
/**
 * Sorts the children of a mapping by key and reports unknown keys, keys given twice and a node
 * that is no mapping. A null node is an empty mapping.
 * @param found receives per name the index of its node, 0 for none
 */
void hd_map_match(const struct hd_map *map, const struct hd_tree *tree, uint32_t index,
		  uint32_t *found, struct hd_report *report);

/* ---- form.c: what single values must look like ----------------------------------------------- */

bool hd_form_text(struct hd_slice s);	     /* 1..128 bytes UTF-8, nothing invisible */
bool hd_form_path(struct hd_slice s);	     /* 1..1023 bytes of it */
bool hd_form_realm(struct hd_slice s);	     /* text without quotes and backslashes */
bool hd_form_host(struct hd_slice s);	     /* host name, IPv4 address, or IPv6 address in [] */
bool hd_form_alias(struct hd_slice s);	     /* the same, also with :PORT */
bool hd_form_listen(struct hd_slice s);	     /* hd_listen_parse() takes it, for SIP */
bool hd_form_http_listen(struct hd_slice s); /* the same for HTTP */
bool hd_form_base_url(struct hd_slice s);    /* http(s)://HOST[:PORT][/PATH] */
bool hd_form_server(struct hd_slice s);	     /* an address, IPv6 in [], also with :PORT */
bool hd_form_network(struct hd_slice s);     /* ADDRESS/PREFIX without bits behind the prefix */
bool hd_form_interface(struct hd_slice s);   /* of the network: "eth0", "vlan.20" */
bool hd_form_code(struct hd_slice s);	     /* feature code: 1..16 of 0-9 A-D * # */
bool hd_form_code_or_none(struct hd_slice s);
bool hd_form_mode(struct hd_slice s);	   /* 660, 0660 */
bool hd_form_login_key(struct hd_slice s); /* vendor, none, 1..120 */
bool hd_form_timezone(
	struct hd_slice s); /* Europe/Berlin; whether there is such a one is not known here */
bool hd_form_phrase(struct hd_slice s); /* text whose {names} are those of hotdesk/face.h */
bool hd_form_line(struct hd_slice s);	/* 1..1024 bytes of text */
bool hd_form_subsystem(struct hd_slice s);
bool hd_form_number(struct hd_slice s); /* 1..32 of letters, digits and . _ - * # */
bool hd_form_phone_id(struct hd_slice s);
bool hd_form_pin(
	struct hd_slice s); /* 1..64 digits; whether it is a good one is decided elsewhere */
bool hd_form_secret(struct hd_slice s);
bool hd_form_language(struct hd_slice s);
bool hd_form_logout(struct hd_slice s);
bool hd_form_list_mode(struct hd_slice s);
bool hd_form_group_list(struct hd_slice s); /* sales=local */
bool hd_form_class(struct hd_slice s);	    /* 1..32 of a-z 0-9 - _, a letter first */
bool hd_form_rule(struct hd_slice s);	    /* 1..1000 bytes of text: hotdesk/number.h reads it */
bool hd_form_prefix(struct hd_slice s);	    /* 1..8 digits, * and # */
bool hd_form_area(struct hd_slice s);	    /* 1..8 digits */
bool hd_form_country(struct hd_slice s);    /* 1..4 digits, the first no 0 */
bool hd_form_e164(struct hd_slice s);	    /* "+" and 1..15 digits */
bool hd_form_header(struct hd_slice s);	    /* the name of a header field, 1..40 */
bool hd_form_emergency_target(struct hd_slice s); /* a number, or a SIP URI */
/** A number or a phone's id, or sip:USER@PEER; with at most one {number} in it. */
bool hd_form_destination(struct hd_slice s);
/** The name of the peer; {NULL, 0}: it is for none. */
struct hd_slice hd_destination_peer(struct hd_slice s);
#define HD_LOGOUT_WORDS "never, or parts such as at 20:00, after 10h, unregistered 30m"
bool hd_form_address(struct hd_slice s); /* IPv4 or IPv6, without [] */
bool hd_form_mac(struct hd_slice s);
bool hd_form_model(struct hd_slice s);
bool hd_form_place(struct hd_slice s);	  /* 1..120 */
bool hd_form_key_type(struct hd_slice s); /* speed-dial, blf, line ... */
bool hd_form_label(struct hd_slice s);	  /* 1..64 bytes of text */
bool hd_form_target(struct hd_slice s);	  /* 1..256: what can be dialled, or a URL */

/** @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_listen_parse(struct hd_listen *listen, struct hd_slice s);
/** "true", "yes", "on" and their opposites, lower case. @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_bool_parse(bool *vp, struct hd_slice s);

/* ---- keys.c: the table ----------------------------------------------------------------------- */

/**
 * What libcyaml fills: the configuration, and the texts that conf.c turns into other types. Every
 * struct hd_conf is the beginning of one.
 */
struct hd_conf_raw {
	struct hd_conf conf;
	char **listen;
	size_t n_listen;
	char **http_listen; /* provision.listen */
	size_t n_http_listen;
	uint32_t algorithms; /* HD_ALGORITHM_* */
	uint8_t occupied;    /* 0 replace, 1 refuse */
	char *socket_mode;
};
enum { HD_ALGORITHM_MD5 = 1, HD_ALGORITHM_SHA256 = 2 };

enum hd_key_type {
	HD_KEY_NUMBER, /* uint32_t from min to max */
	HD_KEY_BOOL,
	HD_KEY_TEXT,
	HD_KEY_PATH,	/* a text; relative to the file's folder */
	HD_KEY_CHOICE,	/* one of choices */
	HD_KEY_CHOICES, /* list of them, as bits */
	HD_KEY_LIST,	/* list of texts, min to max entries, no two alike */
	HD_KEY_LEVELS,	/* list of {subsystem, level} */
};

struct hd_choice {
	const char *name;
	int64_t value;
};

struct hd_key_info {
	const char *section, *name;
	enum hd_key_type type;
	bool live;     /* changes at a reload; else it needs a restart */
	bool nullable; /* null is a value */
	size_t offset; /* of its place in struct hd_conf_raw, and of the number of entries */
	size_t count_offset;
	uint32_t size; /* of the place; of a list, of one entry */
	uint32_t min, max;
	const char *standard; /* the default: a text as it is, all else as YAML */
	bool (*form)(struct hd_slice s);
	const char *expected; /* the form in words */
	const struct hd_choice *choices;
	uint32_t n_choices;
};

enum { HD_SECTIONS_MAX = 24, HD_SECTION_KEYS_MAX = 60, HD_KEYS_MAX = 240 };

extern const struct hd_key_info hd_keys[];
extern const size_t hd_n_keys;
extern const char *const hd_sections[];
extern const size_t hd_n_sections;
extern const struct hd_choice hd_log_levels[];
enum { HD_LOG_LEVELS = 5 };

/** The range of keys of a section. */
void hd_section_keys(const char *section, size_t *firstp, size_t *np);

/* ---- directory_file.c: its table, for directory_csv.c ---------------------------------------- */

/** The field of a user or phone that is one value; *flagp: true or false. @return false: none */
bool hd_directory_field(bool phone, struct hd_slice name, const char **fieldp, bool *flagp);
/** The columns of a CSV file, for a message. */
void hd_directory_columns(struct hd_buf *out);
/** Says that the file has a column for it. */
void hd_directory_file_given(struct hd_directory_file *file, bool phone, const char *field);
/** For both forms of it. @return 0, HD_EINVAL, HD_EPARSE (too long: reported), HD_ENOMEM */
HD_MUSTCHECK int hd_directory_file_new(struct hd_directory_file **fp, struct hd_slice text,
				       struct hd_report *report);
/** A tree into an empty file, checked. @return 0, HD_EPARSE (reported), HD_ENOMEM */
HD_MUSTCHECK int hd_directory_tree_load(struct hd_directory_file *file, const struct hd_tree *tree,
					struct hd_report *report);

/* ---- check.c, rules.c, canon.c, path.c ------------------------------------------------------- */

/** The checked file: for each key of the table, where it is. */
struct hd_checked {
	const struct hd_tree *tree;
	uint32_t node[HD_KEYS_MAX]; /* 0: absent */
	bool bad[HD_KEYS_MAX];	    /* reported; its value must not be used */
};

/** Reports everything that is wrong with single keys. */
void hd_check_keys(struct hd_checked *checked, const struct hd_tree *tree,
		   struct hd_report *report);
/** Reports everything that is wrong between keys. */
void hd_check_rules(const struct hd_checked *checked, const char *folder, struct hd_report *report);

/** Path against the folder of the file. Owned by the caller; NULL without memory. */
char *hd_path_resolve(const char *folder, struct hd_slice path);
/** The folder of a file's name, owned by the caller: "" when it has none; NULL without memory. */
char *hd_path_folder(const char *name);

/** The canonical text: every section and key, defaults filled in, what the file says escaped. */
void hd_canon_write(struct hd_buf *out, const struct hd_checked *checked);
/** Loads the canonical text. @return 0 or HD_ENOMEM, or HD_EINVAL: table and struct do not agree */
HD_MUSTCHECK int hd_canon_load(struct hd_conf_raw **rawp, const char *text, const char *name);

/** Reads a file of at most max bytes. @return 0, HD_ELIMIT, HD_ENOMEM or HD_ESYSTEM (errno) */
HD_MUSTCHECK int hd_file_read(char **datap, size_t *lenp, const char *path, size_t max);

#endif
