/* sofia_log.c - the library's own log goes to ours, with our levels and a rate limit. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/su_log.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/log.h"
#include "sip_priv.h"

extern su_log_t nta_log[], tport_log[];

static struct hd_ratelimit limit = { .per_second = 1 };

/*
 * The library writes Request-URIs. In each word with a '*' the digits behind it go: a feature code
 * may hold a PIN there, and what the codes are is not known here.
 */
static void mask_digits(char *line)
{
	bool behind = false;

	for (char *p = line; *p; p++) {
		if (*p == '*' || strncasecmp(p, "%2a", 3) == 0)
			behind = true;
		else if (behind && *p >= '0' && *p <= '9')
			*p = 'x';
		else if (!strchr("%#ABCDEFabcdefx", *p) && (*p < '0' || *p > '9'))
			behind = false;
	}
}

/* Runs on the SIP thread; su_log prints what comes from the wire, so our log escapes it. */
static void on_line(void *arg, const char *fmt, va_list ap)
{
	char line[512];
	uint32_t suppressed;
	size_t n;

	(void)arg;
	if (!hd_ratelimit_allow(&limit, hd_clock_mono_ms(hd_clock_system()), &suppressed))
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	n = strcspn(line, "\r\n");
	line[n] = '\0';
	if (n == 0)
		return;
	mask_digits(line);
	if (suppressed)
		hd_info("sofia", "%s (and %u lines more)", line, suppressed);
	else
		hd_info("sofia", "%s", line);
}

void hd_sofia_log_init(uint32_t level)
{
	su_log_redirect(su_log_default, on_line, NULL);
	su_log_redirect(nta_log, on_line, NULL);
	su_log_redirect(tport_log, on_line, NULL);
	su_log_set_level(su_log_default, level);
	su_log_set_level(nta_log, level);
	su_log_set_level(tport_log, level);
	limit.per_second = level > 1 ? 1000 : 1;
}
