/* record.c - from a call of the proxy to its record for the call lists; see recorder.h. */
#include <string.h>

#include "recorder.h"

static void set_text(char *dst, size_t size, const char *src)
{
	if (hd_str_set(dst, size, src))
		dst[0] = '\0';
}

/* The user part, or what is dialled by tel:; a number that is longer than any is left out. */
static void number_of(char number[HD_CALLS_NUMBER_SIZE], const char *text)
{
	struct hd_uri uri;

	number[0] = '\0';
	if (strncmp(text, "tel:", 4) == 0) {
		text += 4;
		if (hd_str_copy(number, HD_CALLS_NUMBER_SIZE,
				(struct hd_slice){ text, strcspn(text, ";") }))
			number[0] = '\0';
		return;
	}
	if (hd_uri_parse(&uri, hd_slice_of(text)) || uri.scheme > HD_URI_SIPS)
		return;
	if (hd_uri_unescape(number, HD_CALLS_NUMBER_SIZE, uri.user) ||
	    !hd_utf8_is_text(hd_slice_of(number)))
		number[0] = '\0';
}

static void side_of(struct hd_calls_side *side, const struct hd_call_party *party)
{
	set_text(side->owner, sizeof(side->owner), party->user[0] ? party->user : party->phone);
	set_text(side->phone, sizeof(side->phone), party->phone);
	set_text(side->name, sizeof(side->name), party->name);
}

/* What begins as a feature code may hold a PIN, wherever it was sent. */
static void dialled_of(struct daemon *d, char number[HD_CALLS_NUMBER_SIZE],
		       const struct hd_call *call)
{
	char plain[HD_CALLS_NUMBER_SIZE];

	number_of(plain, call->dialled);
	hd_feature_mask(number, HD_CALLS_NUMBER_SIZE, &d->planner.codes, hd_slice_of(plain));
}

void daemon_record_of(struct daemon *d, struct hd_calls_record *r, const struct hd_call *call)
{
	memset(r, 0, sizeof(*r));
	hd_calls_hash(r->hash, call->call_id, call->from_tag);
	r->final = call->state == HD_CALL_TERMINATED;
	r->learned = call->learned;
	r->answered_ms = call->answered_ms;
	/* Nobody knows when one that was lost has ended. */
	r->ended_ms = call->end == HD_CALL_LOST ? 0 : call->ended_ms;
	r->cause = call->cause;
	if (call->learned)
		return;
	side_of(&r->caller, &call->caller);
	side_of(&r->callee, &call->callee);
	if (call->caller.user[0])
		set_text(r->caller.number, sizeof(r->caller.number), call->caller.user);
	else
		number_of(r->caller.number, call->caller.uri);
	dialled_of(d, r->callee.number, call);
	number_of(r->forwarded_by, call->diverted_by);
	r->started_ms = call->started_ms;
	r->ringing_ms = call->ringing_ms;
	r->status = call->status;
	r->withheld = call->withheld;
	r->elsewhere = call->elsewhere;
}
