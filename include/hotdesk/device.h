/*
 * device.h - the phone as a thing: its vendor's habits, its keys, what was seen of it, and the
 * secrets that its provisioning needs.
 *
 * A vendor is one row of src/device/vendor.c and one template in conf/provision/. Tables:
 * "device_keys" ("u", "o" (own_key.h) number, "p" phone id: keys), "device_secret" (phone id: the
 * SIP secret, sealed with a key outside the database, and the salt of its URL), "device_token" (a
 * digest of the URL's secret: phone id), "device_seen" (phone id: model, firmware, last fetch ...).
 *
 * Layer: 2.  May include: base, store, directory.  Thread: any; inside the caller's transaction.
 */
#ifndef HOTDESK_DEVICE_H
#define HOTDESK_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/directory.h"
#include "hotdesk/store.h"

enum { HD_MAC_SIZE = 13, HD_MODEL_SIZE = 65 };

/* ---- vendors -------------------------------------------------------------------------------- */

/** How a value is written into a vendor's file. */
enum hd_vendor_escape {
	HD_ESCAPE_XML,	/* & < > " ' and control characters, for elements and attributes */
	HD_ESCAPE_LINE, /* name = value: no line breaks, no control characters */
};

/** What tells the phone to fetch its configuration anew. */
enum hd_vendor_resync {
	HD_RESYNC_EMPTY,   /* an event, no body */
	HD_RESYNC_SUMMARY, /* an event with an empty application/simple-message-summary */
	HD_RESYNC_PATCH,   /* the body is the new keys themselves (COMfortel D-series) */
};

/** A number that a vendor counts by places: first + step * (place - 1). */
struct hd_vendor_number {
	const char *name; /* that its template has for it, in each key */
	uint32_t first, step;
};

/** A DHCP option in which a vendor's phones look for the place of their configuration. */
struct hd_vendor_dhcp {
	uint8_t option; /* 66, 150, 160 ...; 43: `sub` is its sub-option */
	uint8_t sub;
	bool split; /* scheme and host stand there, the path in option 67 */
};

/**
 * In a pattern of file names "%m" is the phone's MAC in lower and "%M" in upper case, as its URL
 * is written; both are recognised in either case. One '*' stands for any characters. NULL ends.
 */
struct hd_vendor {
	const char *name;	   /* "yealink": how phones' model: begins, "yealink-t46u" */
	const char *const *models; /* other beginnings, "comfortel"; NULL ends */
	const char *template;	   /* file in conf/provision/: "yealink.cfg" */
	const char *patch;	   /* template of the keys alone, or NULL */
	const char *index; /* template of what is asked for first and names the file, or NULL */
	const char *type;  /* Content-Type of its file and index */
	const char *patch_type; /* of the patch, also when fetched; or NULL */
	enum hd_vendor_escape escape, patch_escape;
	const char *const *files;	/* the phone's own file */
	const char *const *common;	/* of all phones or a model: the phone's file answers it */
	const char *const *index_files; /* or NULL */
	const char *const *patch_files; /* the patch over HTTP, or NULL */
	const char *const *optional;	/* asked for by habit: we have none, and it is no attack */
	const char *event;		/* of the NOTIFY: "check-sync;reboot=false", "resync" */
	const char *event_type;		/* Content-Type of its body, or NULL */
	enum hd_vendor_resync resync;
	bool interrupts;   /* a resync might cut a call: it waits for the end of the call */
	bool fetches;	   /* after the NOTIFY it asks over HTTP (false: the body was all of it) */
	uint8_t key_place; /* of the Login/Logout key if nothing else is said; 0: has no keys */
	uint8_t keys;	   /* places that its file always states, the empty ones too */
	uint8_t lines;	   /* so many of them, from the first on, are line keys by default */
	const char *avoid; /* what its phones bear in no name and no key; or NULL */
	const struct hd_vendor_number *numbers; /* a NULL name ends; or NULL */
	/* In a URL for all its phones: "{mac}.xml"; NULL: they add the name to a folder. */
	const char *url_file;
	const struct hd_vendor_dhcp *dhcp; /* option 0 ends */
	const char *form, *form_type;	   /* template in conf/form/ for its browser, or NULL */
	bool form_key, form_unsure;	   /* a key opens it; maybe: Login stays the code */
	const char *list, *settings;	   /* the same of call lists (NULL: JSON) and of settings */
	uint8_t list_page;		   /* entries on one page of a list */
	/* XML by NOTIFY, around a text (NULL: by MESSAGE) and the idle line; its lamp and lists. */
	const char *screen_event, *screen_type, *screen_begin, *screen_end;
	const char *status_begin, *status_end, *lamp_on, *lamp_off, *forget_calls;
};
/** The vendor of a directory model ("snom-d785", "generic", ""); the generic one when unknown. */
const struct hd_vendor *hd_vendor_of_model(const char *model);
/** All rows. */
const struct hd_vendor *hd_vendors(size_t *np);

