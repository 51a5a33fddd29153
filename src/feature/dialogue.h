/*
 * dialogue.h - the conversation of a login: number, PIN, result; three tries. It knows keys, time
 * and results, and no SIP, RTP or store: what it wants done it says by callbacks.
 *
 * "#", the known length or a pause ends a field; '*' begins again; a key stops the prompt; silence
 * brings a reminder, then the end. The same key by two ways (RFC 4733 and INFO) counts once.
 */
#ifndef FEATURE_DIALOGUE_H
#define FEATURE_DIALOGUE_H

#include "hotdesk/feature.h"
#include "prompt.h"

enum { KEYS_REMEMBERED = 16, KEY_TWICE_MS = 2000 };

enum key_way { KEY_BY_RTP, KEY_BY_INFO };

struct dialogue_acts {
	/** Instead of what is being said; then dialogue_said(), at once without sound. */
	void (*say)(void *arg, const enum prompt *prompts, size_t n);
	void (*hush)(void *arg);
	/** Instead of an earlier one; 0: none. Then dialogue_time_out(). */
	void (*set_timer)(void *arg, uint32_t in_ms);
	/** Asks the desk; then dialogue_decided(). */
	void (*ask)(void *arg, const char *number, struct hd_slice pin);
	/** It is over; it may be freed. */
	void (*end)(void *arg, bool refused);
};

struct typed_key {
	char key;
	enum key_way way;
	bool paired; /* it came by the other way, too */
	int64_t at_ms;
};

struct dialogue {
	struct hd_dialogue_policy policy;
	const struct dialogue_acts *acts;
	void *arg;
	enum dialogue_state {
		DIALOGUE_NUMBER,
		DIALOGUE_PIN,
		DIALOGUE_ASKING,
		DIALOGUE_ENDING
	} state;
	char number[HD_NUMBER_SIZE], pin[HD_PIN_SIZE];
	size_t n_number, n_pin;
	bool too_long, by_length, refused;
	uint32_t tries, reminders;
	struct typed_key keys[KEYS_REMEMBERED];
	size_t n_keys;
};

void dialogue_begin(struct dialogue *d, const struct hd_dialogue_policy *policy,
		    const struct dialogue_acts *acts, void *arg);
void dialogue_key(struct dialogue *d, char key, enum key_way way, int64_t now_ms);
void dialogue_said(struct dialogue *d);
void dialogue_time_out(struct dialogue *d);
void dialogue_decided(struct dialogue *d, const struct hd_operation_result *result);
/** Its time is over, or it cannot be heard any more. */
void dialogue_give_up(struct dialogue *d);
void dialogue_wipe(struct dialogue *d);
/** What tells a result: at most RESULT_PROMPTS_MAX. @return how many */
enum { RESULT_PROMPTS_MAX = 4 };
size_t prompts_of_result(enum prompt prompts[RESULT_PROMPTS_MAX],
			 const struct hd_operation_result *result);

#endif
