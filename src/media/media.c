/* media.c - the streams of a thread, behind one descriptor; see hotdesk/media.h. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <utlist.h>

#include "media_priv.h"

enum { EVENTS_MAX = 64 };

int64_t media_now(const struct hd_media *m)
{
	return hd_clock_mono_ms(m->options.clock);
}

int hd_media_new(struct hd_media **mp, const struct hd_media_options *options)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };
	struct hd_media *m;

	if (!mp || !options || !options->clock)
		return HD_EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return HD_ENOMEM;
	m->options = *options;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->epoll < 0 || m->timer < 0 || epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->timer, &ev)) {
		hd_media_free(m);
		return HD_ESYSTEM;
	}
	*mp = m;
	return 0;
}

static void bury(struct hd_media *m)
{
	struct hd_stream *s, *next;

	for (s = m->graves; s; s = next) {
		next = s->grave;
		free(s);
	}
	m->graves = NULL;
}

void hd_media_free(struct hd_media *m)
{
	if (!m)
		return;
	while (m->streams)
		hd_stream_free(m->streams);
	bury(m);
	if (m->timer >= 0)
		close(m->timer);
	if (m->epoll >= 0)
		close(m->epoll);
	free(m);
}

void hd_media_set_limits(struct hd_media *m, const struct hd_media_options *options)
{
	m->options.port_min = options->port_min;
	m->options.port_max = options->port_max;
	m->options.streams_max = options->streams_max;
}

int hd_media_fd(const struct hd_media *m)
{
	return m->epoll;
}

uint32_t hd_media_count(const struct hd_media *m)
{
	return m->n;
}

/* Nobody wakes up for streams that do not send. */
void media_set_timer(struct hd_media *m)
{
	int64_t first_ms = media_now(m) / TICK_MS * TICK_MS + TICK_MS;
	const struct itimerspec on = {
		.it_value = { (time_t)(first_ms / 1000), (long)(first_ms % 1000) * 1000000 },
		.it_interval = { 0, TICK_MS * 1000000L },
	};
	const struct itimerspec off = { 0 };
	struct hd_stream *s;
	bool want = false;

	DL_FOREACH (m->streams, s)
		want |= s->sending;
	if (want == m->ticking)
		return;
	/* On the grid, by the clock that packets are due by. */
	if (timerfd_settime(m->timer, TFD_TIMER_ABSTIME, want ? &on : &off, NULL) == 0)
		m->ticking = want;
}

static void leave(struct hd_media *m)
{
	if (--m->turning == 0)
		bury(m);
}

void hd_media_tick(struct hd_media *m)
{
	int64_t now_ms = media_now(m);
	struct hd_stream *s, *next;

	m->turning++;
	/* A callback may free any of them: what it frees is not let go before the end. */
	for (s = m->streams; s; s = next) {
		next = s->next;
		if (!s->dead)
			stream_send_due(s, now_ms);
	}
	leave(m);
}

void hd_media_turn(struct hd_media *m)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(m->epoll, events, EVENTS_MAX, 0);
	bool tick = false;
	uint64_t times;

	m->turning++;
	for (int i = 0; i < n; i++) {
		struct hd_stream *s =
			(struct hd_stream *)(uintptr_t)(events[i].data.u64 & ~UINT64_C(1));

		if (!s)
			tick = read(m->timer, &times, sizeof(times)) > 0;
		else if (s->dead)
			continue;
		else if (events[i].data.u64 & 1)
			stream_drain(s);
		else
			stream_receive(s);
	}
	if (tick)
		hd_media_tick(m);
	leave(m);
}
