/* lamp.c - the package `dialog`: who may see which lamp, and its state; see hotdesk/lamp.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "dialog_info.h"
#include "hotdesk/base/log.h"

enum { CALLS_MAX = 32 }; /* shown of one resource */

/* A resource is a letter and a name: the phone itself, a user's calls, a phone's calls. */
enum kind { SELF = 's', USER = 'u', PHONE = 'p' };

/* A phone that is in a login dialogue. */
struct typing {
	char phone[HD_PHONE_ID_SIZE];
	UT_hash_handle hh;
};

struct hd_lamps {
	struct hd_lamps_options options;
	struct typing *typing;
};

static void name_resource(char resource[HD_RESOURCE_SIZE], enum kind kind, const char *name)
{
	snprintf(resource, HD_RESOURCE_SIZE, "%c:%s", kind, name);
}

/* ---- who may see what ----------------------------------------------------------------------- */

/* Of "201;phone-context=..." only the number (RFC 3261 19.1.6). */
static struct hd_slice without_parameters(struct hd_slice user)
{
	const char *end = user.len ? memchr(user.ptr, ';', user.len) : NULL;

	return end ? (struct hd_slice){ user.ptr, (size_t)(end - user.ptr) } : user;
}

/* @return the status of the answer */
static int find(struct hd_lamps *l, const char *name, char resource[HD_RESOURCE_SIZE])
{
	struct hd_phone phone;
	struct hd_user user;
	struct hd_txn *txn;
	int err;

	if (hd_store_begin_read(l->options.store, &txn))
		return 500;
	err = hd_user_get(l->options.directory, txn, name, &user);
	if (!err) {
		name_resource(resource, USER, user.number);
	} else if (err == HD_ENOENT) {
		err = hd_phone_get(l->options.directory, txn, name, &phone);
		if (!err)
			name_resource(resource, PHONE, phone.id);
	}
	hd_store_end_read(txn);
	hd_wipe(&user, sizeof(user));
	hd_wipe(&phone, sizeof(phone));
	return !err ? 200 : err == HD_ENOENT ? 404 : 500;
}

static int may(void *arg, const struct hd_subscribe *subscribe, char resource[HD_RESOURCE_SIZE])
{
	struct hd_lamps *l = arg;
	struct hd_slice user = without_parameters(subscribe->user);
	struct hd_feature code;
	char name[HD_PHONE_ID_SIZE];
	int err;

	err = hd_feature_parse(&code, &l->options.codes, user);
	if (!err) {
		bool bare = !code.code && !code.has_arguments && !code.malformed;

		hd_feature_wipe(&code);
		name_resource(resource, SELF, subscribe->phone);
		return bare ? 200 : 404;
	}
	if (hd_uri_unescape(name, sizeof(name), user))
		return 404;
	return find(l, name, resource);
}

/* ---- the state ------------------------------------------------------------------------------ */

static struct typing *find_typing(const struct hd_lamps *l, const char *phone)
{
	struct typing *t;

	HASH_FIND_STR(l->typing, phone, t);
	return t;
}

static int self_state(struct hd_lamps *l, const char *phone, const char **statep)
{
	struct hd_desk_session session;
	struct hd_txn *txn;
	int err;

	err = hd_store_begin_read(l->options.store, &txn);
	if (err)
		return err;
	err = hd_desk_get_by_phone(l->options.desk, txn, phone, &session);
	hd_store_end_read(txn);
	if (err && err != HD_ENOENT)
		return err;
	*statep = !err ? "confirmed" : find_typing(l, phone) ? "early" : "terminated";
	return 0;
}

struct listing {
	struct hd_buf *body;
	const char *entity;
	int64_t now_ms;
	unsigned n;
};

static void add_call(void *arg, const struct hd_lamp_call *call)
{
	struct listing *listing = arg;
	int64_t duration_s = -1;

	if (listing->n == CALLS_MAX)
		return;
	listing->n++;
	if (call->answered_ms && call->state == HD_LAMP_CONFIRMED)
		duration_s = listing->now_ms > call->answered_ms
				     ? (listing->now_ms - call->answered_ms) / 1000
				     : 0;
	dialog_info_add_call(listing->body, call, listing->entity, duration_s);
}