enum hd_vendor_file {
	HD_VENDOR_FILE_NONE,	 /* not one of this vendor's names */
	HD_VENDOR_FILE_MAIN,	 /* files, common */
	HD_VENDOR_FILE_INDEX,	 /* not yet the configuration: it is fetched next */
	HD_VENDOR_FILE_PATCH,	 /* the keys alone */
	HD_VENDOR_FILE_OPTIONAL, /* 404, without blame */
};
/**
 * What a vendor's phone means by the last part of a path.
 * @param mac of the phone; "": any MAC will do
 */
enum hd_vendor_file hd_vendor_file_of(const struct hd_vendor *vendor, const char *mac,
				      struct hd_slice file);
/** The first of `patterns` for a phone: "805e0c1a2b3c.cfg". @return 0, HD_ENOENT, HD_ELIMIT */
HD_MUSTCHECK int hd_vendor_file_name(char *dst, size_t size, const char *const *patterns,
				     const char *mac);

enum { HD_URL_SIZE = 512 };
/**
 * A URL as a vendor's phones want it in DHCP and PnP: "<base>/<token>/", perhaps with a file.
 * @param token "": of all of the vendor's phones
 * @return 0 or HD_ELIMIT
 */
HD_MUSTCHECK int hd_vendor_url(char url[HD_URL_SIZE], const struct hd_vendor *vendor,
			       const char *base, const char *token, const char *mac);

/* ---- what a phone says of itself ------------------------------------------------------------ */

/** What an HTTP or SIP User-Agent, or the name of a file, says about the phone. */
struct hd_device_hint {
	const struct hd_vendor *vendor; /* NULL: none recognised */
	char mac[HD_MAC_SIZE];		/* or "" */
	char model[HD_MODEL_SIZE];	/* "yealink-t46u", or "" */
	char firmware[HD_MODEL_SIZE];	/* or "" */
};
/** Reads a User-Agent. Never fails: what is not there is "". */
void hd_device_by_agent(struct hd_device_hint *hint, struct hd_slice agent);
/** Reads the last part of a path: "805e0c1a2b3c.cfg", "snomD785-000413AABB01.htm". */
void hd_device_by_file(struct hd_device_hint *hint, struct hd_slice file);
/**
 * The MAC in a +sip.instance URN (its last 12 digits when they are a node that a maker assigned)
 * or in X-Serialnumber. @return 0 or HD_ENOENT
 */
HD_MUSTCHECK int hd_device_by_instance(char mac[HD_MAC_SIZE], struct hd_slice value);
/**
 * The first MAC in a text that stands by itself: 12 digits, or pairs with ':' or '-'. Also behind
 * "MAC", "MAC:" and "MAC%3A", as phones write it in a SUBSCRIBE to the multicast address.
 * @return 0 or HD_ENOENT
 */
HD_MUSTCHECK int hd_device_find_mac(char mac[HD_MAC_SIZE], struct hd_slice text);

/* ---- keys ----------------------------------------------------------------------------------- */

#define HD_PHONE_KEY_LIST(X)                                                                       \
	X(SPEED_DIAL, "speed-dial")                                                                \
	X(BLF, "blf")                                                                              \
	X(LINE, "line")                                                                            \
	X(URL, "url")                                                                              \
	X(CALL_LIST, "call-list")
