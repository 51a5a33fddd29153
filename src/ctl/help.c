/* help.c - the help, from the table of commands. */
#include <string.h>

#include "ctl_priv.h"

static int words_print(FILE *to, const struct ctl_command *c)
{
	return fprintf(to, "  %s%s%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
		       c->args[0] ? " " : "", c->args);
}

static void list(FILE *to, const char *noun)
{
	int n;

	for (size_t i = 0; i < ctl_n_commands; i++) {
		if (noun && strcmp(ctl_commands[i].noun, noun) != 0)
			continue;
		n = words_print(to, &ctl_commands[i]);
		(void)fprintf(to, "%*s%s\n", n < 26 ? 26 - n : 2, "", ctl_commands[i].help);
	}
}

static void one(FILE *to, const struct ctl_command *c)
{
	const struct ctl_option *o;
	int n;

	(void)fputs("Usage:", to);
	(void)words_print(to, c);
	(void)fprintf(to, "%s\n%s\n", c->n_options ? " [OPTIONS]" : "", c->help);
	for (size_t i = 0; i < c->n_options; i++) {
		o = &c->options[i];
		n = fprintf(to, "  --%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		(void)fprintf(to, "%*s%s\n", n < 30 ? 30 - n : 2, "", o->help);
	}
}

void ctl_help(const struct ctl *ctl, FILE *to)
{
	if (ctl->command) {
		one(to, ctl->command);
	} else {
		(void)fputs("Usage: hotdeskctl [OPTIONS] COMMAND\n\n", to);
		list(to, ctl->noun);
	}
	(void)fputs(
		"\nOptions of every command:\n"
		"  --json                  write JSON; refusals too, on standard error\n"
		"  --socket PATH           of the daemon; else $HOTDESKD_SOCKET, else " CTL_SOCKET
		"\n"
		"  -h, --help              this; after a command, what it takes\n"
		"  -V, --version           the version\n"
		"\nExit: 0 done, 1 refused or failed, 2 wrong usage, 3 no daemon. "
		"See hotdeskctl(1).\n",
		to);
}
