/* ctl_priv.h - what the files of hotdeskctl know of each other. */
#ifndef CTL_PRIV_H
#define CTL_PRIV_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "hotdesk/base/str.h"

#define CTL_SOCKET "/run/hotdeskd/admin.sock"

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* by the daemon, or something failed */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3, /* no daemon, or it went away */
};

enum { CTL_ARGS_MAX = 2, CTL_OPTIONS_MAX = 24, CTL_SECRET_SIZE = 256 };

/* ---- commands: one table for the parser, the help, the man page's and the completion's tests - */

struct ctl;

enum ctl_kind {
	CTL_TEXT,   /* --name TEXT */
	CTL_YES_NO, /* --roaming yes|no */
	CTL_SECRET, /* --pin PIN, or - to be asked */
	CTL_NULL,   /* --no-pin: the field becomes null */
	CTL_PLAIN,  /* --phone ID: for the command, not for the body */
	CTL_FLAG,   /* --secrets: the same without a value */
};
struct ctl_option {
	const char *name; /* without -- */
	const char *arg;  /* NULL: a flag */
	const char *help;
	enum ctl_kind kind;
	const char *field; /* of the body */
	bool generate;	   /* CTL_SECRET: the word "generate" makes one */
};

struct ctl_command {
	const char *noun;
	const char *verb; /* NULL: the noun alone */
	const char *args; /* "NUMBER" */
	size_t args_min, args_max;
	const struct ctl_option *options;
	size_t n_options;
	const char *help;
	enum ctl_exit (*run)(struct ctl *ctl);
};
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_n_commands;

/** One invocation. */
struct ctl {
	const char *socket;
	bool json, help, version;
	const char *noun; /* the word, also when it names no command */
	const struct ctl_command *command;
	const char *args[CTL_ARGS_MAX];
	size_t n_args;
	const char *
		values[CTL_OPTIONS_MAX]; /* by the command's options; "" for a flag; NULL: absent */
	FILE *in, *out, *err;
};

/** @return CTL_OK, or CTL_USAGE and the reason on ctl->err */
enum ctl_exit ctl_parse(struct ctl *ctl, int argc, char *const argv[]);
enum ctl_exit ctl_usage(struct ctl *ctl, const char *fmt, ...) HD_PRINTF(2, 3);
/** Help for a command, for a noun, or for all. */
void ctl_help(const struct ctl *ctl, FILE *to);
/** The whole program, but for exit(). */
enum ctl_exit ctl_main(struct ctl *ctl, int argc, char *const argv[]);
/** The value of an option of the command, NULL when absent. */
const char *ctl_value(const struct ctl *ctl, const char *option);

/* ---- asking the daemon ----------------------------------------------------------------------- */

struct ctl_answer {
	long status;
	struct hd_buf body;
	json_t *json; /* NULL when the body is not JSON */
};
/**
 * @param target a path, already escaped
 * @param body   NULL: none
 * @return CTL_OK when there is an answer, whatever its status; else said on ctl->err
 */
enum ctl_exit ctl_ask(struct ctl *ctl, const char *method, const char *target, const char *body,
		      size_t len, struct ctl_answer *answer);
void ctl_answer_fini(struct ctl_answer *answer);
/** "/v1/users/" and an escaped name and a tail. NULL: out of memory. */
char *ctl_target(const char *prefix, const char *name, const char *tail);
/** Says a refusal. @return CTL_REFUSED, or CTL_OK for a 2xx */
enum ctl_exit ctl_judge(struct ctl *ctl, const struct ctl_answer *answer);
/** ctl_ask() with a JSON body (borrowed, may be NULL) and ctl_judge(). */
enum ctl_exit ctl_call(struct ctl *ctl, const char *method, const char *target, const json_t *body,
		       struct ctl_answer *answer);

/**
 * A body from the options that were given. Secrets are asked for.
 * @param generatedp receives a secret made here (CTL_SECRET_SIZE), else ""
 * @return NULL after saying why
 */
json_t *ctl_body(struct ctl *ctl, char *generatedp);
/** Asks on the terminal without echo, twice; or reads a line of ctl->in. @return false: said why */
bool ctl_secret_read(struct ctl *ctl, const char *what, char *dst, size_t size);
void ctl_secret_generate(char *dst, size_t size);

/* ---- writing --------------------------------------------------------------------------------- */

