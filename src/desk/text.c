/* text.c - what came of a login or logout, in words for people; see hotdesk/desk_operation.h. */
#include <strings.h>

#include "desk_priv.h"
#include "hotdesk/desk_operation.h"

enum { ENGLISH, GERMAN, LANGUAGES };

/* Each with its language; %s is a name. */
static const char *const logged_in[LANGUAGES] = { "%s is logged in.", "%s ist angemeldet." };
static const char *const logged_out[LANGUAGES] = { "%s is logged out.", "%s ist abgemeldet." };
static const char *const left_phone[LANGUAGES] = { " Logged out at %s.", " Abgemeldet an %s." };
static const char *const left_user[LANGUAGES] = { " %s was logged out here.",
						  " %s wurde hier abgemeldet." };
static const char *const nobody[LANGUAGES] = { "Nobody is logged in.", "Niemand ist angemeldet." };
static const char *const refused[LANGUAGES] = { "Not possible. Please check number and PIN.",
						"Nicht möglich. Bitte Nummer und PIN prüfen." };
static const char *const not_now[LANGUAGES] = { "Not possible at the moment. Please try again.",
						"Zurzeit nicht möglich. Bitte noch einmal "
						"versuchen." };

bool hd_language_is_german(const char *language)
{
	return language && strncasecmp(language, "de", 2) == 0 &&
	       (language[2] == '\0' || language[2] == '-' || language[2] == '_');
}

/* Formats stand above, each with one %s. */
static void add(struct hd_buf *out, const char *format, const char *name)
{
	const char *at = format;

	for (; *at; at++) {
		if (at[0] == '%' && at[1] == 's') {
			hd_buf_adds(out, name);
			at++;
		} else {
			hd_buf_add(out, (struct hd_slice){ at, 1 });
		}
	}
}

static void add_success(struct hd_buf *out, int l, const struct hd_operation_result *r)
{
	if (r->session.user[0]) {
		add(out, logged_in[l], r->user_name);
		if (r->left_phone[0])
			add(out, left_phone[l], r->left_phone_name);
		if (r->left_user[0])
			add(out, left_user[l], r->left_user_name);
	} else if (r->left_user[0]) {
		add(out, logged_out[l], r->left_user_name);
	} else {
		hd_buf_adds(out, nobody[l]);
	}
}

void hd_operation_text(struct hd_buf *out, const char *language,
		       const struct hd_operation_result *r)
{
	int l = hd_language_is_german(language) ? GERMAN : ENGLISH;

	if (r->err)
		hd_buf_adds(out, not_now[l]);
	else if (!hd_desk_result_is_success(r->result))
		hd_buf_adds(out, refused[l]);
	else
		add_success(out, l, r);
}
