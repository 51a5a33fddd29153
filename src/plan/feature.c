/*
 * feature.c - feature codes in a user part: CODE, CODE#, CODE*NUMBER*PIN and that with a final '#'.
 *
 * A number typed here holds no '*' and no '#' though a user's may: otherwise a PIN with a '*' too
 * many would become part of what is taken for the number, and be written to the log with it.
 */
#include <string.h>

#include "hotdesk/base/secret.h"
#include "hotdesk/plan.h"

/* CODE*NUMBER*PIN#, and one more that shows that it is too long. */
enum { TYPED_MAX = HD_FEATURE_CODE_SIZE + HD_NUMBER_SIZE + HD_PIN_SIZE + 1 };

enum { PIN_PROBABLE = 4 }; /* so many characters behind a code could be a PIN */

/* A user part with its escapes resolved, or the beginning of one. */
struct typed {
	char text[TYPED_MAX];
	size_t len;
	bool whole;  /* not longer than this */
	bool broken; /* a bad escape follows */
};

static void type_out(struct typed *t, struct hd_slice user)
{
	size_t i = 0;

	memset(t, 0, sizeof(*t));
	while (i < user.len && t->len < sizeof(t->text)) {
		char c = user.ptr[i++];

		if (c == '%') {
			struct hd_slice hex = { user.ptr + i, 2 };

			if (user.len - i < 2 || hd_hex_parse(&c, 1, hex)) {
				t->broken = true;
				break;
			}
			i += 2;
		}
		if (c == '\0') {
			t->broken = true;
			break;
		}
		t->text[t->len++] = c;
	}
	t->whole = i == user.len && !t->broken;
}

/* The length of a code that the text begins with, alone or with '*' or '#' behind it; else 0. */
static size_t code_length(const struct typed *t, const char *code)
{
	size_t len = strnlen(code, HD_FEATURE_CODE_SIZE);

	if (len == 0 || t->len < len || memcmp(t->text, code, len) != 0)
		return 0;
	if (t->len == len)
		return t->whole ? len : 0;
	return t->text[len] == '*' || t->text[len] == '#' ? len : 0;
}

static bool takes_number(enum hd_user_code code)
{
	static const bool takes[] = { false,
#define TAKES(name, number) number,
				      HD_USER_CODE_LIST(TAKES)
#undef TAKES
	};

	return takes[code];
}

/* The same where a number may follow at once. */
static size_t user_code_length(const struct typed *t, const char *code, bool number)
{
	size_t len = strnlen(code, HD_FEATURE_CODE_SIZE);

	if (!number)
		return code_length(t, code);
	return len > 0 && t->len >= len && memcmp(t->text, code, len) == 0 ? len : 0;
}

/* The longest code wins: *77 and *771 can live side by side. */
static size_t find_code(const struct hd_feature_codes *codes, const struct typed *t,
			enum hd_desk_event *eventp, enum hd_user_code *codep)
{
	const struct {
		const char *code;
		enum hd_desk_event event;
	} rows[] = {
		{ codes->login, HD_DESK_EVENT_LOGIN },
		{ codes->logout, HD_DESK_EVENT_LOGOUT },
		{ codes->toggle, HD_DESK_EVENT_TOGGLE },
	};
	size_t best = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = code_length(t, rows[i].code);

		if (len > best) {
			best = len;
			*eventp = rows[i].event;
		}
	}
	*codep = HD_USER_CODE_NONE;
	for (unsigned i = 1; i < HD_USER_CODES; i++) {
		size_t len = user_code_length(t, codes->user[i], takes_number(i));

		if (len > best) {
			best = len;
			*codep = i;
		}
	}
	return best;
}

static struct hd_slice until(struct hd_slice s, char end)
{
	const char *p = s.len > 0 ? memchr(s.ptr, end, s.len) : NULL;

	return p ? (struct hd_slice){ s.ptr, (size_t)(p - s.ptr) } : s;
}

static bool is_typed_number(struct hd_slice s)
{
	return hd_number_is_valid(s) && !memchr(s.ptr, '*', s.len) && !memchr(s.ptr, '#', s.len);
}

