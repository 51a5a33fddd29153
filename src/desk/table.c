/* table.c - the decisions of the desk, as one table; see hd_desk_decide(). */
#include "desk_priv.h"

enum {
	/* sets of events, kinds and occupants */
	LOGIN = 1 << HD_DESK_EVENT_LOGIN,
	LOGOUT = 1 << HD_DESK_EVENT_LOGOUT,
	TOGGLE = 1 << HD_DESK_EVENT_TOGGLE,
	FREE = 1 << HD_DESK_FREE,
	OWN = 1 << HD_DESK_OWN,
	FOREIGN = 1 << HD_DESK_FOREIGN,
	ANY_KIND = FREE | OWN | FOREIGN,
	NOBODY = 1 << HD_DESK_NOBODY,
	SELF = 1 << HD_DESK_SELF,
	OTHER = 1 << HD_DESK_OTHER,
	ANYBODY = NOBODY | SELF | OTHER,
};

enum condition { ALWAYS, NO_RIGHT, KEPT, ELSEWHERE };

#define RESULT(r) HD_DESK_RESULT_##r
#define DO(d) HD_DESK_DO_##d

/*
 * The first row that fits decides. "Self" is the user concerned: the one who was typed, else the
 * one who sits there; so a toggle with the number of another user is a login, and with one's own
 * or none at an occupied phone a logout.
 */
static const struct {
	unsigned events, kinds, occupants;
	enum condition condition;
	struct hd_desk_step step;
} rules[] = {
	/* Whoever sits somewhere may leave; a logout that names somebody else ends nobody. */
	{ LOGOUT | TOGGLE, ANY_KIND, SELF, ALWAYS, { RESULT(LOGGED_OUT), DO(END_HERE) } },
	{ LOGOUT, ANY_KIND, NOBODY | OTHER, ALWAYS, { RESULT(UNCHANGED), 0 } },
	/* Somebody else's phone is closed, for administrators too. */
	{ LOGIN | TOGGLE, FOREIGN, ANYBODY, ALWAYS, { RESULT(CLOSED), 0 } },
	{ LOGIN, FREE | OWN, SELF, ALWAYS, { RESULT(UNCHANGED), 0 } },
	{ LOGIN | TOGGLE, FREE, NOBODY | OTHER, NO_RIGHT, { RESULT(NO_PERMISSION), 0 } },
	{ LOGIN | TOGGLE, FREE | OWN, OTHER, KEPT, { RESULT(OCCUPIED), 0 } },
	{ LOGIN | TOGGLE,
	  FREE | OWN,
	  OTHER,
	  ELSEWHERE,
	  { RESULT(MOVED), DO(END_OTHER) | DO(END_ELSEWHERE) | DO(BEGIN) } },
	{ LOGIN | TOGGLE,
	  FREE | OWN,
	  OTHER,
	  ALWAYS,
	  { RESULT(LOGGED_IN), DO(END_OTHER) | DO(BEGIN) } },
	{ LOGIN | TOGGLE,
	  FREE | OWN,
	  NOBODY,
	  ELSEWHERE,
	  { RESULT(MOVED), DO(END_ELSEWHERE) | DO(BEGIN) } },
	{ LOGIN | TOGGLE, FREE | OWN, NOBODY, ALWAYS, { RESULT(LOGGED_IN), DO(BEGIN) } },
};

static bool holds(enum condition condition, const struct hd_desk_situation *s)
{
	switch (condition) {
	case NO_RIGHT:
		return !s->roaming && !s->by_admin;
	case KEPT:
		return s->refuse_occupied;
	case ELSEWHERE:
		return s->elsewhere;
	case ALWAYS:
		break;
	}
	return true;
}

void hd_desk_decide(const struct hd_desk_situation *s, struct hd_desk_step *step)
{
	if (!s || !step)
		return;

	/* Every situation fits a row, as the test shows; a value that is none does nothing. */
	*step = (struct hd_desk_step){ .result = HD_DESK_RESULT_CLOSED };
	if (s->event >= HD_DESK_EVENT_COUNT || s->kind >= HD_DESK_KIND_COUNT ||
	    s->occupant >= HD_DESK_OCCUPANT_COUNT)
		return;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if ((rules[i].events & 1u << s->event) == 0 ||
		    (rules[i].kinds & 1u << s->kind) == 0 ||
		    (rules[i].occupants & 1u << s->occupant) == 0 || !holds(rules[i].condition, s))
			continue;
		*step = rules[i].step;
		return;
	}
	/* Every situation fits a row, as the test shows; a value that is none does nothing. */
	*step = (struct hd_desk_step){ .result = HD_DESK_RESULT_CLOSED };
}

bool hd_toggle_is_logout(enum hd_desk_occupant occupant)
{
	const struct hd_desk_situation s = { .event = HD_DESK_EVENT_TOGGLE, .occupant = occupant };
	struct hd_desk_step step;

	hd_desk_decide(&s, &step);
	return step.result == HD_DESK_RESULT_LOGGED_OUT;
}
