/* test_table.c - every situation of the desk: 432 of them, each decided, none by accident. */
#include "fixture.h"

enum { FLAGS = 16 };

/* Index bits of a column: elsewhere 8, roaming 4, refuse_occupied 2, by_admin 1. */
static void set_flags(struct hd_desk_situation *s, unsigned flags)
{
	s->elsewhere = (flags & 8) != 0;
	s->roaming = (flags & 4) != 0;
	s->refuse_occupied = (flags & 2) != 0;
	s->by_admin = (flags & 1) != 0;
}

/* What the letters of the table below stand for. */
static const struct {
	char letter;
	struct hd_desk_step step;
} letters[] = {
	{ 'I', { HD_DESK_RESULT_LOGGED_IN, HD_DESK_DO_BEGIN } },
	{ 'i', { HD_DESK_RESULT_LOGGED_IN, HD_DESK_DO_END_OTHER | HD_DESK_DO_BEGIN } },
	{ 'M', { HD_DESK_RESULT_MOVED, HD_DESK_DO_END_ELSEWHERE | HD_DESK_DO_BEGIN } },
	{ 'm',
	  { HD_DESK_RESULT_MOVED,
	    HD_DESK_DO_END_OTHER | HD_DESK_DO_END_ELSEWHERE | HD_DESK_DO_BEGIN } },
	{ 'O', { HD_DESK_RESULT_LOGGED_OUT, HD_DESK_DO_END_HERE } },
	{ '=', { HD_DESK_RESULT_UNCHANGED, 0 } },
	{ 'C', { HD_DESK_RESULT_CLOSED, 0 } },
	{ 'N', { HD_DESK_RESULT_NO_PERMISSION, 0 } },
	{ 'X', { HD_DESK_RESULT_OCCUPIED, 0 } },
};

static const struct {
	enum hd_desk_event event;
	enum hd_desk_kind kind;
	enum hd_desk_occupant occupant;
	const char *want; /* at the user's former phone: nowhere (8 columns), elsewhere (8) */
} table[] = {
	{ HD_DESK_EVENT_LOGIN, HD_DESK_FREE, HD_DESK_NOBODY, "NINIIIIINMNMMMMM" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_FREE, HD_DESK_SELF, "================" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_FREE, HD_DESK_OTHER, "NiNXiiXXNmNXmmXX" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_OWN, HD_DESK_NOBODY, "IIIIIIIIMMMMMMMM" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_OWN, HD_DESK_SELF, "================" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_OWN, HD_DESK_OTHER, "iiXXiiXXmmXXmmXX" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_FOREIGN, HD_DESK_NOBODY, "CCCCCCCCCCCCCCCC" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_FOREIGN, HD_DESK_SELF, "CCCCCCCCCCCCCCCC" },
	{ HD_DESK_EVENT_LOGIN, HD_DESK_FOREIGN, HD_DESK_OTHER, "CCCCCCCCCCCCCCCC" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_FREE, HD_DESK_NOBODY, "================" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_FREE, HD_DESK_SELF, "OOOOOOOOOOOOOOOO" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_FREE, HD_DESK_OTHER, "================" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_OWN, HD_DESK_NOBODY, "================" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_OWN, HD_DESK_SELF, "OOOOOOOOOOOOOOOO" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_OWN, HD_DESK_OTHER, "================" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_FOREIGN, HD_DESK_NOBODY, "================" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_FOREIGN, HD_DESK_SELF, "OOOOOOOOOOOOOOOO" },
	{ HD_DESK_EVENT_LOGOUT, HD_DESK_FOREIGN, HD_DESK_OTHER, "================" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_FREE, HD_DESK_NOBODY, "NINIIIIINMNMMMMM" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_FREE, HD_DESK_SELF, "OOOOOOOOOOOOOOOO" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_FREE, HD_DESK_OTHER, "NiNXiiXXNmNXmmXX" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_OWN, HD_DESK_NOBODY, "IIIIIIIIMMMMMMMM" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_OWN, HD_DESK_SELF, "OOOOOOOOOOOOOOOO" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_OWN, HD_DESK_OTHER, "iiXXiiXXmmXXmmXX" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_FOREIGN, HD_DESK_NOBODY, "CCCCCCCCCCCCCCCC" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_FOREIGN, HD_DESK_SELF, "OOOOOOOOOOOOOOOO" },
	{ HD_DESK_EVENT_TOGGLE, HD_DESK_FOREIGN, HD_DESK_OTHER, "CCCCCCCCCCCCCCCC" },
};