static bool is_digits(struct hd_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* What follows "CODE*". @return 0 or an error */
static int parse_arguments(struct hd_feature *feature, struct hd_slice rest)
{
	struct hd_slice number = until(rest, '*');
	struct hd_slice pin;
	int err;

	if (number.len == rest.len || !is_typed_number(number))
		return HD_EPARSE;

	pin = (struct hd_slice){ rest.ptr + number.len + 1, rest.len - number.len - 1 };
	if (pin.len > 0 && pin.ptr[pin.len - 1] == '#')
		pin.len--;
	if (!is_digits(pin))
		return HD_EPARSE;

	err = hd_str_copy(feature->number, sizeof(feature->number), number);
	return err ? err : hd_str_copy(feature->pin, sizeof(feature->pin), pin);
}

/* What follows a user's code. @return the number; {NULL, 0}: none of the forms; len 0: nothing */
static struct hd_slice user_argument(struct hd_slice rest)
{
	static const struct hd_slice none = { NULL, 0 };
	bool star = rest.len > 0 && rest.ptr[0] == '*';

	if (rest.len > 0 && rest.ptr[rest.len - 1] == '#')
		rest.len--;
	if (star) {
		rest.ptr++;
		rest.len--;
	}
	if (star && !rest.len)
		return none;
	for (size_t i = 0; i < rest.len; i++)
		if ((rest.ptr[i] < '0' || rest.ptr[i] > '9') && rest.ptr[i] != '*' &&
		    (rest.ptr[i] != '+' || i > 0 || rest.len == 1))
			return none;
	return rest.len < HD_NUMBER_SIZE ? rest : none;
}

static void parse_user_code(struct hd_feature *feature, struct hd_slice rest)
{
	struct hd_slice number = user_argument(rest);

	feature->has_arguments = number.len > 0;
	feature->malformed = !number.ptr || (number.len > 0 && !takes_number(feature->code)) ||
			     hd_str_copy(feature->number, sizeof(feature->number), number);
}

int hd_feature_parse(struct hd_feature *feature, const struct hd_feature_codes *codes,
		     struct hd_slice user)
{
	struct typed t;
	struct hd_slice rest;
	size_t len;
	int err = 0;

	if (!feature || !codes || (!user.ptr && user.len > 0))
		return HD_EINVAL;

	memset(feature, 0, sizeof(*feature));
	type_out(&t, user);
	len = find_code(codes, &t, &feature->event, &feature->code);
	if (len == 0) {
		err = t.broken ? HD_EINVAL : HD_ENOENT;
		goto out;
	}

	rest = (struct hd_slice){ t.text + len, t.len - len };
	if (!t.whole) {
		feature->malformed = true;
	} else if (feature->code != HD_USER_CODE_NONE) {
		parse_user_code(feature, rest);
	} else if (rest.len > 0 && rest.ptr[0] == '*') {
		rest.ptr++;
		rest.len--;
		if (parse_arguments(feature, rest))
			feature->malformed = true;
		else
			feature->has_arguments = true;
	} else if (rest.len > 1) {
		feature->malformed = true;
	}
	if (feature->malformed) {
		hd_wipe(feature->number, sizeof(feature->number));
		hd_wipe(feature->pin, sizeof(feature->pin));
		feature->has_arguments = false;
	}
out:
	hd_wipe(&t, sizeof(t));
	return err;
}

void hd_feature_wipe(struct hd_feature *feature)
{
	if (feature)
		hd_wipe(feature, sizeof(*feature));
}

/* Where the second '*' ends, a leading one not counted; 0 when there are not two. */
static size_t second_star(const struct typed *t)
{
	unsigned stars = 0;

	for (size_t i = 1; i < t->len; i++)
		if (t->text[i] == '*' && ++stars == 2)
			return i + 1;
	return 0;
}

/* The length of the longest code that the text begins with, whatever follows. */
static size_t code_prefix(const struct hd_feature_codes *codes, const struct typed *t)
{
	const char *const all[] = { codes->login, codes->logout, codes->toggle };
	size_t best = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t len = strnlen(all[i], HD_FEATURE_CODE_SIZE);

		if (len > best && t->len >= len && memcmp(t->text, all[i], len) == 0)
			best = len;
	}
	return best;
}

/* Somebody may have meant a code: 771*201*4711, or *7712014711. */
static size_t shown_length_of_other(const struct hd_feature_codes *codes, const struct typed *t)
{
	size_t stars = second_star(t);
	size_t prefix = code_prefix(codes, t);

	if (stars > 0)
		return stars;
	return prefix > 0 && t->len - prefix >= PIN_PROBABLE ? prefix : t->len;
}

/* Of a user's code all when a number of digits follows: whatever else it was meant to be. */
static size_t shown_length_of_user_code(const struct hd_feature_codes *codes, const struct typed *t,
					enum hd_user_code code, size_t len)
{
	struct hd_slice number = user_argument((struct hd_slice){ t->text + len, t->len - len });

	if (code_prefix(codes, t) > 0)
		len = shown_length_of_other(codes, t);
	else if (t->whole && number.ptr &&
		 (!number.len || (takes_number(code) && !memchr(number.ptr, '*', number.len))))
		len = t->len;
	return len;
}

/* How many characters may be shown; fewer than all when a PIN could follow. */
static size_t shown_length(const struct hd_feature_codes *codes, const struct typed *t)
{
	enum hd_desk_event event;
	enum hd_user_code code;
	struct hd_slice number;
	size_t len = find_code(codes, t, &event, &code);

	if (len == 0)
		return shown_length_of_other(codes, t);
	if (code != HD_USER_CODE_NONE)
		return shown_length_of_user_code(codes, t, code, len);
	if (t->len <= len + 1 || t->text[len] != '*')
		return t->whole && t->len <= len + 1 ? t->len : len;

	number = until((struct hd_slice){ t->text + len + 1, t->len - len - 1 }, '*');
	if (len + 1 + number.len < t->len && is_typed_number(number))
		return len + 1 + number.len + 1;
	return len + 1;
}

void hd_feature_mask(char *dst, size_t size, const struct hd_feature_codes *codes,
		     struct hd_slice user)
{
	static const char dots[] = "...";
	struct typed t;
	size_t n, room;

	if (!dst || size == 0)
		return;
	dst[0] = '\0';
	if (!codes || (!user.ptr && user.len > 0) || size < sizeof(dots))
		return;

	type_out(&t, user);
	n = shown_length(codes, &t);
	room = size - sizeof(dots);
	if (n > room)
		n = room;
	for (size_t i = 0; i < n; i++)
		dst[i] = t.text[i] > ' ' && t.text[i] <= '~' ? t.text[i] : '?';
	dst[n] = '\0';
	if (n < t.len || !t.whole)
		memcpy(dst + n, dots, sizeof(dots));
	hd_wipe(&t, sizeof(t));
}

void hd_target_mask(char *dst, size_t size, const char *to)
{
	static const char dots[] = "...";
	size_t n = strcspn(to, "*#");
	bool whole = !to[n];

	if (size < 2 + sizeof(dots)) {
		dst[0] = '\0';
		return;
	}
	n = whole ? n : n + 1;
	if (n > size - sizeof(dots)) {
		n = size - sizeof(dots);
		whole = false;
	}
	memcpy(dst, to, n);
	dst[n] = '\0';
	if (!whole)
		memcpy(dst + n, dots, sizeof(dots));
}
