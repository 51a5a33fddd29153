/*
 * clock.h - the only source of time. Tests pass a clock of their own and move it.
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_CLOCK_H
#define HOTDESK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct hd_clock {
	int64_t (*wall_ms)(void *arg); /* CLOCK_REALTIME: for what is stored and shown */
	int64_t (*mono_ms)(void *arg); /* CLOCK_BOOTTIME: for durations; never goes back */
	void *arg;
};

/** The system's clock; static. */
const struct hd_clock *hd_clock_system(void);
int64_t hd_clock_wall_ms(const struct hd_clock *clock);
int64_t hd_clock_mono_ms(const struct hd_clock *clock);

/** A clock for tests: both readings start at the given wall time and move only by advance. */
struct hd_fake_clock {
	struct hd_clock clock;
	int64_t wall_ms;
	int64_t mono_ms;
};
void hd_fake_clock_init(struct hd_fake_clock *fake, int64_t wall_ms);
void hd_fake_clock_advance(struct hd_fake_clock *fake, int64_t in_ms);

/** RFC 3339 in UTC with milliseconds, "2026-11-23T19:30:42.123Z"; dst has room for 32. */
void hd_time_format(char *dst, size_t size, int64_t at_ms);

#endif
