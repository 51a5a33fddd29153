/*
 * render.h - what a phone gets: the templates of all vendors, and the values they are filled with.
 *
 * A vendor is a row of src/device/vendor.c and a template in conf/provision/; an administrator's
 * own folder overrides ours file by file. Templates are Mustache (hotdesk/template.h), strict and
 * always escaped; the names that they may use are those of src/provision/view.c, the same for every
 * vendor and in every state of a phone, so that what has passed the check renders.
 *
 * The SIP secret is unsealed for one rendering and wiped after it.
 *
 * Layer: 4 (provision).  May include: template, L2.  Thread: a set of templates and a renderer
 * belong to one thread.
 */
#ifndef HOTDESK_RENDER_H
#define HOTDESK_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/desk.h"
#include "hotdesk/device.h"
#include "hotdesk/directory.h"
#include "hotdesk/face.h"
#include "hotdesk/plan.h"
#include "hotdesk/provision.h"
#include "hotdesk/store.h"

/* ---- templates ------------------------------------------------------------------------------ */

struct hd_templates;

/**
 * Reads what the table of vendors names, and the partials they include, each from `own` or else
 * from `ours`; parses them, checks every name and renders each for a free, an occupied and a closed
 * phone.
 * @param own    the administrator's folder, or NULL
 * @param ours   the installed one; or NULL
 * @param errors receives "FILE:LINE: what is wrong\n" for each mistake
 * @return 0; HD_EPARSE, HD_ENOENT, HD_ELIMIT, HD_ESYSTEM (errors tells), HD_ENOMEM
 */
HD_MUSTCHECK int hd_templates_load(struct hd_templates **tp, const char *own, const char *ours,
				   struct hd_buf *errors);
/** NULL-safe. */
void hd_templates_free(struct hd_templates *templates);

/* ---- time zones ----------------------------------------------------------------------------- */

/** A change to or from daylight-saving time: "M3.5.0/2" (POSIX TZ). */
struct hd_timezone_rule {
	unsigned month;	  /* 1..12 */
	unsigned week;	  /* 1..4, 5: the last */
	unsigned weekday; /* 0: Sunday */
	unsigned hour;	  /* of local time before the change */
};
struct hd_timezone {
	char name[65];	  /* "Europe/Berlin", or "" */
	char posix[65];	  /* "CET-1CEST,M3.5.0,M10.5.0/3" */
	int32_t offset_s; /* east of Greenwich, standard time */
	bool has_dst;
	int32_t dst_offset_s; /* what is added: 3600 */
	struct hd_timezone_rule dst_begin, dst_end;
};
/**
 * From the system's time zone files.
 * @param name "Europe/Berlin"; NULL: the system's own. What cannot be read is UTC.
 * @return 0, HD_ENOENT (no such zone), HD_EUNSUPPORTED (changes at dates that no rule describes)
 */
HD_MUSTCHECK int hd_timezone_load(struct hd_timezone *zone, const char *name);
/** Reads the POSIX form into everything but the name. @return 0, HD_EPARSE, HD_EUNSUPPORTED */
HD_MUSTCHECK int hd_timezone_parse(struct hd_timezone *zone, const char *posix);

/* ---- values --------------------------------------------------------------------------------- */

enum { HD_LOGIN_KEY_VENDOR = -1, HD_LOGIN_KEY_NONE = 0 };

/** What is the same for all phones, out of the configuration; all borrowed. */
struct hd_render_values {
	const char *domain;
	const char *server; /* host of the registrar and outbound proxy; IPv6 without [] */
	uint16_t port;
	const char *transport; /* "udp", "tcp", "tls" */
	const char *url;       /* provision.url, or NULL: the phone does not ask over HTTP */
	uint32_t expires_s;
	struct hd_feature_codes codes;
	bool login_code; /* the key of a free phone dials the login code, else the toggle code */
	int login_key;	 /* HD_LOGIN_KEY_* or a place */
	uint8_t call_list_key; /* a place; 0: none */
	bool login_form; /* the key of a free phone opens its form, where the vendor has one */
	const char *language;
	struct hd_face_texts texts; /* instead of ours; NULL: ours */
	struct hd_timezone zone;
	const char *ntp; /* or NULL */
	const char *const *emergency;
	size_t n_emergency;
	bool hoteling;	   /* the phones are to log in by x-broadworks-hoteling */
	bool feature_sync; /* DND and forwarding by as-feature-event */
};

struct hd_renderer {
	struct hd_directory *dir; /* all borrowed */
	struct hd_desk *desk;
	struct hd_device *device;
	const struct hd_templates *templates;
	const struct hd_render_values *values;
};

/* ---- rendering ------------------------------------------------------------------------------ */

/**
 * A phone's file, with its secrets: an hd_provision_render_fn with a renderer as `arg`.
 * @return 0; HD_ENOENT: its vendor has no such file; HD_ESTATE: its SIP secret is not kept, so it
 *         has no configuration (a patch needs none); HD_ECORRUPT, HD_EVERSION, HD_EIO, HD_ENOMEM
 */
HD_MUSTCHECK int hd_provision_render(void *renderer, struct hd_txn *txn,
				     const struct hd_phone *phone, enum hd_vendor_file kind,
				     struct hd_provision_file *file);
/**
 * The same for an administrator to look at.
 * @param secrets false: "********" stands for the SIP secret and the secret of the URL; then a
 *                secret that is not kept is no error
 */
HD_MUSTCHECK int hd_provision_show(const struct hd_renderer *renderer, struct hd_txn *txn,
				   const struct hd_phone *phone, enum hd_vendor_file kind,
				   bool secrets, struct hd_provision_file *file);
/** What HD_ESTATE and HD_ENOENT of a rendering mean, for the administrator; static. */
const char *hd_provision_why(int err);

#endif
