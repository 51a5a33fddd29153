/*
 * list_mode.h - which calls a user finds on a phone: those of the user at any phone, those made at
 * this phone, or none; as text for configuration and directory.
 *
 * Of a user who says nothing it is that of the user's group, of a group without one the standard.
 *
 * Layer: 0.  Thread: any.
 */
#ifndef HOTDESK_BASE_LIST_MODE_H
#define HOTDESK_BASE_LIST_MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "hotdesk/base/str.h"

enum hd_list_mode {
	HD_LIST_INHERIT, /* "" */
	HD_LIST_CENTRAL, /* "central": all of the user, whichever phone */
	HD_LIST_LOCAL,	 /* "local": of the user at this phone */
	HD_LIST_OFF,	 /* "off": none; calls made meanwhile are never shown */
	HD_LIST_MODES,
};
enum {
	HD_LIST_MODE_SIZE = 8, /* of the text */
	HD_LIST_GROUP_SIZE = 33,
	HD_LIST_GROUPS_MAX = 32,
};

/** @return 0 or HD_EPARSE */
HD_MUSTCHECK int hd_list_mode_parse(enum hd_list_mode *modep, struct hd_slice text);
const char *hd_list_mode_name(enum hd_list_mode mode);
/** True for 1 to 32 of letters, digits and . _ - */
bool hd_list_group_is_valid(struct hd_slice name);

/** Plain values, to be copied from thread to thread. */
struct hd_list_policy {
	enum hd_list_mode standard; /* HD_LIST_INHERIT: central */
	size_t n_groups;
	struct hd_list_group {
		char name[HD_LIST_GROUP_SIZE];
		enum hd_list_mode mode;
	} groups[HD_LIST_GROUPS_MAX];
};
/** Reads "sales=local" into the next group. @return 0, HD_EPARSE; HD_ELIMIT: no room */
HD_MUSTCHECK int hd_list_policy_add(struct hd_list_policy *policy, struct hd_slice text);
/**
 * Never HD_LIST_INHERIT.
 * @param own   of the user: text; "" or none: inherited
 * @param group of the user, or ""
 */
enum hd_list_mode hd_list_policy_mode(const struct hd_list_policy *policy, const char *own,
				      const char *group);

#endif