/* Append-only: stored. */
enum hd_phone_key_type {
#define HD_PHONE_KEY_ENUM(n, s) HD_PHONE_KEY_##n,
	HD_PHONE_KEY_LIST(HD_PHONE_KEY_ENUM)
#undef HD_PHONE_KEY_ENUM
		HD_PHONE_KEY_COUNT
};
const char *hd_phone_key_name(enum hd_phone_key_type type);
/** @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_phone_key_parse(enum hd_phone_key_type *typep, const char *name);

enum { HD_PHONE_KEYS_MAX = 120, HD_PHONE_KEY_VALUE_SIZE = 257, HD_PHONE_KEY_LABEL_SIZE = 65 };
struct hd_phone_key {
	uint8_t place; /* 1..120; 0: the next free one */
	enum hd_phone_key_type type;
	char label[HD_PHONE_KEY_LABEL_SIZE];
	/* Number, code, SIP URI or URL; a line's or call list's may be "". */
	char value[HD_PHONE_KEY_VALUE_SIZE];
};
/** @param whyp receives a static text for the administrator. @return 0 or HD_EINVAL */
HD_MUSTCHECK int hd_phone_key_check(const struct hd_phone_key *key, const char **whyp);

struct hd_device;
/** Borrows the store; keys are derived from the master key. @return 0, HD_ENOMEM, store's error */
HD_MUSTCHECK int hd_device_new(struct hd_device **dp, struct hd_store *store,
			       const struct hd_key *master);
/** NULL-safe. */
void hd_device_free(struct hd_device *device);

/**
 * The keys of a user or phone in the order of their places, those without a place last.
 * @param kind 'u', 'o' (the user's own) or 'p'
 * @param keys NULL: only their number is asked for
 * @param np in: room, out: their number (0 when there are none)
 * @return 0, HD_ELIMIT (no room for all), HD_ECORRUPT, HD_EVERSION, HD_EIO
 */
HD_MUSTCHECK int hd_device_keys_get(struct hd_device *device, struct hd_txn *txn, char kind,
				    const char *name, struct hd_phone_key *keys, size_t *np);
/**
 * Replaces them; n 0 removes.
 * @return 0; HD_EINVAL (one that hd_phone_key_check() refuses), HD_EEXIST (a place taken twice),
 *         HD_ELIMIT (more than HD_PHONE_KEYS_MAX, or than fit in a record of 16 KiB)
 */
HD_MUSTCHECK int hd_device_keys_put(struct hd_device *device, struct hd_txn *txn, char kind,
				    const char *name, const struct hd_phone_key *keys, size_t n);
/** Puts one key to its place, instead of what is there; place 0 adds one without a place. */
HD_MUSTCHECK int hd_device_key_put(struct hd_device *device, struct hd_txn *txn, char kind,
				   const char *name, const struct hd_phone_key *key);
/** Takes one away; place 0: all without a place. HD_ENOENT: there is none. */
HD_MUSTCHECK int hd_device_key_remove(struct hd_device *device, struct hd_txn *txn, char kind,
				      const char *name, uint8_t place);
/** With the user or phone: everything that is kept here about it. Nothing kept is no error. */
HD_MUSTCHECK int hd_device_forget(struct hd_device *device, struct hd_txn *txn, char kind,
				  const char *name);

/* ---- secrets -------------------------------------------------------------------------------- */

enum { HD_SIP_SECRET_SIZE = 129, HD_TOKEN_SIZE = 27 };
/**
 * Seals the phone's SIP secret (XChaCha20-Poly1305 under a key derived from the master key, bound
 * to the phone's id); a zero slice takes it away. Makes the phone's URL known, too.
 * @return 0, HD_EINVAL (longer than 128 bytes or no text), the store's error
 */
HD_MUSTCHECK int hd_device_secret_put(struct hd_device *device, struct hd_txn *txn,
				      const char *phone, struct hd_slice secret);
/**
 * To be wiped by the caller.
 * @return 0; HD_ENOENT: imported before secrets were kept, or not to be kept; HD_ECORRUPT:
 *         damaged, or sealed with another master key; HD_EVERSION, HD_EIO
 */
HD_MUSTCHECK int hd_device_secret_get(struct hd_device *device, struct hd_txn *txn,
				      const char *phone, char secret[HD_SIP_SECRET_SIZE]);
/** 0 when one is kept that can be read, else as hd_device_secret_get(). */
HD_MUSTCHECK int hd_device_has_secret(struct hd_device *device, struct hd_txn *txn,
				      const char *phone);
