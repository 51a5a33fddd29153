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
	struct hd_form_list list;
	struct hd_form_own own;
	struct hd_key
		key; /* of this process: that an operation is the same is not told by its PIN */
};

/** "https://hd.example/TOKEN/form" of a phone; its token may have been renewed meanwhile. */
HD_MUSTCHECK int form_url(const struct hd_form *form, const char *phone, const char *what,
			  char url[HD_URL_SIZE]);

/**
 * Who is logged in at a phone, to be wiped; what that user is called there, and which language.
 * @param language as it was when the user has none
 * @return 0, HD_ENOENT: nobody, or the store's error
 */
HD_MUSTCHECK int form_user_read(const struct hd_form *form, struct hd_txn *txn, const char *phone,
				struct hd_user *user, char name[HD_NAME_SIZE],
				char language[HD_FORM_LANGUAGE_SIZE]);

/* ---- page.c ---------------------------------------------------------------------------------- */

/** What is shown; all borrowed. */
struct form_page {
	const char *url;      /* "https://hd.example/TOKEN/form" */
	const char *settings; /* the same of settings; "": there are none */
	const char *id;	      /* of this form */
	const char *phone;    /* label, or id */
	const char *language; /* "de", ... */
	const char *user;     /* who is there: "Anna Berg"; "": nobody */
	const char *number;   /* that is known already, or "" */
	const char *result;   /* of what was done, in words; "": nothing was */
	bool failed;	      /* the result is a refusal */
};
/** For a query: a number may have '#' in it, and a name everything. */
void form_escape(struct hd_buf *b, const char *text);
/**
 * A filled view through a template; frees the view.
 * @param name of the template, or NULL: none
 * @return 0, HD_ENOENT (no such template), HD_ELIMIT, HD_ENOMEM
 */
HD_MUSTCHECK int form_view_render(const struct hd_template_set *set, const char *name,
				  struct hd_view *view, struct hd_buf *out, struct hd_buf *errors);
/** @return as form_view_render() */
HD_MUSTCHECK int form_page_render(const struct hd_template_set *set, const struct hd_vendor *vendor,
				  const struct form_page *page, struct hd_buf *out,
				  struct hd_buf *errors);

/* ---- list.c ---------------------------------------------------------------------------------- */

/** One page of a call list. */
struct form_list {
	const char *url;  /* "https://hd.example/TOKEN/calls" */
	const char *kind; /* last part of its path: "all", "missed" ... */
	char language[HD_FORM_LANGUAGE_SIZE];
	char user[HD_NUMBER_SIZE], name[HD_NAME_SIZE]; /* whose it is */
	bool menu, json;
	bool nobody; /* is logged in */
	enum hd_list_mode mode;
	unsigned kinds;	   /* as of hd_calls_query */
	size_t page, size; /* from 0; entries of one */
	struct hd_calls_entry *all, *entries;
	size_t n;
	bool more; /* behind them */
};
HD_MUSTCHECK bool form_list_serve(struct hd_form *form, struct hd_http_request *req,
				  const struct hd_phone *phone, const struct hd_vendor *vendor,
				  const char *rest);
struct hd_metric *form_list_metric(void);

/* ---- settings.c, settings_page.c, settings_write.c ------------------------------------------ */

/** What a path behind settings names. */
enum form_item {
	FORM_ITEM_MENU, /* all of it */
	FORM_ITEM_DND,
	FORM_ITEM_FORWARD,
	FORM_ITEM_LANGUAGE,
	FORM_ITEM_NAME,
	FORM_ITEM_KEYS,
	FORM_ITEM_KEY,
	FORM_ITEM_KEY_NUMBER,
	FORM_ITEM_KEY_LABEL,
	FORM_ITEM_KEY_TYPE,
	FORM_ITEM_KEY_REMOVE,
};
struct form_what {
	enum form_item item;
	enum hd_forward_when when;
	uint8_t place; /* of a key; 0: a new one */
};

struct form_settings {
	const char *url; /* "https://hd.example/TOKEN/settings/@EPOCH" */
	char language[HD_FORM_LANGUAGE_SIZE];
	char name[HD_NAME_SIZE], number[HD_NUMBER_SIZE]; /* of who is there */
	uint64_t epoch;					 /* of that desk session */
	struct hd_settings settings;
	struct hd_phone_key keys[HD_PHONE_KEYS_MAX]; /* the user's own */
	size_t n_keys;
	struct hd_form_own own;
	struct form_what what; /* which page; of what is asked for, its question */
	bool nobody;	       /* is logged in */
	bool json;
	int err; /* of what was asked for and could not be; 0 */
};
HD_MUSTCHECK bool form_settings_serve(struct hd_form *form, struct hd_http_request *req,
				      const struct hd_phone *phone, const struct hd_vendor *vendor,
				      const char *rest);
struct hd_metric *form_settings_metric(void);
/** One that there are texts in. */
bool form_language_is_ours(const char *language);
/** As form_page_render(). */
HD_MUSTCHECK int form_settings_render(const struct hd_template_set *set,
				      const struct hd_vendor *vendor,
				      const struct form_settings *page, struct hd_buf *out,
				      struct hd_buf *errors);
HD_MUSTCHECK int form_settings_try(const struct hd_template_set *set,
				   const struct hd_vendor *vendor, struct hd_buf *errors);

/** A request for settings, while it is answered. */
struct form_visit {
	struct hd_form *form;
	struct hd_http_request *req;
	const struct hd_vendor *vendor;
	struct hd_phone phone;
	struct form_what what;
	uint64_t epoch; /* of the desk session that the page was of; 0: not said */
	bool json;
};
/** Ends the request with what there is now; err: of what could not be done. */
void form_settings_answer(const struct form_visit *visit, int err);
/**
 * Changes what the visit names for who is there, and answers. @param to as it came
 * @return false: that is none; not answered
 */
HD_MUSTCHECK bool form_settings_write(const struct form_visit *visit, const char *to);

/* ---- list_page.c ----------------------------------------------------------------------------- */

/** As form_page_render(). */
HD_MUSTCHECK int form_list_render(const struct hd_template_set *set, const struct hd_vendor *vendor,
				  const struct form_list *list, struct hd_buf *out,
				  struct hd_buf *errors);
/** Renders each kind of page. */
HD_MUSTCHECK int form_list_try(const struct hd_template_set *set, const struct hd_vendor *vendor,
			       struct hd_buf *errors);

#endif