static void describe(char *dst, size_t size, const struct hd_desk_situation *s)
{
	(void)snprintf(dst, size,
		       "%s kind %d occupant %d elsewhere %d roaming %d refuse %d admin %d",
		       hd_desk_event_name(s->event), (int)s->kind, (int)s->occupant, s->elsewhere,
		       s->roaming, s->refuse_occupied, s->by_admin);
}

static const struct hd_desk_step *step_of(char letter)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (letters[i].letter == letter)
			return &letters[i].step;
	fail_msg("no letter %c", letter);
	return NULL;
}

static void test_every_situation(void **state)
{
	bool seen[HD_DESK_EVENT_COUNT][HD_DESK_KIND_COUNT][HD_DESK_OCCUPANT_COUNT] = { 0 };
	unsigned n = 0;
	char text[160];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		bool *row = &seen[table[i].event][table[i].kind][table[i].occupant];

		assert_false(*row);
		*row = true;
		assert_int_equal(strlen(table[i].want), FLAGS);
		for (unsigned flags = 0; flags < FLAGS; flags++, n++) {
			struct hd_desk_situation s = { .event = table[i].event,
						       .kind = table[i].kind,
						       .occupant = table[i].occupant };
			const struct hd_desk_step *want = step_of(table[i].want[flags]);
			struct hd_desk_step got;

			set_flags(&s, flags);
			hd_desk_decide(&s, &got);
			describe(text, sizeof(text), &s);
			if (got.result != want->result || got.deeds != want->deeds)
				fail_msg("%s: %s deeds %x, expected %s deeds %x", text,
					 hd_desk_result_name(got.result), got.deeds,
					 hd_desk_result_name(want->result), want->deeds);
		}
	}
	assert_int_equal(n,
			 HD_DESK_EVENT_COUNT * HD_DESK_KIND_COUNT * HD_DESK_OCCUPANT_COUNT * FLAGS);
}

/* The rules in sentences, each of its own, none derived from the table. */
static const char *broken_rule(const struct hd_desk_situation *s, const struct hd_desk_step *step)
{
	bool begins = (step->deeds & HD_DESK_DO_BEGIN) != 0;
	bool ends_here = (step->deeds & HD_DESK_DO_END_HERE) != 0;
	bool ends_other = (step->deeds & HD_DESK_DO_END_OTHER) != 0;
	bool ends_elsewhere = (step->deeds & HD_DESK_DO_END_ELSEWHERE) != 0;
	bool entered =
		step->result == HD_DESK_RESULT_LOGGED_IN || step->result == HD_DESK_RESULT_MOVED;

	if (s->kind == HD_DESK_FOREIGN && begins)
		return "somebody else's phone never begins a session, for nobody";
	if (s->event == HD_DESK_EVENT_LOGOUT && begins)
		return "a logout never begins a session";
	if (s->event == HD_DESK_EVENT_LOGOUT && !hd_desk_result_is_success(step->result))
		return "a logout always succeeds";
	if (s->event == HD_DESK_EVENT_LOGIN && ends_here)
		return "a login never ends one's own session here";
	if (begins != entered)
		return "a session begins exactly when somebody entered";
	if (!hd_desk_result_is_success(step->result) && step->deeds != 0)
		return "a refusal does nothing";
	if (step->result == HD_DESK_RESULT_UNCHANGED && step->deeds != 0)
		return "unchanged does nothing";
	if (begins && s->occupant == HD_DESK_OTHER && !ends_other)
		return "two users at one phone";
	if (begins && s->elsewhere && !ends_elsewhere)
		return "one user at two phones";
	if (begins && s->occupant == HD_DESK_SELF)
		return "a session begins where it is already";
	if (ends_other && (s->occupant != HD_DESK_OTHER || s->refuse_occupied))
		return "nobody is turned out without need or against the policy";
	if (ends_elsewhere && !s->elsewhere)
		return "nothing to end elsewhere";
	if (ends_here && s->occupant != HD_DESK_SELF)
		return "only one's own session ends here";
	if (begins && s->kind == HD_DESK_FREE && !s->roaming && !s->by_admin)
		return "a free phone asks for the permission";
	if (s->kind == HD_DESK_OWN && step->result == HD_DESK_RESULT_NO_PERMISSION)
		return "one's own phone asks for no permission";
	if (s->by_admin && step->result == HD_DESK_RESULT_NO_PERMISSION)
		return "an administrator needs no permission";
	if ((step->result == HD_DESK_RESULT_MOVED) != (begins && s->elsewhere))
		return "moved is said of who sat elsewhere";
	if (s->event == HD_DESK_EVENT_TOGGLE && s->occupant == HD_DESK_SELF && !ends_here)
		return "a toggle at one's phone leaves it";
	return NULL;
}

