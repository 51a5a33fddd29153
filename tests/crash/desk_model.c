/* desk_model.c - see desk_model.h. */
#include "desk_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/record.h"

enum { VERSION = 1, KEY_BYTES = 8 };

int desk_tables_open(struct desk_tables *tables, struct hd_store *store)
{
	int err = hd_store_table(store, "users", &tables->users);

	if (!err)
		err = hd_store_table(store, "phones", &tables->phones);
	if (!err)
		err = hd_store_table(store, "log", &tables->log);
	return err;
}

void desk_move_init(struct desk_move *move, const struct desk_tables *tables, uint32_t id)
{
	uint32_t mixed = id * 2654435761U;

	*move = (struct desk_move){ .tables = tables };
	move->ack.id = id;
	move->ack.user = (mixed >> 8) % DESK_USERS;
	move->ack.phone = (mixed >> 20) % DESK_PHONES;
	move->command.run = desk_move_run;
	move->command.arg = move;
}

static struct hd_slice key_of(uint8_t bytes[KEY_BYTES], uint64_t number)
{
	hd_key_put_u64(bytes, number);
	return (struct hd_slice){ (const char *)bytes, KEY_BYTES };
}

/* A user's or phone's record: the other side and the move that made it. */
static int tie_put(struct hd_txn *txn, unsigned table, uint32_t who, uint32_t other, uint32_t n)
{
	uint8_t key[KEY_BYTES], bytes[200] = { 0 };
	struct hd_encoder e;
	struct hd_slice value;
	int err;

	hd_encoder_init(&e, bytes, sizeof(bytes), VERSION);
	hd_encode_u32(&e, other);
	hd_encode_u32(&e, n);
	err = hd_encoder_finish(&e, &value);
	value.len = 120 + who % 80; /* as long as real records, of many lengths */
	return err ? err : hd_txn_put(txn, table, key_of(key, who), value);
}

static int tie_parse(struct hd_slice value, uint32_t *otherp, uint32_t *np)
{
	struct hd_decoder d;

	hd_decoder_init(&d, value, VERSION);
	*otherp = hd_decode_u32(&d);
	*np = hd_decode_u32(&d);
	return d.err;
}

static int tie_get(struct hd_txn *txn, unsigned table, uint32_t who, uint32_t *otherp)
{
	uint8_t key[KEY_BYTES];
	struct hd_slice value;
	uint32_t n;
	int err = hd_txn_get(txn, table, key_of(key, who), &value);

	return err ? err : tie_parse(value, otherp, &n);
}

/* Lets go of whoever is tied to this one. */
static int untie(struct hd_txn *txn, unsigned table, unsigned other_table, uint32_t who)
{
	uint8_t key[KEY_BYTES];
	uint32_t other;
	int err = tie_get(txn, table, who, &other);

	if (err == HD_ENOENT)
		return 0;
	if (!err)
		err = hd_txn_del(txn, table, key_of(key, who));
	if (!err)
		err = hd_txn_del(txn, other_table, key_of(key, other));
	return err;
}

static int log_put(struct hd_txn *txn, unsigned table, const struct desk_ack *ack)
{
	uint8_t key[KEY_BYTES], bytes[64];
	struct hd_encoder e;
	struct hd_slice value;
	int err;

	hd_encoder_init(&e, bytes, sizeof(bytes), VERSION);
	hd_encode_u32(&e, ack->id);
	hd_encode_u32(&e, ack->user);
	hd_encode_u32(&e, ack->phone);
	hd_encode_u64(&e, ack->epoch);
	err = hd_encoder_finish(&e, &value);
	return err ? err : hd_txn_put(txn, table, key_of(key, ack->n), value);
}

static int log_parse(struct hd_slice key, struct hd_slice value, struct desk_ack *ack)
{
	struct hd_decoder d;

	if (key.len != KEY_BYTES)
		return HD_ECORRUPT;
	ack->n = (uint32_t)hd_key_get_u64((const uint8_t *)key.ptr);
	hd_decoder_init(&d, value, VERSION);
	ack->id = hd_decode_u32(&d);
	ack->user = hd_decode_u32(&d);
	ack->phone = hd_decode_u32(&d);
	ack->epoch = hd_decode_u64(&d);
	if (ack->user >= DESK_USERS || ack->phone >= DESK_PHONES)
		return HD_ECORRUPT;
	return hd_decoder_finish(&d);
}

int desk_move_run(struct hd_txn *txn, void *arg)
{
	struct desk_move *move = arg;
	const struct desk_tables *t = move->tables;
	struct desk_ack *ack = &move->ack;
	uint64_t count;
	int err;

	err = hd_txn_count(txn, t->log, &count);
	if (err)
		return err;
	ack->n = (uint32_t)count + 1;
	ack->epoch = hd_txn_epoch(txn);
	err = untie(txn, t->users, t->phones, ack->user);
	if (!err)
		err = untie(txn, t->phones, t->users, ack->phone);
	if (!err)
		err = tie_put(txn, t->users, ack->user, ack->phone, ack->n);
	if (!err)
		err = tie_put(txn, t->phones, ack->phone, ack->user, ack->n);
	if (!err)
		err = log_put(txn, t->log, ack);
	return !err && move->fail ? HD_ESTATE : err;
}

