/* service.c - is it alive, is it ready, how is it: for people, probes and scrapers. */
#include <string.h>

#include "hotdesk/base/metric.h"

#include "admin_priv.h"

enum gauge {
	USERS,
	PHONES,
	STORE_EPOCH,
	STORE_USED,
	STORE_MAP,
	STORE_QUEUED,
	STORE_FULL,
	PIN_QUEUE,
	GAUGE_COUNT
};

static struct hd_metric gauges[GAUGE_COUNT] = {
	[USERS] = HD_GAUGE("hotdeskd_users", NULL, "Users in the directory."),
	[PHONES] = HD_GAUGE("hotdeskd_phones", NULL, "Phones in the directory."),
	[STORE_EPOCH] = HD_GAUGE("hotdeskd_store_epoch", NULL, "Number of the last commit."),
	[STORE_USED] = HD_GAUGE("hotdeskd_store_used_bytes", NULL, "Bytes of the map in use."),
	[STORE_MAP] = HD_GAUGE("hotdeskd_store_map_bytes", NULL, "Size of the map."),
	[STORE_QUEUED] = HD_GAUGE("hotdeskd_store_queued", NULL, "Commands not yet run."),
	[STORE_FULL] = HD_GAUGE("hotdeskd_store_full", NULL, "1: the disk or the map is full."),
	[PIN_QUEUE] = HD_GAUGE("hotdeskd_pin_queue", NULL, "PINs waiting to be hashed."),
};

void service_register_metrics(void)
{
	for (size_t i = 0; i < GAUGE_COUNT; i++)
		hd_metric_register(&gauges[i]);
}

struct counts {
	uint64_t users, phones, sessions, bound;
	struct hd_store_stats store;
	uint32_t pin_queue;
};

static int counts_take(struct counts *c, struct hd_admin *admin)
{
	struct hd_txn *txn = NULL;
	int err;

	memset(c, 0, sizeof(*c));
	hd_store_get_stats(admin->o.store, &c->store);
	c->pin_queue = hd_worker_queued(admin->o.worker);
	err = hd_store_begin_read(admin->o.store, &txn);
	if (err)
		return err;
	err = hd_directory_count(admin->o.directory, txn, &c->users, &c->phones);
	if (!err)
		err = hd_desk_count(admin->o.desk, txn, &c->sessions);
	if (!err)
		err = hd_location_count(admin->o.location, txn, &c->bound);
	hd_store_end_read(txn);
	return err;
}

static void text_answer(struct hd_http_request *req, unsigned status, const char *text)
{
	hd_http_answer(req, status, "text/plain; charset=utf-8", hd_slice_of(text));
}

void healthz_get(struct hd_http_request *req, void *arg)
{
	(void)arg;
	text_answer(req, 200, "ok\n");
}

void readyz_get(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct counts c;

	if (!admin->ready)
		text_answer(req, 503, "not ready: starting or stopping\n");
	else if (counts_take(&c, admin))
		text_answer(req, 503, "not ready: the store cannot be read\n");
	else if (c.store.full)
		text_answer(req, 503, "not ready: disk or map full\n");
	else
		text_answer(req, 200, "ready\n");
}

void metrics_get(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct hd_buf b = { 0 };
	struct counts c;
	int err = counts_take(&c, admin);

	if (!err) {
		hd_metric_set(&gauges[USERS], (int64_t)c.users);
		hd_metric_set(&gauges[PHONES], (int64_t)c.phones);
	}
	hd_metric_set(&gauges[STORE_EPOCH], (int64_t)c.store.epoch);
	hd_metric_set(&gauges[STORE_USED], (int64_t)c.store.used_bytes);
	hd_metric_set(&gauges[STORE_MAP], (int64_t)c.store.map_bytes);
	hd_metric_set(&gauges[STORE_QUEUED], c.store.queued);
	hd_metric_set(&gauges[STORE_FULL], c.store.full);
	hd_metric_set(&gauges[PIN_QUEUE], c.pin_queue);
	hd_metric_write(&b);
	err = hd_buf_error(&b);
	if (err)
		hd_http_answer_error(req, err, "metrics");
	else
		hd_http_answer(req, 200,
			       "application/openmetrics-text; version=1.0.0; charset=utf-8",
			       (struct hd_slice){ hd_buf_text(&b), b.len });
	hd_buf_fini(&b);
}

static void store_show(struct hd_json *j, const struct hd_store_stats *s)
{
	hd_json_object(j, "store");
	hd_json_uint(j, "epoch", s->epoch);
	hd_json_uint(j, "commits", s->commits);
	hd_json_uint(j, "commands", s->commands);
	hd_json_uint(j, "failed", s->failed);
	hd_json_uint(j, "queued", s->queued);
	hd_json_uint(j, "largest_batch", s->batch_max_seen);
	hd_json_uint(j, "map_bytes", s->map_bytes);
	hd_json_uint(j, "used_bytes", s->used_bytes);
	hd_json_bool(j, "full", s->full);
	hd_json_object_end(j);
}

void status_get(struct hd_http_request *req, void *arg)
{
	struct hd_admin *admin = arg;
	struct hd_buf b = { 0 };
	struct hd_json j;
	struct counts c;
	int err = counts_take(&c, admin);

	if (err) {
		hd_http_answer_error(req, err, "the store cannot be read: %s", hd_strerror(err));
		return;
	}
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_bool(&j, "ready", admin->ready);
	hd_json_time(&j, "time", hd_clock_wall_ms(admin->o.clock));
	if (admin->o.status)
		admin->o.status(admin->o.arg, &j);
	hd_json_uint(&j, "users", c.users);
	hd_json_uint(&j, "phones", c.phones);
	hd_json_uint(&j, "desk_sessions", c.sessions);
	hd_json_uint(&j, "bound_phones", c.bound);
	hd_json_uint(&j, "pin_queue", c.pin_queue);
	store_show(&j, &c.store);
	hd_json_object_end(&j);
	hd_http_answer_json(req, 200, &b);
}
