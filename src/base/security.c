/* security.c - security events in fail2ban's words, and the limit on repeated lines; see log.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hotdesk/base/clock.h"
#include "hotdesk/base/log.h"

#include "base_priv.h"

enum { FIELD_SIZE = 160, DEFAULT_PER_SECOND = 10 };

/*
 * A field for a quoted value: bytes that could end it or start another one are dropped, not
 * escaped, because the reader on the other side knows no escapes.
 */
static void field_set(char *dst, size_t size, const char *src)
{
	struct hd_slice s = hd_slice_of(src);
	size_t len = 0;

	while (s.len > 0) {
		size_t n = hd_utf8_char_len(s);
		unsigned char c = (unsigned char)s.ptr[0];
		bool bad = n == 0 || (n == 1 && (c < 0x20 || c == 0x7f || strchr("\"'\\", c))) ||
			   (c == 0xc2 && (unsigned char)s.ptr[1] < 0xa0);

		if (n == 0)
			n = 1;
		if (!bad && len + n >= size)
			break;
		if (!bad) {
			memcpy(dst + len, s.ptr, n);
			len += n;
		}
		s.ptr += n;
		s.len -= n;
	}
	len = hd_log_mask(dst, len);
	dst[len] = '\0';
}

/* Asterisk writes the offset as +0000 where RFC 3339 has Z. */
static void event_time(char *dst, size_t size)
{
	char text[32];
	size_t n;

	hd_time_format(text, sizeof(text), hd_clock_wall_ms(hd_clock_system()));
	n = strlen(text);
	if (n > 0 && text[n - 1] == 'Z')
		text[n - 1] = '\0';
	(void)snprintf(dst, size, "%s+0000", text);
}

void hd_log_security(const struct hd_security_event *ev)
{
	struct hd_log_line line = { .level = HD_LOG_NOTICE, .subsystem = "security" };
	char event[FIELD_SIZE];
	char service[FIELD_SIZE];
	char account[FIELD_SIZE];
	char session[FIELD_SIZE];
	char local[FIELD_SIZE];
	char remote[FIELD_SIZE];
	char text[HD_LOG_LINE_MAX];
	char at[40];
	int n;

	if (!ev)
		return;
	field_set(event, sizeof(event), ev->event);
	field_set(service, sizeof(service), ev->service);
	field_set(account, sizeof(account), ev->account);
	field_set(session, sizeof(session), ev->session);
	field_set(local, sizeof(local), ev->local_address);
	field_set(remote, sizeof(remote), ev->remote_address);
	event_time(at, sizeof(at));
	n = snprintf(text, sizeof(text),
		     "SECURITY[%ld] security.c: SecurityEvent=\"%s\",EventTV=\"%s\","
		     "Severity=\"Error\",Service=\"%s\",EventVersion=\"1\",AccountID=\"%s\","
		     "SessionID=\"%s\",LocalAddress=\"%s\",RemoteAddress=\"%s\"",
		     (long)getpid(), event, at, service, account, session, local, remote);
	if (n < 0)
		return;
	line.text = text;
	/* Levels do not apply: a silent subsystem must not switch off the ban. */
	hd_log_emit_raw(&line);
}

bool hd_ratelimit_allow(struct hd_ratelimit *rl, int64_t mono_ms, uint32_t *suppressedp)
{
	const int64_t rate = rl->per_second ? rl->per_second : DEFAULT_PER_SECOND;
	int64_t passed_ms = mono_ms - rl->window_ms;
	int64_t refill;

	if (suppressedp)
		*suppressedp = 0;
	/* window_ms: when the bucket was filled last. seen: tokens that are out. */
	if (rl->seen == 0 || passed_ms < 0 || passed_ms >= 1000) {
		rl->seen = 0;
		rl->window_ms = mono_ms;
	} else {
		refill = passed_ms * rate / 1000;
		if (refill > rl->seen)
			refill = rl->seen;
		rl->seen -= (uint32_t)refill;
		rl->window_ms += refill * 1000 / rate;
	}
	if (rl->seen >= rate) {
		rl->suppressed++;
		return false;
	}
	rl->seen++;
	if (suppressedp)
		*suppressedp = rl->suppressed;
	rl->suppressed = 0;
	return true;
}
