/* test_face.c - what a phone shows in each state, and its keys in one row. */
#include "fixture.h"
#include "hotdesk/face.h"

/* ---- who and in which words ------------------------------------------------------------------ */

static const struct hd_user anna = { .number = "201", .name = "Anna", .language = "de-CH" };
static const struct hd_user nameless = { .number = "202" };
static const struct hd_user clara = { .number = "205", .name = "Clara" };
static const struct hd_user klaus = { .number = "206", .name = "Klaus", .language = "DE" };

static void test_states(void **state)
{
	static const struct {
		const char *owner_number;
		const struct hd_user *user, *owner;
		enum hd_face_state state;
		const char *language, *key, *idle, *name;
	} rows[] = {
		{ "", NULL, NULL, HD_FACE_FREE, "en", "Login", "Desk - free", "Desk" },
		{ "", &anna, NULL, HD_FACE_OCCUPIED, "de-CH", "Abmelden", "Anna", "Anna" },
		{ "", &nameless, NULL, HD_FACE_OCCUPIED, "en", "Logout", "202", "202" },
		{ "205", NULL, &clara, HD_FACE_CLOSED, "en", "Clara: Login", "Clara - logged out",
		  "Desk" },
		{ "206", NULL, &klaus, HD_FACE_CLOSED, "DE", "Klaus: Anmelden",
		  "Klaus - abgemeldet", "Desk" },
		{ "205", &clara, &clara, HD_FACE_OCCUPIED, "en", "Logout", "Clara", "Clara" },
		/* an owner whose record is gone */
		{ "207", NULL, NULL, HD_FACE_CLOSED, "en", "207: Login", "207 - logged out",
		  "Desk" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_phone phone = { .id = "desk-1", .label = "Desk" };
		const struct hd_face_input input = {
			.phone = &phone,
			.user = rows[i].user,
			.owner = rows[i].owner,
			.language = "en",
		};
		struct hd_face face;

		assert_ok(hd_str_set(phone.owner, sizeof(phone.owner), rows[i].owner_number));
		hd_face_make(&face, &input);
		assert_int_equal(face.state, rows[i].state);
		assert_string_equal(face.language, rows[i].language);
		assert_string_equal(face.key, rows[i].key);
		assert_string_equal(face.idle, rows[i].idle);
		assert_string_equal(face.name, rows[i].name);
	}
}

static void test_own_texts(void **state)
{
	const struct hd_face_texts texts = {
		.login = "{label} {user}{owner}{number}|",
		.occupied = "{number} {user} {label}",
	};
	struct hd_phone phone = { .id = "desk-1" };
	struct hd_face_input input = { .phone = &phone, .texts = &texts };
	struct hd_face face;

	(void)state;
	hd_face_make(&face, &input);
	assert_string_equal(face.key, "desk-1 |");
	assert_string_equal(face.idle, "desk-1 - free"); /* ours, where there is none */
	input.user = &anna;
	hd_face_make(&face, &input);
	assert_string_equal(face.idle, "201 Anna desk-1");
	assert_string_equal(face.key, "Abmelden");
	assert_true(hd_face_text_is_valid(hd_slice_of("{label} } {owner}")));
	assert_false(hd_face_text_is_valid(hd_slice_of("{nobody}")));
	assert_false(hd_face_text_is_valid(hd_slice_of("{")));
	assert_false(hd_face_text_is_valid(hd_slice_of("a\nb")));
}

/* A name with {owner} in it stays what it is; what is too long ends with a whole character. */
static void test_names(void **state)
{
	struct hd_phone phone = { .id = "desk-1", .owner = "205" };
	struct hd_user user = { .number = "201", .name = "{owner}" }, owner = { .number = "205" };
	const struct hd_face_texts texts = { .closed = "{owner}{owner}{owner}" };
	struct hd_face_input input = { .phone = &phone, .user = &user, .texts = &texts };
	struct hd_face face;

	(void)state;
	hd_face_make(&face, &input);
	assert_string_equal(face.idle, "{owner}");
	for (size_t i = 0; i + 3 < sizeof(owner.name); i += 3)
		memcpy(owner.name + i, "\xe2\x82\xac", 3);
	input.user = NULL;
	input.owner = &owner;
	hd_face_make(&face, &input);
	assert_int_equal(strlen(face.idle), 255); /* of 256: 85 characters */
	assert_true(hd_utf8_is_text(hd_slice_of(face.idle)));
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* One letter a place: . empty, L line, or S B U of a key with its label, or @ the Login key. */
static void row_format(char *dst, const struct hd_face_key *keys, size_t n)
{
	static const char kinds[] = { '.', 'L', 'S', 'B', 'U', '@' };

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(keys[i].place, i + 1);
		*dst++ = kinds[keys[i].kind];
		if (keys[i].label[0])
			*dst++ = keys[i].label[0];
	}
	*dst = '\0';
}

static struct hd_phone_key key(uint8_t place, enum hd_phone_key_type type, const char *label,
			       const char *value)
{
	struct hd_phone_key k = { .place = place, .type = type };

	assert_ok(hd_str_set(k.label, sizeof(k.label), label));
	assert_ok(hd_str_set(k.value, sizeof(k.value), value));
	return k;
}

#define SD HD_PHONE_KEY_SPEED_DIAL
#define BLF HD_PHONE_KEY_BLF
#define LINE HD_PHONE_KEY_LINE
#define URL HD_PHONE_KEY_URL

static const struct {
	struct {
		uint8_t place;
		enum hd_phone_key_type type;
		const char *label, *value;
	} phone[4], user[4];
	uint8_t places, lines, login;
	const char *want;
	size_t left;
} merges[] = {
	/* nothing but the Login key; a vendor without keys */
	{ { { 0 } }, { { 0 } }, 4, 1, 2, "L@..", 0 },
	{ { { 0 } }, { { 0 } }, 3, 0, 0, "...", 0 },
	{ { { 0 } }, { { 0 } }, 0, 0, 0, "", 0 },
	/* the phone's keys, then the user's; without place at the next free one */
	{ { { 3, SD, "p", "1" } },
	  { { 4, BLF, "u", "2" }, { 0, URL, "v", "3" } },
	  6,
	  1,
	  2,
	  "L@SpBuUv.",
	  0 },
	/* a user's key gives way to the phone's, the Login key and the line */
	{ { { 3, SD, "p", "1" } },
	  { { 1, SD, "a", "2" }, { 2, SD, "b", "3" }, { 3, SD, "c", "4" } },
	  6,
	  1,
	  2,
	  "L@SpSaSbSc",
	  0 },
	/* a phone's gives way to the Login key only */
	{ { { 1, SD, "p", "1" }, { 2, SD, "q", "2" } }, { { 0 } }, 4, 1, 2, "Sp@Sq.", 0 },
	/* where the phone's own keys stand does not depend on who is there */
	{ { { 0, SD, "p", "1" } }, { { 3, SD, "u", "2" } }, 4, 1, 2, "L@SpSu", 0 },
	/* one of the codes is the Login key, wherever it stands */
	{ { { 4, BLF, "", "*770" } }, { { 2, SD, "u", "2" } }, 4, 1, 2, "LSu.@", 0 },
	{ { { 4, SD, "x", "*771" }, { 3, SD, "y", "*771" } }, { { 0 } }, 4, 1, 0, "L.Sy@x", 0 },
	{ { { 0, SD, "", "*772" } }, { { 0 } }, 4, 0, 1, "@...", 0 },
	/* not a user's, nor a URL or line of that name */
	{ { { 0 } }, { { 3, SD, "u", "*770" } }, 3, 1, 2, "L@Su", 0 },
	{ { { 3, LINE, "l", "*770" } }, { { 0 } }, 3, 1, 2, "L@Ll", 0 },
	/* the phone's highest place says how many it has; a user's does not */
	{ { { 6, SD, "p", "1" } }, { { 9, SD, "u", "1" } }, 3, 1, 2, "L@Su..Sp", 0 },
	{ { { 0 } },
	  { { 1, SD, "a", "1" }, { 9, SD, "b", "1" }, { 0, SD, "c", "1" } },
	  3,
	  1,
	  2,
	  "L@Sa",
	  2 },
	{ { { 0 } }, { { 0 } }, 2, 1, 5, "L...@", 0 },
};

static void test_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
		struct hd_phone_key phone[4], user[4];
		struct hd_face_key keys[HD_PHONE_KEYS_MAX];
		struct hd_face_merge m = {
			.phone = phone,
			.user = user,
			.places = merges[i].places,
			.lines = merges[i].lines,
			.login = merges[i].login,
			.codes = { "*771", "*772", "*770" },
		};
		char got[4 * HD_PHONE_KEYS_MAX];
		size_t left;

		for (; m.n_phone < 4 && merges[i].phone[m.n_phone].label; m.n_phone++)
			phone[m.n_phone] = key(
				merges[i].phone[m.n_phone].place, merges[i].phone[m.n_phone].type,
				merges[i].phone[m.n_phone].label, merges[i].phone[m.n_phone].value);
		for (; m.n_user < 4 && merges[i].user[m.n_user].label; m.n_user++)
			user[m.n_user] =
				key(merges[i].user[m.n_user].place, merges[i].user[m.n_user].type,
				    merges[i].user[m.n_user].label, merges[i].user[m.n_user].value);
		row_format(got, keys, hd_face_keys(keys, &m, &left));
		if (strcmp(got, merges[i].want) != 0 || left != merges[i].left)
			fail_msg("row %zu: expected %s and %zu left, got %s and %zu", i,
				 merges[i].want, merges[i].left, got, left);
	}
}

/* As many as there can be: none is lost but the one that the Login key displaces. */
static void test_full(void **state)
{
	struct hd_phone_key phone[HD_PHONE_KEYS_MAX], user[HD_PHONE_KEYS_MAX];
	struct hd_face_key keys[HD_PHONE_KEYS_MAX];
	const struct hd_face_merge m = {
		.phone = phone,
		.user = user,
		.n_phone = HD_PHONE_KEYS_MAX,
		.n_user = HD_PHONE_KEYS_MAX,
		.places = 10,
		.lines = 1,
		.login = 2,
	};
	size_t left;

	(void)state;
	for (size_t i = 0; i < HD_PHONE_KEYS_MAX; i++) {
		phone[i] = key((uint8_t)(i + 1), SD, "p", "1");
		user[i] = key(0, SD, "u", "1");
	}
	assert_int_equal(hd_face_keys(keys, &m, &left), HD_PHONE_KEYS_MAX);
	assert_int_equal(left, 1 + HD_PHONE_KEYS_MAX);
	assert_int_equal(keys[1].kind, HD_FACE_KEY_LOGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states), cmocka_unit_test(test_own_texts),
		cmocka_unit_test(test_names),  cmocka_unit_test(test_merge),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
