/* secret.c - PINs and passwords: asked for without echo, read from a pipe, or made. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

enum { GENERATED_LENGTH = 20 }; /* of 32 letters: 100 bits */

static bool line_read(FILE *in, char *dst, size_t size)
{
	size_t len;

	if (!fgets(dst, (int)size, in))
		return false;
	len = strcspn(dst, "\r\n");
	if (dst[len] == '\0' && !feof(in))
		return false; /* longer than there is room */
	dst[len] = '\0';
	return true;
}

static bool ask(struct ctl *ctl, const char *prompt, const char *what, char *dst, size_t size)
{
	bool ok;

	(void)fprintf(ctl->err, "%s %s: ", prompt, what);
	(void)fflush(ctl->err);
	ok = line_read(ctl->in, dst, size);
	(void)fputs("\n", ctl->err);
	return ok;
}

static bool ask_twice(struct ctl *ctl, const char *what, char *dst, size_t size)
{
	char again[CTL_SECRET_SIZE];
	bool ok;

	ok = ask(ctl, "New", what, dst, size) && ask(ctl, "Again, the", what, again, sizeof(again));
	if (!ok)
		(void)fprintf(ctl->err, "hotdeskctl: no %s was given\n", what);
	else if (strcmp(dst, again) != 0)
		(void)fprintf(ctl->err, "hotdeskctl: the two differ\n");
	ok = ok && strcmp(dst, again) == 0;
	hd_wipe(again, sizeof(again));
	return ok;
}

bool ctl_secret_read(struct ctl *ctl, const char *what, char *dst, size_t size)
{
	struct termios before, silent;
	int fd = fileno(ctl->in);
	bool ok;

	if (fd >= 0 && isatty(fd) && !tcgetattr(fd, &before)) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		if (tcsetattr(fd, TCSAFLUSH, &silent)) {
			(void)fputs("hotdeskctl: the terminal goes on echoing\n", ctl->err);
			return false;
		}
		ok = ask_twice(ctl, what, dst, size);
		(void)tcsetattr(fd, TCSAFLUSH, &before);
	} else {
		ok = line_read(ctl->in, dst, size);
		if (!ok)
			(void)fprintf(ctl->err, "hotdeskctl: no %s on standard input\n", what);
	}
	if (ok && !dst[0]) {
		(void)fprintf(ctl->err, "hotdeskctl: the %s is empty\n", what);
		ok = false;
	}
	return ok;
}

void ctl_secret_generate(char *dst, size_t size)
{
	/* Without those that people mix up. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	size_t n = size - 1 < GENERATED_LENGTH ? size - 1 : GENERATED_LENGTH;

	for (size_t i = 0; i < n; i++)
		dst[i] = letters[hd_random_u32(sizeof(letters) - 1)];
	dst[n] = '\0';
}
