/* view.h - the names that templates may use, filled for one phone. */
#ifndef PROVISION_VIEW_H
#define PROVISION_VIEW_H

#include "hotdesk/render.h"
#include "hotdesk/template.h"

/** Everything that a phone's file says. All borrowed for the call. */
struct view_input {
	const struct hd_render_values *values;
	const struct hd_vendor *vendor;
	const struct hd_phone *phone;
	const struct hd_user *user, *owner; /* or NULL */
	const struct hd_phone_key *phone_keys, *user_keys;
	size_t n_phone_keys, n_user_keys;
	const char *secret;
	const char *token; /* "": it has no URL */
};
/** @param model every list has an element, so that all names are there to be checked */
HD_MUSTCHECK int view_fill(struct hd_view *view, const struct view_input *input, bool model);

/** A made-up phone in a state, for the check of templates. */
struct view_sample {
	struct hd_phone phone;
	struct hd_user user, owner;
	struct hd_phone_key keys[5];
	struct hd_render_values values;
	struct view_input input;
};
void view_sample_make(struct view_sample *sample, const struct hd_vendor *vendor,
		      enum hd_face_state state);

#endif
