/*
 * metric.h - the registry of counters, gauges and histograms, written out as OpenMetrics text.
 *
 * Metrics are declared where they are counted, as static objects, and linked into the registry at
 * start by hd_metric_register(). Updates are relaxed atomics: no lock on any path.
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_METRIC_H
#define HOTDESK_BASE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

#include "hotdesk/base/str.h"

enum hd_metric_kind { HD_METRIC_COUNTER, HD_METRIC_GAUGE, HD_METRIC_HISTOGRAM };
enum { HD_METRIC_BUCKETS = 12 };

struct hd_metric {
	const char *name;   /* "hotdeskd_logins"; a counter is shown with _total */
	const char *labels; /* "result=\"ok\"", or NULL */
	const char *help;
	enum hd_metric_kind kind;
	_Atomic int64_t value;			     /* counter, gauge; sum in us for histograms */
	_Atomic uint64_t buckets[HD_METRIC_BUCKETS]; /* upper bounds 100 us * 2^i ..., last +Inf */
	struct hd_metric *next;
};

#define HD_COUNTER(nm, lb, hp)                                                                     \
	{                                                                                          \
		.name = (nm), .labels = (lb), .help = (hp), .kind = HD_METRIC_COUNTER              \
	}
#define HD_GAUGE(nm, lb, hp)                                                                       \
	{                                                                                          \
		.name = (nm), .labels = (lb), .help = (hp), .kind = HD_METRIC_GAUGE                \
	}
#define HD_HISTOGRAM(nm, lb, hp)                                                                   \
	{                                                                                          \
		.name = (nm), .labels = (lb), .help = (hp), .kind = HD_METRIC_HISTOGRAM            \
	}

/** Links a static metric; linking the same object twice does nothing. */
void hd_metric_register(struct hd_metric *m);
void hd_metric_add(struct hd_metric *m, int64_t n);
void hd_metric_set(struct hd_metric *m, int64_t v);
int64_t hd_metric_get(const struct hd_metric *m);
void hd_metric_observe_us(struct hd_metric *m, int64_t us);
/** All registered metrics as OpenMetrics 1.0 text, ended with "# EOF". */
void hd_metric_write(struct hd_buf *out);

#endif
