/* prompt.h - what is said, in the languages of a directory; tones where there is no file. */
#ifndef FEATURE_PROMPT_H
#define FEATURE_PROMPT_H

#include "hotdesk/feature.h"
#include "hotdesk/media.h"

/* The name is that of the file, NAME.wav. */
#define PROMPT_LIST(X)                                                                             \
	X(NUMBER, "number")	/* please enter your number */                                     \
	X(PIN, "pin")		/* please enter your PIN */                                        \
	X(REMINDER, "reminder") /* nothing was entered */                                          \
	X(LOGGED_IN, "logged-in")                                                                  \
	X(MOVED, "moved")	/* logged out at the other phone */                                \
	X(REPLACED, "replaced") /* who was here is logged out */                                   \
	X(LOGGED_OUT, "logged-out")                                                                \
	X(NOBODY, "nobody") /* nobody is logged in here */                                         \
	X(REFUSED, "refused")                                                                      \
	X(NOT_NOW, "not-now")                                                                      \
	X(GOODBYE, "goodbye")

enum prompt {
#define PROMPT_ENUM(n, s) PROMPT_##n,
	PROMPT_LIST(PROMPT_ENUM)
#undef PROMPT_ENUM
		PROMPT_COUNT
};

/** Shared by those who say something. */
struct hd_prompts *prompts_ref(struct hd_prompts *p);
/**
 * @param language "de", "de-AT", ...; the nearest that there is, else English
 */
const struct hd_sound *prompts_get(const struct hd_prompts *p, const char *language,
				   enum prompt which);
/** Whether there are files in that language. */
bool prompts_has(const struct hd_prompts *p, const char *language);

#endif
