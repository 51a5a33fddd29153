/* main.c - hotdeskctl. */
#include <locale.h>
#include <stdlib.h>

#include "ctl_priv.h"

int main(int argc, char *argv[])
{
	struct ctl ctl = {
		.socket = getenv("HOTDESKD_SOCKET"),
		.in = stdin,
		.out = stdout,
		.err = stderr,
	};

	(void)setlocale(LC_CTYPE, "");
	return (int)ctl_main(&ctl, argc, argv);
}
