/*
 * load.c - the load of the crash tests: several threads move users between phones on one store.
 *
 *   crash_load STORE MOVES
 *
 * Runs under recorder.so, which notes every acknowledgement at its place among the writes and
 * flushes. The threads keep different numbers of moves in flight, so that batches of all sizes are
 * committed.
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk_model.h"
#include "recorder.h"

enum { SUBMITTERS = 4, IN_FLIGHT = 12, FAIL_EVERY = 41, DEADLINE_MS = 60000 };

struct submitter {
	pthread_t thread;
	struct hd_store *store;
	const struct desk_tables *tables;
	struct hd_mailbox *mailbox;
	uint32_t first, last; /* ids */
	uint32_t in_flight;   /* at most */
	uint32_t pending;
	bool failed;
};

/* One place in flight. */
struct slot {
	struct desk_move move;
	struct submitter *submitter;
	bool busy;
};

static recorder_ack_fn *record_ack;

static void moved(struct hd_command *command)
{
	struct slot *slot = (struct slot *)(void *)command;
	struct submitter *s = slot->submitter;

	slot->move.ack.err = command->err;
	if (record_ack)
		record_ack(&slot->move.ack, sizeof(slot->move.ack));
	s->failed = s->failed || (command->err != 0) != slot->move.fail;
	slot->busy = false;
	s->pending--;
}

static bool drain(struct submitter *s)
{
	struct pollfd fd = { .fd = hd_mailbox_fd(s->mailbox), .events = POLLIN };

	if (poll(&fd, 1, DEADLINE_MS) <= 0)
		return false;
	(void)hd_mailbox_drain(s->mailbox);
	return true;
}

static bool submit(struct submitter *s, struct slot *slot, uint32_t id)
{
	desk_move_init(&slot->move, s->tables, id);
	slot->move.fail = id % FAIL_EVERY == 0;
	slot->move.command.reply_to = s->mailbox;
	slot->move.command.done = moved;
	slot->submitter = s;
	slot->busy = true;
	s->pending++;
	return hd_store_submit(s->store, &slot->move.command) == 0;
}

static void *run(void *arg)
{
	struct submitter *s = arg;
	struct slot slots[IN_FLIGHT] = { 0 };
	uint32_t id = s->first;

	while (id < s->last && !s->failed) {
		for (uint32_t i = 0; i < s->in_flight && id < s->last; i++) {
			if (!slots[i].busy && !submit(s, &slots[i], id++))
				abort(); /* the slots would go while the store has them */
		}
		if (!drain(s))
			abort();
	}
	while (s->pending > 0) {
		if (!drain(s))
			abort();
	}
	return NULL;
}

static int run_all(struct hd_store *store, const struct desk_tables *tables, uint32_t moves)
{
	static const uint32_t in_flight[SUBMITTERS] = { 1, 1, 4, IN_FLIGHT };
	struct submitter submitters[SUBMITTERS] = { 0 };
	int failed = 0;

	for (uint32_t i = 0; i < SUBMITTERS; i++) {
		struct submitter *s = &submitters[i];

		*s = (struct submitter){ .store = store,
					 .tables = tables,
					 .first = moves / SUBMITTERS * i + 1,
					 .last = moves / SUBMITTERS * (i + 1) + 1,
					 .in_flight = in_flight[i] };
		if (hd_mailbox_new(&s->mailbox) != 0 ||
		    pthread_create(&s->thread, NULL, run, s) != 0)
			abort();
	}
	for (size_t i = 0; i < SUBMITTERS; i++) {
		pthread_join(submitters[i].thread, NULL);
		hd_mailbox_free(submitters[i].mailbox);
		failed += submitters[i].failed;
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct hd_store_options options = { .map_bytes = 65536, .batch_wait_us = 100 };
	struct desk_tables tables;
	struct hd_store *store;
	int failed = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: crash_load STORE MOVES\n");
		return 2;
	}
	options.path = argv[1];
	*(void **)&record_ack = dlsym(RTLD_DEFAULT, "hd_recorder_ack"); /* as POSIX says */
	if (hd_store_open_lmdb(&store, &options) != 0)
		return 1;
	if (desk_tables_open(&tables, store) == 0 && hd_store_start(store) == 0)
		failed = run_all(store, &tables, (uint32_t)strtoul(argv[2], NULL, 10));
	hd_store_close(store);
	return failed ? 1 : 0;
}
