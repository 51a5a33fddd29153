/* test_metric.c - the text an OpenMetrics reader gets, and counting from many threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/metric.h"

enum { THREADS = 4, ADDS = 20000 };

static struct hd_metric logins_ok =
	HD_COUNTER("hotdeskd_logins", "result=\"ok\"", "Logins by result.");
static struct hd_metric bindings = HD_GAUGE("hotdeskd_bindings", NULL, "Bindings \"now\"\\\n.");
static struct hd_metric logins_bad = HD_COUNTER("hotdeskd_logins", "result=\"refused\"", NULL);
static struct hd_metric commit =
	HD_HISTOGRAM("hotdeskd_commit_seconds", "engine=\"lmdb\"", "Commits.");

static const char expected[] = "# TYPE hotdeskd_logins counter\n"
			       "# HELP hotdeskd_logins Logins by result.\n"
			       "hotdeskd_logins_total{result=\"ok\"} 3\n"
			       "hotdeskd_logins_total{result=\"refused\"} 1\n"
			       "# TYPE hotdeskd_bindings gauge\n"
			       "# HELP hotdeskd_bindings Bindings \\\"now\\\"\\\\\\n.\n"
			       "hotdeskd_bindings -2\n"
			       "# TYPE hotdeskd_commit_seconds histogram\n"
			       "# HELP hotdeskd_commit_seconds Commits.\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0001\"} 2\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0002\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0004\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0008\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0016\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0032\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0064\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0128\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0256\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.0512\"} 3\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"0.1024\"} 4\n"
			       "hotdeskd_commit_seconds_bucket{engine=\"lmdb\",le=\"+Inf\"} 5\n"
			       "hotdeskd_commit_seconds_sum{engine=\"lmdb\"} 2.102601\n"
			       "hotdeskd_commit_seconds_count{engine=\"lmdb\"} 5\n"
			       "# EOF\n";

static void test_text(void **state)
{
	struct hd_buf out = { 0 };

	(void)state;
	hd_metric_register(&logins_ok);
	hd_metric_register(&bindings);
	hd_metric_register(&logins_bad); /* one family, not beside one another in the list */
	hd_metric_register(&commit);
	hd_metric_register(&logins_ok); /* again: nothing happens */
	hd_metric_register(&commit);
	hd_metric_register(NULL);

	hd_metric_add(&logins_ok, 1);
	hd_metric_add(&logins_ok, 2);
	hd_metric_add(&logins_bad, 1);
	hd_metric_set(&bindings, 5);
	hd_metric_add(&bindings, -7);
	hd_metric_observe_us(&commit, -5); /* a clock that was set back counts as 0 */
	hd_metric_observe_us(&commit, 100);
	hd_metric_observe_us(&commit, 101);
	hd_metric_observe_us(&commit, 102400);
	hd_metric_observe_us(&commit, 2000000);
	hd_metric_write(&out);
	assert_int_equal(hd_buf_error(&out), 0);
	assert_string_equal(hd_buf_text(&out), expected);
	hd_buf_fini(&out);
}

static struct hd_metric shared = HD_COUNTER("hotdeskd_shared", NULL, "Shared.");

static void *adder_main(void *arg)
{
	(void)arg;
	hd_metric_register(&shared);
	for (int i = 0; i < ADDS; i++)
		hd_metric_add(&shared, 1);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	struct hd_buf out = { 0 };
	const char *first;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, adder_main, NULL), 0);
	hd_metric_write(&out); /* while they count */
	hd_buf_fini(&out);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(hd_metric_get(&shared), THREADS * ADDS);
	hd_metric_write(&out);
	first = strstr(hd_buf_text(&out), "# TYPE hotdeskd_shared ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "# TYPE hotdeskd_shared "));
	hd_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
