/*
 * log.h - the log: one line per event, subject first.
 *
 * hd_info("registrar", "%s: bound to %s for %u s", aor, contact, expires) gives on stderr
 *   <6>registrar: desk-101: bound to sip:... for 3600 s
 * and under journald (JOURNAL_STREAM names our stderr) the same text with native fields. Every line
 * about a call ends with "call-id=...": use hd_log_call(). Text from the wire is made printable
 * here: control bytes, quotes that could forge a field, and broken UTF-8 are escaped as \xHH. Never
 * pass a PIN, password, HA1 or key; hd_log masks feature-code arguments it can recognise
 * (*771*NUMBER*PIN) as a last line of defence. A line that nobody reads is dropped after a tenth of
 * a second, and counted.
 *
 * Layer: 0.  Thread: any. The only mutable statics of the program are here, in metric.c and
 * (written once, by hd_secret_init) in digest.c.
 */
#ifndef HOTDESK_BASE_LOG_H
#define HOTDESK_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/error.h"

/** Values are those of syslog(3). */
enum hd_log_level {
	HD_LOG_ERROR = 3,
	HD_LOG_WARNING = 4,
	HD_LOG_NOTICE = 5,
	HD_LOG_INFO = 6,
	HD_LOG_DEBUG = 7,
};

enum hd_log_format { HD_LOG_AUTO, HD_LOG_STDERR, HD_LOG_JOURNAL };

/** Receives each finished line instead of stderr (tests); text has no priority and no newline. */
typedef void hd_log_sink_fn(void *arg, enum hd_log_level level, const char *text);

void hd_log_set_format(enum hd_log_format format);
void hd_log_set_sink(hd_log_sink_fn *sink, void *arg);
/** Level of every subsystem that has none of its own. Default HD_LOG_INFO. */
void hd_log_set_level(enum hd_log_level level);
/** Level of one subsystem. @return 0, HD_ELIMIT (more than 32 subsystems) or HD_EINVAL */
HD_MUSTCHECK int hd_log_set_subsystem_level(const char *subsystem, enum hd_log_level level);
/** Forgets every subsystem level (before a reload sets them anew). */
void hd_log_clear_subsystem_levels(void);
bool hd_log_enabled(const char *subsystem, enum hd_log_level level);
/** "error", "warning", "notice", "info", "debug". @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_log_level_parse(enum hd_log_level *levelp, const char *name);

void hd_log(enum hd_log_level level, const char *subsystem, const char *fmt, ...) HD_PRINTF(3, 4);
void hd_vlog(enum hd_log_level level, const char *subsystem, const char *fmt, va_list ap)
	HD_PRINTF(3, 0);
/** As hd_log(), ended with " call-id=CALL_ID" and with the journal field CALL_ID. */
void hd_log_call(enum hd_log_level level, const char *subsystem, const char *call_id,
		 const char *fmt, ...) HD_PRINTF(4, 5);

#define hd_error(...) hd_log(HD_LOG_ERROR, __VA_ARGS__)
#define hd_warn(...) hd_log(HD_LOG_WARNING, __VA_ARGS__)
#define hd_notice(...) hd_log(HD_LOG_NOTICE, __VA_ARGS__)
#define hd_info(...) hd_log(HD_LOG_INFO, __VA_ARGS__)
#define hd_debug(...) hd_log(HD_LOG_DEBUG, __VA_ARGS__)

/**
 * A security event in the form that Debian's fail2ban filter asterisk reads
 * (asterisk[_daemon=hotdeskd], filter.d/asterisk.conf):
 *   SECURITY[PID] FILE: SecurityEvent="InvalidPassword",EventTV="...",Severity="Error",
 *   Service="SIP",EventVersion="1",AccountID="301",SessionID="...",LocalAddress="...",
 *   RemoteAddress="IPV4/UDP/a/p"
 * Only for a source that has proved its return path (TCP, TLS, or UDP with a nonce minted for it):
 * otherwise a forged datagram could get somebody else banned.
 */
struct hd_security_event {
	const char *event;   /* InvalidAccountID, InvalidPassword, ChallengeResponseFailed, ... */
	const char *service; /* SIP, HotDeskPIN, Provisioning, AdminAPI */
	const char *account; /* untrusted: quotes and controls are removed */
	const char *session; /* Call-ID, untrusted; may be NULL */
	const char *local_address;  /* "IPV4/UDP/192.0.2.1/5060" */
	const char *remote_address; /* the same form */
};
void hd_log_security(const struct hd_security_event *ev);

/** Token bucket for repeated lines. Zero value is ready: 10 lines a second, burst 10. */
struct hd_ratelimit {
	int64_t window_ms;
	uint32_t seen;
	uint32_t suppressed;
	uint32_t per_second; /* 0 means 10 */
};
/**
 * @param suppressedp receives how many were swallowed since the last allowed one (to be told in the
 *        allowed line); 0 most of the time
 * @return true when this line may be written
 */
bool hd_ratelimit_allow(struct hd_ratelimit *rl, int64_t mono_ms, uint32_t *suppressedp);

#endif
