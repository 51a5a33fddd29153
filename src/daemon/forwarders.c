/* forwarders.c - see forwarders.h. */
#include <stdlib.h>
#include <string.h>

#include "forwarders.h"

bool forwarders_have(const struct forwarders *f, const char *user)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].user, user) == 0)
			return true;
	return false;
}

void forwarders_set(struct forwarders *f, const struct hd_call *call,
		    const struct hd_plan_forward *forwards, size_t n)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < n; i++)
		if (strcmp(forwards[i].user, call->caller.user) != 0 &&
		    !forwarders_have(f, forwards[i].user))
			f->list[f->n++] = forwards[i];
}

static void set_number(char number[HD_CALLS_NUMBER_SIZE], const char *text)
{
	if (hd_str_set(number, HD_CALLS_NUMBER_SIZE, text))
		number[0] = '\0';
}

void forwarders_record(const struct forwarders *f, size_t i, const struct hd_call *call,
		       struct hd_calls_record *r)
{
	const struct hd_plan_forward *forward = &f->list[i];

	hd_calls_hash(r->hash, call->call_id, forward->user);
	r->caller.owner[0] = '\0'; /* has an entry, that of the call */
	if (i > 0) {		   /* the first one was dialled */
		set_number(r->callee.number, forward->user);
		r->callee.name[0] = '\0';
	}
	set_number(r->callee.owner, forward->user);
	r->callee.phone[0] = '\0';
	set_number(r->forwarded_by, i > 0 ? f->list[i - 1].user : "");
	set_number(r->forwarded_to, forward->to);
	/* Somebody else has spoken to the caller. */
	r->elsewhere |= r->answered_ms && !forward->voicemail;
	r->ringing_ms = r->answered_ms = 0;
	hd_calls_blank_parts(r, f->blank[i]);
}

void forwarders_blank(struct forwarders *f, const struct hd_call *call,
		      const struct hd_calls_record *record, const char *number)
{
	struct hd_calls_record r;

	for (size_t i = 0; f && i < f->n; i++) {
		r = *record;
		forwarders_record(f, i, call, &r);
		f->blank[i] |= hd_calls_parts(&r, number);
		if (hd_calls_parts(record, number) & HD_CALLS_CALLER)
			f->blank[i] |= HD_CALLS_CALLER;
	}
}

/* ---- from the plan to its call -------------------------------------------------------------- */

void forwarding_set(struct forwarding *f, struct hd_msg *invite, const struct hd_plan *plan)
{
	struct hd_call call = { 0 };

	f->n = plan->n_forwards;
	if (f->n == 0)
		return;
	hd_call_describe(&call, invite);
	hd_calls_hash(f->hash, call.call_id, call.from_tag);
	memcpy(f->list, plan->forwards, f->n * sizeof(f->list[0]));
}

struct forwarders *forwarding_take(struct forwarding *f, const struct hd_call *call)
{
	struct forwarders *forwarders = NULL;
	uint8_t hash[HD_CALLS_HASH_BYTES];

	if (f->n == 0)
		return NULL;
	hd_calls_hash(hash, call->call_id, call->from_tag);
	if (memcmp(hash, f->hash, sizeof(hash)) == 0)
		forwarders = malloc(sizeof(*forwarders));
	if (forwarders) {
		forwarders_set(forwarders, call, f->list, f->n);
		f->n = 0;
	}
	return forwarders;
}
