/* dialogue.c - see dialogue.h. */
#include <string.h>

#include "dialogue.h"
#include "hotdesk/base/log.h"

static const enum prompt ask_number[] = { PROMPT_NUMBER }, ask_pin[] = { PROMPT_PIN };

static void say(struct dialogue *d, const enum prompt *prompts, size_t n)
{
	d->acts->set_timer(d->arg, 0);
	d->acts->say(d->arg, prompts, n);
}

static void forget_fields(struct dialogue *d)
{
	hd_wipe(d->number, sizeof(d->number));
	hd_wipe(d->pin, sizeof(d->pin));
	hd_wipe(d->keys, sizeof(d->keys));
	d->n_number = d->n_pin = d->n_keys = 0;
	d->too_long = false;
}

void dialogue_wipe(struct dialogue *d)
{
	forget_fields(d);
}

static void enter(struct dialogue *d, enum dialogue_state state)
{
	d->state = state;
	d->reminders = d->policy.reminders;
}

static void begin_again(struct dialogue *d)
{
	struct typed_key keys[KEYS_REMEMBERED];
	size_t n = d->n_keys;

	/* The key that begins again may come by the other way, too. */
	memcpy(keys, d->keys, sizeof(keys));
	forget_fields(d);
	memcpy(d->keys, keys, sizeof(keys));
	d->n_keys = n;
	hd_wipe(keys, sizeof(keys));
	d->by_length = false;
	enter(d, DIALOGUE_NUMBER);
	say(d, ask_number, 1);
}

void dialogue_begin(struct dialogue *d, const struct hd_dialogue_policy *policy,
		    const struct dialogue_acts *acts, void *arg)
{
	memset(d, 0, sizeof(*d));
	d->policy = *policy;
	d->acts = acts;
	d->arg = arg;
	d->tries = policy->tries;
	enter(d, DIALOGUE_NUMBER);
	say(d, ask_number, 1);
}

