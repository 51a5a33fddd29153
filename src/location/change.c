/* change.c - what one REGISTER does to the bindings; see hd_location_change(). */
#include <string.h>

#include "location_priv.h"

/* The work on one change: its result is the list. */
struct work {
	struct hd_location_change *change;
	struct hd_binding_list list;
	bool fresh[HD_BINDINGS_MAX]; /* written by this change, so not to be ordered against */
	uint32_t max;
	int64_t old_ms; /* what the index says now */
	bool write;
};

static bool is_out_of_order(const struct hd_binding *stored, const char *call_id, uint32_t cseq)
{
	return strcmp(stored->call_id, call_id) == 0 && cseq <= stored->cseq;
}

static const char *call_id_of(const struct work *w, const struct hd_binding *contact)
{
	return contact->call_id[0] ? contact->call_id : w->change->call_id;
}

static uint32_t cseq_of(const struct work *w, const struct hd_binding *contact)
{
	return contact->call_id[0] ? contact->cseq : w->change->cseq;
}

static void drop(struct work *w, size_t i)
{
	hd_binding_list_remove(&w->list, i);
	memmove(&w->fresh[i], &w->fresh[i + 1], (HD_BINDINGS_MAX - 1 - i) * sizeof(w->fresh[0]));
	w->fresh[HD_BINDINGS_MAX - 1] = false;
	w->change->changed = true;
}

/* One contact only: those that other requests left go, unless this one is older than they are. */
static int replace(struct work *w, const char *call_id, uint32_t cseq)
{
	for (size_t i = w->list.n; i > 0; i--) {
		if (w->fresh[i - 1])
			continue;
		if (is_out_of_order(&w->list.items[i - 1], call_id, cseq))
			return HD_ESTALE;
		drop(w, i - 1);
	}
	return 0;
}

static void store_contact(struct work *w, size_t i, const struct hd_binding *contact)
{
	struct hd_binding *b = &w->list.items[i];
	int64_t since_ms = w->change->now_ms;
	bool refresh = i < w->list.n && hd_binding_is_refresh(b, contact);

	if (refresh)
		since_ms = b->registered_at_ms;
	else
		w->change->changed = true;
	if (i == w->list.n)
		w->list.n++;

	*b = *contact;
	b->registered_at_ms = since_ms;
	if (!contact->call_id[0]) {
		memcpy(b->call_id, w->change->call_id, sizeof(b->call_id));
		b->cseq = w->change->cseq;
	}
	w->fresh[i] = true;
}

/* A phone that moved leaves no old contact to ring: its instance is the same (RFC 5626 4.1). */
static bool has_moved(const struct work *w, size_t i, const struct hd_binding *contact)
{
	const struct hd_binding *b = &w->list.items[i];

	return !w->fresh[i] && contact->instance_id[0] && !contact->reg_id && !b->reg_id &&
	       strcmp(b->instance_id, contact->instance_id) == 0;
}

/* The stored binding that a contact is about, or n. */
static size_t find(const struct work *w, const struct hd_binding *contact)
{
	size_t i = 0;

	while (i < w->list.n && !hd_binding_matches(&w->list.items[i], contact))
		i++;
	if (i < w->list.n)
		return i;
	for (i = 0; i < w->list.n && !has_moved(w, i, contact); i++)
		;
	return i;
}

static int apply_contact(struct work *w, const struct hd_binding *contact)
{
	const char *call_id = call_id_of(w, contact);
	uint32_t cseq = cseq_of(w, contact);
	size_t i;
	int err;

	if (!contact->contact_uri[0])
		return HD_EINVAL;

	i = find(w, contact);
	if (i < w->list.n && !w->fresh[i] && is_out_of_order(&w->list.items[i], call_id, cseq))
		return HD_ESTALE;

	if (contact->expires_at_ms <= w->change->now_ms) {
		if (i < w->list.n) {
			drop(w, i);
			w->write = true;
		}
		return 0;
	}

	if (i == w->list.n && w->max == 1) {
		err = replace(w, call_id, cseq);
		if (err)
			return err;
		i = w->list.n;
	}
	if (i >= w->max && i == w->list.n)
		return HD_ELIMIT;
	store_contact(w, i, contact);
	w->write = true;
	return 0;
}

