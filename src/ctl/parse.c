/* parse.c - the command line: global options anywhere, a command's own after its words. */
#include <stdarg.h>
#include <string.h>

#include "ctl_priv.h"

enum ctl_exit ctl_usage(struct ctl *ctl, const char *fmt, ...)
{
	struct hd_buf why = { 0 };
	va_list ap;

	va_start(ap, fmt);
	hd_buf_vaddf(&why, fmt, ap);
	va_end(ap);
	(void)fprintf(ctl->err, "hotdeskctl: %s", hd_buf_text(&why));
	hd_buf_fini(&why);
	if (ctl->command)
		(void)fprintf(ctl->err, "\nTry: hotdeskctl %s%s%s --help\n", ctl->command->noun,
			      ctl->command->verb ? " " : "",
			      ctl->command->verb ? ctl->command->verb : "");
	else
		(void)fputs("\nTry: hotdeskctl --help\n", ctl->err);
	return CTL_USAGE;
}

const char *ctl_value(const struct ctl *ctl, const char *option)
{
	for (size_t i = 0; i < ctl->command->n_options; i++)
		if (strcmp(ctl->command->options[i].name, option) == 0)
			return ctl->values[i];
	return NULL;
}

/* Where we are in argv. */
struct cursor {
	int argc;
	char *const *argv;
	int i;
};

/* The value after "=", or the next argument. */
static const char *value_take(struct cursor *c, const char *equals)
{
	if (equals)
		return equals + 1;
	return c->i + 1 < c->argc ? c->argv[++c->i] : NULL;
}

static bool name_is(const char *arg, const char *equals, const char *name)
{
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

	return strlen(name) == len && strncmp(arg, name, len) == 0;
}

/* @return CTL_OK when it was one of ours, also when it is wrong: *foundp tells */
static enum ctl_exit global_take(struct ctl *ctl, struct cursor *c, bool *foundp)
{
	const char *arg = c->argv[c->i];
	const char *equals = strchr(arg, '=');

	*foundp = true;
	if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0) {
		ctl->help = true;
	} else if (strcmp(arg, "-V") == 0 || strcmp(arg, "--version") == 0) {
		ctl->version = true;
	} else if (strcmp(arg, "--json") == 0) {
		ctl->json = true;
	} else if (name_is(arg, equals, "--socket")) {
		ctl->socket = value_take(c, equals);
		if (!ctl->socket || !ctl->socket[0])
			return ctl_usage(ctl, "--socket: expected a path");
	} else {
		*foundp = false;
	}
	return CTL_OK;
}

static enum ctl_exit option_take(struct ctl *ctl, struct cursor *c)
{
	const char *arg = c->argv[c->i];
	const char *equals = strchr(arg, '=');
	const struct ctl_option *o;

	for (size_t i = 0; ctl->command && i < ctl->command->n_options; i++) {
		o = &ctl->command->options[i];
		if (strncmp(arg, "--", 2) != 0 || !name_is(arg + 2, equals, o->name))
			continue;
		if (ctl->values[i])
			return ctl_usage(ctl, "--%s: given twice", o->name);
		if (!o->arg && equals)
			return ctl_usage(ctl, "--%s: takes no value", o->name);
		ctl->values[i] = o->arg ? value_take(c, equals) : "";
		if (!ctl->values[i])
			return ctl_usage(ctl, "--%s: expected %s", o->name, o->arg);
		if (o->kind == CTL_YES_NO && strcmp(ctl->values[i], "yes") != 0 &&
		    strcmp(ctl->values[i], "no") != 0)
			return ctl_usage(ctl, "--%s: expected yes or no", o->name);
		return CTL_OK;
	}
	/* Not its value: it may be a secret of a misspelt option. */
	return ctl_usage(ctl, "%.*s: no such option%s",
			 (int)(equals ? (size_t)(equals - arg) : strlen(arg)), arg,
			 ctl->command ? " of this command" : " before a command");
}

static const struct ctl_command *command_find(const char *noun, const char *verb, bool *knownp)
{
	const struct ctl_command *c;

	*knownp = false;
	for (size_t i = 0; i < ctl_n_commands; i++) {
		c = &ctl_commands[i];
		if (strcmp(c->noun, noun) != 0)
			continue;
		*knownp = true;
		if (!c->verb || (verb && strcmp(c->verb, verb) == 0))
			return c;
	}
	return NULL;
}

static enum ctl_exit word_take(struct ctl *ctl, const char *word)
{
	bool known;

	if (ctl->command) {
		if (ctl->n_args == ctl->command->args_max)
			return ctl_usage(ctl, "%s: one argument too many", word);
		ctl->args[ctl->n_args++] = word;
		return CTL_OK;
	}
	if (!ctl->noun) {
		ctl->noun = word;
		ctl->command = command_find(word, NULL, &known);
		return known ? CTL_OK : ctl_usage(ctl, "%s: no such command", word);
	}
	ctl->command = command_find(ctl->noun, word, &known);
	return ctl->command ? CTL_OK : ctl_usage(ctl, "%s %s: no such command", ctl->noun, word);
}

static enum ctl_exit complete_check(struct ctl *ctl)
{
	if (ctl->help || ctl->version)
		return CTL_OK;
	if (!ctl->noun)
		return ctl_usage(ctl, "a command is missing");
	if (!ctl->command)
		return ctl_usage(ctl, "%s: what about it?", ctl->noun);
	if (ctl->n_args < ctl->command->args_min)
		return ctl_usage(ctl, "expected %s", ctl->command->args);
	return CTL_OK;
}

enum ctl_exit ctl_parse(struct ctl *ctl, int argc, char *const argv[])
{
	struct cursor c = { argc, argv, 1 };
	enum ctl_exit code;
	bool words_only = false;
	bool found;

	for (; c.i < argc; c.i++) {
		if (words_only || argv[c.i][0] != '-' || strcmp(argv[c.i], "-") == 0) {
			code = word_take(ctl, argv[c.i]);
		} else if (strcmp(argv[c.i], "--") == 0) {
			words_only = true;
			code = CTL_OK;
		} else {
			code = global_take(ctl, &c, &found);
			if (!found)
				code = option_take(ctl, &c);
		}
		if (code)
			return code;
	}
	return complete_check(ctl);
}
