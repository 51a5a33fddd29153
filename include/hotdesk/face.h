/*
 * face.h - what a phone shows: who is there, in which words, and what its keys are.
 *
 * Pure: values in, values out. A free phone offers the login, an occupied one shows its user and
 * offers the logout, an owned one whose owner is logged out shows the owner's name and offers the
 * login. The keys are the phone's own ones, then the Login/Logout key, then those of the user who
 * is there; every place that a phone's file states has one, if only an empty one, so that the keys
 * of the user before go.
 *
 * Layer: 2 (device).  May include: base, store, directory.  Thread: any.
 */
#ifndef HOTDESK_FACE_H
#define HOTDESK_FACE_H

#include "hotdesk/device.h"

/* ---- who and in which words ------------------------------------------------------------------ */

enum hd_face_state {
	HD_FACE_FREE,
	HD_FACE_OCCUPIED,
	HD_FACE_CLOSED, /* owned, and nobody is logged in */
	HD_FACE_STATES,
};

/*
 * Each text may name {label} (the phone's, or its id), {user} and {owner} (name, or number) and
 * {number} (of the user, else of the owner).
 */
#define HD_FACE_TEXT_LIST(X)                                                                       \
	X(login)    /* of the key at a free phone: "Login" */                                      \
	X(logout)   /* of the key at an occupied phone: "Logout" */                                \
	X(owner)    /* of the key at a closed phone: "{owner}: Login" */                           \
	X(free)	    /* of the idle screen: "{label} - free" */                                     \
	X(occupied) /* "{user}" */                                                                 \
	X(closed)   /* "{owner} - logged out" */
struct hd_face_texts {
#define HD_FACE_TEXT_MEMBER(name) const char *name;
	HD_FACE_TEXT_LIST(HD_FACE_TEXT_MEMBER)
#undef HD_FACE_TEXT_MEMBER
};
/** Ours in a language ("de", "de-AT"); English when there are none. */
const struct hd_face_texts *hd_face_texts_of(const char *language);
/** Whether a text names nothing but the above. */
bool hd_face_text_is_valid(struct hd_slice text);

enum { HD_FACE_TEXT_SIZE = 257 };
struct hd_face_input {
	const struct hd_phone *phone;
	const struct hd_user *user;	   /* who is there, or NULL */
	const struct hd_user *owner;	   /* or NULL */
	const char *language;		   /* where user and owner have none */
	const struct hd_face_texts *texts; /* instead of ours, each or NULL; or NULL */
};
struct hd_face {
	enum hd_face_state state;
	char language[9];
	char key[HD_FACE_TEXT_SIZE];  /* label of the Login/Logout key */
	char idle[HD_FACE_TEXT_SIZE]; /* of the idle screen */
	char name[HD_NAME_SIZE];      /* display name of its account */
};
void hd_face_make(struct hd_face *face, const struct hd_face_input *input);

/* ---- keys ------------------------------------------------------------------------------------ */

enum hd_face_key_kind {
	HD_FACE_KEY_EMPTY,
	HD_FACE_KEY_LINE,
	HD_FACE_KEY_SPEED_DIAL,
	HD_FACE_KEY_BLF,
	HD_FACE_KEY_URL,
	HD_FACE_KEY_LOGIN, /* Login or Logout; label and value are "" unless the phone's keys say */
	HD_FACE_KEY_CALL_LIST, /* of who is there; value: which list, or "" */
};
struct hd_face_key {
	uint8_t place; /* 1.. */
	enum hd_face_key_kind kind;
	const char *label, *value; /* borrowed from the input */
};
struct hd_face_merge {
	const struct hd_phone_key *phone, *user; /* as hd_device_keys_get() gives them */
	size_t n_phone, n_user;
	uint8_t places; /* that the vendor's file states; the phone's own keys may add some */
	uint8_t lines;	/* so many places are line keys where the phone's keys say nothing else */
	uint8_t login;	/* place of the Login/Logout key; 0: none */
	uint8_t calls;	/* of a call list key where the phone has none of its own and it is empty */
	/* A phone's own speed dial or BLF of one of these is the Login/Logout key, and the only
	   one. */
	const char *codes[3];
};
/**
 * A phone's own key gives way to the Login/Logout key, a user's to both: what has no place of its
 * own takes the next empty one.
 * @param keys room for HD_PHONE_KEYS_MAX; each place once, from 1 on
 * @return their number; *leftp receives how many found no place
 */
size_t hd_face_keys(struct hd_face_key *keys, const struct hd_face_merge *merge, size_t *leftp);

#endif
