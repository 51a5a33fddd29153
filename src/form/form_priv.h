/* form_priv.h - what the files of form/ know of each other. */
#ifndef FORM_PRIV_H
#define FORM_PRIV_H

#include "hotdesk/form.h"

enum { FORM_ID_SIZE = 33, FORM_NUMBER_SIZE = HD_NUMBER_SIZE, FORM_OUTPUT_MAX = 32 * 1024 };

struct hd_form {
	struct hd_form_options options;
	struct hd_template_set *set;
	char url[HD_URL_SIZE];
	char language[HD_FORM_LANGUAGE_SIZE];
	struct hd_key
		key; /* of this process: that an operation is the same is not told by its PIN */
};

/* ---- page.c ---------------------------------------------------------------------------------- */

/** What is shown; all borrowed. */
struct form_page {
	const char *url;      /* "https://hd.example/TOKEN/form" */
	const char *id;	      /* of this form */
	const char *phone;    /* label, or id */
	const char *language; /* "de", ... */
	const char *user;     /* who is there: "Anna Berg"; "": nobody */
	const char *number;   /* that is known already, or "" */
	const char *result;   /* of what was done, in words; "": nothing was */
	bool failed;	      /* the result is a refusal */
};
/** @return 0, HD_ENOENT (no such template), HD_ELIMIT, HD_ENOMEM */
HD_MUSTCHECK int form_page_render(const struct hd_template_set *set, const struct hd_vendor *vendor,
				  const struct form_page *page, struct hd_buf *out,
				  struct hd_buf *errors);

#endif
