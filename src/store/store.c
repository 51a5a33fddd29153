/* store.c - opening, closing, tables, snapshots and figures of a store; see store.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hotdesk/base/metric.h"
#include "store_priv.h"

enum { EXIT_TEMPFAIL = 75 };

static struct hd_metric commit_seconds = HD_HISTOGRAM(
	"hotdeskd_commit_seconds", NULL, "Time of one store transaction with its flushes");
static struct hd_metric commit_commands =
	HD_COUNTER("hotdeskd_commit_commands", NULL, "Commands in committed transactions");
static struct hd_metric commit_batch =
	HD_GAUGE("hotdeskd_commit_batch", NULL, "Commands in the last committed transaction");
static struct hd_metric commands_failed =
	HD_COUNTER("hotdeskd_store_commands_failed", NULL, "Commands that wrote nothing");
static struct hd_metric commands_shed = HD_COUNTER("hotdeskd_store_commands_shed", NULL,
						   "Commands refused because the queue was full");
static struct hd_metric records_corrupt =
	HD_COUNTER("hotdeskd_store_records_corrupt", NULL, "Records read whose checksum is wrong");
static struct hd_metric used_bytes =
	HD_GAUGE("hotdeskd_store_used_bytes", NULL, "Size of the store's file in use");
static struct hd_metric map_bytes =
	HD_GAUGE("hotdeskd_store_map_bytes", NULL, "Size of the store's map");
static struct hd_metric disk_full =
	HD_GAUGE("hotdeskd_store_full", NULL, "1 when the last commit found the disk or map full");

static void register_metrics(void)
{
	hd_metric_register(&commit_seconds);
	hd_metric_register(&commit_commands);
	hd_metric_register(&commit_batch);
	hd_metric_register(&commands_failed);
	hd_metric_register(&commands_shed);
	hd_metric_register(&records_corrupt);
	hd_metric_register(&used_bytes);
	hd_metric_register(&map_bytes);
	hd_metric_register(&disk_full);
}

void hd_store_count_batch(struct hd_store *store, size_t commands, int64_t took_ms)
{
	atomic_fetch_add(&store->commits, 1);
	atomic_fetch_add(&store->commands, commands);
	if (commands > atomic_load(&store->batch_max_seen))
		atomic_store(&store->batch_max_seen, commands);
	hd_metric_observe_us(&commit_seconds, took_ms * 1000);
	hd_metric_add(&commit_commands, (int64_t)commands);
	hd_metric_set(&commit_batch, (int64_t)commands);
}

void hd_store_count_failed(struct hd_store *store, size_t failed)
{
	if (failed == 0)
		return;
	atomic_fetch_add(&store->failed, failed);
	hd_metric_add(&commands_failed, (int64_t)failed);
}

void hd_store_count_shed(void)
{
	hd_metric_add(&commands_shed, 1);
}

void hd_store_count_corrupt(void)
{
	hd_metric_add(&records_corrupt, 1);
}

void hd_store_set_full(struct hd_store *store, bool full)
{
	uint32_t suppressed;

	atomic_store(&store->full, full);
	hd_metric_set(&disk_full, full);
	if (full && hd_ratelimit_allow(&store->full_log, hd_store_now_ms(store), &suppressed)) {
		hd_error("store", "disk or map full: writes are refused, reads go on");
		store->full_told = true;
	} else if (!full && store->full_told) {
		hd_notice("store", "space again: writes go on");
		store->full_told = false;
	}
}

int64_t hd_store_now_ms(const struct hd_store *store)
{
	return hd_clock_mono_ms(store->options.clock);
}

void hd_store_publish(struct hd_store *store)
{
	struct hd_store_stats stats = { 0 };

	store->ops->usage(store, &stats);
	atomic_store(&store->epoch, stats.epoch);
	atomic_store(&store->map_bytes, stats.map_bytes);
	atomic_store(&store->used_bytes, stats.used_bytes);
	hd_metric_set(&map_bytes, (int64_t)stats.map_bytes);
	hd_metric_set(&used_bytes, (int64_t)stats.used_bytes);
}

void hd_store_fatal(struct hd_store *store, int err)
{
	hd_error("store", "%s: leaving, so that the restart reads what the disk has",
		 hd_strerror(err));
	if (store->options.fatal)
		store->options.fatal(store->options.arg, err);
	_exit(EXIT_TEMPFAIL);
}

static int queue_init(struct hd_queue *q, uint32_t room)
{
	q->tailp = &q->head;
	q->room = room;
	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake_fd < 0)
		return HD_ESYSTEM;
	if (pthread_mutex_init(&q->lock, NULL) == 0)
		return 0;
	close(q->wake_fd);
	return HD_ESYSTEM;
}

int hd_store_init(struct hd_store *store, const struct hd_store_ops *ops,
		  const struct hd_store_options *options)
{
	struct hd_store_options *o = &store->options;

	*o = *options;
	o->path = NULL;
	if (o->map_bytes == 0)
		o->map_bytes = UINT64_C(1) << 30;
	if (o->map_max_bytes == 0)
		o->map_max_bytes = UINT64_C(64) << 30;
	if (o->map_max_bytes < o->map_bytes)
		o->map_max_bytes = o->map_bytes;
	if (o->batch_max == 0)
		o->batch_max = 256;
	if (o->soft_delay_ms == 0)
		o->soft_delay_ms = 5000;
	if (o->queue_max == 0)
		o->queue_max = 8192;
	if (!o->clock)
		o->clock = hd_clock_system();
	store->ops = ops;
	store->full_log.per_second = 1;
	register_metrics();
	return queue_init(&store->queue, o->batch_max);
}

void hd_store_fini(struct hd_store *store)
{
	for (unsigned i = 0; i < store->tables; i++)
		free(store->table_names[i]);
	close(store->queue.wake_fd);
	pthread_mutex_destroy(&store->queue.lock);
}

void hd_store_stop(struct hd_store *store)
{
	if (store)
		hd_queue_stop(store);
}

void hd_store_close(struct hd_store *store)
{
	if (!store)
		return;
	hd_queue_stop(store);
	store->ops->close(store);
}

int hd_store_table(struct hd_store *store, const char *name, unsigned *tablep)
{
	char *copy;
	int err;

	if (!store || !name || name[0] == '\0' || name[0] == '_' || !tablep)
		return HD_EINVAL;
	if (store->queue.started)
		return HD_ESTATE;
	for (unsigned i = 0; i < store->tables; i++) {
		if (strcmp(store->table_names[i], name) == 0) {
			*tablep = i;
			return 0;
		}
	}
	if (store->tables == HD_STORE_TABLES_MAX)
		return HD_ELIMIT;
	copy = strdup(name);
	if (!copy)
		return HD_ENOMEM;
	err = store->ops->table(store, name, store->tables);
	if (err) {
		free(copy);
		return err;
	}
	store->table_names[store->tables] = copy;
	*tablep = store->tables++;
	hd_store_publish(store);
	return 0;
}

int hd_store_begin_read(struct hd_store *store, struct hd_txn **txnp)
{
	if (!store || !txnp)
		return HD_EINVAL;
	return store->ops->begin_read(store, txnp);
}

void hd_store_end_read(struct hd_txn *txn)
{
	if (txn)
		txn->store->ops->end_read(txn);
}

int hd_store_backup(struct hd_store *store, const char *path)
{
	if (!store || !path)
		return HD_EINVAL;
	return store->ops->backup(store, path);
}

void hd_store_check_readers(struct hd_store *store)
{
	if (store)
		store->ops->check_readers(store);
}

void hd_store_get_stats(struct hd_store *store, struct hd_store_stats *stats)
{
	struct hd_queue *q = &store->queue;

	stats->epoch = atomic_load(&store->epoch);
	stats->commits = atomic_load(&store->commits);
	stats->commands = atomic_load(&store->commands);
	stats->failed = atomic_load(&store->failed);
	stats->batch_max_seen = atomic_load(&store->batch_max_seen);
	stats->map_bytes = atomic_load(&store->map_bytes);
	stats->used_bytes = atomic_load(&store->used_bytes);
	stats->full = atomic_load(&store->full);
	pthread_mutex_lock(&q->lock);
	stats->queued = q->durable + q->soft;
	pthread_mutex_unlock(&q->lock);
}
