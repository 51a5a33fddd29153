/* face.c - who is at a phone, in which words; see face.h. */
#include <string.h>

#include "device_priv.h"
#include "hotdesk/face.h"

struct language {
	const char *tag;
	struct hd_face_texts texts;
};

static const struct language languages[] = {
	{ "en",
	  { .login = "Login",
	    .logout = "Logout",
	    .owner = "{owner}: Login",
	    .free = "{label} - free",
	    .occupied = "{user}",
	    .closed = "{owner} - logged out" } },
	{ "de",
	  { .login = "Anmelden",
	    .logout = "Abmelden",
	    .owner = "{owner}: Anmelden",
	    .free = "{label} - frei",
	    .occupied = "{user}",
	    .closed = "{owner} - abgemeldet" } },
};

const struct hd_face_texts *hd_face_texts_of(const char *language)
{
	struct hd_slice tag = hd_slice_of(language);

	tag.len = tag.len > 2 && (tag.ptr[2] == '-' || tag.ptr[2] == '_') ? 2 : tag.len;
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (hd_slice_caseis(tag, languages[i].tag))
			return &languages[i].texts;
	return &languages[0].texts;
}

/* ---- {names} --------------------------------------------------------------------------------- */

enum { NAMES = 4 };
static const char *const names[NAMES] = { "{label}", "{user}", "{owner}", "{number}" };

/* Which name stands at the beginning, or NAMES. */
static size_t name_at(struct hd_slice s)
{
	size_t i = 0, len;

	for (; i < NAMES; i++) {
		len = strlen(names[i]);
		if (s.len >= len && memcmp(s.ptr, names[i], len) == 0)
			break;
	}
	return i;
}

bool hd_face_text_is_valid(struct hd_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '{' &&
		    name_at((struct hd_slice){ text.ptr + i, text.len - i }) == NAMES)
			return false;
	return hd_utf8_is_text(text);
}

struct text {
	char *dst;
	size_t size, len;
};

/* As much as there is room for, no half characters. */
static void text_add(struct text *t, const char *s, size_t n)
{
	if (n > t->size - 1 - t->len) {
		n = t->size - 1 - t->len;
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(t->dst + t->len, s, n);
	t->len += n;
	t->dst[t->len] = '\0';
}

static void fill_in(char dst[HD_FACE_TEXT_SIZE], const char *text, const char *const values[NAMES])
{
	struct text t = { dst, HD_FACE_TEXT_SIZE, 0 };
	size_t i;

	dst[0] = '\0';
	for (const char *p = text; *p;) {
		i = name_at(hd_slice_of(p));
		if (i < NAMES) {
			text_add(&t, values[i], strlen(values[i]));
			p += strlen(names[i]);
			continue;
		}
		text_add(&t, p, 1 + strcspn(p + 1, "{"));
		p += 1 + strcspn(p + 1, "{");
	}
}

/* ---- the face -------------------------------------------------------------------------------- */

static const char *name_of(const struct hd_user *user)
{
	if (!user)
		return "";
	return user->name[0] ? user->name : user->number;
}

static enum hd_face_state state_of(const struct hd_face_input *input)
{
	if (input->user)
		return HD_FACE_OCCUPIED;
	return input->phone->owner[0] ? HD_FACE_CLOSED : HD_FACE_FREE;
}

static const char *language_of(const struct hd_face_input *input)
{
	if (input->user && input->user->language[0])
		return input->user->language;
	if (!input->user && input->owner && input->owner->language[0])
		return input->owner->language;
	return input->language ? input->language : "en";
}

static const char *either(const char *own, const char *ours)
{
	return own ? own : ours;
}

void hd_face_make(struct hd_face *face, const struct hd_face_input *input)
{
	const struct hd_face_texts none = { 0 }, *ours, *own = input->texts ? input->texts : &none;
	const struct hd_phone *phone = input->phone;
	const struct hd_user *who = input->user ? input->user : input->owner;
	const char *label = phone->label[0] ? phone->label : phone->id;
	/* An owner who is gone from the directory still has a number. */
	const char *owner = input->owner ? name_of(input->owner) : phone->owner;
	const char *const values[NAMES] = { label, name_of(input->user), owner,
					    who ? who->number : phone->owner };
	const char *key, *idle;

	memset(face, 0, sizeof(*face));
	face->state = state_of(input);
	if (hd_str_set(face->language, sizeof(face->language), language_of(input)))
		face->language[0] = '\0';
	ours = hd_face_texts_of(face->language);
	if (face->state == HD_FACE_OCCUPIED) {
		key = either(own->logout, ours->logout);
		idle = either(own->occupied, ours->occupied);
	} else if (face->state == HD_FACE_CLOSED) {
		key = either(own->owner, ours->owner);
		idle = either(own->closed, ours->closed);
	} else {
		key = either(own->login, ours->login);
		idle = either(own->free, ours->free);
	}
	fill_in(face->key, key, values);
	fill_in(face->idle, idle, values);
	text_add(&(struct text){ face->name, sizeof(face->name), 0 },
		 input->user ? values[1] : label, strlen(input->user ? values[1] : label));
}