struct ctl_column {
	const char *title;
	const char *key;
};
/** An array of objects as a table with aligned columns. */
void ctl_write_table(FILE *out, const json_t *rows, const struct ctl_column *columns, size_t n);
/** An object as "key: value" lines, nested keys with dots. */
void ctl_write_record(FILE *out, const json_t *object);
void ctl_write_json(FILE *out, const json_t *value);
/** One value for people: "-" for null, yes and no, no control characters. */
void ctl_value_format(struct hd_buf *b, const json_t *value);

/** A paged list, all of it: GET target, the array `key`. */
enum ctl_exit ctl_list(struct ctl *ctl, const char *target, const char *key,
		       const struct ctl_column *columns, size_t n);
typedef void ctl_print_fn(struct ctl *ctl, const json_t *json);
/** Asks, and prints what is answered: as JSON, or for people by `print`. */
enum ctl_exit ctl_perform(struct ctl *ctl, const char *method, const char *target,
			  const json_t *body, ctl_print_fn *print);
/** The same, member by member. */
enum ctl_exit ctl_show(struct ctl *ctl, const char *method, const char *target);
/** Sends what an administrator wants written, says the result: "user 201: added". */
enum ctl_exit ctl_write(struct ctl *ctl, const char *method, const char *target,
			const json_t *body);
/** The same with the options as body; nothing given is a mistake. */
enum ctl_exit ctl_set(struct ctl *ctl, const char *method, const char *target);

/* ---- the commands ---------------------------------------------------------------------------- */

enum ctl_exit ctl_user_list(struct ctl *ctl);
enum ctl_exit ctl_user_show(struct ctl *ctl);
enum ctl_exit ctl_user_add(struct ctl *ctl);
enum ctl_exit ctl_user_set(struct ctl *ctl);
enum ctl_exit ctl_user_remove(struct ctl *ctl);
enum ctl_exit ctl_user_unlock(struct ctl *ctl);
enum ctl_exit ctl_upstream_list(struct ctl *ctl);
enum ctl_exit ctl_upstream_set(struct ctl *ctl);
enum ctl_exit ctl_upstream_delete(struct ctl *ctl);
enum ctl_exit ctl_user_keys(struct ctl *ctl);
enum ctl_exit ctl_user_set_key(struct ctl *ctl);
enum ctl_exit ctl_user_remove_key(struct ctl *ctl);
enum ctl_exit ctl_phone_list(struct ctl *ctl);
enum ctl_exit ctl_phone_show(struct ctl *ctl);
enum ctl_exit ctl_phone_add(struct ctl *ctl);
enum ctl_exit ctl_phone_set(struct ctl *ctl);
enum ctl_exit ctl_phone_remove(struct ctl *ctl);
enum ctl_exit ctl_phone_unlock(struct ctl *ctl);
enum ctl_exit ctl_phone_keys(struct ctl *ctl);
enum ctl_exit ctl_phone_set_key(struct ctl *ctl);
enum ctl_exit ctl_phone_remove_key(struct ctl *ctl);
enum ctl_exit ctl_phone_renew_token(struct ctl *ctl);
enum ctl_exit ctl_phone_render(struct ctl *ctl);
enum ctl_exit ctl_phone_url(struct ctl *ctl);
enum ctl_exit ctl_session_list(struct ctl *ctl);
enum ctl_exit ctl_audit(struct ctl *ctl);
enum ctl_exit ctl_session_login(struct ctl *ctl);
enum ctl_exit ctl_session_logout(struct ctl *ctl);
enum ctl_exit ctl_binding_list(struct ctl *ctl);
enum ctl_exit ctl_call_active(struct ctl *ctl);
enum ctl_exit ctl_call_list(struct ctl *ctl);
enum ctl_exit ctl_call_export(struct ctl *ctl);
enum ctl_exit ctl_call_clear(struct ctl *ctl);
enum ctl_exit ctl_import(struct ctl *ctl);
enum ctl_exit ctl_export(struct ctl *ctl);
enum ctl_exit ctl_backup(struct ctl *ctl);
enum ctl_exit ctl_check(struct ctl *ctl);
enum ctl_exit ctl_repair(struct ctl *ctl);
enum ctl_exit ctl_reload(struct ctl *ctl);
enum ctl_exit ctl_status(struct ctl *ctl);
enum ctl_exit ctl_metrics(struct ctl *ctl);

#endif
