/* clock.c - see clock.h. */
#include "hotdesk/base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts = { 0 };

	/* Neither clock can fail on Linux: both ids exist and ts is ours. */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *arg)
{
	(void)arg;
	return clock_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void *arg)
{
	(void)arg;
	return clock_ms(CLOCK_BOOTTIME);
}

static const struct hd_clock system_clock = {
	.wall_ms = system_wall_ms,
	.mono_ms = system_mono_ms,
};

const struct hd_clock *hd_clock_system(void)
{
	return &system_clock;
}

int64_t hd_clock_wall_ms(const struct hd_clock *clock)
{
	if (!clock)
		clock = &system_clock;
	return clock->wall_ms(clock->arg);
}

int64_t hd_clock_mono_ms(const struct hd_clock *clock)
{
	if (!clock)
		clock = &system_clock;
	return clock->mono_ms(clock->arg);
}

static int64_t fake_wall_ms(void *arg)
{
	const struct hd_fake_clock *fake = arg;

	return fake->wall_ms;
}

static int64_t fake_mono_ms(void *arg)
{
	const struct hd_fake_clock *fake = arg;

	return fake->mono_ms;
}

void hd_fake_clock_init(struct hd_fake_clock *fake, int64_t wall_ms)
{
	if (!fake)
		return;
	*fake = (struct hd_fake_clock){
		.clock = { .wall_ms = fake_wall_ms, .mono_ms = fake_mono_ms, .arg = fake },
		.wall_ms = wall_ms,
		.mono_ms = wall_ms,
	};
}

void hd_fake_clock_advance(struct hd_fake_clock *fake, int64_t in_ms)
{
	if (!fake)
		return;
	fake->wall_ms += in_ms;
	fake->mono_ms += in_ms;
}

void hd_time_format(char *dst, size_t size, int64_t at_ms)
{
	int64_t seconds = at_ms / 1000;
	int64_t ms = at_ms % 1000;
	struct tm tm;
	time_t t;
	int n;

	if (!dst || size == 0)
		return;
	if (ms < 0) { /* before 1970 the remainder is negative */
		ms += 1000;
		seconds--;
	}
	t = (time_t)seconds;
	dst[0] = '\0';
	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return;
	n = snprintf(dst, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
	if (n < 0 || (size_t)n >= size)
		dst[0] = '\0';
}
