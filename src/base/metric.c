/* metric.c - see metric.h. */
#include "hotdesk/base/metric.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

enum { FIRST_BOUND_US = 100 };

/* Linked at start, read by the exporter; values are atomics and need no lock. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hd_metric *registry;

void hd_metric_register(struct hd_metric *m)
{
	struct hd_metric **link;

	if (!m || !m->name)
		return;
	(void)pthread_mutex_lock(&registry_lock);
	for (link = &registry; *link && *link != m; link = &(*link)->next)
		;
	if (!*link) {
		m->next = NULL;
		*link = m;
	}
	(void)pthread_mutex_unlock(&registry_lock);
}

void hd_metric_add(struct hd_metric *m, int64_t n)
{
	(void)atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void hd_metric_set(struct hd_metric *m, int64_t v)
{
	atomic_store_explicit(&m->value, v, memory_order_relaxed);
}

int64_t hd_metric_get(const struct hd_metric *m)
{
	return atomic_load_explicit(&m->value, memory_order_relaxed);
}

void hd_metric_observe_us(struct hd_metric *m, int64_t us)
{
	int64_t bound = FIRST_BOUND_US;
	int i = 0;

	if (us < 0)
		us = 0;
	while (i < HD_METRIC_BUCKETS - 1 && us > bound) {
		bound *= 2;
		i++;
	}
	(void)atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
	hd_metric_add(m, us);
}

/* OpenMetrics: backslash, newline and quote of a HELP text are escaped. */
static void help_write(struct hd_buf *out, const char *help)
{
	for (; *help; help++) {
		if (*help == '\n')
			hd_buf_adds(out, "\\n");
		else if (*help == '\\' || *help == '"')
			hd_buf_addf(out, "\\%c", *help);
		else
			hd_buf_add(out, (struct hd_slice){ .ptr = help, .len = 1 });
	}
}

static void family_write(struct hd_buf *out, const struct hd_metric *m)
{
	static const char *const types[] = {
		[HD_METRIC_COUNTER] = "counter",
		[HD_METRIC_GAUGE] = "gauge",
		[HD_METRIC_HISTOGRAM] = "histogram",
	};

	hd_buf_addf(out, "# TYPE %s %s\n# HELP %s ", m->name, types[m->kind], m->name);
	help_write(out, m->help ? m->help : "");
	hd_buf_adds(out, "\n");
}

static void sample_write(struct hd_buf *out, const struct hd_metric *m, const char *suffix)
{
	hd_buf_addf(out, "%s%s", m->name, suffix);
	if (m->labels && m->labels[0])
		hd_buf_addf(out, "{%s}", m->labels);
}

static void histogram_write(struct hd_buf *out, const struct hd_metric *m)
{
	const bool labelled = m->labels && m->labels[0];
	int64_t bound = FIRST_BOUND_US;
	int64_t sum = hd_metric_get(m);
	uint64_t count = 0;

	for (int i = 0; i < HD_METRIC_BUCKETS; i++) {
		count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
		hd_buf_addf(out, "%s_bucket{%s%s", m->name, labelled ? m->labels : "",
			    labelled ? "," : "");
		if (i == HD_METRIC_BUCKETS - 1)
			hd_buf_adds(out, "le=\"+Inf\"}");
		else /* seconds; every bound is a multiple of 100 us */
			hd_buf_addf(out, "le=\"%" PRId64 ".%04" PRId64 "\"}", bound / 1000000,
				    bound % 1000000 / 100);
		hd_buf_addf(out, " %" PRIu64 "\n", count);
		bound *= 2;
	}
	sample_write(out, m, "_sum");
	hd_buf_addf(out, " %" PRId64 ".%06" PRId64 "\n", sum / 1000000, sum % 1000000);
	sample_write(out, m, "_count");
	hd_buf_addf(out, " %" PRIu64 "\n", count);
}

static void metric_write(struct hd_buf *out, const struct hd_metric *m)
{
	if (m->kind == HD_METRIC_HISTOGRAM) {
		histogram_write(out, m);
		return;
	}
	sample_write(out, m, m->kind == HD_METRIC_COUNTER ? "_total" : "");
	hd_buf_addf(out, " %" PRId64 "\n", hd_metric_get(m));
}

/* True when an earlier metric has the same name, which has then written this one too. */
static bool is_written(const struct hd_metric *m)
{
	for (const struct hd_metric *other = registry; other != m; other = other->next)
		if (strcmp(other->name, m->name) == 0)
			return true;
	return false;
}

void hd_metric_write(struct hd_buf *out)
{
	(void)pthread_mutex_lock(&registry_lock);
	for (const struct hd_metric *m = registry; m; m = m->next) {
		if (is_written(m))
			continue;
		family_write(out, m);
		for (const struct hd_metric *same = m; same; same = same->next)
			if (strcmp(same->name, m->name) == 0)
				metric_write(out, same);
	}
	(void)pthread_mutex_unlock(&registry_lock);
	hd_buf_adds(out, "# EOF\n");
}