/* RFC 3261 10.3 step 6: all, or none when one of them is as new as this request. */
static int apply_star(struct work *w)
{
	const struct hd_location_change *change = w->change;

	for (size_t i = 0; i < w->list.n; i++)
		if (is_out_of_order(&w->list.items[i], change->call_id, change->cseq))
			return HD_ESTALE;

	while (w->list.n > 0) {
		drop(w, w->list.n - 1);
		w->write = true;
	}
	return 0;
}

static bool is_live(const struct work *w, const struct hd_binding *contact)
{
	return contact->expires_at_ms > w->change->now_ms;
}

/* What goes makes room for what comes, in whatever order they are named. */
static int make_room(struct work *w)
{
	const struct hd_location_change *change = w->change;
	int err = 0;

	for (size_t i = 0; i < change->n_contacts && !err; i++)
		if (!is_live(w, &change->contacts[i]))
			err = apply_contact(w, &change->contacts[i]);
	return err;
}

/* Of one URI the last word counts; an instance that leaves an old one stays at the new one. */
static void take_back(struct work *w, const struct hd_binding *contact)
{
	for (size_t i = w->list.n; i > 0; i--)
		if (w->fresh[i - 1] && hd_binding_has_uri_of(&w->list.items[i - 1], contact))
			drop(w, i - 1);
}

static int apply_contacts(struct work *w)
{
	struct hd_location_change *change = w->change;
	bool live = false;
	int err;

	err = make_room(w);
	for (size_t i = 0; i < change->n_contacts && !err; i++) {
		const struct hd_binding *contact = &change->contacts[i];

		if (is_live(w, contact)) {
			err = apply_contact(w, contact);
			live = true;
		} else {
			take_back(w, contact);
		}
	}
	if (err)
		return err;

	/* What a larger max_contacts of former times has left goes with the next registration. */
	for (size_t i = w->list.n; w->max == 1 && live && i > 0; i--)
		if (!w->fresh[i - 1])
			drop(w, i - 1);
	return 0;
}

static int compute(struct hd_txn *txn, struct work *w)
{
	struct hd_location_change *change = w->change;
	int err;

	change->n_result = 0;
	change->changed = false;
	w->max = change->max_contacts;
	if (w->max == 0)
		w->max = 1;
	else if (w->max > HD_BINDINGS_MAX)
		w->max = HD_BINDINGS_MAX;
	w->list = (struct hd_binding_list){ .items = change->result,
					    .room = HD_BINDINGS_MAX,
					    .now_ms = change->now_ms };

	err = hd_location_load(change->loc, txn, hd_slice_of(change->aor), &w->list);
	if (err == HD_ECORRUPT) {
		/* Lost until the phone registers again, which is what it is doing. */
		w->list.n = 0;
		w->list.earliest_ms = 0;
		err = 0;
	}
	if (err && err != HD_ENOENT)
		return err;
	w->old_ms = w->list.earliest_ms;

	err = change->remove_all ? apply_star(w) : apply_contacts(w);
	if (err)
		return err;
	hd_binding_list_sort(&w->list);
	change->n_result = w->list.n;
	return 0;
}

static bool change_is_valid(const struct hd_location_change *change)
{
	return change && change->loc && change->n_contacts <= HD_LOCATION_CHANGES_MAX &&
	       (!change->remove_all || change->n_contacts == 0) &&
	       hd_phone_id_is_valid(hd_slice_of(change->aor));
}

int hd_location_change(struct hd_txn *txn, void *change)
{
	struct work w = { .change = change };
	int err;

	if (!txn || !change_is_valid(change))
		return HD_EINVAL;

	err = compute(txn, &w);
	if (err || !w.write)
		return err;
	return hd_location_save(w.change->loc, txn, hd_slice_of(w.change->aor), &w.list, w.old_ms);
}

int hd_location_preview(struct hd_txn *txn, struct hd_location_change *change)
{
	struct work w = { .change = change };

	if (!txn || !change_is_valid(change))
		return HD_EINVAL;
	return compute(txn, &w);
}
