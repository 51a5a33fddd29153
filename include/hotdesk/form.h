/*
 * form.h - login, logout and call lists on the phone's screen, in the words of each vendor's
 * browser.
 *
 * The phone is known by the secret of its URL, `<provision.url>/<token>/form`; what it sends says
 * nothing about that. A free phone gets a form for number and PIN, an occupied one who is there and
 * a way to log out, and either the result in words. Paths behind the phone's own one:
 *
 *   form                    GET: what there is to do
 *   form/ID/login           GET or POST, number= and pin=
 *   form/ID/logout          GET or POST
 *   settings                GET: what the user who is there has set
 *   settings/WHAT           GET: asks for a number; with to= GET or POST: changes it. WHAT is dnd
 *                           (on, off), language (en, de), name (if users may), or always, busy,
 *                           no-answer, not-logged-in (a number; "" for no longer)
 *   settings/keys           GET: the user's own keys; keys/N one of them, keys/N/PART as WHAT:
 *                           number (N 0: of a new one), label, type (speed-dial, blf), remove (yes)
 *   calls                   GET: which lists there are; as JSON the first of all calls
 *   calls/KIND?page=N       GET: KIND is all, missed, received or dialled; N counts from 0
 *
 * Lists are those of who is logged in there, as the user's mode says (hotdesk/base/list_mode.h);
 * to a phone where nobody is they say so. Vendors without a template of it, and whoever adds
 * format=json, get JSON. Settings are JSON for whoever adds that: what there is, and "refused" when
 * a change was.
 *
 * ID is made anew for each form, so that the same press sent twice is one operation. The operation
 * is that of every other way (hotdesk/desk_operation.h): the same lock-outs, audit, result text.
 * Templates are in conf/form/, one for each browser, named in the table of vendors; the
 * administrator's folder overrides ours file by file.
 *
 * Layer: 4.  May include: http, template, L2.  Thread: the control thread, but loading anywhere.
 */
#ifndef HOTDESK_FORM_H
#define HOTDESK_FORM_H

#include "hotdesk/base/list_mode.h"
#include "hotdesk/base/secret.h"
#include "hotdesk/calls.h"
#include "hotdesk/desk_operation.h"
#include "hotdesk/device.h"
#include "hotdesk/directory.h"
#include "hotdesk/http.h"
#include "hotdesk/own_key.h"
#include "hotdesk/plan.h"
#include "hotdesk/settings.h"
#include "hotdesk/store.h"
#include "hotdesk/template.h"

/**
 * Reads the templates of all vendors and tries each.
 * @param own, ours folders; or NULL
 * @param errors    receives "FILE:LINE: what is wrong\n"
 * @return 0; HD_EPARSE, HD_ENOENT, HD_ELIMIT, HD_ESYSTEM (errors tells), HD_ENOMEM
 */
HD_MUSTCHECK int hd_form_load(struct hd_template_set **sp, const char *own, const char *ours,
			      struct hd_buf *errors);

enum { HD_FORM_LANGUAGE_SIZE = 9 };

struct hd_form_options {
	struct hd_store *store; /* all borrowed */
	struct hd_directory *directory;
	struct hd_desk *desk;
	struct hd_device *device;
	struct hd_operations *operations;   /* the control thread's */
	struct hd_calls *calls;		    /* NULL: no lists */
	struct hd_settings_store *settings; /* NULL: no settings; else also: */
	struct hd_mailbox *mailbox;	    /* the control thread's */
	const struct hd_clock *clock;
	const struct hd_planner *planner; /* the control thread's; NULL: every target is allowed */
	void (*changed)(void *arg); /* what a phone shows may be another: it is in the outbox */
	/**
	 * A user was shown the missed calls: of this phone, or all, if it is NULL. NULL: nobody
	 * wants to know.
	 */
	void (*seen)(void *arg, const char *user, const char *phone);
	void *arg;
};

/** What is shown of call lists. */
struct hd_form_list {
	struct hd_list_policy policy;
	uint32_t shown; /* entries of one list */
};

/** What users may change for themselves, beside do not disturb, forwarding and language. */
struct hd_form_own {
	bool name;
	uint32_t keys; /* how many; 0: none */
};

struct hd_form;
/** @return 0, HD_EINVAL or HD_ENOMEM */
HD_MUSTCHECK int hd_form_new(struct hd_form **fp, const struct hd_form_options *options);
/** After the operations and their http. NULL-safe. */
void hd_form_free(struct hd_form *form);
/**
 * What a reload may change.
 * @param set      moved
 * @param url      what URLs of phones begin with; copied
 * @param language of phones whose user has none; copied
 * @param list     copied, like own
 */
void hd_form_set(struct hd_form *form, struct hd_template_set *set, const char *url,
		 const char *language, const struct hd_form_list *list,
		 const struct hd_form_own *own);

/**
 * Answers a request that came with the phone's token, and ends it: at once, or after the operation.
 * @param rest the path behind the token, "form/ID/login"
 * @return false: not a path of forms, or the vendor's phones have none; not answered
 */
HD_MUSTCHECK bool hd_form_serve(struct hd_form *form, struct hd_http_request *req,
				const struct hd_phone *phone, const struct hd_vendor *vendor,
				const char *rest);

#endif