/**
 * The secret part of the phone's URL: 26 characters of base32, an HMAC of the phone's id and a
 * salt of its own; not stored. It is good until hd_device_token_renew() or hd_device_forget().
 * @return 0, HD_ENOENT (never enrolled), HD_ECORRUPT, HD_EVERSION, HD_EIO
 */
HD_MUSTCHECK int hd_device_token(struct hd_device *device, struct hd_txn *txn, const char *phone,
				 char token[HD_TOKEN_SIZE]);
/**
 * The phone of a token: found by a keyed digest, then compared in constant time.
 * @return 0, HD_ENOENT, HD_ECORRUPT, HD_EVERSION, HD_EIO
 */
HD_MUSTCHECK int hd_device_by_token(struct hd_device *device, struct hd_txn *txn,
				    struct hd_slice token, char phone[HD_PHONE_ID_SIZE]);
/** From now on another token is good, and the old one is not. */
HD_MUSTCHECK int hd_device_token_renew(struct hd_device *device, struct hd_txn *txn,
				       const char *phone);
/** A phone's salt and token, with every phone written. Writes nothing when all is there. */
HD_MUSTCHECK int hd_device_enroll(struct hd_device *device, struct hd_txn *txn, const char *phone);
/** The same for all phones: at the start, after an update or with another master key. */
HD_MUSTCHECK int hd_device_enroll_all(struct hd_device *device, struct hd_txn *txn,
				      struct hd_directory *dir);

/* ---- what was seen -------------------------------------------------------------------------- */

struct hd_device_seen {
	char model[HD_MODEL_SIZE], firmware[HD_MODEL_SIZE]; /* as its User-Agents say */
	char mac[HD_MAC_SIZE]; /* as the phone says: not to be trusted as the directory's is */
	int64_t fetched_at_ms; /* last configuration over HTTP, 0: never */
	char fetched_from[64];
	int64_t asked_at_ms; /* last NOTIFY to fetch */
	int64_t told_at_ms;  /* last known to be told: answered, and fetched if it does */
	uint32_t unheard;    /* NOTIFYs since then */
	int last_status;     /* its answer to the last NOTIFY; 0: none */
};
/** @return 0 (all zero: nothing was seen), HD_ECORRUPT, HD_EVERSION, HD_EIO */
HD_MUSTCHECK int hd_device_seen_get(struct hd_device *device, struct hd_txn *txn, const char *phone,
				    struct hd_device_seen *seen);
/** Whole: read it in the same command, so that SIP and HTTP do not lose each other's part. */
HD_MUSTCHECK int hd_device_seen_put(struct hd_device *device, struct hd_txn *txn, const char *phone,
				    const struct hd_device_seen *seen);
/** What one REGISTER or HTTP request shows; zero slices for what it does not. */
struct hd_device_sight {
	struct hd_slice agent, instance, serial;
};
/** Takes it over: what is not shown stays. @return whether anything is new, so to be written */
bool hd_device_seen_take(struct hd_device_seen *seen, const struct hd_device_sight *sight);
/**
 * The vendor of a phone: by the directory's model, else by what was seen, else the generic one.
 * @return as hd_device_seen_get(); *vendorp is set in any case
 */
HD_MUSTCHECK int hd_device_vendor(struct hd_device *device, struct hd_txn *txn,
				  const struct hd_phone *phone, const struct hd_vendor **vendorp);

/* ---- check ---------------------------------------------------------------------------------- */

/** Whether what is kept here has its user or phone, can be read, and agrees with the HA1s. */
struct hd_device_audit {
	uint64_t keys, secrets; /* users and phones with keys; phones whose secret is kept */
	uint64_t violations;
	char first[160]; /* the first violation in words, without any secret */
};
HD_MUSTCHECK int hd_device_check(struct hd_device *device, struct hd_txn *txn,
				 struct hd_directory *dir, struct hd_device_audit *audit);
/**
 * Removes what it complains of. A phone whose secret was not its own then has another URL, and its
 * secret must be given again.
 */
HD_MUSTCHECK int hd_device_repair(struct hd_device *device, struct hd_txn *txn,
				  struct hd_directory *dir, uint32_t *removedp);

#endif