/* ---- checking ---------------------------------------------------------------------- */

/* Who sits where, by the log or by the tables; 0 is nobody, else the number plus 1. */
struct seats {
	uint32_t phone_of[DESK_USERS], user_of[DESK_PHONES];
	uint32_t user_n[DESK_USERS], phone_n[DESK_PHONES];
};

static void seat(struct seats *s, const struct desk_ack *move)
{
	uint32_t old_phone = s->phone_of[move->user];
	uint32_t old_user = s->user_of[move->phone];

	if (old_phone)
		s->user_of[old_phone - 1] = s->phone_n[old_phone - 1] = 0;
	if (old_user)
		s->phone_of[old_user - 1] = s->user_n[old_user - 1] = 0;
	s->phone_of[move->user] = move->phone + 1;
	s->user_of[move->phone] = move->user + 1;
	s->user_n[move->user] = s->phone_n[move->phone] = move->n;
}

static bool read_log(struct desk_state *state, struct hd_txn *txn, unsigned table,
		     struct seats *seats, char why[DESK_WHY_BYTES])
{
	struct hd_slice key = { NULL, 0 };
	struct hd_slice value;
	uint64_t count, last = 0;
	int err = hd_txn_count(txn, table, &count);

	if (!err)
		state->log = calloc(count + 1, sizeof(*state->log));
	if (err || !state->log) {
		snprintf(why, DESK_WHY_BYTES, "log: cannot be read");
		return false;
	}
	while ((err = hd_txn_next(txn, table, key, &key, &value)) == 0 && state->n < count) {
		struct desk_ack *move = &state->log[state->n];

		err = log_parse(key, value, move);
		if (err || move->n != state->n + 1 || move->epoch < last ||
		    move->epoch > state->epoch) {
			snprintf(why, DESK_WHY_BYTES,
				 "log %u: number %u, epoch %llu after %llu, store %llu, error %d",
				 state->n + 1, move->n, (unsigned long long)move->epoch,
				 (unsigned long long)last, (unsigned long long)state->epoch, err);
			return false;
		}
		last = move->epoch;
		seat(seats, move);
		state->n++;
	}
	if (err == HD_ENOENT && state->n == count)
		return true;
	snprintf(why, DESK_WHY_BYTES, "log: %u of %llu records, error %d", state->n,
		 (unsigned long long)count, err);
	return false;
}

static bool read_ties(struct hd_txn *txn, unsigned table, uint32_t *others, uint32_t *ns,
		      uint32_t max)
{
	struct hd_slice key = { NULL, 0 };
	struct hd_slice value;
	uint32_t other, n;
	int err;

	while ((err = hd_txn_next(txn, table, key, &key, &value)) == 0) {
		uint64_t who;

		if (key.len != KEY_BYTES || tie_parse(value, &other, &n) != 0)
			return false;
		who = hd_key_get_u64((const uint8_t *)key.ptr);
		if (who >= max)
			return false;
		others[who] = other + 1;
		ns[who] = n;
	}
	return err == HD_ENOENT;
}

bool desk_state_read(struct desk_state *state, struct hd_store *store,
		     const struct desk_tables *tables, char why[DESK_WHY_BYTES])
{
	struct seats by_log = { 0 };
	struct seats by_table = { 0 };
	struct hd_txn *txn;
	bool good = false;
	int err;

	*state = (struct desk_state){ 0 };
	err = hd_store_begin_read(store, &txn);
	if (err) {
		snprintf(why, DESK_WHY_BYTES, "read: %s", hd_strerror(err));
		return false;
	}
	state->epoch = hd_txn_epoch(txn);
	if (!read_log(state, txn, tables->log, &by_log, why))
		goto out;
	if (!read_ties(txn, tables->users, by_table.phone_of, by_table.user_n, DESK_USERS) ||
	    !read_ties(txn, tables->phones, by_table.user_of, by_table.phone_n, DESK_PHONES)) {
		snprintf(why, DESK_WHY_BYTES, "users or phones: cannot be read");
		goto out;
	}
	good = memcmp(&by_log, &by_table, sizeof(by_log)) == 0;
	if (!good)
		snprintf(why, DESK_WHY_BYTES, "the tables are not what the %u moves give",
			 state->n);
out:
	hd_store_end_read(txn);
	return good;
}

void desk_state_fini(struct desk_state *state)
{
	free(state->log);
	*state = (struct desk_state){ 0 };
}

bool desk_state_has(const struct desk_state *state, const struct desk_ack *ack,
		    char why[DESK_WHY_BYTES])
{
	const struct desk_ack *logged;

	if (ack->err) {
		for (uint32_t i = 0; i < state->n; i++) {
			if (state->log[i].id != ack->id)
				continue;
			snprintf(why, DESK_WHY_BYTES, "move %u was refused (%d) and is there",
				 ack->id, ack->err);
			return false;
		}
		return true;
	}
	logged = ack->n > 0 && ack->n <= state->n ? &state->log[ack->n - 1] : NULL;
	if (logged && logged->id == ack->id && logged->epoch == ack->epoch)
		return true;
	snprintf(why, DESK_WHY_BYTES,
		 "move %u was acknowledged as number %u and is lost (%u are there)", ack->id,
		 ack->n, state->n);
	return false;
}