static void finish(struct dialogue *d, const enum prompt *prompts, size_t n, bool refused)
{
	forget_fields(d);
	d->state = DIALOGUE_ENDING;
	d->refused = refused;
	say(d, prompts, n);
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* A phone that sends both sends each key twice, in the same order by either way. */
static bool came_before(struct dialogue *d, char key, enum key_way way, int64_t now_ms)
{
	struct typed_key *k;

	for (size_t i = 0; i < d->n_keys; i++) {
		k = &d->keys[i];
		if (k->key != key || k->way == way || k->paired || now_ms - k->at_ms > KEY_TWICE_MS)
			continue;
		/* Those before it were lost on this way. */
		for (size_t j = 0; j <= i; j++)
			d->keys[j].paired |= d->keys[j].way != way;
		return true;
	}
	return false;
}

static void remember(struct dialogue *d, char key, enum key_way way, int64_t now_ms)
{
	if (d->n_keys == KEYS_REMEMBERED) {
		memmove(&d->keys[0], &d->keys[1], (KEYS_REMEMBERED - 1) * sizeof(d->keys[0]));
		d->n_keys--;
	}
	d->keys[d->n_keys++] = (struct typed_key){ .key = key, .way = way, .at_ms = now_ms };
}

static void ask_desk(struct dialogue *d)
{
	char number[HD_NUMBER_SIZE], pin[HD_PIN_SIZE];
	size_t n = d->n_pin;

	memcpy(number, d->number, sizeof(number));
	memcpy(pin, d->pin, sizeof(pin));
	if (d->too_long) { /* of nobody: refused as any other that is wrong */
		number[0] = '\0';
		n = 1;
	}
	forget_fields(d);
	d->state = DIALOGUE_ASKING;
	d->acts->set_timer(d->arg, 0);
	d->acts->ask(d->arg, number, (struct hd_slice){ pin, n });
	hd_wipe(pin, sizeof(pin));
}

static void complete(struct dialogue *d, bool by_length)
{
	d->by_length = by_length;
	if (d->state == DIALOGUE_NUMBER) {
		enter(d, DIALOGUE_PIN);
		say(d, ask_pin, 1);
	} else {
		ask_desk(d);
	}
}

static void take_digit(struct dialogue *d, char digit)
{
	bool is_number = d->state == DIALOGUE_NUMBER;
	char *field = is_number ? d->number : d->pin;
	size_t *n = is_number ? &d->n_number : &d->n_pin;
	size_t room = is_number ? sizeof(d->number) - 1 : sizeof(d->pin) - 1;
	uint32_t length = is_number ? d->policy.number_length : d->policy.pin_length;

	d->by_length = false;
	if (*n < room)
		field[(*n)++] = digit;
	else
		d->too_long = true;
	if (length > 0 && *n == length && !d->too_long)
		complete(d, true);
	else
		d->acts->set_timer(d->arg, d->policy.digit_ms);
}

static void take_hash(struct dialogue *d)
{
	size_t n = d->state == DIALOGUE_NUMBER ? d->n_number : d->n_pin;

	if (n > 0) {
		complete(d, false);
	} else if (d->by_length) { /* out of habit; the length had ended the number */
		d->by_length = false;
		d->acts->set_timer(d->arg, d->policy.first_ms);
	} else {
		say(d, d->state == DIALOGUE_NUMBER ? ask_number : ask_pin, 1);
	}
}

void dialogue_key(struct dialogue *d, char key, enum key_way way, int64_t now_ms)
{
	if (came_before(d, key, way, now_ms))
		return;
	remember(d, key, way, now_ms);
	if (d->state == DIALOGUE_ASKING || d->state == DIALOGUE_ENDING)
		return;
	d->acts->hush(d->arg);
	if (key == '*')
		begin_again(d);
	else if (key == '#')
		take_hash(d);
	else if (key >= '0' && key <= '9')
		take_digit(d, key);
	else /* A to D: of no use here, but somebody is there */
		d->acts->set_timer(d->arg, d->policy.first_ms);
}

/* ---- time and results ----------------------------------------------------------------------- */

void dialogue_said(struct dialogue *d)
{
	if (d->state == DIALOGUE_ENDING)
		d->acts->end(d->arg, d->refused);
	else if (d->state != DIALOGUE_ASKING)
		d->acts->set_timer(d->arg, d->policy.first_ms);
}

void dialogue_time_out(struct dialogue *d)
{
	static const enum prompt no_more[] = { PROMPT_REMINDER, PROMPT_GOODBYE };
	enum prompt again[] = { PROMPT_REMINDER, PROMPT_NUMBER };

	if (d->state == DIALOGUE_ASKING || d->state == DIALOGUE_ENDING)
		return;
	if ((d->state == DIALOGUE_NUMBER ? d->n_number : d->n_pin) > 0) {
		complete(d, false);
		return;
	}
	if (d->reminders == 0) {
		finish(d, no_more, 2, true);
		return;
	}
	d->reminders--;
	if (d->state == DIALOGUE_PIN)
		again[1] = PROMPT_PIN;
	say(d, again, 2);
}

void dialogue_give_up(struct dialogue *d)
{
	forget_fields(d);
	if (d->state == DIALOGUE_ASKING)
		return; /* the result ends it */
	d->state = DIALOGUE_ENDING;
	d->acts->end(d->arg, true);
}

size_t prompts_of_result(enum prompt prompts[RESULT_PROMPTS_MAX],
			 const struct hd_operation_result *r)
{
	size_t n = 0;

	if (r->err) {
		prompts[n++] = PROMPT_NOT_NOW;
	} else if (!hd_desk_result_is_success(r->result)) {
		prompts[n++] = PROMPT_REFUSED;
	} else if (r->session.user[0]) {
		prompts[n++] = PROMPT_LOGGED_IN;
		if (r->left_phone[0])
			prompts[n++] = PROMPT_MOVED;
		if (r->left_user[0])
			prompts[n++] = PROMPT_REPLACED;
	} else {
		prompts[n++] = r->left_user[0] ? PROMPT_LOGGED_OUT : PROMPT_NOBODY;
	}
	return n;
}

void dialogue_decided(struct dialogue *d, const struct hd_operation_result *r)
{
	static const enum prompt once_more[] = { PROMPT_REFUSED, PROMPT_NUMBER };
	enum prompt prompts[RESULT_PROMPTS_MAX];
	size_t n = prompts_of_result(prompts, r);

	if (d->state != DIALOGUE_ASKING)
		return;
	if (!r->err && !hd_desk_result_is_success(r->result) && --d->tries > 0) {
		enter(d, DIALOGUE_NUMBER);
		d->by_length = false;
		say(d, once_more, 2);
		return;
	}
	prompts[n++] = PROMPT_GOODBYE;
	finish(d, prompts, n, !hd_operation_is_success(r));
}
