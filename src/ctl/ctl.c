/* ctl.c - one invocation. */
#include <curl/curl.h>

#include "hotdesk/base/secret.h"

#include "ctl_priv.h"

static enum ctl_exit flush(struct ctl *ctl, enum ctl_exit code)
{
	if (!fflush(ctl->out) && !ferror(ctl->out))
		return code;
	(void)fputs("hotdeskctl: the output could not be written\n", ctl->err);
	return code == CTL_OK ? CTL_REFUSED : code;
}

static enum ctl_exit run(struct ctl *ctl)
{
	enum ctl_exit code;

	if (hd_secret_init() || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		(void)fputs("hotdeskctl: the libraries do not start\n", ctl->err);
		return CTL_REFUSED;
	}
	code = ctl->command->run(ctl);
	curl_global_cleanup();
	return code;
}

enum ctl_exit ctl_main(struct ctl *ctl, int argc, char *const argv[])
{
	enum ctl_exit code = ctl_parse(ctl, argc, argv);

	if (code)
		return code;
	if (!ctl->socket || !ctl->socket[0])
		ctl->socket = CTL_SOCKET;
	if (ctl->help)
		ctl_help(ctl, ctl->out);
	else if (ctl->version)
		(void)fprintf(ctl->out, "hotdeskctl %s\n", HD_VERSION);
	else
		code = run(ctl);
	return flush(ctl, code);
}
