/*
 * desk_model.h - a small hot desk on the store, for crash tests: user -> phone and phone -> user
 * in two tables that change together, with a log of what was done, so that any state can be
 * checked whole.
 *
 * A move gives a user a phone; whoever sat there, and where the user sat before, are let go. In
 * the same command it appends itself to the log, with the number and epoch that its
 * acknowledgement tells. A state is right when the log has no gap, its epochs never go back, and
 * replaying it gives exactly the two tables.
 */
#ifndef HOTDESK_TESTS_DESK_MODEL_H
#define HOTDESK_TESTS_DESK_MODEL_H

#include "hotdesk/store.h"

enum { DESK_USERS = 64, DESK_PHONES = 48, DESK_WHY_BYTES = 160 };

struct desk_tables {
	unsigned users, phones, log;
};

/** What an acknowledgement tells: also the form in which it is kept. */
struct desk_ack {
	uint32_t id; /* the submitter's */
	uint32_t user, phone;
	uint32_t n; /* place in the log, from 1; 0 when it failed */
	uint64_t epoch;
	int32_t err;
};

struct desk_move {
	struct hd_command command;
	const struct desk_tables *tables;
	struct desk_ack ack;
	bool fail; /* after everything has been written */
};

/** @return 0 or the store's error */
HD_MUSTCHECK int desk_tables_open(struct desk_tables *tables, struct hd_store *store);
/** An hd_command_fn; arg is the move. */
int desk_move_run(struct hd_txn *txn, void *arg);
/** Fills in id, user and phone from the id alone. */
void desk_move_init(struct desk_move *move, const struct desk_tables *tables, uint32_t id);

/** Everything that is in a store, checked. */
struct desk_state {
	uint32_t n;
	struct desk_ack *log; /* n of them, as logged */
	uint64_t epoch;
};
/**
 * @return true when the state is right; else why tells. Release with desk_state_fini() either
 *         way.
 */
bool desk_state_read(struct desk_state *state, struct hd_store *store,
		     const struct desk_tables *tables, char why[DESK_WHY_BYTES]);
void desk_state_fini(struct desk_state *state);
/** @return true when the state has what was acknowledged, or lacks what was refused */
bool desk_state_has(const struct desk_state *state, const struct desk_ack *ack,
		    char why[DESK_WHY_BYTES]);

#endif