/* A user or phone that the administrator has removed is watched no longer. */
static int check_exists(struct hd_lamps *l, const char *name)
{
	char resource[HD_RESOURCE_SIZE];
	int status = find(l, name, resource);

	return status == 200 ? 0 : status == 404 ? HD_ENOENT : HD_EIO;
}

static int body(void *arg, struct hd_subscription *s, struct hd_buf *out, struct hd_buf *type)
{
	struct hd_lamps *l = arg;
	const char *resource = hd_subscription_resource(s), *name = resource + 2;
	const char *state = "terminated";
	struct listing listing = { .body = out, .entity = hd_subscription_uri(s) };
	int err;

	(void)type;
	err = resource[0] == SELF ? self_state(l, name, &state) : check_exists(l, name);
	if (err)
		return err;
	dialog_info_begin(out, hd_subscription_version(s), listing.entity);
	listing.now_ms = hd_clock_wall_ms(l->options.clock);
	if (resource[0] != SELF && l->options.walk_calls)
		l->options.walk_calls(l->options.arg, resource[0] == USER ? name : NULL,
				      resource[0] == PHONE ? name : NULL, add_call, &listing);
	if (!listing.n)
		dialog_info_add_state(out, state);
	dialog_info_end(out);
	return 0;
}

/* ---- changes -------------------------------------------------------------------------------- */

static void push(struct hd_lamps *l, enum kind kind, const char *name)
{
	char resource[HD_RESOURCE_SIZE];

	if (!name || !*name || hd_notifier_count(l->options.notifier) == 0)
		return;
	name_resource(resource, kind, name);
	hd_notifier_push(l->options.notifier, "dialog", resource);
}

void hd_lamps_set_dialogue(struct hd_lamps *l, const char *phone, bool running)
{
	struct typing *t = find_typing(l, phone);

	if (running && !t) {
		t = calloc(1, sizeof(*t));
		if (!t || hd_str_set(t->phone, sizeof(t->phone), phone)) {
			free(t); /* a lamp that does not flash */
			return;
		}
		HASH_ADD_STR(l->typing, phone, t);
	} else if (!running && t) {
		HASH_DEL(l->typing, t);
		free(t);
	}
	push(l, SELF, phone);
}

bool hd_lamps_in_dialogue(const struct hd_lamps *l, const char *phone)
{
	return find_typing(l, phone) != NULL;
}

void hd_lamps_phone_changed(struct hd_lamps *l, const char *phone)
{
	push(l, SELF, phone);
}

void hd_lamps_calls_changed(struct hd_lamps *l, const char *user, const char *phone)
{
	push(l, USER, user);
	push(l, PHONE, phone);
}

int hd_lamps_new(struct hd_lamps **lp, const struct hd_lamps_options *options)
{
	struct hd_package package = {
		.event = "dialog",
		.content_type = "application/dialog-info+xml",
		.may = may,
		.body = body,
	};
	struct hd_lamps *l;
	int err;

	if (!options || !options->notifier || !options->store || !options->directory ||
	    !options->desk || !options->clock)
		return HD_EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return HD_ENOMEM;
	l->options = *options;
	package.arg = l;
	err = hd_notifier_add(options->notifier, &package);
	if (err)
		free(l);
	else
		*lp = l;
	return err;
}

void hd_lamps_free(struct hd_lamps *l)
{
	struct typing *t, *next;

	if (!l)
		return;
	t = l->typing;
	HASH_CLEAR(hh, l->typing);
	for (; t; t = next) {
		next = t->hh.next;
		free(t);
	}
	free(l);
}

void hd_lamps_set_codes(struct hd_lamps *l, const struct hd_feature_codes *codes)
{
	l->options.codes = *codes;
}