static void test_rules(void **state)
{
	char text[160];

	(void)state;
	for (unsigned n = 0; n < 27 * FLAGS; n++) {
		struct hd_desk_situation s = { .event = (enum hd_desk_event)(n / FLAGS / 9),
					       .kind = (enum hd_desk_kind)(n / FLAGS / 3 % 3),
					       .occupant = (enum hd_desk_occupant)(n / FLAGS % 3) };
		struct hd_desk_step step;
		const char *rule;

		set_flags(&s, n % FLAGS);
		hd_desk_decide(&s, &step);
		rule = broken_rule(&s, &step);
		describe(text, sizeof(text), &s);
		if (rule)
			fail_msg("%s: %s", text, rule);
	}
}

/* A toggle differs from a login only where its user sits, and there it is a logout. */
static void test_toggle(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 9 * FLAGS; n++) {
		struct hd_desk_situation s = { .kind = (enum hd_desk_kind)(n / FLAGS / 3),
					       .occupant = (enum hd_desk_occupant)(n / FLAGS % 3) };
		struct hd_desk_step toggled, other;

		set_flags(&s, n % FLAGS);
		s.event = HD_DESK_EVENT_TOGGLE;
		hd_desk_decide(&s, &toggled);
		s.event = hd_toggle_is_logout(s.occupant) ? HD_DESK_EVENT_LOGOUT
							  : HD_DESK_EVENT_LOGIN;
		hd_desk_decide(&s, &other);
		assert_int_equal(toggled.result, other.result);
		assert_int_equal(toggled.deeds, other.deeds);
	}
	assert_true(hd_toggle_is_logout(HD_DESK_SELF));
	assert_false(hd_toggle_is_logout(HD_DESK_NOBODY));
	assert_false(hd_toggle_is_logout(HD_DESK_OTHER));
}

static void test_no_situation(void **state)
{
	struct hd_desk_situation s = { .event = HD_DESK_EVENT_COUNT, .roaming = true };
	struct hd_desk_step step = { .deeds = 15 };

	(void)state;
	hd_desk_decide(&s, &step);
	assert_int_equal(step.deeds, 0);
	assert_false(hd_desk_result_is_success(step.result));
	hd_desk_decide(NULL, &step);
	hd_desk_decide(&s, NULL);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(hd_desk_result_name(HD_DESK_RESULT_LOGGED_IN), "logged-in");
	assert_string_equal(hd_desk_result_name(HD_DESK_RESULT_AGAIN), "again");
	assert_string_equal(hd_desk_result_name(HD_DESK_RESULT_COUNT), "unknown");
	assert_string_equal(hd_desk_event_name(HD_DESK_EVENT_TOGGLE), "toggle");
	assert_string_equal(hd_desk_event_name(HD_DESK_EVENT_COUNT), "unknown");
	assert_string_equal(hd_desk_way_name(HD_DESK_WAY_FORM), "form");
	assert_string_equal(hd_desk_way_name((enum hd_desk_way)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_situation), cmocka_unit_test(test_rules),
		cmocka_unit_test(test_toggle),		cmocka_unit_test(test_no_situation),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
