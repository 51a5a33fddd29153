/*
 * calllist.c - call lists of many: writes entries into a store as the daemon would, straight and
 * without its durability, so that scripts/bench calls has something to read.
 *
 *	bench_calllist PATH ENTRIES PER_OWNER OWNER
 *
 * OWNER's calls are among them, missed, received and dialled in turn; the others are numbers from
 * 1000000 on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/calls.h"
#include "hotdesk/store.h"

enum { BATCH = 10000 };

struct job {
	struct hd_calls_batch batch;
	struct hd_calls_record records[BATCH];
};

static void record_make(struct hd_calls_record *r, uint64_t i, uint64_t per_owner,
			const char *owner)
{
	uint64_t person = i / per_owner;
	char id[32];

	memset(r, 0, sizeof(*r));
	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)i);
	hd_calls_hash(r->hash, id, "bench");
	/* One entry a call: the other side is nobody's here. */
	if (person == 0)
		(void)snprintf(r->callee.owner, sizeof(r->callee.owner), "%s", owner);
	else
		(void)snprintf(r->callee.owner, sizeof(r->callee.owner), "%llu",
			       1000000 + (unsigned long long)person);
	(void)snprintf(r->callee.phone, sizeof(r->callee.phone), "desk-000");
	(void)snprintf(r->callee.number, sizeof(r->callee.number), "%s", r->callee.owner);
	(void)snprintf(r->caller.number, sizeof(r->caller.number), "5%03u", (unsigned)(i % 100));
	(void)snprintf(r->caller.name, sizeof(r->caller.name), "Caller %u", (unsigned)(i % 100));
	r->started_ms = 1900000000000 - (int64_t)(i % per_owner) * 60000;
	r->ringing_ms = r->started_ms + 500;
	r->answered_ms = i % 2 ? r->started_ms + 3000 : 0;
	r->ended_ms = r->started_ms + 63000;
	r->status = i % 2 ? 200 : 487;
	r->final = true;
}

int main(int argc, char **argv)
{
	struct hd_store_options options = { 0 };
	struct hd_store *store;
	struct hd_calls *calls;
	struct job *job = calloc(1, sizeof(*job));
	unsigned long long n, per;
	int err;

	if (argc != 5 || !job) {
		(void)fputs("usage: bench_calllist PATH ENTRIES PER_OWNER OWNER\n", stderr);
		return 2;
	}
	options.path = argv[1];
	n = strtoull(argv[2], NULL, 10);
	per = strtoull(argv[3], NULL, 10);
	err = hd_store_open_lmdb(&store, &options);
	if (!err)
		err = hd_calls_new(&calls, store);
	for (unsigned long long i = 0; !err && i < n;) {
		job->batch = (struct hd_calls_batch){ .calls = calls, .records = job->records };
		while (i < n && job->batch.n < BATCH)
			record_make(&job->records[job->batch.n++], i++, per ? per : 1, argv[4]);
		err = hd_store_execute(store, hd_calls_write, &job->batch);
	}
	if (err) {
		(void)fprintf(stderr, "bench_calllist: %s\n", hd_strerror(err));
		return 1;
	}
	hd_calls_free(calls);
	hd_store_close(store);
	free(job);
	return 0;
}
